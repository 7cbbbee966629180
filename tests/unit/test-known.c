/* Pages that are known: asked for under a condition, or seen to be the same as they were sent. */
#include "http-server.h"
#include "tap.h"
#include "worker-bed.h"

#include <string.h>
#include <zlib.h>

enum { ITEMS = 200 };

/* ---- the plugin ---- */

static struct {
  guint handed; /* items that it saw */
  gboolean twice, breaks_off;
  char link[64];
} seen;

static tb_status
pull_products (tb_call *call, const tb_pull *pull)
{
  tb_items *items, *others = NULL;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products"));
  if (seen.twice)
    TB_TRY (tb_get_items (call, &others, "products[]", "/others"));
  TB_EACH (p, items) {
    tb_product product = { .id = tb_string (p, "id"), .name = tb_text (p, "name") };
    seen.handed++;
    TB_TRY (tb_emit (call, &product));
  }
  TB_EACH (p, others)
    seen.handed++;
  g_strlcpy (seen.link, tb_http_header (call, "X-Link") ? tb_http_header (call, "X-Link") : "",
             sizeof seen.link);
  if (tb_http_status (call) != 200 || tb_int (tb_rest (items), "total", -1) != tb_seen (items))
    return tb_fail (call, TB_INTERNAL, "%d, %lld items of %lld", tb_http_status (call), tb_seen (items),
                    tb_int (tb_rest (items), "total", -1));
  return seen.breaks_off ? TB_VALIDATION_ERROR : tb_done (call);
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

/* ---- the vendor ---- */

typedef struct {
  Bed bed;
  HttpServer *server;
  char *page;
  const char *etag, *modified; /* NULL: none; with them, 304 to who asks under the condition */
  gboolean packs, always_304, cut;
  guint failures;       /* so many 503 first */
  guint answers[600];   /* how often, by status */
  gboolean conditional; /* did the last request ask under a condition? */
  guint link;           /* what X-Link says; a 304 does not say it */
  gsize sent;           /* bytes of bodies */
} Scene;

static char *
header_of (const HttpAsked *asked, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\r\n%s: ", name);
  const char *at = strstr (asked->head, begin);
  return at ? g_strndup (at + strlen (begin), strcspn (at + strlen (begin), "\r")) : NULL;
}

static GByteArray *
pack (const char *text)
{
  z_stream zlib = { 0 };
  GByteArray *out = g_byte_array_new ();
  deflateInit2 (&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  g_byte_array_set_size (out, (guint)deflateBound (&zlib, strlen (text)));
  zlib.next_in = (Bytef *)(guintptr)text;
  zlib.avail_in = (uInt)strlen (text);
  zlib.next_out = out->data;
  zlib.avail_out = out->len;
  deflate (&zlib, Z_FINISH);
  g_byte_array_set_size (out, (guint)zlib.total_out);
  deflateEnd (&zlib);
  return out;
}

static gboolean
send_page (Scene *scene, const HttpAsked *asked, const char *headers)
{
  g_autoptr (GByteArray) body = scene->packs ? pack (scene->page) : NULL;
  const void *bytes = body ? (const void *)body->data : scene->page;
  gsize length = body ? body->len : strlen (scene->page);
  if (scene->cut)
    length -= 6; /* and says so: as long as it is */
  g_autofree char *head = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%s%s\r\n", length,
                                           body ? "Content-Encoding: gzip\r\n" : "", headers);
  scene->sent += length;
  return http_server_write (asked, head, strlen (head)) && http_server_write (asked, bytes, length);
}

static gboolean
answer (const HttpAsked *asked, gpointer data)
{
  Scene *scene = data;
  g_autofree char *match = header_of (asked, "If-None-Match"),
                  *since = header_of (asked, "If-Modified-Since");
  g_autofree char *headers = g_strdup_printf (
    "%s%s%s%s%s%sDate: Mon, 02 Mar 2026 10:00:00 GMT\r\n", scene->etag ? "ETag: " : "",
    scene->etag ? scene->etag : "", scene->etag ? "\r\n" : "", scene->modified ? "Last-Modified: " : "",
    scene->modified ? scene->modified : "", scene->modified ? "\r\n" : "");
  scene->conditional = match || since;
  int status = scene->failures > 0 ? 503
               : scene->always_304 || (match && g_strcmp0 (match, scene->etag) == 0) ||
                   (since && g_strcmp0 (since, scene->modified) == 0)
                 ? 304
                 : 200;
  scene->answers[status]++;
  if (status == 503) {
    scene->failures--;
    return http_server_answer (asked, 503, "", "");
  }
  if (status == 304) {
    g_autofree char *head = g_strdup_printf ("HTTP/1.1 304 Not Modified\r\n%s\r\n", headers);
    return http_server_write (asked, head, strlen (head));
  }
  g_autofree char *all = g_strdup_printf ("X-Link: next-%u\r\n%s", scene->link, headers);
  return send_page (scene, asked, all);
}

/* Version: in the names, so that another one is another page. bad: so many have no id. */
static char *
page_text (guint items, guint version, guint bad)
{
  GString *text = g_string_new ("{\"products\":[");
  for (guint i = 0; i < items; i++)
    g_string_append_printf (text, "%s{\"%s\":\"p%u\",\"name\":\"name %u of version %u\"}", i ? "," : "",
                            i < bad ? "no_id" : "id", i, i, i % 7 ? 0 : version);
  g_string_append_printf (text, "],\"total\":%u}", items);
  return g_string_free (text, FALSE);
}

static void
scene_set (Scene *scene)
{
  *scene = (Scene){ .page = page_text (ITEMS, 1, 0), .link = 1 };
  memset (&seen, 0, sizeof seen);
  scene->server = http_server_new (answer, scene);
  g_autofree char *connector =
    g_strdup_printf ("{\"url\":\"http://127.0.0.1:%u\"}", http_server_port (scene->server));
  bed_set (&scene->bed, &info, connector);
}

static void
scene_clear (Scene *scene)
{
  bed_clear (&scene->bed);
  http_server_free (scene->server);
  g_free (scene->page);
}

static void
turn_to (Scene *scene, char *page)
{
  g_free (scene->page);
  scene->page = page;
}

typedef struct {
  char status[32], detail[300];
  gint64 records, same, seen, skipped;
} Outcome;

/* How: members of the CALL beside the usual ones. */
static Outcome
pull_how (Scene *scene, const char *how)
{
  Outcome outcome = { 0 };
  g_autofree char *call =
    g_strdup_printf ("\"operation\":\"pull\",\"stream\":\"products\",\"first\":true,%s", how);
  seen.handed = 0;
  bed_call (&scene->bed, call);
  for (;;) {
    WireFrame frame = bed_frame (&scene->bed);
    const WireRecord *record = NULL;
    while (frame.head.type == WIRE_RECORDS && wire_record_next (frame.body, frame.head.size, &record, NULL))
      outcome.records++;
    if (frame.head.type == WIRE_SAME)
      outcome.same += frame.head.size / sizeof (WireSame);
    if (frame.head.type != WIRE_RESULT)
      continue;
    json_object *result = json_tokener_parse ((const char *)frame.body);
    g_strlcpy (outcome.status, json_object_get_string (json_object_object_get (result, "status")), 32);
    g_strlcpy (outcome.detail, json_object_get_string (json_object_object_get (result, "detail")), 300);
    outcome.seen = json_object_get_int64 (json_object_object_get (result, "seen"));
    outcome.skipped = json_object_get_int64 (json_object_object_get (result, "skipped"));
    json_object_put (result);
    return outcome;
  }
}

static Outcome
pull (Scene *scene)
{
  return pull_how (scene, "\"full\":true,\"fresh\":false");
}

static void
expect (const Outcome *outcome, gint64 records, gint64 same)
{
  CU_ASSERT_STRING_EQUAL (outcome->status, "ok");
  CU_ASSERT_EQUAL (outcome->records, records);
  CU_ASSERT_EQUAL (outcome->same, same);
  CU_ASSERT_EQUAL (outcome->seen, records + same);
  CU_ASSERT_EQUAL (outcome->skipped, same);
  if (strcmp (outcome->status, "ok") != 0)
    printf ("# %s: %s\n", outcome->status, outcome->detail);
}

/* ---- 304 ---- */

static void
test_a_page_that_has_not_changed_is_told_without_its_body (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "W/\"one\"";
  Outcome first = pull (&scene);
  expect (&first, ITEMS, 0);
  CU_ASSERT_FALSE (scene.conditional);
  gsize sent = scene.sent;
  for (guint pass = 0; pass < 3; pass++) {
    Outcome again = pull (&scene);
    expect (&again, 0, ITEMS);
    CU_ASSERT_EQUAL (seen.handed, 0);
    CU_ASSERT_STRING_EQUAL (seen.link, "next-1");
  }
  CU_ASSERT_EQUAL (scene.answers[304], 3);
  CU_ASSERT_EQUAL (scene.sent, sent);
  scene_clear (&scene);
}

static void
test_a_page_that_has_changed_is_read (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  pull (&scene);
  turn_to (&scene, page_text (ITEMS, 2, 0));
  scene.etag = "\"two\"";
  Outcome changed = pull (&scene);
  expect (&changed, (ITEMS + 6) / 7, ITEMS - (ITEMS + 6) / 7);
  CU_ASSERT_TRUE (scene.conditional);
  Outcome again = pull (&scene);
  expect (&again, 0, ITEMS);
  CU_ASSERT_EQUAL (scene.answers[304], 1);
  scene_clear (&scene);
}

static void
test_passes_that_may_not_skip_ask_without_a_condition (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  pull (&scene);
  Outcome fresh = pull_how (&scene, "\"full\":true,\"fresh\":true");
  expect (&fresh, ITEMS, 0);
  CU_ASSERT_FALSE (scene.conditional);
  Outcome changes = pull_how (&scene, "\"full\":false,\"fresh\":false");
  expect (&changes, 0, ITEMS);
  CU_ASSERT_FALSE (scene.conditional);
  CU_ASSERT_EQUAL (scene.answers[304], 0);
  Outcome again = pull (&scene); /* what the fresh one read is remembered */
  expect (&again, 0, ITEMS);
  CU_ASSERT_EQUAL (scene.answers[304], 1);
  scene_clear (&scene);
}

static void
test_a_page_with_a_reject_is_read_each_time (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  turn_to (&scene, page_text (ITEMS, 1, 2));
  for (guint pass = 0; pass < 3; pass++) {
    Outcome outcome = pull (&scene);
    CU_ASSERT_EQUAL (outcome.seen, ITEMS);
    CU_ASSERT_EQUAL (seen.handed, pass ? 2 : ITEMS);
    CU_ASSERT_FALSE (scene.conditional);
  }
  scene_clear (&scene);
}

static void
test_what_a_failed_page_gave_is_asked_for_again (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  seen.breaks_off = TRUE;
  CU_ASSERT_STRING_EQUAL (pull (&scene).status, "validation_error");
  seen.breaks_off = FALSE;
  Outcome outcome = pull (&scene);
  expect (&outcome, ITEMS, 0);
  CU_ASSERT_FALSE (scene.conditional);
  scene_clear (&scene);
}

static void
test_tries_keep_the_condition (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  pull (&scene);
  scene.failures = 2;
  Outcome outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  CU_ASSERT_EQUAL (scene.answers[503], 2);
  CU_ASSERT_EQUAL (scene.answers[304], 1);
  scene_clear (&scene);
}

static void
test_not_modified_to_no_condition_is_a_bad_answer (void)
{
  Scene scene;
  scene_set (&scene);
  scene.always_304 = TRUE;
  Outcome outcome = pull (&scene);
  CU_ASSERT_STRING_EQUAL (outcome.status, "bad_response");
  CU_ASSERT_PTR_NOT_NULL (strstr (outcome.detail, "not modified"));
  scene.always_304 = FALSE;
  outcome = pull (&scene);
  expect (&outcome, ITEMS, 0);
  scene_clear (&scene);
}

static void
test_a_date_counts_when_it_is_old_enough (void)
{
  Scene scene;
  scene_set (&scene);
  scene.modified = "Mon, 02 Mar 2026 09:59:59 GMT";
  pull (&scene);
  Outcome outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  CU_ASSERT_FALSE (scene.conditional);
  scene.modified = "Mon, 02 Mar 2026 09:58:59 GMT";
  pull (&scene);
  outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  CU_ASSERT_EQUAL (scene.answers[304], 1);
  scene_clear (&scene);
}

static void
test_two_readers_at_once_are_told_apart (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  pull (&scene);
  seen.twice = TRUE;
  Outcome outcome = pull (&scene);
  CU_ASSERT_STRING_EQUAL (outcome.status, "ok");
  CU_ASSERT_EQUAL (outcome.same, ITEMS);     /* told before the other one was opened */
  CU_ASSERT_EQUAL (outcome.seen, 2 * ITEMS); /* of which those of the other gave nothing */
  CU_ASSERT_EQUAL (seen.handed, ITEMS);
  scene_clear (&scene);
}

static void
test_other_settings_forget_pages (void)
{
  Scene scene;
  scene_set (&scene);
  scene.etag = "\"one\"";
  pull (&scene);
  g_autofree char *connector =
    g_strdup_printf ("{\"url\":\"http://127.0.0.1:%u/\"}", http_server_port (scene.server));
  bed_connect (&scene.bed, connector);
  Outcome outcome = pull (&scene);
  expect (&outcome, ITEMS, 0);
  CU_ASSERT_FALSE (scene.conditional);
  scene_clear (&scene);
}

/* ---- packed ---- */

static void
test_a_packed_page_is_read_and_then_known (void)
{
  Scene scene;
  scene_set (&scene);
  scene.packs = TRUE;
  Outcome outcome = pull (&scene);
  expect (&outcome, ITEMS, 0);
  scene.link = 2;
  outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  CU_ASSERT_STRING_EQUAL (seen.link, "next-2"); /* the body is the same, the head is its own */
  turn_to (&scene, page_text (ITEMS, 2, 0));
  outcome = pull (&scene);
  expect (&outcome, (ITEMS + 6) / 7, ITEMS - (ITEMS + 6) / 7);
  outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  scene_clear (&scene);
}

static void
test_a_packed_page_that_is_cut_is_no_page (void)
{
  Scene scene;
  scene_set (&scene);
  scene.packs = scene.cut = TRUE;
  Outcome outcome = pull (&scene);
  CU_ASSERT_STRING_EQUAL (outcome.status, "bad_response");
  CU_ASSERT_PTR_NOT_NULL (strstr (outcome.detail, "is cut off"));
  scene.cut = FALSE;
  pull (&scene);
  scene.cut = TRUE; /* also where it is held to be compared */
  outcome = pull (&scene);
  CU_ASSERT_STRING_EQUAL (outcome.status, "bad_response");
  scene.cut = FALSE;
  outcome = pull (&scene);
  expect (&outcome, 0, ITEMS);
  scene_clear (&scene);
}

/* Held up to its ceiling, then read as it comes. */
static void
test_a_packed_page_that_is_large_is_read_as_it_comes (void)
{
  Scene scene;
  GString *text = g_string_new ("{\"products\":[");
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);
  for (guint i = 0; i < 3000; i++) {
    g_string_append_printf (text, "%s{\"id\":\"%u\",\"name\":\"n\",\"pad\":\"", i ? "," : "", i);
    for (guint k = 0; k < 110; k++)
      g_string_append_printf (text, "%08x", g_rand_int (rand));
    g_string_append (text, "\"}");
  }
  g_string_append (text, "],\"total\":3000}");
  scene_set (&scene);
  turn_to (&scene, g_string_free (text, FALSE));
  scene.packs = TRUE;
  Outcome outcome = pull (&scene);
  expect (&outcome, 3000, 0);
  CU_ASSERT_TRUE (scene.sent > 1100000);
  outcome = pull (&scene);
  expect (&outcome, 0, 3000);
  scene_clear (&scene);
}

