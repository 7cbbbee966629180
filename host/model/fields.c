#include "model/fields.h"

/* Where a member lies, and a compile error when it is not of this type. */
#define AT(type, member, wanted)                                                                             \
  (offsetof (type, member) + 0 * sizeof (_Generic(((type *)0)->member, wanted : 0)))

#define KEY(name) .key = ",\"" name "\":", .key_length = sizeof (",\"" name "\":") - 1
#define TEXT(name, member, ceiling, ...)                                                                     \
  {                                                                                                          \
    KEY (name), .type = FIELD_TEXT, .offset = AT (S, member, const char *), .most = ceiling, __VA_ARGS__     \
  }
#define TEXT_AS(as, name, member, ...)                                                                       \
  {                                                                                                          \
    KEY (name), .type = as, .offset = AT (S, member, const char *), .most = MODEL_TEXT_MOST, __VA_ARGS__     \
  }
#define NUMBER(name, member, ...)                                                                            \
  {                                                                                                          \
    KEY (name), .type = FIELD_NUMBER, .offset = AT (S, member, tb_decimal), __VA_ARGS__                      \
  }
#define FLAG(name, member)                                                                                   \
  {                                                                                                          \
    KEY (name), .type = FIELD_FLAG, .offset = AT (S, member, tb_flag)                                        \
  }
#define TIME(name, member, ...)                                                                              \
  {                                                                                                          \
    KEY (name), .type = FIELD_TIME, .offset = AT (S, member, long long), __VA_ARGS__                         \
  }
#define MONEY(as, name, member, ...)                                                                         \
  {                                                                                                          \
    KEY (name), .type = as, .offset = AT (S, member, tb_money), __VA_ARGS__                                  \
  }
#define CURRENCY                                                                                             \
  {                                                                                                          \
    KEY ("currency"), .type = FIELD_CURRENCY                                                                 \
  }
#define WORD(name, member, enumeration, list, ...)                                                           \
  {                                                                                                          \
    KEY (name), .type = FIELD_WORD, .offset = AT (S, member, enumeration), .words = list,                    \
                .word_count = G_N_ELEMENTS (list), __VA_ARGS__                                               \
  }
#define TEXTS(name, member, ceiling)                                                                         \
  {                                                                                                          \
    KEY (name), .type = FIELD_TEXTS, .offset = AT (S, member, tb_texts), .most = ceiling                     \
  }
#define PAIRS(name, member)                                                                                  \
  {                                                                                                          \
    KEY (name), .type = FIELD_PAIRS, .offset = AT (S, member, tb_pairs), .most = MODEL_ATTRIBUTES_MOST       \
  }
#define LIST(name, member, rows)                                                                             \
  {                                                                                                          \
    KEY (name), .type = FIELD_LIST, .offset = offsetof (S, member), .most = MODEL_LIST_MOST, .table = &rows  \
  }
#define GROUP(as, name, rows)                                                                                \
  {                                                                                                          \
    KEY (name), .type = as, .table = &rows                                                                   \
  }
#define TABLE(type, rows)                                                                                    \
  {                                                                                                          \
    rows, G_N_ELEMENTS (rows), sizeof (type)                                                                 \
  }
#define NEEDED .rules = FIELD_NEEDED
#define VENDORS .rules = FIELD_VENDORS

#define IS(word)                                                                                             \
  {                                                                                                          \
    "\"" word "\"", sizeof ("\"" word "\"") - 1                                                              \
  }
#define NOT_SAID                                                                                             \
  {                                                                                                          \
    "", 0                                                                                                    \
  }

static const Word units[] = { NOT_SAID, IS ("each"), IS ("g"), IS ("mg"), IS ("oz"), IS ("ml") };
static const Word buyers[] = { IS ("any"), IS ("recreational"), IS ("medical") };
static const Word customer_types[] = { NOT_SAID, IS ("recreational"), IS ("medical") };
static const Word strains[] = { NOT_SAID, IS ("indica"), IS ("sativa"), IS ("hybrid"), IS ("cbd") };
static const Word discounts[] = { NOT_SAID, IS ("percent"), IS ("amount"), IS ("price"), IS ("other") };
static const Word image_roles[] = { NOT_SAID, IS ("primary"), IS ("gallery") };
static const Word order_states[] = { NOT_SAID,     IS ("pending"),   IS ("confirmed"), IS ("in_preparation"),
                                     IS ("ready"), IS ("completed"), IS ("cancelled"), IS ("failed") };
