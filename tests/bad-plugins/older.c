/* A plugin as an SDK 0.0 would have built it: its structs are the beginnings of today's, its table of sizes
 * ends where that SDK's did. Served: the host reads no further than these sizes, and walks its arrays by
 * them. What it emits lies in blocks of exactly their size, so that a sanitizer sees a read beyond them. (A
 * copy of older headers will stand here once there are released ones.) */
#include <stdlib.h>
#include <tillbridge/plugin.h>

typedef struct older_setting {
  const char *key;
  tb_setting_type type;
  int required;
  const char *standard;
} older_setting;

typedef struct older_endpoint {
  const char *name, *url;
} older_endpoint;

typedef struct older_stream {
  const char *name;
  tb_status (*pull) (tb_call *, const tb_pull *);
  tb_status (*fetch) (tb_call *, const char *id);
  int kinds;
  tb_missing missing;
} older_stream;

typedef struct older_price {
  const char *label;
  tb_decimal quantity;
  tb_unit unit;
  tb_buyer buyer;
  tb_money amount;
} older_price;

typedef struct older_product {
  const char *id, *name, *sku, *barcode, *brand, *category, *subcategory, *description, *strain, *parent_id;
  tb_strain classification;
  tb_unit unit, weight_unit;
  tb_flag visible;
  tb_decimal weight, quantity;
  TB_LIST_OF (older_price) prices;
} older_product;

typedef struct older_info {
  char magic[8];
  uint16_t major, minor;
  uint32_t reserved;
  const tb_sizes *sizes;
  const char *name, *version, *title, *help, *docs;
  TB_LIST_OF (const older_setting) settings;
  TB_LIST_OF (const older_endpoint) endpoints;
  TB_LIST_OF (const older_stream) streams;
} older_info;

#define BEGINS(older, now, last)                                                                             \
  TB_STATIC_ASSERT (offsetof (older, last) == offsetof (now, last), #older " is no beginning of " #now)
BEGINS (older_setting, tb_setting, standard);
BEGINS (older_endpoint, tb_endpoint, url);
BEGINS (older_stream, tb_stream, missing);
BEGINS (older_price, tb_price, amount);
BEGINS (older_product, tb_product, prices);
BEGINS (older_info, tb_plugin_info, streams);

static tb_status
emit_product (tb_call *call, const tb_json *p)
{
  older_product *product = calloc (1, sizeof *product);
  older_price *prices = calloc (2, sizeof *prices);
  tb_status status;
  if (product == NULL || prices == NULL)
    abort ();
  product->id = tb_string (p, "id");
  product->name = tb_text (p, "name");
  prices[0].label = "one";
  prices[0].amount = tb_cash (p, "price");
  prices[1].label = "two";
  prices[1].amount = tb_cash (p, "price_of_two");
  product->prices.first = prices;
  product->prices.count = product->prices.room = 2;
  status = call->host->emit (call, TB_PRODUCTS, product);
  free (prices);
  free (product);
  return status;
}

static tb_status
pull_products (tb_call *call, const tb_pull *pull)
{
  tb_request request = { .endpoint = "api" };
  tb_items *items;
  TB_TRY (
    tb_ask_items (call, &items, "products[]", &request, "/products?shop=%s", tb_setting_text (call, "shop")));
  TB_EACH (p, items)
    TB_TRY (emit_product (call, p));
  return pull->full ? tb_done (call) : TB_UNSUPPORTED;
}

static const older_setting settings[] = { { "url", TB_URL, TB_REQUIRED },
                                          { "shop", TB_TEXT, TB_OPTIONAL, "first" } };
static const older_endpoint endpoints[] = { { "other", "{url}/other" }, { "api", "{url}" } };
static const older_stream streams[] = { { "products", pull_products, NULL, TB_PRODUCTS, TB_IS_DELETED } };

/* Ends before the structs that came later. */
#define ENTRY(name) offsetof (tb_sizes, name) / sizeof (uint32_t)
static const uint32_t sizes[ENTRY (potency)] = {
  [ENTRY (size)] = offsetof (tb_sizes, potency),
  [ENTRY (plugin)] = sizeof (older_info),
  [ENTRY (setting)] = sizeof (older_setting),
  [ENTRY (endpoint)] = sizeof (older_endpoint),
  [ENTRY (stream)] = sizeof (older_stream),
  [ENTRY (request)] = sizeof (tb_request),
  [ENTRY (pull)] = sizeof (tb_pull),
  [ENTRY (product)] = sizeof (older_product),
  [ENTRY (price)] = sizeof (older_price),
};

TB_EXPORT const
  older_info older_plugin __asm__("tb_plugin") = { .magic = TB_MAGIC,
                                                   .major = TB_SDK_MAJOR,
                                                   .minor = TB_SDK_MINOR - 1,
                                                   .sizes = (const tb_sizes *)(const void *)sizes,
                                                   .name = "older",
                                                   .version = "0.9.0",
                                                   .settings = TB_LIST (settings),
                                                   .endpoints = TB_LIST (endpoints),
                                                   .streams = TB_LIST (streams) };
