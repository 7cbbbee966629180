/* All records as they were at one moment, line by line, for a follower to begin with.
 *
 * The moment is a seq: what changes while the answer is made has a higher one, is left out, and follows in
 * the feed. So no transaction is held; collections are read in pieces on the store's reader thread, the next
 * one when the client has taken the one before. Only the last line says that nothing is missing. */
#include <string.h>

#include "api/feed.h"
#include "api/routes.h"
#include "api/stream.h"
#include "base/log.h"

enum { PIECE_BYTES = 256 * 1024 }; /* about so much is held for a client */

static const ShapeMember line_members[] = {
  { "seq", "integer",
    "The record's place in the feed; of the last line: where to go on in the feed, as `since`.", "17" },
  { "kind?", "kind", "The kind of the record.", "products" },
  { "store?", "text", "The store's id.", "downtown" },
  { "connector?", "text", "The connector's name within the store.", "pos" },
  { "id?", "text", "The record's id.", "5b0c" },
  { "record?", "Record", "The whole record, as the list serves it." },
  { "end?", "boolean", "Of the last line alone: without it the answer was cut, and is to be thrown away." },
  { NULL },
};
const Shape snapshot_line_shape = { "SnapshotLine", "A record that is there, or the end.", line_members };

typedef struct {
  Hub *hub;
  Stream *stream; /* NULL: nobody reads any more */
  char *store;
  guint kinds;
  guint64 seq;                 /* the moment */
  guint32 number, numbers_end; /* of collections */
  guint64 next;                /* ordinal within it */
  gboolean reading, ended, failed;
  gsize given; /* of the piece */
  /* While it is reading the reader's. */
  guint kind;
  char *key;
  JsonBuffer piece;
} Snapshot;

static void
snapshot_free (Snapshot *snapshot)
{
  json_buffer_clear (&snapshot->piece);
  g_free (snapshot->store);
  g_free (snapshot->key);
  g_free (snapshot);
}

/* On the reader's thread. */
static StoreVerdict
put_record (const StoreFound *found, gpointer data)
{
  Snapshot *snapshot = data;
  if (snapshot->piece.length >= PIECE_BYTES)
    return STORE_END;
  if (found->seq > snapshot->seq)
    return STORE_SKIP;
  feed_put_record (&snapshot->piece, snapshot->kind, snapshot->key, found);
  return STORE_TAKE;
}

static void
put_end (Snapshot *snapshot)
{
  static const char end[] = "{\"end\":true,\"seq\":";
  json_put (&snapshot->piece, end, strlen (end));
  json_put_int (&snapshot->piece, (gint64)snapshot->seq);
  json_put (&snapshot->piece, "}\n", 2);
  snapshot->ended = TRUE;
}

static void read_on (Snapshot *snapshot);

static void
read_piece (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Snapshot *snapshot = data;
  snapshot->reading = FALSE;
  if (!snapshot->stream) {
    snapshot_free (snapshot);
    return;
  }
  if (error) {
    log_line (LOG_ERROR, NULL, "a snapshot is cut off: %s", error->message);
    snapshot->failed = TRUE;
  }
  snapshot->next = more ? next : 0;
  snapshot->number += !more;
  read_on (snapshot);
}

/* Until there is a piece to give. */
static void
read_on (Snapshot *snapshot)
{
  FeedFilter filter = { snapshot->kinds, snapshot->store };
  const HubCollection *collection = NULL;
  while (snapshot->number < snapshot->numbers_end &&
         !(collection = feed_wanted (snapshot->hub, &filter, snapshot->number))) {
    snapshot->number++;
    snapshot->next = 0;
  }
  if (!collection && !snapshot->failed)
    put_end (snapshot);
  if (snapshot->failed || snapshot->piece.length) {
    stream_wake (snapshot->stream);
    return;
  }
  g_free (snapshot->key);
  snapshot->key = g_strdup (collection->key);
  snapshot->kind = collection->kind;
  snapshot->reading = TRUE;
  StoreQuery query = {
    .collection = collection->number, .from = snapshot->next, .limit = G_MAXUINT, .judge = put_record
  };
  store_query (hub_storage (snapshot->hub), &query, read_piece, snapshot);
}

static gssize
pull (char *bytes, gsize most, gpointer data)
{
  Snapshot *snapshot = data;
  if (snapshot->failed)
    return STREAM_FAILED;
  if (snapshot->given == snapshot->piece.length) {
    if (snapshot->ended)
      return STREAM_END;
    snapshot->given = snapshot->piece.length = 0;
    read_on (snapshot);
    if (snapshot->reading)
      return STREAM_LATER;
  }
  gsize size = MIN (most, snapshot->piece.length - snapshot->given);
  memcpy (bytes, snapshot->piece.bytes + snapshot->given, size);
  snapshot->given += size;
  return (gssize)size;
}

static void
stream_gone (gpointer data)
{
  Snapshot *snapshot = data;
  snapshot->stream = NULL;
  if (!snapshot->reading)
    snapshot_free (snapshot);
}

void
get_snapshot (Request *request)
{
  static const StreamSource source = { .pull = pull, .free = stream_gone };
  FeedFilter filter = feed_filter (request);
  if (!stream_room (request))
    return;
  Snapshot *snapshot = g_new0 (Snapshot, 1);
  *snapshot = (Snapshot){ .hub = request->hub,
                          .store = g_strdup (filter.store),
                          .kinds = filter.kinds,
                          .numbers_end = hub_collections_end (request->hub) };
  store_seq_known (hub_storage (request->hub), 0, &snapshot->seq);
  Answer *answer = answer_new (200, "application/x-ndjson");
  answer_header (answer, "Cache-Control", "no-store");
  snapshot->stream = stream_answer (request, answer, &source, snapshot);
}
