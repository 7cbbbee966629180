/* What is asked of every request before its route sees it. */
#include <arpa/inet.h>
#include <string.h>

#include "api/pages.h"
#include "api/routes.h"
#include "api/server.h"

enum { TRACE_DIGITS = 32, TRACEPARENT_LENGTH = 55 };

typedef struct {
  guint hosts, origins, lengths, codings;
} Counts;

static enum MHD_Result
count_header (void *data, enum MHD_ValueKind kind, const char *name, const char *value)
{
  Counts *counts = data;
  const struct {
    const char *name;
    guint *count;
  } rows[] = { { "Host", &counts->hosts },
               { "Origin", &counts->origins },
               { "Content-Length", &counts->lengths },
               { "Transfer-Encoding", &counts->codings } };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    *rows[i].count += g_ascii_strcasecmp (rows[i].name, name) == 0;
  return MHD_YES;
}

/* Whoever stands between a client and us may take the other one of two headers. RFC 9112, 3.2 and 6.3. */
Problem *
gate_framing (Request *request)
{
  Counts counts = { 0 };
  MHD_get_connection_values (request->connection, MHD_HEADER_KIND, count_header, &counts);
  if (counts.hosts > 1 || counts.origins > 1)
    return problem_new (400, "bad_head", "Host and Origin may stand in a request once");
  if (counts.hosts == 0 && request->chunked)
    return problem_new (400, "bad_head", "a request of HTTP/1.1 needs a Host");
  const char *coding = request_header (request, "Transfer-Encoding");
  if (coding && g_ascii_strcasecmp (coding, "chunked") != 0)
    return problem_new (400, "bad_head", "Transfer-Encoding: %s; only chunked is taken", coding);
  if (counts.lengths + counts.codings > 1)
    return problem_new (400, "bad_head", "Content-Length or Transfer-Encoding may stand in a request, once");
  return NULL;
}

/* "" or ":8420". */
static gboolean
is_port (const char *text)
{
  return !*text || (*text == ':' && strspn (text + 1, "0123456789") == strlen (text + 1));
}

/* A page of another origin can make a browser send requests here under a name of its own (DNS rebinding); an
 * address or localhost it cannot claim. */
gboolean
gate_host_is_ours (const char *host)
{
  guint8 address[16];
  g_autofree char *name = NULL;
  if (*host == '[') {
    const char *end = strchr (host, ']');
    if (!end || !is_port (end + 1))
      return FALSE;
    name = g_strndup (host + 1, (gsize)(end - host - 1));
    return inet_pton (AF_INET6, name, address) == 1;
  }
  gsize length = strcspn (host, ":");
  if (!is_port (host + length))
    return FALSE;
  name = g_strndup (host, length);
  return g_ascii_strcasecmp (name, "localhost") == 0 || inet_pton (AF_INET, name, address) == 1;
}

static gboolean
origin_is_known (const Request *request, const char *origin, const char *host)
{
  const Config *config = hub_config (request->hub);
  if (config && config->host->origins && g_strv_contains ((const char *const *)config->host->origins, origin))
    return TRUE;
  return host && g_str_has_prefix (origin, "http://") && strcmp (origin + strlen ("http://"), host) == 0;
}

static Problem *
check_caller (Request *request, const char *host, const char *origin)
{
  if (!request->line->listener->path && host && !gate_host_is_ours (host))
    return problem_new (
      403, "foreign_host",
      "Host: %s is neither an IP address nor localhost; ask by address, or put a proxy in front", host);
  if (!origin)
    return NULL;
  if (!origin_is_known (request, origin, host))
    return problem_new (403, "foreign_origin",
                        "Origin: %s may not call this API; add it to `origins` in tillbridge.conf", origin);
  request->origin = g_strdup (origin);
  return NULL;
}

static gboolean
is_json (const char *type)
{
  g_autofree char *word = g_strndup (type, strcspn (type, "; "));
  return g_ascii_strcasecmp (word, "application/json") == 0 ||
         (g_ascii_strncasecmp (word, "application/", 12) == 0 && g_str_has_suffix (word, "+json"));
}

