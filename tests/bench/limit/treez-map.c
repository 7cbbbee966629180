#include "treez-map.h"

#include "base/timefmt.h"
#include "model/put.h"

#define NANO G_GINT64_CONSTANT (1000000000)
#define PUT(out, literal) put_short (out, literal, sizeof (literal) - 1)

/* ---- texts ---- */

/* No blank at the ends, no two in a row, nothing but printable ASCII. */
static gboolean
is_clean (const char *text, gsize length)
{
  gsize i = 0;
  if (text[0] == ' ' || text[length - 1] == ' ')
    return FALSE;
#ifdef __SSE2__
  const __m128i blank = _mm_set1_epi8 (' ');
  for (; i + 17 <= length; i += 16) {
    __m128i here = _mm_loadu_si128 ((const __m128i *)(const void *)(text + i));
    __m128i next = _mm_loadu_si128 ((const __m128i *)(const void *)(text + i + 1));
    __m128i two = _mm_and_si128 (_mm_cmpeq_epi8 (here, blank), _mm_cmpeq_epi8 (next, blank));
    if (_mm_movemask_epi8 (_mm_or_si128 (two, _mm_cmplt_epi8 (here, blank))))
      return FALSE;
  }
#endif
  for (; i < length; i++)
    if ((signed char)text[i] < ' ' || (text[i] == ' ' && text[i + 1] == ' '))
      return FALSE;
  return TRUE;
}

/* Trimmed and squeezed; nothing when blank. */
static MapText
clean (Map *map, MapText text)
{
  if (!text.text || text.length == 0)
    return (MapText){ NULL, 0 };
  if (is_clean (text.text, text.length) || map->used + text.length > MAP_SCRATCH)
    return text;
  char *copy = map->scratch + map->used, *to = copy;
  for (gsize i = 0; i < text.length; i++)
    if ((guchar)text.text[i] > ' ')
      *to++ = text.text[i];
    else if (to > copy && i + 1 < text.length && (guchar)text.text[i + 1] > ' ')
      *to++ = ' ';
  map->used += (gsize)(to - copy);
  return to == copy ? (MapText){ NULL, 0 } : (MapText){ copy, (gsize)(to - copy) };
}

static MapText
recased (Map *map, MapText text, gchar (*letter) (gchar))
{
  if (map->used + text.length > MAP_SCRATCH)
    return text;
  char *copy = map->scratch + map->used;
  for (gsize i = 0; i < text.length; i++)
    copy[i] = letter (text.text[i]);
  map->used += text.length;
  return (MapText){ copy, text.length };
}

static gboolean
is (MapText text, const char *word)
{
  return text.text && strlen (word) == text.length && memcmp (text.text, word, text.length) == 0;
}

static gboolean
equal (MapText one, MapText other)
{
  return one.length == other.length && memcmp (one.text, other.text, one.length) == 0;
}

/* ---- values ---- */

static void
put_text (JsonBuffer *out, MapText text)
{
  char *at = put_reserve (out, text.length + 2);
  if (put_plain (at, text.text, text.length))
    out->length += text.length + 2;
  else
    json_put_text (out, text.text, text.length);
}

/* key: with comma and colon. */
static inline void
put_member (JsonBuffer *out, const char *key, gsize key_length, MapText text)
{
  if (!text.text)
    return;
  put_short (out, key, key_length);
  put_text (out, text);
}
#define MEMBER(out, key, text) put_member (out, ",\"" key "\":", sizeof (",\"" key "\":") - 1, text)

static inline void
put_decimal (JsonBuffer *out, gint64 nano)
{
  char *at = put_reserve (out, 32);
  out->length = (gsize)(put_nano (at, nano) - out->bytes);
}

static inline void
put_cents (JsonBuffer *out, gint64 nano)
{
  gint64 unit = NANO / 100;
  char *at = put_reserve (out, 32);
  out->length = (gsize)(put_digits (at, (guint64)((nano + unit / 2) / unit)) - out->bytes);
}

static inline void
put_time (JsonBuffer *out, gint64 ms)
{
  char *at = put_reserve (out, TIME_TEXT_SIZE + 2);
  gsize length = time_to_text (ms, at + 1);
  at[0] = at[1 + length] = '"';
  out->length += length + 2;
}

/* ---- parts ---- */

static void
put_class (JsonBuffer *out, MapText word)
{
  if (!word.text)
    return;
  if (is (word, "INDICA") || is (word, "KUSH"))
    PUT (out, ",\"classification\":\"indica\"");
  else if (is (word, "SATIVA"))
    PUT (out, ",\"classification\":\"sativa\"");
  else if (is (word, "HYBRID") || is (word, "I/S") || is (word, "S/I"))
    PUT (out, ",\"classification\":\"hybrid\"");
  else if (is (word, "CBD"))
    PUT (out, ",\"classification\":\"cbd\"");
}

