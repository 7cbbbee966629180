/* The limit line of the catalogue: the unavoidable work and nothing else, in one process. The parts are those
 * of Tillbridge (splitter, flat reader, the store's table and settings, hashes, skipping what is unchanged);
 * what it lacks is all that makes it a product: checks, scheduling, retries, metrics, a second process. */
#include "limit.h"

#include <string.h>

#include "base/hash.h"
#include "json/path.h"
#include "model/put.h"
#include "store/schema.h"
#include "treez-map.h"

enum {
  FEED_BYTES = 16 << 10,
  ITEM_BYTES = 1 << 20,
  LOG_PAGES = 5900,
  SLOTS_FIRST = 1 << 12,
  TIER_MEMBER_BYTES = 64
};

/* Open addressing; a hash of 0 is none. */
typedef struct {
  guint64 key, value;
  guint32 place;
} Slot;

typedef struct {
  Slot *slots;
  gsize room, used;
} Table;

typedef struct {
  Limit *limit;
  JsonSplitter *splitter;
  JsonDocument document;
  JsonBuffer body;
  Map map;
  char tiers[4096];     /* rows of tiers as text */
  Table items, records; /* raw items that were seen; id -> hash of the body, and its place */
  guint32 places[2];
  guint64 seq;
  guint page_items;
  guint64 total;
  int log_pages;
  sqlite3_stmt *begin, *commit, *insert, *update;
} Best;

/* ---- tables ---- */

static Slot *
slot_of (const Table *table, guint64 key)
{
  gsize at = (gsize)(key >> 20) & (table->room - 1);
  while (table->slots[at].key && table->slots[at].key != key)
    at = (at + 1) & (table->room - 1);
  return &table->slots[at];
}

static void
table_grow (Table *table)
{
  Table old = *table;
  if (table->used * 4 < table->room * 3)
    return;
  table->room = MAX (SLOTS_FIRST, table->room * 2);
  table->slots = g_new0 (Slot, table->room);
  for (gsize i = 0; i < old.room; i++)
    if (old.slots[i].key)
      *slot_of (table, old.slots[i].key) = old.slots[i];
  g_free (old.slots);
}

/* ---- reading a product ---- */

/* Where a key was found last, in nodes from its object; one for each place in the code that looks. */
typedef guint Hint;

static inline const JsonNode *
member (const JsonNode *object, const char *key, gsize length, Hint *hint)
{
  if (!object || object->type != JSON_OBJECT || object->length == 0)
    return NULL;
  const JsonNode *at = object + *hint;
  if (*hint > 0 && *hint < object->skip && at->type == JSON_STRING && at->length == length &&
      at->text[-1] == object[1].text[-1] && memcmp (at->text, key, length) == 0)
    return at + 1;
  for (at = object + 1; at < object + object->skip; at = json_next (at + 1))
    if (at->length == length && memcmp (at->text, key, length) == 0) {
      *hint = (Hint)(at - object);
      return at + 1;
    }
  return NULL;
}
#define AT(object, key)                                                                                      \
  (__extension__({                                                                                           \
    static Hint hint_;                                                                                       \
    member (object, key, sizeof (key) - 1, &hint_);                                                          \
  }))

static inline MapText
text_of (const JsonNode *node)
{
  return node && node->type == JSON_STRING ? (MapText){ node->text, node->length } : (MapText){ NULL, 0 };
}
#define TEXT(object, key) text_of (AT (object, key))

static inline gint64
number_of (const JsonNode *node)
{
  gint64 nano;
  return node && node->type != JSON_NULL && json_to_nano (node, &nano) ? nano : MAP_NOT_SAID;
}
#define NUMBER(object, key) number_of (AT (object, key))

#define EACH(row, array)                                                                                     \
  for (const JsonNode *list_ = array, *row = list_ && list_->type == JSON_ARRAY ? list_ + 1 : NULL;          \
       row && row < list_ + list_->skip; row = json_next (row))

static void
read_texts (const JsonNode *array, MapTexts *texts)
{
  EACH (row, array)
  if (texts->count < MAP_LIST_MOST)
    texts->items[texts->count++] = text_of (row);
}

