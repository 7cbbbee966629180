/* bench-load: many clients of an HTTP server in one process, for the benches.
 *
 *   bench-load get ADDRESS:PORT CONNECTIONS REQUESTS RATE TARGET...
 *
 * asks for the targets in turn on connections that stay open. RATE 0: each connection asks again as soon as
 * it has its answer. Else requests are due at that many a second, whether answers come or not, and the time
 * of one counts from when it was due. Prints one line of JSON at the end.
 *
 *   bench-load follow ADDRESS:PORT CONNECTIONS TARGET
 *
 * follows a stream of server-sent events on each connection, and prints a line when all have begun. Each line
 * that it reads then asks for what came since the one before: the events, and how old they were (their "at"
 * against the clock). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

enum { READ_BYTES = 1 << 16, EVENTS_A_TURN = 256, HEAD_MOST = 8192 };

typedef struct {
  int fd;
  gboolean busy;
  gint64 due_us;
  char head[HEAD_MOST]; /* what came of the answer's head, or of the line that is being read */
  gsize length;
  gsize body_left;
  gboolean in_body, begun;
} Client;

typedef struct {
  Client *clients;
  guint count;
  int epoll;
  char **targets;
  char *host;
  GPtrArray *free; /* Client that have nothing to do */
  GArray *times;   /* gint64, microseconds */
  guint64 asked, answered, wrong, bytes, events;
  gboolean follows;
} Load;

static gint64
clock_us (void)
{
  return g_get_monotonic_time ();
}

G_NORETURN static void
give_up (const char *what)
{
  g_printerr ("bench-load: %s: %s\n", what, g_strerror (errno));
  exit (1);
}

static int
connect_to (const char *address)
{
  g_auto (GStrv) parts = g_strsplit (address, ":", 2);
  struct sockaddr_in to = { .sin_family = AF_INET,
                            .sin_port = htons ((guint16)atoi (parts[1] ? parts[1] : "0")) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (fd < 0 || inet_pton (AF_INET, parts[0], &to.sin_addr) != 1 ||
      connect (fd, (struct sockaddr *)&to, sizeof to) != 0)
    give_up (address);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl (fd, F_SETFL, O_NONBLOCK);
  return fd;
}

static void
ask (Load *load, Client *client, gint64 due_us)
{
  const char *target = load->targets[load->asked++ % g_strv_length (load->targets)];
  char text[HEAD_MOST];
  int length = g_snprintf (text, sizeof text, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, load->host,
                           load->follows ? "Accept: text/event-stream\r\n" : "");
  client->busy = TRUE;
  client->due_us = due_us;
  client->length = 0;
  client->in_body = FALSE;
  if (write (client->fd, text, (gsize)length) != length)
    give_up ("write");
}

/* ---- get ---- */

static void
end_answer (Load *load, Client *client)
{
  gint64 took_us = clock_us () - client->due_us;
  g_array_append_val (load->times, took_us);
  load->answered++;
  client->busy = FALSE;
  g_ptr_array_add (load->free, client);
}

/* The whole head is there: how long is the body? */
static void
read_head (Load *load, Client *client, gsize end)
{
  client->head[end] = 0;
  const char *length = strcasestr (client->head, "\r\nContent-Length:");
  load->wrong += !g_str_has_prefix (client->head, "HTTP/1.1 200");
  client->body_left = length ? g_ascii_strtoull (length + strlen ("\r\nContent-Length:"), NULL, 10) : 0;
  client->in_body = TRUE;
}

static void
take_answer (Load *load, Client *client, const char *bytes, gsize size)
{
  load->bytes += size;
  while (size) {
    if (client->in_body) {
      gsize part = MIN (size, client->body_left);
      client->body_left -= part;
      bytes += part;
      size -= part;
    } else {
      gsize before = client->length, part = MIN (size, HEAD_MOST - 1 - before);
      memcpy (client->head + before, bytes, part);
      client->length += part;
      client->head[client->length] = 0;
      const char *end = strstr (client->head, "\r\n\r\n");
      if (!end && client->length == HEAD_MOST - 1)
        give_up ("the head of an answer is too long");
      gsize used = end ? (gsize)(end - client->head) + 4 - before : part;
      bytes += used;
      size -= used;
      if (end)
        read_head (load, client, before + used);
    }
    if (client->in_body && client->body_left == 0 && client->busy)
      end_answer (load, client);
  }
}

/* ---- follow ---- */

/* "2026-03-02T17:16:00.004Z" of the line's member "at", in milliseconds; 0: none. */
static gint64
when (const char *line)
{
  const char *at = strstr (line, "\"at\":\"");
  g_autoptr (GTimeZone) utc = g_time_zone_new_utc ();
  g_autofree char *text = at ? g_strndup (at + 6, strcspn (at + 6, "\"")) : NULL;
  g_autoptr (GDateTime) moment = text ? g_date_time_new_from_iso8601 (text, utc) : NULL;
  return moment ? g_date_time_to_unix (moment) * 1000 + g_date_time_get_microsecond (moment) / 1000 : 0;
}

static void
take_line (Load *load, Client *client, gint64 now_ms)
{
  client->head[client->length] = 0;
  if (g_str_has_prefix (client->head, "retry:"))
    client->begun = TRUE;
  if (!g_str_has_prefix (client->head, "data: {"))
    return;
  gint64 at_ms = when (client->head), age_us = (now_ms - at_ms) * 1000;
  load->events++;
  if (at_ms)
    g_array_append_val (load->times, age_us);
}

/* Lines; what is longer than the room loses its end. The chunks' own lines are none of ours. */
static void
take_stream (Load *load, Client *client, const char *bytes, gsize size)
{
  gint64 now_ms = g_get_real_time () / 1000;
  load->bytes += size;
  for (gsize i = 0; i < size; i++)
    if (bytes[i] == '\n') {
      take_line (load, client, now_ms);
      client->length = 0;
    } else if (client->length < HEAD_MOST - 1) {
      client->head[client->length++] = bytes[i];
    }
}

/* ---- both ---- */

static void
serve (Load *load, gint64 until_us)
{
  static char bytes[READ_BYTES];
  struct epoll_event events[EVENTS_A_TURN];
  gint64 wait_us = MAX (0, until_us - clock_us ());
  struct timespec wait = { wait_us / G_USEC_PER_SEC, wait_us % G_USEC_PER_SEC * 1000 };
  int count = epoll_pwait2 (load->epoll, events, EVENTS_A_TURN, until_us == G_MAXINT64 ? NULL : &wait, NULL);
  for (int i = 0; i < count; i++) {
    Client *client = events[i].data.ptr;
    if (!client)
      continue;
    ssize_t got = read (client->fd, bytes, sizeof bytes);
    if (got == 0 || (got < 0 && errno != EAGAIN))
      give_up (got ? "read" : "the server closed a connection");
    if (got > 0)
      (load->follows ? take_stream : take_answer) (load, client, bytes, (gsize)got);
  }
}

static void
open_all (Load *load, const char *address, guint count)
{
  load->host = g_strdup (address);
  load->count = count;
  load->clients = g_new0 (Client, count);
  load->epoll = epoll_create1 (EPOLL_CLOEXEC);
  load->free = g_ptr_array_new ();
  load->times = g_array_new (FALSE, FALSE, sizeof (gint64));
  for (guint i = 0; i < count; i++) {
    load->clients[i].fd = connect_to (address);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = &load->clients[i] };
    if (epoll_ctl (load->epoll, EPOLL_CTL_ADD, load->clients[i].fd, &event) != 0)
      give_up ("epoll_ctl");
    g_ptr_array_add (load->free, &load->clients[i]);
  }
}

