#include "http-server.h"
#include "tap.h"
#include "worker/http.h"

#include <dlfcn.h>
#include <gio/gio.h>
#include <netdb.h>
#include <string.h>

/* One transfer as its caller sees it. */
typedef struct {
  Loop *loop;
  HttpTransfer *transfer;
  GString *body, *headers;
  int head_status;
  gsize pause_at, stop_at; /* bytes; 0: never */
  gboolean paused, ended;
  HttpEnd end;
  int status;
  gint64 sent_bytes, ms;
  char *error;
} Seen;

typedef struct {
  Loop *loop;
  Http *http;
  HttpServer *server;
  char *base;
} World;

static void
seen_header (const char *name, const char *value, gpointer data)
{
  g_string_append_printf (((Seen *)data)->headers, "%s=%s\n", name, value);
}

static void
seen_head (int status, gpointer data)
{
  ((Seen *)data)->head_status = status;
}

static HttpVerdict
seen_data (const char *bytes, gsize length, gpointer data)
{
  Seen *seen = data;
  if (seen->stop_at && seen->body->len >= seen->stop_at)
    return HTTP_STOP;
  if (seen->pause_at && seen->body->len >= seen->pause_at) {
    seen->pause_at = 0;
    seen->paused = TRUE;
    return HTTP_PAUSE;
  }
  if (seen->body->len < 1 << 20) /* a test of 10 GB keeps the beginning */
    g_string_append_len (seen->body, bytes, (gssize)length);
  return HTTP_GO_ON;
}

static void
seen_end (const HttpResult *result, gpointer data)
{
  Seen *seen = data;
  g_assert (!seen->ended);
  seen->ended = TRUE;
  seen->transfer = NULL;
  seen->end = result->end;
  seen->status = result->status;
  seen->sent_bytes = result->sent_bytes;
  seen->ms = result->ms;
  seen->error = g_strdup (result->error);
}

static HttpRequest
request_of (Seen *seen, Loop *loop, const char *method, const char *url)
{
  *seen = (Seen){ .loop = loop, .body = g_string_new (NULL), .headers = g_string_new (NULL) };
  return (HttpRequest){ .method = method,
                        .url = url,
                        .timeout_ms = 20000,
                        .allow_private = TRUE,
                        .on_header = seen_header,
                        .on_head = seen_head,
                        .on_data = seen_data,
                        .on_end = seen_end,
                        .data = seen };
}

static void
seen_clear (Seen *seen)
{
  g_string_free (seen->body, TRUE);
  g_string_free (seen->headers, TRUE);
  g_free (seen->error);
}

static void
wait_for (Seen *seen, const gboolean *what)
{
  while (!*what)
    loop_turn (seen->loop, -1);
}

static void
world_begin (World *world, HttpServerFunc func, gpointer data)
{
  world->loop = loop_new ();
  world->http = http_new (world->loop, NULL);
  world->server = http_server_new (func, data);
  world->base = g_strdup_printf ("http://127.0.0.1:%u", http_server_port (world->server));
}

static void
world_end (World *world)
{
  http_free (world->http);
  http_server_free (world->server);
  loop_free (world->loop);
  g_free (world->base);
}

/* GET path, to its end. */
static void
get (World *world, Seen *seen, const char *path, void (*change) (HttpRequest *request))
{
  g_autofree char *url = g_strconcat (world->base, path, NULL);
  HttpRequest request = request_of (seen, world->loop, "GET", url);
  if (change)
    change (&request);
  seen->transfer = http_start (world->http, &request);
  wait_for (seen, &seen->ended);
}

static gboolean
echo (const HttpAsked *asked, gpointer data)
{
  g_autofree char *body =
    g_strdup_printf ("%s %s\n%s\n%s", asked->method, asked->path, asked->head, asked->body);
  return http_server_answer (asked, 200, "X-One: 1\r\nx-two:  two words \r\n", body);
}

