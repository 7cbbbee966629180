/* The hub as a whole: what is configured becomes stores, connectors, streams and plugins; and the questions
 * about them. */
#include <string.h>

#include "hub/hub-private.h"

enum { IDLE_CHECK_MS = 30000 };

G_DEFINE_QUARK (tillbridge - hub - error - quark, hub_error)

Hub *
hub_new (const HubWorld *world)
{
  Hub *hub = g_new0 (Hub, 1);
  hub->world = *world;
  hub->stores = g_ptr_array_new ();
  hub->by_label = g_hash_table_new (g_str_hash, g_str_equal);
  hub->plugins = g_hash_table_new (g_str_hash, g_str_equal);
  hub->leaving = g_ptr_array_new ();
  hub->collections = g_ptr_array_new_with_free_func (hub_collection_free);
  hub->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  hub->seed = store_seed (world->store);
  id_maker_init (&hub->ids);
  return hub;
}

gint64
hub_wall_ms (const Hub *hub)
{
  return hub->world.wall_ms (hub->world.world);
}

gint64
hub_mono_ms (const Hub *hub)
{
  return hub->world.mono_ms (hub->world.world);
}

void
hub_make_id (Hub *hub, const char *prefix, char text[ID_TEXT_SIZE])
{
  id_make (&hub->ids, prefix, hub_wall_ms (hub), text);
}

gint64
hub_random_ms (Hub *hub, gint64 most_ms)
{
  return most_ms > 0 ? (gint64)(hub->world.random (hub->world.world) % (guint64)(most_ms + 1)) : 0;
}

void
hub_arm (Hub *hub)
{
  HeapNode *stream = heap_first (&hub->streams), *worker = heap_first (&hub->workers);
  gint64 at_ms = hub->idle_check_ms;
  if (stream)
    at_ms = MIN (at_ms, stream->at_ms);
  if (worker)
    at_ms = MIN (at_ms, worker->at_ms);
  if (hub->draining)
    at_ms = MIN (at_ms, hub->drain_until_ms);
  hub->world.wake (hub->world.world, at_ms);
}

static gboolean
has_maps (const Hub *hub)
{
  for (guint i = 1; i < hub->collections->len; i++) {
    const HubCollection *collection = hub->collections->pdata[i];
    if (collection && collection->map)
      return TRUE;
  }
  return FALSE;
}

void
hub_tick (Hub *hub)
{
  gint64 now_ms = hub_mono_ms (hub);
  for (HeapNode *first; (first = heap_first (&hub->workers)) && first->at_ms <= now_ms;)
    hub_plugin_due ((HubPlugin *)first);
  for (HeapNode *first; (first = heap_first (&hub->streams)) && first->at_ms <= now_ms;)
    hub_stream_due ((HubStream *)first);
  if (now_ms >= hub->idle_check_ms) {
    hub_collections_drop_idle (hub);
    hub->idle_check_ms = has_maps (hub) ? now_ms + IDLE_CHECK_MS : G_MAXINT64;
  } else if (hub->idle_check_ms == G_MAXINT64 && hub->passes_running) {
    hub->idle_check_ms = now_ms + IDLE_CHECK_MS;
  }
  hub_check_drained (hub);
  hub_arm (hub);
}

/* ---- the configuration applied ---- */

static void
free_connector (Hub *hub, HubConnector *connector, const char *why)
{
  HubPlugin *plugin = connector->plugin;
  GHashTableIter iter;
  gpointer value;
  for (guint i = 0; i < connector->streams->len; i++)
    sync_abort (connector->streams->pdata[i], why);
  g_hash_table_iter_init (&iter, plugin->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubCall *call = value;
    if (call->connector == connector)
      call->connector = NULL;
  }
  for (guint i = 1; i < hub->collections->len; i++) {
    HubCollection *collection = hub->collections->pdata[i];
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

static HubConnector *
new_connector (Hub *hub, HubStore *store, ConfigConnector *config, GError **error)
{
  HubConnector *connector = g_new0 (HubConnector, 1);
  connector->store = store;
  connector->config = config;
  connector->name = g_strdup (config->name);
  connector->label = g_strdup_printf ("%s/%s", config->store, config->name);
  connector->number = ++hub->last_connector;
  connector->plugin = need_plugin (hub, config->plugin);
  connector->plugin->users++;
  connector->streams = g_ptr_array_new_with_free_func (hub_stream_free);
  g_hash_table_insert (hub->by_label, connector->label, connector);
  const PluginInfo *info = connector->plugin->info;
  for (guint i = 0; info && !info->refused && i < info->streams->len; i++) {
    const PluginStream *described = info->streams->pdata[i];
    if (!hub_stream_holds (config, described))
      continue;
    HubStream *stream = hub_stream_new (connector, described);
    g_ptr_array_add (connector->streams, stream);
    for (guint kind = 0; kind < MODEL_KINDS; kind++)
      if (stream->kinds & (1u << kind))
        hub_collection_get (hub, connector, kind);
    if (!hub_stream_read (stream, error))
      return NULL;
  }
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

/* Plugins whose file is another now, or that are not installed any more, give way to what is. */
static void
replace_plugins (Hub *hub)
{
  g_autoptr (GList) plugins = g_hash_table_get_values (hub->plugins);
  for (GList *link = plugins; link; link = link->next) {
    HubPlugin *plugin = link->data;
    const PluginInfo *info = plugins_find (hub->installed, plugin->name);
    if (plugin->users && g_strcmp0 (plugin->identity, info ? info->identity : NULL) == 0) {
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
      free_connector (hub, link->data, "the configuration changed");
    }
}

static gboolean
build_store (Hub *hub, ConfigStore *config, Before *before, GPtrArray *fresh, GError **error)
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
      connector = new_connector (hub, store, wanted, error);
      if (!connector)
        return FALSE;
      g_ptr_array_add (fresh, connector);
    }
    g_ptr_array_add (store->connectors, connector);
  }
  return TRUE;
}

static void
free_store (HubStore *store)
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
    if (!connector->config->enabled)
      continue;
    hub_plugin_start (connector->plugin);
    hub_plugin_connect (connector->plugin, connector);
  }
}

