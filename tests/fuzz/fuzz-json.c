/* Any bytes: reader, check, writer, paths, numbers and splitter must agree about them. */
#include <string.h>
#include "fuzz/fuzz.h"
#include "json/blocks.h"
#include "json/json.h"

enum { MOST = 1 << 20 };

static char *
padded (const char *bytes, gsize length, char padding)
{
  char *copy = g_malloc (length + JSON_PADDING);
  if (length > 0)
    memcpy (copy, bytes, length);
  memset (copy + length, padding, JSON_PADDING);
  return copy;
}

/* Walks a value by its skips, checks that they fit together, and writes it down. Returns the node behind it.
 */
static const JsonNode *
walk (const JsonNode *node, const JsonNode *end, JsonBuffer *out)
{
  static const char *const words[] = { "null", "false", "true" };
  g_assert (node < end && node->skip >= 1 && node->skip <= (gsize)(end - node));
  const JsonNode *behind = json_next (node), *child = node + 1;
  switch ((JsonType)node->type) {
  case JSON_NULL:
  case JSON_FALSE:
  case JSON_TRUE:
    json_put (out, words[node->type], strlen (words[node->type]));
    break;
  case JSON_NUMBER:
    json_put (out, node->text, node->length);
    break;
  case JSON_STRING:
    g_assert (strlen (node->text) == node->length);
    json_put_text (out, node->text, node->length);
    break;
  case JSON_ARRAY:
  case JSON_OBJECT:
    json_put (out, node->type == JSON_ARRAY ? "[" : "{", 1);
    for (guint i = 0; i < node->length; i++) {
      if (i > 0)
        json_put (out, ",", 1);
      if (node->type == JSON_OBJECT) {
        g_assert (child->type == JSON_STRING);
        child = walk (child, behind, out);
        json_put (out, ":", 1);
      }
      child = walk (child, behind, out);
    }
    json_put (out, node->type == JSON_ARRAY ? "]" : "}", 1);
    break;
  }
  g_assert (child == behind);
  return behind;
}

static void
check_numbers (const JsonDocument *document)
{
  for (guint i = 0; i < document->count; i++) {
    gint64 whole, nano, cents;
    double number;
    gboolean fits = json_to_int (&document->nodes[i], &whole);
    gboolean small = json_to_nano (&document->nodes[i], &nano);
    gboolean money = json_to_scaled (&document->nodes[i], 2, &cents);
    json_to_double (&document->nodes[i], &number);
    g_assert (!small || money);
    if (fits && small)
      g_assert (nano == whole * 1000000000);
    if (fits && money)
      g_assert (cents == whole * 100);
  }
}

/* What was read is written, read again, and is the same. */
static void
check_round (const JsonDocument *document)
{
  JsonBuffer first = { 0 }, second = { 0 };
  JsonDocument again = { 0 };
  g_assert (walk (document->nodes, document->nodes + document->count, &first) ==
            document->nodes + document->count);
  g_autofree char *copy = padded (first.bytes, first.length, '1');
  g_assert (json_read (&again, copy, first.length) && again.count == document->count);
  walk (again.nodes, again.nodes + again.count, &second);
  g_assert (first.length == second.length && memcmp (first.bytes, second.bytes, first.length) == 0);
  json_buffer_clear (&first);
  json_buffer_clear (&second);
  json_document_clear (&again);
}

/* The first line as a path: asking twice gives the same. */
static void
check_path (const JsonDocument *document, const char *bytes, gsize length)
{
  const char *line_end = memchr (bytes, '\n', length);
  g_autofree char *text = g_strndup (bytes, line_end ? (gsize)(line_end - bytes) : length);
  JsonPath *path = json_path_new (text, length % 2);
  for (guint i = 0; path && i < json_path_alternatives (path); i++) {
    const JsonNode *first = json_path_at (path, i, document->nodes);
    g_assert (first == json_path_at (path, i, document->nodes));
  }
  json_path_free (path);
}

typedef struct {
  GString *trace; /* all that came, in order */
  guint items;
  gboolean whole, found, all_read; /* END came; the array was there; items and rest are good JSON */
} Pieces;

static gboolean
reads (char *text, gsize length)
{
  JsonDocument document = { 0 };
  gboolean good = json_read (&document, text, length);
  json_document_clear (&document);
  return good;
}

