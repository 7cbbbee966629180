#include "base/heap.h"
#include "base/ids.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "tap.h"

#include <string.h>
#include <unistd.h>

static void
test_heap_gives_back_the_earliest_first (void)
{
  HeapNode nodes[200] = { 0 };
  Heap heap = { 0 };
  for (guint i = 0; i < 200; i++)
    heap_put (&heap, &nodes[i], (i * 7919) % 200);
  for (guint i = 0; i < 200; i += 3)
    heap_remove (&heap, &nodes[i]);
  heap_put (&heap, &nodes[1], -5);
  gint64 last = G_MININT64;
  guint count = 0;
  for (HeapNode *first; (first = heap_first (&heap)); count++) {
    CU_ASSERT (first->at_ms >= last);
    last = first->at_ms;
    heap_remove (&heap, first);
  }
  CU_ASSERT_EQUAL (count, 133);
  heap_clear (&heap);
}

static void
test_ids_sort_in_the_order_of_making (void)
{
  IdMaker maker;
  char last[ID_TEXT_SIZE] = "", text[ID_TEXT_SIZE];
  id_maker_init (&maker);
  for (int i = 0; i < 1000; i++) {
    id_make (&maker, "pass_", 1772474465000 + i / 100, text);
    CU_ASSERT (id_is (text, "pass_"));
    CU_ASSERT (strcmp (last, text) < 0);
    strcpy (last, text);
  }
  CU_ASSERT_FALSE (id_is (text, "rej_"));
  CU_ASSERT_FALSE (id_is ("pass_01JN", "pass_"));
}

static void
test_times_are_written_and_read_back (void)
{
  char text[TIME_TEXT_SIZE];
  static const gint64 times[] = {
    0, 1772471740120, -1, 951782400000, 253402300799999, 4107542400000, -62167219200000
  };
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++) {
    gint64 back;
    gboolean offset;
    CU_ASSERT_EQUAL (time_to_text (times[i], text), 24);
    CU_ASSERT (time_from_text (text, &back, &offset) && offset);
    CU_ASSERT_EQUAL (back, times[i]);
  }
  time_to_text (1772471740120, text);
  CU_ASSERT_STRING_EQUAL (text, "2026-03-02T17:15:40.120Z");
}

static void
test_the_spellings_of_vendors_are_read (void)
{
  static const struct {
    const char *text;
    gint64 ms;
    gboolean offset;
  } cases[] = { { "2026-04-24T01:09:09.508-07:00", 1777018149508, TRUE },
                { "2024-05-31 09:54:13.000", 1717149253000, FALSE },
                { "2025-10-21 07:26:36", 1761031596000, FALSE },
                { "1989-03-07", 605232000000, FALSE },
                { "2026-03-02T12:00:00.000-0800", 1772481600000, TRUE },
                { "2025-10-27T00:00", 1761523200000, FALSE },
                { "2026-03-02T12:00:00.1234567Z", 1772452800123, TRUE } };
  static const char *const wrong[] = { "",
                                       "2026",
                                       "2026-13-01",
                                       "2026-02-29",
                                       "2026-02-30",
                                       "2026-03-02T",
                                       "2026-03-02T25:00",
                                       "2026-03-02T12:00:00.Z",
                                       "2026-03-02T12:00:00+99:00",
                                       "2026-03-02T12:00:00Zx",
                                       "02/03/2026" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gint64 ms = -1;
    gboolean offset = -1;
    CU_ASSERT (time_from_text (cases[i].text, &ms, &offset));
    CU_ASSERT_EQUAL (ms, cases[i].ms);
    CU_ASSERT_EQUAL (offset, cases[i].offset);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    gint64 ms;
    CU_ASSERT_FALSE (time_from_text (wrong[i], &ms, NULL));
  }
}

