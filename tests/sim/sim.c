#include "sim-private.h"

#include "config/reading.h"

#include <stdarg.h>
#include <string.h>

enum { START_S = 1772474465, SETTLE_MS = 600000, DISK_MS = 20 };

guint32
sim_random (Sim *sim) /* splitmix64 */
{
  guint64 z = sim->state += 0x9e3779b97f4a7c15ull;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ z >> 27) * 0x94d049bb133111ebull;
  return (guint32)(z >> 33);
}

gboolean
sim_happens (Sim *sim, guint thousandth)
{
  return sim_random (sim) % 1000 < thousandth;
}

void
sim_wrong (Sim *sim, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  if (!sim->wrong)
    sim->wrong = g_strdup_vprintf (format, args);
  va_end (args);
}

/* ---- the clock ---- */

static gint
by_time (gconstpointer a, gconstpointer b, gpointer data)
{
  const SimEvent *x = a, *y = b;
  if (x->at_ms != y->at_ms)
    return x->at_ms < y->at_ms ? -1 : 1;
  return x->order < y->order ? -1 : x->order > y->order;
}

static void
event_free (gpointer data)
{
  SimEvent *event = data;
  if (event->free)
    event->free (event->data);
  g_free (event);
}

void
sim_at (Sim *sim, gint64 at_ms, void (*func) (Sim *sim, gpointer data), gpointer data, GDestroyNotify free)
{
  SimEvent *event = g_new (SimEvent, 1);
  *event = (SimEvent){ at_ms, sim->ordered++, func, free, data };
  g_sequence_insert_sorted (sim->events, event, by_time, NULL);
}

static gint64
now_ms (gpointer world)
{
  return ((Sim *)world)->now_ms;
}

gint64
sim_wall_ms (gpointer world)
{
  return ((Sim *)world)->now_ms + START_S * 1000ll;
}

static guint32
world_random (gpointer world)
{
  return sim_random (world);
}

static void
wake (gpointer world, gint64 mono_ms)
{
  ((Sim *)world)->wake_ms = mono_ms;
}

/* ---- the hub's life ---- */

static ConfigStore *
make_store (void)
{
  ConfigStore *store = g_new0 (ConfigStore, 1);
  ConfigConnector *connector = g_new0 (ConfigConnector, 1);
  store->id = g_strdup ("downtown");
  store->name = g_strdup ("Downtown");
  store->timezone = g_strdup ("UTC");
  store->currency = g_strdup ("USD");
  store->catalogue = g_strdup ("pos");
  store->connectors = g_ptr_array_new_with_free_func ((GDestroyNotify)connector_free);
  connector->store = g_strdup ("downtown");
  connector->name = g_strdup ("pos");
  connector->plugin = g_strdup ("made-up");
  connector->enabled = TRUE;
  connector->sync = g_hash_table_new (g_str_hash, g_str_equal);
  connector->settings = json_object_new_object ();
  g_ptr_array_add (store->connectors, connector);
  return store;
}

static Plugins *
make_plugins (void)
{
  static const char description[] =
    "{\"name\":\"made-up\",\"version\":\"1\",\"title\":\"Made "
    "up\",\"sdk\":\"0.1\",\"capabilities\":[\"catalog\",\"inventory\"],\"streams\":["
    "{\"name\":\"products\",\"kinds\":[\"products\"],\"missing\":\"deleted\",\"changes\":true,\"item_only\":"
    "true,\"every_s\":10,"
    "\"full_every_s\":60,\"overlap_s\":8},"
    "{\"name\":\"inventory\",\"kinds\":[\"inventory\"],\"missing\":\"zero\",\"item_only\":true,\"every_s\":"
    "15,\"full_every_s\":15}]}";
  g_autoptr (GError) error = NULL;
  json_object *json = json_tokener_parse (description);
  PluginInfo *info = plugin_info_from_json ("made-up", "/made-up.so", json, &error);
  json_object_put (json);
  g_assert_no_error (error);
  GPtrArray *infos = g_ptr_array_new ();
  g_ptr_array_add (infos, info);
  return plugins_new (infos);
}

static void
start_hub (Sim *sim)
{
  g_autoptr (GError) error = NULL;
  sim->store = mem_store_open (sim->disk, sim_wall_ms, sim);
  HubWorld world = { .wall_ms = sim_wall_ms,
                     .mono_ms = now_ms,
                     .random = world_random,
                     .wake = wake,
                     .start_worker = sim_worker_start,
                     .world = sim,
                     .store = sim->store,
                     .metrics = sim->metrics };
  sim->hub = hub_new (&world);
  Config *config = g_new0 (Config, 1);
  config->host = g_new0 (ConfigHost, 1);
  config->host->late_after = 2;
  config->stores = g_ptr_array_new_with_free_func ((GDestroyNotify)config_store_free);
  config->broken = g_ptr_array_new ();
  config->problems = g_ptr_array_new ();
  g_ptr_array_add (config->stores, make_store ());
  if (!hub_apply (sim->hub, config, make_plugins (), &error))
    sim_wrong (sim, "apply: %s", error->message);
}

