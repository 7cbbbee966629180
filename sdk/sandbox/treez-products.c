/* Products as Treez writes them: upper case with | and # and double blanks, null brands, no stock as [],
 * tiers, discounts, numbers as texts, merged products. About 1.6 kB each, of which most are pieces that are
 * copied. */
#include "treez.h"

#include "text.h"

/* In alphabetical order, so that comparing numbers is comparing names. */
static const char *const first_words[] = {
  "AMBER",  "BLUE",   "CEDAR", "COASTAL", "CORAL", "DESERT", "DUSTY",  "EASTERN", "EMBER", "FOGGY", "GOLD",
  "GRAND",  "HARBOR", "HAZY",  "INDIGO",  "JADE",  "LITTLE", "LUNAR",  "MAPLE",   "MISTY", "NORTH", "OCEAN",
  "ORCHID", "PLUM",   "QUIET", "RIVER",   "RUBY",  "SILVER", "SUMMER", "VELVET",  "WILD",  "WINTER"
};
static const char *const second_words[] = {
  "ACRE", "ANCHOR", "BAY",   "BLOSSOM", "BREEZE", "CANYON", "CLOUD", "COVE",   "CREEK",  "DAWN",    "DREAM",
  "DUNE", "FIELD",  "FOG",   "GROVE",   "HILL",   "ISLAND", "LANE",  "MEADOW", "MOON",   "ORCHARD", "PEAK",
  "PINE", "RIDGE",  "SHORE", "SKY",     "STONE",  "SUNSET", "TIDE",  "TRAIL",  "VALLEY", "WAVE"
};
static const char *const brands[] = { "ORCHARD LANE", "NORTH BENCH", "QUIET PINES",
                                      "HARBOR & CO",  "SUN  FARMS",  "EMBER" };
static const char *const classes[] = { "\"SATIVA\"", "\"INDICA\"", "\"HYBRID\"", "\"CBD\"",
                                       "\"I/S\"",    "\"S/I\"",    "\"KUSH\"",   "null" };
static const char *const sentences[] = {
  "Grown slowly on a small hillside and trimmed by hand. ",
  "Bright, with citrus on the nose and pine in the finish. ",
  "Tested twice, packed once, and kept cool on its way to you. ",
  "Best in the evening, with a blanket and no plans at all. ",
  "Notes of plum, dark cocoa and fresh earth. ",
  "From a family farm that has kept the same seeds for thirty years. ",
  "Start low, go slow, and see how you feel after an hour. ",
  "A favourite of the house; ask the counter for a pairing. ",
};

typedef struct {
  const char *form, *separator, *category, *subtype, *uom;
  const char *sizes[2]; /* in alphabetical order */
  const char *amounts[2];
  gint32 price; /* from, thousandths */
} Shape;

static const Shape shapes[] = {
  { "BATTERY", " | ", "MERCH", "BATTERY", "null", { "BLACK", "WHITE" }, { "1", "1" }, 12000 },
  { "BUD", "  #", "FLOWER", "BULK FLOWER", "\"GRAMS\"", { "1", "2" }, { "1", "1" }, 7000 },
  { "CAPSULES", " - ", "PILL", "CAPSULE", "\"MILLIGRAMS\"", { "10 CT", "25 CT" }, { "100", "250" }, 18000 },
  { "CART", " | ", "CARTRIDGE", "LIVE RESIN", "\"GRAMS\"", { "0.5 G", "1 G" }, { "0.5", "1" }, 25000 },
  { "EIGHTH", " ", "FLOWER", "PRE-PACK", "\"GRAMS\"", { "3.5 G", "SMALLS" }, { "3.5", "3.5" }, 22000 },
  { "GUMMIES", "  - ", "EDIBLE", "GUMMY", "\"MILLIGRAMS\"", { "100 MG", "50 MG" }, { "100", "50" }, 14000 },
  { "PREROLL", " #", "PREROLL", "SINGLE", "\"GRAMS\"", { "CONE", "TUBE" }, { "1", "0.75" }, 6000 },
  { "TONIC", " | ", "BEVERAGE", "DRINK", "\"MILLILITERS\"", { "12 OZ", "8 OZ" }, { "355", "237" }, 5000 },
};

