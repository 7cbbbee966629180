#include "api/events.h"

#include <stdio.h>

static void
put (JsonBuffer *block, const char *text)
{
  json_put (block, text, strlen (text));
}

/* The length is known at the end; leading zeros are allowed in it. */
static void
begin (JsonBuffer *block)
{
  if (!block->length)
    put (block, "00000000\r\n");
}

void
events_put_change (JsonBuffer *block, guint64 seq, const char *line, gsize length)
{
  begin (block);
  put (block, "id: ");
  json_put_int (block, (gint64)seq);
  put (block, "\nevent: change\ndata: ");
  json_put (block, line, length);
  put (block, "\n\n");
}

void
events_put_alive (JsonBuffer *block, guint64 seq)
{
  begin (block);
  put (block, ": alive\nid: ");
  json_put_int (block, (gint64)seq);
  put (block, "\n\n");
}

void
events_put_reset (JsonBuffer *block)
{
  begin (block);
  put (block, EVENTS_RESET);
}

GBytes *
events_end (JsonBuffer *block)
{
  char head[EVENTS_HEAD + 1];
  if (!block->length)
    return NULL;
  g_assert (block->length - EVENTS_HEAD <= G_MAXUINT32);
  g_snprintf (head, sizeof head, "%08x\r\n", (guint)(block->length - EVENTS_HEAD));
  memcpy (block->bytes, head, EVENTS_HEAD);
  put (block, "\r\n");
  JsonBuffer whole = *block;
  *block = (JsonBuffer){ 0 };
  return g_bytes_new_take (g_realloc (whole.bytes, whole.length), whole.length);
}
