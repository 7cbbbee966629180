#include "mem-store.h"

#include <string.h>

#include "base/hash.h"
#include "mem-disk.h"
#include "mem-words.h"
#include "model/served.h"

enum { SLICE_ROWS = 250 };

typedef struct {
  StoreBatch *batch; /* NULL: not a batch */
  gsize at;
  StorePrune prune;
  guint32 collection;
  StoreDone done;
  StoreMapRows map_rows;
  StoreQuery *query;
  StoreQueryDone query_done;
  gpointer data;
} Job;

typedef struct {
  Store base;
  MemDisk *disk;
  gint64 (*now_ms) (gpointer clock);
  gpointer clock;
  GQueue durable, catalogue, others; /* Job */
  gboolean full, failed, unreadable;
  guint state_reads;
} MemStore;

static void
job_free (gpointer data)
{
  Job *job = data;
  store_batch_free (job->batch);
  store_query_free (job->query);
  g_free (job);
}

static void
submit (Store *base, StoreBatch *batch, StoreDone done, gpointer data)
{
  MemStore *store = (MemStore *)base;
  Job *job = g_new0 (Job, 1);
  *job = (Job){ .batch = batch, .done = done, .data = data };
  g_queue_push_tail (batch->durable ? &store->durable : &store->catalogue, job);
}

static void
load_map (Store *base, guint32 collection, StoreMapRows rows, StoreDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){ .collection = collection, .map_rows = rows, .done = done, .data = data };
  g_queue_push_tail (&((MemStore *)base)->others, job);
}

static void
query (Store *base, const StoreQuery *asked, StoreQueryDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){ .query = store_query_copy (asked), .query_done = done, .data = data };
  g_queue_push_tail (&((MemStore *)base)->others, job);
}

static void
prune (Store *base, const StorePrune *before, StoreDone done, gpointer data)
{
  Job *job = g_new0 (Job, 1);
  *job = (Job){ .prune = *before, .done = done, .data = data };
  g_queue_push_tail (&((MemStore *)base)->others, job);
}

static gboolean
may_write (MemStore *store, GError **error)
{
  store->failed = store->full;
  if (store->full)
    g_set_error_literal (error, STORE_ERROR, STORE_ERROR_FULL, "the simulated disk is full");
  return !store->full;
}

/* All of the slice or nothing: ids are compared before the first record is put. */
static gboolean
write_slice (MemStore *store, Job *job, GError **error)
{
  const GArray *records = job->batch->records;
  gsize end = MIN (job->at + SLICE_ROWS, records->len);
  if (!may_write (store, error))
    return FALSE;
  for (gsize i = job->at; i < end; i++)
    if (!mem_disk_check (store->disk, &g_array_index (records, StoreRecord, i), error))
      return FALSE;
  for (; job->at < end; job->at++)
    mem_disk_put (store->disk, &g_array_index (records, StoreRecord, job->at), job->batch->source,
                  store->now_ms (store->clock));
  if (end)
    store_tell_moved (&store->base, g_get_monotonic_time ());
  if (end < records->len)
    return TRUE;
  for (guint i = 0; i < job->batch->states->len; i++)
    mem_disk_put_state (store->disk, &g_array_index (job->batch->states, StoreState, i));
  for (guint i = 0; i < job->batch->rows->len; i++)
    mem_disk_put_row (store->disk, &g_array_index (job->batch->rows, StoreBatchRow, i));
  return TRUE;
}

static void
step_batch (MemStore *store, GQueue *queue)
{
  g_autoptr (GError) error = NULL;
  Job *job = g_queue_peek_head (queue);
  if (write_slice (store, job, &error) && job->at < job->batch->records->len)
    return;
  g_queue_pop_head (queue);
  if (job->done)
    job->done (error, job->data);
  job_free (job);
}

static void
step_map (MemStore *store, Job *job)
{
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (StoreMapRow));
  for (GTreeNode *node = mem_disk_first (store->disk, store_rid (job->collection, 0)); node;
       node = g_tree_node_next (node)) {
    const MemRecord *record = g_tree_node_value (node);
    if (store_rid_collection (record->rid) != job->collection)
      break;
    StoreMapRow row = { .ordinal = store_rid_ordinal (record->rid),
                        .deleted = !record->body,
                        .id_hash = hash_bytes (record->id, strlen (record->id), store->base.seed),
                        .hash = record->hash,
                        .parent_hash = record->parent_hash,
                        .updated_ms = record->updated_ms,
                        .asked_ms = record->asked_ms };
    g_array_append_val (rows, row);
  }
  job->map_rows ((const StoreMapRow *)(gpointer)rows->data, rows->len, job->data);
  job->done (NULL, job->data);
}

