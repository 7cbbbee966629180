#include "model-records.h"

/* 2026-03-02T08:00:00.000Z and 2026-03-02T17:15:40.120Z */
static const long long monday_ms = 1772438400000, later_ms = 1772471740120;

/* ---- what SURFACES.md shows ---- */

static void
test_model_renders_a_product_with_everything (void)
{
  tb_price price = { .label = "100 MG",
                     .quantity = whole (1),
                     .unit = TB_EACH_ONE,
                     .amount = { 3000, "USD" },
                     .tax_included = tb_flag_of (false) };
  tb_potency potency = { .analyte = "THC", .min = number (98500000000), .max = whole (101), .unit = "mg" };
  tb_image image = { .url = "https://img.example/1", .role = TB_PRIMARY };
  tb_offer offer = { .id = "d-100",
                     .name = "Monday gummies",
                     .type = TB_PERCENT,
                     .value = whole (20),
                     .price = { 2400, "USD" },
                     .starts_at_ms = monday_ms };
  const char *tag = "calm";
  tb_pair pair = { "treez.classification", "I/S" };
  tb_product product = {
    .id = "5b0c",
    .name = "Plum Gummies",
    .sku = "00855001",
    .barcode = "00855001",
    .brand = "ORCHARD LANE",
    .category = "EDIBLE",
    .subcategory = "GUMMY",
    .description = "Ten pieces.",
    .strain = "Plum",
    .parent_id = "5b0caa",
    .classification = TB_HYBRID,
    .unit = TB_EACH_ONE,
    .weight_unit = TB_MILLIGRAM,
    .visible = tb_flag_of (true),
    .weight = whole (100),
    .quantity = whole (14),
    .prices = { &price, 1, 0 },
    .potency = { &potency, 1, 0 },
    .images = { &image, 1, 0 },
    .offers = { &offer, 1, 0 },
    .tags = { &tag, 1, 0 },
    .attributes = { &pair, 1, 0 },
    .updated_at_ms = later_ms,
    .medical_only = tb_flag_of (false),
  };
  CU_ASSERT (renders_as (
    MODEL_PRODUCTS, &product,
    "{\"id\":\"5b0c\",\"sku\":\"00855001\",\"barcode\":\"00855001\",\"name\":\"Plum "
    "Gummies\",\"brand\":\"ORCHARD LANE\","
    "\"category\":\"EDIBLE\",\"subcategory\":\"GUMMY\",\"description\":\"Ten pieces.\",\"strain\":\"Plum\","
    "\"classification\":\"hybrid\",\"unit\":\"each\",\"net_weight\":{\"value\":100,\"unit\":\"mg\"},"
    "\"prices\":[{\"label\":\"100 MG\",\"quantity\":1,\"unit\":\"each\",\"amount\":3000,\"currency\":\"USD\","
    "\"customer_type\":\"any\",\"tax_included\":false}],"
    "\"potency\":[{\"analyte\":\"THC\",\"min\":98.5,\"max\":101,\"unit\":\"mg\"}],"
    "\"images\":[{\"url\":\"https://img.example/1\",\"role\":\"primary\"}],"
    "\"promotions\":[{\"id\":\"d-100\",\"name\":\"Monday "
    "gummies\",\"type\":\"percent\",\"value\":20,\"price\":2400,"
    "\"currency\":\"USD\",\"starts_at\":\"2026-03-02T08:00:00.000Z\"}],\"tags\":[\"calm\"],\"parent_id\":"
    "\"5b0caa\","
    "\"medical_only\":false,\"visible\":true,\"quantity\":14,\"attributes\":{\"treez.classification\":\"I/"
    "S\"},"
    "\"updated_at\":\"2026-03-02T17:15:40.120Z\"}"));
  ModelRendered rendered;
  g_autofree char *body = render (MODEL_PRODUCTS, &product, &rendered, NULL);
  CU_ASSERT_STRING_EQUAL (rendered.id, "5b0c");
  CU_ASSERT_EQUAL (rendered.id_length, 4);
  CU_ASSERT_STRING_EQUAL (rendered.parent_id, "5b0caa");
  CU_ASSERT_EQUAL (rendered.updated_ms, later_ms);
}

