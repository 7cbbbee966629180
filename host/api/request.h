/* One request, from its head to its answer: what the resources see of it.
 *
 * A handler answers at once, or calls request_wait() and answers later through the Pending: until then the
 * connection is suspended. The client may go meanwhile, the whole API may: pending_take() tells. */
#pragma once
#include "api/answer.h"
#include "api/api.h"
#include "api/problem.h"
#include "api/route.h"

typedef struct Pending Pending;

struct Request {
  Api *api;
  Hub *hub;
  const Route *route;
  char *target; /* as it came */
  RoutePath path;
  const char *vars[ROUTE_VARS_MOST];
  RouteValue values[ROUTE_PARAMS_MOST];
  char trace[33];
  Answer *answer;
  Pending *pending;
  /* server.c */
  struct MHD_Connection *connection;
  struct Line *line;
  gint64 started_us;
  GByteArray *body;
  gsize discarded;
  gboolean begun, suspended, too_large;
  gboolean hang_up; /* with the answer, without waiting for a body */
  gboolean chunked; /* may an answer of unknown length be? */
  gboolean head_only;
  char *origin; /* that may read the answer; NULL: none asked */
};

/* Each of these ends the request. */
void request_answer (Request *request, Answer *answer);   /* takes it */
void request_refuse (Request *request, Problem *problem); /* takes it */
/* Of our own calls: 404, 409, 501, 503, or 500 and a line in the log. */
void request_fail (Request *request, const GError *error);

Pending *request_wait (Request *request);
/* The request to answer now, NULL when nobody waits any more. Frees pending. */
Request *pending_take (Pending *pending);
gboolean pending_waits (const Pending *pending); /* does anybody? */

const RouteValue *request_value (const Request *request, const char *name);
const char *request_text (const Request *request, const char *name); /* NULL: not said */
guint request_limit (const Request *request);
gint64 request_time (const Request *request, const char *name); /* wall; 0: not said */
guint64 request_seed (const Request *request);
const char *request_header (const Request *request, const char *name); /* NULL: not said */

/* The end of a list that was begun with {"items":[ : next (NULL: none) with its Link, as_of (0: none). Ends
 * the request. */
void request_end_list (Request *request, Answer *answer, const char *next, gint64 as_of_ms);
/* 400, bad_cursor. */
void request_bad_cursor (Request *request);

/* The store of {store}; NULL: refused. */
HubStore *request_store (Request *request);
/* connector=: "store/name". FALSE: refused. *label NULL when it was not said; g_free(). */
gboolean request_connector_label (Request *request, char **label);
