/* Small writers into a JsonBuffer, inline because they run some hundred times a record.
 *
 * Objects and lists are written without looking whether a member is the first one: each member brings its
 * comma, and put_brackets() overwrites the comma of the first with the opening bracket. Part of the room
 * model/. */
#pragma once
#include "json/json.h"

#include <string.h>

static inline char *
put_reserve (JsonBuffer *out, gsize more)
{
  if (G_UNLIKELY (out->room - out->length < more))
    json_buffer_need (out, more);
  return out->bytes + out->length;
}

static inline void
put_short (JsonBuffer *out, const char *text, gsize length)
{
  memcpy (put_reserve (out, length), text, length);
  out->length += length;
}

static inline void
put_byte (JsonBuffer *out, char byte)
{
  *put_reserve (out, 1) = byte;
  out->length++;
}

/* Ends what began at start. FALSE: it is empty, and nothing was written. */
static inline gboolean
put_brackets (JsonBuffer *out, gsize start, char opening, char closing)
{
  if (out->length == start)
    return FALSE;
  out->bytes[start] = opening;
  put_byte (out, closing);
  return TRUE;
}
