/* One record asked for again: what comes of it, beside passes, writes and reloads. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../unit/tap.h"
#include "fake-hub.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60000, DEADLINE_MS = 10 * SECOND_MS };

#define FETCHING                                                                                             \
  (FakeSetup)                                                                                                \
  {                                                                                                          \
    .sync_off = TRUE, .fetch = TRUE                                                                          \
  }
#define FAKE_OK "{\"status\":\"ok\",\"ending\":\"none\"}"
#define RECORD(...)                                                                                          \
  1, (FakeRecord[])                                                                                          \
  {                                                                                                          \
    {                                                                                                        \
      __VA_ARGS__                                                                                            \
    }                                                                                                        \
  }

static HubCollection *
products (FakeHub *fake)
{
  return hub_collection_for (fake->hub, hub_store (fake->hub, "downtown"), "pos", MODEL_PRODUCTS);
}

static void
count_told (gpointer data)
{
  (*(guint *)data)++;
}

static void
fetch (FakeHub *fake, const char *id, guint *told)
{
  hub_fetch (fake->hub, products (fake), id, DEADLINE_MS, count_told, told);
  fake_run (fake, 0);
}

/* A pass with these records has ended. */
static void
pass (FakeHub *fake, gsize count, const FakeRecord *records)
{
  g_autoptr (GPtrArray) asked = hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (asked);
  fake_run (fake, MINUTE_MS);
  fake_records (fake, fake->call, count, records);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_run (fake, SECOND_MS);
}

static gboolean
show (const StoreFound *found, gpointer text)
{
  g_string_append_printf (text, "%s%s:%s:%s", ((GString *)text)->len ? " " : "", found->id, found->source,
                          found->body ? found->body : "gone");
  return TRUE;
}

/* The newest change, "a:fetch:{}". */
static char *
last_change (FakeHub *fake)
{
  g_autoptr (GString) text = g_string_new (NULL);
  guint64 latest, reached;
  gboolean more;
  store_seq_known (fake->store, 0, &latest);
  g_assert (store_changes (fake->store, latest - 1, 1, 1, NULL, show, text, &reached, &more, NULL));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gint64
as_of (FakeHub *fake, guint32 ordinal)
{
  return hub_record_as_of (products (fake), ordinal);
}

static gboolean
keep_body (const StoreFound *found, gpointer body)
{
  *(char **)body = g_strdup (found->body);
  return FALSE;
}

static char *
body_at (FakeHub *fake, guint32 ordinal)
{
  char *body = NULL;
  gboolean found;
  g_assert (store_get (fake->store, products (fake)->number, ordinal, &found, keep_body, &body, NULL));
  return body;
}

static void
test_what_changed_is_stored_then_told (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  guint64 version = products (fake)->version;
  fetch (fake, "a", &told);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "operation"), "\"fetch\"");
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "record"), "\"a\"");
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "deadline_ms"), "10000");
  fake->slow_disk = TRUE;
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":2}"));
  fake_result (fake, fake->call, FAKE_OK);
  CU_ASSERT_EQUAL (told, 0);
  fake_writes (fake);
  CU_ASSERT_EQUAL (told, 1);
  g_autofree char *change = last_change (fake);
  CU_ASSERT_STRING_EQUAL (change, "a:fetch:{\"n\":2}");
  CU_ASSERT_NOT_EQUAL (products (fake)->version, version);
}

static void
test_what_did_not_change_is_newer_all_the_same (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  guint64 version = products (fake)->version, latest, before;
  store_seq_known (fake->store, 0, &before);
  fake_run (fake, MINUTE_MS);
  fetch (fake, "a", &told);
  fake_records (fake, fake->call, RECORD (.id = "a"));
  fake_result (fake, fake->call, FAKE_OK);
  CU_ASSERT_EQUAL (told, 1);
  CU_ASSERT_EQUAL (as_of (fake, 0), hub_wall_ms (fake->hub));
  CU_ASSERT (hub_collection_as_of (products (fake)) < hub_wall_ms (fake->hub) - SECOND_MS);
  store_seq_known (fake->store, 0, &latest);
  CU_ASSERT_EQUAL (latest, before);
  CU_ASSERT_EQUAL (products (fake)->version, version);
}

