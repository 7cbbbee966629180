/* The inside of the SQLite store, for its own files.
 *
 *   loop --to_writer--> writer ----+
 *     |  --to_reader--> reader ----+--ends--> loop
 *     +-- its own short reads      |
 *      writer --to_checkpointer--> checkpointer --checkpointed--> writer
 *
 * Threads share nothing but these queues and the few numbers marked _Atomic; each has a connection of its
 * own. */
#pragma once
#include <sqlite3.h>

#include "base/loop.h"
#include "base/metrics.h"
#include "model/served.h"
#include "store/sqlite.h"
#include "store/sqlite-search.h"
#include "store/store-class.h"

enum {
  SLICE_ROWS_LEAST = 250,             /* rows of a transaction while durable work waits */
  SLICE_ROWS_MOST = 1000,             /* and while none does */
  SLICE_BYTES_MOST = 4 * 1024 * 1024, /* of bodies; a slice ends behind the record that passes it */
  SEQ_BLOCK = 1 << 20,                /* numbers of changes that are reserved at once */
  CHECKPOINT_PAGES = 1000,            /* of WAL, from which on the checkpointer works */
  CHECKPOINT_EVERY_MS = 20,
  RESTART_BYTES =
    48 * 1000 * 1000,      /* of WAL, at which the writer waits for it to start anew; ends below 64 MiB */
  BUSY_WAIT_MS = 5000,     /* for readers to let go of the log, or an operator's sqlite3 of the file */
  MAP_ROWS_A_TURN = 10000, /* a long read lets go of the log between turns */
  QUERY_TURN_US = 10 * 1000,
  QUERY_FILL_US_MOST = 10 * 1000 * 1000, /* that it may spend on the search index */
  QUERY_US_MOST = 250 * 1000,            /* that one query may read, in all its turns */
  PRUNE_ROWS = 500,                      /* a transaction */
  PRUNE_PAGES = 256
};

typedef enum {
  JOB_BATCH,
  JOB_PRUNE,
  JOB_MAP,
  JOB_MAP_ROWS,
  JOB_QUERY,
  JOB_COMMITTED,
  JOB_WAKE,
  JOB_CHECKPOINT,
  JOB_STOP
} JobType;
typedef enum {
  PRUNE_TOMBSTONES,
  PRUNE_PASSES,
  PRUNE_REJECTS,
  PRUNE_COMPACT,
  PRUNE_VACUUM,
  PRUNE_CHECKPOINT,
  PRUNE_END
} PruneStep;

/* How records are found that have these words and texts. */
typedef struct {
  char *expression;    /* NULL: not made yet */
  guint64 target, seq; /* the change that the index must have seen; and had seen when the hits were found */
  gint64 rids[SEARCH_HITS];
  guint at, count;
  gboolean all, remade; /* all: there are no hits behind these. remade: the index, for this query */
} Found;

typedef struct {
  StoreQuery *asked;
  StoreQueryDone done;
  guint64 next;  /* ordinal of the first that was not looked at */
  gboolean more; /* FALSE: there is none behind */
  guint taken;
  gint64 read_us, fill_us;
  Found *found; /* NULL: every record is looked at */
} Query;

/* What is asked of a thread, and comes back on `ends`. */
typedef struct {
  JobType type;
  GError *error;
  StoreDone done;
  StoreMapRows map_rows;
  gpointer data;
  StoreBatch *batch; /* JOB_BATCH */
  gsize at;          /* how many of its records are committed */
  StorePrune prune;  /* JOB_PRUNE */
  PruneStep step;
  gint64 compacted;   /* the rid up to which it is */
  guint32 collection; /* JOB_MAP */
  gint64 last;        /* the rid up to which it was read */
  guint64 after[2];   /* waits until so many batches of each durability were told */
  GArray *rows;       /* JOB_MAP_ROWS: a piece of a map */
  Query *query;       /* JOB_QUERY */
  int mode;           /* JOB_CHECKPOINT */
  gboolean durable;   /* JOB_COMMITTED */
  gboolean moved;     /* with records */
  gint64 committed_us;
  double seconds;
} Job;

