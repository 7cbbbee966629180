/* The hub: what happens and when. Owns stores, connectors, streams, plugins' workers and passes; runs no
 * plugin code.
 *
 * The world comes in from outside (HubWorld): clocks, randomness, the store and the workers. So the same code
 * runs in tillbridged, in tests that move the clock, and in the seeded simulator. Everything happens on one
 * thread, in answer to events: hub_tick() when the time that world->wake named has come, frames of workers,
 * ends of the store's writes.
 *
 * Structs are shown for reading: the API makes its answers from them. Change them through functions only. */
#pragma once
#include <glib.h>
#include "base/heap.h"
#include "base/ids.h"
#include "base/metrics.h"
#include "config/config.h"
#include "hub/map.h"
#include "hub/pass.h"
#include "hub/reason.h"
#include "model/model.h"
#include "store/store.h"
#include "wire/wire.h"

typedef struct Hub Hub;
typedef struct HubStore HubStore;
typedef struct HubConnector HubConnector;
typedef struct HubStream HubStream;
typedef struct HubPlugin HubPlugin;
typedef struct HubCall HubCall;

/* ---- the world ---- */

/* A worker as the hub sees it. */
typedef struct HubWorker HubWorker;
struct HubWorker {
  void (*send) (HubWorker *worker, WireType type, guint64 call, const char *body, gsize size);
  void (*end) (HubWorker *worker,
               gboolean at_once);   /* politely (DRAIN), or with SIGKILL; gone is told later */
  void (*free) (HubWorker *worker); /* after gone, or instead of it: nothing is told any more */
  int pid;
  gint64 (*resident_bytes) (HubWorker *worker);
};

typedef struct {
  /* Each returns FALSE when the frame is against the rules; the hub then ends the worker itself. */
  void (*frame) (const WireFrame *frame, gpointer data);
  void (*gone) (const char *why, gpointer data);
} HubWorkerEvents;

typedef struct {
  gint64 (*wall_ms) (gpointer world); /* since 1970, may jump */
  gint64 (*mono_ms) (gpointer world); /* never jumps */
  guint32 (*random) (gpointer world);
  void (*wake) (gpointer world,
                gint64 mono_ms); /* call hub_tick() then; only the last call counts; G_MAXINT64: never */
  HubWorker *(*start_worker) (gpointer world, const char *plugin_file, const HubWorkerEvents *events,
                              gpointer data, GError **error);
  gpointer world;
  Store *store;
  Metrics *metrics;
} HubWorld;

/* ---- what there is ---- */

/* What one connector holds of one kind. */
typedef struct {
  Hub *hub;
  guint32 number;
  guint kind;
  char *key;                 /* "downtown/pos/products" */
  HubConnector *connector;   /* NULL: configured no more */
  Map *map;                  /* NULL: not loaded */
  Map *coming;               /* while it is being loaded */
  gboolean loading, unsaved; /* unsaved: its number is not in the store yet */
  gboolean away;             /* the store remembers that it was left out of the feed */
  guint users;               /* passes that hold on to the map */
  guint writing;           /* batches with its records that are under way: the map is not loaded meanwhile */
  guint changing;          /* of those: that change something */
  gint64 used_ms;          /* mono; an idle map is dropped */
  GPtrArray *waiting;      /* collections.c */
  guint64 version;         /* moves with every change that readers may see */
  struct Changes *changes; /* the latest; NULL: none yet */
  struct Overrides *overrides; /* NULL: none */
} HubCollection;

typedef enum {
  STREAM_IDLE,
  STREAM_RUNNING,
  STREAM_WAITING,
  STREAM_HELD,
  STREAM_PAUSED,
  STREAM_STOPPED
} HubStreamState;

struct HubStream {
  HeapNode due; /* first; mono */
  HubConnector *connector;
  char *name;
  guint kinds;   /* bits 1 << model kind */
  char *missing; /* "stays" "deleted" "zero" */
  gboolean changes, item_only, fetch, off;
  gint64 every_ms, least_ms, full_every_ms, overlap_ms, deadline_ms;
  HubStreamState state;
  Reason reason;
  char *detail;      /* the vendor's words, NULL */
  gint64 since_ms;   /* wall: in this state */
  gint64 created_ms; /* wall: known to this hub */
  /* kept in the store */
  gint64 watermark_ms,
    full_ms;         /* wall: start of the last complete pass, of the last complete full one; 0: none */
  gint64 as_of_ms;   /* wall: when all was last known to be true */
  gint64 started_ms; /* wall: start of the last pass */
  guint64 passes;    /* ended, however */
  guint64 records;   /* alive, when the last pass ended */
  char *held;        /* id of the pass that waits for a person */
  Pass *last;        /* the last that ended */
  /* now */
  Pass *pass; /* runs */
  Pass *next; /* was asked for, waits */
  void (*dry_done) (json_object *result, const char *status, const char *detail,
                    gpointer data); /* of next, when it is dry */
  gpointer dry_data;
  struct Deciding *deciding; /* sync-end.c: a held pass is being accepted or refused: no pass begins */
  gboolean in_turn;          /* waits in the plugin's queue */
  struct SyncRun *run;       /* sync.c */
  gint64 fresh_ms;           /* mono: last full pass without skipping */
  guint failures;            /* in a row */
  gint64 next_ms;            /* mono: when it is due, G_MAXINT64: not */
};

