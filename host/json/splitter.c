/* The splitter: cuts the items of one array out of a body while it arrives.
 *
 *   outside --[--> want item or end --item--> want comma or end --,--> want item --item--> ... --]--> outside
 *
 * Bytes are copied once, into a piece of memory, and items are given where they lie in it. There are three,
 * taken in turn, and a piece is only left when the last item given lies in it. So when a piece comes round
 * again, two items have been given since from the other two. What an item is made of is not looked at here:
 * its reader does that. */
#include "json/blocks.h"
#include "json/finder.h"
#include "json/scan.h"

enum { PIECES = 3, PIECE_LEAST = 256 };

typedef enum {
  OUTSIDE,
  WANT_ITEM_OR_END,
  WANT_ITEM,
  WANT_COMMA_OR_END,
  IN_TREE,
  IN_TEXT,
  IN_WORD,
  LINES,
  DONE
} State;

typedef struct {
  char *bytes;
  gsize room; /* without the padding */
} Piece;

struct JsonSplitter {
  JsonPath *path; /* NULL: lines */
  Finder finder;
  BlockScan scan;
  BlockState block;
  gsize item_most, rest_most;
  State state;
  gboolean escaped, finished;
  const char *error;

  Piece pieces[PIECES];
  guint current, held; /* held: the piece with the last item, PIECES for none */
  gsize start, at,
    length;             /* in the current piece: of the item begun (or at), looked at up to, filled up to */
  gint64 origin, given; /* of the body: where the current piece begins; behind the last item */
  JsonBuffer rest;
};

JsonSplitter *
json_splitter_new (const char *where, gsize item_most, gsize rest_most)
{
  static const PathWay nowhere;
  gboolean lines = strcmp (where, "\n") == 0;
  JsonPath *path = NULL;
  if (!lines) {
    if (!g_str_has_suffix (where, "[]"))
      return NULL;
    g_autofree char *parent = g_strndup (where, strlen (where) - 2);
    path = json_path_new (parent, FALSE);
    gboolean good = path && path->count == 1;
    for (guint i = 0; good && i < path->ways->count; i++)
      good = path->ways->segments[i].key != NULL;
    if (!good) {
      json_path_free (path);
      return NULL;
    }
  }
  BlockScan scans[BLOCK_SCANS_MOST];
  block_scans (scans);
  JsonSplitter *splitter = g_new0 (JsonSplitter, 1);
  splitter->path = path;
  splitter->scan = scans[0];
  splitter->item_most = item_most;
  splitter->rest_most = rest_most;
  splitter->state = lines ? LINES : OUTSIDE;
  splitter->held = PIECES;
  finder_init (&splitter->finder, path ? path->ways : &nowhere);
  if (lines)
    json_put (&splitter->rest, "[]", 2);
  return splitter;
}

void
json_splitter_free (JsonSplitter *splitter)
{
  if (!splitter)
    return;
  for (guint i = 0; i < PIECES; i++)
    g_free (splitter->pieces[i].bytes);
  finder_clear (&splitter->finder);
  json_path_free (splitter->path);
  json_buffer_clear (&splitter->rest);
  g_free (splitter);
}

/* Makes room for more bytes behind what is not done yet, which moves to the front of a piece that holds no
 * item. */
static void
make_room (JsonSplitter *splitter, gsize more)
{
  const Piece *from = &splitter->pieces[splitter->current];
  gsize begin = splitter->start, kept = splitter->length - begin;
  if (from->room - splitter->length >= more)
    return;
  guint target = splitter->held == splitter->current ? (splitter->current + 1) % PIECES : splitter->current;
  Piece *to = &splitter->pieces[target];
  if (to->room < kept + more) {
    gsize room = MAX (PIECE_LEAST, (kept + more) + (kept + more) / 2);
    char *bytes = g_malloc0 (room + JSON_PADDING);
    if (kept > 0)
      memcpy (bytes, from->bytes + begin, kept);
    g_free (to->bytes);
    *to = (Piece){ bytes, room };
  } else if (kept > 0)
    memmove (to->bytes, from->bytes + begin, kept);
  splitter->current = target;
  splitter->origin += (gint64)begin;
  splitter->at -= begin;
  splitter->length = kept;
  splitter->start = 0;
}

