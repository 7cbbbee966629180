/* The store on SQLite: one file (WAL), a writer thread, a checkpointer, a reader thread, and a connection for
 * the loop's own short reads. */
#pragma once
#include "base/loop.h"
#include "base/metrics.h"
#include "store/store.h"

/* path: the file, made when missing (mode 0600). metrics may be NULL. now_ms: the wall clock, called from the
 * writer's thread. */
Store *sqlite_store_open (const char *path, Loop *loop, gint64 (*now_ms) (void), Metrics *metrics,
                          GError **error);

/* The same with the name of the machine's current boot given: an unclean end on another boot may have lost
 * changes. "": not known, taken for another one. */
Store *sqlite_store_open_on_boot (const char *path, const char *boot, Loop *loop, gint64 (*now_ms) (void),
                                  Metrics *metrics, GError **error);
