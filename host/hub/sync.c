/* The life of a pass: its pages are asked for one after the other, stored while the next arrives, and asked
 * again when something fails. */
#include "hub/fetch.h"
#include "hub/overrides.h"

#include <string.h>

enum {
  STORE_AGAIN_MS = 1500,
};

static void
each_collection (SyncRun *run, void (*func) (SyncRun *run, HubCollection *collection))
{
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (run->collections[kind])
      func (run, run->collections[kind]);
}

static void
count_writing (SyncRun *run, HubCollection *collection)
{
  if (hub_collection_writing (collection, run->batch))
    run->storing_kinds |= 1u << collection->kind;
}

static void
count_written (SyncRun *run, HubCollection *collection)
{
  hub_collection_written (run->hub, collection, (run->storing_kinds & (1u << collection->kind)) != 0);
}

static void
drop_map (SyncRun *run, HubCollection *collection)
{
  hub_collection_forget (collection, run);
  hub_collection_drop (collection);
}

static void
release_map (SyncRun *run, HubCollection *collection)
{
  hub_collection_forget (collection, run);
  collection->users--;
  collection->used_ms = hub_mono_ms (run->hub);
}

static void
run_free (SyncRun *run)
{
  if (run->batch)
    store_batch_free (run->batch);
  run_free_zeros (run);
  if (run->missing)
    g_array_unref (run->missing);
  json_object_put (run->records);
  json_object_put (run->rejects);
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    g_clear_pointer (&run->dry_seen[kind], g_hash_table_unref);
  json_object_put (run->place);
  json_object_put (run->placing);
  g_clear_error (&run->load_error);
  g_clear_error (&run->doubt);
  g_free (run);
}

/* Enough to be written before the page ends? Passes of one plugin share the worker's window: none may sit on
 * it so long that the others get no credit. */
static gboolean
batch_is_full (const SyncRun *run)
{
  guint passes = MAX (1, run->stream->connector->plugin->running);
  return run->batch &&
         (store_batch_size (run->batch) >= RUN_BATCH_RECORDS ||
          run->batch_bytes >= WIRE_WINDOW_BYTES / 2 / passes || run->batch_rejects >= RUN_BATCH_RECORDS);
}

gboolean
sync_frame (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong)
{
  if (!run_frame (run, call, frame, wrong))
    return FALSE;
  if (batch_is_full (run))
    run_flush (run);
  return TRUE;
}

/* ---- storing ---- */

StoreBatch *
run_batch (SyncRun *run)
{
  if (!run->batch)
    run->batch = store_batch_new (run->hub->world.store, FALSE, "pull");
  return run->batch;
}

/* Back to what is stored: what the maps say beyond it is not true. */
static void
run_rewind (SyncRun *run, const GError *error)
{
  HubStream *stream = run->stream;
  g_clear_pointer (&run->placing, json_object_put);
  gboolean full_disk = g_error_matches (error, STORE_ERROR, STORE_ERROR_FULL);
  LogContext context = { .store = stream->pass->store, .connector = stream->connector->name };
  if (stream->reason != REASON_DISK_FULL && stream->reason != REASON_STORE_FAILED)
    log_line (LOG_ERROR, &context, "%s: cannot store: %s; tried again until it goes", stream->name,
              error->message);
  if (stream->pass->dry) {
    run_fail (run, full_disk ? REASON_DISK_FULL : REASON_STORE_FAILED, error->message);
    return;
  }
  run_give_up_call (run);
  g_clear_pointer (&run->batch, store_batch_free);
  hub_plugin_credit (stream->connector->plugin, run->generation, run->batch_bytes);
  run->batch_bytes = 0;
  g_clear_pointer (&run->missing, g_array_unref);
  run_forget_zeros (run);
  each_collection (run, drop_map);
  Pass *stored = run->place ? pass_from_saved (run->place) : NULL;
  Pass *pass = stored ? stored
                      : pass_new (stream->pass->id, stream->pass->store, stream->pass->connector,
                                  stream->name, stream->pass->full);
  pass->started_ms = stream->pass->started_ms;
  pass->since_ms = stream->pass->since_ms;
  pass->resumed = run->place != NULL || stream->pass->resumed;
  pass->state = PASS_RUNNING;
  pass_free (stream->pass);
  stream->pass = pass;
  run->page_end = PAGE_NONE;
  run->last = FALSE;
  run->tries = 0;
  run->fresh = FALSE;
  run->probing = FALSE;
  memset (run->pass_mark, 0, sizeof run->pass_mark);
  memset (run->page_mark, 0, sizeof run->page_mark);
  run->wants_maps = TRUE;
  run_wait (run, hub_mono_ms (run->hub) + STORE_AGAIN_MS, full_disk ? REASON_DISK_FULL : REASON_STORE_FAILED,
            error->message);
}

