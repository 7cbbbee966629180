/* A configuration applied: what it names becomes stores, connectors, streams and plugins; what did not change
 * goes on undisturbed. */
#include <string.h>

#include "base/hash.h"
#include "hub/fetch.h"

void
hub_connector_free (Hub *hub, HubConnector *connector, const char *why)
{
  HubPlugin *plugin = connector->plugin;
  GHashTableIter iter;
  gpointer value;
  for (guint i = 0; i < connector->streams->len; i++) {
    fetch_abort (connector->streams->pdata[i]);
    sync_abort (connector->streams->pdata[i], why);
  }
  g_hash_table_iter_init (&iter, plugin->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubCall *call = value;
    if (call->connector == connector)
      call->connector = NULL;
  }
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    g_autofree char *key = g_strdup_printf ("%s/%s", connector->label, model_kind_name (kind));
    HubCollection *collection = g_hash_table_lookup (hub->by_key, key);
    if (collection && collection->connector == connector)
      collection->connector = NULL;
  }
  hub_plugin_disconnect (plugin, connector);
  g_hash_table_remove (hub->by_label, connector->label);
  g_ptr_array_unref (connector->streams);
  plugin->users--;
  g_free (connector->name);
  g_free (connector->label);
  g_free (connector->error_code);
  g_free (connector->error_detail);
  g_free (connector->error_call);
  g_free (connector);
}

static HubPlugin *
need_plugin (Hub *hub, const char *name)
{
  const PluginInfo *info = plugins_find (hub->installed, name);
  HubPlugin *plugin = g_hash_table_lookup (hub->plugins, name);
  if (plugin && info && g_strcmp0 (plugin->identity, info->identity) == 0)
    plugin->info = info;
  if (!plugin) {
    plugin = hub_plugin_new (hub, info, name);
    g_hash_table_insert (hub->plugins, plugin->name, plugin);
  }
  return plugin;
}

/* Whose data it is that the streams hold a place in: another plugin, address or account begins anew. */
static guint64
account_of (const Hub *hub, const ConfigConnector *config)
{
  json_object *settings = NULL; /* a copy: what is written keeps its text */
  json_object_deep_copy (config->settings, &settings, NULL);
  g_autofree char *text = g_strdup_printf ("%s\n%s\n%s", config->plugin, config->url ? config->url : "",
                                           json_object_to_json_string_ext (settings, JSON_C_TO_STRING_PLAIN));
  json_object_put (settings);
  return hash_bytes (text, strlen (text), hub->seed);
}

static void
add_stream (Hub *hub, HubConnector *connector, const PluginStream *described, GHashTable *states)
{
  for (guint i = 0; i < connector->streams->len; i++) {
    const HubStream *other = connector->streams->pdata[i];
    if (other->kinds & described->kinds) {
      log_line (LOG_ERROR, NULL,
                "%s: the streams %s and %s of plugin %s give the same kind; the second is left out",
                connector->label, other->name, described->name, connector->plugin->name);
      return;
    }
  }
  HubStream *stream = hub_stream_new (connector, described);
  g_ptr_array_add (connector->streams, stream);
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (stream->kinds & (1u << kind))
      hub_collection_get (hub, connector, kind);
  hub_stream_read (stream, states);
}

/* What it has is served whether or not a stream brings it: its plugin may be missing. */
static void
take_collections (Hub *hub, HubConnector *connector)
{
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    g_autofree char *key = g_strdup_printf ("%s/%s", connector->label, model_kind_name (kind));
    HubCollection *collection = g_hash_table_lookup (hub->by_key, key);
    if (collection)
      collection->connector = connector;
  }
}

