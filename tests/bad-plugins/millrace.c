/* Millrace, a point of sale that does not exist. Its API: bearer token from a key, pages by number. The good
 * one among the plugins here, and the one that docs/plugins.md shows. */
#include <tillbridge/plugin.h>

static const tb_setting settings[] = {
  { "url", TB_URL, TB_OPTIONAL, "https://api.millrace.example" },
  { "shop", TB_TEXT, TB_REQUIRED, .help = "the shop's short name" },
  { "api_key", TB_SECRET, TB_REQUIRED },
};

static tb_status
authorize (tb_call *call, tb_token *token)
{
  const tb_json *answer;
  tb_form *form = tb_form_new (call);
  tb_form_add (form, "key", tb_setting_secret (call, "api_key"));
  TB_TRY (tb_post_form (call, &answer, form, "/token"));
  token->access = tb_string (answer, "token");
  token->lasts_s = tb_int (answer, "expires_in", 3600);
  return TB_OK;
}

static const tb_credential credentials[] = { { TB_HEADER, "Authorization", "Bearer {token}" } };

static const tb_rule rules[] = {
  { 400, "error.code", "no_such_product", TB_NOT_FOUND },
  { 200, "error", NULL, TB_VALIDATION_ERROR }, /* Millrace hides errors in a 200 */
};

static const tb_endpoint endpoints[] = {
  { "api", "{url}/v1/{shop}", .credentials = TB_LIST (credentials), .rules = TB_LIST (rules),
    .words = "error.text", .pace = { .per_second = 5, .burst = 10, .at_once = 2 }, .authorize = authorize },
};

static tb_status
emit_product (tb_call *call, const tb_json *p)
{
  tb_product product = { 0 }; /* all-zero is "not said", everywhere */
  product.id = tb_string (p, "id");
  product.name = tb_text (p, "menu.title|name"); /* the first that is not blank */
  product.quantity = tb_number (p, "on_hand");
  product.visible = tb_bool (p, "menu.shown");
  product.updated_at_ms = tb_time_local (p, "changed_at");
  TB_FOR (row, p, "prices") {
    tb_price *price = tb_add (call, &product.prices);
    price->label = tb_text (row, "label");
    price->quantity = tb_number (row, "grams");
    price->unit = TB_GRAM;
    price->amount = tb_cash (row, "dollars"); /* 16.033 is 1603 cents */
  }
  return tb_emit (call, &product);
}

static tb_status
pull_products (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1);
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "data.products[]", "/products?page=%lld&changed_since=%s", page,
                        tb_utc (call, pull->since_ms, TB_RFC3339)));
  TB_EACH (p, items)
    TB_TRY (emit_product (call, p));
  return tb_pages (call, tb_seen (items) > 0, "page", page + 1); /* an empty page is the end */
}

static tb_status
fetch_product (tb_call *call, const char *id)
{
  const tb_json *answer;
  TB_TRY (tb_get (call, &answer, "/products/%s", id));
  return emit_product (call, tb_at (answer, "data"));
}

static tb_status
check (tb_call *call)
{
  const tb_json *answer;
  return tb_get (call, &answer, "/products?page=1");
}

static const tb_stream streams[] = {
  { "products", pull_products, fetch_product, TB_PRODUCTS, TB_IS_DELETED, .changes = true, .item_only = true,
    .every_s = 300, .full_every_s = 86400, .overlap_s = 60 },
};

TB_PLUGIN (.name = "millrace", .version = "1.0.0", .title = "Millrace", .settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (streams), .check = check);
