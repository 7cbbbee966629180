/* The reader: one walk over the text, one 16-byte node a value.
 *
 * A document that is an object or an array is only walked when its last byte is the bracket that must close
 * it: then blanks, numbers and words need no look at the end, since that bracket stops them; only strings and
 * closing brackets do.
 *
 * Before each key (where its opening quote was) the walk leaves a mark of the depth, so that a path can ask
 * whether a node is a member of the object it looks into without walking there: see KEY_MARK in path.h. */
#include <string.h>
#include "json/path.h"
#include "json/scan.h"

enum {
  TEXT_MOST = (1 << 28) - 1,
  NODES_FIRST_MOST = 1 << 14,
  REPLACEMENT = 0xfffd /* vendors cut texts in the middle of a smiley; one such text must not cost a page */
};

typedef struct {
  JsonDocument *document;
  JsonNode *node, *behind; /* the next node; behind the last one there is room for */
  char *end;
  const char *readable; /* strings are scanned up to here */
} Reading;

typedef struct {
  guint node, count;
} Open;

static char *
fail (Reading *reading, const char *at, const char *error)
{
  reading->document->error = error;
  reading->document->error_offset = (gsize)(at - (reading->end - reading->document->error_offset));
  return NULL;
}

static inline char *
blanks (char *at)
{
  while (is_blank (*at))
    at++;
  return at;
}

static gboolean
grow (Reading *reading, gsize room)
{
  JsonDocument *document = reading->document;
  gsize used = (gsize)(reading->node - document->nodes);
  if (used >= JSON_NODES_MOST)
    return FALSE;
  document->room = (guint)CLAMP (room, 16, JSON_NODES_MOST);
  document->nodes = g_renew (JsonNode, document->nodes, document->room);
  reading->node = document->nodes + used;
  reading->behind = document->nodes + document->room;
  return TRUE;
}

static inline gboolean
has_room (Reading *reading)
{
  return G_LIKELY (reading->node < reading->behind) || grow (reading, (gsize)reading->document->room * 2);
}

/* Resolves escapes from the first one, at stop, on. Returns the closing quote; *length is that of the text
 * before it. */
static G_GNUC_NO_INLINE char *
resolve (Reading *reading, char *begin, char *stop, gsize *length)
{
  char *to = stop;
  while (stop < reading->end && *stop == '\\') {
    gunichar character = 0;
    const char *from = scan_escape (stop, reading->end, &character);
    if (!from)
      return fail (reading, stop, "this is no escape that a text can hold");
    to += g_unichar_to_utf8 (character ? character : REPLACEMENT, to);
    stop = (char *)scan_plain (from, reading->readable);
    gsize plain = (gsize)(MIN (stop, reading->end) - from);
    memmove (to, from, plain);
    to += plain;
  }
  if (stop >= reading->end)
    return fail (reading, reading->end, "the text ends within a string");
  if (*stop != '"')
    return fail (reading, stop, "a control character in a string");
  *to = '\0';
  *length = (gsize)(to - begin);
  return stop;
}

/* The string whose opening quote is at at becomes the next node. Returns what is behind its closing quote. */
static inline char *
read_string (Reading *reading, char *at)
{
  char *begin = at + 1, *stop = (char *)scan_plain (begin, reading->readable);
  gsize length = (gsize)(stop - begin);
  if (G_UNLIKELY (stop >= reading->end || *stop != '"')) {
    stop = resolve (reading, begin, stop, &length);
    if (!stop)
      return NULL;
  } else
    *stop = '\0';
  *reading->node++ = (JsonNode){ .type = JSON_STRING, .length = (guint32)length, .skip = 1, .text = begin };
  return stop + 1;
}

static inline char *
read_word (Reading *reading, char *at, JsonType type, const char *word, gsize length)
{
  if ((gsize)(reading->end - at) < length || memcmp (at, word, length) != 0)
    return fail (reading, at, "expected a value");
  *reading->node++ = (JsonNode){ .type = type, .skip = 1 };
  return at + length;
}

static inline char *
read_number (Reading *reading, char *at)
{
  char *stop = (char *)scan_number (at, reading->end);
  if (!stop)
    return fail (reading, at, *at == '-' || is_digit (*at) ? "this is no number" : "expected a value");
  *reading->node++ = (JsonNode){ .type = JSON_NUMBER, .length = (guint32)(stop - at), .skip = 1, .text = at };
  return stop;
}