static void
test_what_the_vendor_has_no_more_is_deleted (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "a", &told);
  fake_result (fake, fake->call, "{\"status\":\"not_found\",\"detail\":\"gone\"}");
  fake_run (fake, 0);
  CU_ASSERT_EQUAL (told, 1);
  g_autofree char *change = last_change (fake);
  CU_ASSERT_STRING_EQUAL (change, "a:fetch:gone");
  CU_ASSERT_EQUAL (fake_connector (fake)->error_ms, 0); /* it is an answer */
  fetch (fake, "never there", &told);
  fake_result (fake, fake->call, "{\"status\":\"not_found\"}");
  CU_ASSERT_EQUAL (told, 2);
}

static void
test_what_we_never_had_is_found (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "b", &told);
  fake_records (fake, fake->call, RECORD (.id = "b"));
  fake_result (fake, fake->call, FAKE_OK);
  fake_run (fake, 0);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b");
}

static void
test_a_hundred_ask_once (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  guint calls = fake->calls;
  for (guint i = 0; i < 100; i++)
    fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (fake->calls, calls + 1);
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":2}"));
  fake_result (fake, fake->call, FAKE_OK);
  fake_run (fake, 0);
  CU_ASSERT_EQUAL (told, 100);
  fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (fake->calls, calls + 2); /* it is over: the next one asks anew */
}

static void
test_an_older_state_is_not_stored (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a", .body = "{\"n\":2}", .updated_ms = 2000));
  gint64 before = as_of (fake, 0);
  fake_run (fake, MINUTE_MS);
  fetch (fake, "a", &told);
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":1}", .updated_ms = 1000));
  fake_result (fake, fake->call, FAKE_OK);
  CU_ASSERT_EQUAL (told, 1);
  g_autofree char *change = last_change (fake);
  CU_ASSERT_STRING_EQUAL (change, "a:pull:{\"n\":2}");
  CU_ASSERT_EQUAL (as_of (fake, 0), before);
}

/* The page was asked for when the vendor still had it. */
static void
test_what_is_gone_does_not_come_back_with_an_older_page (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, 2, (FakeRecord[]){ { .id = "a" }, { .id = "b" } });
  g_ptr_array_unref (hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL));
  fake_run (fake, MINUTE_MS);
  guint64 pull = fake->call;
  fake_run (fake, SECOND_MS);
  fetch (fake, "a", &told);
  fake_result (fake, fake->call, "{\"status\":\"not_found\"}");
  fake_run (fake, SECOND_MS);
  CU_ASSERT_EQUAL (told, 1);
  fake_records (fake, pull, 2, (FakeRecord[]){ { .id = "a" }, { .id = "b" } });
  fake_result (fake, pull, FAKE_DONE);
  fake_run (fake, SECOND_MS);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "b");
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.older, 1);
  pass (fake, 2, (FakeRecord[]){ { .id = "a" }, { .id = "b" } }); /* but with one that is newer */
  g_autofree char *again = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (again, "a b");
}

static void
test_a_vendor_that_fails_is_left_alone_for_a_while (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  guint calls = fake->calls;
  fetch (fake, "a", &told);
  fake_result (fake, fake->call, "{\"status\":\"service_unavailable\",\"detail\":\"no answer\"}");
  CU_ASSERT_EQUAL (told, 1);
  fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (told, 2);
  CU_ASSERT_EQUAL (fake->calls, calls + 1);
  fake_run (fake, MINUTE_MS);
  fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (fake->calls, calls + 2);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a");
}

static void
test_who_cannot_be_asked_is_not (void)
{
  const FakeSetup setups[] = { { .sync_off = TRUE }, { .fetch = TRUE, .disabled = TRUE } };
  for (gsize i = 0; i < G_N_ELEMENTS (setups); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&setups[i]);
    guint told = 0, calls = fake->calls;
    fetch (fake, "a", &told);
    CU_ASSERT_EQUAL (told, 1);
    CU_ASSERT_EQUAL (fake->calls, calls);
  }
}

static void
test_credentials_that_are_refused_ask_nothing (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0, calls = fake->calls;
  fake_connector (fake)->refused = TRUE;
  fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (told, 1);
  CU_ASSERT_EQUAL (fake->calls, calls);
}

/* The pass has judged an older state that lies in its batch: were it written last, the store would hold what
 * the map does not. */
