/* JSON text written piece by piece. */
#pragma once
#include <glib.h>
#include <string.h>

/* Writes where there is room for sure: a page of a thousand records is a hundred thousand pieces, and asking
 * the string for room before each of them took most of the time. pen_open() makes room for one record,
 * pen_close() gives back the rest. */
typedef struct {
  GString *string;
  char *at;
} Pen;

enum { PEN_ROOM = 8 << 10 };

static inline Pen
pen_open (GString *string)
{
  gsize length = string->len;
  g_string_set_size (string, length + PEN_ROOM);
  return (Pen){ string, string->str + length };
}

static inline void
pen_close (Pen *pen)
{
  gsize length = (gsize)(pen->at - pen->string->str);
  g_assert (length <= pen->string->len);
  g_string_truncate (pen->string, length);
}

static inline void
pen_bytes (Pen *pen, const char *bytes, gsize length)
{
  memcpy (pen->at, bytes, length);
  pen->at += length;
}

#define PEN_LITERAL(pen, text) pen_bytes (pen, text, sizeof (text) - 1)

static inline void
pen_text (Pen *pen, const char *text)
{
  pen_bytes (pen, text, strlen (text));
}

static inline void
pen_char (Pen *pen, char c)
{
  *pen->at++ = c;
}

void pen_unsigned (Pen *pen, guint64 number);

/* Thousandths as the shortest decimal: 30000 -> "30", 16033 -> "16.033". */
void pen_thousandths (Pen *pen, gint32 thousandths);

/* A JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void text_quoted (GString *out, const char *text, gssize length);
