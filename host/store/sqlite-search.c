/* The file of the search index: opening, closing, and when it is not believed. */
#include "base/log.h"
#include "store/schema.h"
#include "store/sqlite-store.h"

#include <glib/gstdio.h>
#include <string.h>

/* "TBsx"; and what is to be counted up when texts are made in another way. */
enum { APPLICATION_ID = 0x54427378, LAYOUT = 1 };

/* Page cache: what one search of a common word walks through. No fsync after the first transaction, which
 * says on which boot the file was touched. */
static const char settings[] =
  "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL";

/* prefix: one, two or three letters behind the collection, so that the first letters that are typed are found
 * at once and not by way of every SKU that begins with them; it is a third of the file and of the work.
 * detail=full: with less, words of many records are found 5 to 13 times slower, for a tenth of the file. */
static const char tables[] =
  "CREATE TABLE about (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
  "CREATE TABLE collection (number INTEGER PRIMARY KEY, next INTEGER NOT NULL);"
  "CREATE VIRTUAL TABLE found USING fts5(text, tokenize='tillbridge', columnsize=0, prefix='9 10 11');";

static const char *const statements[SEARCH_STATEMENTS] = {
  [SEARCH_BEGIN] = "BEGIN IMMEDIATE",
  [SEARCH_COMMIT] = "COMMIT",
  [SEARCH_INSERT] = "INSERT INTO found (rowid, text) VALUES (?1, ?2)",
  [SEARCH_REPLACE] = "REPLACE INTO found (rowid, text) VALUES (?1, ?2)",
  [SEARCH_DELETE] = "DELETE FROM found WHERE rowid = ?1",
  [SEARCH_TEXT] = "SELECT text FROM found WHERE rowid = ?1",
  [SEARCH_MATCH] = "SELECT rowid FROM found WHERE found MATCH ?1 AND rowid >= ?2 AND rowid <= ?3"
                   " ORDER BY rowid LIMIT ?4",
  [SEARCH_ABOUT] = "REPLACE INTO about (name, value) VALUES (?1, ?2)",
  [SEARCH_COLLECTION] = "REPLACE INTO collection (number, next) VALUES (?1, ?2)",
};

void
search_init (Search *search, const char *store_path, const char *boot)
{
  gsize length = strlen (store_path) - (g_str_has_suffix (store_path, ".db") ? 3 : 0);
  search->path = g_strdup_printf ("%.*s-search.db", (int)length, store_path);
  search->boot = g_strdup (boot);
  search->collections = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  search->text = g_string_new (NULL);
}

void
search_close (Search *search)
{
  for (guint i = 0; i < SEARCH_STATEMENTS; i++)
    g_clear_pointer (&search->statements[i], sqlite3_finalize);
  g_clear_pointer (&search->db, sqlite3_close);
  g_hash_table_remove_all (search->collections);
}

void
search_clear (Search *search)
{
  if (!search->path)
    return;
  search_close (search);
  g_hash_table_unref (search->collections);
  g_string_free (search->text, TRUE);
  model_served_clear (&search->served);
  g_free (search->path);
  g_free (search->boot);
}

void
search_remove (Search *search, const char *why)
{
  static const char *const ends[] = { "", "-wal", "-shm" };
  log_line (LOG_INFO, NULL, "%s: the search index is made anew: %s", search->path, why);
  search_close (search);
  for (guint i = 0; i < G_N_ELEMENTS (ends); i++) {
    g_autofree char *path = g_strconcat (search->path, ends[i], NULL);
    g_unlink (path);
  }
}

gboolean
search_fail (Search *search, const char *doing, GError **error)
{
  search->broken = TRUE;
  return schema_fail (search->db, doing, error);
}

gboolean
search_run (Search *search, SearchStatement which, const char *doing, GError **error)
{
  sqlite3_stmt *statement = search->statements[which];
  sqlite3_step (statement);
  return sqlite3_reset (statement) == SQLITE_OK || search_fail (search, doing, error);
}

gboolean
search_about (Search *search, const char *name, gint64 value, GError **error)
{
  sqlite3_bind_text (search->statements[SEARCH_ABOUT], 1, name, -1, SQLITE_STATIC);
  sqlite3_bind_int64 (search->statements[SEARCH_ABOUT], 2, value);
  return search_run (search, SEARCH_ABOUT, "writing about the search index", error);
}

/* ---- is it to be believed? ---- */

static gboolean
number_of (Search *search, const char *sql, gint64 *number, GError **error)
{
  return schema_number (search->db, sql, -1, number, error);
}

static gboolean
is_text (Search *search, const char *name, const char *text, GError **error)
{
  gint64 equal = 0;
  char *sql = sqlite3_mprintf ("SELECT count(*) FROM about WHERE name = %Q AND value = %Q", name, text);
  gboolean fine = number_of (search, sql, &equal, error);
  sqlite3_free (sql);
  return fine && equal == 1;
}

static gboolean
is_lost (const SqliteStore *store, guint64 seq)
{
  for (guint i = 0; i < store->lost->len; i++) {
    const LostRange *range = &g_array_index (store->lost, LostRange, i);
    if (seq >= range->first && seq <= range->last)
      return TRUE;
  }
  return FALSE;
}

