/* The normalised records: what a plugin emits, and what it is handed to send.
 *
 * Texts are borrowed until tb_emit() returns; lists are built with tb_add(), tb_add_text() and tb_add_pair().
 * A member marked with * is needed: a record without it is set aside with the reason and stops nothing else.
 * Everything else may be left at zero, "not said". What a vendor says and no member holds may go into
 * `attributes` (names such as "treez.classification").
 *
 * Members are only ever added at the end. No struct ends in padding: a later small member would fall into it.
 */
#ifndef TILLBRIDGE_RECORDS_H
#define TILLBRIDGE_RECORDS_H

#include <tillbridge/base.h>

/* Kinds of records, as bits: a stream may carry several. */
typedef enum tb_kind {
  TB_PRODUCTS = 1,
  TB_INVENTORY = 2,
  TB_PROMOTIONS = 4,
  TB_CUSTOMERS = 8,
  TB_ORDERS = 16,
  TB_MESSAGES = 32,
  TB_INSIGHTS = 64
} tb_kind;

/* Units of weights and quantities. Liters are milliliters times 1000, fluid ounces times 29.5735. */
typedef enum tb_unit { TB_NO_UNIT, TB_EACH_ONE, TB_GRAM, TB_MILLIGRAM, TB_OUNCE, TB_MILLILITER } tb_unit;

/* Whom a price, a stock level or a promotion is for; a customer's type (TB_ANYBODY there: not said). */
typedef enum tb_buyer { TB_ANYBODY, TB_RECREATIONAL, TB_MEDICAL } tb_buyer;

typedef enum tb_strain { TB_NO_STRAIN, TB_INDICA, TB_SATIVA, TB_HYBRID, TB_CBD } tb_strain;

/* How a promotion changes a price: by percent, by an amount, to a price, or otherwise. */
typedef enum tb_discount { TB_NO_DISCOUNT, TB_PERCENT, TB_AMOUNT, TB_PRICE, TB_OTHER_DISCOUNT } tb_discount;

typedef enum tb_image_role { TB_NO_ROLE, TB_PRIMARY, TB_GALLERY } tb_image_role;

typedef enum tb_order_status {
  TB_ORDER_NOT_SAID,
  TB_ORDER_PENDING,
  TB_ORDER_CONFIRMED,
  TB_ORDER_IN_PREPARATION,
  TB_ORDER_READY,
  TB_ORDER_COMPLETED,
  TB_ORDER_CANCELLED,
  TB_ORDER_FAILED
} tb_order_status;

typedef enum tb_fulfilment { TB_NO_FULFILMENT, TB_PICKUP, TB_DELIVERY, TB_IN_STORE } tb_fulfilment;

typedef enum tb_purpose { TB_NO_PURPOSE, TB_TRANSACTIONAL, TB_MARKETING } tb_purpose;

typedef enum tb_message_status {
  TB_MESSAGE_NOT_SAID,
  TB_MESSAGE_QUEUED,
  TB_MESSAGE_SENT,
  TB_MESSAGE_DELIVERED,
  TB_MESSAGE_UNDELIVERED,
  TB_MESSAGE_FAILED,
  TB_MESSAGE_CANCELLED
} tb_message_status;

/* What an inbound message asks for, where the vendor recognised it; the host reads the words itself too. */
typedef enum tb_wish { TB_NO_WISH, TB_WISH_STOP, TB_WISH_START, TB_WISH_HELP } tb_wish;

/* One way to buy a product: "3.5 g" for 28.00. */
typedef struct tb_price {
  const char *label;   /* as shown: "3.5 g", "each" */
  tb_decimal quantity; /* of unit: 3.5 */
  tb_unit unit;
  tb_buyer buyer;
  tb_money amount; /* *; of the whole quantity */
  tb_flag tax_included;
  uint32_t reserved;
} tb_price;

/* What a laboratory found. */
typedef struct tb_potency {
  const char *analyte; /* *; upper case: "THC" */
  tb_decimal min, max; /* of unit; one value: both */
  const char *unit;    /* "%" or "mg" */
} tb_potency;

typedef struct tb_image {
  const char *url; /* *; absolute, http or https */
  tb_image_role role;
  uint32_t reserved;
} tb_image;

/* A promotion as it applies to one product. */
typedef struct tb_offer {
  const char *id, *name; /* *, * */
  tb_discount type;
  uint32_t reserved;
  tb_decimal value; /* TB_PERCENT: 20 is 20 %; TB_AMOUNT: off, in the currency's units */
  tb_money price;   /* the product's price with it */
  long long starts_at_ms, ends_at_ms;
} tb_offer;

typedef struct tb_product {
  const char *id, *name; /* *, *; id: the vendor's, exactly */
  const char *sku, *barcode, *brand, *category, *subcategory, *description, *strain;
  const char *parent_id; /* what gathers the variants of one product */
  tb_strain classification;
  tb_unit unit; /* in which it is sold */
  tb_unit weight_unit;
  tb_flag visible;     /* is it on the menu? */
  tb_decimal weight;   /* net, in weight_unit */
  tb_decimal quantity; /* in stock, all places together; never below 0 */
  TB_LIST_OF (tb_price) prices;
  TB_LIST_OF (tb_potency) potency;
  TB_LIST_OF (tb_image) images;
  TB_LIST_OF (tb_offer) offers;
  tb_texts tags; /* lower case */
  tb_pairs attributes;
  long long updated_at_ms;
  tb_flag medical_only;
  uint32_t reserved;
} tb_product;

