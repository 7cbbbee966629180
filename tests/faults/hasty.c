/* Treez without the distance that it asks for between two passes, so that a test can run hundreds of them.
 * All else is the real plugin's. */
#include <tillbridge/plugin.h>

/* The plugin's own main file, without its last word. */
#pragma push_macro("TB_PLUGIN")
#undef TB_PLUGIN
#define TB_PLUGIN(...) extern const tb_plugin_info tb_plugin
#include "treez.c"
#pragma pop_macro("TB_PLUGIN")

static const tb_stream hasty_streams[] = {
  { "products", treez_pull_products, treez_fetch_product, TB_PRODUCTS | TB_PROMOTIONS, TB_IS_DELETED,
    .changes = true, .item_only = true, .every_s = 900, .full_every_s = 1800, .overlap_s = 300,
    .deadline_s = 120 },
  { "inventory", treez_pull_inventory, NULL, TB_INVENTORY, TB_IS_ZERO, .item_only = true, .every_s = 120,
    .deadline_s = 120 },
};

const tb_stream *const hasty_unused = streams; /* what it replaces */

TB_PLUGIN (.name = "hasty", .version = "1.0.0", .title = "Treez in haste", .settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (hasty_streams), .check = check,
           .mapping = 1);
