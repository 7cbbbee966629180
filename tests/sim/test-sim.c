/* The hub under simulated days of faults. `test-sim SEED` plays one seed of the first test; TB_SEEDS=N plays
 * N. */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#include "../unit/tap.h"

static guint
seeds (guint usual)
{
  const char *wanted = getenv ("TB_SEEDS");
  return wanted ? (guint)atoi (wanted) : usual;
}

static gboolean
play (guint64 seed, const SimChances *chances, gint64 ms)
{
  Sim *sim = sim_new (seed, chances);
  sim_run (sim, ms);
  gboolean settled = sim_settle (sim);
  g_autofree char *wrong = sim_check (sim);
  if (wrong || !settled) {
    printf ("# seed %" G_GUINT64_FORMAT ": %s\n", seed, wrong ? wrong : "does not come to rest");
  }
  sim_free (sim);
  return settled && !wrong;
}

static const SimChances rough = { .records = 60,
                                  .page = 7,
                                  .fail = 60,
                                  .die = 30,
                                  .reject = 30,
                                  .crash = 2,
                                  .changes = 2,
                                  .late_ms = 7000,
                                  .skips = TRUE,
                                  .full_disk = 1 };

static void
test_a_rough_day_ends_with_the_truth (void)
{
  for (guint64 seed = 1; seed <= seeds (100); seed++)
    CU_ASSERT (play (seed, &rough, 120000));
}

static void
test_skipping_changes_nothing (void)
{
  SimChances plain = rough;
  plain.skips = FALSE;
  for (guint64 seed = 1; seed <= seeds (40); seed++) {
    CU_ASSERT (play (seed, &plain, 90000));
    CU_ASSERT (play (seed, &rough, 90000));
  }
}

/* Workers die, pages fail, the hub dies between any two steps: each record of a vendor at rest is told once
 * all the same. */
static void
test_what_did_not_change_is_told_once (void)
{
  SimChances rest = rough;
  rest.changes = 0;
  rest.crash = 5;
  guint crashes = 0;
  for (guint64 seed = 1; seed <= seeds (60); seed++) {
    Sim *sim = sim_new (seed, &rest);
    sim_run (sim, 120000);
    CU_ASSERT (sim_settle (sim));
    g_autofree char *wrong = sim_check (sim);
    CU_ASSERT_PTR_NULL (wrong);
    CU_ASSERT_EQUAL (sim_told (sim), 2 * rest.records);
    crashes += sim_crashes (sim);
    sim_free (sim);
  }
  CU_ASSERT (crashes > seeds (60));
}

static const SimChances overridden = { .records = 30,
                                       .page = 7,
                                       .fail = 40,
                                       .die = 20,
                                       .reject = 20,
                                       .crash = 4,
                                       .changes = 3,
                                       .late_ms = 7000,
                                       .skips = TRUE,
                                       .full_disk = 8,
                                       .overrides = 60 };

static void
test_overrides_win_over_all_that_comes (void)
{
  guint crashes = 0, answered = 0;
  for (guint64 seed = 1; seed <= seeds (150); seed++) {
    Sim *sim = sim_new (seed, &overridden);
    sim_run (sim, 90000);
    CU_ASSERT (sim_settle (sim));
    g_autofree char *wrong = sim_check (sim);
    CU_ASSERT_PTR_NULL (wrong);
    if (wrong)
      printf ("# seed %" G_GUINT64_FORMAT ": %s\n", seed, wrong);
    crashes += sim_crashes (sim);
    answered += sim_overridden (sim);
    sim_free (sim);
  }
  CU_ASSERT (crashes > seeds (150) && answered > 10 * seeds (150));
}

/* Passes over products that are overridden find them unchanged. */
static void
test_what_is_overridden_is_told_once_too (void)
{
  static const SimChances rest = { .records = 30, .page = 7, .fail = 40, .die = 20, .skips = TRUE };
  for (guint64 seed = 1; seed <= seeds (40); seed++) {
    Sim *sim = sim_new (seed, &rest);
    CU_ASSERT (sim_settle (sim));
    CU_ASSERT_EQUAL (sim_told (sim), 2 * rest.records);
    sim_override_some (sim, 12);
    CU_ASSERT (sim_settle (sim));
    guint told = sim_told (sim);
    CU_ASSERT (told > 2 * rest.records && told <= 2 * rest.records + 12);
    CU_ASSERT (sim_settle (sim));
    CU_ASSERT_EQUAL (sim_told (sim), told);
    g_autofree char *wrong = sim_check (sim);
    CU_ASSERT_PTR_NULL (wrong);
    sim_free (sim);
  }
}

