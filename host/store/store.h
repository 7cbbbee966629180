/* What is remembered: records, the numbers of their changes, where each stream stands, and history (passes,
 * rejects).
 *
 * A Store is a table of functions, so that SQLite, PostgreSQL and the simulator's store are the same to the
 * hub. Writes are gathered in a batch, handed over, and done later on a thread of the store's own; their end
 * is told on the loop, in the order of submission among batches of one durability. A batch commits whole or,
 * when it holds more rows than a slice, in slices in its order; whatever is crashed, the state rows of a
 * batch are never there without all records before them.
 *
 * A record belongs to a collection: what one connector holds of one kind. Collections and the places in them
 * (ordinals, dense from 0) are numbered by the hub; the store keeps both. rid = collection << 32 | ordinal.
 */
#pragma once
#include <glib.h>

typedef struct Store Store;
typedef struct StoreBatch StoreBatch;

#define STORE_ERROR (store_error_quark ())
GQuark store_error_quark (void);
typedef enum {
  STORE_ERROR_FAILED,
  STORE_ERROR_FULL,     /* no space: reads go on, writes fail until there is some */
  STORE_ERROR_NEWER,    /* the data was written by a newer version */
  STORE_ERROR_CORRUPT,  /* or not ours */
  STORE_ERROR_LOCKED,   /* another hub has it */
  STORE_ERROR_COLLISION /* two ids of one collection share a hash */
} StoreError;

/* ---- writing ---- */

typedef enum {
  STORE_INSERT,
  STORE_UPDATE,
  STORE_DELETE,
  STORE_TOUCH
} StoreOp; /* DELETE keeps the row as a tombstone, with its own seq. TOUCH gives the row, tombstone or not, a
              new seq, that it is told again, and a tombstone the time that new ones are kept; where there is
              none, nothing: collection and ordinal are all it says */

typedef struct {
  StoreOp op;
  guint32 collection, ordinal;
  guint64 hash, parent_hash;
  gint64 updated_ms; /* the record's own, 0: not said */
  gint64 asked_ms;   /* when the request began that brought it */
  const char *id, *body;
  guint32 id_length, body_length;
} StoreRecord;

typedef enum { STORE_PASSES, STORE_REJECTS, STORE_HISTORIES } StoreHistory;

/* A row of history: what lists are filtered by, and the JSON that is served. */
typedef struct {
  const char *id;        /* primary key; sorts by time */
  const char *connector; /* "downtown/pos" */
  const char *stream, *kind, *state, *reason;
  gint64 at_ms;
  const char *body;
  const void *extra; /* the hub's own, not served; may be NULL */
  gsize extra_size;
} StoreRow;

/* source goes into the feed: "pull" "fetch" "webhook" "api" "override" "operator" "host" (static text). */
StoreBatch *store_batch_new (Store *store, gboolean durable, const char *source);
/* Texts are borrowed until the batch is done: keep() what holds them. */
void store_batch_record (StoreBatch *batch, const StoreRecord *record);
void store_batch_keep (StoreBatch *batch, GBytes *bytes);
/* A named document: where a stream stands, a collection's number. json NULL deletes it. Copied. */
void store_batch_state (StoreBatch *batch, const char *key, const char *json);
/* Adds or replaces a row of history. Copied. */
void store_batch_row (StoreBatch *batch, StoreHistory history, const StoreRow *row);
/* Before it is submitted: each of its records, in order; what they hold may be replaced by what the batch is
 * made to keep. */
void store_batch_each (StoreBatch *batch, void (*each) (StoreRecord *record, gpointer data), gpointer data);
gsize store_batch_size (const StoreBatch *batch); /* records in it */
/* The lowest and the highest ordinal of its records in a collection; FALSE: it has none. */
gboolean store_batch_span (const StoreBatch *batch, guint32 collection, guint32 *first, guint32 *last);
void store_batch_free (StoreBatch *batch); /* of a batch that is not submitted */

typedef void (*StoreDone) (const GError *error, gpointer data);
/* Takes the batch. done comes on the loop, never inside this call. After an error nothing of the slice that
 * failed, nor of later ones, is stored. */
void store_submit (Store *store, StoreBatch *batch, StoreDone done, gpointer data);

/* ---- reading: at once, on the caller's thread, for what is short ---- */

typedef struct {
  guint32 collection, ordinal;
  guint64 seq, hash, parent_hash;
  gint64 updated_ms, asked_ms, at_ms; /* at: when it was stored */
  gboolean deleted;
  const char *source;
  const char *id, *body; /* valid inside the callback only; body NULL when deleted */
  gsize id_length, body_length;
  gboolean has_stock; /* of a query with `stock`: a level was found */
  double stock;       /* their sum, rounded to nine decimals */
} StoreFound;

/* FALSE ends the reading. */
typedef gboolean (*StoreEach) (const StoreFound *found, gpointer data);
typedef gboolean (*StoreWant) (guint32 collection, gpointer data);
typedef gboolean (*StoreEachRow) (const StoreRow *row, gpointer data);

/* Living records of a collection by ordinal, from `from` on, at most limit of them. */
gboolean store_list (Store *store, guint32 collection, guint64 from, guint limit, StoreEach each,
                     gpointer data, GError **error);
