#include "treez.h"

#include <string.h>

#include "rate.h"
#include "tokens.h"

#define CLIENT_ID "tb-integrator-7f3a"
#define API_KEY "key-downtown-51c2e9"

enum {
  TOKEN_S = 7200,
  CALLS_A_SECOND = 10, /* per store and family of routes */
  PRODUCTS_A_PAGE = 1000,
  CUSTOMERS_A_PAGE = 50,
  IDS_A_REQUEST = 50,
  MOST_CUSTOMERS = 100000,
};

typedef struct {
  Data *products, *customers;
  Tokens *tokens;
  Rate *rate;
} Treez;

static gpointer
treez_open (const VendorSetup *setup)
{
  Treez *treez = g_new0 (Treez, 1);
  treez->products = data_new (&treez_products, setup->seed, setup->size);
  treez->customers = data_new (&treez_customers, setup->seed, MIN (setup->size, MOST_CUSTOMERS));
  treez->tokens = tokens_new (setup->seed, TOKEN_S);
  treez->rate = rate_new (setup->rate < 0 ? CALLS_A_SECOND : setup->rate);
  return treez;
}

static void
treez_close (gpointer state)
{
  Treez *treez = state;
  data_free (treez->products);
  data_free (treez->customers);
  tokens_free (treez->tokens);
  rate_free (treez->rate);
  g_free (treez);
}

static void
treez_fail (Exchange *exchange, int status, const char *reason, const char *detail)
{
  reply_json (exchange->reply, status,
              "{\"resultCode\":\"FAIL\",\"resultReason\":\"%s\",\"resultDetail\":\"%s\",\"data\":null}",
              reason, detail);
}

static void
treez_refuse (Exchange *exchange)
{
  reply_json (
    exchange->reply, 401,
    "{\"resultCode\":\"FAIL\",\"resultReason\":\"Full authentication is required to access this resource\"}");
}

static void
treez_too_many (Exchange *exchange)
{
  reply_text (exchange->reply, 429, "text/plain", "OVER LIMIT");
}

static void
treez_expire (gpointer state)
{
  tokens_expire (((Treez *)state)->tokens);
}

/* "downtown", and "downtown-2" and so on: further stores of the chain, with the same goods and tokens of
 * their own. */
static gboolean
is_store (const char *dispensary)
{
  if (!g_str_has_prefix (dispensary, "downtown"))
    return FALSE;
  const char *rest = dispensary + strlen ("downtown");
  return !*rest || (*rest == '-' && rest[1] && strspn (rest + 1, "0123456789") == strlen (rest + 1));
}

/* The path's piece after the store: "product", "customer", "location", "config". */
static gboolean
within_rate (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const char *family = exchange->route->pattern + strlen ("/v2.0/dispensary/{dispensary}/");
  g_autofree char *name =
    g_strdup_printf ("%s/%.*s", exchange->segments[0], (int)(strchrnul (family, '/') - family), family);
  if (rate_allow (treez->rate, name, engine_monotonic_ms (exchange->engine)))
    return TRUE;
  treez_too_many (exchange);
  return FALSE;
}

static gboolean
treez_admit (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const char *client = request_header (exchange->request, "client_id");
  const char *token = request_header (exchange->request, "authorization");
  if (token && g_str_has_prefix (token, "Bearer "))
    token += strlen ("Bearer ");
  if (!client || strcmp (client, CLIENT_ID) != 0 || !token ||
      !tokens_check (treez->tokens, token, exchange->segments[0], exchange->now_ms)) {
    treez_refuse (exchange);
    return FALSE;
  }
  return within_rate (exchange);
}

static void
get_tokens (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const char *type = request_header (exchange->request, "content-type");
  g_autofree char *client = request_form (exchange->request, "client_id");
  g_autofree char *key = request_form (exchange->request, "apikey");
  char access[TOKEN_SIZE], refresh[TOKEN_SIZE], until[TREEZ_TIME_SIZE];
  if (!within_rate (exchange))
    return;
  gboolean is_form = type && g_str_has_prefix (type, "application/x-www-form-urlencoded");
  if (!is_form || g_strcmp0 (client, CLIENT_ID) != 0 || g_strcmp0 (key, API_KEY) != 0 ||
      !is_store (exchange->segments[0])) {
    treez_fail (exchange, 401, "Invalid client_id or apikey", "");
    return;
  }
  tokens_make (treez->tokens, exchange->segments[0], exchange->now_ms, access);
  tokens_make (treez->tokens, "no store: how to use it is not documented", exchange->now_ms, refresh);
  gint64 lasts_s = tokens_lasts_s (treez->tokens);
  treez_time_without_colon (exchange->now_ms + lasts_s * 1000, until);
  reply_json (
    exchange->reply, 200,
    "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"access_token\":\"%s\",\"refresh_token\":\"%s\","
    "\"expires\":\"%s\",\"expires_at\":\"%s\",\"expires_in\":\"%" G_GINT64_FORMAT "\"}",
    access, refresh, until, until, lasts_s);
}

