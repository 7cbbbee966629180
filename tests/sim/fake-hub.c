#include "fake-hub.h"

#include <string.h>

#include "base/hash.h"
#include "config/reading.h"

enum { START_S = 1772474465, TICKS_MOST = 1000000 };

struct FakeWorker {
  HubWorker shown; /* first */
  FakeHub *fake;
  const HubWorkerEvents *events;
  gpointer data;
  gboolean said_hello;
};

/* ---- the world ---- */

static gint64
mono_ms (gpointer world)
{
  return ((FakeHub *)world)->now_ms;
}

static gint64
wall_ms (gpointer world)
{
  const FakeHub *fake = world;
  return fake->now_ms + fake->wall_moved_ms + START_S * 1000ll;
}

static guint32
no_random (gpointer world)
{
  return 0;
}

static void
wake (gpointer world, gint64 mono_ms)
{
  ((FakeHub *)world)->wake_ms = mono_ms;
}

static void
worker_send (HubWorker *shown, WireType type, guint64 call, const char *body, gsize size)
{
  FakeHub *fake = ((FakeWorker *)shown)->fake;
  if (type == WIRE_CREDIT)
    fake->credit += call;
  if (type == WIRE_CONNECT)
    fake->connects++;
  if (type == WIRE_CANCEL)
    g_array_append_val (fake->cancelled, call);
  if (type != WIRE_CALL)
    return;
  g_autofree char *text = g_strndup (body, size);
  json_object_put (fake->asked);
  fake->asked = json_tokener_parse (text);
  fake->call = call;
  fake->calls++;
  g_array_append_val (fake->open, call);
}

static void
worker_end (HubWorker *shown, gboolean at_once)
{
  ((FakeWorker *)shown)->fake->ended++;
}

static void
forget_calls (FakeHub *fake)
{
  g_array_set_size (fake->open, 0);
  g_array_set_size (fake->cancelled, 0);
}

static void
worker_free (HubWorker *shown)
{
  FakeWorker *worker = (FakeWorker *)shown;
  if (worker->fake->worker == worker) {
    worker->fake->worker = NULL;
    forget_calls (worker->fake);
  }
  g_free (worker);
}

static gint64
no_bytes (HubWorker *shown)
{
  return 0;
}

static HubWorker *
worker_start (gpointer world, const char *file, const HubWorkerEvents *events, gpointer data, GError **error)
{
  FakeHub *fake = world;
  FakeWorker *worker = g_new0 (FakeWorker, 1);
  *worker = (FakeWorker){ .shown = { worker_send, worker_end, worker_free, 1, no_bytes },
                          .fake = fake,
                          .events = events,
                          .data = data };
  fake->worker = worker;
  forget_calls (fake);
  return &worker->shown;
}

/* ---- what is configured ---- */

static ConfigConnector *
make_connector (const FakeSetup *setup, guint number)
{
  ConfigConnector *connector = g_new0 (ConfigConnector, 1);
  connector->store = g_strdup ("downtown");
  connector->name = number ? g_strdup_printf ("pos%u", number) : g_strdup ("pos");
  connector->plugin = g_strdup (setup->plugin ? setup->plugin : "made-up");
  connector->enabled = !setup->disabled;
  connector->sync_off = setup->sync_off;
  connector->per_second = setup->per_second;
  connector->sync = g_hash_table_new (g_str_hash, g_str_equal);
  connector->settings = json_object_new_object ();
  json_object_object_add (connector->settings, "account",
                          json_object_new_string (setup->account ? setup->account : "one"));
  return connector;
}

static Config *
make_config (const FakeSetup *setup)
{
  Config *config = g_new0 (Config, 1);
  config->host = g_new0 (ConfigHost, 1);
  config->host->late_after = 2;
  config->stores = g_ptr_array_new_with_free_func ((GDestroyNotify)config_store_free);
  config->broken = g_ptr_array_new ();
  config->problems = g_ptr_array_new ();
  ConfigStore *store = g_new0 (ConfigStore, 1);
  store->id = g_strdup ("downtown");
  store->name = g_strdup ("Downtown");
  store->timezone = g_strdup ("UTC");
  store->currency = g_strdup ("USD");
  store->catalogue = g_strdup ("pos");
  store->connectors = g_ptr_array_new_with_free_func ((GDestroyNotify)connector_free);
  for (guint i = 0; i < MAX (1, setup->connectors); i++)
    g_ptr_array_add (store->connectors, make_connector (setup, i));
  g_ptr_array_add (config->stores, store);
  return config;
}

