#include "worker/describe.h"
#include "worker/endpoint.h"

#include <string.h>

enum { EVERY_S = 300, DEADLINE_S = 120 /* of a stream that does not say them */ };

/* Members that say nothing (NULL, "", 0, no) are left out. */
static void
put_text (json_object *object, const char *name, const char *text)
{
  if (!text || !*text)
    return;
  g_autofree char *valid = g_utf8_make_valid (text, (gssize)strnlen (text, PLUGIN_TEXT_MOST));
  json_object_object_add (object, name, json_object_new_string (valid));
}

static void
put_int (json_object *object, const char *name, gint64 value)
{
  if (value)
    json_object_object_add (object, name, json_object_new_int64 (value));
}

static void
put_bool (json_object *object, const char *name, gboolean value)
{
  if (value)
    json_object_object_add (object, name, json_object_new_boolean (1));
}

static void
put_list (json_object *object, const char *name, json_object *list)
{
  if (json_object_array_length (list))
    json_object_object_add (object, name, list);
  else
    json_object_put (list);
}

static void
add_text (json_object *list, const char *text, gsize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, (gssize)length);
  json_object_array_add (list, json_object_new_string (valid));
}

/* "v2|v3" */
static json_object *
words_of (const char *text)
{
  json_object *list = json_object_new_array ();
  for (const char *at = text; at && *at; at += strspn (at, "|")) {
    gsize length = strcspn (at, "|");
    add_text (list, at, length);
    at += length;
  }
  return list;
}

static json_object *
setting_json (const tb_setting *setting)
{
  static const char *const types[] = { "text",   "secret", "integer",  "decimal",   "boolean",
                                       "choice", "url",    "duration", "text_list", "secret_list" };
  json_object *object = json_object_new_object ();
  put_text (object, "key", setting->key);
  put_text (object, "type", types[setting->type]);
  put_bool (object, "required", setting->required == TB_REQUIRED);
  put_text (object, "default", setting->standard);
  put_list (object, "choices", words_of (setting->choices));
  put_int (object, "least", setting->least);
  put_int (object, "most", setting->most);
  put_text (object, "when", setting->when);
  put_text (object, "help", setting->help);
  return object;
}

static json_object *
pace_json (const tb_pace *pace)
{
  json_object *object = json_object_new_object ();
  if (pace->per_second > 0)
    json_object_object_add (object, "per_second", json_object_new_double (pace->per_second));
  put_int (object, "burst", pace->burst);
  put_int (object, "at_once", pace->at_once);
  put_int (object, "per_month", pace->per_month);
  return object;
}

/* Connectors that agree on these settings share an account. */
static json_object *
account_json (const tb_plugin_info *info, const tb_endpoint *endpoint)
{
  json_object *list = json_object_new_array ();
  g_autoptr (GPtrArray) keys = endpoint_account (info, endpoint);
  for (guint i = 0; i < keys->len; i++)
    add_text (list, keys->pdata[i], strlen (keys->pdata[i]));
  return list;
}

static json_object *
endpoint_json (const tb_plugin_info *info, const tb_endpoint *endpoint)
{
  json_object *object = json_object_new_object ();
  put_text (object, "name", endpoint->name);
  put_text (object, "url", endpoint->url);
  put_text (object, "when", endpoint->when);
  json_object_object_add (object, "pace", pace_json (&endpoint->pace));
  put_int (object, "timeout_s", endpoint->timeout_s);
  put_list (object, "account", account_json (info, endpoint));
  return object;
}

static const struct {
  int bit;
  const char *name;
} kinds[] = { { TB_PRODUCTS, "products" },   { TB_INVENTORY, "inventory" }, { TB_PROMOTIONS, "promotions" },
              { TB_CUSTOMERS, "customers" }, { TB_ORDERS, "orders" },       { TB_MESSAGES, "messages" },
              { TB_INSIGHTS, "insights" } };

