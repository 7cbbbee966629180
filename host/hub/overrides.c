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

#include "base/hash.h"
#include "hub/overrides.h"
#include "hub/sync-run.h"

#define KEY_PREFIX "override:"

typedef struct {
  char *id, *text; /* as model_overrides_read() gives it */
} Set;

struct Overrides {
  GHashTable *sets;  /* id -> Set, which owns it */
  gsize bytes;       /* of all texts */
  GQueue waiting;    /* Job, in the order of asking */
  GPtrArray *flying; /* Job: submitted */
  GQueue gated;      /* Gated: batches that wait for those */
  gboolean loading;  /* the map, for those who wait */
  gboolean turning;  /* take_turns() is at work */
};

typedef struct {
  HubCollection *collection;
  char *id, *set; /* set NULL: none any more */
  guint64 id_hash;
  HubMayOverride may;
  HubFound done;
  gpointer data;
  gboolean found, refused, lies; /* refused: by may(); lies: the stored body is as it is to be already */
  guint32 ordinal;
  JsonBuffer vendor, body; /* the vendor's, and with the set laid over it, while it is written */
} Job;

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

static Overrides *
need (HubCollection *collection)
{
  if (!collection->overrides) {
    collection->overrides = g_new0 (Overrides, 1);
    collection->overrides->sets = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, set_free);
    collection->overrides->flying = g_ptr_array_new ();
  }
  return collection->overrides;
}

static const char *
text_of (const HubCollection *collection, const char *id)
{
  const Set *set = collection->overrides ? g_hash_table_lookup (collection->overrides->sets, id) : NULL;
  return set ? set->text : NULL;
}

/* text NULL: none any more */
static void
put_set (HubCollection *collection, const char *id, const char *text)
{
  Overrides *overrides = need (collection);
  const char *before = text_of (collection, id);
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
    put_set (collection, id + 1, json);
  else
    log_line (LOG_ERROR, NULL, "state %s: overrides of a collection that is not there; they are kept", key);
}

gboolean
overrides_read (Hub *hub, GError **error)
{
  return store_states (hub->world.store, KEY_PREFIX, read_set, hub, error);
}

/* ---- laid over ---- */

static const Job *
find_flying (const HubCollection *collection, const char *id)
{
  const GPtrArray *flying = collection->overrides ? collection->overrides->flying : NULL;
  for (guint i = 0; flying && i < flying->len; i++)
    if (strcmp (((const Job *)flying->pdata[i])->id, id) == 0)
      return flying->pdata[i];
  return NULL;
}