/* A whole number of the query or the path, from 1. FALSE: it has answered. */
static gboolean
read_count (Exchange *exchange, const char *text, const char *name, guint64 *number)
{
  char *end = NULL;
  if (text && !*text) /* "pagesize=" says nothing */
    text = NULL;
  guint64 found = text ? g_ascii_strtoull (text, &end, 10) : *number;
  if (text && (end == text || *end || *text == '-' || found < 1 || found > G_MAXUINT32)) {
    treez_fail (exchange, 400, "INCORRECT_VALUE", name);
    return FALSE;
  }
  *number = found;
  return TRUE;
}

static gboolean
read_active (Exchange *exchange, guint *mask)
{
  g_autofree char *active = request_query (exchange->request, "active");
  if (!active || strcmp (active, "TRUE") == 0)
    *mask = DATA_ACTIVE;
  else if (strcmp (active, "FALSE") == 0)
    *mask = DATA_INACTIVE;
  else if (strcmp (active, "ALL") == 0)
    *mask = DATA_LISTED;
  else
    treez_fail (exchange, 400, "INVALID_ACTIVE_PARAMETER", "active is TRUE, FALSE or ALL");
  return *mask != 0;
}

/* Filters of the vendor's that are not imitated: better refused than ignored. */
static gboolean
without_other_filters (Exchange *exchange)
{
  static const char *const others[] = { "category_type", "above_threshold", "sellable_quantity_in_location",
                                        "sellable_quantity_in_type", "minimum_sellable_quantity" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++) {
    g_autofree char *value = request_query (exchange->request, others[i]);
    if (value) {
      treez_fail (exchange, 400, "INCORRECT_VALUE", "the sandbox does not imitate this filter");
      return FALSE;
    }
  }
  return TRUE;
}

#define PRODUCT_HEAD                                                                                         \
  "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null,\"data\":{\"page_count\":%u,"     \
  "\"total_count\":%" G_GUINT64_FORMAT ",\"product_list\":["

static void
answer_products (Exchange *exchange, gint64 after_ms)
{
  const Treez *treez = exchange->state;
  g_autofree char *page_text = request_query (exchange->request, "page");
  g_autofree char *one_size = request_query (exchange->request, "pagesize");
  g_autofree char *other_size = request_query (exchange->request, "page_size");
  g_autofree char *discounts = request_query (exchange->request, "include_discounts");
  guint64 page = 1, size = PRODUCTS_A_PAGE;
  guint mask = 0, variant = g_strcmp0 (discounts, "false") == 0 ? 0 : TREEZ_DISCOUNTS;
  if (!read_count (exchange, page_text, "page", &page) || !read_active (exchange, &mask) ||
      !read_count (exchange, one_size ? one_size : other_size, "pagesize", &size) ||
      !without_other_filters (exchange))
    return;
  if (size > PRODUCTS_A_PAGE) {
    treez_fail (exchange, 400, "RESPONSE_LIMIT_EXCEEDS", "at most 1000");
    return;
  }
  DataView view = data_view (treez->products, mask, after_ms);
  PageRange range = exchange_page (exchange, page, (guint)size, view.count);
  g_autoptr (GBytes) rows = data_rows (treez->products, mask, after_ms, range.start, range.count, variant);
  reply_rows (exchange->reply, rows, "]}}", PRODUCT_HEAD, range.count, range.total);
}

static void
answer_by_ids (Exchange *exchange, const char *ids)
{
  const Treez *treez = exchange->state;
  g_auto (GStrv) wanted = g_strsplit (ids, ",", -1);
  g_autoptr (GString) rows = g_string_new (NULL);
  guint found = 0, mask = 0;
  if (g_strv_length (wanted) > IDS_A_REQUEST) {
    treez_fail (exchange, 400, "RESPONSE_LIMIT_EXCEEDS", "at most 50 ids");
    return;
  }
  if (!read_active (exchange, &mask))
    return;
  for (char **id = wanted; *id; id++) {
    guint32 index;
    if (!data_find (treez->products, *id, &index) || !(data_record (treez->products, index)->status & mask))
      continue;
    g_string_append (rows, found++ ? "," : "");
    data_render (treez->products, index, TREEZ_DISCOUNTS, rows);
  }
  reply_json (exchange->reply, 200, PRODUCT_HEAD "%s]}}", found, (guint64)found, rows->str);
}

static void
list_products (Exchange *exchange)
{
  g_autofree char *ids = request_query (exchange->request, "id");
  g_autofree char *also = request_query (exchange->request, "ID");
  if (ids || also)
    answer_by_ids (exchange, ids ? ids : also);
  else
    answer_products (exchange, G_MININT64);
}

/* The moment in the path; FALSE: it has answered. A plus sign must be percent-encoded. */
static gboolean
read_time (Exchange *exchange, gint64 *after_ms)
{
  if (!strchr (exchange->request->path, '+') && treez_time_read (exchange->segments[1], after_ms))
    return TRUE;
  treez_fail (exchange, 400, "INVALID_DATE_FORMAT", "use yyyy-MM-ddTHH:mm:ss.SSSXXX");
  return FALSE;
}