static json_object *
stream_json (const tb_stream *stream)
{
  static const char *const missing[] = { "stays", "deleted", "zero" };
  json_object *object = json_object_new_object (), *list = json_object_new_array ();
  put_text (object, "name", stream->name);
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (stream->kinds & kinds[i].bit)
      json_object_array_add (list, json_object_new_string (kinds[i].name));
  put_list (object, "kinds", list);
  put_text (object, "missing", missing[stream->missing]);
  put_bool (object, "changes", stream->changes);
  put_bool (object, "item_only", stream->item_only);
  put_bool (object, "fetch", stream->fetch != NULL);
  put_int (object, "every_s", stream->every_s ? stream->every_s : EVERY_S);
  put_int (object, "least_s", stream->least_s);
  put_int (object, "full_every_s", stream->full_every_s);
  put_int (object, "overlap_s", stream->overlap_s);
  put_int (object, "deadline_s", stream->deadline_s ? stream->deadline_s : DEADLINE_S);
  put_text (object, "when", stream->when);
  put_text (object, "help", stream->help);
  return object;
}

static json_object *
capabilities_json (const tb_plugin_info *info)
{
  json_object *list = json_object_new_array ();
  int all = 0;
  for (guint i = 0; i < info->streams.count; i++)
    all |= info->streams.first[i].kinds;
  const struct {
    gboolean can;
    const char *name;
  } rows[] = { { all & (TB_PRODUCTS | TB_PROMOTIONS), "catalog" },
               { all & TB_INVENTORY, "inventory" },
               { info->customers || all & TB_CUSTOMERS, "customers" },
               { info->orders != NULL, "orders" },
               { info->messages != NULL, "messages" },
               { info->analytics || all & TB_INSIGHTS, "analytics" },
               { info->errors != NULL, "errors" },
               { info->webhooks != NULL, "webhooks" },
               { info->check != NULL, "health" } };
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    if (rows[i].can)
      json_object_array_add (list, json_object_new_string (rows[i].name));
  return list;
}

static void
put_doubt (json_object *object, const char *name, tb_doubt doubt)
{
  static const char *const words[] = { "", "takes_keys", "can_be_asked", "neither" };
  put_text (object, name, words[doubt]);
}

static json_object *
doubt_json (const tb_plugin_info *info)
{
  json_object *object = json_object_new_object ();
  if (info->orders)
    put_doubt (object, "orders", info->orders->doubt);
  if (info->customers)
    put_doubt (object, "customers", info->customers->doubt);
  if (info->messages)
    put_doubt (object, "messages", info->messages->doubt);
  return object;
}

static void
put_rows (json_object *object, const tb_plugin_info *info)
{
  json_object *streams = json_object_new_array (), *settings = json_object_new_array ();
  json_object *endpoints = json_object_new_array (), *topics = json_object_new_array ();
  for (guint i = 0; i < info->streams.count; i++)
    json_object_array_add (streams, stream_json (&info->streams.first[i]));
  for (guint i = 0; i < info->settings.count; i++)
    json_object_array_add (settings, setting_json (&info->settings.first[i]));
  for (guint i = 0; i < info->endpoints.count; i++)
    json_object_array_add (endpoints, endpoint_json (info, &info->endpoints.first[i]));
  for (guint i = 0; info->webhooks && i < info->webhooks->topics.count; i++)
    add_text (topics, info->webhooks->topics.first[i].name, strlen (info->webhooks->topics.first[i].name));
  json_object_object_add (object, "streams", streams);
  json_object_object_add (object, "settings", settings);
  json_object_object_add (object, "endpoints", endpoints);
  put_list (object, "topics", topics);
}

json_object *
describe (const Plugin *plugin)
{
  const tb_plugin_info *info = plugin_info (plugin);
  json_object *object = json_object_new_object ();
  g_autofree char *sdk = g_strdup_printf ("%u.%u", info->major, info->minor);
  put_text (object, "name", info->name);
  put_text (object, "version", info->version);
  put_text (object, "title", info->title ? info->title : info->name);
  put_text (object, "help", info->help);
  put_text (object, "docs", info->docs);
  put_text (object, "sdk", sdk);
  put_int (object, "mapping", info->mapping);
  json_object_object_add (object, "capabilities", capabilities_json (info));
  put_rows (object, info);
  json_object_object_add (object, "doubt", doubt_json (info));
  return object;
}
