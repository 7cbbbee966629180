/* Connectors: how they are and why, their streams; asking for passes and checks. */
#include <string.h>

#include "api/routes.h"
#include "api/shapes.h"

static const ShapeMember last_pass_members[] = {
  { "id", "text", "The pass.", "pass_01M87SM5WW8F3BT72HVZHEXWS4" },
  { "state", "waiting|running|complete|failed|held|refused", "How it ended." },
  { NULL },
};
static const ShapeMember stream_members[] = {
  { "kinds", "[kind]", "The kinds of records that it brings." },
  { "state", "idle|running|waiting|held|paused|stopped", "What it does." },
  { "reason?", "text", "Why it waits or stopped, in one word.", "vendor_asks_to_wait" },
  { "text?", "text", "The reason in a sentence." },
  { "detail?", "text", "What was found." },
  { "since?", "time", "Since when it is in this state." },
  { "late", "boolean", "Older than `alerts.late_after` times its interval." },
  { "passes", "integer", "Passes that ended, however they ended.", "42" },
  { "every_s", "integer", "How often it runs.", "900" },
  { "full_every_s?", "integer", "How often it reads everything.", "1800" },
  { "as_of?", "time", "Everything that the vendor had then is here; absent: it was never read." },
  { "next_at?", "time", "When the next pass is due." },
  { "records?", "integer", "How many there are, deleted ones left out; absent until it is known.", "812" },
  { "held?", "text", "The pass that waits for a decision.", "pass_01M87SM5WW8F3BT72HVZHEXWS4" },
  { "last_pass?", "LastPass", "The pass that ended last." },
  { NULL },
};
static const ShapeMember error_members[] = {
  { "at", "time", "When." },
  { "code?", "text", "The status of the call.", "rate_limit_exceeded" },
  { "detail?", "text", "What was found.", "OVER LIMIT" },
  { "call?", "text", "The call, as the log names it.", "call_01M87SM5WW8F3BT72HVZHEXWS4" },
  { NULL },
};
static const ShapeMember connector_members[] = {
  { "store", "text", "The store's id.", "downtown" },
  { "name", "text", "Within the store.", "pos" },
  { "plugin", "text", "Which vendor's.", "treez" },
  { "version?", "text", "Of the plugin; absent when it is not installed.", "1.0.0" },
  { "enabled", "boolean", "Not switched off." },
  { "state", "ok|late|failing|paused|off", "How it does." },
  { "since?", "time", "Since when it is in this state." },
  { "reason?", "text", "Why, in one word; absent when all is well.", "vendor_asks_to_wait" },
  { "text?", "text", "Why, in a sentence." },
  { "who?", "nobody|us|vendor|operator", "Who must act." },
  { "capabilities", "[text]", "What the plugin can.", "[\"catalog\",\"inventory\"]" },
  { "streams", "{Stream}", "What it reads, by name." },
  { "last_ok_at?", "time", "The last call that went well." },
  { "last_error?", "LastError", "The last one that did not." },
  { NULL },
};
static const ShapeMember asked_members[] = {
  { "passes", "[Pass]", "One for each stream; those that waited already are shared." },
  { NULL },
};
static const ShapeMember check_members[] = {
  { "status", "text", "`ok`, or what is wrong.", "ok" },
  { "detail?", "text", "What was found." },
  { "ms", "integer", "How long it took.", "83" },
  { NULL },
};
const Shape last_pass_shape = { "LastPass", "A pass in short.", last_pass_members },
            stream_shape = { "Stream", "One thing that is read from a connector.", stream_members },
            last_error_shape = { "LastError", "A call that went wrong.", error_members },
            connector_shape = { "Connector", "A vendor of a store.", connector_members },
            passes_asked_shape = { "PassesAsked", "The passes that were asked for.", asked_members },
            check_shape = { "Check", "What trying the vendor gave.", check_members };

static json_object *
kinds_to_json (guint kinds)
{
  json_object *list = json_object_new_array ();
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (kinds & (1u << kind))
      json_object_array_add (list, json_object_new_string (model_kind_name (kind)));
  return list;
}

