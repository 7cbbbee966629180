/* How long a product takes from the SDK's struct to checked JSON: nanoseconds a product, the median of
 * several turns. */
#include "model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Few enough to stay in the processor's cache, as a record is that a plugin has just filled. */
enum { PRODUCTS = 32, ROUNDS = 3000, TURNS = 9 };

static gint64
cpu_ns (void)
{
  struct timespec now;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
compare (const void *left, const void *right)
{
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* About 1.2 kB of JSON, as a menu's products have. */
static tb_product
product_of (guint at, char id[24])
{
  static tb_price prices[] = {
    { .label = "1 G",
      .quantity = { TB_NANO, 1 },
      .unit = TB_GRAM,
      .amount = { 1400, "USD" },
      .tax_included = { 1 } },
    { .label = "3.5 G",
      .quantity = { 3500000000, 1 },
      .unit = TB_GRAM,
      .amount = { 4250, "USD" },
      .tax_included = { 1 } },
  };
  static tb_potency potency[] = {
    { .analyte = "THC", .min = { 22500000000, 1 }, .max = { 24310000000, 1 }, .unit = "%" },
    { .analyte = "CBD", .min = { 120000000, 1 }, .max = { 120000000, 1 }, .unit = "%" },
  };
  static tb_image images[] = {
    { .url = "https://images.example/products/5b0c2a64-9a2e-4d0e-8a55-0f4b5f2f4a10/1.jpg",
      .role = TB_PRIMARY },
    { .url = "https://images.example/products/5b0c2a64-9a2e-4d0e-8a55-0f4b5f2f4a10/2.jpg",
      .role = TB_GALLERY },
  };
  static tb_pair attributes[] = { { "treez.classification", "I/S" },
                                  { "treez.type", "PRE-PACK" },
                                  { "treez.size", "3.5" } };
  static const char *tags[] = { "calm", "sleepy", "new" };
  g_snprintf (id, 24, "5b0c2a64-%08x", at);
  return (tb_product){
    .id = id,
    .name = "Plum Orchard Reserve 3.5g",
    .sku = "00855001",
    .barcode = "8500855001",
    .brand = "ORCHARD LANE",
    .category = "FLOWER",
    .subcategory = "PRE-PACK",
    .strain = "Plum Orchard",
    .description =
      "Grown in small batches under the open sky, cured for four weeks, and trimmed by hand. Notes of "
      "plum, pepper and pine.\nStore cool and dark. Keep away from children and pets.",
    .classification = TB_HYBRID,
    .unit = TB_EACH_ONE,
    .weight_unit = TB_GRAM,
    .visible = { 2 },
    .weight = { 3500000000, 1 },
    .quantity = { (int64_t)(at % 200) * TB_NANO, 1 },
    .prices = { prices, 2, 0 },
    .potency = { potency, 2, 0 },
    .images = { images, 2, 0 },
    .tags = { tags, 3, 0 },
    .attributes = { attributes, 3, 0 },
    .updated_at_ms = 1772471740120 + (gint64)at * 86413,
    .medical_only = { 1 },
  };
}

int
main (void)
{
  static tb_product products[PRODUCTS];
  static char ids[PRODUCTS][24];
  ModelContext context = { .currency = "USD" };
  JsonBuffer out = { 0 }, scratch = { 0 };
  ModelRendered rendered;
  ModelReject reject;
  double turns[TURNS];
  gsize bytes = 0;
  for (guint i = 0; i < PRODUCTS; i++)
    products[i] = product_of (i, ids[i]);
  for (int turn = 0; turn < TURNS; turn++) {
    gint64 start = cpu_ns ();
    for (int round = 0; round < ROUNDS; round++) {
      out.length = 0;
      for (guint i = 0; i < PRODUCTS; i++)
        if (!model_render (MODEL_PRODUCTS, &products[i], &context, &out, &scratch, &rendered, &reject)) {
          fprintf (stderr, "refused: %s %s: %s\n", reject.reason, reject.field, reject.detail);
          return EXIT_FAILURE;
        }
      bytes = out.length;
    }
    turns[turn] = (double)(cpu_ns () - start) / ((double)PRODUCTS * ROUNDS);
  }
  qsort (turns, TURNS, sizeof *turns, compare);
  printf ("%.0f ns a product of %zu bytes (%.0f to %.0f)\n", turns[TURNS / 2], bytes / PRODUCTS, turns[0],
          turns[TURNS - 1]);
  json_buffer_clear (&out);
  json_buffer_clear (&scratch);
  return EXIT_SUCCESS;
}
