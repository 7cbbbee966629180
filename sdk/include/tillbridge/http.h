/* Requests, and the description of where they go.
 *
 * A plugin says what it wants of the vendor; address, credentials, pace, repeats and the meaning of answers
 * come from its endpoints (data, at the end of this file). Path formats are printf's, below the endpoint's
 * URL: %s is percent-encoded (RFC 3986, all but unreserved characters),
 * %-s keeps what is in it, %lld and %d are numbers. A NULL behind `?` takes its parameter away; a NULL or
 * empty text in the path part fails the call, so that "/customers/%s" never lists all customers.
 *
 * TB_OK means that the vendor did what was asked, by HTTP status, rules and classify; *answer is then the
 * document (NULL: an empty body). On failure *answer is NULL and the call knows why: hand the status on.
 * Repeats of what may be repeated have happened before that. */
#ifndef TILLBRIDGE_HTTP_H
#define TILLBRIDGE_HTTP_H

#include <tillbridge/call.h>

/* May a request be sent again when its answer was lost? By the method (RFC 9110, 9.2.2): GET, HEAD, PUT,
 * DELETE, OPTIONS may. Where it may not, a lost answer is TB_IN_DOUBT, or inside what only reads
 * TB_SERVICE_UNAVAILABLE. */
typedef enum tb_repeat { TB_REPEAT_BY_METHOD, TB_MAY_REPEAT, TB_MUST_NOT_REPEAT } tb_repeat;

/* All-zero: GET on the first endpoint whose `when` holds. At most one of json, form and body. */
struct tb_request {
  const char *method;   /* NULL: GET */
  const char *endpoint; /* its name; NULL: the first */
  const tb_json *json;
  const tb_form *form;
  tb_bytes body;
  const char *content_type; /* of body */
  TB_LIST_OF (const tb_pair) headers;
  tb_repeat repeat;
  int timeout_s; /* 0: the endpoint's */
  bool bare;     /* no credentials, no token, no signature */
  bool any_body; /* the answer need not be JSON: tb_http_text() */
  uint8_t reserved[6];
  long long from_byte;  /* resume a file there (RFC 9110, 14.2); 0: the beginning */
  long long most_bytes; /* the largest answer taken; 0: the host's ceiling */
  double cost;          /* in the vendor's points (tb_pace_report()); 0: 1 */
};

TB_CHECKED TB_FORMAT (3, 4) static inline tb_status
  tb_get (tb_call *call, const tb_json **answer, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  va_start (arguments, format);
  status = call->host->ask (call, answer, NULL, format, arguments);
  va_end (arguments);
  return status;
}

/* Sends a JSON body. */
TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_post (tb_call *call, const tb_json **answer, const tb_json *body, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  tb_request request;
  memset (&request, 0, sizeof request);
  request.method = "POST";
  request.json = body;
  va_start (arguments, format);
  status = call->host->ask (call, answer, &request, format, arguments);
  va_end (arguments);
  return status;
}

TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_put (tb_call *call, const tb_json **answer, const tb_json *body, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  tb_request request;
  memset (&request, 0, sizeof request);
  request.method = "PUT";
  request.json = body;
  va_start (arguments, format);
  status = call->host->ask (call, answer, &request, format, arguments);
  va_end (arguments);
  return status;
}

TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_post_form (tb_call *call, const tb_json **answer, const tb_form *form, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  tb_request request;
  memset (&request, 0, sizeof request);
  request.method = "POST";
  request.form = form;
  va_start (arguments, format);
  status = call->host->ask (call, answer, &request, format, arguments);
  va_end (arguments);
  return status;
}

/* Any other request. */
TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_ask (tb_call *call, const tb_json **answer, const tb_request *request, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  va_start (arguments, format);
  status = call->host->ask (call, answer, request, format, arguments);
  va_end (arguments);
  return status;
}

/* A link as the vendor wrote it, absolute or relative to the endpoint. To another host it goes without
 * credentials. request: as in tb_ask(), or NULL. */
TB_CHECKED
static inline tb_status
tb_follow (tb_call *call, const tb_json **answer, const tb_request *request, const char *link)
{
  return call->host->follow (call, answer, request, link);
}

/* ---- answers that are read while they arrive ----
 * `where`: the path of the array, ending in "[]": "data.product_list[]"; "[]" is a bare array; TB_LINES is
 * JSON lines. Items come one at a time and are gone when the next one comes, so memory is bounded by the
 * largest of them. A body that breaks off, or that a rule refuses at its end, fails the call by itself,
 * whatever the function returns. */
