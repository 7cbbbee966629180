/* What the JSON room costs a product: a page of Treez-like products is split, read, looked into and written
 * again, beside json-c on the same bytes. Prints one JSON object: CPU microseconds a product, medians.
 *
 *   bench-json [PRODUCTS] [ROUNDS] */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "json/json.h"

enum { PIECE = 16 * 1024, ITEM_MOST = 1 << 20, REST_MOST = 1 << 20 };

static double
cpu_us (void)
{
  struct timespec t;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void
add_product (GString *body, GRand *random, int number)
{
  static const char *const brands[] = { "ORCHARD LANE", "HARBOR", "Café del Mar", "NORTH FORK" };
  int price = g_rand_int_range (random, 5, 80), stock = g_rand_int_range (random, 0, 500);
  g_string_append_printf (
    body,
    "{\"product_id\":\"5b0c1f4e-7d10-4a10-9b00-%012d\",\"catalog_parent_id\":\"5b0c1f4e-7d10-4a10-9b00-%"
    "012d\","
    "\"product_status\":\"ACTIVE\",\"last_updated_at\":\"2026-03-02T09:15:%02d.120-08:00\",\"sellable_"
    "quantity\":%d.0,"
    "\"sellable_quantity_detail\":[{\"inventory_type\":\"ADULT\",\"location\":\"FRONT OF "
    "HOUSE\",\"location_id\":\"l-1\","
    "\"sellable_quantity\":%d.0}],\"category_type\":\"EDIBLE\",\"sku_type\":\"BASE_SKU\","
    "\"product_configurable_fields\":{\"name\":\"PLUM GUMMIES %d  - 100 "
    "MG\",\"uom\":\"MILLIGRAMS\",\"brand\":\"%s\","
    "\"size\":\"100 "
    "MG\",\"amount\":100,\"classification\":\"I/S\",\"total_mg_thc\":100.0,\"total_mg_cbd\":0.0,"
    "\"subtype\":\"GUMMY\",\"doses\":10,\"mg_per_dose\":10,\"external_id\":null},",
    number, number / 7, number % 60, stock, stock, number, brands[number % 4]);
  g_string_append_printf (
    body,
    "\"pricing\":{\"price_type\":\"FLAT\",\"price_sell\":%d.50,\"discounted_price\":%d.0,\"discount_amount\":"
    "6.0,"
    "\"discount_percent\":20.0,\"tier_name\":null},\"discounts\":%s,"
    "\"attributes\":{\"general\":[],\"flavors\":[\"PLUM "
    "\"],\"effects\":[\"CALM\"],\"ingredients\":[],\"internal_tags\":[\"ENDCAP\"]},"
    "\"product_barcodes\":[{\"created_date\":\"2025-11-04T14:00:00.000-08:00\",\"sku\":\"%08d\",\"type\":"
    "\"USER_DEFINED\"}],"
    "\"e_commerce\":{\"all_images\":[\"https://img.example/%d\"],\"primary_image\":\"https://img.example/"
    "%d\","
    "\"menu_title\":\"Plum Gummies\",\"product_description\":\"Ten pieces of \\\"plum\\\", each wrapped.\","
    "\"minimum_visible_inventory_level\":2,\"hide_from_menu\":false},"
    "\"above_threshold\":true,\"merged_from_product_ids\":[],\"external_references\":[]}",
    price, price,
    number % 3
      ? "null"
      : "[{\"discount_id\":\"d-100\",\"discount_title\":\"Monday gummies\",\"discount_type\":\"Automated\","
        "\"discount_affinity\":\"Pre-Cart\",\"discount_amount\":20.0,\"discount_method\":\"PERCENT\"}]",
    number, number, number);
}

static char *
make_page (int products)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  GString *body =
    g_string_new ("{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"data\":{\"product_list\":[");
  for (int i = 0; i < products; i++) {
    if (i)
      g_string_append_c (body, ',');
    add_product (body, random, i);
  }
  g_string_append (body, "],\"page_count\":1}}");
  return g_string_free (body, FALSE);
}

static const char *const paths[] = {
  "product_id",
  "catalog_parent_id",
  "product_status",
  "last_updated_at",
  "sellable_quantity",
  "category_type",
  "product_configurable_fields.name",
  "product_configurable_fields.uom",
  "product_configurable_fields.brand",
  "product_configurable_fields.amount",
  "product_configurable_fields.total_mg_thc",
  "product_configurable_fields.total_mg_cbd",
  "product_configurable_fields.subtype",
  "pricing.price_type",
  "pricing.price_sell",
  "pricing.discounted_price",
  "discounts",
  "attributes.flavors",
  "attributes.effects",
  "product_barcodes[0].sku",
  "e_commerce.all_images",
  "e_commerce.primary_image",
  "e_commerce.menu_title",
  "e_commerce.product_description",
  "e_commerce.hide_from_menu",
};

typedef struct {
  JsonDocument document;
  JsonPath *paths[G_N_ELEMENTS (paths)];
  JsonBuffer out;
  guint64 nodes, bytes, items, sum;
} Bench;

