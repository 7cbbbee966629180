#include "rate.h"

enum { MOST_CALLS = 100000 };

/* The times of the last calls, in a ring: the oldest must be out of the window before the next call may come.
 */
typedef struct {
  guint next;
  gint64 times[];
} Ring;

struct Rate {
  guint calls; /* in a window; 0: no limit */
  gint64 window_ms;
  GHashTable *rings; /* name -> Ring */
};

Rate *
rate_new (double per_second)
{
  Rate *rate = g_new0 (Rate, 1);
  rate->rings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  rate_set (rate, per_second);
  return rate;
}

void
rate_free (Rate *rate)
{
  if (!rate)
    return;
  g_hash_table_unref (rate->rings);
  g_free (rate);
}

void
rate_set (Rate *rate, double per_second)
{
  g_hash_table_remove_all (rate->rings);
  rate->calls = per_second > 0 ? (guint)CLAMP (per_second + 0.5, 1, MOST_CALLS) : 0;
  rate->window_ms = rate->calls ? (gint64)(rate->calls * 1000.0 / per_second) : 0;
}

gboolean
rate_allow (Rate *rate, const char *name, gint64 monotonic_ms)
{
  if (!rate->calls)
    return TRUE;
  Ring *ring = g_hash_table_lookup (rate->rings, name);
  if (!ring) {
    ring = g_malloc (sizeof *ring + rate->calls * sizeof (gint64));
    ring->next = 0;
    for (guint i = 0; i < rate->calls; i++)
      ring->times[i] = monotonic_ms - rate->window_ms;
    g_hash_table_insert (rate->rings, g_strdup (name), ring);
  }
  if (monotonic_ms - ring->times[ring->next] < rate->window_ms)
    return FALSE;
  ring->times[ring->next] = monotonic_ms;
  ring->next = (ring->next + 1) % rate->calls;
  return TRUE;
}
