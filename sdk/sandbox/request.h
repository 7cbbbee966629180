/* One HTTP request as it came in: HTTP/1.0 and 1.1, bodies with a length or in chunks. Names and values stay
 * as they were sent, because what a plugin really sends is what the sandbox is asked about. */
#pragma once
#include <glib.h>

enum { REQUEST_HEAD_BYTES = 64 << 10, REQUEST_BODY_BYTES = 16 << 20 };

typedef struct {
  char *name, *value;
} RequestHeader;

typedef struct {
  char *method, *path,
    *query;        /* path and query as sent, still percent-encoded; query "" when there is none */
  GArray *headers; /* RequestHeader */
  GString *body;
  gboolean keep_alive;
} Request;

typedef enum { REQUEST_MORE, REQUEST_DONE, REQUEST_BAD } RequestParse;

/* Reads one request from the start of in. REQUEST_DONE: *used bytes belonged to it. REQUEST_MORE: *expects
 * tells whether the client waits for "100 Continue" before it sends the body. */
RequestParse request_parse (const GString *in, Request *request, gsize *used, gboolean *expects);
void request_clear (Request *request);

/* The first header of that name (any case), or NULL. */
const char *request_header (const Request *request, const char *name);

/* A parameter of the query or of a form body, decoded; NULL when absent. Free with g_free(). */
char *request_query (const Request *request, const char *name);
char *request_form (const Request *request, const char *name);

/* Percent-decoded text, plus_is_blank as in forms. NULL when a percent sign is not followed by two hex
 * digits. */
char *request_decode (const char *text, gssize length, gboolean plus_is_blank);
