/* Products of a Treez store, and what its discounts say of them (discounts.c). */
#include "treez.h"

static const tb_word strains[] = {
  { "INDICA", TB_INDICA }, { "KUSH", TB_INDICA }, { "SATIVA", TB_SATIVA }, { "HYBRID", TB_HYBRID },
  { "I/S", TB_HYBRID },    { "S/I", TB_HYBRID },  { "CBD", TB_CBD },       { "NONE", TB_NO_STRAIN },
};

static const tb_word units[] = {
  { "GRAMS", TB_GRAM },        { "MILLIGRAMS", TB_MILLIGRAM },
  { "OUNCES", TB_OUNCE },      { "MILLILITERS", TB_MILLILITER },
  { "LITERS", TB_MILLILITER }, { "FLUID OUNCES", TB_MILLILITER },
};

/* ---- parts of a product ---- */

/* The owner's own code wins over one that Treez made up. Rows are objects or bare texts. */
static void
read_codes (const tb_json *p, tb_product *product)
{
  TB_FOR (row, p, "product_barcodes") {
    const char *code = tb_text (row, "sku|");
    if (code != NULL && tb_is (tb_text (row, "type"), "USER_DEFINED")) {
      product->sku = code;
      break;
    }
    if (product->sku == NULL)
      product->sku = code;
  }
  product->barcode = product->sku;
}

static void
read_weight (const tb_json *p, tb_product *product)
{
  const char *word = tb_text (p, "product_configurable_fields.uom");
  tb_decimal amount = tb_number (p, "product_configurable_fields.amount");
  tb_unit unit = tb_word_of (p, "product_configurable_fields.uom", units);
  if (unit == TB_NO_UNIT || !tb_positive (amount))
    return;
  if (tb_is (word, "LITERS"))
    amount = tb_times (amount, tb_decimal_of (1000));
  else if (tb_is (word, "FLUID OUNCES"))
    amount = tb_times (amount, tb_decimal_of (29.5735));
  product->weight = amount;
  product->weight_unit = unit;
}

/* ADULT or MEDICAL rows of the places that count. No rows at all: the product's own total. */
static void
read_stock (tb_call *call, const tb_json *p, tb_product *product)
{
  tb_decimal zero = tb_decimal_of (0), sum = zero;
  size_t rows = 0, medical = 0;
  TB_FOR (row, p, "sellable_quantity_detail") {
    tb_decimal quantity = tb_number (row, "sellable_quantity");
    if (!quantity.known)
      continue;
    rows++;
    medical += tb_is (tb_text (row, "inventory_type"), "MEDICAL");
    if (treez_place_counts (call, row))
      sum = tb_plus (sum, quantity);
  }
  if (rows > 0)
    product->medical_only = tb_flag_of (medical == rows);
  product->quantity =
    tb_setting_item (call, "locations", 0) == NULL ? tb_number (p, "sellable_quantity") : sum;
  if (tb_less (product->quantity, zero))
    product->quantity = zero;
}

static tb_price *
add_price (tb_call *call, tb_product *product, tb_money amount)
{
  tb_price *price = tb_add (call, &product->prices);
  price->amount = amount;
  price->tax_included = tb_flag_of (tb_setting_bool (call, "tax_included"));
  return price;
}

/* Does a tier start above 0, at 1 or less? Then the one that starts at 0 says nothing that could be bought.
 */
static bool
starts_by_one (const tb_json *p)
{
  TB_FOR (tier, p, "pricing.tier_pricing_detail") {
    tb_decimal start = tb_number (tier, "start_value");
    if (tb_positive (start) && !tb_less (tb_decimal_of (1), start))
      return true;
  }
  return false;
}

/* price_per_value is the price of one gram (or piece) once start_value are bought: a row "3.5 g" for 3.5 of
 * them. */
