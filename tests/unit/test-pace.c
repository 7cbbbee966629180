#include "tap.h"
#include "worker/pace.h"

#include <string.h>

/* Writes down who had a turn, in order. */
static void
note (PaceWaiter *waiter, gpointer data)
{
  g_string_append (((GString *)data), waiter->store);
}

static PaceWaiter
waiter (PaceUrgency urgency, const char *store, GString *turns)
{
  return (PaceWaiter){ .urgency = urgency, .store = store, .on_turn = note, .data = turns };
}

static void
test_the_bucket_gives_its_rate (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 5, .burst = 10 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter waiters[100];
  for (guint i = 0; i < 100; i++) {
    waiters[i] = waiter (PACE_SYNC, "a", turns);
    pace_ask (pace, &waiters[i]);
  }
  CU_ASSERT_EQUAL (pace_run (pace, 0), 200);
  CU_ASSERT_EQUAL (turns->len, 1); /* no burst at the start */
  for (gint64 now_ms = 0; now_ms < 10000;)
    now_ms = pace_run (pace, now_ms);
  CU_ASSERT_EQUAL (turns->len, 50);
  for (guint i = 0; i < 100; i++)
    pace_leave (pace, &waiters[i]);
}

static void
test_a_quiet_time_saves_a_burst_and_no_more (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 5, .burst = 10 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter waiters[30];
  for (guint i = 0; i < 30; i++) {
    waiters[i] = waiter (PACE_SYNC, "a", turns);
    pace_ask (pace, &waiters[i]);
  }
  pace_run (pace, 3600000);
  CU_ASSERT_EQUAL (turns->len, 10);
  for (guint i = 0; i < 30; i++)
    pace_leave (pace, &waiters[i]);
}

static void
test_urgent_ones_go_first_and_stores_take_turns (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 1000, .burst = 1, .at_once = 1 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  const struct {
    PaceUrgency urgency;
    const char *store;
  } asked[] = { { PACE_SYNC, "a" },   { PACE_SYNC, "a" },     { PACE_SYNC, "a" },
                { PACE_SYNC, "b" },   { PACE_SYNC, "c" },     { PACE_SYNC, "b" },
                { PACE_ORDERS, "O" }, { PACE_WEBHOOKS, "W" }, { PACE_MESSAGES, "M" } };
  PaceWaiter waiters[G_N_ELEMENTS (asked)];
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    waiters[i] = waiter (asked[i].urgency, asked[i].store, turns);
    pace_ask (pace, &waiters[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (asked); i++) {
    pace_run (pace, 10 * (i + 1));
    pace_done (pace);
  }
  CU_ASSERT_STRING_EQUAL (turns->str, "OMWabcaba");
}

static void
test_no_more_than_so_many_are_under_way (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .at_once = 2 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter a = waiter (PACE_SYNC, "a", turns), b = a, c = a, nested = a;
  nested.urgency = PACE_NESTED;
  nested.store = "n";
  pace_ask (pace, &a);
  pace_ask (pace, &b);
  pace_ask (pace, &c);
  CU_ASSERT_EQUAL (pace_run (pace, 0), G_MAXINT64);
  CU_ASSERT_STRING_EQUAL (turns->str, "aa");
  pace_ask (pace, &nested); /* of a call that has one under way: it must not wait for itself */
  pace_run (pace, 0);
  CU_ASSERT_STRING_EQUAL (turns->str, "aan");
  pace_done (pace);
  pace_run (pace, 0);
  CU_ASSERT_STRING_EQUAL (turns->str, "aan");
  pace_done (pace);
  pace_run (pace, 0);
  CU_ASSERT_STRING_EQUAL (turns->str, "aana");
}

static void
test_one_that_leaves_is_passed_over (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 1 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter a = waiter (PACE_SYNC, "a", turns), b = waiter (PACE_SYNC, "b", turns),
             c = waiter (PACE_SYNC, "c", turns);
  pace_ask (pace, &a);
  pace_ask (pace, &b);
  pace_ask (pace, &c);
  pace_run (pace, 0);
  pace_leave (pace, &b);
  pace_leave (pace, &b);
  CU_ASSERT_EQUAL (pace_run (pace, 1000), G_MAXINT64);
  CU_ASSERT_STRING_EQUAL (turns->str, "ac");
}

static void
test_a_refusal_stops_at_once_and_slows (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 10, .burst = 10 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter a = waiter (PACE_SYNC, "a", turns);
  pace_refused (pace, 3000, 10000);
  pace_ask (pace, &a);
  CU_ASSERT_EQUAL (pace_run (pace, 10000), 13000);
  CU_ASSERT_EQUAL (turns->len, 0);
  CU_ASSERT_EQUAL (pace_per_second (pace, 13000), 5);
  pace_refused (pace, 0, 10100); /* its companions, refused together with it, say nothing new */
  CU_ASSERT_EQUAL (pace_per_second (pace, 13000), 5);
  pace_run (pace, 13000);
  CU_ASSERT_EQUAL (turns->len, 1);
}

static void
test_a_slowed_pace_recovers_slowly (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 10 }, 0);
  pace_refused (pace, 0, 1000);
  CU_ASSERT_EQUAL (pace_per_second (pace, 1000 + PACE_HOLD_FIRST_MS), 5);
  double later = pace_per_second (pace, 1000 + PACE_HOLD_FIRST_MS + PACE_GROW_MS / 4);
  CU_ASSERT (later > 5.5 && later < 6);
  CU_ASSERT_EQUAL (pace_per_second (pace, 1000 + PACE_HOLD_FIRST_MS + PACE_GROW_MS), 10);
}

