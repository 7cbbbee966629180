/* Bringing the search index up to date, in turns, each a transaction of its own: first the changes since the
 * last time, of all collections that are in it, then further records of a collection that is new to it.
 *
 * A record may be read newer than its change that is followed; then it comes once more, and nothing is to be
 * done. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#include <string.h>
#include <sys/statvfs.h>

#define ALL_READ ((guint64)1 << STORE_ORDINAL_BITS)

typedef struct {
  GString *text;
  guint64 seed;
  guint found;
} Making;

static void
add_member (const char *text, gsize length, gboolean words, int term, gpointer data)
{
  Making *making = data;
  if (words)
    search_add_words (making->text, text, length);
  if (term >= 0)
    search_add_term (making->text, term, text, length, making->seed);
  making->found++;
}

/* FALSE: it is found by nothing. */
static gboolean
make_text (SqliteStore *store, gint64 rid, const char *body, gsize length)
{
  Search *search = &store->search;
  Making making = { search->text, store->base.seed, 0 };
  g_string_truncate (search->text, 0);
  if (!body)
    return FALSE;
  search_add_collection (search->text, store_rid_collection (rid));
  model_served_found_by (&search->served, body, length, add_member, &making);
  return making.found > 0;
}

static gboolean
write_text (Search *search, SearchStatement which, gint64 rid, GError **error)
{
  sqlite3_stmt *statement = search->statements[which];
  sqlite3_bind_int64 (statement, 1, rid);
  if (which != SEARCH_DELETE)
    sqlite3_bind_text (statement, 2, search->text->str, (int)search->text->len, SQLITE_STATIC);
  return search_run (search, which, "writing the search index", error);
}

/* Most changes are of prices and stock, and change nothing here. */
gboolean
search_put (SqliteStore *store, gint64 rid, const char *body, gsize length, GError **error)
{
  Search *search = &store->search;
  sqlite3_stmt *statement = search->statements[SEARCH_TEXT];
  gboolean wanted = make_text (store, rid, body, length);
  sqlite3_bind_int64 (statement, 1, rid);
  gboolean there = sqlite3_step (statement) == SQLITE_ROW;
  gboolean same = there && wanted && (gsize)sqlite3_column_bytes (statement, 0) == search->text->len &&
                  memcmp (sqlite3_column_text (statement, 0), search->text->str, search->text->len) == 0;
  if (sqlite3_reset (statement) != SQLITE_OK)
    return search_fail (search, "reading the search index", error);
  if (same || (!there && !wanted))
    return TRUE;
  return write_text (search, !wanted ? SEARCH_DELETE : there ? SEARCH_REPLACE : SEARCH_INSERT, rid, error);
}

/* ---- changes ---- */

static gboolean
follow_one (SqliteStore *store, gint64 rid, GError **error)
{
  const guint64 *next =
    g_hash_table_lookup (store->search.collections, GUINT_TO_POINTER (store_rid_collection (rid)));
  if (!next || store_rid_ordinal (rid) >= *next)
    return TRUE; /* not in it, or not yet read */
  sqlite3_stmt *statement = store->reader.statements[LONG_BODY];
  sqlite3_bind_int64 (statement, 1, rid);
  gboolean there = sqlite3_step (statement) == SQLITE_ROW;
  gboolean fine = search_put (store, rid, there ? (const char *)sqlite3_column_text (statement, 0) : NULL,
                              there ? (gsize)sqlite3_column_bytes (statement, 0) : 0, error);
  if (sqlite3_reset (statement) != SQLITE_OK && fine)
    return schema_fail (store->reader.db, "reading a record for the search index", error);
  return fine;
}

/* Up to target, or as far as the time goes. */
static gboolean
follow (SqliteStore *store, guint64 target, gint64 until_us, GError **error)
{
  Search *search = &store->search;
  sqlite3_stmt *statement = store->reader.statements[LONG_FEED];
  gboolean fine = TRUE;
  guint64 reached = search->seq;
  int code = SQLITE_ROW, count = 0;
  sqlite3_bind_int64 (statement, 1, (gint64)search->seq);
  sqlite3_bind_int64 (statement, 2, (gint64)target);
  while (fine && (count == 0 || g_get_monotonic_time () < until_us) &&
         (code = sqlite3_step (statement)) == SQLITE_ROW) {
    reached = (guint64)sqlite3_column_int64 (statement, 0);
    fine = follow_one (store, sqlite3_column_int64 (statement, 1), error);
    count++;
  }
  if (code == SQLITE_DONE)
    reached = target;
  if (sqlite3_reset (statement) != SQLITE_OK && fine)
    return schema_fail (store->reader.db, "reading changes for the search index", error);
  search->seq = reached;
  return fine;
}

/* ---- a collection that is new ---- */

static gboolean
note_collection (Search *search, guint32 collection, guint64 next, GError **error)
{
  g_hash_table_insert (search->collections, GUINT_TO_POINTER (collection), g_memdup2 (&next, sizeof next));
  sqlite3_bind_int64 (search->statements[SEARCH_COLLECTION], 1, collection);
  sqlite3_bind_int64 (search->statements[SEARCH_COLLECTION], 2, (gint64)next);
  return search_run (search, SEARCH_COLLECTION, "writing the search index", error);
}