void
run_free_aborted (SyncRun *run)
{
  Hub *hub = run->hub;
  if (run->storing || run_looks_at_zeros (run))
    return;
  each_collection (run, release_map);
  run_free (run);
  hub_check_drained (hub);
}

/* From its page in the store on it is read again; a write of its own that is under way is waited for. */
void
sync_doubt (HubStream *stream, const GError *error)
{
  SyncRun *run = stream->run;
  if (!run || stream->pass->dry || run->wants_maps || run->probing || run->loading)
    return; /* it has met nothing yet */
  if (!run->storing)
    run_rewind (run, error);
  else if (!run->doubt)
    run->doubt = g_error_copy (error);
}

static void
stored (const GError *failed, gpointer data)
{
  SyncRun *run = data;
  Hub *hub = run->hub;
  HubStream *stream = run->stream;
  g_autoptr (GError) doubt = g_steal_pointer (&run->doubt);
  const GError *error = failed ? failed : doubt;
  run->storing = FALSE;
  if (error) /* before anybody goes on who waited for this batch */
    each_collection (run, drop_map);
  each_collection (run, count_written);
  run->storing_kinds = 0;
  if (run->aborted) {
    run_free_aborted (run);
    return;
  }
  hub_plugin_credit (run->stream->connector->plugin, run->generation, run->storing_bytes);
  run->storing_bytes = 0;
  if (!error && run->placing) {
    json_object_put (run->place);
    run->place = g_steal_pointer (&run->placing);
  }
  if (error)
    run_rewind (run, error);
  else if (run->probing)
    run_load (run);
  else if (run->last)
    run_finished (run);
  else if (run->missing)
    run_end_stored (run);
  else if (run->page_end != PAGE_NONE)
    run_next (run);
  else if (batch_is_full (run) || (run->batch && run->wants_page))
    run_flush (run);
  fetch_go_on (stream);
  hub_check_drained (hub);
  hub_arm (hub);
}

gboolean
sync_make_way (HubStream *stream)
{
  SyncRun *run = stream->run;
  if (!run || !run->batch)
    return TRUE;
  run_flush (run);
  return !run->batch;
}

void
run_flush (SyncRun *run)
{
  if (run->storing || !run->batch)
    return;
  run->storing = TRUE;
  run->storing_bytes = run->batch_bytes;
  run->batch_bytes = 0;
  run->dirty = TRUE;
  each_collection (run, count_writing);
  run->batch_rejects = 0;
  overrides_submit (run->hub, run->collections[MODEL_PRODUCTS], g_steal_pointer (&run->batch), stored, run);
}

/* After a page, when nothing is being written: the place goes with its records, and the next page is asked
 * for meanwhile. */
