/* The catalogue as everyone writes it: the whole body in memory, a json-c tree of the page, every record
 * upserted by its text id, one transaction a page, SQLite as it is without being asked. */
#include "limit.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "treez-map.h"

typedef struct {
  Map map;
  JsonBuffer body;
  sqlite3_stmt *begin, *commit, *upsert;
  guint page_items;
  gint64 total;
} Plain;

/* ---- reading a product ---- */

static json_object *
at (json_object *object, const char *key)
{
  json_object *value = NULL;
  json_object_object_get_ex (object, key, &value);
  return value;
}

static MapText
text_of (json_object *value)
{
  if (!json_object_is_type (value, json_type_string))
    return (MapText){ NULL, 0 };
  return (MapText){ json_object_get_string (value), (gsize)json_object_get_string_len (value) };
}

static MapText
text (json_object *object, const char *key)
{
  return text_of (at (object, key));
}

static gint64
number (json_object *object, const char *key)
{
  json_object *value = at (object, key);
  return value ? (gint64)llround (json_object_get_double (value) * 1e9) : MAP_NOT_SAID;
}

static gboolean
is (MapText value, const char *word)
{
  return value.text && strcmp (value.text, word) == 0;
}

static gsize
length_of (json_object *array)
{
  return json_object_is_type (array, json_type_array) ? MIN (json_object_array_length (array), MAP_LIST_MOST)
                                                      : 0;
}

static void
read_texts (json_object *array, MapTexts *texts)
{
  for (gsize i = 0; i < length_of (array); i++)
    texts->items[texts->count++] = text_of (json_object_array_get_idx (array, i));
}

static void
read_pricing (json_object *pricing, MapProduct *product)
{
  json_object *tiers = at (pricing, "tier_pricing_detail");
  product->price = number (pricing, "price_sell");
  product->discounted = number (pricing, "discounted_price");
  product->tiers_in_grams = is (text (pricing, "tier_method"), "WEIGHT_GRAMS");
  for (gsize i = 0; i < length_of (tiers); i++) {
    json_object *row = json_object_array_get_idx (tiers, i);
    product->tiers[product->tier_count++] =
      (MapTier){ number (row, "start_value"), number (row, "price_per_value") };
  }
  if (!tiers)
    return;
  const char *rows = json_object_to_json_string_ext (tiers, JSON_C_TO_STRING_PLAIN);
  product->tier_text = (MapText){ rows, strlen (rows) };
}

static void
read_discounts (json_object *array, MapProduct *product)
{
  for (gsize i = 0; i < length_of (array); i++) {
    json_object *row = json_object_array_get_idx (array, i);
    json_object *conditions = at (row, "discount_condition_detail");
    MapDiscount *discount = &product->discounts[product->discount_count++];
    *discount = (MapDiscount){ .id = text (row, "discount_id"),
                               .name = text (row, "discount_title"),
                               .type = text (row, "discount_type"),
                               .affinity = text (row, "discount_affinity"),
                               .method = text (row, "discount_method"),
                               .stackable = text (row, "discount_stackable"),
                               .amount = number (row, "discount_amount"),
                               .applied = is (text (row, "discount_applied_in_calc"), "Yes") };
    for (gsize c = 0; c < length_of (conditions); c++) {
      json_object *condition = json_object_array_get_idx (conditions, c);
      discount->schedule = text (condition, "discount_condition_value");
      discount->starts_at = text (at (condition, "discount_condition_schedule"), "start_date");
    }
  }
}

static void
read_lists (json_object *root, MapProduct *product)
{
  json_object *shop = at (root, "e_commerce"), *tags = at (root, "attributes"),
              *labs = at (root, "lab_results");
  product->title = text (shop, "menu_title");
  product->description = text (shop, "product_description");
  product->primary_image = text (shop, "primary_image");
  product->hidden = json_object_get_boolean (at (shop, "hide_from_menu"));
  read_texts (at (shop, "all_images"), &product->images);
  read_texts (at (tags, "general"), &product->general);
  read_texts (at (tags, "effects"), &product->effects);
  read_texts (at (tags, "flavors"), &product->flavors);
  read_texts (at (tags, "internal_tags"), &product->internal);
  for (gsize i = 0; i < length_of (labs); i++) {
    json_object *row = json_object_array_get_idx (labs, i), *amount = at (row, "amount");
    product->labs[product->lab_count++] =
      (MapLab){ text (row, "result_type"), text (row, "amount_type"), number (amount, "minimum_value"),
                number (amount, "maximum_value") };
  }
}

