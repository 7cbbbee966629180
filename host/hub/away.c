/* Collections whose connector is configured no more. The feed and the snapshot leave them out; so when the
 * connector comes back, a follower that began meanwhile lacks all that did not change since. Therefore what
 * was away is remembered in the store, and told anew when it is back: each row gets a new seq. */
#include <string.h>

#include "base/log.h"
#include "hub/hub-private.h"

enum { TOUCHES_A_BATCH = 10000 };

#define AWAY_PREFIX "away:"

typedef struct {
  HubCollection *collection;
  guint next, end; /* ordinals */
} Return;

static char *
away_key (const HubCollection *collection)
{
  return g_strconcat (AWAY_PREFIX, collection->key, NULL);
}

static void touch_some (Return *back);

static void
touched (const GError *error, gpointer data)
{
  Return *back = data;
  HubCollection *collection = back->collection;
  if (error) {
    collection->away = TRUE;
    log_line (
      LOG_ERROR, NULL,
      "what %s has could not be told again to followers; once there is space, reload the configuration: %s",
      collection->key, error->message);
  }
  if (!error && back->next < back->end && collection->connector)
    touch_some (back);
  else
    g_free (back);
}

/* It is no longer away once the last of it was told. */
static void
touch_some (Return *back)
{
  HubCollection *collection = back->collection;
  Store *store = collection->hub->world.store;
  StoreBatch *batch = store_batch_new (store, TRUE, "host");
  for (guint left = TOUCHES_A_BATCH; left && back->next < back->end; left--) {
    StoreRecord record = { .op = STORE_TOUCH, .collection = collection->number, .ordinal = back->next++ };
    store_batch_record (batch, &record);
  }
  if (back->next == back->end) {
    g_autofree char *key = away_key (collection);
    store_batch_state (batch, key, NULL);
    collection->away = FALSE;
  }
  store_submit (store, batch, touched, back);
}

static void
loaded (HubCollection *collection, const GError *error, gpointer data)
{
  g_autofree Return *back = data;
  if (error)
    log_line (LOG_ERROR, NULL, "what %s has could not be told again to followers: %s", collection->key,
              error->message);
  if (error || !collection->connector)
    return;
  back->end = map_count (collection->map);
  touch_some (g_steal_pointer (&back));
}

static void
come_back (Hub *hub, HubCollection *collection)
{
  Return *back = g_new0 (Return, 1);
  back->collection = collection;
  hub_collection_load (hub, collection, loaded, back);
}

static void
leave (Hub *hub, HubCollection *collection)
{
  g_autofree char *key = away_key (collection);
  StoreBatch *batch = store_batch_new (hub->world.store, TRUE, "host");
  store_batch_state (batch, key, "true");
  store_submit (hub->world.store, batch, NULL, NULL);
  collection->away = TRUE;
}

static void
note_away (const char *key, const char *json, gpointer data)
{
  Hub *hub = data;
  HubCollection *collection = g_hash_table_lookup (hub->by_key, key + strlen (AWAY_PREFIX));
  if (collection)
    collection->away = TRUE;
}

gboolean
hub_away_read (Hub *hub, GError **error)
{
  return store_states (hub->world.store, AWAY_PREFIX, note_away, hub, error);
}

void
hub_away_update (Hub *hub)
{
  for (guint i = 1; i < hub->collections->len; i++) {
    HubCollection *collection = hub->collections->pdata[i];
    if (!collection || collection->unsaved || !collection->away == !!collection->connector)
      continue;
    if (collection->away)
      come_back (hub, collection);
    else
      leave (hub, collection);
  }
}
