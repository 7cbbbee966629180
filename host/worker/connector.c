#include "worker/worker.h"

#include <string.h>
#include "worker/endpoint.h"
#include "worker/loader.h"
#include "worker/skip.h"

enum { KEEP_LEAST_MS = 600000 }; /* how long a stream's items are remembered after its last page */

static char *
text_member (json_object *body, const char *name)
{
  json_object *value = json_object_object_get (body, name);
  return g_strdup (json_object_is_type (value, json_type_string) ? json_object_get_string (value) : "");
}

static void
read_pace (Connector *connector, json_object *pace)
{
  connector->per_second = json_object_get_double (json_object_object_get (pace, "per_second"));
  connector->burst = json_object_get_int (json_object_object_get (pace, "burst"));
  connector->at_once = json_object_get_int (json_object_object_get (pace, "at_once"));
}

static void
read_store (Connector *connector, json_object *store)
{
  connector->store_id = text_member (store, "id");
  connector->timezone = text_member (store, "timezone");
  connector->currency = text_member (store, "currency");
  connector->zone = g_time_zone_new_identifier (*connector->timezone ? connector->timezone : "UTC");
  if (connector->zone)
    return;
  connector->broken = g_strdup_printf (
    "no time zone \"%s\" on this machine: install tzdata, or mend the store's timezone", connector->timezone);
  connector->zone = g_time_zone_new_utc ();
}

Connector *
connector_new (Worker *worker, guint64 number, json_object *body)
{
  Connector *connector = g_new0 (Connector, 1);
  connector->worker = worker;
  connector->number = number;
  connector->refs = 1;
  connector->name = text_member (body, "connector");
  connector->seed =
    g_ascii_strtoull (json_object_get_string (json_object_object_get (body, "seed")) ?: "0", NULL, 10);
  connector->timeout_ms = json_object_get_int64 (json_object_object_get (body, "timeout_ms"));
  connector->allow_private = json_object_get_boolean (json_object_object_get (body, "allow_private"));
  connector->proxy = text_member (body, "proxy");
  if (!*connector->proxy)
    g_clear_pointer (&connector->proxy, g_free);
  connector->settings = json_object_get (json_object_object_get (body, "settings"));
  if (!json_object_is_type (connector->settings, json_type_object)) {
    json_object_put (connector->settings);
    connector->settings = json_object_new_object ();
  }
  read_pace (connector, json_object_object_get (body, "pace"));
  read_store (connector, json_object_object_get (body, "store"));
  g_autoptr (GError) why = NULL;
  if (!endpoints_make (connector, &why) && !connector->broken)
    connector->broken = g_strdup (why->message);
  return connector;
}

Connector *
connector_ref (Connector *connector)
{
  connector->refs++;
  return connector;
}

void
connector_unref (Connector *connector)
{
  if (--connector->refs > 0)
    return;
  endpoints_free (connector);
  g_clear_pointer (&connector->skips, g_hash_table_unref);
  g_clear_pointer (&connector->words, g_hash_table_unref);
  g_clear_pointer (&connector->cache, g_hash_table_unref);
  json_object_put (connector->settings);
  g_clear_pointer (&connector->zone, g_time_zone_unref);
  g_free (connector->name);
  g_free (connector->store_id);
  g_free (connector->timezone);
  g_free (connector->currency);
  g_free (connector->proxy);
  g_free (connector->broken);
  g_free (connector);
}

/* What the drop-in does not say has the plugin's standard. */
const char *
connector_setting (const Connector *connector, const char *key, gsize index)
{
  const Plugin *plugin = connector->worker->plugin;
  json_object *value = key ? json_object_object_get (connector->settings, key) : NULL;
  if (!value)
    value = key ? plugin_standard (plugin, key) : NULL;
  if (json_object_is_type (value, json_type_array))
    value = index < json_object_array_length (value) ? json_object_array_get_idx (value, index) : NULL;
  else if (index > 0)
    return NULL;
  else if (!value)
    return plugin_setting_is_list (plugin, key) ? NULL : "";
  return value ? json_object_get_string (value) : NULL;
}

/* A memory per stream, kept for twice its interval, so that the next pass finds it. */
Skip *
connector_skip (Connector *connector, const tb_stream *stream)
{
  if (!connector->skips)
    connector->skips = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)skip_free);
  Skip *skip = g_hash_table_lookup (connector->skips, stream->name);
  if (skip)
    return skip;
  gint64 keep_ms = MAX ((gint64)KEEP_LEAST_MS, 2000 * (gint64)stream->every_s);
  skip = skip_new (connector->worker->loop, keep_ms);
  g_hash_table_insert (connector->skips, (gpointer)stream->name, skip);
  return skip;
}
