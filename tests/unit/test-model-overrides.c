/* Overrides: what is taken, what lies over a body, and that the vendor's body comes back. */
#include "model-records.h"

#include <json-c/json.h>

static const char vendors[] = "{\"id\":\"1\",\"name\":\"PLUM 100MG\",\"brand\":\"ORCHARD\",\"quantity\":3,"
                              "\"updated_at\":\"2026-03-02T17:15:40.120Z\"}";

static char *
text_of (JsonBuffer *buffer)
{
  char *text = g_strndup (buffer->bytes ? buffer->bytes : "", buffer->length);
  json_buffer_clear (buffer);
  return text;
}

/* The set as it is kept; NULL: refused, and *first says why. */
static char *
read_set (const char *json, ModelReject *first, guint *count)
{
  JsonBuffer set = { 0 };
  g_autoptr (GArray) wrong = g_array_new (FALSE, FALSE, sizeof (ModelReject));
  gboolean good = model_overrides_read (json, strlen (json), &store, &set, wrong);
  g_autofree char *text = text_of (&set);
  CU_ASSERT_EQUAL (good, wrong->len == 0);
  if (wrong->len && first)
    *first = g_array_index (wrong, ModelReject, 0);
  if (count)
    *count = wrong->len;
  CU_ASSERT (good || !*text);
  return good ? g_steal_pointer (&text) : NULL;
}

static char *
merged (const char *body, const char *set)
{
  JsonBuffer out = { 0 };
  model_overrides_merge (body, strlen (body), set, strlen (set), &out);
  return text_of (&out);
}

static char *
split (const char *body, const char *set)
{
  JsonBuffer out = { 0 };
  model_overrides_split (body, strlen (body), set, strlen (set), &out);
  return text_of (&out);
}

static gboolean
lies_as (const char *set, const char *wanted)
{
  g_autofree char *body = merged (vendors, set), *back = split (body, set);
  if (strcmp (body, wanted) == 0 && strcmp (back, vendors) == 0)
    return TRUE;
  g_print ("# got    %s\n# wanted %s\n# back   %s\n", body, wanted, back);
  return FALSE;
}

static gboolean
is_refused (const char *json, const char *reason, const char *field)
{
  ModelReject reject = { 0 };
  g_autofree char *set = read_set (json, &reject, NULL);
  if (!set && g_strcmp0 (reject.reason, reason) == 0 && strcmp (reject.field, field) == 0)
    return *reject.detail && g_utf8_validate (reject.detail, -1, NULL);
  g_print ("# %s\n# got    %s %s: %s\n# wanted %s %s\n", json, set ? set : reject.reason, reject.field,
           reject.detail, reason, field);
  return FALSE;
}

static gboolean
is_kept_as (const char *json, const char *wanted)
{
  ModelReject reject = { 0 };
  g_autofree char *set = read_set (json, &reject, NULL);
  if (g_strcmp0 (set, wanted) == 0)
    return TRUE;
  g_print ("# %s\n# got    %s%s %s\n# wanted %s\n", json, set ? set : reject.reason, reject.field,
           reject.detail, wanted);
  return FALSE;
}

/* ---- laying over and taking off ---- */

static void
test_a_set_lies_over_the_vendors_body_in_the_tables_order (void)
{
  CU_ASSERT (lies_as ("{\"name\":\"Plum\",\"visible\":false}",
                      "{\"id\":\"1\",\"name\":\"Plum\",\"brand\":\"ORCHARD\",\"visible\":false,"
                      "\"quantity\":3,\"updated_at\":\"2026-03-02T17:15:40.120Z\","
                      "\"overridden\":{\"name\":\"PLUM 100MG\"}}"));
  CU_ASSERT (lies_as ("{\"sku\":\"s\",\"attributes\":{\"a\":\"b\"}}",
                      "{\"id\":\"1\",\"sku\":\"s\",\"name\":\"PLUM 100MG\",\"brand\":\"ORCHARD\","
                      "\"quantity\":3,\"attributes\":{\"a\":\"b\"},"
                      "\"updated_at\":\"2026-03-02T17:15:40.120Z\",\"overridden\":{}}"));
}

