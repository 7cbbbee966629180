/* Discounts of a Treez store: promotions of their own, and offers of the products that they stand in. v2 has
 * no list of them; they come inside the products. */
#include "treez.h"

static const tb_word methods[] = {
  { "PERCENT", TB_PERCENT },     { "DOLLAR", TB_AMOUNT },         { "COST", TB_PRICE },
  { "BOGO", TB_OTHER_DISCOUNT }, { "BUNDLE", TB_OTHER_DISCOUNT },
};

/* What a discount makes of a price; not said where that is not simple arithmetic. */
static tb_decimal
discounted (tb_discount type, tb_decimal price, tb_decimal value)
{
  tb_decimal none = { 0, 0 };
  if (type == TB_PERCENT)
    return tb_minus (price, tb_times (tb_times (price, value), tb_decimal_of (0.01)));
  return type == TB_AMOUNT ? tb_minus (price, value) : none;
}

/* Is the product's discounted price of this discount's making? Treez says so, or else its arithmetic does. */
static bool
makes_the_price (tb_call *call, const tb_json *p, const tb_json *d, tb_discount type)
{
  tb_flag said = tb_bool (d, "discount_applied_in_calc");
  tb_money result, price = tb_cash (p, "pricing.discounted_price");
  if (said.state != 0 || !tb_is (tb_lower (d, "discount_affinity"), "pre-cart"))
    return tb_yes (said);
  result = tb_money_of (
    call, discounted (type, tb_number (p, "pricing.price_sell"), tb_number (d, "discount_amount")));
  return tb_known (price) && tb_known (result) && price.minor == result.minor;
}

/* When it holds: in words, from when, and until when. end_date is the end of the first day; only what is
 * never repeated is over then. */
static void
read_schedule (const tb_json *d, const char **words, long long *starts_at_ms, long long *ends_at_ms)
{
  TB_FOR (condition, d, "discount_condition_detail") {
    if (!tb_is (tb_lower (condition, "discount_condition_type"), "schedule"))
      continue;
    *words = tb_text (condition, "discount_condition_value");
    *starts_at_ms = tb_time_local (condition, "discount_condition_schedule.start_date");
    if (tb_is (tb_text (condition, "discount_condition_schedule.type"), "DO_NOT"))
      *ends_at_ms = tb_time_local (condition, "discount_condition_schedule.end_date");
    return;
  }
}

void
treez_read_offers (tb_call *call, const tb_json *p, tb_product *product)
{
  TB_FOR (d, p, "discounts") {
    tb_discount type = tb_word_of (d, "discount_method", methods);
    const char *id = tb_string (d, "discount_id"),
               *name = tb_text (d, "discount_display_title|discount_title");
    const char *words;
    tb_offer *offer;
    /* "Two for one" has no price of one piece that could be shown. */
    if (id == NULL || name == NULL || type == TB_NO_DISCOUNT || type == TB_OTHER_DISCOUNT ||
        !makes_the_price (call, p, d, type))
      continue;
    offer = tb_add (call, &product->offers);
    offer->id = id;
    offer->name = name;
    offer->type = type;
    offer->value = tb_number (d, "discount_amount");
    offer->price = tb_cash (p, "pricing.discounted_price");
    read_schedule (d, &words, &offer->starts_at_ms, &offer->ends_at_ms);
  }
}

/* The same discount stands in every product that it is for. What is emitted depends on the discount alone, so
 * all say the same and the host keeps one; hence no product_ids, and nothing about whether it applied here.
 */
tb_status
treez_emit_promotion (tb_call *call, const tb_json *d)
{
  tb_promotion promotion = { 0 };
  promotion.id = tb_string (d, "discount_id");
  promotion.name = tb_text (d, "discount_display_title|discount_title");
  if (promotion.id == NULL || promotion.name == NULL)
    return TB_OK;
  promotion.type = tb_word_of (d, "discount_method", methods);
  if (promotion.type != TB_OTHER_DISCOUNT)
    promotion.value = tb_number (d, "discount_amount");
  read_schedule (d, &promotion.schedule, &promotion.starts_at_ms, &promotion.ends_at_ms);
  tb_add_pair (call, &promotion.attributes, "treez.affinity", tb_text (d, "discount_affinity"));
  tb_add_pair (call, &promotion.attributes, "treez.type", tb_text (d, "discount_type"));
  tb_add_pair (call, &promotion.attributes, "treez.method", tb_text (d, "discount_method"));
  tb_add_pair (call, &promotion.attributes, "treez.stackable", tb_text (d, "discount_stackable"));
  return tb_emit (call, &promotion);
}
