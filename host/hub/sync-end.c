/* The end of a pass: what a complete full pass did not see is missing, and goes as the stream says, unless
 * that is too much. */
#include <string.h>

#include "base/hash.h"
#include "hub/sync-run.h"

enum { CHUNK = 500 }; /* records that are deleted or set to zero in one batch */

static gboolean
looks_for_missing (const SyncRun *run)
{
  const Pass *pass = run->stream->pass;
  return pass->state == PASS_RUNNING && pass->full && !run->torn && !pass->resumed && !pass->dry &&
         strcmp (run->stream->missing, "stays") != 0;
}

/* What was rejected without an id may be any record that seems to be missing: none is taken for gone. */
static void
say_nameless (SyncRun *run)
{
  Pass *pass = run->stream->pass;
  LogContext context = { .store = pass->store, .connector = run->stream->connector->name };
  g_free (pass->detail);
  pass->detail = g_strdup_printf (
    "%u rejected records have no id, so that what is missing could not be told; it stays", run->nameless);
  log_line (LOG_WARNING, &context, "%s: %s. tillbridge rejects %s/%s shows them", pass->stream, pass->detail,
            pass->store, pass->connector);
}

static gboolean
is_zero (const HubStream *stream)
{
  return strcmp (stream->missing, "zero") == 0;
}

typedef struct {
  char *body;
  gsize length;
  char *id;
  gsize id_length;
} Zeroed;

static gboolean
zero_one (const StoreFound *found, gpointer data)
{
  Zeroed *zeroed = data;
  if (found->deleted || !found->body)
    return FALSE;
  zeroed->body = model_zero_quantity (found->body, found->body_length, &zeroed->length);
  zeroed->id = g_strndup (found->id, found->id_length);
  zeroed->id_length = found->id_length;
  return FALSE;
}

/* Stock that was set to zero long ago is missing from every pass since, and is no news. */
static gboolean
is_zero_already (SyncRun *run, HubCollection *collection, guint32 ordinal)
{
  MapEntry *entry = map_at (collection->map, ordinal);
  if (!entry->zeroed) {
    g_autoptr (GError) error = NULL;
    Zeroed zeroed = { 0 };
    gboolean found;
    store_get (run->hub->world.store, collection->number, ordinal, &found, zero_one, &zeroed, &error);
    entry->zeroed = zeroed.body && hash_bytes (zeroed.body, zeroed.length, run->hub->seed) == entry->hash;
    g_free (zeroed.body);
    g_free (zeroed.id);
  }
  return entry->zeroed;
}

static void
find_missing (SyncRun *run)
{
  gboolean zero = is_zero (run->stream);
  run->missing = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    HubCollection *collection = run->collections[kind];
    for (guint32 i = 0; collection && i < map_count (collection->map); i++) {
      const MapEntry *entry = map_at (collection->map, i);
      guint64 rid = (guint64)collection->number << 32 | i;
      if (entry->deleted || entry->seen >= run->pass_mark[kind])
        continue;
      if (zero && is_zero_already (run, collection, i))
        run->alive_before--;
      else
        g_array_append_val (run->missing, rid);
    }
  }
}

static gboolean
put_zero (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal, gint64 asked_ms)
{
  g_autoptr (GError) error = NULL;
  Zeroed zeroed = { 0 };
  gboolean found;
  MapEntry *entry = map_at (collection->map, ordinal);
  if (!store_get (hub->world.store, collection->number, ordinal, &found, zero_one, &zeroed, &error)) {
    log_line (LOG_ERROR, NULL, "%s: cannot read a record to set its stock to zero: %s", collection->key,
              error->message);
    return FALSE;
  }
  if (!zeroed.body)
    return FALSE;
  guint64 hash = hash_bytes (zeroed.body, zeroed.length, hub->seed);
  gboolean differs = hash != entry->hash;
  if (differs) {
    StoreRecord row = { .op = STORE_UPDATE,
                        .collection = collection->number,
                        .ordinal = ordinal,
                        .hash = hash,
                        .parent_hash = entry->parent_hash,
                        .updated_ms = entry->updated_ms,
                        .asked_ms = asked_ms,
                        .id = zeroed.id,
                        .id_length = (guint32)zeroed.id_length,
                        .body = zeroed.body,
                        .body_length = (guint32)zeroed.length };
    entry->hash = hash;
    store_batch_record (batch, &row);
    g_autoptr (GBytes) body = g_bytes_new_take (zeroed.body, zeroed.length);
    g_autoptr (GBytes) id = g_bytes_new_take (zeroed.id, zeroed.id_length);
    store_batch_keep (batch, body);
    store_batch_keep (batch, id);
  } else {
    g_free (zeroed.body);
    g_free (zeroed.id);
  }
  return differs;
}

