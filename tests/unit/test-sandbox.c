#include "tap.h"

#include <string.h>

#include "../../sdk/sandbox/rate.h"
#include "../../sdk/sandbox/request.h"
#include "../../sdk/sandbox/text.h"
#include "../../sdk/sandbox/tokens.h"
#include "../../sdk/sandbox/treez.h"
#include "base/timefmt.h"

static RequestParse
parse (const char *text, Request *request, gsize *used)
{
  g_autoptr (GString) in = g_string_new (text);
  gboolean expects;
  *request = (Request){ 0 };
  return request_parse (in, request, used, &expects);
}

static void
test_request_in_pieces (void)
{
  static const char whole[] =
    "POST /a%20b?x=1&y=%2B+z HTTP/1.1\r\nContent-Length: 5\r\nX-Name:  v \r\n\r\nhello";
  Request request;
  gsize used;
  for (gsize length = 0; length < sizeof whole - 1; length++) {
    g_autofree char *part = g_strndup (whole, length);
    CU_ASSERT_EQUAL (parse (part, &request, &used), REQUEST_MORE);
  }
  CU_ASSERT_EQUAL (parse (whole, &request, &used), REQUEST_DONE);
  g_autofree char *y = request_query (&request, "y"), *none = request_query (&request, "z");
  CU_ASSERT_EQUAL (used, sizeof whole - 1);
  CU_ASSERT_STRING_EQUAL (request.path, "/a%20b");
  CU_ASSERT_STRING_EQUAL (request_header (&request, "x-name"), "v");
  CU_ASSERT_STRING_EQUAL (request.body->str, "hello");
  CU_ASSERT_STRING_EQUAL (y, "+ z");
  CU_ASSERT_PTR_NULL (none);
  request_clear (&request);
}

static void
test_request_that_is_none (void)
{
  static const char *const bad[] = { "GET / HTTP/2\r\n\r\n", "GET /\r\n\r\n",
                                     "GET / HTTP/1.1\r\nno colon\r\n\r\n",
                                     "POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                                     "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffff\r\n" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    Request request;
    gsize used;
    CU_ASSERT_EQUAL (parse (bad[i], &request, &used), REQUEST_BAD);
  }
}

static void
test_decoding (void)
{
  g_autofree char *good = request_decode ("a%2Fb+c", -1, FALSE), *cut = request_decode ("a%2", -1, FALSE),
                  *odd = request_decode ("%zz", -1, FALSE);
  CU_ASSERT_STRING_EQUAL (good, "a/b+c");
  CU_ASSERT_PTR_NULL (cut);
  CU_ASSERT_PTR_NULL (odd);
}

static void
test_rate_over_a_sliding_window (void)
{
  g_autoptr (Rate) rate = rate_new (10);
  for (int i = 0; i < 10; i++)
    CU_ASSERT_TRUE (rate_allow (rate, "products", 1000 + i * 50));
  CU_ASSERT_FALSE (rate_allow (rate, "products", 1999));
  CU_ASSERT_TRUE (rate_allow (rate, "customers", 1999));
  CU_ASSERT_TRUE (rate_allow (rate, "products", 2000));
  CU_ASSERT_FALSE (rate_allow (rate, "products", 2049));
  rate_set (rate, 0);
  for (int i = 0; i < 100; i++)
    CU_ASSERT_TRUE (rate_allow (rate, "products", 2049));
}

static void
test_rate_below_one_a_second (void)
{
  g_autoptr (Rate) rate = rate_new (0.5);
  CU_ASSERT_TRUE (rate_allow (rate, "", 0));
  CU_ASSERT_FALSE (rate_allow (rate, "", 1999));
  CU_ASSERT_TRUE (rate_allow (rate, "", 2000));
}

static void
test_tokens_end (void)
{
  g_autoptr (Tokens) tokens = tokens_new (1, 10);
  char one[TOKEN_SIZE], two[TOKEN_SIZE];
  tokens_make (tokens, "downtown", 0, one);
  tokens_make (tokens, "downtown", 5000, two);
  CU_ASSERT_STRING_NOT_EQUAL (one, two);
  CU_ASSERT_TRUE (tokens_check (tokens, one, "downtown", 9999));
  CU_ASSERT_FALSE (tokens_check (tokens, one, "uptown", 9999));
  CU_ASSERT_FALSE (tokens_check (tokens, one, "downtown", 10000));
  CU_ASSERT_TRUE (tokens_check (tokens, two, "downtown", 10000));
  tokens_expire (tokens);
  CU_ASSERT_FALSE (tokens_check (tokens, two, "downtown", 10000));
}

/* Against the zone database, every six hours of eight years. */
static void
test_store_time_keeps_summer_time (void)
{
  g_autoptr (GTimeZone) zone = g_time_zone_new_identifier ("America/Los_Angeles");
  CU_ASSERT_PTR_NOT_NULL_FATAL (zone);
  for (gint64 ms = 1577836800120; ms < 1830297600000; ms += 6 * 3600 * 1000) {
    char text[TREEZ_TIME_SIZE];
    gint64 back = 0;
    int offset_s = 0;
    time_utc_to_local (zone, ms, &offset_s);
    treez_time (ms, text);
    CU_ASSERT_TRUE (treez_time_read (text, &back));
    CU_ASSERT_EQUAL (back, ms);
    CU_ASSERT_STRING_EQUAL (text + 23, offset_s == -7 * 3600 ? "-07:00" : "-08:00");
  }
}

