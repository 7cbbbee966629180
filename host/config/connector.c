/* A connector: what every one of them takes, and its streams' intervals. The plugin's own settings:
 * settings.c. */
#include "config/reading.h"

#include <string.h>

#include "base/timefmt.h"

#define AT(field) G_STRUCT_OFFSET (ConfigConnector, field)

static const TableKey keys[] = {
  { "plugin", KEY_TEXT, NULL, NULL, NULL, 0, 0, TRUE, FALSE, AT (plugin), "its name, such as `\"treez\"`" },
  { "url", KEY_URL, NULL, "the plugin's", NULL, 0, 0, FALSE, FALSE, AT (url),
    "where the vendor is, where it has one address" },
  { "enabled", KEY_BOOLEAN, "true", NULL, NULL, 0, 0, FALSE, FALSE, AT (enabled),
    "`false`: it is known and does nothing" },
  { "allow_private", KEY_BOOLEAN, "false", NULL, NULL, 0, 0, FALSE, FALSE, AT (allow_private),
    "let requests go to loopback, link-local and private addresses" },
  { "sync", KEY_TREE, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1,
    "stream → `\"15m\"`, `{ every = \"15m\"; full_every = \"1d\"; }` or `\"off\"`; or `\"off\"` for all. "
    "Never below the plugin's least" },
  { "pace.per_second", KEY_DECIMAL, NULL, "the plugin's", NULL, 0.001, 10000, FALSE, FALSE, AT (per_second),
    "requests a second" },
  { "pace.burst", KEY_COUNT, NULL, "the plugin's", NULL, 1, 10000, FALSE, FALSE, AT (burst),
    "requests that may go at once after a rest" },
  { "pace.at_once", KEY_COUNT, NULL, "the plugin's", NULL, 1, 1000, FALSE, FALSE, AT (at_once),
    "requests under way" },
  { "pace.per_month", KEY_AMOUNT, NULL, "the plugin's", NULL, 1, 1000000000, FALSE, FALSE, AT (per_month),
    "requests a month, where they are billed" },
  { "timeout", KEY_DURATION, NULL, "the plugin's", NULL, 100, 600000, FALSE, FALSE, AT (timeout_ms),
    "of one request" },
  { "proxy", KEY_PROXY, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (proxy),
    "`http://`, `https://` or `socks5h://`" },
  { "on_doubt", KEY_CHOICE, "hold", NULL, "hold resend", 0, 0, FALSE, FALSE, AT (on_doubt),
    "what happens to an item that may have arrived, where the vendor can neither be asked nor takes a key" },
};

const Table connector_table = { "a connector", keys, G_N_ELEMENTS (keys) };

void
connector_free (ConfigConnector *connector)
{
  if (!connector)
    return;
  g_free (connector->store);
  g_free (connector->name);
  g_free (connector->plugin);
  g_free (connector->url);
  g_clear_pointer (&connector->sync, g_hash_table_unref);
  g_free (connector->proxy);
  g_free (connector->on_doubt);
  json_object_put (connector->settings);
  g_clear_pointer (&connector->shown, g_array_unref);
  g_free (connector->file);
  g_free (connector);
}

/* ---- sync ---- */

typedef struct {
  Reading *reading;
  ConfigConnector *connector;
  const PluginInfo *plugin; /* NULL: not known, so neither are its streams */
  const PluginStream *stream;
  char *name;
} SyncReading;

static gint64
interval (const SyncReading *s, const ConfigNode *node, const char *key)
{
  g_autofree char *found = node_in_words (node);
  gint64 ms = node->type == NODE_TEXT ? duration_from_text (node->text) : -1;
  if (ms < 1000) {
    problem_at (s->reading, node, "%s is %s, expected " EXPECTED_DURATION, key, found);
    return 0;
  }
  if (s->stream && ms < s->stream->least_ms) {
    g_autofree char *least = duration_to_text (s->stream->least_ms);
    problem_at (s->reading, node, "%s is %s, but plugin %s allows no less than \"%s\"", key, found,
                s->plugin->name, least);
    return 0;
  }
  show_value (s->connector->shown, key, json_object_new_string (node->text), node);
  return ms;
}

static void
read_stream (const SyncReading *s, const ConfigNode *node)
{
  static const char *const names[] = { "every", "full_every", NULL };
  ConfigSync *sync = g_new0 (ConfigSync, 1);
  g_autofree char *key = g_strdup_printf ("sync.%s", node->name);
  g_hash_table_replace (s->connector->sync, g_strdup (node->name), sync);
  if (node->type == NODE_TEXT && strcmp (node->text, "off") == 0) {
    sync->off = TRUE;
    show_value (s->connector->shown, key, json_object_new_string ("off"), node);
    return;
  }
  if (node->type != NODE_GROUP) {
    sync->every_ms = interval (s, node, key);
    return;
  }
  for (guint i = 0; i < node->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (node->children, i);
    g_autofree char *child_key = g_strdup_printf ("%s.%s", key, child->name);
    if (strcmp (child->name, "every") == 0)
      sync->every_ms = interval (s, child, child_key);
    else if (strcmp (child->name, "full_every") == 0)
      sync->full_every_ms = interval (s, child, child_key);
    else
      problem_nearest (problem_at (s->reading, child, "no setting \"%s\"", child_key), child, child->name,
                       names);
  }
}

