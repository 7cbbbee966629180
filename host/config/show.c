/* The effective configuration for people:
 * {"host":{"file","settings":{key:
 * value}},"stores":[{"id","file","settings","connectors":[{"name","settings"}]}]}. Values were masked when
 * they were read; with origin each is {"value","origin"}. */
#include <string.h>

#include "config/reading.h"

static json_object *
keys_of (json_object *shown, gboolean all, gboolean origin)
{
  json_object *keys = json_object_new_object ();
  json_object_object_foreach (shown, key, entry)
  {
    const char *from = json_object_get_string (json_object_object_get (entry, "origin"));
    if (!all && strcmp (from, "default") == 0)
      continue;
    json_object_object_add (keys, key,
                            json_object_get (origin ? entry : json_object_object_get (entry, "value")));
  }
  return keys;
}

static json_object *
show_store (const ConfigStore *store, gboolean all, gboolean origin)
{
  json_object *out = json_object_new_object (), *connectors = json_object_new_array ();
  json_object_object_add (out, "id", json_object_new_string (store->id));
  json_object_object_add (out, "file", json_object_new_string (store->file));
  json_object_object_add (out, "settings", keys_of (store->shown, all, origin));
  for (guint i = 0; i < store->connectors->len; i++) {
    const ConfigConnector *connector = g_ptr_array_index (store->connectors, i);
    json_object *one = json_object_new_object ();
    json_object_object_add (one, "name", json_object_new_string (connector->name));
    json_object_object_add (one, "settings", keys_of (connector->shown, all, origin));
    json_object_array_add (connectors, one);
  }
  json_object_object_add (out, "connectors", connectors);
  return out;
}

json_object *
config_show (const Config *config, const char *store, gboolean all, gboolean origin)
{
  json_object *out = json_object_new_object (), *stores = json_object_new_array ();
  if (!store) {
    json_object *host = json_object_new_object ();
    if (config->host->file)
      json_object_object_add (host, "file", json_object_new_string (config->host->file));
    json_object_object_add (host, "settings", keys_of (config->host->shown, all, origin));
    json_object_object_add (out, "host", host);
  }
  for (guint i = 0; i < config->stores->len; i++) {
    const ConfigStore *one = g_ptr_array_index (config->stores, i);
    if (!store || strcmp (one->id, store) == 0)
      json_object_array_add (stores, show_store (one, all, origin));
  }
  json_object_object_add (out, "stores", stores);
  return out;
}
