/* All files of a configuration, read and held against each other. */
#include "config/reading.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

void
config_free (Config *config)
{
  if (!config)
    return;
  config_host_free (config->host);
  g_ptr_array_unref (config->stores);
  g_ptr_array_unref (config->broken);
  g_ptr_array_unref (config->problems);
  g_free (config);
}

static void
drop_in_free (gpointer data)
{
  DropIn *drop_in = data;
  g_free (drop_in->shown);
  g_free (drop_in->folder);
  g_free (drop_in->id);
  config_store_free (drop_in->store);
  config_tree_free (drop_in->tree);
  g_free (drop_in);
}

ConfigTree *
tree_read (Reading *reading, const char *path, const char *shown)
{
  const char *why;
  gsize length;
  char *text = scan_load (path, &length, &why);
  if (!text) {
    problem_in (reading, shown, "it cannot be read: %s", why);
    return NULL;
  }
  if (strlen (text) != length) {
    g_free (text);
    problem_in (reading, shown, "it holds a NUL byte, so it is no text");
    return NULL;
  }
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (ConfigTree) tree = config_tree_new (text, shown, folder);
  for (guint i = 0; i < tree->scan->refused->len; i++)
    problem_at_fault (reading, g_ptr_array_index (tree->scan->refused, i));
  if (tree->error)
    problem_at_fault (reading, tree->error);
  return tree->root ? g_steal_pointer (&tree) : NULL;
}

static DropIn *
drop_in_read (const char *path, const char *shown, GPtrArray *problems, const Plugins *plugins,
              GHashTable *zones)
{
  DropIn *drop_in = g_new0 (DropIn, 1);
  struct stat status;
  Reading reading = { problems, shown, 0 };
  drop_in->shown = g_strdup (shown);
  drop_in->zones = zones;
  drop_in->folder = g_path_get_dirname (path);
  drop_in->exposed = stat (path, &status) != 0 || (status.st_mode & 0777 & ~0640) != 0;
  drop_in->tree = tree_read (&reading, path, shown);
  if (drop_in->tree) {
    static const char *const names[] = { "store", "shared", NULL };
    const ConfigNode *root = drop_in->tree->root, *store = config_node_at (root, "store");
    const ConfigNode *shared = config_node_at (root, "shared");
    for (guint i = 0; i < root->children->len; i++) {
      const ConfigNode *child = g_ptr_array_index (root->children, i);
      if (!g_strv_contains (names, child->name))
        problem_nearest (problem_at (&reading, child, "no setting \"%s\" in a drop-in", child->name), child,
                         child->name, names);
      else if (child->type != NODE_GROUP) {
        g_autofree char *found = node_in_words (child);
        problem_at (&reading, child, "%s is %s, expected a group", child->name, found);
      }
    }
    if (store && shared)
      problem_at (&reading, shared, "a drop-in holds a store or shared connectors, not both");
    else if (!store && !shared && reading.errors == 0)
      problem_in (&reading, shown, "there is neither a store nor shared in it");
    drop_in->group = store ? store : shared;
  }
  drop_in->errors = reading.errors;
  if (drop_in->group && drop_in->group->type == NODE_GROUP)
    config_store_read (drop_in, problems, plugins);
  return drop_in;
}

/* ---- what files say to each other ---- */

/* The connectors of all files with shared ones, in one store. */
static DropIn *
gather_shared (GPtrArray *drop_ins, GPtrArray *problems)
{
  DropIn *first = NULL;
  for (guint i = 0; i < drop_ins->len; i++) {
    DropIn *drop_in = g_ptr_array_index (drop_ins, i);
    if (!drop_in->store || strcmp (drop_in->store->id ? drop_in->store->id : "", "shared") != 0 ||
        strcmp (drop_in->group->name, "shared") != 0)
      continue;
    if (!first) {
      first = drop_in;
      continue;
    }
    Reading reading = { problems, "shared", 0 };
    while (drop_in->store->connectors->len > 0) {
      ConfigConnector *connector = g_ptr_array_steal_index (drop_in->store->connectors, 0);
      for (guint j = 0; j < first->store->connectors->len; j++) {
        const ConfigConnector *other = g_ptr_array_index (first->store->connectors, j);
        g_autofree char *path = g_strdup_printf ("connectors.%s", connector->name);
        if (strcmp (other->name, connector->name) == 0)
          problem_at (&reading, config_node_at (drop_in->group, path), "shared/%s is already in %s:%d",
                      connector->name, other->file, other->line);
      }
      g_ptr_array_add (first->store->connectors, connector);
    }
    first->errors += drop_in->errors + reading.errors;
    g_clear_pointer (&drop_in->store, config_store_free);
  }
  return first;
}

