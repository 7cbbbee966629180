#include "api/request.h"

#include <string.h>

#include "api/cursor.h"

const RouteValue *
request_value (const Request *request, const char *name)
{
  return route_value (request->route, request->values, name);
}

const char *
request_text (const Request *request, const char *name)
{
  return request_value (request, name)->text;
}

guint
request_limit (const Request *request)
{
  const RouteValue *limit = request_value (request, "limit");
  return limit->said ? (guint)limit->number : LIST_LIMIT;
}

gint64
request_time (const Request *request, const char *name)
{
  const RouteValue *value = request_value (request, name);
  if (!value->said)
    return 0;
  return MAX (1, value->age ? hub_wall_ms (request->hub) - value->number : value->number);
}

guint64
request_seed (const Request *request)
{
  return store_seed (hub_storage (request->hub));
}

void
request_refuse (Request *request, Problem *problem)
{
  request_answer (request, problem_to_answer (problem, request->trace));
}

static guint
status_of (const GError *error)
{
  if (error->domain == STORE_ERROR)
    return error->code == STORE_ERROR_FULL ? 503 : 500;
  if (error->domain != HUB_ERROR)
    return 500;
  switch ((HubError)error->code) {
  case HUB_ERROR_NOT_FOUND:
    return 404;
  case HUB_ERROR_CONFLICT:
    return 409;
  case HUB_ERROR_UNSUPPORTED:
    return 501;
  case HUB_ERROR_UNAVAILABLE:
    return 503;
  case HUB_ERROR_DIFFERS:
    return 412;
  case HUB_ERROR_TOO_MANY:
    return 422;
  }
  return 500;
}

void
request_fail (Request *request, const GError *error)
{
  guint status = status_of (error);
  gboolean full = g_error_matches (error, STORE_ERROR, STORE_ERROR_FULL);
  if (status == 500)
    log_line (LOG_ERROR, NULL, "%s: %s", request->target, error->message);
  gboolean many = g_error_matches (error, HUB_ERROR, HUB_ERROR_TOO_MANY);
  Problem *problem = problem_new (status,
                                  full   ? "disk_full"
                                  : many ? "too_many_overrides"
                                         : NULL,
                                  "%s", error->message);
  request_refuse (request, problem);
}

void
request_end_list (Request *request, Answer *answer, const char *next, gint64 as_of_ms)
{
  answer_put (answer, "]");
  if (next) {
    g_autofree char *target = route_next_target (request->target, next);
    g_autofree char *link = g_strdup_printf ("<%s>; rel=\"next\"", target);
    answer_header (answer, "Link", link);
    answer_put (answer, ",\"next\":");
    answer_put_text (answer, next);
  }
  if (as_of_ms) {
    answer_put (answer, ",\"as_of\":");
    answer_put_time (answer, as_of_ms);
  }
  answer_put (answer, "}");
  request_answer (request, answer);
}

void
request_bad_cursor (Request *request)
{
  Problem *problem =
    problem_new (400, "bad_cursor", "cursor is not one that this list gave as `next`, with the same filters");
  problem_add (problem, "cursor", "bad_cursor", "begin again without it");
  request_refuse (request, problem);
}

HubStore *
request_store (Request *request)
{
  HubStore *store = hub_store (request->hub, request->vars[0]);
  if (store)
    return store;
  GPtrArray *stores = hub_stores (request->hub);
  g_autofree const char **names = g_new0 (const char *, stores->len + 1);
  for (guint i = 0; i < stores->len; i++)
    names[i] = ((HubStore *)stores->pdata[i])->config->id;
  g_autofree char *hint = did_you_mean (request->vars[0], names);
  request_refuse (request,
                  problem_new (404, "no_store", "there is no store \"%s\"%s", request->vars[0], hint));
  return NULL;
}

gboolean
request_connector_label (Request *request, char **label)
{
  const char *said = request_text (request, "connector");
  *label = NULL;
  if (!said)
    return TRUE;
  const char *slash = strchr (said, '/');
  if (slash && slash > said && slash[1] && !strchr (slash + 1, '/')) {
    *label = g_strdup (said);
    return TRUE;
  }
  Problem *problem = problem_new (400, "not_a_connector", "connector=%s: expected store/name", said);
  problem_add (problem, "connector", "not_a_connector", "write it as store/name, such as downtown/pos");
  request_refuse (request, problem);
  return FALSE;
}
