/* Questions about the hub, and what operators ask it to do. */
#include <string.h>

#include "hub/hub-private.h"

enum { CHECK_MS = 60000, FAILURES_OF_FAILING = 3 };

const Config *
hub_config (const Hub *hub)
{
  return hub->config;
}

Plugins *
hub_plugins (const Hub *hub)
{
  return hub->installed;
}

GPtrArray *
hub_stores (const Hub *hub)
{
  return hub->stores;
}

Store *
hub_storage (const Hub *hub)
{
  return hub->world.store;
}

HubStore *
hub_store (const Hub *hub, const char *id)
{
  for (guint i = 0; i < hub->stores->len; i++) {
    HubStore *store = hub->stores->pdata[i];
    if (strcmp (store->config->id, id) == 0)
      return store;
  }
  return NULL;
}

HubConnector *
hub_connector (const Hub *hub, const char *store, const char *name)
{
  g_autofree char *label = g_strdup_printf ("%s/%s", store, name);
  return g_hash_table_lookup (hub->by_label, label);
}

HubStream *
hub_stream (const HubConnector *connector, const char *name)
{
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    if (strcmp (stream->name, name) == 0)
      return stream;
  }
  return NULL;
}

HubPlugin *
hub_plugin (const Hub *hub, const char *name)
{
  return g_hash_table_lookup (hub->plugins, name);
}

HubCollection *
hub_collection (const Hub *hub, guint32 number)
{
  return number < hub->collections->len ? hub->collections->pdata[number] : NULL;
}

guint32
hub_collections_end (const Hub *hub)
{
  return hub->collections->len;
}

static HubStream *
stream_with_kind (const HubConnector *connector, guint kind)
{
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    if (stream->kinds & (1u << kind))
      return stream;
  }
  return NULL;
}

static const char *
role_of (const ConfigStore *store, guint kind)
{
  switch (kind) {
  case MODEL_CUSTOMERS:
    return store->customers;
  case MODEL_ORDERS:
    return store->orders;
  default:
    return store->catalogue;
  }
}

HubCollection *
hub_collection_for (Hub *hub, const HubStore *store, const char *name, guint kind)
{
  const char *wanted = name ? name : role_of (store->config, kind);
  for (guint i = 0; i < store->connectors->len; i++) {
    HubConnector *connector = store->connectors->pdata[i];
    g_autofree char *key = g_strdup_printf ("%s/%s", connector->label, model_kind_name (kind));
    HubCollection *collection = g_hash_table_lookup (hub->by_key, key);
    /* Without its plugin a connector has no streams; what is stored is served all the same. */
    if (collection && (!wanted || strcmp (connector->name, wanted) == 0))
      return collection;
  }
  return NULL;
}

gint64
hub_collection_as_of (const HubCollection *collection)
{
  HubStream *stream =
    collection->connector ? stream_with_kind (collection->connector, collection->kind) : NULL;
  return stream ? stream->as_of_ms : 0;
}

/* A moment that lies ahead is from before the clock was set back. */
gint64
hub_record_as_of (const HubCollection *collection, guint32 ordinal)
{
  gint64 as_of_ms = hub_collection_as_of (collection);
  if (!collection->map || ordinal >= map_count (collection->map))
    return as_of_ms;
  gint64 asked_ms = (gint64)map_at (collection->map, ordinal)->asked_ms;
  return asked_ms <= hub_wall_ms (collection->hub) ? MAX (as_of_ms, asked_ms) : as_of_ms;
}

HubCollection *
hub_collection_stock (const HubCollection *products)
{
  HubConnector *connector = products->connector;
  HubStream *stream =
    connector && products->kind == MODEL_PRODUCTS ? stream_with_kind (connector, MODEL_INVENTORY) : NULL;
  return stream && stream->full_ms ? hub_collection_get (products->hub, connector, MODEL_INVENTORY) : NULL;
}

guint64
hub_generation (const Hub *hub)
{
  return hub->generation;
}

/* ---- states ---- */

HubConnectorState
hub_connector_state (const HubConnector *connector, Reason *reason)
{
  HubConnectorState state = CONNECTOR_OK;
  *reason = REASON_NONE;
  if (!connector->config->enabled) {
    *reason = REASON_SWITCHED_OFF;
    return CONNECTOR_OFF;
  }
  if (connector->plugin->state == PLUGIN_REFUSED || connector->plugin->state == PLUGIN_PARKED) {
    *reason = REASON_PLUGIN_MISSING;
    return CONNECTOR_FAILING;
  }
  if (connector->refused) {
    *reason = REASON_CREDENTIALS_REFUSED;
    return CONNECTOR_FAILING;
  }
  for (guint i = 0; i < connector->streams->len; i++) {
    const HubStream *stream = connector->streams->pdata[i];
    if (stream->state == STREAM_STOPPED || stream->failures >= FAILURES_OF_FAILING) {
      *reason = stream->reason;
      return CONNECTOR_FAILING;
    }
    if (hub_stream_late (stream)) {
      state = CONNECTOR_LATE;
      *reason = stream->held ? REASON_PASS_HELD : stream->reason;
    } else if (stream->held && *reason == REASON_NONE) {
      *reason = REASON_PASS_HELD;
    }
  }
  return state;
}

