/* Loads well, and then does what its setting `way` says: each of the mistakes that the host must refuse or
 * mend while a call runs (its answers: few.h). */
#include "few.h"

static const tb_setting settings[] = {
  FEW_SETTINGS,
  { "way", TB_CHOICE, TB_REQUIRED,
    .choices = "no_ending|still|other_kind|late_text|unknown_setting|empty_path|swallow|"
               "not_found|deep|large|endless|sleepy|plain" },
};
static const tb_endpoint endpoints[] = { FEW_ENDPOINTS };

/* The name of the item before, which is over, emitted with this one. */
static tb_status
emit_late (tb_call *call, tb_items *items)
{
  const char *name = NULL;
  TB_EACH (p, items) {
    tb_product product = { 0 };
    product.id = tb_string (p, "id");
    product.name = name != NULL ? name : tb_text (p, "name");
    name = tb_text (p, "name");
    TB_TRY (tb_emit (call, &product));
  }
  return tb_done (call);
}

static tb_status
emit_other (tb_call *call, tb_items *items)
{
  TB_EACH (p, items) {
    tb_customer customer = { .id = tb_string (p, "id") };
    TB_TRY (tb_emit (call, &customer));
  }
  return tb_done (call);
}

/* More stack than a fiber has. */
static int
deep (int left)
{
  volatile char much[16384];
  much[0] = (char)left;
  return left == 0 ? much[0] : deep (left - 1) + much[0];
}

static tb_status
take_memory (tb_call *call)
{
  void *block;
  do {
    block = tb_alloc (call, 1 << 20);
    memset (block, 1, 1 << 20);
  } while (block != NULL);
  return TB_INTERNAL;
}

static tb_status
pull (tb_call *call, const tb_pull *pull)
{
  const tb_json *answer;
  tb_items *items;
  tb_status status;
  if (tb_setting_is (call, "way", "unknown_setting"))
    return tb_setting_text (call, "nobody_described_this") == NULL ? tb_done (call) : TB_INTERNAL;
  if (tb_setting_is (call, "way", "empty_path"))
    return tb_get (call, &answer, "/products/%s", tb_printf (call, "%s", "")) == TB_OK ? tb_done (call)
                                                                                       : TB_INTERNAL;
  if (tb_setting_is (call, "way", "not_found"))
    return TB_NOT_FOUND;
  if (tb_setting_is (call, "way", "deep"))
    return deep (1000) == 0 ? tb_done (call) : TB_INTERNAL;
  if (tb_setting_is (call, "way", "large"))
    return take_memory (call);
  if (tb_setting_is (call, "way", "sleepy"))
    TB_TRY (tb_sleep (call, 86400000));
  TB_TRY (tb_get_items (call, &items, "products[]", "/products?page=%lld", tb_cursor_int (pull, "page", 1)));
  if (tb_setting_is (call, "way", "late_text"))
    return emit_late (call, items);
  if (tb_setting_is (call, "way", "other_kind"))
    return emit_other (call, items);
  TB_EACH (p, items) {
    status = few_emit (call, p);
    if (status != TB_OK && !tb_setting_is (call, "way", "swallow"))
      return status;
  }
  if (tb_setting_is (call, "way", "no_ending"))
    return TB_OK;
  if (tb_setting_is (call, "way", "still"))
    return tb_more (call);
  return tb_pages (call, tb_setting_is (call, "way", "endless"), "page", tb_cursor_int (pull, "page", 1) + 1);
}

static const tb_stream streams[] = { { "products", pull, NULL, TB_PRODUCTS, TB_IS_DELETED, .every_s = 60 } };

TB_PLUGIN (.name = "misbehaves", .version = "1.0.0", .settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (streams));
