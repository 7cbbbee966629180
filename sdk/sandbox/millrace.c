#include "millrace.h"

#include <string.h>

#include "base/timefmt.h"
#include "text.h"
#include "tokens.h"

#define SHOP "corner"
#define API_KEY "millrace-key-77d1"

enum { TOKEN_S = 3600, PRODUCTS_A_PAGE = 50 };

typedef struct {
  Data *products;
  Tokens *tokens;
} Millrace;

static guint64
key (guint64 seed, guint32 index)
{
  return 0; /* in the order of their numbers */
}

static void
fill (guint64 seed, guint32 index, DataRecord *record)
{
  static const gint64 from_ms = 1735689600000; /* 2025-01-01 */
  guint64 bits = data_bits (seed, index, 21);
  record->price = 8000 + (gint32)(bits & 63) * 250;
  record->quantity = (gint32)(bits >> 6 & 63) * 1000;
  record->status = DATA_ACTIVE;
  record->changed_ms = from_ms + (gint64)(bits >> 16) % (300 * (gint64)86400000);
}

static void
id (guint32 index, char text[DATA_ID_SIZE])
{
  g_snprintf (text, DATA_ID_SIZE, "%u", index + 1);
}

static void
put_thousandths (GString *out, gint32 thousandths)
{
  Pen pen = pen_open (out);
  pen_thousandths (&pen, thousandths);
  pen_close (&pen);
}

static void
render (guint64 seed, guint32 index, const DataRecord *record, guint variant, GString *out)
{
  static const double grams[] = { 1, 3.5, 7 };
  char changed[TIME_TEXT_SIZE];
  time_to_text (record->changed_ms, changed);
  changed[strlen ("2026-03-02T17:15:40")] = '\0'; /* local time, without a zone */
  g_string_append_printf (out, "{\"id\":\"%u\",\"name\":\"Jar %u", index + 1, index + 1);
  if (record->renamed)
    g_string_append_printf (out, " (%u)", record->revision);
  g_string_append_printf (out, "\",\"menu\":{\"title\":\"\",\"shown\":%s},\"on_hand\":",
                          record->status == DATA_ACTIVE ? "true" : "false");
  put_thousandths (out, record->quantity);
  g_string_append_printf (out, ",\"changed_at\":\"%s\",\"prices\":[", changed);
  for (guint i = 0; i < G_N_ELEMENTS (grams); i++) {
    g_string_append_printf (out, "%s{\"label\":\"%g g\",\"grams\":%g,\"dollars\":", i ? "," : "", grams[i],
                            grams[i]);
    put_thousandths (out, (gint32)(record->price * grams[i]));
    g_string_append_c (out, '}');
  }
  g_string_append (out, "]}");
}

static const DataKind products = {
  .kind = "products",
  .name = "name",
  .key = key,
  .fill = fill,
  .id = id,
  .render = render,
};

static gpointer
millrace_open (const VendorSetup *setup)
{
  Millrace *millrace = g_new0 (Millrace, 1);
  millrace->products = data_new (&products, setup->seed, setup->size);
  millrace->tokens = tokens_new (setup->seed, TOKEN_S);
  return millrace;
}

static void
millrace_close (gpointer state)
{
  Millrace *millrace = state;
  data_free (millrace->products);
  tokens_free (millrace->tokens);
  g_free (millrace);
}

static void
fail (Exchange *exchange, int status, const char *code, const char *words)
{
  reply_json (exchange->reply, status, "{\"error\":{\"code\":\"%s\",\"text\":\"%s\"}}", code, words);
}

static void
millrace_refuse (Exchange *exchange)
{
  fail (exchange, 401, "who_are_you", "no token, or one that is over");
}

static void
millrace_too_many (Exchange *exchange)
{
  fail (exchange, 429, "slow_down", "too many calls");
}

static void
millrace_expire (gpointer state)
{
  tokens_expire (((Millrace *)state)->tokens);
}

