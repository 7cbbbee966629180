/* Never comes back from the record whose id is "loop", and so holds its whole worker. */
#include "few.h"

static const tb_setting settings[] = { FEW_SETTINGS };
static const tb_endpoint endpoints[] = { FEW_ENDPOINTS };

static tb_status
pull (tb_call *call, const tb_pull *pull)
{
  long long page = tb_cursor_int (pull, "page", 1);
  volatile bool forever = true;
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "products[]", "/products?page=%lld", page));
  TB_EACH (p, items) {
    while (forever && tb_is (tb_string (p, "id"), "loop"))
      ;
    TB_TRY (few_emit (call, p));
  }
  return tb_pages (call, tb_seen (items) > 0, "page", page + 1);
}

static const tb_stream streams[] = { { "products", pull, NULL, TB_PRODUCTS, TB_STAYS, .every_s = 60,
                                       .deadline_s = 1 } };

TB_PLUGIN (.name = "loop", .version = "1.0.0", .settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (streams));
