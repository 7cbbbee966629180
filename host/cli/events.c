#include "cli/events.h"

#include <string.h>

enum { EVENTS_MOST = 64 << 20, RETRY_DIGITS_MOST = 9 };

struct EventReader {
  EventTake take;
  gpointer user;
  GString *line, *data;
  char *event, *id, *last_id; /* id: of the event that is being read */
  gint64 retry_ms;
  gboolean after_return; /* the line before ended with CR: an LF belongs to it */
  gboolean begun;        /* a byte order mark may stand at the very beginning */
};

EventReader *
event_reader_new (EventTake take, gpointer user)
{
  EventReader *reader = g_new0 (EventReader, 1);
  *reader = (EventReader){ .take = take,
                           .user = user,
                           .line = g_string_new (NULL),
                           .data = g_string_new (NULL),
                           .id = g_strdup (""),
                           .last_id = g_strdup (""),
                           .retry_ms = -1 };
  return reader;
}

void
event_reader_free (EventReader *reader)
{
  g_string_free (reader->line, TRUE);
  g_string_free (reader->data, TRUE);
  g_free (reader->event);
  g_free (reader->id);
  g_free (reader->last_id);
  g_free (reader);
}

static void
set_text (char **place, const char *text)
{
  g_free (*place);
  *place = g_strdup (text);
}

/* An empty line: the event is whole. Without data there is none, but its id counts. */
static gboolean
dispatch (EventReader *reader)
{
  gboolean more = TRUE;
  if (reader->data->len) {
    g_string_truncate (reader->data, reader->data->len - 1); /* the last line's end */
    more = reader->take (reader->event && *reader->event ? reader->event : "message", reader->data->str,
                         reader->user);
  }
  set_text (&reader->last_id, reader->id);
  g_string_truncate (reader->data, 0);
  g_clear_pointer (&reader->event, g_free);
  return more;
}

static void
take_field (EventReader *reader, const char *name, const char *value)
{
  if (strcmp (name, "data") == 0) {
    g_string_append (reader->data, value);
    g_string_append_c (reader->data, '\n');
  } else if (strcmp (name, "event") == 0)
    set_text (&reader->event, value);
  else if (strcmp (name, "id") == 0)
    set_text (&reader->id, value);
  else if (strcmp (name, "retry") == 0 && *value && strlen (value) <= RETRY_DIGITS_MOST &&
           strspn (value, "0123456789") == strlen (value))
    reader->retry_ms = g_ascii_strtoll (value, NULL, 10);
}

static gboolean
take_line (EventReader *reader)
{
  char *line = reader->line->str;
  if (!reader->begun && g_str_has_prefix (line, "\357\273\277"))
    line += 3;
  reader->begun = TRUE;
  if (!*line)
    return dispatch (reader);
  char *colon = strchr (line, ':');
  if (colon == line) /* a comment */
    return TRUE;
  const char *value = "";
  if (colon) {
    *colon = '\0';
    value = colon[1] == ' ' ? colon + 2 : colon + 1;
  }
  take_field (reader, line, value);
  return TRUE;
}

EventsRead
event_reader_feed (EventReader *reader, const char *bytes, gsize length)
{
  while (length > 0) {
    if (reader->after_return && *bytes == '\n') {
      bytes++;
      length--;
    }
    reader->after_return = FALSE;
    gsize size = 0;
    while (size < length && bytes[size] != '\n' && bytes[size] != '\r')
      size++;
    if (reader->line->len + reader->data->len + size > EVENTS_MOST)
      return EVENTS_TOO_LARGE;
    g_string_append_len (reader->line, bytes, (gssize)size);
    if (size == length)
      return EVENTS_MORE;
    reader->after_return = bytes[size] == '\r';
    bytes += size + 1;
    length -= size + 1;
    gboolean more = take_line (reader);
    g_string_truncate (reader->line, 0);
    if (!more)
      return EVENTS_ENOUGH;
  }
  return EVENTS_MORE;
}

void
event_reader_cut (EventReader *reader)
{
  g_string_truncate (reader->line, 0);
  g_string_truncate (reader->data, 0);
  g_clear_pointer (&reader->event, g_free);
  set_text (&reader->id, reader->last_id);
  reader->after_return = reader->begun = FALSE;
}

const char *
event_reader_id (const EventReader *reader)
{
  return reader->last_id;
}

gint64
event_reader_retry_ms (const EventReader *reader)
{
  return reader->retry_ms;
}