static gboolean
millrace_admit (Exchange *exchange)
{
  const Millrace *millrace = exchange->state;
  const char *token = request_header (exchange->request, "authorization");
  if (token && g_str_has_prefix (token, "Bearer ") &&
      tokens_check (millrace->tokens, token + strlen ("Bearer "), exchange->segments[0], exchange->now_ms))
    return TRUE;
  millrace_refuse (exchange);
  return FALSE;
}

static void
post_token (Exchange *exchange)
{
  const Millrace *millrace = exchange->state;
  g_autofree char *given = request_form (exchange->request, "key");
  char token[TOKEN_SIZE];
  if (g_strcmp0 (given, API_KEY) != 0 || strcmp (exchange->segments[0], SHOP) != 0) {
    fail (exchange, 401, "bad_key", "this key opens nothing");
    return;
  }
  tokens_make (millrace->tokens, SHOP, exchange->now_ms, token);
  reply_json (exchange->reply, 200, "{\"token\":\"%s\",\"expires_in\":%" G_GINT64_FORMAT "}", token,
              tokens_lasts_s (millrace->tokens));
}

static void
list_products (Exchange *exchange)
{
  const Millrace *millrace = exchange->state;
  g_autofree char *page_text = request_query (exchange->request, "page");
  g_autofree char *since = request_query (exchange->request, "changed_since");
  guint64 page = page_text ? g_ascii_strtoull (page_text, NULL, 10) : 1;
  gint64 after_ms = G_MININT64;
  gboolean has_offset;
  if (page < 1 || page > G_MAXUINT32 ||
      (since && *since && !time_from_text (since, &after_ms, &has_offset))) {
    fail (exchange, 400, "bad_parameter", "page counts from 1, changed_since is a time");
    return;
  }
  DataView view = data_view (millrace->products, DATA_LISTED, after_ms);
  PageRange range = exchange_page (exchange, page, PRODUCTS_A_PAGE, view.count);
  g_autoptr (GBytes) rows =
    data_rows (millrace->products, DATA_LISTED, after_ms, range.start, range.count, 0);
  reply_rows (exchange->reply, rows, "]}}", "{\"data\":{\"products\":[");
}

static void
get_product (Exchange *exchange)
{
  const Millrace *millrace = exchange->state;
  guint32 index;
  if (!data_find (millrace->products, exchange->segments[1], &index)) {
    fail (exchange, 404, "no_such_product", "never heard of it");
    return;
  }
  GString *body = g_string_new ("{\"data\":");
  data_render (millrace->products, index, 0, body);
  g_string_append_c (body, '}');
  reply_take (exchange->reply, 200, "application/json", body);
}

static Data *
millrace_data (gpointer state, const char *kind)
{
  return !kind || strcmp (kind, "products") == 0 ? ((Millrace *)state)->products : NULL;
}

static const Route routes[] = {
  { "token", "POST", "/v1/{shop}/token", post_token, .open = TRUE },
  { "products", "GET", "/v1/{shop}/products", list_products, .rows = "data.products", .id = "id",
    .price = "on_hand", .text = "name" },
  { "product", "GET", "/v1/{shop}/products/{id}", get_product },
};

static const char *const kinds[] = { "products", NULL };

const Vendor millrace_vendor = {
  .name = "millrace",
  .help = "Millrace, the point of sale of the SDK's examples. Products by pages of 50, bearer tokens.",
  .routes = routes,
  .route_count = G_N_ELEMENTS (routes),
  .open = millrace_open,
  .close = millrace_close,
  .settings = "\"shop\":\"" SHOP "\",\"api_key\":\"" API_KEY "\"",
  .admit = millrace_admit,
  .refuse = millrace_refuse,
  .too_many = millrace_too_many,
  .expire = millrace_expire,
  .data = millrace_data,
  .kinds = kinds,
};