void
json_splitter_feed (JsonSplitter *splitter, const char *bytes, gsize length)
{
  g_assert (!splitter->finished);
  if (length == 0 || splitter->error)
    return;
  make_room (splitter, length);
  memcpy (splitter->pieces[splitter->current].bytes + splitter->length, bytes, length);
  splitter->length += length;
}

void
json_splitter_finish (JsonSplitter *splitter)
{
  if (splitter->finished)
    return;
  make_room (splitter, 1); /* so that there is a piece */
  splitter->finished = TRUE;
  memset (splitter->pieces[splitter->current].bytes + splitter->length, ' ',
          JSON_PADDING); /* the last block is whole */
}

static JsonSplit
fail (JsonSplitter *splitter, const char *error)
{
  splitter->error = error;
  return JSON_SPLIT_ERROR;
}

static JsonSplit
more (JsonSplitter *splitter)
{
  if (splitter->finished)
    return fail (splitter, "the body ends before it is closed: it was cut off");
  return JSON_SPLIT_MORE;
}

/* Gives the item from start to end. */
static JsonSplit
give (JsonSplitter *splitter, gsize end, char **item, gsize *length)
{
  if (end - splitter->start > splitter->item_most)
    return fail (splitter, "an item is larger than may be");
  splitter->held = splitter->current;
  *item = splitter->pieces[splitter->current].bytes + splitter->start;
  *length = end - splitter->start;
  splitter->given = splitter->origin + (gint64)end;
  splitter->start = splitter->at;
  return JSON_SPLIT_ITEM;
}

static gboolean
keep_rest (JsonSplitter *splitter, gsize end)
{
  json_put (&splitter->rest, splitter->pieces[splitter->current].bytes + splitter->start,
            end - splitter->start);
  splitter->start = splitter->at = end;
  return splitter->rest.length <= splitter->rest_most;
}

static JsonSplit
run_outside (JsonSplitter *splitter)
{
  const char *bytes = splitter->pieces[splitter->current].bytes;
  const char *at = bytes + splitter->at;
  gboolean found = finder_run (&splitter->finder, &at, bytes + splitter->length);
  if (!keep_rest (splitter, (gsize)(at - bytes)))
    return fail (splitter, "what surrounds the items is larger than may be");
  if (found) {
    splitter->state = WANT_ITEM_OR_END;
    return JSON_SPLIT_MORE;
  }
  if (!splitter->finished)
    return JSON_SPLIT_MORE;
  if (!finder_is_complete (&splitter->finder))
    return more (splitter);
  splitter->state = DONE;
  return JSON_SPLIT_END;
}

/* Between items. Moves to the next state, or fails. */
static JsonSplit
run_between (JsonSplitter *splitter)
{
  char c = splitter->pieces[splitter->current].bytes[splitter->at];
  if (splitter->state == WANT_COMMA_OR_END && c == ',') {
    splitter->at++;
    splitter->state = WANT_ITEM;
  } else if (c == ']' && splitter->state != WANT_ITEM) {
    splitter->start = splitter->at;
    splitter->state = OUTSIDE;
  } else if (splitter->state == WANT_COMMA_OR_END || c == ',' || c == ']' || c == '}' || c == ':')
    return fail (splitter, splitter->state == WANT_COMMA_OR_END ? "expected , or ] behind an item"
                                                                : "expected an item");
  else {
    splitter->start = splitter->at;
    splitter->block = (BlockState){ .open = c };
    splitter->escaped = FALSE;
    splitter->state = c == '{' || c == '[' ? IN_TREE : c == '"' ? IN_TEXT : IN_WORD;
    splitter->at += splitter->state == IN_TEXT;
  }
  return JSON_SPLIT_MORE;
}

static gboolean
end_of_tree (JsonSplitter *splitter)
{
  const char *bytes = splitter->pieces[splitter->current].bytes, *at = bytes + splitter->at;
  const char *end = bytes + splitter->length + (splitter->finished ? BLOCK_SIZE : 0);
  gboolean found = splitter->scan (&splitter->block, &at, end);
  splitter->at = (gsize)(at - bytes);
  return found;
}

static gboolean
end_of_text (JsonSplitter *splitter)
{
  const char *bytes = splitter->pieces[splitter->current].bytes, *at = bytes + splitter->at,
             *end = bytes + splitter->length;
  gboolean found = FALSE;
  for (; at < end && !found; at++) {
    if (splitter->escaped) {
      splitter->escaped = FALSE;
      continue;
    }
    at = scan_plain (at, end);
    if (at == end)
      break;
    found = *at == '"';
    splitter->escaped = *at == '\\';
  }
  splitter->at = (gsize)(at - bytes);
  return found;
}

