/* What a connection is told to send, and how badly.
 *
 * The body is `prefix`, then `middle` as often as `times` says, then `suffix`: a page is an envelope around
 * rows that may be shared with a cache; a gzip bomb is a small block a million times; a body without end is a
 * middle for ever. */
#pragma once
#include <glib.h>

#define REPLY_FOR_EVER G_MAXUINT64

typedef struct {
  int status;
  const char *type; /* Content-Type, a literal */
  GString *headers; /* further headers, each "Name: value\r\n" */
  GString *prefix, *suffix;
  GBytes *middle;
  guint64 times;

  gint64 delay_ms;             /* before the first byte */
  guint piece_bytes, piece_ms; /* above 0: so many bytes each so many milliseconds */
  gboolean cut; /* only the first cut_bytes of the body are sent, then the connection is ended */
  guint64 cut_bytes;
  gboolean reset, stall,
    close_after; /* reset: RST instead of any answer. stall: no answer, the line stays open */
} Reply;

void reply_init (Reply *reply);
void reply_clear (Reply *reply);

/* A whole answer, replacing what was said before. */
void reply_text (Reply *reply, int status, const char *type, const char *format, ...) G_GNUC_PRINTF (4, 5);
void reply_json (Reply *reply, int status, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Takes over text as the body. */
void reply_take (Reply *reply, int status, const char *type, GString *text);

/* A body of rows that are shared: prefix as printed, then rows, then suffix. Takes a reference. */
void reply_rows (Reply *reply, GBytes *rows, const char *suffix, const char *format, ...)
  G_GNUC_PRINTF (4, 5);

void reply_header (Reply *reply, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* Bytes of the body; REPLY_FOR_EVER when it does not end. */
guint64 reply_length (const Reply *reply);

/* The body in one piece (it must end), for those who read or change it. Free with g_string_free(). */
GString *reply_body (const Reply *reply);
