/* The loop's own reads: short, each a statement that is reset before the caller goes on, so that none holds
 * up the log. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#include <string.h>

static const char *const statements[READ_STATEMENTS] = {
  [READ_LIST] =
    "SELECT " FOUND_COLUMNS " FROM record WHERE rid >= ?1 AND rid <= ?2 AND typeof(body) <> 'null'"
    " ORDER BY rid LIMIT ?3",
  [READ_GET] = "SELECT " FOUND_COLUMNS " FROM record WHERE rid = ?1",
  [READ_CHANGES] = "SELECT " FOUND_COLUMNS " FROM record WHERE seq > ?1 ORDER BY seq LIMIT ?2",
  [READ_LATEST] = "SELECT max(seq) FROM record",
  [READ_STATES] = "SELECT key, json FROM state WHERE key >= ?1 ORDER BY key",
  [READ_STOCK] = STOCK_SQL,
  [READ_DEAD] = "SELECT count(*) FROM record WHERE body IS NULL",
};

gboolean
read_prepare (SqliteStore *store, GError **error)
{
  return sqlite_prepare (store->reads, statements, store->read_statements, READ_STATEMENTS, error);
}

/* A statement that is not in use: a callback that reads the same way again would read over its caller. */
static sqlite3_stmt *
statement_of (SqliteStore *store, ReadStatement which)
{
  sqlite3_stmt *statement = store->read_statements[which];
  g_assert (!sqlite3_stmt_busy (statement));
  return statement;
}

void
read_found (sqlite3_stmt *statement, StoreFound *found)
{
  gint64 rid = sqlite3_column_int64 (statement, 0);
  *found = (StoreFound){ .collection = store_rid_collection (rid),
                         .ordinal = store_rid_ordinal (rid),
                         .seq = (guint64)sqlite3_column_int64 (statement, 1),
                         .hash = (guint64)sqlite3_column_int64 (statement, 2),
                         .parent_hash = (guint64)sqlite3_column_int64 (statement, 3),
                         .updated_ms = sqlite3_column_int64 (statement, 4),
                         .asked_ms = sqlite3_column_int64 (statement, 5),
                         .at_ms = sqlite3_column_int64 (statement, 6),
                         .source = store_source_text (sqlite3_column_int (statement, 7)),
                         .id = (const char *)sqlite3_column_text (statement, 8),
                         .id_length = (gsize)sqlite3_column_bytes (statement, 8),
                         .body = (const char *)sqlite3_column_text (statement, 9),
                         .body_length = (gsize)sqlite3_column_bytes (statement, 9) };
  found->deleted = !found->body;
}

gboolean
read_list (Store *base, guint32 collection, guint64 from, guint limit, StoreEach each, gpointer data,
           GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  if (from > G_MAXUINT32)
    return TRUE;
  sqlite3_stmt *statement = statement_of (store, READ_LIST);
  sqlite3_bind_int64 (statement, 1, store_rid (collection, (guint32)from));
  sqlite3_bind_int64 (statement, 2, store_rid (collection, G_MAXUINT32));
  sqlite3_bind_int64 (statement, 3, limit);
  int code = SQLITE_DONE;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    StoreFound found;
    read_found (statement, &found);
    if (!each (&found, data))
      break;
  }
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->reads, "listing records", error);
  sqlite3_reset (statement);
  return fine;
}

gboolean
read_get (Store *base, guint32 collection, guint32 ordinal, gboolean *there, StoreEach each, gpointer data,
          GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  sqlite3_stmt *statement = statement_of (store, READ_GET);
  sqlite3_bind_int64 (statement, 1, store_rid (collection, ordinal));
  int code = sqlite3_step (statement);
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->reads, "reading a record", error);
  if (fine)
    *there = code == SQLITE_ROW;
  if (code == SQLITE_ROW) {
    StoreFound found;
    read_found (statement, &found);
    each (&found, data);
  }
  sqlite3_reset (statement);
  return fine;
}

/* Looks at one row more than it may, to know whether there is one. */
gboolean
read_changes (Store *base, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each,
              gpointer data, guint64 *reached, gboolean *more, GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  sqlite3_stmt *statement = statement_of (store, READ_CHANGES);
  sqlite3_bind_int64 (statement, 1, (gint64)MIN (since, (guint64)G_MAXINT64));
  sqlite3_bind_int64 (statement, 2, (gint64)looks + 1);
  guint64 last = since;
  guint given = 0, looked = 0;
  gboolean go_on = TRUE;
  int code;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW && go_on && given < limit && looked < looks) {
    guint32 collection = store_rid_collection (sqlite3_column_int64 (statement, 0));
    last = (guint64)sqlite3_column_int64 (statement, 1);
    looked++;
    if (want && !want (collection, data))
      continue;
    StoreFound found;
    read_found (statement, &found);
    go_on = each (&found, data);
    given++;
  }
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->reads, "reading changes", error);
  if (fine) {
    *reached = last;
    *more = code == SQLITE_ROW;
  }
  sqlite3_reset (statement);
  return fine;
}