static char *
sentence_of (const HubConnector *connector, HubConnectorState state, Reason reason)
{
  switch (state) {
  case CONNECTOR_OK:
    return g_strdup (reason == REASON_PASS_HELD ? reason_text (reason) : "All is well.");
  case CONNECTOR_OFF:
    return g_strdup_printf ("%s is switched off.", connector->name);
  case CONNECTOR_PAUSED:
    return g_strdup_printf ("%s is paused.", connector->name);
  case CONNECTOR_LATE:
    return g_strdup_printf ("%s is late. %s", connector->name, reason_text (reason));
  case CONNECTOR_FAILING:
    return g_strdup_printf ("%s is failing. %s", connector->name, reason_text (reason));
  }
  g_assert_not_reached ();
}

/* Worst first: failing, late, paused, off, ok. */
HubConnectorState
hub_store_state (const HubStore *store, char **text)
{
  static const int rank[] = { [CONNECTOR_OK] = 0,
                              [CONNECTOR_OFF] = 1,
                              [CONNECTOR_PAUSED] = 2,
                              [CONNECTOR_LATE] = 3,
                              [CONNECTOR_FAILING] = 4 };
  HubConnectorState worst = CONNECTOR_OK;
  g_autofree char *sentence = g_strdup (store->connectors->len ? "All is well." : "No connectors.");
  for (guint i = 0; i < store->connectors->len; i++) {
    Reason reason;
    HubConnectorState state = hub_connector_state (store->connectors->pdata[i], &reason);
    if (rank[state] > rank[worst] ||
        (state == CONNECTOR_OK && worst == CONNECTOR_OK && reason != REASON_NONE)) {
      worst = state;
      g_free (sentence);
      sentence = sentence_of (store->connectors->pdata[i], state, reason);
    }
  }
  if (text)
    *text = g_steal_pointer (&sentence);
  return worst;
}

const char *
hub_connector_state_word (HubConnectorState state)
{
  static const char *const words[] = { "ok", "late", "failing", "paused", "off" };
  return words[state];
}

gboolean
hub_ready (Hub *hub, char **awaits)
{
  GHashTableIter iter;
  gpointer value;
  *awaits = NULL;
  if (!hub->config) {
    *awaits = g_strdup ("the configuration is being read");
    return FALSE;
  }
  if (hub->draining) {
    *awaits = g_strdup ("the daemon is ending");
    return FALSE;
  }
  g_hash_table_iter_init (&iter, hub->plugins);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const HubPlugin *plugin = value;
    if (plugin->state == PLUGIN_IDLE && plugin->wanted && !plugin->trouble) {
      *awaits = g_strdup_printf ("plugin %s is being started", plugin->name);
      return FALSE;
    }
  }
  return TRUE;
}

static void
gauge_streams (Hub *hub)
{
  GHashTableIter iter;
  gpointer value;
  guint counts[CONNECTOR_OFF + 1] = { 0 };
  g_hash_table_iter_init (&iter, hub->by_label);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    const HubConnector *connector = value;
    const char *store = connector->store->config->id;
    Reason reason;
    counts[hub_connector_state (connector, &reason)]++;
    for (guint i = 0; i < connector->streams->len; i++) {
      const HubStream *stream = connector->streams->pdata[i];
      gint64 from_ms = stream->as_of_ms ? stream->as_of_ms : stream->created_ms;
      metric_set (
        metrics_get (hub->world.metrics, "stream_age_seconds", store, connector->name, stream->name),
        (double)(hub_wall_ms (hub) - from_ms) / 1000);
      metric_set (metrics_get (hub->world.metrics, "stream_late", store, connector->name, stream->name),
                  hub_stream_late (stream));
    }
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    metric_set (metrics_get (hub->world.metrics, "connectors", hub_connector_state_word (i)), counts[i]);
}

