/* Pruning, in transactions small enough that nobody waits for one: old tombstones, old history, then the free
 * pages at the end of the file, then the log. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#define OLDEST(table)                                                                                        \
  "DELETE FROM " table " WHERE rowid IN (SELECT rowid FROM " table                                           \
  " WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)"

/* How many rows went, and the highest number that sql returned of them. */
static gboolean
delete_some (SqliteStore *store, const char *sql, gint64 before_ms, guint *count, guint64 *highest,
             GError **error)
{
  sqlite3 *db = store->writer.db;
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2 (db, sql, -1, &statement, NULL);
  if (code == SQLITE_OK) {
    sqlite3_bind_int64 (statement, 1, before_ms);
    sqlite3_bind_int (statement, 2, PRUNE_ROWS);
  }
  while (code == SQLITE_OK && sqlite3_step (statement) == SQLITE_ROW)
    *highest = MAX (*highest, (guint64)sqlite3_column_int64 (statement, 0));
  gboolean fine = sqlite3_finalize (statement) == SQLITE_OK && code == SQLITE_OK;
  *count = (guint)sqlite3_changes (db);
  return fine || schema_fail (db, "pruning", error);
}

static gboolean
note_pruned (SqliteStore *store, guint64 highest, guint count, GError **error)
{
  gint64 before;
  return count == 0 || (schema_number (store->writer.db, "SELECT value FROM meta WHERE name = 'pruned_rows'",
                                       0, &before, error) &&
                        writer_meta (store, "pruned_rows", before + count, error) &&
                        writer_meta (store, "pruned", (gint64)highest, error));
}

/* The floor and the highest pruned number are told before the rows go: a follower that asks in between is
 * rather sent to the snapshot than let past a deletion that it never saw. */
static gboolean
prune_tombstones (SqliteStore *store, gint64 before_ms, guint *count, GError **error)
{
  static const char sql[] =
    "DELETE FROM record WHERE rid IN (SELECT rid FROM record WHERE body IS NULL AND at_ms < ?1"
    " ORDER BY at_ms LIMIT ?2) RETURNING seq";
  guint64 highest = store->pruned, known = store->pruned;
  if (!writer_begin (store, FALSE, 0, error))
    return FALSE;
  store->floor = store->writer.seq;
  gboolean fine = delete_some (store, sql, before_ms, count, &highest, error) &&
                  note_pruned (store, highest, *count, error);
  store->pruned = highest;
  if (fine && writer_commit (store, FALSE, error)) {
    store->rows -= *count;
    return TRUE;
  }
  writer_rollback (store);
  store->pruned = known;
  return FALSE;
}

static gboolean
prune_history (SqliteStore *store, const char *sql, gint64 before_ms, guint *count, GError **error)
{
  guint64 none = 0;
  if (!writer_begin (store, FALSE, 0, error))
    return FALSE;
  if (delete_some (store, sql, before_ms, count, &none, error) && writer_commit (store, FALSE, error))
    return TRUE;
  writer_rollback (store);
  return FALSE;
}

/* Moves free pages to the end and cuts them off there; *more as long as there are any. */
static gboolean
give_back (SqliteStore *store, gboolean *more, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("PRAGMA incremental_vacuum(%d)", (int)PRUNE_PAGES);
  gint64 before, after;
  if (!schema_number (store->writer.db, "PRAGMA freelist_count", 0, &before, error) ||
      !schema_run (store->writer.db, sql, error) ||
      !schema_number (store->writer.db, "PRAGMA freelist_count", 0, &after, error))
    return FALSE;
  *more = after > 0 && after < before;
  checkpoint_if_long (store);
  return TRUE;
}

static gboolean
step (SqliteStore *store, Job *job, gboolean *more, GError **error)
{
  const StorePrune *before = &job->prune;
  guint count = 0;
  gboolean fine = TRUE;
  switch (job->step) {
  case PRUNE_TOMBSTONES:
    fine = !before->changes_ms || prune_tombstones (store, before->changes_ms, &count, error);
    break;
  case PRUNE_PASSES:
    fine = !before->passes_ms || prune_history (store, OLDEST ("pass"), before->passes_ms, &count, error);
    break;
  case PRUNE_REJECTS:
    fine = !before->rejects_ms || prune_history (store, OLDEST ("reject"), before->rejects_ms, &count, error);
    break;
  case PRUNE_COMPACT:
    fine = compact_step (store, &job->compacted, more, error);
    if (fine)
      checkpoint_if_long (store);
    return fine;
  case PRUNE_VACUUM:
    return give_back (store, more, error);
  case PRUNE_CHECKPOINT:
    *more = FALSE;
    return checkpoint_truncate (store, error);
  case PRUNE_END:
    g_assert_not_reached ();
  }
  *more = count == PRUNE_ROWS;
  if (fine)
    checkpoint_if_long (store);
  return fine;
}

gboolean
prune_step (SqliteStore *store, Job *job)
{
  gboolean more = FALSE;
  if (store->stopping)
    return TRUE;
  if (!step (store, job, &more, &job->error))
    return TRUE;
  if (!more)
    job->step++;
  return job->step == PRUNE_END;
}
