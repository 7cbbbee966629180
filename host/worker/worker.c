#include "worker/worker.h"

#include <gio/gio.h>
#include <malloc.h>
#include <string.h>
#include "base/timefmt.h"
#include "worker/describe.h"
#include "worker/http.h"
#include "worker/loader.h"
#include "worker/paths.h"

enum {
  REST_AFTER_MS = 5000,
#ifdef SANITIZED
  STACK_BYTES = 1 << 20, /* instrumented frames are larger */
#else
  STACK_BYTES = 256 << 10,
#endif
  LOG_TEXT_MOST = 4096
};

static void worker_event (int fd, guint32 events, gpointer data);

/* ---- out ---- */

static void
worker_end (Worker *worker, gboolean failed)
{
  worker->ended = TRUE;
  worker->failed |= failed;
  loop_quit (worker->loop);
}

static void
flush_out (gpointer data)
{
  Worker *worker = data;
  gsize pending = 0;
  worker->flushing = FALSE;
  if (worker->ended)
    return;
  if (!wire_end_flush (worker->end, &pending)) {
    worker_end (worker, TRUE);
    return;
  }
  loop_watch_update (worker->watch, pending ? EPOLLIN | EPOLLOUT : EPOLLIN);
  if (worker->draining && !pending && g_hash_table_size (worker->calls) == 0)
    worker_end (worker, FALSE);
}

void
worker_flush_soon (Worker *worker)
{
  if (!worker->flushing)
    loop_defer (worker->loop, flush_out, worker);
  worker->flushing = TRUE;
}

void
worker_send (Worker *worker, WireType type, guint64 call, json_object *body)
{
  size_t length = 0;
  const char *text =
    body ? json_object_to_json_string_length (body, JSON_C_TO_STRING_NOSLASHESCAPE, &length) : "";
  wire_end_send (worker->end, type, 0, call, text, length);
  json_object_put (body);
  worker_flush_soon (worker);
}

void
worker_send_batch (Worker *worker, WireType type, guint kind, guint64 call, GByteArray *batch)
{
  worker->window_used += batch->len;
  wire_end_send_array (worker->end, type, (guint8)kind, call, batch);
  worker_flush_soon (worker);
}

void
worker_log (Worker *worker, const Call *call, tb_level level, const char *text)
{
  static const char *const names[] = { "error", "warning", "info", "debug" };
  g_autoptr (GString) shown = g_string_new (text);
  if (call)
    call_redact (call, shown);
  g_autofree char *valid = g_utf8_make_valid (shown->str, (gssize)MIN (shown->len, LOG_TEXT_MOST));
  json_object *body = json_object_new_object ();
  json_object_object_add (body, "level", json_object_new_string (names[MIN ((guint)level, TB_DEBUG)]));
  json_object_object_add (body, "text", json_object_new_string (valid));
  worker_send (worker, WIRE_LOG, call ? call->number : 0, body);
}

/* ---- in ---- */

static void
connect_frame (Worker *worker, guint64 number, json_object *body)
{
  Connector *connector = connector_new (worker, number, body);
  g_hash_table_replace (worker->connectors, &connector->number, connector);
}

