/* Pages: asked for one after the other, judged when they end, asked for again when something failed. */
#include "hub/sync-run.h"

#include <string.h>

enum {
  DEADLINE_MS = 120000, /* of a page, where the plugin names none */
  TRIES_MOST = 8,       /* of one page, before the pass is given up and begun anew */
  BAD_TRIES_MOST = 3,
  WAITS_MOST = 1000,       /* of one page that the vendor asked us to put off */
  WAIT_MOST_MS = 86400000, /* however long the vendor or the plugin asks for */
  CURSOR_BYTES_MOST = 64 << 10,
};

static void
ignored (HubCall *call, json_object *result, gpointer data)
{
}

void
run_give_up_call (SyncRun *run)
{
  if (!run->call)
    return;
  run->call->run = NULL;
  run->call->done = ignored;
  hub_call_cancel (run->call);
  run->call = NULL;
}

void
run_wait (SyncRun *run, gint64 mono_ms, Reason reason, const char *detail)
{
  hub_stream_set (run->stream, STREAM_WAITING, reason, detail);
  hub_stream_plan (run->stream, mono_ms);
}

typedef enum {
  ON_FAILURE_AGAIN,
  ON_FAILURE_BAD,
  ON_FAILURE_WAIT,
  ON_FAILURE_GIVE_UP,
  ON_FAILURE_STOP_STREAM,
  ON_FAILURE_STOP_CONNECTOR
} OnFailure;

static OnFailure
on_failure (const char *status)
{
  static const struct {
    const char *status;
    OnFailure what;
  } rows[] = {
    { "service_unavailable", ON_FAILURE_AGAIN },
    { "in_doubt", ON_FAILURE_AGAIN },
    { "not_sure", ON_FAILURE_AGAIN },
    { "cancelled", ON_FAILURE_AGAIN },
    { "rate_limit_exceeded", ON_FAILURE_WAIT },
    { "bad_response", ON_FAILURE_BAD },
    { "permission_error", ON_FAILURE_STOP_STREAM },
    { "authentication_error", ON_FAILURE_STOP_CONNECTOR },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].status, status) == 0)
      return rows[i].what;
  return ON_FAILURE_GIVE_UP;
}

/* A number that a worker gave, whatever it is, between least and most. */
static gint64
number_of (json_object *object, const char *name, gint64 least, gint64 most)
{
  return CLAMP (json_object_get_int64 (json_object_object_get (object, name)), least, most);
}

static void
page_failed (SyncRun *run, const char *status, json_object *result)
{
  Hub *hub = run->hub;
  Reason reason = reason_of_status (status);
  const char *detail = run_text (result, "detail");
  gint64 asked_to_wait_ms = number_of (result, "retry_ms", 0, WAIT_MOST_MS);
  OnFailure what = on_failure (status);
  if (what == ON_FAILURE_WAIT)
    run->waits++;
  else
    run->tries++;
  if (run->stream->pass->dry)
    what = ON_FAILURE_GIVE_UP;
  switch (what) {
  case ON_FAILURE_WAIT:
  case ON_FAILURE_AGAIN:
  case ON_FAILURE_BAD:
    if (run->tries >= (what == ON_FAILURE_BAD ? BAD_TRIES_MOST : TRIES_MOST) || run->waits >= WAITS_MOST)
      break;
    run->wants_page = TRUE;
    gint64 backoff_ms = hub_backoff_ms (hub, run->tries + run->waits);
    run_wait (run, hub_mono_ms (hub) + MAX (asked_to_wait_ms, backoff_ms), reason, detail);
    run_flush (run); /* what the page brought so far must not keep others from their credit */
    return;
  case ON_FAILURE_STOP_CONNECTOR:
    run->stream->connector->refused = TRUE;
    break;
  case ON_FAILURE_STOP_STREAM:
  case ON_FAILURE_GIVE_UP:
    break;
  }
  run_fail (run, reason, detail);
}

/* Items that gave no record have no kind of their own: they count for the stream's main one. */
static guint
run_first_kind (const SyncRun *run)
{
  guint kind = 0;
  while (!run->collections[kind])
    kind++;
  return kind;
}

/* What is wrong with how the page ended, NULL: nothing. */
static const char *
wrong_ending (const SyncRun *run, const char *ending, json_object *cursor)
{
  const Pass *pass = run->stream->pass;
  gboolean more = strcmp (ending, "more") == 0;
  gsize size = 0;
  if (run->mismatch && run->fresh)
    return "the worker skipped items although it was asked not to";
  if (strcmp (ending, "done") == 0)
    return NULL;
  if (!more && strcmp (ending, "later") != 0) /* were it the end, what was not seen would be deleted */
    return "the page ended without saying whether more follows";
  if (cursor && !json_object_is_type (cursor, json_type_object))
    return "the page ended with a cursor that is none";
  json_object_to_json_string_length (cursor, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);
  if (size > CURSOR_BYTES_MOST)
    return "the page ended with a cursor of more than 64 KiB";
  if (more && (!cursor || json_object_object_length (cursor) == 0 ||
               (pass->cursor && json_object_equal (pass->cursor, cursor))))
    return "the page ended with the cursor where it was";
  return NULL;
}