static void
test_an_answer_comes_whole (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  get (&world, &seen, "/a?b=c", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (seen.status, 200);
  CU_ASSERT_EQUAL (seen.head_status, 200);
  CU_ASSERT_STRING_EQUAL (seen.error, "");
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.headers->str, "X-One=1\nx-two=two words\n"));
  CU_ASSERT (g_str_has_prefix (seen.body->str, "GET /a?b=c\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.body->str, "Accept-Encoding: gzip"));
  CU_ASSERT_PTR_NULL (strstr (seen.body->str, "Content-Type"));
  CU_ASSERT (seen.sent_bytes > 50);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_bodies_go_out_as_given (void)
{
  const char *headers[] = { "Content-Type: application/json", "X-Empty:", NULL };
  const char *methods[] = { "POST", "PUT", "PATCH", "DELETE" };
  World world;
  world_begin (&world, echo, NULL);
  g_autofree char *url = g_strconcat (world.base, "/x", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (methods); i++) {
    Seen seen;
    HttpRequest request = request_of (&seen, world.loop, methods[i], url);
    request.headers = headers;
    request.body = "{\"a\":1}";
    request.body_size = 7;
    http_start (world.http, &request);
    wait_for (&seen, &seen.ended);
    CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
    CU_ASSERT (g_str_has_prefix (seen.body->str, methods[i]));
    CU_ASSERT (g_str_has_suffix (seen.body->str, "{\"a\":1}"));
    CU_ASSERT_PTR_NOT_NULL (strstr (seen.body->str, "\r\nContent-Type: application/json\r\n"));
    CU_ASSERT_PTR_NOT_NULL (strstr (seen.body->str, "\r\nX-Empty:\r\n"));
    CU_ASSERT_PTR_NULL (strstr (seen.body->str, "Expect"));
    seen_clear (&seen);
  }
  world_end (&world);
}

static void
test_a_handle_used_again_keeps_nothing (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  g_autofree char *url = g_strconcat (world.base, "/x", NULL);
  HttpRequest request = request_of (&seen, world.loop, "POST", url);
  request.body = "secret";
  request.body_size = 6;
  request.headers = (const char *const[]){ "X-Key: secret", NULL };
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  seen_clear (&seen);
  get (&world, &seen, "/y", NULL);
  CU_ASSERT (g_str_has_prefix (seen.body->str, "GET /y"));
  CU_ASSERT_PTR_NULL (strstr (seen.body->str, "secret"));
  CU_ASSERT_PTR_NULL (strstr (seen.body->str, "Content-Length"));
  seen_clear (&seen);
  request = request_of (&seen, world.loop, "HEAD", url);
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (seen.body->len, 0);
  seen_clear (&seen);
  get (&world, &seen, "/z", NULL);
  CU_ASSERT (g_str_has_prefix (seen.body->str, "GET /z"));
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_hundred_requests_use_one_connection (void)
{
  World world;
  world_begin (&world, echo, NULL);
  for (guint i = 0; i < 100; i++) {
    Seen seen;
    get (&world, &seen, "/", NULL);
    CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
    seen_clear (&seen);
  }
  CU_ASSERT_EQUAL (http_server_requests (world.server), 100);
  CU_ASSERT_EQUAL (http_server_connections (world.server), 1);
  world_end (&world);
}

static void
forbid_private (HttpRequest *request)
{
  request->allow_private = FALSE;
}

static void
test_an_address_inside_is_refused_before_the_connect (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  get (&world, &seen, "/", forbid_private);
  CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
  CU_ASSERT_EQUAL (seen.sent_bytes, 0);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "127.0.0.1, loopback"));
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "allow_private"));
  CU_ASSERT_EQUAL (http_server_connections (world.server), 0);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_name_that_leads_inside_is_refused (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  g_free (world.base);
  world.base = g_strdup_printf ("http://localhost:%u", http_server_port (world.server));
  get (&world, &seen, "/", forbid_private);
  CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "loopback"));
  CU_ASSERT_EQUAL (http_server_connections (world.server), 0);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_kept_connection_of_one_who_may_serves_none_who_may_not (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  get (&world, &seen, "/", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  seen_clear (&seen);
  get (&world, &seen, "/", forbid_private);
  CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "loopback"));
  CU_ASSERT_EQUAL (http_server_requests (world.server), 1);
  seen_clear (&seen);
  world_end (&world);
}