static void
test_model_renders_a_stock_level (void)
{
  tb_inventory level = { .product_id = "5b0c",
                         .location_id = "l-1",
                         .batch_id = "b7",
                         .quantity = whole (4),
                         .unit = TB_EACH_ONE,
                         .buyer = TB_MEDICAL,
                         .updated_at_ms = later_ms };
  CU_ASSERT (renders_as (MODEL_INVENTORY, &level,
                         "{\"id\":\"5b0c:l-1:b7:medical\",\"product_id\":\"5b0c\",\"location_id\":\"l-1\","
                         "\"batch_id\":\"b7\",\"customer_type\":\"medical\",\"quantity\":4,\"unit\":\"each\","
                         "\"updated_at\":\"2026-03-02T17:15:40.120Z\"}"));
  JsonBuffer out = { 0 }, ids = { 0 };
  ModelRendered rendered;
  ModelReject reject;
  CU_ASSERT (model_render (MODEL_INVENTORY, &level, &store, &out, &ids, &rendered, &reject));
  CU_ASSERT_EQUAL (rendered.id_length, strlen ("5b0c:l-1:b7:medical"));
  CU_ASSERT_NSTRING_EQUAL (rendered.id, "5b0c:l-1:b7:medical", rendered.id_length);
  CU_ASSERT_STRING_EQUAL (rendered.parent_id, "5b0c");
  json_buffer_clear (&out);
  json_buffer_clear (&ids);
}

static void
test_model_renders_a_promotion (void)
{
  const char *product = "5b0c", *category = "EDIBLE";
  tb_pair pair = { "treez.code", "MON" };
  tb_promotion promotion = {
    .id = "d-100",
    .name = "Monday gummies",
    .type = TB_PERCENT,
    .value = whole (20),
    .product_ids = { &product, 1, 0 },
    .categories = { &category, 1, 0 },
    .schedule = "Weekly on Monday",
    .starts_at_ms = monday_ms,
    .active = tb_flag_of (true),
    .attributes = { &pair, 1, 0 },
  };
  CU_ASSERT (renders_as (MODEL_PROMOTIONS, &promotion,
                         "{\"id\":\"d-100\",\"name\":\"Monday gummies\",\"type\":\"percent\",\"value\":20,"
                         "\"product_ids\":[\"5b0c\"],\"categories\":[\"EDIBLE\"],\"customer_type\":\"any\","
                         "\"schedule\":\"Weekly on Monday\",\"starts_at\":\"2026-03-02T08:00:00.000Z\","
                         "\"active\":true,\"attributes\":{\"treez.code\":\"MON\"}}"));
}

static void
test_model_renders_a_customer (void)
{
  tb_customer customer = {
    .id = "731",
    .type = TB_RECREATIONAL,
    .status = "active",
    .first_name = "Ada",
    .last_name = "Reyes",
    .email = "ada@example.com",
    .phone = "+15105550100",
    .birthday = "1989-03-07",
    .medical_id = "M1",
    .medical_id_expires = "2027-01-31",
    .street = "1 Main St",
    .street2 = "2",
    .city = "Oakland",
    .state = "CA",
    .postal_code = "94607",
    .country = "US",
    .loyalty_points = whole (120),
    .consent_sms = tb_flag_of (true),
    .consent_email = tb_flag_of (false),
    .updated_at_ms = later_ms,
  };
  CU_ASSERT (
    renders_as (MODEL_CUSTOMERS, &customer,
                "{\"id\":\"731\",\"type\":\"recreational\",\"status\":\"active\",\"first_name\":\"Ada\","
                "\"last_name\":\"Reyes\","
                "\"email\":\"ada@example.com\",\"phone\":\"+15105550100\",\"birthday\":\"1989-03-07\","
                "\"medical_id\":\"M1\","
                "\"medical_id_expires\":\"2027-01-31\",\"address\":{\"street\":\"1 Main "
                "St\",\"street2\":\"2\",\"city\":\"Oakland\","
                "\"state\":\"CA\",\"postal_code\":\"94607\",\"country\":\"US\"},\"loyalty_points\":120,"
                "\"consent\":{\"sms\":true,\"email\":false},\"updated_at\":\"2026-03-02T17:15:40.120Z\"}"));
}