static void
forget_events (Sim *sim)
{
  g_sequence_remove_range (g_sequence_get_begin_iter (sim->events), g_sequence_get_end_iter (sim->events));
}

static void
crash_hub (Sim *sim)
{
  hub_free (sim->hub);
  mem_store_crash (sim->store);
  forget_events (sim); /* workers die with the hub */
  sim_workers_free (sim);
  sim->crashes++;
  start_hub (sim);
  sim_overrides_settle (sim);
}

Sim *
sim_new (guint64 seed, const SimChances *chances)
{
  Sim *sim = g_new0 (Sim, 1);
  sim->state = seed * 0x2545f4914f6cdd1dull + 1;
  sim->chances = *chances;
  sim->now_ms = 1000000;
  sim->vendor = g_array_new (FALSE, FALSE, sizeof (SimRecord));
  sim->events = g_sequence_new (event_free);
  sim->workers = g_ptr_array_new ();
  sim->metrics = metrics_new ();
  sim->followed = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  sim_overrides_new (sim);
  sim->disk = mem_disk_new (sim_random (sim));
  for (guint i = 0; i < chances->records; i++)
    sim_vendor_add (sim);
  start_hub (sim);
  return sim;
}

void
sim_free (Sim *sim)
{
  hub_free (sim->hub);
  mem_store_crash (sim->store);
  forget_events (sim);
  sim_workers_free (sim);
  mem_disk_free (sim->disk);
  metrics_free (sim->metrics);
  g_sequence_free (sim->events);
  g_ptr_array_unref (sim->workers);
  g_array_unref (sim->vendor);
  g_hash_table_unref (sim->followed);
  sim_overrides_free (sim);
  g_free (sim->wrong);
  g_free (sim);
}

/* ---- a follower ---- */

static gboolean
follow_one (const StoreFound *found, gpointer data)
{
  Sim *sim = data;
  char *key = g_strdup_printf ("%u:%.*s", found->collection, (int)found->id_length, found->id);
  if (found->seq <= sim->seen_seq)
    sim_wrong (sim, "seq %" G_GUINT64_FORMAT " was told after %" G_GUINT64_FORMAT, found->seq, sim->seen_seq);
  sim->seen_seq = found->seq;
  sim->told++;
  if (found->deleted)
    g_hash_table_remove (sim->followed, key);
  else
    g_hash_table_insert (sim->followed, g_strdup (key), g_strndup (found->body, found->body_length));
  g_free (key);
  return TRUE;
}

static gboolean
want_all (guint32 collection, gpointer data)
{
  return TRUE;
}

static void
follow (Sim *sim)
{
  g_autoptr (GError) error = NULL;
  guint64 reached;
  gboolean more;
  if (!store_changes (sim->store, sim->seen_seq, 7, 100, want_all, follow_one, sim, &reached, &more, &error))
    sim_wrong (sim, "changes: %s", error->message);
}

/* ---- time passes ---- */

static void
next_event (Sim *sim, gint64 until_ms)
{
  GSequenceIter *first = g_sequence_get_begin_iter (sim->events);
  SimEvent *event = g_sequence_iter_is_end (first) ? NULL : g_sequence_get (first);
  gint64 at_ms = MIN (event ? event->at_ms : G_MAXINT64, sim->wake_ms);
  if (at_ms - sim->now_ms > DISK_MS && mem_store_step (sim->store)) { /* a disk is never as slow as that */
    sim->now_ms++;
    return;
  }
  if (at_ms > until_ms) {
    sim->now_ms = until_ms;
    return;
  }
  sim->now_ms = MAX (sim->now_ms, at_ms);
  if (!event || sim->wake_ms < event->at_ms) {
    sim->wake_ms = G_MAXINT64;
    hub_tick (sim->hub);
    return;
  }
  SimEvent taken = *event;
  event->free = NULL;
  g_sequence_remove (first);
  taken.func (sim, taken.data);
  if (taken.free)
    taken.free (taken.data);
}

static void
bad_luck (Sim *sim)
{
  if (sim_happens (sim, sim->chances.full_disk))
    mem_store_set_full (sim->store, TRUE);
  else if (sim_happens (sim, 100))
    mem_store_set_full (sim->store, FALSE);
  if (sim_happens (sim, sim->chances.crash))
    crash_hub (sim);
}

