/* Pages of living records, on the reader's thread. A query looks at so much in a turn, and at so much in all;
 * where it stands between turns is a number, and no statement. */
#include "base/hash.h"
#include "store/schema.h"
#include "store/sqlite-store.h"

void
query_free (Query *query)
{
  store_query_free (query->asked);
  if (query->found)
    g_free (query->found->expression);
  g_free (query->found);
  g_free (query);
}

/* FALSE: the page is full, and this record is the next one's first. */
static gboolean
judge (Query *query, const StoreFound *found, gpointer data)
{
  if (query->taken == query->asked->limit)
    return FALSE;
  StoreVerdict verdict = query->asked->judge (found, data);
  if (verdict == STORE_END)
    return FALSE;
  query->taken += verdict == STORE_TAKE;
  return TRUE;
}

/* The levels are read in the snapshot in which the record was found. */
static gboolean
add_stock (SqliteStore *store, const Query *query, StoreFound *found, gpointer data, GError **error)
{
  const StoreQuery *asked = query->asked;
  if (!asked->stock || (asked->worth && !asked->worth (found, data)))
    return TRUE;
  guint64 hash = hash_bytes (found->id, found->id_length, store->base.seed);
  return stock_sum (store->reader.statements[LONG_STOCK], &store->reader.served, query->asked->stock, hash,
                    &found->has_stock, &found->stock, error);
}

/* Record by record until the page is full, none is left, or it is time for others. */
static gboolean
scan (SqliteStore *store, Job *job, gint64 until_us)
{
  Query *query = job->query;
  guint64 parent = query->asked->parent_hash;
  sqlite3_stmt *statement = store->reader.statements[parent ? LONG_CHILDREN : LONG_SCAN];
  gboolean ended = FALSE, time_left = TRUE;
  int code = SQLITE_ROW;
  sqlite3_bind_int64 (statement, 1, store_rid (query->asked->collection, (guint32)query->next));
  sqlite3_bind_int64 (statement, 2, store_rid (query->asked->collection, G_MAXUINT32));
  if (parent)
    sqlite3_bind_int64 (statement, 3, (gint64)parent);
  while (!ended && time_left && (code = sqlite3_step (statement)) == SQLITE_ROW) {
    StoreFound found;
    read_found (statement, &found);
    query->next = found.ordinal;
    if (!found.deleted && !add_stock (store, query, &found, job->data, &job->error))
      break;
    ended = !found.deleted && !judge (query, &found, job->data);
    query->next += !ended;
    time_left = g_get_monotonic_time () < until_us;
  }
  query->more = code == SQLITE_ROW;
  if (sqlite3_reset (statement) != SQLITE_OK && !job->error)
    schema_fail (store->reader.db, "looking for records", &job->error);
  return ended || !query->more || job->error;
}

/* ---- by words and texts ---- */

/* The index has all that the store had when this query had its first turn. */
static gboolean
fill (SqliteStore *store, Job *job, gint64 until_us, gboolean *ready)
{
  Query *query = job->query;
  Found *found = query->found;
  if (!found->target && !reader_newest (store, &found->target, &job->error))
    return FALSE;
  if (!search_turn (store, query->asked->collection, found->target, until_us, ready, &job->error))
    return FALSE;
  if (*ready && !found->expression)
    found->expression = search_expression (&store->search, query->asked, store->base.seed);
  return TRUE;
}

/* One record that the index has found; changed since, it is looked at as it is now. */
static gboolean
look (SqliteStore *store, Job *job, gint64 rid, gboolean *ended)
{
  Query *query = job->query;
  sqlite3_stmt *statement = store->reader.statements[LONG_RECORD];
  StoreFound found = { .deleted = TRUE };
  gboolean fine = TRUE;
  sqlite3_bind_int64 (statement, 1, rid);
  if (sqlite3_step (statement) == SQLITE_ROW)
    read_found (statement, &found);
  gboolean holds = !found.deleted;
  if (holds && found.seq > query->found->seq)
    fine = search_holds (store, &found, query->found->expression, &holds, &job->error);
  fine = fine && (!holds || add_stock (store, query, &found, job->data, &job->error));
  *ended = fine && holds && !judge (query, &found, job->data);
  if (sqlite3_reset (statement) != SQLITE_OK && fine)
    return schema_fail (store->reader.db, "reading a record that was found", &job->error);
  return fine;
}

static gboolean
ask_for_hits (SqliteStore *store, Job *job)
{
  Query *query = job->query;
  Found *found = query->found;
  found->seq = store->search.seq;
  found->at = 0;
  if (!search_hits (store, query->asked->collection, query->next, found->expression, found->rids,
                    &found->count, &job->error))
    return FALSE;
  found->all = found->count < SEARCH_HITS;
  return TRUE;
}

/* Has it read for as long as it may? Not before it got anywhere: asking for hits alone may have taken that
 * long. */
static gboolean
is_enough (const SqliteStore *store, const Query *query)
{
  return store->stopping || (query->read_us >= QUERY_US_MOST && query->next > query->asked->from);
}

/* Hit by hit until the page is full, there are no more, or it is time for others. */
static gboolean
find (SqliteStore *store, Job *job, gint64 until_us)
{
  Query *query = job->query;
  Found *found = query->found;
  gboolean ended = FALSE;
  do {
    if (found->at == found->count) {
      query->more = !found->all;
      if (!query->more || !ask_for_hits (store, job))
        return TRUE;
      continue;
    }
    gint64 rid = found->rids[found->at];
    query->next = store_rid_ordinal (rid);
    if (!look (store, job, rid, &ended) || ended)
      return TRUE;
    query->next++;
    found->at++;
  } while (g_get_monotonic_time () < until_us);
  return FALSE;
}

/* What is broken is thrown away and made again, once for each query. */
static gboolean
mend (SqliteStore *store, Job *job)
{
  Found *found = job->query->found;
  if (!job->error || !store->search.broken || found->remade ||
      g_error_matches (job->error, STORE_ERROR, STORE_ERROR_FULL))
    return FALSE;
  search_remove (&store->search, "it is broken");
  g_clear_error (&job->error);
  found->remade = TRUE;
  found->at = found->count = 0;
  found->all = FALSE;
  return TRUE;
}

static gboolean
search (SqliteStore *store, Job *job, gint64 started_us)
{
  Query *query = job->query;
  gint64 until_us = started_us + QUERY_TURN_US;
  gboolean ready = FALSE, ended = FALSE;
  if (!fill (store, job, until_us, &ready))
    return !mend (store, job);
  if (!ready) {
    query->fill_us += g_get_monotonic_time () - started_us;
    return query->fill_us >= QUERY_FILL_US_MOST || store->stopping;
  }
  started_us = g_get_monotonic_time ();
  query->more = query->found->expression != NULL;
  ended = !query->more || find (store, job, until_us);
  query->read_us += g_get_monotonic_time () - started_us;
  if (job->error)
    return !mend (store, job);
  return ended || is_enough (store, query);
}

gboolean
query_turn (SqliteStore *store, Job *job)
{
  Query *query = job->query;
  gint64 started_us = g_get_monotonic_time ();
  query->more = query->next <= G_MAXUINT32;
  if (!query->more)
    return TRUE;
  if (query->found)
    return search (store, job, started_us);
  if (scan (store, job, started_us + QUERY_TURN_US))
    return TRUE;
  query->read_us += g_get_monotonic_time () - started_us;
  return is_enough (store, query);
}