/* The same numbering of parameters in both: see bind_record(). */
typedef enum {
  WRITE_BEGIN,
  WRITE_COMMIT,
  WRITE_ROLLBACK,
  WRITE_INSERT,
  WRITE_UPDATE,
  WRITE_TOUCH,
  WRITE_UPDATE_PARENT,
  WRITE_ID,
  WRITE_STATE,
  WRITE_STATE_DELETE,
  WRITE_PASS,
  WRITE_REJECT,
  WRITE_META,
  WRITE_STATEMENTS
} WriteStatement;

typedef enum {
  READ_LIST,
  READ_GET,
  READ_CHANGES,
  READ_LATEST,
  READ_STATES,
  READ_DEAD,
  READ_STOCK,
  READ_STATEMENTS
} ReadStatement;

typedef enum {
  LONG_MAP,
  LONG_SCAN,
  LONG_CHILDREN,
  LONG_STOCK,
  LONG_RECORD,
  LONG_BODY,
  LONG_BODIES,
  LONG_FEED,
  LONG_NEWEST,
  LONG_STATEMENTS
} LongStatement;

/* Of the writer's thread alone. */
typedef struct {
  sqlite3 *db;
  sqlite3_stmt *statements[WRITE_STATEMENTS];
  GQueue durable, catalogue, prunes; /* Job */
  gboolean full_sync, stop;
  guint64 seq, reserved;                            /* the last one given; given at most up to */
  gint64 at_ms;                                     /* of the transaction that is open */
  guint64 slice_seq, slice_reserved, slice_inserts; /* as it will be if that commits */
} Writer;

/* Of the reader's thread alone. */
typedef struct {
  sqlite3 *db;
  sqlite3_stmt *statements[LONG_STATEMENTS];
  ModelServed served;
  GQueue fresh, begun; /* Job: those that had no turn yet, and the others in turns */
  gboolean stop;
} Reader;

struct SqliteStore {
  Store base;
  char *path, *wal_path;
  int lock, wake; /* wake: an eventfd that the loop watches */
  gint64 (*now_ms) (void);
  GAsyncQueue *to_writer, *to_reader, *to_checkpointer, *checkpointed, *ends; /* Job */
  GThread *writer_thread, *reader_thread, *checkpointer_thread;
  Writer writer;
  Reader reader;
  Search search;
  sqlite3 *checkpoints; /* of that thread */

  _Atomic gint durable_waiting; /* durable batches that the writer has not committed */
  _Atomic gint wal_pages;
  _Atomic gboolean checkpointing; /* the checkpointer is awake */
  _Atomic gboolean distrust;      /* an fsync failed: what it should have saved is written again first */
  _Atomic gboolean full, stopping;
  _Atomic gboolean woken; /* the loop knows that there is something on `ends` */
  _Atomic guint64 rows;   /* of records, tombstones too */
  _Atomic guint64 floor;  /* seq was at least this, even if no row has it any more */
  _Atomic guint64 pruned; /* the highest seq of a tombstone that was pruned */

  /* Of the loop. */
  Loop *loop;
  LoopWatch *ends_watch;
  LoopTimer *turn_timer; /* at the end of this turn */
  Metric *commit_seconds[2];
  sqlite3 *reads;
  sqlite3_stmt *read_statements[READ_STATEMENTS];
  ModelServed served;
  GArray *lost;                  /* LostRange; fixed once open, and read by the reader too */
  guint64 known;                 /* the highest seq that there was on opening; likewise */
  GPtrArray *turn;               /* Job: what was submitted in this turn */
  guint64 submitted[2], told[2]; /* batches, by durability */
  guint outstanding;
  GQueue maps; /* Job: wait for what was submitted before them */
};

typedef struct {
  guint64 first, last;
} LostRange;

/* sqlite-writer.c */
gpointer writer_run (gpointer store);
gboolean writer_prepare (SqliteStore *store, GError **error);
gboolean writer_begin (SqliteStore *store, gboolean durable, gsize most, GError **error);
gboolean writer_commit (SqliteStore *store, gboolean durable, GError **error);
void writer_rollback (SqliteStore *store);
gboolean writer_meta (SqliteStore *store, const char *name, gint64 value, GError **error);
gboolean writer_meta_text (SqliteStore *store, const char *name, const char *value, GError **error);
void job_free (Job *job);