static void
gauge_plugins (Hub *hub)
{
  GHashTableIter iter;
  gpointer value;
  guint counts[PLUGIN_REFUSED + 1] = { 0 };
  metrics_forget (hub->world.metrics, "worker_resident_bytes");
  g_hash_table_iter_init (&iter, hub->plugins);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubPlugin *plugin = value;
    counts[plugin->state]++;
    if (plugin->worker)
      metric_set (metrics_get (hub->world.metrics, "worker_resident_bytes", plugin->name),
                  (double)plugin->worker->resident_bytes (plugin->worker));
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    metric_set (metrics_get (hub->world.metrics, "plugins", hub_plugin_state_word (i)), counts[i]);
}

Metrics *
hub_metrics (const Hub *hub)
{
  return hub->world.metrics;
}

/* The series of single streams are made for the occasion: there may be tens of thousands. */
char *
hub_metrics_text (Hub *hub)
{
  Metrics *metrics = hub->world.metrics;
  StoreStatus status;
  guint errors = 0;
  gauge_streams (hub);
  gauge_plugins (hub);
  store_status (hub->world.store, &status);
  metric_set (metrics_get (metrics, "feed_seq"), (double)status.seq);
  metric_set (metrics_get (metrics, "store_bytes", "data"), (double)status.file_bytes);
  metric_set (metrics_get (metrics, "store_bytes", "wal"), (double)status.wal_bytes);
  metric_set (metrics_get (metrics, "disk_free_bytes"), (double)status.free_bytes);
  for (guint i = 0; hub->config && i < hub->config->problems->len; i++)
    errors += !((ConfigProblem *)hub->config->problems->pdata[i])->warning;
  metric_set (metrics_get (metrics, "configuration_errors"), errors);
  char *text = metrics_to_text (metrics);
  metrics_forget (metrics, "stream_age_seconds");
  metrics_forget (metrics, "stream_late");
  return text;
}

/* ---- acting ---- */

static gboolean
can_act (HubConnector *connector, GError **error)
{
  if (!connector->config->enabled) {
    g_set_error (error, HUB_ERROR, HUB_ERROR_CONFLICT, "%s is switched off in the configuration",
                 connector->label);
    return FALSE;
  }
  if (connector->plugin->state == PLUGIN_REFUSED || connector->plugin->state == PLUGIN_PARKED) {
    g_set_error (error, HUB_ERROR, HUB_ERROR_UNAVAILABLE, "plugin %s cannot run: %s", connector->plugin->name,
                 connector->plugin->info ? connector->plugin->info->refused : "it is not installed");
    return FALSE;
  }
  return TRUE;
}

static HubStream *
find_stream (HubConnector *connector, const char *name, GError **error)
{
  HubStream *stream = hub_stream (connector, name);
  if (!stream)
    g_set_error (error, HUB_ERROR, HUB_ERROR_NOT_FOUND, "%s has no stream \"%s\"", connector->label, name);
  return stream;
}

/* Somebody acts, or the credentials were seen to be right: what stopped for their sake goes on. */
static void
trust (HubConnector *connector)
{
  Hub *hub = connector->plugin->hub;
  connector->refused = FALSE;
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    if (stream->run || stream->state != STREAM_STOPPED || stream->reason != REASON_CREDENTIALS_REFUSED)
      continue;
    hub_stream_set (stream, STREAM_IDLE, REASON_NONE, NULL);
    if (!stream->off)
      hub_stream_plan (stream, hub_mono_ms (hub));
  }
}

static Pass *
ask_pass (HubStream *stream, gboolean full)
{
  Hub *hub = stream->connector->plugin->hub;
  char id[ID_TEXT_SIZE];
  if (!stream->next) {
    hub_make_id (hub, "pass_", id);
    stream->next =
      pass_new (id, stream->connector->store->config->id, stream->connector->name, stream->name, full);
  }
  if (!stream->next->resumed)
    stream->next->full |= full;
  if (!stream->run) {
    if (stream->state == STREAM_STOPPED)
      hub_stream_set (stream, STREAM_WAITING, REASON_NONE, NULL);
    hub_stream_plan (stream, hub_mono_ms (hub));
  }
  return stream->next;
}

/* What waits may be shared, unless it stores nothing. */
static gboolean
can_share (const HubStream *stream, GError **error)
{
  if (!stream->next || !stream->next->dry)
    return TRUE;
  g_set_error (error, HUB_ERROR, HUB_ERROR_CONFLICT, "a dry run of %s/%s waits; try again when it has ended",
               stream->connector->label, stream->name);
  return FALSE;
}