#define TB_LINES "\n"

TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_get_items (tb_call *call, tb_items **items, const char *where, const char *format, ...)
{
  va_list arguments;
  tb_status status;
  va_start (arguments, format);
  status = call->host->ask_items (call, items, where, NULL, format, arguments);
  va_end (arguments);
  return status;
}

TB_CHECKED TB_FORMAT (5, 6) static inline tb_status
  tb_ask_items (tb_call *call, tb_items **items, const char *where, const tb_request *request,
                const char *format, ...)
{
  va_list arguments;
  tb_status status;
  va_start (arguments, format);
  status = call->host->ask_items (call, items, where, request, format, arguments);
  va_end (arguments);
  return status;
}

TB_CHECKED
static inline tb_status
tb_follow_items (tb_call *call, tb_items **items, const char *where, const tb_request *request,
                 const char *link)
{
  return call->host->follow_items (call, items, where, request, link);
}

static inline const tb_json *
tb_next_item_ (tb_items *items)
{
  return items == NULL ? NULL : items->host->items_next (items);
}

/* Each item: `TB_EACH (p, items) TB_TRY (emit_product (call, p));`. An item whose bytes the host knows from
 * the last pass may be left out, where the stream is item_only. So may all of a page: in full passes the host
 * asks by itself whether it has changed (If-None-Match, If-Modified-Since; RFC 9110, 13.1), and sees it when
 * the same packed bytes come. Then no item comes, and what is told of the page (tb_seen(), tb_rest(),
 * tb_offset(), tb_http_status(), and headers that a 304 does not say) is what was told last time. Take the
 * next page's place from there, not from an item. */
#define TB_EACH(item, items) for (const tb_json *item = NULL; (item = tb_next_item_ (items)) != NULL;)

/* The document without the array: totals, next links. Reads to the end first. */
static inline const tb_json *
tb_rest (tb_items *items)
{
  return items == NULL ? NULL : items->host->items_rest (items);
}

/* How many items came so far, those included that the host knew. */
static inline long long
tb_seen (tb_items *items)
{
  return items == NULL ? 0 : items->host->items_seen (items);
}

/* The byte behind the last item, counted in the whole file: for from_byte. */
static inline long long
tb_offset (tb_items *items)
{
  return items == NULL ? 0 : items->host->items_offset (items);
}

/* ---- the last answer of this call, whatever it was ----
 * Of a page of items from when tb_get_items() returns until the call asks for something else: keep what is
 * wanted of it (a header with the next page's place) before that. */

/* 0: none came. */
static inline int
tb_http_status (tb_call *call)
{
  return call->host->http_status (call);
}

/* Names in any case; NULL: none. */
static inline const char *
tb_http_header (tb_call *call, const char *name)
{
  return call->host->http_header (call, name);
}

/* Its body; NULL: none, or it was read as items. */
static inline const char *
tb_http_text (tb_call *call)
{
  return call->host->http_text (call);
}

/* ---- forms (application/x-www-form-urlencoded) ---- */

static inline tb_form *
tb_form_new (tb_call *call)
{
  return call->host->form_new (call);
}

/* A value of NULL is skipped; a name may come again. Both are copied. */
static inline void
tb_form_add (tb_form *form, const char *name, const char *value)
{
  if (value != NULL)
    form->host->form_add (form, name, value);
}

/* ---- endpoints: where requests go, as data ----
 * Templates: text with {setting}, {setting|what stands there when that is not set}, and {token}, what
 * `authorize` was given. Percent-encoded in a URL's path and query, as it is in a header. */

typedef enum tb_place { TB_HEADER = 1, TB_QUERY, TB_BASIC } tb_place;

/* { TB_HEADER, "Authorization", "Bearer {token}" }, { TB_QUERY, "key", "{api_key}" }, { TB_BASIC,
 * "{account}", "{secret}" } (RFC 7617: name and value are user and password) */
typedef struct tb_credential {
  tb_place place;
  const char *name, *value, *when;
} tb_credential;

/* What an answer means. The first row that fits counts; none fits: by the HTTP status, as beside tb_status.
 * { 400, "resultReason", "TICKET_NOT_FOUND", TB_NOT_FOUND }. Neither path nor value: whatever the body, {
 * 403, NULL, NULL, TB_AUTHENTICATION_ERROR }. */
