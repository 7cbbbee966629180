/* What a page gives: records, rejects, deletions, and how it ends. */
#include "base/hash.h"
#include "tap.h"
#include "worker-bed.h"

#include <string.h>

enum { SEED = 7 /* of the bed's connector */ };

static tb_status (*body) (tb_call *call, const tb_pull *pull);

static tb_status
pull_things (tb_call *call, const tb_pull *pull)
{
  return body (call, pull);
}

static tb_status
fetch_thing (tb_call *call, const char *id)
{
  tb_product product = { .id = id, .name = tb_is (id, "nameless") ? NULL : "One" };
  if (tb_is (id, "nothing"))
    return TB_OK;
  return tb_is (id, "gone") ? tb_emit_deleted (call, TB_PRODUCTS, id) : tb_emit (call, &product);
}

static tb_status
check (tb_call *call)
{
  return TB_OK;
}

static const tb_stream streams[] = { { "things", pull_things, fetch_thing, TB_PRODUCTS | TB_INVENTORY,
                                       TB_STAYS, .every_s = 60 } };
static const tb_sizes sizes = TB_SIZES;
static const tb_plugin_info info = { .magic = TB_MAGIC,
                                     .major = TB_SDK_MAJOR,
                                     .minor = TB_SDK_MINOR,
                                     .sizes = &sizes,
                                     .name = "test",
                                     .version = "1.0.0",
                                     .streams = TB_LIST (streams),
                                     .check = check };

typedef struct {
  GByteArray *records; /* RECORDS bodies, one behind the other */
  guint rejects;
  json_object *last_reject, *result;
} Page;

static void
page_clear (Page *page)
{
  g_byte_array_unref (page->records);
  json_object_put (page->last_reject);
  json_object_put (page->result);
}

static void
page_take (Page *page, const WireFrame *frame)
{
  if (frame->head.type == WIRE_RECORDS)
    g_byte_array_append (page->records, frame->body, frame->head.size);
  if (frame->head.type == WIRE_REJECT) {
    page->rejects++;
    json_object_put (page->last_reject);
    page->last_reject = json_tokener_parse ((const char *)frame->body);
  }
  if (frame->head.type == WIRE_RESULT)
    page->result = json_tokener_parse ((const char *)frame->body);
}

static Page
pull_page (Bed *bed, tb_status (*what) (tb_call *, const tb_pull *), const char *members)
{
  Page page = { .records = g_byte_array_new () };
  g_autofree char *call =
    g_strdup_printf ("\"operation\":\"pull\",\"stream\":\"things\",\"full\":true%s", members);
  body = what;
  guint64 number = bed_call (bed, call);
  while (!page.result) {
    WireFrame frame = bed_frame (bed);
    if (frame.head.call == number)
      page_take (&page, &frame);
  }
  return page;
}

static gboolean
result_is (const Page *page, const char *member, const char *json)
{
  json_object *value = json_object_object_get (page->result, member);
  gboolean same =
    strcmp (value ? json_object_to_json_string_ext (value, JSON_C_TO_STRING_PLAIN) : "", json) == 0;
  if (!same)
    printf ("# %s\n", json_object_to_json_string (page->result));
  return same;
}

static const WireRecord *
record_at (const Page *page, guint index)
{
  const WireRecord *record = NULL;
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i <= index; i++)
    if (!wire_record_next (page->records->data, page->records->len, &record, &error))
      return NULL;
  return record;
}

static tb_status
emit_two_kinds (tb_call *call, const tb_pull *pull)
{
  tb_product product = { .id = "p1", .name = "One", .parent_id = "family" };
  tb_inventory level = { .product_id = "p1", .location_id = "front", .quantity = tb_decimal_of (2.5) };
  TB_TRY (tb_emit (call, &product));
  TB_TRY (tb_emit (call, &level));
  TB_TRY (tb_emit_deleted (call, TB_PRODUCTS, "p2"));
  TB_TRY (tb_children_complete (call, TB_PRODUCTS, "family"));
  TB_TRY (tb_fetch_again (call, "things", "p3", 5));
  return tb_done (call);
}