GPtrArray *
hub_sync (Hub *hub, HubConnector *connector, const char *name, gboolean full, GError **error)
{
  g_autoptr (GPtrArray) passes = g_ptr_array_new ();
  HubStream *only = NULL;
  if (!can_act (connector, error) || (name && !(only = find_stream (connector, name, error))))
    return NULL;
  for (guint i = 0; i < connector->streams->len; i++)
    if ((!only || only == connector->streams->pdata[i]) && !can_share (connector->streams->pdata[i], error))
      return NULL;
  trust (connector);
  for (guint i = 0; i < connector->streams->len; i++)
    if (!only || only == connector->streams->pdata[i])
      g_ptr_array_add (passes, ask_pass (connector->streams->pdata[i], full));
  hub_arm (hub);
  return g_steal_pointer (&passes);
}

gboolean
hub_sync_dry (Hub *hub, HubConnector *connector, const char *name, HubDryDone done, gpointer data,
              GError **error)
{
  HubStream *stream = can_act (connector, error) ? find_stream (connector, name, error) : NULL;
  if (!stream)
    return FALSE;
  if (stream->run || stream->next) {
    g_set_error (error, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "a pass of %s/%s runs or waits; try again when it has ended", connector->label,
                 stream->name);
    return FALSE;
  }
  trust (connector);
  ask_pass (stream, TRUE)->dry = TRUE;
  stream->dry_done = done;
  stream->dry_data = data;
  hub_arm (hub);
  return TRUE;
}

typedef struct {
  HubCheckDone done;
  gpointer data;
} Checking;

static void
checked (HubCall *call, json_object *result, gpointer data)
{
  g_autofree Checking *checking = data;
  json_object *status = json_object_object_get (result, "status"),
              *detail = json_object_object_get (result, "detail");
  gint64 ms = hub_mono_ms (call->plugin->hub) - call->started_ms;
  if (!result) {
    checking->done ("service_unavailable", "the plugin's worker ended", ms, checking->data);
    return;
  }
  if (strcmp (json_object_get_string (status), "ok") == 0 && call->connector && call->connector->refused)
    trust (call->connector);
  checking->done (json_object_get_string (status), detail ? json_object_get_string (detail) : "", ms,
                  checking->data);
}

void
hub_check (Hub *hub, HubConnector *connector, HubCheckDone done, gpointer data)
{
  g_autoptr (GError) error = NULL;
  if (!can_act (connector, &error)) {
    done ("service_unavailable", error->message, 0, data);
    return;
  }
  if (!plugin_info_can (connector->plugin->info, "health")) {
    done ("unsupported", "the plugin has no check", 0, data);
    return;
  }
  Checking *checking = g_new (Checking, 1);
  *checking = (Checking){ done, data };
  if (!hub_call (connector, "check", NULL, CHECK_MS, checked, checking)) {
    g_free (checking);
    done ("service_unavailable", "the plugin's worker is being started; try again", 0, data);
  }
  hub_arm (hub);
}

typedef struct {
  Hub *hub;
  const char *id;
  gboolean accept, seen;
  StoreDone done;
  gpointer data;
  GError **error;
} Decision;

static gboolean
decide_row (const StoreRow *row, gpointer data)
{
  Decision *decision = data;
  const char *slash = strchr (row->connector, '/');
  g_autofree char *store = slash ? g_strndup (row->connector, (gsize)(slash - row->connector)) : NULL;
  HubConnector *connector = slash ? hub_connector (decision->hub, store, slash + 1) : NULL;
  HubStream *stream = connector ? hub_stream (connector, row->stream) : NULL;
  decision->seen = TRUE;
  if (strcmp (row->state, pass_state_word (PASS_HELD)) != 0)
    g_set_error (decision->error, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "the pass is %s; only a held one can be decided", row->state);
  else if (!stream || g_strcmp0 (stream->held, decision->id) != 0 || stream->deciding)
    g_set_error (decision->error, HUB_ERROR, HUB_ERROR_CONFLICT, "the pass is not held any more");
  else if (stream->run)
    g_set_error (decision->error, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "a pass of %s/%s runs; try again when it has ended", row->connector, row->stream);
  else
    sync_decide (decision->hub, stream, decision->accept, row, decision->done, decision->data);
  return FALSE;
}

gboolean
hub_pass_decide (Hub *hub, const char *pass_id, gboolean accept, StoreDone done, gpointer data,
                 GError **error)
{
  g_autoptr (GError) failed = NULL;
  Decision decision = { hub, pass_id, accept, FALSE, done, data, &failed };
  StoreRowFilter filter = { .id = pass_id, .limit = 1 };
  if (store_rows (hub->world.store, STORE_PASSES, &filter, decide_row, &decision, &failed) && !decision.seen)
    g_set_error (&failed, HUB_ERROR, HUB_ERROR_NOT_FOUND, "there is no pass %s", pass_id);
  hub_arm (hub);
  if (!failed)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failed));
  return FALSE;
}
