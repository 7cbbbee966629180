/* The beginning of a pass: may it begin now, and what kind is it? As many passes of one plugin run at once as
 * there are turns. */
#include "hub/sync-run.h"

enum {
  PASSES_A_PLUGIN = 16,
  FRESH_EVERY_MS = 86400000, /* a full pass without skipping */
};

/* Those that wait for their turn are tried at the next tick, as many as there is room for; one that cannot
 * begin then costs the others nothing. */
void
run_take_turns (HubPlugin *plugin)
{
  for (guint room = PASSES_A_PLUGIN - MIN (plugin->running, PASSES_A_PLUGIN); room > 0;) {
    HubStream *next = g_queue_pop_head (&plugin->turn);
    if (!next)
      return;
    next->in_turn = FALSE;
    if (next->run)
      continue;
    hub_stream_plan (next, hub_mono_ms (plugin->hub));
    room--;
  }
}

static Pass *
take_pass (HubStream *stream)
{
  Hub *hub = stream->connector->plugin->hub;
  char id[ID_TEXT_SIZE];
  Pass *pass = g_steal_pointer (&stream->next);
  if (!pass) {
    hub_make_id (hub, "pass_", id);
    pass = pass_new (id, stream->connector->store->config->id, stream->connector->name, stream->name, FALSE);
  }
  if (!pass->resumed) {
    pass->full |= hub_stream_wants_full (stream);
    pass->since_ms = pass->full ? 0 : MAX (0, stream->watermark_ms - stream->overlap_ms);
    pass->started_ms = hub_wall_ms (hub);
  }
  pass->state = PASS_RUNNING;
  return pass;
}

/* Why no pass can begin now; then the stream's state says so. */
static gboolean
must_wait (HubStream *stream)
{
  HubConnector *connector = stream->connector;
  HubPlugin *plugin = connector->plugin;
  Hub *hub = plugin->hub;
  if (plugin->state == PLUGIN_REFUSED || plugin->state == PLUGIN_PARKED) {
    hub_stream_set (stream, STREAM_STOPPED, REASON_PLUGIN_MISSING,
                    plugin->info ? plugin->info->refused : NULL);
    return TRUE;
  }
  if (connector->refused) {
    hub_stream_set (stream, STREAM_STOPPED, REASON_CREDENTIALS_REFUSED, connector->error_detail);
    return TRUE;
  }
  gint64 since_ms = hub_wall_ms (hub) - stream->started_ms;
  gboolean resumed = stream->next && stream->next->resumed;
  if (stream->started_ms && !resumed && since_ms >= 0 && since_ms < stream->least_ms) {
    hub_stream_set (stream, stream->next ? STREAM_WAITING : STREAM_IDLE,
                    stream->next ? REASON_LEAST_INTERVAL : REASON_NONE, NULL);
    hub_stream_plan (stream, hub_mono_ms (hub) + stream->least_ms - since_ms);
    return TRUE;
  }
  if (plugin->running >= PASSES_A_PLUGIN) {
    if (!stream->in_turn)
      g_queue_push_tail (&plugin->turn, stream);
    stream->in_turn = TRUE;
    hub_stream_set (stream, STREAM_WAITING, REASON_TURN, NULL);
    return TRUE;
  }
  return FALSE;
}

static SyncRun *
run_new (HubStream *stream)
{
  SyncRun *run = g_new0 (SyncRun, 1);
  run->hub = stream->connector->plugin->hub;
  run->stream = stream;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (stream->kinds & (1u << kind)) {
      run->collections[kind] = hub_collection_get (run->hub, stream->connector, kind);
      run->collections[kind]->users++;
    }
  return run;
}

void
sync_begin (HubStream *stream)
{
  HubPlugin *plugin = stream->connector->plugin;
  Hub *hub = plugin->hub;
  if (stream->run || stream->deciding || hub->draining)
    return;
  if (must_wait (stream)) {
    if (!stream->in_turn)
      run_take_turns (plugin);
    return;
  }
  stream->pass = take_pass (stream);
  SyncRun *run = stream->run = run_new (stream);
  if (stream->pass->resumed)
    run->place = pass_to_saved (stream->pass);
  if (stream->pass->dry) {
    run->records = json_object_new_array ();
    run->rejects = json_object_new_array ();
    for (guint kind = 0; kind < MODEL_KINDS; kind++)
      if (run->collections[kind])
        run->dry_seen[kind] = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
    run->dry_done = stream->dry_done;
    run->dry_data = stream->dry_data;
  }
  run->unskipped = stream->pass->dry;
  if (stream->pass->full && !stream->pass->dry && hub_mono_ms (hub) - stream->fresh_ms >= FRESH_EVERY_MS) {
    run->unskipped = TRUE;
    stream->fresh_ms = hub_mono_ms (hub);
  }
  plugin->running++;
  hub->passes_running++;
  hub_stream_set (stream, STREAM_RUNNING, REASON_NONE, NULL);
  run_load (run);
}