static void
fill (const MemRecord *record, StoreFound *found)
{
  *found = (StoreFound){ .collection = store_rid_collection (record->rid),
                         .ordinal = store_rid_ordinal (record->rid),
                         .seq = record->seq,
                         .hash = record->hash,
                         .parent_hash = record->parent_hash,
                         .updated_ms = record->updated_ms,
                         .asked_ms = record->asked_ms,
                         .at_ms = record->at_ms,
                         .deleted = !record->body,
                         .source = store_source_text (record->source),
                         .id = record->id,
                         .body = record->body,
                         .id_length = strlen (record->id),
                         .body_length = record->body ? strlen (record->body) : 0 };
}

static gboolean
stock (Store *base, guint32 collection, guint64 parent_hash, gboolean *any, double *sum, GError **error)
{
  ModelServed served = { 0 };
  gint64 total = 0;
  *any = FALSE;
  for (GTreeNode *node = mem_disk_first (((MemStore *)base)->disk, store_rid (collection, 0)); node;
       node = g_tree_node_next (node)) {
    const MemRecord *record = g_tree_node_value (node);
    gint64 nano;
    if (store_rid_collection (record->rid) != collection)
      break;
    if (!record->body || !parent_hash || record->parent_hash != parent_hash ||
        !model_served_quantity (&served, record->body, strlen (record->body), &nano))
      continue;
    *any = TRUE;
    total += nano;
  }
  model_served_clear (&served);
  *sum = (double)total / 1e9;
  return TRUE;
}

/* FALSE: the page is full, and this record is the next one's first. */
static gboolean
judge (const StoreQuery *query, const StoreFound *found, guint *taken, gpointer data)
{
  if (*taken == query->limit)
    return FALSE;
  StoreVerdict verdict = query->judge (found, data);
  if (verdict == STORE_END)
    return FALSE;
  *taken += verdict == STORE_TAKE;
  return TRUE;
}

static void
step_query (MemStore *store, Job *job)
{
  const StoreQuery *query = job->query;
  guint64 next = query->from;
  guint taken = 0;
  gboolean more = FALSE;
  GTreeNode *node =
    next > G_MAXUINT32 ? NULL : mem_disk_first (store->disk, store_rid (query->collection, (guint32)next));
  for (; node && !more; node = g_tree_node_next (node)) {
    StoreFound found;
    fill (g_tree_node_value (node), &found);
    if (found.collection != query->collection)
      break;
    gboolean holds = !found.deleted && (!query->parent_hash || query->parent_hash == found.parent_hash) &&
                     mem_words_hold (query, found.body);
    if (query->stock)
      stock (&store->base, query->stock, hash_bytes (found.id, found.id_length, store->base.seed),
             &found.has_stock, &found.stock, NULL);
    more = holds && !judge (query, &found, &taken, job->data);
    next = found.ordinal + (more ? 0 : 1ull);
  }
  job->query_done (more, next, NULL, job->data);
}

static void
step_other (MemStore *store)
{
  g_autoptr (GError) error = NULL;
  Job *job = g_queue_pop_head (&store->others);
  if (job->map_rows) {
    step_map (store, job);
  } else if (job->query) {
    step_query (store, job);
  } else {
    if (may_write (store, &error))
      mem_disk_prune (store->disk, &job->prune);
    if (job->done)
      job->done (error, job->data);
  }
  job_free (job);
}

gboolean
mem_store_step (Store *base)
{
  MemStore *store = (MemStore *)base;
  if (store->durable.length)
    step_batch (store, &store->durable);
  else if (store->catalogue.length)
    step_batch (store, &store->catalogue);
  else if (store->others.length)
    step_other (store);
  else
    return FALSE;
  return TRUE;
}