typedef struct {
  StoreBatch *batch;
  const char *id;
  gsize length;
} Named;

static gboolean
name_one (const StoreFound *found, gpointer data)
{
  Named *named = data;
  g_autoptr (GBytes) id = g_bytes_new (found->id, found->id_length);
  named->id = g_bytes_get_data (id, &named->length);
  store_batch_keep (named->batch, id);
  return FALSE;
}

gboolean
run_put_deletion (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal, gint64 asked_ms)
{
  g_autoptr (GError) error = NULL;
  Named named = { .batch = batch };
  gboolean found;
  MapEntry *entry = map_at (collection->map, ordinal);
  if (!store_get (hub->world.store, collection->number, ordinal, &found, name_one, &named, &error))
    log_line (LOG_ERROR, NULL, "%s: cannot read a record to delete it: %s", collection->key, error->message);
  if (!named.id)
    return FALSE;
  StoreRecord row = { .op = STORE_DELETE,
                      .collection = collection->number,
                      .ordinal = ordinal,
                      .hash = entry->hash,
                      .parent_hash = entry->parent_hash,
                      .updated_ms = entry->updated_ms,
                      .asked_ms = asked_ms,
                      .id = named.id,
                      .id_length = (guint32)named.length };
  map_set_deleted (collection->map, entry, TRUE);
  store_batch_record (batch, &row);
  return TRUE;
}

/* What is missing goes: deleted, or its stock to zero. Returns whether that changed anything. */
static gboolean
put_missing (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal, gboolean zero,
             gint64 asked_ms)
{
  return zero ? put_zero (batch, hub, collection, ordinal, asked_ms)
              : run_put_deletion (batch, hub, collection, ordinal, asked_ms);
}

void
run_save_place (SyncRun *run)
{
  g_autofree char *key = hub_stream_key (run->stream);
  g_autofree char *state = hub_stream_to_state (run->stream);
  json_object_put (run->place);
  run->place = pass_to_saved (run->stream->pass);
  store_batch_state (run_batch (run), key, state);
}

static gboolean
refuse_row (const StoreRow *row, gpointer data)
{
  json_object *body = json_tokener_parse (row->body);
  StoreRow refused = *row;
  refused.state = pass_state_word (PASS_REFUSED);
  json_object_object_add (body, "state", json_object_new_string (refused.state));
  json_object_object_add (body, "detail", json_object_new_string ("a later full pass took its place"));
  refused.body = json_object_to_json_string_ext (body, JSON_C_TO_STRING_PLAIN);
  refused.extra = NULL;
  refused.extra_size = 0;
  store_batch_row (data, STORE_PASSES, &refused);
  json_object_put (body);
  return FALSE;
}

/* A later full pass knows better than one that still waits for a person. */
static void
supersede_held (SyncRun *run)
{
  g_autoptr (GError) error = NULL;
  StoreRowFilter filter = { .id = run->stream->held, .limit = 1 };
  if (!store_rows (run->hub->world.store, STORE_PASSES, &filter, refuse_row, run_batch (run), &error))
    log_line (LOG_WARNING, NULL, "pass %s: %s", run->stream->held, error->message);
}

static void
put_pass_row (StoreBatch *batch, const HubStream *stream, const Pass *pass, const void *extra,
              gsize extra_size)
{
  json_object *body = pass_to_json (pass);
  StoreRow row = { .id = pass->id,
                   .connector = stream->connector->label,
                   .stream = stream->name,
                   .kind = "",
                   .state = pass_state_word (pass->state),
                   .reason = "",
                   .at_ms = pass->ended_ms,
                   .body = json_object_to_json_string_ext (body, JSON_C_TO_STRING_PLAIN),
                   .extra = extra,
                   .extra_size = extra_size };
  store_batch_row (batch, STORE_PASSES, &row);
  json_object_put (body);
}

/* The last batch: the pass in the history, and the stream as it is without it; the stream itself changes when
 * that is stored. */
