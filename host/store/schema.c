#include "store/schema.h"

#include <errno.h>

#include "base/log.h"
#include "store/store.h"

/* Why it looks like this:
 * - no index on the text id: it would be half of an insert; ids are found through the hub's map;
 * - record_dead is partial: a living record pays for it with one test, and prune need not look at the living;
 * - small columns before the texts, so that a map is read without walking into bodies that overflow a page;
 * - state and history are asked for by text, and few. */
static const char version_1[] =
  "CREATE TABLE meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
  "CREATE TABLE record (rid INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash INTEGER NOT NULL,"
  "  parent_hash INTEGER NOT NULL, updated_ms INTEGER NOT NULL, asked_ms INTEGER NOT NULL,"
  "  at_ms INTEGER NOT NULL, source INTEGER NOT NULL, id TEXT NOT NULL, body TEXT);"
  "CREATE INDEX record_seq ON record (seq);"
  "CREATE INDEX record_dead ON record (at_ms) WHERE body IS NULL;"
  "CREATE TABLE lost (first INTEGER PRIMARY KEY, last INTEGER NOT NULL);"
  "CREATE TABLE state (key TEXT NOT NULL UNIQUE, json TEXT NOT NULL);"
  "CREATE TABLE pass (id TEXT NOT NULL UNIQUE, connector TEXT, stream TEXT, kind TEXT,"
  "  state TEXT, reason TEXT, at_ms INTEGER NOT NULL, body TEXT NOT NULL, extra BLOB);"
  "CREATE INDEX pass_connector ON pass (connector, id);"
  "CREATE INDEX pass_state ON pass (state, id);"
  "CREATE INDEX pass_at ON pass (at_ms);"
  "CREATE TABLE reject (id TEXT NOT NULL UNIQUE, connector TEXT, stream TEXT, kind TEXT,"
  "  state TEXT, reason TEXT, at_ms INTEGER NOT NULL, body TEXT NOT NULL, extra BLOB);"
  "CREATE INDEX reject_connector ON reject (connector, id);"
  "CREATE INDEX reject_at ON reject (at_ms);";

/* How many are left of a record is the sum over what has it as its parent. */
static const char version_2[] = "CREATE INDEX record_parent ON record (parent_hash) WHERE parent_hash <> 0;";

/* migrations[n] leads from version n to n + 1. A released one never changes. */
static const char *const migrations[] = { version_1, version_2 };

static gboolean
no_space (sqlite3 *db, int code)
{
  int why = sqlite3_system_errno (db);
  switch (code) {
  case SQLITE_IOERR_WRITE:
  case SQLITE_IOERR_SHMSIZE:
    return TRUE;
  default:
    return (code & 0xff) == SQLITE_FULL ||
           ((code & 0xff) == SQLITE_IOERR && (why == ENOSPC || why == EDQUOT || why == EFBIG));
  }
}

gboolean
schema_fail (sqlite3 *db, const char *doing, GError **error)
{
  int code = sqlite3_extended_errcode (db), why = sqlite3_system_errno (db);
  StoreError kind = STORE_ERROR_FAILED;
  if (no_space (db, code))
    kind = STORE_ERROR_FULL;
  else if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
    kind = STORE_ERROR_CORRUPT;
  else if ((code & 0xff) == SQLITE_BUSY)
    kind = STORE_ERROR_LOCKED;
  const char *file = sqlite3_db_filename (db, "main");
  gboolean io = (code & 0xff) == SQLITE_IOERR && why;
  g_set_error (error, STORE_ERROR, (int)kind, "%s: %s: %s%s%s", file ? file : "store", doing,
               sqlite3_errmsg (db), io ? ": " : "", io ? g_strerror (why) : "");
  return FALSE;
}

gboolean
schema_run (sqlite3 *db, const char *sql, GError **error)
{
  return sqlite3_exec (db, sql, NULL, NULL, NULL) == SQLITE_OK || schema_fail (db, sql, error);
}

gboolean
schema_number (sqlite3 *db, const char *sql, gint64 otherwise, gint64 *number, GError **error)
{
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) != SQLITE_OK)
    return schema_fail (db, sql, error);
  int code = sqlite3_step (statement);
  gint64 value = code == SQLITE_ROW && sqlite3_column_type (statement, 0) != SQLITE_NULL
                   ? sqlite3_column_int64 (statement, 0)
                   : otherwise;
  gboolean done = code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (db, sql, error);
  sqlite3_finalize (statement);
  if (done)
    *number = value;
  return done;
}

gboolean
schema_check (sqlite3 *db, int *version, GError **error)
{
  gint64 application, user, tables;
  if (!schema_number (db, "PRAGMA application_id", 0, &application, error) ||
      !schema_number (db, "PRAGMA user_version", 0, &user, error) ||
      !schema_number (db, "SELECT count(*) FROM sqlite_master", 0, &tables, error))
    return FALSE;
  const char *file = sqlite3_db_filename (db, "main");
  if (application != SCHEMA_APPLICATION_ID && (application || user || tables)) {
    g_set_error (error, STORE_ERROR, STORE_ERROR_CORRUPT,
                 "%s is an SQLite file of another program; move it away, or set `state` to another folder",
                 file);
    return FALSE;
  }
  if (user > (gint64)G_N_ELEMENTS (migrations)) {
    g_set_error (
      error, STORE_ERROR, STORE_ERROR_NEWER,
      "%s has layout %d, this version knows layouts up to %d; nothing was changed: install the newer "
      "tillbridge again, or restore a backup of the older one",
      file, (int)user, (int)G_N_ELEMENTS (migrations));
    return FALSE;
  }
  *version = (int)user;
  return TRUE;
}

static gboolean
migrate_one (sqlite3 *db, int version, GError **error)
{
  g_autofree char *mark =
    g_strdup_printf ("PRAGMA application_id=%d; PRAGMA user_version=%d", SCHEMA_APPLICATION_ID, version + 1);
  return schema_run (db, "BEGIN IMMEDIATE", error) && schema_run (db, migrations[version], error) &&
         schema_run (db, mark, error) && schema_run (db, "COMMIT", error);
}

/* With many records it takes its time: who waits for the start is told for what, before and after. */
static gboolean
migrate_older (sqlite3 *db, int version, GError **error)
{
  const char *file = sqlite3_db_filename (db, "main");
  gint64 started_us = g_get_monotonic_time ();
  log_line (LOG_INFO, NULL,
            "%s: bringing layout %d to layout %d; this may take some minutes with millions of records", file,
            version, version + 1);
  if (!migrate_one (db, version, error) || !schema_run (db, "PRAGMA wal_checkpoint(TRUNCATE)", error))
    return FALSE;
  log_line (LOG_INFO, NULL, "%s: has layout %d now, after %.1f s", file, version + 1,
            (double)(g_get_monotonic_time () - started_us) / G_USEC_PER_SEC);
  return TRUE;
}

gboolean
schema_migrate (sqlite3 *db, int version, GError **error)
{
  gboolean fresh = version == 0;
  for (; version < (int)G_N_ELEMENTS (migrations); version++)
    if (!(fresh ? migrate_one (db, version, error) : migrate_older (db, version, error))) {
      if (!sqlite3_get_autocommit (db))
        sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
      return FALSE;
    }
  return TRUE;
}