static Plugins *
make_plugins (const FakeSetup *setup)
{
  static const char products[] = "{\"name\":\"products\",\"kinds\":[\"products\"],\"missing\":\"%s\","
                                 "\"changes\":true,\"item_only\":true,\"every_s\":10,\"full_every_s\":60,"
                                 "\"overlap_s\":8";
  static const char customers[] = ",{\"name\":\"customers\",\"kinds\":[\"customers\"],\"changes\":true,"
                                  "\"every_s\":10,\"full_every_s\":60}";
  const char *name = setup->plugin ? setup->plugin : "made-up";
  g_autofree char *stream = g_strdup_printf (products, setup->zero ? "zero" : "deleted");
  g_autofree char *text =
    g_strdup_printf ("{\"name\":\"%s\",\"version\":\"1\",\"title\":\"Made up\","
                     "\"sdk\":\"0.1\",\"capabilities\":[\"catalog\",\"health\"],"
                     "\"streams\":[%s,\"fetch\":%s}%s]}",
                     name, stream, setup->fetch ? "true" : "false", setup->customers ? customers : "");
  g_autoptr (GError) error = NULL;
  json_object *json = json_tokener_parse (text);
  PluginInfo *info = plugin_info_from_json (name, "/made-up.so", json, &error);
  g_assert_no_error (error);
  json_object_put (json);
  GPtrArray *infos = g_ptr_array_new ();
  g_ptr_array_add (infos, info);
  return plugins_new (infos);
}

gboolean
fake_reload (FakeHub *fake, const FakeSetup *setup, GError **error)
{
  return hub_apply (fake->hub, make_config (setup), make_plugins (setup), error);
}

FakeHub *
fake_hub_new (const FakeSetup *setup)
{
  g_autoptr (GError) error = NULL;
  FakeHub *fake = g_new0 (FakeHub, 1);
  fake->now_ms = 1000000;
  fake->wake_ms = G_MAXINT64;
  fake->disk = mem_disk_new (42);
  fake->metrics = metrics_new ();
  fake->open = g_array_new (FALSE, FALSE, sizeof (guint64));
  fake->cancelled = g_array_new (FALSE, FALSE, sizeof (guint64));
  fake->store = mem_store_open (fake->disk, wall_ms, fake);
  HubWorld world = { .wall_ms = wall_ms,
                     .mono_ms = mono_ms,
                     .random = no_random,
                     .wake = wake,
                     .start_worker = worker_start,
                     .world = fake,
                     .store = fake->store,
                     .metrics = fake->metrics };
  fake->hub = hub_new (&world);
  if (!fake_reload (fake, setup, &error))
    g_error ("%s", error->message);
  fake_run (fake, 100);
  return fake;
}

void
fake_hub_free (FakeHub *fake)
{
  hub_free (fake->hub);
  mem_store_crash (fake->store);
  mem_disk_free (fake->disk);
  metrics_free (fake->metrics);
  g_array_unref (fake->open);
  g_array_unref (fake->cancelled);
  json_object_put (fake->asked);
  g_free (fake);
}

/* ---- time ---- */

void
fake_writes (FakeHub *fake)
{
  while (mem_store_step (fake->store))
    ;
}

static gboolean
is_open (const FakeHub *fake, guint64 call)
{
  for (guint i = 0; i < fake->open->len; i++)
    if (g_array_index (fake->open, guint64, i) == call)
      return TRUE;
  return FALSE;
}

/* What every worker does by itself. */
static void
be_polite (FakeHub *fake)
{
  if (!fake->worker)
    return;
  if (!fake->worker->said_hello) {
    fake->worker->said_hello = TRUE;
    fake_frame (fake, WIRE_HELLO, 0, "{}");
  }
  while (fake->cancelled->len) {
    guint64 call = g_array_index (fake->cancelled, guint64, 0);
    g_array_remove_index (fake->cancelled, 0);
    if (is_open (fake, call))
      fake_result (fake, call, "{\"status\":\"cancelled\"}");
  }
}