static gboolean
read_through (SqliteStore *store, guint32 collection, guint64 next, gint64 until_us, GError **error)
{
  Search *search = &store->search;
  sqlite3_stmt *statement = store->reader.statements[LONG_BODIES];
  gboolean fine = TRUE;
  int code;
  sqlite3_bind_int64 (statement, 1, store_rid (collection, (guint32)next));
  sqlite3_bind_int64 (statement, 2, store_rid (collection, G_MAXUINT32));
  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    gint64 rid = sqlite3_column_int64 (statement, 0);
    const char *body = (const char *)sqlite3_column_text (statement, 1);
    if (make_text (store, rid, body, (gsize)sqlite3_column_bytes (statement, 1)))
      fine = write_text (search, SEARCH_INSERT, rid, error);
    next = store_rid_ordinal (rid) + 1ull;
    if (!fine || g_get_monotonic_time () >= until_us)
      break;
  }
  if (code == SQLITE_DONE)
    next = ALL_READ;
  if (sqlite3_reset (statement) != SQLITE_OK && fine)
    return schema_fail (store->reader.db, "reading records for the search index", error);
  return fine && note_collection (search, collection, next, error);
}

/* ---- a turn ---- */

static gboolean
note_seen (SqliteStore *store, GError **error)
{
  guint64 newest;
  return reader_newest (store, &newest, error) &&
         search_about (&store->search, "seen", (gint64)MAX (newest, store->search.seq), error);
}

static gboolean
has_space (SqliteStore *store, GError **error)
{
  struct statvfs system;
  guint64 least = SEARCH_FREE_LEAST;
  if (statvfs (store->path, &system) < 0 || (guint64)system.f_bavail * system.f_frsize >= least)
    return TRUE;
  g_set_error (error, STORE_ERROR, STORE_ERROR_FULL,
               "%s: the search index is not written while less than %" G_GUINT64_FORMAT
               " MiB are free, which the records may need",
               store->search.path, least >> 20);
  return FALSE;
}

static gboolean
is_ready (const Search *search, guint32 collection, guint64 target)
{
  const guint64 *next = g_hash_table_lookup (search->collections, GUINT_TO_POINTER (collection));
  return search->seq >= target && next && *next == ALL_READ;
}

static gboolean
fill (SqliteStore *store, guint32 collection, guint64 target, gint64 until_us, GError **error)
{
  Search *search = &store->search;
  const guint64 *next = g_hash_table_lookup (search->collections, GUINT_TO_POINTER (collection));
  guint64 from = next ? *next : 0;
  if (search->seq < target && !follow (store, target, until_us, error))
    return FALSE;
  if (search->seq >= target && from < ALL_READ && !read_through (store, collection, from, until_us, error))
    return FALSE;
  return search_about (search, "seq", (gint64)search->seq, error) && note_seen (store, error);
}

gboolean
search_turn (SqliteStore *store, guint32 collection, guint64 target, gint64 until_us, gboolean *ready,
             GError **error)
{
  Search *search = &store->search;
  guint64 newest;
  search->broken = FALSE;
  if (!search->db && (!reader_newest (store, &newest, error) || !search_open (store, newest, error)))
    return FALSE;
  guint64 before = search->seq;
  *ready = is_ready (search, collection, target);
  if (*ready)
    return TRUE;
  gboolean fine = has_space (store, error) &&
                  search_run (search, SEARCH_BEGIN, "writing the search index", error) &&
                  fill (store, collection, target, until_us, error);
  if (fine && before < store->pruned) { /* before the rows go: deletions may have been missed */
    search_remove (search, "deletions were pruned since it was last used");
    *ready = FALSE;
    return TRUE;
  }
  fine = fine && search_run (search, SEARCH_COMMIT, "writing the search index", error);
  if (!fine)
    search_close (search);
  *ready = fine && is_ready (search, collection, target);
  return fine;
}

/* ---- what is found ---- */

static gboolean
put_now (SqliteStore *store, const StoreFound *found, GError **error)
{
  return search_run (&store->search, SEARCH_BEGIN, "writing the search index", error) &&
         search_put (store, store_rid (found->collection, found->ordinal), found->body, found->body_length,
                     error) &&
         note_seen (store, error) &&
         search_run (&store->search, SEARCH_COMMIT, "writing the search index", error);
}

static gboolean
match (Search *search, gint64 first, gint64 last, guint most, const char *expression, gint64 *rids,
       guint *count, GError **error)
{
  sqlite3_stmt *statement = search->statements[SEARCH_MATCH];
  sqlite3_bind_text (statement, 1, expression, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, first);
  sqlite3_bind_int64 (statement, 3, last);
  sqlite3_bind_int64 (statement, 4, most);
  for (*count = 0; sqlite3_step (statement) == SQLITE_ROW; ++*count)
    rids[*count] = sqlite3_column_int64 (statement, 0);
  gboolean fine = sqlite3_reset (statement) == SQLITE_OK || search_fail (search, "searching", error);
  sqlite3_clear_bindings (statement);
  return fine;
}

gboolean
search_holds (SqliteStore *store, const StoreFound *found, const char *expression, gboolean *holds,
              GError **error)
{
  gint64 rid = store_rid (found->collection, found->ordinal), same;
  guint count = 0;
  gboolean fine =
    put_now (store, found, error) && match (&store->search, rid, rid, 1, expression, &same, &count, error);
  if (!fine)
    search_close (&store->search);
  *holds = count == 1;
  return fine;
}

gboolean
search_hits (SqliteStore *store, guint32 collection, guint64 from, const char *expression, gint64 *rids,
             guint *count, GError **error)
{
  gint64 first = store_rid (collection, (guint32)from), last = store_rid (collection, G_MAXUINT32);
  *count = 0;
  if (from > G_MAXUINT32 || match (&store->search, first, last, SEARCH_HITS, expression, rids, count, error))
    return TRUE;
  search_close (&store->search);
  return FALSE;
}
