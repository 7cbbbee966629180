/* What happens around a pass: writes fail, the configuration changes, clocks jump, many wait for their turn.
 */
#include <string.h>

#include "../unit/tap.h"
#include "fake-hub.h"

enum { MINUTE_MS = 60000, DAY_MS = 86400000, RUN_AT_ONCE = 16 };

#define RECORD(...)                                                                                          \
  1, (FakeRecord[])                                                                                          \
  {                                                                                                          \
    {                                                                                                        \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }

static void
check_stored (FakeHub *fake, const char *ids)
{
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, ids);
}

/* A pass of one page with this one record. */
static void
pass_with (FakeHub *fake, const char *id, const char *body)
{
  fake_records (fake, fake->call, RECORD (.id = id, .body = body));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
}

/* ---- writes that fail ---- */

/* Page 1 is not written; the call that runs then is for page 2, whose cursor says that page 1 is done. */
static void
lose_page_1 (FakeHub *fake)
{
  fake_records (fake, fake->call, RECORD (.id = "a"));
  mem_store_set_full (fake->store, TRUE);
  fake_result (fake, fake->call, FAKE_MORE);
  fake_writes (fake);
  mem_store_set_full (fake->store, FALSE);
  fake_run (fake, 5000);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), "{}");
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_MORE);
  fake_writes (fake);
  fake_records (fake, fake->call, RECORD (.id = "b"));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
}

static void
test_a_full_pass_asks_again_for_a_page_that_was_not_written (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  lose_page_1 (fake);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
  check_stored (fake, "a b");
}

static void
test_a_pass_of_changes_asks_again_for_a_page_that_was_not_written (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  pass_with (fake, "z", NULL);
  fake_run (fake, 11000);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "full"), "false");
  lose_page_1 (fake);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
  check_stored (fake, "z a b");
}

static void
test_the_place_of_the_page_that_was_written_last_is_where_it_goes_on (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_MORE);
  fake_writes (fake);
  fake_records (fake, fake->call, RECORD (.id = "b"));
  mem_store_set_full (fake->store, TRUE);
  fake_result (fake, fake->call, FAKE_MORE_3);
  fake_writes (fake);
  mem_store_set_full (fake->store, FALSE);
  fake_run (fake, 5000);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), "{\"page\":2}");
}

typedef struct {
  guint times;
  gboolean result;
  char status[32];
} Told;

static void
dry_done (json_object *result, const char *status, const char *detail, gpointer data)
{
  Told *told = data;
  told->times++;
  told->result = result != NULL;
  g_strlcpy (told->status, status, sizeof told->status);
}

static void
test_a_dry_run_on_a_full_disk_fails_and_stores_nothing (void)
{
  Told told = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .sync_off = TRUE });
  mem_store_set_full (fake->store, TRUE);
  CU_ASSERT (hub_sync_dry (fake->hub, fake_connector (fake), "products", dry_done, &told, &error));
  fake_run (fake, 5000);
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT_FALSE (told.result);
  CU_ASSERT_STRING_EQUAL (told.status, "disk_full");
  mem_store_set_full (fake->store, FALSE);
  fake_run (fake, MINUTE_MS);
  CU_ASSERT_EQUAL (fake->calls, 0);
  check_stored (fake, "");
}

static void
test_a_dry_run_stores_nothing (void)
{
  Told told = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .sync_off = TRUE });
  CU_ASSERT (hub_sync_dry (fake->hub, fake_connector (fake), "products", dry_done, &told, &error));
  fake_run (fake, 1000);
  pass_with (fake, "a", NULL);
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT_TRUE (told.result);
  check_stored (fake, "");
}

/* ---- a reload ---- */

static const FakeSetup other_pace = { .per_second = 5 };

/* What the old connector has under way reaches the disk, or not, when the new one already waits. */
static void
reload_while_page_2_is_written (gboolean fails)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_MORE);
  fake_writes (fake);
  fake->slow_disk = TRUE;
  fake_records (fake, fake->call, RECORD (.id = "b"));
  fake_result (fake, fake->call, FAKE_MORE_3);
  CU_ASSERT (fake_reload (fake, &other_pace, &error));
  fake_run (fake, 1000);
  mem_store_set_full (fake->store, fails);
  mem_store_step (fake->store);
  mem_store_set_full (fake->store, FALSE);
  fake->slow_disk = FALSE;
  fake_run (fake, 5000);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), "{\"page\":2}");
  const FakeRecord rest[] = { { .id = "b" }, { .id = "c" } };
  fake_records (fake, fake->call, G_N_ELEMENTS (rest), rest);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  check_stored (fake, "a b c");
}

static void
test_a_reload_while_a_batch_is_written_loses_nothing (void)
{
  reload_while_page_2_is_written (FALSE);
}

