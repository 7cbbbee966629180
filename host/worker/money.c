/* Amounts between decimals, minor units and texts. */
#include "worker/services.h"

#include "model/currency.h"

/* Rounded half away from zero. */
tb_money
service_to_money (tb_call *shown, tb_decimal amount, const char *currency)
{
  tb_money money = { 0, "" };
  if (!amount.known)
    return money;
  if (!currency || !*currency)
    currency = call_of (shown)->connector->currency;
  gint64 unit = TB_NANO;
  for (int places = currency_places (currency); places > 0; places--)
    unit /= 10;
  gint64 whole = amount.nano / unit, rest = amount.nano % unit;
  if (ABS (rest) * 2 >= unit)
    whole += amount.nano < 0 ? -1 : 1;
  money.minor = whole;
  g_strlcpy (money.currency, currency, sizeof money.currency);
  return money;
}

const char *
service_decimal_text (tb_call *shown, tb_decimal number)
{
  JsonBuffer buffer = { 0 };
  json_put_nano (&buffer, number.nano);
  char *text = arena_strndup (call_of (shown)->arena, buffer.bytes, buffer.length);
  json_buffer_clear (&buffer);
  return text;
}

char *
money_to_text (Arena *arena, tb_money money)
{
  enum { TEXT_SIZE = 32 };
  char *text = arena_alloc (arena, TEXT_SIZE);
  int places = currency_places (money.currency);
  guint64 size = money.minor < 0 ? 0 - (guint64)money.minor : (guint64)money.minor, unit = 1;
  for (int i = 0; i < places; i++)
    unit *= 10;
  if (places == 0)
    g_snprintf (text, TEXT_SIZE, "%s%" G_GUINT64_FORMAT, money.minor < 0 ? "-" : "", size);
  else
    g_snprintf (text, TEXT_SIZE, "%s%" G_GUINT64_FORMAT ".%0*" G_GUINT64_FORMAT, money.minor < 0 ? "-" : "",
                size / unit, places, size % unit);
  return text;
}

const char *
service_money_text (tb_call *shown, tb_money money)
{
  money.currency[sizeof money.currency - 1] = '\0';
  return money_to_text (call_of (shown)->arena, money);
}
