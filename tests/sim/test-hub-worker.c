/* What a worker may send, however wrong: it costs the pass or the worker, never the hub, and never a record.
 */
#include <string.h>

#include "../unit/tap.h"
#include "fake-hub.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };

#define RECORD(...)                                                                                          \
  1, (FakeRecord[])                                                                                          \
  {                                                                                                          \
    {                                                                                                        \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }

static gboolean
last_pass_is (FakeHub *fake, PassState state)
{
  const Pass *last = fake_stream (fake)->last;
  return last && last->state == state;
}

static void
test_a_whole_page_is_stored (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a");
  CU_ASSERT (last_pass_is (fake, PASS_COMPLETE));
}

static void
test_what_a_condemned_worker_still_sends_counts_for_nothing (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  const FakeRecord records[] = { { .id = "a" }, { .id = "b", .damaged = TRUE }, { .id = "c" } };
  guint64 call = fake->call;
  fake_records (fake, call, G_N_ELEMENTS (records), records);
  CU_ASSERT_EQUAL (fake->ended, 1);
  fake_result (fake, call, FAKE_DONE); /* lay in the same read */
  fake_writes (fake);
  CU_ASSERT_PTR_NULL (fake_stream (fake)->last);
  CU_ASSERT_EQUAL (fake_stream (fake)->watermark_ms, 0);
  fake_gone (fake);
  fake_run (fake, MINUTE_MS);
  CU_ASSERT_NOT_EQUAL_FATAL (fake->call, call);
  const FakeRecord right[] = { { .id = "a" }, { .id = "b" }, { .id = "c" } };
  fake_records (fake, fake->call, G_N_ELEMENTS (right), right);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b c");
}

/* Where it is served, what is left and how old it is are put before its last bracket. */
static void
test_a_record_that_is_no_object_ends_the_worker (void)
{
  static const char *const bodies[] = { "[]", "{}x", "{} ", "{ }", "{\"a\":1}\n", "{\"a\":}", "{", "\"{}\"" };
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    fake_records (fake, fake->call, 1, &(FakeRecord){ .id = "a", .body = bodies[i] });
    CU_ASSERT_EQUAL (fake->ended, 1);
    fake_gone (fake);
    fake_writes (fake);
    g_autofree char *stored = fake_stored (fake);
    CU_ASSERT_STRING_EQUAL (stored, "");
  }
}

/* In an id, a reject, a result or a line of the log: the API would serve what no client can read. */
static void
test_a_text_that_is_not_utf8_ends_the_worker (void)
{
  static const struct {
    WireType type;
    const char *text;
  } frames[] = {
    { WIRE_REJECT, "{\"kind\":\"products\",\"reason\":\"not_a_number\",\"sample\":\"\xff\"}" },
    { WIRE_RESULT, "{\"status\":\"bad_response\",\"detail\":\"\xc3\"}" },
    { WIRE_LOG, "{\"level\":\"info\",\"text\":\"\xed\xa0\x80\"}" },
    { WIRE_RECORDS, "a\xff" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (frames); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    if (frames[i].type == WIRE_RECORDS)
      fake_records (fake, fake->call, 1, &(FakeRecord){ .id = frames[i].text });
    else
      fake_frame (fake, frames[i].type, fake->call, frames[i].text);
    CU_ASSERT_EQUAL (fake->ended, 1);
  }
}

static void
test_children_that_a_page_does_not_give_go (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  const FakeRecord both[] = { { .id = "c1", .parent = "P" }, { .id = "c2", .parent = "P" } };
  fake_records (fake, fake->call, G_N_ELEMENTS (both), both);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  fake_run (fake, 11000);
  fake_records (fake, fake->call, RECORD (.id = "c2", .parent = "P"));
  fake_result (fake, fake->call,
               "{\"status\":\"ok\",\"ending\":\"done\",\"children\":[[\"products\",\"P\"]]}");
  fake_writes (fake);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "c2");
}

static void
test_children_of_any_shape_end_no_hub (void)
{
  static const char *const shapes[] = { "[1]",
                                        "[null]",
                                        "[[]]",
                                        "[[\"products\"]]",
                                        "[[\"products\",null]]",
                                        "[[null,\"P\"]]",
                                        "[[1,2]]",
                                        "[[\"nonsense\",\"P\"]]",
                                        "{\"a\":1}",
                                        "\"x\"",
                                        "7" };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    g_autofree char *result =
      g_strdup_printf ("{\"status\":\"ok\",\"ending\":\"done\",\"children\":%s}", shapes[i]);
    fake_records (fake, fake->call, RECORD (.id = "a"));
    fake_result (fake, fake->call, result);
    fake_writes (fake);
    g_autofree char *stored = fake_stored (fake);
    CU_ASSERT_STRING_EQUAL (stored, "a");
  }
}

