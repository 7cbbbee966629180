/* The sandbox: vendors, their routes, the faults laid around them, and what they received.
 *
 *   request -> route of a vendor -> a fault that comes before? -> admitted? -> handler -> a fault that comes
 * after? -> log
 *
 * A vendor is data and functions, one file each: see treez.c, and millrace.c for the smallest. */
#pragma once
#include "base/loop.h"
#include "clock.h"
#include "data.h"
#include "faults.h"
#include "journal.h"
#include "pack.h"
#include "server.h"

enum { ROUTE_SEGMENTS = 8 };

typedef struct Engine Engine;
typedef struct Exchange Exchange;

typedef struct {
  const char *name; /* what fault rules call it */
  const char *method;
  const char *pattern; /* below /{vendor}: "/product/{id}" */
  void (*handle) (Exchange *exchange);
  gboolean open; /* no token needed */
  /* Where the data faults reach: the rows, and within a row; counts are recomputed when rows go. */
  const char *rows, *id, *price, *text, *count, *total;
} Route;

typedef struct {
  guint64 seed;
  guint32 size;
  double rate; /* calls a second, 0: no limit, below 0: the vendor's own */
  gint64 now_ms;
} VendorSetup;

typedef struct {
  const char *name, *help;
  const Route *routes;
  guint route_count;
  gpointer (*open) (const VendorSetup *setup);
  void (*close) (gpointer state);
  /* The settings that a plugin needs, as JSON members after "{": "\"shop\":\"corner\"". url comes from the
   * engine. */
  const char *settings;
  const char *settings_v3; /* of a vendor with another generation of its API; NULL: there is none */
  /* Token and rate; FALSE: it has answered. */
  gboolean (*admit) (Exchange *exchange);
  void (*refuse) (Exchange *exchange);              /* answers as to a bad token */
  void (*too_many) (Exchange *exchange);            /* answers as to too many calls */
  void (*expire) (gpointer state);                  /* all tokens given out so far end */
  Data *(*data) (gpointer state, const char *kind); /* kind NULL: the main one. NULL: no such kind */
  const char *const *kinds;
  gboolean (*option) (gpointer state, const char *name, double value);
} Vendor;

/* One request being answered. */
struct Exchange {
  Engine *engine;
  const Vendor *vendor;
  const Route *route;
  gpointer state; /* the vendor's */
  const Request *request;
  Reply *reply;
  char *segments[ROUTE_SEGMENTS]; /* decoded, in the order of the pattern's {names} */
  const FaultRule *fault;         /* one that a list handler must obey, see exchange_page() */
  gint64 now_ms;                  /* of the vendor's clock */
};

/* The rows that a page holds: [start, start + count) of total, after the faults duplicate_page and
 * endless_pages. */
typedef struct {
  guint start, count;
  guint64 total; /* as the vendor says it */
} PageRange;
PageRange exchange_page (const Exchange *exchange, guint64 page, guint size, guint total);

typedef struct {
  const char *host;
  guint16 port;
  guint64 seed;
  guint32 size;
  double rate;
  const Vendor *const *vendors; /* ends with NULL */
} EngineSetup;

Engine *engine_new (Loop *loop, const EngineSetup *setup, GError **error);
void engine_free (Engine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Engine, engine_free)

/* The line printed when all is ready. Free with g_free(). */
char *engine_ready_line (const Engine *engine);

/* For the admin API and main(). */
Faults *engine_faults (Engine *engine);
Journal *engine_journal (Engine *engine);
Pack *engine_pack (Engine *engine);
Clock *engine_clock (Engine *engine);
guint engine_connections (const Engine *engine);
const Vendor *engine_vendor (const Engine *engine, const char *name, gpointer *state);

gint64 engine_monotonic_ms (const Engine *engine);
GRand *engine_dice (Engine *engine);

/* Opens and closes vendors' ports as the rules want it, now and when a rule ends. */
gboolean engine_apply_faults (Engine *engine, GError **error);

/* Resets whatever stalls. */
void engine_release_stalled (Engine *engine);