static void
test_a_vendor_without_a_pace_gets_one_when_it_refuses (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ 0 }, 0);
  CU_ASSERT_EQUAL (pace_per_second (pace, 0), 0);
  for (guint i = 0; i < 40; i++)
    pace_accepted (pace, 5000);
  pace_refused (pace, 0, 6000);
  double rate = pace_per_second (pace, 7000);
  CU_ASSERT (rate > 4 && rate < 5); /* what it took: 40 in 9 s */
  CU_ASSERT_EQUAL (pace_per_second (pace, 6000 + PACE_HOLD_FIRST_MS + 3600000), 0);
}

static void
test_what_is_left_is_spread_until_more_comes (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 10 }, 0);
  pace_left (pace, 20, 10000, 0);
  CU_ASSERT_EQUAL (pace_per_second (pace, 1), 2);
  CU_ASSERT_EQUAL (pace_per_second (pace, 10001), 10);
  pace_left (pace, 0, 4000, 20000);
  CU_ASSERT_EQUAL (pace_waits_until (pace), 24000);
}

static void
test_points_are_counted_as_the_vendor_does (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 1 }, 0);
  g_autoptr (GString) turns = g_string_new (NULL);
  PaceWaiter a = waiter (PACE_SYNC, "a", turns), b = a;
  pace_points (pace, 118, 2000, 100, 0);
  a.cost = 930;
  b.cost = 1000000; /* more than there ever is: a full bucket is enough */
  pace_ask (pace, &a);
  pace_ask (pace, &b);
  CU_ASSERT_EQUAL (pace_run (pace, 0), 8120);
  CU_ASSERT_EQUAL (pace_run (pace, 8120), 8120 + 20000);
  CU_ASSERT_EQUAL (turns->len, 1);
  pace_run (pace, 28120);
  CU_ASSERT_EQUAL (turns->len, 2);
  pace_points (pace, 1, 0, -1, 0); /* nonsense is passed over */
  CU_ASSERT_EQUAL (pace_per_second (pace, 28120), 100);
}

/* A vendor that takes `allowed` in each second, as most do it: counted in whole seconds. */
typedef struct {
  gint64 second;
  guint in_second, allowed, taken, refused;
  Pace *pace;
  gint64 now_ms;
} Vendor;

