/* Pages of living records, on the reader's thread. A query looks at so much in a turn, and at so much in all;
 * where it stands between turns is a number, and no statement. */
#include "base/hash.h"
#include "store/schema.h"
#include "store/sqlite-store.h"

void
query_free (Query *query)
{
  store_query_free (query->asked);
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
add_stock (SqliteStore *store, const Query *query, StoreFound *found, GError **error)
{
  if (!query->asked->stock)
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
  sqlite3_stmt *statement = store->reader.statements[LONG_SCAN];
  gboolean ended = FALSE, time_left = TRUE;
  int code = SQLITE_ROW;
  sqlite3_bind_int64 (statement, 1, store_rid (query->asked->collection, (guint32)query->next));
  sqlite3_bind_int64 (statement, 2, store_rid (query->asked->collection, G_MAXUINT32));
  while (!ended && time_left && (code = sqlite3_step (statement)) == SQLITE_ROW) {
    StoreFound found;
    read_found (statement, &found);
    query->next = found.ordinal;
    if (!found.deleted && !add_stock (store, query, &found, &job->error))
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

gboolean
query_turn (SqliteStore *store, Job *job)
{
  Query *query = job->query;
  gint64 started_us = g_get_monotonic_time ();
  if (query->asked->words || query->asked->term_count) {
    g_set_error_literal (&job->error, STORE_ERROR, STORE_ERROR_FAILED,
                         "records are not searched by words yet");
    return TRUE;
  }
  query->more = query->next <= G_MAXUINT32;
  if (!query->more || scan (store, job, started_us + QUERY_TURN_US))
    return TRUE;
  query->read_us += g_get_monotonic_time () - started_us;
  return query->read_us >= QUERY_US_MOST || store->stopping;
}
