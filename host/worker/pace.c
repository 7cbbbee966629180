#include "worker/pace.h"

typedef struct PaceLine {
  GQueue waiters;
  PaceUrgency urgency;
  char *store;
} PaceLine;

struct Pace {
  PaceLimits limits;
  gboolean in_points;
  double tokens;
  gint64 filled_ms; /* when tokens was right */
  int under_way;
  gint64 wait_until_ms;
  /* after a refusal */
  double slowed; /* 0: not */
  gint64 slowed_ms, hold_ms;
  /* what is left until when, as told */
  double told;
  gint64 told_until_ms;
  guint taken[PACE_WINDOW_S]; /* answers in each of the last seconds */
  gint64 taken_second;
  GQueue turns[PACE_URGENCIES];      /* PaceLine, whose turn is next first */
  GHashTable *lines[PACE_URGENCIES]; /* store -> PaceLine */
};

enum {
  UNLIMITED_OVER = 8
}; /* where no pace is set, a slowed one is over at so many times what it was slowed to */
static const double grew_share =
  0.88; /* of a pace that had grown until it was refused: it was only a little too much */

static void
line_free (gpointer data)
{
  PaceLine *line = data;
  g_assert (g_queue_is_empty (&line->waiters));
  g_free (line->store);
  g_free (line);
}

Pace *
pace_new (const PaceLimits *limits, gint64 now_ms)
{
  Pace *pace = g_new0 (Pace, 1);
  pace->limits = *limits;
  pace->limits.burst = MAX (limits->burst, 1);
  pace->tokens = 1;
  pace->filled_ms = now_ms;
  for (guint i = 0; i < PACE_URGENCIES; i++)
    pace->lines[i] = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, line_free);
  return pace;
}

void
pace_free (Pace *pace)
{
  if (!pace)
    return;
  for (guint i = 0; i < PACE_URGENCIES; i++)
    g_hash_table_unref (pace->lines[i]);
  g_free (pace);
}

/* What the slowed pace has grown to: gently at first, since what is allowed lies near, then faster. What is
 * set when that is over. */
static double
grown (const Pace *pace, gint64 now_ms)
{
  double set = pace->limits.per_second, most = set > 0 ? set : UNLIMITED_OVER * pace->slowed;
  double share = (double)MAX (now_ms - pace->slowed_ms - pace->hold_ms, 0) / PACE_GROW_MS;
  double rate = pace->slowed + most * share * share;
  return rate >= most ? set : rate;
}

double
pace_per_second (const Pace *pace, gint64 now_ms)
{
  double rate = pace->slowed > 0 ? grown (pace, now_ms) : pace->limits.per_second;
  if (pace->told_until_ms > now_ms && (rate <= 0 || pace->told < rate))
    return pace->told;
  return rate;
}

static void
fill (Pace *pace, gint64 now_ms)
{
  double rate = pace_per_second (pace, now_ms);
  double passed = (double)MAX (now_ms - pace->filled_ms, 0) / 1000;
  pace->tokens = rate > 0 ? MIN (pace->tokens + rate * passed, pace->limits.burst) : pace->limits.burst;
  pace->filled_ms = MAX (now_ms, pace->filled_ms);
}

void
pace_set_limits (Pace *pace, const PaceLimits *limits, gint64 now_ms)
{
  fill (pace, now_ms);
  pace->limits.at_once = limits->at_once;
  if (pace->in_points)
    return;
  pace->limits.per_second = limits->per_second;
  pace->limits.burst = MAX (limits->burst, 1);
}

void
pace_ask (Pace *pace, PaceWaiter *waiter)
{
  const char *store = waiter->store ? waiter->store : "";
  PaceLine *line = g_hash_table_lookup (pace->lines[waiter->urgency], store);
  g_assert (!waiter->line);
  if (!line) {
    line = g_new0 (PaceLine, 1);
    line->urgency = waiter->urgency;
    line->store = g_strdup (store);
    g_hash_table_insert (pace->lines[waiter->urgency], line->store, line);
    g_queue_push_tail (&pace->turns[waiter->urgency], line);
  }
  waiter->line = line;
  g_queue_push_tail (&line->waiters, waiter);
}

/* A line that is empty goes; one that is not may go to the end. */
static void
settle (Pace *pace, PaceLine *line, gboolean had_turn)
{
  GQueue *turns = &pace->turns[line->urgency];
  if (g_queue_is_empty (&line->waiters)) {
    g_queue_remove (turns, line);
    g_hash_table_remove (pace->lines[line->urgency], line->store);
  } else if (had_turn)
    g_queue_push_tail (turns, g_queue_pop_head (turns));
}

void
pace_leave (Pace *pace, PaceWaiter *waiter)
{
  PaceLine *line = waiter->line;
  if (!line)
    return;
  waiter->line = NULL;
  g_queue_remove (&line->waiters, waiter);
  settle (pace, line, FALSE);
}

void
pace_done (Pace *pace)
{
  g_assert (pace->under_way > 0);
  pace->under_way--;
}