/* One record, living or not; *found tells whether there was a row. */
gboolean store_get (Store *store, guint32 collection, guint32 ordinal, gboolean *found, StoreEach each,
                    gpointer data, GError **error);
/* Changes after seq `since`, in order, of collections that want() takes: at most limit, having looked at most
 * at `looks` rows. *reached is the seq up to which everything was looked at; *more whether rows lie behind
 * it. */
gboolean store_changes (Store *store, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each,
                        gpointer data, guint64 *reached, gboolean *more, GError **error);
/* May a follower go on from `since`? FALSE: gone (deletions were pruned, or seq is not ours). *latest: the
 * newest seq. */
gboolean store_seq_known (Store *store, guint64 since, guint64 *latest);

typedef struct {
  const char *id;                                         /* that row alone */
  const char *connector, *stream, *kind, *state, *reason; /* each NULL: any */
  const char *store;                                      /* connectors of that store */
  gint64 since_ms;                                        /* 0: any */
  const char *before;                                     /* rows older than this id (newest first) */
  guint limit;
} StoreRowFilter;
gboolean store_rows (Store *store, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
                     gpointer data, GError **error);

/* All state documents whose key begins with prefix, in key order. */
typedef void (*StoreEachState) (const char *key, const char *json, gpointer data);
gboolean store_states (Store *store, const char *prefix, StoreEachState each, gpointer data, GError **error);

/* The seed of hash_bytes() for this store's ids and bodies; made when the store is. */
guint64 store_seed (Store *store);

/* ---- reading: long, on the store's reader thread; the end is told on the loop ---- */

/* What the hub's map is made of: every row of the collection, tombstones too, without bodies. */
typedef struct {
  guint32 ordinal;
  gboolean deleted;
  guint64 id_hash, hash, parent_hash;
  gint64 updated_ms, asked_ms;
} StoreMapRow;
/* Rows come in pieces, so that neither memory nor the loop has to take a million at once; then the end, once.
 */
typedef void (*StoreMapRows) (const StoreMapRow *rows, gsize count, gpointer data);
void store_load_map (Store *store, guint32 collection, StoreMapRows rows, StoreDone done, gpointer data);

/* A page of living records, read and judged on the reader's thread, in turns of some milliseconds, so that a
 * long search keeps neither the loop nor other readers waiting. What it holds no lock on may change
 * meanwhile: each record is shown as it is when it is read. */
typedef enum {
  STORE_SKIP,
  STORE_TAKE, /* counts against the limit */
  STORE_END   /* the page is full: this record is the next one's first */
} StoreVerdict;

typedef struct {
  const char *field, *text; /* a field that the model says is found by its exact text, and that text */
} StoreTerm;

typedef struct {
  guint32 collection;
  guint64 from; /* ordinal of the first */
  guint limit;
  guint64 parent_hash; /* only records of this parent, by the index; 0: any. Not with words or terms */
  /* Each must begin a word of the fields that the model says are searched, without regard to case and
   * accents. NULL or blanks: any. Without a letter or digit it finds nothing; behind the 32nd word it is not
   * looked at. Never a syntax. */
  const char *words;
  const StoreTerm *terms; /* all must be so, letter by letter */
  guint term_count;
  guint32 stock; /* collection of inventory levels that are summed for each record by parent; 0: none */
  /* Likewise, before the levels are summed: FALSE: judge will not take it whatever they are. NULL: it may. */
  gboolean (*worth) (const StoreFound *found, gpointer data);
  /* On the reader's thread: it may touch data and nothing that the loop touches. */
  StoreVerdict (*judge) (const StoreFound *found, gpointer data);
} StoreQuery;

/* On the loop. more: go on at ordinal next. Pages may be short of the limit, and even empty with more: how
 * long one query may look is bounded. */
typedef void (*StoreQueryDone) (gboolean more, guint64 next, const GError *error, gpointer data);
/* The query and its texts are copied; data belongs to the reader until done. */
void store_query (Store *store, const StoreQuery *query, StoreQueryDone done, gpointer data);

/* At once: the sum of one record's levels; *any: there is one. */
gboolean store_stock (Store *store, guint32 collection, guint64 parent_hash, gboolean *any, double *sum,
                      GError **error);

/* Tells on the loop, after each commit of records (of each slice of a large batch), and when that was on the
 * monotonic clock. One watcher; NULL: none. */
typedef void (*StoreMoved) (gint64 committed_us, gpointer data);
void store_watch (Store *store, StoreMoved moved, gpointer data);

/* Deletes tombstones and history older than these moments (0: keep), gives space back to the file system. */
typedef struct {
  gint64 changes_ms, passes_ms, rejects_ms;
} StorePrune;
void store_prune (Store *store, const StorePrune *before, StoreDone done, gpointer data);

typedef struct {
  guint64 file_bytes, wal_bytes, free_bytes; /* free: on the file system */
  guint64 records, seq;
  gboolean full; /* the last write failed for want of space */
} StoreStatus;
void store_status (Store *store, StoreStatus *status);

/* Waits for all that was submitted and tells it, inside this call; marks a clean end, closes. */
void store_free (Store *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, store_free)
