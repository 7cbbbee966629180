#include "connection.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_BYTES = 64 << 10, PIECES_A_WRITE = 16, READS_A_TURN = 16 };

/* reading --a whole request--> (waiting: delay or stall) --> sending --> reading, or the end */
typedef enum { READING, WAITING, SENDING } State;

struct Connection {
  Loop *loop;
  int fd;
  State state;
  LoopWatch *watch;
  LoopTimer *timer;
  GString *in;
  gboolean continued, keep_alive, peer_done;
  Reply reply;
  GString *head;
  guint64 sent, total; /* of head and body together */
  guint64 allowed;     /* how far a slow answer may have come by now */
  ServerHandler handler;
  gpointer handler_data;
  ConnectionEnded ended;
  gpointer ended_data;
};

static void process (Connection *connection);
static void timer_due (gpointer data);

static void
finish (Connection *connection)
{
  connection->ended (connection, connection->ended_data);
}

/* Ends it the rude way: with linger 0, close() throws away what waits and sends RST. */
static void
reset (Connection *connection)
{
  struct linger linger = { .l_onoff = 1, .l_linger = 0 };
  setsockopt (connection->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
  finish (connection);
}

static const char *
reason (int status)
{
  static const struct {
    int status;
    const char *words;
  } reasons[] = { { 200, "OK" },
                  { 201, "Created" },
                  { 202, "Accepted" },
                  { 204, "No Content" },
                  { 302, "Found" },
                  { 304, "Not Modified" },
                  { 400, "Bad Request" },
                  { 401, "Unauthorized" },
                  { 403, "Forbidden" },
                  { 404, "Not Found" },
                  { 405, "Not Allowed" },
                  { 429, "Too Many Requests" },
                  { 500, "Internal Server Error" },
                  { 502, "Bad Gateway" },
                  { 503, "Service Unavailable" } };
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == status)
      return reasons[i].words;
  return "Status";
}

/* Adds the part of (bytes, length) that lies between *skip bytes in and *room bytes further to the vector. */
static void
add_part (struct iovec *parts, int *count, const void *bytes, gsize length, guint64 *skip, guint64 *room)
{
  if (*skip >= length) {
    *skip -= length;
    return;
  }
  gsize use = MIN (length - *skip, *room);
  if (use == 0 || *count == PIECES_A_WRITE)
    return;
  parts[(*count)++] = (struct iovec){ (char *)(guintptr)bytes + *skip, use };
  *skip = 0;
  *room -= use;
}

static int
gather (const Connection *connection, guint64 room, struct iovec parts[PIECES_A_WRITE])
{
  const Reply *reply = &connection->reply;
  guint64 skip = connection->sent;
  int count = 0;
  gsize size = 0;
  add_part (parts, &count, connection->head->str, connection->head->len, &skip, &room);
  add_part (parts, &count, reply->prefix->str, reply->prefix->len, &skip, &room);
  const void *middle = reply->middle ? g_bytes_get_data (reply->middle, &size) : NULL;
  guint64 times = size ? reply->times : 0, whole = times ? skip / size : 0;
  guint64 passed = MIN (whole, times);
  skip -= passed * size;
  for (guint64 i = passed; i < times && room > 0 && count < PIECES_A_WRITE; i++)
    add_part (parts, &count, middle, size, &skip, &room);
  add_part (parts, &count, reply->suffix->str, reply->suffix->len, &skip, &room);
  return count;
}

static void
reply_sent (Connection *connection)
{
  if (connection->reply.cut || !connection->keep_alive) {
    finish (connection);
    return;
  }
  reply_clear (&connection->reply);
  connection->state = READING;
  loop_watch_update (connection->watch, EPOLLIN);
  if (connection->in->len ||
      connection->peer_done) /* by way of the loop: a thousand requests may stand in line */
    loop_timer_set (connection->timer, loop_now_ms (connection->loop));
}

/* Sends what the socket takes and the pace allows. */
static void
send_some (Connection *connection)
{
  const Reply *reply = &connection->reply;
  while (connection->sent < connection->total) {
    struct iovec parts[PIECES_A_WRITE];
    guint64 limit = reply->piece_bytes ? MIN (connection->allowed, connection->total) : connection->total;
    if (limit <= connection->sent) {
      loop_watch_update (connection->watch, EPOLLRDHUP);
      connection->allowed += reply->piece_bytes;
      loop_timer_set (connection->timer, loop_now_ms (connection->loop) + reply->piece_ms);
      return;
    }
    struct msghdr message = { .msg_iov = parts };
    message.msg_iovlen = (size_t)gather (connection, limit - connection->sent, parts);
    ssize_t count = sendmsg (connection->fd, &message, MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) {
      loop_watch_update (connection->watch, EPOLLOUT);
      return;
    }
    if (count < 0) {
      finish (connection);
      return;
    }
    connection->sent += (guint64)count;
  }
  reply_sent (connection);
}

