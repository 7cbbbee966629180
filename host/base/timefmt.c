#include "base/timefmt.h"

#include <string.h>
#include <time.h>

enum { MS_A_DAY = 86400000 };

gint64
time_wall_ms (void)
{
  return g_get_real_time () / 1000;
}

gint64
time_monotonic_ms (void)
{
  return g_get_monotonic_time () / 1000;
}

/* Howard Hinnant's civil calendar arithmetic ("chrono-Compatible Low-Level Date Algorithms"). */
gint64
time_days_from_civil (int year, int month, int day)
{
  gint64 y = month <= 2 ? year - 1 : year;
  gint64 era = (y >= 0 ? y : y - 399) / 400;
  gint64 of_era = y - era * 400;
  gint64 of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void
time_civil_from_days (gint64 days, int *year, int *month, int *day)
{
  days += 719468;
  gint64 era = (days >= 0 ? days : days - 146096) / 146097;
  gint64 of_era = days - era * 146097;
  gint64 y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  gint64 of_year = of_era - (365 * y + y / 4 - y / 100);
  gint64 m = (5 * of_year + 2) / 153;
  *day = (int)(of_year - (153 * m + 2) / 5 + 1);
  *month = (int)(m < 10 ? m + 3 : m - 9);
  *year = (int)(y + era * 400 + (*month <= 2));
}

static inline char *
two_digits (char *out, guint value)
{
  out[0] = (char)('0' + value / 10);
  out[1] = (char)('0' + value % 10);
  return out + 2;
}

gsize
time_to_text (gint64 ms, char text[TIME_TEXT_SIZE])
{
  int year, month, day;
  ms = CLAMP (ms, -62167219200000, 253402300799999); /* 0000-01-01 to 9999-12-31 */
  gint64 days = ms / MS_A_DAY - (ms % MS_A_DAY < 0);
  guint in_day = (guint)(ms - days * MS_A_DAY);
  time_civil_from_days (days, &year, &month, &day);
  char *out = two_digits (two_digits (text, (guint)year / 100), (guint)year % 100);
  *out++ = '-';
  out = two_digits (out, (guint)month);
  *out++ = '-';
  out = two_digits (out, (guint)day);
  *out++ = 'T';
  out = two_digits (out, in_day / 3600000);
  *out++ = ':';
  out = two_digits (out, in_day / 60000 % 60);
  *out++ = ':';
  out = two_digits (out, in_day / 1000 % 60);
  *out++ = '.';
  *out++ = (char)('0' + in_day % 1000 / 100);
  out = two_digits (out, in_day % 100);
  *out++ = 'Z';
  *out = '\0';
  return (gsize)(out - text);
}

/* Exactly count digits; -1 when there are not. */
static int
number (const char **at, int count)
{
  int value = 0;
  for (int i = 0; i < count; i++, (*at)++) {
    if (!g_ascii_isdigit (**at))
      return -1;
    value = value * 10 + (**at - '0');
  }
  return value;
}

static gboolean
read_offset (const char **at, gint64 *offset_ms, gboolean *has_offset)
{
  *offset_ms = 0;
  *has_offset = FALSE;
  if (!**at)
    return TRUE;
  *has_offset = TRUE;
  if (**at == 'Z' || **at == 'z') {
    (*at)++;
    return TRUE;
  }
  if (**at != '+' && **at != '-')
    return FALSE;
  int sign = *(*at)++ == '-' ? -1 : 1;
  int hours = number (at, 2);
  if (**at == ':')
    (*at)++;
  int minutes = **at ? number (at, 2) : 0;
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
    return FALSE;
  *offset_ms = sign * (hours * 60 + minutes) * 60000;
  return TRUE;
}

static gboolean
read_clock (const char **at, gint64 *in_day_ms)
{
  int hour = number (at, 2), minute = *(*at) == ':' ? (++*at, number (at, 2)) : -1, second = 0, ms = 0;
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59)
    return FALSE;
  if (**at == ':') {
    ++*at;
    if ((second = number (at, 2)) < 0 || second > 60) /* 60: a leap second is the next one's first */
      return FALSE;
    if (**at == '.' || **at == ',') {
      int unit = 100;
      if (!g_ascii_isdigit (*++*at))
        return FALSE;
      for (; g_ascii_isdigit (**at); ++*at, unit /= 10)
        ms += (**at - '0') * unit;
    }
  }
  *in_day_ms = ((hour * 60 + minute) * 60 + second) * (gint64)1000 + ms;
  return hour < 24 || *in_day_ms == MS_A_DAY;
}

