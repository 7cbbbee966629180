/* Text with {setting}, or {setting|what it is where that is not set}: addresses and credentials of an
 * endpoint, and the `when` of rows. Pure: where values come from is handed in. */
#pragma once
#include <glib.h>

/* A setting's text, "" when it is not set, NULL when there is no such setting. */
typedef const char *(*TemplateLookup) (const char *name, gpointer data);

typedef enum {
  TEMPLATE_TEXT, /* as it stands, for headers: a line break in a value is refused */
  TEMPLATE_URL   /* percent-encoded, but for one that begins the template, which is a URL itself */
} TemplateUse;

/* NULL: an unknown name, a brace that does not close, an empty value in a URL, or a line break in a header.
 */
char *template_fill (const char *text, TemplateUse use, TemplateLookup lookup, gpointer data, GError **error);
/* Does it name this one? */
gboolean template_names (const char *text, const char *name);
/* Calls func for each name in it. */
void template_each (const char *text, void (*func) (const char *name, gpointer data), gpointer data);

/* "generation=v3"; a bare name holds when it is set (and not "false"); NULL and "" hold. */
gboolean when_text_holds (const char *when, TemplateLookup lookup, gpointer data);
