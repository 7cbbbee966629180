#include "treez.h"

#include <string.h>

#define CLIENT_ID "tb-integrator-7f3a"
#define API_KEY "key-downtown-51c2e9"

enum {
  TOKEN_S = 7200,
  CALLS_A_SECOND = 10, /* per store and family of routes */
  PRODUCTS_A_PAGE = 1000,
  STOCK_A_PAGE = 1000,
  CUSTOMERS_A_PAGE = 50,
  IDS_A_REQUEST = 50,
  MOST_CUSTOMERS = 100000,
};

static gpointer
treez_open (const VendorSetup *setup)
{
  Treez *treez = g_new0 (Treez, 1);
  treez->products = data_new (&treez_products, setup->seed, setup->size);
  treez->customers = data_new (&treez_customers, setup->seed, MIN (setup->size, MOST_CUSTOMERS));
  treez->tokens = tokens_new (setup->seed, TOKEN_S);
  treez->rate = rate_new (setup->rate < 0 ? CALLS_A_SECOND : setup->rate);
  treez->client = treez_signed_new ();
  treez->signs_query = TRUE;
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
  treez_signed_free (treez->client);
  g_free (treez);
}

void
treez_fail (Exchange *exchange, int status, const char *reason, const char *detail)
{
  reply_json (exchange->reply, status,
              "{\"resultCode\":\"FAIL\",\"resultReason\":\"%s\",\"resultDetail\":\"%s\",\"data\":null}",
              reason, detail);
}

void
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

/* By the path's piece after the store: "product", "customer", "location", "config". */
static gboolean
within_rate (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const char *store = strstr (exchange->route->pattern, "{dispensary}/");
  const char *family = store ? store + strlen ("{dispensary}/") : exchange->route->pattern + 1;
  g_autofree char *name = g_strdup_printf ("%s/%.*s", store ? exchange->segments[0] : "",
                                           (int)(strchrnul (family, '/') - family), family);
  if (rate_allow (treez->rate, name, engine_monotonic_ms (exchange->engine)))
    return TRUE;
  treez_too_many (exchange);
  return FALSE;
}

static gboolean
is_v3 (const Exchange *exchange)
{
  return !g_str_has_prefix (exchange->route->pattern, "/v2.0/");
}

static guint
variant_of (const Exchange *exchange)
{
  return TREEZ_DISCOUNTS | (is_v3 (exchange) ? TREEZ_PLACE_IDS : 0);
}

static gboolean
admit_signed (Exchange *exchange)
{
  const char *store = exchange->segments[0];
  if (!treez_signed_admit (exchange))
    return FALSE;
  if (!store || is_store (store))
    return within_rate (exchange);
  treez_refuse (exchange); /* not one that the certificate was given */
  return FALSE;
}