static void
test_a_result_that_is_none_ends_the_worker (void)
{
  static const char *const results[] = {
    "", "{", "[]", "7", "null", "{}", "{\"status\":1}", "{\"status\":null}"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    fake_result (fake, fake->call, results[i]);
    CU_ASSERT_EQUAL (fake->ended, 1);
    CU_ASSERT_PTR_NULL (fake_stream (fake)->last);
  }
}

static void
test_members_of_wrong_types_end_no_hub (void)
{
  static const char *const results[] = {
    "{\"status\":\"service_unavailable\",\"detail\":{\"a\":[]},\"retry_ms\":\"soon\"}",
    "{\"status\":\"bad_response\",\"detail\":7,\"retry_ms\":{}}",
    "{\"status\":\"no_such_status\",\"detail\":null}",
    "{\"status\":\"ok\",\"ending\":\"done\",\"filtered\":\"x\",\"until_ms\":[],\"cursor\":9}",
    "{\"status\":\"ok\",\"ending\":\"later\",\"later_s\":{},\"cursor\":{\"a\":1}}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    guint64 call = fake->call;
    fake_frame (fake, WIRE_LOG, call, "{\"level\":{},\"text\":[1]}");
    fake_frame (fake, WIRE_LOG, call, "[]");
    fake_frame (fake, WIRE_LOG, call, "{");
    fake_result (fake, call, results[i]);
    fake_run (fake, 2 * MINUTE_MS);
    CU_ASSERT_NOT_EQUAL (fake->call, call); /* it is asked again */
  }
}

/* An end that nobody understands is not the end of a full pass: what was not seen would be deleted. */
static void
test_an_ending_that_is_none_deletes_nothing (void)
{
  static const char *const endings[] = { "7", "null", "\"none\"", "\"enough\"" };
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    const FakeRecord all[] = { { .id = "a" }, { .id = "b" }, { .id = "c" }, { .id = "d" } };
    fake_records (fake, fake->call, G_N_ELEMENTS (all), all);
    fake_result (fake, fake->call, FAKE_DONE);
    hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL);
    fake_run (fake, 20000);
    CU_ASSERT_STRING_EQUAL (fake_asked (fake, "full"), "true");
    g_autofree char *result = g_strdup_printf ("{\"status\":\"ok\",\"ending\":%s}", endings[i]);
    fake_records (fake, fake->call, 3, all);
    fake_result (fake, fake->call, result);
    fake_writes (fake);
    g_autofree char *stored = fake_stored (fake);
    CU_ASSERT_STRING_EQUAL (stored, "a b c d");
    CU_ASSERT (last_pass_is (fake, PASS_FAILED));
  }
}

static void
test_more_with_a_cursor_that_leads_nowhere_ends_the_pass (void)
{
  g_autofree char *much = g_strnfill (20 << 20, '/');
  g_autofree char *huge = g_strdup_printf ("{\"a\":\"%s\"}", much);
  const char *const cursors[] = { "null", "{}", "5", "\"x\"", "[]", huge };
  for (gsize i = 0; i < G_N_ELEMENTS (cursors); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    g_autofree char *result =
      g_strdup_printf ("{\"status\":\"ok\",\"ending\":\"more\",\"cursor\":%s}", cursors[i]);
    fake_records (fake, fake->call, RECORD (.id = "a"));
    fake_result (fake, fake->call, result);
    fake_writes (fake);
    CU_ASSERT (last_pass_is (fake, PASS_FAILED));
    CU_ASSERT_PTR_NULL (fake_stream (fake)->pass);
  }
}

static void
test_more_without_any_cursor_ends_the_pass (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  for (guint pages = 0; fake->open->len && pages < 10; pages++) {
    fake_result (fake, fake->call, "{\"status\":\"ok\",\"ending\":\"more\"}");
    fake_writes (fake);
  }
  CU_ASSERT_EQUAL (fake->calls, 1);
  CU_ASSERT (last_pass_is (fake, PASS_FAILED));
}

