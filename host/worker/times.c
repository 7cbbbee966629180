/* Times as a vendor writes them, on the store's clock or in UTC. */
#include "worker/services.h"

#include <string.h>
#include <time.h>
#include "base/timefmt.h"
#include "worker/retry.h"

enum { MS_A_DAY = 86400000 };

gint64
time_of_text (Call *call, const char *text, gboolean local)
{
  gint64 ms;
  gboolean has_offset;
  while (g_ascii_isspace (*text))
    text++;
  gsize length = strlen (text);
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  char trimmed[64];
  if (length >= sizeof trimmed)
    return TIME_NONE;
  memcpy (trimmed, text, length);
  trimmed[length] = '\0';
  if (g_ascii_isalpha (*trimmed)) {
    ms = retry_date_ms (trimmed);
    return ms ? ms : TIME_NONE;
  }
  if (!time_from_text (trimmed, &ms, &has_offset))
    return TIME_NONE;
  return local && !has_offset ? time_local_to_utc (call->connector->zone, ms) : ms;
}

long long
service_time_read (tb_call *shown, const char *text, bool local)
{
  gint64 ms = time_of_text (call_of (shown), text, local);
  return ms == TIME_NONE ? 0 : ms;
}

static struct tm
broken_down (gint64 local_ms)
{
  gint64 days = local_ms / MS_A_DAY - (local_ms % MS_A_DAY < 0);
  int in_day = (int)((local_ms - days * MS_A_DAY) / 1000), year, month, day;
  time_civil_from_days (days, &year, &month, &day);
  return (struct tm){ .tm_sec = in_day % 60,
                      .tm_min = in_day / 60 % 60,
                      .tm_hour = in_day / 3600,
                      .tm_mday = day,
                      .tm_mon = month - 1,
                      .tm_year = year - 1900,
                      .tm_wday = (int)(((days + 4) % 7 + 7) % 7), /* 1970-01-01 was a Thursday */
                      .tm_yday = (int)(days - time_days_from_civil (year, 1, 1)) };
}

/* strftime() knows the zone of the process alone: what depends on the zone is put in before. */
static char *
zoned_format (const char *format, gint64 ms, int offset_s, const char *name)
{
  g_autoptr (GString) out = g_string_new (NULL);
  guint minutes = (guint)ABS (offset_s) / 60;
  char sign = offset_s < 0 ? '-' : '+';
  for (const char *at = format; *at; at++) {
    if (*at != '%' || !at[1]) {
      g_string_append_c (out, *at);
      continue;
    }
    at++;
    if (*at == ':' && at[1] == 'z') {
      g_string_append_printf (out, "%c%02u:%02u", sign, minutes / 60, minutes % 60);
      at++;
    } else if (*at == 'z')
      g_string_append_printf (out, "%c%02u%02u", sign, minutes / 60, minutes % 60);
    else if (*at == 'Z')
      g_string_append (out, name);
    else if (*at == 's')
      g_string_append_printf (out, "%" G_GINT64_FORMAT, ms / 1000);
    else
      g_string_append_printf (out, "%%%c", *at);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
service_time_text (tb_call *shown, long long ms, bool local, const char *format)
{
  enum { TEXT_MOST = 256 };
  Call *call = call_of (shown);
  const char *name = "UTC";
  int offset_s = 0;
  gint64 local_ms = local ? time_utc_to_local (call->connector->zone, ms, &offset_s) : ms;
  if (local)
    name = g_time_zone_get_abbreviation (
      call->connector->zone,
      g_time_zone_find_interval (call->connector->zone, G_TIME_TYPE_UNIVERSAL, ms / 1000));
  g_autofree char *zoned = zoned_format (format, ms, offset_s, name);
  struct tm parts = broken_down (local_ms);
  char *text = arena_alloc (call->arena, TEXT_MOST);
  text[strftime (text, TEXT_MOST, zoned, &parts)] = '\0';
  return text;
}