static gboolean
treez_admit (Exchange *exchange)
{
  if (is_v3 (exchange))
    return admit_signed (exchange);
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
  guint mask = 0, variant = variant_of (exchange);
  if (g_strcmp0 (discounts, "false") == 0)
    variant &= ~(guint)TREEZ_DISCOUNTS;
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
    data_render (treez->products, index, variant_of (exchange), rows);
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
  data_render (data, index, variant_of (exchange), body);
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

/* v3's list of stock; changes are those since last_update_date. */
static void
get_stock (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  g_autofree char *page_text = request_query (exchange->request, "page");
  g_autofree char *size_text = request_query (exchange->request, "page_size");
  g_autofree char *after = request_query (exchange->request, "last_update_date");
  guint64 page = 1, size = STOCK_A_PAGE;
  guint mask = 0;
  gint64 after_ms = G_MININT64;
  if (!read_count (exchange, page_text, "page", &page) ||
      !read_count (exchange, size_text, "page_size", &size) || !read_active (exchange, &mask))
    return;
  if (after && !treez_time_read (after, &after_ms)) {
    treez_fail (exchange, 400, "INVALID_DATE_FORMAT", "use yyyy-MM-ddTHH:mm:ss.SSSXXX");
    return;
  }
  if (size > STOCK_A_PAGE) {
    treez_fail (exchange, 400, "RESPONSE_LIMIT_EXCEEDS", "at most 1000");
    return;
  }
  mask |= after ? DATA_BY_STOCK : 0;
  DataView view = data_view (treez->products, mask, after_ms);
  PageRange range = exchange_page (exchange, page, (guint)size, view.count);
  g_autoptr (GBytes) rows =
    data_rows (treez->products, mask, after_ms, range.start, range.count, TREEZ_STOCK);
  reply_rows (
    exchange->reply, rows, "]}}",
    "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null,\"data\":{\"page_elements\":%u,"
    "\"total_elements\":%" G_GUINT64_FORMAT ",\"stock\":[",
    range.count, range.total);
}

/* What the answer holds beside this is not known. */
static void
validate_signature (Exchange *exchange)
{
  reply_json (exchange->reply, 200,
              "{\"resultCode\":\"SUCCESS\",\"resultReason\":null,\"resultDetail\":null}");
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
  Treez *treez = state;
  if (strcmp (name, "rate") == 0 && value >= 0)
    rate_set (treez->rate, value);
  else if (strcmp (name, "token_s") == 0 && value >= 1)
    tokens_set_lasts_s (treez->tokens, (gint64)value);
  else if (strcmp (name, "signs_query") == 0 && (value == 0 || value == 1))
    treez->signs_query = value == 1;
  else
    return FALSE;
  return TRUE;
}

#define STORE "/v2.0/dispensary/{dispensary}"
#define STORE_V3 "/dispensary/v3/{dispensary}"
#define PRODUCT_ROWS                                                                                         \
  .rows = "data.product_list", .id = "product_id", .price = "pricing.price_sell",                            \
  .text = "product_configurable_fields.name", .count = "data.page_count", .total = "data.total_count"

/* What both generations have, below their base. Fault rules know a route of either by the same name. */
#define SHARED_ROUTES(base)                                                                                  \
  { "product_list", "GET", base "/product/product_list", list_products, PRODUCT_ROWS },                      \
    { "product_changes", "GET", base "/product/product_list/lastUpdated/after/{time}",                       \
      list_changed_products, PRODUCT_ROWS },                                                                 \
    { "product", "GET", base "/product/{id}", get_product },                                                 \
    { "customer_changes",                                                                                    \
      "GET",                                                                                                 \
      base "/customer/lastUpdated/after/{time}/page/{page}/pagesize/{size}",                                 \
      list_customers,                                                                                        \
      .rows = "data",                                                                                        \
      .id = "customer_id",                                                                                   \
      .price = "rewards_balance",                                                                            \
      .text = "last_name" },                                                                                 \
    { "customer", "GET", base "/customer/{id}", get_customer },                                              \
  {                                                                                                          \
    "location_list", "GET", base "/location/list", list_locations, .rows = "data", .id = "id",               \
                                                                   .text = "name"                            \
  }

static const Route routes[] = {
  { "gettokens", "POST", STORE "/config/api/gettokens", get_tokens, .open = TRUE },
  SHARED_ROUTES (STORE),
  SHARED_ROUTES (STORE_V3),
  { "stock", "GET", STORE_V3 "/stock/getStock", get_stock, .rows = "data.stock", .id = "product_id",
    .text = "product_name", .count = "data.page_elements", .total = "data.total_elements" },
  { "jwt_validation", "POST", "/service/jwt-validation", validate_signature },
};

static const char *const kinds[] = { "products", "customers", NULL };

const Vendor treez_vendor = {
  .name = "treez",
  .help =
    "Treez v2 and v3. Products, their changes, stock (v3), customers, locations; tokens of 2 h (v2), or\n"
    "            each request signed for 30 s (v3: settings_v3); 10 calls a second.\n"
    "            Options: rate (calls a second, 0: no limit), token_s (how long a new token lasts),\n"
    "            signs_query (1: v3's aud has the query, 0: it has not).\n"
    "            The stores downtown, downtown-2, downtown-3 ... hold the same goods, with their own tokens.",
  .routes = routes,
  .route_count = G_N_ELEMENTS (routes),
  .open = treez_open,
  .close = treez_close,
  .settings = "\"dispensary\":\"downtown\",\"client_id\":\"" CLIENT_ID "\",\"api_key\":\"" API_KEY "\"",
  .settings_v3 = treez_signed_settings,
  .admit = treez_admit,
  .refuse = treez_refuse,
  .too_many = treez_too_many,
  .expire = treez_expire,
  .data = treez_data,
  .kinds = kinds,
  .option = treez_option,
};