enum { BULK_FLOWER = 1 };

/* What seed and index decide about a product. */
typedef struct {
  guint64 bits;
  guint first, second, shape, size;
} Look;

static Look
look_of (guint64 seed, guint32 index)
{
  guint64 bits = data_bits (seed, index, 1);
  return (Look){ bits, bits & 31, bits >> 5 & 31, bits >> 10 & 7, bits >> 13 & 1 };
}

static guint64
key (guint64 seed, guint32 index)
{
  Look look = look_of (seed, index);
  return (guint64)(look.first << 16 | look.second << 8 | look.shape << 4 | look.size) << 32;
}

static void
fill (guint64 seed, guint32 index, DataRecord *record)
{
  static const gint64 from_ms = 1735718400000; /* 2025-01-01, midnight in Los Angeles */
  Look look = look_of (seed, index);
  guint64 more = data_bits (seed, index, 2);
  record->price = shapes[look.shape].price + (gint32)(more % 40) * 500 + (more >> 8 & 15 ? 0 : 33);
  record->quantity =
    more >> 12 & 15 ? (gint32)(more >> 16 & 127) * (look.shape == BULK_FLOWER ? 3500 : 1000) : 0;
  record->status = more >> 24 & 31 ? DATA_ACTIVE : DATA_INACTIVE;
  record->changed_ms = from_ms + (gint64)(more >> 29) % (300 * (gint64)86400000);
}

static void
put_hex (Pen *out, guint64 number, int digits)
{
  char text[16];
  for (int i = digits - 1; i >= 0; i--, number >>= 4)
    text[i] = "0123456789abcdef"[number & 15];
  pen_bytes (out, text, (gsize)digits);
}

static void
id (guint32 index, char text[DATA_ID_SIZE])
{
  g_snprintf (text, DATA_ID_SIZE, "5b0c1f4e-7d10-4a10-9b00-%012x", index + 1);
}

static void
put_quantity (Pen *out, gint32 quantity)
{
  pen_thousandths (out, quantity);
  if (quantity % 1000 == 0)
    PEN_LITERAL (out, ".0");
}

static void
put_place (Pen *out, guint variant, const char *type, guint place, gint32 quantity)
{
  static const char *const names[] = { "FRONT OF HOUSE", "BACK OF HOUSE" }, *const ids[] = { "l-1", "l-2" };
  pen_text (out, "{\"inventory_type\":\"");
  pen_text (out, type);
  if (variant & TREEZ_STOCK)
    PEN_LITERAL (out, "\",\"location_name\":\"");
  else
    PEN_LITERAL (out, "\",\"location\":\"");
  pen_text (out, names[place]);
  if (variant & TREEZ_PLACE_IDS) {
    PEN_LITERAL (out, "\",\"location_id\":\"");
    pen_text (out, ids[place]);
  }
  PEN_LITERAL (out, "\",\"sellable_quantity\":");
  put_quantity (out, quantity);
  pen_char (out, '}');
}

/* One place, or two customer types in one place, or nothing at all: [] when nothing is there. */
static void
put_places (Pen *out, const Look *look, guint variant, gint32 quantity)
{
  pen_char (out, '[');
  if (quantity > 0 && look->bits >> 20 & 1) {
    gint32 medical = quantity / 4000 * 1000;
    put_place (out, variant, "ADULT", 0, quantity - medical);
    pen_char (out, ',');
    put_place (out, variant, "MEDICAL", 0, medical);
  } else if (quantity > 0) {
    put_place (out, variant, look->bits >> 21 & 15 ? "ADULT" : "MEDICAL", 1, quantity);
  }
  pen_char (out, ']');
}

static void
put_stock (Pen *out, const Look *look, guint variant, gint32 quantity)
{
  PEN_LITERAL (out, ",\"sellable_quantity\":");
  put_quantity (out, quantity);
  PEN_LITERAL (out, ",\"sellable_quantity_detail\":");
  put_places (out, look, variant, quantity);
}

