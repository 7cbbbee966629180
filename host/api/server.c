/* libmicrohttpd on our loop: one daemon a listener, its epoll descriptor watched, its timeout a timer.
 *
 * MHD_run() is called from the loop alone, never inside a handler. What resumes a connection makes the timer
 * due at once: MHD_get_timeout() does not count resumed connections, and everything would stall. So it would
 * at the limit of connections: that there is room again is seen only by the run after the one that made it.
 */
#include "api/server.h"

#include <microhttpd.h>
#include <string.h>
#include <unistd.h>

#include "api/follow.h"
#include "api/pages.h"
#include "api/stream.h"

enum {
  HEAD_BYTES_MOST = 8192,    /* what fits the memory but is above this is told in our own words */
  CONNECTION_MEMORY = 20480, /* for two such: an answer's Link has the request's target in it */
  BODY_BYTES_MOST = 1 << 20,
  BODY_DISCARD_FACTOR =
    4, /* so much above the ceiling is read and thrown away, for a client that sends first */
  CONNECTIONS_MOST = 4096,
  PAGES_BYTES_MOST = 16 << 20,
};

struct Pending {
  Api *api;
  Request *request; /* NULL: the API ended */
};

Reloader *
api_reloader (Api *api)
{
  return api->reloader;
}

/* ---- the loop ---- */

static void
pump (Listener *listener)
{
  MHD_UNSIGNED_LONG_LONG timeout_ms;
  MHD_run (listener->daemon);
  if (listener->closed) {
    listener->closed = FALSE;
    MHD_run (listener->daemon);
  }
  if (MHD_get_timeout (listener->daemon, &timeout_ms) == MHD_YES)
    loop_timer_set (listener->timer, loop_now_ms (listener->api->loop) + (gint64)MIN (timeout_ms, G_MAXINT));
  else
    loop_timer_clear (listener->timer);
}

static void
on_ready (int fd, guint32 events, gpointer data)
{
  pump (data);
}

static void
on_timer (gpointer data)
{
  pump (data);
}

void
listener_run_soon (Listener *listener)
{
  loop_timer_set (listener->timer, loop_now_ms (listener->api->loop));
}

/* ---- requests ---- */

static void *
on_target (void *data, const char *target, struct MHD_Connection *connection)
{
  Listener *listener = data;
  Request *request = g_new0 (Request, 1);
  request->api = listener->api;
  request->hub = listener->api->hub;
  request->target = g_utf8_make_valid (target, -1);
  request->connection = connection;
  request->line = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  request->started_us = g_get_monotonic_time ();
  request->line->request = request;
  request->line->owing = TRUE;
  line_set_until (request->line, HEAD_MS);
  return request;
}

void
request_free (Request *request)
{
  if (!request)
    return;
  g_assert (!request->pending);
  request->line->request = NULL;
  route_path_clear (&request->path);
  route_values_clear (request->values);
  answer_free (request->answer);
  if (request->body)
    g_byte_array_unref (request->body);
  g_free (request->target);
  g_free (request->origin);
  g_free (request);
}

static void
on_completed (void *data, struct MHD_Connection *connection, void **context,
              enum MHD_RequestTerminationCode code)
{
  Request *request = g_steal_pointer (context);
  if (!request)
    return;
  line_answered (request->line);
  request_free (request);
}

static void
measure (const Request *request, guint status)
{
  Measured *measured =
    &request->api->measured[((gsize)request->route / sizeof (Route) + status) % MEASURED_COUNT];
  if (!measured->requests || measured->route != request->route || measured->status != status) {
    Metrics *metrics = request->api->metrics;
    const char *route = request->route ? request->route->pattern : "other";
    char code[8];
    g_snprintf (code, sizeof code, "%u", status);
    *measured = (Measured){ request->route, status, metrics_get (metrics, "api_requests_total", route, code),
                            metrics_get (metrics, "api_seconds", route) };
  }
  metric_add (measured->requests, 1);
  metric_observe (measured->seconds,
                  (double)(g_get_monotonic_time () - request->started_us) / G_USEC_PER_SEC);
}

/* "00-" trace "-" span "-01" */
static void
add_traceparent (struct MHD_Response *response, const Request *request)
{
  char text[] = "00-................................-................-01";
  memcpy (text + 3, request->trace, 32);
  gate_put_digits (text + 36, g_rand_int (request->api->random));
  gate_put_digits (text + 44, g_rand_int (request->api->random) | 1);
  MHD_add_response_header (response, "traceparent", text);
}

