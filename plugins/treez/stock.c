/* Stock of a Treez store. v2 has no list of it, and stock does not move a product's last_updated_at: active
 * products are read without their discounts, which is much smaller, and of a row the places alone, so that it
 * can run every two minutes. v3 has a list, and tells what changed in it; its rows name places, and have no
 * ids of them. */
#include "treez.h"

static const tb_word buyers[] = { { "ADULT", TB_RECREATIONAL }, { "MEDICAL", TB_MEDICAL } };

static tb_status
emit_level (tb_call *call, const tb_json *p, const tb_json *row)
{
  tb_inventory level = { 0 };
  level.product_id = tb_string (p, "product_id");
  level.location_id = tb_text (row, "location_id|location|location_name");
  level.buyer = tb_word_of (row, "inventory_type", buyers);
  level.quantity = tb_number (row, "sellable_quantity");
  level.unit = TB_EACH_ONE;
  return tb_emit (call, &level);
}

/* rows: where the places stand in it. */
static tb_status
emit_levels (tb_call *call, const tb_json *p, const char *rows)
{
  tb_inventory none = { .product_id = tb_string (p, "product_id"),
                        .quantity = tb_decimal_of (0),
                        .unit = TB_EACH_ONE };
  TB_FOR (row, p, rows)
    if (treez_place_counts (call, row))
      TB_TRY (emit_level (call, p, row));
  /* No place has it. Without this record the product would seem to have no stock told. */
  return tb_count (p, rows) == 0 ? tb_emit (call, &none) : TB_OK;
}

tb_status
treez_pull_inventory (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1);
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "data.product_list[]",
                        "/product/product_list?page=%lld&pagesize=%s&active=TRUE&include_discounts=false",
                        page, treez_page_size (call)));
  TB_EACH (p, items)
    TB_TRY (emit_levels (call, p, "sellable_quantity_detail"));
  return treez_end_page (call, pull, items, "data.total_count", page);
}

/* A changed row holds all places of its product: of those it does not name, none is left. */
static tb_status
emit_changed (tb_call *call, const tb_json *p)
{
  const char *id = tb_string (p, "product_id");
  TB_TRY (emit_levels (call, p, "inventory_details"));
  return id == NULL ? TB_OK : tb_children_complete (call, TB_INVENTORY, id);
}

tb_status
treez_pull_stock (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1);
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "data.stock[]",
                        "/stock/getStock?page=%lld&page_size=%s&active=TRUE&last_update_date=%s", page,
                        treez_page_size (call), treez_time (call, pull->since_ms)));
  TB_EACH (p, items)
    if (pull->full)
      TB_TRY (emit_levels (call, p, "inventory_details"));
    else
      TB_TRY (emit_changed (call, p));
  return treez_end_page (call, pull, items, "data.total_elements", page);
}