typedef enum {
  CONNECTOR_OK,
  CONNECTOR_LATE,
  CONNECTOR_FAILING,
  CONNECTOR_PAUSED,
  CONNECTOR_OFF
} HubConnectorState;

struct HubConnector {
  HubStore *store;
  char *name, *label; /* "pos", "downtown/pos" */
  guint64 account;    /* of plugin, address and settings */
  guint64 number;
  ConfigConnector *config; /* the hub's configuration's */
  HubPlugin *plugin;
  GPtrArray *streams; /* HubStream */
  gboolean connected; /* its settings were sent to the worker that runs */
  gboolean refused;   /* credentials: nothing is asked until somebody acts */
  gint64 fetch_at_ms; /* mono: no record is asked for before, since the vendor failed */
  gint64 ok_ms;       /* wall: last call that went well; 0 */
  gint64 error_ms;    /* wall: last that did not */
  char *error_code, *error_detail, *error_call;
};

struct HubStore {
  ConfigStore *config;
  GPtrArray *connectors; /* HubConnector */
};

typedef enum { PLUGIN_RUNNING, PLUGIN_IDLE, PLUGIN_PARKED, PLUGIN_REFUSED } HubPluginState;

struct HubPlugin {
  HeapNode due; /* first; mono: start again, or a call that is overdue */
  Hub *hub;
  const PluginInfo *info; /* of hub_plugins() */
  char *name, *identity;
  HubPluginState state;
  HubWorker *worker; /* NULL: none runs */
  gboolean said_hello;
  gboolean condemned; /* broke a rule, and is being ended */
  gboolean wanted;    /* was started, or is to be */
  gsize owed;         /* bytes of records it sent and was not given credit for yet */
  guint generation;   /* of workers: credit is given to the one that used it */
  gint64 since_ms;    /* wall: worker's start */
  guint restarts;
  guint crashes;      /* in a row, without a page in between */
  gint64 start_at_ms; /* mono: not before */
  char *trouble;      /* how the last worker ended, NULL */
  GHashTable *calls;  /* number -> HubCall */
  guint running;      /* passes */
  GQueue turn;        /* HubStream: due, but others run first */
  guint users;        /* connectors */
  gint64 leaving_ms;  /* mono: drains, and is ended then; 0: stays */
};

/* ---- life ---- */

Hub *hub_new (const HubWorld *world);
void hub_free (Hub *hub); /* ends workers at once */

/* Takes both; applies what differs from what runs. Reads where each stream stands. FALSE: the store cannot be
 * read. */
gboolean hub_apply (Hub *hub, Config *config, Plugins *plugins, GError **error);
void hub_tick (Hub *hub);
/* No new calls from now on; done when what runs has ended or was given up at the deadline. */
void hub_drain (Hub *hub, gint64 until_mono_ms, void (*done) (gpointer data), gpointer data);

/* Ready: configuration applied, each plugin that is used runs or is refused. Else *awaits says what is waited
 * for (g_free). */
gboolean hub_ready (Hub *hub, char **awaits);

/* The store committed something: what is being written may be seen in part. */
void hub_committed (Hub *hub);

/* ---- reading ---- */

const Config *hub_config (const Hub *hub);
Plugins *hub_plugins (const Hub *hub);  /* what is installed */
GPtrArray *hub_stores (const Hub *hub); /* HubStore by id; "shared" too, when there is one */
HubStore *hub_store (const Hub *hub, const char *id);
HubConnector *hub_connector (const Hub *hub, const char *store, const char *name);
HubStream *hub_stream (const HubConnector *connector, const char *name);
HubPlugin *hub_plugin (const Hub *hub, const char *name); /* NULL: no connector uses it */
/* What serves a kind in a store: the collection of `connector` (NULL: of the role, or the only one that has
 * the kind). NULL: none. */
HubCollection *hub_collection_for (Hub *hub, const HubStore *store, const char *connector, guint kind);
HubCollection *hub_collection (const Hub *hub, guint32 number); /* NULL: unknown */
guint32 hub_collections_end (const Hub *hub);                   /* above all their numbers */
/* Has nothing from one ordinal to another changed since that version? FALSE also where it is not known any
 * more. */