static void
through_test_proxy (HttpRequest *request)
{
  static const char proxy[] = "http://127.0.0.1:9";
  request->allow_private = FALSE;
  request->proxy = proxy;
}

static void
test_nobody_listening_never_left (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  get (&world, &seen, "/", through_test_proxy);
  CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
  CU_ASSERT_EQUAL (seen.sent_bytes, 0);
  CU_ASSERT_EQUAL (http_server_requests (world.server), 0);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_an_address_refused_behind_a_proxy_does_not_tell_the_key (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  HttpRequest request = request_of (&seen, world.loop, "GET", "http://127.0.0.1:1/x?key=s3cret");
  request.allow_private = FALSE;
  request.proxy = world.base;
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "(127.0.0.1, loopback)"));
  CU_ASSERT_PTR_NULL (strstr (seen.error, "s3cret"));
  seen_clear (&seen);
  world_end (&world);
}

/* The name server that does not answer: the library's own function, for one name. */
static struct {
  GMutex lock;
  GCond changed;
  gboolean waits, answers;
} names;

int
getaddrinfo (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
  int (*real) (const char *, const char *, const struct addrinfo *, struct addrinfo **);
  *(void **)&real = dlsym (RTLD_NEXT, "getaddrinfo");
  if (g_strcmp0 (node, "slow.example") != 0)
    return real (node, service, hints, found);
  g_mutex_lock (&names.lock);
  names.waits = TRUE;
  g_cond_broadcast (&names.changed);
  while (!names.answers)
    g_cond_wait (&names.changed, &names.lock);
  names.waits = FALSE;
  g_cond_broadcast (&names.changed);
  g_mutex_unlock (&names.lock);
  return EAI_AGAIN;
}

static gpointer
answer_later (gpointer ended)
{
  gint64 until = g_get_monotonic_time () + 5 * G_TIME_SPAN_SECOND;
  g_mutex_lock (&names.lock);
  while (!names.answers && g_cond_wait_until (&names.changed, &names.lock, until))
    ;
  names.answers = TRUE;
  g_cond_broadcast (&names.changed);
  g_mutex_unlock (&names.lock);
  return NULL;
}