void
sim_run (Sim *sim, gint64 ms)
{
  gint64 until_ms = sim->now_ms + ms, second_ms = sim->now_ms;
  while (sim->now_ms < until_ms && !sim->wrong) {
    if (sim_happens (sim, 400))
      mem_store_step (sim->store);
    if (!sim->calm)
      bad_luck (sim);
    for (; second_ms <= sim->now_ms; second_ms += 1000)
      for (guint i = 0; !sim->calm && i < sim->chances.changes; i++)
        sim_vendor_change (sim);
    if (!sim->calm && sim_happens (sim, sim->chances.overrides))
      sim_override (sim);
    if (sim_happens (sim, 50))
      follow (sim);
    if (!sim_happens (sim, 300))
      next_event (sim, until_ms);
  }
}

void
sim_fill_disk (Sim *sim, guint thousandth)
{
  sim->chances.full_disk = thousandth;
}

/* ---- the truth ---- */

/* For people who look for a failure: where each stream stands. */
static void
tell_streams (Sim *sim)
{
  HubConnector *connector = hub_connector (sim->hub, "downtown", "pos");
  for (guint i = 0; i < connector->streams->len; i++) {
    const HubStream *stream = connector->streams->pdata[i];
    log_line (LOG_DEBUG, NULL,
              "%s: %s %s, pass %s, next in %" G_GINT64_FORMAT " ms, passes %" G_GUINT64_FORMAT
              ", failures %u, calls %u",
              stream->name, hub_stream_state_word (stream->state), reason_word (stream->reason),
              stream->pass ? "runs" : "none", stream->next_ms - sim->now_ms, stream->passes, stream->failures,
              g_hash_table_size (connector->plugin->calls));
  }
}

static void
ignore_done (const GError *error, gpointer data)
{
}

/* The person who is asked says yes: the vendor is right. */
static void
accept_held (Sim *sim)
{
  HubConnector *connector = hub_connector (sim->hub, "downtown", "pos");
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    for (guint tries = 0; stream->held && tries < 100; tries++) {
      g_autofree char *id = g_strdup (stream->held);
      hub_pass_decide (sim->hub, id, TRUE, ignore_done, NULL, NULL);
      sim_run (sim, 100);
    }
  }
}

gboolean
sim_settle (Sim *sim)
{
  sim->calm = TRUE;
  mem_store_set_full (sim->store, FALSE);
  sim_run (sim, SETTLE_MS / 2);
  accept_held (sim);
  sim_run (sim, SETTLE_MS / 2);
  while (mem_store_step (sim->store))
    ;
  for (guint64 before = G_MAXUINT64; before != sim->seen_seq;) {
    before = sim->seen_seq;
    follow (sim);
  }
  tell_streams (sim);
  HubConnector *connector = hub_connector (sim->hub, "downtown", "pos");
  for (guint i = 0; i < connector->streams->len; i++) {
    HubStream *stream = connector->streams->pdata[i];
    if (sim_wall_ms (sim) - stream->full_ms > 200000)
      return FALSE;
  }
  return TRUE;
}

typedef struct {
  Sim *sim;
  GHashTable *bodies; /* id -> body */
  guint32 collection;
} Comparing;

static gboolean
read_one (const StoreFound *found, gpointer data)
{
  Comparing *comparing = data;
  g_hash_table_insert (comparing->bodies, g_strndup (found->id, found->id_length),
                       g_strndup (found->body, found->body_length));
  g_autofree char *key = g_strdup_printf ("%u:%.*s", found->collection, (int)found->id_length, found->id);
  const char *followed = g_hash_table_lookup (comparing->sim->followed, key);
  if (!followed || strncmp (followed, found->body, found->body_length) != 0)
    sim_wrong (comparing->sim, "the follower holds %s of %s, the store %.*s", followed ? followed : "nothing",
               key, (int)found->body_length, found->body);
  return TRUE;
}

/* Everything that is there at the vendor is in the store as it is there; of what is not, products are gone
 * and stock is zero. */
static void
compare_kind (Sim *sim, guint kind, guint *count)
{
  g_autoptr (GHashTable) bodies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GError) error = NULL;
  HubCollection *collection = hub_collection_for (sim->hub, hub_store (sim->hub, "downtown"), "pos", kind);
  Comparing comparing = { sim, bodies, collection->number };
  if (!store_list (sim->store, collection->number, 0, G_MAXUINT, read_one, &comparing, &error))
    sim_wrong (sim, "list: %s", error->message);
  *count += g_hash_table_size (bodies);
  for (guint i = 0; i < sim->vendor->len; i++) {
    const SimRecord *record = &g_array_index (sim->vendor, SimRecord, i);
    char *id;
    g_autofree char *wanted = sim_served (sim, record, kind, &id);
    g_autofree char *owned = id;
    const char *held = g_hash_table_lookup (bodies, id);
    if (record->there ? g_strcmp0 (held, wanted) != 0
                      : held && (kind == MODEL_PRODUCTS || strcmp (held, wanted) != 0))
      sim_wrong (sim, "%s: the vendor has %s, the store %s", id, record->there ? wanted : "nothing",
                 held ? held : "nothing");
  }
}