static void
test_what_a_pass_holds_is_written_before (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  g_ptr_array_unref (hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL));
  fake_run (fake, MINUTE_MS);
  guint64 pull = fake->call;
  fake->slow_disk = TRUE;
  fake_records (fake, pull, RECORD (.id = "a", .body = "{\"n\":1}")); /* lies in the batch */
  fake_run (fake, SECOND_MS);
  fetch (fake, "a", &told);
  CU_ASSERT_NOT_EQUAL_FATAL (fake->call, pull);
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":2}"));
  fake_result (fake, fake->call, FAKE_OK);
  fake_records (fake, pull, RECORD (.id = "b"));
  fake_result (fake, pull, FAKE_DONE);
  fake->slow_disk = FALSE;
  fake_run (fake, SECOND_MS);
  CU_ASSERT_EQUAL (told, 1);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b");
  pass (fake, 2, (FakeRecord[]){ { .id = "a", .body = "{\"n\":2}" }, { .id = "b" } });
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.unchanged, 2);
  g_autofree char *body = body_at (fake, 0);
  CU_ASSERT_STRING_EQUAL (body, "{\"n\":2}");
}

/* The same while a batch of the pass is being written already. */
static void
test_a_write_under_way_is_waited_for (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  g_ptr_array_unref (hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL));
  fake_run (fake, MINUTE_MS);
  guint64 pull = fake->call;
  fake->slow_disk = TRUE;
  fetch (fake, "a", &told);
  guint64 first = fake->call;
  fetch (fake, "c", &told);
  guint64 second = fake->call;
  fake_records (fake, pull, RECORD (.id = "a", .body = "{\"n\":1}"));
  fake_records (fake, first, RECORD (.id = "a", .body = "{\"n\":2}"));
  fake_result (fake, first, FAKE_OK); /* the pass's batch is on its way now, and ours behind it */
  fake_records (fake, pull, RECORD (.id = "c", .body = "{\"n\":1}"));
  fake_records (fake, second, RECORD (.id = "c", .body = "{\"n\":2}"));
  fake_result (fake, second, FAKE_OK);
  fake_result (fake, pull, FAKE_DONE);
  CU_ASSERT_EQUAL (told, 0);
  fake->slow_disk = FALSE;
  fake_run (fake, SECOND_MS);
  CU_ASSERT_EQUAL (told, 2);
  for (guint32 ordinal = 0; ordinal < 2; ordinal++) {
    g_autofree char *body = body_at (fake, ordinal);
    CU_ASSERT_STRING_EQUAL (body, "{\"n\":2}");
  }
}

static void
test_what_was_asked_for_during_a_pass_is_not_missing_from_it (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  const FakeRecord many[] = { { .id = "a" }, { .id = "b" }, { .id = "c" }, { .id = "d" } };
  pass (fake, G_N_ELEMENTS (many), many);
  g_ptr_array_unref (hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL));
  fake_run (fake, MINUTE_MS);
  guint64 pull = fake->call;
  fake_run (fake, SECOND_MS);
  fetch (fake, "new", &told);
  fake_records (fake, fake->call, RECORD (.id = "new"));
  fake_result (fake, fake->call, FAKE_OK);
  fake_run (fake, SECOND_MS);
  fake_records (fake, pull, 3, many); /* lacks d, which goes, and the new one, which was not there yet */
  fake_result (fake, pull, FAKE_DONE);
  fake_run (fake, SECOND_MS);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b c new");
}

static void
test_a_write_that_fails_leaves_the_map_as_it_was (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  mem_store_set_full (fake->store, TRUE);
  fetch (fake, "a", &told);
  fake_records (fake, fake->call, 2, (FakeRecord[]){ { .id = "a", .body = "{\"n\":2}" }, { .id = "b" } });
  fake_result (fake, fake->call, FAKE_OK);
  fake_run (fake, SECOND_MS);
  CU_ASSERT_EQUAL (told, 1);
  mem_store_set_full (fake->store, FALSE);
  pass (fake, 2, (FakeRecord[]){ { .id = "a", .body = "{\"n\":2}" }, { .id = "b" } });
  CU_ASSERT_EQUAL (fake_stream (fake)->last->sums.stored, 2);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b");
}