static void
put_name (Pen *out, const Look *look, const DataRecord *record)
{
  const Shape *shape = &shapes[look->shape];
  pen_text (out, first_words[look->first]);
  pen_char (out, ' ');
  pen_text (out, second_words[look->second]);
  pen_char (out, ' ');
  pen_text (out, shape->form);
  pen_text (out, shape->separator);
  pen_text (out, shape->sizes[look->size]);
  if (record->renamed) {
    PEN_LITERAL (out, " V");
    pen_unsigned (out, record->revision);
  }
}

static void
put_fields (Pen *out, const Look *look, const DataRecord *record)
{
  const Shape *shape = &shapes[look->shape];
  guint brand = look->bits >> 25 & 7;
  PEN_LITERAL (out, ",\"category_type\":\"");
  pen_text (out, shape->category);
  PEN_LITERAL (out, "\",\"sku_type\":\"BASE_SKU\",\"product_configurable_fields\":{\"name\":\"");
  put_name (out, look, record);
  PEN_LITERAL (out, "\",\"uom\":");
  pen_text (out, shape->uom);
  PEN_LITERAL (out, ",\"brand\":");
  if (brand < G_N_ELEMENTS (brands)) {
    pen_char (out, '"');
    pen_text (out, brands[brand]);
    pen_char (out, '"');
  } else {
    PEN_LITERAL (out, "null");
  }
  PEN_LITERAL (out, ",\"size\":\"");
  pen_text (out, shape->sizes[look->size]);
  PEN_LITERAL (out, "\",\"amount\":");
  pen_text (out, shape->amounts[look->size]);
  PEN_LITERAL (out, ",\"classification\":");
  pen_text (out, classes[look->bits >> 28 & 7]);
  PEN_LITERAL (out, ",\"total_mg_thc\":");
  pen_unsigned (out, look->bits >> 31 & 127);
  PEN_LITERAL (out, ".0,\"total_mg_cbd\":0.0,\"subtype\":\"");
  pen_text (out, shape->subtype);
  PEN_LITERAL (out, "\",\"strain_name\":\"");
  pen_text (out, second_words[look->second]);
  PEN_LITERAL (out, "\",\"doses\":10,\"mg_per_dose\":10,\"external_id\":null}");
}

static gboolean
has_discount (const Look *look)
{
  return look->shape != BULK_FLOWER && (look->bits >> 38 & 15) == 0;
}

/* The price of one gram falls with the quantity. */
static void
put_tiers (Pen *out, gint32 price)
{
  static const struct {
    const char *start;
    gint32 percent;
  } tiers[] = { { "0", 120 }, { "1", 100 }, { "3.5", 80 }, { "28", 55 } };
  PEN_LITERAL (out, ",\"pricing\":{\"price_type\":\"TIER\",\"price_sell\":null,\"tier_name\":\"SHELF B\","
                    "\"tier_method\":\"WEIGHT_GRAMS\",\"tier_pricing_detail\":[");
  for (guint i = 0; i < G_N_ELEMENTS (tiers); i++) {
    if (i)
      pen_char (out, ',');
    PEN_LITERAL (out, "{\"start_value\":");
    pen_text (out, tiers[i].start);
    PEN_LITERAL (out, ",\"price_per_value\":");
    pen_thousandths (out, (gint32)((gint64)price * tiers[i].percent / 100));
    pen_char (out, '}');
  }
  PEN_LITERAL (out, "]}");
}

static void
put_pricing (Pen *out, const Look *look, const DataRecord *record)
{
  if (look->shape == BULK_FLOWER) {
    put_tiers (out, record->price);
    return;
  }
  PEN_LITERAL (out, ",\"pricing\":{\"price_type\":\"FLAT\",\"price_sell\":");
  pen_thousandths (out, record->price);
  if (!has_discount (look)) {
    PEN_LITERAL (
      out,
      ",\"discounted_price\":null,\"discount_amount\":null,\"discount_percent\":null,\"tier_name\":null}");
    return;
  }
  gint32 less = record->price / 5;
  PEN_LITERAL (out, ",\"discounted_price\":");
  pen_thousandths (out, record->price - less);
  PEN_LITERAL (out, ",\"discount_amount\":");
  pen_thousandths (out, less);
  PEN_LITERAL (out, ",\"discount_percent\":20.0,\"tier_name\":null}");
}

