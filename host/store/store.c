#include "store/store-class.h"

#include <string.h>

G_DEFINE_QUARK (tillbridge - store - error, store_error)

/* Numbers are stored: only ever add at the end. */
static const char *const sources[] = {
  "", "pull", "fetch", "webhook", "api", "override", "operator", "host"
};

int
store_source_number (const char *source)
{
  for (guint i = 0; i < G_N_ELEMENTS (sources); i++)
    if (strcmp (sources[i], source) == 0)
      return (int)i;
  g_error ("\"%s\" is no source of changes", source);
}

const char *
store_source_text (int number)
{
  return number >= 0 && number < (int)G_N_ELEMENTS (sources) ? sources[number] : "";
}

static void
state_clear (gpointer data)
{
  StoreState *state = data;
  g_free (state->key);
  g_free (state->json);
}

static void
row_clear (gpointer data)
{
  StoreRow *row = &((StoreBatchRow *)data)->row;
  g_free ((char *)row->id);
  g_free ((char *)row->connector);
  g_free ((char *)row->stream);
  g_free ((char *)row->kind);
  g_free ((char *)row->state);
  g_free ((char *)row->reason);
  g_free ((char *)row->body);
  g_free ((gpointer)row->extra);
}

StoreBatch *
store_batch_new (Store *store, gboolean durable, const char *source)
{
  StoreBatch *batch = g_new0 (StoreBatch, 1);
  batch->store = store;
  batch->durable = durable;
  batch->source = store_source_number (source);
  batch->records = g_array_new (FALSE, FALSE, sizeof (StoreRecord));
  batch->states = g_array_new (FALSE, FALSE, sizeof (StoreState));
  batch->rows = g_array_new (FALSE, FALSE, sizeof (StoreBatchRow));
  batch->kept = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  g_array_set_clear_func (batch->states, state_clear);
  g_array_set_clear_func (batch->rows, row_clear);
  return batch;
}

void
store_batch_record (StoreBatch *batch, const StoreRecord *record)
{
  g_assert (record->collection < STORE_COLLECTIONS_MOST);
  g_assert (record->op == STORE_TOUCH || (record->id && (record->body || record->op == STORE_DELETE)));
  g_array_append_vals (batch->records, record, 1);
}

void
store_batch_keep (StoreBatch *batch, GBytes *bytes)
{
  g_ptr_array_add (batch->kept, g_bytes_ref (bytes));
}

void
store_batch_state (StoreBatch *batch, const char *key, const char *json)
{
  StoreState state = { g_strdup (key), g_strdup (json) };
  g_array_append_val (batch->states, state);
}

void
store_batch_row (StoreBatch *batch, StoreHistory history, const StoreRow *row)
{
  g_assert (history < STORE_HISTORIES && row->id && row->body);
  StoreBatchRow own = { history, *row };
  own.row.id = g_strdup (row->id);
  own.row.connector = g_strdup (row->connector);
  own.row.stream = g_strdup (row->stream);
  own.row.kind = g_strdup (row->kind);
  own.row.state = g_strdup (row->state);
  own.row.reason = g_strdup (row->reason);
  own.row.body = g_strdup (row->body);
  own.row.extra = row->extra ? g_memdup2 (row->extra, row->extra_size) : NULL;
  g_array_append_val (batch->rows, own);
}

void
store_batch_each (StoreBatch *batch, void (*each) (StoreRecord *record, gpointer data), gpointer data)
{
  for (guint i = 0; i < batch->records->len; i++)
    each (&g_array_index (batch->records, StoreRecord, i), data);
}

gsize
store_batch_size (const StoreBatch *batch)
{
  return batch->records->len;
}

gboolean
store_batch_span (const StoreBatch *batch, guint32 collection, guint32 *first, guint32 *last)
{
  *first = G_MAXUINT32;
  *last = 0;
  for (guint i = 0; i < batch->records->len; i++) {
    const StoreRecord *record = &g_array_index (batch->records, StoreRecord, i);
    if (record->collection != collection)
      continue;
    *first = MIN (*first, record->ordinal);
    *last = MAX (*last, record->ordinal);
  }
  return *first <= *last;
}

