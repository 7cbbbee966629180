#include "model/served.h"

#include <string.h>

void
model_served_clear (ModelServed *served)
{
  json_document_clear (&served->document);
  json_buffer_clear (&served->text);
}

/* NULL: it is no object. */
static const JsonNode *
read_object (ModelServed *served, const char *body, gsize length)
{
  JsonBuffer *text = &served->text;
  text->length = 0;
  json_buffer_need (text, length + JSON_PADDING);
  json_put (text, body, length);
  if (!json_read (&served->document, text->bytes, length) || served->document.nodes->type != JSON_OBJECT)
    return NULL;
  return served->document.nodes;
}

static gboolean
is_named (const JsonNode *name, const char *wanted)
{
  return name->length == strlen (wanted) && memcmp (name->text, wanted, name->length) == 0;
}

gboolean
model_served_quantity (ModelServed *served, const char *body, gsize length, gint64 *nano)
{
  const JsonNode *object = read_object (served, body, length);
  const JsonNode *name = object ? object + 1 : NULL;
  for (guint left = object ? object->length : 0; left; left--, name = json_next (name + 1))
    if (is_named (name, "quantity"))
      return json_to_nano (name + 1, nano);
  return FALSE;
}
