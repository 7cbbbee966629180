/* A store in memory, whose every write is a step that the caller takes: for the simulator and for tests of
 * the hub.
 *
 * The disk outlives the store, as a file outlives the process. */
#pragma once
#include "store/store.h"

typedef struct MemDisk MemDisk;

MemDisk *mem_disk_new (guint64 seed);
void mem_disk_free (MemDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MemDisk, mem_disk_free)

/* Opens it, one store at a time. store_free() takes all steps and leaves the disk. */
Store *mem_store_open (MemDisk *disk, gint64 (*now_ms) (gpointer clock), gpointer clock);

/* Commits the next slice (durable batches first), or else loads the next map, looks for the next query or
 * prunes; what ended is told inside. FALSE: nothing waits. */
gboolean mem_store_step (Store *store);

/* As kill -9 between two steps: what is committed stays on the disk, the rest is gone and never told. Frees
 * the store. */
void mem_store_crash (Store *store);

/* While full, every write fails with STORE_ERROR_FULL. */
void mem_store_set_full (Store *store, gboolean full);

/* While unreadable, the documents of states cannot be read. */
void mem_store_set_unreadable (Store *store, gboolean unreadable);

/* How often states were looked through. */
guint mem_store_state_reads (const Store *store);
