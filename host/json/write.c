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

enum { SPECIAL = 1, NOT_ASCII = 2 };

#define EACH_BYTE(c) (G_GUINT64_CONSTANT (0x0101010101010101) * (guint64)(c))

/* What is among eight bytes: SPECIAL for quotes, backslashes and control characters, NOT_ASCII. */
static inline guint
look_word (guint64 word)
{
  guint64 quote = word ^ EACH_BYTE ('"'), backslash = word ^ EACH_BYTE ('\\');
  guint64 hits = (quote - EACH_BYTE (1)) & ~quote;
  hits |= (backslash - EACH_BYTE (1)) & ~backslash;
  hits |= (word - EACH_BYTE (0x20)) & ~word;
  return (hits & EACH_BYTE (0x80) ? SPECIAL : 0) | (word & EACH_BYTE (0x80) ? NOT_ASCII : 0);
}

static inline guint
copy_word (char *to, const char *from)
{
  guint64 word;
  memcpy (&word, from, sizeof word);
  memcpy (to, &word, sizeof word);
  return look_word (word);
}

static inline guint
copy_short (char *to, const char *from, gsize length)
{
  guint32 first, last;
  guint64 word = 0;
  if (length >= 8)
    return copy_word (to, from) | copy_word (to + length - 8, from + length - 8);
  if (length >= 4) {
    memcpy (&first, from, 4);
    memcpy (&last, from + length - 4, 4);
    memcpy (to, &first, 4);
    memcpy (to + length - 4, &last, 4);
    return look_word (first | (guint64)last << 32);
  }
  for (gsize i = 0; i < length; i++)
    word = word << 8 | (guchar)(to[i] = from[i]);
  for (gsize i = length; i < 8; i++)
    word = word << 8 | 'a';
  return look_word (word);
}

/* Copies, and says what is among the bytes. Pieces may overlap: the last one ends where the text does. */
static inline guint
copy_text (char *to, const char *from, gsize length)
{
  guint seen = 0;
  if (length < 16)
    return copy_short (to, from, length);
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8 ('"'), backslash = _mm_set1_epi8 ('\\'), control = _mm_set1_epi8 (0x1f);
  __m128i hits = _mm_setzero_si128 (), high = _mm_setzero_si128 ();
  for (gsize at = 0;; at = MIN (at + 16, length - 16)) {
    __m128i bytes = _mm_loadu_si128 ((const __m128i *)(from + at));
    _mm_storeu_si128 ((__m128i *)(to + at), bytes);
    high = _mm_or_si128 (high, bytes);
    hits = _mm_or_si128 (hits, _mm_cmpeq_epi8 (bytes, quote));
    hits = _mm_or_si128 (hits, _mm_cmpeq_epi8 (bytes, backslash));
    hits = _mm_or_si128 (hits, _mm_cmpeq_epi8 (_mm_min_epu8 (bytes, control), bytes));
    if (at == length - 16)
      break;
  }
  seen = (_mm_movemask_epi8 (hits) ? SPECIAL : 0) | (_mm_movemask_epi8 (high) ? NOT_ASCII : 0);
#else
  for (gsize at = 0;; at = MIN (at + 8, length - 8)) {
    seen |= copy_word (to + at, from + at);
    if (at == length - 8)
      break;
  }
#endif
  return seen;
}

static G_GNUC_NO_INLINE void
put_escaped (JsonBuffer *buffer, const char *text, gsize length)
{
  const char *end = text + length;
  json_put (buffer, "\"", 1);
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

static inline gboolean
put_text (JsonBuffer *buffer, const char *text, gsize length, gboolean checked)
{
  char *out = need (buffer, length + 2);
  guint seen = copy_text (out + 1, text, length);
  if (checked && G_UNLIKELY (seen & NOT_ASCII) && !json_is_utf8 (text, length))
    return FALSE;
  if (G_UNLIKELY (seen & SPECIAL)) {
    put_escaped (buffer, text, length);
    return TRUE;
  }
  out[0] = out[length + 1] = '"';
  buffer->length += length + 2;
  return TRUE;
}

void
json_put_text (JsonBuffer *buffer, const char *text, gsize length)
{
  put_text (buffer, text, length, FALSE);
}

gboolean
json_put_checked (JsonBuffer *buffer, const char *text, gsize length)
{
  return put_text (buffer, text, length, TRUE);
}

/* Writes the digits so that they end at end; returns where they begin. */
static inline char *
digits (char *end, guint64 value)
{
  for (; value >= 100; value /= 100) {
    guint pair = (guint)(value % 100);
    *--end = (char)('0' + pair % 10);
    *--end = (char)('0' + pair / 10);
  }
  if (value >= 10)
    *--end = (char)('0' + value % 10), value /= 10;
  *--end = (char)('0' + value);
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

/* The fraction without zeros at its end, and the point. */
static inline char *
fraction_digits (char *end, guint32 fraction)
{
  int places = NANO_PLACES;
  if (fraction % 1000000 == 0) { /* most are money */
    fraction /= 1000000;
    places -= 6;
  }
  for (; fraction % 10 == 0; fraction /= 10)
    places--;
  for (; places > 0; places--, fraction /= 10)
    *--end = (char)('0' + fraction % 10);
  *--end = '.';
  return end;
}

void
json_put_nano (JsonBuffer *buffer, gint64 nano)
{
  const guint64 one = 1000000000;
  guint64 value = nano < 0 ? 0 - (guint64)nano : (guint64)nano;
  guint32 fraction = (guint32)(value % one);
  char text[NUMBER_ROOM], *end = text + sizeof text, *begin = end;
  if (fraction)
    begin = fraction_digits (begin, fraction);
  begin = digits (begin, value / one);
  if (nano < 0)
    *--begin = '-';
  json_put (buffer, begin, (gsize)(end - begin));
}
