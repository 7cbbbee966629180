/* The reader: a thread for reads that would hold up the loop. It lets go of its snapshot every
 * MAP_ROWS_A_READ rows, so that the log can start anew meanwhile.
 *
 * Neither here nor on the loop is the file mapped: a mapped page is read as fast as a cached one only when
 * the same few pages are read again, and each one touched counts as resident memory of the hub, up to the
 * whole file. */
#include "base/hash.h"
#include "store/schema.h"
#include "store/sqlite-store.h"

/* typeof() looks at the row's head alone; "body IS NULL" would fetch the body where it overflows its page. */
static const char map_sql[] =
  "SELECT rid, typeof(body) = 'null', hash, parent_hash, updated_ms, asked_ms, id FROM record"
  " WHERE rid > ?1 AND rid <= ?2 ORDER BY rid LIMIT ?3";

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
load (SqliteStore *store, Job *job, sqlite3_stmt *statement, GError **error)
{
  gint64 last = store_rid (job->collection, 0) - 1, end = store_rid (job->collection, G_MAXUINT32);
  for (guint count = MAP_ROWS_A_READ; count == MAP_ROWS_A_READ && !store->stopping;) {
    GArray *rows = g_array_sized_new (FALSE, FALSE, sizeof (StoreMapRow), MAP_ROWS_A_READ);
    sqlite3_bind_int64 (statement, 1, last);
    sqlite3_bind_int64 (statement, 2, end);
    sqlite3_bind_int (statement, 3, MAP_ROWS_A_READ);
    for (count = 0; sqlite3_step (statement) == SQLITE_ROW; count++) {
      add_row (store, statement, rows);
      last = sqlite3_column_int64 (statement, 0);
    }
    tell_rows (store, job, rows);
    if (sqlite3_reset (statement) != SQLITE_OK)
      return schema_fail (store->long_reads, "loading a map", error);
  }
  return TRUE;
}

static void
load_map (SqliteStore *store, Job *job)
{
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2 (store->long_reads, map_sql, -1, &statement, NULL) != SQLITE_OK) {
    schema_fail (store->long_reads, "loading a map", &job->error);
    return;
  }
  load (store, job, statement, &job->error);
  sqlite3_finalize (statement);
}

gpointer
reader_run (gpointer data)
{
  SqliteStore *store = data;
  for (;;) {
    Job *job = g_async_queue_pop (store->to_reader);
    if (job->type == JOB_STOP) {
      g_free (job);
      return NULL;
    }
    load_map (store, job);
    job_end (store, job);
  }
}
