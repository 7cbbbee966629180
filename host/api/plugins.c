/* Plugins: what is installed, as each describes itself, and how its worker does. */
#include "api/routes.h"
#include "api/shapes.h"

static json_object *
worker_to_json (const HubPlugin *plugin)
{
  json_object *json = json_object_new_object ();
  if (plugin->worker) { /* between two of them there is the count alone */
    put_number (json, "pid", plugin->worker->pid);
    put_time (json, "since", plugin->since_ms);
  }
  put_number (json, "restarts", plugin->restarts);
  if (plugin->worker)
    put_number (json, "resident_bytes", plugin->worker->resident_bytes (plugin->worker));
  return json;
}

static const char *
state_of (const PluginInfo *info, const HubPlugin *plugin)
{
  if (info->refused)
    return hub_plugin_state_word (PLUGIN_REFUSED);
  return hub_plugin_state_word (plugin ? plugin->state : PLUGIN_IDLE);
}

static json_object *
to_json (Hub *hub, gconstpointer thing)
{
  const PluginInfo *info = thing;
  const HubPlugin *plugin = hub_plugin (hub, info->name);
  json_object *json = json_object_new_object ();
  put_text (json, "name", info->name);
  put_text (json, "version", info->version);
  put_text (json, "title", info->title);
  put_text (json, "sdk", info->sdk);
  put_text (json, "file", info->file);
  put_text (json, "state", state_of (info, plugin));
  put_text (json, "text", info->refused ? info->refused : plugin ? plugin->trouble : NULL);
  put_boolean (json, "pinned", FALSE);
  if (plugin && (plugin->worker ? plugin->worker->pid != 0 : plugin->restarts > 0))
    json_object_object_add (json, "worker", worker_to_json (plugin));
  if (!info->refused && info->description) {
    json_object_object_foreach (info->description, name, value)
    {
      if (!json_object_object_get_ex (json, name, NULL))
        json_object_object_add (json, name, json_object_get (value));
    }
  }
  return json;
}

void
get_plugins (Request *request)
{
  GArray *list = named_new ();
  Plugins *installed = hub_plugins (request->hub);
  GPtrArray *all = installed ? plugins_all (installed) : NULL;
  for (guint i = 0; all && i < all->len; i++)
    named_add (list, ((const PluginInfo *)all->pdata[i])->name, all->pdata[i]);
  request_answer_named (request, list, to_json);
}

void
get_plugin (Request *request)
{
  Plugins *installed = hub_plugins (request->hub);
  const PluginInfo *info = installed ? plugins_find (installed, request->vars[0]) : NULL;
  if (info)
    request_answer (request, answer_json (200, to_json (request->hub, info)));
  else
    request_refuse (request,
                    problem_new (404, "no_plugin", "no plugin \"%s\" is installed", request->vars[0]));
}