static HubConnector *
new_connector (Hub *hub, HubStore *store, ConfigConnector *config, GHashTable *states)
{
  HubConnector *connector = g_new0 (HubConnector, 1);
  connector->store = store;
  connector->config = config;
  connector->name = g_strdup (config->name);
  connector->label = g_strdup_printf ("%s/%s", config->store, config->name);
  connector->number = ++hub->last_connector;
  connector->account = account_of (hub, config);
  connector->plugin = need_plugin (hub, config->plugin);
  connector->plugin->users++;
  connector->streams = g_ptr_array_new_with_free_func (hub_stream_free);
  g_hash_table_insert (hub->by_label, connector->label, connector);
  take_collections (hub, connector);
  const PluginInfo *info = connector->plugin->info;
  for (guint i = 0; info && !info->refused && i < info->streams->len; i++)
    if (hub_stream_holds (config, info->streams->pdata[i]))
      add_stream (hub, connector, info->streams->pdata[i], states);
  return connector;
}

/* The connector as it ran, when nothing about it changed. */
static HubConnector *
same_connector (GHashTable *before, const ConfigStore *store, ConfigConnector *config, Plugins *installed)
{
  g_autofree char *label = g_strdup_printf ("%s/%s", config->store, config->name);
  HubConnector *connector = g_hash_table_lookup (before, label);
  if (!connector || !config_connector_equal (connector->config, config) ||
      g_strcmp0 (connector->store->config->timezone, store->timezone) != 0 ||
      g_strcmp0 (connector->store->config->currency, store->currency) != 0)
    return NULL;
  const PluginInfo *info = plugins_find (installed, config->plugin);
  if (g_strcmp0 (connector->plugin->identity, info ? info->identity : NULL) != 0)
    return NULL;
  return connector;
}

static gboolean
is_used (const Config *config, const char *plugin)
{
  for (guint s = 0; s < config->stores->len; s++) {
    const ConfigStore *store = config->stores->pdata[s];
    for (guint c = 0; c < store->connectors->len; c++)
      if (strcmp (((ConfigConnector *)store->connectors->pdata[c])->plugin, plugin) == 0)
        return TRUE;
  }
  return FALSE;
}

/* Plugins whose file is another now, or that nobody uses any more, give way to what is. */
static void
replace_plugins (Hub *hub)
{
  g_autoptr (GList) plugins = g_hash_table_get_values (hub->plugins);
  for (GList *link = plugins; link; link = link->next) {
    HubPlugin *plugin = link->data;
    const PluginInfo *info = plugins_find (hub->installed, plugin->name);
    if (is_used (hub->config, plugin->name) &&
        g_strcmp0 (plugin->identity, info ? info->identity : NULL) == 0) {
      plugin->info = info;
      continue;
    }
    g_hash_table_remove (hub->plugins, plugin->name);
    hub_plugin_leave (plugin);
  }
}

static gboolean
is_broken (const Config *config, const char *name)
{
  return name && g_ptr_array_find_with_equal_func (config->broken, name, g_str_equal, NULL);
}

static int
by_id (gconstpointer a, gconstpointer b)
{
  const ConfigStore *const *x = a, *const *y = b;
  return strcmp ((*x)->id, (*y)->id);
}

/* A store with errors keeps what ran, at a reload; also when its file cannot be read far enough to know its
 * id. */
static void
keep_broken (Config *config, Config *before)
{
  for (guint i = 0; before && i < before->stores->len;) {
    const ConfigStore *store = before->stores->pdata[i];
    if (!config_find_store (config, store->id) &&
        (is_broken (config, store->id) || is_broken (config, store->file)))
      g_ptr_array_add (config->stores, g_ptr_array_steal_index (before->stores, i));
    else
      i++;
  }
  g_ptr_array_sort (config->stores, by_id);
}

typedef struct {
  GHashTable *connectors; /* label -> HubConnector, as they ran */
  GPtrArray *stores;
  GHashTable *states; /* "stream:..." -> JSON, as the store has them */
} Before;

