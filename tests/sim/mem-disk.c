#include "mem-disk.h"

#include <string.h>

struct MemDisk {
  guint64 seed, seq, pruned, dead;
  GTree *records;                    /* &rid -> MemRecord, owned */
  GTree *changes;                    /* &seq -> MemRecord */
  GTree *states;                     /* key -> json */
  GTree *histories[STORE_HISTORIES]; /* id -> StoreBatch, whose only row it is */
};

static gint
compare_rids (gconstpointer a, gconstpointer b, gpointer unused)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;
  return (x > y) - (x < y);
}

static gint
compare_texts (gconstpointer a, gconstpointer b, gpointer unused)
{
  return strcmp (a, b);
}

static void
record_free (gpointer data)
{
  MemRecord *record = data;
  g_free (record->id);
  g_free (record->body);
  g_free (record);
}

MemDisk *
mem_disk_new (guint64 seed)
{
  MemDisk *disk = g_new0 (MemDisk, 1);
  disk->seed = seed;
  disk->records = g_tree_new_full (compare_rids, NULL, NULL, record_free);
  disk->changes = g_tree_new_full (compare_rids, NULL, NULL, NULL); /* as signed: numbers end below 2^63 */
  disk->states = g_tree_new_full (compare_texts, NULL, g_free, g_free);
  for (int i = 0; i < STORE_HISTORIES; i++)
    disk->histories[i] = g_tree_new_full (compare_texts, NULL, NULL, (GDestroyNotify)store_batch_free);
  return disk;
}

void
mem_disk_free (MemDisk *disk)
{
  if (!disk)
    return;
  g_tree_unref (disk->changes);
  g_tree_unref (disk->records);
  g_tree_unref (disk->states);
  for (int i = 0; i < STORE_HISTORIES; i++)
    g_tree_unref (disk->histories[i]);
  g_free (disk);
}

guint64
mem_disk_seed (const MemDisk *disk)
{
  return disk->seed;
}

guint64
mem_disk_seq (const MemDisk *disk)
{
  return disk->seq;
}

guint64
mem_disk_pruned (const MemDisk *disk)
{
  return disk->pruned;
}

guint64
mem_disk_living (const MemDisk *disk)
{
  return (guint64)g_tree_nnodes (disk->records) - disk->dead;
}

const MemRecord *
mem_disk_record (MemDisk *disk, gint64 rid)
{
  return g_tree_lookup (disk->records, &rid);
}

GTreeNode *
mem_disk_first (MemDisk *disk, gint64 rid)
{
  return g_tree_lower_bound (disk->records, &rid);
}

GTreeNode *
mem_disk_first_change (MemDisk *disk, guint64 since)
{
  return g_tree_upper_bound (disk->changes, &since);
}

gboolean
mem_disk_check (MemDisk *disk, const StoreRecord *record, GError **error)
{
  const MemRecord *there = mem_disk_record (disk, store_rid (record->collection, record->ordinal));
  if (!there || record->op == STORE_TOUCH ||
      (strlen (there->id) == record->id_length && memcmp (there->id, record->id, record->id_length) == 0))
    return TRUE;
  g_set_error (error, STORE_ERROR, STORE_ERROR_COLLISION, "record \"%.*s\" has the place of \"%s\"",
               (int)record->id_length, record->id, there->id);
  return FALSE;
}

static void
touch (MemDisk *disk, MemRecord *record, int source, gint64 at_ms)
{
  if (!record)
    return;
  g_tree_remove (disk->changes, &record->seq);
  record->seq = ++disk->seq;
  record->source = source;
  if (!record->body)
    record->at_ms = at_ms;
  g_tree_insert (disk->changes, &record->seq, record);
}

void
mem_disk_put (MemDisk *disk, const StoreRecord *record, int source, gint64 at_ms)
{
  gint64 rid = store_rid (record->collection, record->ordinal);
  MemRecord *own = g_tree_lookup (disk->records, &rid);
  if (record->op == STORE_TOUCH) {
    touch (disk, own, source, at_ms);
    return;
  }
  if (own) {
    g_tree_remove (disk->changes, &own->seq);
    disk->dead -= own->body ? 0 : 1;
    g_free (own->body);
  } else {
    own = g_new0 (MemRecord, 1);
    own->rid = rid;
    own->id = g_strndup (record->id, record->id_length);
    g_tree_insert (disk->records, &own->rid, own);
  }
  own->seq = ++disk->seq;
  own->hash = record->hash;
  own->parent_hash = record->parent_hash;
  own->updated_ms = record->updated_ms;
  own->asked_ms = record->asked_ms;
  own->at_ms = at_ms;
  own->source = source;
  own->body = record->op == STORE_DELETE ? NULL : g_strndup (record->body, record->body_length);
  disk->dead += own->body ? 0 : 1;
  g_tree_insert (disk->changes, &own->seq, own);
}

