/* One worker a plugin: started, told its connectors, given calls, and started again when it went. What a
 * worker sends is checked against what is legal in the call's state; one that breaks the rules is ended. */
#include "hub/fetch.h"

#include <string.h>

enum {
  DETAIL_BYTES_MOST = 1000,
  HELLO_MS = 10000,       /* from start to the first frame */
  RESULT_GRACE_MS = 5000, /* beyond the deadline that the worker was told */
  DRAIN_MS = 30000,
  RESTART_FIRST_MS = 200,
  RESTART_MOST_MS = 30000,
  WINDOW_MOST = WIRE_WINDOW_BYTES + (8 << 20), /* a worker may be one frame beyond its window */
};

static void on_frame (const WireFrame *frame, gpointer data);
static void on_gone (const char *why, gpointer data);
static const HubWorkerEvents events = { on_frame, on_gone };

static void
call_free (gpointer data)
{
  g_free (data);
}

HubPlugin *
hub_plugin_new (Hub *hub, const PluginInfo *info, const char *name)
{
  HubPlugin *plugin = g_new0 (HubPlugin, 1);
  plugin->hub = hub;
  plugin->info = info;
  plugin->name = g_strdup (name);
  plugin->identity = g_strdup (info ? info->identity : NULL);
  plugin->state = !info || info->refused ? PLUGIN_REFUSED : PLUGIN_IDLE;
  plugin->calls = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, call_free);
  g_queue_init (&plugin->turn);
  return plugin;
}

/* Every call in flight is told that no result will come; what it belongs to puts it back in line. */
static void
end_calls (HubPlugin *plugin)
{
  g_autoptr (GList) calls = g_hash_table_get_values (plugin->calls);
  g_hash_table_steal_all (plugin->calls);
  for (GList *link = calls; link; link = link->next) {
    HubCall *call = link->data;
    call->done (call, NULL, call->data);
    call_free (call);
  }
}

static void
drop_worker (HubPlugin *plugin)
{
  if (plugin->worker)
    plugin->worker->free (plugin->worker);
  plugin->worker = NULL;
  plugin->said_hello = FALSE;
  if (plugin->state == PLUGIN_RUNNING)
    plugin->state = PLUGIN_IDLE;
}

void
hub_plugin_free (HubPlugin *plugin)
{
  heap_remove (&plugin->hub->workers, &plugin->due);
  drop_worker (plugin);
  end_calls (plugin); /* who waits for a check is told */
  g_hash_table_unref (plugin->calls);
  g_queue_clear (&plugin->turn);
  g_free (plugin->name);
  g_free (plugin->identity);
  g_free (plugin->trouble);
  g_free (plugin);
}

