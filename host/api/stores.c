/* Stores: their state in a sentence, who serves what, and how fresh each stream is. */
#include "api/routes.h"
#include "api/shapes.h"

static const ShapeMember connector_members[] = {
  { "name", "text", "Within the store.", "pos" },
  { "plugin", "text", "Which vendor's.", "treez" },
  { "state", "ok|late|failing|paused|off", "How it does." },
  { NULL },
};
static const ShapeMember freshness_members[] = {
  { "connector", "text", "The connector's name.", "pos" },
  { "stream", "text", "What is read.", "products" },
  { "as_of?", "time", "Everything that the vendor had then is here; absent: it was never read." },
  { "age_s?", "integer", "What is served is no older than this.", "1140" },
  { "promise_s", "integer", "How often it is read.", "900" },
  { NULL },
};
static const ShapeMember store_members[] = {
  { "id", "text", "As its drop-in names it.", "downtown" },
  { "name", "text", "For people.", "Downtown" },
  { "timezone", "text", "An IANA zone.", "America/Los_Angeles" },
  { "currency", "text", "ISO 4217.", "USD" },
  { "state", "ok|late|failing|paused|off", "The worst of its connectors." },
  { "text", "text", "The state in a sentence.", "Products are 4 min late." },
  { "catalogue?", "text", "The connector whose products are the store's.", "pos" },
  { "orders?", "text", "The connector that takes its orders.", "pos" },
  { "customers?", "text", "The connector that holds its customers.", "pos" },
  { "messages?", "[text]", "Connectors that send texts: the first choice, then others.", "[\"sms\"]" },
  { "analytics?", "[text]", "Connectors that are told of events.", "[\"events\"]" },
  { "errors?", "[text]", "Connectors that are told of errors.", "[\"shared/airbrake\"]" },
  { "connectors", "[StoreConnector]", "All of the store's connectors, in short." },
  { "freshness", "[Freshness]", "One for each stream that runs." },
  { NULL },
};
const Shape store_connector_shape = { "StoreConnector", "A connector in short.", connector_members },
            freshness_shape = { "Freshness", "How fresh a stream is.", freshness_members },
            store_shape = { "Store", "A store: who serves what, and how fresh it is.", store_members };

static json_object *
words_to_json (char **words)
{
  json_object *list = json_object_new_array ();
  for (guint i = 0; words && words[i]; i++)
    json_object_array_add (list, json_object_new_string (words[i]));
  return list;
}

static void
put_words (json_object *object, const char *name, char **words)
{
  if (words && *words)
    json_object_object_add (object, name, words_to_json (words));
}

static json_object *
connector_in_short (const HubConnector *connector)
{
  json_object *json = json_object_new_object ();
  Reason reason;
  put_text (json, "name", connector->name);
  put_text (json, "plugin", connector->plugin->name);
  put_text (json, "state", hub_connector_state_word (hub_connector_state (connector, &reason)));
  return json;
}

static json_object *
freshness_of (Hub *hub, const HubStream *stream)
{
  json_object *json = json_object_new_object ();
  put_text (json, "connector", stream->connector->name);
  put_text (json, "stream", stream->name);
  put_time (json, "as_of", stream->as_of_ms);
  if (stream->as_of_ms)
    put_number (json, "age_s", MAX (0, hub_wall_ms (hub) - stream->as_of_ms) / 1000);
  put_number (json, "promise_s", stream->every_ms / 1000);
  return json;
}

json_object *
store_to_json (Hub *hub, const HubStore *store)
{
  const ConfigStore *config = store->config;
  json_object *json = json_object_new_object (), *connectors = json_object_new_array (),
              *freshness = json_object_new_array ();
  g_autofree char *text = NULL;
  const char *state = hub_connector_state_word (hub_store_state (store, &text));
  put_text (json, "id", config->id);
  put_text (json, "name", config->name);
  put_text (json, "timezone", config->timezone);
  put_text (json, "currency", config->currency);
  put_text (json, "state", state);
  put_text (json, "text", text);
  put_text (json, "catalogue", config->catalogue);
  put_text (json, "orders", config->orders);
  put_text (json, "customers", config->customers);
  put_words (json, "messages", config->messages);
  put_words (json, "analytics", config->analytics);
  put_words (json, "errors", config->errors);
  for (guint c = 0; c < store->connectors->len; c++) {
    const HubConnector *connector = store->connectors->pdata[c];
    json_object_array_add (connectors, connector_in_short (connector));
    for (guint s = 0; s < connector->streams->len; s++) {
      const HubStream *stream = connector->streams->pdata[s];
      if (!stream->off)
        json_object_array_add (freshness, freshness_of (hub, stream));
    }
  }
  json_object_object_add (json, "connectors", connectors);
  json_object_object_add (json, "freshness", freshness);
  return json;
}

static json_object *
to_json (Hub *hub, gconstpointer store)
{
  return store_to_json (hub, store);
}

void
get_stores (Request *request)
{
  GPtrArray *stores = hub_stores (request->hub);
  GArray *list = named_new ();
  for (guint i = 0; i < stores->len; i++)
    named_add (list, ((HubStore *)stores->pdata[i])->config->id, stores->pdata[i]);
  request_answer_named (request, list, to_json);
}

void
get_store (Request *request)
{
  HubStore *store = request_store (request);
  if (store)
    request_answer (request, answer_json (200, store_to_json (request->hub, store)));
}
