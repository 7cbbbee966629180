/* The worker: answers calls with pages of the vendor's records, frame by frame, and fails, skips and dies as
 * it should not. */
#include "sim-private.h"

#include <json-c/json.h>
#include <string.h>

#include "base/hash.h"

typedef struct {
  HubWorker shown; /* first */
  Sim *sim;
  const HubWorkerEvents *events;
  gpointer data;
  gboolean dead, freed;
  guint64 seed;
  gint64 window;
  GHashTable *ended;      /* calls that had their RESULT */
  GHashTable *remembered; /* "stream/id" -> WireSame, as in the last page that held it */
} SimWorker;

typedef struct {
  SimWorker *worker;
  WireType type;
  guint8 kind;
  guint64 call;
  GByteArray *body;
  gboolean last_of_life;
} SimFrame;

static void
frame_free (gpointer data)
{
  SimFrame *frame = data;
  g_byte_array_unref (frame->body);
  g_free (frame);
}

static void
tell_gone (Sim *sim, gpointer data)
{
  SimWorker *worker = data;
  if (!worker->freed)
    worker->events->gone ("simulated death", worker->data);
}

static void
die (SimWorker *worker)
{
  if (worker->dead)
    return;
  worker->dead = TRUE;
  sim_at (worker->sim, worker->sim->now_ms + 1, tell_gone, worker, NULL);
}

static void
deliver (Sim *sim, gpointer data)
{
  SimFrame *frame = data;
  SimWorker *worker = frame->worker;
  if (worker->dead || worker->freed || (frame->call && g_hash_table_contains (worker->ended, &frame->call)))
    return;
  if (frame->type == WIRE_RESULT)
    g_hash_table_add (worker->ended, g_memdup2 (&frame->call, sizeof frame->call));
  guint8 *body = g_malloc0 (frame->body->len + 64);
  memcpy (body, frame->body->data, frame->body->len);
  g_autoptr (GBytes) bytes = g_bytes_new_take (body, frame->body->len);
  WireFrame whole = {
    .head = { .size = frame->body->len, .type = frame->type, .kind = frame->kind, .call = frame->call },
    .body = body,
    .bytes = bytes
  };
  if (frame->type == WIRE_RECORDS || frame->type == WIRE_SAME)
    worker->window += frame->body->len;
  if (frame->last_of_life)
    die (worker);
  worker->events->frame (&whole, worker->data);
}

static void
send (SimWorker *worker, gint64 *at_ms, WireType type, guint8 kind, guint64 call, GByteArray *body,
      gboolean last_of_life)
{
  SimFrame *frame = g_new (SimFrame, 1);
  *frame = (SimFrame){ worker, type, kind, call, body, last_of_life };
  sim_at (worker->sim, *at_ms, deliver, frame, frame_free);
  *at_ms += sim_random (worker->sim) % 5;
}

static void
send_text (SimWorker *worker, gint64 *at_ms, WireType type, guint64 call, const char *text,
           gboolean last_of_life)
{
  GByteArray *body = g_byte_array_new ();
  g_byte_array_append (body, (const guint8 *)text, (guint)strlen (text));
  send (worker, at_ms, type, 0, call, body, last_of_life);
}

typedef struct {
  SimWorker *worker;
  guint64 number;
  json_object *call;
} SimCall;

static void
call_free (gpointer data)
{
  json_object_put (((SimCall *)data)->call);
  g_free (data);
}

static void
remember (SimWorker *worker, const char *stream, const SimRecord *record, const WireSame *same)
{
  char *key =
    g_strdup_printf ("%s/%s/%u/%u/%d", stream, record->id, record->version, record->quantity, record->there);
  g_hash_table_insert (worker->remembered, key, g_memdup2 (same, sizeof *same));
}

static const WireSame *
recall (SimWorker *worker, const char *stream, const SimRecord *record)
{
  g_autofree char *key =
    g_strdup_printf ("%s/%s/%u/%u/%d", stream, record->id, record->version, record->quantity, record->there);
  return g_hash_table_lookup (worker->remembered, key);
}

static void
emit (SimWorker *worker, gint64 *at_ms, SimCall *call, const SimRecord *record, guint kind, gboolean fresh)
{
  const char *stream = json_object_get_string (json_object_object_get (call->call, "stream"));
  const WireSame *known = worker->sim->chances.skips && !fresh ? recall (worker, stream, record) : NULL;
  GByteArray *body = g_byte_array_new ();
  if (known) {
    g_byte_array_append (body, (const guint8 *)known, sizeof *known);
    send (worker, at_ms, WIRE_SAME, (guint8)kind, call->number, body, FALSE);
    return;
  }
  char *id;
  g_autofree char *text = sim_body (record, kind, &id);
  g_autofree char *owned = id;
  WireRecord head = { .kind = (guint8)kind,
                      .op = WIRE_PUT,
                      .id_length = (guint16)strlen (id),
                      .body_length = (guint32)strlen (text),
                      .id_hash = hash_bytes (id, strlen (id), worker->seed),
                      .hash = hash_bytes (text, strlen (text), worker->seed),
                      .updated_ms = kind == MODEL_PRODUCTS ? record->updated_ms : 0 };
  wire_record_append (body, &head, id, text);
  send (worker, at_ms, WIRE_RECORDS, 0, call->number, body, FALSE);
  remember (worker, stream, record, &(WireSame){ head.id_hash, head.hash });
}