static void
test_null_hides_a_field_and_keeps_what_the_vendor_said (void)
{
  CU_ASSERT (lies_as ("{\"brand\":null,\"strain\":null}",
                      "{\"id\":\"1\",\"name\":\"PLUM 100MG\",\"quantity\":3,"
                      "\"updated_at\":\"2026-03-02T17:15:40.120Z\",\"overridden\":{\"brand\":\"ORCHARD\"}}"));
}

static void
test_an_override_with_the_vendors_own_value_is_one (void)
{
  CU_ASSERT (lies_as ("{\"brand\":\"ORCHARD\"}",
                      "{\"id\":\"1\",\"name\":\"PLUM 100MG\",\"brand\":\"ORCHARD\",\"quantity\":3,"
                      "\"updated_at\":\"2026-03-02T17:15:40.120Z\",\"overridden\":{\"brand\":\"ORCHARD\"}}"));
}

static void
test_a_body_that_no_set_lies_over_is_the_vendors (void)
{
  g_autofree char *back = split (vendors, "{\"name\":\"Plum\"}");
  CU_ASSERT_STRING_EQUAL (back, vendors);
}

/* A worker that is not ours may send any JSON object. */
static void
test_strange_bodies_stay_json_and_come_back_as_they_were (void)
{
  static const char *const bodies[] = {
    "{}",
    "{\"name\":\"a\"} \n",
    "{ \"name\" : \"a\\\"},{\" , \"id\": \"1\" }",
    "{\"updated_at\":\"x\",\"brand\":[{\"name\":\"}\"}],\"id\":\"1\",\"name\":{\"overridden\":1}}",
    "{\"name\":\"a\",\"name\":\"b\",\"id\":\"1\"}",
    "{\"n\\u0061me\":\"a\",\"strange\":null,\"x\":-1.5e3}",
    "{\"overridden\":{\"name\":\"not ours\"},\"id\":\"1\"}",
    "{\"\":\"\",\"id\":\"\\\\\"}",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bodies); i++) {
    static const char set[] = "{\"name\":\"Plum\",\"brand\":null,\"visible\":true}";
    g_autofree char *body = merged (bodies[i], set), *back = split (body, set);
    CU_ASSERT (json_is_valid (body, strlen (body)) && json_is_valid (back, strlen (back)));
    json_object *theirs = json_tokener_parse (bodies[i]), *returned = json_tokener_parse (back);
    json_object_object_del (theirs, "overridden");
    CU_ASSERT (json_object_equal (theirs, returned));
    json_object_put (theirs);
    json_object_put (returned);
  }
}

/* ---- what is taken ---- */

static void
test_a_set_is_kept_in_the_tables_order_with_what_is_understood_said (void)
{
  CU_ASSERT (
    is_kept_as (" {\"visible\":false, \"name\":\"Pl\\u0075m\"} ", "{\"name\":\"Plum\",\"visible\":false}"));
  CU_ASSERT (is_kept_as ("{}", ""));
  CU_ASSERT (is_kept_as ("{\"prices\":[{\"amount\":1903}]}",
                         "{\"prices\":[{\"amount\":1903,\"currency\":\"USD\",\"customer_type\":\"any\"}]}"));
  CU_ASSERT (
    is_kept_as ("{\"prices\":[{\"amount\":0,\"currency\":\"CAD\",\"quantity\":3.50,\"unit\":\"g\"}]}",
                "{\"prices\":[{\"quantity\":3.5,\"unit\":\"g\",\"amount\":0,\"currency\":\"CAD\","
                "\"customer_type\":\"any\"}]}"));
  CU_ASSERT (is_kept_as ("{\"net_weight\":{\"unit\":\"mg\",\"value\":100}}",
                         "{\"net_weight\":{\"value\":100,\"unit\":\"mg\"}}"));
  CU_ASSERT (is_kept_as ("{\"promotions\":[{\"name\":\"n\",\"id\":\"i\",\"type\":\"amount\",\"value\":500}]}",
                         "{\"promotions\":[{\"id\":\"i\",\"name\":\"n\",\"type\":\"amount\",\"value\":500,"
                         "\"currency\":\"USD\"}]}"));
  CU_ASSERT (is_kept_as ("{\"tags\":null,\"description\":null}", "{\"description\":null,\"tags\":null}"));
}

