/* The real hub beside a worker that is made up: the test sends each of its frames itself, moves the clock and
 * decides when the disk writes. For what a seeded world would hardly do: a worker that lies, a reload between
 * two writes.
 *
 *   FakeHub *fake = fake_hub_new (&(FakeSetup){ 0 });   one store, "downtown", whose connector "pos" is asked
 *   fake_records (fake, fake->call, 1, (FakeRecord[]){ { .id = "a" } });
 *   fake_result (fake, fake->call, FAKE_DONE);
 *   fake_writes (fake);                                 stored: "a" */
#pragma once
#include "hub/hub.h"
#include "mem-store.h"

#define FAKE_DONE "{\"status\":\"ok\",\"ending\":\"done\"}"
#define FAKE_MORE "{\"status\":\"ok\",\"ending\":\"more\",\"cursor\":{\"page\":2}}"
#define FAKE_MORE_3 "{\"status\":\"ok\",\"ending\":\"more\",\"cursor\":{\"page\":3}}"

/* What is configured; all zero: one connector "pos" of plugin made-up, with the one stream "products". */
typedef struct {
  guint connectors;    /* "pos", "pos1", "pos2" ...; 0: one */
  gboolean disabled;   /* enabled = false */
  gboolean sync_off;   /* sync = "off" */
  gboolean customers;  /* the plugin has a second stream */
  gboolean zero;       /* products that are missing have no stock, instead of being deleted */
  gboolean fetch;      /* products can be asked for one by one */
  double per_second;   /* pace: something that a reload may change */
  const char *plugin;  /* its name, NULL: "made-up" */
  const char *account; /* a setting, NULL: "one" */
} FakeSetup;

typedef struct {
  const char *id, *body; /* body NULL: "{}" */
  const char *parent;
  gint64 updated_ms;
  gboolean damaged; /* its hash is another's */
} FakeRecord;

typedef struct FakeWorker FakeWorker;

typedef struct {
  gint64 now_ms, wall_moved_ms; /* the clock; by how much the wall clock was set */
  gint64 wake_ms;
  gboolean slow_disk; /* nothing is written while time passes */
  MemDisk *disk;
  Store *store;
  Metrics *metrics;
  Hub *hub;
  FakeWorker *worker;       /* the last that was started and is not gone, NULL */
  GArray *open, *cancelled; /* numbers of calls without a result, oldest first */
  guint64 call;             /* the last */
  json_object *asked;       /* its body */
  guint calls, connects, ended;
  gsize credit; /* bytes given back */
} FakeHub;

/* The first calls have been made. */
FakeHub *fake_hub_new (const FakeSetup *setup);
void fake_hub_free (FakeHub *fake);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakeHub, fake_hub_free)
gboolean fake_reload (FakeHub *fake, const FakeSetup *setup, GError **error);

/* Time passes; the disk writes at once unless it is slow. A new worker says HELLO, and
 * cancelled calls end. */
void fake_run (FakeHub *fake, gint64 ms);
void fake_writes (FakeHub *fake); /* all that waits for the disk */

/* Frames of the worker. */
void fake_frame (FakeHub *fake, WireType type, guint64 call, const char *text);
void fake_records (FakeHub *fake, guint64 call, gsize count, const FakeRecord *records);
void fake_same (FakeHub *fake, guint64 call, const WireSame *same);
void fake_result (FakeHub *fake, guint64 call, const char *text);
void fake_gone (FakeHub *fake); /* the worker's process has ended */

HubConnector *fake_connector (FakeHub *fake);
HubStream *fake_stream (FakeHub *fake);                     /* products of downtown/pos */
const char *fake_asked (FakeHub *fake, const char *member); /* of the last call, as JSON */
char *fake_stored (FakeHub *fake);                          /* ids of living products, "a b c"; g_free */
char *fake_last_row (FakeHub *fake, StoreHistory history);  /* its body, NULL: none; g_free */
