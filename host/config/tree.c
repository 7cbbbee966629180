#include "config/tree.h"

#include <libconfig.h>
#include <string.h>

static void
node_free (gpointer data)
{
  ConfigNode *node = data;
  g_free (node->name);
  if (node->children)
    g_ptr_array_unref (node->children);
  g_free (node);
}

static ConfigNode *
node_new (const Scan *scan, const config_setting_t *setting, GString *path)
{
  static const struct {
    int libconfig;
    NodeType type;
  } types[] = { { CONFIG_TYPE_GROUP, NODE_GROUP },   { CONFIG_TYPE_LIST, NODE_LIST },
                { CONFIG_TYPE_ARRAY, NODE_LIST },    { CONFIG_TYPE_STRING, NODE_TEXT },
                { CONFIG_TYPE_INT, NODE_INTEGER },   { CONFIG_TYPE_INT64, NODE_INTEGER },
                { CONFIG_TYPE_FLOAT, NODE_DECIMAL }, { CONFIG_TYPE_BOOL, NODE_BOOLEAN } };
  ConfigNode *node = g_new0 (ConfigNode, 1);
  const ScanPlace *place = g_hash_table_lookup (scan->places, path->str);
  node->name = g_strdup (config_setting_name (setting));
  node->source = place ? place->source : g_ptr_array_index (scan->sources, 0);
  node->line = place ? place->line : (int)config_setting_source_line (setting);
  node->column = place ? place->column : 0;
  node->width = place ? place->width : 0;
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (types[i].libconfig == config_setting_type (setting))
      node->type = types[i].type;
  if (node->type == NODE_TEXT)
    node->text = config_setting_get_string (setting);
  else if (node->type == NODE_INTEGER)
    node->decimal = (double)(node->integer = config_setting_get_int64 (setting));
  else if (node->type == NODE_DECIMAL) /* libconfig reads it in the locale's way */
    node->decimal = place ? g_ascii_strtod (place->value, NULL) : config_setting_get_float (setting);
  else if (node->type == NODE_BOOLEAN)
    node->boolean = config_setting_get_bool (setting) != 0;
  else {
    node->children = g_ptr_array_new_with_free_func (node_free);
    gsize length = path->len;
    for (int i = 0; i < config_setting_length (setting); i++) {
      const config_setting_t *child = config_setting_get_elem (setting, (unsigned)i);
      if (node->type == NODE_GROUP)
        g_string_append_printf (path, "%s%s", length ? "." : "", config_setting_name (child));
      else
        g_string_append_printf (path, "[%d]", i);
      g_ptr_array_add (node->children, node_new (scan, child, path));
      g_string_truncate (path, length);
    }
  }
  return node;
}

/* The scan saw nothing wrong, and libconfig did: its line and its words. */
static void
explain (ConfigTree *tree)
{
  const config_t *config = tree->libconfig;
  ScanFault *own = &tree->libconfig_error;
  own->source = g_ptr_array_index (tree->scan->sources, 0);
  own->line = config_error_line (config);
  g_autofree char *line = scan_line (own->source, own->line);
  own->column = line ? (int)strspn (line, " \t") + 1 : 1;
  own->width = 1;
  own->text = g_strdup (config_error_text (config) ? config_error_text (config) : "it cannot be read");
  tree->error = own;
}

ConfigTree *
config_tree_new (char *text, const char *shown, const char *folder)
{
  gsize length = strlen (text);
  if (length > 0 && text[length - 1] != '\n') { /* libconfig refuses a comment that ends with the file */
    text = g_realloc (text, length + 2);
    memcpy (text + length, "\n", 2);
  }
  ConfigTree *tree = g_new0 (ConfigTree, 1);
  config_t *config = tree->libconfig = g_new0 (config_t, 1);
  tree->scan = scan_text (text, shown, folder);
  config_init (config);
  config_set_include_dir (config, folder);
  tree->error = tree->scan->first_error;
  if (tree->error || tree->scan->refused->len > 0)
    return tree; /* libconfig might take it all the same: it loses what stands behind a quote that is never
                    closed */
  if (!config_read_string (config, text)) {
    explain (tree);
    return tree;
  }
  g_autoptr (GString) path = g_string_new (NULL);
  tree->root = node_new (tree->scan, config_root_setting (config), path);
  return tree;
}

void
config_tree_free (ConfigTree *tree)
{
  if (!tree)
    return;
  if (tree->root)
    node_free (tree->root);
  config_destroy (tree->libconfig);
  g_free (tree->libconfig);
  g_free (tree->libconfig_error.text);
  scan_free (tree->scan);
  g_free (tree);
}

const ConfigNode *
config_node_at (const ConfigNode *group, const char *path)
{
  gsize length = strcspn (path, ".");
  if (group->type != NODE_GROUP)
    return NULL;
  for (guint i = 0; i < group->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (group->children, i);
    if (strncmp (child->name, path, length) == 0 && !child->name[length])
      return path[length] ? config_node_at (child, path + length + 1) : child;
  }
  return NULL;
}
