/* An operator's overrides: laid over products while they are written, and replaced.
 *
 * A set of overrides is a document of the store, in memory as long as the hub runs, and changes there when it
 * is stored. Whatever writes products hands its batch to overrides_submit(), which lays the sets over the
 * records that have one: maps, hashes and batches on their way know the vendor's bodies alone.
 *
 *   asked -> waits for its turn -> the stored body, the old set taken off, the new one laid over -> stored
 *
 * Its turn comes when no other batch of the collection is under way, nor gathers one with the record; from
 * then until the end other batches of the collection wait. So what is in the store is what the sets say,
 * whatever fails: a batch that was submitted before a change is stored before it, and one that comes after it
 * has the sets of after. Each change is a batch of its own, and commits whole: record and set. */
#include <string.h>

#include "hub/overrides.h"

#define KEY_PREFIX OVERRIDES_KEY_PREFIX

typedef struct {
  char *id, *text; /* as model_overrides_read() gives it */
} Set;

typedef struct {
  StoreBatch *batch;
  StoreDone done;
  gpointer data;
} Gated;

/* ---- sets ---- */

static void
set_free (gpointer data)
{
  Set *set = data;
  g_free (set->id);
  g_free (set->text);
  g_free (set);
}

Overrides *
overrides_need (HubCollection *collection)
{
  if (!collection->overrides) {
    collection->overrides = g_new0 (Overrides, 1);
    collection->overrides->sets = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, set_free);
    collection->overrides->flying = g_ptr_array_new ();
  }
  return collection->overrides;
}

const char *
overrides_text (const HubCollection *collection, const char *id)
{
  const Set *set = collection->overrides ? g_hash_table_lookup (collection->overrides->sets, id) : NULL;
  return set ? set->text : NULL;
}

/* text NULL: none any more */
void
overrides_put (HubCollection *collection, const char *id, const char *text)
{
  Overrides *overrides = overrides_need (collection);
  const char *before = overrides_text (collection, id);
  overrides->bytes -= before ? strlen (before) : 0;
  if (!text) {
    g_hash_table_remove (overrides->sets, id);
    return;
  }
  Set *set = g_new (Set, 1);
  *set = (Set){ g_strdup (id), g_strdup (text) };
  overrides->bytes += strlen (text);
  g_hash_table_replace (overrides->sets, set->id, set);
}

static void
read_set (const char *key, const char *json, gpointer data)
{
  char *id;
  guint64 number = g_ascii_strtoull (key + strlen (KEY_PREFIX), &id, 10);
  HubCollection *collection = number <= G_MAXUINT32 ? hub_collection (data, (guint32)number) : NULL;
  if (collection && *id == '/')
    overrides_put (collection, id + 1, json);
  else
    log_line (LOG_ERROR, NULL, "state %s: overrides of a collection that is not there; they are kept", key);
}

gboolean
overrides_read (Hub *hub, GError **error)
{
  return store_states (hub->world.store, KEY_PREFIX, read_set, hub, error);
}

/* ---- laid over ---- */

const Override *
overrides_find_flying (const HubCollection *collection, const char *id)
{
  const GPtrArray *flying = collection->overrides ? collection->overrides->flying : NULL;
  for (guint i = 0; flying && i < flying->len; i++)
    if (strcmp (((const Override *)flying->pdata[i])->id, id) == 0)
      return flying->pdata[i];
  return NULL;
}

/* While a set is being replaced nobody can tell which one lies over what is stored. */
void
overrides_vendor_body (const HubCollection *collection, const StoreFound *found, JsonBuffer *out)
{
  g_autofree char *id = g_strndup (found->id, found->id_length);
  const Override *override = overrides_find_flying (collection, id);
  const char *set = overrides_text (collection, id);
  if (override && override->vendor.length)
    json_put (out, override->vendor.bytes, override->vendor.length);
  else if (set)
    model_overrides_split (found->body, found->body_length, set, strlen (set), out);
  else
    json_put (out, found->body, found->body_length);
}

typedef struct {
  HubCollection *collection;
  StoreBatch *batch;
} Laying;

static void
lay_over (StoreRecord *record, gpointer data)
{
  const Laying *laying = data;
  if (record->collection != laying->collection->number || !record->body)
    return;
  g_autofree char *id = g_strndup (record->id, record->id_length);
  const char *set = overrides_text (laying->collection, id);
  if (!set)
    return;
  JsonBuffer out = { 0 };
  model_overrides_merge (record->body, record->body_length, set, strlen (set), &out);
  g_autoptr (GBytes) bytes = g_bytes_new_with_free_func (out.bytes, out.length, g_free, out.bytes);
  record->body = out.bytes;
  record->body_length = (guint32)out.length;
  store_batch_keep (laying->batch, bytes);
}

static void
submit (Hub *hub, HubCollection *collection, const Gated *gated)
{
  Laying laying = { collection, gated->batch };
  if (collection && collection->overrides && g_hash_table_size (collection->overrides->sets))
    store_batch_each (gated->batch, lay_over, &laying);
  store_submit (hub->world.store, gated->batch, gated->done, gated->data);
}

void
overrides_submit (Hub *hub, HubCollection *collection, StoreBatch *batch, StoreDone done, gpointer data)
{
  Gated gated = { batch, done, data };
  if (collection && collection->overrides && collection->overrides->flying->len)
    g_queue_push_tail (&collection->overrides->gated, g_memdup2 (&gated, sizeof gated));
  else
    submit (hub, collection, &gated);
}

void
overrides_open_gate (HubCollection *collection)
{
  GQueue gated = collection->overrides->gated;
  g_queue_init (&collection->overrides->gated);
  for (Gated *one; (one = g_queue_pop_head (&gated));) {
    submit (collection->hub, collection, one);
    g_free (one);
  }
}

/* ---- the end ---- */

static void
gated_free (gpointer data)
{
  store_batch_free (((Gated *)data)->batch);
  g_free (data);
}

void
overrides_free (HubCollection *collection)
{
  Overrides *overrides = collection->overrides;
  if (!overrides)
    return;
  g_autoptr (GError) error = g_error_new_literal (HUB_ERROR, HUB_ERROR_UNAVAILABLE, "the daemon is ending");
  for (Override *override; (override = g_queue_pop_head (&overrides->waiting));)
    override_end (override, error);
  for (guint i = 0; i < overrides->flying->len; i++)
    override_end (overrides->flying->pdata[i], error);
  g_queue_clear_full (&overrides->gated, gated_free);
  g_ptr_array_unref (overrides->flying);
  g_hash_table_unref (overrides->sets);
  g_free (overrides);
}
