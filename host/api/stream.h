/* A body that is made while it is read: pulled in pieces as the client takes them, asleep while there are
 * none. Nothing is held for a client but what its source holds.
 *
 *   pull gives bytes          the client has STREAM_STALL_MS to take them, or is cut off
 *              STREAM_LATER   the connection sleeps until stream_wake()
 *              STREAM_END     that was all
 *              STREAM_FAILED  the connection is cut: the client sees that something is missing
 *
 * Of a listener's connections some are kept for answers that end by themselves: see stream_room(). */
#pragma once
#include "api/request.h"

typedef struct Stream Stream;

enum {
  STREAM_LATER = 0,
  STREAM_END = -1,
  STREAM_FAILED = -2,
  STREAM_STALL_MS = 30000,
  STREAM_SHARE = 8 /* one of so many connections is kept for others */
};

typedef struct {
  gssize (*pull) (char *bytes, gsize most, gpointer data);
  /* The connection sleeps: until it is woken, its socket is the source's to write to. May be NULL. */
  void (*slept) (gpointer data);
  void (*free) (gpointer data); /* all was read, or the client is gone, or it was cut */
} StreamSource;

/* Is there room for one more? FALSE: refused with 503. */
gboolean stream_room (Request *request);
/* Ends the request with this head (takes it); data is the source's until free. */
Stream *stream_answer (Request *request, Answer *answer, const StreamSource *source, gpointer data);
/* There is something to pull. */
void stream_wake (Stream *stream);
/* Nothing more is pulled; the connection goes. */
void stream_cut (Stream *stream);

/* For a source that writes to the socket itself while the connection sleeps. */
int stream_fd (const Stream *stream);
Api *stream_api (const Stream *stream);
gboolean stream_is_chunked (const Stream *stream);          /* it must then write in chunks */
void stream_expect (const Stream *stream, gboolean taking); /* it waits for the client to take something */

/* ---- server.c ---- */
struct MHD_Response *stream_to_response (Stream *stream); /* takes it */
void stream_free (Stream *stream);
void streams_cut (Api *api);