void
store_batch_free (StoreBatch *batch)
{
  if (!batch)
    return;
  g_array_unref (batch->records);
  g_array_unref (batch->states);
  g_array_unref (batch->rows);
  g_ptr_array_unref (batch->kept);
  g_free (batch);
}

void
store_submit (Store *store, StoreBatch *batch, StoreDone done, gpointer data)
{
  g_assert (batch->store == store);
  store->class->submit (store, batch, done, data);
}

gboolean
store_list (Store *store, guint32 collection, guint64 from, guint limit, StoreEach each, gpointer data,
            GError **error)
{
  return store->class->list (store, collection, from, limit, each, data, error);
}

gboolean
store_get (Store *store, guint32 collection, guint32 ordinal, gboolean *found, StoreEach each, gpointer data,
           GError **error)
{
  return store->class->get (store, collection, ordinal, found, each, data, error);
}

gboolean
store_changes (Store *store, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each,
               gpointer data, guint64 *reached, gboolean *more, GError **error)
{
  return store->class->changes (store, since, limit, looks, want, each, data, reached, more, error);
}

gboolean
store_seq_known (Store *store, guint64 since, guint64 *latest)
{
  return store->class->seq_known (store, since, latest);
}

gboolean
store_rows (Store *store, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
            gpointer data, GError **error)
{
  g_assert (history < STORE_HISTORIES);
  return store->class->rows (store, history, filter, each, data, error);
}

gboolean
store_states (Store *store, const char *prefix, StoreEachState each, gpointer data, GError **error)
{
  return store->class->states (store, prefix, each, data, error);
}

guint64
store_seed (Store *store)
{
  return store->seed;
}

void
store_load_map (Store *store, guint32 collection, StoreMapRows rows, StoreDone done, gpointer data)
{
  store->class->load_map (store, collection, rows, done, data);
}

/* A search box that nothing was typed into asks for nothing. */
static gboolean
is_blank (const char *words)
{
  return !words || strspn (words, " \t\r\n") == strlen (words);
}

StoreQuery *
store_query_copy (const StoreQuery *query)
{
  StoreQuery *copy = g_memdup2 (query, sizeof *query);
  StoreTerm *terms = g_new0 (StoreTerm, query->term_count);
  for (guint i = 0; i < query->term_count; i++)
    terms[i] = (StoreTerm){ g_strdup (query->terms[i].field), g_strdup (query->terms[i].text) };
  copy->words = is_blank (query->words) ? NULL : g_strdup (query->words);
  copy->terms = terms;
  return copy;
}

void
store_query_free (StoreQuery *query)
{
  if (!query)
    return;
  for (guint i = 0; i < query->term_count; i++) {
    g_free ((char *)query->terms[i].field);
    g_free ((char *)query->terms[i].text);
  }
  g_free ((StoreTerm *)query->terms);
  g_free ((char *)query->words);
  g_free (query);
}

void
store_query (Store *store, const StoreQuery *query, StoreQueryDone done, gpointer data)
{
  g_assert (query->collection < STORE_COLLECTIONS_MOST && query->limit > 0 && query->judge);
  store->class->query (store, query, done, data);
}

void
store_watch (Store *store, StoreMoved moved, gpointer data)
{
  store->moved = moved;
  store->moved_data = data;
}

void
store_tell_moved (Store *store, gint64 committed_us)
{
  if (store->moved)
    store->moved (committed_us, store->moved_data);
}

gboolean
store_stock (Store *store, guint32 collection, guint64 parent_hash, gboolean *any, double *sum,
             GError **error)
{
  return store->class->stock (store, collection, parent_hash, any, sum, error);
}

void
store_prune (Store *store, const StorePrune *before, StoreDone done, gpointer data)
{
  store->class->prune (store, before, done, data);
}

void
store_status (Store *store, StoreStatus *status)
{
  store->class->status (store, status);
}

void
store_free (Store *store)
{
  if (store)
    store->class->free (store);
}
