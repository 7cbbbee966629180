/* What tests of stores stand on: either store behind the same few calls. */
#pragma once
#include "base/loop.h"
#include "mem-store.h"
#include "store/store.h"

typedef enum { BED_SQLITE, BED_MEMORY } BedKind;

typedef struct {
  BedKind kind;
  Store *store;
  Loop *loop;
  MemDisk *disk;
  char *folder, *path;
  const char *boot;
  guint pending;
  GError *error; /* the last one told */
} Bed;

enum { BED_START_MS = 1000000 };

Bed *bed_new (BedKind kind);
Bed *bed_new_at (const char *path); /* SQLite, on a file that stays */
void bed_free (Bed *bed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bed, bed_free)
void bed_close (Bed *bed);
void bed_open (Bed *bed); /* again, with what is on the disk */
void bed_clock (gint64 now_ms);

/* Texts must live until the batch is done. */
void bed_put (StoreBatch *batch, StoreOp op, guint32 collection, guint32 ordinal, const char *id,
              const char *body);
/* So many records with ids and bodies of their own, of which the batch takes care. */
void bed_put_many (StoreBatch *batch, StoreOp op, guint32 collection, guint32 first, guint32 count,
                   gsize body_bytes);
void bed_submit (Bed *bed, StoreBatch *batch);
/* Submits and waits; the error stays in bed->error. */
gboolean bed_commit (Bed *bed, StoreBatch *batch);
/* Waits until all that was submitted was told. */
void bed_settle (Bed *bed);
void bed_step (Bed *bed);
gboolean bed_prune (Bed *bed, gint64 changes_ms, gint64 passes_ms, gint64 rejects_ms);

/* "id=body" of each, "-id" for a tombstone, blanks between. */
char *bed_list (Bed *bed, guint32 collection, guint64 from, guint limit);
char *bed_changes (Bed *bed, guint64 since, guint limit, guint looks, StoreWant want, guint64 *reached,
                   gboolean *more);
char *bed_state (Bed *bed, const char *key); /* its JSON, or NULL */
guint64 bed_latest (Bed *bed);

/* A test of what every store must do: `static void test (BedKind kind)`, run on each. */
#define ON_BOTH(test)                                                                                        \
  static void test##_sqlite (void)                                                                           \
  {                                                                                                          \
    test (BED_SQLITE);                                                                                       \
  }                                                                                                          \
  static void test##_memory (void)                                                                           \
  {                                                                                                          \
    test (BED_MEMORY);                                                                                       \
  }

#define BOTH(text, test)                                                                                     \
  { "sqlite: " text, test##_sqlite },                                                                        \
  {                                                                                                          \
    "memory: " text, test##_memory                                                                           \
  }