static gboolean
check_sums (const StoreRow *row, gpointer data)
{
  Sim *sim = data;
  json_object *body = json_tokener_parse (row->body);
  Pass *pass = pass_from_saved (body);
  if (!pass || !pass_sums_agree (&pass->sums))
    sim_wrong (sim, "the sums of a pass do not agree: %s", row->body);
  pass_free (pass);
  json_object_put (body);
  return TRUE;
}

char *
sim_check (Sim *sim)
{
  g_autoptr (GError) error = NULL;
  StoreRowFilter filter = { .limit = G_MAXUINT };
  guint count = 0;
  if (sim->asking->len)
    sim_wrong (sim, "%u overrides were never answered", sim->asking->len);
  sim_overrides_settle (sim);
  compare_kind (sim, MODEL_PRODUCTS, &count);
  compare_kind (sim, MODEL_INVENTORY, &count);
  if (!sim->wrong && count != g_hash_table_size (sim->followed))
    sim_wrong (sim, "the follower holds %u records, the store %u", g_hash_table_size (sim->followed), count);
  if (!store_rows (sim->store, STORE_PASSES, &filter, check_sums, sim, &error))
    sim_wrong (sim, "passes: %s", error->message);
  return g_strdup (sim->wrong);
}

/* The vendor rests; two intervals later every change must have come by the stream of changes: no full pass
 * helps. */
gboolean
sim_settle_changes (Sim *sim)
{
  HubStream *stream = hub_stream (hub_connector (sim->hub, "downtown", "pos"), "products");
  gint64 full_ms = stream->full_ms;
  sim->calm = TRUE;
  mem_store_set_full (sim->store, FALSE);
  sim_run (sim, 22000);
  while (mem_store_step (sim->store))
    ;
  return full_ms && stream->full_ms == full_ms;
}

typedef struct {
  const char *id;
  char *body;
} Held;

static gboolean
find_held (const StoreFound *found, gpointer data)
{
  Held *held = data;
  if (strlen (held->id) != found->id_length || memcmp (held->id, found->id, found->id_length) != 0)
    return TRUE;
  held->body = g_strndup (found->body, found->body_length);
  return FALSE;
}

static char *
sim_held (Sim *sim, const char *id)
{
  Held held = { id, NULL };
  HubCollection *collection =
    hub_collection_for (sim->hub, hub_store (sim->hub, "downtown"), "pos", MODEL_PRODUCTS);
  store_list (sim->store, collection->number, 0, G_MAXUINT, find_held, &held, NULL);
  return held.body;
}

char *
sim_check_products (Sim *sim)
{
  for (guint i = 0; i < sim->vendor->len; i++) { /* what went is told by a full pass alone */
    SimRecord *record = &g_array_index (sim->vendor, SimRecord, i);
    char *id = NULL;
    g_autofree char *wanted = sim_served (sim, record, MODEL_PRODUCTS, &id);
    g_autofree char *owned = id;
    g_autofree char *held = sim_held (sim, id);
    if (record->there && g_strcmp0 (held, wanted) != 0)
      sim_wrong (sim, "the vendor has %s, the store %s", wanted, held ? held : "nothing");
  }
  return g_strdup (sim->wrong);
}

static gboolean
count_found (const StoreFound *found, gpointer data)
{
  ++*(guint *)data;
  return TRUE;
}

guint
sim_alive (Sim *sim, guint kind)
{
  guint count = 0;
  HubCollection *collection = hub_collection_for (sim->hub, hub_store (sim->hub, "downtown"), "pos", kind);
  store_list (sim->store, collection->number, 0, G_MAXUINT, count_found, &count, NULL);
  return count;
}

guint
sim_told (const Sim *sim)
{
  return sim->told;
}

guint
sim_overridden (const Sim *sim)
{
  return sim->overridden;
}

void
sim_override_some (Sim *sim, guint count)
{
  while (count-- > 0)
    sim_override (sim);
}

guint
sim_crashes (const Sim *sim)
{
  return sim->crashes;
}

static gboolean
count_row (const StoreRow *row, gpointer data)
{
  ++*(guint *)data;
  return TRUE;
}

guint
sim_passes (const Sim *sim)
{
  guint count = 0;
  StoreRowFilter filter = { .limit = G_MAXUINT };
  store_rows (sim->store, STORE_PASSES, &filter, count_row, &count, NULL);
  return count;
}

Hub *
sim_hub (Sim *sim)
{
  return sim->hub;
}
