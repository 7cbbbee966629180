/* What goes into one transaction: whole batches as long as there is room, or a part of one that is larger
 * than that. The states and rows of a batch go with its last record, so that no cursor ever stands past a
 * record. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#include <string.h>

static void
bind_record (sqlite3_stmt *statement, const StoreRecord *record, const Writer *writer, int source)
{
  gboolean deleted = record->op == STORE_DELETE;
  sqlite3_bind_int64 (statement, 1, store_rid (record->collection, record->ordinal));
  sqlite3_bind_int64 (statement, 2, (gint64)writer->slice_seq);
  sqlite3_bind_int64 (statement, 3, (gint64)record->hash);
  sqlite3_bind_int64 (statement, 4, (gint64)record->parent_hash);
  sqlite3_bind_int64 (statement, 5, record->updated_ms);
  sqlite3_bind_int64 (statement, 6, record->asked_ms);
  sqlite3_bind_int64 (statement, 7, writer->at_ms);
  sqlite3_bind_int (statement, 8, source);
  sqlite3_bind_text (statement, 9, record->id, (int)record->id_length, SQLITE_STATIC);
  sqlite3_bind_text (statement, 10, deleted ? NULL : record->body, (int)record->body_length, SQLITE_STATIC);
}

static int
run (sqlite3_stmt *statement)
{
  sqlite3_step (statement);
  return sqlite3_reset (statement);
}

/* The place is taken, or it is not there: which, and is it by the same id? */
static gboolean
look (SqliteStore *store, const StoreRecord *record, gboolean *there, GError **error)
{
  sqlite3_stmt *statement = store->writer.statements[WRITE_ID];
  sqlite3_bind_int64 (statement, 1, store_rid (record->collection, record->ordinal));
  int code = sqlite3_step (statement);
  gboolean fine =
    code == SQLITE_ROW || code == SQLITE_DONE || schema_fail (store->writer.db, "reading an id", error);
  if (code == SQLITE_ROW) {
    const char *id = (const char *)sqlite3_column_text (statement, 0);
    gsize length = (gsize)sqlite3_column_bytes (statement, 0);
    fine = length == record->id_length && memcmp (id, record->id, length) == 0;
    if (!fine)
      g_set_error (error, STORE_ERROR, STORE_ERROR_COLLISION,
                   "record \"%.*s\" has the place of \"%.*s\" (collection %u, ordinal %u)",
                   (int)record->id_length, record->id, (int)length, id, record->collection, record->ordinal);
  }
  *there = code == SQLITE_ROW;
  sqlite3_reset (statement);
  return fine;
}

static gboolean
insert (SqliteStore *store, const StoreRecord *record, int source, int *code)
{
  sqlite3_stmt *statement = store->writer.statements[WRITE_INSERT];
  bind_record (statement, record, &store->writer, source);
  *code = run (statement);
  if (*code == SQLITE_OK)
    store->writer.slice_inserts++;
  return *code == SQLITE_OK;
}

static gboolean
update_with (SqliteStore *store, WriteStatement which, const StoreRecord *record, int source, int *code)
{
  sqlite3_stmt *statement = store->writer.statements[which];
  bind_record (statement, record, &store->writer, source);
  *code = run (statement);
  return *code == SQLITE_OK && sqlite3_changes (store->writer.db) == 1;
}

/* A statement that names an indexed column takes the row out of that index and puts it in again, so the
 * parent is only named where it is another one, which is rare. */
static gboolean
update (SqliteStore *store, const StoreRecord *record, int source, int *code)
{
  return update_with (store, WRITE_UPDATE, record, source, code) ||
         (*code == SQLITE_OK && update_with (store, WRITE_UPDATE_PARENT, record, source, code));
}

static gboolean
touch (SqliteStore *store, const StoreRecord *record, int source, GError **error)
{
  sqlite3_stmt *statement = store->writer.statements[WRITE_TOUCH];
  sqlite3_bind_int64 (statement, 1, store_rid (record->collection, record->ordinal));
  sqlite3_bind_int64 (statement, 2, (gint64)store->writer.slice_seq);
  sqlite3_bind_int (statement, 3, source);
  sqlite3_bind_int64 (statement, 4, store->writer.at_ms);
  return run (statement) == SQLITE_OK || schema_fail (store->writer.db, "telling a record again", error);
}

/* op says what is likely and therefore tried first. It may be wrong: a batch that failed in a later slice
 * comes again with its first ones stored, and the tombstone that an update would wake may have been pruned.
 */