static gboolean
end_of_word (JsonSplitter *splitter)
{
  const char *bytes = splitter->pieces[splitter->current].bytes;
  for (; splitter->at < splitter->length; splitter->at++) {
    char c = bytes[splitter->at];
    if (is_blank (c) || c == ',' || c == ']' || c == '}' || c == '{' || c == '[' || c == '"')
      return TRUE;
  }
  return FALSE;
}

static JsonSplit
run_item (JsonSplitter *splitter, char **item, gsize *length)
{
  gboolean found = splitter->state == IN_TREE   ? end_of_tree (splitter)
                   : splitter->state == IN_TEXT ? end_of_text (splitter)
                                                : end_of_word (splitter);
  if (found) {
    splitter->state = WANT_COMMA_OR_END;
    return give (splitter, splitter->at, item, length);
  }
  if (MIN (splitter->at, splitter->length) - splitter->start > splitter->item_most)
    return fail (splitter, "an item is larger than may be");
  return more (splitter);
}

/* Everything that is in the array. MORE: feed, or the array is over and the state OUTSIDE. */
static JsonSplit
run_inside (JsonSplitter *splitter, char **item, gsize *length)
{
  for (;;) {
    if (splitter->state == IN_TREE || splitter->state == IN_TEXT || splitter->state == IN_WORD)
      return run_item (splitter, item, length);
    const char *bytes = splitter->pieces[splitter->current].bytes;
    splitter->at = (gsize)(skip_blank (bytes + splitter->at, bytes + splitter->length) - bytes);
    splitter->start = splitter->at;
    if (splitter->at == splitter->length)
      return more (splitter);
    JsonSplit split = run_between (splitter);
    if (split == JSON_SPLIT_ERROR || splitter->state == OUTSIDE)
      return split;
  }
}

static JsonSplit
run_lines (JsonSplitter *splitter, char **item, gsize *length)
{
  for (;;) {
    const char *bytes = splitter->pieces[splitter->current].bytes, *end = bytes + splitter->length;
    splitter->start = (gsize)(skip_blank (bytes + splitter->start, end) - bytes);
    splitter->at = MAX (splitter->at, splitter->start);
    if (splitter->start == splitter->length && splitter->finished)
      return JSON_SPLIT_END;
    const char *stop = splitter->at < splitter->length
                         ? memchr (bytes + splitter->at, '\n', splitter->length - splitter->at)
                         : NULL;
    if (!stop && !splitter->finished) {
      splitter->at = splitter->length;
      if (splitter->at - splitter->start > splitter->item_most)
        return fail (splitter, "an item is larger than may be");
      return JSON_SPLIT_MORE;
    }
    stop = stop ? stop : end;
    splitter->at = (gsize)(stop - bytes);
    while (is_blank (stop[-1]))
      stop--;
    return give (splitter, (gsize)(stop - bytes), item, length);
  }
}

JsonSplit
json_splitter_next (JsonSplitter *splitter, char **item, gsize *length)
{
  if (splitter->error)
    return JSON_SPLIT_ERROR;
  if (splitter->state == DONE)
    return JSON_SPLIT_END;
  if (!splitter->pieces[splitter->current].bytes)
    return JSON_SPLIT_MORE;
  if (splitter->state == LINES)
    return run_lines (splitter, item, length);
  for (;;) {
    gboolean outside = splitter->state == OUTSIDE;
    JsonSplit split = outside ? run_outside (splitter) : run_inside (splitter, item, length);
    if (split != JSON_SPLIT_MORE || outside == (splitter->state == OUTSIDE))
      return split;
  }
}

char *
json_splitter_rest (JsonSplitter *splitter, gsize *length)
{
  json_buffer_need (&splitter->rest, JSON_PADDING);
  memset (splitter->rest.bytes + splitter->rest.length, 0, JSON_PADDING);
  *length = splitter->rest.length;
  return splitter->rest.bytes;
}

const char *
json_splitter_error (const JsonSplitter *splitter)
{
  return splitter->error;
}

gint64
json_splitter_offset (const JsonSplitter *splitter)
{
  return splitter->given;
}

gboolean
json_splitter_found (const JsonSplitter *splitter)
{
  return !splitter->path || splitter->finder.found;
}
