/* Routes as data: from one table come dispatch, the checking of parameters and bodies, 405 with Allow, the
 * metrics' label and the description of the API (openapi.c). What is in here is pure: nothing of the hub,
 * nothing of the server. */
#pragma once
#include <glib.h>
#include "api/problem.h"

enum {
  ROUTE_PARAMS_MOST = 16,
  ROUTE_VARS_MOST = 3,
  ROUTE_SEGMENTS_MOST = 8,
  ROUTE_ANSWERS_MOST = 3,
  ROUTE_REFUSALS_MOST = 6,
  LIST_LIMIT = 100,
  LIST_LIMIT_MOST = 1000,
  LIST_WORDS_MOST = 1000, /* of id=a,b,c */
};

typedef struct Request Request;

typedef enum {
  PARAM_TEXT,
  PARAM_BOOLEAN,
  PARAM_LIMIT,     /* 1 to LIST_LIMIT_MOST */
  PARAM_SEQ,       /* a place in the feed */
  PARAM_TIME,      /* RFC 3339 with an offset; or an age such as 10m */
  PARAM_WORDS,     /* a,b,c */
  PARAM_KINDS,     /* words of the model's kinds; bits */
  PARAM_CHOICE,    /* one of choices */
  PARAM_DURATION,  /* 30s */
  PARAM_SEARCH,    /* a text with words to look for */
  PARAM_PHONE,     /* E.164 */
  PARAM_CONNECTOR, /* store/name; below a store the bare name too */
  PARAM_CURSOR
} ParamType;

typedef struct {
  const char *name;
  ParamType type;
  const char *const *choices; /* ends with NULL */
  const char *help;
  const char *example; /* as it would be said; NULL: the type says enough */
} RouteParam;

typedef struct {
  gboolean said;
  char *text;    /* as it was said, decoded */
  char **words;  /* PARAM_WORDS */
  gint64 number; /* PARAM_BOOLEAN, PARAM_LIMIT, PARAM_SEQ; PARAM_TIME: milliseconds since 1970, or of age;
                    PARAM_DURATION: milliseconds */
  gboolean age;  /* PARAM_TIME */
  guint bits;    /* PARAM_KINDS */
} RouteValue;

typedef enum { SCOPE_OPEN, SCOPE_READ, SCOPE_OPERATE } RouteScope;

/* An answer that is no refusal. One status may have several, with other types of body. */
typedef struct {
  guint16 status; /* 0: the end */
  /* Of the body, by its name (json/shape.h): "Product"; "[Product]": a page of them. Where the type is not
   * JSON: of each line or event. NULL: a text, or nothing. */
  const char *shape;
  const char *type; /* of the body; NULL: application/json, or none where there is no shape either */
  const char *help; /* NULL: the route's */
} RouteAnswer;

/* A row: method, pattern and what handles it; the rest by name, so that a row says only what it has. */
typedef struct {
  const char *method, *pattern; /* "/v1/stores/{store}" */
  void (*handle) (Request *request);
  RouteScope scope;
  const char *id;           /* what generated clients call it: "listProducts" */
  const char *tag;          /* what it belongs to; api_tags has a word on each */
  const char *help, *more;  /* one line; and what else there is to know, NULL: nothing */
  int kind;                 /* of records, for routes that differ in that alone */
  const RouteParam *params; /* ends with a NULL name; NULL: none */
  const RouteParam *body;   /* members of the JSON body */
  const char *takes;        /* the shape of a body that the handler reads itself */
  gboolean etag;            /* its 200 has one, and If-None-Match gets 304 */
  gboolean if_match;        /* If-Match is heeded: 412 */
  RouteAnswer answers[ROUTE_ANSWERS_MOST + 1];
  /* The statuses of its refusals, beside those that every route has: 400, 403, 431, 500, 503; 404 where the
   * path has a {..}, 413 and 415 where there may be a body. Ends with 0. */
  guint16 refusals[ROUTE_REFUSALS_MOST + 1];
} Route;

/* A request's target, cut into decoded segments. */
typedef struct {
  char *segments[ROUTE_SEGMENTS_MOST];
  guint count;
  const char *query; /* behind the question mark, as it came; "" */
} RoutePath;

/* FALSE: too long, a bad escape, or not UTF-8. */
gboolean route_path_read (RoutePath *path, const char *target);
void route_path_clear (RoutePath *path);

/* The route of a table (ends with a NULL method). NULL: *allow (g_free) lists the methods that the path has,
 * or is NULL when there is no such path. vars: the segments that stand for {..}, in order, owned by path. */
const Route *route_find (const Route *table, const char *method, const RoutePath *path,
                         const char *vars[ROUTE_VARS_MOST], char **allow);

/* Reads query and body into values, one for each of params and body in the table's order. NULL when all is
 * well. */
Problem *route_read_query (const Route *route, const char *query, RouteValue *values);
Problem *route_read_body (const Route *route, const char *bytes, gsize length, RouteValue *values);
void route_values_clear (RouteValue *values);
/* Of a parameter or a member that the route has. */
const RouteValue *route_value (const Route *route, const RouteValue *values, const char *name);

/* The target with its cursor replaced: for Link. Free with g_free(). */
char *route_next_target (const char *target, const char *cursor);
/* Percent escapes resolved; NULL when it is not UTF-8 or holds a NUL. plus: "+" is a blank. */
char *route_decode (const char *text, gsize length, gboolean plus);
