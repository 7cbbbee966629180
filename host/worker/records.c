#include "worker/records.h"

#include <string.h>

typedef enum { MEMBER_TEXT, MEMBER_TEXTS, MEMBER_PAIRS, MEMBER_LIST, MEMBER_RECORD } MemberType;

typedef struct Shape Shape;

typedef struct {
  const char *name;
  MemberType type;
  gsize offset;
  const Shape *shape; /* of a list's elements, or of a record behind a pointer */
} Member;

struct Shape {
  gsize size, theirs; /* theirs: offset in tb_sizes */
  const Member *members;
  guint count;
};

#define TEXT(type, member)                                                                                   \
  {                                                                                                          \
#member, MEMBER_TEXT, offsetof(type, member), NULL                                                       \
  }
#define TEXTS(type, member)                                                                                  \
  {                                                                                                          \
#member, MEMBER_TEXTS, offsetof(type, member), NULL                                                      \
  }
#define PAIRS(type, member)                                                                                  \
  {                                                                                                          \
#member, MEMBER_PAIRS, offsetof(type, member), NULL                                                      \
  }
#define LIST(type, member, of)                                                                               \
  {                                                                                                          \
#member, MEMBER_LIST, offsetof(type, member), &of##_shape                                                \
  }
#define SHAPE(what)                                                                                          \
  static const Shape what##_shape = { sizeof (tb_##what), offsetof (tb_sizes, what), what##_members,         \
                                      G_N_ELEMENTS (what##_members) }

static const Member price_members[] = { TEXT (tb_price, label) };
static const Member potency_members[] = { TEXT (tb_potency, analyte), TEXT (tb_potency, unit) };
static const Member image_members[] = { TEXT (tb_image, url) };
static const Member offer_members[] = { TEXT (tb_offer, id), TEXT (tb_offer, name) };
static const Member fee_members[] = { TEXT (tb_fee, name) };
static const Member order_item_members[] = { TEXT (tb_order_item, product_id), TEXT (tb_order_item, sku),
                                             TEXT (tb_order_item, name) };
SHAPE (price);
SHAPE (potency);
SHAPE (image);
SHAPE (offer);
SHAPE (fee);
SHAPE (order_item);

static const Member product_members[] = { TEXT (tb_product, id),
                                          TEXT (tb_product, name),
                                          TEXT (tb_product, sku),
                                          TEXT (tb_product, barcode),
                                          TEXT (tb_product, brand),
                                          TEXT (tb_product, category),
                                          TEXT (tb_product, subcategory),
                                          TEXT (tb_product, description),
                                          TEXT (tb_product, strain),
                                          TEXT (tb_product, parent_id),
                                          LIST (tb_product, prices, price),
                                          LIST (tb_product, potency, potency),
                                          LIST (tb_product, images, image),
                                          LIST (tb_product, offers, offer),
                                          TEXTS (tb_product, tags),
                                          PAIRS (tb_product, attributes) };
static const Member inventory_members[] = { TEXT (tb_inventory, product_id), TEXT (tb_inventory, location_id),
                                            TEXT (tb_inventory, batch_id) };
static const Member promotion_members[] = {
  TEXT (tb_promotion, id),          TEXT (tb_promotion, name),     TEXTS (tb_promotion, product_ids),
  TEXTS (tb_promotion, categories), TEXT (tb_promotion, schedule), PAIRS (tb_promotion, attributes)
};
static const Member customer_members[] = {
  TEXT (tb_customer, id),          TEXT (tb_customer, status),      TEXT (tb_customer, first_name),
  TEXT (tb_customer, last_name),   TEXT (tb_customer, email),       TEXT (tb_customer, phone),
  TEXT (tb_customer, birthday),    TEXT (tb_customer, medical_id),  TEXT (tb_customer, medical_id_expires),
  TEXT (tb_customer, street),      TEXT (tb_customer, street2),     TEXT (tb_customer, city),
  TEXT (tb_customer, state),       TEXT (tb_customer, postal_code), TEXT (tb_customer, country),
  PAIRS (tb_customer, attributes), TEXT (tb_customer, reference)
};
SHAPE (product);
SHAPE (inventory);
SHAPE (promotion);
SHAPE (customer);

static const Member order_members[] = { TEXT (tb_order, id),
                                        TEXT (tb_order, reference),
                                        TEXT (tb_order, vendor_id),
                                        TEXT (tb_order, number),
                                        { "customer", MEMBER_RECORD, offsetof (tb_order, customer),
                                          &customer_shape },
                                        LIST (tb_order, items, order_item),
                                        LIST (tb_order, fees, fee),
                                        TEXT (tb_order, note),
                                        TEXT (tb_order, reason),
                                        PAIRS (tb_order, attributes) };
static const Member message_members[] = { TEXT (tb_message, id),          TEXT (tb_message, vendor_id),
                                          TEXT (tb_message, to),          TEXT (tb_message, from),
                                          TEXT (tb_message, body),        TEXT (tb_message, error),
                                          TEXTS (tb_message, media_urls), PAIRS (tb_message, attributes) };
static const Member insight_members[] = { TEXT (tb_insight, id),         TEXT (tb_insight, about),
                                          TEXT (tb_insight, product_id), TEXT (tb_insight, sku),
                                          TEXT (tb_insight, name),       PAIRS (tb_insight, attributes) };
SHAPE (order);
SHAPE (message);
SHAPE (insight);

static const Shape *const shapes[MODEL_KINDS] = {
  [MODEL_PRODUCTS] = &product_shape,     [MODEL_INVENTORY] = &inventory_shape,
  [MODEL_PROMOTIONS] = &promotion_shape, [MODEL_CUSTOMERS] = &customer_shape,
  [MODEL_ORDERS] = &order_shape,         [MODEL_MESSAGES] = &message_shape,
  [MODEL_INSIGHTS] = &insight_shape
};

typedef TB_LIST_OF (const char) AnyList;

/* ---- an older plugin's ---- */

static gsize
their_size (const tb_sizes *sizes, const Shape *shape)
{
  return *(const guint32 *)((const char *)sizes + shape->theirs);
}

static void take_inside (const tb_sizes *sizes, const Shape *shape, char *record, Arena *arena);

static void
take_elements (const tb_sizes *sizes, const Shape *shape, AnyList *list, Arena *arena)
{
  gsize theirs = their_size (sizes, shape);
  if (list->count == 0 || theirs == shape->size)
    return;
  char *copy = arena_alloc (arena, list->count * shape->size);
  for (guint i = 0; i < list->count; i++) {
    take (copy + i * shape->size, shape->size, list->first + i * theirs, theirs);
    take_inside (sizes, shape, copy + i * shape->size, arena);
  }
  list->first = copy;
}

static void
take_inside (const tb_sizes *sizes, const Shape *shape, char *record, Arena *arena)
{
  for (guint i = 0; i < shape->count; i++) {
    const Member *member = &shape->members[i];
    char *at = record + member->offset;
    if (member->type == MEMBER_LIST)
      take_elements (sizes, member->shape, (AnyList *)(gpointer)at, arena);
    void **pointer = (void **)(gpointer)at;
    if (member->type != MEMBER_RECORD || !*pointer)
      continue;
    char *copy = arena_alloc (arena, member->shape->size);
    take (copy, member->shape->size, *pointer, their_size (sizes, member->shape));
    take_inside (sizes, member->shape, copy, arena);
    *pointer = copy;
  }
}

const void *
record_take (const Plugin *plugin, guint kind, const void *record, Arena *arena)
{
  if (G_LIKELY (plugin_same_layout (plugin)))
    return record;
  const tb_sizes *sizes = plugin_sizes (plugin);
  const Shape *shape = shapes[kind];
  char *copy = arena_alloc (arena, shape->size);
  take (copy, shape->size, record, their_size (sizes, shape));
  take_inside (sizes, shape, copy, arena);
  return copy;
}

/* ---- every text ---- */

typedef gboolean (*IsIt) (const Call *call, const void *address);

static const char *
find_in_shape (const Shape *shape, const char *record, IsIt is_it, const Call *call)
{
  for (guint i = 0; i < shape->count; i++) {
    const Member *member = &shape->members[i];
    const char *at = record + member->offset;
    const AnyList *list = (const AnyList *)(gconstpointer)at;
    const char *const *text = (const char *const *)(gconstpointer)at;
    gboolean found = FALSE;
    switch (member->type) {
    case MEMBER_TEXT:
      found = *text && is_it (call, *text);
      break;
    case MEMBER_TEXTS:
      for (guint k = 0; k < list->count && !found; k++)
        found = is_it (call, ((const char *const *)(gconstpointer)list->first)[k]);
      break;
    case MEMBER_PAIRS:
      for (guint k = 0; k < list->count && !found; k++)
        found = is_it (call, ((const tb_pair *)(gconstpointer)list->first)[k].value) ||
                is_it (call, ((const tb_pair *)(gconstpointer)list->first)[k].name);
      break;
    case MEMBER_LIST:
      for (guint k = 0; k < list->count && !found; k++)
        found = find_in_shape (member->shape, list->first + k * member->shape->size, is_it, call) != NULL;
      break;
    case MEMBER_RECORD:
      found = *text && find_in_shape (member->shape, *text, is_it, call) != NULL;
      break;
    }
    if (found)
      return member->name;
  }
  return NULL;
}

const char *
record_find_text (guint kind, const void *record, IsIt is_it, const Call *call)
{
  return find_in_shape (shapes[kind], record, is_it, call);
}