static void
test_a_name_server_that_is_silent_holds_nobody_up (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  HttpRequest request = request_of (&seen, world.loop, "GET", "http://slow.example/");
  request.timeout_ms = 50;
  GThread *late = g_thread_new ("names", answer_later, NULL);
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  g_mutex_lock (&names.lock);
  CU_ASSERT_FALSE (names.answers); /* it is still being looked up */
  names.answers = TRUE;
  g_cond_broadcast (&names.changed);
  while (names.waits)
    g_cond_wait (&names.changed, &names.lock);
  g_mutex_unlock (&names.lock);
  g_thread_join (late);
  CU_ASSERT_EQUAL (seen.end, HTTP_LATE);
  CU_ASSERT_EQUAL (seen.sent_bytes, 0);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_the_worker_does_not_speak_other_protocols (void)
{
  World world;
  world_begin (&world, echo, NULL);
  const char *urls[] = { "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/", "nonsense",
                         "http://" };
  for (guint i = 0; i < G_N_ELEMENTS (urls); i++) {
    Seen seen;
    HttpRequest request = request_of (&seen, world.loop, "GET", urls[i]);
    http_start (world.http, &request);
    CU_ASSERT_FALSE (seen.ended); /* never inside http_start */
    wait_for (&seen, &seen.ended);
    CU_ASSERT_EQUAL (seen.end, HTTP_NEVER_LEFT);
    CU_ASSERT_EQUAL (seen.body->len, 0);
    seen_clear (&seen);
  }
  world_end (&world);
}

static gboolean
redirect (const HttpAsked *asked, gpointer data)
{
  if (g_str_equal (asked->path, "/loop"))
    return http_server_answer (asked, 302, "Location: /loop\r\n", "round");
  if (g_str_equal (asked->path, "/out"))
    return http_server_answer (asked, 302, "Location: http://elsewhere.example/x?token=abc\r\n", "");
  if (g_str_equal (asked->path, "/port"))
    return http_server_answer (asked, 307, "Location: http://127.0.0.1:1/\r\n", "");
  if (g_str_equal (asked->path, "/near"))
    return http_server_answer (asked, 307, "Location: /end\r\nX-First: 1\r\n", "not this");
  if (g_str_equal (asked->path, "/see"))
    return http_server_answer (asked, 303, "Location: /end\r\n", "");
  if (g_str_equal (asked->path, "/moved"))
    return http_server_answer (asked, 301, "Location: /end\r\n", "");
  if (g_str_equal (asked->path, "/none"))
    return http_server_answer (asked, 302, "", "no location");
  return echo (asked, NULL);
}

static void
test_a_redirect_to_the_same_host_is_followed (void)
{
  World world;
  Seen seen;
  world_begin (&world, redirect, NULL);
  get (&world, &seen, "/near", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (seen.status, 200);
  CU_ASSERT (g_str_has_prefix (seen.body->str, "GET /end"));
  CU_ASSERT_PTR_NULL (strstr (seen.headers->str, "X-First"));
  seen_clear (&seen);
  get (&world, &seen, "/none", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (seen.status, 302);
  CU_ASSERT_STRING_EQUAL (seen.body->str, "no location");
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_redirect_elsewhere_is_told (void)
{
  const char *paths[][2] = { { "/out", "http://elsewhere.example:80" }, { "/port", "http://127.0.0.1:1" } };
  World world;
  world_begin (&world, redirect, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    Seen seen;
    get (&world, &seen, paths[i][0], NULL);
    CU_ASSERT_EQUAL (seen.end, HTTP_ELSEWHERE);
    CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, paths[i][1]));
    CU_ASSERT_PTR_NULL (strstr (seen.error, "abc"));
    CU_ASSERT_EQUAL (seen.head_status, 0);
    seen_clear (&seen);
  }
  world_end (&world);
}

static void
test_a_redirect_loop_ends (void)
{
  World world;
  Seen seen;
  world_begin (&world, redirect, NULL);
  get (&world, &seen, "/loop", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_ELSEWHERE);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "more than 5 times"));
  CU_ASSERT_EQUAL (http_server_requests (world.server), HTTP_REDIRECTS_MOST + 1);
  seen_clear (&seen);
  world_end (&world);
}

static void
post (World *world, Seen *seen, const char *path, gboolean once)
{
  g_autofree char *url = g_strconcat (world->base, path, NULL);
  HttpRequest request = request_of (seen, world->loop, "POST", url);
  request.body = "order";
  request.body_size = 5;
  request.once = once;
  http_start (world->http, &request);
  wait_for (seen, &seen->ended);
}

static void
test_a_redirected_post_keeps_its_body_or_is_refused (void)
{
  World world;
  Seen seen;
  world_begin (&world, redirect, NULL);
  post (&world, &seen, "/near", FALSE);
  CU_ASSERT (g_str_has_prefix (seen.body->str, "POST /end"));
  CU_ASSERT (g_str_has_suffix (seen.body->str, "order"));
  seen_clear (&seen);
  post (&world, &seen, "/see", FALSE);
  CU_ASSERT (g_str_has_prefix (seen.body->str, "GET /end"));
  CU_ASSERT_FALSE (g_str_has_suffix (seen.body->str, "order"));
  seen_clear (&seen);
  post (&world, &seen, "/moved", FALSE);
  CU_ASSERT_EQUAL (seen.end, HTTP_ELSEWHERE);
  CU_ASSERT_EQUAL (http_server_requests (world.server), 5);
  seen_clear (&seen);
  world_end (&world);
}

