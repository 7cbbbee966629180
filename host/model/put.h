/* Small writers into a JsonBuffer, inline because they run some hundred times a record.
 *
 * Objects and lists are written without looking whether a member is the first one: each member brings its
 * comma, and put_brackets() overwrites the comma of the first with the opening bracket. Part of the room
 * model/. */
#pragma once
#include "json/json.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

#ifdef __SSE2__
/* Does one of these bytes need more than to be copied: a control character, a quote, a backslash, or no
 * ASCII? */
static inline gboolean
put_needs_care (__m128i bytes)
{
  __m128i hits = _mm_cmplt_epi8 (bytes, _mm_set1_epi8 (0x20)); /* signed: from 0x80 on they are below, too */
  hits = _mm_or_si128 (hits, _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('"')));
  hits = _mm_or_si128 (hits, _mm_cmpeq_epi8 (bytes, _mm_set1_epi8 ('\\')));
  return _mm_movemask_epi8 (hits) != 0;
}
#endif

/* Writes a text of plain ASCII at `at` (room for its length and two quotes), checking and copying in one go.
 * FALSE for any other text: json_put_checked() knows what to do with it. Nine texts of ten are plain and
 * shorter than a cache line; ends are covered by loads that overlap what was seen already. */
static inline gboolean __attribute__ ((always_inline)) put_plain (char *at, const char *text, gsize length)
{
#ifdef __SSE2__
  char *to = at + 1;
  if (length >= 16) {
    for (gsize from = 0;; from = MIN (from + 16, length - 16)) {
      __m128i bytes = _mm_loadu_si128 ((const __m128i *)(const void *)(text + from));
      if (put_needs_care (bytes))
        return FALSE;
      _mm_storeu_si128 ((__m128i *)(void *)(to + from), bytes);
      if (from == length - 16)
        break;
    }
  } else if (length >= 8) {
    guint64 first, last;
    memcpy (&first, text, 8);
    memcpy (&last, text + length - 8, 8);
    if (put_needs_care (_mm_set_epi64x ((long long)first, (long long)last)))
      return FALSE;
    memcpy (to, &first, 8);
    memcpy (to + length - 8, &last, 8);
  } else if (length >= 4) {
    guint32 first, last;
    memcpy (&first, text, 4);
    memcpy (&last, text + length - 4, 4);
    if (put_needs_care (_mm_set1_epi64x ((long long)((guint64)first << 32 | last))))
      return FALSE;
    memcpy (to, &first, 4);
    memcpy (to + length - 4, &last, 4);
  } else {
    for (gsize i = 0; i < length; i++) {
      if (text[i] < 0x20 || text[i] == '"' || text[i] == '\\' || (guchar)text[i] >= 0x80)
        return FALSE;
      to[i] = text[i];
    }
  }
  at[0] = to[length] = '"';
  return TRUE;
#else
  (void)at, (void)text, (void)length;
  return FALSE;
#endif
}

/* Writes the digits of value (at most 20) at `at`; returns behind them. */
static inline char *
put_digits (char *at, guint64 value)
{
  char digits[20], *from = digits + sizeof digits;
  if (value < 10) {
    *at = (char)('0' + value);
    return at + 1;
  }
  do
    *--from = (char)('0' + value % 10);
  while (value /= 10);
  gsize length = (gsize)(digits + sizeof digits - from);
  for (gsize i = 0; i < length; i++)
    at[i] = from[i];
  return at + length;
}

/* The shortest decimal of nine places. */
static inline char *
put_nano (char *at, gint64 nano)
{
  guint64 value = nano < 0 ? 0 - (guint64)nano : (guint64)nano;
  guint32 fraction = (guint32)(value % 1000000000);
  if (nano < 0)
    *at++ = '-';
  at = put_digits (at, value / 1000000000);
  if (fraction)
    *at++ = '.';
  for (guint64 rest = (guint64)fraction * 10; rest; rest = rest % 1000000000 * 10)
    *at++ = (char)('0' + rest / 1000000000);
  return at;
}

/* Has the text a control character besides newline, carriage return and tab? */
static inline gboolean
put_has_controls (const char *text, gsize length)
{
  gsize i = 0;
#ifdef __SSE2__
  const __m128i most = _mm_set1_epi8 (0x1f);
  for (; i + 16 <= length; i += 16) {
    __m128i bytes = _mm_loadu_si128 ((const __m128i *)(const void *)(text + i));
    guint mask = (guint)_mm_movemask_epi8 (_mm_cmpeq_epi8 (_mm_min_epu8 (bytes, most), bytes));
    for (; mask; mask &= mask - 1)
      if (!strchr ("\n\r\t", text[i + (gsize)__builtin_ctz (mask)]))
        return TRUE;
  }
#endif
  for (; i < length; i++)
    if ((guchar)text[i] < 0x20 && !strchr ("\n\r\t", text[i]))
      return TRUE;
  return FALSE;
}
