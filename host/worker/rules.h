/* What an answer means: the plugin's rows first, then the HTTP status. Pure. */
#pragma once
#include <glib.h>
#include <tillbridge/plugin.h>
#include "json/json.h"

typedef struct Rules Rules; /* rows with their paths compiled */

/* rows must outlive it. NULL: a path that is none. */
Rules *rules_new (const tb_rule *rows, guint count, gboolean any_case, GError **error);
void rules_free (Rules *rules);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rules, rules_free)

/* The first row that fits, NULL: none. root NULL: the body is no JSON. text: the whole body, NULL: not at
 * hand. */
const tb_rule *rules_find (const Rules *rules, int http, const JsonNode *root, const char *text,
                           gsize length);

/* Does the text fit a pattern with *wildcards*? All of it must. */
gboolean rules_text_fits (const char *pattern, const char *text, gsize length);

/* By the status alone; 5xx and 408 are TB_SERVICE_UNAVAILABLE. */
tb_status rules_by_status (int http);
