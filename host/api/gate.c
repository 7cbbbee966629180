/* What is asked of every request before its route sees it. */
#include <arpa/inet.h>
#include <string.h>

#include "api/pages.h"
#include "api/routes.h"
#include "api/server.h"

enum { TRACE_DIGITS = 32, TRACEPARENT_LENGTH = 55 };

/* A page of another origin can make a browser send requests here under a name of its own (DNS rebinding); an
 * address or localhost it cannot claim. */
gboolean
gate_host_is_ours (const char *host)
{
  guint8 address[16];
  g_autofree char *name = NULL;
  if (*host == '[') {
    const char *end = strchr (host, ']');
    if (!end || (end[1] && end[1] != ':'))
      return FALSE;
    name = g_strndup (host + 1, (gsize)(end - host - 1));
    return inet_pton (AF_INET6, name, address) == 1;
  }
  name = g_strndup (host, strcspn (host, ":"));
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
find_route (Request *request, const char *method)
{
  g_autofree char *allow = NULL;
  if (!route_path_read (&request->path, request->target))
    return problem_new (404, "no_route", "there is nothing at %s", request->target);
  request->route = route_find (api_routes, method, &request->path, request->vars, &allow);
  if (request->route)
    return NULL;
  if (!allow)
    return problem_new (404, "no_route", "there is nothing at %s", request->target);
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
  if (request->api->ended || (request->api->stopping && request->route->scope == SCOPE_OPERATE))
    return problem_new (503, "ending", "the daemon is ending; ask again in a moment");
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