gboolean hub_collection_stands (const HubCollection *collection, guint64 version, guint32 first,
                                guint32 last);
/* When what the collection holds was last known to be true (wall), 0: never. */
gint64 hub_collection_as_of (const HubCollection *collection);

/* The same of one record, by its place in the map that is loaded: it may have been asked for on its own. */
gint64 hub_record_as_of (const HubCollection *collection, guint32 ordinal);
/* The inventory that tells the stock of products; NULL: their own quantity does. */
HubCollection *hub_collection_stock (const HubCollection *products);
/* Another number after each hub_apply(): what serves what may be another. */
guint64 hub_generation (const Hub *hub);

HubConnectorState hub_connector_state (const HubConnector *connector, Reason *reason);
HubConnectorState hub_store_state (const HubStore *store, char **text); /* text: a sentence, g_free */
HubStreamState hub_stream_state (const HubStream *stream, Reason *reason);
gboolean hub_stream_late (const HubStream *stream);
const char *hub_connector_state_word (HubConnectorState state);
const char *hub_stream_state_word (HubStreamState state);
const char *hub_plugin_state_word (HubPluginState state);
gint64 hub_wall_ms (const Hub *hub);
gint64 hub_mono_ms (const Hub *hub);
Store *hub_storage (const Hub *hub);
Metrics *hub_metrics (const Hub *hub);
char *hub_metrics_text (Hub *hub); /* for Prometheus, gauges brought up to date; g_free() */

/* One record by its vendor's id. done comes at once when the map is loaded, else later; ordinal valid when
 * found; deleted records count as not found. */
typedef void (*HubFound) (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error,
                          gpointer data);
void hub_find (Hub *hub, HubCollection *collection, const char *id, HubFound done, gpointer data);

/* ---- acting ---- */

/* Asks the vendor for one record again, as far as plugin, pace and vendor allow it in that time, and stores
 * what comes. Those who ask for the same one share a call. done, perhaps at once: whatever there is to know
 * is known. */
typedef void (*HubFetchDone) (gpointer data);
void hub_fetch (Hub *hub, HubCollection *collection, const char *id, gint64 deadline_ms, HubFetchDone done,
                gpointer data);

/* Asks for a pass of one stream (NULL: of all). A pass that runs is waited for, one that waits is shared.
 * Returns Pass pointers, waiting (valid until the loop turns); NULL with error: no such stream, connector
 * switched off. */
GPtrArray *hub_sync (Hub *hub, HubConnector *connector, const char *stream, gboolean full, GError **error);

/* Pulls and maps and stores nothing. done: {"pass":..,"records":[first 20],"rejects":[first 20]}, or why it
 * failed. */
extern const Shape dry_run_shape;
typedef void (*HubDryDone) (json_object *result, const char *status, const char *detail, gpointer data);
gboolean hub_sync_dry (Hub *hub, HubConnector *connector, const char *stream, HubDryDone done, gpointer data,
                       GError **error);

extern const Shape reject_shape; /* of the rows of STORE_REJECTS, and of a dry run's */

/* Calls the plugin's check. */
typedef void (*HubCheckDone) (const char *status, const char *detail, gint64 ms, gpointer data);
void hub_check (Hub *hub, HubConnector *connector, HubCheckDone done, gpointer data);

/* A held pass: deletes what it lacked, or keeps it. Codes: G_IO_ERROR_NOT_FOUND, _WRONG... see error. done
 * when it is stored. */
gboolean hub_pass_decide (Hub *hub, const char *pass_id, gboolean accept, StoreDone done, gpointer data,
                          GError **error);

/* Replaces what an operator overrides of one product, wholly. set: of model_overrides_read(); NULL or "": no
 * overrides any more. may (NULL: in any case) is shown the record as it is stored when the turn has come, and
 * refuses with FALSE: HUB_ERROR_DIFFERS. done when it is stored durably, or nothing was to be stored; never
 * from within may. */
typedef gboolean (*HubMayOverride) (HubCollection *collection, const StoreFound *found, gpointer data);
void hub_override (Hub *hub, HubCollection *collection, const char *id, const char *set, HubMayOverride may,
                   HubFound done, gpointer data);

#define HUB_ERROR (hub_error_quark ())
GQuark hub_error_quark (void);
typedef enum {
  HUB_ERROR_NOT_FOUND,
  HUB_ERROR_CONFLICT,
  HUB_ERROR_UNSUPPORTED,
  HUB_ERROR_UNAVAILABLE,
  HUB_ERROR_DIFFERS,
  HUB_ERROR_TOO_MANY
} HubError;
