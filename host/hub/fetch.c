/* One record, asked for again because somebody wants it newer than ours is.
 *
 *   asked -> maps are loaded -> call "fetch" -> records are kept -> RESULT -> judged as a page's are ->
 * stored -> told
 *
 * Who asks for the same record meanwhile waits for the same call. What a pass of the stream has judged lies
 * in its batch: that goes to the store before ours, or an older state would be written last. */
#include "hub/fetch.h"

#include <string.h>

#include "base/hash.h"
#include "hub/overrides.h"

enum {
  PAUSE_MS = 10000,  /* after a fetch that the vendor failed nobody waits for the next one so long */
  NEVER_MS = 600000, /* however long the vendor asks to be left alone */
  ID_BYTES_MOST = 512
};

typedef struct {
  HubFetchDone done;
  gpointer data;
} Waiter;

/* An entry of the map that was changed, as it was: for a write that fails. */
typedef struct {
  guint kind;
  guint32 ordinal;
  gboolean is_new;
  MapEntry before;
  guint64 hash;
} Put;

struct Fetch {
  Hub *hub;
  HubStream *stream; /* NULL: went meanwhile */
  HubCollection *collections[MODEL_KINDS];
  guint kind;
  char *key, *id;
  gint64 until_ms; /* mono */
  guint loading, writing;
  gboolean answered, failed;
  HubCall *call;
  gint64 asked_ms;
  GPtrArray *frames; /* GBytes: bodies of RECORDS */
  gsize bytes;       /* of them: credit to be given */
  guint generation;  /* of the worker that gave them */
  json_object *children;
  StoreBatch *batch;
  gboolean storing;
  GArray *puts, *waiters;
};

static void settle (Fetch *fetch);

/* ---- the end ---- */

static void
tell (Fetch *fetch)
{
  g_autoptr (GArray) waiters = g_steal_pointer (&fetch->waiters);
  for (guint i = 0; waiters && i < waiters->len; i++) {
    Waiter waiter = g_array_index (waiters, Waiter, i);
    waiter.done (waiter.data);
  }
}

static void
fetch_free (Fetch *fetch)
{
  g_clear_pointer (&fetch->batch, store_batch_free);
  g_ptr_array_unref (fetch->frames);
  g_array_unref (fetch->puts);
  json_object_put (fetch->children);
  g_free (fetch->key);
  g_free (fetch->id);
  g_free (fetch);
}

static void
let_go (Fetch *fetch)
{
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    HubCollection *collection = fetch->collections[kind];
    if (!collection)
      continue;
    hub_collection_forget (collection, fetch);
    collection->users--;
    collection->used_ms = hub_mono_ms (fetch->hub);
  }
  g_hash_table_remove (fetch->hub->fetches, fetch->key);
}

static void
give_credit (Fetch *fetch)
{
  hub_plugin_credit (fetch->stream->connector->plugin, fetch->generation, fetch->bytes);
  fetch->bytes = 0;
}

static void
end (Fetch *fetch)
{
  Hub *hub = fetch->hub;
  if (fetch->stream)
    let_go (fetch);
  tell (fetch);
  fetch_free (fetch);
  hub_check_drained (hub);
}

static void
ignored (HubCall *call, json_object *result, gpointer data)
{
}

/* What is being written still ends; nobody waits for it. */
static void
give_up (Fetch *fetch)
{
  if (fetch->call) {
    fetch->call->fetch = NULL;
    fetch->call->done = ignored;
    hub_call_cancel (fetch->call);
  }
  give_credit (fetch);
  let_go (fetch);
  fetch->stream = NULL;
  tell (fetch);
  if (!fetch->storing || fetch->hub->ending)
    fetch_free (fetch);
}

static void
each_of_stream (HubStream *stream, void (*func) (Fetch *fetch))
{
  g_autoptr (GList) all = g_hash_table_get_values (stream->connector->plugin->hub->fetches);
  for (GList *link = all; link; link = link->next)
    if (((Fetch *)link->data)->stream == stream)
      func (link->data);
}

void
fetch_abort (HubStream *stream)
{
  each_of_stream (stream, give_up);
}

/* ---- judging and storing ---- */

static void
count (Fetch *fetch, guint kind, const char *result)
{
  metric_add (metrics_get (fetch->hub->world.metrics, "records_total", fetch->stream->connector->plugin->name,
                           model_kind_name (kind), result),
              1);
}

static void
note_put (Fetch *fetch, guint kind, const MapEntry *entry, const MapEntry *before, gboolean is_new)
{
  Put put = { .kind = kind,
              .ordinal = map_ordinal (fetch->collections[kind]->map, entry),
              .is_new = is_new,
              .before = *before,
              .hash = entry->hash };
  g_array_append_val (fetch->puts, put);
}