static inline char *
read_scalar (Reading *reading, char *at)
{
  switch (*at) {
  case '"':
    return read_string (reading, at);
  case 'n':
    return read_word (reading, at, JSON_NULL, "null", 4);
  case 't':
    return read_word (reading, at, JSON_TRUE, "true", 4);
  case 'f':
    return read_word (reading, at, JSON_FALSE, "false", 5);
  default:
    return read_number (reading, at);
  }
}

/* A key and its colon. Returns where the value begins. */
static inline char *
read_key (Reading *reading, char *at, guint depth)
{
  if (G_UNLIKELY (*at != '"'))
    return fail (reading, at, "expected a key in quotes");
  char *stop = read_string (reading, at);
  if (G_UNLIKELY (!stop))
    return NULL;
  *at = KEY_MARK (depth);
  stop = blanks (stop);
  if (G_UNLIKELY (*stop != ':'))
    return fail (reading, stop, "expected a colon");
  return blanks (stop + 1);
}

/* The whole of an object or array, which begins at at. Returns what is behind it. */
static char *
read_tree (Reading *reading, char *at)
{
  Open open[JSON_DEPTH_MOST], inner = { 0 };
  guint depth = 0;
  char close = 0;

value:
  if (G_UNLIKELY (!has_room (reading)))
    return fail (reading, at, "more values than can be held");
  if (*at == '{' || *at == '[') {
    if (depth == JSON_DEPTH_MOST)
      return fail (reading, at, "nested too deep");
    open[depth++] = inner;
    inner = (Open){ .node = (guint)(reading->node - reading->document->nodes) };
    close = *at + 2;
    reading->node++->type = close == '}' ? JSON_OBJECT : JSON_ARRAY;
    at = blanks (at + 1);
    if (*at == close)
      goto closed;
    goto element;
  }
  at = read_scalar (reading, at);
  if (G_UNLIKELY (!at))
    return NULL;

behind_value:
  inner.count++;
  at = blanks (at);
  if (G_LIKELY (*at == ',')) {
    at = blanks (at + 1);
    goto element;
  }
  if (G_UNLIKELY (*at != close))
    return fail (reading, at, close == '}' ? "expected , or }" : "expected , or ]");

closed:
  at++;
  JsonNode *node = &reading->document->nodes[inner.node];
  *node = (JsonNode){ .type = node->type, .length = inner.count, .skip = (guint32)(reading->node - node) };
  inner = open[--depth];
  if (depth == 0)
    return at;
  if (G_UNLIKELY (at == reading->end))
    return fail (reading, at, "the text ends before it is closed");
  close = reading->document->nodes[inner.node].type == JSON_OBJECT ? '}' : ']';
  goto behind_value;

element:
  if (close == ']')
    goto value;
  if (G_UNLIKELY (!has_room (reading)))
    return fail (reading, at, "more values than can be held");
  at = read_key (reading, at, depth);
  if (G_UNLIKELY (!at))
    return NULL;
  goto value;
}

/* An object or array whose last byte does not close it: the slow check says why, and where. */
static char *
explain (Reading *reading, const char *text)
{
  gsize offset = 0;
  const char *error = json_check (text, (gsize)(reading->end - text), &offset);
  g_assert (error);
  return fail (reading, text + offset, error);
}

gboolean
json_read (JsonDocument *document, char *text, gsize length)
{
  Reading reading = { .document = document, .node = document->nodes, .behind = document->nodes };
  if (document->nodes)
    reading.behind += document->room;
  document->count = 0;
  document->error = NULL;
  reading.readable = text + length + JSON_PADDING;
  char *at = (char *)skip_blank (text, text + length);
  reading.end = text + length;
  while (reading.end > at && is_blank (reading.end[-1]))
    reading.end--;
  document->error_offset = (gsize)(reading.end - text); /* fail() counts from here */

  char *stop;
  if (length > TEXT_MOST)
    stop = fail (&reading, text, "the text is longer than 256 MB");
  else if (at == reading.end)
    stop = fail (&reading, at, "the text is empty");
  else {
    gsize bound = length / 2 + 2;
    if (document->room < MIN (bound, NODES_FIRST_MOST))
      grow (&reading, MIN (bound, NODES_FIRST_MOST));
    if (*at != '{' && *at != '[')
      stop = read_scalar (&reading, at);
    else if (reading.end[-1] == *at + 2)
      stop = read_tree (&reading, at);
    else
      stop = explain (&reading, at);
  }
  if (stop && stop != reading.end)
    stop = fail (&reading, stop, "something follows the value");
  if (!stop)
    return FALSE;
  document->error_offset = 0;
  document->count = (guint)(reading.node - document->nodes);
  return TRUE;
}

void
json_document_clear (JsonDocument *document)
{
  g_free (document->nodes);
  *document = (JsonDocument){ 0 };
}