static json_object *
stream_to_json (Hub *hub, const HubStream *stream)
{
  json_object *json = json_object_new_object ();
  Reason reason;
  HubStreamState state = hub_stream_state (stream, &reason);
  json_object_object_add (json, "kinds", kinds_to_json (stream->kinds));
  put_text (json, "state", hub_stream_state_word (state));
  put_text (json, "reason", reason_word (reason));
  put_text (json, "text", reason == REASON_NONE ? NULL : reason_text (reason));
  put_text (json, "detail", stream->detail);
  put_time (json, "since", stream->since_ms);
  put_boolean (json, "late", hub_stream_late (stream));
  put_number (json, "passes", (gint64)stream->passes);
  put_number (json, "every_s", stream->every_ms / 1000);
  if (stream->full_every_ms)
    put_number (json, "full_every_s", stream->full_every_ms / 1000);
  put_time (json, "as_of", stream->as_of_ms);
  if (stream->next_ms != G_MAXINT64 && !stream->pass)
    put_time (json, "next_at", hub_wall_ms (hub) + MAX (0, stream->next_ms - hub_mono_ms (hub)));
  put_number (json, "records", (gint64)stream->records);
  put_text (json, "held", stream->held);
  if (stream->last) {
    json_object *last = json_object_new_object ();
    put_text (last, "id", stream->last->id);
    put_text (last, "state", pass_state_word (stream->last->state));
    json_object_object_add (json, "last_pass", last);
  }
  return json;
}

/* The stream whose reason the connector shows. */
static const HubStream *
stream_with_reason (const HubConnector *connector, Reason reason)
{
  for (guint i = 0; i < connector->streams->len; i++) {
    const HubStream *stream = connector->streams->pdata[i];
    Reason its;
    hub_stream_state (stream, &its);
    if (reason != REASON_NONE && its == reason)
      return stream;
  }
  return NULL;
}

static void
put_state (json_object *json, const HubConnector *connector)
{
  Reason reason;
  HubConnectorState state = hub_connector_state (connector, &reason);
  const HubStream *stream = stream_with_reason (connector, reason);
  put_text (json, "state", hub_connector_state_word (state));
  if (stream)
    put_time (json, "since", stream->since_ms);
  if (reason == REASON_NONE)
    return;
  g_autofree char *text =
    stream && stream->detail ? g_strdup_printf ("%s %s", reason_text (reason), stream->detail) : NULL;
  put_text (json, "reason", reason_word (reason));
  put_text (json, "text", text ? text : reason_text (reason));
  put_text (json, "who", reason_who (reason));
}

json_object *
connector_to_json (Hub *hub, const HubConnector *connector)
{
  const PluginInfo *info = connector->plugin->info;
  json_object *json = json_object_new_object (), *streams = json_object_new_object (),
              *capabilities = json_object_new_array ();
  put_text (json, "store", connector->store->config->id);
  put_text (json, "name", connector->name);
  put_text (json, "plugin", connector->plugin->name);
  put_text (json, "version", info ? info->version : NULL);
  put_boolean (json, "enabled", connector->config->enabled);
  put_state (json, connector);
  for (guint i = 0; info && info->capabilities && info->capabilities[i]; i++)
    json_object_array_add (capabilities, json_object_new_string (info->capabilities[i]));
  json_object_object_add (json, "capabilities", capabilities);
  for (guint i = 0; i < connector->streams->len; i++) {
    const HubStream *stream = connector->streams->pdata[i];
    json_object_object_add (streams, stream->name, stream_to_json (hub, stream));
  }
  json_object_object_add (json, "streams", streams);
  put_time (json, "last_ok_at", connector->ok_ms);
  if (connector->error_ms) {
    json_object *error = json_object_new_object ();
    put_time (error, "at", connector->error_ms);
    put_text (error, "code", connector->error_code);
    put_text (error, "detail", connector->error_detail);
    put_text (error, "call", connector->error_call);
    json_object_object_add (json, "last_error", error);
  }
  return json;
}

static json_object *
to_json (Hub *hub, gconstpointer connector)
{
  return connector_to_json (hub, connector);
}

static gboolean
is_wanted (Request *request, const HubConnector *connector)
{
  const char *store = request_text (request, "store"), *state = request_text (request, "state"),
             *plugin = request_text (request, "plugin");
  Reason reason;
  return (!store || strcmp (connector->store->config->id, store) == 0) &&
         (!plugin || strcmp (connector->plugin->name, plugin) == 0) &&
         (!state || strcmp (hub_connector_state_word (hub_connector_state (connector, &reason)), state) == 0);
}

void
get_connectors (Request *request)
{
  GPtrArray *stores = hub_stores (request->hub);
  GArray *list = named_new ();
  for (guint s = 0; s < stores->len; s++) {
    GPtrArray *connectors = ((HubStore *)stores->pdata[s])->connectors;
    for (guint c = 0; c < connectors->len; c++) {
      const HubConnector *connector = connectors->pdata[c];
      if (is_wanted (request, connector))
        named_add (list, connector->label, connector);
    }
  }
  request_answer_named (request, list, to_json);
}

