/* Plugins: what is installed, as each describes itself, and how its worker does. */
#include "api/routes.h"
#include "api/shapes.h"

/* What a plugin says of itself is served as it says it (tillbridge-worker --describe). */
static const ShapeMember worker_members[] = {
  { "pid?", "integer", "Absent between two workers.", "812" },
  { "since?", "time", "When it was started." },
  { "restarts", "integer", "How often one was started again.", "0" },
  { "resident_bytes?", "integer", "Its memory.", "18874368" },
  { NULL },
};
static const ShapeMember stream_members[] = {
  { "name", "text", "What it is called.", "products" },
  { "kinds?", "[kind]", "The kinds of records that it brings." },
  { "missing?", "stays|deleted|zero", "What becomes of records that a full pass did not see." },
  { "changes?", "boolean", "It can read what changed alone." },
  { "item_only?", "boolean", "A record follows from its item alone." },
  { "fetch?", "boolean", "One record can be asked for." },
  { "every_s?", "integer", "How often it is read.", "900" },
  { "least_s?", "integer", "The least time between two passes.", "60" },
  { "full_every_s?", "integer", "How often everything is read.", "1800" },
  { "overlap_s?", "integer", "How far back a pass of changes looks again.", "300" },
  { "deadline_s?", "integer", "How long a page may take.", "120" },
  { "when?", "text", "Which settings it needs." },
  { "help?", "text", "For people." },
  { NULL },
};
static const ShapeMember setting_members[] = {
  { "key", "text", "As it stands in a drop-in.", "dispensary" },
  { "type", "text|secret|integer|decimal|boolean|choice|url|duration|text_list|secret_list",
    "What it takes." },
  { "required?", "boolean", "It has to be there." },
  { "default?", "text", "What it is without it." },
  { "choices?", "[text]", "The words that it takes." },
  { "least?", "integer", "The least value, or length." },
  { "most?", "integer", "The greatest value, or length." },
  { "when?", "text", "Which other settings it goes with." },
  { "help?", "text", "For people." },
  { NULL },
};
static const ShapeMember pace_members[] = {
  { "per_second?", "number", "Requests a second.", "5" },
  { "burst?", "integer", "At once, after a pause.", "10" },
  { "at_once?", "integer", "Under way at a time.", "2" },
  { "per_month?", "integer", "In a calendar month." },
  { NULL },
};
static const ShapeMember endpoint_members[] = {
  { "name", "text", "What it is called.", "api" },
  { "url?", "text", "With settings put in.", "{url}/v2.0/dispensary/{dispensary}" },
  { "when?", "text", "Which settings it goes with." },
  { "pace?", "Pace", "How fast it is asked." },
  { "timeout_s?", "integer", "Of one request.", "60" },
  { "account?", "[text]", "The settings that say whose quota it is." },
  { NULL },
};
static const ShapeMember plugin_members[] = {
  { "name", "text", "As drop-ins name it.", "treez" },
  { "version?", "text", "Its own.", "1.0.0" },
  { "title?", "text", "For people.", "Treez" },
  { "sdk?", "text", "The SDK that it was built with.", "0.1" },
  { "file", "text", "Where it lies." },
  { "state", "running|idle|parked|refused",
    "`idle`: no connector uses it; `parked`: it crashed too often; `refused`: it cannot be loaded." },
  { "text?", "text", "Why it is parked or refused." },
  { "pinned", "boolean", "It stays at this version." },
  { "worker?", "Worker", "The process that runs it." },
  { "help?", "text", "For people." },
  { "docs?", "text", "Where the vendor's API is described." },
  { "mapping?", "integer", "Rises when the same item gives another record." },
  { "capabilities?", "[text]", "What it can.", "[\"catalog\",\"inventory\"]" },
  { "streams?", "[PluginStream]", "What it reads." },
  { "settings?", "[PluginSetting]", "What it takes in a drop-in." },
  { "endpoints?", "[PluginEndpoint]", "Where it asks." },
  { "topics?", "[text]", "What the vendor sends webhooks about." },
  { "doubt?", "{text}", "By what it sends: how a doubt is settled whether it arrived." },
  { NULL },
};
const Shape worker_shape = { "Worker", "The process that runs a plugin.", worker_members },
            plugin_stream_shape = { "PluginStream", "A stream, as its plugin describes it.", stream_members },
            plugin_setting_shape = { "PluginSetting", "A setting of a connector.", setting_members },
            pace_shape = { "Pace", "How fast a vendor is asked.", pace_members },
            plugin_endpoint_shape = { "PluginEndpoint", "Where a plugin asks.", endpoint_members },
            plugin_shape = { "Plugin", "A plugin that is installed.", plugin_members };

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
