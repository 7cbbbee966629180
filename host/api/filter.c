#include "api/filter.h"

#include <string.h>

#include "base/timefmt.h"
#include "model/model.h"

/* Above it a number of nine decimals does not fit. */
static const double NANO_WHOLE_MOST = 9e9;

Filter *
filter_new (guint kind)
{
  Filter *filter = g_new0 (Filter, 1);
  filter->kind = kind;
  filter->text = g_byte_array_new ();
  return filter;
}

void
filter_free (Filter *filter)
{
  if (!filter)
    return;
  g_free (filter->location);
  g_free (filter->product);
  g_free (filter->category);
  json_buffer_clear (&filter->levels_of);
  g_clear_pointer (&filter->promotions, g_hash_table_unref);
  g_clear_pointer (&filter->ordinals, g_array_unref);
  json_document_clear (&filter->document);
  g_byte_array_unref (filter->text);
  g_free (filter);
}

/* ---- members of a body ---- */

/* Reading writes into the text: into a copy. NULL: not read, and then the record has no members. */
static const JsonNode *
read_body (Filter *filter, const StoreFound *found)
{
  g_byte_array_set_size (filter->text, (guint)found->body_length + JSON_PADDING);
  memcpy (filter->text->data, found->body, found->body_length);
  memset (filter->text->data + found->body_length, 0, JSON_PADDING);
  return json_read (&filter->document, (char *)filter->text->data, found->body_length)
           ? filter->document.nodes
           : NULL;
}

static const JsonNode *
member (const JsonNode *object, const char *name)
{
  gsize length = strlen (name);
  if (!object || object->type != JSON_OBJECT)
    return NULL;
  const JsonNode *at = object + 1;
  for (guint i = 0; i < object->length; i++) {
    const JsonNode *value = json_next (at);
    if (at->length == length && memcmp (at->text, name, length) == 0)
      return value;
    at = json_next (value);
  }
  return NULL;
}

static const char *
text_of (const JsonNode *node)
{
  return node && node->type == JSON_STRING ? node->text : NULL;
}

static gboolean
holds_text (const JsonNode *array, const char *text)
{
  if (!array || array->type != JSON_ARRAY || !text)
    return FALSE;
  const JsonNode *at = array + 1;
  for (guint i = 0; i < array->length; i++, at = json_next (at))
    if (g_strcmp0 (text_of (at), text) == 0)
      return TRUE;
  return FALSE;
}

/* ---- products ---- */

typedef struct {
  gboolean known;
  double number;
  const JsonNode *quantity; /* that says it; NULL: levels do */
} Available;

static Available
available_of (const Filter *filter, const StoreFound *found, const JsonNode *body)
{
  if (filter->stock)
    return (Available){ TRUE, found->has_stock ? found->stock : 0, NULL };
  const JsonNode *quantity = member (body, "quantity");
  double number = 0;
  if (!quantity || quantity->type != JSON_NUMBER || !json_to_double (quantity, &number))
    return (Available){ 0 };
  return (Available){ TRUE, number, quantity };
}

static void
put_number (JsonBuffer *out, double number)
{
  if (number > -NANO_WHOLE_MOST && number < NANO_WHOLE_MOST)
    json_put_nano (out, (gint64)(number * 1e9 + (number < 0 ? -0.5 : 0.5)));
  else
    json_put_int (out, (gint64)CLAMP (number, -9e18, 9e18));
}

static void
put_product (JsonBuffer *out, const StoreFound *found, const Available *available)
{
  if (!available->known) {
    json_put (out, found->body, found->body_length);
    return;
  }
  static const char name[] = ",\"available\":";
  gboolean empty = found->body_length <= 2;
  json_put (out, found->body, found->body_length - 1);
  json_put (out, name + empty, sizeof name - 1 - empty);
  if (available->quantity)
    json_put (out, available->quantity->text, available->quantity->length);
  else
    put_number (out, available->number);
  json_put (out, "}", 1);
}

static gboolean
grants (Wish wish, gboolean is)
{
  return wish == WISH_ANY || (wish == WISH_YES) == is;
}

