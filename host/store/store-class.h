/* What a store is made of inside: included by store.c and by those that are stores (sqlite*.c, the
 * simulator's), by nobody who uses one. */
#pragma once
#include "store/store.h"

typedef struct {
  char *key, *json; /* json NULL: delete */
} StoreState;

typedef struct {
  StoreHistory history;
  StoreRow row; /* texts and extra are the batch's own */
} StoreBatchRow;

struct StoreBatch {
  Store *store;
  gboolean durable;
  int source;      /* store_source_number() */
  GArray *records; /* StoreRecord */
  GArray *states;  /* StoreState */
  GArray *rows;    /* StoreBatchRow */
  GPtrArray *kept; /* GBytes */
};

typedef struct {
  void (*submit) (Store *store, StoreBatch *batch, StoreDone done, gpointer data);
  gboolean (*list) (Store *store, guint32 collection, guint64 from, guint limit, StoreEach each,
                    gpointer data, GError **error);
  gboolean (*get) (Store *store, guint32 collection, guint32 ordinal, gboolean *found, StoreEach each,
                   gpointer data, GError **error);
  gboolean (*changes) (Store *store, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each,
                       gpointer data, guint64 *reached, gboolean *more, GError **error);
  gboolean (*seq_known) (Store *store, guint64 since, guint64 *latest);
  gboolean (*rows) (Store *store, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
                    gpointer data, GError **error);
  gboolean (*states) (Store *store, const char *prefix, StoreEachState each, gpointer data, GError **error);
  void (*load_map) (Store *store, guint32 collection, StoreMapRows rows, StoreDone done, gpointer data);
  void (*query) (Store *store, const StoreQuery *query, StoreQueryDone done, gpointer data);
  gboolean (*stock) (Store *store, guint32 collection, guint64 parent_hash, gboolean *any, double *sum,
                     GError **error);
  void (*prune) (Store *store, const StorePrune *before, StoreDone done, gpointer data);
  void (*status) (Store *store, StoreStatus *status);
  void (*free) (Store *store);
} StoreClass;

/* First member of every store. */
struct Store {
  const StoreClass *class;
  guint64 seed;
  StoreMoved moved; /* store_watch() */
  gpointer moved_data;
};

/* Records were committed. On the loop. */
void store_tell_moved (Store *store, gint64 committed_us);

/* rid = collection << 32 | ordinal; signed in SQL, so that collections end at 2^31. */
enum { STORE_ORDINAL_BITS = 32 };
#define STORE_COLLECTIONS_MOST (G_GUINT64_CONSTANT (1) << 31)

static inline gint64
store_rid (guint32 collection, guint32 ordinal)
{
  g_assert (collection < STORE_COLLECTIONS_MOST);
  return (gint64)((guint64)collection << STORE_ORDINAL_BITS | ordinal);
}

static inline guint32
store_rid_collection (gint64 rid)
{
  return (guint32)((guint64)rid >> STORE_ORDINAL_BITS);
}

static inline guint32
store_rid_ordinal (gint64 rid)
{
  return (guint32)rid;
}

/* With texts of its own. */
StoreQuery *store_query_copy (const StoreQuery *query);
void store_query_free (StoreQuery *query);

/* The sources of changes as small numbers, and back ("" for a number that this version does not know). */
int store_source_number (const char *source);
const char *store_source_text (int number);