static void
put_discounts (Pen *out, const Look *look, guint variant)
{
  if (!(variant & TREEZ_DISCOUNTS) || !has_discount (look)) {
    PEN_LITERAL (out, ",\"discounts\":null");
    return;
  }
  PEN_LITERAL (out, ",\"discounts\":[{\"discount_id\":\"d-10");
  pen_unsigned (out, look->shape);
  PEN_LITERAL (
    out,
    "\",\"discount_title\":\"Monday "
    "special\",\"discount_type\":\"Automated\",\"discount_affinity\":\"Pre-Cart\","
    "\"discount_amount\":20.0,\"discount_method\":\"PERCENT\",\"discount_stackable\":\"No\","
    "\"discount_applied_in_calc\":\"Yes\",\"discount_not_applied_in_calc_reason\":null,"
    "\"discount_condition_detail\":[{\"discount_condition_type\":\"Schedule\",\"discount_condition_value\":"
    "\"Weekly on Monday, Starting on 2026-03-02 12:00 am and ending at 11:59 "
    "pm\",\"discount_condition_schedule\":"
    "{\"type\":\"WEEK\",\"start_date\":\"2026-03-02T00:00\",\"end_date\":\"2026-03-02T23:59\",\"repeat\":"
    "\"Weekly on Monday\"}}]},{\"discount_id\":\"d-901\",\"discount_title\":\"Staff pick\",\"discount_type\":"
    "\"Manual\",\"discount_affinity\":\"Cart\",\"discount_amount\":5.0,\"discount_method\":\"DOLLAR\","
    "\"discount_stackable\":\"Yes\",\"discount_applied_in_calc\":\"No\",\"discount_not_applied_in_calc_"
    "reason\":"
    "\"Non Pre-Cart discount\"}]");
}

static void
put_barcodes (Pen *out, guint32 index)
{
  PEN_LITERAL (out,
               ",\"product_barcodes\":[{\"created_date\":\"2025-11-04T14:00:00.000-08:00\",\"sku\":\"0085");
  pen_unsigned (out, 1000000 + index);
  PEN_LITERAL (out, "\",\"type\":\"USER_DEFINED\"}");
  if (index % 4 == 0) {
    PEN_LITERAL (out, ",{\"created_date\":\"2025-11-04T14:00:00.000-08:00\",\"sku\":\"W");
    pen_unsigned (out, index);
    PEN_LITERAL (out, "Q\",\"type\":\"GENERATED\"}");
  }
  pen_char (out, ']');
}

static void
put_image (Pen *out, guint32 index, const char *side)
{
  PEN_LITERAL (out, "\"https://img.example/p/");
  pen_unsigned (out, index);
  pen_text (out, side);
}

static void
put_shop (Pen *out, const Look *look, guint32 index)
{
  PEN_LITERAL (out, ",\"e_commerce\":{\"all_images\":[");
  put_image (out, index, "/front.jpg\"");
  if (index % 4 == 1) {
    pen_char (out, ',');
    put_image (out, index, "/back.jpg\"");
  }
  PEN_LITERAL (out, "],\"primary_image\":");
  put_image (out, index, "/front.jpg\"");
  PEN_LITERAL (out, ",\"menu_title\":\"\",\"product_description\":\"");
  for (guint i = 0; i < 1 + (look->bits >> 41 & 1); i++)
    pen_text (out, sentences[look->bits >> (43 + i * 3) & 7]);
  PEN_LITERAL (out, "\",\"minimum_visible_inventory_level\":2,\"hide_from_menu\":");
  pen_text (out, look->bits >> 58 & 31 ? "false" : "true");
  pen_char (out, '}');
}