static void
test_wrong_sets_are_refused_by_field_and_reason (void)
{
  static const struct {
    const char *json, *reason, *field;
  } rows[] = {
    { "[]", "wrong_type", "" },
    { "{\"nme\":\"x\"}", "unknown_member", "nme" },
    { "{\"name\":\"a\",\"name\":\"b\"}", "repeated_member", "name" },
    { "{\"id\":\"2\"}", "not_overridable", "id" },
    { "{\"quantity\":2}", "not_overridable", "quantity" },
    { "{\"unit\":\"g\"}", "not_overridable", "unit" },
    { "{\"parent_id\":\"2\"}", "not_overridable", "parent_id" },
    { "{\"updated_at\":\"2026-03-02T17:15:40Z\"}", "not_overridable", "updated_at" },
    { "{\"overridden\":{}}", "not_overridable", "overridden" },
    { "{\"available\":1}", "not_overridable", "available" },
    { "{\"as_of\":1}", "not_overridable", "as_of" },
    { "{\"name\":null}", "missing_field", "name" },
    { "{\"name\":\"\"}", "empty", "name" },
    { "{\"name\":5}", "wrong_type", "name" },
    { "{\"visible\":\"no\"}", "wrong_type", "visible" },
    { "{\"classification\":\"hybird\"}", "unknown_word", "classification" },
    { "{\"strain\":\"a\\u0001b\"}", "control_character", "strain" },
    { "{\"tags\":\"calm\"}", "wrong_type", "tags" },
    { "{\"tags\":[]}", "empty", "tags" },
    { "{\"tags\":[\"a\",3]}", "wrong_type", "tags[1]" },
    { "{\"prices\":[{\"label\":\"x\"}]}", "missing_field", "prices[0].amount" },
    { "{\"prices\":[{\"amount\":19.03}]}", "wrong_type", "prices[0].amount" },
    { "{\"prices\":[{\"amount\":\"19\"}]}", "wrong_type", "prices[0].amount" },
    { "{\"prices\":[{\"amount\":-1}]}", "out_of_range", "prices[0].amount" },
    { "{\"prices\":[{\"amount\":1,\"currency\":\"usd\"}]}", "bad_currency", "prices[0].currency" },
    { "{\"prices\":[{\"amount\":1},{\"amuont\":1}]}", "unknown_member", "prices[1].amuont" },
    { "{\"prices\":[{\"amount\":1,\"label\":null}]}", "wrong_type", "prices[0].label" },
    { "{\"prices\":[7]}", "wrong_type", "prices[0]" },
    { "{\"net_weight\":{\"unit\":\"g\"}}", "missing_field", "net_weight.value" },
    { "{\"net_weight\":{\"value\":1}}", "missing_field", "net_weight.unit" },
    { "{\"net_weight\":{\"value\":1e40,\"unit\":\"g\"}}", "out_of_range", "net_weight.value" },
    { "{\"images\":[{\"url\":\"ftp://x\"}]}", "bad_url", "images[0].url" },
    { "{\"attributes\":{\"a\":1}}", "wrong_type", "attributes[0]" },
    { "{\"promotions\":[{\"id\":\"i\",\"name\":\"n\",\"type\":\"price\",\"value\":5,\"price\":6}]}",
      "out_of_range", "promotions[0].value" },
    { "{\"promotions\":[{\"id\":\"i\",\"name\":\"n\",\"type\":\"percent\",\"value\":101}]}", "out_of_range",
      "promotions[0].value" },
    { "{\"promotions\":[{\"id\":\"i\",\"name\":\"n\",\"starts_at\":\"monday\"}]}", "not_a_time",
      "promotions[0].starts_at" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    CU_ASSERT (is_refused (rows[i].json, rows[i].reason, rows[i].field));
}

static void
test_each_wrong_field_is_told_and_the_right_name_with_a_wrong_one (void)
{
  guint count;
  ModelReject reject = { 0 };
  g_autofree char *none =
    read_set ("{\"name\":5,\"visible\":1,\"brand\":\"B\",\"quantity\":1}", &reject, &count);
  CU_ASSERT_PTR_NULL (none);
  CU_ASSERT_EQUAL (count, 3);
  g_autofree char *names =
    read_set ("{\"nmae\":\"x\",\"price\":5,\"as_of\":1,\"name\":\"a\",\"name\":\"b\"}", &reject, &count);
  CU_ASSERT_PTR_NULL (names);
  CU_ASSERT_EQUAL (count, 4);
  g_autofree char *unknown = read_set ("{\"descripton\":\"x\"}", &reject, &count);
  CU_ASSERT_PTR_NULL (unknown);
  CU_ASSERT_PTR_NOT_NULL (strstr (reject.detail, "\"description\""));
}

static void
test_a_set_has_a_ceiling (void)
{
  GString *json = g_string_new ("{\"attributes\":{");
  for (guint i = 0; i < 200; i++)
    g_string_append_printf (json, "%s\"a%u\":\"%0900u\"", i ? "," : "", i, i);
  g_string_append (json, "}}");
  CU_ASSERT (is_refused (json->str, "too_long", ""));
  g_string_free (json, TRUE);
}

/* ---- at random ---- */

static GRand *dice;

static guint
below (guint end)
{
  return (guint)g_rand_int_range (dice, 0, (gint32)end);
}

static const char *
word (void)
{
  static const char *const words[] = { NULL,     "", "plum", "a \"quoted\\\" one", "\xc3\xa9t\xc3\xa9\n",
                                       "{,}:[]", "x" };
  return words[below (G_N_ELEMENTS (words))];
}

static const char *
said_word (void)
{
  const char *text = word ();
  return text && *text ? text : "said";
}

/* A product with every field at random. */
static char *
random_body (void)
{
  tb_price prices[2] = { { said_word (),
                           number (below (5000) * 1000000ll),
                           (tb_unit)below (6),
                           (tb_buyer)below (3),
                           { below (9999), "CAD" },
                           { (int32_t)below (3) },
                           0 },
                         { NULL, { 0 }, TB_NO_UNIT, TB_ANYBODY, { 0, "USD" }, { 0 }, 0 } };
  tb_potency potency[1] = { { said_word (), whole (below (9)), { 0 }, word () } };
  tb_image images[1] = { { "https://x.example/\xc3\xa9", (tb_image_role)below (3), 0 } };
  tb_discount type = (tb_discount)below (5);
  tb_offer offers[1] = {
    { said_word (), said_word (), type, 0, whole (below (100)), { 0 }, below (2) ? 1772474465000ll : 0, 0 }
  };
  if (type == TB_PRICE)
    offers[0].price = (tb_money){ below (9999), "CAD" };
  const char *tags[2] = { said_word (), word () };
  tb_pair pairs[2] = { { "k", said_word () }, { said_word (), word () } };
  tb_product product = { .id = "1",
                         .name = said_word (),
                         .sku = word (),
                         .barcode = word (),
                         .brand = word (),
                         .category = word (),
                         .subcategory = word (),
                         .description = word (),
                         .strain = word (),
                         .classification = (tb_strain)below (5),
                         .unit = (tb_unit)below (6),
                         .weight = below (2) ? whole (below (9)) : (tb_decimal){ 0 },
                         .weight_unit = TB_GRAM,
                         .prices = { prices, below (3), 0 },
                         .potency = { potency, below (2), 0 },
                         .images = { images, below (2), 0 },
                         .offers = { offers, below (2), 0 },
                         .tags = { tags, below (3), 0 },
                         .parent_id = word (),
                         .medical_only = { (int32_t)below (3) },
                         .visible = { (int32_t)below (3) },
                         .quantity = below (2) ? whole (below (9)) : (tb_decimal){ 0 },
                         .attributes = { pairs, below (3), 0 },
                         .updated_at_ms = below (2) ? 1772474465000ll : 0 };
  return render (MODEL_PRODUCTS, &product, NULL, NULL);
}

static json_object *
parse (const char *text)
{
  json_object *root = json_tokener_parse (text);
  CU_ASSERT_PTR_NOT_NULL_FATAL (root);
  return root;
}

static gboolean
is_vendors_alone (const char *name)
{
  static const char *const alone[] = { "id", "parent_id", "unit", "quantity", "updated_at", NULL };
  return g_strv_contains (alone, name);
}

/* Some fields of another product, and some nulls: a set as a client would send it. */
static char *
random_set (void)
{
  static const char *const hidden[] = { "sku",  "brand",   "description", "prices",
                                        "tags", "visible", "attributes" };
  g_autofree char *body = random_body ();
  json_object *root = parse (body), *set = json_object_new_object ();
  json_object_object_foreach (root, name, value)
  {
    if (!is_vendors_alone (name) && below (3) == 0)
      json_object_object_add (set, name, json_object_get (value));
  }
  for (guint i = below (3); i > 0; i--)
    json_object_object_add (set, hidden[below (G_N_ELEMENTS (hidden))], NULL);
  char *text = g_strdup (json_object_to_json_string_ext (set, JSON_C_TO_STRING_PLAIN));
  json_object_put (set);
  json_object_put (root);
  return text;
}

/* Another reader's view of what must be served. */
static void
check_served (const char *vendor, const char *set, const char *served)
{
  json_object *theirs = parse (vendor), *mine = parse (set), *found = parse (served),
              *said = json_object_new_object ();
  json_object_object_foreach (mine, name, value)
  {
    json_object *before;
    if (json_object_object_get_ex (theirs, name, &before))
      json_object_object_add (said, name, json_object_get (before));
    if (value)
      json_object_object_add (theirs, name, json_object_get (value));
    else
      json_object_object_del (theirs, name);
  }
  json_object_object_add (theirs, "overridden", said);
  CU_ASSERT (json_object_equal (theirs, found));
  json_object_put (theirs);
  json_object_put (mine);
  json_object_put (found);
}

static void
test_at_random_the_vendors_body_comes_back_byte_for_byte (void)
{
  dice = g_rand_new_with_seed (20261124);
  for (guint round = 0; round < 20000; round++) {
    g_autofree char *vendor = random_body (), *sent = random_set (), *kept = read_set (sent, NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL (kept);
    if (!*kept)
      continue;
    g_autofree char *served = merged (vendor, kept), *back = split (served, kept);
    if (strcmp (back, vendor) != 0)
      g_print ("# %s\n# %s\n# %s\n", vendor, kept, back);
    CU_ASSERT_STRING_EQUAL_FATAL (back, vendor);
    CU_ASSERT (json_is_valid (served, strlen (served)));
    if (round % 10 == 0)
      check_served (vendor, kept, served);
  }
  g_rand_free (dice);
}

/* Everything that may be overridden, read and rendered again, is what the vendor's own rendering is. */
static void
test_at_random_a_products_own_fields_are_kept_as_they_are_rendered (void)
{
  dice = g_rand_new_with_seed (7);
  for (guint round = 0; round < 5000; round++) {
    g_autofree char *vendor = random_body ();
    json_object *root = parse (vendor), *set = json_object_new_object ();
    json_object_object_foreach (root, name, value)
    {
      if (!is_vendors_alone (name))
        json_object_object_add (set, name, json_object_get (value));
    }
    g_autofree char *kept =
      read_set (json_object_to_json_string_ext (set, JSON_C_TO_STRING_PLAIN), NULL, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL (kept);
    g_autofree char *served = merged (vendor, kept);
    gsize length = strlen (vendor) - 1;
    if (strncmp (served, vendor, length) != 0)
      g_print ("# %s\n# %s\n", vendor, served);
    CU_ASSERT (strncmp (served, vendor, length) == 0 &&
               g_str_has_prefix (served + length, ",\"overridden\":{"));
    json_object_put (set);
    json_object_put (root);
  }
  g_rand_free (dice);
}

/* ---- the published shapes ---- */

static void
test_schemas_tell_what_may_be_overridden (void)
{
  g_autofree char *set_text = model_overrides_schema (), *product_text = model_schema (MODEL_PRODUCTS);
  json_object *set = parse (set_text), *product = parse (product_text), *properties, *overridden, *one;
  CU_ASSERT (json_object_object_get_ex (set, "properties", &properties));
  CU_ASSERT (json_object_object_get_ex (properties, "prices", NULL));
  CU_ASSERT (json_object_object_get_ex (properties, "brand", &one) &&
             json_object_object_get_ex (one, "anyOf", NULL));
  CU_ASSERT (json_object_object_get_ex (properties, "name", &one) &&
             !json_object_object_get_ex (one, "anyOf", NULL));
  json_object_object_foreach (properties, name, value)
  {
    CU_ASSERT (value && !is_vendors_alone (name));
  }
  CU_ASSERT (json_object_object_get_ex (product, "properties", &properties));
  CU_ASSERT (json_object_object_get_ex (properties, "overridden", &overridden));
  CU_ASSERT (json_object_object_get_ex (overridden, "properties", &properties));
  CU_ASSERT (json_object_object_get_ex (properties, "name", NULL));
  CU_ASSERT (!json_object_object_get_ex (properties, "id", NULL));
  CU_ASSERT (!json_object_object_get_ex (overridden, "required", NULL));
  json_object_put (set);
  json_object_put (product);
}

int
main (void)
{
  return TAP_RUN (
    "model overrides",
    { "a set lies over the vendor's body in the table's order",
      test_a_set_lies_over_the_vendors_body_in_the_tables_order },
    { "null hides a field and keeps what the vendor said",
      test_null_hides_a_field_and_keeps_what_the_vendor_said },
    { "an override with the vendor's own value is one", test_an_override_with_the_vendors_own_value_is_one },
    { "a body that no set lies over is the vendor's", test_a_body_that_no_set_lies_over_is_the_vendors },
    { "strange bodies stay JSON and come back as they were",
      test_strange_bodies_stay_json_and_come_back_as_they_were },
    { "a set is kept in the table's order, with what is understood said",
      test_a_set_is_kept_in_the_tables_order_with_what_is_understood_said },
    { "wrong sets are refused by field and reason", test_wrong_sets_are_refused_by_field_and_reason },
    { "each wrong field is told, and the right name with a wrong one",
      test_each_wrong_field_is_told_and_the_right_name_with_a_wrong_one },
    { "a set has a ceiling", test_a_set_has_a_ceiling },
    { "at random the vendor's body comes back byte for byte",
      test_at_random_the_vendors_body_comes_back_byte_for_byte },
    { "at random a product's own fields are kept as they are rendered",
      test_at_random_a_products_own_fields_are_kept_as_they_are_rendered },
    { "schemas tell what may be overridden", test_schemas_tell_what_may_be_overridden });
}
