#include "model/served.h"

#include <string.h>

/* One table for all kinds, since no two of them mean something else by one name: products have the first
 * five, customers the rest. A member's place is its number in an index: only ever add at the end. */
static const struct {
  const char *name;
  gboolean words, term;
} found_by[] = {
  { "name", TRUE, FALSE },      { "brand", TRUE, TRUE },     { "sku", TRUE, TRUE },
  { "barcode", TRUE, TRUE },    { "category", FALSE, TRUE }, { "first_name", TRUE, FALSE },
  { "last_name", TRUE, FALSE }, { "email", TRUE, TRUE },     { "phone", TRUE, TRUE },
};
G_STATIC_ASSERT (G_N_ELEMENTS (found_by) <= MODEL_TERMS_MOST);

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

int
model_served_term (const char *member)
{
  for (guint i = 0; i < G_N_ELEMENTS (found_by); i++)
    if (found_by[i].term && strcmp (found_by[i].name, member) == 0)
      return (int)i;
  return -1;
}

void
model_served_found_by (ModelServed *served, const char *body, gsize length, ModelEachFound each,
                       gpointer data)
{
  const JsonNode *object = read_object (served, body, length);
  const JsonNode *name = object ? object + 1 : NULL;
  for (guint left = object ? object->length : 0; left; left--, name = json_next (name + 1)) {
    const JsonNode *value = name + 1;
    for (guint i = 0; value->type == JSON_STRING && i < G_N_ELEMENTS (found_by); i++)
      if (is_named (name, found_by[i].name))
        each (value->text, value->length, found_by[i].words, found_by[i].term ? (int)i : -1, data);
  }
}

char *
model_served_table (void)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < G_N_ELEMENTS (found_by); i++)
    g_string_append_printf (text, "%s:%s%s ", found_by[i].name, found_by[i].words ? "w" : "",
                            found_by[i].term ? "t" : "");
  return g_string_free (text, FALSE);
}
