/* What a full pass did not meet, where it is many: stock that has been at zero for long, and decisions about
 * passes that are held. Both are done in pieces, between which the world goes on. */
#include <string.h>

#include "../unit/tap.h"
#include "fake-hub.h"

enum { RECORDS = 2600, MISSING = 700, PAGE = 100 };

static const FakeSetup zero = { .zero = TRUE }, zero_at_another_pace = { .zero = TRUE, .per_second = 3 };

/* A full pass, with all records but the first so many, is about to end. */
static void
meet_all_but (FakeHub *fake, guint missing)
{
  for (guint first = missing; first < RECORDS; first += PAGE) {
    char ids[PAGE][16], bodies[PAGE][64];
    FakeRecord records[PAGE] = { 0 };
    guint count = MIN (PAGE, RECORDS - first);
    for (guint i = 0; i < count; i++) {
      g_snprintf (ids[i], sizeof ids[i], "p%u", first + i);
      g_snprintf (bodies[i], sizeof bodies[i], "{\"id\":\"p%u\",\"quantity\":7}", first + i);
      records[i] = (FakeRecord){ .id = ids[i], .body = bodies[i] };
    }
    fake_records (fake, fake->call, count, records);
    fake_writes (fake);
  }
}

static void
begin_full_pass (FakeHub *fake)
{
  guint calls = fake->calls;
  hub_sync (fake->hub, fake_connector (fake), "products", TRUE, NULL);
  for (guint second = 0; fake->calls == calls && second < 70; second++)
    fake_run (fake, 1000);
  CU_ASSERT_EQUAL_FATAL (fake->calls, calls + 1);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "full"), "true");
}

static void
full_pass (FakeHub *fake, guint missing)
{
  begin_full_pass (fake);
  meet_all_but (fake, missing);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
}

/* All were there, then some are missing and at zero. */
static FakeHub *
hub_with_zeros (void)
{
  FakeHub *fake = fake_hub_new (&zero);
  meet_all_but (fake, 0);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  full_pass (fake, MISSING);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->deleted, MISSING);
  return fake;
}

static guint64
latest (FakeHub *fake)
{
  guint64 seq;
  store_seq_known (fake->store, 0, &seq);
  return seq;
}

static void
check_no_news (FakeHub *fake, guint64 seq)
{
  const Pass *last = fake_stream (fake)->last;
  CU_ASSERT_PTR_NOT_NULL_FATAL (last);
  CU_ASSERT_EQUAL (last->state, PASS_COMPLETE);
  CU_ASSERT (last->missing == 0 && last->deleted == 0);
  CU_ASSERT_EQUAL (latest (fake), seq);
}

static void
test_stock_that_is_at_zero_for_long_is_no_news (void)
{
  g_autoptr (FakeHub) fake = hub_with_zeros ();
  guint64 seq = latest (fake);
  for (guint pass = 0; pass < 2; pass++) { /* the second one knows it from the first */
    full_pass (fake, MISSING);
    check_no_news (fake, seq);
  }
  full_pass (fake, MISSING + 3);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->deleted, 3);
}

/* Between the pages of that. */
static void
stop_in_between (FakeHub *fake, guint steps)
{
  begin_full_pass (fake);
  meet_all_but (fake, MISSING);
  fake->slow_disk = TRUE;
  fake_result (fake, fake->call, FAKE_DONE);
  for (guint i = 0; i < steps; i++)
    CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT_PTR_NOT_NULL (fake_stream (fake)->pass);
}

static void
test_a_reload_meanwhile_loses_nothing (void)
{
  for (guint steps = 0; steps < 3; steps++) {
    g_autoptr (FakeHub) fake = hub_with_zeros ();
    g_autoptr (GError) error = NULL;
    guint64 seq = latest (fake);
    stop_in_between (fake, steps);
    CU_ASSERT_TRUE (fake_reload (fake, &zero_at_another_pace, &error));
    fake->slow_disk = FALSE;
    fake_writes (fake);
    fake_run (fake, 5000);
    if (fake->open->len) { /* what was cut off goes on */
      fake_result (fake, fake->call, FAKE_DONE);
      fake_writes (fake);
    }
    full_pass (fake, MISSING);
    check_no_news (fake, seq);
  }
}

static void
test_the_hub_may_end_meanwhile (void)
{
  for (guint steps = 0; steps < 3; steps++) {
    g_autoptr (FakeHub) fake = hub_with_zeros ();
    stop_in_between (fake, steps);
  }
}

static void
note_drained (gpointer data)
{
  *(gboolean *)data = TRUE;
}