static const Word fulfilments[] = { NOT_SAID, IS ("pickup"), IS ("delivery"), IS ("in_store") };
static const Word purposes[] = { NOT_SAID, IS ("transactional"), IS ("marketing") };
static const Word message_states[] = {
  NOT_SAID, IS ("queued"), IS ("sent"), IS ("delivered"), IS ("undelivered"), IS ("failed"), IS ("cancelled"),
};
static const Word wishes[] = { NOT_SAID, IS ("stop"), IS ("start"), IS ("help") };
static const Word reasons[] = { NOT_SAID,       IS ("opted_out"), IS ("recipient"), IS ("sender"),
                                IS ("content"), IS ("route"),     IS ("stock") };

/* ---- products ---- */

#define S tb_price
static const Field price_fields[] = {
  TEXT ("label", label, MODEL_NAME_MOST),
  NUMBER ("quantity", quantity, .rules = FIELD_NOT_NEGATIVE),
  WORD ("unit", unit, tb_unit, units),
  MONEY (FIELD_PRICE, "amount", amount, .rules = FIELD_NEEDED | FIELD_NOT_NEGATIVE),
  WORD ("customer_type", buyer, tb_buyer, buyers),
  FLAG ("tax_included", tax_included),
};
static const Table prices = TABLE (tb_price, price_fields);
#undef S

#define S tb_potency
static const Field potency_fields[] = {
  TEXT ("analyte", analyte, MODEL_ID_MOST, NEEDED),
  NUMBER ("min", min, .rules = FIELD_NOT_NEGATIVE),
  NUMBER ("max", max, .rules = FIELD_NOT_NEGATIVE),
  TEXT ("unit", unit, MODEL_ID_MOST),
};
static const Table potencies = TABLE (tb_potency, potency_fields);
#undef S

#define S tb_image
static const Field image_fields[] = {
  { KEY ("url"), .type = FIELD_URL, .offset = AT (S, url, const char *), .most = MODEL_URL_MOST, NEEDED },
  WORD ("role", role, tb_image_role, image_roles),
};
static const Table images = TABLE (tb_image, image_fields);
#undef S

#define S tb_offer
static const Field offer_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST, NEEDED),
  TEXT ("name", name, MODEL_NAME_MOST, NEEDED),
  WORD ("type", type, tb_discount, discounts),
  { KEY ("value"), .type = FIELD_WORTH, .rules = FIELD_NOT_NEGATIVE, .offset = AT (S, value, tb_decimal),
    .other = AT (S, type, tb_discount), .money = AT (S, price, tb_money) },
  MONEY (FIELD_AMOUNT, "price", price, .rules = FIELD_NOT_NEGATIVE),
  CURRENCY,
  TIME ("starts_at", starts_at_ms),
  TIME ("ends_at", ends_at_ms),
};
static const Table offers = TABLE (tb_offer, offer_fields);
#undef S

#define S tb_product
static const Field weight_fields[] = {
  NUMBER ("value", weight, .rules = FIELD_NOT_NEGATIVE),
  { KEY ("unit"), .type = FIELD_WORD, .offset = AT (S, weight_unit, tb_unit), .words = units,
    .word_count = G_N_ELEMENTS (units), NEEDED },
};
static const Table weight = TABLE (tb_product, weight_fields);