gboolean
read_stock (Store *base, guint32 collection, guint64 parent_hash, gboolean *any, double *sum, GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  return stock_sum (statement_of (store, READ_STOCK), &store->served, collection, parent_hash, any, sum,
                    error);
}

static guint64
number (SqliteStore *store, ReadStatement which)
{
  sqlite3_stmt *statement = statement_of (store, which);
  guint64 value = sqlite3_step (statement) == SQLITE_ROW ? (guint64)sqlite3_column_int64 (statement, 0) : 0;
  sqlite3_reset (statement);
  return value;
}

/* From the file, since a reader may have been shown a change before the writer says that it is committed; and
 * never below the floor, since the row with the highest number may have been pruned. */
guint64
read_latest (SqliteStore *store)
{
  return MAX (number (store, READ_LATEST), store->floor);
}

guint64
read_dead (SqliteStore *store)
{
  return number (store, READ_DEAD);
}

gboolean
read_seq_known (Store *base, guint64 since, guint64 *latest)
{
  SqliteStore *store = (SqliteStore *)base;
  *latest = read_latest (store);
  for (guint i = 0; i < store->lost->len; i++) {
    const LostRange *range = &g_array_index (store->lost, LostRange, i);
    if (since >= range->first && since <= range->last)
      return FALSE;
  }
  return since <= *latest && since >= store->pruned;
}

gboolean
read_states (Store *base, const char *prefix, StoreEachState each, gpointer data, GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  sqlite3_stmt *statement = statement_of (store, READ_STATES);
  sqlite3_bind_text (statement, 1, prefix, -1, SQLITE_TRANSIENT);
  int code;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text (statement, 0);
    if (!g_str_has_prefix (key, prefix))
      break;
    each (key, (const char *)sqlite3_column_text (statement, 1), data);
  }
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->reads, "reading states", error);
  sqlite3_reset (statement);
  return fine;
}

static void
add_condition (GString *sql, const char *value, const char *condition)
{
  if (value)
    g_string_append_printf (sql, " AND %s", condition);
}

static char *
rows_sql (StoreHistory history, const StoreRowFilter *filter)
{
  GString *sql = g_string_new ("SELECT id, connector, stream, kind, state, reason, body, at_ms, extra FROM ");
  g_string_append (sql, history == STORE_PASSES ? "pass WHERE 1" : "reject WHERE 1");
  add_condition (sql, filter->id, "id = ?1");
  add_condition (sql, filter->connector, "connector = ?2");
  add_condition (sql, filter->stream, "stream = ?3");
  add_condition (sql, filter->kind, "kind = ?4");
  add_condition (sql, filter->state, "state = ?5");
  add_condition (sql, filter->reason, "reason = ?6");
  add_condition (sql, filter->before, "id < ?7");
  add_condition (sql, filter->store,
                 "connector >= ?8 || '/' AND connector < ?8 || '0'"); /* '0' follows '/' */
  if (filter->since_ms)
    g_string_append (sql, " AND at_ms >= ?9");
  g_string_append (sql, " ORDER BY id DESC LIMIT ?10");
  return g_string_free (sql, FALSE);
}

static void
fill_row (sqlite3_stmt *statement, StoreRow *row)
{
  *row = (StoreRow){ .id = (const char *)sqlite3_column_text (statement, 0),
                     .connector = (const char *)sqlite3_column_text (statement, 1),
                     .stream = (const char *)sqlite3_column_text (statement, 2),
                     .kind = (const char *)sqlite3_column_text (statement, 3),
                     .state = (const char *)sqlite3_column_text (statement, 4),
                     .reason = (const char *)sqlite3_column_text (statement, 5),
                     .body = (const char *)sqlite3_column_text (statement, 6),
                     .at_ms = sqlite3_column_int64 (statement, 7),
                     .extra = sqlite3_column_blob (statement, 8),
                     .extra_size = (gsize)sqlite3_column_bytes (statement, 8) };
}

gboolean
read_rows (Store *base, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each, gpointer data,
           GError **error)
{
  SqliteStore *store = (SqliteStore *)base;
  g_autofree char *sql = rows_sql (history, filter);
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2 (store->reads, sql, -1, &statement, NULL) != SQLITE_OK)
    return schema_fail (store->reads, "reading history", error);
  const char *const texts[] = { filter->id,    filter->connector, filter->stream, filter->kind,
                                filter->state, filter->reason,    filter->before, filter->store };
  for (int i = 0; i < (int)G_N_ELEMENTS (texts); i++)
    sqlite3_bind_text (statement, i + 1, texts[i], -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 9, filter->since_ms);
  sqlite3_bind_int64 (statement, 10, filter->limit);
  int code;
  while ((code = sqlite3_step (statement)) == SQLITE_ROW) {
    StoreRow row;
    fill_row (statement, &row);
    if (!each (&row, data))
      break;
  }
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->reads, "reading history", error);
  sqlite3_finalize (statement);
  return fine;
}