static void
read_sync (Reading *reading, const ConfigNode *node, const PluginInfo *plugin, ConfigConnector *connector)
{
  SyncReading s = { reading, connector, plugin, NULL, NULL };
  if (node->type == NODE_TEXT && strcmp (node->text, "off") == 0) {
    connector->sync_off = TRUE;
    show_value (connector->shown, "sync", json_object_new_string ("off"), node);
    return;
  }
  if (node->type != NODE_GROUP) {
    g_autofree char *found = node_in_words (node);
    problem_at (reading, node, "sync is %s, expected a group like { products = \"15m\"; }, or \"off\"",
                found);
    return;
  }
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; plugin && i < plugin->streams->len; i++)
    g_ptr_array_add (names, ((const PluginStream *)g_ptr_array_index (plugin->streams, i))->name);
  g_ptr_array_add (names, NULL);
  for (guint i = 0; i < node->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (node->children, i);
    s.stream = plugin ? plugin_info_stream (plugin, child->name) : NULL;
    if (plugin && !s.stream) {
      ConfigProblem *problem =
        problem_at (reading, child, "no stream \"%s\" in plugin %s", child->name, plugin->name);
      problem_nearest (problem, child, child->name, (const char *const *)names->pdata);
    } else
      read_stream (&s, child);
  }
}

/* ---- the plugin ---- */

static const PluginInfo *
find_plugin (Reading *reading, const ConfigNode *group, const ConfigConnector *connector,
             const Plugins *plugins)
{
  const ConfigNode *node = config_node_at (group, "plugin");
  const PluginInfo *plugin = plugins_find (plugins, connector->plugin);
  if (plugin && !plugin->refused)
    return plugin;
  if (plugin) {
    problem_at (reading, node, "plugin \"%s\" cannot be used: %s", connector->plugin, plugin->refused);
    return NULL;
  }
  ConfigProblem *problem = problem_at (reading, node, "no plugin \"%s\" is installed", connector->plugin);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GPtrArray *all = plugins_all (plugins);
  for (guint i = 0; i < all->len; i++)
    g_ptr_array_add (names, ((const PluginInfo *)g_ptr_array_index (all, i))->name);
  g_ptr_array_add (names, NULL);
  problem_nearest (problem, node, connector->plugin, (const char *const *)names->pdata);
  if (is_id (connector->plugin) && !problem->hint)
    problem_fix (problem, "apt install tillbridge-plugin-%s", connector->plugin);
  return NULL;
}

/* Without the plugin nothing is known of its settings: only what is nearly one of ours is told. */
static void
report_nearly_ours (Reading *reading, const ConfigNode *group)
{
  g_autoptr (GPtrArray) unknown = table_unknown (&connector_table, group);
  g_auto (GStrv) names = table_names (&connector_table, "");
  for (guint i = 0; i < unknown->len; i++) {
    const TableUnknown *one = g_ptr_array_index (unknown, i);
    if (one->node->type != NODE_GROUP && nearest_name (one->path, (const char *const *)names))
      problem_nearest (problem_at (reading, one->node, "no setting \"%s\" in a connector", one->path),
                       one->node, one->path, (const char *const *)names);
  }
}

ConfigConnector *
connector_read (DropIn *drop_in, Reading *reading, const ConfigNode *group, const Plugins *plugins)
{
  if (!is_id (group->name)) {
    problem_at (reading, group,
                "\"%s\" is no name of a connector, expected lower-case letters, digits, \"-\" and \"_\"",
                group->name);
    return NULL;
  }
  if (group->type != NODE_GROUP) {
    g_autofree char *found = node_in_words (group);
    problem_at (reading, group, "connectors.%s is %s, expected a group", group->name, found);
    return NULL;
  }
  ConfigConnector *connector = g_new0 (ConfigConnector, 1);
  connector->store = g_strdup (drop_in->id ? drop_in->id : "");
  connector->name = g_strdup (group->name);
  connector->sync = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  connector->settings = json_object_new_object ();
  connector->shown = shown_new ();
  connector->file = g_strdup (group->source->file);
  connector->line = group->line;
  table_read (&connector_table, reading, group, drop_in->folder, connector, connector->shown);
  const PluginInfo *plugin = connector->plugin ? find_plugin (reading, group, connector, plugins) : NULL;
  const ConfigNode *sync = config_node_at (group, "sync");
  if (sync)
    read_sync (reading, sync, plugin, connector);
  if (plugin)
    settings_read (drop_in, reading, group, plugin, connector);
  else
    report_nearly_ours (reading, group);
  return connector;
}

/* ---- equality ---- */

static gboolean
sync_equal (GHashTable *a, GHashTable *b)
{
  GHashTableIter iter;
  gpointer key, value;
  if (g_hash_table_size (a) != g_hash_table_size (b))
    return FALSE;
  g_hash_table_iter_init (&iter, a);
  while (g_hash_table_iter_next (&iter, &key, &value)) {
    const ConfigSync *x = value, *y = g_hash_table_lookup (b, key);
    if (!y || x->off != y->off || x->every_ms != y->every_ms || x->full_every_ms != y->full_every_ms)
      return FALSE;
  }
  return TRUE;
}

gboolean
config_connector_equal (const ConfigConnector *a, const ConfigConnector *b)
{
  return strcmp (a->store, b->store) == 0 && strcmp (a->name, b->name) == 0 &&
         strcmp (a->plugin, b->plugin) == 0 && g_strcmp0 (a->url, b->url) == 0 && a->enabled == b->enabled &&
         a->allow_private == b->allow_private && a->sync_off == b->sync_off &&
         sync_equal (a->sync, b->sync) && a->per_second == b->per_second && a->burst == b->burst &&
         a->at_once == b->at_once && a->per_month == b->per_month && a->timeout_ms == b->timeout_ms &&
         g_strcmp0 (a->proxy, b->proxy) == 0 && g_strcmp0 (a->on_doubt, b->on_doubt) == 0 &&
         json_object_equal (a->settings, b->settings);
}