static int
compare_times (gconstpointer a, gconstpointer b)
{
  gint64 first = *(const gint64 *)a, second = *(const gint64 *)b;
  return first < second ? -1 : first > second;
}

static double
share_ms (const GArray *times, double share)
{
  return times->len ? (double)g_array_index (times, gint64, (guint)(share * (times->len - 1))) / 1000 : 0;
}

static void
report (Load *load, double seconds)
{
  g_array_sort (load->times, compare_times);
  g_print ("{\"answers\":%" G_GUINT64_FORMAT ",\"wrong\":%" G_GUINT64_FORMAT ",\"events\":%" G_GUINT64_FORMAT
           ",\"bytes\":%" G_GUINT64_FORMAT
           ",\"seconds\":%.6f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"most_ms\":%.3f}\n",
           load->answered, load->wrong, load->events, load->bytes, seconds, share_ms (load->times, 0.5),
           share_ms (load->times, 0.99), share_ms (load->times, 1));
  g_array_set_size (load->times, 0);
  load->answered = load->wrong = load->events = load->bytes = 0;
}

static void
get (Load *load, guint64 requests, double rate)
{
  gint64 begun_us = clock_us ();
  while (load->answered < requests) {
    gint64 now_us = clock_us (), next_us = G_MAXINT64;
    while (load->asked < requests && load->free->len) {
      gint64 due_us = rate > 0 ? begun_us + (gint64)((double)load->asked * G_USEC_PER_SEC / rate) : now_us;
      if (due_us > now_us) {
        next_us = due_us;
        break;
      }
      ask (load, g_ptr_array_steal_index_fast (load->free, load->free->len - 1), due_us);
    }
    serve (load, next_us);
  }
  report (load, (double)(clock_us () - begun_us) / G_USEC_PER_SEC);
}

static gboolean
all_begun (const Load *load)
{
  for (guint i = 0; i < load->count; i++)
    if (!load->clients[i].begun)
      return FALSE;
  return TRUE;
}

static void
follow (Load *load)
{
  struct epoll_event event = { .events = EPOLLIN };
  char line[64];
  while (load->free->len)
    ask (load, g_ptr_array_steal_index_fast (load->free, load->free->len - 1), 0);
  while (!all_begun (load))
    serve (load, G_MAXINT64);
  report (load, 0);
  fcntl (STDIN_FILENO, F_SETFL, O_NONBLOCK);
  if (epoll_ctl (load->epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0)
    give_up ("standard input");
  for (;;) {
    serve (load, G_MAXINT64);
    ssize_t got = read (STDIN_FILENO, line, sizeof line);
    if (got == 0)
      return;
    if (got > 0)
      report (load, 0);
  }
}

int
main (int count, char **words)
{
  Load load = { 0 };
  setvbuf (stdout, NULL, _IOLBF, 0);
  if (count >= 7 && g_str_equal (words[1], "get")) {
    load.targets = words + 6;
    open_all (&load, words[2], (guint)atoi (words[3]));
    get (&load, g_ascii_strtoull (words[4], NULL, 10), g_ascii_strtod (words[5], NULL));
    return 0;
  }
  if (count == 5 && g_str_equal (words[1], "follow")) {
    load.targets = words + 4;
    load.follows = TRUE;
    open_all (&load, words[2], (guint)atoi (words[3]));
    follow (&load);
    return 0;
  }
  g_printerr ("usage: bench-load get ADDRESS:PORT CONNECTIONS REQUESTS RATE TARGET...\n"
              "       bench-load follow ADDRESS:PORT CONNECTIONS TARGET\n");
  return 2;
}