static void
test_model_renders_an_order (void)
{
  tb_order_item item = { .product_id = "5b0c",
                         .sku = "00855001",
                         .name = "Plum Gummies",
                         .quantity = whole (2),
                         .unit = TB_EACH_ONE,
                         .unit_price = { 2400, "USD" },
                         .discount = { 0, "USD" },
                         .total = { 4800, "USD" } };
  tb_fee fee = { .name = "bag", .amount = { 10, "USD" } };
  tb_customer customer = { .id = "731", .first_name = "Ada", .phone = "+15105550100" };
  tb_order order = {
    .id = "ord_01JN",
    .reference = "K-1077",
    .vendor_id = "9c44",
    .number = "K7Q2MD",
    .status = TB_ORDER_CONFIRMED,
    .fulfilment = TB_PICKUP,
    .customer = &customer,
    .items = { &item, 1, 0 },
    .fees = { &fee, 1, 0 },
    .subtotal = { 4800, "USD" },
    .discount = { 0, "USD" },
    .tax = { 624, "USD" },
    .rounding = { 0, "USD" },
    .total = { 5434, "USD" },
    .note = "call on arrival",
    .pickup_at_ms = monday_ms,
    .updated_at_ms = later_ms,
  };
  CU_ASSERT (
    renders_as (MODEL_ORDERS, &order,
                "{\"id\":\"ord_01JN\",\"reference\":\"K-1077\",\"vendor_id\":\"9c44\",\"number\":\"K7Q2MD\","
                "\"status\":\"confirmed\","
                "\"fulfilment\":\"pickup\",\"customer\":{\"id\":\"731\",\"first_name\":\"Ada\",\"phone\":\"+"
                "15105550100\"},"
                "\"items\":[{\"product_id\":\"5b0c\",\"sku\":\"00855001\",\"name\":\"Plum "
                "Gummies\",\"quantity\":2,\"unit\":\"each\","
                "\"unit_price\":2400,\"discount\":0,\"total\":4800}],\"fees\":[{\"name\":\"bag\",\"amount\":"
                "10}],\"subtotal\":4800,"
                "\"discount\":0,\"tax\":624,\"rounding\":0,\"total\":5434,\"currency\":\"USD\",\"note\":"
                "\"call on arrival\","
                "\"pickup_at\":\"2026-03-02T08:00:00.000Z\",\"updated_at\":\"2026-03-02T17:15:40.120Z\"}"));
}

static void
test_model_names_an_order_by_the_vendors_id_where_it_has_none (void)
{
  tb_order order = { .vendor_id = "9c44", .status = TB_ORDER_READY };
  ModelRendered rendered;
  g_autofree char *body = render (MODEL_ORDERS, &order, &rendered, NULL);
  CU_ASSERT_STRING_EQUAL (body, "{\"vendor_id\":\"9c44\",\"status\":\"ready\"}");
  CU_ASSERT_STRING_EQUAL (rendered.id, "9c44");
  order.vendor_id = "";
  CU_ASSERT (refuses (MODEL_ORDERS, &order, "missing_field", "vendor_id"));
}