/* Connectors that changed or went are stopped first, so that their numbers and streams are free. */
static void
stop_changed (Hub *hub, Config *config, Before *before)
{
  g_autoptr (GHashTable) stay = g_hash_table_new (g_direct_hash, g_direct_equal);
  for (guint s = 0; s < config->stores->len; s++) {
    ConfigStore *store = config->stores->pdata[s];
    for (guint c = 0; c < store->connectors->len; c++) {
      HubConnector *same =
        same_connector (before->connectors, store, store->connectors->pdata[c], hub->installed);
      if (same)
        g_hash_table_add (stay, same);
    }
  }
  g_autoptr (GList) all = g_hash_table_get_values (before->connectors);
  for (GList *link = all; link; link = link->next)
    if (!g_hash_table_contains (stay, link->data)) {
      g_hash_table_remove (before->connectors, ((HubConnector *)link->data)->label);
      hub_connector_free (hub, link->data, "the configuration changed");
    }
}

static void
build_store (Hub *hub, ConfigStore *config, Before *before, GPtrArray *fresh)
{
  HubStore *store = g_new0 (HubStore, 1);
  store->config = config;
  store->connectors = g_ptr_array_new ();
  g_ptr_array_add (hub->stores, store);
  for (guint c = 0; c < config->connectors->len; c++) {
    ConfigConnector *wanted = config->connectors->pdata[c];
    g_autofree char *label = g_strdup_printf ("%s/%s", wanted->store, wanted->name);
    HubConnector *connector = g_hash_table_lookup (before->connectors, label);
    if (connector) {
      connector->store = store;
      connector->config = wanted;
    } else {
      connector = new_connector (hub, store, wanted, before->states);
      g_ptr_array_add (fresh, connector);
    }
    g_ptr_array_add (store->connectors, connector);
  }
}

void
hub_store_free (HubStore *store)
{
  g_ptr_array_unref (store->connectors);
  g_free (store);
}

static void
start_fresh (Hub *hub, GPtrArray *fresh)
{
  guint streams = 0;
  for (guint i = 0; i < fresh->len; i++)
    streams += ((HubConnector *)fresh->pdata[i])->streams->len;
  for (guint i = 0; i < fresh->len; i++) {
    HubConnector *connector = fresh->pdata[i];
    for (guint s = 0; s < connector->streams->len; s++)
      hub_stream_plan_first (connector->streams->pdata[s], streams);
    if (connector->config->enabled)
      hub_plugin_start (connector->plugin);
  }
}

static void
note_state (const char *key, const char *json, gpointer states)
{
  g_hash_table_insert (states, g_strdup (key), g_strdup (json));
}

static void
apply (Hub *hub, Before *before)
{
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, hub->by_label);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (before->connectors, key, value);
  stop_changed (hub, hub->config, before);
  replace_plugins (hub);
  hub->stores = g_ptr_array_new ();
  for (guint i = 0; i < hub->config->stores->len; i++)
    build_store (hub, hub->config->stores->pdata[i], before, fresh);
  for (guint i = 0; i < before->stores->len; i++)
    hub_store_free (before->stores->pdata[i]);
  g_ptr_array_unref (before->stores);
  start_fresh (hub, fresh);
}

/* All that can fail is done before anything is touched. */
gboolean
hub_apply (Hub *hub, Config *config, Plugins *plugins, GError **error)
{
  Config *config_before = hub->config;
  Plugins *plugins_before = hub->installed;
  Before before = { .connectors = g_hash_table_new (g_str_hash, g_str_equal),
                    .stores = hub->stores,
                    .states = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
  gboolean fine = (config_before || (hub_collections_read (hub, error) && hub_away_read (hub, error))) &&
                  store_states (hub->world.store, "stream:", note_state, before.states, error);
  if (fine) {
    hub->config = config;
    hub->generation++;
    hub->installed = plugins;
    keep_broken (config, config_before);
    apply (hub, &before);
    hub_away_update (hub);
    g_clear_pointer (&config_before, config_free);
    if (plugins_before != plugins)
      g_clear_pointer (&plugins_before, plugins_free);
  } else {
    config_free (config);
    plugins_free (plugins);
  }
  g_hash_table_unref (before.connectors);
  g_hash_table_unref (before.states);
  hub_tick (hub);
  return fine;
}