static void
test_a_packed_page_that_unpacks_to_far_too_much_is_stopped (void)
{
  Scene scene;
  GString *text = g_string_new ("{\"products\":[{\"id\":\"1\",\"name\":\"");
  for (guint i = 0; i < 40000; i++)
    g_string_append_printf (text, "%0*d", 1000, 0);
  g_string_append (text, "\"}],\"total\":1}");
  scene_set (&scene);
  turn_to (&scene, g_string_free (text, FALSE));
  scene.packs = TRUE;
  Outcome outcome = pull (&scene);
  CU_ASSERT_STRING_EQUAL (outcome.status, "bad_response");
  CU_ASSERT_TRUE (scene.sent < 200000);
  scene_clear (&scene);
}

int
main (void)
{
  return TAP_RUN (
    "known",
    { "a page that has not changed is told without its body",
      test_a_page_that_has_not_changed_is_told_without_its_body },
    { "a page that has changed is read", test_a_page_that_has_changed_is_read },
    { "passes that may not skip ask without a condition",
      test_passes_that_may_not_skip_ask_without_a_condition },
    { "a page with a reject is read each time", test_a_page_with_a_reject_is_read_each_time },
    { "what a failed page gave is asked for again", test_what_a_failed_page_gave_is_asked_for_again },
    { "tries keep the condition", test_tries_keep_the_condition },
    { "not modified to no condition is a bad answer", test_not_modified_to_no_condition_is_a_bad_answer },
    { "a date counts when it is old enough", test_a_date_counts_when_it_is_old_enough },
    { "two readers at once are told apart", test_two_readers_at_once_are_told_apart },
    { "other settings forget pages", test_other_settings_forget_pages },
    { "a packed page is read and then known", test_a_packed_page_is_read_and_then_known },
    { "a packed page that is cut is no page", test_a_packed_page_that_is_cut_is_no_page },
    { "a packed page that is large is read as it comes",
      test_a_packed_page_that_is_large_is_read_as_it_comes },
    { "a packed page that unpacks to far too much is stopped",
      test_a_packed_page_that_unpacks_to_far_too_much_is_stopped });
}
