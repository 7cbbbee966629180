/* Random records, rendered, read back by another reader (json-c, strict) and compared with what went in. */
#include "model-records.h"

#include <json-c/json.h>
#include <math.h>

enum { ROUNDS = 4000, TEXT_ROOM = 200, TEXTS_MOST = 4 };

typedef struct {
  GRand *random;
  GPtrArray *texts;
} Source;

static guint
below (Source *source, guint end)
{
  return (guint)g_rand_int_range (source->random, 0, (gint32)end);
}

/* NULL, empty, plain, or full of what has to be escaped; of any length around 4, 8, 16 and 32. */
static const char *
random_text (Source *source, gboolean needed)
{
  static const char *const pieces[] = {
    "a", "Z",   "0", " ", "\"", "\\", "\n", "\t", "/", "\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8d\x87",
    "<", "plum"
  };
  guint most = below (source, 5) ? 3 : G_N_ELEMENTS (pieces), length = below (source, 40) + (needed ? 1 : 0);
  if (!needed && below (source, 4) == 0)
    return NULL;
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < length; i++)
    g_string_append (text, pieces[below (source, most)]);
  char *kept = g_string_free (text, FALSE);
  g_ptr_array_add (source->texts, kept);
  return kept;
}

static tb_decimal
random_number (Source *source)
{
  static const gint64 steps[] = { 1, 1000, 1000000, 100000000, TB_NANO };
  tb_decimal number = { 0, below (source, 4) > 0 };
  if (number.known)
    number.nano = (gint64)below (source, 1000000) * steps[below (source, G_N_ELEMENTS (steps))];
  return number;
}

static tb_money
random_money (Source *source)
{
  tb_money money = { .minor = (gint64)below (source, 1000000) * below (source, 1000) };
  g_strlcpy (money.currency, below (source, 2) ? "CAD" : "USD", sizeof money.currency);
  return money;
}

static tb_flag
random_flag (Source *source)
{
  return (tb_flag){ (int32_t)below (source, 3) };
}

static long long
random_time (Source *source)
{
  return below (source, 3) ? (long long)below (source, G_MAXINT32) * 1931 - (1LL << 40) : 0;
}

/* ---- reading back ---- */

/* The body as json-c reads it, strictly and to its end. */
static json_object *
parse (const char *body)
{
  json_tokener *reader = json_tokener_new ();
  json_tokener_set_flags (reader, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  json_object *root = json_tokener_parse_ex (reader, body, (int)strlen (body));
  if (json_tokener_get_error (reader) != json_tokener_success ||
      json_tokener_get_parse_end (reader) != strlen (body))
    root = (json_object_put (root), NULL);
  json_tokener_free (reader);
  return root;
}

static json_object *
member (json_object *object, const char *name)
{
  json_object *value = NULL;
  json_object_object_get_ex (object, name, &value);
  return value;
}

static gboolean
has_text (json_object *object, const char *name, const char *text)
{
  json_object *value = member (object, name);
  if (!text || !*text)
    return !value;
  return json_object_is_type (value, json_type_string) && strcmp (json_object_get_string (value), text) == 0;
}

/* One of the words; NULL: not said. */
static gboolean
has_word (json_object *object, const char *name, const char *const *words, guint value)
{
  return has_text (object, name, words[value]);
}

static gboolean
has_number (json_object *object, const char *name, tb_decimal number)
{
  json_object *value = member (object, name);
  if (!number.known)
    return !value;
  const char *text = value ? json_object_to_json_string (value) : "e", *point = strchr (text, '.');
  return !strpbrk (text, "eE") && (!point || (strlen (point) <= 10 && text[strlen (text) - 1] != '0')) &&
         llround (json_object_get_double (value) * 1e9) == number.nano;
}

static gboolean
has_money (json_object *object, const char *name, tb_money money)
{
  json_object *value = member (object, name);
  return json_object_is_type (value, json_type_int) && json_object_get_int64 (value) == money.minor &&
         has_text (object, "currency", money.currency);
}

static gboolean
has_flag (json_object *object, const char *name, tb_flag flag)
{
  json_object *value = member (object, name);
  if (flag.state == 0)
    return !value;
  return json_object_is_type (value, json_type_boolean) &&
         json_object_get_boolean (value) == (flag.state == 2);
}

static gboolean
has_time (json_object *object, const char *name, long long ms)
{
  json_object *value = member (object, name);
  if (ms == 0)
    return !value;
  const char *text = value ? json_object_get_string (value) : "";
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text, NULL);
  return time && strlen (text) == 24 && text[23] == 'Z' &&
         g_date_time_to_unix (time) * 1000 + g_date_time_get_microsecond (time) / 1000 == ms;
}

static gboolean
has_count (json_object *object, const char *name, gsize count)
{
  json_object *value = member (object, name);
  return count == 0
           ? !value
           : json_object_is_type (value, json_type_array) && json_object_array_length (value) == count;
}

