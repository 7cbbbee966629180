/* Between server.c (libmicrohttpd, connections) and what stands on it. */
#pragma once
#include "api/request.h"

struct MHD_Daemon;
typedef struct Listener Listener;

/* A connection. Each has a moment by which what it is at must be over, or it is closed. */
typedef struct Line {
  GList link; /* of api->lines */
  Listener *listener;
  int fd;
  gint64 until_ms;
} Line;

struct Listener {
  Api *api;
  struct MHD_Daemon *daemon;
  int fd;
  char *path; /* of a Unix socket */
  LoopWatch *watch;
  LoopTimer *timer;
};

struct Api {
  Loop *loop;
  Hub *hub;
  Reloader *reloader;
  GPtrArray *listeners;
  GQueue lines;
  LoopTimer *sweep;
  gint64 sweep_ms; /* when it comes */
  Metrics *metrics;
  GHashTable *pending; /* Pending that wait */
  GRand *random;
  gboolean stopping, ended; /* ended: nothing is handled any more */
};

Reloader *api_reloader (Api *api);

/* ---- gate.c: may this request be handled? NULL: yes ---- */
Problem *gate_head (Request *request, const char *method, const char *host, const char *origin,
                    const char *content_type);
/* A trace id from traceparent, else a new one. */
void gate_trace (Request *request, const char *traceparent);
/* Is this Host ours: an IP address or localhost, with or without port? */
gboolean gate_host_is_ours (const char *host);
/* 32 hexadecimal digits out of "00-..-..-01". */
gboolean gate_read_traceparent (const char *text, char trace[33]);
