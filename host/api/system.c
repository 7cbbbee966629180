/* The daemon itself: health, readiness, metrics, reload. */
#include "api/routes.h"
#include "api/server.h"

static const ShapeMember status_members[] = {
  { "status", "text", "`ok`, `ready`.", "ok" },
  { NULL },
};
const Shape status_shape = { "Status", "That it does.", status_members };

static void
reloaded (json_object *plan, gpointer data)
{
  Request *request = pending_take (data);
  if (request)
    request_answer (request, answer_json (200, json_object_get (plan)));
}

void
post_reload (Request *request)
{
  gboolean dry = request_value (request, "dry_run")->number != 0;
  reloader_reload (api_reloader (request->api), dry, reloaded, request_wait (request));
}

void
get_health (Request *request)
{
  json_object *body = json_object_new_object ();
  put_text (body, "status", "ok");
  request_answer (request, answer_json (200, body));
}

void
get_ready (Request *request)
{
  g_autofree char *awaits = NULL;
  if (!hub_ready (request->hub, &awaits)) {
    request_refuse (request, problem_new (503, "not_ready", "%s", awaits));
    return;
  }
  json_object *body = json_object_new_object ();
  put_text (body, "status", "ready");
  request_answer (request, answer_json (200, body));
}

void
get_metrics (Request *request)
{
  Answer *answer = answer_new (200, "text/plain; version=0.0.4; charset=utf-8");
  g_autofree char *text = hub_metrics_text (request->hub);
  answer_put (answer, text);
  request_answer (request, answer);
}
