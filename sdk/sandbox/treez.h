/* Treez, v2 ("SellTreez API"): what its files share. Facts are the vendor's documentation and what its
 * clients saw. */
#pragma once
#include "engine.h"

enum { TREEZ_TIME_SIZE = 40 };

/* A request for products carries the discounts too. */
enum { TREEZ_DISCOUNTS = 1 };

extern const Vendor treez_vendor;
extern const DataKind treez_products, treez_customers;

/* The store is in Los Angeles; the vendor writes its local time with offset: "2026-04-24T01:09:09.508-07:00".
 */
void treez_time (gint64 ms, char text[TREEZ_TIME_SIZE]);

/* The same with the offset spelled "-0700", as only expires_at has it. */
void treez_time_without_colon (gint64 ms, char text[TREEZ_TIME_SIZE]);

/* Reads a date parameter: exactly yyyy-MM-ddTHH:mm:ss.SSSXXX. */
gboolean treez_time_read (const char *text, gint64 *ms);
