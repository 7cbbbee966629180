/* Collections: what one connector holds of one kind. Their numbers are kept in the store for good; their maps
 * are loaded when a pass or a reader needs them, and dropped when nobody did for a while. */
#include "hub/overrides.h"

#include <string.h>

#include "base/hash.h"

enum { MAP_IDLE_MS = 120000 };

#define KEY_PREFIX "collection:"

typedef struct {
  HubMapReady ready;
  gpointer data;
} HubMapWait;

static HubCollection *
add_collection (Hub *hub, const char *key, guint32 number, guint kind)
{
  HubCollection *collection = g_new0 (HubCollection, 1);
  collection->hub = hub;
  collection->key = g_strdup (key);
  collection->number = number;
  collection->kind = kind;
  collection->waiting = g_ptr_array_new_with_free_func (g_free);
  while (hub->collections->len <= number)
    g_ptr_array_add (hub->collections, NULL);
  hub->collections->pdata[number] = collection;
  g_hash_table_insert (hub->by_key, collection->key, collection);
  return collection;
}

void
hub_collection_free (gpointer data)
{
  HubCollection *collection = data;
  if (!collection)
    return;
  g_free (collection->key);
  overrides_free (collection);
  map_free (collection->map);
  map_free (collection->coming);
  g_ptr_array_unref (collection->waiting);
  g_free (collection->changes);
  g_free (collection);
}

static void
read_number (const char *key, const char *json, gpointer data)
{
  Hub *hub = data;
  const char *name = key + strlen (KEY_PREFIX), *slash = strrchr (name, '/');
  int kind = slash ? model_kind_from_name (slash + 1) : -1;
  guint64 number = g_ascii_strtoull (json, NULL, 10);
  if (kind >= 0 && number > 0 && number < G_MAXINT32)
    add_collection (hub, name, (guint32)number, (guint)kind);
}

gboolean
hub_collections_read (Hub *hub, GError **error)
{
  return store_states (hub->world.store, KEY_PREFIX, read_number, hub, error) && overrides_read (hub, error);
}

HubCollection *
hub_collection_get (Hub *hub, HubConnector *connector, guint kind)
{
  g_autofree char *key = g_strdup_printf ("%s/%s", connector->label, model_kind_name (kind));
  HubCollection *collection = g_hash_table_lookup (hub->by_key, key);
  if (!collection) {
    collection = add_collection (hub, key, MAX (1, hub->collections->len), kind);
    collection->unsaved = TRUE;
  }
  collection->connector = connector;
  return collection;
}

static void
tell_waiting (HubCollection *collection, const GError *error)
{
  GPtrArray *waiting = collection->waiting;
  collection->waiting = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < waiting->len; i++) {
    HubMapWait *wait = waiting->pdata[i];
    wait->ready (collection, error, wait->data);
  }
  g_ptr_array_unref (waiting);
}

static void
numbered (const GError *error, gpointer data)
{
  HubCollection *collection = data;
  collection->loading = FALSE;
  if (!error) {
    collection->unsaved = FALSE;
    collection->map = map_new ();
  }
  tell_waiting (collection, error);
  hub_arm (collection->hub);
}

/* A row whose id meets another's hash cannot stand in the map; the store refuses to write such a one. */
static void
load_rows (const StoreMapRow *rows, gsize count, gpointer data)
{
  HubCollection *collection = data;
  for (gsize i = 0; i < count; i++) {
    MapEntry entry = { .id_hash = rows[i].id_hash,
                       .hash = rows[i].hash,
                       .parent_hash = rows[i].parent_hash,
                       .updated_ms = rows[i].updated_ms,
                       .asked_ms = map_asked (rows[i].asked_ms),
                       .deleted = rows[i].deleted };
    if (!map_load (collection->coming, rows[i].ordinal, &entry))
      log_line (LOG_ERROR, NULL, "collection %s: two ids share a hash; restore the database from a backup",
                collection->key);
  }
}