/* The plugin is looked at again when the first of its calls is overdue. */
static void
plan (HubPlugin *plugin)
{
  gint64 at_ms = plugin->worker ? G_MAXINT64 : plugin->start_at_ms;
  GHashTableIter iter;
  gpointer value;
  if (plugin->worker && !plugin->said_hello)
    at_ms = plugin->start_at_ms + HELLO_MS;
  g_hash_table_iter_init (&iter, plugin->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    at_ms = MIN (at_ms, ((HubCall *)value)->late_ms);
  if (plugin->leaving_ms)
    at_ms = MIN (at_ms, plugin->leaving_ms);
  if (at_ms == G_MAXINT64 ||
      (!plugin->worker && (plugin->state == PLUGIN_REFUSED || plugin->state == PLUGIN_PARKED)))
    heap_remove (&plugin->hub->workers, &plugin->due);
  else
    heap_put (&plugin->hub->workers, &plugin->due, at_ms);
}

static void
went (HubPlugin *plugin, const char *why)
{
  Hub *hub = plugin->hub;
  drop_worker (plugin);
  if (plugin->leaving_ms) {
    end_calls (plugin);
    g_ptr_array_remove_fast (hub->leaving, plugin);
    hub_plugin_free (plugin);
    return;
  }
  g_free (plugin->trouble);
  plugin->trouble = g_strdup (why);
  plugin->restarts++;
  gint64 wait_ms = MIN ((gint64)RESTART_FIRST_MS << MIN (plugin->crashes, 10), RESTART_MOST_MS);
  plugin->crashes++;
  plugin->start_at_ms = hub_mono_ms (hub) + wait_ms;
  metric_add (metrics_get (hub->world.metrics, "worker_restarts_total", plugin->name, "ended"), 1);
  log_line (LOG_WARNING, NULL, "plugin %s: its worker ended (%s); started again in %" G_GINT64_FORMAT " ms",
            plugin->name, why, wait_ms);
  end_calls (plugin);
  plan (plugin);
}

void
hub_plugin_start (HubPlugin *plugin)
{
  Hub *hub = plugin->hub;
  if (plugin->worker || plugin->state != PLUGIN_IDLE || hub->draining)
    return;
  if (hub_mono_ms (hub) < plugin->start_at_ms) {
    plan (plugin);
    return;
  }
  g_autoptr (GError) error = NULL;
  plugin->generation++;
  plugin->condemned = FALSE;
  plugin->wanted = TRUE;
  plugin->owed = 0;
  plugin->start_at_ms = hub_mono_ms (hub);
  plugin->since_ms = hub_wall_ms (hub);
  plugin->worker = hub->world.start_worker (hub->world.world, plugin->info->file, &events, plugin, &error);
  if (!plugin->worker) {
    went (plugin, error->message);
    return;
  }
  plan (plugin);
}

void
hub_plugin_leave (HubPlugin *plugin)
{
  Hub *hub = plugin->hub;
  g_queue_clear (&plugin->turn);
  if (!plugin->worker) {
    end_calls (plugin);
    hub_plugin_free (plugin);
    return;
  }
  plugin->info = NULL;
  plugin->leaving_ms = hub_mono_ms (hub) + DRAIN_MS;
  g_ptr_array_add (hub->leaving, plugin);
  plugin->worker->end (plugin->worker, FALSE);
  plan (plugin);
}

static void
misbehaves (HubPlugin *plugin, const char *what)
{
  log_line (LOG_ERROR, NULL, "plugin %s: its worker %s; it is ended", plugin->name, what);
  plugin->condemned = TRUE; /* what it still sends counts for nothing */
  plugin->worker->end (plugin->worker, TRUE);
}

void
hub_plugin_due (HubPlugin *plugin)
{
  gint64 now_ms = hub_mono_ms (plugin->hub);
  heap_remove (&plugin->hub->workers, &plugin->due);
  if (!plugin->worker) {
    hub_plugin_start (plugin);
    return;
  }
  gboolean late = plugin->leaving_ms && now_ms >= plugin->leaving_ms;
  late |= !plugin->said_hello && now_ms >= plugin->start_at_ms + HELLO_MS;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, plugin->calls);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    late |= now_ms >= ((HubCall *)value)->late_ms;
  if (late)
    misbehaves (plugin, "does not answer in time");
  else
    plan (plugin);
}

gboolean
hub_plugin_serves (const HubPlugin *plugin)
{
  return plugin->worker && plugin->said_hello && !plugin->leaving_ms;
}

static void
send_json (HubPlugin *plugin, WireType type, guint64 number, json_object *body)
{
  gsize size;
  const char *text =
    json_object_to_json_string_length (body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
  plugin->worker->send (plugin->worker, type, number, text, size);
}

static void
connect_first (HubPlugin *plugin, HubConnector *connector)
{
  const ConfigConnector *config = connector->config;
  const ConfigStore *store = connector->store->config;
  if (connector->connected)
    return;
  json_object *body = json_object_new_object (), *about = json_object_new_object (),
              *pace = json_object_new_object ();
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, plugin->hub->seed);
  json_object_object_add (about, "id", json_object_new_string (store->id));
  json_object_object_add (about, "timezone",
                          json_object_new_string (store->timezone ? store->timezone : "UTC"));
  json_object_object_add (about, "currency", json_object_new_string (store->currency ? store->currency : ""));
  json_object *settings = NULL;
  json_object_deep_copy (config->settings, &settings, NULL);
  if (config->url)
    json_object_object_add (settings, "url", json_object_new_string (config->url));
  if (config->per_second > 0)
    json_object_object_add (pace, "per_second", json_object_new_double (config->per_second));
  if (config->burst > 0)
    json_object_object_add (pace, "burst", json_object_new_int (config->burst));
  if (config->at_once > 0)
    json_object_object_add (pace, "at_once", json_object_new_int (config->at_once));
  json_object_object_add (body, "connector", json_object_new_string (connector->label));
  json_object_object_add (body, "store", about);
  json_object_object_add (body, "seed", json_object_new_string (seed));
  json_object_object_add (body, "settings", settings);
  json_object_object_add (body, "timeout_ms", json_object_new_int64 (config->timeout_ms));
  json_object_object_add (body, "proxy", json_object_new_string (config->proxy ? config->proxy : ""));
  json_object_object_add (body, "allow_private", json_object_new_boolean (config->allow_private));
  json_object_object_add (body, "pace", pace);
  send_json (plugin, WIRE_CONNECT, connector->number, body);
  json_object_put (body);
  connector->connected = TRUE;
}

void
hub_plugin_disconnect (HubPlugin *plugin, HubConnector *connector)
{
  if (connector->connected && hub_plugin_serves (plugin))
    plugin->worker->send (plugin->worker, WIRE_DISCONNECT, connector->number, "", 0);
  connector->connected = FALSE;
}

