#include "clock.h"

#include "base/timefmt.h"

gint64
clock_now_ms (const Clock *clock)
{
  return time_wall_ms () + clock->skew_ms;
}
