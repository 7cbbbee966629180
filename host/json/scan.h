/* What reader and validator share: the stretches of a JSON text. Nothing here reads at or behind end. */
#pragma once
#include <string.h>
#include "json/json.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* What is wrong with the text, and where; NULL when it is one strict JSON value in UTF-8. */
const char *json_check (const char *text, gsize length, gsize *offset);

static inline gboolean
is_blank (char c)
{
  return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline gboolean
is_digit (char c)
{
  return (guchar)(c - '0') < 10;
}

static inline const char *
skip_blank (const char *at, const char *end)
{
  while (at < end && is_blank (*at))
    at++;
  return at;
}

/* The first quote, backslash or control character of a string, or end. */
static inline const char *
scan_plain (const char *at, const char *end)
{
#ifdef __SSE2__
  const __m128i quote = _mm_set1_epi8 ('"'), backslash = _mm_set1_epi8 ('\\'), control = _mm_set1_epi8 (0x1f);
  for (; end - at >= 16; at += 16) {
    __m128i bytes = _mm_loadu_si128 ((const __m128i *)at);
    __m128i low = _mm_cmpeq_epi8 (_mm_min_epu8 (bytes, control), bytes);
    __m128i hits = _mm_or_si128 (_mm_cmpeq_epi8 (bytes, quote), _mm_cmpeq_epi8 (bytes, backslash));
    guint mask = (guint)_mm_movemask_epi8 (_mm_or_si128 (hits, low));
    if (mask)
      return at + __builtin_ctz (mask);
  }
#endif
  while (at < end && *at != '"' && *at != '\\' && (guchar)*at >= 0x20)
    at++;
  return at;
}

/* Behind the number that begins at at, or NULL: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static inline const char *
scan_number (const char *at, const char *end)
{
  if (at < end && *at == '-')
    at++;
  if (at == end || !is_digit (*at))
    return NULL;
  if (*at++ != '0')
    while (at < end && is_digit (*at))
      at++;
  if (at < end && *at == '.') {
    const char *fraction = ++at;
    while (at < end && is_digit (*at))
      at++;
    if (at == fraction)
      return NULL;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '+' || *at == '-'))
      at++;
    const char *exponent = at;
    while (at < end && is_digit (*at))
      at++;
    if (at == exponent)
      return NULL;
  }
  return at;
}

/* The four hex digits at at, or -1. */
static inline int
scan_hex (const char *at, const char *end)
{
  int value = 0;
  if (end - at < 4)
    return -1;
  for (int i = 0; i < 4; i++) {
    int digit = g_ascii_xdigit_value (at[i]);
    if (digit < 0)
      return -1;
    value = value << 4 | digit;
  }
  return value;
}

/* Behind the escape whose backslash is at at, or NULL. *character is 0 where no text of ours can hold it:
 * U+0000, since they end with NUL, and half of a pair of surrogates. */
static inline const char *
scan_escape (const char *at, const char *end, gunichar *character)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  if (end - at < 2)
    return NULL;
  if (at[1] != 'u') {
    const char *found = at[1] ? strchr (from, at[1]) : NULL;
    if (!found)
      return NULL;
    *character = (guchar)to[found - from];
    return at + 2;
  }
  int high = scan_hex (at + 2, end);
  if (high < 0)
    return NULL;
  at += 6;
  if (high < 0xd800 || high > 0xdfff) {
    *character = (gunichar)high;
    return at;
  }
  int low = high < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? scan_hex (at + 2, end) : -1;
  *character = 0;
  if (low < 0xdc00 || low > 0xdfff)
    return at;
  *character = 0x10000 + ((gunichar)(high - 0xd800) << 10) + (gunichar)(low - 0xdc00);
  return at + 6;
}

/* Bytes of the UTF-8 character at at (at < end), or 0 when it is none. */
static inline guint
scan_utf8 (const char *at, const char *end)
{
  const guchar *c = (const guchar *)at;
  guchar least = 0x80, most = 0xbf;
  guint length;
  if (c[0] < 0x80)
    return 1;
  if (c[0] < 0xc2 || c[0] > 0xf4)
    return 0;
  length = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;
  if ((gsize)(end - at) < length)
    return 0;
  if (c[0] == 0xe0)
    least = 0xa0;
  else if (c[0] == 0xed)
    most = 0x9f;
  else if (c[0] == 0xf0)
    least = 0x90;
  else if (c[0] == 0xf4)
    most = 0x8f;
  if (c[1] < least || c[1] > most)
    return 0;
  for (guint i = 2; i < length; i++)
    if ((c[i] & 0xc0) != 0x80)
      return 0;
  return length;
}