static void
reject (SimWorker *worker, gint64 *at_ms, SimCall *call, const SimRecord *record, guint kind)
{
  g_autofree char *text =
    g_strdup_printf ("{\"kind\":\"%s\",\"record\":\"%s%s\",\"reason\":\"not_a_number\",\"path\":\"price\"}",
                     model_kind_name (kind), record->id, kind == MODEL_INVENTORY ? ":l" : "");
  send_text (worker, at_ms, WIRE_REJECT, call->number, text, FALSE);
}

static const char *
failure (Sim *sim)
{
  static const char *const statuses[] = { "service_unavailable", "rate_limit_exceeded", "bad_response",
                                          "cancelled" };
  return statuses[sim_random (sim) % G_N_ELEMENTS (statuses)];
}

static void
answer_page (Sim *sim, gpointer data)
{
  SimCall *call = data;
  SimWorker *worker = call->worker;
  if (worker->dead || worker->freed)
    return;
  const char *stream = json_object_get_string (json_object_object_get (call->call, "stream"));
  gboolean full = json_object_get_boolean (json_object_object_get (call->call, "full"));
  gboolean fresh = json_object_get_boolean (json_object_object_get (call->call, "fresh"));
  gint64 since_ms = json_object_get_int64 (json_object_object_get (call->call, "since_ms")),
         at_ms = sim->now_ms;
  json_object *after_json = json_object_object_get (json_object_object_get (call->call, "cursor"), "after");
  const char *after = after_json ? json_object_get_string (after_json) : "";
  guint kind = strcmp (stream, "inventory") == 0 ? MODEL_INVENTORY : MODEL_PRODUCTS, given = 0;
  gboolean torn = full && !sim->calm && sim_happens (sim, sim->chances.torn), more = FALSE;
  gboolean fails = !sim->calm && sim_happens (sim, sim->chances.fail),
           dies = !sim->calm && sim_happens (sim, sim->chances.die);
  g_autofree char *last = g_strdup (after);
  for (guint i = 0; i < sim->vendor->len && !torn; i++) {
    const SimRecord *record = &g_array_index (sim->vendor, SimRecord, i);
    if (strcmp (record->id, after) <= 0 || !record->there || (!full && record->updated_ms < since_ms))
      continue;
    if (given == sim->chances.page) {
      more = TRUE;
      break;
    }
    given++;
    g_free (last);
    last = g_strdup (record->id);
    if (!sim->calm && sim_happens (sim, sim->chances.reject))
      reject (worker, &at_ms, call, record, kind);
    else
      emit (worker, &at_ms, call, record, kind, fresh);
    if (dies && sim_happens (sim, 500))
      break;
  }
  g_autofree char *result =
    fails  ? g_strdup_printf ("{\"status\":\"%s\",\"detail\":\"simulated\"}", failure (sim))
    : more ? g_strdup_printf ("{\"status\":\"ok\",\"ending\":\"more\",\"cursor\":{\"after\":\"%s\"}}", last)
           : g_strdup ("{\"status\":\"ok\",\"ending\":\"done\"}");
  if (dies)
    send_text (worker, &at_ms, WIRE_LOG, 0, "{\"level\":\"debug\",\"text\":\"dies\"}", TRUE);
  else
    send_text (worker, &at_ms, WIRE_RESULT, call->number, result, FALSE);
}

static void
on_send (HubWorker *shown, WireType type, guint64 number, const char *body, gsize size)
{
  SimWorker *worker = (SimWorker *)shown;
  json_object *json = size ? json_tokener_parse (body) : NULL, *seed;
  if (type == WIRE_CONNECT && json_object_object_get_ex (json, "seed", &seed))
    worker->seed = g_ascii_strtoull (json_object_get_string (seed), NULL, 10);
  if (type == WIRE_CREDIT && (worker->window -= (gint64)number) < 0)
    sim_wrong (worker->sim, "more credit was given than was used");
  if (type == WIRE_CANCEL) {
    gint64 at_ms = worker->sim->now_ms + 1;
    send_text (worker, &at_ms, WIRE_RESULT, number, "{\"status\":\"cancelled\"}", FALSE);
  }
  if (type != WIRE_CALL) {
    json_object_put (json);
    return;
  }
  SimCall *call = g_new (SimCall, 1);
  *call = (SimCall){ worker, number, json };
  sim_at (worker->sim, worker->sim->now_ms + 1 + sim_random (worker->sim) % 40, answer_page, call, call_free);
}

static void
on_end (HubWorker *shown, gboolean at_once)
{
  die ((SimWorker *)shown);
}

static void
on_free (HubWorker *shown)
{
  SimWorker *worker = (SimWorker *)shown;
  worker->dead = worker->freed = TRUE;
}

static gint64
on_resident (HubWorker *shown)
{
  return 1;
}

HubWorker *
sim_worker_start (gpointer world, const char *file, const HubWorkerEvents *events, gpointer data,
                  GError **error)
{
  Sim *sim = world;
  SimWorker *worker = g_new0 (SimWorker, 1);
  gint64 at_ms = sim->now_ms + 1;
  worker->shown = (HubWorker){ on_send, on_end, on_free, 1, on_resident };
  worker->sim = sim;
  worker->events = events;
  worker->data = data;
  worker->remembered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  worker->ended = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_ptr_array_add (sim->workers, worker);
  send_text (worker, &at_ms, WIRE_HELLO, 0, "{}", FALSE);
  return &worker->shown;
}

void
sim_workers_free (Sim *sim)
{
  for (guint i = 0; i < sim->workers->len; i++) {
    SimWorker *worker = sim->workers->pdata[i];
    g_hash_table_unref (worker->ended);
    g_hash_table_unref (worker->remembered);
    g_free (worker);
  }
  g_ptr_array_set_size (sim->workers, 0);
}