void
hub_plugin_credit (HubPlugin *plugin, guint generation, gsize bytes)
{
  if (plugin->generation == generation)
    plugin->owed -= MIN (plugin->owed, bytes);
  if (plugin->worker && plugin->generation == generation && bytes)
    plugin->worker->send (plugin->worker, WIRE_CREDIT, bytes, "", 0);
}

HubCall *
hub_call (HubConnector *connector, const char *operation, json_object *members, gint64 deadline_ms,
          HubCallDone done, gpointer data)
{
  HubPlugin *plugin = connector->plugin;
  Hub *hub = plugin->hub;
  if (!hub_plugin_serves (plugin) || hub->draining) {
    json_object_put (members);
    return NULL;
  }
  connect_first (plugin, connector);
  HubCall *call = g_new0 (HubCall, 1);
  call->number = ++hub->last_call;
  hub_make_id (hub, "call_", call->id);
  call->plugin = plugin;
  call->connector = connector;
  call->operation = operation;
  call->asked_ms = hub_wall_ms (hub);
  call->started_ms = hub_mono_ms (hub);
  call->late_ms = call->started_ms + deadline_ms + RESULT_GRACE_MS;
  call->done = done;
  call->data = data;
  g_hash_table_insert (plugin->calls, &call->number, call);
  json_object *body = members ? members : json_object_new_object ();
  json_object_object_add (body, "id", json_object_new_string (call->id));
  json_object_object_add (body, "connector", json_object_new_int64 ((gint64)connector->number));
  json_object_object_add (body, "operation", json_object_new_string (operation));
  json_object_object_add (body, "deadline_ms", json_object_new_int64 (deadline_ms));
  send_json (plugin, WIRE_CALL, call->number, body);
  json_object_put (body);
  plan (plugin);
  return call;
}

void
hub_call_cancel (HubCall *call)
{
  if (call->cancelled || !call->plugin->worker)
    return;
  call->cancelled = TRUE;
  call->late_ms = MIN (call->late_ms, hub_mono_ms (call->plugin->hub) + RESULT_GRACE_MS);
  call->plugin->worker->send (call->plugin->worker, WIRE_CANCEL, call->number, "", 0);
  plan (call->plugin);
}

/* What the call's requests came to. Codes are taken only when they are some, so that a worker makes no series
 * of its own. */
static void
count_requests (HubCall *call, json_object *result)
{
  Metrics *metrics = call->plugin->hub->world.metrics;
  const char *plugin = call->plugin->name;
  json_object *codes = json_object_object_get (result, "codes"),
              *retries = json_object_object_get (result, "retries");
  if (retries)
    metric_add (metrics_get (metrics, "http_retries_total", plugin),
                CLAMP (json_object_get_int (retries), 0, 1000));
  if (!json_object_is_type (codes, json_type_object))
    return;
  json_object_object_foreach (codes, code, value)
  {
    guint64 number = g_ascii_strtoull (code, NULL, 10);
    double count = CLAMP (json_object_get_int (value), 0, 1000000);
    if (number > 599)
      continue;
    g_autofree char *text = g_strdup_printf ("%d", (int)number);
    metric_add (metrics_get (metrics, "http_requests_total", plugin, text), count);
    if (number == 429)
      metric_add (metrics_get (metrics, "rate_limited_total", plugin), count);
  }
}

static void
note_result (HubCall *call, const char *status, json_object *result)
{
  HubConnector *connector = call->connector;
  Hub *hub = call->plugin->hub;
  gint64 now_ms = hub_wall_ms (hub);
  double seconds = (double)(hub_mono_ms (hub) - call->started_ms) / 1000;
  metric_add (metrics_get (hub->world.metrics, "calls_total", call->plugin->name, call->operation,
                           reason_status_known (status) ? status : "unknown"),
              1);
  metric_observe (metrics_get (hub->world.metrics, "call_seconds", call->plugin->name, call->operation),
                  seconds);
  count_requests (call, result);
  if (!connector || call->cancelled)
    return;
  gboolean gone = strcmp (status, "not_found") == 0 && strcmp (call->operation, "fetch") == 0;
  if (gone || strcmp (status, "ok") == 0) {
    connector->ok_ms = now_ms;
    return;
  }
  json_object *detail = json_object_object_get (result, "detail");
  g_free (connector->error_code);
  g_free (connector->error_detail);
  g_free (connector->error_call);
  connector->error_ms = now_ms;
  connector->error_code = g_strdup (status);
  g_autofree char *words = g_strndup (detail ? json_object_get_string (detail) : "", DETAIL_BYTES_MOST);
  connector->error_detail = g_utf8_make_valid (words, -1);
  connector->error_call = g_strdup (call->id);
}