void
fake_run (FakeHub *fake, gint64 ms)
{
  gint64 until_ms = fake->now_ms + ms;
  be_polite (fake);
  if (!fake->slow_disk)
    fake_writes (fake);
  for (guint ticks = 0; fake->wake_ms <= until_ms; ticks++) {
    g_assert (ticks < TICKS_MOST); /* the hub runs in a circle */
    fake->now_ms = MAX (fake->now_ms, fake->wake_ms);
    fake->wake_ms = G_MAXINT64;
    hub_tick (fake->hub);
    be_polite (fake);
    if (!fake->slow_disk)
      fake_writes (fake);
  }
  fake->now_ms = until_ms;
}

/* ---- frames ---- */

/* One NUL byte and no more stands behind the body: the sanitizer sees who reads on. */
static void
send (FakeHub *fake, WireType type, guint8 kind, guint64 call, const void *body, gsize size)
{
  guint8 *copy = g_malloc0 (size + 1);
  memcpy (copy, body, size);
  g_autoptr (GBytes) bytes = g_bytes_new_take (copy, size);
  WireFrame frame = { .head = { .size = (guint32)size, .type = type, .kind = kind, .call = call },
                      .body = copy,
                      .bytes = bytes };
  fake->worker->events->frame (&frame, fake->worker->data);
}

void
fake_frame (FakeHub *fake, WireType type, guint64 call, const char *text)
{
  send (fake, type, 0, call, text, strlen (text));
}

void
fake_records (FakeHub *fake, guint64 call, gsize count, const FakeRecord *records)
{
  guint64 seed = store_seed (fake->store);
  g_autoptr (GByteArray) batch = g_byte_array_new ();
  for (gsize i = 0; i < count; i++) {
    const FakeRecord *given = &records[i];
    const char *body = given->body ? given->body : "{}";
    WireRecord record = { .kind = MODEL_PRODUCTS,
                          .op = WIRE_PUT,
                          .id_length = (guint32)strlen (given->id),
                          .body_length = (guint32)strlen (body),
                          .id_hash = hash_bytes (given->id, strlen (given->id), seed),
                          .hash = hash_bytes (body, strlen (body), seed) ^ (guint64)given->damaged,
                          .updated_ms = given->updated_ms };
    if (given->parent)
      record.parent_hash = hash_bytes (given->parent, strlen (given->parent), seed);
    wire_record_append (batch, &record, given->id, body);
  }
  send (fake, WIRE_RECORDS, 0, call, batch->data, batch->len);
}

void
fake_same (FakeHub *fake, guint64 call, const WireSame *same)
{
  send (fake, WIRE_SAME, MODEL_PRODUCTS, call, same, sizeof *same);
}

void
fake_result (FakeHub *fake, guint64 call, const char *text)
{
  for (guint i = 0; i < fake->open->len; i++)
    if (g_array_index (fake->open, guint64, i) == call)
      g_array_remove_index (fake->open, i--);
  fake_frame (fake, WIRE_RESULT, call, text);
}

void
fake_gone (FakeHub *fake)
{
  fake->worker->events->gone ("killed", fake->worker->data);
}

/* ---- looking ---- */

HubConnector *
fake_connector (FakeHub *fake)
{
  return hub_connector (fake->hub, "downtown", "pos");
}

HubStream *
fake_stream (FakeHub *fake)
{
  return hub_stream (fake_connector (fake), "products");
}

const char *
fake_asked (FakeHub *fake, const char *member)
{
  json_object *value = json_object_object_get (fake->asked, member);
  return value ? json_object_to_json_string_ext (value, JSON_C_TO_STRING_PLAIN) : "";
}

static gboolean
add_id (const StoreFound *found, gpointer ids)
{
  g_string_append_printf (ids, "%s%.*s", ((GString *)ids)->len ? " " : "", (int)found->id_length, found->id);
  return TRUE;
}

char *
fake_stored (FakeHub *fake)
{
  GString *ids = g_string_new (NULL);
  HubCollection *collection =
    hub_collection_for (fake->hub, hub_store (fake->hub, "downtown"), "pos", MODEL_PRODUCTS);
  g_assert (store_list (fake->store, collection->number, 0, G_MAXUINT, add_id, ids, NULL));
  return g_string_free (ids, FALSE);
}

static gboolean
take_body (const StoreRow *row, gpointer body)
{
  *(char **)body = g_strdup (row->body);
  return FALSE;
}

char *
fake_last_row (FakeHub *fake, StoreHistory history)
{
  char *body = NULL;
  StoreRowFilter filter = { .limit = 1 };
  g_assert (store_rows (fake->store, history, &filter, take_body, &body, NULL));
  return body;
}
