/* Items that are read while they arrive, and those that are left out because their bytes are known. */
#include "http-server.h"
#include "tap.h"
#include "worker-bed.h"

#include <string.h>

enum { ITEMS = 300, PASSES = 12 };

static tb_status (*body) (tb_call *call, const tb_pull *pull);
static guint handed; /* items that the plugin saw */

static tb_status
pull_products (tb_call *call, const tb_pull *pull)
{
  return body (call, pull);
}

static const tb_setting settings[] = { { "url", TB_URL, TB_REQUIRED } };
static const tb_endpoint endpoints[] = { { "api", "{url}" } };
static const tb_stream streams[] = { { "products", pull_products, NULL, TB_PRODUCTS, TB_IS_DELETED,
                                       .item_only = true, .every_s = 60 } };
static const tb_sizes sizes = TB_SIZES;
static const tb_plugin_info info = { .magic = TB_MAGIC,
                                     .major = TB_SDK_MAJOR,
                                     .minor = TB_SDK_MINOR,
                                     .sizes = &sizes,
                                     .name = "test",
                                     .version = "1.0.0",
                                     .settings = TB_LIST (settings),
                                     .endpoints = TB_LIST (endpoints),
                                     .streams = TB_LIST (streams) };

/* ---- the vendor: what `answer` holds ---- */

typedef struct {
  Bed bed;
  HttpServer *server;
  char *answer;
} Scene;

static gboolean
give_answer (const HttpAsked *asked, gpointer data)
{
  return http_server_answer (asked, 200, "", ((Scene *)data)->answer);
}

static void
scene_set (Scene *scene, const char *answer)
{
  scene->answer = g_strdup (answer);
  scene->server = http_server_new (give_answer, scene);
  g_autofree char *connector =
    g_strdup_printf ("{\"url\":\"http://127.0.0.1:%u\"}", http_server_port (scene->server));
  bed_set (&scene->bed, &info, connector);
}

static void
scene_clear (Scene *scene)
{
  bed_clear (&scene->bed);
  http_server_free (scene->server);
  g_free (scene->answer);
}

/* "id:hash" of every record that a page gave or said to be the same, as a set. */
static GHashTable *
pull_page (Scene *scene, gboolean fresh, json_object **result)
{
  GHashTable *told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *call = g_strdup_printf (
    "\"operation\":\"pull\",\"stream\":\"products\",\"full\":true,\"first\":true,\"fresh\":%s",
    fresh ? "true" : "false");
  handed = 0;
  bed_call (&scene->bed, call);
  for (;;) {
    WireFrame frame = bed_frame (&scene->bed);
    const WireRecord *record = NULL;
    if (frame.head.type == WIRE_RESULT) {
      *result = json_tokener_parse ((const char *)frame.body);
      return told;
    }
    while (frame.head.type == WIRE_RECORDS && wire_record_next (frame.body, frame.head.size, &record, NULL))
      g_hash_table_add (told, g_strdup_printf ("%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x",
                                               record->id_hash, record->hash));
    for (guint at = 0; frame.head.type == WIRE_SAME && at < frame.head.size; at += sizeof (WireSame)) {
      WireSame same;
      memcpy (&same, frame.body + at, sizeof same);
      g_hash_table_add (
        told, g_strdup_printf ("%" G_GINT64_MODIFIER "x:%" G_GINT64_MODIFIER "x", same.id_hash, same.hash));
    }
  }
}

static gint64
count_of (json_object *result, const char *member)
{
  return json_object_get_int64 (json_object_object_get (result, member));
}

/* Pulls and gives one member of the RESULT. */
static gint64
pull_count (Scene *scene, const char *member)
{
  json_object *result;
  g_autoptr (GHashTable) told = pull_page (scene, FALSE, &result);
  gint64 count = count_of (result, member);
  if (strcmp (json_object_get_string (json_object_object_get (result, "status")), "ok") != 0)
    printf ("# %s\n", json_object_to_json_string (result));
  json_object_put (result);
  return count;
}

/* ---- plugins ---- */

static tb_status
emit_item (tb_call *call, const tb_json *p)
{
  tb_product product = { .id = tb_string (p, "id"), .name = tb_text (p, "name") };
  handed++;
  return tb_int (p, "hidden", 0) ? TB_OK : tb_emit (call, &product);
}

