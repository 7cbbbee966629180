/* The writer: the one thread that changes the file. Durable batches go first and all together; between the
 * slices of catalogue batches it looks for new ones; pruning is done when nothing else waits. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#define RECORD_COLUMNS "rid, seq, hash, parent_hash, updated_ms, asked_ms, at_ms, source, id, body"
#define ROW_COLUMNS "id, connector, stream, kind, state, reason, body, at_ms, extra"

static const char *const statements[WRITE_STATEMENTS] = {
  [WRITE_BEGIN] = "BEGIN IMMEDIATE",
  [WRITE_COMMIT] = "COMMIT",
  [WRITE_ROLLBACK] = "ROLLBACK",
  [WRITE_INSERT] = "INSERT INTO record (" RECORD_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
  [WRITE_UPDATE] = "UPDATE record SET seq = ?2, hash = ?3, updated_ms = ?5, asked_ms = ?6, at_ms = ?7,"
                   " source = ?8, body = ?10 WHERE rid = ?1 AND id = ?9 AND parent_hash = ?4",
  [WRITE_UPDATE_PARENT] =
    "UPDATE record SET seq = ?2, hash = ?3, parent_hash = ?4, updated_ms = ?5, asked_ms = ?6, at_ms = ?7,"
    " source = ?8, body = ?10 WHERE rid = ?1 AND id = ?9",
  [WRITE_TOUCH] = "UPDATE record SET seq = ?2, source = ?3,"
                  " at_ms = iif (typeof(body) = 'null', ?4, at_ms) WHERE rid = ?1",
  [WRITE_ID] = "SELECT id FROM record WHERE rid = ?1",
  [WRITE_STATE] = "INSERT INTO state (key, json) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET json = ?2",
  [WRITE_STATE_DELETE] = "DELETE FROM state WHERE key = ?1",
  [WRITE_PASS] = "INSERT OR REPLACE INTO pass (" ROW_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
  [WRITE_REJECT] =
    "INSERT OR REPLACE INTO reject (" ROW_COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
  [WRITE_META] = "INSERT INTO meta (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
};

gboolean
writer_prepare (SqliteStore *store, GError **error)
{
  Writer *writer = &store->writer;
  return sqlite_prepare (writer->db, statements, writer->statements, WRITE_STATEMENTS, error);
}

void
job_free (Job *job)
{
  g_clear_error (&job->error);
  g_clear_pointer (&job->batch, store_batch_free);
  g_clear_pointer (&job->rows, g_array_unref);
  g_clear_pointer (&job->query, query_free);
  g_free (job);
}

static gboolean
run (SqliteStore *store, WriteStatement which, const char *doing, GError **error)
{
  sqlite3_stmt *statement = store->writer.statements[which];
  sqlite3_step (statement);
  return sqlite3_reset (statement) == SQLITE_OK || schema_fail (store->writer.db, doing, error);
}

gboolean
writer_meta (SqliteStore *store, const char *name, gint64 value, GError **error)
{
  sqlite3_bind_text (store->writer.statements[WRITE_META], 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (store->writer.statements[WRITE_META], 2, value);
  return run (store, WRITE_META, "writing meta", error);
}

gboolean
writer_meta_text (SqliteStore *store, const char *name, const char *value, GError **error)
{
  sqlite3_bind_text (store->writer.statements[WRITE_META], 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_text (store->writer.statements[WRITE_META], 2, value, -1, SQLITE_STATIC);
  return run (store, WRITE_META, "writing meta", error);
}

/* Opens a transaction in which at most `most` numbers of changes will be given. A new reserve must be on the
 * disk before anybody is told a number from it, so the transaction that makes it is a durable one. */