/* The pass took for stored what was not: it reads on from what is. */
static void
test_a_pass_believes_no_write_that_fails (void)
{
  for (guint place_too = 0; place_too < 2; place_too++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
    guint told = 0;
    pass (fake, RECORD (.id = "a"));
    g_ptr_array_unref (hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL));
    fake_run (fake, MINUTE_MS);
    guint64 pull = fake->call;
    fake->slow_disk = TRUE;
    fetch (fake, "a", &told);
    fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":2}"));
    fake_result (fake, fake->call, FAKE_OK);
    fake_records (fake, pull, RECORD (.id = "a", .body = "{\"n\":2}"));
    if (place_too)
      fake_records (fake, pull, RECORD (.id = "b"));
    fake_result (fake, pull, FAKE_MORE);
    mem_store_set_full (fake->store, TRUE);
    CU_ASSERT_TRUE (mem_store_step (fake->store));
    mem_store_set_full (fake->store, FALSE);
    fake->slow_disk = FALSE;
    fake_run (fake, MINUTE_MS);
    CU_ASSERT_EQUAL (told, 1);
    CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), "{}");
    fake_records (fake, fake->call, 2, (FakeRecord[]){ { .id = "a", .body = "{\"n\":2}" }, { .id = "b" } });
    fake_result (fake, fake->call, FAKE_DONE);
    fake_run (fake, SECOND_MS);
    g_autofree char *body = body_at (fake, 0), *stored = fake_stored (fake);
    CU_ASSERT_STRING_EQUAL (body, "{\"n\":2}");
    CU_ASSERT_STRING_EQUAL (stored, "a b");
    CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
  }
}

static void
test_who_waits_is_told_when_the_worker_or_the_connector_goes (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "a", &told);
  fake_gone (fake);
  CU_ASSERT_EQUAL (told, 1);
  fake_run (fake, MINUTE_MS);
  fetch (fake, "a", &told);
  CU_ASSERT_EQUAL (told, 1);
  FakeSetup other = FETCHING;
  other.account = "two";
  CU_ASSERT_TRUE_FATAL (fake_reload (fake, &other, NULL));
  CU_ASSERT_EQUAL (told, 2);
  fake_run (fake, MINUTE_MS);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a");
}

static void
note_drained (gpointer drained)
{
  *(gboolean *)drained = TRUE;
}

static void
test_the_end_waits_for_what_was_asked_for (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  gboolean drained = FALSE;
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "a", &told);
  hub_drain (fake->hub, fake->now_ms + MINUTE_MS, note_drained, &drained);
  CU_ASSERT_FALSE (drained);
  fake->slow_disk = TRUE;
  fake_records (fake, fake->call, RECORD (.id = "a", .body = "{\"n\":2}"));
  fake_result (fake, fake->call, FAKE_OK);
  CU_ASSERT_FALSE (drained);
  fake_writes (fake);
  CU_ASSERT (told == 1 && drained);
}

static void
test_a_reload_while_it_is_written_harms_nothing (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "b", &told);
  fake->slow_disk = TRUE;
  fake_records (fake, fake->call, RECORD (.id = "b"));
  fake_result (fake, fake->call, FAKE_OK);
  FakeSetup other = FETCHING;
  other.account = "two";
  CU_ASSERT_TRUE_FATAL (fake_reload (fake, &other, NULL));
  CU_ASSERT_EQUAL (told, 1);
  fake->slow_disk = FALSE;
  fake_run (fake, MINUTE_MS);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "a b");
}

static void
test_a_worker_that_lies_in_a_fetch_is_ended (void)
{
  for (guint i = 0; i < 2; i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
    guint told = 0;
    pass (fake, RECORD (.id = "a"));
    fetch (fake, "a", &told);
    if (i)
      fake_same (fake, fake->call, &(WireSame){ 1, 2 });
    else
      fake_records (fake, fake->call, RECORD (.id = "a", .damaged = TRUE));
    CU_ASSERT_EQUAL (fake->ended, 1);
    fake_gone (fake);
    CU_ASSERT_EQUAL (told, 1);
  }
}

