/* Connections: none may take for ever. What each is at must be over by a moment, or it is closed. */
#include "api/server.h"

#include <errno.h>
#include <sys/socket.h>

enum { SWEEP_LEAST_MS = 1000, OVER_MS = 2000, LEFT_MS = 100 };

void
line_set_until (Line *line, gint64 wait_ms)
{
  Api *api = line->listener->api;
  gint64 now_ms = loop_now_ms (api->loop);
  line->until_ms = wait_ms == G_MAXINT64 ? G_MAXINT64 : now_ms + wait_ms;
  if (loop_timer_is_set (api->sweep) && api->sweep_ms <= line->until_ms)
    return;
  api->sweep_ms = MIN (line->until_ms, now_ms + IDLE_MS);
  loop_timer_set (api->sweep, api->sweep_ms);
}

/* libmicrohttpd looks for the client's end only when something new comes: one that came with a request, or
 * while it was handled, it has missed. */
void
line_answered (Line *line)
{
  char byte;
  ssize_t got = recv (line->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  gboolean left = got == 0 || (got < 0 && errno != EAGAIN);
  line->owing = FALSE;
  line_set_until (line, left ? LEFT_MS : IDLE_MS);
}

/* It sees a socket that was shut down as one that the client closed; but not where that was reset before:
 * then its own timeout ends it. */
static void
close_line (Line *line)
{
  shutdown (line->fd, SHUT_RDWR);
  MHD_set_connection_option (line->connection, MHD_CONNECTION_OPTION_TIMEOUT, 1u);
  listener_run_soon (line->listener);
  line->until_ms = G_MAXINT64;
}

/* libmicrohttpd's own timeout counts from the last byte: a client that drips them would stay for ever. */
void
line_sweep (gpointer data)
{
  Api *api = data;
  gint64 now_ms = loop_now_ms (api->loop), next_ms = now_ms + IDLE_MS;
  for (GList *link = api->lines.head; link; link = link->next) {
    Line *line = link->data;
    if (line->until_ms <= now_ms)
      close_line (line);
    next_ms = MIN (next_ms, line->until_ms);
  }
  api->sweep_ms = MAX (next_ms, now_ms + SWEEP_LEAST_MS);
  if (api->lines.head)
    loop_timer_set (api->sweep, api->sweep_ms);
}

/* Closes the connection whose client has had its answer and was silent for the longest. FALSE: all are at
 * something. */
static gboolean
close_idle (Listener *listener)
{
  Line *oldest = NULL;
  for (GList *link = listener->api->lines.head; link; link = link->next) {
    Line *line = link->data;
    if (line->listener == listener && !line->owing && line->until_ms != G_MAXINT64 &&
        (!oldest || line->until_ms < oldest->until_ms))
      oldest = line;
  }
  if (!oldest)
    return FALSE;
  shutdown (oldest->fd, SHUT_RDWR); /* the library is running just now */
  oldest->until_ms = G_MAXINT64;
  return TRUE;
}

void
line_notify (void *data, struct MHD_Connection *connection, void **context,
             enum MHD_ConnectionNotificationCode code)
{
  Listener *listener = data;
  Line *line = *context;
  if (code == MHD_CONNECTION_NOTIFY_STARTED) {
    line = g_new0 (Line, 1);
    line->link.data = line;
    line->listener = listener;
    line->owing = TRUE;
    line->connection = connection;
    line->fd = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    g_queue_push_tail_link (&listener->api->lines, &line->link);
    *context = line;
    listener->lines++;
    line->over = listener->lines > listener->lines_most && !close_idle (listener);
    line_set_until (line, line->over ? OVER_MS : HEAD_MS);
  } else if (line) {
    request_free (line->request); /* one that the library refused is not told as completed */
    listener->closed = TRUE;
    listener->lines--;
    g_queue_unlink (&listener->api->lines, &line->link);
    g_clear_pointer (context, g_free);
  }
}
