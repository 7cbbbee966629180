/* What a record cannot be, and how that is told. */
#include "model-records.h"

static void
test_model_refuses_what_is_missing (void)
{
  tb_price price = { .label = "each" };
  tb_image image = { .role = TB_PRIMARY };
  tb_potency potency = { .min = whole (1) };
  tb_offer offer = { .id = "x" };
  tb_product product = least_product ();
  product.prices.first = &price;
  product.prices.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "prices[0].amount"));
  product = least_product (), product.images.first = &image, product.images.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "images[0].url"));
  product = least_product (), product.potency.first = &potency, product.potency.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "potency[0].analyte"));
  product = least_product (), product.offers.first = &offer, product.offers.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "promotions[0].name"));
  product = least_product (), product.weight = whole (1);
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "net_weight.unit"));
  product = (tb_product){ .name = "N" };
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "id"));
  tb_inventory level = { .quantity = whole (1) };
  CU_ASSERT (refuses (MODEL_INVENTORY, &level, "missing_field", "product_id"));
  level = (tb_inventory){ .product_id = "1" };
  CU_ASSERT (refuses (MODEL_INVENTORY, &level, "missing_field", "quantity"));
  tb_promotion promotion = { .id = "1" };
  CU_ASSERT (refuses (MODEL_PROMOTIONS, &promotion, "missing_field", "name"));
  tb_customer customer = { .phone = "+15105550100" };
  CU_ASSERT (refuses (MODEL_CUSTOMERS, &customer, "missing_field", "id"));
}

static void
test_model_refuses_bad_texts (void)
{
  tb_product product = least_product ();
  const char *tags[] = { "calm", "\xc0\x80" };
  tb_pair pair = { "a\x01", "b" };
  product.brand = "caf\xe9";
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "not_utf8", "brand"));
  product.brand = "\xed\xa0\x80"; /* half of a surrogate pair */
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "not_utf8", "brand"));
  product.brand = "bell \x07";
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "control_character", "brand"));
  product = least_product (), product.tags.first = tags, product.tags.count = 2;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "not_utf8", "tags[1]"));
  product = least_product (), product.attributes.first = &pair, product.attributes.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "control_character", "attributes[0]"));
}

static void
test_model_refuses_what_is_too_long (void)
{
  g_autofree char *text = g_strnfill ((64 << 10) + 1, 'x');
  tb_product product = least_product ();
  product.description = text;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "too_long", "description"));
  product.description = text + 1;
  g_autofree char *body = render (MODEL_PRODUCTS, &product, NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL (body);
  product = least_product (), product.id = text + (64 << 10) + 1 - 201;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "too_long", "id"));
  product = least_product (), product.name = text + (64 << 10) + 1 - 501;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "too_long", "name"));
  tb_inventory level = { .product_id = "1", .batch_id = text, .quantity = whole (1) };
  CU_ASSERT (refuses (MODEL_INVENTORY, &level, "too_long", "batch_id"));
  const char *tags[1001];
  for (gsize i = 0; i < G_N_ELEMENTS (tags); i++)
    tags[i] = text + (64 << 10) + 1 - 1000;
  product = least_product (), product.tags.first = tags, product.tags.count = 1001;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "too_long", "tags"));
  product.tags.count = 1000, product.description = text + 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "too_long", "")); /* more than a record may have */
}

static void
test_model_refuses_what_is_out_of_range (void)
{
  tb_product product = least_product ();
  product.unit = (tb_unit)6;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "unit"));
  product = least_product (), product.classification = (tb_strain)-1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "classification"));
  product = least_product (), product.visible.state = 3;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "visible"));
  product = least_product (), product.quantity = whole (-1);
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "quantity"));
  product = least_product (), product.updated_at_ms = 253402300800000;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "updated_at"));
  product = least_product (), product.tags.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "tags"));
  tb_price price = { .amount = { -1, "USD" } };
  product = least_product (), product.prices.first = &price, product.prices.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "prices[0].amount"));
  price.amount.minor = G_GINT64_CONSTANT (9007199254740992);
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "out_of_range", "prices[0].amount"));
  tb_promotion promotion = { .id = "1", .name = "N", .type = TB_PERCENT, .value = number (100000000001) };
  CU_ASSERT (refuses (MODEL_PROMOTIONS, &promotion, "out_of_range", "value"));
  promotion.type = TB_AMOUNT, promotion.value = number (G_MAXINT64);
  CU_ASSERT (refuses (MODEL_PROMOTIONS, &promotion, "out_of_range", "value"));
  promotion.type = (tb_discount)5;
  CU_ASSERT (refuses (MODEL_PROMOTIONS, &promotion, "out_of_range", "type"));
}

