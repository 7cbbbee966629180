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

/* A failed fsync of the log is nothing that a later one mends: its pages count as clean by then. */
static int
checkpoint (SqliteStore *store, sqlite3 *db, int mode)
{
  int code = sqlite3_wal_checkpoint_v2 (db, NULL, mode, NULL, NULL);
  if (sqlite3_extended_errcode (db) == SQLITE_IOERR_FSYNC)
    store->distrust = TRUE;
  return code;
}

/* The whole log into the file and that to the disk, or an error. What was committed is then safe whatever
 * fsync said before, since every page has been written again; and a transaction whose commit failed is out of
 * the log for good. */
gboolean
checkpoint_truncate (SqliteStore *store, GError **error)
{
  sqlite3 *db = store->writer.db;
  if (sqlite3_wal_checkpoint_v2 (db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
    return schema_fail (db, "writing the log into the file", error);
  store->wal_pages = 0;
  store->distrust = FALSE;
  return TRUE;
}

/* After each commit, by the writer. */
void
checkpoint_if_long (SqliteStore *store)
{
  if ((gint64)store->wal_pages * FRAME_BYTES > RESTART_BYTES) {
    if (checkpoint (store, store->writer.db, SQLITE_CHECKPOINT_RESTART) == SQLITE_OK)
      store->wal_pages = 0;
  } else if (store->wal_pages > CHECKPOINT_PAGES && !store->checkpointing) {
    store->checkpointing = TRUE;
    g_async_queue_push (store->to_checkpointer, g_new0 (Job, 1));
  }
}

gpointer
checkpointer_run (gpointer data)
{
  SqliteStore *store = data;
  for (gboolean stop = FALSE; !stop;) {
    g_autofree Job *job = g_async_queue_pop (store->to_checkpointer);
    if (job->type == JOB_STOP)
      break;
    checkpoint (store, store->checkpoints, SQLITE_CHECKPOINT_PASSIVE);
    g_autofree Job *next = g_async_queue_timeout_pop (store->to_checkpointer, CHECKPOINT_EVERY_MS * 1000);
    stop = next && next->type == JOB_STOP;
    store->checkpointing = FALSE;
  }
  return NULL;
}