static void
test_a_reload_while_a_write_fails_loses_nothing (void)
{
  reload_while_page_2_is_written (TRUE);
}

static void
note_decided (const GError *error, gpointer data)
{
  Told *told = data;
  told->times++;
  told->result = !error;
}

/* Ten products, then a full pass with one: held. */
static char *
hold_a_pass (FakeHub *fake)
{
  for (guint i = 0; i < 10; i++) {
    g_autofree char *id = g_strdup_printf ("p%u", i);
    fake_records (fake, fake->call, RECORD (.id = id));
  }
  fake_result (fake, fake->call, FAKE_DONE);
  hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL);
  fake_run (fake, 1000);
  pass_with (fake, "p0", NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (fake_stream (fake)->held);
  return g_strdup (fake_stream (fake)->held);
}

static gboolean
count_row (const StoreRow *row, gpointer count)
{
  ++*(guint *)count;
  return TRUE;
}

static void
test_a_reload_while_a_decision_is_written_changes_nothing_about_it (void)
{
  Told told = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autofree char *held = hold_a_pass (fake);
  fake->slow_disk = TRUE;
  CU_ASSERT (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  CU_ASSERT (fake_reload (fake, &other_pace, &error));
  fake_run (fake, 100);
  fake->slow_disk = FALSE;
  fake_writes (fake);
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT_TRUE (told.result);
  check_stored (fake, "p0");
  CU_ASSERT_PTR_NULL (fake_stream (fake)->held);
  hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL);
  fake_run (fake, 1000);
  pass_with (fake, "p0", NULL); /* a later full pass takes no decision back */
  StoreRowFilter filter = { .id = held, .state = "complete", .limit = 1 };
  guint rows = 0;
  CU_ASSERT_TRUE (store_rows (fake->store, STORE_PASSES, &filter, count_row, &rows, NULL));
  CU_ASSERT_EQUAL (rows, 1);
}

static void
note_drained (gpointer drained)
{
  *(gboolean *)drained = TRUE;
}

static void
test_the_end_waits_for_a_decision (void)
{
  Told told = { 0 };
  gboolean drained = FALSE;
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autofree char *held = hold_a_pass (fake);
  fake->slow_disk = TRUE;
  CU_ASSERT (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  hub_drain (fake->hub, fake->now_ms + 60000, note_drained, &drained);
  CU_ASSERT_FALSE (drained);
  fake_writes (fake);
  CU_ASSERT (told.times == 1 && told.result && drained);
}

static void
test_a_decision_that_cannot_be_written_may_be_made_again (void)
{
  Told told = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autofree char *held = hold_a_pass (fake);
  fake->slow_disk = TRUE;
  CU_ASSERT (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  CU_ASSERT (fake_reload (fake, &other_pace, &error));
  mem_store_set_full (fake->store, TRUE);
  fake_writes (fake);
  mem_store_set_full (fake->store, FALSE);
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT_FALSE (told.result);
  check_stored (fake, "p0 p1 p2 p3 p4 p5 p6 p7 p8 p9");
  CU_ASSERT (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  fake_writes (fake);
  CU_ASSERT_TRUE (told.result);
  check_stored (fake, "p0");
}

/* Page 1 of 2 is stored when the connector becomes another. */
static void
reload_between_pages (const FakeSetup *other, const char *cursor)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_MORE);
  fake_writes (fake);
  guint64 before = fake->call;
  CU_ASSERT (fake_reload (fake, other, &error));
  fake_run (fake, 5000);
  CU_ASSERT_NOT_EQUAL (fake->call, before);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), cursor);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "full"), "true");
}

static void
test_a_change_of_pace_goes_on_where_it_was (void)
{
  reload_between_pages (&other_pace, "{\"page\":2}");
}

static void
test_another_plugin_of_the_same_name_begins_anew (void)
{
  reload_between_pages (&(FakeSetup){ .plugin = "other" }, "{}");
}

static void
test_another_account_of_the_same_name_begins_anew (void)
{
  reload_between_pages (&(FakeSetup){ .account = "two" }, "{}");
}

static void
test_another_account_is_asked_for_everything (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  pass_with (fake, "a", NULL);
  CU_ASSERT (fake_reload (fake, &(FakeSetup){ .account = "two" }, &error));
  fake_run (fake, 11000);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "full"), "true");
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "since_ms"), "0");
}

