/* What is left of a record: the sum over its levels, which are found by the hash of its id. Added up in
 * units of 10^-9, so that the order of the rows and the many decimals of weights make no difference. */
#include "store/schema.h"
#include "store/sqlite-store.h"

gboolean
stock_sum (sqlite3_stmt *statement, ModelServed *served, guint32 collection, guint64 parent_hash,
           gboolean *any, double *sum, GError **error)
{
  __int128 total = 0;
  gboolean some = FALSE;
  sqlite3_bind_int64 (statement, 1, (gint64)parent_hash);
  sqlite3_bind_int64 (statement, 2, store_rid (collection, 0));
  sqlite3_bind_int64 (statement, 3, store_rid (collection, G_MAXUINT32));
  while (sqlite3_step (statement) == SQLITE_ROW) {
    const char *body = (const char *)sqlite3_column_text (statement, 0);
    gint64 nano;
    if (!model_served_quantity (served, body, (gsize)sqlite3_column_bytes (statement, 0), &nano))
      continue;
    total += nano;
    some = TRUE;
  }
  if (sqlite3_reset (statement) != SQLITE_OK)
    return schema_fail (sqlite3_db_handle (statement), "adding up stock", error);
  *any = some;
  *sum = (double)total / STOCK_NANO;
  return TRUE;
}
