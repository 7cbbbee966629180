#include "config-plugins.h"

#include <string.h>

Plugins *
described_plugins (void)
{
  GPtrArray *infos = g_ptr_array_new ();
  const char *source = g_getenv ("TB_SOURCE");
  g_autofree char *folder = g_build_filename (source ? source : ".", "tests/unit/config/plugins", NULL);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *entry;
  g_assert (dir);
  while ((entry = g_dir_read_name (dir))) {
    if (!g_str_has_suffix (entry, ".json"))
      continue;
    g_autofree char *path = g_build_filename (folder, entry, NULL);
    g_autofree char *name = g_strndup (entry, strlen (entry) - strlen (".json"));
    json_object *description = json_object_from_file (path);
    g_assert (description);
    PluginInfo *info = plugin_info_from_json (name, path, description, NULL);
    g_assert (info);
    info->refused = g_strdup (json_object_get_string (json_object_object_get (description, "refused")));
    json_object_put (description);
    g_ptr_array_add (infos, info);
  }
  return plugins_new (infos);
}
