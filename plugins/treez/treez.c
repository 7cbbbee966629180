/* Treez, a point of sale for cannabis retail: the v2 "SellTreez" API and v3, the "Dispensary API"
 * (https://code.treez.io). Both say the same of products and customers; what differs is how they know who
 * calls, and where stock is.
 *
 * catalogue.c reads products, discounts.c the promotions in them, stock.c stock, customers.c customers;
 * signed.c signs v3's requests. Here: settings, endpoints, what their answers mean, and the list of streams.
 * Where the documentation and what was seen differ, README.md says which is followed. */
#include "treez.h"

#define URL_V2 "https://api.treez.io"
#define URL_V3 "https://api-prod.treez.io"

static const tb_setting settings[] = {
  { "generation", TB_CHOICE, TB_OPTIONAL, "v2", .choices = "v2|v3",
    .help = "v2: SellTreez, with an API key of the store; v3: Dispensary API, with signed requests" },
  { "url", TB_URL, TB_OPTIONAL, .help = "another address than Treez's own (v2: " URL_V2 ", v3: " URL_V3 ")" },
  { "dispensary", TB_TEXT, TB_REQUIRED, .least = 1, .most = 100,
    .help = "first label of the store's address: downtown.treez.io is downtown" },
  { "client_id", TB_SECRET, TB_REQUIRED, .when = "generation=v2",
    .help = "the integrator's, the same for all stores" },
  { "api_key", TB_SECRET, TB_REQUIRED, .when = "generation=v2",
    .help = "the store's, made by Treez on its written request" },
  { "bearer_prefix", TB_BOOLEAN, TB_OPTIONAL, "false", .when = "generation=v2",
    .help = "send the token as \"Bearer <token>\"" },
  { "certificate_id", TB_TEXT, TB_REQUIRED, .when = "generation=v3",
    .help = "what Treez answered to the integrator's certificate" },
  { "organization_id", TB_TEXT, TB_REQUIRED, .when = "generation=v3", .help = "the chain's, a GUID" },
  { "private_key", TB_SECRET, TB_REQUIRED, .when = "generation=v3",
    .help = "the RSA key of that certificate, as PEM without a passphrase: \"file:PATH\"" },
  { "sign_query", TB_BOOLEAN, TB_OPTIONAL, "true", .when = "generation=v3",
    .help = "what is signed is the URL with its query" },
  { "page_size", TB_INTEGER, TB_OPTIONAL, "0", .most = 1000,
    .help = "rows a page; 0: Treez's own for products, 50 for customers" },
  { "locations", TB_TEXT_LIST, TB_OPTIONAL,
    .help = "only these places count as stock, by name (v2: or id); empty: all" },
  { "tax_included", TB_BOOLEAN, TB_OPTIONAL, "false", .help = "prices hold the tax already" },
  { "hide_below_threshold", TB_BOOLEAN, TB_OPTIONAL, "false",
    .help = "hide products whose stock is below the store's minimum" },
};

/* The API key for a token of two hours. The field is spelled apikey, and expires_in is a text. Asking again
 * does no harm: two requests give two tokens. */
static tb_status
authorize (tb_call *call, tb_token *token)
{
  const tb_json *answer;
  tb_form *form = tb_form_new (call);
  tb_request request = { .method = "POST", .form = form, .repeat = TB_MAY_REPEAT, .bare = true };
  tb_form_add (form, "client_id", tb_setting_secret (call, "client_id"));
  tb_form_add (form, "apikey", tb_setting_secret (call, "api_key"));
  TB_TRY (tb_ask (call, &answer, &request, "/config/api/gettokens"));
  token->access = tb_string (answer, "access_token");
  token->lasts_s = tb_int (answer, "expires_in", 7200);
  if (token->access == NULL)
    return tb_fail (call, TB_BAD_RESPONSE, "the answer of gettokens holds no access_token");
  return TB_OK;
}

static const tb_credential credentials[] = {
  { TB_HEADER, "authorization", "{token}", "bearer_prefix=false" },
  { TB_HEADER, "authorization", "Bearer {token}", "bearer_prefix=true" },
  { TB_HEADER, "client_id", "{client_id}" },
};

/* Treez says "not found" with 400, refuses tokens with 401 and 403, and may hide a failure in a 200. */
#define SHARED_RULES                                                                                         \
  { 403, NULL, NULL, TB_AUTHENTICATION_ERROR }, { 0, "resultReason", "PRODUCT_NOT_FOUND", TB_NOT_FOUND },    \
    { 0, "resultReason", "CUSTOMER_DOESNT_EXIST", TB_NOT_FOUND },                                            \
    { 404, "resultReason", "NOT_FOUND", TB_NOT_FOUND }, { 200, "resultReason", "NOT_FOUND", TB_NOT_FOUND },  \
    { 200, "resultReason", "*authentication*", TB_AUTHENTICATION_ERROR },                                    \
    { 200, "resultReason", "OVER LIMIT", TB_RATE_LIMIT_EXCEEDED },                                           \
  {                                                                                                          \
    200, "resultCode", "FAIL", TB_VALIDATION_ERROR                                                           \
  }