/* sqlite-slice.c: writes as much as belongs into one transaction. */
typedef struct {
  gsize rows, bytes;
  guint whole; /* jobs from the queue's head on that are in it to their end */
  gsize part;  /* records of the next one */
  Job *failed; /* the one at fault, if it is its own */
} Slice;
gboolean slice_fill (SqliteStore *store, GQueue *queue, gboolean durable, Slice *slice, GError **error);

/* sqlite-checkpoint.c */
gpointer checkpointer_run (gpointer store);
int checkpoint_note (gpointer store, sqlite3 *db, const char *name, int pages); /* a WAL hook */
void checkpoint_if_long (SqliteStore *store);
gboolean checkpoint_truncate (SqliteStore *store, GError **error);

/* sqlite-prune.c: one transaction's worth; TRUE when there is no more to do (job->error may be set). */
gboolean prune_step (SqliteStore *store, Job *job);

/* sqlite-compact.c: one window of it, behind *after. */
#define COMPACT_START (-1)
gboolean compact_step (SqliteStore *store, gint64 *after, gboolean *more, GError **error);

/* sqlite-reader.c */
gpointer reader_run (gpointer store);
gboolean reader_prepare (SqliteStore *store, GError **error);
/* The highest seq that a search must know of. */
gboolean reader_newest (SqliteStore *store, guint64 *seq, GError **error);

/* sqlite-query.c: one turn of it; TRUE when it has ended (job->error may be set). */
gboolean query_turn (SqliteStore *store, Job *job);
void query_free (Query *query);

/* sqlite-stock.c: parameters are the parent's hash, and the first and last rid. The first condition alone
 * does not tell SQLite that the partial index serves. */
#define STOCK_SQL                                                                                            \
  "SELECT body FROM record WHERE parent_hash = ?1 AND parent_hash <> 0 AND rid >= ?2 AND rid <= ?3"          \
  " AND body IS NOT NULL"
#define STOCK_NANO 1e9
gboolean stock_sum (sqlite3_stmt *statement, ModelServed *served, guint32 collection, guint64 parent_hash,
                    gboolean *any, double *sum, GError **error);

/* sqlite-read.c */
#define FOUND_COLUMNS "rid, seq, hash, parent_hash, updated_ms, asked_ms, at_ms, source, id, body"
void read_found (sqlite3_stmt *statement, StoreFound *found); /* from a row of those columns */
gboolean read_prepare (SqliteStore *store, GError **error);
gboolean read_list (Store *store, guint32 collection, guint64 from, guint limit, StoreEach each,
                    gpointer data, GError **error);
gboolean read_get (Store *store, guint32 collection, guint32 ordinal, gboolean *found, StoreEach each,
                   gpointer data, GError **error);
gboolean read_changes (Store *store, guint64 since, guint limit, guint looks, StoreWant want, StoreEach each,
                       gpointer data, guint64 *reached, gboolean *more, GError **error);
gboolean read_seq_known (Store *store, guint64 since, guint64 *latest);
gboolean read_stock (Store *store, guint32 collection, guint64 parent_hash, gboolean *any, double *sum,
                     GError **error);
gboolean read_rows (Store *store, StoreHistory history, const StoreRowFilter *filter, StoreEachRow each,
                    gpointer data, GError **error);
gboolean read_states (Store *store, const char *prefix, StoreEachState each, gpointer data, GError **error);
guint64 read_latest (SqliteStore *store);
guint64 read_dead (SqliteStore *store);

/* sqlite.c */
extern const StoreClass sqlite_class;
void sqlite_tell_ends (int fd, guint32 events, gpointer store);
void sqlite_end_of_turn (gpointer store);
void job_end (SqliteStore *store, Job *job); /* sends it back to the loop */

/* sqlite-open.c */
gboolean sqlite_make_private (const char *path, GError **error); /* makes a file with mode 0600 */
void sqlite_mark_clean (SqliteStore *store);
void sqlite_release (SqliteStore *store);
gboolean sqlite_prepare (sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, guint count,
                         GError **error);
