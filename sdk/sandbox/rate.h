/* How many calls a vendor takes in a second, counted over a sliding window, per name (an account, a family of
 * routes). */
#pragma once
#include <glib.h>

typedef struct Rate Rate;

/* per_second 0: no limit. */
Rate *rate_new (double per_second);
void rate_free (Rate *rate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Rate, rate_free)

/* Another limit; what was counted is forgotten. */
void rate_set (Rate *rate, double per_second);

/* Counts a call, or refuses it. */
gboolean rate_allow (Rate *rate, const char *name, gint64 monotonic_ms);