static gboolean
list (Store *base, guint32 collection, guint64 from, guint limit, StoreEach each, gpointer data,
      GError **error)
{
  MemStore *store = (MemStore *)base;
  if (from > G_MAXUINT32)
    return TRUE;
  guint given = 0;
  for (GTreeNode *node = mem_disk_first (store->disk, store_rid (collection, (guint32)from));
       node && given < limit; node = g_tree_node_next (node)) {
    StoreFound found;
    fill (g_tree_node_value (node), &found);
    if (found.collection != collection)
      break;
    if (found.deleted)
      continue;
    given++;
    if (!each (&found, data))
      break;
  }
  return TRUE;
}

static gboolean
get (Store *base, guint32 collection, guint32 ordinal, gboolean *there, StoreEach each, gpointer data,
     GError **error)
{
  const MemRecord *record = mem_disk_record (((MemStore *)base)->disk, store_rid (collection, ordinal));
  *there = record != NULL;
  if (record) {
    StoreFound found;
    fill (record, &found);
    each (&found, data);
  }
  return TRUE;
}

static gboolean
changes (Store *base, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each, gpointer data,
         guint64 *reached, gboolean *more, GError **error)
{
  guint given = 0, looked = 0;
  gboolean go_on = TRUE;
  *reached = since;
  GTreeNode *node = mem_disk_first_change (((MemStore *)base)->disk, since);
  for (; node && go_on && given < limit && looked < looks; node = g_tree_node_next (node)) {
    StoreFound found;
    fill (g_tree_node_value (node), &found);
    looked++;
    *reached = found.seq;
    if (want && !want (found.collection, data))
      continue;
    given++;
    go_on = each (&found, data);
  }
  *more = node != NULL;
  return TRUE;
}

static gboolean
seq_known (Store *base, guint64 since, guint64 *latest)
{
  const MemDisk *disk = ((MemStore *)base)->disk;
  *latest = mem_disk_seq (disk);
  return since <= *latest && since >= mem_disk_pruned (disk);
}

static gboolean
rows (Store *base, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each, gpointer data,
      GError **error)
{
  mem_disk_rows (((MemStore *)base)->disk, history, filter, each, data);
  return TRUE;
}

static gboolean
states (Store *base, const char *prefix, StoreEachState each, gpointer data, GError **error)
{
  MemStore *store = (MemStore *)base;
  store->state_reads++;
  if (store->unreadable) {
    g_set_error_literal (error, STORE_ERROR, STORE_ERROR_CORRUPT, "the simulated disk cannot be read");
    return FALSE;
  }
  mem_disk_states (store->disk, prefix, each, data);
  return TRUE;
}

static void
status (Store *base, StoreStatus *status)
{
  MemStore *store = (MemStore *)base;
  *status = (StoreStatus){ .records = mem_disk_living (store->disk),
                           .seq = mem_disk_seq (store->disk),
                           .free_bytes = store->full ? 0 : G_MAXUINT32,
                           .full = store->failed };
}

void
mem_store_crash (Store *base)
{
  MemStore *store = (MemStore *)base;
  g_queue_clear_full (&store->durable, job_free);
  g_queue_clear_full (&store->catalogue, job_free);
  g_queue_clear_full (&store->others, job_free);
  g_free (store);
}

static void
close_store (Store *base)
{
  while (mem_store_step (base))
    ;
  mem_store_crash (base);
}

void
mem_store_set_full (Store *store, gboolean full)
{
  ((MemStore *)store)->full = full;
}

void
mem_store_set_unreadable (Store *store, gboolean unreadable)
{
  ((MemStore *)store)->unreadable = unreadable;
}

guint
mem_store_state_reads (const Store *store)
{
  return ((const MemStore *)store)->state_reads;
}

static const StoreClass mem_class = { .submit = submit,
                                      .list = list,
                                      .get = get,
                                      .changes = changes,
                                      .seq_known = seq_known,
                                      .rows = rows,
                                      .states = states,
                                      .load_map = load_map,
                                      .query = query,
                                      .stock = stock,
                                      .prune = prune,
                                      .status = status,
                                      .free = close_store };

Store *
mem_store_open (MemDisk *disk, gint64 (*now_ms) (gpointer clock), gpointer clock)
{
  MemStore *store = g_new0 (MemStore, 1);
  *store = (MemStore){
    .base = { &mem_class, mem_disk_seed (disk) }, .disk = disk, .now_ms = now_ms, .clock = clock
  };
  return &store->base;
}