static void
add_headers (struct MHD_Response *response, Request *request)
{
  Answer *answer = request->answer;
  if (answer->type)
    MHD_add_response_header (response, "Content-Type", answer->type);
  if (answer->etag[0]) {
    MHD_add_response_header (response, "ETag", answer->etag);
    MHD_add_response_header (response, "Cache-Control", answer->cache ? answer->cache : CACHE_ASK);
  }
  if (answer->next)
    MHD_add_response_header (response, "Link", answer->next);
  for (guint i = 0; answer->headers && i < answer->headers->len; i += 2)
    MHD_add_response_header (response, answer->headers->pdata[i], answer->headers->pdata[i + 1]);
  add_traceparent (response, request);
  if (request->origin) {
    MHD_add_response_header (response, "Access-Control-Allow-Origin", request->origin);
    MHD_add_response_header (response, "Access-Control-Expose-Headers",
                             "ETag, Link, Location, Retry-After, traceparent, Idempotency-Replayed");
    MHD_add_response_header (response, "Vary", "Origin");
  }
  if (request->api->stopping || request->hang_up)
    MHD_add_response_header (response, "Connection", "close");
}

static void
let_go (void *bytes)
{
  g_bytes_unref (bytes);
}

/* Takes the body out of the answer. */
static struct MHD_Response *
to_response (Answer *answer)
{
  if (answer->stream)
    return stream_to_response (g_steal_pointer (&answer->stream));
  if (answer->shared) {
    gsize size;
    const void *bytes = g_bytes_get_data (answer->shared, &size);
    return MHD_create_response_from_buffer_with_free_callback_cls (size, (void *)bytes, let_go,
                                                                   g_steal_pointer (&answer->shared));
  }
  JsonBuffer body = answer->body;
  if (!body.length)
    return MHD_create_response_from_buffer (0, (void *)"", MHD_RESPMEM_PERSISTENT);
  answer->body = (JsonBuffer){ 0 };
  return MHD_create_response_from_buffer_with_free_callback (body.length, body.bytes, g_free);
}

/* Whoever has what would be served is told just that. The library sends no body with 304, but its length. */
static void
compare_tags (Request *request)
{
  Answer *answer = request->answer;
  if (answer->status != 200 || !request->route || !request->route->etag || answer->stream)
    return;
  if (!answer->etag[0] && answer->shared) {
    gsize size;
    const void *bytes = g_bytes_get_data (answer->shared, &size);
    etag_of (bytes, size, answer->etag);
  } else if (!answer->etag[0]) {
    etag_of (answer->body.bytes, answer->body.length, answer->etag);
  }
  const char *theirs = request_header (request, "If-None-Match");
  if (theirs && etag_is_among (answer->etag, theirs))
    answer->status = 304;
}

