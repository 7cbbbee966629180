/* The feed's events as the bytes of a text/event-stream, put together in blocks that many followers share.
 *
 * A block is framed as one chunk of HTTP/1.1, so that it is sent as it lies; without EVENTS_HEAD bytes in
 * front and EVENTS_TAIL behind it is what a client of HTTP/1.0 gets. */
#pragma once
#include "json/json.h"

enum { EVENTS_HEAD = 10, EVENTS_TAIL = 2 };

#define EVENTS_RETRY "retry: 1000\n"
#define EVENTS_FIRST EVENTS_RETRY "\n"
#define EVENTS_RESET "event: reset\ndata: {\"snapshot\":\"/v1/snapshot\"}\n\n"

void events_put_change (JsonBuffer *block, guint64 seq, const char *line, gsize length);
/* Nothing happened, and the place is that one by now. */
void events_put_alive (JsonBuffer *block, guint64 seq);
void events_put_reset (JsonBuffer *block);
/* The block, which is empty then; NULL: nothing was put. */
GBytes *events_end (JsonBuffer *block);
