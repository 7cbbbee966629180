/* What the store in memory keeps: the same tables as the SQLite store, as trees. */
#pragma once
#include "mem-store.h"
#include "store/store-class.h"

typedef struct {
  gint64 rid;
  guint64 seq, hash, parent_hash;
  gint64 updated_ms, asked_ms, at_ms;
  int source;
  char *id, *body; /* body NULL: a tombstone */
} MemRecord;

guint64 mem_disk_seed (const MemDisk *disk);
guint64 mem_disk_seq (const MemDisk *disk);
guint64 mem_disk_pruned (const MemDisk *disk);
guint64 mem_disk_living (const MemDisk *disk);

/* May this record have its place? */
gboolean mem_disk_check (MemDisk *disk, const StoreRecord *record, GError **error);
void mem_disk_put (MemDisk *disk, const StoreRecord *record, int source, gint64 at_ms);
void mem_disk_put_state (MemDisk *disk, const StoreState *state);
void mem_disk_put_row (MemDisk *disk, const StoreBatchRow *row);
void mem_disk_prune (MemDisk *disk, const StorePrune *before);

const MemRecord *mem_disk_record (MemDisk *disk, gint64 rid);
GTreeNode *mem_disk_first (MemDisk *disk, gint64 rid);           /* MemRecord at or behind rid */
GTreeNode *mem_disk_first_change (MemDisk *disk, guint64 since); /* MemRecord with a higher seq */
void mem_disk_rows (MemDisk *disk, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
                    gpointer data);
void mem_disk_states (MemDisk *disk, const char *prefix, StoreEachState each, gpointer data);