static void
put_end (SyncRun *run)
{
  HubStream *stream = run->stream, after = *stream;
  Pass *pass = stream->pass;
  gboolean held = pass->state == PASS_HELD, good = held || pass->state == PASS_COMPLETE;
  if (!pass->ended_ms)
    pass->ended_ms = hub_wall_ms (run->hub);
  if (pass->full && good && stream->held)
    supersede_held (run);
  after.pass = NULL;
  after.last = pass;
  after.passes++;
  after.records = run_alive (run);
  after.started_ms = pass->started_ms;
  if (good) {
    after.watermark_ms = run->until_ms ? run->until_ms : pass->started_ms;
    after.as_of_ms = pass->started_ms;
  }
  if (good && pass->full) {
    after.full_ms = pass->started_ms;
    after.held = held ? pass->id : NULL;
  }
  run->after =
    (StreamAfter){ after.watermark_ms, after.as_of_ms, after.full_ms, after.records, after.held != NULL };
  g_autofree char *key = hub_stream_key (stream);
  g_autofree char *state = hub_stream_to_state (&after);
  store_batch_state (run_batch (run), key, state);
  put_pass_row (run_batch (run), stream, pass, held ? (void *)run->missing->data : NULL,
                held ? run->missing->len * sizeof (guint64) : 0);
  run->last = TRUE;
  run_flush (run);
}

static void
say_complete (SyncRun *run)
{
  const Pass *pass = run->stream->pass;
  LogContext context = { .store = pass->store, .connector = run->stream->connector->name };
  if (pass->state == PASS_HELD)
    log_line (LOG_WARNING, &context,
              "%s: the full pass lacks %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
              " records; nothing was deleted. Look at the vendor, then "
              "tillbridge passes accept %s (delete them) or passes refuse %s (keep them)",
              pass->stream, pass->missing, run->alive_before, pass->id, pass->id);
  else
    log_line (LOG_DEBUG, &context,
              "%s: pass complete: seen %" G_GUINT64_FORMAT ", stored %" G_GUINT64_FORMAT
              ", unchanged %" G_GUINT64_FORMAT ", rejected "
              "%" G_GUINT64_FORMAT ", filtered %" G_GUINT64_FORMAT ", deleted %" G_GUINT64_FORMAT,
              pass->stream, pass->sums.seen, pass->sums.stored, pass->sums.unchanged, pass->sums.rejected,
              pass->sums.filtered, pass->deleted);
}

void
run_end_stored (SyncRun *run)
{
  HubStream *stream = run->stream;
  Pass *pass = stream->pass;
  while (run->missing_at < run->missing->len && (!run->batch || store_batch_size (run->batch) < CHUNK)) {
    guint64 rid = g_array_index (run->missing, guint64, run->missing_at++);
    HubCollection *collection = hub_collection (run->hub, (guint32)(rid >> 32));
    if (put_missing (run_batch (run), run->hub, collection, (guint32)rid, is_zero (stream), pass->started_ms))
      pass->deleted++;
  }
  if (run->missing_at < run->missing->len) {
    run_flush (run);
    return;
  }
  pass->state = PASS_COMPLETE;
  say_complete (run);
  put_end (run);
}

void
run_end (SyncRun *run)
{
  Pass *pass = run->stream->pass;
  run->page_end = PAGE_NONE;
  if (pass->dry) {
    pass->state = PASS_COMPLETE;
    pass->ended_ms = hub_wall_ms (run->hub);
    run_tell_dry (run);
    return;
  }
  if (pass->state == PASS_RUNNING && !pass_sums_agree (&pass->sums))
    log_line (LOG_ERROR, NULL, "pass %s: its sums do not agree", pass->id);
  if (looks_for_missing (run) && run->nameless) {
    say_nameless (run);
    pass->state = PASS_COMPLETE;
  } else if (looks_for_missing (run)) {
    find_missing (run);
    pass->missing = run->missing->len;
    if (pass->missing == 0 || pass_may_delete (run->alive_before, pass->missing)) {
      run_end_stored (run);
      return;
    }
    pass->state = PASS_HELD;
  } else if (pass->state == PASS_RUNNING) {
    pass->state = PASS_COMPLETE;
  }
  if (pass->state != PASS_FAILED)
    say_complete (run);
  put_end (run);
}

/* ---- a held pass is decided ---- */

typedef struct {
  Hub *hub;
  HubStream *stream;
  json_object *body; /* of the pass, as history serves it */
  gint64 ended_ms;
  gboolean accept;
  GArray *rids;
  GPtrArray *collections; /* HubCollection whose maps are held */
  guint loading;
  StoreDone done;
  gpointer data;
} Deciding;

