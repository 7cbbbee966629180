/* What the files of the hub share. */
#pragma once
#include "hub/hub.h"

struct Hub {
  HubWorld world;
  Config *config;
  Plugins *installed;
  GPtrArray *stores;    /* HubStore */
  GHashTable *by_label; /* "downtown/pos" -> HubConnector */
  GHashTable *plugins;  /* name -> HubPlugin */
  GPtrArray
    *leaving; /* HubPlugin that nobody uses any more, or whose file was replaced: their workers drain */
  GPtrArray *collections; /* HubCollection by number; [0] is NULL */
  GPtrArray *changing;    /* HubCollection that have batches under way which change them */
  GHashTable *by_key;     /* "downtown/pos/products" -> HubCollection */
  Heap streams, workers;  /* HubStream.due, HubPlugin.due */
  IdMaker ids;
  guint64 last_connector, last_call;
  guint64 seed;        /* of the store's hashes */
  GHashTable *fetches; /* "downtown/pos/products/5b0c" -> Fetch */
  guint64 generation;
  guint passes_running;
  guint overriding;          /* overrides that were asked for and are not stored yet */
  gboolean overrides_held;   /* some wait for what a pass gathers */
  gint64 idle_check_ms;      /* mono: when idle maps are looked for */
  gboolean draining, ending; /* ending: the store tells no more */
  gint64 drain_until_ms;
  void (*drained) (gpointer data);
  gpointer drained_data;
};

/* A call in flight. done comes exactly once: with the RESULT, or with NULL when the worker went. */
typedef void (*HubCallDone) (HubCall *call, json_object *result, gpointer data);
struct HubCall {
  guint64 number;
  char id[ID_TEXT_SIZE];
  HubPlugin *plugin;
  HubConnector *connector;
  const char *operation;
  gint64 asked_ms;            /* wall */
  gint64 started_ms, late_ms; /* mono; late: the worker is ended when no RESULT came until then */
  gboolean cancelled;
  struct SyncRun *run; /* of pull: takes records; NULL when it was given up */
  struct Fetch *fetch; /* of fetch, likewise */
  HubCallDone done;
  gpointer data;
};

/* ---- hub.c ---- */
void hub_make_id (Hub *hub, const char *prefix, char text[ID_TEXT_SIZE]);
/* Between 0 and most, evenly. */
gint64 hub_random_ms (Hub *hub, gint64 most_ms);
void hub_arm (Hub *hub); /* tells the world when to wake us; at the end of every entry from outside */
void hub_check_drained (Hub *hub);

/* ---- apply.c ---- */
void hub_connector_free (Hub *hub, HubConnector *connector, const char *why);
void hub_store_free (HubStore *store);

/* ---- workers.c ---- */
HubPlugin *hub_plugin_new (Hub *hub, const PluginInfo *info, const char *name);
void hub_plugin_free (HubPlugin *plugin);
/* Starts the worker when there is none and it may. */
void hub_plugin_start (HubPlugin *plugin);
void hub_plugin_leave (HubPlugin *plugin); /* drains; freed when it is gone */
void hub_plugin_due (HubPlugin *plugin);
gboolean hub_plugin_serves (const HubPlugin *plugin); /* a worker stands and said hello */
void hub_plugin_disconnect (HubPlugin *plugin, HubConnector *connector);
void hub_plugin_credit (HubPlugin *plugin, guint generation, gsize bytes);
/* members: of the CALL body beyond id, connector, operation; taken. NULL: no worker serves. */
HubCall *hub_call (HubConnector *connector, const char *operation, json_object *members, gint64 deadline_ms,
                   HubCallDone done, gpointer data);
void hub_call_cancel (HubCall *call); /* done still comes */

