/* What the files of the worker share: the worker, its connectors and calls. Each has one owner, named beside
 * it. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include <tillbridge/plugin.h>
#include "base/loop.h"
#include "json/json.h"
#include "model/model.h"
#include "wire/wire.h"
#include "worker/fiber.h"

typedef struct Worker Worker;
typedef struct Connector Connector;
typedef struct Call Call;
typedef struct Http Http;         /* http.h */
typedef struct Endpoint Endpoint; /* endpoint.h: one endpoint of one connector */
typedef struct Plugin Plugin;     /* loader.h */
typedef struct Skip Skip;         /* skip.h */
typedef struct Items Items;       /* items.h */
typedef struct Emit Emit;         /* emit.h */
typedef struct Paths Paths;       /* paths.h: compiled paths, kept */

/* Memory of one call (for a pull: of one page): all goes at once. arena.c */
typedef struct Arena Arena;
Arena *arena_new (void);
void arena_free (Arena *arena);
void arena_reset (Arena *arena);                            /* empty again, the first block kept */
void *arena_alloc (Arena *arena, gsize size) G_GNUC_MALLOC; /* zeroed, 16-byte aligned */
char *arena_strndup (Arena *arena, const char *text, gsize length);
char *arena_vprintf (Arena *arena, const char *format, va_list args);
gsize arena_bytes (const Arena *arena); /* that it holds */
gboolean arena_has (const Arena *arena, const void *address);

enum {
  WORKER_CALLS_MOST = 2000,           /* at a time; a call above gets "service_unavailable" */
  WORKER_CALL_BYTES_MOST = 256 << 20, /* what one call may allocate */
};

struct Worker {
  Loop *loop;
  gint64 (*wall_ms) (void);
  Plugin *plugin;
  Fibers *fibers;
  Http *http;
  struct Accounts *accounts; /* account.c */
  WireEnd *end;
  GHashTable *connectors; /* number (guint64 *) -> Connector */
  GHashTable *calls;      /* number (guint64 *) -> Call */
  Paths *paths;           /* paths.h */
  LoopWatch *watch;       /* of end; the rest is worker.c's */
  LoopTimer *rest;        /* set when nothing runs any more */
  gsize window_used;      /* bytes of RECORDS and SAME without credit */
  gboolean draining, flushing, ended, failed;
};

/* worker.c: speaks with the hub over fd, from HELLO until the socket closes or DRAIN is done. Owns fd; not
 * plugin. */
Worker *worker_new (Loop *loop, Plugin *plugin, int fd, GError **error);
gboolean worker_free (Worker *worker); /* FALSE: a plugin does not come back, all is left as it is */
gboolean worker_ended (const Worker *worker, gboolean *failed);
/* A call ended: when it was the last one, memory that it needed is given back after a while of rest. */
void worker_call_ended (Worker *worker);
/* Queues a frame; it leaves at the end of this turn. */
void worker_send (Worker *worker, WireType type, guint64 call, json_object *body);
void worker_send_batch (Worker *worker, WireType type, guint kind, guint64 call, GByteArray *batch);
void worker_flush_soon (Worker *worker);
/* A LOG frame; call may be NULL. */
void worker_log (Worker *worker, const Call *call, tb_level level, const char *text);

struct Connector { /* connector.c */
  Worker *worker;
  guint64 number;
  char *name; /* "downtown/pos" */
  char *store_id, *timezone, *currency;
  GTimeZone *zone;
  guint64 seed;
  json_object *settings; /* key -> value, as CONNECT brought them; "url" too */
  gint64 timeout_ms;     /* 0: the endpoint's */
  char *proxy;           /* NULL: none */
  gboolean allow_private;
  double per_second; /* pace of the drop-in; 0: the endpoint's */
  int burst, at_once;
  GPtrArray *endpoints; /* Endpoint, for rows whose `when` holds; made by endpoint.c */
  char *broken;         /* why no call can run: a template that cannot be filled, ...; NULL: nothing */
  GHashTable *skips;    /* stream -> Skip; the last two are connector.c's */
  GHashTable *cache;    /* of tb_cache(), NULL: nothing yet */
  GHashTable *words;    /* vendor's words that no table knows, told once each */
  guint refs;
};

/* connector.c: of a CONNECT's body. What is wrong with it is in `broken`. */
Connector *connector_new (Worker *worker, guint64 number, json_object *body);
Connector *connector_ref (Connector *connector);
void connector_unref (Connector *connector);
Skip *connector_skip (Connector *connector, const tb_stream *stream);

/* A value of the vendor that was there and could not be read. Kept until the record it belongs to is emitted.
 */
typedef struct {
  char path[96];      /* from the item on: "prices[0].dollars" */
  const char *reason; /* "not_a_number" ... */
  char value[64];     /* how it begins, as JSON */
  gboolean amount;    /* of money: a record is rather set aside than served without its price */
} Note;

enum { CALL_NOTES_MOST = 8, CALL_SETTINGS_KEPT = 16 };

/* A setting as it was read before: plugins read some of them for each item. */
typedef struct {
  const char *key; /* the plugin's literal */
  gsize index;
  const char *text;
} KnownSetting;