static void
test_model_refuses_bad_currencies (void)
{
  static const char *const bad[] = { "usd", "US", "USDT", "U\xe9X" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    tb_price price = { .amount = { 1, "" } };
    g_strlcpy (price.amount.currency, bad[i], sizeof price.amount.currency);
    tb_product product = least_product ();
    product.prices.first = &price, product.prices.count = 1;
    CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "bad_currency", "prices[0].amount"));
  }
  tb_price unended = { .amount = { 1, { 'U', 'S', 'D', 'U', 'S', 'D', 'U', 'S' } } }; /* no zero behind it */
  tb_product product = least_product ();
  product.prices.first = &unended, product.prices.count = 1;
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "bad_currency", "prices[0].amount"));
  tb_order order = { .vendor_id = "1", .tax = { 1, "USD" }, .total = { 2, "CAD" } };
  CU_ASSERT (refuses (MODEL_ORDERS, &order, "bad_currency", "total"));
}

static void
test_model_refuses_money_that_nobody_named_a_currency_for (void)
{
  const ModelContext nowhere = { 0 };
  tb_price price = { .amount = { 1, "" } };
  tb_product product = least_product ();
  product.prices.first = &price, product.prices.count = 1;
  JsonBuffer out = { 0 }, ids = { 0 };
  ModelRendered rendered;
  ModelReject reject;
  CU_ASSERT_FALSE (model_render (MODEL_PRODUCTS, &product, &nowhere, &out, &ids, &rendered, &reject));
  CU_ASSERT_STRING_EQUAL (reject.reason, "bad_currency");
  json_buffer_clear (&out);
  json_buffer_clear (&ids);
}

static void
test_model_refuses_bad_dates_phones_and_addresses (void)
{
  static const char *const dates[] = { "1989-3-7", "1989-02-30", "07.03.1989", "1989-03-07T00:00:00Z", "x" };
  static const char *const phones[] = { "5105550100", "+05105550100",     "+151055", "+1510555010a",
                                        "+",          "+1234567890123456" };
  static const char *const urls[] = { "img.example/1", "ftp://img.example/1", "https://",
                                      "https:///1",    "http://a b",          "javascript:alert(1)" };
  for (gsize i = 0; i < G_N_ELEMENTS (dates); i++) {
    tb_customer customer = { .id = "1", .birthday = dates[i] };
    CU_ASSERT (refuses (MODEL_CUSTOMERS, &customer, "bad_date", "birthday"));
    customer = (tb_customer){ .id = "1", .medical_id_expires = dates[i] };
    CU_ASSERT (refuses (MODEL_CUSTOMERS, &customer, "bad_date", "medical_id_expires"));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (phones); i++) {
    tb_customer customer = { .id = "1", .phone = phones[i] };
    CU_ASSERT (refuses (MODEL_CUSTOMERS, &customer, "bad_phone", "phone"));
  }
  for (gsize i = 0; i < G_N_ELEMENTS (urls); i++) {
    tb_image image = { .url = urls[i] };
    tb_product product = least_product ();
    product.images.first = &image, product.images.count = 1;
    CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "bad_url", "images[0].url"));
  }
}

static void
test_model_takes_back_what_it_wrote_of_a_refused_record (void)
{
  JsonBuffer out = { 0 }, ids = { 0 };
  ModelRendered rendered;
  ModelReject reject;
  tb_product good = least_product (), bad = least_product ();
  bad.updated_at_ms = G_MAXINT64;
  CU_ASSERT (model_render (MODEL_PRODUCTS, &good, &store, &out, &ids, &rendered, &reject));
  CU_ASSERT_FALSE (model_render (MODEL_PRODUCTS, &bad, &store, &out, &ids, &rendered, &reject));
  CU_ASSERT (model_render (MODEL_PRODUCTS, &good, &store, &out, &ids, &rendered, &reject));
  CU_ASSERT_EQUAL (out.length, 2 * strlen ("{\"id\":\"1\",\"name\":\"N\"}"));
  json_buffer_clear (&out);
  json_buffer_clear (&ids);
}

int
main (void)
{
  return TAP_RUN (
    "model checks", { "refuses what is missing", test_model_refuses_what_is_missing },
    { "refuses bad texts", test_model_refuses_bad_texts },
    { "refuses what is too long", test_model_refuses_what_is_too_long },
    { "refuses what is out of range", test_model_refuses_what_is_out_of_range },
    { "refuses bad currencies", test_model_refuses_bad_currencies },
    { "refuses money that nobody named a currency for",
      test_model_refuses_money_that_nobody_named_a_currency_for },
    { "refuses bad dates, phones and addresses", test_model_refuses_bad_dates_phones_and_addresses },
    { "takes back what it wrote of a refused record",
      test_model_takes_back_what_it_wrote_of_a_refused_record });
}
