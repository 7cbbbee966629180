#include "cli/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/timefmt.h"
#include "model/currency.h"

json_object *
member_at (json_object *object, const char *name)
{
  json_object *value = NULL;
  return json_object_object_get_ex (object, name, &value) ? value : NULL;
}

const char *
member_text (json_object *object, const char *name)
{
  json_object *value = member_at (object, name);
  return json_object_is_type (value, json_type_string) ? json_object_get_string (value) : "";
}

gint64
member_number (json_object *object, const char *name)
{
  return json_object_get_int64 (member_at (object, name));
}

gboolean
member_is (json_object *object, const char *name)
{
  return json_object_get_boolean (member_at (object, name)) != 0;
}

gint64
member_time (json_object *object, const char *name)
{
  gint64 ms;
  gboolean has_offset;
  return time_from_text (member_text (object, name), &ms, &has_offset) ? ms : 0;
}

/* ---- words ---- */

char *
words_safe (const char *text)
{
  g_autoptr (GString) out = g_string_sized_new (strlen (text));
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  for (const char *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c == '\n' || c == '\t' || c == '\r')
      g_string_append_c (out, ' ');
    else if (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT)
      g_string_append_printf (out, "\\x%02x", c);
    else
      g_string_append_unichar (out, c);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* Two of the smaller unit before the next one is used: 119 s, then 2 min. */
char *
words_age (gint64 ms)
{
  static const struct {
    gint64 ms;
    const char *unit;
  } units[] = { { 86400000, "d" }, { 3600000, "h" }, { 60000, "min" }, { 1000, "s" } };
  for (gsize i = 0; i < G_N_ELEMENTS (units) - 1; i++)
    if (ms >= 2 * units[i].ms || (ms >= units[i].ms && ms % units[i].ms == 0))
      return g_strdup_printf ("%" G_GINT64_FORMAT " %s", ms / units[i].ms, units[i].unit);
  return g_strdup_printf ("%" G_GINT64_FORMAT " s", MAX (ms, 0) / 1000);
}

char *
words_time (gint64 ms)
{
  if (ms == 0)
    return g_strdup ("");
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (ms / 1000);
  g_autoptr (GDateTime) local = utc ? g_date_time_to_local (utc) : NULL;
  return local ? g_date_time_format (local, "%Y-%m-%d %H:%M:%S") : g_strdup ("");
}

char *
words_until (gint64 ms, gint64 now_ms)
{
  if (ms == 0)
    return g_strdup ("");
  if (ms - now_ms < 1000)
    return g_strdup ("now");
  g_autofree char *age = words_age (ms - now_ms);
  return g_strdup_printf ("in %s", age);
}

char *
words_money (gint64 minor, const char *currency)
{
  int places = currency_places (currency);
  guint64 unit = 1;
  for (int i = 0; i < places; i++)
    unit *= 10;
  guint64 size = minor < 0 ? -(guint64)minor : (guint64)minor;
  g_autofree char *safe = words_safe (currency);
  g_autofree char *fraction =
    places ? g_strdup_printf (".%0*" G_GUINT64_FORMAT, places, size % unit) : g_strdup ("");
  return g_strdup_printf ("%s%" G_GUINT64_FORMAT "%s%s%s", minor < 0 ? "-" : "", size / unit, fraction,
                          *safe ? " " : "", safe);
}

char *
words_list (json_object *list)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gsize count = json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
  for (gsize i = 0; i < count; i++) {
    g_autofree char *one = words_safe (json_object_get_string (json_object_array_get_idx (list, i)));
    g_string_append_printf (out, "%s%s", i ? ", " : "", one);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
words_value (json_object *value)
{
  if (!value)
    return g_strdup ("(not set)");
  return words_safe (
    json_object_to_json_string_ext (value, JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
}

char *
words_sums (json_object *pass)
{
  static const char *const names[] = { "seen", "stored", "unchanged", "rejected", "filtered" };
  static const char *const signs[] = { "", " = ", " + ", " + ", " + " };
  g_autoptr (GString) out = g_string_new (NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    g_string_append_printf (out, "%s%s %" G_GINT64_FORMAT, signs[i], names[i],
                            member_number (pass, names[i]));
  gint64 missing = member_number (pass, "missing"), deleted = member_number (pass, "deleted");
  if (missing || deleted)
    g_string_append_printf (out, "; missing %" G_GINT64_FORMAT ", deleted %" G_GINT64_FORMAT, missing,
                            deleted);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

const char *
words_plural (gint64 count, const char *one, const char *many)
{
  return count == 1 ? one : many;
}