static void
put_rest (Pen *out, const Look *look, guint32 index)
{
  PEN_LITERAL (
    out, ",\"attributes\":{\"general\":[],\"flavors\":[\"PLUM \"],\"effects\":[\"CALM\"],\"ingredients\":[],"
         "\"internal_tags\":[\"ENDCAP\"]}");
  put_barcodes (out, index);
  put_shop (out, look, index);
  PEN_LITERAL (out, ",\"autoupdate_lab_results\":true,\"lab_results\":[{\"result_type\":\"THC\",\"amount\":{"
                    "\"minimum_value\":\"");
  pen_unsigned (out, 12 + (look->bits >> 31 & 15));
  PEN_LITERAL (out, ".5\",\"maximum_value\":\"");
  pen_unsigned (out, 14 + (look->bits >> 31 & 15));
  PEN_LITERAL (out,
               "\"},\"amount_type\":\"PERCENTAGE\"}],\"above_threshold\":true,\"merged_from_product_ids\":[");
  if (index % 500 == 499) {
    PEN_LITERAL (out, "\"5b0c1f4e-7d10-4a10-9b00-ffff");
    put_hex (out, index, 8);
    pen_char (out, '"');
  }
  PEN_LITERAL (out, "],\"external_references\":[]}");
}

/* A row of v3's getStock. */
static void
render_stock (Pen *out, const Look *look, guint32 index, const DataRecord *record)
{
  const Shape *shape = &shapes[look->shape];
  PEN_LITERAL (out, "{\"product_id\":\"5b0c1f4e-7d10-4a10-9b00-");
  put_hex (out, index + (guint64)1, 12);
  PEN_LITERAL (out, "\",\"product_status\":\"");
  pen_text (out, record->status == DATA_ACTIVE ? "ACTIVE" : "DEACTIVATED");
  PEN_LITERAL (out, "\",\"product_name\":\"");
  put_name (out, look, record);
  PEN_LITERAL (out, "\",\"product_brand\":null,\"product_type\":\"");
  pen_text (out, shape->category);
  PEN_LITERAL (out, "\",\"product_subtype\":\"");
  pen_text (out, shape->subtype);
  PEN_LITERAL (out, "\",\"product_uom\":");
  pen_text (out, shape->uom);
  PEN_LITERAL (out, ",\"product_amount\":");
  pen_text (out, shape->amounts[look->size]);
  PEN_LITERAL (out, ",\"product_sku\":[\"0085");
  pen_unsigned (out, 1000000 + index);
  PEN_LITERAL (out, "\"],\"inventory_details\":");
  put_places (out, look, TREEZ_STOCK, record->quantity);
  pen_char (out, '}');
}

static void
render (guint64 seed, guint32 index, const DataRecord *record, guint variant, GString *string)
{
  Pen pen = pen_open (string), *out = &pen;
  char time[TREEZ_TIME_SIZE];
  Look look = look_of (seed, index);
  if (variant == TREEZ_STOCK) {
    render_stock (out, &look, index, record);
    pen_close (out);
    return;
  }
  variant &= ~(guint)TREEZ_STOCK;
  treez_time (record->changed_ms, time);
  PEN_LITERAL (out, "{\"product_id\":\"5b0c1f4e-7d10-4a10-9b00-");
  put_hex (out, index + (guint64)1, 12);
  PEN_LITERAL (out, "\",\"catalog_parent_id\":\"5b0c1f4e-7d10-4a10-9b01-");
  put_hex (out, index / 2 + (guint64)1, 12);
  PEN_LITERAL (out, "\",\"product_status\":\"");
  pen_text (out, record->status == DATA_ACTIVE ? "ACTIVE" : "DEACTIVATED");
  PEN_LITERAL (out, "\",\"last_updated_at\":\"");
  pen_text (out, time);
  pen_char (out, '"');
  put_stock (out, &look, variant, record->quantity);
  put_fields (out, &look, record);
  put_pricing (out, &look, record);
  put_discounts (out, &look, variant);
  put_rest (out, &look, index);
  pen_close (out);
}

const DataKind treez_products = {
  .kind = "products",
  .name = "product_configurable_fields.name",
  .key = key,
  .fill = fill,
  .id = id,
  .render = render,
};