static void
test_local_times_go_through_both_nights_of_daylight_saving (void)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier ("America/Los_Angeles");
  gint64 local, utc;
  time_from_text ("2026-03-08T01:59:59", &local, NULL);
  time_from_text ("2026-03-08T09:59:59Z", &utc, NULL);
  CU_ASSERT_EQUAL (time_local_to_utc (zone, local), utc);
  time_from_text ("2026-03-08T02:30:00", &local, NULL); /* never happens: moves forward */
  time_from_text ("2026-03-08T10:00:00Z", &utc, NULL);
  CU_ASSERT (time_local_to_utc (zone, local) >= utc);
  time_from_text ("2026-11-01T01:30:00", &local, NULL); /* happens twice: the earlier */
  time_from_text ("2026-11-01T08:30:00Z", &utc, NULL);
  CU_ASSERT_EQUAL (time_local_to_utc (zone, local), utc);
  for (gint64 ms = 1772323200000; ms < 1772323200000 + 400 * 86400000ll; ms += 3600000 * 5) {
    gint64 there = time_utc_to_local (zone, ms, NULL), back = time_local_to_utc (zone, there);
    CU_ASSERT (back == ms || ms - back == 3600000);
  }
}

static void
test_durations_have_one_unit (void)
{
  CU_ASSERT_EQUAL (duration_from_text ("500ms"), 500);
  CU_ASSERT_EQUAL (duration_from_text ("30s"), 30000);
  CU_ASSERT_EQUAL (duration_from_text ("15m"), 900000);
  CU_ASSERT_EQUAL (duration_from_text ("1d"), 86400000);
  static const char *const wrong[] = { "", "15", "15 m", "15x", "-1s", "m", "1h30m", "99999999999999d" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    CU_ASSERT_EQUAL (duration_from_text (wrong[i]), -1);
  g_autofree char *text = duration_to_text (5400000);
  CU_ASSERT_STRING_EQUAL (text, "90m");
}

static void
count_and_quit (gpointer data)
{
  gpointer *both = data;
  ++*(int *)both[0];
  loop_quit (both[1]);
}

static gpointer
post_from_thread (gpointer data)
{
  loop_post (((gpointer *)data)[1], count_and_quit, data);
  return NULL;
}

static void
test_loop_runs_what_another_thread_posts (void)
{
  g_autoptr (Loop) loop = loop_new ();
  int count = 0;
  gpointer both[] = { &count, loop };
  GThread *thread = g_thread_new ("poster", post_from_thread, both);
  loop_run (loop);
  g_thread_join (thread);
  CU_ASSERT_EQUAL (count, 1);
}

static void
test_loop_timers_fire_in_order_and_not_when_cleared (void)
{
  g_autoptr (Loop) loop = loop_new ();
  int fired = 0, never = 0;
  gpointer both[] = { &fired, loop }, other[] = { &never, loop };
  LoopTimer *timer = loop_timer_new (loop, count_and_quit, both),
            *cleared = loop_timer_new (loop, count_and_quit, other);
  loop_timer_set (cleared, loop_now_ms (loop));
  loop_timer_set (timer, loop_now_ms (loop) + 2);
  loop_timer_clear (cleared);
  loop_run (loop);
  CU_ASSERT_EQUAL (fired, 1);
  CU_ASSERT_EQUAL (never, 0);
  loop_timer_free (timer);
  loop_timer_free (cleared);
}

static LoopWatch *watches[2];

static void
free_both (int fd, guint32 events, gpointer data)
{
  gpointer *both = data;
  ++*(int *)both[0];
  for (int i = 0; i < 2; i++)
    g_clear_pointer (&watches[i], loop_watch_free);
  loop_quit (both[1]);
}

static void
count_and_set_again (gpointer data)
{
  gpointer *both = data;
  LoopTimer *timer = both[0];
  guint *left = both[1];
  if (--*left)
    loop_timer_set (timer, loop_now_ms (both[2]));
  else
    loop_quit (both[2]);
}

/* So many turns meet the moment at which a millisecond passes between two looks at the clock. */
static void
test_a_timer_that_is_due_never_waits (void)
{
  g_autoptr (Loop) loop = loop_new ();
  guint left = 1000000;
  gpointer all[3] = { NULL, &left, loop };
  LoopTimer *timer = all[0] = loop_timer_new (loop, count_and_set_again, all);
  loop_timer_set (timer, loop_now_ms (loop));
  alarm (30); /* instead of waiting for ever */
  loop_run (loop);
  alarm (0);
  CU_ASSERT_EQUAL (left, 0);
  loop_timer_free (timer);
}

static void
test_a_timer_that_sets_itself_again_waits_for_the_next_turn (void)
{
  g_autoptr (Loop) loop = loop_new ();
  guint left = 10;
  gpointer all[3] = { NULL, &left, loop };
  LoopTimer *timer = all[0] = loop_timer_new (loop, count_and_set_again, all), *others[5];
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    others[i] = loop_timer_new (loop, count_and_quit, NULL);
    loop_timer_set (others[i], G_MAXINT64);
  }
  loop_timer_set (timer, loop_now_ms (loop));
  loop_turn (loop, 0);
  CU_ASSERT_EQUAL (left, 9);
  loop_turn (loop, 0);
  CU_ASSERT_EQUAL (left, 8);
  loop_timer_free (timer);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    loop_timer_free (others[i]);
}