/* Of a page with very many rejects the worker tells the first ones by name, and how many there were. */
static void
take_untold (SyncRun *run, guint rejected)
{
  guint told = 0;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    told += run->page[kind][SEEN_REJECTED];
  if (rejected <= told)
    return;
  run->page[run_first_kind (run)][SEEN_REJECTED] += rejected - told;
  run->nameless += rejected - told;
}

static void
page_went_well (SyncRun *run, HubCall *call, json_object *result)
{
  Pass *pass = run->stream->pass;
  const char *ending = run_text (result, "ending");
  json_object *cursor = json_object_object_get (result, "cursor");
  gboolean more = strcmp (ending, "more") == 0, later = strcmp (ending, "later") == 0;
  const char *wrong = wrong_ending (run, ending, cursor);
  if (wrong) {
    run_fail (run, REASON_PLUGIN_FAILED, wrong);
    return;
  }
  if (run->mismatch) { /* we hold something else than the worker gave last: it shall give it again */
    run->fresh = TRUE;
    run_page (run);
    return;
  }
  run->page[run_first_kind (run)][SEEN_PLUGIN] += (guint)number_of (result, "filtered", 0, G_MAXINT32);
  take_untold (run, (guint)number_of (result, "rejected", 0, G_MAXINT32));
  run_children (run, json_object_object_get (result, "children"), call->asked_ms);
  run_count_page (run);
  pass->pages++;
  run->tries = run->waits = 0;
  run->fresh = FALSE;
  call->plugin->crashes = 0;
  if (more || later) {
    json_object_put (pass->cursor);
    pass->cursor = json_object_get (cursor);
  }
  run->until_ms = number_of (result, "until_ms", 0, hub_wall_ms (run->hub) + RECORD_AHEAD_MOST_MS);
  run->later_ms =
    later ? hub_mono_ms (run->hub) + number_of (result, "later_s", 1, WAIT_MOST_MS / 1000) * 1000 : 0;
  run->page_end = more || later ? PAGE_MORE : PAGE_DONE;
  run_next (run);
}

static void
page_ended (HubCall *call, json_object *result, gpointer data)
{
  SyncRun *run = data;
  run->call = NULL;
  if (!result) { /* the worker went: the page is back in line, and what it still owed is not counted */
    run->tries++;
    if (run->stream->pass->dry) {
      run_fail (run, REASON_PLUGIN_CRASHED, call->plugin->trouble);
      return;
    }
    run->wants_page = TRUE;
    run_wait (run, G_MAXINT64, REASON_PLUGIN_CRASHED, call->plugin->trouble);
    run_flush (run);
    return;
  }
  const char *status = run_text (result, "status");
  if (strcmp (status, "ok") == 0)
    page_went_well (run, call, result);
  else
    page_failed (run, status, result);
}

void
run_page (SyncRun *run)
{
  HubStream *stream = run->stream;
  Pass *pass = stream->pass;
  HubConnector *connector = stream->connector;
  run->wants_page = TRUE;
  if (run->call || run->hub->draining)
    return;
  if (!hub_plugin_serves (connector->plugin)) {
    run_wait (run, G_MAXINT64, REASON_STARTING, connector->plugin->trouble);
    hub_plugin_start (connector->plugin);
    return;
  }
  run->wants_page = FALSE;
  run_start_try (run);
  json_object *body = json_object_new_object ();
  json_object_object_add (body, "stream", json_object_new_string (stream->name));
  json_object_object_add (body, "full", json_object_new_boolean (pass->full));
  json_object_object_add (body, "since_ms", json_object_new_int64 (pass->since_ms));
  json_object_object_add (body, "started_ms", json_object_new_int64 (pass->started_ms));
  json_object_object_add (body, "cursor",
                          pass->cursor ? json_object_get (pass->cursor) : json_object_new_object ());
  json_object_object_add (body, "fresh", json_object_new_boolean (run->fresh || run->unskipped));
  json_object_object_add (body, "first", json_object_new_boolean (pass->pages == 0));
  json_object_object_add (body, "urgency", json_object_new_string ("sync"));
  hub_stream_set (stream, STREAM_RUNNING, REASON_NONE, NULL);
  run->call = hub_call (connector, "pull", body, stream->deadline_ms > 0 ? stream->deadline_ms : DEADLINE_MS,
                        page_ended, run);
  run->call->run = run;
}