static void
test_who_drains_waits_for_no_more_than_a_page_of_it (void)
{
  g_autoptr (FakeHub) fake = hub_with_zeros ();
  gboolean drained = FALSE;
  stop_in_between (fake, 0);
  hub_drain (fake->hub, fake->now_ms + 60000, note_drained, &drained);
  CU_ASSERT_FALSE (drained);
  for (guint steps = 0; !drained && steps < 3; steps++)
    CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT_TRUE (drained);
  CU_ASSERT_PTR_NOT_NULL (fake_stream (fake)->pass); /* goes on after the start */
}

/* ---- a pass that is held ---- */

typedef struct {
  guint times;
  gboolean fine;
} Told;

static void
note_decided (const GError *error, gpointer data)
{
  Told *told = data;
  told->times++;
  told->fine = !error;
}

static guint
alive (FakeHub *fake)
{
  g_autofree char *stored = fake_stored (fake);
  g_auto (GStrv) ids = g_strsplit (stored, " ", -1);
  return *stored ? g_strv_length (ids) : 0;
}

static char *
hold_a_pass (FakeHub *fake)
{
  meet_all_but (fake, 0);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_writes (fake);
  full_pass (fake, RECORDS - PAGE);
  CU_ASSERT_PTR_NOT_NULL_FATAL (fake_stream (fake)->held);
  CU_ASSERT_EQUAL (alive (fake), RECORDS);
  return g_strdup (fake_stream (fake)->held);
}

static void
test_a_large_decision_is_made_in_pieces (void)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  g_autofree char *held = hold_a_pass (fake);
  Told told = { 0 };
  CU_ASSERT_TRUE (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  guint pieces = 0;
  for (guint before = alive (fake); mem_store_step (fake->store); before = alive (fake))
    pieces += alive (fake) < before;
  CU_ASSERT (pieces >= 5);
  CU_ASSERT (told.times == 1 && told.fine);
  CU_ASSERT_EQUAL (alive (fake), PAGE);
  CU_ASSERT_PTR_NULL (fake_stream (fake)->held);
  g_autofree char *row = fake_last_row (fake, STORE_PASSES);
  CU_ASSERT_PTR_NOT_NULL (strstr (row, "\"deleted\":2500"));
}

/* The first piece is stored, the next one is not, or the configuration changes. */
static void
decide_in_two (gboolean reload)
{
  g_autoptr (FakeHub) fake = fake_hub_new (&(FakeSetup){ 0 });
  g_autoptr (GError) error = NULL;
  g_autofree char *held = hold_a_pass (fake);
  Told told = { 0 };
  fake->slow_disk = TRUE;
  CU_ASSERT_TRUE (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  while (alive (fake) > RECORDS - 500)
    CU_ASSERT_TRUE_FATAL (mem_store_step (fake->store));
  CU_ASSERT_EQUAL (told.times, 0);
  if (reload)
    CU_ASSERT_TRUE (fake_reload (fake, &(FakeSetup){ .per_second = 3 }, &error));
  mem_store_set_full (fake->store, !reload);
  fake_writes (fake);
  mem_store_set_full (fake->store, FALSE);
  CU_ASSERT (told.times == 1 && !told.fine);
  CU_ASSERT_STRING_EQUAL (fake_stream (fake)->held, held);

  fake->slow_disk = FALSE;
  CU_ASSERT_TRUE (hub_pass_decide (fake->hub, held, TRUE, note_decided, &told, &error));
  fake_writes (fake);
  CU_ASSERT (told.times == 2 && told.fine);
  CU_ASSERT_EQUAL (alive (fake), PAGE);
}

static void
test_a_piece_that_is_not_written_leaves_the_pass_held (void)
{
  decide_in_two (FALSE);
}

static void
test_a_reload_between_pieces_leaves_the_pass_held (void)
{
  decide_in_two (TRUE);
}

int
main (void)
{
  return TAP_RUN (
    "hub-missing",
    { "stock that is at zero for long is no news", test_stock_that_is_at_zero_for_long_is_no_news },
    { "a reload meanwhile loses nothing", test_a_reload_meanwhile_loses_nothing },
    { "the hub may end meanwhile", test_the_hub_may_end_meanwhile },
    { "who drains waits for no more than a page of it", test_who_drains_waits_for_no_more_than_a_page_of_it },
    { "a large decision is made in pieces", test_a_large_decision_is_made_in_pieces },
    { "a piece that is not written leaves the pass held",
      test_a_piece_that_is_not_written_leaves_the_pass_held },
    { "a reload between pieces leaves the pass held", test_a_reload_between_pieces_leaves_the_pass_held });
}