gboolean
writer_begin (SqliteStore *store, gboolean durable, gsize most, GError **error)
{
  Writer *writer = &store->writer;
  gboolean reserve = writer->seq + most > writer->reserved, full_sync = durable || reserve;
  if (store->distrust && !checkpoint_truncate (store, error))
    return FALSE;
  if (full_sync != writer->full_sync &&
      !schema_run (writer->db, full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", error))
    return FALSE;
  writer->full_sync = full_sync;
  if (!run (store, WRITE_BEGIN, "opening a transaction", error))
    return FALSE;
  writer->at_ms = store->now_ms ();
  writer->slice_seq = writer->seq;
  writer->slice_inserts = 0;
  writer->slice_reserved = reserve ? writer->seq + most + SEQ_BLOCK : writer->reserved;
  if (reserve && !writer_meta (store, "reserved", (gint64)writer->slice_reserved, error)) {
    writer_rollback (store);
    return FALSE;
  }
  return TRUE;
}

/* An fsync that failed is never believed when it succeeds the next time: the kernel may have dropped the
 * pages. */
static void
note_failure (SqliteStore *store)
{
  int code = sqlite3_extended_errcode (store->writer.db);
  if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
    store->distrust = TRUE;
}

gboolean
writer_commit (SqliteStore *store, gboolean durable, GError **error)
{
  Writer *writer = &store->writer;
  gint64 started_us = g_get_monotonic_time ();
  g_assert (writer->slice_seq <= writer->slice_reserved);
  if (!run (store, WRITE_COMMIT, "committing", error)) {
    note_failure (store);
    writer_rollback (store);
    return FALSE;
  }
  gint64 committed_us = g_get_monotonic_time ();
  gboolean moved = writer->slice_seq > writer->seq;
  writer->reserved = writer->slice_reserved;
  writer->seq = writer->slice_seq;
  store->rows += writer->slice_inserts;
  store->full = FALSE;
  Job *committed = g_new0 (Job, 1);
  committed->type = JOB_COMMITTED;
  committed->durable = durable;
  committed->moved = moved;
  committed->committed_us = committed_us;
  committed->seconds = (double)(committed_us - started_us) / G_USEC_PER_SEC;
  job_end (store, committed);
  return TRUE;
}

void
writer_rollback (SqliteStore *store)
{
  if (!sqlite3_get_autocommit (store->writer.db))
    run (store, WRITE_ROLLBACK, "rolling back", NULL);
}

static void
end_first (SqliteStore *store, GQueue *queue, const GError *error)
{
  Job *job = g_queue_pop_head (queue);
  if (error && !job->error)
    job->error = g_error_copy (error);
  if (job->batch && job->batch->durable)
    store->durable_waiting--;
  job_end (store, job);
}

/* One transaction of what is at the head of a queue. A batch that is itself at fault is left out and told in
 * its turn; any other failure is everybody's who is in the transaction. */
static void
write_slice (SqliteStore *store, GQueue *queue, gboolean durable)
{
  g_autoptr (GError) error = NULL;
  Slice slice = { .part = 1 };
  if (((Job *)g_queue_peek_head (queue))->error) {
    end_first (store, queue, NULL);
    return;
  }
  gboolean fine = writer_begin (store, durable, 2 * SLICE_ROWS_MOST, &error);
  if (fine && !slice_fill (store, queue, durable, &slice, &error)) {
    writer_rollback (store);
    fine = FALSE;
  }
  if (slice.failed) {
    slice.failed->error = g_steal_pointer (&error);
    return;
  }
  fine = fine && writer_commit (store, durable, &error);
  if (!fine)
    store->full = g_error_matches (error, STORE_ERROR, STORE_ERROR_FULL);
  guint ended = slice.whole + (!fine && slice.part ? 1 : 0);
  for (guint i = 0; i < ended; i++)
    end_first (store, queue, error);
  if (fine && slice.part)
    ((Job *)g_queue_peek_head (queue))->at += slice.part;
  if (fine)
    checkpoint_if_long (store);
}

static void
take (SqliteStore *store, Job *job)
{
  Writer *writer = &store->writer;
  if (job->type == JOB_STOP) {
    writer->stop = TRUE;
    g_free (job);
  } else if (job->type == JOB_PRUNE) {
    g_queue_push_tail (&writer->prunes, job);
  } else {
    g_queue_push_tail (job->batch->durable ? &writer->durable : &writer->catalogue, job);
  }
}

static gboolean
work (SqliteStore *store)
{
  Writer *writer = &store->writer;
  if (writer->durable.length)
    write_slice (store, &writer->durable, TRUE);
  else if (writer->catalogue.length)
    write_slice (store, &writer->catalogue, FALSE);
  else if (writer->prunes.length && prune_step (store, g_queue_peek_head (&writer->prunes)))
    end_first (store, &writer->prunes, NULL);
  return writer->durable.length || writer->catalogue.length || writer->prunes.length;
}

gpointer
writer_run (gpointer data)
{
  SqliteStore *store = data;
  gboolean busy = FALSE;
  while (busy || !store->writer.stop) {
    Job *job = busy ? g_async_queue_try_pop (store->to_writer) : g_async_queue_pop (store->to_writer);
    for (; job; job = g_async_queue_try_pop (store->to_writer))
      take (store, job);
    busy = work (store);
  }
  return NULL;
}
