/* A drop-in that anybody wrote: whatever it holds, it is read or told what is wrong with it, in text that can
 * be shown. */
#include "fuzz/fuzz.h"

#include <glib/gstdio.h>
#include <string.h>

#include "config/config.h"
#include "config/tree.h"

static const char description[] =
  "{\"version\":\"1.0.0\",\"capabilities\":[\"catalog\",\"orders\"],"
  "\"streams\":[{\"name\":\"products\",\"kinds\":[\"products\"],\"least_s\":60}],"
  "\"settings\":[{\"key\":\"url\",\"type\":\"url\",\"default\":\"https://api.example\"},"
  "{\"key\":\"generation\",\"type\":\"choice\",\"choices\":[\"v2\",\"v3\"],\"default\":\"v2\"},"
  "{\"key\":\"dispensary\",\"type\":\"text\",\"required\":true},{\"key\":\"api_key\",\"type\":\"secret\","
  "\"when\":\"generation=v3\"},"
  "{\"key\":\"page_size\",\"type\":\"integer\",\"least\":1,\"most\":1000},{\"key\":\"share\",\"type\":"
  "\"decimal\"},"
  "{\"key\":\"medical\",\"type\":\"boolean\"},{\"key\":\"form.name\",\"type\":\"text\"},{\"key\":\"settle\","
  "\"type\":\"duration\"},"
  "{\"key\":\"locations\",\"type\":\"text_list\"},{\"key\":\"keys\",\"type\":\"secret_list\"}]}";

static Plugins *
plugins (void)
{
  GPtrArray *infos = g_ptr_array_new ();
  json_object *object = json_tokener_parse (description);
  g_ptr_array_add (infos, plugin_info_from_json ("treez", "/treez.so", object, NULL));
  json_object_put (object);
  return plugins_new (infos);
}

/* What libconfig takes and the scan has nothing against has a place, and on libconfig's line. */
static void
check_places (const ConfigNode *node)
{
  g_assert (node->column > 0 && node->line > 0);
  for (guint i = 0; node->children && i < node->children->len; i++)
    check_places (g_ptr_array_index (node->children, i));
}

static void
check_tree (const char *bytes, size_t size)
{
  g_autofree char *text = g_strndup (bytes, size);
  g_autoptr (ConfigTree) tree = config_tree_new (g_steal_pointer (&text), "fuzz.conf", "/nonexistent");
  if (tree->root && !tree->scan->first_error)
    for (guint i = 0; i < tree->root->children->len; i++)
      check_places (g_ptr_array_index (tree->root->children, i));
  g_assert (tree->root || tree->error || tree->scan->refused->len > 0);
  /* What libconfig calls a syntax error, the scan had seen, and said better. */
  g_assert (tree->error != &tree->libconfig_error || strcmp (tree->error->text, "syntax error") != 0 ||
            memchr (bytes, '@', size));
}

static void
check_problem (const ConfigProblem *problem)
{
  g_autofree char *text = config_problem_to_text (problem, FALSE),
                  *coloured = config_problem_to_text (problem, TRUE);
  json_object *object = config_problem_to_json (problem);
  g_assert (g_utf8_validate (text, -1, NULL) && g_utf8_validate (coloured, -1, NULL));
  g_assert (g_utf8_validate (json_object_to_json_string (object), -1, NULL));
  json_object_put (object);
}

static void
check_drop_in (const char *bytes, size_t size)
{
  g_autofree char *folder = g_dir_make_tmp ("tillbridge-fuzz-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (folder, "a.conf", NULL);
  char *files[] = { file, NULL };
  g_assert (folder && g_file_set_contents (file, bytes, (gssize)size, NULL));
  g_autoptr (Plugins) installed = plugins ();
  g_autoptr (Config) config = config_read_files (NULL, files, installed);
  g_autoptr (Config) again = config_read_files (NULL, files, installed);
  g_unlink (file);
  g_rmdir (folder);
  guint errors = 0;
  for (guint i = 0; i < config->problems->len; i++) {
    const ConfigProblem *problem = g_ptr_array_index (config->problems, i);
    check_problem (problem);
    errors += !problem->warning;
  }
  g_assert ((errors == 0) == (config->broken->len == 0));
  g_assert (config->stores->len + config->broken->len == 1);
  json_object *shown = config_show (config, NULL, TRUE, TRUE);
  g_assert (g_utf8_validate (json_object_to_json_string (shown), -1, NULL));
  json_object_put (shown);
  gboolean restart;
  json_object *changes = config_compare (config, again, &restart);
  g_assert (json_object_array_length (changes) == 0 && !restart);
  json_object_put (changes);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  if (size == 0)
    return 0;
  check_tree ((const char *)data, size);
  check_drop_in ((const char *)data, size);
  return 0;
}