/* A stock level: of one product, at one place, of one batch, for one kind of buyer. */
typedef struct tb_inventory {
  const char *product_id; /* * */
  const char *location_id, *batch_id;
  tb_decimal quantity; /* * */
  tb_unit unit;
  tb_buyer buyer;
  long long updated_at_ms;
} tb_inventory;

typedef struct tb_promotion {
  const char *id, *name; /* *, * */
  tb_discount type;
  tb_buyer buyer;
  tb_decimal value; /* as in tb_offer */
  tb_money amount;  /* TB_PRICE: the price; TB_AMOUNT: what comes off, where the vendor says it as money */
  tb_texts product_ids, categories;
  const char *schedule; /* in words: "Weekly on Monday" */
  long long starts_at_ms, ends_at_ms;
  tb_pairs attributes;
  tb_flag active;
  uint32_t reserved;
} tb_promotion;

typedef struct tb_customer {
  const char *id;     /* * when it is emitted; NULL for one who is not known yet */
  const char *status; /* lower case, the vendor's word */
  const char *first_name, *last_name, *email;
  const char *phone;                           /* E.164: "+15550100"; tb_phone() makes it so */
  const char *birthday;                        /* "1989-03-07" */
  const char *medical_id, *medical_id_expires; /* the latter a date */
  const char *street, *street2, *city, *state, *postal_code;
  const char *country; /* ISO 3166: "US" */
  tb_decimal loyalty_points;
  tb_flag consent_sms, consent_email; /* what the vendor knows; not said is not "no" */
  tb_pairs attributes;
  long long updated_at_ms;
  const char *reference; /* ours, where a vendor keeps one */
  tb_buyer type;
  uint32_t reserved;
} tb_customer;

typedef struct tb_order_item {
  const char *product_id; /* * */
  const char *sku, *name;
  tb_decimal quantity; /* * */
  tb_unit unit;
  tb_buyer buyer;
  tb_money unit_price, discount, total; /* discount and total: of the line */
} tb_order_item;

typedef struct tb_fee {
  const char *name;
  tb_money amount;
} tb_fee;

/* Bits of tb_order.changed: what an update is about. */
enum {
  TB_CHANGED_ITEMS = 1,
  TB_CHANGED_NOTE = 2,
  TB_CHANGED_PICKUP = 4,
  TB_CHANGED_CUSTOMER = 8,
  TB_CHANGED_STATUS = 16
};

typedef struct tb_order {
  const char *id;        /* ours; the host fills it */
  const char *reference; /* ours, short, unique in the store: what the vendor is told */
  const char *vendor_id; /* the vendor's; needed in an answer of submit and find */
  const char *number;    /* for people */
  tb_order_status status;
  tb_fulfilment fulfilment;
  tb_customer *customer; /* a pointer, so that it can grow; never NULL in what a plugin is handed */
  TB_LIST_OF (tb_order_item) items;
  TB_LIST_OF (tb_fee) fees;
  tb_money subtotal, discount, tax, rounding, total;
  const char *note;
  const char *reason; /* of a cancellation or failure */
  long long pickup_at_ms, created_at_ms, updated_at_ms;
  tb_pairs attributes;
  uint32_t changed; /* update: TB_CHANGED_... */
  uint32_t reserved;
} tb_order;

typedef struct tb_message {
  const char *id; /* ours */
  const char *vendor_id;
  const char *to, *from; /* E.164, or a short code or sender name as `from` */
  const char *body;
  const char *error; /* the vendor's words */
  tb_texts media_urls;
  tb_purpose purpose;
  tb_message_status status;
  tb_why why;        /* of TB_MESSAGE_FAILED and _UNDELIVERED */
  tb_wish wish;      /* inbound only */
  uint32_t segments; /* 0: not said */
  tb_flag inbound;
  long long send_at_ms; /* not before; 0: now */
  long long created_at_ms, updated_at_ms;
  tb_pairs attributes;
} tb_message;

/* What an analytics vendor tells about one product, one discount or the whole store in one period. */
typedef struct tb_insight {
  const char *id;    /* * */
  const char *about; /* *; "product" "discount" "store" */
  const char *product_id, *sku, *name;
  long long from_ms, until_ms; /* the period, its end exclusive */
  tb_decimal units, transactions, on_hand, daily_units, days_of_supply;
  tb_money revenue, gross_sales, discounts, cost, profit;
  tb_pairs attributes;
  long long updated_at_ms;
} tb_insight;

/* Something that happened in the shop, on its way to an analytics vendor. */
typedef struct tb_occurrence {
  const char *id; /* ours, the same at each try */
  const char *name;
  long long at_ms;
  tb_pairs properties;
} tb_occurrence;

/* A fault of the store's own software, on its way to an error tracker. */
typedef struct tb_notice {
  const char *id; /* ours, the same at each try */
  const char *type, *message;
  const char *severity; /* debug info notice warning error critical alert emergency */
  tb_texts backtrace;   /* the innermost frame first */
  tb_pairs context;
  long long at_ms;
} tb_notice;

#endif
