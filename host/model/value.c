#include "model/value.h"

#include "base/timefmt.h"

#include <stdarg.h>

enum { DATE_LENGTH = 10, PHONE_LEAST = 7, PHONE_MOST = 15 };

/* ---- saying no ---- */

gboolean
value_refuse (Writer *writer, const Field *field, const char *reason, const char *format, ...)
{
  guint length;
  const char *name = field_name (field, &length);
  va_list arguments;
  writer->reject->reason = reason;
  g_snprintf (writer->reject->field, sizeof writer->reject->field, "%.*s", (int)length, name);
  va_start (arguments, format);
  g_vsnprintf (writer->reject->detail, sizeof writer->reject->detail, format, arguments);
  va_end (arguments);
  return FALSE;
}

/* Puts where it happened in front of the refused field: prices[0].amount. An index of -1: no list. */
gboolean
value_refuse_inside (Writer *writer, const Field *outer, gint64 index, gboolean whole_element)
{
  char inner[sizeof writer->reject->field], at[24] = "";
  guint length;
  const char *name = field_name (outer, &length);
  g_strlcpy (inner, writer->reject->field, sizeof inner);
  if (index >= 0)
    g_snprintf (at, sizeof at, "[%" G_GINT64_FORMAT "]", index);
  g_snprintf (writer->reject->field, sizeof writer->reject->field, "%.*s%s%s%s", (int)length, name, at,
              whole_element ? "" : ".", whole_element ? "" : inner);
  return FALSE;
}

gboolean
value_refuse_missing (Writer *writer, const Field *field)
{
  return value_refuse (writer, field, "missing_field", "a record needs it, and it was not said");
}

/* What a plugin wrote, cut and made harmless for a message. */
char *
value_shown (const char *text, char room[64])
{
  gsize length = strnlen (text, 60);
  for (gsize i = 0; i < length; i++)
    room[i] = g_ascii_isprint (text[i]) ? text[i] : '?';
  room[length] = '\0';
  return room;
}

/* ---- texts ---- */

/* A text with escapes, or beyond ASCII, or bad. */
static gboolean __attribute__ ((noinline))
put_careful (Writer *writer, const Field *field, const char *text, gsize length)
{
  gsize before = writer->out->length;
  if (G_UNLIKELY (!json_put_checked (writer->out, text, length)))
    return value_refuse (writer, field, "not_utf8", "the text is not valid UTF-8");
  /* Only a text that had to be escaped can hold a control character. */
  if (writer->out->length - before != length + 2 && put_has_controls (text, length))
    return value_refuse (writer, field, "control_character",
                         "the text holds a control character other than newline and tab");
  return TRUE;
}

static gboolean __attribute__ ((noinline))
refuse_long (Writer *writer, const Field *field, gsize length, gsize most)
{
  return value_refuse (writer, field, "too_long", "%zu bytes, at most %zu are taken", length, most);
}

gboolean
value_put_text_alone (Writer *writer, const Field *field, char before, const char *text, gsize most)
{
  gsize length = strlen (text);
  if (G_UNLIKELY (length > most))
    return refuse_long (writer, field, length, most);
  char *at = put_reserve (writer->out, length + 3);
  *at++ = before;
  if (G_LIKELY (put_plain (at, text, length))) {
    value_end (writer->out, at + length + 2);
    return TRUE;
  }
  writer->out->length++;
  return put_careful (writer, field, text, length);
}

gboolean
value_put_text (Writer *writer, const Field *field, const char *text)
{
  gsize length = strlen (text);
  if (G_UNLIKELY (length > field->most))
    return refuse_long (writer, field, length, field->most);
  char *at = value_begin (writer->out, field, length + 2);
  if (G_LIKELY (put_plain (at, text, length))) {
    value_end (writer->out, at + length + 2);
    return TRUE;
  }
  value_end (writer->out, at);
  return put_careful (writer, field, text, length);
}

gboolean
value_put_date (Writer *writer, const Field *field, const char *text)
{
  gint64 ms;
  char room[64];
  if (strnlen (text, DATE_LENGTH + 1) != DATE_LENGTH || !time_from_text (text, &ms, NULL))
    return value_refuse (writer, field, "bad_date", "\"%s\" is no date (YYYY-MM-DD)",
                         value_shown (text, room));
  return value_put_text (writer, field, text);
}

gboolean
value_put_phone (Writer *writer, const Field *field, const char *text)
{
  char room[64];
  gsize digits = strspn (text + (*text == '+'), "0123456789");
  if (*text != '+' || text[1] == '0' || digits < PHONE_LEAST || digits > PHONE_MOST || text[1 + digits])
    return value_refuse (writer, field, "bad_phone", "\"%s\" is no E.164 number (+15105550100)",
                         value_shown (text, room));
  return value_put_text (writer, field, text);
}

gboolean
value_put_url (Writer *writer, const Field *field, const char *text)
{
  char room[64];
  const char *host = g_str_has_prefix (text, "https://")  ? text + 8
                     : g_str_has_prefix (text, "http://") ? text + 7
                                                          : NULL;
  if (!host || !g_ascii_isgraph (*host) || strchr ("/?#:@", *host) || strpbrk (text, " \t\r\n\"<>"))
    return value_refuse (writer, field, "bad_url", "\"%s\" is no address (https://...)",
                         value_shown (text, room));
  return value_put_text (writer, field, text);
}

/* ---- numbers, words, times ---- */

gboolean
value_put_number (Writer *writer, const Field *field, gint64 nano)
{
  if (G_UNLIKELY (nano < 0 && (field->rules & FIELD_NOT_NEGATIVE)))
    return value_refuse (writer, field, "out_of_range", "it is below 0");
  value_end (writer->out, put_nano (value_begin (writer->out, field, NUMBER_ROOM), nano));
  return TRUE;
}

gboolean
value_put_flag (Writer *writer, const Field *field, const tb_flag *flag)
{
  if (G_UNLIKELY (flag->state != 1 && flag->state != 2))
    return value_refuse (writer, field, "out_of_range", "%d is no flag: use tb_flag_of ()", (int)flag->state);
  gboolean yes = flag->state == 2;
  char *at = value_begin (writer->out, field, NUMBER_ROOM);
  memcpy (at, yes ? "true\0" : "false", 5);
  value_end (writer->out, at + (yes ? 4 : 5));
  return TRUE;
}

gboolean
value_put_word (Writer *writer, const Field *field, guint value)
{
  if (G_UNLIKELY (value >= field->word_count))
    return value_refuse (writer, field, "out_of_range", "%d is none of the words that the SDK knows here",
                         (int)value);
  const Word *word = &field->words[value];
  if (!word->length)
    return value_not_said (writer, field);
  char *at = value_begin (writer->out, field, sizeof word->text);
  memcpy (at, word->text, sizeof word->text);
  value_end (writer->out, at + word->length);
  return TRUE;
}

gboolean
value_put_time (Writer *writer, const Field *field, gint64 ms)
{
  if (G_UNLIKELY (ms < MODEL_TIME_LEAST || ms > MODEL_TIME_MOST))
    return value_refuse (writer, field, "out_of_range",
                         "%" G_GINT64_FORMAT " ms is not between the years 0 and 9999", ms);
  char *at = value_begin (writer->out, field, TIME_TEXT_SIZE + 2);
  gsize length = time_to_text (ms, at + 1);
  at[0] = at[1 + length] = '"';
  value_end (writer->out, at + length + 2);
  return TRUE;
}