static void
put_weight (JsonBuffer *out, const MapProduct *product)
{
  const char *unit = is (product->measure, "GRAMS")         ? "g"
                     : is (product->measure, "MILLIGRAMS")  ? "mg"
                     : is (product->measure, "OUNCES")      ? "oz"
                     : is (product->measure, "MILLILITERS") ? "ml"
                                                            : NULL;
  if (!unit || product->amount == MAP_NOT_SAID || product->amount <= 0)
    return;
  PUT (out, ",\"net_weight\":{\"value\":");
  put_decimal (out, product->amount);
  PUT (out, ",\"unit\":\"");
  put_short (out, unit, strlen (unit));
  PUT (out, "\"}");
}

static const char price_end[] = ",\"currency\":\"USD\",\"customer_type\":\"any\",\"tax_included\":false}";

static void
put_tier (JsonBuffer *out, const MapTier *tier, gboolean grams)
{
  PUT (out, "{\"label\":\"");
  put_decimal (out, tier->start);
  if (grams)
    PUT (out, " g\",\"quantity\":");
  else
    PUT (out, " each\",\"quantity\":");
  put_decimal (out, tier->start);
  if (grams)
    PUT (out, ",\"unit\":\"g\",\"amount\":");
  else
    PUT (out, ",\"unit\":\"each\",\"amount\":");
  put_cents (out, (gint64)((__int128)tier->start * tier->each / NANO));
  put_short (out, price_end, sizeof price_end - 1);
}

static void
put_prices (JsonBuffer *out, const MapProduct *product)
{
  if (product->tier_count > 0) {
    gboolean by_one = FALSE, any = FALSE;
    for (guint i = 0; i < product->tier_count; i++)
      by_one |= product->tiers[i].start > 0 && product->tiers[i].start <= NANO;
    PUT (out, ",\"prices\":[");
    for (guint i = 0; i < product->tier_count; i++) {
      MapTier tier = product->tiers[i];
      if (tier.start == 0 && by_one)
        continue;
      if (tier.start == 0)
        tier.start = NANO;
      if (any)
        put_byte (out, ',');
      any = TRUE;
      put_tier (out, &tier, product->tiers_in_grams);
    }
    put_byte (out, ']');
  } else if (product->price != MAP_NOT_SAID) {
    PUT (out, ",\"prices\":[{\"label\":");
    put_text (out, product->size.text ? product->size : (MapText){ "each", 4 });
    PUT (out, ",\"quantity\":1,\"unit\":\"each\",\"amount\":");
    put_cents (out, product->price);
    put_short (out, price_end, sizeof price_end - 1);
    put_byte (out, ']');
  }
}

static void
put_potency (Map *map, JsonBuffer *out, const MapProduct *product)
{
  for (guint i = 0; i < product->lab_count; i++) {
    const MapLab *lab = &product->labs[i];
    if (i == 0)
      PUT (out, ",\"potency\":[{\"analyte\":");
    else
      PUT (out, ",{\"analyte\":");
    put_text (out, recased (map, lab->analyte, g_ascii_toupper));
    PUT (out, ",\"min\":");
    put_decimal (out, lab->min);
    PUT (out, ",\"max\":");
    put_decimal (out, lab->max);
    if (is (lab->type, "PERCENTAGE"))
      PUT (out, ",\"unit\":\"%\"");
    else if (is (lab->type, "MG"))
      PUT (out, ",\"unit\":\"mg\"");
    put_byte (out, '}');
  }
  if (product->lab_count > 0)
    put_byte (out, ']');
}

static void
put_images (Map *map, JsonBuffer *out, const MapProduct *product)
{
  gsize start = out->length;
  MapText primary = clean (map, product->primary_image);
  if (primary.text) {
    PUT (out, ",{\"url\":");
    put_text (out, primary);
    PUT (out, ",\"role\":\"primary\"}");
  }
  for (guint i = 0; i < product->images.count; i++) {
    MapText url = clean (map, product->images.items[i]);
    if (!url.text || (primary.text && equal (url, primary)))
      continue;
    PUT (out, ",{\"url\":");
    put_text (out, url);
    PUT (out, ",\"role\":\"gallery\"}");
  }
  if (out->length == start)
    return;
  static const char key[] = ",\"images\":[";
  gsize length = out->length - start;
  put_reserve (out, sizeof key);
  memmove (out->bytes + start + sizeof key - 1, out->bytes + start + 1, length - 1);
  memcpy (out->bytes + start, key, sizeof key - 1);
  out->length += sizeof key - 2;
  put_byte (out, ']');
}

static void
put_schedule (Map *map, JsonBuffer *out, const MapDiscount *discount)
{
  gint64 ms;
  if (!discount->starts_at.text || !time_from_text (discount->starts_at.text, &ms, NULL))
    return;
  PUT (out, ",\"starts_at\":");
  put_time (out, time_local_to_utc (map->zone, ms));
}

/* ,"type":...,"value":... */
static void
put_worth (JsonBuffer *out, const MapDiscount *discount)
{
  if (is (discount->method, "PERCENT")) {
    PUT (out, ",\"type\":\"percent\",\"value\":");
    put_decimal (out, discount->amount);
  } else if (is (discount->method, "DOLLAR")) {
    PUT (out, ",\"type\":\"amount\",\"value\":");
    put_cents (out, discount->amount);
  }
}