static tb_status
pull_all (tb_call *call, const tb_pull *pull)
{
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  TB_EACH (p, items)
    TB_TRY (emit_item (call, p));
  return tb_int (tb_rest (items), "total", 0) == tb_seen (items) ? tb_done (call) : TB_BAD_RESPONSE;
}

static tb_status
pull_until_stop (tb_call *call, const tb_pull *pull)
{
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  TB_EACH (p, items) {
    if (tb_is (tb_string (p, "id"), "stop"))
      break;
    TB_TRY (emit_item (call, p));
  }
  CU_ASSERT_EQUAL (tb_int (tb_rest (items), "total", 0), 4);
  return tb_done (call);
}

static tb_status
pull_side_by_side (tb_call *call, const tb_pull *pull)
{
  tb_items *one, *other;
  TB_TRY (tb_get_items (call, &one, "products[]", "/products"));
  TB_TRY (tb_get_items (call, &other, "products[]", "/products"));
  TB_EACH (p, one) {
    TB_TRY (emit_item (call, p));
    handed += tb_next_item_ (other) != NULL;
  }
  return tb_done (call);
}

static tb_status
pull_kept (tb_call *call, const tb_pull *pull)
{
  const char *before = NULL;
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  TB_EACH (p, items) {
    tb_product product = { .id = tb_string (p, "id"), .name = before ? before : "first" };
    before = tb_keep (call, tb_text (p, "name"));
    TB_TRY (tb_emit (call, &product));
  }
  return tb_done (call);
}

/* ---- tests ---- */

static const char four[] =
  "{\"products\":[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"stop\"},{\"id\":\"b\",\"name\":\"B\"},"
  "{\"id\":\"c\",\"name\":\"C\",\"hidden\":1}],\"total\":4}";

static void
test_known_items_do_not_reach_the_plugin (void)
{
  Scene scene;
  static const char three[] = "{\"products\":[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\",\"name\":\"B\"},"
                              "{\"id\":\"c\",\"name\":\"C\",\"hidden\":1}],\"total\":3}";
  scene_set (&scene, three);
  body = pull_all;
  CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 0);
  CU_ASSERT_EQUAL (handed, 3);
  CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 3);
  CU_ASSERT_EQUAL (handed, 0);
  CU_ASSERT_EQUAL (pull_count (&scene, "seen"), 3);
  CU_ASSERT_EQUAL (pull_count (&scene, "filtered"), 1);
  scene_clear (&scene);
}

static void
test_an_item_at_which_the_plugin_left_is_read_again (void)
{
  Scene scene;
  scene_set (&scene, four);
  body = pull_until_stop;
  CU_ASSERT_EQUAL (pull_count (&scene, "items"), 2);
  CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 1);
  CU_ASSERT_EQUAL (pull_count (&scene, "items"), 2);
  CU_ASSERT_EQUAL (handed, 0);
  scene_clear (&scene);
}

static void
test_of_two_readers_at_once_nothing_is_remembered (void)
{
  Scene scene;
  scene_set (&scene, four);
  body = pull_side_by_side;
  pull_count (&scene, "skipped");
  CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 0);
  CU_ASSERT_EQUAL (handed, 8);
  scene_clear (&scene);
}

static void
test_a_text_that_was_kept_may_be_emitted_later (void)
{
  Scene scene;
  json_object *result;
  scene_set (&scene, "{\"products\":[{\"id\":\"a\",\"name\":\"A\"},{\"id\":\"b\",\"name\":\"B\"},{\"id\":"
                     "\"c\",\"name\":\"C\"}]}");
  body = pull_kept;
  g_autoptr (GHashTable) told = pull_page (&scene, FALSE, &result);
  CU_ASSERT_EQUAL (g_hash_table_size (told), 3);
  CU_ASSERT_STRING_EQUAL (json_object_get_string (json_object_object_get (result, "status")), "ok");
  json_object_put (result);
  scene_clear (&scene);
}

static tb_status
pull_to_fetch_again (tb_call *call, const tb_pull *pull)
{
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  TB_EACH (p, items) {
    handed++;
    TB_TRY (tb_fetch_again (call, "products", tb_string (p, "id"), 0));
  }
  return tb_done (call);
}

