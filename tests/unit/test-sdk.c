/* What the SDK's headers compute by themselves, and how its structs lie in memory. */
#include <stdio.h>
#include <tillbridge/plugin.h>
#include "tap.h"

/* The table of places: a member that moved does not compile. See sdk/layouts.sh. */
#if UINTPTR_MAX == UINT64_MAX
#define TB_PLACE(type, member, at)                                                                           \
  G_STATIC_ASSERT (offsetof (type, member) == at); /* type.member moved, or the table is old */
#define TB_LAST(type, member)                                                                                \
  G_STATIC_ASSERT (offsetof (type, member) + sizeof (((type *)0)->member) == sizeof (type));
#include "sdk-layout.h"
#endif

/* ---- decimals, against 128-bit arithmetic ---- */

__extension__ typedef __int128 Wide;

static tb_decimal
nano (gint64 value)
{
  tb_decimal number = { value, 1 };
  return number;
}

static gboolean
is_wide (tb_decimal number, Wide expected)
{
  gboolean fits = expected >= -INT64_MAX && expected <= INT64_MAX;
  return fits ? number.known && number.nano == (gint64)expected : !number.known;
}

/* Of any size: all magnitudes are equally likely. */
static gint64
any_number (GRand *rand)
{
  guint64 bits = (guint64)g_rand_int (rand) << 32 | g_rand_int (rand);
  return (gint64)(bits >> 1 >> g_rand_int_range (rand, 0, 63)) * (g_rand_boolean (rand) ? 1 : -1);
}

static Wide
wide_product (gint64 a, gint64 b)
{
  Wide product = (Wide)a * b, half = TB_NANO / 2;
  return (product < 0 ? product - half : product + half) / TB_NANO;
}

static void
test_products_agree_with_wide_arithmetic (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  for (int i = 0; i < 300000; i++) {
    gint64 a = any_number (rand), b = any_number (rand);
    if (!is_wide (tb_times (nano (a), nano (b)), wide_product (a, b))) {
      fprintf (stderr, "%" G_GINT64_FORMAT " times %" G_GINT64_FORMAT "\n", a, b);
      CU_FAIL_FATAL ("a product differs");
    }
  }
}

static void
test_products_at_the_edges (void)
{
  static const gint64 edges[] = {
    0,        1,           -1,        499999999,  500000000,     500000001,          TB_NANO,
    -TB_NANO, TB_NANO + 1, INT64_MAX, -INT64_MAX, INT64_MAX / 2, INT64_MAX - TB_NANO
  };
  for (guint i = 0; i < G_N_ELEMENTS (edges); i++)
    for (guint k = 0; k < G_N_ELEMENTS (edges); k++)
      CU_ASSERT (is_wide (tb_times (nano (edges[i]), nano (edges[k])), wide_product (edges[i], edges[k])));
}

static void
test_sums_agree_with_wide_arithmetic (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  for (int i = 0; i < 100000; i++) {
    gint64 a = any_number (rand), b = any_number (rand);
    CU_ASSERT_FATAL (is_wide (tb_plus (nano (a), nano (b)), (Wide)a + b));
    CU_ASSERT_FATAL (is_wide (tb_minus (nano (a), nano (b)), (Wide)a - b));
  }
}

static void
test_what_is_not_said_stays_not_said (void)
{
  tb_decimal none = { 0, 0 }, one = tb_decimal_of (1);
  CU_ASSERT (!tb_plus (none, one).known && !tb_plus (one, none).known);
  CU_ASSERT (!tb_minus (none, one).known && !tb_times (one, none).known);
  CU_ASSERT (!tb_less (none, one) && !tb_less (one, none) && !tb_same (none, none));
  CU_ASSERT (!tb_positive (none) && !tb_is_whole (none));
}

static void
test_constants_become_decimals (void)
{
  CU_ASSERT (tb_same (tb_decimal_of (0.01), nano (10000000)));
  CU_ASSERT (tb_same (tb_decimal_of (29.5735), nano (29573500000)));
  CU_ASSERT (tb_same (tb_decimal_of (-3.5), nano (-3500000000)));
  CU_ASSERT (tb_decimal_of (0).known);
  CU_ASSERT (!tb_decimal_of (1e10).known && !tb_decimal_of (-1e300).known);
  CU_ASSERT (!tb_decimal_of (__builtin_nan ("")).known);
}

static void
test_three_and_a_half_grams_cost_twenty_eight (void)
{
  tb_decimal price = tb_times (tb_decimal_of (3.5), tb_decimal_of (8));
  CU_ASSERT (tb_same (price, tb_decimal_of (28)) && tb_is_whole (price) && tb_positive (price));
  CU_ASSERT (tb_less (tb_decimal_of (3.5), tb_decimal_of (8)) && !tb_is_whole (tb_decimal_of (3.5)));
}

/* ---- flags, texts, lists ---- */

static void
test_a_flag_knows_whether_it_was_said (void)
{
  tb_flag none = { 0 }, yes = tb_flag_of (true), no = tb_flag_of (false);
  CU_ASSERT (!tb_yes (none) && !tb_no (none) && tb_not (none).state == 0);
  CU_ASSERT (tb_yes (yes) && !tb_no (yes) && tb_no (tb_not (yes)));
  CU_ASSERT (tb_no (no) && !tb_yes (no) && tb_yes (tb_not (no)));
}

