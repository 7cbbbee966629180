/* Strict JSON without building anything, and UTF-8. */
#include <string.h>
#include "json/scan.h"

/* Where the text stops being plain ASCII: at most 15 bytes before the first byte that is not. */
static inline const char *
skip_ascii (const char *at, const char *end)
{
#ifdef __SSE2__
  for (; end - at >= 64; at += 64) {
    const __m128i *from = (const __m128i *)at;
    __m128i first = _mm_or_si128 (_mm_loadu_si128 (from), _mm_loadu_si128 (from + 1));
    __m128i second = _mm_or_si128 (_mm_loadu_si128 (from + 2), _mm_loadu_si128 (from + 3));
    if (_mm_movemask_epi8 (_mm_or_si128 (first, second)))
      break;
  }
#endif
  for (; end - at >= 8; at += 8) {
    guint64 bytes;
    memcpy (&bytes, at, 8);
    if (bytes & G_GUINT64_CONSTANT (0x8080808080808080))
      break;
  }
  return at;
}

static const char *
find_bad_utf8 (const char *at, const char *end)
{
  while ((at = skip_ascii (at, end)) < end) {
    const char *stretch =
      MIN (end, at + 64); /* non-ASCII rarely comes alone: look again for ASCII after a while */
    while (at < stretch) {
      guint length = scan_utf8 (at, end);
      if (length == 0)
        return at;
      at += length;
    }
  }
  return NULL;
}

gboolean
json_is_utf8 (const char *text, gsize length)
{
  return length == 0 || !find_bad_utf8 (text, text + length);
}

typedef struct {
  const char *at, *end, *error;
} Check;

static gboolean
wrong (Check *check, const char *error)
{
  check->error = check->at >= check->end ? "the text ends before it is closed" : error;
  return FALSE;
}

static gboolean
check_string (Check *check)
{
  if (check->at == check->end || *check->at != '"')
    return wrong (check, "expected a key in quotes");
  for (check->at++;;) {
    check->at = scan_plain (check->at, check->end);
    if (check->at == check->end)
      return wrong (check, "the text ends within a string");
    if (*check->at == '"') {
      check->at++;
      return TRUE;
    }
    gunichar character = 0;
    const char *behind = *check->at == '\\' ? scan_escape (check->at, check->end, &character) : NULL;
    if (!behind || !character)
      return wrong (check, *check->at == '\\' ? "this is no escape that a text can hold"
                                              : "a control character in a string");
    check->at = behind;
  }
}

static gboolean
check_word (Check *check, const char *word)
{
  gsize length = strlen (word);
  if ((gsize)(check->end - check->at) < length || memcmp (check->at, word, length) != 0)
    return wrong (check, "expected a value");
  check->at += length;
  return TRUE;
}

static gboolean
check_scalar (Check *check)
{
  const char *behind;
  switch (check->at < check->end ? *check->at : '\0') {
  case '"':
    return check_string (check);
  case 'n':
    return check_word (check, "null");
  case 't':
    return check_word (check, "true");
  case 'f':
    return check_word (check, "false");
  default:
    behind = scan_number (check->at, check->end);
    if (!behind)
      return wrong (check, "expected a value");
    check->at = behind;
    return TRUE;
  }
}

static inline char
peek (Check *check)
{
  check->at = skip_blank (check->at, check->end);
  return check->at < check->end ? *check->at : '\0';
}

static gboolean
check_key (Check *check)
{
  peek (check);
  if (!check_string (check))
    return FALSE;
  if (peek (check) != ':')
    return wrong (check, "expected a colon");
  check->at++;
  return TRUE;
}

/* Opens what stands here, down to the first scalar or empty container. The kinds of what is open are bits: 1
 * an object. */
static gboolean
check_down (Check *check, guint64 *kinds, guint *depth)
{
  for (char c; (c = peek (check)) == '{' || c == '[';) {
    if (*depth == JSON_DEPTH_MOST)
      return wrong (check, "nested too deep");
    check->at++;
    if (peek (check) == c + 2) {
      check->at++;
      return TRUE;
    }
    ++*depth;
    *kinds = *kinds << 1 | (c == '{');
    if (c == '{' && !check_key (check))
      return FALSE;
  }
  return check_scalar (check);
}

