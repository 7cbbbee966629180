/* What server.c (libmicrohttpd on our loop), line.c (connections) and gate.c (who may ask) share. */
#pragma once
#include <microhttpd.h>

#include "api/request.h"

enum { LINES_SPARE = 16 }; /* connections above limits.connections: those that are told */
enum { HEAD_MS = 10000, BODY_MS = 60000, ANSWER_MS = 120000, IDLE_MS = 75000 };

typedef struct Listener Listener;

/* A connection. Each has a moment by which what it is at must be over, or it is closed. */
typedef struct Line {
  GList link; /* of api->lines */
  Listener *listener;
  struct MHD_Connection *connection;
  int fd;
  Request *request; /* that has begun; NULL: none */
  gboolean over;    /* above limits.connections: it is told, and closed */
  gboolean owing;   /* an answer: to its first request, though that has not arrived, or to a later one */
  gint64 until_ms;
} Line;

struct Listener {
  Api *api;
  struct MHD_Daemon *daemon;
  int fd;
  char *path;      /* of a Unix socket */
  gboolean closed; /* a connection was, in this run */
  guint lines, lines_most;
  guint streams, streams_most;
  LoopWatch *watch;
  LoopTimer *timer;
};

/* Metrics of a route and a status, found before. */
enum { MEASURED_COUNT = 64 };
typedef struct {
  const Route *route;
  guint status;
  Metric *requests, *seconds;
} Measured;

struct Api {
  Loop *loop;
  Hub *hub;
  Reloader *reloader;
  GPtrArray *listeners;
  GQueue lines;
  LoopTimer *sweep;
  gint64 sweep_ms; /* when it comes */
  Metrics *metrics;
  Measured measured[MEASURED_COUNT];
  GHashTable *pending; /* Pending that wait */
  GQueue streams;      /* Stream */
  struct Followers *followers;
  struct Pages *pages;  /* ready to be sent */
  GHashTable *listings; /* by target: the newest page that is on its way */
  GRand *random;
  GBytes *openapi;          /* made when it is asked for first */
  gboolean stopping, ended; /* ended: nothing is handled any more */
};

Reloader *api_reloader (Api *api);

/* MHD is run at the end of this turn: after each MHD_resume_connection(). */
void listener_run_soon (Listener *listener);
void request_free (Request *request);

/* ---- line.c ---- */
void line_set_until (Line *line, gint64 wait_ms); /* G_MAXINT64: as long as it takes */
void line_answered (Line *line);                  /* it is idle now */
void line_sweep (gpointer api);
void line_notify (void *listener, struct MHD_Connection *connection, void **context,
                  enum MHD_ConnectionNotificationCode code);

/* ---- gate.c: may this request be handled? NULL: yes ---- */

/* Is its head one that everybody reads alike? If not, where the next request begins is not known either: the
 * connection is closed with the answer. */
Problem *gate_framing (Request *request);
Problem *gate_head (Request *request, const char *method, const char *host, const char *origin,
                    const char *content_type);
/* A trace id from traceparent, else a new one. */
void gate_trace (Request *request, const char *traceparent);
/* Is this Host ours: an IP address or localhost, with or without port? */
gboolean gate_host_is_ours (const char *host);
/* Eight hexadecimal digits, no NUL. */
void gate_put_digits (char *text, guint32 number);
/* 32 hexadecimal digits out of "00-..-..-01". */
gboolean gate_read_traceparent (const char *text, char trace[33]);