static void
put_offers (Map *map, JsonBuffer *out, const MapProduct *product)
{
  guint count = 0;
  for (guint i = 0; i < product->discount_count; i++) {
    const MapDiscount *discount = &product->discounts[i];
    if (!discount->applied)
      continue;
    if (count++ == 0)
      PUT (out, ",\"promotions\":[{\"id\":");
    else
      PUT (out, ",{\"id\":");
    put_text (out, discount->id);
    MEMBER (out, "name", clean (map, discount->name));
    put_worth (out, discount);
    PUT (out, ",\"price\":");
    put_cents (out, product->discounted);
    PUT (out, ",\"currency\":\"USD\"");
    put_schedule (map, out, discount);
    put_byte (out, '}');
  }
  if (count > 0)
    put_byte (out, ']');
}

static void
put_tags (Map *map, JsonBuffer *out, const MapProduct *product)
{
  const MapTexts *lists[] = { &product->general, &product->effects, &product->flavors };
  MapTexts tags = { .count = 0 };
  for (guint l = 0; l < G_N_ELEMENTS (lists); l++)
    for (guint i = 0; i < lists[l]->count && tags.count < MAP_LIST_MOST; i++) {
      MapText text = clean (map, lists[l]->items[i]);
      if (!text.text)
        continue;
      MapText tag = recased (map, text, g_ascii_tolower);
      gboolean known = FALSE;
      for (guint k = 0; k < tags.count; k++)
        known |= equal (tags.items[k], tag);
      if (known)
        continue;
      if (tags.count == 0)
        PUT (out, ",\"tags\":[");
      else
        put_byte (out, ',');
      put_text (out, tag);
      tags.items[tags.count++] = tag;
    }
  if (tags.count > 0)
    put_byte (out, ']');
}

static void
put_attributes (Map *map, JsonBuffer *out, const MapProduct *product)
{
  PUT (out, ",\"attributes\":{");
  gsize start = out->length;
  MEMBER (out, "treez.tiers", product->tier_text);
  if (product->internal.count > 0)
    MEMBER (out, "treez.internal_tags", clean (map, product->internal.items[0]));
  MEMBER (out, "treez.classification", product->classification);
  MEMBER (out, "treez.size", product->size);
  MEMBER (out, "treez.status", product->status);
  if (out->length > start)
    memmove (out->bytes + start, out->bytes + start + 1, --out->length - start);
  put_byte (out, '}');
}

/* ---- records ---- */

void
map_put_product (Map *map, const MapProduct *product, JsonBuffer *out, gint64 *updated_ms)
{
  map->used = 0;
  gboolean zoned;
  if (!time_from_text (product->updated.text, updated_ms, &zoned))
    *updated_ms = 0;
  MapText title = clean (map, product->title);
  PUT (out, "{\"id\":");
  put_text (out, product->id);
  MEMBER (out, "sku", product->sku);
  MEMBER (out, "barcode", product->sku);
  MEMBER (out, "name", title.text ? title : clean (map, product->name));
  MEMBER (out, "brand", clean (map, product->brand));
  MEMBER (out, "category", clean (map, product->category));
  MEMBER (out, "subcategory", clean (map, product->subcategory));
  MEMBER (out, "description", clean (map, product->description));
  MEMBER (out, "strain", clean (map, product->strain));
  put_class (out, product->classification);
  PUT (out, ",\"unit\":\"each\"");
  put_weight (out, product);
  put_prices (out, product);
  put_potency (map, out, product);
  put_images (map, out, product);
  put_offers (map, out, product);
  put_tags (map, out, product);
  MEMBER (out, "parent_id", product->parent);
  if (product->places > 0 && product->medical == product->places)
    PUT (out, ",\"medical_only\":true");
  else if (product->places > 0)
    PUT (out, ",\"medical_only\":false");
  if (!product->hidden && is (product->status, "ACTIVE"))
    PUT (out, ",\"visible\":true");
  else
    PUT (out, ",\"visible\":false");
  PUT (out, ",\"quantity\":");
  put_decimal (out, MAX (product->quantity, 0));
  put_attributes (map, out, product);
  PUT (out, ",\"updated_at\":");
  put_time (out, *updated_ms);
  put_byte (out, '}');
}

void
map_put_promotion (Map *map, const MapDiscount *discount, JsonBuffer *out)
{
  map->used = 0;
  PUT (out, "{\"id\":");
  put_text (out, discount->id);
  MEMBER (out, "name", clean (map, discount->name));
  put_worth (out, discount);
  if (is (discount->method, "DOLLAR"))
    PUT (out, ",\"currency\":\"USD\"");
  PUT (out, ",\"customer_type\":\"any\"");
  MEMBER (out, "schedule", clean (map, discount->schedule));
  put_schedule (map, out, discount);
  PUT (out, ",\"attributes\":{\"treez.affinity\":");
  put_text (out, discount->affinity);
  MEMBER (out, "treez.type", discount->type);
  MEMBER (out, "treez.method", discount->method);
  MEMBER (out, "treez.stackable", discount->stackable);
  PUT (out, "}}");
}