static void
test_a_reload_that_cannot_read_the_store_touches_nothing (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  guint64 call = fake->call;
  mem_store_set_unreadable (fake->store, TRUE);
  CU_ASSERT_FALSE (fake_reload (fake, &other_pace, &error));
  CU_ASSERT_PTR_NOT_NULL (error);
  mem_store_set_unreadable (fake->store, FALSE);
  fake_run (fake, 5000);
  CU_ASSERT_EQUAL (fake->call, call);
  CU_ASSERT_PTR_NOT_NULL_FATAL (fake_stream (fake));
  pass_with (fake, "a", NULL);
  check_stored (fake, "a");
}

/* A connector that changed is another one. */
static guint64
first_number (FakeHub *fake)
{
  const HubStore *store = hub_stores (fake->hub)->pdata[0];
  return ((const HubConnector *)store->connectors->pdata[0])->number;
}

static void
test_ten_thousand_connectors_are_reloaded_with_one_look_at_the_store (void)
{
  enum { CONNECTORS = 10000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .connectors = CONNECTORS });
  CU_ASSERT (mem_store_state_reads (fake->store) <= 4);
  CU_ASSERT (fake->connects < CONNECTORS / 10); /* those that were asked something, no others */
  guint64 before = first_number (fake);
  guint reads = mem_store_state_reads (fake->store);
  CU_ASSERT (fake_reload (fake, &(FakeSetup){ .connectors = CONNECTORS, .per_second = 5 }, &error));
  CU_ASSERT_EQUAL (mem_store_state_reads (fake->store), reads + 1);
  guint64 after = first_number (fake);
  CU_ASSERT (after > before);
  CU_ASSERT (fake_reload (fake, &(FakeSetup){ .connectors = CONNECTORS, .per_second = 5 }, &error));
  CU_ASSERT_EQUAL (first_number (fake), after); /* nothing changed */
}

static void
test_a_host_whose_connectors_are_all_off_is_ready (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .disabled = TRUE });
  g_autofree char *awaits = NULL;
  fake_run (fake, MINUTE_MS);
  CU_ASSERT (hub_ready (fake->hub, &awaits));
  CU_ASSERT_PTR_NULL (fake->worker);
}

/* ---- clocks ---- */

static void
test_a_clock_that_was_set_back_holds_no_change_up (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  pass_with (fake, "a", "{\"q\":5}");
  fake->wall_moved_ms = -DAY_MS;
  fake_run (fake, 70000);
  pass_with (fake, "a", "{\"q\":0}");
  CU_ASSERT_EQUAL (fake_stream (fake)->passes, 2);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.stored, 1);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.older, 0);
}

static void
test_a_record_from_the_far_future_can_be_changed (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"q\":1}", .updated_ms = G_MAXINT64));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  fake_run (fake, 11000);
  fake_records (fake, fake->call,
                RECORD (.id = "a", .body = "{\"q\":2}", .updated_ms = hub_wall_ms (fake->hub)));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.stored, 1);
}

/* ---- turns and credentials ---- */

/* The sixteen that are next cannot begin: their credentials were refused while they waited. */
static void
test_those_that_cannot_begin_take_no_turn_from_others (void)
{
  enum { CONNECTORS = 60 };
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ .connectors = CONNECTORS });
  fake_run (fake, 5000);
  HubPlugin *plugin = hub_plugin (fake->hub, "made-up");
  CU_ASSERT_EQUAL (plugin->running, RUN_AT_ONCE);
  CU_ASSERT_EQUAL (plugin->turn.length, CONNECTORS - RUN_AT_ONCE);
  guint refused = 0;
  for (GList *link = plugin->turn.head; refused < RUN_AT_ONCE; link = link->next, refused++)
    ((HubStream *)link->data)->connector->refused = TRUE;
  guint ended = 0;
  for (; fake->open->len && ended < CONNECTORS; ended++) {
    fake_result (fake, g_array_index (fake->open, guint64, 0), FAKE_DONE);
    fake_run (fake, 1);
  }
  CU_ASSERT_EQUAL (ended, CONNECTORS - RUN_AT_ONCE);
  CU_ASSERT_EQUAL (plugin->turn.length, 0);
}

/* Both streams of a connector whose credentials are refused. */
static FakeHub *
refused_hub (void)
{
  FakeHub *fake = fake_hub_new (&(FakeSetup){ .customers = TRUE });
  fake_run (fake, 5000);
  CU_ASSERT_EQUAL (fake->open->len, 2);
  while (fake->open->len)
    fake_result (fake, g_array_index (fake->open, guint64, 0), "{\"status\":\"authentication_error\"}");
  fake_run (fake, 10 * MINUTE_MS);
  CU_ASSERT_EQUAL (fake->calls, 2); /* nobody asks on */
  return fake;
}

static void
test_siblings_go_on_when_one_is_asked_for_after_a_refusal (void)
{
  g_autoptr (FakeHub) fake = refused_hub ();
  hub_sync (fake->hub, fake_connector (fake), "products", FALSE, NULL);
  fake_run (fake, 1000);
  CU_ASSERT_EQUAL (fake->open->len, 2);
}