static const Field product_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST, .rules = FIELD_NEEDED | FIELD_VENDORS),
  TEXT ("sku", sku, MODEL_ID_MOST),
  TEXT ("barcode", barcode, MODEL_ID_MOST),
  TEXT ("name", name, MODEL_NAME_MOST, NEEDED),
  TEXT ("brand", brand, MODEL_NAME_MOST),
  TEXT ("category", category, MODEL_NAME_MOST),
  TEXT ("subcategory", subcategory, MODEL_NAME_MOST),
  TEXT ("description", description, MODEL_DESCRIPTION_MOST),
  TEXT ("strain", strain, MODEL_NAME_MOST),
  WORD ("classification", classification, tb_strain, strains),
  WORD ("unit", unit, tb_unit, units, VENDORS),
  GROUP (FIELD_GROUP, "net_weight", weight),
  LIST ("prices", prices, prices),
  LIST ("potency", potency, potencies),
  LIST ("images", images, images),
  LIST ("promotions", offers, offers),
  TEXTS ("tags", tags, MODEL_LIST_MOST),
  TEXT ("parent_id", parent_id, MODEL_ID_MOST, VENDORS),
  FLAG ("medical_only", medical_only),
  FLAG ("visible", visible),
  NUMBER ("quantity", quantity, .rules = FIELD_NOT_NEGATIVE | FIELD_VENDORS),
  PAIRS ("attributes", attributes),
  TIME ("updated_at", updated_at_ms, VENDORS),
};
#undef S

/* ---- inventory and promotions ---- */

#define S tb_inventory
static const Field inventory_fields[] = {
  { KEY ("id"), .type = FIELD_LEVEL_ID, NEEDED },
  TEXT ("product_id", product_id, MODEL_ID_MOST, NEEDED),
  TEXT ("location_id", location_id, MODEL_ID_MOST),
  TEXT ("batch_id", batch_id, MODEL_ID_MOST),
  WORD ("customer_type", buyer, tb_buyer, buyers),
  NUMBER ("quantity", quantity, NEEDED), /* may be below 0: shops sell what is not booked in yet */
  WORD ("unit", unit, tb_unit, units),
  TIME ("updated_at", updated_at_ms),
};
#undef S

#define S tb_promotion
static const Field promotion_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST, NEEDED),
  TEXT ("name", name, MODEL_NAME_MOST, NEEDED),
  WORD ("type", type, tb_discount, discounts),
  { KEY ("value"), .type = FIELD_WORTH, .rules = FIELD_NOT_NEGATIVE | FIELD_MONEY_IS_VALUE,
    .offset = AT (S, value, tb_decimal), .other = AT (S, type, tb_discount),
    .money = AT (S, amount, tb_money) },
  CURRENCY,
  TEXTS ("product_ids", product_ids, MODEL_PRODUCT_IDS_MOST),
  TEXTS ("categories", categories, MODEL_LIST_MOST),
  WORD ("customer_type", buyer, tb_buyer, buyers),
  TEXT ("schedule", schedule, MODEL_TEXT_MOST),
  TIME ("starts_at", starts_at_ms),
  TIME ("ends_at", ends_at_ms),
  FLAG ("active", active),
  PAIRS ("attributes", attributes),
};
#undef S

/* ---- customers: emitted, and within an order, where they may be unknown to the vendor yet ---- */

#define S tb_customer
static const Field address_fields[] = {
  TEXT ("street", street, MODEL_NAME_MOST),
  TEXT ("street2", street2, MODEL_NAME_MOST),
  TEXT ("city", city, MODEL_NAME_MOST),
  TEXT ("state", state, MODEL_NAME_MOST),
  TEXT ("postal_code", postal_code, MODEL_ID_MOST),
  TEXT ("country", country, MODEL_ID_MOST),
};
static const Table address = TABLE (tb_customer, address_fields);

static const Field consent_fields[] = { FLAG ("sms", consent_sms), FLAG ("email", consent_email) };
static const Table consent = TABLE (tb_customer, consent_fields);

