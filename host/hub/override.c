/* One change of an operator's overrides, from asking to telling: see overrides.c. */
#include <string.h>

#include "base/hash.h"
#include "hub/overrides.h"
#include "hub/sync-run.h"

static void
override_free (Override *override)
{
  g_free (override->id);
  g_free (override->set);
  json_buffer_clear (&override->vendor);
  json_buffer_clear (&override->body);
  g_free (override);
}

/* Tells whoever asked. */
void
override_end (Override *override, const GError *error)
{
  override->collection->hub->overriding--;
  override->done (override->collection, override->found && !error, override->ordinal, error, override->data);
  override_free (override);
}

static void
stored (const GError *error, gpointer data)
{
  Override *override = data;
  HubCollection *collection = override->collection;
  Hub *hub = collection->hub;
  g_ptr_array_remove (collection->overrides->flying, override);
  if (!error)
    overrides_put (collection, override->id, override->set);
  hub_collection_written (hub, collection, override->found);
  override_end (override, error);
  if (!collection->overrides->flying->len)
    overrides_open_gate (collection);
  hub_check_drained (hub);
  hub_arm (hub);
}

static void
put_state (Override *override, StoreBatch *batch)
{
  g_autofree char *key =
    g_strdup_printf (OVERRIDES_KEY_PREFIX "%u/%s", override->collection->number, override->id);
  store_batch_state (batch, key, override->set);
}

static void
put_record (Override *override, StoreBatch *batch)
{
  gsize size = override->body.length;
  const MapEntry *entry = map_at (override->collection->map, override->ordinal);
  g_autoptr (GBytes) bytes = g_bytes_new (override->body.bytes, override->body.length);
  g_autoptr (GBytes) id = g_bytes_new (override->id, strlen (override->id));
  store_batch_keep (batch, bytes);
  store_batch_keep (batch, id);
  StoreRecord row = { .op = STORE_UPDATE,
                      .collection = override->collection->number,
                      .ordinal = override->ordinal,
                      .hash = entry->hash,
                      .parent_hash = entry->parent_hash,
                      .updated_ms = entry->updated_ms,
                      .asked_ms = (gint64)entry->asked_ms,
                      .id = g_bytes_get_data (id, NULL),
                      .id_length = (guint32)strlen (override->id),
                      .body = g_bytes_get_data (bytes, NULL),
                      .body_length = (guint32)size };
  store_batch_record (batch, &row);
}

static void
write_change (Override *override)
{
  Hub *hub = override->collection->hub;
  StoreBatch *batch = store_batch_new (hub->world.store, TRUE, "override");
  if (override->found)
    put_record (override, batch);
  put_state (override, batch);
  g_ptr_array_add (override->collection->overrides->flying, override);
  hub_collection_writing (override->collection, batch);
  store_submit (hub->world.store, batch, stored, override);
}

static gboolean
look (const StoreFound *found, gpointer data)
{
  Override *override = data;
  if (found->deleted || found->id_length != strlen (override->id) ||
      memcmp (found->id, override->id, found->id_length) != 0)
    return FALSE;
  override->found = TRUE;
  override->refused = override->may && !override->may (override->collection, found, override->data);
  overrides_vendor_body (override->collection, found, &override->vendor);
  if (override->set)
    model_overrides_merge (override->vendor.bytes, override->vendor.length, override->set,
                           strlen (override->set), &override->body);
  else
    json_put (&override->body, override->vendor.bytes, override->vendor.length);
  override->lies = override->body.length == found->body_length &&
                   memcmp (override->body.bytes, found->body, found->body_length) == 0;
  return FALSE;
}

static gboolean
has_room (const Override *override, GError **error)
{
  const Overrides *overrides = override->collection->overrides;
  const char *before = overrides_text (override->collection, override->id);
  gsize bytes =
    overrides->bytes - (before ? strlen (before) : 0) + (override->set ? strlen (override->set) : 0);
  if (!override->set || (g_hash_table_size (overrides->sets) + (before ? 0 : 1) <= OVERRIDES_SETS_MOST &&
                         bytes <= OVERRIDES_BYTES_MOST))
    return TRUE;
  g_set_error (
    error, HUB_ERROR, HUB_ERROR_TOO_MANY,
    "%s has overrides for %u records (%zu bytes); at most %d records and %d MiB are taken: remove some",
    override->collection->key, g_hash_table_size (overrides->sets), overrides->bytes, OVERRIDES_SETS_MOST,
    OVERRIDES_BYTES_MOST >> 20);
  return FALSE;
}

