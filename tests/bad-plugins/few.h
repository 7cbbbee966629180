/* What the misbehaving plugins share: one address, GET {url}/products?page=N giving
 * {"products":[{"id":..,"name":..},..]}. */
#pragma once
#include <stdlib.h>
#include <tillbridge/plugin.h>

#define FEW_SETTINGS                                                                                         \
  {                                                                                                          \
    "url", TB_URL, TB_REQUIRED                                                                               \
  }
#define FEW_ENDPOINTS                                                                                        \
  {                                                                                                          \
    "api", "{url}"                                                                                           \
  }

static inline tb_status
few_emit (tb_call *call, const tb_json *p)
{
  tb_product product = { 0 };
  product.id = tb_string (p, "id");
  product.name = tb_text (p, "name");
  return tb_emit (call, &product);
}