#define CUSTOMER_FIELDS(id_rules)                                                                            \
  TEXT ("id", id, MODEL_ID_MOST, .rules = id_rules), WORD ("type", type, tb_buyer, customer_types),          \
    TEXT ("status", status, MODEL_ID_MOST), TEXT ("first_name", first_name, MODEL_NAME_MOST),                \
    TEXT ("last_name", last_name, MODEL_NAME_MOST), TEXT ("email", email, MODEL_NAME_MOST),                  \
    TEXT_AS (FIELD_PHONE, "phone", phone), TEXT_AS (FIELD_DATE, "birthday", birthday),                       \
    TEXT ("medical_id", medical_id, MODEL_ID_MOST),                                                          \
    TEXT_AS (FIELD_DATE, "medical_id_expires", medical_id_expires),                                          \
    GROUP (FIELD_ANY_GROUP, "address", address), NUMBER ("loyalty_points", loyalty_points),                  \
    GROUP (FIELD_ANY_GROUP, "consent", consent), TEXT ("reference", reference, MODEL_ID_MOST),               \
    PAIRS ("attributes", attributes), TIME ("updated_at", updated_at_ms)

static const Field customer_fields[] = { CUSTOMER_FIELDS (FIELD_NEEDED) };
static const Field order_customer_fields[] = { CUSTOMER_FIELDS (0) };
static const Table order_customer = TABLE (tb_customer, order_customer_fields);
#undef S

/* ---- orders ---- */

#define S tb_order_item
static const Field item_fields[] = {
  TEXT ("product_id", product_id, MODEL_ID_MOST, NEEDED),
  TEXT ("sku", sku, MODEL_ID_MOST),
  TEXT ("name", name, MODEL_NAME_MOST),
  NUMBER ("quantity", quantity, NEEDED),
  WORD ("unit", unit, tb_unit, units),
  MONEY (FIELD_AMOUNT, "unit_price", unit_price),
  MONEY (FIELD_AMOUNT, "discount", discount),
  MONEY (FIELD_AMOUNT, "total", total),
  WORD ("customer_type", buyer, tb_buyer, customer_types),
};
static const Table items = TABLE (tb_order_item, item_fields);
#undef S

#define S tb_fee
static const Field fee_fields[] = {
  TEXT ("name", name, MODEL_NAME_MOST),
  MONEY (FIELD_AMOUNT, "amount", amount, NEEDED),
};
static const Table fees = TABLE (tb_fee, fee_fields);
#undef S

#define S tb_order
static const Field order_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST),
  TEXT ("reference", reference, MODEL_ID_MOST),
  TEXT ("vendor_id", vendor_id, MODEL_ID_MOST),
  TEXT ("number", number, MODEL_ID_MOST),
  WORD ("status", status, tb_order_status, order_states),
  WORD ("fulfilment", fulfilment, tb_fulfilment, fulfilments),
  { KEY ("customer"), .type = FIELD_RECORD, .offset = AT (S, customer, tb_customer *),
    .table = &order_customer },
  LIST ("items", items, items),
  LIST ("fees", fees, fees),
  MONEY (FIELD_AMOUNT, "subtotal", subtotal),
  MONEY (FIELD_AMOUNT, "discount", discount),
  MONEY (FIELD_AMOUNT, "tax", tax),
  MONEY (FIELD_AMOUNT, "rounding", rounding),
  MONEY (FIELD_AMOUNT, "total", total),
  CURRENCY,
  TEXT ("note", note, MODEL_BODY_MOST),
  TEXT ("reason", reason, MODEL_TEXT_MOST),
  TIME ("pickup_at", pickup_at_ms),
  PAIRS ("attributes", attributes),
  TIME ("created_at", created_at_ms),
  TIME ("updated_at", updated_at_ms),
};
#undef S

/* ---- messages and insights ---- */

#define S tb_message
static const Field error_fields[] = {
  WORD ("reason", why, tb_why, reasons),
  TEXT ("detail", error, MODEL_TEXT_MOST),
};
static const Table error = TABLE (tb_message, error_fields);

/* "out" is what is not said to have come in. */
static const Word directions[] = { IS ("out"), IS ("out"), IS ("in") };