/* The first state of a record stays, as in a page. */
static gboolean
was_put (const Fetch *fetch, guint kind, guint32 ordinal)
{
  for (guint i = 0; i < fetch->puts->len; i++) {
    const Put *put = &g_array_index (fetch->puts, Put, i);
    if (put->kind == kind && put->ordinal == ordinal)
      return TRUE;
  }
  return FALSE;
}

static void
judge (Fetch *fetch, const WireRecord *record)
{
  guint kind = record->kind;
  HubCollection *collection = fetch->collections[kind];
  MapEntry *entry = map_find (collection->map, record->id_hash);
  if (record_is_same (record, entry)) {
    if (entry)
      entry->asked_ms = MAX (entry->asked_ms, map_asked (fetch->asked_ms));
    count (fetch, kind, "unchanged");
    return;
  }
  if (entry && (record_is_older (fetch->hub, record, fetch->asked_ms, entry) ||
                was_put (fetch, kind, map_ordinal (collection->map, entry)))) {
    count (fetch, kind, "filtered");
    return;
  }
  gboolean is_new = !entry;
  if (is_new)
    entry = map_add (collection->map, record->id_hash);
  MapEntry before = *entry;
  record_put (fetch->batch, collection, record, entry, is_new, fetch->asked_ms);
  note_put (fetch, kind, entry, &before, is_new);
  count (fetch, kind, "stored");
}

/* Unless somebody asked later, and it was there. */
static void
delete_one (Fetch *fetch, guint kind, guint32 ordinal)
{
  HubCollection *collection = fetch->collections[kind];
  MapEntry *entry = map_at (collection->map, ordinal), before = *entry;
  if (entry->deleted || entry->asked_ms > map_asked (fetch->asked_ms))
    return;
  if (!run_put_deletion (fetch->batch, fetch->hub, collection, ordinal, fetch->asked_ms))
    return;
  entry->asked_ms = map_asked (fetch->asked_ms);
  note_put (fetch, kind, entry, &before, FALSE);
  count (fetch, kind, "stored");
}

typedef struct {
  Fetch *fetch;
  guint kind;
} Orphans;

static void
delete_unseen (guint32 ordinal, gpointer data)
{
  const Orphans *orphans = data;
  const MapEntry *entry = map_at (orphans->fetch->collections[orphans->kind]->map, ordinal);
  if (entry->asked_ms < map_asked (orphans->fetch->asked_ms))
    delete_one (orphans->fetch, orphans->kind, ordinal);
}

/* "These are all the children of P": those that were not among the records are gone. */
static void
judge_children (Fetch *fetch)
{
  gsize pairs =
    json_object_is_type (fetch->children, json_type_array) ? json_object_array_length (fetch->children) : 0;
  for (gsize i = 0; i < pairs; i++) {
    json_object *pair = json_object_array_get_idx (fetch->children, i);
    if (!json_object_is_type (pair, json_type_array) || json_object_array_length (pair) < 2)
      continue;
    const char *name = json_object_get_string (json_object_array_get_idx (pair, 0)),
               *parent = json_object_get_string (json_object_array_get_idx (pair, 1));
    int kind = name ? model_kind_from_name (name) : -1;
    if (kind < 0 || !fetch->collections[kind] || !parent)
      continue;
    Orphans orphans = { fetch, (guint)kind };
    map_each_child (fetch->collections[kind]->map, hash_bytes (parent, strlen (parent), fetch->hub->seed),
                    delete_unseen, &orphans);
  }
}

static void
judge_all (Fetch *fetch)
{
  fetch->batch = store_batch_new (fetch->hub->world.store, FALSE, "fetch");
  for (guint i = 0; i < fetch->frames->len; i++) {
    gsize size;
    const guint8 *body = g_bytes_get_data (fetch->frames->pdata[i], &size);
    const WireRecord *record = NULL;
    store_batch_keep (fetch->batch, fetch->frames->pdata[i]);
    while (wire_record_next (body, size, &record, NULL))
      judge (fetch, record);
  }
  judge_children (fetch);
}

/* The map says again what is stored, where nobody has changed it since. */
static void
take_back (Fetch *fetch)
{
  for (guint i = fetch->puts->len; i-- > 0;) {
    const Put *put = &g_array_index (fetch->puts, Put, i);
    Map *map = fetch->collections[put->kind]->map;
    MapEntry *entry = map && put->ordinal < map_count (map) ? map_at (map, put->ordinal) : NULL;
    if (!entry || entry->hash != put->hash)
      continue;
    map_set_parent (map, entry, put->before.parent_hash);
    map_set_deleted (map, entry, put->is_new || put->before.deleted);
    entry->hash = put->before.hash;
    entry->updated_ms = put->before.updated_ms;
    entry->asked_ms = put->before.asked_ms;
  }
}