/* The first file of an id keeps it. */
static void
check_ids (GPtrArray *drop_ins, GPtrArray *problems)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < drop_ins->len; i++) {
    DropIn *drop_in = g_ptr_array_index (drop_ins, i);
    if (!drop_in->id || strcmp (drop_in->id, "shared") == 0)
      continue;
    const DropIn *first = g_hash_table_lookup (seen, drop_in->id);
    if (first) {
      Reading reading = { problems, drop_in->shown, 0 };
      const ConfigNode *node = config_node_at (first->group, "id");
      problem_at (&reading, config_node_at (drop_in->group, "id"), "store \"%s\" is already in %s:%d",
                  drop_in->id, node->source->file, node->line);
      drop_in->errors++;
      g_clear_pointer (&drop_in->id, g_free);
    } else
      g_hash_table_insert (seen, drop_in->id, drop_in);
  }
}

static void
add_broken (Config *config, const DropIn *drop_in)
{
  const char *name = drop_in->id ? drop_in->id : drop_in->shown;
  if (!g_ptr_array_find_with_equal_func (config->broken, name, g_str_equal, NULL))
    g_ptr_array_add (config->broken, g_strdup (name));
}

static int
by_id (gconstpointer a, gconstpointer b)
{
  const ConfigStore *const *x = a, *const *y = b;
  return strcmp ((*x)->id, (*y)->id);
}

/* Problems of one file stay together, in the order of its lines. */
static int
by_place (gconstpointer a, gconstpointer b, gpointer order)
{
  const ConfigProblem *const *x = a, *const *y = b;
  int first = GPOINTER_TO_INT (g_hash_table_lookup (order, (*x)->file)) -
              GPOINTER_TO_INT (g_hash_table_lookup (order, (*y)->file));
  if (first == 0)
    first = (*x)->line - (*y)->line;
  return first ? first : (*x)->column - (*y)->column;
}

static void
sort_problems (GPtrArray *problems, const GPtrArray *drop_ins)
{
  g_autoptr (GHashTable) order = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < drop_ins->len; i++) {
    const DropIn *drop_in = g_ptr_array_index (drop_ins, i);
    g_hash_table_insert (order, drop_in->shown, GINT_TO_POINTER (1 + i)); /* tillbridge.conf: 0 */
  }
  for (guint i = 0; i < problems->len; i++) { /* files that are included */
    const ConfigProblem *problem = g_ptr_array_index (problems, i);
    if (!g_hash_table_contains (order, problem->file))
      g_hash_table_insert (order, problem->file,
                           GINT_TO_POINTER (problem->store ? 1 + drop_ins->len + i : 0));
  }
  g_ptr_array_sort_with_data (problems, by_place, order);
}

static void
join (Config *config, GPtrArray *drop_ins, const Plugins *plugins)
{
  DropIn *shared = gather_shared (drop_ins, config->problems);
  check_ids (drop_ins, config->problems);
  for (guint i = 0; i < drop_ins->len; i++) {
    DropIn *drop_in = g_ptr_array_index (drop_ins, i);
    if (drop_in->store && drop_in != shared)
      roles_read (drop_in, config->problems, shared ? shared->store : NULL, plugins);
  }
  for (guint i = 0; i < drop_ins->len; i++) {
    DropIn *drop_in = g_ptr_array_index (drop_ins, i);
    if (drop_in->errors > 0)
      add_broken (config, drop_in);
    else if (drop_in->store)
      g_ptr_array_add (config->stores, g_steal_pointer (&drop_in->store));
  }
  g_ptr_array_sort (config->stores, by_id);
}

/* ---- the host's alerts name connectors ---- */

static void
check_alert (Config *config, Reading *reading, const ConfigNode *node, const char *key, const char *name)
{
  const char *slash = strchr (name, '/');
  g_autofree char *store = slash ? g_strndup (name, (gsize)(slash - name)) : NULL;
  if (!slash)
    problem_at (reading, node, "%s names \"%s\", expected store/name like \"shared/%s\"", key, name, name);
  else if (!config_find_connector (config, store, slash + 1) &&
           !g_ptr_array_find_with_equal_func (config->broken, store, g_str_equal, NULL))
    problem_at (reading, node, "%s names \"%s\", which is no connector", key, name);
}

static void
check_alerts (Config *config, const ConfigTree *tree)
{
  Reading reading = { config->problems, NULL, 0 };
  const ConfigHost *host = config->host;
  if (!tree || config->broken->len > 0) /* a broken file may hold what is named */
    return;
  for (char **name = host->alert_errors; name && *name; name++)
    check_alert (config, &reading, config_node_at (tree->root, "alerts.errors"), "alerts.errors", *name);
  if (host->alert_messages)
    check_alert (config, &reading, config_node_at (tree->root, "alerts.messages"), "alerts.messages",
                 host->alert_messages);
  config->host_broken |= reading.errors > 0;
}