static void
ignore_check (const char *status, const char *detail, gint64 ms, gpointer data)
{
}

static void
test_all_go_on_when_a_check_goes_well_after_a_refusal (void)
{
  g_autoptr (FakeHub) fake = refused_hub ();
  hub_check (fake->hub, fake_connector (fake), ignore_check, NULL);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "operation"), "\"check\"");
  fake_result (fake, fake->call, "{\"status\":\"ok\"}");
  fake_run (fake, 1000);
  CU_ASSERT_EQUAL (fake->open->len, 2);
}

/* ---- what readers keep ---- */

static void
test_what_a_pass_left_alone_still_stands (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  fake_records (fake, fake->call, 3,
                (FakeRecord[]){ { .id = "a" }, { .id = "b" }, { .id = "c", .body = "{\"n\":0}" } });
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  const HubStore *store = hub_store (fake->hub, "downtown");
  const HubCollection *products = hub_collection_for (fake->hub, store, "pos", MODEL_PRODUCTS);
  guint64 before = products->version;
  CU_ASSERT (hub_collection_stands (products, before, 0, G_MAXUINT32));
  for (guint n = 1; n < 10; n++) {
    g_autofree char *body = g_strdup_printf ("{\"n\":%u}", n);
    hub_sync (fake->hub, fake_connector (fake), "products", FALSE, NULL);
    fake_run (fake, 1000);
    pass_with (fake, "c", body);
    if (n > 1)
      continue;
    CU_ASSERT (products->version > before);
    CU_ASSERT (hub_collection_stands (products, before, 0, 1));
    CU_ASSERT_FALSE (hub_collection_stands (products, before, 2, 2));
    CU_ASSERT_FALSE (hub_collection_stands (products, before, 0, G_MAXUINT32));
    CU_ASSERT (hub_collection_stands (products, before, 3, G_MAXUINT32));
  }
  CU_ASSERT_FALSE (hub_collection_stands (products, before, 0, 1)); /* too long ago to be known */
}

int
main (void)
{
  return TAP_RUN (
    "hub-life", { "what a pass left alone still stands", test_what_a_pass_left_alone_still_stands },
    { "a full pass asks again for a page that was not written",
      test_a_full_pass_asks_again_for_a_page_that_was_not_written },
    { "a pass of changes asks again for a page that was not written",
      test_a_pass_of_changes_asks_again_for_a_page_that_was_not_written },
    { "the place of the page that was written last is where it goes on",
      test_the_place_of_the_page_that_was_written_last_is_where_it_goes_on },
    { "a dry run on a full disk fails and stores nothing",
      test_a_dry_run_on_a_full_disk_fails_and_stores_nothing },
    { "a dry run stores nothing", test_a_dry_run_stores_nothing },
    { "a reload while a batch is written loses nothing",
      test_a_reload_while_a_batch_is_written_loses_nothing },
    { "a reload while a write fails loses nothing", test_a_reload_while_a_write_fails_loses_nothing },
    { "a reload while a decision is written changes nothing about it",
      test_a_reload_while_a_decision_is_written_changes_nothing_about_it },
    { "the end waits for a decision", test_the_end_waits_for_a_decision },
    { "a decision that cannot be written may be made again",
      test_a_decision_that_cannot_be_written_may_be_made_again },
    { "a change of pace goes on where it was", test_a_change_of_pace_goes_on_where_it_was },
    { "another plugin of the same name begins anew", test_another_plugin_of_the_same_name_begins_anew },
    { "another account of the same name begins anew", test_another_account_of_the_same_name_begins_anew },
    { "another account is asked for everything", test_another_account_is_asked_for_everything },
    { "a reload that cannot read the store touches nothing",
      test_a_reload_that_cannot_read_the_store_touches_nothing },
    { "ten thousand connectors are reloaded with one look at the store",
      test_ten_thousand_connectors_are_reloaded_with_one_look_at_the_store },
    { "a host whose connectors are all off is ready", test_a_host_whose_connectors_are_all_off_is_ready },
    { "a clock that was set back holds no change up", test_a_clock_that_was_set_back_holds_no_change_up },
    { "a record from the far future can be changed", test_a_record_from_the_far_future_can_be_changed },
    { "those that cannot begin take no turn from others",
      test_those_that_cannot_begin_take_no_turn_from_others },
    { "siblings go on when one is asked for after a refusal",
      test_siblings_go_on_when_one_is_asked_for_after_a_refusal },
    { "all go on when a check goes well after a refusal",
      test_all_go_on_when_a_check_goes_well_after_a_refusal });
}