static void
stored (const GError *error, gpointer data)
{
  Fetch *fetch = data;
  Hub *hub = fetch->hub;
  fetch->storing = FALSE;
  if (error) {
    log_line (LOG_ERROR, NULL, "%s: cannot store what was fetched: %s", fetch->key, error->message);
    take_back (fetch);
    if (fetch->stream)
      sync_doubt (fetch->stream, error);
  }
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (fetch->writing & (1u << kind))
      hub_collection_written (hub, fetch->collections[kind], TRUE);
  end (fetch);
  hub_arm (hub);
}

static void
put (Fetch *fetch)
{
  guint32 first, last;
  judge_all (fetch);
  give_credit (fetch);
  if (store_batch_size (fetch->batch) == 0) {
    end (fetch);
    return;
  }
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (fetch->collections[kind] &&
        store_batch_span (fetch->batch, fetch->collections[kind]->number, &first, &last)) {
      hub_collection_writing (fetch->collections[kind], fetch->batch);
      fetch->writing |= 1u << kind;
    }
  fetch->storing = TRUE;
  overrides_submit (fetch->hub, fetch->collections[MODEL_PRODUCTS], g_steal_pointer (&fetch->batch), stored,
                    fetch);
}

/* ---- asking ---- */

/* Without what the vendor sent: it may be a customer's. */
static void
log_reject (const Fetch *fetch, const WireFrame *frame)
{
  json_object *reject = json_tokener_parse ((const char *)frame->body);
  log_line (LOG_INFO, NULL, "%s: what the vendor says of it cannot be right: %s %s", fetch->key,
            run_text (reject, "path"), run_text (reject, "reason"));
  json_object_put (reject);
}

/* Frames of the call. FALSE: the worker broke a rule, *wrong says which. */
gboolean
fetch_frame (Fetch *fetch, const WireFrame *frame, const char **wrong)
{
  if (frame->head.type == WIRE_REJECT) {
    log_reject (fetch, frame);
    return TRUE;
  }
  if (frame->head.type == WIRE_SAME) {
    *wrong = "skipped a record that was asked for";
    return FALSE;
  }
  g_autoptr (GError) error = NULL;
  const WireRecord *record = NULL;
  while (!*wrong && wire_record_next (frame->body, frame->head.size, &record, &error))
    *wrong = record->kind >= MODEL_KINDS || !fetch->collections[record->kind]
               ? "gave a record of a kind that its stream does not have"
               : record_fault (fetch->hub, record);
  if (error)
    *wrong = "gave records whose lengths do not fit";
  g_ptr_array_add (fetch->frames, g_bytes_ref (frame->bytes));
  fetch->bytes += frame->head.size;
  return !*wrong;
}

/* While the vendor fails, whoever asks is not kept waiting each time anew. */
static void
pause_asking (Fetch *fetch, const char *status, json_object *result)
{
  HubConnector *connector = fetch->stream->connector;
  gint64 wait_ms = json_object_get_int64 (json_object_object_get (result, "retry_ms"));
  if (strcmp (status, "service_unavailable") == 0 || strcmp (status, "rate_limit_exceeded") == 0 ||
      strcmp (status, "authentication_error") == 0)
    connector->fetch_at_ms = hub_mono_ms (fetch->hub) + CLAMP (wait_ms, PAUSE_MS, NEVER_MS);
}

/* The vendor has no such record: as if the plugin had told its deletion. */
static void
keep_deletion (Fetch *fetch)
{
  gsize length = strlen (fetch->id);
  GByteArray *bytes = g_byte_array_new ();
  WireRecord head = { .kind = (guint8)fetch->kind,
                      .op = WIRE_DELETE,
                      .id_length = (guint16)length,
                      .id_hash = hash_bytes (fetch->id, length, fetch->hub->seed) };
  wire_record_append (bytes, &head, fetch->id, "");
  g_ptr_array_set_size (fetch->frames, 0);
  g_ptr_array_add (fetch->frames, g_byte_array_free_to_bytes (bytes));
}

static void
called (HubCall *call, json_object *result, gpointer data)
{
  Fetch *fetch = data;
  json_object *status = json_object_object_get (result, "status");
  const char *word = status ? json_object_get_string (status) : "service_unavailable";
  fetch->call = NULL;
  fetch->answered = TRUE;
  gboolean gone = strcmp (word, "not_found") == 0;
  if (!gone && strcmp (word, "ok") != 0) {
    pause_asking (fetch, word, result);
    give_credit (fetch);
    end (fetch);
    return;
  }
  if (gone)
    keep_deletion (fetch);
  else
    fetch->children = json_object_get (json_object_object_get (result, "children"));
  settle (fetch);
}

