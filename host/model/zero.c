#include "model/members.h"
#include "model/put.h"
#include "model/render.h"

static gboolean
is_name (const char *name, const char *behind, const char *wanted)
{
  gsize length = strlen (wanted);
  return (gsize)(behind - name) == length + 2 && memcmp (name + 1, wanted, length) == 0;
}

/* Does a product's member of this name stand behind its quantity? */
static gboolean
is_behind_quantity (const char *name, const char *behind)
{
  return is_name (name, behind, "attributes") || is_name (name, behind, "updated_at");
}

/* body with `from` to `to` replaced. */
static char *
replace (const char *body, gsize length, const char *from, const char *to, const char *with,
         gsize *new_length)
{
  JsonBuffer out = { 0 };
  json_buffer_need (&out, length + strlen (with) + 1);
  put_short (&out, body, (gsize)(from - body));
  put_short (&out, with, strlen (with));
  put_short (&out, to, (gsize)(body + length - to));
  *new_length = out.length;
  char *text = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  return text;
}

char *
model_zero_quantity (const char *body, gsize length, gsize *new_length)
{
  const char *end = body + length, *place = NULL;
  if (length < 2 || body[0] != '{' || end[-1] != '}')
    return NULL;
  for (const char *at = body + 1; at < end && *at == '"';) {
    const char *name = at, *behind = skip_string (at, end);
    if (behind >= end || *behind != ':')
      return NULL;
    at = skip_value (behind + 1, end);
    if (is_name (name, behind, "quantity"))
      return replace (body, length, behind + 1, at, "0", new_length);
    if (!place && is_behind_quantity (name, behind))
      place = name;
    if (at < end && *at == ',')
      at++;
  }
  /* It was not said: it gets the place where it is written. */
  if (place)
    return replace (body, length, place, place, "\"quantity\":0,", new_length);
  return replace (body, length, end - 1, end - 1, length == 2 ? "\"quantity\":0" : ",\"quantity\":0",
                  new_length);
}