struct Call {    /* call.c */
  tb_call shown; /* first: what the plugin holds */
  Worker *worker;
  Connector *connector;
  Fiber *fiber;
  Arena *arena;
  guint64 number;
  char *id;              /* "call_01JN..." */
  const char *operation; /* "pull" "fetch" "check" */
  const char *urgency;   /* "orders" "messages" "webhooks" "sync" */
  gint64 deadline_ms;    /* loop_now_ms() */
  gboolean cancelled;
  gboolean reading;     /* pull, fetch, find, refresh, check: nothing can be in doubt */
  gboolean authorizing; /* inside authorize: no token, every refusal is TB_AUTHENTICATION_ERROR */
  /* how it failed: set by call_fail(), read at the end */
  tb_why why;
  char *detail;          /* in the arena */
  gint64 retry_ms;       /* what the vendor asked to wait, 0: nothing */
  gboolean told_to_wait; /* by the last answer, which did nothing else */
  /* the last answer: http.c, endpoint.c */
  int http_status;
  struct EndpointHeaders *headers;
  struct EndpointStream *streams; /* those not closed yet; endpoint_call_ends() closes them */
  struct Endpoint *judged;        /* whose answer `classify` is looking at, NULL: none */
  const char *http_text;
  guint requests, retries;
  json_object *codes; /* HTTP status (0: no answer) -> how many; NULL: none yet */
  /* what was asked, and how the page ended: call.c */
  const tb_stream *stream; /* NULL: check */
  json_object *cursor, *cursor_before;
  gboolean full, fresh, first;
  gint64 since_ms, started_ms, began_ms;
  const char *record; /* fetch */
  int ending;         /* TB_PAGE_..., 0: none said */
  gint64 ending_argument;
  tb_status noted;  /* by call_fail() */
  tb_status spoilt; /* by call_spoil(), with its words: wins over what the function returns */
  tb_why spoilt_why;
  const char *spoilt_detail;
  json_object *children, *again; /* page.c */
  gsize row_bytes;               /* of both */
  gboolean late;
  guint told_cancelled; /* how often the plugin was told, and went on */
  LoopTimer *timer;
  gboolean wants_credit; /* waits in emit.c for the hub to take in what was sent */
  /* the item whose turn it is, and what became of it: items.c, emit.c */
  Items *items;   /* the readers of this call, newest first */
  Items *item_of; /* whose item it is, NULL: none */
  Emit *emit;
  Note notes[CALL_NOTES_MOST];
  guint note_count, log_lines;
  KnownSetting settings[CALL_SETTINGS_KEPT]; /* by the key's address: services.c */
  GPtrArray *documents;                      /* JsonDocument, whose nodes go with the call */
  GArray *secrets;                           /* tb_bytes: copies in the arena, wiped at the end */
};

/* call.c: a CALL frame begins, a CANCEL ends it soon. */
void call_start (Worker *worker, guint64 number, json_object *body);
void call_cancel (Call *call);

const char *status_name (tb_status status); /* "service_unavailable" ... */
Call *call_of_pull (const tb_pull *pull);

/* call.c: notes how the call fails and gives the status back, so that `return call_fail (...)` reads well. */
tb_status call_fail (Call *call, tb_status status, tb_why why, const char *format, ...) G_GNUC_PRINTF (4, 5);
tb_status call_failv (Call *call, tb_status status, tb_why why, const char *format, va_list args)
  G_GNUC_PRINTF (4, 0);
/* call.c: the call fails like this whatever the plugin makes of it: a body that broke off, a mistake of the
 * plugin's that no status tells. After call_fail(); the first one counts. */
void call_spoil (Call *call, tb_status status);
/* call.c: a mistake of the plugin's: call_fail (TB_INTERNAL) and call_spoil(). */
tb_status call_blame (Call *call, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* call.c: at the beginning of every service that may give way: TB_CANCELLED when the call is over, and for a
 * plugin that does not hear it the end. */
tb_status call_enter (Call *call);
/* call.c: an answer to one of the call's requests came, or will not come (status 0). */
void call_count_answer (Call *call, int status);
/* call.c: parks the fiber until something wakes it, the call is cancelled or at_ms (loop time, 0: never) has
 * come. TB_CANCELLED when the call is over. */
tb_status call_wait (Call *call, gint64 at_ms);
/* call.c: gives way when this turn has taken long enough; TB_CANCELLED when the call is over. */
tb_status call_go_on (Call *call);
/* call.c: ends the call from within its fiber without returning to the plugin. call_fail() was told. */
void call_abandon (Call *call) G_GNUC_NORETURN;
/* redact.c: puts *** for every secret of the connector's settings and every token that the call holds. */
void call_redact (const Call *call, GString *text);
/* services.c: ends the call when it holds more than it may, or would with so many bytes more. */
void call_check_memory (Call *call, gsize more);
/* connector.c: a setting as text ("" when not set; numbers and booleans as written; lists: the index-th, NULL
 * behind the last). */
const char *connector_setting (const Connector *connector, const char *key, gsize index);
/* handles.c: a handle on a document that lives in the call's arena; its nodes are freed with the call. */
const tb_json *handle_new (Call *call, JsonDocument *document, const JsonNode *node, gboolean any_case);

static inline Call *
call_of (tb_call *shown)
{
  return (Call *)shown;
}
