/* Texts for people: cleaned, lowered, shortened, freed of HTML; telephone numbers. */
#include "worker/handles.h"
#include "worker/services.h"

#include <string.h>

static gboolean
is_blank (guchar c)
{
  return c <= ' ' || c == 0x7f;
}

/* Eight bytes at a time: none below ' ', none above '~', no two blanks in a row (nor one behind *blank). A
 * byte's high bit tells. */
static gboolean
is_clean_word (guint64 word, gboolean *blank)
{
  const guint64 ones = G_GUINT64_CONSTANT (0x0101010101010101), high = ones << 7;
  guint64 below = (word - ones * ' ') & ~word & high; /* exact where no byte has its high bit */
  guint64 del = ((word ^ (ones * 0x7f)) - ones) & ~(word ^ (ones * 0x7f)) & high;
  guint64 other = word ^ (ones * ' ');
  guint64 blanks = ~(((other & ~high) + ~high) | other) & high;
  gboolean again = (blanks & (blanks << 8)) != 0 || (*blank && (blanks & 0x80));
  *blank = (blanks >> 63) != 0;
  return !((word & high) | below | del) && !again;
}

/* Nothing to mend: no blank at the ends, no two in a row, none but ' ', ASCII alone. The common case. */
static gboolean
is_clean (const char *text, gsize length)
{
  gsize i = 0;
  gboolean blank = TRUE;
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  for (guint64 word; i + sizeof word <= length; i += sizeof word) {
    memcpy (&word, text + i, sizeof word);
    if (!is_clean_word (word, &blank))
      return FALSE;
  }
#endif
  for (; i < length; i++) {
    guchar c = (guchar)text[i];
    if (c >= 0x7f || c < ' ' || (c == ' ' && blank))
      return FALSE;
    blank = c == ' ';
  }
  return !blank;
}

static gboolean
is_not_available (const char *text, gsize length)
{
  return length == 3 && g_ascii_strncasecmp (text, "n/a", 3) == 0;
}

/* A no-break space (U+00A0) is a blank like the others. */
static gsize
blank_length (const char *at, const char *end)
{
  if (is_blank ((guchar)*at))
    return 1;
  return end - at >= 2 && (guchar)at[0] == 0xc2 && (guchar)at[1] == 0xa0 ? 2 : 0;
}

const char *
text_clean (Arena *arena, const char *text, gsize length)
{
  if (is_clean (text, length))
    return is_not_available (text, length) ? NULL : text;
  g_autofree char *valid = json_is_utf8 (text, length) ? NULL : g_utf8_make_valid (text, (gssize)length);
  if (valid) {
    text = valid;
    length = strlen (valid);
  }
  char *copy = arena_alloc (arena, length + 1), *out = copy;
  gboolean blank = FALSE;
  for (const char *at = text, *end = text + length; at < end;) {
    gsize skip = blank_length (at, end);
    if (skip == 0) {
      if (blank && out > copy)
        *out++ = ' ';
      *out++ = *at++;
    }
    blank = skip > 0;
    at += skip;
  }
  return out == copy || is_not_available (copy, (gsize)(out - copy)) ? NULL : copy;
}

const char *
text_lower (Arena *arena, const char *text)
{
  gsize length = strlen (text), plain = 0;
  char *copy = arena_alloc (arena, length + 1);
  for (; plain < length && (guchar)text[plain] < 0x80; plain++)
    copy[plain] = text[plain] >= 'A' && text[plain] <= 'Z' ? (char)(text[plain] | 0x20) : text[plain];
  if (plain == length)
    return copy;
  g_autofree char *lower = g_utf8_strdown (text, -1);
  return arena_strndup (arena, lower, strlen (lower));
}

const char *
service_shorten (tb_call *shown, const char *text, size_t bytes)
{
  gsize length = strlen (text);
  if (length <= bytes)
    return text;
  while (bytes > 0 && ((guchar)text[bytes] & 0xc0) == 0x80)
    bytes--;
  return arena_strndup (call_of (shown)->arena, text, bytes);
}

/* ---- telephone numbers ---- */

/* North America writes ten digits, or eleven with a leading 1; anything else must name its country with + or
 * 00. */