/* NULL: it is. newest: the highest seq that it may know of. */
static const char *
doubt (SqliteStore *store, guint64 newest, GError **error)
{
  Search *search = &store->search;
  gint64 application, layout, seed, seen, seq;
  g_autofree char *table = model_served_table ();
  if (!number_of (search, "PRAGMA application_id", &application, error) ||
      !number_of (search, "PRAGMA user_version", &layout, error))
    return "it cannot be read";
  if (application != APPLICATION_ID || layout != LAYOUT)
    return "it was made by another version";
  if (!number_of (search, "SELECT value FROM about WHERE name = 'seed'", &seed, error) ||
      !number_of (search, "SELECT value FROM about WHERE name = 'seen'", &seen, error) ||
      !number_of (search, "SELECT value FROM about WHERE name = 'seq'", &seq, error))
    return "it cannot be read";
  if ((guint64)seed != store->base.seed)
    return "it belongs to other data";
  if (!is_text (search, "table", table, error))
    return "it was made by another version";
  if (!is_text (search, "boot", "", error) &&
      !(*search->boot && is_text (search, "boot", search->boot, error)))
    return "the machine stopped while it was in use";
  if (seq < 0 || seen < seq || (guint64)seen > newest || is_lost (store, (guint64)seen))
    return "it knows of changes that the data does not have (a restored backup, a power cut)";
  return NULL;
}

/* ---- opening ---- */

static gboolean
connect (Search *search, GError **error)
{
  if (!sqlite_make_private (search->path, error))
    return FALSE;
  if (sqlite3_open_v2 (search->path, &search->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
      SQLITE_OK)
    return search_fail (search, "opening the search index", error);
  sqlite3_extended_result_codes (search->db, 1);
  return search_register (search) || search_fail (search, "FTS5 of SQLite is needed to search", error);
}

static gboolean
is_fresh (Search *search)
{
  gint64 tables_count, application;
  return schema_number (search->db, "SELECT count(*) FROM sqlite_master", -1, &tables_count, NULL) &&
         schema_number (search->db, "PRAGMA application_id", -1, &application, NULL) && tables_count == 0 &&
         application == 0;
}

static gboolean
make_tables (SqliteStore *store, guint64 newest, GError **error)
{
  Search *search = &store->search;
  g_autofree char *table = model_served_table ();
  char *sql = sqlite3_mprintf ("PRAGMA application_id=%d; PRAGMA user_version=%d; %s"
                               "INSERT INTO about VALUES ('seed', %lld), ('table', %Q), ('seq', %lld),"
                               "  ('seen', %lld), ('boot', '')",
                               (int)APPLICATION_ID, (int)LAYOUT, tables, (long long)store->base.seed, table,
                               (long long)newest, (long long)newest);
  gboolean fine = sqlite3_exec (search->db, sql, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_free (sql);
  return fine || search_fail (search, "making the search index", error);
}

static gboolean
load (Search *search, GError **error)
{
  gint64 seq;
  sqlite3_stmt *statement;
  if (!number_of (search, "SELECT value FROM about WHERE name = 'seq'", &seq, error) ||
      sqlite3_prepare_v2 (search->db, "SELECT number, next FROM collection", -1, &statement, NULL) !=
        SQLITE_OK)
    return search_fail (search, "reading the search index", error);
  search->seq = (guint64)seq;
  while (sqlite3_step (statement) == SQLITE_ROW) {
    guint64 next = (guint64)sqlite3_column_int64 (statement, 1);
    g_hash_table_insert (search->collections, GUINT_TO_POINTER ((guint)sqlite3_column_int64 (statement, 0)),
                         g_memdup2 (&next, sizeof next));
  }
  return sqlite3_finalize (statement) == SQLITE_OK || search_fail (search, "reading the search index", error);
}

static gboolean
mark_boot (Search *search, const char *boot, GError **error)
{
  char *sql = sqlite3_mprintf ("UPDATE about SET value = %Q WHERE name = 'boot'", boot);
  gboolean fine = sqlite3_exec (search->db, sql, NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_free (sql);
  return fine || search_fail (search, "marking the search index", error);
}

static gboolean
prepare (SqliteStore *store, guint64 newest, gboolean fresh, GError **error)
{
  Search *search = &store->search;
  if (sqlite3_exec (search->db, settings, NULL, NULL, NULL) != SQLITE_OK ||
      sqlite3_exec (search->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
    return search_fail (search, "opening the search index", error);
  if ((fresh && !make_tables (store, newest, error)) || !mark_boot (search, search->boot, error))
    return FALSE;
  if (sqlite3_exec (search->db, "COMMIT; PRAGMA synchronous=OFF", NULL, NULL, NULL) != SQLITE_OK)
    return search_fail (search, "opening the search index", error);
  for (guint i = 0; i < SEARCH_STATEMENTS; i++)
    if (sqlite3_prepare_v3 (search->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &search->statements[i],
                            NULL) != SQLITE_OK)
      return search_fail (search, statements[i], error);
  return load (search, error);
}

gboolean
search_open (SqliteStore *store, guint64 newest, GError **error)
{
  Search *search = &store->search;
  if (search->db)
    return TRUE;
  gboolean fine = connect (search, error), fresh = fine && is_fresh (search);
  const char *why = fine && !fresh ? doubt (store, newest, NULL) : NULL;
  if (why) {
    search_remove (search, why);
    fresh = fine = connect (search, error);
  }
  fine = fine && prepare (store, newest, fresh, error);
  if (!fine)
    search_close (search);
  return fine;
}

void
search_check (SqliteStore *store)
{
  Search *search = &store->search;
  if (!g_file_test (search->path, G_FILE_TEST_EXISTS))
    return;
  const char *why = connect (search, NULL) && !is_fresh (search) ? doubt (store, store->known, NULL) : NULL;
  if (why)
    search_remove (search, why);
  search_close (search);
}

/* All of it is on the disk before it says that it may be believed on any boot. A checkpoint syncs the file
 * only when it has something to put into it: hence the mark that changes nothing. */
void
search_finish (Search *search)
{
  if (search->db && sqlite3_exec (search->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL) == SQLITE_OK &&
      mark_boot (search, search->boot, NULL) &&
      sqlite3_exec (search->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) == SQLITE_OK)
    mark_boot (search, "", NULL);
  search_close (search);
}