static void
ask_vendor (PaceWaiter *waiter, gpointer data)
{
  Vendor *vendor = data;
  if (vendor->now_ms / 1000 != vendor->second) {
    vendor->second = vendor->now_ms / 1000;
    vendor->in_second = 0;
  }
  if (++vendor->in_second <= vendor->allowed) {
    vendor->taken++;
    pace_accepted (vendor->pace, vendor->now_ms);
  } else {
    vendor->refused++;
    pace_refused (vendor->pace, 0, vendor->now_ms);
  }
}

/* Runs for so long with 50 stores that always want more. */
static void
run_stores (Vendor *vendor, gint64 until_ms)
{
  PaceWaiter waiters[50];
  char names[50][8];
  for (guint i = 0; i < 50; i++) {
    g_snprintf (names[i], sizeof names[i], "s%u", i);
    waiters[i] =
      (PaceWaiter){ .urgency = PACE_SYNC, .store = names[i], .on_turn = ask_vendor, .data = vendor };
  }
  while (vendor->now_ms < until_ms) {
    for (guint i = 0; i < 50; i++)
      if (!waiters[i].line)
        pace_ask (vendor->pace, &waiters[i]);
    gint64 next_ms = pace_run (vendor->pace, vendor->now_ms);
    for (guint i = 0; i < 50; i++)
      if (!waiters[i].line)
        pace_done (vendor->pace);
    vendor->now_ms = MAX (vendor->now_ms + 1, MIN (next_ms, until_ms));
  }
  for (guint i = 0; i < 50; i++)
    pace_leave (vendor->pace, &waiters[i]);
}

static void
test_fifty_stores_use_what_is_allowed_and_hardly_more (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 2 }, 0);
  Vendor vendor = { .allowed = 2, .pace = pace };
  run_stores (&vendor, 600000);
  CU_ASSERT (vendor.taken >= 1200 * 95 / 100);
  CU_ASSERT (vendor.refused * 100 < vendor.taken);
}

static void
test_a_pace_set_too_high_finds_what_is_allowed (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 5, .burst = 5 }, 0);
  Vendor vendor = { .allowed = 2, .pace = pace };
  run_stores (&vendor, 600000); /* learns */
  vendor.taken = vendor.refused = 0;
  run_stores (&vendor, 2400000);
  CU_ASSERT (vendor.taken >= 3600 * 95 / 100);
  CU_ASSERT (vendor.refused * 100 < vendor.taken);
}

static void
test_a_pace_set_far_too_high_comes_down_quickly (void)
{
  g_autoptr (Pace) pace = pace_new (&(PaceLimits){ .per_second = 100, .burst = 20 }, 0);
  Vendor vendor = { .allowed = 1, .pace = pace };
  run_stores (&vendor, 30000);
  CU_ASSERT (vendor.refused < 20);
  CU_ASSERT (vendor.taken >= 15);
}

int
main (void)
{
  return TAP_RUN (
    "pace", { "the bucket gives its rate", test_the_bucket_gives_its_rate },
    { "a quiet time saves a burst and no more", test_a_quiet_time_saves_a_burst_and_no_more },
    { "urgent ones go first, and stores take turns", test_urgent_ones_go_first_and_stores_take_turns },
    { "no more than so many are under way", test_no_more_than_so_many_are_under_way },
    { "one that leaves is passed over", test_one_that_leaves_is_passed_over },
    { "a refusal stops at once and slows", test_a_refusal_stops_at_once_and_slows },
    { "a slowed pace recovers slowly", test_a_slowed_pace_recovers_slowly },
    { "a vendor without a pace gets one when it refuses",
      test_a_vendor_without_a_pace_gets_one_when_it_refuses },
    { "what is left is spread until more comes", test_what_is_left_is_spread_until_more_comes },
    { "points are counted as the vendor does", test_points_are_counted_as_the_vendor_does },
    { "fifty stores use what is allowed and hardly more",
      test_fifty_stores_use_what_is_allowed_and_hardly_more },
    { "a pace set too high finds what is allowed", test_a_pace_set_too_high_finds_what_is_allowed },
    { "a pace set far too high comes down quickly", test_a_pace_set_far_too_high_comes_down_quickly });
}