/* Its turn has come. What was said of a record that is gone is forgotten when that is asked for. */
static void
take_turn (Override *override, MapEntry *entry)
{
  HubCollection *collection = override->collection;
  const char *before = overrides_text (collection, override->id);
  g_autoptr (GError) error = NULL;
  gboolean there;
  if (entry && !entry->deleted) {
    override->ordinal = map_ordinal (collection->map, entry);
    store_get (collection->hub->world.store, collection->number, override->ordinal, &there, look, override,
               &error);
  }
  gboolean same = g_strcmp0 (before, override->set) == 0 && (!override->found || override->lies);
  if (!error && override->refused)
    g_set_error (&error, HUB_ERROR, HUB_ERROR_DIFFERS, "%s was changed meanwhile", override->id);
  if (error || same || (!override->found && override->set) || !has_room (override, &error))
    override_end (override, error);
  else
    write_change (override);
}

typedef struct {
  guint32 collection, ordinal;
  gboolean met;
} Meeting;

static void
meet (StoreRecord *record, gpointer data)
{
  Meeting *meeting = data;
  meeting->met |= record->collection == meeting->collection && record->ordinal == meeting->ordinal;
}

/* The pass that gathers records of the collection; NULL: none. */
static SyncRun *
gathering (const HubCollection *collection)
{
  GPtrArray *streams = collection->connector ? collection->connector->streams : NULL;
  for (guint i = 0; streams && i < streams->len; i++) {
    const HubStream *stream = streams->pdata[i];
    if (stream->kinds & (1u << collection->kind))
      return stream->run && stream->run->batch ? stream->run : NULL;
  }
  return NULL;
}

static gboolean
is_gathered (const HubCollection *collection, const MapEntry *entry)
{
  SyncRun *run = gathering (collection);
  Meeting meeting = { collection->number, map_ordinal (collection->map, entry), FALSE };
  if (run)
    store_batch_each (run->batch, meet, &meeting);
  return meeting.met;
}

static void
map_ready (HubCollection *collection, const GError *error, gpointer data)
{
  Overrides *overrides = collection->overrides;
  overrides->loading = FALSE;
  for (Override *override; error && (override = g_queue_pop_head (&overrides->waiting));)
    override_end (override, error);
  overrides_go_on (collection);
}

/* The first of those who wait, as long as each may go now. One whose record is gathered waits for the next
 * turn of the loop, which sees to it that it is written: here a pass may be in the middle of something. */
static void
take_turns (HubCollection *collection)
{
  Overrides *overrides = collection->overrides;
  Override *override;
  while ((override = g_queue_peek_head (&overrides->waiting)) &&
         !overrides_find_flying (collection, override->id)) {
    MapEntry *entry = map_find (collection->map, override->id_hash);
    if (entry && is_gathered (collection, entry)) {
      if (!overrides->flying->len) {
        collection->hub->overrides_held = TRUE;
        hub_arm (collection->hub);
      }
      return;
    }
    g_queue_pop_head (&overrides->waiting);
    take_turn (override, entry);
  }
}

void
overrides_go_on (HubCollection *collection)
{
  Overrides *overrides = collection->overrides;
  if (!overrides || overrides->turning || overrides->loading || collection->writing ||
      !overrides->waiting.length)
    return;
  if (!collection->map) {
    overrides->loading = TRUE;
    hub_collection_load (collection->hub, collection, map_ready, overrides);
    return;
  }
  overrides->turning = TRUE;
  take_turns (collection);
  overrides->turning = FALSE;
}

void
overrides_tick (Hub *hub)
{
  if (!hub->overrides_held)
    return;
  hub->overrides_held = FALSE;
  for (guint i = 1; i < hub->collections->len; i++) {
    HubCollection *collection = hub->collections->pdata[i];
    SyncRun *run = collection && collection->overrides && collection->overrides->waiting.length
                     ? gathering (collection)
                     : NULL;
    if (run)
      run_flush (run);
    else if (collection)
      overrides_go_on (collection);
  }
}

void
hub_override (Hub *hub, HubCollection *collection, const char *id, const char *set, HubMayOverride may,
              HubFound done, gpointer data)
{
  Override *override = g_new0 (Override, 1);
  g_assert (collection->kind == MODEL_PRODUCTS);
  *override = (Override){ .collection = collection,
                          .id = g_strdup (id),
                          .set = set && *set ? g_strdup (set) : NULL,
                          .id_hash = hash_bytes (id, strlen (id), hub->seed),
                          .may = may,
                          .done = done,
                          .data = data };
  hub->overriding++;
  g_queue_push_tail (&overrides_need (collection)->waiting, override);
  overrides_go_on (collection);
  hub_arm (hub);
}
