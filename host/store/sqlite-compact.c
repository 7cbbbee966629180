/* Filling pages again after many deletions. Where single rows go, pages stay half empty, and there is nothing
 * that could be cut off the file; VACUUM would send the whole file through the log and hold up every order
 * meanwhile. Taking out a row of neighbours and putting them back packs their pages to the brim, and can be
 * done window by window.
 *
 * It costs about as much as writing the rows anew, so it waits until a sixth of them has been hollowed out.
 */
#include "store/schema.h"
#include "store/sqlite-store.h"

enum { WINDOW_ROWS = 1000, WINDOW_BYTES = 2 * 1024 * 1024, HOLLOW_SHARE = 6 };

/* Rows that ever lost their body, pruned since or not; told apart from those at the last time in meta. */
static gboolean
count_hollow (SqliteStore *store, gint64 *hollow, gint64 *last, GError **error)
{
  gint64 dead, pruned;
  if (!schema_number (store->writer.db, "SELECT count(*) FROM record WHERE body IS NULL", 0, &dead, error) ||
      !schema_number (store->writer.db, "SELECT value FROM meta WHERE name = 'pruned_rows'", 0, &pruned,
                      error) ||
      !schema_number (store->writer.db, "SELECT value FROM meta WHERE name = 'compacted'", 0, last, error))
    return FALSE;
  *hollow = dead + pruned;
  return TRUE;
}

static gboolean
start (SqliteStore *store, gboolean *wanted, GError **error)
{
  gint64 hollow, last;
  if (!count_hollow (store, &hollow, &last, error))
    return FALSE;
  *wanted = hollow - last > (gint64)(store->rows / HOLLOW_SHARE);
  return !*wanted ||
         schema_run (store->writer.db,
                     "CREATE TEMP TABLE IF NOT EXISTS moved AS SELECT * FROM record LIMIT 0", error);
}

static gboolean
finish (SqliteStore *store, GError **error)
{
  gint64 hollow, last;
  if (!count_hollow (store, &hollow, &last, error) || !writer_begin (store, FALSE, 0, error))
    return FALSE;
  if (writer_meta (store, "compacted", hollow, error) && writer_commit (store, FALSE, error))
    return TRUE;
  writer_rollback (store);
  return FALSE;
}

/* The last rid of the window behind `after`; `after` itself when there is none. */
static gboolean
find_end (SqliteStore *store, gint64 after, gint64 *end, GError **error)
{
  static const char sql[] =
    "SELECT rid, length(CAST(body AS BLOB)) FROM record WHERE rid > ?1 ORDER BY rid LIMIT ?2";
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2 (store->writer.db, sql, -1, &statement, NULL) != SQLITE_OK)
    return schema_fail (store->writer.db, "compacting", error);
  sqlite3_bind_int64 (statement, 1, after);
  sqlite3_bind_int (statement, 2, WINDOW_ROWS);
  *end = after;
  for (gint64 bytes = 0; bytes < WINDOW_BYTES && sqlite3_step (statement) == SQLITE_ROW;) {
    *end = sqlite3_column_int64 (statement, 0);
    bytes += sqlite3_column_int64 (statement, 1);
  }
  return sqlite3_finalize (statement) == SQLITE_OK || schema_fail (store->writer.db, "compacting", error);
}

static gboolean
move (SqliteStore *store, gint64 after, gint64 end, GError **error)
{
  g_autofree char *sql =
    g_strdup_printf ("INSERT INTO moved SELECT * FROM record WHERE rid > %" G_GINT64_FORMAT
                     " AND rid <= %" G_GINT64_FORMAT " ORDER BY rid;"
                     "DELETE FROM record WHERE rid > %" G_GINT64_FORMAT " AND rid <= %" G_GINT64_FORMAT ";"
                     "INSERT INTO record SELECT * FROM moved ORDER BY rowid; DELETE FROM moved",
                     after, end, after, end);
  if (!writer_begin (store, FALSE, 0, error))
    return FALSE;
  if (schema_run (store->writer.db, sql, error) && writer_commit (store, FALSE, error))
    return TRUE;
  writer_rollback (store);
  return FALSE;
}

gboolean
compact_step (SqliteStore *store, gint64 *after, gboolean *more, GError **error)
{
  gint64 end = *after;
  gboolean wanted = TRUE;
  if (*after == COMPACT_START && !start (store, &wanted, error))
    return FALSE;
  *more = FALSE;
  if (!wanted)
    return TRUE;
  if (!find_end (store, *after, &end, error))
    return FALSE;
  if (end == *after)
    return finish (store, error);
  if (!move (store, *after, end, error))
    return FALSE;
  *after = end;
  *more = TRUE;
  return TRUE;
}
