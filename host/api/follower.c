#include "api/follower.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "api/events.h"
#include "api/server.h"

static void on_socket (int fd, guint32 events, gpointer data);

static void
put_span (const Follower *follower, GBytes *block, gsize *from, gsize *to)
{
  *from = follower->chunked ? 0 : EVENTS_HEAD;
  *to = g_bytes_get_size (block) - (follower->chunked ? 0 : EVENTS_TAIL);
}

/* Writes the block from *at on. FALSE: the line is broken. */
static gboolean
write_block (Follower *follower, GBytes *block, gsize *at, gsize to)
{
  const char *bytes = g_bytes_get_data (block, NULL);
  while (*at < to) {
    ssize_t wrote = send (follower->fd, bytes + *at, to - *at, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (wrote >= 0)
      *at += (gsize)wrote;
    else if (errno == EAGAIN)
      return TRUE;
    else if (errno != EINTR)
      return FALSE;
  }
  return TRUE;
}

/* A whole block is progress: after each the client has its time again. */
static void
block (Follower *follower, gboolean blocked)
{
  if (blocked || follower->blocked)
    stream_expect (follower->stream, blocked);
  if (blocked != follower->blocked)
    loop_watch_update (follower->watch, blocked ? EPOLLRDHUP | EPOLLOUT : EPOLLRDHUP);
  follower->blocked = blocked;
}

void
follower_give (Follower *follower, GBytes *bytes)
{
  gsize at, to;
  g_assert (follower->watch);
  put_span (follower, bytes, &at, &to);
  if (!follower->blocks.length && !write_block (follower, bytes, &at, to)) {
    follower_cut (follower);
    return;
  }
  if (at == to)
    return;
  if (!follower->blocks.length)
    follower->sent = at;
  follower->waiting += to - at;
  g_queue_push_tail (&follower->blocks, g_bytes_ref (bytes));
  if (!follower->blocked)
    block (follower, TRUE);
}

gboolean
follower_has_room (const Follower *follower, gsize size)
{
  return !follower->waiting || follower->waiting + size <= FOLLOWER_QUEUE_MOST;
}

static void
let_go (Follower *follower)
{
  g_clear_pointer (&follower->watch, loop_watch_free);
}

static void
drained (Follower *follower)
{
  if (follower->state == FOLLOWER_ENDS) {
    let_go (follower);
    stream_wake (follower->stream);
  } else {
    follower_drained (follower);
  }
}

static void
flush (Follower *follower)
{
  while (follower->blocks.length) {
    GBytes *first = follower->blocks.head->data;
    gsize from, to, before = follower->sent;
    put_span (follower, first, &from, &to);
    if (!write_block (follower, first, &follower->sent, to)) {
      follower_cut (follower);
      return;
    }
    follower->waiting -= follower->sent - before;
    if (follower->sent < to)
      return;
    g_bytes_unref (g_queue_pop_head (&follower->blocks));
    if (follower->blocks.length) {
      put_span (follower, follower->blocks.head->data, &follower->sent, &to);
      block (follower, TRUE);
    }
  }
  block (follower, FALSE);
  drained (follower);
}

static void
on_socket (int fd, guint32 events, gpointer data)
{
  Follower *follower = data;
  if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
    follower_cut (follower);
  else if (events & EPOLLOUT)
    flush (follower);
}

void
follower_finish (Follower *follower)
{
  follower_becomes (follower, FOLLOWER_ENDS);
  if (follower->watch && !follower->blocks.length) {
    let_go (follower);
    stream_wake (follower->stream);
  }
}

void
follower_cut (Follower *follower)
{
  follower_becomes (follower, FOLLOWER_ENDS);
  let_go (follower);
  stream_cut (follower->stream);
}

/* ---- what the server pulls: the head, and the end ---- */

static gssize
pull (char *bytes, gsize most, gpointer data)
{
  Follower *follower = data;
  gsize size = MIN (strlen (follower->head), most);
  if (!size)
    return follower->state == FOLLOWER_ENDS ? STREAM_END : STREAM_LATER;
  memcpy (bytes, follower->head, size);
  follower->head += size;
  return (gssize)size;
}

/* Each event shall go when it is written. On a Unix socket that is so anyway. */
static void
slept (gpointer data)
{
  Follower *follower = data;
  int one = 1;
  follower->fd = stream_fd (follower->stream);
  follower->chunked = stream_is_chunked (follower->stream);
  setsockopt (follower->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  follower->watch =
    loop_watch_new (stream_api (follower->stream)->loop, follower->fd, EPOLLRDHUP, on_socket, follower);
  follower_began (follower);
}

static void
stream_gone (gpointer data)
{
  Follower *follower = data;
  let_go (follower);
  g_queue_clear_full (&follower->blocks, (GDestroyNotify)g_bytes_unref);
  follower_left (follower);
}

const StreamSource follower_source = { pull, slept, stream_gone };
