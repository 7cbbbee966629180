/* What the files of the worker share: the worker, its connectors and calls. Each has one owner, named beside it. */
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
typedef struct Http Http;           /* http.h */
typedef struct Endpoint Endpoint;   /* endpoint.h: one endpoint of one connector */
typedef struct Plugin Plugin;       /* loader.h */

/* Memory of one call (for a pull: of one page): all goes at once. arena.c */
typedef struct Arena Arena;
Arena *arena_new (void);
void arena_free (Arena *arena);
void arena_reset (Arena *arena); /* empty again, the first block kept */
void *arena_alloc (Arena *arena, gsize size) G_GNUC_MALLOC; /* zeroed, 16-byte aligned */
char *arena_strndup (Arena *arena, const char *text, gsize length);
char *arena_vprintf (Arena *arena, const char *format, va_list args);

struct Worker {
  Loop *loop;
  Plugin *plugin;
  Fibers *fibers;
  Http *http;
  struct Accounts *accounts; /* account.c */
  WireEnd *end;
  GHashTable *connectors; /* number (guint64 *) -> Connector */
  GHashTable *calls;      /* number (guint64 *) -> Call */
};

struct Connector { /* connector.c */
  Worker *worker;
  guint64 number;
  char *name;             /* "downtown/pos" */
  char *store_id, *timezone, *currency;
  GTimeZone *zone;
  guint64 seed;
  json_object *settings;  /* key -> value, as CONNECT brought them; "url" too */
  gint64 timeout_ms;      /* 0: the endpoint's */
  char *proxy;            /* NULL: none */
  gboolean allow_private;
  double per_second;      /* pace of the drop-in; 0: the endpoint's */
  int burst, at_once;
  GPtrArray *endpoints;   /* Endpoint, for rows whose `when` holds; made by endpoint.c */
};

struct Call { /* call.c */
  tb_call shown;          /* first: what the plugin holds */
  Worker *worker;
  Connector *connector;
  Fiber *fiber;
  Arena *arena;
  guint64 number;
  char *id;               /* "call_01JN..." */
  const char *operation;  /* "pull" "fetch" "check" */
  const char *urgency;    /* "orders" "messages" "webhooks" "sync" */
  gint64 deadline_ms;     /* loop_now_ms() */
  gboolean cancelled;
  gboolean reading;       /* pull, fetch, find, refresh, check: nothing can be in doubt */
  gboolean authorizing;   /* inside authorize: no token, every refusal is TB_AUTHENTICATION_ERROR */
  /* how it failed: set by call_fail(), read at the end */
  tb_why why;
  char *detail;           /* in the arena */
  gint64 retry_ms;        /* what the vendor asked to wait, 0: nothing */
  /* the last answer: http.c, endpoint.c */
  int http_status;
  struct EndpointHeaders *headers;
  struct EndpointStream *streams; /* those not closed yet; endpoint_call_ends() closes them */
  struct Endpoint *judged;        /* whose answer `classify` is looking at, NULL: none */
  const char *http_text;
  guint requests;
};

/* call.c: notes how the call fails and gives the status back, so that `return call_fail (...)` reads well. */
tb_status call_fail (Call *call, tb_status status, tb_why why, const char *format, ...) G_GNUC_PRINTF (4, 5);
/* call.c: parks the fiber until something wakes it, the call is cancelled or at_ms (loop time) has come. TB_CANCELLED when the call is over. */
tb_status call_wait (Call *call, gint64 at_ms);
/* call.c: a setting as text ("" when not set; numbers and booleans as written; lists: the index-th, NULL behind the last). */
const char *connector_setting (const Connector *connector, const char *key, gsize index);
/* handles.c: a handle on a document that lives in the call's arena. */
const tb_json *handle_new (Call *call, JsonDocument *document, const JsonNode *node, gboolean any_case);

static inline Call *
call_of (tb_call *shown)
{
  return (Call *) shown;
}