static void
read_stock (const JsonNode *root, MapProduct *product)
{
  product->quantity = NUMBER (root, "sellable_quantity");
  EACH (row, AT (root, "sellable_quantity_detail"))
  {
    MapText type = TEXT (row, "inventory_type");
    product->places++;
    product->medical += type.length == 7 && memcmp (type.text, "MEDICAL", 7) == 0;
  }
}

/* The rows once more, as text. */
static void
write_tiers (Best *best, const JsonNode *array, MapProduct *product)
{
  char *to = best->tiers;
  *to++ = '[';
  EACH (row, array)
  {
    if (row->skip * TIER_MEMBER_BYTES > (gsize)(best->tiers + sizeof best->tiers - to))
      g_error ("more tiers than there is room for");
    if (to[-1] != '[')
      *to++ = ',';
    *to++ = '{';
    for (const JsonNode *key = row + 1; key < row + row->skip; key = json_next (key + 1)) {
      if (key > row + 1)
        *to++ = ',';
      *to++ = '"';
      memcpy (to, key->text, key->length);
      to += key->length;
      memcpy (to, "\":", 2);
      to += 2;
      memcpy (to, key[1].text, key[1].length);
      to += key[1].length;
    }
    *to++ = '}';
  }
  *to++ = ']';
  product->tier_text = (MapText){ best->tiers, (gsize)(to - best->tiers) };
}

static void
read_pricing (Best *best, const JsonNode *pricing, MapProduct *product)
{
  product->price = NUMBER (pricing, "price_sell");
  product->discounted = NUMBER (pricing, "discounted_price");
  const JsonNode *tiers = AT (pricing, "tier_pricing_detail");
  if (!tiers)
    return;
  MapText method = TEXT (pricing, "tier_method");
  product->tiers_in_grams = method.length == 12 && memcmp (method.text, "WEIGHT_GRAMS", 12) == 0;
  EACH (row, tiers)
  if (product->tier_count < MAP_LIST_MOST)
    product->tiers[product->tier_count++] =
      (MapTier){ NUMBER (row, "start_value"), NUMBER (row, "price_per_value") };
  write_tiers (best, tiers, product);
}

static void
read_schedule (const JsonNode *conditions, MapDiscount *discount)
{
  EACH (row, conditions)
  {
    const JsonNode *schedule = AT (row, "discount_condition_schedule");
    discount->schedule = TEXT (row, "discount_condition_value");
    discount->starts_at = TEXT (schedule, "start_date");
  }
}

static void
read_discounts (const JsonNode *array, MapProduct *product)
{
  EACH (row, array)
  {
    if (product->discount_count == MAP_LIST_MOST)
      return;
    MapDiscount *discount = &product->discounts[product->discount_count++];
    MapText applied = TEXT (row, "discount_applied_in_calc");
    *discount = (MapDiscount){ .id = TEXT (row, "discount_id"),
                               .name = TEXT (row, "discount_title"),
                               .type = TEXT (row, "discount_type"),
                               .affinity = TEXT (row, "discount_affinity"),
                               .method = TEXT (row, "discount_method"),
                               .stackable = TEXT (row, "discount_stackable"),
                               .amount = NUMBER (row, "discount_amount"),
                               .applied = applied.length == 3 };
    read_schedule (AT (row, "discount_condition_detail"), discount);
  }
}

static void
read_shop (const JsonNode *root, MapProduct *product)
{
  const JsonNode *shop = AT (root, "e_commerce"), *tags = AT (root, "attributes");
  const JsonNode *hidden = AT (shop, "hide_from_menu");
  product->title = TEXT (shop, "menu_title");
  product->description = TEXT (shop, "product_description");
  product->primary_image = TEXT (shop, "primary_image");
  product->hidden = hidden && hidden->type == JSON_TRUE;
  read_texts (AT (shop, "all_images"), &product->images);
  read_texts (AT (tags, "general"), &product->general);
  read_texts (AT (tags, "effects"), &product->effects);
  read_texts (AT (tags, "flavors"), &product->flavors);
  read_texts (AT (tags, "internal_tags"), &product->internal);
}

static void
read_labs (const JsonNode *array, MapProduct *product)
{
  EACH (row, array)
  {
    const JsonNode *amount = AT (row, "amount");
    if (product->lab_count < MAP_LIST_MOST)
      product->labs[product->lab_count++] =
        (MapLab){ TEXT (row, "result_type"), TEXT (row, "amount_type"), NUMBER (amount, "minimum_value"),
                  NUMBER (amount, "maximum_value") };
  }
}

