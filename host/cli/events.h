/* Server-Sent Events, read as they come (WHATWG HTML, 9.2): pure, a piece at a time, cut anywhere. */
#pragma once
#include <glib.h>

typedef struct EventReader EventReader;

/* One event: its name ("message" when it has none) and its data, lines joined by "\n". FALSE: enough. */
typedef gboolean (*EventTake) (const char *event, const char *data, gpointer user);

EventReader *event_reader_new (EventTake take, gpointer user);
void event_reader_free (EventReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (EventReader, event_reader_free)

typedef enum { EVENTS_MORE, EVENTS_ENOUGH, EVENTS_TOO_LARGE } EventsRead;
EventsRead event_reader_feed (EventReader *reader, const char *bytes, gsize length);
/* The connection ended: what was not whole is forgotten, the place is kept. */
void event_reader_cut (EventReader *reader);

/* The id of the newest event, or of a line of its own: what Last-Event-ID tells. "": none yet. */
const char *event_reader_id (const EventReader *reader);
/* What the server asks to wait for before the next connection; -1: it did not say. */
gint64 event_reader_retry_ms (const EventReader *reader);