static void
write_head (Connection *connection)
{
  Reply *reply = &connection->reply;
  guint64 length = reply_length (reply);
  if (length == REPLY_FOR_EVER || reply->close_after)
    connection->keep_alive = FALSE;
  g_string_printf (connection->head, "HTTP/1.1 %d %s\r\nServer: sandbox\r\n", reply->status,
                   reason (reply->status));
  if (reply->type)
    g_string_append_printf (connection->head, "Content-Type: %s\r\n", reply->type);
  if (length != REPLY_FOR_EVER)
    g_string_append_printf (connection->head, "Content-Length: %" G_GUINT64_FORMAT "\r\n", length);
  if (!connection->keep_alive)
    g_string_append (connection->head, "Connection: close\r\n");
  g_string_append (connection->head, reply->headers->str);
  g_string_append (connection->head, "\r\n");
  guint64 body = reply->cut ? MIN (length, reply->cut_bytes) : length;
  connection->total = body == REPLY_FOR_EVER ? body : connection->head->len + body;
  connection->allowed = connection->head->len + reply->piece_bytes;
  connection->sent = 0;
}

static void
begin_reply (Connection *connection)
{
  connection->state = SENDING;
  write_head (connection);
  send_some (connection);
}

static void
answer (Connection *connection, Request *request)
{
  connection->keep_alive = request->keep_alive;
  loop_timer_clear (connection->timer);
  reply_init (&connection->reply);
  connection->handler (request, &connection->reply, connection->handler_data);
  request_clear (request);
  const Reply *reply = &connection->reply;
  connection->state = WAITING;
  if (reply->stall || reply->delay_ms > 0)
    loop_watch_update (connection->watch, EPOLLRDHUP);
  if (reply->delay_ms > 0)
    loop_timer_set (connection->timer, loop_now_ms (connection->loop) + reply->delay_ms);
  else if (reply->reset)
    reset (connection);
  else if (!reply->stall)
    begin_reply (connection);
}

static void
timer_due (gpointer data)
{
  Connection *connection = data;
  if (connection->state == READING)
    process (connection);
  else if (connection->state == SENDING)
    send_some (connection);
  else if (connection->reply.reset || connection->reply.stall)
    reset (connection);
  else
    begin_reply (connection);
}

static void
process (Connection *connection)
{
  Request request = { 0 };
  gsize used = 0;
  gboolean expects;
  switch (request_parse (connection->in, &request, &used, &expects)) {
  case REQUEST_BAD:
    reset (connection);
    return;
  case REQUEST_MORE:
    if (connection->peer_done)
      finish (connection);
    else if (expects && !connection->continued)
      connection->continued = send (connection->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL) == 25;
    return;
  case REQUEST_DONE:
    g_string_erase (connection->in, 0, (gssize)used);
    connection->continued = FALSE;
    answer (connection, &request);
    return;
  }
}

static void
read_some (Connection *connection)
{
  for (int i = 0; i < READS_A_TURN; i++) {
    gsize had = connection->in->len;
    g_string_set_size (connection->in, had + READ_BYTES);
    ssize_t count = recv (connection->fd, connection->in->str + had, READ_BYTES, 0);
    int trouble = errno;
    g_string_set_size (connection->in, had + (gsize)MAX (count, 0));
    if (count < 0 && trouble == EAGAIN)
      break;
    if (count < 0) {
      finish (connection);
      return;
    }
    if (count == 0) {
      connection->peer_done = TRUE;
      break;
    }
    if (count < READ_BYTES)
      break;
  }
  process (connection);
}

static void
ready (int fd, guint32 events, gpointer data)
{
  Connection *connection = data;
  if (events & (EPOLLERR | EPOLLHUP) || (connection->state != READING && events & EPOLLRDHUP))
    finish (connection);
  else if (connection->state == READING)
    read_some (connection);
  else if (connection->state == SENDING)
    send_some (connection);
}

Connection *
connection_new (Loop *loop, int fd, ServerHandler handler, gpointer handler_data, ConnectionEnded ended,
                gpointer ended_data)
{
  Connection *connection = g_new0 (Connection, 1);
  *connection = (Connection){ .loop = loop,
                              .fd = fd,
                              .handler = handler,
                              .handler_data = handler_data,
                              .ended = ended,
                              .ended_data = ended_data,
                              .in = g_string_new (NULL),
                              .head = g_string_new (NULL) };
  connection->watch = loop_watch_new (loop, fd, EPOLLIN, ready, connection);
  connection->timer = loop_timer_new (loop, timer_due, connection);
  return connection;
}

void
connection_free (Connection *connection)
{
  loop_watch_free (connection->watch);
  loop_timer_free (connection->timer);
  close (connection->fd);
  g_string_free (connection->in, TRUE);
  g_string_free (connection->head, TRUE);
  if (connection->state != READING)
    reply_clear (&connection->reply);
  g_free (connection);
}

void
connection_release (Connection *connection)
{
  if (connection->state == WAITING && connection->reply.stall)
    reset (connection);
}