gboolean
time_from_text (const char *text, gint64 *ms, gboolean *has_offset)
{
  static const int lengths[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  const char *at = text;
  int year = number (&at, 4), month = *at == '-' ? (++at, number (&at, 2)) : -1,
      day = *at == '-' ? (++at, number (&at, 2)) : -1;
  if (year < 0 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
      (month == 2 && day == 29 && (year % 4 != 0 || (year % 100 == 0 && year % 400 != 0))))
    return FALSE;
  gint64 in_day_ms = 0, offset_ms = 0;
  gboolean offset = FALSE;
  if (*at) {
    if (*at != 'T' && *at != 't' && *at != ' ')
      return FALSE;
    at++;
    if (!read_clock (&at, &in_day_ms))
      return FALSE;
    if (*at == ' ')
      at++;
    if (!read_offset (&at, &offset_ms, &offset) || *at)
      return FALSE;
  }
  *ms = time_days_from_civil (year, month, day) * MS_A_DAY + in_day_ms - offset_ms;
  if (has_offset)
    *has_offset = offset;
  return TRUE;
}

gint64
time_local_to_utc (GTimeZone *zone, gint64 local_ms)
{
  gint64 local_s = local_ms / 1000 - (local_ms % 1000 < 0);
  int interval = g_time_zone_adjust_time (zone, G_TIME_TYPE_STANDARD, &local_s);
  gint64 adjusted_ms = local_s * 1000 + ((local_ms % 1000) + 1000) % 1000;
  gint64 ms = adjusted_ms - (gint64)g_time_zone_get_offset (zone, interval) * 1000;
  /* A time that happens twice: the earlier of the two. */
  gint64 daylight_s = local_ms / 1000 - (local_ms % 1000 < 0);
  int other = g_time_zone_find_interval (zone, G_TIME_TYPE_DAYLIGHT, daylight_s);
  if (other >= 0)
    ms = MIN (ms, local_ms - (gint64)g_time_zone_get_offset (zone, other) * 1000);
  return ms;
}

gint64
time_utc_to_local (GTimeZone *zone, gint64 ms, int *offset_s)
{
  gint64 s = ms / 1000 - (ms % 1000 < 0);
  int interval = g_time_zone_find_interval (zone, G_TIME_TYPE_UNIVERSAL, s);
  int offset = interval < 0 ? 0 : g_time_zone_get_offset (zone, interval);
  if (offset_s)
    *offset_s = offset;
  return ms + (gint64)offset * 1000;
}

static const struct {
  const char *unit;
  gint64 ms;
} units[] = { { "d", MS_A_DAY }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 } };

gint64
duration_from_text (const char *text)
{
  char *end;
  if (!g_ascii_isdigit (*text) || strlen (text) > 15)
    return -1;
  gint64 value = g_ascii_strtoll (text, &end, 10);
  for (gsize i = 0; i < G_N_ELEMENTS (units); i++)
    if (strcmp (end, units[i].unit) == 0)
      return value <= G_MAXINT64 / units[i].ms ? value * units[i].ms : -1;
  return -1;
}

char *
duration_to_text (gint64 ms)
{
  for (gsize i = 0; ms > 0 && i < G_N_ELEMENTS (units); i++)
    if (ms % units[i].ms == 0)
      return g_strdup_printf ("%" G_GINT64_FORMAT "%s", ms / units[i].ms, units[i].unit);
  return g_strdup ("0s");
}