static enum MHD_Result
send_answer (Request *request)
{
  Answer *answer = request->answer;
  line_set_until (request->line, ANSWER_MS);
  compare_tags (request);
  measure (request, answer->status);
  gboolean endless = answer->stream && request->head_only;
  struct MHD_Response *response = to_response (answer);
  add_headers (response, request);
  if (endless) /* the library would send an end of chunks that nobody expects behind such a head */
    MHD_set_response_options (response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
  enum MHD_Result result = MHD_queue_response (request->connection, answer->status, response);
  MHD_destroy_response (response);
  return result;
}

const char *
request_header (const Request *request, const char *name)
{
  return MHD_lookup_connection_value (request->connection, MHD_HEADER_KIND, name);
}

static gsize
body_ceiling (const Request *request)
{
  const Config *config = hub_config (request->hub);
  return config ? (gsize)config->host->body : BODY_BYTES_MOST;
}

static void
refuse_too_large (Request *request)
{
  request_refuse (
    request, problem_new (413, NULL, "the body is above limits.body, %zu bytes", body_ceiling (request)));
}

static Problem *
judge_head (Request *request, const char *method)
{
  const union MHD_ConnectionInfo *info =
    MHD_get_connection_info (request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
  Problem *problem = NULL;
  if (request->line->over)
    problem = problem_new (503, "too_many", "limits.connections of them are open, and none is idle");
  else
    problem = gate_framing (request);
  request->hang_up = problem != NULL;
  if (problem)
    return problem;
  if (info && info->header_size > HEAD_BYTES_MOST)
    return problem_new (431, NULL, "the head has %zu bytes, at most %d are taken", info->header_size,
                        HEAD_BYTES_MOST);
  return gate_head (request, method, request_header (request, "Host"), request_header (request, "Origin"),
                    request_header (request, "Content-Type"));
}

/* The head is there. An answer that is known already waits for the body, so that a client that sends first
 * can read it; unless the body is far too large, or nobody knows where it ends. */
static void
begin (Request *request, const char *method)
{
  const char *length = request_header (request, "Content-Length");
  request->begun = TRUE;
  line_set_until (request->line, BODY_MS);
  gate_trace (request, request_header (request, "traceparent"));
  Problem *problem = judge_head (request, method);
  if (problem)
    request_refuse (request, problem);
  guint64 said = length ? g_ascii_strtoull (length, NULL, 10) : 0;
  request->too_large = said > body_ceiling (request);
  if (request->too_large && said > body_ceiling (request) * BODY_DISCARD_FACTOR && !request->answer)
    refuse_too_large (request);
  request->hang_up |= request->answer && request->too_large;
}

static void
take_body (Request *request, const char *bytes, gsize size)
{
  if (!request->body)
    request->body = g_byte_array_new ();
  request->too_large |= request->body->len + size > body_ceiling (request);
  if (request->too_large || request->answer)
    request->discarded += size;
  else
    g_byte_array_append (request->body, (const guint8 *)bytes, (guint)size);
}

static void
handle (Request *request)
{
  if (request->too_large) {
    refuse_too_large (request);
    return;
  }
  GByteArray *body = request->body;
  Problem *problem = NULL;
  if (request->api->ended) /* the end of a body came after it; nobody would answer */
    problem = problem_ending ();
  else if (body && strcmp (request->route->method, "GET") != 0)
    problem = route_read_body (request->route, (const char *)body->data, body->len, request->values);
  if (problem)
    request_refuse (request, problem);
  else
    request->route->handle (request);
}

/* Called with the head, then for each piece of the body, then once more, and again after a resumption. */
static enum MHD_Result
on_request (void *data, struct MHD_Connection *connection, const char *url, const char *method,
            const char *version, const char *upload, size_t *upload_size, void **context)
{
  Request *request = *context;
  if (!request->begun) {
    request->chunked = strcmp (version, MHD_HTTP_VERSION_1_0) != 0;
    request->head_only = strcmp (method, MHD_HTTP_METHOD_HEAD) == 0;
    begin (request, method);
    return request->hang_up ? send_answer (request) : MHD_YES;
  }
  if (*upload_size) {
    take_body (request, upload, *upload_size);
    *upload_size = 0;
    return request->discarded > body_ceiling (request) * BODY_DISCARD_FACTOR ? MHD_NO : MHD_YES;
  }
  if (!request->answer)
    handle (request);
  if (request->answer)
    return send_answer (request);
  g_assert (request->pending && !request->suspended);
  request->suspended = TRUE;
  line_set_until (request->line, G_MAXINT64);
  MHD_suspend_connection (connection);
  return MHD_YES;
}

void
request_answer (Request *request, Answer *answer)
{
  g_assert (!request->answer);
  request->answer = answer;
  if (!request->suspended)
    return;
  request->suspended = FALSE;
  MHD_resume_connection (request->connection);
  listener_run_soon (request->line->listener);
}

Pending *
request_wait (Request *request)
{
  Pending *pending = g_new (Pending, 1);
  *pending = (Pending){ request->api, request };
  g_assert (!request->pending);
  request->pending = pending;
  g_hash_table_add (request->api->pending, pending);
  return pending;
}

Request *
pending_take (Pending *pending)
{
  Request *request = pending->request;
  if (request) {
    request->pending = NULL;
    g_hash_table_remove (pending->api->pending, pending);
  }
  g_free (pending);
  return request;
}

gboolean
pending_waits (const Pending *pending)
{
  return pending->request != NULL;
}

/* ---- life ---- */

Api *
api_new (Loop *loop, Hub *hub, Reloader *reloader)
{
  Api *api = g_new0 (Api, 1);
  api->loop = loop;
  api->hub = hub;
  api->reloader = reloader;
  api->metrics = hub_metrics (hub);
  api->listeners = g_ptr_array_new ();
  g_queue_init (&api->lines);
  api->sweep = loop_timer_new (loop, line_sweep, api);
  g_queue_init (&api->streams);
  api->pending = g_hash_table_new (g_direct_hash, g_direct_equal);
  api->random = g_rand_new ();
  api->followers = followers_new (api);
  api->pages = pages_new (hub, PAGES_BYTES_MOST);
  api->listings = g_hash_table_new (g_str_hash, g_str_equal);
  return api;
}

static void
on_log (void *data, const char *format, va_list arguments)
{
  if (!log_enabled (LOG_DEBUG))
    return;
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  log_line (LOG_DEBUG, NULL, "http: %s", g_strchomp (text));
}

gboolean
api_serve (Api *api, int fd, const char *path, GError **error)
{
  const Config *config = hub_config (api->hub);
  guint connections = config ? (guint)config->host->connections : CONNECTIONS_MOST;
  Listener *listener = g_new0 (Listener, 1);
  *listener = (Listener){ .api = api,
                          .fd = fd,
                          .path = g_strdup (path),
                          .lines_most = connections,
                          .streams_most = connections - (connections + STREAM_SHARE - 1) / STREAM_SHARE };
  listener->daemon = MHD_start_daemon (
    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO | MHD_USE_ERROR_LOG, 0, NULL, NULL, on_request,
    listener, MHD_OPTION_EXTERNAL_LOGGER, on_log, listener, MHD_OPTION_LISTEN_SOCKET, fd,
    MHD_OPTION_CONNECTION_LIMIT, connections + LINES_SPARE, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
    (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)(IDLE_MS / 1000),
    MHD_OPTION_NOTIFY_CONNECTION, line_notify, listener, MHD_OPTION_NOTIFY_COMPLETED, on_completed, listener,
    MHD_OPTION_URI_LOG_CALLBACK, on_target, listener, MHD_OPTION_END);
  if (!listener->daemon) {
    g_set_error (error, HUB_ERROR, HUB_ERROR_UNAVAILABLE, "the HTTP server cannot be started");
    close (fd);
    g_free (listener->path);
    g_free (listener);
    return FALSE;
  }
  int epoll = MHD_get_daemon_info (listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  listener->watch = loop_watch_new (api->loop, epoll, EPOLLIN, on_ready, listener);
  listener->timer = loop_timer_new (api->loop, on_timer, listener);
  g_ptr_array_add (api->listeners, listener);
  return TRUE;
}

static void
stop_listening (Listener *listener)
{
  if (listener->fd < 0)
    return;
  if (listener->path)
    unlink (listener->path);
  MHD_quiesce_daemon (listener->daemon);
  close (listener->fd);
  listener->fd = -1;
}

void
api_stop_listening (Api *api)
{
  api->stopping = TRUE;
  for (guint i = 0; i < api->listeners->len; i++)
    stop_listening (api->listeners->pdata[i]);
  followers_end (api->followers);
}

gboolean
api_is_busy (Api *api)
{
  for (GList *link = api->lines.head; link; link = link->next)
    if (((Line *)link->data)->owing)
      return TRUE;
  return FALSE;
}

/* Those who still wait are told; whoever would have answered them finds nobody. */
static void
end_pending (Api *api)
{
  GHashTableIter iter;
  gpointer key;
  api->ended = TRUE;
  g_hash_table_iter_init (&iter, api->pending);
  while (g_hash_table_iter_next (&iter, &key, NULL)) {
    Pending *pending = key;
    Request *request = g_steal_pointer (&pending->request);
    request->pending = NULL;
    request_refuse (request, problem_ending ());
  }
  streams_cut (api);
  for (guint i = 0; i < api->listeners->len; i++)
    MHD_run (((Listener *)api->listeners->pdata[i])->daemon);
}

void
api_free (Api *api)
{
  if (!api)
    return;
  api_stop_listening (api);
  end_pending (api);
  for (guint i = 0; i < api->listeners->len; i++) {
    Listener *listener = api->listeners->pdata[i];
    loop_watch_free (listener->watch);
    MHD_stop_daemon (listener->daemon);
    loop_timer_free (listener->timer);
    g_free (listener->path);
    g_free (listener);
  }
  followers_free (api->followers);
  pages_free (api->pages);
  g_hash_table_unref (api->listings);
  g_ptr_array_unref (api->listeners);
  loop_timer_free (api->sweep);
  g_hash_table_unref (api->pending);
  g_rand_free (api->random);
  g_clear_pointer (&api->openapi, g_bytes_unref);
  g_free (api);
}