void
run_next (SyncRun *run)
{
  if (run->storing)
    return;
  if (run->page_end == PAGE_DONE) {
    run_end (run);
    return;
  }
  run->page_end = PAGE_NONE;
  if (run->stream->pass->dry) {
    if (run->later_ms)
      run_fail (run, REASON_VENDOR_PREPARES, "the vendor is still preparing what was asked for");
    else
      run_page (run);
    return;
  }
  if (run->batch || run->dirty) {
    run_save_place (run);
    run_flush (run);
    run->dirty = FALSE;
  }
  if (run->later_ms) {
    run->wants_page = TRUE;
    run_wait (run, run->later_ms, REASON_VENDOR_PREPARES, NULL);
  } else {
    run_page (run);
  }
}

/* ---- beginning ---- */

guint64
run_alive (const SyncRun *run)
{
  guint64 alive = 0;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (run->collections[kind] && run->collections[kind]->map)
      alive += map_alive (run->collections[kind]->map);
  return alive;
}

static void
maps_ready (SyncRun *run)
{
  run->alive_before = run_alive (run);
  run_page (run);
}

static void
map_ready (HubCollection *collection, const GError *error, gpointer data)
{
  SyncRun *run = data;
  run->loading--;
  if (error && !run->load_error)
    run->load_error = g_error_copy (error);
  if (run->loading)
    return;
  g_autoptr (GError) failed = g_steal_pointer (&run->load_error);
  if (failed)
    run_rewind (run, failed);
  else
    maps_ready (run);
}

static void
load_map (SyncRun *run, HubCollection *collection)
{
  hub_collection_load (run->hub, collection, map_ready, run);
}

static void
count_loading (SyncRun *run, HubCollection *collection)
{
  run->loading++;
}

/* After a write that failed: the place is written once more, and only when that goes the vendor is asked
 * again. */
static void
run_probe (SyncRun *run)
{
  run->wants_maps = FALSE;
  run->probing = TRUE;
  run_save_place (run);
  run_flush (run);
}

void
run_load (SyncRun *run)
{
  run->probing = FALSE;
  each_collection (run, count_loading);
  each_collection (run, load_map);
}

void
sync_go_on (HubStream *stream)
{
  SyncRun *run = stream->run;
  if (run && run->wants_page && !run->wants_maps && !run->loading && !heap_holds (&stream->due))
    run_page (run);
}

void
sync_tick (HubStream *stream)
{
  SyncRun *run = stream->run;
  if (run->wants_maps)
    run_probe (run);
  else if (run->wants_page)
    run_page (run);
}

gboolean
sync_busy (const HubStream *stream)
{
  return stream->deciding ||
         (stream->run && (stream->run->call || stream->run->storing || run_looks_at_zeros (stream->run)));
}

/* ---- ending ---- */

static void
let_others_run (HubPlugin *plugin)
{
  plugin->running--;
  plugin->hub->passes_running--;
  run_take_turns (plugin);
}

static void
leave_stream (SyncRun *run)
{
  HubStream *stream = run->stream;
  stream->run = NULL;
  let_others_run (stream->connector->plugin);
}

void
sync_abort (HubStream *stream, const char *why)
{
  SyncRun *run = stream->run;
  sync_decide_abort (stream);
  if (stream->in_turn)
    g_queue_remove (&stream->connector->plugin->turn, stream);
  stream->in_turn = FALSE;
  if (!run) {
    if (stream->next && stream->next->dry)
      stream->dry_done (NULL, "cancelled", why, stream->dry_data);
    return;
  }
  Hub *hub = run->hub;
  run_give_up_call (run);
  if (run->batch || run->storing) /* what the maps say beyond what is stored may never be */
    each_collection (run, drop_map);
  hub_plugin_credit (stream->connector->plugin, run->generation, run->batch_bytes + run->storing_bytes);
  if (run->dry_done)
    run->dry_done (NULL, "cancelled", why, run->dry_data);
  leave_stream (run);
  run->stream = NULL;
  run->aborted = TRUE;
  if ((!run->storing && !run_looks_at_zeros (run)) || hub->ending) {
    each_collection (run, release_map);
    run_free (run);
  }
  hub_check_drained (hub);
}