/* Answers the first request of a connection and hangs up on the second. */
static gboolean
hang_up_on_the_second (const HttpAsked *asked, gpointer data)
{
  guint *asked_times = data;
  if (asked->connection == 1 && ++*asked_times == 2)
    return FALSE;
  return echo (asked, NULL);
}

/* Answers one request, and is gone then. */
static gpointer
see_other_and_leave (gpointer data)
{
  g_autoptr (GSocketListener) listener = data;
  g_autoptr (GSocketConnection) connection = g_socket_listener_accept (listener, NULL, NULL, NULL);
  static const char answer[] = "HTTP/1.1 303 See Other\r\nLocation: /done\r\nContent-Length: 0\r\n"
                               "Connection: close\r\n\r\n";
  char asked[4096];
  g_socket_listener_close (listener);
  g_input_stream_read (g_io_stream_get_input_stream (G_IO_STREAM (connection)), asked, sizeof asked, NULL,
                       NULL);
  g_output_stream_write_all (g_io_stream_get_output_stream (G_IO_STREAM (connection)), answer,
                             sizeof answer - 1, NULL, NULL, NULL);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
  return NULL;
}

static void
test_what_was_redirected_was_sent (void)
{
  World world;
  Seen seen;
  world_begin (&world, echo, NULL);
  GSocketListener *listener = g_socket_listener_new ();
  g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u/orders",
                                          g_socket_listener_add_any_inet_port (listener, NULL, NULL));
  GThread *vendor = g_thread_new ("vendor", see_other_and_leave, listener);
  HttpRequest request = request_of (&seen, world.loop, "POST", url);
  request.once = TRUE;
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  g_thread_join (vendor);
  CU_ASSERT_EQUAL (seen.end, HTTP_SENT);
  CU_ASSERT (seen.sent_bytes > 0);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_what_is_sent_once_is_not_sent_again_on_another_connection (void)
{
  guint asked_times = 0;
  World world;
  Seen seen;
  world_begin (&world, hang_up_on_the_second, &asked_times);
  post (&world, &seen, "/", TRUE);
  seen_clear (&seen);
  post (&world, &seen, "/", TRUE);
  CU_ASSERT_EQUAL (seen.end, HTTP_SENT);
  CU_ASSERT (seen.sent_bytes > 0);
  CU_ASSERT_EQUAL (http_server_requests (world.server), 2);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_what_may_be_repeated_survives_a_dead_connection (void)
{
  guint asked_times = 0;
  World world;
  Seen seen;
  world_begin (&world, hang_up_on_the_second, &asked_times);
  get (&world, &seen, "/", NULL);
  seen_clear (&seen);
  get (&world, &seen, "/", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (http_server_connections (world.server), 2);
  seen_clear (&seen);
  world_end (&world);
}

static gboolean
break_off (const HttpAsked *asked, gpointer data)
{
  const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf";
  if (g_str_equal (asked->path, "/before"))
    return FALSE;
  if (g_str_equal (asked->path, "/reset")) {
    http_server_reset (asked);
    return FALSE;
  }
  if (g_str_equal (asked->path, "/head"))
    text = "HTTP/1.1 200 OK\r\nContent-Le";
  if (g_str_equal (asked->path, "/chunk"))
    text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe";
  if (g_str_equal (asked->path, "/gzip"))
    text = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!";
  if (g_str_equal (asked->path, "/words"))
    text = "SSH-2.0-OpenSSH_9\r\n";
  http_server_write (asked, text, strlen (text));
  return FALSE;
}

static void
test_broken_answers_are_told_apart (void)
{
  const struct {
    const char *path;
    HttpEnd end;
  } cases[] = { { "/before", HTTP_SENT }, { "/reset", HTTP_SENT }, { "/head", HTTP_SENT },
                { "/words", HTTP_SENT },  { "/half", HTTP_CUT },   { "/chunk", HTTP_CUT },
                { "/gzip", HTTP_CUT } };
  World world;
  world_begin (&world, break_off, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    Seen seen;
    get (&world, &seen, cases[i].path, NULL);
    CU_ASSERT_EQUAL (seen.end, cases[i].end);
    CU_ASSERT (*seen.error != '\0');
    seen_clear (&seen);
  }
  world_end (&world);
}

static gboolean
never_end (const HttpAsked *asked, gpointer data)
{
  g_autofree char *lots = g_strnfill (1 << 20, 'x');
  if (g_str_equal (asked->path, "/silent"))
    return !http_server_gone (asked, 60000);
  if (g_str_equal (asked->path, "/headers")) {
    gboolean more = http_server_write (asked, "HTTP/1.1 200 OK\r\n", 17);
    while (more)
      more = http_server_write (asked, "X-Again: and again\r\n", 20);
    return FALSE;
  }
  http_server_write (asked, "HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n", 48);
  if (g_str_equal (asked->path, "/drip"))
    while (http_server_write (asked, "x", 1) && !http_server_gone (asked, 20))
      ;
  else
    while (http_server_write (asked, lots, 1 << 20))
      ;
  return FALSE;
}

static void
in_a_moment (HttpRequest *request)
{
  request->timeout_ms = 300;
}

static void
test_an_answer_that_does_not_come_is_late (void)
{
  const char *paths[] = { "/silent", "/drip", "/ten-gigabytes" };
  World world;
  world_begin (&world, never_end, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    Seen seen;
    get (&world, &seen, paths[i], in_a_moment);
    CU_ASSERT_EQUAL (seen.end, HTTP_LATE);
    CU_ASSERT (seen.sent_bytes > 0);
    CU_ASSERT (seen.ms >= 200 && seen.ms < 10000); /* counted in whole turns of the loop */
    seen_clear (&seen);
  }
  world_end (&world);
}

static void
must_not_creep (HttpRequest *request)
{
  request->stall_s = 1;
}

static void
test_an_answer_that_creeps_is_cut_before_its_timeout (void)
{
  World world;
  Seen seen;
  world_begin (&world, never_end, NULL);
  get (&world, &seen, "/drip", must_not_creep);
  CU_ASSERT_EQUAL (seen.end, HTTP_LATE);
  CU_ASSERT (seen.ms < 19000);
  seen_clear (&seen);
  world_end (&world);
}

static void
at_most_a_megabyte (HttpRequest *request)
{
  request->body_most = 1 << 20;
}

static void
test_too_much_is_cut_off (void)
{
  World world;
  Seen seen;
  world_begin (&world, never_end, NULL);
  get (&world, &seen, "/ten-gigabytes", at_most_a_megabyte);
  CU_ASSERT_EQUAL (seen.end, HTTP_TOO_LARGE);
  CU_ASSERT (seen.body->len <= 1 << 20);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "larger than 1048576 bytes"));
  seen_clear (&seen);
  get (&world, &seen, "/headers", NULL);
  CU_ASSERT_EQUAL (seen.end, HTTP_TOO_LARGE);
  CU_ASSERT_PTR_NOT_NULL (strstr (seen.error, "headers"));
  seen_clear (&seen);
  world_end (&world);
}

