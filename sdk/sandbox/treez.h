/* Treez, v2 ("SellTreez API") and v3 ("Dispensary API"): what its files share. Facts are the vendor's
 * documentation and what its clients saw. Both generations serve the same goods. */
#pragma once
#include "engine.h"
#include "rate.h"
#include "tokens.h"

enum { TREEZ_TIME_SIZE = 40 };

/* How a product is written: with its discounts; with the ids of places, as v3 does; or (this one alone) as a
 * row of v3's getStock. */
enum { TREEZ_DISCOUNTS = 1, TREEZ_PLACE_IDS = 2, TREEZ_STOCK = 4 };

/* The key and the numbers of v3's one client. */
typedef struct TreezSigned TreezSigned;

typedef struct {
  Data *products, *customers;
  Tokens *tokens;
  Rate *rate;
  TreezSigned *client;
  gboolean signs_query; /* v3: the URL that is signed has its query */
} Treez;

extern const Vendor treez_vendor;
extern const DataKind treez_products, treez_customers;

/* The store is in Los Angeles; the vendor writes its local time with offset: "2026-04-24T01:09:09.508-07:00".
 */
void treez_time (gint64 ms, char text[TREEZ_TIME_SIZE]);

/* The same with the offset spelled "-0700", as only expires_at has it. */
void treez_time_without_colon (gint64 ms, char text[TREEZ_TIME_SIZE]);

void treez_fail (Exchange *exchange, int status, const char *reason, const char *detail);
void treez_refuse (Exchange *exchange);

/* treez-signed.c: proofs of v3. FALSE: it has answered. */
TreezSigned *treez_signed_new (void);
void treez_signed_free (TreezSigned *client);
gboolean treez_signed_admit (Exchange *exchange);
/* What the plugin must be set to, as VendorSetup wants it. */
extern const char treez_signed_settings[];

/* Reads a date parameter: exactly yyyy-MM-ddTHH:mm:ss.SSSXXX. */
gboolean treez_time_read (const char *text, gint64 *ms);
