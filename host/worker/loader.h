/* A plugin file, loaded: its description copied into structs of our own size, and checked.
 *
 * A plugin's structs have the sizes that it was compiled with (tb_sizes), and grow only at their ends:
 * nothing is read beyond them, and its arrays are walked by them. Everything that a description can have
 * wrong is refused here, before a call runs. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include <tillbridge/plugin.h>

typedef struct Plugin Plugin;

enum {
  PLUGIN_LIST_MOST = 1000, /* elements of one of its lists */
  PLUGIN_TEXT_MOST = 4096  /* bytes of one of its texts */
};

/* NULL: refused; the error says why, without the file's name. */
Plugin *plugin_load (const char *file, GError **error);
/* The same for a description that is in memory already; file may be NULL. */
Plugin *plugin_adopt (const tb_plugin_info *theirs, const char *file, GError **error);
void plugin_free (Plugin *plugin);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plugin, plugin_free)

const tb_plugin_info *plugin_info (const Plugin *plugin); /* in our sizes */
const tb_sizes *plugin_sizes (const Plugin *plugin);      /* the plugin's; 0: it knows no such struct */
gboolean plugin_same_layout (const Plugin *plugin);       /* its structs are ours */
const char *plugin_file (const Plugin *plugin);
/* NULL: none of this name. A stream whose `when` holds is for the caller to pick: several may have one name.
 */
const tb_setting *plugin_setting (const Plugin *plugin, const char *key);
gboolean plugin_setting_is_list (const Plugin *plugin, const char *key);
/* A setting's standard: a text, or for ["a", "b"] an array; NULL: none. */
json_object *plugin_standard (const Plugin *plugin, const char *key);
/* Does a text lie in what the plugin's file maps and nobody can write? Then it is always the same one. */
gboolean plugin_is_literal (const Plugin *plugin, const void *address);

/* Copies a struct of theirs of `theirs` bytes into one of ours; what theirs does not reach is zero. */
static inline void
take (void *to, gsize size, const void *from, gsize theirs)
{
  memset (to, 0, size);
  memcpy (to, from, MIN (size, theirs));
}

/* check.c: what SDK.md calls a mistake that the host refuses at load. */
gboolean plugin_check (const tb_plugin_info *info, GError **error);

/* Says why a plugin is refused, in one line of valid UTF-8; FALSE, so that `return loader_refuse (...)` reads
 * well. */
gboolean loader_refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);
