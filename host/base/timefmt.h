/* Times as text: RFC 3339 in UTC with milliseconds, dates, and durations of drop-ins ("500ms" "30s" "15m"
 * "2h" "1d"). Inside, times are milliseconds since 1970 in UTC. */
#pragma once
#include <glib.h>

enum { TIME_TEXT_SIZE = 32 };

/* "2026-03-02T17:15:40.120Z"; years 0 to 9999, others are clamped. Returns the length written (24). */
gsize time_to_text (gint64 ms, char text[TIME_TEXT_SIZE]);

/* Reads RFC 3339 and its loose relatives: date alone, 'T' or blank between, seconds and fraction optional,
 * offset as Z, +hh:mm or +hhmm, or none. *has_offset tells whether one was written. FALSE when it is no time.
 */
gboolean time_from_text (const char *text, gint64 *ms, gboolean *has_offset);

/* Wall-clock milliseconds in zone (read as if UTC) to UTC, and back. A local time that happens twice is the
 * earlier one, one that never happens moves forward. */
gint64 time_local_to_utc (GTimeZone *zone, gint64 local_ms);
gint64 time_utc_to_local (GTimeZone *zone, gint64 ms, int *offset_s);

/* Days since 1970-01-01 of a civil date, and back. */
gint64 time_days_from_civil (int year, int month, int day);
void time_civil_from_days (gint64 days, int *year, int *month, int *day);

/* Milliseconds of "500ms" "30s" "15m" "2h" "1d", or -1 when it is no duration. */
gint64 duration_from_text (const char *text);

/* The shortest exact spelling: 900000 -> "15m". Free with g_free(). */
char *duration_to_text (gint64 ms);

/* Wall clock and monotonic clock, in milliseconds. Only main functions read them; everything else is handed
 * times. */
gint64 time_wall_ms (void);
gint64 time_monotonic_ms (void);