static tb_status
pull_with_details (tb_call *call, const tb_pull *pull)
{
  tb_items *items;
  const tb_json *details;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  TB_EACH (p, items) {
    TB_TRY (tb_get (call, &details, "/products/%s", tb_string (p, "id")));
    TB_TRY (emit_item (call, p));
  }
  return tb_done (call);
}

/* What it gives is not all its own: the stream is described wrong, which must not cost a change. */
static void
test_an_item_with_a_request_of_its_own_is_read_each_time (void)
{
  Scene scene;
  scene_set (&scene, "{\"products\":[{\"id\":\"a\",\"name\":\"A\"}]}");
  body = pull_with_details;
  for (guint pass = 0; pass < 2; pass++) {
    CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 0);
    CU_ASSERT_EQUAL (handed, 1);
  }
  scene_clear (&scene);
}

/* "Product a has changed" is the same text each time that it does. */
static void
test_an_item_that_asks_for_more_is_heard_each_time (void)
{
  Scene scene;
  scene_set (&scene, "{\"products\":[{\"id\":\"a\"},{\"id\":\"b\"}]}");
  body = pull_to_fetch_again;
  for (guint pass = 0; pass < 3; pass++) {
    CU_ASSERT_EQUAL (pull_count (&scene, "skipped"), 0);
    CU_ASSERT_EQUAL (handed, 2);
  }
  scene_clear (&scene);
}

static char *
random_page (GRand *rand, guint versions[ITEMS])
{
  GString *text = g_string_new ("{\"products\":[");
  guint total = 0;
  for (guint i = 0; i < ITEMS; i++) {
    versions[i] += g_rand_int_range (rand, 0, 8) == 0;
    if (g_rand_int_range (rand, 0, 5) == 0)
      continue;
    g_string_append_printf (text, "%s{\"id\":\"%u\",\"name\":\"v%u\",\"hidden\":%d}", total++ ? "," : "", i,
                            versions[i], versions[i] % 3 == 2);
  }
  g_string_append_printf (text, "],\"total\":%u}", total);
  return g_string_free (text, FALSE);
}

static gboolean
same_sets (GHashTable *one, GHashTable *other)
{
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, one);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    if (!g_hash_table_contains (other, key))
      return FALSE;
  return g_hash_table_size (one) == g_hash_table_size (other);
}

/* The same page twice, once with what is known left out and once wholly mapped: the hub is told the same. */
static void
test_leaving_out_tells_what_mapping_tells (void)
{
  Scene scene;
  guint versions[ITEMS] = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  scene_set (&scene, "");
  body = pull_all;
  gint64 skipped = 0;
  for (guint pass = 0; pass < PASSES; pass++) {
    json_object *lazy_result, *whole_result;
    g_free (scene.answer);
    scene.answer = random_page (rand, versions);
    g_autoptr (GHashTable) lazy = pull_page (&scene, FALSE, &lazy_result);
    g_autoptr (GHashTable) whole = pull_page (&scene, TRUE, &whole_result);
    CU_ASSERT_TRUE (same_sets (lazy, whole));
    CU_ASSERT_EQUAL (count_of (lazy_result, "seen"), count_of (whole_result, "seen"));
    CU_ASSERT_EQUAL (count_of (lazy_result, "filtered"), count_of (whole_result, "filtered"));
    CU_ASSERT_EQUAL (count_of (whole_result, "skipped"), 0);
    skipped += count_of (lazy_result, "skipped");
    json_object_put (lazy_result);
    json_object_put (whole_result);
  }
  CU_ASSERT_TRUE (skipped > PASSES * ITEMS / 3);
  scene_clear (&scene);
}

int
main (void)
{
  return TAP_RUN (
    "items", { "known items do not reach the plugin", test_known_items_do_not_reach_the_plugin },
    { "an item at which the plugin left is read again", test_an_item_at_which_the_plugin_left_is_read_again },
    { "of two readers at once nothing is remembered", test_of_two_readers_at_once_nothing_is_remembered },
    { "a text that was kept may be emitted later", test_a_text_that_was_kept_may_be_emitted_later },
    { "an item with a request of its own is read each time",
      test_an_item_with_a_request_of_its_own_is_read_each_time },
    { "an item that asks for more is heard each time", test_an_item_that_asks_for_more_is_heard_each_time },
    { "leaving out tells what mapping tells", test_leaving_out_tells_what_mapping_tells });
}
