/* An answer on its way: status, headers and the body, which is handed on without a copy. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include "api/etag.h"
#include "json/json.h"

/* Kept, and asked about each time; by whom it was for alone. */
#define CACHE_ASK "no-cache"
#define CACHE_PRIVATE "private, no-cache"

typedef struct {
  guint status;
  const char *type; /* of the body; static */
  JsonBuffer body;
  GBytes *shared;        /* instead of body, when many are given the same */
  struct Stream *stream; /* instead of body: stream.h */
  GPtrArray *headers;    /* name, value, name, value; NULL: none */
  GRefString *next;      /* Link; NULL: none */
  char etag[ETAG_SIZE];  /* of what is served, "": of the whole body where the route says that it has one */
  const char *cache;     /* Cache-Control of what has a tag; static, NULL: CACHE_ASK */
} Answer;

Answer *answer_new (guint status, const char *type);
Answer *answer_json (guint status, json_object *body);  /* takes body */
Answer *answer_shared (const char *type, GBytes *body); /* 200; keeps a reference until it is sent */
void answer_free (Answer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Answer, answer_free)

void answer_header (Answer *answer, const char *name, const char *value);
void answer_put (Answer *answer, const char *text);      /* as it stands */
void answer_put_text (Answer *answer, const char *text); /* quoted; not UTF-8: what can be saved */
void answer_put_time (Answer *answer, gint64 ms);        /* quoted */

/* For members of json-c objects; what was not said is left out. */
void put_text (json_object *object, const char *name, const char *text);
void put_time (json_object *object, const char *name, gint64 ms); /* 0: not said */
void put_number (json_object *object, const char *name, gint64 number);
void put_boolean (json_object *object, const char *name, gboolean value);