static void
read_tiers (tb_call *call, const tb_json *p, tb_product *product)
{
  bool grams = tb_is (tb_text (p, "pricing.tier_method"), "WEIGHT_GRAMS"), by_one = starts_by_one (p);
  TB_FOR (tier, p, "pricing.tier_pricing_detail") {
    tb_decimal start = tb_number (tier, "start_value"), each = tb_number (tier, "price_per_value");
    tb_price *price;
    if (!start.known || !each.known || start.nano < 0 || (start.nano == 0 && by_one))
      continue;
    if (start.nano == 0)
      start = tb_decimal_of (1);
    price = add_price (call, product, tb_money_of (call, tb_times (start, each)));
    price->quantity = start;
    price->unit = grams ? TB_GRAM : TB_EACH_ONE;
    price->label = tb_printf (call, "%s %s", tb_decimal_text (call, start), grams ? "g" : "each");
  }
  tb_add_pair (call, &product->attributes, "treez.tiers",
               tb_write (tb_at (p, "pricing.tier_pricing_detail")));
}

static void
read_prices (tb_call *call, const tb_json *p, tb_product *product)
{
  tb_money flat;
  if (tb_is (tb_text (p, "pricing.price_type"), "TIER")) {
    read_tiers (call, p, product);
    return;
  }
  flat = tb_cash (p, "pricing.price_sell");
  if (tb_known (flat)) {
    tb_price *price = add_price (call, product, flat);
    const char *size = tb_text (p, "product_configurable_fields.size");
    price->label = size != NULL ? size : "each";
    price->quantity = tb_decimal_of (1);
    price->unit = TB_EACH_ONE;
  }
}

static void
add_potency (tb_call *call, tb_product *product, const char *analyte, tb_decimal min, tb_decimal max,
             const char *unit)
{
  tb_potency *potency;
  if (analyte == NULL || (!min.known && !max.known))
    return;
  potency = tb_add (call, &product->potency);
  potency->analyte = analyte;
  potency->min = min;
  potency->max = max;
  potency->unit = unit;
}

/* "THC" however it is written; NULL: none. */
static const char *
upper (tb_call *call, const char *text)
{
  char *copy = text == NULL ? NULL : tb_printf (call, "%s", text);
  for (char *c = copy; c != NULL && *c != '\0'; c++)
    if (*c >= 'a' && *c <= 'z')
      *c = (char)(*c - 'a' + 'A');
  return copy;
}

static void
read_potency (tb_call *call, const tb_json *p, tb_product *product)
{
  TB_FOR (row, p, "lab_results") {
    const char *type = tb_text (row, "amount_type");
    add_potency (call, product, upper (call, tb_text (row, "result_type")),
                 tb_number (row, "amount.minimum_value"), tb_number (row, "amount.maximum_value"),
                 tb_is (type, "PERCENTAGE") ? "%"
                 : tb_is (type, "MG")       ? "mg"
                                            : NULL);
  }
  if (product->potency.count == 0) {
    tb_decimal thc = tb_number (p, "product_configurable_fields.total_mg_thc");
    tb_decimal cbd = tb_number (p, "product_configurable_fields.total_mg_cbd");
    if (tb_positive (thc))
      add_potency (call, product, "THC", thc, thc, "mg");
    if (tb_positive (cbd))
      add_potency (call, product, "CBD", cbd, cbd, "mg");
  }
}

static void
add_image (tb_call *call, tb_product *product, const char *url, tb_image_role role)
{
  tb_image *image;
  if (!tb_starts (url, "https://") && !tb_starts (url, "http://"))
    return;
  for (uint32_t i = 0; i < product->images.count; i++)
    if (tb_is (product->images.first[i].url, url))
      return;
  image = tb_add (call, &product->images);
  image->url = url;
  image->role = role;
}

static void
add_tags (tb_call *call, tb_product *product, const tb_json *p, const char *path)
{
  TB_FOR (row, p, path) {
    const char *tag = tb_lower (row, "");
    bool known = tag == NULL;
    for (uint32_t i = 0; i < product->tags.count && !known; i++)
      known = tb_is (product->tags.first[i], tag);
    if (!known)
      tb_add_text (call, &product->tags, tag);
  }
}

