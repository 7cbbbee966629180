#include "api/answer.h"

#include <string.h>

#include "api/stream.h"
#include "base/timefmt.h"

Answer *
answer_new (guint status, const char *type)
{
  Answer *answer = g_new0 (Answer, 1);
  answer->status = status;
  answer->type = type;
  return answer;
}

Answer *
answer_json (guint status, json_object *body)
{
  Answer *answer = answer_new (status, "application/json");
  gsize length;
  const char *text = json_object_to_json_string_length (
    body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
  json_put (&answer->body, text, length);
  json_object_put (body);
  return answer;
}

Answer *
answer_shared (const char *type, GBytes *body)
{
  Answer *answer = answer_new (200, type);
  answer->shared = g_bytes_ref (body);
  return answer;
}

void
answer_free (Answer *answer)
{
  if (!answer)
    return;
  g_clear_pointer (&answer->shared, g_bytes_unref);
  json_buffer_clear (&answer->body);
  stream_free (answer->stream);
  g_clear_pointer (&answer->headers, g_ptr_array_unref);
  g_clear_pointer (&answer->next, g_ref_string_release);
  g_free (answer);
}

void
answer_header (Answer *answer, const char *name, const char *value)
{
  if (!answer->headers)
    answer->headers = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (answer->headers, g_strdup (name));
  g_ptr_array_add (answer->headers, g_strdup (value));
}

void
answer_put (Answer *answer, const char *text)
{
  json_put (&answer->body, text, strlen (text));
}

void
answer_put_text (Answer *answer, const char *text)
{
  if (json_put_checked (&answer->body, text, strlen (text)))
    return;
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  json_put_text (&answer->body, valid, strlen (valid));
}

void
answer_put_time (Answer *answer, gint64 ms)
{
  char text[TIME_TEXT_SIZE + 2];
  gsize length = time_to_text (ms, text + 1);
  text[0] = text[length + 1] = '"';
  json_put (&answer->body, text, length + 2);
}

void
put_text (json_object *object, const char *name, const char *text)
{
  if (!text || !*text)
    return;
  if (g_utf8_validate (text, -1, NULL)) {
    json_object_object_add (object, name, json_object_new_string (text));
    return;
  }
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  json_object_object_add (object, name, json_object_new_string (valid));
}

void
put_time (json_object *object, const char *name, gint64 ms)
{
  char text[TIME_TEXT_SIZE];
  if (!ms)
    return;
  time_to_text (ms, text);
  json_object_object_add (object, name, json_object_new_string (text));
}

void
put_number (json_object *object, const char *name, gint64 number)
{
  json_object_object_add (object, name, json_object_new_int64 (number));
}

void
put_boolean (json_object *object, const char *name, gboolean value)
{
  json_object_object_add (object, name, json_object_new_boolean (value));
}