static PaceLine *
next_line (Pace *pace)
{
  for (guint i = 0; i < PACE_URGENCIES; i++)
    if (!g_queue_is_empty (&pace->turns[i]))
      return pace->turns[i].head->data;
  return NULL;
}

/* Rounded up, so that the time is not asked for twice. */
static gint64
whole_ms (double seconds)
{
  gint64 ms = (gint64)(seconds * 1000);
  return MAX (ms + ((double)ms + 1e-6 < seconds * 1000), 1);
}

gint64
pace_run (Pace *pace, gint64 now_ms)
{
  PaceLine *line;
  fill (pace, now_ms);
  while ((line = next_line (pace))) {
    PaceWaiter *waiter = g_queue_peek_head (&line->waiters);
    double cost = MIN (waiter->cost > 0 ? waiter->cost : 1, pace->limits.burst);
    double rate = pace_per_second (pace, now_ms);
    if (now_ms < pace->wait_until_ms)
      return pace->wait_until_ms;
    if (waiter->urgency != PACE_NESTED && pace->limits.at_once && pace->under_way >= pace->limits.at_once)
      return G_MAXINT64;
    if (pace->tokens + 1e-9 < cost && rate > 0)
      return now_ms + whole_ms ((cost - pace->tokens) / rate);
    if (rate > 0)
      pace->tokens -= cost;
    pace->under_way++;
    waiter->line = NULL;
    g_queue_pop_head (&line->waiters);
    settle (pace, line, TRUE);
    waiter->on_turn (waiter, waiter->data);
  }
  return G_MAXINT64;
}

static void
turn_window (Pace *pace, gint64 now_ms)
{
  gint64 second = now_ms / 1000;
  for (gint64 i = MAX (pace->taken_second, second - PACE_WINDOW_S) + 1; i <= second; i++)
    pace->taken[i % PACE_WINDOW_S] = 0;
  pace->taken_second = MAX (pace->taken_second, second);
}

void
pace_accepted (Pace *pace, gint64 now_ms)
{
  turn_window (pace, now_ms);
  pace->taken[pace->taken_second % PACE_WINDOW_S]++;
}

/* A second, in the whole seconds of the window: the one that runs is not over. */
static double
taken_lately (Pace *pace, gint64 now_ms)
{
  guint sum = 0;
  turn_window (pace, now_ms);
  for (guint i = 0; i < PACE_WINDOW_S; i++)
    if (i != (guint)(pace->taken_second % PACE_WINDOW_S))
      sum += pace->taken[i];
  return (double)sum / (PACE_WINDOW_S - 1);
}

void
pace_wait (Pace *pace, gint64 wait_ms, gint64 now_ms)
{
  pace->wait_until_ms = MAX (pace->wait_until_ms, now_ms + MIN (wait_ms, PACE_TOLD_MOST_MS));
}

void
pace_refused (Pace *pace, gint64 wait_ms, gint64 now_ms)
{
  gboolean known = now_ms < pace->wait_until_ms; /* one of several that were under way together */
  pace_wait (pace, wait_ms > 0 ? wait_ms : PACE_REFUSED_WAIT_MS, now_ms);
  if (known || pace->in_points)
    return;
  fill (pace, now_ms);
  pace->tokens = MIN (pace->tokens, 0);
  double taken = taken_lately (pace, now_ms);
  double rate = pace_per_second (pace, now_ms);
  if (rate <= 0)
    rate = MAX (taken, PACE_GUESS_PER_SECOND);
  gint64 since_ms = pace->slowed > 0 ? now_ms - pace->slowed_ms : G_MAXINT64;
  gboolean held = since_ms < pace->hold_ms; /* even what it was slowed to is too much */
  gboolean grew = !held && since_ms < pace->hold_ms + PACE_GROW_MS;
  pace->slowed = grew ? MAX (MIN (taken, rate), rate * grew_share) : CLAMP (taken, rate * 0.5, rate * 0.97);
  pace->slowed_ms = now_ms;
  if (!held)
    pace->hold_ms = grew ? MIN (pace->hold_ms * 2, PACE_HOLD_MOST_MS) : PACE_HOLD_FIRST_MS;
}

void
pace_left (Pace *pace, double left, gint64 reset_ms, gint64 now_ms)
{
  fill (pace, now_ms);
  if (left < 1)
    pace_wait (pace, reset_ms > 0 ? reset_ms : PACE_REFUSED_WAIT_MS, now_ms);
  else if (reset_ms > 0) {
    pace->told = left * 1000 / (double)reset_ms;
    pace->told_until_ms = now_ms + MIN (reset_ms, PACE_TOLD_MOST_MS);
  }
}

void
pace_points (Pace *pace, double left, double ceiling, double per_second, gint64 now_ms)
{
  if (!(per_second > 0) || !(ceiling >= 1) || !(left >= 0) || ceiling > G_MAXINT)
    return;
  pace->in_points = TRUE;
  pace->limits.per_second = per_second;
  pace->limits.burst = (int)ceiling;
  pace->slowed = 0;
  pace->tokens = MIN (left, ceiling);
  pace->filled_ms = now_ms;
}

gint64
pace_waits_until (const Pace *pace)
{
  return pace->wait_until_ms;
}
