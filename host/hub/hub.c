/* The hub as a whole: what is configured becomes stores, connectors, streams and plugins; and the questions
 * about them. */
#include <malloc.h>
#include <string.h>

#include "hub/overrides.h"

enum { IDLE_CHECK_MS = 30000 };

G_DEFINE_QUARK (tillbridge - hub - error - quark, hub_error)

Hub *
hub_new (const HubWorld *world)
{
  Hub *hub = g_new0 (Hub, 1);
  hub->world = *world;
  hub->stores = g_ptr_array_new ();
  hub->by_label = g_hash_table_new (g_str_hash, g_str_equal);
  hub->plugins = g_hash_table_new (g_str_hash, g_str_equal);
  hub->leaving = g_ptr_array_new ();
  hub->collections = g_ptr_array_new_with_free_func (hub_collection_free);
  hub->changing = g_ptr_array_new ();
  hub->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  hub->fetches = g_hash_table_new (g_str_hash, g_str_equal);
  hub->seed = store_seed (world->store);
  id_maker_init (&hub->ids);
  return hub;
}

gint64
hub_wall_ms (const Hub *hub)
{
  return hub->world.wall_ms (hub->world.world);
}

gint64
hub_mono_ms (const Hub *hub)
{
  return hub->world.mono_ms (hub->world.world);
}

void
hub_make_id (Hub *hub, const char *prefix, char text[ID_TEXT_SIZE])
{
  id_make (&hub->ids, prefix, hub_wall_ms (hub), text);
}

gint64
hub_random_ms (Hub *hub, gint64 most_ms)
{
  return most_ms > 0 ? (gint64)(hub->world.random (hub->world.world) % (guint64)(most_ms + 1)) : 0;
}

void
hub_arm (Hub *hub)
{
  HeapNode *stream = heap_first (&hub->streams), *worker = heap_first (&hub->workers);
  gint64 at_ms = hub->idle_check_ms;
  if (stream)
    at_ms = MIN (at_ms, stream->at_ms);
  if (worker)
    at_ms = MIN (at_ms, worker->at_ms);
  if (hub->draining)
    at_ms = MIN (at_ms, hub->drain_until_ms);
  if (hub->overrides_held)
    at_ms = MIN (at_ms, hub_mono_ms (hub));
  hub->world.wake (hub->world.world, at_ms);
}

static gboolean
has_maps (const Hub *hub)
{
  for (guint i = 1; i < hub->collections->len; i++) {
    const HubCollection *collection = hub->collections->pdata[i];
    if (collection && (collection->map || collection->loading))
      return TRUE;
  }
  return FALSE;
}

void
hub_tick (Hub *hub)
{
  gint64 now_ms = hub_mono_ms (hub);
  for (HeapNode *first; (first = heap_first (&hub->workers)) && first->at_ms <= now_ms;)
    hub_plugin_due ((HubPlugin *)first);
  for (HeapNode *first; (first = heap_first (&hub->streams)) && first->at_ms <= now_ms;)
    hub_stream_due ((HubStream *)first);
  overrides_tick (hub);
  if (now_ms >= hub->idle_check_ms) {
    hub_collections_drop_idle (hub);
    if (!hub->passes_running)
      malloc_trim (0); /* what maps, frames and batches took */
    hub->idle_check_ms = has_maps (hub) ? now_ms + IDLE_CHECK_MS : G_MAXINT64;
  } else if (hub->idle_check_ms == G_MAXINT64 && hub->passes_running) {
    hub->idle_check_ms = now_ms + IDLE_CHECK_MS;
  }
  hub_check_drained (hub);
  hub_arm (hub);
}

/* ---- the end ---- */

void
hub_check_drained (Hub *hub)
{
  if (!hub->draining || !hub->drained)
    return;
  gboolean busy = hub->overriding > 0 || g_hash_table_size (hub->fetches) > 0;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, hub->by_label);
  while (!busy && g_hash_table_iter_next (&iter, NULL, &value)) {
    GPtrArray *streams = ((HubConnector *)value)->streams;
    for (guint i = 0; i < streams->len; i++)
      busy |= sync_busy (streams->pdata[i]);
  }
  if (busy && hub_mono_ms (hub) < hub->drain_until_ms)
    return;
  void (*drained) (gpointer) = hub->drained;
  hub->drained = NULL;
  drained (hub->drained_data);
}

void
hub_drain (Hub *hub, gint64 until_mono_ms, void (*done) (gpointer data), gpointer data)
{
  hub->draining = TRUE;
  hub->drain_until_ms = until_mono_ms;
  hub->drained = done;
  hub->drained_data = data;
  hub_check_drained (hub);
  hub_arm (hub);
}

void
hub_free (Hub *hub)
{
  if (!hub)
    return;
  hub->drained = NULL;
  hub->ending = TRUE;
  g_autoptr (GList) connectors = g_hash_table_get_values (hub->by_label);
  for (GList *link = connectors; link; link = link->next)
    hub_connector_free (hub, link->data, "the hub ends");
  for (guint i = 0; i < hub->stores->len; i++)
    hub_store_free (hub->stores->pdata[i]);
  g_autoptr (GList) plugins = g_hash_table_get_values (hub->plugins);
  for (GList *link = plugins; link; link = link->next)
    hub_plugin_free (link->data);
  for (guint i = 0; i < hub->leaving->len; i++)
    hub_plugin_free (hub->leaving->pdata[i]);
  g_ptr_array_unref (hub->stores);
  g_ptr_array_unref (hub->leaving);
  g_hash_table_unref (hub->by_label);
  g_hash_table_unref (hub->plugins);
  g_hash_table_unref (hub->by_key);
  g_hash_table_unref (hub->fetches);
  g_ptr_array_unref (hub->changing);
  g_ptr_array_unref (hub->collections);
  heap_clear (&hub->streams);
  heap_clear (&hub->workers);
  if (hub->config)
    config_free (hub->config);
  if (hub->installed)
    plugins_free (hub->installed);
  g_free (hub);
}
