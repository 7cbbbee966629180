/* The effective configuration for people:
 * {"host":{"file","settings":{key:
 * value}},"stores":[{"id","file","settings","connectors":[{"name","settings"}]}]}. Values were masked when
 * they were read; with origin each is {"value","origin"}. */
#include <string.h>

#include "config/reading.h"

static void
shown_clear (gpointer data)
{
  ConfigShown *shown = data;
  g_ref_string_release ((char *)shown->key);
  json_object_put (shown->value);
  if (shown->file)
    g_ref_string_release ((char *)shown->file);
}

GArray *
shown_new (void)
{
  GArray *shown = g_array_new (FALSE, FALSE, sizeof (ConfigShown));
  g_array_set_clear_func (shown, shown_clear);
  return shown;
}

const ConfigShown *
shown_find (const GArray *shown, const char *key)
{
  for (guint i = 0; i < shown->len; i++)
    if (strcmp (g_array_index (shown, ConfigShown, i).key, key) == 0)
      return &g_array_index (shown, ConfigShown, i);
  return NULL;
}

void
show_value (GArray *shown, const char *key, json_object *value, const ConfigNode *node)
{
  ConfigShown one = { g_ref_string_new_intern (key), value,
                      node ? g_ref_string_new_intern (node->source->file) : NULL, node ? node->line : 0 };
  g_assert (!shown_find (shown, key));
  g_array_append_val (shown, one);
}

static json_object *
with_origin (const ConfigShown *one)
{
  json_object *entry = json_object_new_object ();
  g_autofree char *place = one->file ? g_strdup_printf ("%s:%d", one->file, one->line) : g_strdup ("default");
  json_object_object_add (entry, "value", json_object_get (one->value));
  json_object_object_add (entry, "origin", json_object_new_string (place));
  return entry;
}

static json_object *
keys_of (const GArray *shown, gboolean all, gboolean origin)
{
  json_object *keys = json_object_new_object ();
  for (guint i = 0; i < shown->len; i++) {
    const ConfigShown *one = &g_array_index (shown, ConfigShown, i);
    if (all || one->file)
      json_object_object_add (keys, one->key, origin ? with_origin (one) : json_object_get (one->value));
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