static void
test_a_worker_that_skips_what_we_do_not_hold_is_asked_anew_once (void)
{
  static const WireSame unknown = { 1, 2 };
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  for (guint tries = 0; fake->open->len && tries < 20; tries++) {
    guint64 call = fake->call;
    fake_same (fake, call, &unknown);
    fake_result (fake, call, FAKE_DONE);
  }
  CU_ASSERT (fake->calls <= 2);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "fresh"), "true");
  fake_writes (fake);
  CU_ASSERT (last_pass_is (fake, PASS_FAILED));
}

static void
test_a_wait_that_a_vendor_asks_for_is_bounded (void)
{
  static const char *const results[] = {
    "{\"status\":\"rate_limit_exceeded\",\"retry_ms\":9223372036854775807}",
    "{\"status\":\"service_unavailable\",\"retry_ms\":9223372036854775807}",
    "{\"status\":\"ok\",\"ending\":\"later\",\"cursor\":{\"a\":1},\"later_s\":9223372036854775807}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    fake_result (fake, fake->call, results[i]);
    fake_run (fake, HOUR_MS);
    CU_ASSERT_EQUAL (fake->calls, 1);
    fake_run (fake, 24 * HOUR_MS);
    CU_ASSERT_EQUAL (fake->calls, 2);
  }
}

static void
test_a_wait_below_zero_is_a_second (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  for (guint ms = 0; ms < 10000; ms += 100) {
    if (fake->open->len)
      fake_result (fake, fake->call,
                   "{\"status\":\"ok\",\"ending\":\"later\",\"cursor\":{\"a\":1},\"later_s\":-5}");
    fake_run (fake, 100);
  }
  CU_ASSERT (fake->calls >= 5 && fake->calls <= 11);
}

static void
test_a_vendor_that_always_says_429_is_asked_ever_more_rarely (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  for (guint s = 0; s < 3600; s++) {
    if (fake->open->len)
      fake_result (fake, fake->call, "{\"status\":\"rate_limit_exceeded\"}");
    fake_run (fake, 1000);
  }
  CU_ASSERT (fake->calls > 20 && fake->calls < 200);
  CU_ASSERT_PTR_NOT_NULL (fake_stream (fake)->pass); /* waiting is no failure */
}

static void
test_a_watermark_far_in_the_future_is_cut (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_result (fake, fake->call,
               "{\"status\":\"ok\",\"ending\":\"done\",\"until_ms\":9223372036854775807,"
               "\"filtered\":9223372036854775807}");
  fake_writes (fake);
  CU_ASSERT (fake_stream (fake)->watermark_ms <= hub_wall_ms (fake->hub) + 24 * HOUR_MS);
  CU_ASSERT (last_pass_is (fake, PASS_COMPLETE));
}

static void
test_a_reject_cannot_speak_for_another_store (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_frame (fake, WIRE_REJECT, fake->call,
              "{\"kind\":\"products\",\"record\":\"x\",\"reason\":\"not_a_number\",\"id\":\"rej_made_up\","
              "\"store\":\"uptown\",\"connector\":\"till\",\"pass\":\"pass_made_up\",\"at\":\"1999\"}");
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  g_autofree char *body = fake_last_row (fake, STORE_REJECTS);
  CU_ASSERT_PTR_NOT_NULL_FATAL (body);
  CU_ASSERT_PTR_NOT_NULL (strstr (body, "\"store\":\"downtown\""));
  CU_ASSERT_PTR_NOT_NULL (strstr (body, "\"record\":\"x\""));
  static const char *const made_up[] = { "uptown", "till", "made_up", "1999" };
  for (gsize i = 0; i < G_N_ELEMENTS (made_up); i++)
    CU_ASSERT_PTR_NULL (strstr (body, made_up[i]));
}

static void
test_statuses_that_are_made_up_make_no_metrics (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_result (fake, fake->call, "{\"status\":\"made_up\"}");
  g_autofree char *text = metrics_to_text (fake->metrics);
  CU_ASSERT_PTR_NULL (strstr (text, "made_up"));
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "\"unknown\""));
}

/* ---- credit ---- */