static gboolean
write_record (SqliteStore *store, const StoreRecord *record, int source, GError **error)
{
  int code;
  gboolean there;
  store->writer.slice_seq++;
  if (record->op == STORE_TOUCH)
    return touch (store, record, source, error);
  if (record->op == STORE_INSERT ? insert (store, record, source, &code)
                                 : update (store, record, source, &code))
    return TRUE;
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_CONSTRAINT)
    return schema_fail (store->writer.db, "writing a record", error);
  if (!look (store, record, &there, error))
    return FALSE;
  if (there ? update (store, record, source, &code) : insert (store, record, source, &code))
    return TRUE;
  return schema_fail (store->writer.db, "writing a record", error);
}

static gboolean
write_state (SqliteStore *store, const StoreState *state, GError **error)
{
  sqlite3_stmt *statement = store->writer.statements[state->json ? WRITE_STATE : WRITE_STATE_DELETE];
  sqlite3_bind_text (statement, 1, state->key, -1, SQLITE_STATIC);
  if (state->json)
    sqlite3_bind_text (statement, 2, state->json, -1, SQLITE_STATIC);
  return run (statement) == SQLITE_OK || schema_fail (store->writer.db, "writing a state", error);
}

static gboolean
write_row (SqliteStore *store, const StoreBatchRow *own, GError **error)
{
  const StoreRow *row = &own->row;
  sqlite3_stmt *statement =
    store->writer.statements[own->history == STORE_PASSES ? WRITE_PASS : WRITE_REJECT];
  const char *const texts[] = { row->id,    row->connector, row->stream, row->kind,
                                row->state, row->reason,    row->body };
  for (int i = 0; i < (int)G_N_ELEMENTS (texts); i++)
    sqlite3_bind_text (statement, i + 1, texts[i], -1, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 8, row->at_ms);
  sqlite3_bind_blob64 (statement, 9, row->extra, row->extra ? row->extra_size : 0, SQLITE_STATIC);
  return run (statement) == SQLITE_OK || schema_fail (store->writer.db, "writing a row of history", error);
}

static gsize
rows_left (const Job *job)
{
  return job->batch->records->len - job->at;
}

/* How many rows this transaction should have by now. */
static gsize
room (SqliteStore *store, gboolean durable)
{
  return !durable && store->durable_waiting > 0 ? SLICE_ROWS_LEAST : SLICE_ROWS_MOST;
}

static gboolean
put_job (SqliteStore *store, const Job *job, gboolean durable, Slice *slice, GError **error)
{
  const StoreBatch *batch = job->batch;
  gboolean divisible = rows_left (job) > SLICE_ROWS_LEAST;
  for (gsize i = job->at; i < batch->records->len; i++) {
    const StoreRecord *record = &g_array_index (batch->records, StoreRecord, i);
    gboolean enough = (divisible && slice->rows >= room (store, durable)) || slice->bytes >= SLICE_BYTES_MOST;
    if (enough && i > job->at) {
      slice->part = i - job->at;
      return TRUE;
    }
    if (!write_record (store, record, batch->source, error))
      return FALSE;
    slice->rows++;
    slice->bytes += record->id_length + record->body_length;
  }
  for (guint i = 0; i < batch->states->len; i++)
    if (!write_state (store, &g_array_index (batch->states, StoreState, i), error))
      return FALSE;
  for (guint i = 0; i < batch->rows->len; i++)
    if (!write_row (store, &g_array_index (batch->rows, StoreBatchRow, i), error))
      return FALSE;
  slice->rows += batch->rows->len;
  slice->whole++;
  return TRUE;
}

gboolean
slice_fill (SqliteStore *store, GQueue *queue, gboolean durable, Slice *slice, GError **error)
{
  *slice = (Slice){ 0 };
  for (GList *link = queue->head; link && !slice->part; link = link->next) {
    Job *job = link->data;
    gboolean first = link == queue->head;
    if (job->error || (!first && slice->rows + rows_left (job) > room (store, durable)) ||
        slice->bytes >= SLICE_BYTES_MOST)
      return TRUE;
    GError *why = NULL;
    if (!put_job (store, job, durable, slice, &why)) {
      slice->failed = g_error_matches (why, STORE_ERROR, STORE_ERROR_COLLISION) ? job : NULL;
      slice->part = 1; /* it is in the transaction, in part */
      g_propagate_error (error, why);
      return FALSE;
    }
  }
  return TRUE;
}