static const ShapeMember dry_run_members[] = {
  { "pass", "Pass", "Its sums." },
  { "records", "[Record]", "The first of the records that it would have stored." },
  { "rejects", "[Reject]", "The first of those that it would have set aside." },
  { NULL },
};
const Shape dry_run_shape = { "DryRun", "What a pass found that stored nothing.", dry_run_members };

static void
tell_dry (SyncRun *run)
{
  Pass *pass = run->stream->pass;
  json_object *result = json_object_new_object ();
  json_object_object_add (result, "pass", pass_to_json (pass));
  json_object_object_add (result, "records", json_object_get (run->records));
  json_object_object_add (result, "rejects", json_object_get (run->rejects));
  run->dry_done (result, "ok", NULL, run->dry_data);
  json_object_put (result);
}

void
run_finished (SyncRun *run)
{
  HubStream *stream = run->stream;
  Hub *hub = run->hub;
  Pass *pass = g_steal_pointer (&stream->pass);
  HubPlugin *plugin = stream->connector->plugin;
  gboolean good = pass->state == PASS_COMPLETE || pass->state == PASS_HELD;
  leave_stream (run);
  each_collection (run, release_map);
  if (!pass->dry) {
    metric_add (metrics_get (hub->world.metrics, "passes_total", plugin->name, stream->name,
                             pass->full ? "full" : "changes", pass_state_word (pass->state)),
                1);
    if (!stream->full_ms && run->after.full_ms) /* of inventory: from now on it tells the stock */
      hub_collections_touch (stream->connector);
    stream->watermark_ms = run->after.watermark_ms;
    stream->as_of_ms = run->after.as_of_ms;
    stream->full_ms = run->after.full_ms;
    stream->records = run->after.records;
    stream->started_ms = pass->started_ms;
    stream->passes++;
    g_autofree char *held = g_steal_pointer (&stream->held);
    if (run->after.held)
      stream->held = pass->state == PASS_HELD ? g_strdup (pass->id) : g_steal_pointer (&held);
    pass_free (stream->last);
    stream->last = pass;
    stream->failures = good ? 0 : stream->failures + 1;
  } else {
    pass_free (pass);
  }
  if (good || run->records)
    hub_stream_set (stream, STREAM_IDLE, REASON_NONE, NULL);
  if (stream->state == STREAM_STOPPED)
    hub_stream_plan (stream, stream->next ? hub_mono_ms (hub) : G_MAXINT64);
  else if (good || run->records)
    hub_stream_plan_next (stream);
  else
    hub_stream_plan_again (stream);
  run_free (run);
}

/* The pass ends here, and the stream's state says why. */
void
run_fail (SyncRun *run, Reason reason, const char *detail)
{
  HubStream *stream = run->stream;
  Pass *pass = stream->pass;
  gboolean stops = reason == REASON_CREDENTIALS_REFUSED || reason == REASON_PERMISSION_REFUSED;
  LogContext context = { .store = pass->store,
                         .connector = stream->connector->name,
                         .code = reason_word (reason) };
  log_line (LOG_WARNING, &context, "%s: the pass failed: %s %s", stream->name, reason_text (reason),
            detail ? detail : "");
  pass->state = PASS_FAILED;
  pass->ended_ms = hub_wall_ms (run->hub);
  g_free (pass->detail);
  pass->detail = g_strdup (detail && *detail ? detail : reason_text (reason));
  hub_stream_set (stream, stops ? STREAM_STOPPED : STREAM_WAITING, reason, detail);
  if (pass->dry) {
    run->dry_done (NULL, reason_word (reason), pass->detail, run->dry_data);
    run_finished (run);
    return;
  }
  run->page_end = PAGE_DONE;
  if (!run->storing)
    run_end (run);
}

void
run_tell_dry (SyncRun *run)
{
  tell_dry (run);
  run_finished (run);
}
