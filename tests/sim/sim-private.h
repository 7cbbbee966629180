#pragma once
#include "sim.h"

/* One record at the vendor. A product's stock is the inventory stream's. */
typedef struct {
  char id[16];
  guint version, quantity;
  gint64 updated_ms;
  gboolean there;
} SimRecord;

typedef struct {
  gint64 at_ms;
  guint64 order;
  void (*func) (Sim *sim, gpointer data);
  GDestroyNotify free;
  gpointer data;
} SimEvent;

struct Sim {
  guint64 state; /* of the randomness */
  SimChances chances;
  gboolean calm;
  gint64 now_ms, wake_ms;
  GArray *vendor; /* SimRecord by id */
  guint made;
  GSequence *events; /* SimEvent by time */
  guint64 ordered;
  MemDisk *disk;
  Store *store;
  Hub *hub;
  Metrics *metrics;
  GPtrArray *workers; /* SimWorker */
  /* the operator */
  GHashTable *overrides; /* id -> SimSet, as they were answered */
  GPtrArray *asking;     /* SimAsking: not answered yet */
  guint overrides_made, overridden;
  guint crashes;
  /* a follower of the feed */
  guint64 seen_seq;
  guint told;           /* changes */
  GHashTable *followed; /* "collection:id" -> body */
  char *wrong;          /* the first thing that was not right */
};

gint64 sim_wall_ms (gpointer sim);
guint32 sim_random (Sim *sim);
gboolean sim_happens (Sim *sim, guint thousandth);
void sim_at (Sim *sim, gint64 at_ms, void (*func) (Sim *sim, gpointer data), gpointer data,
             GDestroyNotify free);
void sim_wrong (Sim *sim, const char *format, ...) G_GNUC_PRINTF (2, 3);

/* sim-vendor.c */
void sim_vendor_add (Sim *sim);
void sim_vendor_change (Sim *sim);
char *sim_body (const SimRecord *record, guint kind, char **id);

/* sim-overrides.c */
void sim_overrides_new (Sim *sim);
void sim_overrides_free (Sim *sim);
void sim_override (Sim *sim);         /* the operator overrides a product, or takes it back */
void sim_overrides_settle (Sim *sim); /* the hub came back, or rests: the disk is looked at */
/* What must be served of a record. */
char *sim_served (Sim *sim, const SimRecord *record, guint kind, char **id);

/* sim-worker.c */
HubWorker *sim_worker_start (gpointer world, const char *file, const HubWorkerEvents *events, gpointer data,
                             GError **error);
void sim_workers_free (Sim *sim);