const char *
service_phone (tb_call *shown, const char *text)
{
  enum { DIGITS_LEAST = 8, DIGITS_MOST = 15, NATIONAL = 10 };
  char digits[DIGITS_MOST + 1];
  guint count = 0;
  gboolean plus = FALSE;
  for (const char *at = text; *at; at++) {
    if (g_ascii_isdigit (*at)) {
      if (count == DIGITS_MOST)
        return NULL;
      digits[count++] = *at;
    } else if (*at == '+' && count == 0 && !plus)
      plus = TRUE;
    else if (!strchr (" -.()/\t", *at))
      return NULL;
  }
  const char *first = digits;
  if (!plus && count > 2 && digits[0] == '0' && digits[1] == '0') {
    plus = TRUE;
    first += 2;
    count -= 2;
  }
  if (plus)
    return count >= DIGITS_LEAST && *first != '0' ? service_format_text (shown, "+%.*s", (int)count, first)
                                                  : NULL;
  if (count == NATIONAL + 1 && digits[0] == '1') {
    first++;
    count--;
  }
  /* area code and exchange begin with 2 to 9 (North American Numbering Plan) */
  gboolean good = count == NATIONAL && first[0] >= '2' && first[3] >= '2';
  return good ? service_format_text (shown, "+1%.*s", NATIONAL, first) : NULL;
}

/* ---- HTML ---- */

typedef struct {
  const char *name;
  const char *text;
} Entity;

static const Entity entities[] = { { "amp", "&" },         { "lt", "<" },         { "gt", ">" },
                                   { "quot", "\"" },       { "apos", "'" },       { "nbsp", " " },
                                   { "ndash", "\u2013" },  { "mdash", "\u2014" }, { "rsquo", "\u2019" },
                                   { "lsquo", "\u2018" },  { "rdquo", "\u201d" }, { "ldquo", "\u201c" },
                                   { "hellip", "\u2026" }, { "deg", "\u00b0" },   { "reg", "\u00ae" },
                                   { "trade", "\u2122" },  { "copy", "\u00a9" },  { "eacute", "\u00e9" },
                                   { "bull", "\u2022" },   { "frac12", "\u00bd" } };

/* Behind the '&' of an entity: writes what it means, and gives where it ends; NULL: it is none. */
static const char *
put_entity (GString *out, const char *at)
{
  enum { ENTITY_MOST = 12 };
  const char *end = memchr (at, ';', strnlen (at, ENTITY_MOST));
  if (!end)
    return NULL;
  if (*at == '#') {
    gboolean hex = at[1] == 'x' || at[1] == 'X';
    guint64 code = g_ascii_strtoull (at + (hex ? 2 : 1), NULL, hex ? 16 : 10);
    if (code == 0 || code > 0x10ffff || !g_unichar_validate ((gunichar)code))
      return NULL;
    g_string_append_unichar (out, (gunichar)code);
    return end + 1;
  }
  for (guint i = 0; i < G_N_ELEMENTS (entities); i++)
    if (strlen (entities[i].name) == (gsize)(end - at) &&
        strncmp (entities[i].name, at, (gsize)(end - at)) == 0) {
      g_string_append (out, entities[i].text);
      return end + 1;
    }
  return NULL;
}

static gboolean
tag_is (const char *tag, const char *name)
{
  gsize length = strlen (name);
  return g_ascii_strncasecmp (tag, name, length) == 0 && !g_ascii_isalnum (tag[length]);
}

static gboolean
is_block (const char *tag)
{
  static const char *const blocks[] = { "p",     "br", "div", "li", "ul", "ol", "tr",
                                        "table", "h1", "h2",  "h3", "h4", "h5", "h6" };
  tag += *tag == '/';
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++)
    if (tag_is (tag, blocks[i]))
      return TRUE;
  return FALSE;
}

/* Behind a tag; the text of script and style goes with theirs. */
static const char *
behind_tag (const char *tag)
{
  const char *end = strchr (tag, '>');
  const char *until = tag_is (tag, "script") ? "</script" : tag_is (tag, "style") ? "</style" : NULL;
  if (end && until) {
    const char *closing = strstr (end, until);
    end = closing ? strchr (closing, '>') : NULL;
  }
  return end ? end + 1 : tag + strlen (tag);
}

/* Blanks squeezed within lines, no empty lines but one, none at the ends. */
static char *
tidy_lines (tb_call *shown, const char *text)
{
  Arena *arena = call_of (shown)->arena;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; lines[i]; i++) {
    const char *line = text_clean (arena, lines[i], strlen (lines[i]));
    if (!line)
      continue;
    if (out->len)
      g_string_append_c (out, '\n');
    g_string_append (out, line);
  }
  return out->len ? arena_strndup (arena, out->str, out->len) : NULL;
}

const char *
service_plain (tb_call *shown, const char *html)
{
  g_autoptr (GString) out = g_string_new (NULL);
  for (const char *at = html; *at;) {
    if (*at == '<' && (g_ascii_isalpha (at[1]) || at[1] == '/' || at[1] == '!')) {
      if (is_block (at + 1))
        g_string_append_c (out, '\n');
      at = behind_tag (at + 1);
      continue;
    }
    const char *behind = *at == '&' ? put_entity (out, at + 1) : NULL;
    if (!behind)
      g_string_append_c (out, g_ascii_isspace (*at) ? ' ' : *at);
    at = behind ? behind : at + 1;
  }
  return tidy_lines (shown, out->str);
}