static void
loaded (const GError *error, gpointer data)
{
  HubCollection *collection = data;
  collection->loading = FALSE;
  if (error)
    g_clear_pointer (&collection->coming, map_free);
  else
    collection->map = g_steal_pointer (&collection->coming);
  tell_waiting (collection, error);
  hub_arm (collection->hub);
}

static void
begin_loading (Hub *hub, HubCollection *collection)
{
  collection->loading = TRUE;
  if (!collection->unsaved) {
    collection->coming = map_new ();
    store_load_map (hub->world.store, collection->number, load_rows, loaded, collection);
    return;
  }
  g_autofree char *key = g_strconcat (KEY_PREFIX, collection->key, NULL);
  g_autofree char *number = g_strdup_printf ("%u", collection->number);
  StoreBatch *batch = store_batch_new (hub->world.store, FALSE, "host");
  store_batch_state (batch, key, number);
  store_submit (hub->world.store, batch, numbered, collection);
}

void
hub_collection_load (Hub *hub, HubCollection *collection, HubMapReady ready, gpointer data)
{
  collection->used_ms = hub_mono_ms (hub);
  hub->idle_check_ms = MIN (hub->idle_check_ms, collection->used_ms + MAP_IDLE_MS);
  if (collection->map) {
    ready (collection, NULL, data);
    return;
  }
  HubMapWait *wait = g_new (HubMapWait, 1);
  *wait = (HubMapWait){ ready, data };
  g_ptr_array_add (collection->waiting, wait);
  if (!collection->loading && !collection->writing)
    begin_loading (hub, collection);
}

void
hub_collection_written (Hub *hub, HubCollection *collection, gboolean changed)
{
  if (changed)
    hub_collection_changed (collection);
  if (--collection->writing == 0 && collection->waiting->len && !collection->loading)
    begin_loading (hub, collection);
  overrides_go_on (collection);
}

void
hub_collection_forget (HubCollection *collection, gpointer data)
{
  for (guint i = collection->waiting->len; i-- > 0;)
    if (((HubMapWait *)collection->waiting->pdata[i])->data == data)
      g_ptr_array_remove_index (collection->waiting, i);
}

void
hub_collection_drop (HubCollection *collection)
{
  g_clear_pointer (&collection->map, map_free);
}

/* While a pass is held, the map knows what was seen again since: it stays. */
static gboolean
is_held (const HubCollection *collection)
{
  GPtrArray *streams = collection->connector ? collection->connector->streams : NULL;
  for (guint i = 0; streams && i < streams->len; i++) {
    const HubStream *stream = streams->pdata[i];
    if (stream->kinds & (1u << collection->kind))
      return stream->held != NULL;
  }
  return FALSE;
}

void
hub_collections_drop_idle (Hub *hub)
{
  gint64 now_ms = hub_mono_ms (hub);
  for (guint i = 1; i < hub->collections->len; i++) {
    HubCollection *collection = hub->collections->pdata[i];
    if (collection && collection->map && !collection->users && !is_held (collection) &&
        now_ms - collection->used_ms >= MAP_IDLE_MS)
      hub_collection_drop (collection);
  }
}

typedef struct {
  Hub *hub;
  guint64 id_hash;
  HubFound done;
  gpointer data;
} Finding;

static void
find_in_map (HubCollection *collection, const GError *error, gpointer data)
{
  g_autofree Finding *finding = data;
  MapEntry *entry = error ? NULL : map_find (collection->map, finding->id_hash);
  gboolean found = entry && !entry->deleted;
  finding->done (collection, found, found ? map_ordinal (collection->map, entry) : 0, error, finding->data);
}

void
hub_find (Hub *hub, HubCollection *collection, const char *id, HubFound done, gpointer data)
{
  Finding *finding = g_new (Finding, 1);
  *finding = (Finding){ hub, hash_bytes (id, strlen (id), hub->seed), done, data };
  hub_collection_load (hub, collection, find_in_map, finding);
}
