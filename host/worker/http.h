/* One libcurl multi handle on the loop (socket interface): transfers with callbacks, no fibers, nothing of
 * plugins.
 *
 * Ceilings on size and time, decoding of gzip and br as told, addresses judged before each connect (also
 * after a redirect and for every DNS answer), TLS always verified, redirects followed to the same host only.
 * Settings: PERFORMANCE "HTTP out". */
#pragma once
#include <glib.h>
#include "base/loop.h"

typedef struct Http Http;
typedef struct HttpTransfer HttpTransfer;

typedef enum {
  HTTP_DONE,       /* an answer, whole */
  HTTP_NEVER_LEFT, /* nothing of the request was sent: no connection, TLS refused, address not allowed, name
                      unknown */
  HTTP_SENT,       /* sent, wholly or in part, and no answer came (or its head was cut) */
  HTTP_CUT,        /* the answer's body ended early, or could not be decoded */
  HTTP_TOO_LARGE,  /* more than body_most bytes (decoded) */
  HTTP_LATE,       /* no answer, or not all of it, in time: see sent_bytes for whether anything left */
  HTTP_STOPPED,    /* on_data said stop, or http_cancel() */
  HTTP_ELSEWHERE   /* redirected to where it must not be followed (another host, scheme or port; too often);
                      status tells how */
} HttpEnd;

typedef struct {
  HttpEnd end;
  int status;        /* 0: no head came */
  const char *error; /* in words, for people */
  gint64 sent_bytes, received_bytes;
  gint64 ms;
} HttpResult;

/* Every ceiling of a transfer that the caller does not set. */
enum {
  HTTP_REDIRECTS_MOST = 5,
  HTTP_HEAD_MOST = 64 * 1024, /* all headers of an answer */
  HTTP_REDIRECT_BODY_MOST = 64 * 1024,
  HTTP_CONNECT_MS = 10 * 1000, /* or the transfer's timeout, when that is shorter */
  HTTP_STALL_S = 30,           /* an answer's body slower than HTTP_STALL_BYTES a second for so long is cut */
  HTTP_STALL_BYTES = 64,
  HTTP_IDLE_S = 118,     /* a connection that was idle for longer is not used again */
  HTTP_IDLE_ONCE_S = 10, /* nor for what is sent once: many servers hang up after 15 s, and an order sent just
                            then is in doubt */
  HTTP_CONNECTIONS_KEPT = 512, /* above vendor hosts x concurrency of one worker */
  HTTP_HANDLES_KEPT = 64
};

typedef enum {
  HTTP_GO_ON,
  HTTP_PAUSE,
  HTTP_STOP
} HttpVerdict; /* PAUSE: the bytes were not taken, come again after http_resume() */

typedef struct {
  const char *method, *url;
  const char *const *headers; /* "Name: value", NULL at the end */
  const void *body;
  gsize body_size;
  gint64 timeout_ms; /* of the whole transfer; pauses of ours count too */
  gint64 body_most;  /* 0: no ceiling */
  int stall_s;       /* how long an answer may creep; 0: HTTP_STALL_S */
  gboolean packed;   /* the body as it was sent; what may be sent stands in `headers` (Accept-Encoding) */
  gboolean once;     /* never sent a second time, not even when a kept connection turns out to be dead */
  const char *proxy;
  gboolean allow_private;
  void (*on_header) (const char *name, const char *value,
                     gpointer data);           /* of the last answer; names as sent */
  void (*on_head) (int status, gpointer data); /* all headers are in */
  HttpVerdict (*on_data) (const char *bytes, gsize length, gpointer data);
  void (*on_end) (const HttpResult *result,
                  gpointer data); /* always, exactly once, never inside http_start() */
  gpointer data;
} HttpRequest;

/* "https://host:443", the port also where none is written; NULL: no http or https address. */
char *http_origin (const char *url);

Http *http_new (Loop *loop, GError **error);
void http_free (Http *http); /* what still runs ends with HTTP_STOPPED */
/* Everything of request is copied. Not from inside on_header, on_head or on_data. The transfer is gone once
 * on_end has returned. */
HttpTransfer *http_start (Http *http, const HttpRequest *request);
/* Lets go of handles that wait for a transfer, and of their buffers; connections stay. */
void http_rest (Http *http);
void http_resume (HttpTransfer *transfer); /* on_data goes on in a later turn */
void http_cancel (HttpTransfer *transfer); /* on_end comes with HTTP_STOPPED, in a later turn */