static void
list_changed_products (Exchange *exchange)
{
  gint64 after_ms;
  if (read_time (exchange, &after_ms))
    answer_products (exchange, after_ms);
}

static void
get_one (Exchange *exchange, Data *data, int status, const char *reason)
{
  guint32 index;
  if (!data_find (data, exchange->segments[1], &index)) {
    treez_fail (exchange, status, reason, "Nothing was found");
    return;
  }
  GString *body =
    g_string_new ("{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null,\"data\":");
  data_render (data, index, TREEZ_DISCOUNTS, body);
  g_string_append_c (body, '}');
  reply_take (exchange->reply, 200, "application/json", body);
}

static void
get_product (Exchange *exchange)
{
  get_one (exchange, ((const Treez *)exchange->state)->products, 400, "PRODUCT_NOT_FOUND");
}

static void
get_customer (Exchange *exchange)
{
  get_one (exchange, ((const Treez *)exchange->state)->customers, 404, "CUSTOMER_DOESNT_EXIST");
}

static void
list_customers (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  guint64 page = 1, size = 1;
  gint64 after_ms;
  if (!read_time (exchange, &after_ms) || !read_count (exchange, exchange->segments[2], "page", &page) ||
      !read_count (exchange, exchange->segments[3], "pagesize", &size))
    return;
  if (size > CUSTOMERS_A_PAGE) {
    treez_fail (exchange, 400, "RESPONSE_LIMIT_EXCEEDS", "at most 50");
    return;
  }
  DataView view = data_view (treez->customers, DATA_LISTED, after_ms);
  PageRange range = exchange_page (exchange, page, (guint)size, view.count);
  g_autoptr (GBytes) rows = data_rows (treez->customers, DATA_LISTED, after_ms, range.start, range.count, 0);
  reply_rows (exchange->reply, rows, "]}",
              "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null,\"data\":[");
}

static void
list_locations (Exchange *exchange)
{
  reply_json (
    exchange->reply, 200,
    "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null,\"data\":["
    "{\"id\":\"l-1\",\"name\":\"FRONT OF "
    "HOUSE\",\"active\":true,\"inventory_type\":\"ALL\",\"sellable\":true,"
    "\"parent_location_id\":null},"
    "{\"id\":\"l-2\",\"name\":\"BACK OF HOUSE\",\"active\":true,\"inventory_type\":\"ALL\",\"sellable\":true,"
    "\"parent_location_id\":null}]}");
}

static Data *
treez_data (gpointer state, const char *kind)
{
  const Treez *treez = state;
  if (!kind || strcmp (kind, "products") == 0)
    return treez->products;
  return strcmp (kind, "customers") == 0 ? treez->customers : NULL;
}

static gboolean
treez_option (gpointer state, const char *name, double value)
{
  const Treez *treez = state;
  if (strcmp (name, "rate") == 0 && value >= 0)
    rate_set (treez->rate, value);
  else if (strcmp (name, "token_s") == 0 && value >= 1)
    tokens_set_lasts_s (treez->tokens, (gint64)value);
  else
    return FALSE;
  return TRUE;
}

#define STORE "/v2.0/dispensary/{dispensary}"
#define PRODUCT_ROWS                                                                                         \
  .rows = "data.product_list", .id = "product_id", .price = "pricing.price_sell",                            \
  .text = "product_configurable_fields.name", .count = "data.page_count", .total = "data.total_count"

static const Route routes[] = {
  { "gettokens", "POST", STORE "/config/api/gettokens", get_tokens, .open = TRUE },
  { "product_list", "GET", STORE "/product/product_list", list_products, PRODUCT_ROWS },
  { "product_changes", "GET", STORE "/product/product_list/lastUpdated/after/{time}", list_changed_products,
    PRODUCT_ROWS },
  { "product", "GET", STORE "/product/{id}", get_product },
  { "customer_changes", "GET", STORE "/customer/lastUpdated/after/{time}/page/{page}/pagesize/{size}",
    list_customers, .rows = "data", .id = "customer_id", .price = "rewards_balance", .text = "last_name" },
  { "customer", "GET", STORE "/customer/{id}", get_customer },
  { "location_list", "GET", STORE "/location/list", list_locations, .rows = "data", .id = "id",
    .text = "name" },
};

static const char *const kinds[] = { "products", "customers", NULL };

const Vendor treez_vendor = {
  .name = "treez",
  .help =
    "Treez v2. Products, their changes, customers, locations; tokens of 2 h; 10 calls a second.\n"
    "            Options: rate (calls a second, 0: no limit), token_s (how long a new token lasts).\n"
    "            The stores downtown, downtown-2, downtown-3 ... hold the same goods, with their own tokens.",
  .routes = routes,
  .route_count = G_N_ELEMENTS (routes),
  .open = treez_open,
  .close = treez_close,
  .settings = "\"dispensary\":\"downtown\",\"client_id\":\"" CLIENT_ID "\",\"api_key\":\"" API_KEY "\"",
  .admit = treez_admit,
  .refuse = treez_refuse,
  .too_many = treez_too_many,
  .expire = treez_expire,
  .data = treez_data,
  .kinds = kinds,
  .option = treez_option,
};