static Pieces
split (const char *where, const char *bytes, gsize length, guint32 seed)
{
  Pieces pieces = { .trace = g_string_new (NULL), .all_read = TRUE };
  JsonSplitter *splitter = json_splitter_new (where, MOST, MOST);
  JsonSplit got = JSON_SPLIT_MORE;
  char *item;
  gsize item_length;
  for (gsize at = 0, piece; got == JSON_SPLIT_MORE; at += piece) {
    seed = seed * 1664525 + 1013904223;
    piece = seed ? MIN (1 + (seed >> 16) % (seed & 0x8000 ? 200 : 7), length - MIN (at, length)) : length;
    if (at >= length)
      json_splitter_finish (splitter);
    else {
      g_autofree char *copy = g_memdup2 (bytes + at, piece);
      json_splitter_feed (splitter, copy, piece);
    }
    while ((got = json_splitter_next (splitter, &item, &item_length)) == JSON_SPLIT_ITEM) {
      g_string_append_len (pieces.trace, item, (gssize)item_length);
      g_string_append_printf (pieces.trace, "<%" G_GINT64_FORMAT ">", json_splitter_offset (splitter));
      pieces.all_read &= reads (item, item_length);
      pieces.items++;
    }
  }
  pieces.whole = got == JSON_SPLIT_END;
  pieces.found = json_splitter_found (splitter);
  if (pieces.whole) {
    item = json_splitter_rest (splitter, &item_length);
    g_string_append_len (pieces.trace, item, (gssize)item_length);
    pieces.all_read &= reads (item, item_length);
  } else
    g_string_append (pieces.trace, json_splitter_error (splitter));
  json_splitter_free (splitter);
  return pieces;
}

static void
check_splitter (const char *where, const char *bytes, gsize length, const JsonDocument *document)
{
  Pieces whole = split (where, bytes, length, 0),
         cut = split (where, bytes, length, (guint32)length * 77 + 1);
  g_assert (g_string_equal (whole.trace, cut.trace));
  g_assert (whole.whole == cut.whole && whole.found == cut.found);
  if (strcmp (where, "\n") != 0) {
    /* Items and rest are good JSON just when the document is (which may be too deep as a whole). */
    if (!document->error)
      g_assert (whole.whole && whole.all_read);
    else if (whole.whole && whole.all_read)
      g_assert_cmpstr (document->error, ==, "nested too deep");
    g_autofree char *parent = g_strndup (where, strlen (where) - 2);
    JsonPath *path = json_path_new (parent, FALSE);
    const JsonNode *array = document->error ? NULL : json_path_at (path, 0, document->nodes);
    if (array && array->type == JSON_ARRAY)
      g_assert (whole.found && whole.items == array->length);
    json_path_free (path);
  }
  g_string_free (whole.trace, TRUE);
  g_string_free (cut.trace, TRUE);
}

static void
check_scanners (const char *bytes, gsize length)
{
  BlockScan scans[BLOCK_SCANS_MOST];
  BlockState first = { .open = bytes[0] == '{' ? '{' : '[' };
  const char *first_at = bytes;
  block_scans (scans);
  gboolean found = scans[0](&first, &first_at, bytes + length);
  for (guint i = 1; i < BLOCK_SCANS_MOST && scans[i]; i++) {
    BlockState state = { .open = first.open };
    const char *at = bytes;
    g_assert (scans[i](&state, &at, bytes + length) == found && at == first_at);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const places[] = { "[]", "a[]", "a.b[]", "\n" };
  JsonDocument document = { 0 };
  const char *bytes = (const char *)data;
  g_autofree char *exact = padded (bytes, size, ' '), *copy = padded (bytes, size, "]}\"1 "[size % 5]);
  gboolean utf8 = json_is_utf8 (exact, size), valid = json_is_valid (exact, size);
  gboolean taken = json_read (&document, copy, size);
  g_assert (!valid || (taken && utf8));
  g_assert (valid || !taken || !utf8 || strstr (exact, "\\u")); /* an escape that no text of ours can hold */
  g_assert (utf8 == g_utf8_validate_len (exact, size, NULL) || memchr (exact, 0, size));
  if (taken) {
    check_round (&document);
    check_numbers (&document);
    check_path (&document, exact, size);
  } else
    g_assert (document.error && document.error_offset <= size);
  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    check_splitter (places[i], exact, size, &document);
  check_scanners (exact, size + JSON_PADDING);
  json_document_clear (&document);
  return 0;
}