/* While a set is being replaced nobody can tell which one lies over what is stored. */
void
overrides_vendor_body (const HubCollection *collection, const StoreFound *found, JsonBuffer *out)
{
  g_autofree char *id = g_strndup (found->id, found->id_length);
  const Job *job = find_flying (collection, id);
  const char *set = text_of (collection, id);
  if (job && job->vendor.length)
    json_put (out, job->vendor.bytes, job->vendor.length);
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
  const char *set = text_of (laying->collection, id);
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

static void
open_gate (HubCollection *collection)
{
  GQueue gated = collection->overrides->gated;
  g_queue_init (&collection->overrides->gated);
  for (Gated *one; (one = g_queue_pop_head (&gated));) {
    submit (collection->hub, collection, one);
    g_free (one);
  }
}

/* ---- one that is asked for ---- */

static void
job_free (Job *job)
{
  g_free (job->id);
  g_free (job->set);
  json_buffer_clear (&job->vendor);
  json_buffer_clear (&job->body);
  g_free (job);
}

/* Tells whoever asked. */
static void
job_end (Job *job, const GError *error)
{
  job->collection->hub->overriding--;
  job->done (job->collection, job->found && !error, job->ordinal, error, job->data);
  job_free (job);
}

static void
stored (const GError *error, gpointer data)
{
  Job *job = data;
  HubCollection *collection = job->collection;
  Hub *hub = collection->hub;
  g_ptr_array_remove (collection->overrides->flying, job);
  if (!error)
    put_set (collection, job->id, job->set);
  hub_collection_written (hub, collection, job->found);
  job_end (job, error);
  if (!collection->overrides->flying->len)
    open_gate (collection);
  hub_check_drained (hub);
  hub_arm (hub);
}

static void
put_state (Job *job, StoreBatch *batch)
{
  g_autofree char *key = g_strdup_printf (KEY_PREFIX "%u/%s", job->collection->number, job->id);
  store_batch_state (batch, key, job->set);
}

static void
put_record (Job *job, StoreBatch *batch)
{
  const MapEntry *entry = map_at (job->collection->map, job->ordinal);
  g_autoptr (GBytes) bytes = g_bytes_new (job->body.bytes, job->body.length);
  g_autoptr (GBytes) id = g_bytes_new (job->id, strlen (job->id));
  store_batch_keep (batch, bytes);
  store_batch_keep (batch, id);
  StoreRecord row = { .op = STORE_UPDATE,
                      .collection = job->collection->number,
                      .ordinal = job->ordinal,
                      .hash = entry->hash,
                      .parent_hash = entry->parent_hash,
                      .updated_ms = entry->updated_ms,
                      .asked_ms = (gint64)entry->asked_ms,
                      .id = g_bytes_get_data (id, NULL),
                      .id_length = (guint32)strlen (job->id),
                      .body = g_bytes_get_data (bytes, NULL),
                      .body_length = (guint32)job->body.length };
  store_batch_record (batch, &row);
}

static void
write_job (Job *job)
{
  Hub *hub = job->collection->hub;
  StoreBatch *batch = store_batch_new (hub->world.store, TRUE, "override");
  if (job->found)
    put_record (job, batch);
  put_state (job, batch);
  g_ptr_array_add (job->collection->overrides->flying, job);
  hub_collection_writing (job->collection, batch);
  store_submit (hub->world.store, batch, stored, job);
}

static gboolean
look (const StoreFound *found, gpointer data)
{
  Job *job = data;
  if (found->deleted || found->id_length != strlen (job->id) ||
      memcmp (found->id, job->id, found->id_length) != 0)
    return FALSE;
  job->found = TRUE;
  job->refused = job->may && !job->may (job->collection, found, job->data);
  overrides_vendor_body (job->collection, found, &job->vendor);
  if (job->set)
    model_overrides_merge (job->vendor.bytes, job->vendor.length, job->set, strlen (job->set), &job->body);
  else
    json_put (&job->body, job->vendor.bytes, job->vendor.length);
  job->lies =
    job->body.length == found->body_length && memcmp (job->body.bytes, found->body, found->body_length) == 0;
  return FALSE;
}

static gboolean
has_room (const Job *job, GError **error)
{
  const Overrides *overrides = job->collection->overrides;
  const char *before = text_of (job->collection, job->id);
  gsize bytes = overrides->bytes - (before ? strlen (before) : 0) + (job->set ? strlen (job->set) : 0);
  if (!job->set || (g_hash_table_size (overrides->sets) + (before ? 0 : 1) <= OVERRIDES_SETS_MOST &&
                    bytes <= OVERRIDES_BYTES_MOST))
    return TRUE;
  g_set_error (
    error, HUB_ERROR, HUB_ERROR_TOO_MANY,
    "%s has overrides for %u records (%zu bytes); at most %d records and %d MiB are taken: remove some",
    job->collection->key, g_hash_table_size (overrides->sets), overrides->bytes, OVERRIDES_SETS_MOST,
    OVERRIDES_BYTES_MOST >> 20);
  return FALSE;
}

/* Its turn has come. What was said of a record that is gone is forgotten when that is asked for. */
static void
take_turn (Job *job, MapEntry *entry)
{
  HubCollection *collection = job->collection;
  const char *before = text_of (collection, job->id);
  g_autoptr (GError) error = NULL;
  gboolean there;
  if (entry && !entry->deleted) {
    job->ordinal = map_ordinal (collection->map, entry);
    store_get (collection->hub->world.store, collection->number, job->ordinal, &there, look, job, &error);
  }
  gboolean same = g_strcmp0 (before, job->set) == 0 && (!job->found || job->lies);
  if (!error && job->refused)
    g_set_error (&error, HUB_ERROR, HUB_ERROR_DIFFERS, "%s was changed meanwhile", job->id);
  if (error || same || (!job->found && job->set) || !has_room (job, &error))
    job_end (job, error);
  else
    write_job (job);
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
  for (Job *job; error && (job = g_queue_pop_head (&overrides->waiting));)
    job_end (job, error);
  overrides_go_on (collection);
}

/* The first of those who wait, as long as each may go now. One whose record is gathered waits for the next
 * turn of the loop, which sees to it that it is written: here a pass may be in the middle of something. */
static void
take_turns (HubCollection *collection)
{
  Overrides *overrides = collection->overrides;
  Job *job;
  while ((job = g_queue_peek_head (&overrides->waiting)) && !find_flying (collection, job->id)) {
    MapEntry *entry = map_find (collection->map, job->id_hash);
    if (entry && is_gathered (collection, entry)) {
      if (!overrides->flying->len) {
        collection->hub->overrides_held = TRUE;
        hub_arm (collection->hub);
      }
      return;
    }
    g_queue_pop_head (&overrides->waiting);
    take_turn (job, entry);
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
  Job *job = g_new0 (Job, 1);
  g_assert (collection->kind == MODEL_PRODUCTS);
  *job = (Job){ .collection = collection,
                .id = g_strdup (id),
                .set = set && *set ? g_strdup (set) : NULL,
                .id_hash = hash_bytes (id, strlen (id), hub->seed),
                .may = may,
                .done = done,
                .data = data };
  hub->overriding++;
  g_queue_push_tail (&need (collection)->waiting, job);
  overrides_go_on (collection);
  hub_arm (hub);
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
  for (Job *job; (job = g_queue_pop_head (&overrides->waiting));)
    job_end (job, error);
  for (guint i = 0; i < overrides->flying->len; i++)
    job_end (overrides->flying->pdata[i], error);
  g_queue_clear_full (&overrides->gated, gated_free);
  g_ptr_array_unref (overrides->flying);
  g_hash_table_unref (overrides->sets);
  g_free (overrides);
}