typedef void (*ItemFunc) (Bench *bench, char *item, gsize length);

static void
item_split (Bench *bench, char *item, gsize length)
{
  bench->items++;
}

static void
item_read (Bench *bench, char *item, gsize length)
{
  g_assert (json_read (&bench->document, item, length));
  bench->nodes += bench->document.count;
}

static void
item_paths (Bench *bench, char *item, gsize length)
{
  item_read (bench, item, length);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    const JsonNode *node = json_path_at (bench->paths[i], 0, bench->document.nodes);
    bench->sum += node ? node->length : 1;
  }
}

/* What a product of ours has, roughly: as many fields as paths, with their names. */
static void
item_write (Bench *bench, char *item, gsize length)
{
  JsonBuffer *out = &bench->out;
  out->length = 0;
  item_read (bench, item, length);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++) {
    const JsonNode *node = json_path_at (bench->paths[i], 0, bench->document.nodes);
    gint64 nano;
    json_put (out, i ? ",\"" : "{\"", 2);
    json_put (out, paths[i], 12);
    json_put (out, "\":", 2);
    if (node && node->type == JSON_STRING)
      json_put_text (out, node->text, node->length);
    else if (json_to_nano (node, &nano))
      json_put_nano (out, nano);
    else
      json_put (out, "null", 4);
  }
  json_put (out, "}", 1);
  bench->bytes += out->length;
}

static void
item_utf8 (Bench *bench, char *item, gsize length)
{
  bench->sum += (guint64)json_is_utf8 (item, length);
}

static void
item_valid (Bench *bench, char *item, gsize length)
{
  g_assert (json_is_valid (item, length));
}

static void
item_jsonc (Bench *bench, char *item, gsize length)
{
  struct json_tokener *tokener = json_tokener_new ();
  struct json_object *object = json_tokener_parse_ex (tokener, item, (int)length);
  g_assert (object);
  json_object_put (object);
  json_tokener_free (tokener);
}

static double
run (Bench *bench, const char *body, gsize length, ItemFunc func)
{
  double begin = cpu_us ();
  JsonSplitter *splitter = json_splitter_new ("data.product_list[]", ITEM_MOST, REST_MOST);
  JsonSplit split = JSON_SPLIT_MORE;
  char *item;
  gsize item_length;
  for (gsize at = 0; at < length; at += PIECE) {
    json_splitter_feed (splitter, body + at, MIN (PIECE, length - at));
    if (at + PIECE >= length)
      json_splitter_finish (splitter);
    while ((split = json_splitter_next (splitter, &item, &item_length)) == JSON_SPLIT_ITEM)
      func (bench, item, item_length);
  }
  g_assert (split == JSON_SPLIT_END);
  json_splitter_free (splitter);
  return cpu_us () - begin;
}

static int
by_size (const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double
median (Bench *bench, const char *body, int products, int rounds, ItemFunc func)
{
  g_autofree double *times = g_new (double, rounds);
  for (int i = 0; i < rounds; i++)
    times[i] = run (bench, body, strlen (body), func) / products;
  qsort (times, (size_t)rounds, sizeof *times, by_size);
  return times[rounds / 2];
}

int
main (int argc, char **argv)
{
  int products = argc > 1 ? atoi (argv[1]) : 1000, rounds = argc > 2 ? atoi (argv[2]) : 51;
  if (products < 1 || rounds < 1)
    return fprintf (stderr, "bench-json: PRODUCTS and ROUNDS are at least 1\n"), 2;
  Bench bench = { 0 };
  g_autofree char *body = make_page (products);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    bench.paths[i] = json_path_new (paths[i], FALSE);
  double split = median (&bench, body, products, rounds, item_split);
  double read = median (&bench, body, products, rounds, item_read);
  double nodes = (double)bench.nodes / products / rounds;
  double look = median (&bench, body, products, rounds, item_paths);
  double write = median (&bench, body, products, rounds, item_write);
  double utf8 = median (&bench, body, products, rounds, item_utf8);
  double valid = median (&bench, body, products, rounds, item_valid);
  double jsonc = median (&bench, body, products, MAX (1, rounds / 10), item_jsonc);
  printf ("{\"bench\":\"json\",\"unit\":\"CPU us a "
          "product\",\"products\":%d,\"rounds\":%d,\"bytes\":%zu,\"nodes\":%.1f,\"written_bytes\":%.0f,"
          "\"split\":%.3f,\"read\":%.3f,\"paths_%zu\":%.3f,\"write\":%.3f,\"is_utf8\":%.3f,\"is_valid\":%.3f,"
          "\"json_c_read\":%.3f}\n",
          products, rounds, strlen (body) / (size_t)products, nodes, (double)bench.bytes / products / rounds,
          split, read - split, G_N_ELEMENTS (paths), look - read, write - look, utf8 - split, valid - split,
          jsonc - split);
  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    json_path_free (bench.paths[i]);
  json_document_clear (&bench.document);
  json_buffer_clear (&bench.out);
  return 0;
}
