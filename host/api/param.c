#include "api/param.h"

#include <errno.h>
#include <string.h>

#include "base/timefmt.h"
#include "model/model.h"

enum { TEXT_BYTES_MOST = 4096 };

static Problem *
wrong (const RouteParam *param, const char *reason, const char *expected, const char *found)
{
  Problem *problem = problem_new (400, reason, "%s=%s: expected %s", param->name, found, expected);
  problem_add (problem, param->name, reason, "expected %s", expected);
  return problem;
}

static Problem *
read_unsigned (const RouteParam *param, RouteValue *value, guint64 least, guint64 most, const char *expected)
{
  char *end;
  errno = 0;
  guint64 number = g_ascii_strtoull (value->text, &end, 10);
  if (!g_ascii_isdigit (value->text[0]) || *end)
    return wrong (param, "not_a_number", expected, value->text);
  if (errno || number < least || number > most)
    return wrong (param, "out_of_range", expected, value->text);
  value->number = (gint64)number;
  return NULL;
}

/* A "+" that was not escaped came as a blank. */
static void
mend_plus (char *place)
{
  if (*place == ' ')
    *place = '+';
}

static Problem *
read_time (const RouteParam *param, RouteValue *value)
{
  gsize length = strlen (value->text), offset = strlen ("+01:00");
  if (length > offset)
    mend_plus (value->text + length - offset);
  gint64 age_ms = duration_from_text (value->text);
  gboolean has_offset = FALSE;
  value->age = age_ms >= 0;
  if (value->age)
    value->number = age_ms;
  else if (!time_from_text (value->text, &value->number, &has_offset) || !has_offset)
    return wrong (param, "not_a_time", "a time such as 2026-03-02T17:15:40Z, or an age such as 10m",
                  value->text);
  return NULL;
}

static Problem *
read_duration (const RouteParam *param, RouteValue *value)
{
  value->number = duration_from_text (value->text);
  return value->number >= 0 ? NULL : wrong (param, "not_a_duration", "a duration such as 30s", value->text);
}

static Problem *
read_search (const RouteParam *param, RouteValue *value)
{
  for (const char *at = value->text; *at; at = g_utf8_next_char (at))
    if (g_unichar_isalnum (g_utf8_get_char (at)))
      return NULL;
  return wrong (param, "no_words", "words to look for: letters or digits", value->text);
}

static Problem *
read_phone (const RouteParam *param, RouteValue *value)
{
  gsize digits = strspn (value->text + 1, "0123456789");
  mend_plus (value->text);
  if (value->text[0] == '+' && value->text[1] != '0' && value->text[1 + digits] == '\0' && digits >= 7 &&
      digits <= 15)
    return NULL;
  return wrong (param, "not_a_phone", "a phone such as +15105550100 (its + may be written %2B)", value->text);
}

/* Commas inside a word are escaped: words are cut before they are decoded. */
static Problem *
read_words (const RouteParam *param, const char *raw, RouteValue *value)
{
  g_auto (GStrv) words = g_strsplit (raw, ",", LIST_WORDS_MOST + 1);
  for (guint i = 0; words[i]; i++) {
    char *decoded = i < LIST_WORDS_MOST ? route_decode (words[i], strlen (words[i]), TRUE) : NULL;
    if (i >= LIST_WORDS_MOST)
      return wrong (param, "too_many", "at most 1000 words", "...");
    g_free (words[i]);
    words[i] = decoded;
    if (!decoded || !*decoded) {
      for (guint rest = i + 1; !decoded && words[rest]; rest++)
        g_clear_pointer (&words[rest], g_free);
      return wrong (param, "empty", "words with commas between them", value->text);
    }
  }
  value->words = g_steal_pointer (&words);
  return NULL;
}

static Problem *
read_kinds (const RouteParam *param, RouteValue *value)
{
  g_autofree char *unknown = NULL;
  if (model_kinds_from_list (value->text, &value->bits, &unknown))
    return NULL;
  const char *names[MODEL_KINDS + 1] = { NULL };
  for (guint i = 0; i < MODEL_KINDS; i++)
    names[i] = model_kind_name (i);
  g_autofree char *hint = did_you_mean (unknown ? unknown : "", names);
  Problem *problem =
    problem_new (400, "unknown_kind", "%s: there is no kind \"%s\"%s", param->name, unknown, hint);
  problem_add (problem, param->name, "unknown_kind", "no kind \"%s\"%s", unknown, hint);
  return problem;
}

static Problem *
read_choice (const RouteParam *param, RouteValue *value)
{
  if (g_strv_contains (param->choices, value->text))
    return NULL;
  g_autofree char *list = g_strjoinv (", ", (char **)param->choices);
  g_autofree char *expected = g_strdup_printf ("one of %s", list);
  return wrong (param, "unknown_word", expected, value->text);
}

static Problem *
read_boolean (const RouteParam *param, RouteValue *value)
{
  value->number = strcmp (value->text, "true") == 0;
  if (value->number || strcmp (value->text, "false") == 0)
    return NULL;
  return wrong (param, "not_a_boolean", "true or false", value->text);
}

static Problem *
read_typed (const RouteParam *param, const char *raw, RouteValue *value)
{
  switch (param->type) {
  case PARAM_TEXT:
  case PARAM_CURSOR:
  case PARAM_CONNECTOR:
    return NULL;
  case PARAM_BOOLEAN:
    return read_boolean (param, value);
  case PARAM_LIMIT:
    return read_unsigned (param, value, 1, LIST_LIMIT_MOST, "a number from 1 to 1000");
  case PARAM_SEQ:
    return read_unsigned (param, value, 0, G_MAXINT64, "the seq of a change");
  case PARAM_TIME:
    return read_time (param, value);
  case PARAM_DURATION:
    return read_duration (param, value);
  case PARAM_SEARCH:
    return read_search (param, value);
  case PARAM_PHONE:
    return read_phone (param, value);
  case PARAM_WORDS:
    return read_words (param, raw, value);
  case PARAM_KINDS:
    return read_kinds (param, value);
  case PARAM_CHOICE:
    return read_choice (param, value);
  }
  g_assert_not_reached ();
}

Problem *
param_read (const RouteParam *param, const char *raw, RouteValue *value)
{
  value->said = TRUE;
  value->text = route_decode (raw, strlen (raw), TRUE);
  if (!value->text)
    return wrong (param, "bad_escape", "%XX of UTF-8", "...");
  if (!*value->text)
    return wrong (param, "empty", "a value; leave the parameter out for none", "");
  if (strlen (value->text) > TEXT_BYTES_MOST && param->type != PARAM_WORDS)
    return wrong (param, "too_long", "at most 4096 bytes", "...");
  return read_typed (param, raw, value);
}
