/* What a list's parameters ask of a record, and how it is written. */
#include "tap.h"

#include <string.h>

#include "api/filter.h"
#include "model/model.h"

/* What the filter makes of a record: its text, or "". */
static char *
taken (Filter *filter, const StoreFound *like, const char *body)
{
  JsonBuffer out = { 0 };
  StoreFound found = *like;
  found.body = body;
  found.body_length = strlen (body);
  char *text = filter_take (filter, &found, &out) ? g_strndup (out.bytes, out.length) : g_strdup ("");
  json_buffer_clear (&out);
  return text;
}

static void
expect (Filter *filter, const StoreFound *like, const char *body, const char *expected)
{
  g_autofree char *text = taken (filter, like, body);
  CU_ASSERT_STRING_EQUAL (text, expected);
}

static const StoreFound nothing = { .id = "a", .id_length = 1 };

static void
test_available_is_the_quantity_where_no_levels_tell (void)
{
  Filter *filter = filter_new (MODEL_PRODUCTS);
  expect (filter, &nothing, "{\"id\":\"a\",\"quantity\":1.25}",
          "{\"id\":\"a\",\"quantity\":1.25,\"available\":1.25}");
  expect (filter, &nothing, "{\"id\":\"a\"}", "{\"id\":\"a\"}");
  expect (filter, &nothing, "{\"prices\":[{\"quantity\":3}]}", "{\"prices\":[{\"quantity\":3}]}");
  expect (filter, &nothing, "{\"quantity\":\"3\"}", "{\"quantity\":\"3\"}");
  filter_free (filter);
}

static void
test_available_is_what_levels_tell_and_none_is_none (void)
{
  Filter *filter = filter_new (MODEL_PRODUCTS);
  filter->stock = TRUE;
  StoreFound some = nothing;
  some.has_stock = TRUE;
  const struct {
    double stock;
    const char *text;
  } cases[] = { { 0.3, "0.3" }, { -2.5, "-2.5" }, { 12, "12" }, { 1e10, "10000000000" }, { 0, "0" } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    some.stock = cases[i].stock;
    g_autofree char *expected = g_strdup_printf ("{\"quantity\":7,\"available\":%s}", cases[i].text);
    expect (filter, &some, "{\"quantity\":7}", expected);
  }
  expect (filter, &nothing, "{}", "{\"available\":0}");
  filter_free (filter);
}

static void
test_unknown_stock_is_neither_in_nor_out (void)
{
  Filter *filter = filter_new (MODEL_PRODUCTS);
  for (filter->in_stock = WISH_YES; filter->in_stock <= WISH_NO; filter->in_stock++) {
    gboolean yes = filter->in_stock == WISH_YES;
    expect (filter, &nothing, "{}", "");
    expect (filter, &nothing, "{\"quantity\":1}", yes ? "{\"quantity\":1,\"available\":1}" : "");
    expect (filter, &nothing, "{\"quantity\":0}", yes ? "" : "{\"quantity\":0,\"available\":0}");
    expect (filter, &nothing, "{\"quantity\":-1}", yes ? "" : "{\"quantity\":-1,\"available\":-1}");
  }
  filter_free (filter);
}

static void
test_what_says_nothing_is_visible (void)
{
  Filter *filter = filter_new (MODEL_PRODUCTS);
  filter->visible = WISH_YES;
  expect (filter, &nothing, "{}", "{}");
  expect (filter, &nothing, "{\"visible\":true}", "{\"visible\":true}");
  expect (filter, &nothing, "{\"visible\":false}", "");
  filter->visible = WISH_NO;
  expect (filter, &nothing, "{}", "");
  expect (filter, &nothing, "{\"visible\":false}", "{\"visible\":false}");
  filter_free (filter);
}

static void
test_an_age_goes_by_the_records_own_time_or_by_when_it_came (void)
{
  Filter *filter = filter_new (MODEL_CUSTOMERS);
  filter->since_ms = 100;
  expect (filter, &(StoreFound){ .updated_ms = 99, .at_ms = 200 }, "{}", "");
  expect (filter, &(StoreFound){ .updated_ms = 100, .at_ms = 1 }, "{}", "{}");
  expect (filter, &(StoreFound){ .at_ms = 100 }, "{}", "{}");
  expect (filter, &(StoreFound){ .at_ms = 99 }, "{}", "");
  filter_free (filter);
}

