/* What plugins said of themselves, kept over restarts: asking ten of them takes longer than all else of a
 * start. Good for the same worker program and the same files only; whatever is wrong with the file, they are
 * asked again. */
#include "config/plugin-info.h"

#include <glib/gstdio.h>

static const char *
text_at (json_object *object, const char *name)
{
  json_object *value = json_object_object_get (object, name);
  return json_object_is_type (value, json_type_string) ? json_object_get_string (value) : NULL;
}

static PluginInfo *
read_one (json_object *row)
{
  const char *name = text_at (row, "name"), *file = text_at (row, "file"),
             *identity = text_at (row, "identity");
  PluginInfo *info = name && file && identity
                       ? plugin_info_from_json (name, file, json_object_object_get (row, "description"), NULL)
                       : NULL;
  if (info)
    info->identity = g_strdup (identity);
  return info;
}

Plugins *
plugins_load (const char *path, const char *worker)
{
  g_autofree char *text = NULL, *identity = plugin_identity (worker);
  json_object *kept = g_file_get_contents (path, &text, NULL, NULL) ? json_tokener_parse (text) : NULL;
  json_object *rows = json_object_object_get (kept, "plugins");
  GPtrArray *infos = g_ptr_array_new ();
  if (identity && g_strcmp0 (text_at (kept, "worker"), identity) == 0 &&
      json_object_is_type (rows, json_type_array))
    for (size_t i = 0; i < json_object_array_length (rows); i++) {
      PluginInfo *info = read_one (json_object_array_get_idx (rows, i));
      if (info)
        g_ptr_array_add (infos, info);
    }
  json_object_put (kept);
  return plugins_new (infos);
}

static void
put (json_object *object, const char *name, const char *text)
{
  json_object_object_add (object, name, json_object_new_string (text));
}

/* Refused ones are asked at each start: they may have been for want of something else. */
void
plugins_save (const Plugins *plugins, const char *path, const char *worker)
{
  g_autofree char *identity = plugin_identity (worker), *before = NULL;
  GPtrArray *infos = plugins_all (plugins);
  if (!identity)
    return;
  json_object *kept = json_object_new_object (), *rows = json_object_new_array ();
  put (kept, "worker", identity);
  json_object_object_add (kept, "plugins", rows);
  for (guint i = 0; i < infos->len; i++) {
    const PluginInfo *info = infos->pdata[i];
    if (info->refused || !info->description)
      continue;
    json_object *row = json_object_new_object ();
    put (row, "name", info->name);
    put (row, "file", info->file);
    put (row, "identity", info->identity);
    json_object_object_add (row, "description", json_object_get (info->description));
    json_object_array_add (rows, row);
  }
  const char *text = json_object_to_json_string_ext (kept, JSON_C_TO_STRING_PLAIN);
  if (!g_file_get_contents (path, &before, NULL, NULL) || !g_str_equal (before, text))
    g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL);
  json_object_put (kept);
}