static const Field message_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST),
  { KEY ("direction"), .type = FIELD_WORD, .offset = AT (S, inbound, tb_flag), .words = directions,
    .word_count = G_N_ELEMENTS (directions) },
  TEXT ("to", to, MODEL_ID_MOST),
  TEXT ("from", from, MODEL_ID_MOST),
  TEXT ("body", body, MODEL_BODY_MOST),
  TEXTS ("media_urls", media_urls, MODEL_LIST_MOST),
  WORD ("purpose", purpose, tb_purpose, purposes),
  WORD ("status", status, tb_message_status, message_states),
  { KEY ("segments"), .type = FIELD_COUNT, .offset = AT (S, segments, uint32_t) },
  WORD ("wish", wish, tb_wish, wishes),
  TEXT ("vendor_id", vendor_id, MODEL_ID_MOST),
  GROUP (FIELD_ANY_GROUP, "error", error),
  TIME ("send_at", send_at_ms),
  PAIRS ("attributes", attributes),
  TIME ("created_at", created_at_ms),
  TIME ("updated_at", updated_at_ms),
};
#undef S

#define S tb_insight
static const Field insight_fields[] = {
  TEXT ("id", id, MODEL_ID_MOST, NEEDED),
  TEXT ("about", about, MODEL_ID_MOST, NEEDED),
  TEXT ("product_id", product_id, MODEL_ID_MOST),
  TEXT ("sku", sku, MODEL_ID_MOST),
  TEXT ("name", name, MODEL_NAME_MOST),
  TIME ("from", from_ms),
  TIME ("until", until_ms),
  NUMBER ("units", units),
  NUMBER ("transactions", transactions),
  NUMBER ("on_hand", on_hand),
  NUMBER ("daily_units", daily_units),
  NUMBER ("days_of_supply", days_of_supply),
  MONEY (FIELD_AMOUNT, "revenue", revenue),
  MONEY (FIELD_AMOUNT, "gross_sales", gross_sales),
  MONEY (FIELD_AMOUNT, "discounts", discounts),
  MONEY (FIELD_AMOUNT, "cost", cost),
  MONEY (FIELD_AMOUNT, "profit", profit),
  CURRENCY,
  PAIRS ("attributes", attributes),
  TIME ("updated_at", updated_at_ms),
};
#undef S

#define KIND(kind_name, kind_bit, type, rows, other_id_at, parent_at, updated_at)                            \
  {                                                                                                          \
    .name = kind_name, .bit = kind_bit, .table = TABLE (type, rows), .other_id = other_id_at,                \
    .parent = parent_at, .updated = updated_at                                                               \
  }
#define NONE (-1)

const Kind model_kinds[MODEL_KINDS] = {
  [MODEL_PRODUCTS] = KIND ("products", TB_PRODUCTS, tb_product, product_fields, NONE,
                           offsetof (tb_product, parent_id), offsetof (tb_product, updated_at_ms)),
  [MODEL_INVENTORY] = KIND ("inventory", TB_INVENTORY, tb_inventory, inventory_fields, NONE,
                            offsetof (tb_inventory, product_id), offsetof (tb_inventory, updated_at_ms)),
  [MODEL_PROMOTIONS] = KIND ("promotions", TB_PROMOTIONS, tb_promotion, promotion_fields, NONE, NONE, NONE),
  [MODEL_CUSTOMERS] = KIND ("customers", TB_CUSTOMERS, tb_customer, customer_fields, NONE, NONE,
                            offsetof (tb_customer, updated_at_ms)),
  [MODEL_ORDERS] = KIND ("orders", TB_ORDERS, tb_order, order_fields, offsetof (tb_order, vendor_id), NONE,
                         offsetof (tb_order, updated_at_ms)),
  [MODEL_MESSAGES] = KIND ("messages", TB_MESSAGES, tb_message, message_fields,
                           offsetof (tb_message, vendor_id), NONE, offsetof (tb_message, updated_at_ms)),
  [MODEL_INSIGHTS] = KIND ("insights", TB_INSIGHTS, tb_insight, insight_fields, NONE, NONE,
                           offsetof (tb_insight, updated_at_ms)),
};

/* Of every kind the id is the first member (an inventory level's is composed). */
G_STATIC_ASSERT (offsetof (tb_product, id) == 0);
G_STATIC_ASSERT (offsetof (tb_promotion, id) == 0 && offsetof (tb_customer, id) == 0);
G_STATIC_ASSERT (offsetof (tb_order, id) == 0 && offsetof (tb_message, id) == 0 &&
                 offsetof (tb_insight, id) == 0);