static void
deciding_free (Deciding *deciding)
{
  g_array_unref (deciding->rids);
  g_ptr_array_unref (deciding->collections);
  json_object_put (deciding->body);
  g_free (deciding);
}

static void
decided (const GError *error, gpointer data)
{
  Deciding *deciding = data;
  for (guint i = 0; i < deciding->collections->len; i++) {
    HubCollection *collection = deciding->collections->pdata[i];
    collection->users--;
    hub_collection_written (deciding->hub, collection);
    if (error)
      hub_collection_drop (collection);
  }
  if (!error)
    g_clear_pointer (&deciding->stream->held, g_free);
  deciding->stream->deciding = FALSE;
  deciding->done (error, deciding->data);
  hub_stream_plan (deciding->stream, hub_mono_ms (deciding->hub));
  deciding_free (deciding);
}

static void
put_decision (Deciding *deciding, StoreBatch *batch, guint64 deleted)
{
  HubStream *stream = deciding->stream;
  const char *state = pass_state_word (deciding->accept ? PASS_COMPLETE : PASS_REFUSED);
  json_object_object_add (deciding->body, "state", json_object_new_string (state));
  json_object_object_add (deciding->body, "deleted", json_object_new_uint64 (deleted));
  StoreRow row = { .id = stream->held,
                   .connector = stream->connector->label,
                   .stream = stream->name,
                   .kind = "",
                   .state = state,
                   .reason = "",
                   .at_ms = deciding->ended_ms,
                   .body = json_object_to_json_string_ext (deciding->body, JSON_C_TO_STRING_PLAIN) };
  store_batch_row (batch, STORE_PASSES, &row);
  HubStream after = *stream;
  after.held = NULL;
  g_autofree char *key = hub_stream_key (stream);
  g_autofree char *json = hub_stream_to_state (&after);
  store_batch_state (batch, key, json);
}

/* What was seen again since the pass ended stays. */
static void
decide_now (Deciding *deciding)
{
  Hub *hub = deciding->hub;
  guint64 deleted = 0;
  StoreBatch *batch = store_batch_new (hub->world.store, TRUE, "operator");
  for (guint i = 0; i < deciding->rids->len && deciding->accept; i++) {
    guint64 rid = g_array_index (deciding->rids, guint64, i);
    HubCollection *collection = hub_collection (hub, (guint32)(rid >> 32));
    MapEntry *entry = collection && collection->map && (guint32)rid < map_count (collection->map)
                        ? map_at (collection->map, (guint32)rid)
                        : NULL;
    if (entry && !entry->deleted && (gint64)entry->asked_ms <= deciding->ended_ms)
      deleted +=
        put_missing (batch, hub, collection, (guint32)rid, is_zero (deciding->stream), hub_wall_ms (hub));
  }
  put_decision (deciding, batch, deleted);
  for (guint i = 0; i < deciding->collections->len; i++)
    ((HubCollection *)deciding->collections->pdata[i])->writing++;
  store_submit (hub->world.store, batch, decided, deciding);
}

static void
map_for_deciding (HubCollection *collection, const GError *error, gpointer data)
{
  Deciding *deciding = data;
  if (--deciding->loading == 0)
    decide_now (deciding);
}

void
sync_decide (Hub *hub, HubStream *stream, gboolean accept, const StoreRow *row, StoreDone done, gpointer data)
{
  Deciding *deciding = g_new0 (Deciding, 1);
  *deciding = (Deciding){ .hub = hub, .stream = stream, .accept = accept, .done = done, .data = data };
  deciding->body = json_tokener_parse (row->body);
  deciding->ended_ms = row->at_ms;
  deciding->rids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_array_append_vals (deciding->rids, row->extra, (guint)(row->extra_size / sizeof (guint64)));
  deciding->collections = g_ptr_array_new ();
  stream->deciding = TRUE;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (stream->kinds & (1u << kind))
      g_ptr_array_add (deciding->collections, hub_collection_get (hub, stream->connector, kind));
  deciding->loading = deciding->collections->len;
  for (guint i = 0; i < deciding->collections->len; i++)
    ((HubCollection *)deciding->collections->pdata[i])->users++;
  for (guint i = deciding->collections->len; i-- > 0;)
    hub_collection_load (hub, deciding->collections->pdata[i], map_for_deciding, deciding);
}
