/* A Treez product as the limit programs hold it between reading and writing, and the writer of what
 * Tillbridge stores of it. By hand, for what the sandbox says and no more: the bench compares all stored
 * bytes with the product's, so a shape that is not covered here is noticed. */
#pragma once
#include "json/json.h"

enum { MAP_LIST_MOST = 16, MAP_SCRATCH = 4096 };
#define MAP_NOT_SAID G_MININT64 /* of numbers, which are in 10^-9 */

typedef struct {
  const char *text; /* NULL: not said */
  gsize length;
} MapText;

typedef struct {
  MapText items[MAP_LIST_MOST];
  guint count;
} MapTexts;

typedef struct {
  MapText id, name, type, affinity, method, stackable, schedule, starts_at;
  gint64 amount;
  gboolean applied;
} MapDiscount;

typedef struct {
  gint64 start, each;
} MapTier;

typedef struct {
  MapText analyte, type;
  gint64 min, max;
} MapLab;

typedef struct {
  MapText id, parent, status, updated, category, title, name, brand, subcategory, description, strain,
    classification, measure, size, sku, primary_image, tier_text;
  gint64 quantity, amount, price, discounted;
  guint places, medical; /* rows of stock, and those for patients */
  gboolean hidden, tiers_in_grams;
  MapTier tiers[MAP_LIST_MOST];
  guint tier_count;
  MapLab labs[MAP_LIST_MOST];
  guint lab_count;
  MapTexts images, general, effects, flavors, internal;
  MapDiscount discounts[MAP_LIST_MOST];
  guint discount_count;
} MapProduct;

typedef struct {
  GTimeZone *zone;
  char scratch[MAP_SCRATCH]; /* texts that had to be mended, of one record */
  gsize used;
} Map;

/* The body, appended. *updated_ms: its updated_at. */
void map_put_product (Map *map, const MapProduct *product, JsonBuffer *out, gint64 *updated_ms);
void map_put_promotion (Map *map, const MapDiscount *discount, JsonBuffer *out);
