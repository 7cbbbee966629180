/* Which of the stock that a full pass did not meet is at zero already: set so long ago, it is missing from
 * every pass since, and is no news. The map does not know it after it was loaded, so the records are read;
 * that may be half a million, so the store's reader does it, page by page, and the loop looks at a page. What
 * is found out stays in the map. */
#include "base/hash.h"
#include "hub/overrides.h"
#include "hub/sync-run.h"

enum { LOOK_PAGE = 500 };

typedef struct {
  StoreFound found; /* with texts of its own */
} ZeroRecord;

struct ZeroLook {
  gboolean under_way, stale, done; /* stale: the run went back to what is stored */
  guint kind;                      /* all before this and next were asked for */
  guint32 next;
  HubCollection *collection; /* of what is being asked for */
  guint32 ordinals[LOOK_PAGE];
  guint count, at;
  GArray *records; /* ZeroRecord, of the reader's thread while under way */
};

static void
record_clear (gpointer data)
{
  StoreFound *found = &((ZeroRecord *)data)->found;
  g_free ((char *)found->id);
  g_free ((char *)found->body);
}

void
run_free_zeros (SyncRun *run)
{
  if (!run->zeros)
    return;
  g_array_unref (run->zeros->records);
  g_clear_pointer (&run->zeros, g_free);
}

gboolean
run_looks_at_zeros (const SyncRun *run)
{
  return run->zeros && run->zeros->under_way;
}

void
run_forget_zeros (SyncRun *run)
{
  if (run_looks_at_zeros (run))
    run->zeros->stale = TRUE;
  else
    run_free_zeros (run);
}

/* The next that are missing and of which it is not known. FALSE: there are none. */
static gboolean
gather (SyncRun *run, ZeroLook *look)
{
  look->count = look->at = 0;
  for (; look->kind < MODEL_KINDS; look->kind++, look->next = 0) {
    look->collection = run->collections[look->kind];
    Map *map = look->collection ? look->collection->map : NULL;
    for (; map && look->next < map_count (map) && look->count < LOOK_PAGE; look->next++) {
      const MapEntry *entry = map_at (map, look->next);
      if (!entry->deleted && !entry->zeroed && !run_has_met (run, look->kind, entry))
        look->ordinals[look->count++] = look->next;
    }
    if (look->count)
      return TRUE;
  }
  return FALSE;
}

/* On the reader's thread. */
static StoreVerdict
take_missing (const StoreFound *found, gpointer data)
{
  ZeroLook *look = ((SyncRun *)data)->zeros;
  while (look->at < look->count && look->ordinals[look->at] < found->ordinal)
    look->at++;
  if (look->at == look->count)
    return STORE_END;
  if (look->ordinals[look->at] != found->ordinal)
    return STORE_SKIP;
  ZeroRecord record = { *found };
  record.found.id = g_strndup (found->id, found->id_length);
  record.found.body = g_strndup (found->body, found->body_length);
  g_array_append_val (look->records, record);
  look->at++;
  return STORE_TAKE;
}

static void
note_zero (const HubCollection *collection, const StoreFound *found)
{
  JsonBuffer vendor = { 0 };
  gsize length;
  MapEntry *entry = map_at (collection->map, found->ordinal);
  overrides_vendor_body (collection, found, &vendor);
  g_autofree char *zero = model_zero_quantity (vendor.bytes, vendor.length, &length);
  if (zero && hash_bytes (zero, length, collection->hub->seed) == entry->hash)
    entry->zeroed = TRUE;
  json_buffer_clear (&vendor);
}

static void ask (SyncRun *run, guint64 from);

static void
asked (gboolean more, guint64 next, const GError *error, gpointer data)
{
  SyncRun *run = data;
  ZeroLook *look = run->zeros;
  Hub *hub = run->hub;
  look->under_way = FALSE;
  if (run->aborted) {
    run_free_aborted (run);
    return;
  }
  for (guint i = 0; i < look->records->len && !look->stale && look->collection->map; i++)
    note_zero (look->collection, &g_array_index (look->records, ZeroRecord, i).found);
  g_array_set_size (look->records, 0);
  if (look->stale) {
    run_free_zeros (run);
  } else if (error) {
    log_line (LOG_ERROR, NULL, "%s: cannot read which stock is at zero already: %s", look->collection->key,
              error->message);
    look->done = TRUE;
  } else if (more && look->at < look->count && !hub->draining) {
    ask (run, next);
    return;
  }
  if (run->page_end == PAGE_DONE && !run->storing)
    run_end (run);
  hub_check_drained (hub);
  hub_arm (hub);
}

static void
ask (SyncRun *run, guint64 from)
{
  ZeroLook *look = run->zeros;
  StoreQuery query = {
    .collection = look->collection->number, .from = from, .limit = LOOK_PAGE, .judge = take_missing
  };
  look->under_way = TRUE;
  store_query (run->hub->world.store, &query, asked, run);
}

gboolean
run_look_at_zeros (SyncRun *run)
{
  if (!run->zeros) {
    run->zeros = g_new0 (ZeroLook, 1);
    run->zeros->records = g_array_new (FALSE, FALSE, sizeof (ZeroRecord));
    g_array_set_clear_func (run->zeros->records, record_clear);
  }
  ZeroLook *look = run->zeros;
  if (look->under_way)
    return TRUE;
  if (look->done)
    return FALSE;
  look->done = !gather (run, look);
  if (!look->done && !run->hub->draining) /* nothing begins any more: the pass stays as it is */
    ask (run, look->ordinals[0]);
  return !look->done;
}
