/* Stock of a Treez store. v2 has no list of it, and stock does not move a product's last_updated_at: active
 * products are read without their discounts, which is much smaller, and of a row the places alone, so that it
 * can run every two minutes. */
#include "treez.h"

static const tb_word buyers[] = { { "ADULT", TB_RECREATIONAL }, { "MEDICAL", TB_MEDICAL } };

static tb_status
emit_level (tb_call *call, const tb_json *p, const tb_json *row)
{
  tb_inventory level = { 0 };
  level.product_id = tb_string (p, "product_id");
  level.location_id = tb_text (row, "location_id|location");
  level.buyer = tb_word_of (row, "inventory_type", buyers);
  level.quantity = tb_number (row, "sellable_quantity");
  level.unit = TB_EACH_ONE;
  return tb_emit (call, &level);
}

static tb_status
emit_levels (tb_call *call, const tb_json *p)
{
  tb_inventory none = { .product_id = tb_string (p, "product_id"),
                        .quantity = tb_decimal_of (0),
                        .unit = TB_EACH_ONE };
  TB_FOR (row, p, "sellable_quantity_detail")
    if (treez_place_counts (call, row))
      TB_TRY (emit_level (call, p, row));
  /* No place has it. Without this record the product would seem to have no stock told. */
  return tb_count (p, "sellable_quantity_detail") == 0 ? tb_emit (call, &none) : TB_OK;
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
    TB_TRY (emit_levels (call, p));
  return treez_end_page (call, pull, items, page);
}