static void
read_attributes (tb_call *call, const tb_json *p, tb_product *product)
{
  const char *internal = NULL;
  add_tags (call, product, p, "attributes.general");
  add_tags (call, product, p, "attributes.effects");
  add_tags (call, product, p, "attributes.flavors");
  TB_FOR (row, p, "attributes.internal_tags") {
    const char *tag = tb_text (row, "");
    if (tag != NULL)
      internal = internal == NULL ? tag : tb_printf (call, "%s, %s", internal, tag);
  }
  tb_add_pair (call, &product->attributes, "treez.internal_tags", internal);
  tb_add_pair (call, &product->attributes, "treez.classification",
               tb_text (p, "product_configurable_fields.classification"));
  tb_add_pair (call, &product->attributes, "treez.size", tb_text (p, "product_configurable_fields.size"));
  tb_add_pair (call, &product->attributes, "treez.status", tb_text (p, "product_status"));
}

static tb_flag
read_visible (tb_call *call, const tb_json *p)
{
  tb_flag none = { 0 };
  const char *status = tb_text (p, "product_status");
  if (status == NULL)
    return none;
  if (tb_setting_bool (call, "hide_below_threshold") && tb_no (tb_bool (p, "above_threshold")))
    return tb_flag_of (false);
  return tb_flag_of (tb_is (status, "ACTIVE") && !tb_yes (tb_bool (p, "e_commerce.hide_from_menu")));
}

/* ---- products ---- */

static tb_status
emit_product (tb_call *call, const tb_json *p)
{
  tb_product product = { 0 };
  product.id = tb_string (p, "product_id");
  if (product.id != NULL && tb_is (tb_text (p, "product_status"), "DELETED"))
    return tb_emit_deleted (call, TB_PRODUCTS, product.id);
  product.parent_id = tb_string (p, "catalog_parent_id");
  product.name = tb_text (p, "e_commerce.menu_title|product_configurable_fields.name");
  product.brand = tb_text (p, "product_configurable_fields.brand");
  product.category = tb_text (p, "category_type");
  product.subcategory = tb_text (p, "product_configurable_fields.subtype");
  product.description = tb_text (p, "e_commerce.product_description");
  product.strain = tb_text (p, "product_configurable_fields.strain_name");
  product.classification = tb_word_of (p, "product_configurable_fields.classification", strains);
  product.unit = TB_EACH_ONE;
  product.visible = read_visible (call, p);
  product.updated_at_ms = tb_time_local (p, "last_updated_at");
  read_codes (p, &product);
  read_weight (p, &product);
  read_stock (call, p, &product);
  read_prices (call, p, &product);
  read_potency (call, p, &product);
  add_image (call, &product, tb_text (p, "e_commerce.primary_image"), TB_PRIMARY);
  TB_FOR (row, p, "e_commerce.all_images")
    add_image (call, &product, tb_text (row, "url|"), TB_GALLERY);
  read_attributes (call, p, &product);
  treez_read_offers (call, p, &product);
  TB_TRY (tb_emit (call, &product));
  TB_FOR (d, p, "discounts")
    TB_TRY (treez_emit_promotion (call, d));
  return TB_OK;
}

tb_status
treez_pull_products (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1);
  const char *size = treez_page_size (call);
  tb_items *items;
  if (pull->full)
    TB_TRY (tb_get_items (call, &items, "data.product_list[]",
                          "/product/product_list?page=%lld&pagesize=%s&active=ALL", page, size));
  else
    TB_TRY (tb_get_items (call, &items, "data.product_list[]",
                          "/product/product_list/lastUpdated/after/%s?page=%lld&pagesize=%s&active=ALL",
                          treez_time (call, pull->since_ms), page, size));
  TB_EACH (p, items)
    TB_TRY (emit_product (call, p));
  return treez_end_page (call, pull, items, "data.total_count", page);
}

tb_status
treez_fetch_product (tb_call *call, const char *id)
{
  const tb_json *answer, *product;
  TB_TRY (tb_get (call, &answer, "/product/%s", id));
  product = tb_at (answer, "data.product_list[0]|data[0]|data");
  /* Not "not found", which would mean deleted. */
  if (tb_string (product, "product_id") == NULL)
    return tb_fail (call, TB_BAD_RESPONSE, "the answer for product %s holds no product_id", id);
  return emit_product (call, product);
}