/* Of {store}/{name}; NULL: refused. */
static HubConnector *
find_connector (Request *request)
{
  HubStore *store = request_store (request);
  if (!store)
    return NULL;
  HubConnector *connector = hub_connector (request->hub, request->vars[0], request->vars[1]);
  if (connector)
    return connector;
  g_autofree const char **names = g_new0 (const char *, store->connectors->len + 1);
  for (guint i = 0; i < store->connectors->len; i++)
    names[i] = ((HubConnector *)store->connectors->pdata[i])->name;
  g_autofree char *hint = did_you_mean (request->vars[1], names);
  request_refuse (request, problem_new (404, "no_connector", "store %s has no connector \"%s\"%s",
                                        request->vars[0], request->vars[1], hint));
  return NULL;
}

void
get_connector (Request *request)
{
  HubConnector *connector = find_connector (request);
  if (connector)
    request_answer (request, answer_json (200, connector_to_json (request->hub, connector)));
}

/* ---- sync ---- */

/* The stream that the body names exists. Without its plugin a connector has none, which says nothing of the
 * name. */
static gboolean
check_stream (Request *request, const HubConnector *connector)
{
  const char *wanted = request_text (request, "stream");
  if (!wanted || connector->streams->len == 0 || hub_stream (connector, wanted))
    return TRUE;
  g_autofree const char **names = g_new0 (const char *, connector->streams->len + 1);
  for (guint i = 0; i < connector->streams->len; i++)
    names[i] = ((HubStream *)connector->streams->pdata[i])->name;
  g_autofree char *hint = did_you_mean (wanted, names);
  Problem *problem =
    problem_new (422, "unknown_stream", "%s has no stream \"%s\"%s", connector->label, wanted, hint);
  problem_add (problem, "stream", "unknown_stream", "no such stream%s", hint);
  request_refuse (request, problem);
  return FALSE;
}

static guint
status_of_call (const char *status)
{
  static const struct {
    const char *word;
    guint status;
  } rows[] = { { "unsupported", 501 },        { "cancelled", 503 },      { "starting", 503 },
               { "plugin_missing", 503 },     { "plugin_crashed", 503 }, { "vendor_unavailable", 503 },
               { "vendor_asks_to_wait", 503 } };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].word, status) == 0)
      return rows[i].status;
  return 502;
}

static void
dry_done (json_object *result, const char *status, const char *detail, gpointer data)
{
  Request *request = pending_take (data);
  if (!request)
    return;
  if (result)
    request_answer (request, answer_json (200, json_object_get (result)));
  else
    request_refuse (request, problem_new (status_of_call (status), status, "%s",
                                          detail ? detail : "the pass did not end well"));
}

static void
sync_dry (Request *request, HubConnector *connector)
{
  const char *stream = request_text (request, "stream");
  if (!stream && connector->streams->len == 1)
    stream = ((HubStream *)connector->streams->pdata[0])->name;
  if (!stream) {
    Problem *problem =
      problem_new (400, "missing_field", "a dry run is of one stream: name it as \"stream\"");
    problem_add (problem, "stream", "missing_field", "name a stream");
    request_refuse (request, problem);
    return;
  }
  g_autoptr (GError) error = NULL;
  Pending *pending = request_wait (request);
  if (hub_sync_dry (request->hub, connector, stream, dry_done, pending, &error))
    return;
  pending_take (pending);
  request_fail (request, error);
}

void
post_sync (Request *request)
{
  HubConnector *connector = find_connector (request);
  if (!connector || !check_stream (request, connector))
    return;
  if (request_value (request, "dry_run")->number) {
    sync_dry (request, connector);
    return;
  }
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) passes = hub_sync (request->hub, connector, request_text (request, "stream"),
                                           request_value (request, "full")->number != 0, &error);
  if (!passes) {
    request_fail (request, error);
    return;
  }
  json_object *body = json_object_new_object (), *list = json_object_new_array ();
  for (guint i = 0; i < passes->len; i++)
    json_object_array_add (list, pass_to_json (passes->pdata[i]));
  json_object_object_add (body, "passes", list);
  Answer *answer = answer_json (202, body);
  if (passes->len == 1) {
    g_autofree char *location = g_strdup_printf ("/v1/passes/%s", ((Pass *)passes->pdata[0])->id);
    answer_header (answer, "Location", location);
  }
  request_answer (request, answer);
}

/* ---- check ---- */

static void
checked (const char *status, const char *detail, gint64 ms, gpointer data)
{
  Request *request = pending_take (data);
  if (!request)
    return;
  if (strcmp (status, "unsupported") == 0) {
    request_refuse (request, problem_new (501, NULL, "%s", detail));
    return;
  }
  json_object *body = json_object_new_object ();
  put_text (body, "status", status);
  put_text (body, "detail", detail);
  put_number (body, "ms", ms);
  request_answer (request, answer_json (200, body));
}

void
post_check (Request *request)
{
  HubConnector *connector = find_connector (request);
  if (connector)
    hub_check (request->hub, connector, checked, request_wait (request));
}