static void
test_model_renders_messages_and_insights (void)
{
  tb_message message = { .vendor_id = "SM0a",
                         .to = "+15105550100",
                         .status = TB_MESSAGE_UNDELIVERED,
                         .segments = 1,
                         .why = TB_WHY_RECIPIENT,
                         .error = "30003 Unreachable" };
  CU_ASSERT (renders_as (
    MODEL_MESSAGES, &message,
    "{\"direction\":\"out\",\"to\":\"+15105550100\",\"status\":\"undelivered\",\"segments\":1,"
    "\"vendor_id\":\"SM0a\",\"error\":{\"reason\":\"recipient\",\"detail\":\"30003 Unreachable\"}}"));
  tb_message stop = { .vendor_id = "SM1",
                      .from = "+15105550100",
                      .body = "STOP",
                      .wish = TB_WISH_STOP,
                      .inbound = tb_flag_of (true) };
  CU_ASSERT (
    renders_as (MODEL_MESSAGES, &stop,
                "{\"direction\":\"in\",\"from\":\"+15105550100\",\"body\":\"STOP\",\"wish\":\"stop\","
                "\"vendor_id\":\"SM1\"}"));
  tb_insight insight = {
    .id = "i", .about = "store", .from_ms = monday_ms, .units = whole (12), .profit = { -50, "" }
  };
  CU_ASSERT (
    renders_as (MODEL_INSIGHTS, &insight,
                "{\"id\":\"i\",\"about\":\"store\",\"from\":\"2026-03-02T08:00:00.000Z\",\"units\":12,"
                "\"profit\":-50,\"currency\":\"USD\"}"));
}

/* ---- what was not said ---- */

static void
test_model_leaves_out_what_was_not_said (void)
{
  tb_product product = least_product ();
  CU_ASSERT (renders_as (MODEL_PRODUCTS, &product, "{\"id\":\"1\",\"name\":\"N\"}"));
  tb_promotion promotion = { .id = "1", .name = "N" };
  CU_ASSERT (
    renders_as (MODEL_PROMOTIONS, &promotion, "{\"id\":\"1\",\"name\":\"N\",\"customer_type\":\"any\"}"));
  tb_customer customer = { .id = "1" };
  CU_ASSERT (renders_as (MODEL_CUSTOMERS, &customer, "{\"id\":\"1\"}"));
  tb_inventory level = { .product_id = "1", .quantity = whole (0) };
  CU_ASSERT (renders_as (MODEL_INVENTORY, &level,
                         "{\"id\":\"1\",\"product_id\":\"1\",\"customer_type\":\"any\",\"quantity\":0}"));
}

static void
test_model_takes_empty_texts_and_lists_as_not_said (void)
{
  const char *tags[] = { "", NULL };
  tb_pair pairs[] = { { "a", "" }, { "", "b" }, { NULL, "c" }, { "d", NULL } };
  tb_product product = least_product ();
  product.sku = product.description = product.parent_id = "";
  product.tags.first = tags;
  product.tags.count = 2;
  product.attributes.first = pairs;
  product.attributes.count = G_N_ELEMENTS (pairs);
  product.weight_unit = TB_GRAM; /* a unit of nothing */
  CU_ASSERT (renders_as (MODEL_PRODUCTS, &product, "{\"id\":\"1\",\"name\":\"N\"}"));
  product.name = "";
  CU_ASSERT (refuses (MODEL_PRODUCTS, &product, "missing_field", "name"));
}

static void
test_model_says_no_and_nothing (void)
{
  tb_product product = least_product ();
  product.visible = tb_flag_of (false);
  product.quantity = whole (0);
  CU_ASSERT (
    renders_as (MODEL_PRODUCTS, &product, "{\"id\":\"1\",\"name\":\"N\",\"visible\":false,\"quantity\":0}"));
}

static void
test_model_leaves_out_half_said_groups (void)
{
  tb_customer customer = { .id = "1", .city = "Oakland", .consent_email = tb_flag_of (true) };
  CU_ASSERT (renders_as (MODEL_CUSTOMERS, &customer,
                         "{\"id\":\"1\",\"address\":{\"city\":\"Oakland\"},\"consent\":{\"email\":true}}"));
}