static void
credit_frame (Worker *worker, guint64 bytes)
{
  GHashTableIter iter;
  gpointer call;
  worker->window_used -= MIN (worker->window_used, bytes);
  g_hash_table_iter_init (&iter, worker->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    if (((Call *)call)->wants_credit)
      fiber_wake (((Call *)call)->fiber);
}

static void
cancel_frame (Worker *worker, guint64 number)
{
  Call *call = g_hash_table_lookup (worker->calls, &number);
  if (call)
    call_cancel (call);
}

/* The hub is the same build and was started before us: a frame that makes no sense ends the worker. */
static gboolean
take_frame (Worker *worker, const WireFrame *frame)
{
  json_object *body = NULL;
  if (frame->head.type == WIRE_CONNECT || frame->head.type == WIRE_CALL) {
    body = json_tokener_parse ((const char *)frame->body);
    if (!json_object_is_type (body, json_type_object)) {
      json_object_put (body);
      return FALSE;
    }
  }
  switch (frame->head.type) {
  case WIRE_CONNECT:
    connect_frame (worker, frame->head.call, body);
    break;
  case WIRE_DISCONNECT:
    g_hash_table_remove (worker->connectors, &frame->head.call);
    break;
  case WIRE_CALL:
    call_start (worker, frame->head.call, body);
    break;
  case WIRE_CANCEL:
    cancel_frame (worker, frame->head.call);
    break;
  case WIRE_CREDIT:
    credit_frame (worker, frame->head.call);
    break;
  case WIRE_DRAIN:
    worker->draining = TRUE;
    worker_flush_soon (worker);
    break;
  case WIRE_PING:
    worker_send (worker, WIRE_PONG, frame->head.call, NULL);
    break;
  default:
    return FALSE;
  }
  json_object_put (body);
  return TRUE;
}

static void
read_frames (Worker *worker)
{
  g_autoptr (GError) error = NULL;
  WireFrame frame;
  gboolean open = wire_end_read (worker->end, &error);
  while (!error && wire_end_next (worker->end, &frame, &error))
    if (!take_frame (worker, &frame)) {
      g_printerr ("tillbridge-worker: the hub sent a frame that makes no sense (%s)\n",
                  wire_type_name (frame.head.type));
      worker_end (worker, TRUE);
      return;
    }
  if (error)
    g_printerr ("tillbridge-worker: hub: %s\n", error->message);
  if (!open || error)
    worker_end (worker, error != NULL);
}

static void
worker_event (int fd, guint32 events, gpointer data)
{
  Worker *worker = data;
  if (worker->ended)
    return;
  if (events & ~EPOLLOUT)
    read_frames (worker);
  if (events & EPOLLOUT)
    worker_flush_soon (worker);
}

/* ---- life ---- */

static void
rest (gpointer data)
{
  Worker *worker = data;
  if (g_hash_table_size (worker->calls) > 0)
    return;
  http_rest (worker->http);
  malloc_trim (0);
}

void
worker_call_ended (Worker *worker)
{
  if (!worker->ended && g_hash_table_size (worker->calls) == 0)
    loop_timer_set (worker->rest, loop_now_ms (worker->loop) + REST_AFTER_MS);
}

Worker *
worker_new (Loop *loop, Plugin *plugin, int fd, GError **error)
{
  Worker *worker = g_new0 (Worker, 1);
  worker->loop = loop;
  worker->wall_ms = time_wall_ms;
  worker->plugin = plugin;
  worker->end = wire_end_new (fd);
  worker->http = http_new (loop, error);
  if (!worker->http) {
    wire_end_free (worker->end);
    g_free (worker);
    return NULL;
  }
  worker->paths = paths_new (plugin);
  worker->fibers = fibers_new (loop, STACK_BYTES, WORKER_CALLS_MOST);
  worker->connectors =
    g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)connector_unref);
  worker->calls = g_hash_table_new (g_int64_hash, g_int64_equal);
  worker->rest = loop_timer_new (loop, rest, worker);
  worker->watch = loop_watch_new (loop, fd, EPOLLIN, worker_event, worker);
  worker_send (worker, WIRE_HELLO, 0, describe (plugin));
  return worker;
}

/* Calls that still run are told to end, and get a moment for it; FALSE: one did not. */
static gboolean
end_calls (Worker *worker)
{
  enum { MOMENT_MS = 500 };
  GHashTableIter iter;
  gpointer call;
  g_hash_table_iter_init (&iter, worker->calls);
  while (g_hash_table_iter_next (&iter, NULL, &call))
    call_cancel (call);
  gint64 until_ms = time_monotonic_ms () + MOMENT_MS;
  while (fibers_running (worker->fibers) && time_monotonic_ms () < until_ms)
    loop_turn (worker->loop, 10);
  return fibers_running (worker->fibers) == 0;
}

/* A worker whose plugin does not come back is left as it is: the process is about to end. */
gboolean
worker_free (Worker *worker)
{
  worker->ended = TRUE;
  if (!end_calls (worker))
    return FALSE;
  loop_turn (worker->loop, 0); /* what was put off knows of the worker */
  g_hash_table_unref (worker->calls);
  g_hash_table_unref (worker->connectors);
  paths_free (worker->paths);
  http_free (worker->http);
  fibers_free (worker->fibers);
  loop_timer_free (worker->rest);
  loop_watch_free (worker->watch);
  wire_end_free (worker->end);
  g_free (worker);
  return TRUE;
}

gboolean
worker_ended (const Worker *worker, gboolean *failed)
{
  if (failed)
    *failed = worker->failed;
  return worker->ended;
}