static void
read_product (Best *best, const JsonNode *root, MapProduct *product)
{
  const JsonNode *fields = AT (root, "product_configurable_fields");
  product->id = TEXT (root, "product_id");
  product->parent = TEXT (root, "catalog_parent_id");
  product->status = TEXT (root, "product_status");
  product->updated = TEXT (root, "last_updated_at");
  product->category = TEXT (root, "category_type");
  product->name = TEXT (fields, "name");
  product->brand = TEXT (fields, "brand");
  product->subcategory = TEXT (fields, "subtype");
  product->strain = TEXT (fields, "strain_name");
  product->classification = TEXT (fields, "classification");
  product->measure = TEXT (fields, "uom");
  product->size = TEXT (fields, "size");
  product->amount = NUMBER (fields, "amount");
  EACH (row, AT (root, "product_barcodes"))
  {
    MapText type = TEXT (row, "type");
    gboolean own = type.length == 12 && memcmp (type.text, "USER_DEFINED", 12) == 0;
    if (own || !product->sku.text)
      product->sku = TEXT (row, "sku");
    if (own)
      break;
  }
  read_stock (root, product);
  read_pricing (best, AT (root, "pricing"), product);
  read_discounts (AT (root, "discounts"), product);
  read_shop (root, product);
  read_labs (AT (root, "lab_results"), product);
}

/* ---- storing ---- */

static void
write_record (Best *best, guint kind, MapText id, guint64 parent_hash, gint64 updated_ms)
{
  guint64 id_hash = hash_bytes (id.text, id.length, kind),
          hash = hash_bytes (best->body.bytes, best->body.length, 1);
  table_grow (&best->records);
  Slot *slot = slot_of (&best->records, id_hash);
  gboolean known = slot->key != 0;
  if (known && slot->value == hash)
    return;
  if (!known)
    *slot = (Slot){ .key = id_hash, .place = best->places[kind]++ };
  best->records.used += !known;
  slot->value = hash;
  sqlite3_stmt *statement = known ? best->update : best->insert;
  sqlite3_bind_int64 (statement, 1, (gint64)(kind + 1) << 32 | slot->place);
  sqlite3_bind_int64 (statement, 2, (gint64)++best->seq);
  sqlite3_bind_int64 (statement, 3, (gint64)hash);
  sqlite3_bind_int64 (statement, 4, (gint64)parent_hash);
  sqlite3_bind_int64 (statement, 5, updated_ms);
  sqlite3_bind_text (statement, 6, id.text, (int)id.length, SQLITE_STATIC);
  sqlite3_bind_text (statement, 7, best->body.bytes, (int)best->body.length, SQLITE_STATIC);
  limit_run (best->limit, statement);
  best->limit->written++;
}

static void
take_item (Best *best, char *text, gsize length)
{
  best->limit->items++;
  best->page_items++;
  guint64 hash = hash_bytes (text, length, 1);
  table_grow (&best->items);
  Slot *slot = slot_of (&best->items, hash);
  if (slot->key)
    return;
  slot->key = hash;
  best->items.used++;
  if (!json_read (&best->document, text, length))
    g_error ("an item: %s", best->document.error);
  MapProduct product;
  memset (&product, 0, G_STRUCT_OFFSET (MapProduct, tiers));
  product.tier_count = product.lab_count = product.discount_count = 0;
  product.images.count = product.general.count = product.effects.count = product.flavors.count =
    product.internal.count = 0;
  gint64 updated_ms;
  read_product (best, best->document.nodes, &product);
  best->body.length = 0;
  map_put_product (&best->map, &product, &best->body, &updated_ms);
  write_record (best, 0, product.id, hash_bytes (product.parent.text, product.parent.length, 0), updated_ms);
  for (guint i = 0; i < product.discount_count; i++) {
    best->body.length = 0;
    map_put_promotion (&best->map, &product.discounts[i], &best->body);
    write_record (best, 1, product.discounts[i].id, 0, 0);
  }
}

/* ---- passes ---- */