static gboolean
check_value (Check *check)
{
  guint64 kinds = 0;
  guint depth = 0;
  if (!check_down (check, &kinds, &depth))
    return FALSE;
  while (depth > 0) {
    gboolean object = kinds & 1;
    char c = peek (check);
    if (c != ',' && c != (object ? '}' : ']'))
      return wrong (check, object ? "expected , or }" : "expected , or ]");
    check->at++;
    if (c == ',') {
      if ((object && !check_key (check)) || !check_down (check, &kinds, &depth))
        return FALSE;
    } else {
      kinds >>= 1;
      depth--;
    }
  }
  return TRUE;
}

const char *
json_check (const char *text, gsize length, gsize *offset)
{
  Check check = { .at = text, .end = text + length };
  if (check_value (&check) && (peek (&check), check.at < check.end))
    check.error = "something follows the value";
  if (!check.error) {
    check.at = find_bad_utf8 (text, text + length);
    check.error = check.at ? "this is not UTF-8" : NULL;
  }
  if (check.error)
    *offset = (gsize)(check.at - text);
  return check.error;
}

/* ---- what is valid, without saying why it is not ---- */

static inline const char *
skip_blanks (const char *at)
{
  while (is_blank (*at))
    at++;
  return at;
}

/* Behind the string whose text begins at at, or NULL. */
static inline const char *
behind_string (const char *at, const char *end)
{
  gunichar character = 0;
  while ((at = scan_plain (at, end)) < end && *at != '"')
    if (*at != '\\' || !(at = scan_escape (at, end, &character)) || !character)
      return NULL;
  return at < end ? at + 1 : NULL;
}

static inline const char *
behind_scalar (const char *at, const char *end)
{
  if (*at == '"')
    return behind_string (at + 1, end);
  const char *word = *at == 't' ? "true" : *at == 'f' ? "false" : *at == 'n' ? "null" : NULL;
  if (!word)
    return scan_number (at, end);
  gsize length = *at == 'f' ? 5 : 4;
  return (gsize)(end - at) > length && memcmp (at, word, length) == 0 ? at + length : NULL;
}

/* Behind a key and its colon, where the value begins, or NULL. */
static inline const char *
behind_key (const char *at, const char *end)
{
  if (*at != '"' || !(at = behind_string (at + 1, end)))
    return NULL;
  at = skip_blanks (at);
  return *at == ':' ? skip_blanks (at + 1) : NULL;
}

/* Of an object or array whose last byte closes one of its kind: nothing but a string, which looks at the end
 * itself, gets past that byte. The kinds of what is open are bits: 1 an object. */
static gboolean
is_tree (const char *at, const char *end)
{
  guint64 kinds = 0;
  guint depth = 0;

value:
  if (*at == '{' || *at == '[') {
    gboolean object = *at == '{';
    if (depth++ == JSON_DEPTH_MOST)
      return FALSE;
    kinds = kinds << 1 | (guint64)object;
    at = skip_blanks (at + 1);
    if (*at != (object ? '}' : ']'))
      goto element;
  } else {
    at = behind_scalar (at, end);
    if (!at)
      return FALSE;
    at = skip_blanks (at);
  }

  while (*at == (kinds & 1 ? '}' : ']')) {
    at++;
    kinds >>= 1;
    if (--depth == 0 || at == end)
      return depth == 0 && at == end;
    at = skip_blanks (at);
  }
  if (*at != ',')
    return FALSE;
  at = skip_blanks (at + 1);

element:
  if ((kinds & 1) && !(at = behind_key (at, end)))
    return FALSE;
  goto value;
}

gboolean
json_is_valid (const char *text, gsize length)
{
  gsize offset;
  const char *end = text + length;
  if (length >= 2 && (*text == '{' || *text == '[') && end[-1] == *text + 2)
    return is_tree (text, end) && !find_bad_utf8 (text, end);
  return json_check (text, length, &offset) == NULL;
}