static void
read_product (json_object *root, MapProduct *product)
{
  json_object *fields = at (root, "product_configurable_fields"), *codes = at (root, "product_barcodes"),
              *stock = at (root, "sellable_quantity_detail");
  product->id = text (root, "product_id");
  product->parent = text (root, "catalog_parent_id");
  product->status = text (root, "product_status");
  product->updated = text (root, "last_updated_at");
  product->category = text (root, "category_type");
  product->name = text (fields, "name");
  product->brand = text (fields, "brand");
  product->subcategory = text (fields, "subtype");
  product->strain = text (fields, "strain_name");
  product->classification = text (fields, "classification");
  product->measure = text (fields, "uom");
  product->size = text (fields, "size");
  product->amount = number (fields, "amount");
  for (gsize i = 0; i < length_of (codes); i++) {
    json_object *row = json_object_array_get_idx (codes, i);
    gboolean own = is (text (row, "type"), "USER_DEFINED");
    if (own || !product->sku.text)
      product->sku = text (row, "sku");
    if (own)
      break;
  }
  product->quantity = number (root, "sellable_quantity");
  product->places = (guint)length_of (stock);
  for (gsize i = 0; i < product->places; i++)
    product->medical += is (text (json_object_array_get_idx (stock, i), "inventory_type"), "MEDICAL");
  read_pricing (at (root, "pricing"), product);
  read_discounts (at (root, "discounts"), product);
  read_lists (root, product);
}

/* ---- storing ---- */

static void
upsert (Limit *limit, const char *kind, MapText id)
{
  Plain *plain = limit->own;
  sqlite3_bind_text (plain->upsert, 1, kind, -1, SQLITE_STATIC);
  sqlite3_bind_text (plain->upsert, 2, id.text, (int)id.length, SQLITE_STATIC);
  sqlite3_bind_text (plain->upsert, 3, plain->body.bytes, (int)plain->body.length, SQLITE_STATIC);
  limit_run (limit, plain->upsert);
  limit->written++;
}

static void
store_item (Limit *limit, json_object *item)
{
  Plain *plain = limit->own;
  MapProduct product = { 0 };
  gint64 updated_ms;
  read_product (item, &product);
  plain->body.length = 0;
  map_put_product (&plain->map, &product, &plain->body, &updated_ms);
  upsert (limit, "products", product.id);
  for (guint i = 0; i < product.discount_count; i++) {
    plain->body.length = 0;
    map_put_promotion (&plain->map, &product.discounts[i], &plain->body);
    upsert (limit, "promotions", product.discounts[i].id);
  }
}

/* ---- passes ---- */

static size_t
gather (char *bytes, size_t size, size_t count, void *body)
{
  g_string_append_len (body, bytes, (gssize)(size * count));
  return size * count;
}

static void
read_page (Limit *limit, guint page)
{
  Plain *plain = limit->own;
  g_autoptr (GString) body = g_string_new (NULL);
  limit_get_page (limit, page, gather, body);
  json_object *root = json_tokener_parse (body->str), *data = at (root, "data");
  json_object *items = at (data, "product_list");
  if (!items)
    g_error ("a page: no products in it");
  plain->page_items = (guint)json_object_array_length (items);
  plain->total = json_object_get_int64 (at (data, "total_count"));
  limit_run (limit, plain->begin);
  for (guint i = 0; i < plain->page_items; i++)
    store_item (limit, json_object_array_get_idx (items, i));
  limit_run (limit, plain->commit);
  limit->items += plain->page_items;
  json_object_put (root);
}

static void
plain_pass (Limit *limit)
{
  Plain *plain = limit->own;
  guint page = 1;
  do
    read_page (limit, page++);
  while (plain->page_items > 0 && (gint64)limit->items < plain->total);
}

static void
plain_open (Limit *limit, const char *file)
{
  Plain *plain = g_new0 (Plain, 1);
  limit->own = plain;
  plain->map.zone = g_time_zone_new_identifier ("America/Los_Angeles");
  if (sqlite3_open (file, &limit->db) != SQLITE_OK)
    g_error ("%s: %s", file, sqlite3_errmsg (limit->db));
  limit_sql (limit, "CREATE TABLE record (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))");
  plain->begin = limit_prepare (limit, "BEGIN");
  plain->commit = limit_prepare (limit, "COMMIT");
  plain->upsert = limit_prepare (limit, "INSERT INTO record VALUES (?1, ?2, ?3)"
                                        " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body");
}

static void
plain_close (Limit *limit)
{
  Plain *plain = limit->own;
  sqlite3_stmt *statements[] = { plain->begin, plain->commit, plain->upsert };
  for (guint i = 0; i < G_N_ELEMENTS (statements); i++)
    sqlite3_finalize (statements[i]);
  json_buffer_clear (&plain->body);
  g_time_zone_unref (plain->map.zone);
  g_free (plain);
}

int
main (int count, char **words)
{
  static const LimitProgram program = { plain_open, plain_pass, plain_close };
  return limit_main (count, words, &program);
}