static size_t
take (char *bytes, size_t size, size_t count, void *data)
{
  Best *best = data;
  for (gsize at = 0, whole = size * count; at < whole; at += FEED_BYTES) {
    char *item;
    gsize length;
    JsonSplit split;
    json_splitter_feed (best->splitter, bytes + at, MIN (FEED_BYTES, whole - at));
    while ((split = json_splitter_next (best->splitter, &item, &length)) == JSON_SPLIT_ITEM)
      take_item (best, item, length);
    if (split == JSON_SPLIT_ERROR)
      g_error ("a page: %s", json_splitter_error (best->splitter));
  }
  return size * count;
}

static void
read_page (Best *best, guint page)
{
  static const char total[] = "\"total_count\":";
  char *item;
  gsize length;
  best->splitter = json_splitter_new ("data.product_list[]", ITEM_BYTES, ITEM_BYTES);
  best->page_items = 0;
  limit_run (best->limit, best->begin);
  limit_get_page (best->limit, page, take, best);
  json_splitter_finish (best->splitter);
  while (json_splitter_next (best->splitter, &item, &length) == JSON_SPLIT_ITEM)
    take_item (best, item, length);
  limit_run (best->limit, best->commit);
  if (best->log_pages > LOG_PAGES &&
      sqlite3_wal_checkpoint_v2 (best->limit->db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL) == SQLITE_OK)
    best->log_pages = 0;
  const char *rest = json_splitter_rest (best->splitter, &length), *found = strstr (rest, total);
  best->total = found ? g_ascii_strtoull (found + sizeof total - 1, NULL, 10) : 0;
  json_splitter_free (best->splitter);
}

static void
best_pass (Limit *limit)
{
  Best *best = limit->own;
  guint page = 1;
  do
    read_page (best, page++);
  while (best->page_items > 0 && limit->items < best->total);
}

static int
note_log (gpointer data, sqlite3 *db, const char *name, int pages)
{
  ((Best *)data)->log_pages = pages;
  return SQLITE_OK;
}

static void
best_open (Limit *limit, const char *file)
{
  Best *best = g_new0 (Best, 1);
  g_autoptr (GError) error = NULL;
  limit->own = best;
  best->limit = limit;
  best->map.zone = g_time_zone_new_identifier ("America/Los_Angeles");
  curl_easy_setopt (limit->easy, CURLOPT_BUFFERSIZE, 256L * 1024);
  sqlite3_config (SQLITE_CONFIG_MEMSTATUS, 0);
  if (sqlite3_open_v2 (file, &limit->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                       NULL) != SQLITE_OK)
    g_error ("%s: %s", file, sqlite3_errmsg (limit->db));
  limit_sql (limit, "PRAGMA page_size=8192; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL;"
                    "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY; PRAGMA synchronous=NORMAL;"
                    "PRAGMA wal_autocheckpoint=0");
  if (!schema_migrate (limit->db, 0, &error))
    g_error ("%s", error->message);
  sqlite3_wal_hook (limit->db, note_log, best);
  best->begin = limit_prepare (limit, "BEGIN IMMEDIATE");
  best->commit = limit_prepare (limit, "COMMIT");
  best->insert =
    limit_prepare (limit, "INSERT INTO record (rid, seq, hash, parent_hash, updated_ms, asked_ms,"
                          " at_ms, source, id, body) VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, 1, ?6, ?7)");
  best->update = limit_prepare (limit, "UPDATE record SET seq = ?2, hash = ?3, parent_hash = ?4,"
                                       " updated_ms = ?5, body = ?7 WHERE rid = ?1 AND id = ?6");
}

static void
best_close (Limit *limit)
{
  Best *best = limit->own;
  sqlite3_stmt *statements[] = { best->begin, best->commit, best->insert, best->update };
  for (guint i = 0; i < G_N_ELEMENTS (statements); i++)
    sqlite3_finalize (statements[i]);
  json_document_clear (&best->document);
  json_buffer_clear (&best->body);
  g_time_zone_unref (best->map.zone);
  g_free (best->items.slots);
  g_free (best->records.slots);
  g_free (best);
}

int
main (int count, char **words)
{
  static const LimitProgram program = { best_open, best_pass, best_close };
  return limit_main (count, words, &program);
}