static void
test_records_deletions_and_children_are_told (void)
{
  Bed bed;
  bed_set (&bed, &info, "{}");
  Page page = pull_page (&bed, emit_two_kinds, "");
  CU_ASSERT_TRUE (result_is (&page, "status", "\"ok\"") && result_is (&page, "seen", "3"));
  CU_ASSERT_TRUE (result_is (&page, "children", "[[\"products\",\"family\"]]"));
  CU_ASSERT_TRUE (result_is (&page, "again", "[[\"things\",\"p3\",5]]"));
  const WireRecord *product = record_at (&page, 0), *level = record_at (&page, 1),
                   *gone = record_at (&page, 2);
  CU_ASSERT_TRUE_FATAL (product && level && gone && !record_at (&page, 3));
  CU_ASSERT_STRING_EQUAL (wire_record_id (product), "p1");
  CU_ASSERT_EQUAL (product->id_hash, hash_bytes ("p1", 2, SEED));
  CU_ASSERT_EQUAL (product->hash, hash_bytes (wire_record_body (product), product->body_length, SEED));
  CU_ASSERT_EQUAL (product->parent_hash, hash_bytes ("family", 6, SEED));
  CU_ASSERT_EQUAL (level->kind, MODEL_INVENTORY);
  CU_ASSERT_STRING_EQUAL (wire_record_id (level), "p1:front");
  CU_ASSERT_TRUE (gone->op == WIRE_DELETE && gone->body_length == 0 &&
                  gone->id_hash == hash_bytes ("p2", 2, SEED));
  page_clear (&page);
  bed_clear (&bed);
}

static tb_status
say_too_much_again (tb_call *call, const tb_pull *pull)
{
  g_autofree char *long_id = g_strnfill (1000, '\"');
  tb_status status = TB_OK;
  for (guint i = 0; i < 50000 && status == TB_OK; i++)
    status = tb_fetch_again (call, "things", long_id, 0);
  return status == TB_OK ? tb_done (call) : status;
}

/* A RESULT frame has a ceiling, above which the hub would end the worker. */
static void
test_what_is_to_be_fetched_again_has_a_ceiling (void)
{
  Bed bed;
  bed_set (&bed, &info, "{}");
  Page page = pull_page (&bed, say_too_much_again, "");
  CU_ASSERT_TRUE (result_is (&page, "status", "\"internal\""));
  page_clear (&page);
  bed_clear (&bed);
}

static tb_status
move_cursor (tb_call *call, const tb_pull *pull)
{
  CU_ASSERT_EQUAL (tb_cursor_int (pull, "page", 1), 3);
  CU_ASSERT_TRUE (tb_is (tb_cursor (pull, "token"), "abc"));
  CU_ASSERT_PTR_NULL (tb_cursor (pull, "other"));
  CU_ASSERT_EQUAL (pull->started_ms, 42);
  tb_move (call, "token", NULL);
  return tb_pages (call, true, "page", 4);
}

static tb_status
end_later (tb_call *call, const tb_pull *pull)
{
  return tb_later (call, 30);
}

static tb_status
end_until (tb_call *call, const tb_pull *pull)
{
  return tb_done_until (call, 1772471740000);
}

static tb_status
end_with_failure (tb_call *call, const tb_pull *pull)
{
  tb_move (call, "page", "9");
  TB_TRY (tb_more (call));
  return tb_fail_because (call, TB_VALIDATION_ERROR, TB_WHY_SENDER, "no %s today", "pages");
}

static void
test_pages_end_as_the_plugin_says (void)
{
  static const char cursor[] = ",\"started_ms\":42,\"cursor\":{\"page\":\"3\",\"token\":\"abc\"}";
  Bed bed;
  bed_set (&bed, &info, "{}");
  Page page = pull_page (&bed, move_cursor, cursor);
  CU_ASSERT_TRUE (result_is (&page, "ending", "\"more\"") && result_is (&page, "cursor", "{\"page\":\"4\"}"));
  page_clear (&page);
  page = pull_page (&bed, end_later, cursor);
  CU_ASSERT_TRUE (result_is (&page, "ending", "\"later\"") && result_is (&page, "later_s", "30"));
  CU_ASSERT_TRUE (result_is (&page, "cursor", "{\"page\":\"3\",\"token\":\"abc\"}"));
  page_clear (&page);
  page = pull_page (&bed, end_until, cursor);
  CU_ASSERT_TRUE (result_is (&page, "ending", "\"done\"") && result_is (&page, "until_ms", "1772471740000"));
  CU_ASSERT_TRUE (result_is (&page, "cursor", ""));
  page_clear (&page);
  page = pull_page (&bed, end_with_failure, "");
  CU_ASSERT_TRUE (result_is (&page, "status", "\"validation_error\"") &&
                  result_is (&page, "why", "\"sender\""));
  CU_ASSERT_TRUE (result_is (&page, "detail", "\"no pages today\"") &&
                  result_is (&page, "ending", "\"none\""));
  CU_ASSERT_TRUE (result_is (&page, "cursor", ""));
  page_clear (&page);
  bed_clear (&bed);
}

static tb_status
emit_nameless (tb_call *call, const tb_pull *pull)
{
  for (long long i = 0; i < 1500; i++) {
    tb_product product = { .id = tb_printf (call, "%lld", i) };
    TB_TRY (tb_emit (call, &product));
  }
  return tb_done (call);
}

