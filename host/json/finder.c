#include "json/finder.h"
#include "json/scan.h"

enum { KEY_MOST = 4096 }; /* longer keys match no path */

void
finder_init (Finder *finder, const PathWay *way)
{
  *finder = (Finder){ .way = way, .key = g_string_new (NULL) };
}

void
finder_clear (Finder *finder)
{
  g_string_free (finder->key, TRUE);
}

/* Is the key that was read the one that the path wants here? Escapes are resolved by the reader, in a copy.
 */
static gboolean
key_matches (Finder *finder)
{
  if (finder->key->len > KEY_MOST)
    return FALSE;
  const PathSegment *segment = &finder->way->segments[finder->on_path - 1];
  if (!memchr (finder->key->str, '\\', finder->key->len))
    return finder->key->len == segment->length &&
           memcmp (finder->key->str, segment->key, segment->length) == 0;
  char text[KEY_MOST + 2 + JSON_PADDING] = { '"' };
  JsonDocument document = { 0 };
  memcpy (text + 1, finder->key->str, finder->key->len);
  text[finder->key->len + 1] = '"';
  gboolean same = json_read (&document, text, finder->key->len + 2) &&
                  document.nodes->length == segment->length &&
                  memcmp (document.nodes->text, segment->key, segment->length) == 0;
  json_document_clear (&document);
  return same;
}

/* A stretch of a string, from at on. */
static const char *
run_string (Finder *finder, const char *at, const char *end)
{
  const char *from = at;
  for (; at < end; at++) {
    if (finder->escaped) {
      finder->escaped = FALSE;
      continue;
    }
    at = scan_plain (at, end);
    if (at == end)
      break;
    if (*at == '"') {
      finder->in_string = FALSE;
      break;
    }
    finder->escaped = *at == '\\';
  }
  if (finder->in_key && finder->key->len <= KEY_MOST)
    g_string_append_len (finder->key, from, MIN (at - from, KEY_MOST + 1));
  if (finder->in_string)
    return at;
  if (finder->in_key)
    finder->matched = key_matches (finder);
  finder->in_key = FALSE;
  return at + 1;
}

/* Is the value that begins here what the path ends at (last), or an object on the way there? */
static gboolean
leads (const Finder *finder, gboolean last)
{
  if (finder->found || finder->depth != finder->on_path || (finder->depth > 0 && !finder->matched))
    return FALSE;
  return last ? finder->on_path == finder->way->count : finder->on_path < finder->way->count;
}

/* One byte outside strings. TRUE: it opens the array. */
static inline gboolean
run_byte (Finder *finder, char c)
{
  switch (c) {
  case '"':
    finder->in_string = TRUE;
    finder->in_key =
      finder->depth > 0 && finder->depth == finder->on_path && finder->want_key && !finder->found;
    if (finder->in_key)
      g_string_truncate (finder->key, 0);
    break;
  case '{':
    if (leads (finder, FALSE)) {
      finder->on_path++;
      finder->want_key = TRUE;
    }
    finder->matched = FALSE;
    finder->depth++;
    break;
  case '[':
    if (leads (finder, TRUE)) {
      finder->depth++;
      finder->found = TRUE;
      return TRUE;
    }
    finder->matched = FALSE;
    finder->depth++;
    break;
  case '}':
  case ']':
    finder->depth -= finder->depth > 0;
    finder->on_path = (guint)MIN (finder->on_path, finder->depth);
    finder->matched = FALSE;
    break;
  case ',':
    finder->want_key = TRUE;
    finder->matched = FALSE;
    break;
  case ':':
    finder->want_key = FALSE;
    break;
  }
  return FALSE;
}

gboolean
finder_run (Finder *finder, const char **at, const char *end)
{
  while (*at < end) {
    if (finder->in_string) {
      *at = run_string (finder, *at, end);
      continue;
    }
    char c = *(*at)++;
    if (run_byte (finder, c))
      return TRUE;
  }
  return FALSE;
}

gboolean
finder_is_complete (const Finder *finder)
{
  return finder->depth == 0 && !finder->in_string;
}
