/* JSON, read flat and in place: one array of 16-byte nodes a document, strings where they lie.
 *
 * A document is read once into nodes; a container knows how far its end is, so skipping is one addition.
 * Reading writes into the text (closing quotes become NUL, escapes are resolved in place): hash or save it
 * before. The text needs JSON_PADDING readable bytes behind its end. Strict RFC 8259 (one value, no trailing
 * comma, no leading zeros, UTF-8 checked on demand by json_is_utf8). Nothing of the model in here. */
#pragma once
#include <glib.h>
#include <string.h>

enum { JSON_PADDING = 64, JSON_DEPTH_MOST = 64, JSON_NODES_MOST = 4 << 20 };

typedef enum { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } JsonType;

typedef struct {
  guint32 type : 4;
  guint32 length : 28; /* string, number: bytes. Array, object: elements or members */
  guint32 skip;        /* nodes to the one behind this value's end: 1 for scalars */
  const char *text;    /* string: its text, NUL-terminated. number: its digits (not terminated). Else NULL */
} JsonNode;            /* an object's members are pairs: a string node, then the value */

typedef struct {
  JsonNode *nodes;
  guint count, room;
  const char *error; /* after a failure: what was wrong (static) */
  gsize error_offset;
} JsonDocument; /* all zero to begin with; reused from text to text */

gboolean json_read (JsonDocument *document, char *text, gsize length);
void json_document_clear (JsonDocument *document);

/* Is this one JSON value, strict, and UTF-8 throughout? Changes nothing, builds nothing. */
gboolean json_is_valid (const char *text, gsize length);
/* Is it UTF-8 (no surrogates, no overlong forms, at most U+10FFFF)? */
gboolean json_is_utf8 (const char *text, gsize length);

static inline const JsonNode *
json_next (const JsonNode *node)
{
  return node + node->skip;
}

/* ---- paths: a.b.c  items[0].x  items[-1]  'a.b'.c and alternatives with | ; "" is the value itself ----
 *
 * A quote within quotes is written twice; an empty alternative is the value itself too. A path remembers
 * where it found its keys, which makes it fast and not for two threads; nodes must come from json_read. Of
 * two equal keys in one object either may be found. */

typedef struct JsonPath JsonPath; /* compiled */
/* any_case: keys match in any case (ASCII). NULL: not a path. */
JsonPath *json_path_new (const char *path, gboolean any_case);
void json_path_free (JsonPath *path);
guint json_path_alternatives (const JsonPath *path);
/* The value at one alternative, NULL when it is not there. A JSON null counts as there. */
const JsonNode *json_path_at (const JsonPath *path, guint alternative, const JsonNode *root);
/* The first alternative that is there and not null. */
const JsonNode *json_path_first (const JsonPath *path, const JsonNode *root);

/* ---- scalars ----
 *
 * A number in a string is a number, also with blanks around it, a plus, zeros in front, or no digit on one
 * side of its point. A node that is NULL is none. On FALSE nothing is written. */

/* Whole number, 14.0 and 1e3 too: FALSE when it is none or does not fit. */
gboolean json_to_int (const JsonNode *node, gint64 *value);
/* Digits to a decimal with nine places, rounding half up away from zero; exponents are read. FALSE when it is
 * no number or does not fit. */
gboolean json_to_nano (const JsonNode *node, gint64 *nano);
/* Digits to units of 10^-places, exactly, half up away from zero: "16.035" at 2 places is 1604. */
gboolean json_to_scaled (const JsonNode *node, int places, gint64 *value);
gboolean json_to_double (const JsonNode *node, double *value);

/* ---- splitting: items of one array, cut out of a body while it arrives ---- */

/* Finds the array at a path such as "data.product_list[]", "[]" (a bare array), or JSON lines, and gives its
 * items' bytes one by one; what is not the array is kept as the rest, a document with that array empty. */
typedef struct JsonSplitter JsonSplitter;
typedef enum { JSON_SPLIT_MORE, JSON_SPLIT_ITEM, JSON_SPLIT_END, JSON_SPLIT_ERROR } JsonSplit;
/* NULL: not a path to an array. where "\n": lines. */
JsonSplitter *json_splitter_new (const char *where, gsize item_most, gsize rest_most);
void json_splitter_free (JsonSplitter *splitter);
/* Hands over bytes, which are copied: pieces of some 16 kB stay in the cache. Take what they give before the
 * next. */
void json_splitter_feed (JsonSplitter *splitter, const char *bytes, gsize length);
/* The body is whole: what is not closed by now is cut off. */
void json_splitter_finish (JsonSplitter *splitter);
/* ITEM: *item (JSON_PADDING readable bytes behind it) may be written into, and lies still until the item
 * after the next one is given. MORE: feed. END: all items were given, and the document is complete. */
JsonSplit json_splitter_next (JsonSplitter *splitter, char **item, gsize *length);
char *json_splitter_rest (JsonSplitter *splitter, gsize *length); /* padded, may be written into; after END */
const char *json_splitter_error (const JsonSplitter *splitter);
gint64 json_splitter_offset (const JsonSplitter *splitter); /* of the body: behind the item given last */
/* Was the array there? Without it END comes with no item, and the rest is the whole document, or nothing
 * when the body is empty. Lines are always there. */
gboolean json_splitter_found (const JsonSplitter *splitter);

/* ---- writing: straight into a buffer ---- */

typedef struct {
  char *bytes;
  gsize length, room;
} JsonBuffer; /* all zero to begin with; reused: set length to 0 */

void json_buffer_clear (JsonBuffer *buffer);
void json_buffer_need (JsonBuffer *buffer, gsize more);
/* As it stands. */
static inline void
json_put (JsonBuffer *buffer, const char *bytes, gsize length)
{
  if (G_UNLIKELY (buffer->room - buffer->length <= length))
    json_buffer_need (buffer, length + 1);
  memcpy (buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}
/* With quotes and escapes. text must be UTF-8 without NUL: see json_put_checked. */
void json_put_text (JsonBuffer *buffer, const char *text, gsize length);
/* The same, checking UTF-8 on the way: FALSE (and nothing written) when it is not. */
gboolean json_put_checked (JsonBuffer *buffer, const char *text, gsize length);
void json_put_int (JsonBuffer *buffer, gint64 value);
/* Decimal of nine places, shortest: 2500000000 -> 2.5 */
void json_put_nano (JsonBuffer *buffer, gint64 nano);