gboolean
hub_apply (Hub *hub, Config *config, Plugins *plugins, GError **error)
{
  gboolean first = hub->config == NULL, fine = !first || hub_collections_read (hub, error);
  Before before = { .connectors = g_hash_table_new (g_str_hash, g_str_equal), .stores = hub->stores };
  Config *config_before = hub->config;
  Plugins *plugins_before = hub->installed;
  g_autoptr (GPtrArray) fresh = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key, value;
  g_hash_table_iter_init (&iter, hub->by_label);
  while (g_hash_table_iter_next (&iter, &key, &value))
    g_hash_table_insert (before.connectors, key, value);
  hub->config = config;
  hub->installed = plugins;
  keep_broken (config, config_before);
  stop_changed (hub, config, &before);
  replace_plugins (hub);
  hub->stores = g_ptr_array_new ();
  for (guint i = 0; fine && i < config->stores->len; i++)
    fine = build_store (hub, config->stores->pdata[i], &before, fresh, error);
  for (guint i = 0; i < before.stores->len; i++)
    free_store (before.stores->pdata[i]);
  g_ptr_array_unref (before.stores);
  g_hash_table_unref (before.connectors);
  if (config_before)
    config_free (config_before);
  if (plugins_before && plugins_before != plugins)
    plugins_free (plugins_before);
  if (fine)
    start_fresh (hub, fresh);
  hub_tick (hub);
  return fine;
}

/* ---- the end ---- */

void
hub_check_drained (Hub *hub)
{
  if (!hub->draining || !hub->drained)
    return;
  gboolean busy = FALSE;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->by_label);
  while (!busy && g_hash_table_iter_next (&iter, NULL, &value)) {
    GPtrArray *streams = ((HubConnector *)value)->streams;
    for (guint i = 0; i < streams->len; i++)
      busy |= sync_busy (streams->pdata[i]);
  }
  if (busy && hub_mono_ms (hub) < hub->drain_until_ms)
    return;
  void (*drained) (gpointer) = hub->drained;
  hub->drained = NULL;
  drained (hub->drained_data);
}

void
hub_drain (Hub *hub, gint64 until_mono_ms, void (*done) (gpointer data), gpointer data)
{
  hub->draining = TRUE;
  hub->drain_until_ms = until_mono_ms;
  hub->drained = done;
  hub->drained_data = data;
  hub_check_drained (hub);
  hub_arm (hub);
}

void
hub_free (Hub *hub)
{
  if (!hub)
    return;
  hub->drained = NULL;
  hub->ending = TRUE;
  g_autoptr (GList) connectors = g_hash_table_get_values (hub->by_label);
  for (GList *link = connectors; link; link = link->next)
    free_connector (hub, link->data, "the hub ends");
  for (guint i = 0; i < hub->stores->len; i++)
    free_store (hub->stores->pdata[i]);
  g_autoptr (GList) plugins = g_hash_table_get_values (hub->plugins);
  for (GList *link = plugins; link; link = link->next)
    hub_plugin_free (link->data);
  for (guint i = 0; i < hub->leaving->len; i++)
    hub_plugin_free (hub->leaving->pdata[i]);
  g_ptr_array_unref (hub->stores);
  g_ptr_array_unref (hub->leaving);
  g_hash_table_unref (hub->by_label);
  g_hash_table_unref (hub->plugins);
  g_hash_table_unref (hub->by_key);
  g_ptr_array_unref (hub->collections);
  heap_clear (&hub->streams);
  heap_clear (&hub->workers);
  if (hub->config)
    config_free (hub->config);
  if (hub->installed)
    plugins_free (hub->installed);
  g_free (hub);
}