static void
test_a_watch_may_be_freed_while_its_event_waits (void)
{
  g_autoptr (Loop) loop = loop_new ();
  int count = 0, pipes[2][2];
  gpointer both[] = { &count, loop };
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_FATAL (pipe (pipes[i]) == 0 && write (pipes[i][1], "x", 1) == 1);
    watches[i] = loop_watch_new (loop, pipes[i][0], EPOLLIN, free_both, both);
  }
  loop_run (loop);
  CU_ASSERT_EQUAL (count, 1);
  for (int i = 0; i < 4; i++)
    close (pipes[i / 2][i % 2]);
}

static void
test_metrics_are_told_in_prometheus_text (void)
{
  g_autoptr (Metrics) metrics = metrics_new ();
  metric_add (metrics_get (metrics, "http_retries_total", "a\"b"), 2);
  metric_observe (metrics_get (metrics, "commit_seconds", "yes"), 0.02);
  g_autofree char *text = metrics_to_text (metrics);
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "tillbridge_http_retries_total{plugin=\"a\\\"b\"} 2\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "tillbridge_commit_seconds_bucket{durable=\"yes\",le=\"0.01\"} 0\n"));
  CU_ASSERT_PTR_NOT_NULL (
    strstr (text, "tillbridge_commit_seconds_bucket{durable=\"yes\",le=\"0.025\"} 1\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "tillbridge_commit_seconds_count{durable=\"yes\"} 1\n"));
}

int
main (void)
{
  return TAP_RUN (
    "base", { "heap gives back the earliest first", test_heap_gives_back_the_earliest_first },
    { "ids sort in the order of making", test_ids_sort_in_the_order_of_making },
    { "times are written and read back", test_times_are_written_and_read_back },
    { "the spellings of vendors are read", test_the_spellings_of_vendors_are_read },
    { "local times go through both nights of daylight saving",
      test_local_times_go_through_both_nights_of_daylight_saving },
    { "durations have one unit", test_durations_have_one_unit },
    { "loop runs what another thread posts", test_loop_runs_what_another_thread_posts },
    { "loop timers fire in order, and not when cleared",
      test_loop_timers_fire_in_order_and_not_when_cleared },
    { "a timer that is due never waits", test_a_timer_that_is_due_never_waits },
    { "a timer that sets itself again waits for the next turn",
      test_a_timer_that_sets_itself_again_waits_for_the_next_turn },
    { "a watch may be freed while its event waits", test_a_watch_may_be_freed_while_its_event_waits },
    { "metrics are told in Prometheus text", test_metrics_are_told_in_prometheus_text });
}