/* ---- values ---- */

static void
test_model_escapes_texts (void)
{
  tb_product product = least_product ();
  product.name = "6\" \\ caf\xc3\xa9\r\n\t\xf0\x9f\x8d\x87";
  CU_ASSERT (renders_as (MODEL_PRODUCTS, &product,
                         "{\"id\":\"1\",\"name\":\"6\\\" \\\\ caf\xc3\xa9\\r\\n\\t\xf0\x9f\x8d\x87\"}"));
}

static void
test_model_takes_the_stores_currency (void)
{
  tb_price prices[] = { { .amount = { 5, "" } }, { .amount = { 0, "CAD" } } };
  tb_product product = least_product ();
  product.prices.first = prices;
  product.prices.count = 2;
  CU_ASSERT (renders_as (MODEL_PRODUCTS, &product,
                         "{\"id\":\"1\",\"name\":\"N\",\"prices\":["
                         "{\"amount\":5,\"currency\":\"USD\",\"customer_type\":\"any\"},"
                         "{\"amount\":0,\"currency\":\"CAD\",\"customer_type\":\"any\"}]}"));
}

static char *
promotion_of (tb_discount type, tb_decimal value, tb_money amount)
{
  tb_promotion promotion = { .id = "1", .name = "N", .type = type, .value = value, .amount = amount };
  return render (MODEL_PROMOTIONS, &promotion, NULL, NULL);
}

#define IS_PROMOTION(body, middle)                                                                           \
  do {                                                                                                       \
    g_autofree char *is = body;                                                                              \
    CU_ASSERT_STRING_EQUAL (is,                                                                              \
                            "{\"id\":\"1\",\"name\":\"N\",\"type\":" middle ",\"customer_type\":\"any\"}");  \
  } while (0)

static void
test_model_writes_discounts_as_percent_or_money (void)
{
  tb_decimal none = { 0 }, five = number (5005000000);
  tb_money no_money = { 0 }, money = { 750, "CAD" };
  IS_PROMOTION (promotion_of (TB_PERCENT, number (12500000000), no_money), "\"percent\",\"value\":12.5");
  IS_PROMOTION (promotion_of (TB_AMOUNT, five, no_money), "\"amount\",\"value\":501,\"currency\":\"USD\"");
  IS_PROMOTION (promotion_of (TB_AMOUNT, five, money), "\"amount\",\"value\":750,\"currency\":\"CAD\"");
  IS_PROMOTION (promotion_of (TB_PRICE, none, money), "\"price\",\"value\":750,\"currency\":\"CAD\"");
  IS_PROMOTION (promotion_of (TB_AMOUNT, five, (tb_money){ 0, "JPY" }),
                "\"amount\",\"value\":0,\"currency\":\"JPY\"");
  IS_PROMOTION (promotion_of (TB_PRICE, none, no_money), "\"price\"");
  IS_PROMOTION (promotion_of (TB_OTHER_DISCOUNT, five, no_money), "\"other\",\"value\":5.005");
}

static void
test_model_writes_offers_in_minor_units (void)
{
  tb_offer offers[] = {
    { .id = "a", .name = "off", .type = TB_AMOUNT, .value = whole (3), .price = { 500, "JPY" } },
    { .id = "b", .name = "to", .type = TB_PRICE, .price = { 900, "" } },
    { .id = "c", .name = "off", .type = TB_AMOUNT, .value = number (1250000000) },
  };
  tb_product product = least_product ();
  product.offers.first = offers;
  product.offers.count = G_N_ELEMENTS (offers);
  CU_ASSERT (renders_as (
    MODEL_PRODUCTS, &product,
    "{\"id\":\"1\",\"name\":\"N\",\"promotions\":["
    "{\"id\":\"a\",\"name\":\"off\",\"type\":\"amount\",\"value\":3,\"price\":500,\"currency\":\"JPY\"},"
    "{\"id\":\"b\",\"name\":\"to\",\"type\":\"price\",\"value\":900,\"price\":900,\"currency\":\"USD\"},"
    "{\"id\":\"c\",\"name\":\"off\",\"type\":\"amount\",\"value\":125,\"currency\":\"USD\"}]}"));
}

