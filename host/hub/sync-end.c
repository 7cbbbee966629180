/* The end of a pass: what a complete full pass did not see is missing, and goes as the stream says, unless
 * that is too much. */
#include <string.h>

#include "base/hash.h"
#include "hub/overrides.h"
#include "hub/sync-run.h"

enum { CHUNK = 500 }; /* records that are deleted or set to zero in one batch */

static gboolean
looks_for_missing (const SyncRun *run)
{
  const Pass *pass = run->stream->pass;
  return pass->state == PASS_RUNNING && pass->full && !pass->resumed && !pass->dry &&
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

gboolean
run_is_zero (const HubStream *stream)
{
  return strcmp (stream->missing, "zero") == 0;
}

typedef struct {
  HubCollection *collection;
  char *body;
  gsize length;
  char *id;
  gsize id_length;
} Zeroed;

static gboolean
zero_one (const StoreFound *found, gpointer data)
{
  Zeroed *zeroed = data;
  JsonBuffer vendor = { 0 };
  if (found->deleted || !found->body)
    return FALSE;
  overrides_vendor_body (zeroed->collection, found, &vendor);
  zeroed->body = model_zero_quantity (vendor.bytes, vendor.length, &zeroed->length);
  json_buffer_clear (&vendor);
  zeroed->id = g_strndup (found->id, found->id_length);
  zeroed->id_length = found->id_length;
  return FALSE;
}

gboolean
run_has_met (const SyncRun *run, guint kind, const MapEntry *entry)
{
  gint64 asked_ms = (gint64)entry->asked_ms;
  return entry->seen >= run->pass_mark[kind] ||
         (asked_ms > run->stream->pass->started_ms && asked_ms <= hub_wall_ms (run->hub));
}

static void
find_missing (SyncRun *run)
{
  gboolean zero = run_is_zero (run->stream);
  run->missing = g_array_new (FALSE, FALSE, sizeof (guint64));
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    HubCollection *collection = run->collections[kind];
    for (guint32 i = 0; collection && i < map_count (collection->map); i++) {
      const MapEntry *entry = map_at (collection->map, i);
      guint64 rid = (guint64)collection->number << 32 | i;
      if (entry->deleted || run_has_met (run, kind, entry))
        continue;
      if (zero && entry->zeroed) /* long ago: it is missing from every pass since, and no news */
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
  Zeroed zeroed = { .collection = collection };
  gboolean found;
  MapEntry *entry = map_at (collection->map, ordinal);
  if (!store_get (hub->world.store, collection->number, ordinal, &found, zero_one, &zeroed, &error)) {
    log_line (LOG_ERROR, NULL, "%s: cannot read a record to set its stock to zero: %s", collection->key,
              error->message);
    return FALSE;
  }
  if (!zeroed.body) {
    g_free (zeroed.id);
    return FALSE;
  }
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
gboolean
run_put_missing (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal, gboolean zero,
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
  json_object_put (run->placing);
  run->placing = pass_to_saved (run->stream->pass);
  store_batch_state (run_batch (run), key, state);
}

static gboolean
refuse_row (const StoreRow *row, gpointer data)
{
  if (strcmp (row->state, pass_state_word (PASS_HELD)) != 0)
    return FALSE; /* a person decided */
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
    if (run_put_missing (run_batch (run), run->hub, collection, (guint32)rid, run_is_zero (stream),
                         pass->started_ms))
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

/* What a full pass would find missing. */
static guint64
count_missing (const SyncRun *run)
{
  guint64 missing = 0;
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    Map *map = run->collections[kind] ? run->collections[kind]->map : NULL;
    for (guint32 i = 0; map && i < map_count (map); i++) {
      const MapEntry *entry = map_at (map, i);
      missing +=
        !entry->deleted && !entry->zeroed && !g_hash_table_contains (run->dry_seen[kind], &entry->id_hash);
    }
  }
  return missing;
}

void
run_end (SyncRun *run)
{
  Pass *pass = run->stream->pass;
  gboolean looks = looks_for_missing (run) && !run->nameless && run_is_zero (run->stream);
  if (run_looks_at_zeros (run) || (looks && run_look_at_zeros (run))) {
    run->page_end = PAGE_DONE;
    return;
  }
  run->page_end = PAGE_NONE;
  if (pass->dry) {
    if (pass->full && strcmp (run->stream->missing, "stays") != 0)
      pass->missing = count_missing (run);
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