/* size zeros, packed. */
static GBytes *
gzip_of_zeros (gsize size)
{
  g_autoptr (GZlibCompressor) packer = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, G_CONVERTER (packer));
  g_autofree char *zeros = g_malloc0 (1 << 20);
  for (gsize done = 0; done < size; done += 1 << 20)
    g_output_stream_write_all (stream, zeros, 1 << 20, NULL, NULL, NULL);
  g_output_stream_close (stream, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static gboolean
answer_packed (const HttpAsked *asked, gpointer data)
{
  GBytes *packed = data;
  g_autofree char *head = g_strdup_printf (
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", g_bytes_get_size (packed));
  return http_server_write (asked, head, strlen (head)) &&
         http_server_write (asked, g_bytes_get_data (packed, NULL), g_bytes_get_size (packed));
}

static void
test_a_bomb_is_counted_as_it_unpacks (void)
{
  g_autoptr (GBytes) bomb = gzip_of_zeros (64 << 20);
  World world;
  Seen seen;
  CU_ASSERT (g_bytes_get_size (bomb) < 100000);
  world_begin (&world, answer_packed, bomb);
  get (&world, &seen, "/", at_most_a_megabyte);
  CU_ASSERT_EQUAL (seen.end, HTTP_TOO_LARGE);
  CU_ASSERT (seen.body->len <= 1 << 20);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_packed_answer_is_unpacked (void)
{
  g_autoptr (GBytes) packed = gzip_of_zeros (1 << 20);
  World world;
  Seen seen;
  world_begin (&world, answer_packed, packed);
  get (&world, &seen, "/", at_most_a_megabyte);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_EQUAL (seen.body->len, 1 << 20);
  seen_clear (&seen);
  world_end (&world);
}

static gboolean
answer_much (const HttpAsked *asked, gpointer data)
{
  g_autoptr (GString) body = g_string_new (NULL);
  for (guint i = 0; body->len < 900000; i++)
    g_string_append_printf (body, "%u,", i);
  return http_server_answer (asked, 200, "", body->str);
}

static void
test_a_paused_answer_goes_on_without_loss (void)
{
  World world;
  Seen whole, seen;
  world_begin (&world, answer_much, NULL);
  get (&world, &whole, "/", NULL);
  g_autofree char *url = g_strconcat (world.base, "/", NULL);
  HttpRequest request = request_of (&seen, world.loop, "GET", url);
  seen.pause_at = 1;
  HttpTransfer *transfer = http_start (world.http, &request);
  wait_for (&seen, &seen.paused);
  gsize had = seen.body->len;
  for (guint i = 0; i < 20; i++)
    loop_turn (world.loop, 1);
  CU_ASSERT_EQUAL (seen.body->len, had);
  CU_ASSERT_FALSE (seen.ended);
  http_resume (transfer);
  wait_for (&seen, &seen.ended);
  CU_ASSERT_EQUAL (seen.end, HTTP_DONE);
  CU_ASSERT_STRING_EQUAL (seen.body->str, whole.body->str);
  seen_clear (&whole);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_the_reader_may_stop (void)
{
  World world;
  Seen seen;
  world_begin (&world, never_end, NULL);
  g_autofree char *url = g_strconcat (world.base, "/", NULL);
  HttpRequest request = request_of (&seen, world.loop, "GET", url);
  seen.stop_at = 1000;
  http_start (world.http, &request);
  wait_for (&seen, &seen.ended);
  CU_ASSERT_EQUAL (seen.end, HTTP_STOPPED);
  seen_clear (&seen);
  world_end (&world);
}

static void
test_a_cancelled_transfer_ends_once (void)
{
  World world;
  Seen first, second;
  world_begin (&world, never_end, NULL);
  g_autofree char *url = g_strconcat (world.base, "/silent", NULL);
  HttpRequest request = request_of (&first, world.loop, "GET", url);
  http_cancel (http_start (world.http, &request)); /* before it begins */
  request = request_of (&second, world.loop, "GET", url);
  HttpTransfer *transfer = http_start (world.http, &request);
  wait_for (&first, &first.ended);
  CU_ASSERT_EQUAL (first.end, HTTP_STOPPED);
  CU_ASSERT_EQUAL (first.sent_bytes, 0);
  while (http_server_requests (world.server) == 0)
    loop_turn (world.loop, 5);
  http_cancel (transfer);
  http_cancel (transfer);
  CU_ASSERT_FALSE (second.ended);
  wait_for (&second, &second.ended);
  CU_ASSERT_EQUAL (second.end, HTTP_STOPPED);
  seen_clear (&first);
  seen_clear (&second);
  world_end (&world);
}

static void
test_what_runs_at_the_end_is_told (void)
{
  World world;
  Seen seen;
  world_begin (&world, never_end, NULL);
  g_autofree char *url = g_strconcat (world.base, "/silent", NULL);
  HttpRequest request = request_of (&seen, world.loop, "GET", url);
  http_start (world.http, &request);
  while (http_server_requests (world.server) == 0)
    loop_turn (world.loop, 5);
  world_end (&world);
  CU_ASSERT_TRUE (seen.ended);
  CU_ASSERT_EQUAL (seen.end, HTTP_STOPPED);
  seen_clear (&seen);
}

static void
test_many_at_once_all_end (void)
{
  World world;
  Seen seen[50];
  world_begin (&world, echo, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++) {
    g_autofree char *url = g_strdup_printf ("%s/%u", world.base, i);
    HttpRequest request = request_of (&seen[i], world.loop, "GET", url);
    http_start (world.http, &request);
  }
  for (guint i = 0; i < G_N_ELEMENTS (seen); i++) {
    g_autofree char *begin = g_strdup_printf ("GET /%u\n", i);
    wait_for (&seen[i], &seen[i].ended);
    CU_ASSERT_EQUAL (seen[i].end, HTTP_DONE);
    CU_ASSERT (g_str_has_prefix (seen[i].body->str, begin));
    seen_clear (&seen[i]);
  }
  world_end (&world);
}

int
main (void)
{
  return TAP_RUN (
    "http", { "an answer comes whole", test_an_answer_comes_whole },
    { "bodies go out as given", test_bodies_go_out_as_given },
    { "a handle used again keeps nothing", test_a_handle_used_again_keeps_nothing },
    { "a hundred requests use one connection", test_a_hundred_requests_use_one_connection },
    { "an address inside is refused before the connect",
      test_an_address_inside_is_refused_before_the_connect },
    { "a name that leads inside is refused", test_a_name_that_leads_inside_is_refused },
    { "a kept connection of one who may serves none who may not",
      test_a_kept_connection_of_one_who_may_serves_none_who_may_not },
    { "an address refused behind a proxy does not tell the key",
      test_an_address_refused_behind_a_proxy_does_not_tell_the_key },
    { "a name server that is silent holds nobody up", test_a_name_server_that_is_silent_holds_nobody_up },
    { "what was redirected was sent", test_what_was_redirected_was_sent },
    { "nobody listening: never left", test_nobody_listening_never_left },
    { "the worker does not speak other protocols", test_the_worker_does_not_speak_other_protocols },
    { "a redirect to the same host is followed", test_a_redirect_to_the_same_host_is_followed },
    { "a redirect elsewhere is told", test_a_redirect_elsewhere_is_told },
    { "a redirect loop ends", test_a_redirect_loop_ends },
    { "a redirected POST keeps its body or is refused", test_a_redirected_post_keeps_its_body_or_is_refused },
    { "what is sent once is not sent again on another connection",
      test_what_is_sent_once_is_not_sent_again_on_another_connection },
    { "what may be repeated survives a dead connection",
      test_what_may_be_repeated_survives_a_dead_connection },
    { "broken answers are told apart", test_broken_answers_are_told_apart },
    { "an answer that does not come is late", test_an_answer_that_does_not_come_is_late },
    { "an answer that creeps is cut before its timeout",
      test_an_answer_that_creeps_is_cut_before_its_timeout },
    { "too much is cut off", test_too_much_is_cut_off },
    { "a bomb is counted as it unpacks", test_a_bomb_is_counted_as_it_unpacks },
    { "a packed answer is unpacked", test_a_packed_answer_is_unpacked },
    { "a paused answer goes on without loss", test_a_paused_answer_goes_on_without_loss },
    { "the reader may stop", test_the_reader_may_stop },
    { "a cancelled transfer ends once", test_a_cancelled_transfer_ends_once },
    { "what runs at the end is told", test_what_runs_at_the_end_is_told },
    { "many at once all end", test_many_at_once_all_end });
}
