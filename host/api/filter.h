/* What a list's parameters ask of a record, and how the record is written into the page. Made on the loop;
 * used on the store's reader thread, so that nothing of the hub is in it. */
#pragma once
#include "json/json.h"
#include "store/store.h"

typedef enum { WISH_ANY, WISH_YES, WISH_NO } Wish;

typedef struct {
  guint kind;
  gint64 since_ms, now_ms; /* since: 0: any */
  Wish visible, in_stock;  /* products */
  Wish active;             /* promotions */
  gboolean stock;          /* of products: levels tell it, and none is none */
  char *location;          /* inventory; NULL: any */
  JsonBuffer levels_of;    /* inventory: how ids of this product's begin; empty: any */
  char *product;           /* promotions: of this product; NULL: any */
  char *category;          /* of that product, NULL */
  GHashTable *promotions;  /* ids that the product's own record names */
  GArray *ordinals;        /* guint32, sorted: only these; NULL: any */
  JsonDocument document;   /* scratch */
  GByteArray *text;
} Filter;

Filter *filter_new (guint kind);
void filter_free (Filter *filter);

/* From the record of filter->product: its promotions and its category. */
void filter_take_product (Filter *filter, const StoreFound *found);
/* Might it be one of those? What tells at a glance. */
gboolean filter_may_take (const Filter *filter, const StoreFound *found);
/* Is it one of those? Then it is put at the end of out: the record as it is stored, and `available` where
 * that is known. */
gboolean filter_take (Filter *filter, const StoreFound *found, JsonBuffer *out);
