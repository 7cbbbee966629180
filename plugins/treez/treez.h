/* What the files of the Treez plugin share. */
#pragma once
#include <tillbridge/plugin.h>

/* catalogue.c */
tb_status treez_pull_products (tb_call *call, const tb_pull *pull);
tb_status treez_fetch_product (tb_call *call, const char *id);

/* discounts.c */
void treez_read_offers (tb_call *call, const tb_json *p, tb_product *product);
tb_status treez_emit_promotion (tb_call *call, const tb_json *discount);

/* stock.c: of v2, and of v3 */
tb_status treez_pull_inventory (tb_call *call, const tb_pull *pull);
tb_status treez_pull_stock (tb_call *call, const tb_pull *pull);

/* signed.c: v3's proof of who calls, and what a refusal of it means */
tb_status treez_sign (tb_call *call, tb_outgoing *request);
tb_status treez_judge_signed (tb_call *call, const tb_response *response);
tb_status treez_check_signature (tb_call *call);

/* customers.c */
tb_status treez_pull_customers (tb_call *call, const tb_pull *pull);
tb_status treez_fetch_customer (tb_call *call, const char *id);

/* treez.c: the setting page_size as a parameter of products; NULL: the vendor's own. */
const char *treez_page_size (tb_call *call);
/* How Treez wants times in a path: the store's clock, milliseconds, offset. */
const char *treez_time (tb_call *call, long long ms);
/* Does this row of sellable_quantity_detail lie at a place that counts (setting locations)? */
bool treez_place_counts (tb_call *call, const tb_json *row);
/* The end of a page of products or stock: more, or done. total: where the answer says how many rows there are
 * in all. */
tb_status treez_end_page (tb_call *call, const tb_pull *pull, tb_items *items, const char *total,
                          long long page);