/* What says nothing of it is visible; whose stock is unknown is neither in stock nor out of it. */
static gboolean
take_product (Filter *filter, const StoreFound *found, JsonBuffer *out)
{
  const JsonNode *body = filter->visible || !filter->stock ? read_body (filter, found) : NULL;
  const JsonNode *visible = filter->visible ? member (body, "visible") : NULL;
  Available available = available_of (filter, found, body);
  if (!grants (filter->visible, !visible || visible->type != JSON_FALSE) ||
      (filter->in_stock && !available.known) || !grants (filter->in_stock, available.number > 0))
    return FALSE;
  put_product (out, found, &available);
  return TRUE;
}

/* ---- inventory ---- */

static gboolean
is_level_of_product (const Filter *filter, const StoreFound *found)
{
  gsize length = filter->levels_of.length;
  return !length || (found->id_length >= length && memcmp (found->id, filter->levels_of.bytes, length) == 0 &&
                     (found->id_length == length || found->id[length] == ':'));
}

static gboolean
wants_level (Filter *filter, const StoreFound *found)
{
  if (!is_level_of_product (filter, found))
    return FALSE;
  return !filter->location ||
         g_strcmp0 (text_of (member (read_body (filter, found), "location_id")), filter->location) == 0;
}

/* ---- promotions ---- */

static gboolean
has_come (const JsonNode *node, gint64 now_ms, gboolean otherwise)
{
  const char *text = text_of (node);
  gint64 ms;
  gboolean has_offset;
  return text && time_from_text (text, &ms, &has_offset) ? ms <= now_ms : otherwise;
}

/* Where the vendor does not say, its times do. */
static gboolean
is_active (const Filter *filter, const JsonNode *body)
{
  const JsonNode *said = member (body, "active");
  if (said && (said->type == JSON_TRUE || said->type == JSON_FALSE))
    return said->type == JSON_TRUE;
  return has_come (member (body, "starts_at"), filter->now_ms, TRUE) &&
         !has_come (member (body, "ends_at"), filter->now_ms, FALSE);
}

static gboolean
wants_promotion (Filter *filter, const StoreFound *found)
{
  if (!filter->active && !filter->product)
    return TRUE;
  const JsonNode *body = read_body (filter, found);
  const char *id = text_of (member (body, "id"));
  if (filter->active && !grants (filter->active, is_active (filter, body)))
    return FALSE;
  return !filter->product || holds_text (member (body, "product_ids"), filter->product) ||
         holds_text (member (body, "categories"), filter->category) ||
         (filter->promotions && id && g_hash_table_contains (filter->promotions, id));
}

void
filter_take_product (Filter *filter, const StoreFound *found)
{
  const JsonNode *body = read_body (filter, found), *list = member (body, "promotions");
  filter->category = g_strdup (text_of (member (body, "category")));
  filter->promotions = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  const JsonNode *at = list && list->type == JSON_ARRAY ? list + 1 : NULL;
  for (guint i = 0; at && i < list->length; i++, at = json_next (at)) {
    const char *id = text_of (member (at, "id"));
    if (id)
      g_hash_table_add (filter->promotions, g_strdup (id));
  }
}

/* ---- any ---- */

static gboolean
is_listed (const GArray *ordinals, guint32 ordinal)
{
  guint low = 0, high = ordinals->len;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index (ordinals, guint32, middle) < ordinal)
      low = middle + 1;
    else
      high = middle;
  }
  return low < ordinals->len && g_array_index (ordinals, guint32, low) == ordinal;
}

gboolean
filter_may_take (const Filter *filter, const StoreFound *found)
{
  return (found->updated_ms ? found->updated_ms : found->at_ms) >= filter->since_ms &&
         (!filter->ordinals || is_listed (filter->ordinals, found->ordinal));
}

gboolean
filter_take (Filter *filter, const StoreFound *found, JsonBuffer *out)
{
  if (!filter_may_take (filter, found))
    return FALSE;
  if (filter->kind == MODEL_PRODUCTS)
    return take_product (filter, found, out);
  if ((filter->kind == MODEL_INVENTORY && !wants_level (filter, found)) ||
      (filter->kind == MODEL_PROMOTIONS && !wants_promotion (filter, found)))
    return FALSE;
  json_put (out, found->body, found->body_length);
  return TRUE;
}