/* Three of it come off, in minor units of the currency. */
static void
offer_is (const char *currency, const char *value)
{
  tb_offer offer = { .id = "a", .name = "off", .type = TB_AMOUNT, .value = whole (3), .price = { 500, "" } };
  memcpy (offer.price.currency, currency, 3);
  tb_product product = least_product ();
  product.offers.first = &offer;
  product.offers.count = 1;
  g_autofree char *body = render (MODEL_PRODUCTS, &product, NULL, NULL);
  g_autofree char *wanted =
    g_strdup_printf ("\"value\":%s,\"price\":500,\"currency\":\"%s\"", value, currency);
  CU_ASSERT_PTR_NOT_NULL (strstr (body, wanted));
}

static void
test_model_gives_each_currency_its_places (void)
{
  offer_is ("USD", "300");
  offer_is ("RWF", "3");
  offer_is ("VUV", "3");
  offer_is ("OMR", "3000");
  offer_is ("CLF", "30000");
}

static void
test_model_lets_the_last_of_equal_attributes_win (void)
{
  tb_pair pairs[] = { { "a", "1" }, { "b", "2" }, { "a", "3" }, { "a", "" } };
  tb_product product = least_product ();
  product.attributes.first = pairs;
  product.attributes.count = G_N_ELEMENTS (pairs);
  CU_ASSERT (renders_as (MODEL_PRODUCTS, &product,
                         "{\"id\":\"1\",\"name\":\"N\",\"attributes\":{\"b\":\"2\",\"a\":\"3\"}}"));
}

/* ---- ids, kinds, zero ---- */

static gboolean
level_id_is (const char *product, const char *location, const char *batch, tb_buyer buyer, const char *wanted)
{
  JsonBuffer ids = { 0 };
  model_inventory_id (&ids, product, location, batch, buyer);
  gboolean same = ids.length == strlen (wanted) && memcmp (ids.bytes, wanted, ids.length) == 0;
  json_buffer_clear (&ids);
  return same;
}

static void
test_model_composes_ids_of_stock_levels (void)
{
  CU_ASSERT (level_id_is ("5b0c", "l-1", "b7", TB_MEDICAL, "5b0c:l-1:b7:medical"));
  CU_ASSERT (level_id_is ("5b0c", "l-1", NULL, TB_ANYBODY, "5b0c:l-1"));
  CU_ASSERT (level_id_is ("5b0c", NULL, "", TB_MEDICAL, "5b0c:::medical"));
  CU_ASSERT (level_id_is ("5b0c", NULL, "b", TB_ANYBODY, "5b0c::b"));
  CU_ASSERT (level_id_is ("a:b/c %\xc3\xa9", NULL, NULL, TB_ANYBODY, "a%3Ab%2Fc%20%25%C3%A9"));
  CU_ASSERT (level_id_is ("a", "b", NULL, TB_RECREATIONAL, "a:b::recreational"));
}