/* ---- collections.c ---- */
HubCollection *hub_collection_get (Hub *hub, HubConnector *connector, guint kind);
gboolean hub_collections_read (Hub *hub, GError **error);
void hub_collection_free (gpointer collection);
/* Calls ready when the map is loaded and the collection's number is stored; at once when it is so. */
typedef void (*HubMapReady) (HubCollection *collection, const GError *error, gpointer data);
void hub_collection_load (Hub *hub, HubCollection *collection, HubMapReady ready, gpointer data);
void hub_collection_forget (HubCollection *collection, gpointer data); /* the wait of this data */
void hub_collection_drop (HubCollection *collection); /* what the map says is no longer what is stored */
void hub_collections_drop_idle (Hub *hub);
/* What is served of the connector's collections is another, though none of them changed. */
void hub_collections_touch (const HubConnector *connector);
/* A batch goes to the store: until it is stored, or failed, the map is not loaded. Whether it changes the
 * collection is to be told again then. */
gboolean hub_collection_writing (HubCollection *collection, const StoreBatch *batch);
void hub_collection_changed (HubCollection *collection); /* one of those that change something ended */
void hub_collection_written (Hub *hub, HubCollection *collection, gboolean changed);

/* ---- away.c ---- */
gboolean hub_away_read (Hub *hub, GError **error); /* once, after the collections */
void hub_away_update (Hub *hub);                   /* the configuration was applied */

/* ---- record.c ---- */
enum { RECORD_AHEAD_MOST_MS = 86400000 }; /* how far a time that others say may lie in the future */
/* The worker runs a stranger's code: what is to be stored is looked at once more. NULL: nothing is wrong. */
const char *record_fault (const Hub *hub, const WireRecord *record);
/* entry NULL: none is held. */
gboolean record_is_same (const WireRecord *record, const MapEntry *entry);
gboolean record_is_older (const Hub *hub, const WireRecord *record, gint64 asked_ms, const MapEntry *entry);
/* Into the batch, which must keep the record's bytes, and into the map. */
void record_put (StoreBatch *batch, HubCollection *collection, const WireRecord *record, MapEntry *entry,
                 gboolean is_new, gint64 asked_ms);

/* ---- streams.c ---- */
/* Does the stream exist with these settings? */
gboolean hub_stream_holds (const ConfigConnector *config, const PluginStream *described);
HubStream *hub_stream_new (HubConnector *connector, const PluginStream *described);
void hub_stream_free (gpointer stream);
/* Where it stands, from the store's documents by key. A pass that ran when the hub ended waits to go on. */
void hub_stream_read (HubStream *stream, GHashTable *states);
char *hub_stream_key (const HubStream *stream);
char *hub_stream_to_state (const HubStream *stream); /* JSON; g_free */
void hub_stream_set (HubStream *stream, HubStreamState state, Reason reason, const char *detail);
void hub_stream_plan (HubStream *stream, gint64 mono_ms); /* when it is due; G_MAXINT64: not */
void hub_stream_plan_first (HubStream *stream, guint neighbours);
void hub_stream_plan_next (HubStream *stream);  /* after a pass that ended well */
void hub_stream_plan_again (HubStream *stream); /* after one that did not */
void hub_stream_due (HubStream *stream);
gboolean hub_stream_wants_full (const HubStream *stream);
/* How long to wait before try number `tries` (from 1). */
gint64 hub_backoff_ms (Hub *hub, guint tries);

/* ---- sync.c ---- */
typedef struct SyncRun SyncRun;
void sync_begin (HubStream *stream);
/* The worker serves (again): runs that wait for it go on. */
void sync_go_on (HubStream *stream);
void sync_tick (HubStream *stream); /* the time that the run waited for has come */
void sync_abort (HubStream *stream,
                 const char *why); /* the connector goes or changes; nothing more is written */
gboolean sync_frame (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong);
void sync_decide (Hub *hub, HubStream *stream, gboolean accept, const StoreRow *row, StoreDone done,
                  gpointer data);
void sync_decide_abort (HubStream *stream);
gboolean sync_busy (const HubStream *stream); /* a call, a write or a decision is under way */
/* Somebody else's write failed: what the stream's pass has met since then it may have taken for stored. */
void sync_doubt (HubStream *stream, const GError *error);
/* What the stream's pass has judged goes to the store first. FALSE: it cannot yet; fetch_go_on() tells. */
gboolean sync_make_way (HubStream *stream);