static const tb_rule rules[] = { SHARED_RULES };

/* The same, and a signature that lasts too long, which is a 400 (its body is not documented). */
static const tb_rule signed_rules[] = {
  { 400, "resultDetail|resultReason|message", "*token*", TB_AUTHENTICATION_ERROR },
  { 400, "resultDetail|resultReason|message", "*JWT*", TB_AUTHENTICATION_ERROR },
  SHARED_RULES,
};

/* Ten a second are allowed for each store; certification asks for less. */
#define PACE                                                                                                 \
  {                                                                                                          \
    .per_second = 5, .burst = 5, .at_once = 2                                                                \
  }
#define WORDS "resultDetail|resultReason|message"

static const tb_endpoint endpoints[] = {
  { "api", "{url|" URL_V2 "}/v2.0/dispensary/{dispensary}", "generation=v2", TB_LIST (credentials),
    TB_LIST (rules), .words = WORDS, .pace = PACE, .timeout_s = 60, .authorize = authorize },
  { "api", "{url|" URL_V3 "}/dispensary/v3/{dispensary}", "generation=v3", .rules = TB_LIST (signed_rules),
    .words = WORDS, .pace = PACE, .timeout_s = 60, .sign = treez_sign, .classify = treez_judge_signed },
  { "service", "{url|" URL_V3 "}/service", "generation=v3", .rules = TB_LIST (signed_rules), .words = WORDS,
    .pace = PACE, .sign = treez_sign, .classify = treez_judge_signed },
};

/* Promotions come with the products, and last_updated_at does not move when one starts or ends: hence a full
 * pass every half hour. Customers that vanish stay: rows shift while pages are read, and one that slipped
 * through must not be taken for a deleted one. */
static const tb_stream streams[] = {
  { "products", treez_pull_products, treez_fetch_product, TB_PRODUCTS | TB_PROMOTIONS, TB_IS_DELETED,
    .changes = true, .item_only = true, .every_s = 900, .least_s = 60, .full_every_s = 1800, .overlap_s = 300,
    .deadline_s = 120 },
  { "inventory", treez_pull_inventory, NULL, TB_INVENTORY, TB_IS_ZERO, .item_only = true, .every_s = 120,
    .least_s = 30, .deadline_s = 120, .when = "generation=v2" },
  /* Not item_only: what a changed row says of the places that it does not name is not in its records. */
  { "inventory", treez_pull_stock, NULL, TB_INVENTORY, TB_IS_ZERO, .changes = true, .every_s = 120,
    .least_s = 30, .full_every_s = 1800, .overlap_s = 300, .deadline_s = 120, .when = "generation=v3" },
  { "customers", treez_pull_customers, treez_fetch_customer, TB_CUSTOMERS, TB_STAYS, .changes = true,
    .item_only = true, .every_s = 3600, .least_s = 60, .full_every_s = 604800, .overlap_s = 300,
    .deadline_s = 120 },
};

const char *
treez_page_size (tb_call *call)
{
  long long size = tb_setting_int (call, "page_size");
  return size > 0 ? tb_printf (call, "%lld", size) : NULL;
}

const char *
treez_time (tb_call *call, long long ms)
{
  return tb_local (call, ms, "%Y-%m-%dT%H:%M:%S.000%:z");
}

bool
treez_place_counts (tb_call *call, const tb_json *row)
{
  return tb_setting_admits (call, "locations", tb_text (row, "location_id")) ||
         tb_setting_admits (call, "locations", tb_text (row, "location|location_name"));
}

/* The end is an empty page, or that all rows were seen that the answer says there are. How many rows a page
 * has is the vendor's secret: "fewer than asked" says nothing. */
tb_status
treez_end_page (tb_call *call, const tb_pull *pull, tb_items *items, const char *total, long long page)
{
  long long seen = tb_cursor_int (pull, "seen", 0) + tb_seen (items);
  long long all = tb_int (tb_rest (items), total, -1);
  bool more = tb_seen (items) > 0 && (all < 0 || seen < all);
  if (more)
    tb_move_int (call, "seen", seen);
  return tb_pages (call, more, "page", page + 1);
}

static tb_status
check (tb_call *call)
{
  const tb_json *answer;
  if (tb_setting_is (call, "generation", "v3"))
    TB_TRY (treez_check_signature (call));
  return tb_get (call, &answer, "/location/list?sellable=true");
}

TB_PLUGIN (.name = "treez", .version = "1.0.0", .title = "Treez",
           .help = "Catalogue, stock and customers of a Treez store (v2, SellTreez, and v3)",
           .docs = "https://code.treez.io", .settings = TB_LIST (settings), .endpoints = TB_LIST (endpoints),
           .streams = TB_LIST (streams), .check = check, .mapping = 1);
