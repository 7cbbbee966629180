/* Keeping the write-ahead log short: PASSIVE checkpoints on a thread of their own, so that commits wait for
 * none of their fsyncs; they never shorten a log that is always written to, so past RESTART_BYTES the writer
 * waits for it to start anew. While the log is short nobody wakes. */
#include "store/schema.h"
#include "store/sqlite-store.h"

enum { FRAME_BYTES = SCHEMA_PAGE_BYTES + 24 };

int
checkpoint_note (gpointer data, sqlite3 *db, const char *name, int pages)
{
  ((SqliteStore *)data)->wal_pages = pages;
  return SQLITE_OK;
}

/* A failed fsync of the log is nothing that a later one mends: its pages count as clean by then. Only a
 * TRUNCATE mends it: the whole log is then in the file and that on the disk, every page written again, and a
 * transaction whose commit failed is out of the log for good. */
static gboolean
checkpoint (SqliteStore *store, int mode, GError **error)
{
  sqlite3 *db = store->checkpoints;
  if (sqlite3_wal_checkpoint_v2 (db, NULL, mode, NULL, NULL) != SQLITE_OK) {
    if (sqlite3_extended_errcode (db) == SQLITE_IOERR_FSYNC)
      store->distrust = TRUE;
    return schema_fail (db, "writing the log into the file", error);
  }
  if (mode == SQLITE_CHECKPOINT_TRUNCATE)
    store->distrust = FALSE;
  if (mode != SQLITE_CHECKPOINT_PASSIVE)
    store->wal_pages = 0;
  return TRUE;
}

/* All checkpoints are made on the one thread, since SQLite does not wait for another one to end: the writer
 * asks, and waits. */
static gboolean
ask (SqliteStore *store, int mode, GError **error)
{
  Job *job = g_new0 (Job, 1);
  job->type = JOB_CHECKPOINT;
  job->mode = mode;
  g_async_queue_push (store->to_checkpointer, job);
  g_autofree Job *answer = g_async_queue_pop (store->checkpointed);
  if (!answer->error)
    return TRUE;
  g_propagate_error (error, answer->error);
  return FALSE;
}

gboolean
checkpoint_truncate (SqliteStore *store, GError **error)
{
  return ask (store, SQLITE_CHECKPOINT_TRUNCATE, error);
}

/* After each commit, by the writer. */
void
checkpoint_if_long (SqliteStore *store)
{
  if ((gint64)store->wal_pages * FRAME_BYTES > RESTART_BYTES) {
    ask (store, SQLITE_CHECKPOINT_RESTART, NULL);
  } else if (store->wal_pages > CHECKPOINT_PAGES && !store->checkpointing) {
    store->checkpointing = TRUE;
    Job *job = g_new0 (Job, 1);
    job->type = JOB_WAKE;
    g_async_queue_push (store->to_checkpointer, job);
  }
}

static void
answer (SqliteStore *store, Job *job)
{
  checkpoint (store, job->mode, &job->error);
  g_async_queue_push (store->checkpointed, job);
}

/* FALSE: to stop. */
static gboolean
serve (SqliteStore *store, Job *job)
{
  gboolean stop = job->type == JOB_STOP;
  if (job->type == JOB_CHECKPOINT)
    answer (store, job);
  else
    g_free (job);
  return !stop;
}

gpointer
checkpointer_run (gpointer data)
{
  SqliteStore *store = data;
  for (gboolean go_on = TRUE; go_on;) {
    Job *job = g_async_queue_pop (store->to_checkpointer);
    gboolean woken = job->type == JOB_WAKE;
    go_on = serve (store, job);
    if (!woken)
      continue;
    checkpoint (store, SQLITE_CHECKPOINT_PASSIVE, NULL);
    job = g_async_queue_timeout_pop (store->to_checkpointer, CHECKPOINT_EVERY_MS * 1000);
    store->checkpointing = FALSE;
    if (job)
      go_on = serve (store, job);
  }
  return NULL;
}
