/* JSON straight into a buffer that grows and is used again. */
#include <string.h>
#include "json/scan.h"

enum { ROOM_FIRST = 256, ESCAPE_MOST = 6, NANO_PLACES = 9, NUMBER_ROOM = 32 };

void
json_buffer_clear (JsonBuffer *buffer)
{
  g_free (buffer->bytes);
  *buffer = (JsonBuffer){ 0 };
}

static G_GNUC_NO_INLINE void
grow (JsonBuffer *buffer, gsize more)
{
  g_assert (more <= G_MAXSIZE / 2 - buffer->length);
  buffer->room = MAX (MAX (buffer->room * 2, ROOM_FIRST), buffer->length + more);
  buffer->bytes = g_realloc (buffer->bytes, buffer->room);
}

static inline char *
need (JsonBuffer *buffer, gsize more)
{
  if (G_UNLIKELY (buffer->room - buffer->length < more))
    grow (buffer, more);
  return buffer->bytes + buffer->length;
}

void
json_buffer_need (JsonBuffer *buffer, gsize more)
{
  if (buffer->room - buffer->length < more)
    grow (buffer, more);
}

void
json_put (JsonBuffer *buffer, const char *bytes, gsize length)
{
  if (length == 0)
    return;
  memcpy (need (buffer, length), bytes, length);
  buffer->length += length;
}

static void
put_escape (JsonBuffer *buffer, guchar c)
{
  static const char hex[] = "0123456789abcdef", from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  char *out = need (buffer, ESCAPE_MOST);
  const char *found = c ? strchr (from, c) : NULL;
  if (found) {
    out[0] = '\\';
    out[1] = to[found - from];
    buffer->length += 2;
    return;
  }
  memcpy (out, "\\u00", 4);
  out[4] = hex[c >> 4];
  out[5] = hex[c & 15];
  buffer->length += 6;
}

void
json_put_text (JsonBuffer *buffer, const char *text, gsize length)
{
  const char *end = text + length;
  char *out = need (buffer, length + 2);
  *out = '"';
  buffer->length++;
  for (;;) {
    const char *stop = scan_plain (text, end);
    json_put (buffer, text, (gsize)(stop - text));
    if (stop == end)
      break;
    put_escape (buffer, (guchar)*stop);
    text = stop + 1;
  }
  json_put (buffer, "\"", 1);
}

gboolean
json_put_checked (JsonBuffer *buffer, const char *text, gsize length)
{
  if (!json_is_utf8 (text, length))
    return FALSE;
  json_put_text (buffer, text, length);
  return TRUE;
}

/* Writes the digits so that they end at end; returns where they begin. */
static char *
digits (char *end, guint64 value)
{
  do
    *--end = (char)('0' + value % 10);
  while (value /= 10);
  return end;
}

void
json_put_int (JsonBuffer *buffer, gint64 value)
{
  char text[NUMBER_ROOM], *end = text + sizeof text;
  char *begin = digits (end, value < 0 ? 0 - (guint64)value : (guint64)value);
  if (value < 0)
    *--begin = '-';
  json_put (buffer, begin, (gsize)(end - begin));
}

void
json_put_nano (JsonBuffer *buffer, gint64 nano)
{
  const guint64 one = 1000000000;
  guint64 value = nano < 0 ? 0 - (guint64)nano : (guint64)nano, fraction = value % one;
  char text[NUMBER_ROOM], *end = text + sizeof text, *begin = end;
  if (fraction) {
    int places = NANO_PLACES;
    for (; fraction % 10 == 0; fraction /= 10)
      places--;
    for (; places > 0; places--, fraction /= 10)
      *--begin = (char)('0' + fraction % 10);
    *--begin = '.';
  }
  begin = digits (begin, value / one);
  if (nano < 0)
    *--begin = '-';
  json_put (buffer, begin, (gsize)(end - begin));
}