typedef struct tb_rule {
  int http;          /* the status; 0: any */
  const char *path;  /* of the body's JSON; NULL: its text; "data.*.errors[0]": any member */
  const char *value; /* as text: "false", "7"; "*x*": contains x. NULL: it says something: not null, false,
                      * "", [] or {} */
  tb_status status;
  tb_why why;
} tb_rule;

/* Headers that say how much is left, or how long to wait. Retry-After (RFC 9110, 10.2.3) is always
 * understood. */
typedef enum tb_limit_type { TB_WAIT_S = 1, TB_WAIT_MS, TB_LEFT, TB_CEILING, TB_RESET_S } tb_limit_type;

typedef struct tb_limit {
  const char *header;
  tb_limit_type type;
  uint32_t reserved;
} tb_limit;

/* How often the vendor may be asked, for all connectors of one account. By value in tb_endpoint: frozen. */
typedef struct tb_pace {
  double per_second;   /* 0: as often as one likes */
  int burst;           /* 0: 1 */
  int at_once;         /* requests under way at the same time; 0: any number */
  long long per_month; /* where calls are billed; 0: any number */
} tb_pace;
TB_STATIC_ASSERT (sizeof (tb_pace) == 24 && offsetof (tb_pace, per_month) == 16, "tb_pace is frozen");

/* What authorize fills. */
typedef struct tb_token {
  const char *access;
  const char *refresh; /* in: the last one; out: a new one, which is made durable before it is used */
  long long lasts_s;   /* from now; 0: until it is refused */
} tb_token;

/* What classify is shown. */
typedef struct tb_response {
  tb_status verdict; /* of status and rules */
  int status;        /* HTTP */
  const tb_json *json;
  const char *method, *url;
} tb_response;

/* What sign is shown: the request as it will be sent. */
struct tb_outgoing {
  const tb_host *host;
  const char *method, *url;
  tb_bytes body;
};

/* An address of the vendor. Two rows with one URL and other paces are two classes of pace. Connectors share
 * an account, which is its pace and its token, when they agree on all settings that are named in url and
 * credentials and, where authorize or sign is given, on all required settings and secrets. */
typedef struct tb_endpoint {
  const char *name, *url; /* "api", "{url}/v2.0/dispensary/{dispensary}" */
  const char *when;       /* "generation=v3", or "auth_token" (it is set); NULL: always */
  TB_LIST_OF (const tb_credential) credentials;
  TB_LIST_OF (const tb_rule) rules;
  TB_LIST_OF (const tb_limit) limits;
  const char *words; /* where the vendor's words of a failure are: "errors[0].message|detail" */
  tb_pace pace;      /* a drop-in may say another */
  int timeout_s;     /* of one request; 0: 30 */
  bool any_case;     /* names in its JSON are matched without case */
  uint8_t reserved[3];
  /* Asks the vendor for a token; the host keeps it, renews it early, and runs one at a time for all calls of
   * the account. Its requests carry no {token}; any refusal in it is TB_AUTHENTICATION_ERROR. NULL: none is
   * needed. */
  tb_status (*authorize) (tb_call *, tb_token *);
  /* Adds what must be computed of each single try, with tb_sign_header(): it is called when the request's
   * turn has come, right before it leaves. What the vendor refuses with TB_AUTHENTICATION_ERROR is signed
   * and sent once more, since it may have been too late (of a page that refuses with 200, where no item
   * came). Makes no requests. url is whole, as it is sent: scheme, host, path and query, percent-encoded. */
  tb_status (*sign) (tb_call *, tb_outgoing *);
  /* The last word on an answer where rows cannot say it: returns response->verdict, or better. With
   * tb_fail (call, verdict, ...) it adds words for the operator, before those of the vendor. Makes no
   * requests. */
  tb_status (*classify) (tb_call *, const tb_response *);
} tb_endpoint;

/* For sign: a header of the request. Both are copied. */
static inline void
tb_sign_header (tb_outgoing *request, const char *name, const char *value)
{
  request->host->sign_header (request, name, value);
}

/* For classify: the vendor counts in points; so many are left, of so many, and so many come back a second. */
struct tb_points {
  double left, ceiling, per_second;
};

static inline void
tb_pace_report (tb_call *call, const tb_points *points)
{
  call->host->pace_report (call, points);
}

/* The vendor wants to be left alone so long. */
static inline void
tb_retry_in (tb_call *call, long long ms)
{
  call->host->retry_in (call, ms);
}

#endif