/* ---- entry ---- */

static Config *
config_new (void)
{
  Config *config = g_new0 (Config, 1);
  config->stores = g_ptr_array_new_with_free_func ((GDestroyNotify)config_store_free);
  config->broken = g_ptr_array_new_with_free_func (g_free);
  config->problems = problems_new ();
  return config;
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

/* The folder as it is shown: from where tillbridge.conf is, when it lies there. */
static char *
shown_folder (const ConfigHost *host)
{
  g_autofree char *home = host->file ? g_path_get_dirname (host->file) : g_strdup (SYSCONFDIR "/tillbridge");
  gsize length = strlen (home);
  if (strncmp (host->conf_d, home, length) == 0 && host->conf_d[length] == '/')
    return g_strdup (host->conf_d + length + 1);
  return g_strdup (host->conf_d);
}

/* A folder that cannot be read is not one without stores: nothing may be taken away for it. */
static GPtrArray *
list_drop_ins (Config *config, const char *shown, gboolean said)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  DIR *dir = opendir (config->host->conf_d);
  if (!dir) {
    gboolean missing = errno == ENOENT;
    Reading reading = { config->problems, NULL, 0 };
    ConfigProblem *problem =
      problem_in (&reading, shown, "the folder of the drop-ins cannot be read: %s", g_strerror (errno));
    if (missing && !said)
      problem_to_warning (&reading, problem);
    config->host_broken |= reading.errors > 0;
    return names;
  }
  for (const struct dirent *entry; (entry = readdir (dir));)
    if (entry->d_name[0] != '.' && g_str_has_suffix (entry->d_name, ".conf"))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  closedir (dir);
  g_ptr_array_sort (names, by_name);
  return names;
}

static GHashTable *
zones_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_time_zone_unref);
}

Config *
config_read (const char *file, Plugins *plugins)
{
  Config *config = config_new ();
  g_autoptr (ConfigTree) tree = NULL;
  config->host = host_read (file, config->problems, &tree, &config->host_broken);
  if (!config->host->conf_d) /* it is wrong, and told */
    return config;
  g_autoptr (GPtrArray) drop_ins = g_ptr_array_new_with_free_func (drop_in_free);
  g_autoptr (GHashTable) zones = zones_new ();
  g_autofree char *folder = shown_folder (config->host);
  g_autoptr (GPtrArray) names = list_drop_ins (config, folder, tree && config_node_at (tree->root, "conf_d"));
  for (guint i = 0; i < names->len; i++) {
    g_autofree char *path = g_build_filename (config->host->conf_d, g_ptr_array_index (names, i), NULL);
    g_autofree char *shown = g_build_filename (folder, g_ptr_array_index (names, i), NULL);
    g_ptr_array_add (drop_ins, drop_in_read (path, shown, config->problems, plugins, zones));
  }
  join (config, drop_ins, plugins);
  check_alerts (config, tree);
  sort_problems (config->problems, drop_ins);
  return config;
}

Config *
config_read_files (const ConfigHost *host, char **files, Plugins *plugins)
{
  Config *config = config_new ();
  g_autoptr (GPtrArray) drop_ins = g_ptr_array_new_with_free_func (drop_in_free);
  g_autoptr (GHashTable) zones = zones_new ();
  g_autoptr (GPtrArray) unasked = problems_new (); /* of the host's file: not what was asked about */
  config->host = config_read_host (host ? host->file : NULL, unasked); /* again, so that the answer owns it */
  for (char **file = files; *file; file++)
    g_ptr_array_add (drop_ins, drop_in_read (*file, *file, config->problems, plugins, zones));
  join (config, drop_ins, plugins);
  sort_problems (config->problems, drop_ins);
  return config;
}

ConfigStore *
config_find_store (const Config *config, const char *id)
{
  for (guint i = 0; i < config->stores->len; i++) {
    ConfigStore *store = g_ptr_array_index (config->stores, i);
    if (strcmp (store->id, id) == 0)
      return store;
  }
  return NULL;
}

ConfigConnector *
config_find_connector (const Config *config, const char *store, const char *name)
{
  const ConfigStore *found = config_find_store (config, store);
  for (guint i = 0; found && i < found->connectors->len; i++) {
    ConfigConnector *connector = g_ptr_array_index (found->connectors, i);
    if (strcmp (connector->name, name) == 0)
      return connector;
  }
  return NULL;
}