static void
ask (Fetch *fetch)
{
  HubStream *stream = fetch->stream;
  gint64 left_ms = fetch->until_ms - hub_mono_ms (fetch->hub);
  json_object *body = json_object_new_object ();
  json_object_object_add (body, "stream", json_object_new_string (stream->name));
  json_object_object_add (body, "record", json_object_new_string (fetch->id));
  json_object_object_add (body, "urgency", json_object_new_string ("webhooks")); /* before passes */
  if (left_ms > 0)
    fetch->call = hub_call (stream->connector, "fetch", body, left_ms, called, fetch);
  else
    json_object_put (body);
  if (!fetch->call) {
    end (fetch);
    return;
  }
  fetch->call->fetch = fetch;
  fetch->asked_ms = fetch->call->asked_ms;
  fetch->generation = stream->connector->plugin->generation;
}

static gboolean
has_maps (const Fetch *fetch)
{
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (fetch->collections[kind] && !fetch->collections[kind]->map)
      return FALSE;
  return TRUE;
}

static void
map_ready (HubCollection *collection, const GError *error, gpointer data)
{
  Fetch *fetch = data;
  if (error)
    fetch->failed = TRUE;
  if (--fetch->loading > 0)
    return;
  if (fetch->failed) {
    give_credit (fetch);
    end (fetch);
  } else {
    settle (fetch);
  }
}

static void
load (Fetch *fetch)
{
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    fetch->loading += fetch->collections[kind] != NULL;
  for (guint left = fetch->loading, kind = 0; left > 0; kind++)
    if (fetch->collections[kind]) {
      left--;
      hub_collection_load (fetch->hub, fetch->collections[kind], map_ready, fetch);
    }
}

/* Whatever is next: a pass that had to begin anew may have taken the maps meanwhile. */
static void
settle (Fetch *fetch)
{
  if (!has_maps (fetch))
    load (fetch);
  else if (!fetch->answered)
    ask (fetch);
  else if (sync_make_way (fetch->stream))
    put (fetch);
}

static void
go_on (Fetch *fetch)
{
  if (fetch->answered && !fetch->storing && !fetch->loading)
    settle (fetch);
}

void
fetch_go_on (HubStream *stream)
{
  if (g_hash_table_size (stream->connector->plugin->hub->fetches))
    each_of_stream (stream, go_on);
}

static HubStream *
stream_to_ask (Hub *hub, const HubCollection *collection, const char *id)
{
  HubConnector *connector = collection->connector;
  if (!connector || !connector->config->enabled || connector->refused || hub->draining ||
      !hub_plugin_serves (connector->plugin) || hub_mono_ms (hub) < connector->fetch_at_ms ||
      strlen (id) > ID_BYTES_MOST)
    return NULL;
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    if (stream->kinds & (1u << collection->kind))
      return stream->fetch && stream->state != STREAM_STOPPED && stream->state != STREAM_PAUSED ? stream
                                                                                                : NULL;
  }
  return NULL;
}

void
hub_fetch (Hub *hub, HubCollection *collection, const char *id, gint64 deadline_ms, HubFetchDone done,
           gpointer data)
{
  HubStream *stream = stream_to_ask (hub, collection, id);
  g_autofree char *key = g_strdup_printf ("%s/%s", collection->key, id);
  Fetch *fetch = g_hash_table_lookup (hub->fetches, key);
  Waiter waiter = { done, data };
  if (!stream) {
    done (data);
    return;
  }
  if (fetch) {
    g_array_append_val (fetch->waiters, waiter);
    return;
  }
  fetch = g_new0 (Fetch, 1);
  *fetch = (Fetch){ .hub = hub,
                    .stream = stream,
                    .kind = collection->kind,
                    .key = g_steal_pointer (&key),
                    .id = g_strdup (id),
                    .until_ms = hub_mono_ms (hub) + deadline_ms,
                    .frames = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref),
                    .puts = g_array_new (FALSE, FALSE, sizeof (Put)),
                    .waiters = g_array_new (FALSE, FALSE, sizeof (Waiter)) };
  g_array_append_val (fetch->waiters, waiter);
  g_hash_table_insert (hub->fetches, fetch->key, fetch);
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (stream->kinds & (1u << kind)) {
      fetch->collections[kind] = hub_collection_get (hub, stream->connector, kind);
      fetch->collections[kind]->users++;
    }
  load (fetch);
  hub_arm (hub);
}
