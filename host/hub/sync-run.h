/* One pass while it runs.
 *
 *   begin -> maps are loaded -> call for a page -> records: known, new, changed -> a batch -> RESULT
 *                                     ^                                                |
 *                                     +------ more: batch with the new cursor ---------+
 *                                                       done: what is missing -> last batch -> end
 *
 * One batch of a pass is written at a time, while the next page arrives: so the cursor in the store never
 * stands past a record that is not. When a write fails, the run goes back to what is stored: maps are
 * dropped, the page is asked for again. */
#pragma once
#include "base/timefmt.h"
#include "hub/hub-private.h"

enum {
  RUN_BATCH_RECORDS = 1000, /* records in a batch before it is written without waiting for the page's end */
  RUN_DRY_SHOWN = 20,
  RUN_REJECT_ROWS_MOST = 10000, /* kept of one pass; the rest is counted */
};

/* What became of a record that the plugin gave. */
typedef enum {
  SEEN_STORED,
  SEEN_UNCHANGED,
  SEEN_REJECTED,
  SEEN_OLDER, /* these three are "filtered" */
  SEEN_DUPLICATE,
  SEEN_PLUGIN, /* an item that gave no record */
  SEEN_RESULTS
} Seen;

typedef enum { PAGE_NONE, PAGE_MORE, PAGE_DONE } PageEnd;

/* What the stream's numbers are when the last batch is stored. */
typedef struct {
  gint64 watermark_ms, as_of_ms, full_ms;
  guint64 records;
  gboolean held;
} StreamAfter;

struct SyncRun {
  Hub *hub;
  HubStream *stream;
  HubCollection *collections[MODEL_KINDS]; /* of the stream's kinds */
  guint loading;
  HubCall *call;                   /* the page that is being pulled */
  gboolean wants_page, wants_maps; /* waits: for the worker or for a time */
  GError *load_error;
  gboolean unskipped;           /* the whole pass is without skipping */
  gint64 later_ms;              /* mono: the vendor prepares until then, 0 */
  json_object *place, *placing; /* the pass as it is stored, NULL: not yet; as it is being written */
  gboolean fresh,
    mismatch; /* the page is asked for without skipping; what the worker skipped is not what we hold */
  guint32 mark[MODEL_KINDS], page_mark[MODEL_KINDS],
    pass_mark[MODEL_KINDS];              /* this try, this page's first try, this pass's first */
  guint page[MODEL_KINDS][SEEN_RESULTS]; /* of this try */
  guint64 alive_before;
  guint reject_rows, nameless; /* nameless: rejected, and nobody knows which record it was */
  guint tries, waits;          /* of this page: that failed; that were told to wait */

  StoreBatch *batch;   /* gathers; NULL: nothing yet */
  guint generation;    /* of the worker that the bytes below came from */
  guint batch_rejects; /* rows of rejects in batch */
  gsize batch_bytes;   /* of frames that batch holds: credit to be given */
  gboolean storing;    /* one is being written */
  guint storing_kinds; /* bits of those that it changes */
  gsize storing_bytes;
  PageEnd page_end; /* a page has ended, and waits for storing to end */
  gboolean probing; /* a write failed: one small one goes first */
  GError *doubt;    /* sync_doubt(), while storing */
  gint64 until_ms;  /* the plugin's own watermark, 0: the pass's start */
  gboolean dirty;   /* records were stored since the place was */
  gboolean last;    /* the batch that is written ends the pass */
  StreamAfter after;
  gboolean aborted; /* the connector went: free when nothing is under way */

  struct ZeroLook *zeros; /* sync-zero.c; NULL: not looked at */
  GArray *missing;        /* guint64 rids, when a complete full pass looks for them */
  guint missing_at;       /* done up to here */

  json_object *records, *rejects;    /* dry */
  GHashTable *dry_seen[MODEL_KINDS]; /* hashes of the ids that a dry pass met; the maps stay as they are */
  HubDryDone dry_done;
  gpointer dry_data;
};

/* sync-records.c */
const char *run_text (json_object *object, const char *name); /* a member that is a text, else "" */
void run_start_try (SyncRun *run);                            /* new marks, sums at zero */
void run_count_page (SyncRun *run); /* the page went well: into the pass's sums and the metrics */
gboolean run_frame (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong);
void run_children (SyncRun *run, json_object *pairs, gint64 asked_ms);

/* sync-begin.c */
void run_take_turns (HubPlugin *plugin); /* there may be room: those that wait for it are tried */

/* sync-pages.c */
void run_page (SyncRun *run);         /* asks for the page at the cursor, as soon as a worker serves */
void run_give_up_call (SyncRun *run); /* what it still brings is ignored */
void run_wait (SyncRun *run, gint64 mono_ms, Reason reason, const char *detail);

/* sync.c */
void run_load (SyncRun *run); /* loads the maps, then asks for the first page */
void run_next (
  SyncRun *run); /* a page has ended: stores its place and goes on, unless something is being written */
StoreBatch *run_batch (SyncRun *run);
void run_flush (SyncRun *run); /* writes what gathered, when nothing is being written */
void run_fail (SyncRun *run, Reason reason, const char *detail);
void run_finished (SyncRun *run); /* frees the run; the stream plans on */
void run_tell_dry (SyncRun *run); /* the end of a dry run */

guint64 run_alive (const SyncRun *run); /* records of the stream that are there */

void run_free_aborted (SyncRun *run); /* as soon as nothing of it is under way */

/* sync-zero.c */
typedef struct ZeroLook ZeroLook;
/* Finds out of all stock that is missing whether it is at zero already. TRUE: that is under way, and
 * run_end() is called again. */
gboolean run_look_at_zeros (SyncRun *run);
gboolean run_looks_at_zeros (const SyncRun *run); /* the store is reading for it */
void run_forget_zeros (SyncRun *run);             /* the maps are dropped */
void run_free_zeros (SyncRun *run);

/* sync-end.c */
/* Met by the pass, or asked for on its own since the pass began. */
gboolean run_has_met (const SyncRun *run, guint kind, const MapEntry *entry);
void run_end (SyncRun *run);        /* the last page is stored or lies in the batch */
void run_end_stored (SyncRun *run); /* a batch of the ending is stored */
/* Puts the deletion of a record into the batch; FALSE: there is none to delete. */
gboolean run_put_deletion (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal,
                           gint64 asked_ms);
gboolean run_is_zero (const HubStream *stream); /* missing stock goes to zero */
/* What is missing goes: deleted, or its stock to zero. Returns whether that changed anything. */
gboolean run_put_missing (StoreBatch *batch, Hub *hub, HubCollection *collection, guint32 ordinal,
                          gboolean zero, gint64 asked_ms);
void run_save_place (SyncRun *run); /* puts where the pass stands into the batch */