/* What is said of a reject goes into the log, and what the vendor sent does not: it may be a customer's. */
static void
test_a_reject_tells_the_log_nothing_of_the_record (void)
{
  static const char reject[] = "{\"kind\":\"products\",\"record\":\"a\",\"reason\":\"not_a_number\","
                               "\"path\":\"price\",\"sample\":\"jane@example.org\"}";
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  char said[4096] = "";
  pass (fake, RECORD (.id = "a"));
  fetch (fake, "a", &told);
  fflush (stderr);
  int log = memfd_create ("log", MFD_CLOEXEC), before = dup (STDERR_FILENO);
  dup2 (log, STDERR_FILENO);
  fake_frame (fake, WIRE_REJECT, fake->call, reject);
  fake_result (fake, fake->call, FAKE_OK);
  fflush (stderr);
  dup2 (before, STDERR_FILENO);
  close (before);
  CU_ASSERT (pread (log, said, sizeof said - 1, 0) > 0);
  close (log);
  CU_ASSERT_PTR_NOT_NULL (strstr (said, "price not_a_number"));
  CU_ASSERT_PTR_NULL (strstr (said, "jane"));
  CU_ASSERT_EQUAL (told, 1);
}

static void
test_the_worker_gets_its_credit_back (void)
{
  static const char *const results[] = { FAKE_OK, "{\"status\":\"not_found\"}",
                                         "{\"status\":\"bad_response\"}" };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
    guint told = 0;
    fake_run (fake, MINUTE_MS);
    fetch (fake, "a", &told);
    gsize before = fake->credit;
    fake_records (fake, fake->call, RECORD (.id = "a"));
    fake_result (fake, fake->call, results[i]);
    fake_run (fake, SECOND_MS);
    CU_ASSERT_EQUAL (told, 1);
    CU_ASSERT (fake->credit > before);
  }
}

static void
test_children_that_a_fetch_does_not_give_go (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&FETCHING);
  guint told = 0;
  const FakeRecord both[] = { { .id = "c1", .parent = "P" }, { .id = "c2", .parent = "P" } };
  pass (fake, G_N_ELEMENTS (both), both);
  fake_run (fake, SECOND_MS);
  fetch (fake, "c2", &told);
  fake_records (fake, fake->call, RECORD (.id = "c2", .parent = "P"));
  fake_result (fake, fake->call, "{\"status\":\"ok\",\"children\":[[\"products\",\"P\"],[1],7]}");
  fake_run (fake, SECOND_MS);
  g_autofree char *stored = fake_stored (fake);
  CU_ASSERT_STRING_EQUAL (stored, "c2");
}

int
main (void)
{
  return TAP_RUN (
    "hub-fetch", { "what changed is stored, then told", test_what_changed_is_stored_then_told },
    { "what did not change is newer all the same", test_what_did_not_change_is_newer_all_the_same },
    { "what the vendor has no more is deleted", test_what_the_vendor_has_no_more_is_deleted },
    { "what we never had is found", test_what_we_never_had_is_found },
    { "a hundred ask once", test_a_hundred_ask_once },
    { "an older state is not stored", test_an_older_state_is_not_stored },
    { "what is gone does not come back with an older page",
      test_what_is_gone_does_not_come_back_with_an_older_page },
    { "a vendor that fails is left alone for a while", test_a_vendor_that_fails_is_left_alone_for_a_while },
    { "who cannot be asked is not", test_who_cannot_be_asked_is_not },
    { "credentials that are refused ask nothing", test_credentials_that_are_refused_ask_nothing },
    { "what a pass holds is written before", test_what_a_pass_holds_is_written_before },
    { "a write under way is waited for", test_a_write_under_way_is_waited_for },
    { "what was asked for during a pass is not missing from it",
      test_what_was_asked_for_during_a_pass_is_not_missing_from_it },
    { "a write that fails leaves the map as it was", test_a_write_that_fails_leaves_the_map_as_it_was },
    { "a pass believes no write that fails", test_a_pass_believes_no_write_that_fails },
    { "who waits is told when the worker or the connector goes",
      test_who_waits_is_told_when_the_worker_or_the_connector_goes },
    { "the end waits for what was asked for", test_the_end_waits_for_what_was_asked_for },
    { "a reload while it is written harms nothing", test_a_reload_while_it_is_written_harms_nothing },
    { "a worker that lies in a fetch is ended", test_a_worker_that_lies_in_a_fetch_is_ended },
    { "a reject tells the log nothing of the record", test_a_reject_tells_the_log_nothing_of_the_record },
    { "the worker gets its credit back", test_the_worker_gets_its_credit_back },
    { "children that a fetch does not give go", test_children_that_a_fetch_does_not_give_go });
}