/* full_disk: how often the disk is full while changes come in; the full pass before them is spared, so that
 * none behind them mends what they miss. */
static void
play_changes (guint64 count, guint full_disk)
{
  static const SimChances late = { .records = 5, .page = 3, .changes = 1, .late_ms = 7000, .skips = TRUE };
  for (guint64 seed = 1; seed <= count; seed++) {
    Sim *sim = sim_new (seed, &late);
    sim_run (sim, 5000);
    sim_fill_disk (sim, full_disk);
    sim_run (sim, 30000);
    CU_ASSERT (sim_settle_changes (sim));
    g_autofree char *wrong = sim_check_products (sim);
    if (wrong) {
      printf ("# seed %" G_GUINT64_FORMAT ": %s\n", seed, wrong);
      CU_FAIL ("a change was missed");
    }
    sim_free (sim);
  }
}

static void
test_late_and_equal_times_are_not_missed (void)
{
  play_changes (seeds (1000), 0);
}

static void
test_changes_on_a_disk_that_is_full_now_and_then_are_not_missed (void)
{
  play_changes (seeds (1000), 20);
}

static void
test_an_empty_or_torn_answer_empties_no_shop (void)
{
  for (guint64 seed = 1; seed <= seeds (60); seed++) {
    static const SimChances calm = { .records = 40, .page = 50, .skips = TRUE };
    static const guint lost[] = { 100, 90, 31 };
    Sim *sim = sim_new (seed, &calm);
    sim_run (sim, 30000);
    sim_vendor_loses (sim, lost[seed % 3]);
    sim_run (sim, 200000);
    HubStream *stream = hub_stream (hub_connector (sim_hub (sim), "downtown", "pos"), "products");
    CU_ASSERT_PTR_NOT_NULL (stream->held);
    CU_ASSERT_EQUAL (sim_alive (sim, MODEL_PRODUCTS), 40);
    sim_free (sim);
  }
}

static void
note (const GError *error, gpointer data)
{
  *(int *)data = error ? -1 : 1;
}

static void
test_a_held_pass_is_accepted_or_refused (void)
{
  static const SimChances calm = { .records = 40, .page = 50, .skips = TRUE };
  for (guint accept = 0; accept < 2; accept++) {
    Sim *sim = sim_new (accept + 1, &calm);
    sim_run (sim, 30000);
    sim_vendor_loses (sim, 50);
    sim_run (sim, 90000);
    HubStream *stream = hub_stream (hub_connector (sim_hub (sim), "downtown", "pos"), "products");
    CU_ASSERT_PTR_NOT_NULL_FATAL (stream->held);
    int done = 0;
    g_autoptr (GError) error = NULL;
    for (guint tries = 0;
         tries < 200 && !hub_pass_decide (sim_hub (sim), stream->held, accept, note, &done, &error);
         tries++) {
      g_clear_error (&error);
      sim_run (sim, 50);
    }
    sim_run (sim, 5000);
    CU_ASSERT_EQUAL (done, 1);
    CU_ASSERT_EQUAL (sim_alive (sim, MODEL_PRODUCTS), accept ? 20 : 40);
    sim_free (sim);
  }
}

int
main (int argc, char **argv)
{
  log_set_level (LOG_DEBUG);
  if (argc == 1 && !freopen ("/dev/null", "w", stderr)) /* bad luck is no news here */
    return 99;
  if (argc > 1) {
    const SimChances *chances = argc > 2 ? &overridden : &rough; /* a second word: with overrides */
    return play (g_ascii_strtoull (argv[1], NULL, 10), chances, argc > 2 ? 90000 : 120000) ? 0 : 1;
  }
  return TAP_RUN ("sim", { "a rough day ends with the truth", test_a_rough_day_ends_with_the_truth },
                  { "skipping changes nothing", test_skipping_changes_nothing },
                  { "what did not change is told once", test_what_did_not_change_is_told_once },
                  { "overrides win over all that comes", test_overrides_win_over_all_that_comes },
                  { "what is overridden is told once too", test_what_is_overridden_is_told_once_too },
                  { "late and equal times are not missed", test_late_and_equal_times_are_not_missed },
                  { "changes on a disk that is full now and then are not missed",
                    test_changes_on_a_disk_that_is_full_now_and_then_are_not_missed },
                  { "an empty or torn answer empties no shop", test_an_empty_or_torn_answer_empties_no_shop },
                  { "a held pass is accepted or refused", test_a_held_pass_is_accepted_or_refused });
}