static void
test_rejects_are_all_counted_and_the_first_thousand_told (void)
{
  Bed bed;
  bed_set (&bed, &info, "{}");
  Page page = pull_page (&bed, emit_nameless, "");
  CU_ASSERT_EQUAL (page.rejects, 1000);
  CU_ASSERT_TRUE (result_is (&page, "rejected", "1500") && result_is (&page, "status", "\"ok\""));
  json_object *reason = json_object_object_get (page.last_reject, "reason");
  CU_ASSERT_STRING_EQUAL (json_object_get_string (reason), "missing_field");
  page_clear (&page);
  bed_clear (&bed);
}

static tb_status
emit_many (tb_call *call, const tb_pull *pull)
{
  for (long long i = 0; i < 200000; i++) {
    char id[32];
    snprintf (id, sizeof id, "%lld", i);
    tb_product product = { .id = id, .name = "one of many" };
    TB_TRY (tb_emit (call, &product));
  }
  return tb_done (call);
}

static void
test_a_long_page_holds_nobody_up (void)
{
  Bed bed;
  bed_set (&bed, &info, "{}");
  Page page = { .records = g_byte_array_new () };
  body = emit_many;
  guint64 first = bed_call (&bed, "\"operation\":\"pull\",\"stream\":\"things\",\"full\":true");
  guint64 second = bed_call (&bed, "\"operation\":\"check\"");
  gboolean answered_first = FALSE;
  while (!page.result) {
    WireFrame frame = bed_frame (&bed);
    answered_first = answered_first || frame.head.call == second;
    if (frame.head.call == first)
      page_take (&page, &frame);
  }
  CU_ASSERT_TRUE (answered_first);
  CU_ASSERT_TRUE (result_is (&page, "seen", "200000"));
  for (int i = 0; i < 100 && bed.worker->window_used; i++)
    loop_turn (bed.loop, 10); /* the last credit is under way */
  CU_ASSERT_EQUAL (bed.worker->window_used, 0);
  page_clear (&page);
  bed_clear (&bed);
}

static tb_status
say_too_much (tb_call *call, const tb_pull *pull)
{
  for (long long i = 0; i < 5000; i++)
    tb_log (call, TB_INFO, "line %lld", i);
  return tb_done (call);
}

static void
test_a_flood_of_log_lines_is_cut_off (void)
{
  Bed bed;
  guint lines = 0;
  bed_set (&bed, &info, "{}");
  body = say_too_much;
  bed_call (&bed, "\"operation\":\"pull\",\"stream\":\"things\",\"full\":true");
  for (WireFrame frame = bed_frame (&bed); frame.head.type != WIRE_RESULT; frame = bed_frame (&bed))
    lines += frame.head.type == WIRE_LOG;
  CU_ASSERT_EQUAL (lines, 1001);
  bed_clear (&bed);
}

static gboolean
fetch_gives (Bed *bed, const char *id, const char *status)
{
  Page page = { .records = g_byte_array_new () };
  g_autofree char *call =
    g_strdup_printf ("\"operation\":\"fetch\",\"stream\":\"things\",\"record\":\"%s\"", id);
  guint64 number = bed_call (bed, call);
  while (!page.result) {
    WireFrame frame = bed_frame (bed);
    if (frame.head.call == number)
      page_take (&page, &frame);
  }
  gboolean same = result_is (&page, "status", status);
  page_clear (&page);
  return same;
}

static void
test_a_fetch_that_gives_nothing_says_so (void)
{
  Bed bed;
  bed_set (&bed, &info, "{}");
  CU_ASSERT_TRUE (fetch_gives (&bed, "nothing", "\"internal\""));
  CU_ASSERT_TRUE (fetch_gives (&bed, "p1", "\"ok\""));
  CU_ASSERT_TRUE (fetch_gives (&bed, "nameless", "\"ok\""));
  CU_ASSERT_TRUE (fetch_gives (&bed, "gone", "\"ok\""));
  bed_clear (&bed);
}

int
main (void)
{
  return TAP_RUN (
    "emit", { "records deletions and children are told", test_records_deletions_and_children_are_told },
    { "what is to be fetched again has a ceiling", test_what_is_to_be_fetched_again_has_a_ceiling },
    { "pages end as the plugin says", test_pages_end_as_the_plugin_says },
    { "rejects are all counted and the first thousand told",
      test_rejects_are_all_counted_and_the_first_thousand_told },
    { "a fetch that gives nothing says so", test_a_fetch_that_gives_nothing_says_so },
    { "a long page holds nobody up", test_a_long_page_holds_nobody_up },
    { "a flood of log lines is cut off", test_a_flood_of_log_lines_is_cut_off });
}
