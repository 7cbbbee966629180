#include "api/stream.h"

#include <sys/socket.h>

#include "api/server.h"

enum {
  BLOCK_BYTES = 4096, /* what a client of HTTP/1.0 gets at once; others as much as fits the memory */
  KERNEL_BYTES =
    128 * 1024 /* that the kernel holds for a client, or twice as much; else it takes megabytes */
};

struct Stream {
  GList link; /* of api->streams, once it is a response */
  Api *api;
  Line *line;
  struct MHD_Connection *connection;
  const StreamSource *source;
  gpointer data;
  gboolean chunked, asleep, cut;
};

gboolean
stream_room (Request *request)
{
  const Listener *listener = request->line->listener;
  if (listener->streams < listener->streams_most)
    return TRUE;
  request_refuse (request, problem_new (503, "too_many_streams",
                                        "%u connections follow the feed or read a snapshot; "
                                        "limits.connections in tillbridge.conf allows no more",
                                        listener->streams));
  return FALSE;
}

Stream *
stream_answer (Request *request, Answer *answer, const StreamSource *source, gpointer data)
{
  Stream *stream = g_new (Stream, 1);
  int most = KERNEL_BYTES;
  setsockopt (request->line->fd, SOL_SOCKET, SO_SNDBUF, &most, sizeof most);
  *stream = (Stream){ .link.data = stream,
                      .api = request->api,
                      .line = request->line,
                      .connection = request->connection,
                      .source = source,
                      .data = data,
                      .chunked = request->chunked };
  request->line->listener->streams++;
  g_queue_push_tail_link (&request->api->streams, &stream->link);
  answer->stream = stream;
  request_answer (request, answer);
  return stream;
}

static ssize_t
pull (void *data, uint64_t place, char *bytes, size_t most)
{
  Stream *stream = data;
  gssize got = stream->cut ? STREAM_FAILED : stream->source->pull (bytes, most, stream->data);
  switch (got) {
  case STREAM_END:
    return MHD_CONTENT_READER_END_OF_STREAM;
  case STREAM_FAILED:
    return MHD_CONTENT_READER_END_WITH_ERROR;
  case STREAM_LATER:
    stream->asleep = TRUE;
    line_set_until (stream->line, G_MAXINT64);
    MHD_suspend_connection (stream->connection);
    if (stream->source->slept)
      stream->source->slept (stream->data);
    return 0;
  default:
    line_set_until (stream->line, STREAM_STALL_MS);
    return got;
  }
}

static void
response_freed (void *data)
{
  stream_free (data);
}

struct MHD_Response *
stream_to_response (Stream *stream)
{
  return MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, BLOCK_BYTES, pull, stream, response_freed);
}

void
stream_free (Stream *stream)
{
  if (!stream)
    return;
  stream->line->listener->streams--;
  g_queue_unlink (&stream->api->streams, &stream->link);
  stream->source->free (stream->data);
  g_free (stream);
}

void
stream_wake (Stream *stream)
{
  if (!stream->asleep)
    return;
  stream->asleep = FALSE;
  line_set_until (stream->line, STREAM_STALL_MS);
  MHD_resume_connection (stream->connection);
  listener_run_soon (stream->line->listener);
}

void
stream_cut (Stream *stream)
{
  stream->cut = TRUE;
  stream_wake (stream);
}

void
streams_cut (Api *api)
{
  for (GList *link = api->streams.head; link; link = link->next)
    stream_cut (link->data);
}

int
stream_fd (const Stream *stream)
{
  return stream->line->fd;
}

Api *
stream_api (const Stream *stream)
{
  return stream->api;
}

gboolean
stream_is_chunked (const Stream *stream)
{
  return stream->chunked;
}

void
stream_expect (const Stream *stream, gboolean taking)
{
  line_set_until (stream->line, taking ? STREAM_STALL_MS : G_MAXINT64);
}
