/* The sandbox's clock: the machine's, moved by a skew that the admin API sets. */
#pragma once
#include <glib.h>

typedef struct {
  gint64 skew_ms;
} Clock;

/* Wall clock of the imitated vendors, milliseconds since 1970 in UTC. */
gint64 clock_now_ms (const Clock *clock);
