/* Walks the members of an object that is known to be JSON, as text: strings with escapes, numbers, words, and
 * brackets that match. Part of the room model/, for its own files alone. */
#pragma once
#include <glib.h>
#include <string.h>

/* Behind the string whose opening quote is at `at`. */
static inline const char *
skip_string (const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\')
      at++;
  return at < end ? at + 1 : end;
}

/* Behind the value at `at`: at a comma or bracket of the object around it. */
static inline const char *
skip_value (const char *at, const char *end)
{
  guint depth = 0;
  while (at < end) {
    if (*at == '"') {
      at = skip_string (at, end);
      continue;
    }
    if (depth == 0 && (*at == ',' || *at == '}' || *at == ']'))
      return at;
    if (*at == '{' || *at == '[')
      depth++;
    else if (*at == '}' || *at == ']')
      depth--;
    at++;
  }
  return end;
}

typedef struct {
  const char *name, *value; /* name: without quotes, escapes as they stand. value NULL: there is none */
  gsize name_length, value_length;
} Member;

static inline const char *
skip_between (const char *at, const char *end)
{
  while (at < end && strchr (" \t\r\n,:", *at) && *at)
    at++;
  return at;
}

/* The next member, from *at on: behind the object's opening bracket at first. FALSE: there is none. */
static inline gboolean
member_next (const char **at, const char *end, Member *member)
{
  const char *name = skip_between (*at, end);
  if (name >= end || *name != '"')
    return FALSE;
  const char *behind = skip_string (name, end), *value = skip_between (behind, end);
  const char *rest = skip_value (value, end);
  gsize length = (gsize)(rest - value);
  while (length && strchr (" \t\r\n", value[length - 1]))
    length--;
  if (behind - name < 2 || !length)
    return FALSE;
  *member = (Member){ name + 1, value, (gsize)(behind - name) - 2, length };
  *at = rest;
  return TRUE;
}

static inline gboolean
member_is (const Member *member, const char *name, gsize length)
{
  return member->name_length == length && memcmp (member->name, name, length) == 0;
}