static void
test_records_beyond_the_window_end_the_worker (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autofree char *pad = g_strnfill (1000000, 'x');
  g_autofree char *body = g_strdup_printf ("{\"pad\":\"%s\"}", pad);
  guint sent = 0;
  for (; sent < 20 && !fake->ended; sent++) {
    g_autofree char *id = g_strdup_printf ("p%u", sent);
    fake_records (fake, fake->call, RECORD (.id = id, .body = body));
  }
  CU_ASSERT (sent > 3 && sent < 20); /* all of the window may be used */
}

/* Sixteen passes of one worker, each with a page that is longer than its share of the window: if each held on
 * to what it has until the page's end, no credit would come back, and no page would end. */
static void
test_pages_that_share_a_window_do_not_starve_each_other (void)
{
  enum { PASSES = 16, RECORD_BYTES = 8000, RECORDS = 128 };
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .connectors = PASSES });
  fake_run (fake, 5000);
  CU_ASSERT_EQUAL_FATAL (fake->open->len, PASSES);
  g_autofree char *pad = g_strnfill (RECORD_BYTES, 'x');
  g_autofree char *body = g_strdup_printf ("{\"pad\":\"%s\"}", pad);
  const gsize frame = sizeof (WireRecord) + 64 + strlen (body);
  gsize sent = 0;
  for (guint i = 0; i < RECORDS * PASSES; i++) {
    g_autofree char *id = g_strdup_printf ("p%u", i / PASSES);
    CU_ASSERT_FATAL (sent + frame <= fake->credit + WIRE_WINDOW_BYTES);
    fake_records (fake, g_array_index (fake->open, guint64, i % PASSES), RECORD (.id = id, .body = body));
    sent += sizeof (WireRecord) + strlen (body);
    fake_writes (fake);
  }
  CU_ASSERT_EQUAL (fake->ended, 0);
}

static void
test_a_page_that_failed_keeps_no_credit (void)
{
  static const char *const results[] = { "{\"status\":\"service_unavailable\"}", "{\"status\":\"not_found\"}",
                                         FAKE_MORE, FAKE_DONE };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
    fake_records (fake, fake->call, RECORD (.id = "a"));
    CU_ASSERT_EQUAL (fake->credit, 0);
    fake_result (fake, fake->call, results[i]);
    fake_writes (fake);
    CU_ASSERT (fake->credit >= sizeof (WireRecord));
  }
}

int
main (void)
{
  return TAP_RUN (
    "hub-worker", { "a whole page is stored", test_a_whole_page_is_stored },
    { "what a condemned worker still sends counts for nothing",
      test_what_a_condemned_worker_still_sends_counts_for_nothing },
    { "a record that is no object ends the worker", test_a_record_that_is_no_object_ends_the_worker },
    { "a text that is not UTF-8 ends the worker", test_a_text_that_is_not_utf8_ends_the_worker },
    { "children that a page does not give go", test_children_that_a_page_does_not_give_go },
    { "children of any shape end no hub", test_children_of_any_shape_end_no_hub },
    { "a result that is none ends the worker", test_a_result_that_is_none_ends_the_worker },
    { "members of wrong types end no hub", test_members_of_wrong_types_end_no_hub },
    { "an ending that is none deletes nothing", test_an_ending_that_is_none_deletes_nothing },
    { "more with a cursor that leads nowhere ends the pass",
      test_more_with_a_cursor_that_leads_nowhere_ends_the_pass },
    { "more without any cursor ends the pass", test_more_without_any_cursor_ends_the_pass },
    { "a worker that skips what we do not hold is asked anew once",
      test_a_worker_that_skips_what_we_do_not_hold_is_asked_anew_once },
    { "a wait that a vendor asks for is bounded", test_a_wait_that_a_vendor_asks_for_is_bounded },
    { "a wait below zero is a second", test_a_wait_below_zero_is_a_second },
    { "a vendor that always says 429 is asked ever more rarely",
      test_a_vendor_that_always_says_429_is_asked_ever_more_rarely },
    { "a watermark far in the future is cut", test_a_watermark_far_in_the_future_is_cut },
    { "a reject cannot speak for another store", test_a_reject_cannot_speak_for_another_store },
    { "statuses that are made up make no metrics", test_statuses_that_are_made_up_make_no_metrics },
    { "records beyond the window end the worker", test_records_beyond_the_window_end_the_worker },
    { "pages that share a window do not starve each other",
      test_pages_that_share_a_window_do_not_starve_each_other },
    { "a page that failed keeps no credit", test_a_page_that_failed_keeps_no_credit });
}