static void
test_texts_may_be_null (void)
{
  CU_ASSERT (tb_is ("a", "a") && !tb_is ("a", "b") && !tb_is (NULL, "a") && !tb_is (NULL, NULL));
  CU_ASSERT (tb_starts ("header:X", "header:") && !tb_starts ("he", "header:") && !tb_starts (NULL, "a"));
}

static void *
alloc (tb_call *call, size_t size)
{
  void *block = g_malloc0 (size);
  g_ptr_array_add (call->reserved, block);
  return block;
}

static const char *
setting (tb_call *call, const char *key, size_t index, int type)
{
  static const char *const places[] = { "FRONT", "BACK" };
  if (tb_is (key, "places"))
    return index < 2 ? places[index] : NULL;
  if (tb_is (key, "wait"))
    return "15m";
  if (tb_is (key, "rate"))
    return "-2.5";
  if (tb_is (key, "most"))
    return "1000";
  return tb_is (key, "blank") ? "" : tb_is (key, "on") ? "true" : NULL;
}

static const tb_host host = {
  .size = sizeof host, .minor = TB_SDK_MINOR, .alloc = alloc, .setting = setting
};

static void
test_a_list_grows_and_keeps_what_it_holds (void)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func (g_free);
  tb_call call = { &host, blocks };
  tb_product product = { 0 };
  for (int i = 0; i < 100; i++) {
    tb_price *price = tb_add (&call, &product.prices);
    CU_ASSERT (price->label == NULL && price->amount.minor == 0);
    price->amount.minor = i;
  }
  CU_ASSERT_EQUAL_FATAL (product.prices.count, 100);
  for (int i = 0; i < 100; i++)
    CU_ASSERT_EQUAL (product.prices.first[i].amount.minor, i);
}

static void
test_blank_texts_are_not_added (void)
{
  g_autoptr (GPtrArray) blocks = g_ptr_array_new_with_free_func (g_free);
  tb_call call = { &host, blocks };
  tb_product product = { 0 };
  tb_add_text (&call, &product.tags, NULL);
  tb_add_text (&call, &product.tags, "");
  tb_add_text (&call, &product.tags, "calm");
  tb_add_pair (&call, &product.attributes, "a", NULL);
  tb_add_pair (&call, &product.attributes, "b", "");
  tb_add_pair (&call, &product.attributes, "c", "d");
  CU_ASSERT (product.tags.count == 1 && tb_is (product.tags.first[0], "calm"));
  CU_ASSERT (product.attributes.count == 1 && tb_is (product.attributes.first[0].value, "d"));
}

static void
test_settings_are_read_by_their_type (void)
{
  tb_call call = { &host, NULL };
  CU_ASSERT_EQUAL (tb_setting_ms (&call, "wait"), 900000);
  CU_ASSERT (tb_same (tb_setting_number (&call, "rate"), tb_decimal_of (-2.5)));
  CU_ASSERT_EQUAL (tb_setting_int (&call, "most"), 1000);
  CU_ASSERT (tb_setting_bool (&call, "on") && !tb_setting_bool (&call, "off"));
  CU_ASSERT_PTR_NULL (tb_setting_text (&call, "blank"));
  CU_ASSERT (!tb_setting_number (&call, "off").known && tb_setting_ms (&call, "off") == 0);
}

static void
test_an_empty_list_admits_all (void)
{
  tb_call call = { &host, NULL };
  CU_ASSERT (tb_setting_admits (&call, "places", "BACK") && !tb_setting_admits (&call, "places", "CELLAR"));
  CU_ASSERT (!tb_setting_admits (&call, "places", NULL) && tb_setting_admits (&call, "none", "CELLAR"));
}

static void
test_readers_take_nothing_for_an_answer (void)
{
  int rounds = 0;
  CU_ASSERT (!tb_at (NULL, "a") && !tb_text (NULL, "a") && !tb_string (NULL, "a") && !tb_date (NULL, "a"));
  CU_ASSERT (tb_int (NULL, "a", 7) == 7 && !tb_number (NULL, "a").known && !tb_known (tb_cash (NULL, "a")));
  CU_ASSERT (tb_time (NULL, "a") == 0 && tb_bool (NULL, "a").state == 0 && tb_count (NULL, "a") == 0);
  TB_FOR (row, NULL, "a")
    rounds++;
  TB_EACH (item, NULL)
    rounds++;
  CU_ASSERT (rounds == 0 && tb_seen (NULL) == 0 && !tb_rest (NULL) && !tb_copy (NULL));
  tb_set_text (NULL, "a", "b");
}

int
main (void)
{
  return TAP_RUN ("sdk",
                  { "products agree with 128-bit arithmetic", test_products_agree_with_wide_arithmetic },
                  { "products at the edges", test_products_at_the_edges },
                  { "sums agree with 128-bit arithmetic", test_sums_agree_with_wide_arithmetic },
                  { "what is not said stays not said", test_what_is_not_said_stays_not_said },
                  { "constants become decimals", test_constants_become_decimals },
                  { "3.5 g at 8.00 cost 28.00", test_three_and_a_half_grams_cost_twenty_eight },
                  { "a flag knows whether it was said", test_a_flag_knows_whether_it_was_said },
                  { "texts may be NULL", test_texts_may_be_null },
                  { "a list grows and keeps what it holds", test_a_list_grows_and_keeps_what_it_holds },
                  { "blank texts are not added", test_blank_texts_are_not_added },
                  { "settings are read by their type", test_settings_are_read_by_their_type },
                  { "an empty list admits all", test_an_empty_list_admits_all },
                  { "readers take nothing for an answer", test_readers_take_nothing_for_an_answer });
}