static void
test_model_knows_its_kinds (void)
{
  guint bits = 0;
  g_autofree char *unknown = NULL;
  for (guint i = 0; i < MODEL_KINDS; i++) {
    CU_ASSERT_EQUAL (model_kind_from_name (model_kind_name (i)), (int)i);
    CU_ASSERT_EQUAL (model_kind_from_bit ((tb_kind)(1 << i)), (int)i);
  }
  CU_ASSERT_PTR_NULL (model_kind_name (MODEL_KINDS));
  CU_ASSERT_EQUAL (model_kind_from_name ("product"), -1);
  CU_ASSERT_EQUAL (model_kind_from_bit ((tb_kind)3), -1);
  CU_ASSERT_EQUAL (model_kind_from_bit ((tb_kind)128), -1);
  CU_ASSERT (model_kinds_from_list ("products,customers", &bits, NULL));
  CU_ASSERT_EQUAL (bits, 1u << MODEL_PRODUCTS | 1u << MODEL_CUSTOMERS);
  CU_ASSERT_FALSE (model_kinds_from_list ("products,costumers", &bits, &unknown));
  CU_ASSERT_STRING_EQUAL (unknown, "costumers");
  CU_ASSERT_FALSE (model_kinds_from_list ("", &bits, NULL));
  CU_ASSERT_FALSE (model_kinds_from_list ("products,", &bits, NULL));
}

static gboolean
zeroes_to (const char *body, const char *wanted)
{
  gsize length;
  g_autofree char *zero = model_zero_quantity (body, strlen (body), &length);
  return zero && length == strlen (wanted) && g_str_equal (zero, wanted);
}

static void
test_model_sets_a_quantity_to_zero (void)
{
  CU_ASSERT (zeroes_to ("{\"id\":\"1\",\"prices\":[{\"quantity\":1}],\"quantity\":14.5,\"updated_at\":\"x\"}",
                        "{\"id\":\"1\",\"prices\":[{\"quantity\":1}],\"quantity\":0,\"updated_at\":\"x\"}"));
  CU_ASSERT (zeroes_to ("{\"id\":\"\\\"quantity\\\":3,\",\"quantity\":-2}",
                        "{\"id\":\"\\\"quantity\\\":3,\",\"quantity\":0}"));
  CU_ASSERT (
    zeroes_to ("{\"id\":\"1\",\"attributes\":{\"quantity\":\"7\"},\"updated_at\":\"x\"}",
               "{\"id\":\"1\",\"quantity\":0,\"attributes\":{\"quantity\":\"7\"},\"updated_at\":\"x\"}"));
  CU_ASSERT (zeroes_to ("{\"id\":\"1\",\"name\":\"quantity\"}",
                        "{\"id\":\"1\",\"name\":\"quantity\",\"quantity\":0}"));
  CU_ASSERT (zeroes_to ("{}", "{\"quantity\":0}"));
  gsize length;
  CU_ASSERT_PTR_NULL (model_zero_quantity ("[]", 2, &length));
}

int
main (void)
{
  return TAP_RUN (
    "model", { "renders a product with everything", test_model_renders_a_product_with_everything },
    { "renders a stock level", test_model_renders_a_stock_level },
    { "renders a promotion", test_model_renders_a_promotion },
    { "renders a customer", test_model_renders_a_customer },
    { "renders an order", test_model_renders_an_order },
    { "names an order by the vendor's id where it has none",
      test_model_names_an_order_by_the_vendors_id_where_it_has_none },
    { "renders messages and insights", test_model_renders_messages_and_insights },
    { "leaves out what was not said", test_model_leaves_out_what_was_not_said },
    { "takes empty texts and lists as not said", test_model_takes_empty_texts_and_lists_as_not_said },
    { "says no and nothing", test_model_says_no_and_nothing },
    { "leaves out half-said groups", test_model_leaves_out_half_said_groups },
    { "escapes texts", test_model_escapes_texts },
    { "takes the store's currency", test_model_takes_the_stores_currency },
    { "writes discounts as percent or money", test_model_writes_discounts_as_percent_or_money },
    { "writes offers in minor units", test_model_writes_offers_in_minor_units },
    { "gives each currency its places", test_model_gives_each_currency_its_places },
    { "lets the last of equal attributes win", test_model_lets_the_last_of_equal_attributes_win },
    { "composes ids of stock levels", test_model_composes_ids_of_stock_levels },
    { "knows its kinds", test_model_knows_its_kinds },
    { "sets a quantity to zero", test_model_sets_a_quantity_to_zero });
}