static void
test_store_time_spelled_twice (void)
{
  char text[TREEZ_TIME_SIZE];
  treez_time (1777018149508, text);
  CU_ASSERT_STRING_EQUAL (text, "2026-04-24T01:09:09.508-07:00");
  treez_time_without_colon (1777018149508, text);
  CU_ASSERT_STRING_EQUAL (text, "2026-04-24T01:09:09.508-0700");
}

static void
test_thousandths (void)
{
  static const struct {
    gint32 number;
    const char *text;
  } cases[] = { { 0, "0" },     { 30000, "30" },    { 16033, "16.033" },           { 2500, "2.5" },
                { 7, "0.007" }, { -1250, "-1.25" }, { G_MININT32, "-2147483.648" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GString) out = g_string_new (NULL);
    Pen pen = pen_open (out);
    pen_thousandths (&pen, cases[i].number);
    pen_close (&pen);
    CU_ASSERT_STRING_EQUAL (out->str, cases[i].text);
  }
}

static gboolean
same_as_rendered (Data *data, guint start, guint count)
{
  DataView view = data_view (data, DATA_LISTED, G_MININT64);
  g_autoptr (GBytes) rows = data_rows (data, DATA_LISTED, G_MININT64, start, count, TREEZ_DISCOUNTS);
  g_autoptr (GString) expected = g_string_new (NULL);
  for (guint i = start; i < start + count; i++) {
    g_string_append (expected, i > start ? "," : "");
    data_render (data, view.indexes[i], TREEZ_DISCOUNTS, expected);
  }
  return g_bytes_get_size (rows) == expected->len &&
         memcmp (g_bytes_get_data (rows, NULL), expected->str, expected->len) == 0;
}

/* A page that is kept is what a page made anew would be, whatever changed. */
static void
test_pages_kept_and_mended (void)
{
  static const char *const fields[] = { "price", "quantity", "name", "status", "pricing.price_sell" };
  g_autoptr (Data) data = data_new (&treez_products, 7, 60);
  g_autoptr (GRand) dice = g_rand_new_with_seed (7);
  for (int round = 0; round < 300; round++) {
    DataView view = data_view (data, DATA_LISTED, G_MININT64);
    guint32 index = view.indexes[g_rand_int_range (dice, 0, (gint32)view.count)];
    int what = g_rand_int_range (dice, 0, 8);
    if (what == 6)
      data_add (data, round);
    else if (what == 7 && view.count > 40)
      data_delete (data, index);
    else if (what < 5)
      CU_ASSERT_TRUE (data_change (data, index, fields[what], NULL, round, NULL));
    CU_ASSERT_TRUE (same_as_rendered (data, 0, 20));
    CU_ASSERT_TRUE (same_as_rendered (data, 20, 20));
  }
}

static void
test_change_gives_another_value (void)
{
  static const char *const fields[] = { "price", "quantity", "name", "status", "e_commerce.menu_title" };
  g_autoptr (Data) data = data_new (&treez_products, 3, 200);
  for (guint32 index = 0; index < 200; index++)
    for (gsize i = 0; i < G_N_ELEMENTS (fields); i++) {
      g_autoptr (GString) before = g_string_new (NULL), after = g_string_new (NULL);
      gint64 changed_ms = data_record (data, index)->changed_ms;
      data_render (data, index, 0, before);
      CU_ASSERT_TRUE (data_change (data, index, fields[i], NULL, 0, NULL));
      data_render (data, index, 0, after);
      CU_ASSERT_STRING_NOT_EQUAL (before->str, after->str);
      CU_ASSERT_EQUAL (data_record (data, index)->changed_ms > changed_ms,
                       strcmp (fields[i], "quantity") != 0);
    }
}

static void
test_values_that_do_not_fit (void)
{
  g_autoptr (Data) data = data_new (&treez_products, 3, 1);
  g_autoptr (GError) error = NULL;
  CU_ASSERT_FALSE (data_change (data, 0, "price", "\"abc\"", 0, &error));
  CU_ASSERT_PTR_NOT_NULL_FATAL (strstr (error->message, "\"abc\" is not a number"));
  CU_ASSERT_FALSE (data_change (data, 0, "quantity", "1e300", 0, NULL));
  CU_ASSERT_FALSE (data_change (data, 0, "status", "\"asleep\"", 0, NULL));
}

int
main (void)
{
  return TAP_RUN (
    "sandbox", { "a request may come in pieces", test_request_in_pieces },
    { "what is no request is refused", test_request_that_is_none },
    { "percent signs are decoded or refused", test_decoding },
    { "a rate counts over a sliding window, by name", test_rate_over_a_sliding_window },
    { "a rate may be less than one call a second", test_rate_below_one_a_second },
    { "a token is good to its end, for its owner", test_tokens_end },
    { "the store's time keeps summer time as the zone database does", test_store_time_keeps_summer_time },
    { "the store's time has two spellings", test_store_time_spelled_twice },
    { "thousandths are written as the shortest decimal", test_thousandths },
    { "a page that is kept is what a new one would be", test_pages_kept_and_mended },
    { "a change gives another value, and stock moves no time", test_change_gives_another_value },
    { "values that do not fit are refused in words", test_values_that_do_not_fit });
}