static void
test_only_the_ordinals_that_were_found (void)
{
  Filter *filter = filter_new (MODEL_CUSTOMERS);
  filter->ordinals = g_array_new (FALSE, FALSE, sizeof (guint32));
  const guint32 ordinals[] = { 2, 5, 9 };
  g_array_append_vals (filter->ordinals, ordinals, G_N_ELEMENTS (ordinals));
  for (guint32 i = 0; i < 12; i++)
    expect (filter, &(StoreFound){ .ordinal = i }, "{}", i == 2 || i == 5 || i == 9 ? "{}" : "");
  filter_free (filter);
}

static void
test_levels_are_of_their_product_and_place (void)
{
  Filter *filter = filter_new (MODEL_INVENTORY);
  model_inventory_id (&filter->levels_of, "p1", NULL, NULL, TB_ANYBODY);
  expect (filter, &(StoreFound){ .id = "p1", .id_length = 2 }, "{}", "{}");
  expect (filter, &(StoreFound){ .id = "p1:l", .id_length = 4 }, "{}", "{}");
  expect (filter, &(StoreFound){ .id = "p12", .id_length = 3 }, "{}", "");
  expect (filter, &(StoreFound){ .id = "p", .id_length = 1 }, "{}", "");
  filter->location = g_strdup ("l-1");
  expect (filter, &(StoreFound){ .id = "p1", .id_length = 2 }, "{}", "");
  expect (filter, &(StoreFound){ .id = "p1", .id_length = 2 }, "{\"location_id\":\"l-1\"}",
          "{\"location_id\":\"l-1\"}");
  filter_free (filter);
}

static void
test_a_promotion_is_active_as_it_says_or_by_its_times (void)
{
  const struct {
    const char *body;
    gboolean active;
  } cases[] = {
    { "{\"active\":true,\"ends_at\":\"2000-01-01T00:00:00.000Z\"}", TRUE },
    { "{\"active\":false}", FALSE },
    { "{}", TRUE },
    { "{\"starts_at\":\"2030-01-01T00:00:00.000Z\"}", FALSE },
    { "{\"starts_at\":\"2020-01-01T00:00:00.000Z\"}", TRUE },
    { "{\"ends_at\":\"2020-01-01T00:00:00.000Z\"}", FALSE },
    { "{\"ends_at\":\"2030-01-01T00:00:00.000Z\"}", TRUE },
  };
  Filter *filter = filter_new (MODEL_PROMOTIONS);
  filter->now_ms = 1772471740000; /* in 2026 */
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    filter->active = WISH_YES;
    expect (filter, &nothing, cases[i].body, cases[i].active ? cases[i].body : "");
    filter->active = WISH_NO;
    expect (filter, &nothing, cases[i].body, cases[i].active ? "" : cases[i].body);
  }
  filter_free (filter);
}

static void
test_a_promotion_is_for_a_product_by_id_by_category_or_by_the_products_word (void)
{
  static const char product[] =
    "{\"id\":\"p\",\"category\":\"EDIBLE\",\"promotions\":[{\"id\":\"d-1\"},7,{}]}";
  Filter *filter = filter_new (MODEL_PROMOTIONS);
  filter->product = g_strdup ("p");
  expect (filter, &nothing, "{\"id\":\"d-1\"}", "");
  filter_take_product (filter, &(StoreFound){ .body = product, .body_length = sizeof product - 1 });
  const char *const its[] = { "{\"id\":\"d-1\"}", "{\"product_ids\":[\"o\",\"p\"]}",
                              "{\"categories\":[\"EDIBLE\"]}" };
  const char *const others[] = { "{\"id\":\"d-2\"}", "{\"product_ids\":[\"o\"]}",
                                 "{\"categories\":\"EDIBLE\"}", "{}" };
  for (gsize i = 0; i < G_N_ELEMENTS (its); i++)
    expect (filter, &nothing, its[i], its[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    expect (filter, &nothing, others[i], "");
  filter_free (filter);
}

int
main (void)
{
  return TAP_RUN (
    "api-filter",
    { "available is the quantity where no levels tell", test_available_is_the_quantity_where_no_levels_tell },
    { "available is what levels tell and none is none", test_available_is_what_levels_tell_and_none_is_none },
    { "unknown stock is neither in nor out", test_unknown_stock_is_neither_in_nor_out },
    { "what says nothing is visible", test_what_says_nothing_is_visible },
    { "an age goes by the record's own time or by when it came",
      test_an_age_goes_by_the_records_own_time_or_by_when_it_came },
    { "only the ordinals that were found", test_only_the_ordinals_that_were_found },
    { "levels are of their product and place", test_levels_are_of_their_product_and_place },
    { "a promotion is active as it says or by its times",
      test_a_promotion_is_active_as_it_says_or_by_its_times },
    { "a promotion is for a product by id, by category or by the product's word",
      test_a_promotion_is_for_a_product_by_id_by_category_or_by_the_products_word });
}
