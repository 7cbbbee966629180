#include "treez.h"

#include <string.h>

#include "base/timefmt.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS };

/* The day (since 1970) of the nth Sunday of a month. Day 0 was a Thursday. */
static gint64
sunday (int year, int month, int nth)
{
  gint64 first = time_days_from_civil (year, month, 1);
  return first + (10 - first % 7) % 7 + 7 * (nth - 1);
}

/* Pacific time, by the rule of 2007: summer from the second Sunday of March, 10:00 UTC, to the first of
 * November, 09:00. */
static int
offset_hours (gint64 ms)
{
  int year, month, day;
  time_civil_from_days (ms / DAY_MS, &year, &month, &day);
  gint64 from = sunday (year, 3, 2) * DAY_MS + 10 * (gint64)HOUR_MS;
  gint64 until = sunday (year, 11, 1) * DAY_MS + 9 * (gint64)HOUR_MS;
  return ms >= from && ms < until ? 7 : 8;
}

static void
digits (char *text, int number, int count)
{
  for (int i = count - 1; i >= 0; i--, number /= 10)
    text[i] = (char)('0' + number % 10);
}

static void
write_time (gint64 ms, gboolean colon, char text[TREEZ_TIME_SIZE])
{
  int year, month, day, hours = offset_hours (ms);
  gint64 local = ms - hours * (gint64)HOUR_MS;
  int rest = (int)(local % DAY_MS);
  time_civil_from_days (local / DAY_MS, &year, &month, &day);
  memcpy (text, "0000-00-00T00:00:00.000-00", 27);
  digits (text, year, 4);
  digits (text + 5, month, 2);
  digits (text + 8, day, 2);
  digits (text + 11, rest / HOUR_MS, 2);
  digits (text + 14, rest / 60000 % 60, 2);
  digits (text + 17, rest / 1000 % 60, 2);
  digits (text + 20, rest % 1000, 3);
  digits (text + 24, hours, 2);
  strcpy (text + 26, colon ? ":00" : "00");
}

void
treez_time (gint64 ms, char text[TREEZ_TIME_SIZE])
{
  write_time (ms, TRUE, text);
}

void
treez_time_without_colon (gint64 ms, char text[TREEZ_TIME_SIZE])
{
  write_time (ms, FALSE, text);
}

gboolean
treez_time_read (const char *text, gint64 *ms)
{
  static const char shape[] = "0000-00-00T00:00:00.000";
  gsize length = sizeof shape - 1;
  if (strlen (text) < length + 1)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (shape[i] == '0' ? !g_ascii_isdigit (text[i]) : text[i] != shape[i])
      return FALSE;
  const char *zone = text + length;
  gboolean offset = (*zone == '+' || *zone == '-') && strlen (zone) == 6 && zone[3] == ':';
  gboolean has_offset = FALSE;
  if (!offset && strcmp (zone, "Z") != 0)
    return FALSE;
  return time_from_text (text, ms, &has_offset) && has_offset;
}