static void
answer_preflight (Request *request, const char *allow)
{
  Answer *answer = answer_new (204, NULL);
  answer_header (answer, "Access-Control-Allow-Methods", allow);
  answer_header (
    answer, "Access-Control-Allow-Headers",
    "authorization, content-type, idempotency-key, if-match, if-none-match, last-event-id, traceparent");
  answer_header (answer, "Access-Control-Max-Age", "600");
  /* Browsers ask before a page of the open net may reach an address such as ours. */
  if (g_strcmp0 (request_header (request, "Access-Control-Request-Private-Network"), "true") == 0)
    answer_header (answer, "Access-Control-Allow-Private-Network", "true");
  request_answer (request, answer);
}

/* The page lies there, as it was sent before. */
static gboolean
answer_ready (Request *request, const char *method)
{
  Pages *pages = request->api->pages;
  if ((strcmp (method, "GET") != 0 && strcmp (method, "HEAD") != 0) || request->api->ended)
    return FALSE;
  Page *page = pages_find (pages, request->target);
  if (!page)
    return FALSE;
  request->route = page_route (page);
  request_answer (request, page_to_answer (pages, page));
  return TRUE;
}

static Problem *
no_route (const Request *request)
{
  return problem_new (404, "no_route", "there is nothing at %s; /v1/openapi.json tells what there is",
                      request->target);
}

static Problem *
find_route (Request *request, const char *method)
{
  g_autofree char *allow = NULL;
  if (!route_path_read (&request->path, request->target))
    return no_route (request);
  request->route = route_find (api_routes, method, &request->path, request->vars, &allow);
  if (request->route)
    return NULL;
  if (!allow)
    return no_route (request);
  if (request->origin && strcmp (method, "OPTIONS") == 0) {
    answer_preflight (request, allow);
    return NULL;
  }
  Answer *answer = problem_to_answer (
    problem_new (405, NULL, "%s is not for %s; it takes %s", method, request->target, allow), request->trace);
  answer_header (answer, "Allow", allow);
  request_answer (request, answer);
  return NULL;
}

Problem *
gate_head (Request *request, const char *method, const char *host, const char *origin,
           const char *content_type)
{
  Problem *problem = check_caller (request, host, origin);
  if (!problem && answer_ready (request, method))
    return NULL;
  if (!problem)
    problem = find_route (request, method);
  if (problem || request->answer)
    return problem;
  if (request->api->stopping && request->route->scope == SCOPE_OPERATE)
    return problem_ending ();
  if (content_type && strcmp (request->route->method, "GET") != 0 && !is_json (content_type))
    return problem_new (415, "not_json", "Content-Type: %s; send application/json", content_type);
  return route_read_query (request->route, request->path.query, request->values);
}

gboolean
gate_read_traceparent (const char *text, char trace[33])
{
  if (strlen (text) < TRACEPARENT_LENGTH || text[2] != '-' || text[35] != '-' || text[52] != '-' ||
      strncmp (text, "ff", 2) == 0 || (text[TRACEPARENT_LENGTH] && strncmp (text, "00", 2) == 0))
    return FALSE;
  gboolean zero = TRUE;
  for (int i = 0; i < TRACE_DIGITS; i++) {
    char digit = text[3 + i];
    if (!g_ascii_isxdigit (digit) || g_ascii_isupper (digit))
      return FALSE;
    zero &= digit == '0';
    trace[i] = digit;
  }
  trace[TRACE_DIGITS] = '\0';
  return !zero;
}

void
gate_put_digits (char *text, guint32 number)
{
  for (int i = 0; i < 8; i++)
    text[i] = "0123456789abcdef"[number >> (28 - 4 * i) & 15];
}

void
gate_trace (Request *request, const char *traceparent)
{
  if (traceparent && gate_read_traceparent (traceparent, request->trace))
    return;
  for (int i = 0; i < TRACE_DIGITS; i += 8)
    gate_put_digits (request->trace + i, g_rand_int (request->api->random));
}