/* ---- records ---- */

static const char *const units[] = { NULL, "each", "g", "mg", "oz", "ml" };
static const char *const buyers[] = { "any", "recreational", "medical" };
static const char *const strains[] = { NULL, "indica", "sativa", "hybrid", "cbd" };

static void
read_back_product (Source *source)
{
  tb_price prices[TEXTS_MOST];
  tb_potency potency[TEXTS_MOST];
  const char *tags[TEXTS_MOST];
  guint price_count = below (source, TEXTS_MOST + 1), potency_count = below (source, TEXTS_MOST + 1),
        tag_count = 0;
  for (guint i = 0; i < price_count; i++)
    prices[i] = (tb_price){ random_text (source, FALSE),
                            random_number (source),
                            (tb_unit)below (source, 6),
                            (tb_buyer)below (source, 3),
                            random_money (source),
                            random_flag (source),
                            0 };
  for (guint i = 0; i < potency_count; i++)
    potency[i] = (tb_potency){ random_text (source, TRUE), random_number (source), random_number (source),
                               random_text (source, FALSE) };
  for (guint i = 0; i < TEXTS_MOST; i++) {
    tags[i] = random_text (source, FALSE);
    tag_count += tags[i] && *tags[i];
  }
  tb_product product = {
    .id = random_text (source, TRUE),
    .name = random_text (source, TRUE),
    .sku = random_text (source, FALSE),
    .description = random_text (source, FALSE),
    .strain = random_text (source, FALSE),
    .parent_id = random_text (source, FALSE),
    .classification = (tb_strain)below (source, 5),
    .unit = (tb_unit)below (source, 6),
    .weight_unit = (tb_unit)(1 + below (source, 5)),
    .visible = random_flag (source),
    .weight = random_number (source),
    .quantity = random_number (source),
    .prices = { prices, price_count, 0 },
    .potency = { potency, potency_count, 0 },
    .tags = { tags, TEXTS_MOST, 0 },
    .updated_at_ms = random_time (source),
    .medical_only = random_flag (source),
  };
  ModelRendered rendered;
  g_autofree char *body = render (MODEL_PRODUCTS, &product, &rendered, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (body);
  CU_ASSERT_STRING_EQUAL (rendered.id, product.id);
  json_object *root = parse (body);
  CU_ASSERT_PTR_NOT_NULL_FATAL (root);
  CU_ASSERT (has_text (root, "id", product.id) && has_text (root, "name", product.name));
  CU_ASSERT (has_text (root, "sku", product.sku) && has_text (root, "description", product.description));
  CU_ASSERT (has_text (root, "strain", product.strain) && has_text (root, "parent_id", product.parent_id));
  CU_ASSERT (has_word (root, "classification", strains, product.classification));
  CU_ASSERT (has_word (root, "unit", units, product.unit));
  CU_ASSERT (has_flag (root, "visible", product.visible) &&
             has_flag (root, "medical_only", product.medical_only));
  CU_ASSERT (has_number (root, "quantity", product.quantity) &&
             has_time (root, "updated_at", product.updated_at_ms));
  json_object *weight = member (root, "net_weight");
  CU_ASSERT (product.weight.known ? has_number (weight, "value", product.weight) &&
                                      has_word (weight, "unit", units, product.weight_unit)
                                  : !weight);
  CU_ASSERT (has_count (root, "prices", price_count) && has_count (root, "potency", potency_count));
  CU_ASSERT (has_count (root, "tags", tag_count));
  for (guint i = 0; i < price_count; i++) {
    json_object *price = json_object_array_get_idx (member (root, "prices"), i);
    CU_ASSERT (has_text (price, "label", prices[i].label) &&
               has_number (price, "quantity", prices[i].quantity));
    CU_ASSERT (has_word (price, "unit", units, prices[i].unit) &&
               has_word (price, "customer_type", buyers, prices[i].buyer));
    CU_ASSERT (has_money (price, "amount", prices[i].amount) &&
               has_flag (price, "tax_included", prices[i].tax_included));
  }
  for (guint i = 0; i < potency_count; i++) {
    json_object *found = json_object_array_get_idx (member (root, "potency"), i);
    CU_ASSERT (has_text (found, "analyte", potency[i].analyte) && has_text (found, "unit", potency[i].unit));
    CU_ASSERT (has_number (found, "min", potency[i].min) && has_number (found, "max", potency[i].max));
  }
  json_object_put (root);
}

static void
read_back_customer (Source *source)
{
  static const char *const types[] = { NULL, "recreational", "medical" };
  tb_customer customer = {
    .id = random_text (source, TRUE),
    .status = random_text (source, FALSE),
    .first_name = random_text (source, FALSE),
    .email = random_text (source, FALSE),
    .street = random_text (source, FALSE),
    .city = random_text (source, FALSE),
    .loyalty_points = random_number (source),
    .consent_sms = random_flag (source),
    .consent_email = random_flag (source),
    .updated_at_ms = random_time (source),
    .type = (tb_buyer)below (source, 3),
  };
  g_autofree char *body = render (MODEL_CUSTOMERS, &customer, NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (body);
  json_object *root = parse (body);
  CU_ASSERT_PTR_NOT_NULL_FATAL (root);
  json_object *address = member (root, "address"), *consent = member (root, "consent");
  CU_ASSERT (has_text (root, "id", customer.id) && has_text (root, "status", customer.status));
  CU_ASSERT (has_text (root, "first_name", customer.first_name) && has_text (root, "email", customer.email));
  CU_ASSERT (has_text (address, "street", customer.street) && has_text (address, "city", customer.city));
  CU_ASSERT (has_flag (consent, "sms", customer.consent_sms) &&
             has_flag (consent, "email", customer.consent_email));
  CU_ASSERT (!consent == (customer.consent_sms.state == 0 && customer.consent_email.state == 0));
  CU_ASSERT (has_number (root, "loyalty_points", customer.loyalty_points));
  CU_ASSERT (has_time (root, "updated_at", customer.updated_at_ms) &&
             has_word (root, "type", types, customer.type));
  json_object_put (root);
}

static void
read_back_level_and_zero (Source *source)
{
  tb_inventory level = { .product_id = random_text (source, TRUE),
                         .location_id = random_text (source, FALSE),
                         .batch_id = random_text (source, FALSE),
                         .quantity = random_number (source),
                         .unit = (tb_unit)below (source, 6),
                         .buyer = (tb_buyer)below (source, 3) };
  level.quantity.known = 1;
  ModelRendered rendered;
  gsize length;
  g_autofree char *body = render (MODEL_INVENTORY, &level, NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (body);
  g_autofree char *zero = model_zero_quantity (body, strlen (body), &length);
  level.quantity.nano = 0;
  g_autofree char *wanted = render (MODEL_INVENTORY, &level, &rendered, NULL);
  CU_ASSERT_STRING_EQUAL (zero, wanted);
  CU_ASSERT_EQUAL (length, strlen (wanted));
  json_object *root = parse (zero);
  CU_ASSERT_PTR_NOT_NULL_FATAL (root);
  CU_ASSERT (has_text (root, "product_id", level.product_id) && has_text (root, "batch_id", level.batch_id));
  CU_ASSERT (has_number (root, "quantity", level.quantity));
  g_auto (GStrv) parts = g_strsplit (json_object_get_string (member (root, "id")), ":", -1);
  g_autofree char *product = g_uri_unescape_string (parts[0], NULL);
  CU_ASSERT_STRING_EQUAL (product, level.product_id);
  CU_ASSERT (g_strv_length (parts) <= 4);
  json_object_put (root);
}

static void
read_back_promotion (Source *source)
{
  static const char *const types[] = { NULL, "percent", "amount", "price", "other" };
  tb_pair pairs[] = { { "first", random_text (source, TRUE) }, { random_text (source, TRUE), "second" } };
  tb_promotion promotion = { .id = random_text (source, TRUE),
                             .name = random_text (source, TRUE),
                             .type = (tb_discount)below (source, 5),
                             .value = { below (source, 101) * TB_NANO, 1 },
                             .schedule = random_text (source, FALSE),
                             .starts_at_ms = random_time (source),
                             .ends_at_ms = random_time (source),
                             .active = random_flag (source),
                             .attributes = { pairs, 2, 0 } };
  g_autofree char *body = render (MODEL_PROMOTIONS, &promotion, NULL, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (body);
  json_object *root = parse (body);
  CU_ASSERT_PTR_NOT_NULL_FATAL (root);
  gboolean money = promotion.type == TB_AMOUNT || promotion.type == TB_PRICE;
  tb_money value = { promotion.value.nano / TB_NANO * 100, "USD" };
  CU_ASSERT (has_word (root, "type", types, promotion.type) &&
             has_text (root, "schedule", promotion.schedule));
  CU_ASSERT (money ? has_money (root, "value", value) : has_number (root, "value", promotion.value));
  CU_ASSERT (has_time (root, "starts_at", promotion.starts_at_ms) &&
             has_time (root, "ends_at", promotion.ends_at_ms));
  CU_ASSERT (has_flag (root, "active", promotion.active));
  CU_ASSERT (has_text (member (root, "attributes"), pairs[0].name, pairs[0].value));
  CU_ASSERT (has_text (member (root, "attributes"), pairs[1].name, pairs[1].value));
  json_object_put (root);
}

static void
repeat (void (*one) (Source *source))
{
  Source source = { .random = g_rand_new_with_seed (20260302),
                    .texts = g_ptr_array_new_with_free_func (g_free) };
  for (guint i = 0; i < ROUNDS; i++) {
    one (&source);
    g_ptr_array_set_size (source.texts, 0);
  }
  g_ptr_array_unref (source.texts);
  g_rand_free (source.random);
}

static void
test_model_products_read_back_as_they_were (void)
{
  repeat (read_back_product);
}

static void
test_model_customers_read_back_as_they_were (void)
{
  repeat (read_back_customer);
}

static void
test_model_levels_read_back_as_they_were_and_as_zero (void)
{
  repeat (read_back_level_and_zero);
}

static void
test_model_promotions_read_back_as_they_were (void)
{
  repeat (read_back_promotion);
}

/* Any bytes: taken as they are when they are UTF-8 without controls, refused otherwise. */
static void
judge_random_bytes (Source *source)
{
  char text[TEXT_ROOM];
  guint length = 1 + below (source, 40), strange = below (source, 3);
  gboolean controls = FALSE;
  for (guint i = 0; i < length; i++) {
    text[i] = (char)(strange && below (source, 12) == 0 ? 1 + below (source, 255) : 'a' + below (source, 26));
    controls |= (guchar)text[i] < 0x20 && !strchr ("\n\r\t", text[i]);
  }
  text[length] = '\0';
  gboolean utf8 = g_utf8_validate (text, -1, NULL);
  tb_product product = least_product ();
  ModelReject reject = { 0 };
  product.description = text;
  g_autofree char *body = render (MODEL_PRODUCTS, &product, NULL, &reject);
  CU_ASSERT_EQUAL (body != NULL, utf8 && !controls);
  if (!body) {
    CU_ASSERT_STRING_EQUAL (reject.reason, utf8 ? "control_character" : "not_utf8");
    return;
  }
  json_object *root = parse (body);
  CU_ASSERT (has_text (root, "description", text));
  json_object_put (root);
}

static void
test_model_judges_any_bytes (void)
{
  repeat (judge_random_bytes);
}

/* ---- the published shapes ---- */

/* Every member that was rendered is described, and everything needed was rendered. */
static gboolean
fits (json_object *schema, json_object *value)
{
  json_object *properties = member (schema, "properties"), *required = member (schema, "required"),
              *items = member (schema, "items");
  if (json_object_is_type (value, json_type_array))
    for (gsize i = 0; i < json_object_array_length (value); i++)
      if (!items || !fits (items, json_object_array_get_idx (value, i)))
        return FALSE;
  if (!json_object_is_type (value, json_type_object) || !properties)
    return TRUE;
  json_object_object_foreach (value, name, inner) if (!member (properties, name) ||
                                                      !fits (member (properties, name), inner)) return FALSE;
  for (gsize i = 0; required && i < json_object_array_length (required); i++)
    if (!member (value, json_object_get_string (json_object_array_get_idx (required, i))))
      return FALSE;
  return TRUE;
}

static void
test_model_schemas_describe_what_is_rendered (void)
{
  tb_price price = { .label = "each", .amount = { 100, "USD" } };
  tb_product product = least_product ();
  product.prices.first = &price, product.prices.count = 1;
  product.weight = whole (1), product.weight_unit = TB_GRAM;
  tb_inventory level = { .product_id = "1", .quantity = whole (1) };
  tb_promotion promotion = { .id = "1", .name = "N", .type = TB_AMOUNT, .value = whole (1) };
  tb_customer customer = { .id = "1", .city = "Oakland" };
  const void *records[] = { &product, &level, &promotion, &customer };
  for (guint kind = 0; kind < MODEL_KINDS; kind++) {
    g_autofree char *text = model_schema (kind);
    json_object *schema = parse (text);
    CU_ASSERT_PTR_NOT_NULL_FATAL (schema);
    CU_ASSERT (has_text (schema, "title", model_kind_name (kind)));
    if (kind < G_N_ELEMENTS (records)) {
      g_autofree char *body = render (kind, records[kind], NULL, NULL);
      json_object *root = parse (body);
      CU_ASSERT (fits (schema, root));
      json_object_object_add (root, "not_ours", json_object_new_int (1));
      CU_ASSERT_FALSE (fits (schema, root));
      json_object_put (root);
    }
    json_object_put (schema);
  }
}

int
main (void)
{
  return TAP_RUN (
    "model at random", { "products read back as they were", test_model_products_read_back_as_they_were },
    { "customers read back as they were", test_model_customers_read_back_as_they_were },
    { "levels read back as they were, and as zero", test_model_levels_read_back_as_they_were_and_as_zero },
    { "promotions read back as they were", test_model_promotions_read_back_as_they_were },
    { "judges any bytes", test_model_judges_any_bytes },
    { "schemas describe what is rendered", test_model_schemas_describe_what_is_rendered });
}