void
mem_disk_put_state (MemDisk *disk, const StoreState *state)
{
  if (state->json)
    g_tree_replace (disk->states, g_strdup (state->key), g_strdup (state->json));
  else
    g_tree_remove (disk->states, state->key);
}

/* A batch of one row is the shortest way to own all its texts. */
void
mem_disk_put_row (MemDisk *disk, const StoreBatchRow *row)
{
  StoreBatch *own = store_batch_new (NULL, FALSE, "");
  store_batch_row (own, row->history, &row->row);
  const StoreRow *copy = &g_array_index (own->rows, StoreBatchRow, 0).row;
  g_tree_replace (disk->histories[row->history], (gpointer)copy->id, own);
}

static const StoreRow *
row_of (GTreeNode *node)
{
  return &g_array_index (((StoreBatch *)g_tree_node_value (node))->rows, StoreBatchRow, 0).row;
}

static void
prune_tombstones (MemDisk *disk, gint64 before_ms)
{
  GTreeNode *next;
  for (GTreeNode *node = g_tree_node_first (disk->records); node; node = next) {
    const MemRecord *record = g_tree_node_value (node);
    gint64 rid = record->rid;
    next = g_tree_node_next (node);
    if (record->body || record->at_ms >= before_ms)
      continue;
    disk->pruned = MAX (disk->pruned, record->seq);
    disk->dead--;
    g_tree_remove (disk->changes, &record->seq);
    g_tree_remove (disk->records, &rid);
    next = mem_disk_first (disk, rid);
  }
}

static void
prune_history (GTree *history, gint64 before_ms)
{
  GTreeNode *node = g_tree_node_first (history);
  while (node) {
    g_autofree char *id = g_strdup (row_of (node)->id);
    if (row_of (node)->at_ms < before_ms)
      g_tree_remove (history, id);
    node = g_tree_upper_bound (history, id);
  }
}

void
mem_disk_prune (MemDisk *disk, const StorePrune *before)
{
  prune_tombstones (disk, before->changes_ms);
  prune_history (disk->histories[STORE_PASSES], before->passes_ms);
  prune_history (disk->histories[STORE_REJECTS], before->rejects_ms);
}

static gboolean
equal (const char *wanted, const char *value)
{
  return !wanted || g_strcmp0 (wanted, value) == 0;
}

static gboolean
of_store (const char *store, const char *connector)
{
  gsize length = store ? strlen (store) : 0;
  return !store || (connector && strncmp (connector, store, length) == 0 && connector[length] == '/');
}

static gboolean
matches (const StoreRowFilter *filter, const StoreRow *row)
{
  return equal (filter->id, row->id) && equal (filter->connector, row->connector) &&
         equal (filter->stream, row->stream) && equal (filter->kind, row->kind) &&
         equal (filter->state, row->state) && equal (filter->reason, row->reason) &&
         of_store (filter->store, row->connector) && (!filter->since_ms || row->at_ms >= filter->since_ms) &&
         (!filter->before || strcmp (row->id, filter->before) < 0);
}

void
mem_disk_rows (MemDisk *disk, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
               gpointer data)
{
  guint given = 0;
  for (GTreeNode *node = g_tree_node_last (disk->histories[history]); node && given < filter->limit;
       node = g_tree_node_previous (node)) {
    if (!matches (filter, row_of (node)))
      continue;
    given++;
    if (!each (row_of (node), data))
      return;
  }
}

void
mem_disk_states (MemDisk *disk, const char *prefix, StoreEachState each, gpointer data)
{
  for (GTreeNode *node = g_tree_lower_bound (disk->states, prefix); node; node = g_tree_node_next (node)) {
    if (!g_str_has_prefix (g_tree_node_key (node), prefix))
      return;
    each (g_tree_node_key (node), g_tree_node_value (node), data);
  }
}