static void
on_result (HubPlugin *plugin, HubCall *call, const WireFrame *frame)
{
  json_object *result = json_tokener_parse ((const char *)frame->body), *status;
  if (!json_object_is_type (result, json_type_object) ||
      !json_object_object_get_ex (result, "status", &status) ||
      !json_object_is_type (status, json_type_string)) {
    json_object_put (result);
    misbehaves (plugin, "gave a result that cannot be read");
    return;
  }
  g_hash_table_steal (plugin->calls, &call->number);
  note_result (call, json_object_get_string (status), result);
  call->done (call, result, call->data);
  json_object_put (result);
  call_free (call);
  plan (plugin);
  hub_check_drained (plugin->hub);
}

static void
on_hello (HubPlugin *plugin)
{
  Hub *hub = plugin->hub;
  plugin->said_hello = TRUE;
  plugin->state = PLUGIN_RUNNING;
  log_line (LOG_INFO, NULL, "plugin %s %s runs", plugin->name,
            plugin->info && plugin->info->version ? plugin->info->version : "");
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->by_label);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    HubConnector *connector = value;
    if (connector->plugin != plugin)
      continue;
    connector->connected = FALSE; /* its settings go with its first call */
    for (guint i = 0; i < connector->streams->len; i++)
      sync_go_on (connector->streams->pdata[i]);
  }
  plan (plugin);
}

static void
on_log (HubPlugin *plugin, HubCall *call, const WireFrame *frame)
{
  json_object *line = json_tokener_parse ((const char *)frame->body);
  LogLevel level = LOG_INFO;
  json_object *word = json_object_object_get (line, "level"), *text = json_object_object_get (line, "text");
  if (word)
    log_level_from_text (json_object_get_string (word), &level);
  LogContext context = { .call = call ? call->id : NULL };
  if (call && call->connector) {
    context.store = call->connector->store->config->id;
    context.connector = call->connector->name;
  }
  log_line (level, &context, "plugin %s says: %s", plugin->name, text ? json_object_get_string (text) : "");
  json_object_put (line);
}

/* What it says goes on to history, logs and the API. Records are looked at where they are taken. */
static gboolean
is_readable (const WireFrame *frame)
{
  return frame->head.type == WIRE_RECORDS || frame->head.type == WIRE_SAME ||
         json_is_utf8 ((const char *)frame->body, frame->head.size);
}

static void
on_frame (const WireFrame *frame, gpointer data)
{
  HubPlugin *plugin = data;
  Hub *hub = plugin->hub;
  guint64 number = frame->head.call;
  HubCall *call = number ? g_hash_table_lookup (plugin->calls, &number) : NULL;
  WireCallState state = !call ? WIRE_CALL_UNKNOWN : call->cancelled ? WIRE_CALL_CANCELLED : WIRE_CALL_RUNNING;
  const char *wrong = NULL;
  if (plugin->condemned)
    return;
  if (!wire_legal (frame->head.type, state, plugin->said_hello)) {
    misbehaves (plugin, "sent a frame that is not legal here");
    return;
  }
  if (!is_readable (frame)) {
    misbehaves (plugin, "sent a text that is not UTF-8");
    return;
  }
  switch ((WireType)frame->head.type) {
  case WIRE_HELLO:
    on_hello (plugin);
    break;
  case WIRE_RESULT:
    on_result (plugin, call, frame);
    break;
  case WIRE_LOG:
    on_log (plugin, call, frame);
    break;
  case WIRE_RECORDS:
  case WIRE_SAME:
    plugin->owed += frame->head.size;
    if (plugin->owed > WINDOW_MOST) {
      misbehaves (plugin, "sends more records than it was given credit for");
      break;
    }
    /* fall through */
  case WIRE_REJECT:
    if (call->fetch) {
      if (!fetch_frame (call->fetch, frame, &wrong))
        misbehaves (plugin, wrong);
    } else if (!call->run) {
      if (frame->head.type != WIRE_REJECT)
        hub_plugin_credit (plugin, plugin->generation, frame->head.size);
    } else if (!sync_frame (call->run, call, frame, &wrong)) {
      misbehaves (plugin, wrong);
    }
    break;
  default:
    break;
  }
  hub_arm (hub);
}

static void
on_gone (const char *why, gpointer data)
{
  HubPlugin *plugin = data;
  Hub *hub = plugin->hub;
  went (plugin, why);
  hub_check_drained (hub);
  hub_arm (hub);
}

const char *
hub_plugin_state_word (HubPluginState state)
{
  static const char *const words[] = { "running", "idle", "parked", "refused" };
  return words[state];
}
