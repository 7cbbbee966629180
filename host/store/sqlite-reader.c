/* The reader: a thread for reads that would hold up the loop. Its jobs take turns of some milliseconds, so
 * that none waits for another's end; and since no statement stays open from one turn to the next, the log can
 * start anew meanwhile.
 *
 * Neither here nor on the loop is the file mapped: a mapped page is read as fast as a cached one only when
 * the same few pages are read again, and each one touched counts as resident memory of the hub, up to the
 * whole file. */
#include <sys/resource.h>
#include <unistd.h>

#include "base/hash.h"
#include "store/schema.h"
#include "store/sqlite-store.h"

enum { READER_NICE = 5 };

/* typeof() looks at the row's head alone; "body IS NULL" would fetch the body where it overflows its page. */
static const char *const statements[LONG_STATEMENTS] = {
  [LONG_MAP] = "SELECT rid, typeof(body) = 'null', hash, parent_hash, updated_ms, asked_ms, id FROM record"
               " WHERE rid > ?1 AND rid <= ?2 ORDER BY rid LIMIT ?3",
  [LONG_SCAN] = "SELECT " FOUND_COLUMNS " FROM record WHERE rid >= ?1 AND rid <= ?2 ORDER BY rid",
  [LONG_CHILDREN] = "SELECT " FOUND_COLUMNS " FROM record WHERE rid >= ?1 AND rid <= ?2 AND parent_hash = ?3"
                    " AND parent_hash <> 0 ORDER BY rid",
  [LONG_STOCK] = STOCK_SQL,
  [LONG_RECORD] = "SELECT " FOUND_COLUMNS " FROM record WHERE rid = ?1",
  [LONG_BODY] = "SELECT body FROM record WHERE rid = ?1",
  [LONG_BODIES] = "SELECT rid, body FROM record WHERE rid >= ?1 AND rid <= ?2 ORDER BY rid",
  [LONG_FEED] = "SELECT seq, rid FROM record WHERE seq > ?1 AND seq <= ?2 ORDER BY seq",
  [LONG_NEWEST] = "SELECT max(seq) FROM record",
};

gboolean
reader_prepare (SqliteStore *store, GError **error)
{
  Reader *reader = &store->reader;
  return sqlite_prepare (reader->db, statements, reader->statements, LONG_STATEMENTS, error);
}

/* A tombstone that had the highest number may have been pruned. */
gboolean
reader_newest (SqliteStore *store, guint64 *seq, GError **error)
{
  sqlite3_stmt *statement = store->reader.statements[LONG_NEWEST];
  guint64 highest = sqlite3_step (statement) == SQLITE_ROW ? (guint64)sqlite3_column_int64 (statement, 0) : 0;
  *seq = MAX (highest, store->pruned);
  return sqlite3_reset (statement) == SQLITE_OK ||
         schema_fail (store->reader.db, "reading the newest change", error);
}

static void
add_row (const SqliteStore *store, sqlite3_stmt *statement, GArray *rows)
{
  const void *id = sqlite3_column_text (statement, 6);
  gsize length = (gsize)sqlite3_column_bytes (statement, 6);
  StoreMapRow row = { .ordinal = store_rid_ordinal (sqlite3_column_int64 (statement, 0)),
                      .deleted = sqlite3_column_int (statement, 1),
                      .id_hash = hash_bytes (id, length, store->base.seed),
                      .hash = (guint64)sqlite3_column_int64 (statement, 2),
                      .parent_hash = (guint64)sqlite3_column_int64 (statement, 3),
                      .updated_ms = sqlite3_column_int64 (statement, 4),
                      .asked_ms = sqlite3_column_int64 (statement, 5) };
  g_array_append_val (rows, row);
}

/* A piece of the map goes to the loop while the next one is read. */
static void
tell_rows (SqliteStore *store, const Job *job, GArray *rows)
{
  Job *piece = g_new0 (Job, 1);
  piece->type = JOB_MAP_ROWS;
  piece->map_rows = job->map_rows;
  piece->data = job->data;
  piece->rows = rows;
  job_end (store, piece);
}

static gboolean
map_turn (SqliteStore *store, Job *job)
{
  sqlite3_stmt *statement = store->reader.statements[LONG_MAP];
  GArray *rows = g_array_sized_new (FALSE, FALSE, sizeof (StoreMapRow), MAP_ROWS_A_TURN);
  guint count;
  sqlite3_bind_int64 (statement, 1, job->last);
  sqlite3_bind_int64 (statement, 2, store_rid (job->collection, G_MAXUINT32));
  sqlite3_bind_int (statement, 3, MAP_ROWS_A_TURN);
  for (count = 0; sqlite3_step (statement) == SQLITE_ROW; count++) {
    add_row (store, statement, rows);
    job->last = sqlite3_column_int64 (statement, 0);
  }
  tell_rows (store, job, rows);
  if (sqlite3_reset (statement) != SQLITE_OK) {
    schema_fail (store->reader.db, "loading a map", &job->error);
    return TRUE;
  }
  gboolean whole = count < MAP_ROWS_A_TURN;
  if (!whole && store->stopping)
    g_set_error (&job->error, STORE_ERROR, STORE_ERROR_FAILED, "%s: is being closed", store->path);
  return whole || store->stopping;
}

static gboolean
turn (SqliteStore *store, Job *job)
{
  return job->type == JOB_QUERY ? query_turn (store, job) : map_turn (store, job);
}

static void
take (SqliteStore *store, Job *job)
{
  if (job->type == JOB_STOP) {
    store->reader.stop = TRUE;
    g_free (job);
  } else {
    g_queue_push_tail (&store->reader.fresh, job);
  }
}

/* A job's first turn comes before the later ones of others, since most need but one; yet every second turn is
 * one of those that have begun. */
static Job *
next_job (Reader *reader, gboolean *was_fresh)
{
  *was_fresh = reader->fresh.length && (!*was_fresh || !reader->begun.length);
  return g_queue_pop_head (*was_fresh ? &reader->fresh : &reader->begun);
}

/* Where all want the processor, the loop comes first: what it does is short, and others wait for it. */
static void
stand_back (void)
{
  setpriority (PRIO_PROCESS, (id_t)gettid (), READER_NICE);
}

gpointer
reader_run (gpointer data)
{
  SqliteStore *store = data;
  stand_back ();
  Reader *reader = &store->reader;
  gboolean was_fresh = FALSE, busy = FALSE;
  search_check (store);
  while (busy || !reader->stop) {
    Job *job = busy ? g_async_queue_try_pop (store->to_reader) : g_async_queue_pop (store->to_reader);
    for (; job; job = g_async_queue_try_pop (store->to_reader))
      take (store, job);
    job = next_job (reader, &was_fresh);
    if (job && turn (store, job))
      job_end (store, job);
    else if (job)
      g_queue_push_tail (&reader->begun, job);
    busy = reader->fresh.length || reader->begun.length;
  }
  search_finish (&store->search);
  return NULL;
}
