/* What the files of the Treez plugin share. */
#pragma once
#include <tillbridge/plugin.h>

/* catalogue.c */
tb_status treez_pull_products (tb_call *call, const tb_pull *pull);
tb_status treez_fetch_product (tb_call *call, const char *id);
tb_status treez_pull_inventory (tb_call *call, const tb_pull *pull);

/* customers.c */
tb_status treez_pull_customers (tb_call *call, const tb_pull *pull);
tb_status treez_fetch_customer (tb_call *call, const char *id);

/* treez.c: the setting page_size as a parameter, at most `most`; NULL: the vendor's own. */
const char *treez_page_size (tb_call *call, long long most);
/* How Treez wants times in a path: the store's clock, milliseconds, offset. */
const char *treez_time (tb_call *call, long long ms);
