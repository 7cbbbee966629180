#include "model/value.h"

#include "model/currency.h"

static inline gboolean
is_capital (char letter)
{
  return letter >= 'A' && letter <= 'Z';
}

static const char *__attribute__ ((cold, noinline))
refuse_currency (Writer *writer, const Field *field, const char *letters)
{
  char found[16] = "", room[64];
  if (letters)
    g_snprintf (found, sizeof found, "%.8s", letters); /* a plugin's has no zero behind it, perhaps */
  value_refuse (writer, field, "bad_currency", "\"%s\" is no currency (three upper-case letters, USD)",
                value_shown (found, room));
  return NULL;
}

/* The three letters of an amount, those of the store where it has none. NULL: refused. */
static inline const char *
currency_of (Writer *writer, const Field *field, const tb_money *money)
{
  const char *letters = money->currency[0] ? money->currency : writer->context->currency;
  if (G_LIKELY (letters && is_capital (letters[0]) && is_capital (letters[1]) && is_capital (letters[2]) &&
                !letters[3]))
    return letters;
  return refuse_currency (writer, field, letters);
}

static gboolean
put_minor (Writer *writer, const Field *field, gint64 minor)
{
  if (G_UNLIKELY (minor > MODEL_MONEY_MOST || minor < -MODEL_MONEY_MOST ||
                  (minor < 0 && (field->rules & FIELD_NOT_NEGATIVE))))
    return value_refuse (writer, field, "out_of_range",
                         "%" G_GINT64_FORMAT " is no amount that is taken here", minor);
  char *at = value_begin (writer->out, field, NUMBER_ROOM);
  if (minor < 0)
    *at++ = '-';
  value_end (writer->out, put_digits (at, (guint64)ABS (minor)));
  return TRUE;
}

void
money_put_currency (JsonBuffer *out, const char *letters)
{
  static const char key[] = ",\"currency\":\"";
  char *at = put_reserve (out, NUMBER_ROOM);
  memcpy (at, key, sizeof key - 1);
  memcpy (at + sizeof key - 1, letters, 3);
  at[sizeof key + 2] = '"';
  out->length += sizeof key + 3;
}

gboolean
money_put_price (Writer *writer, const Field *field, const tb_money *money)
{
  const char *letters = currency_of (writer, field, money);
  if (G_UNLIKELY (!letters) || !put_minor (writer, field, money->minor))
    return FALSE;
  money_put_currency (writer->out, letters);
  return TRUE;
}

/* Takes note of the currency of an amount that stands without it. */
static gboolean
note_currency (Writer *writer, const Field *field, const tb_money *money)
{
  const char *letters = currency_of (writer, field, money);
  if (!letters)
    return FALSE;
  if (writer->currency && strncmp (writer->currency, letters, 3) != 0)
    return value_refuse (writer, field, "bad_currency", "amounts in %.3s and in %.3s in one record",
                         writer->currency, letters);
  writer->currency = letters;
  return TRUE;
}

gboolean
money_put_amount (Writer *writer, const Field *field, const tb_money *money)
{
  return note_currency (writer, field, money) && put_minor (writer, field, money->minor);
}

/* Minor units of a number of units, half up away from zero. FALSE: it does not fit. */
static gboolean
minor_of (gint64 nano, const char *letters, gint64 *minor)
{
  gint64 unit = TB_NANO;
  for (int places = currency_places (letters); places > 0; places--)
    unit /= 10;
  gint64 half = nano < 0 ? -unit / 2 : unit / 2;
  if (__builtin_add_overflow (nano, half, &nano))
    return FALSE;
  *minor = nano / unit;
  return TRUE;
}

/* The value of a discount. A percentage is a number; what comes off or is to be paid is money, which stands
 * in minor units whichever way the plugin said it: as money (a promotion's amount, the price of an offer that
 * sets a price) or as a number of units. */
gboolean
money_put_worth (Writer *writer, const Field *field, const guint8 *record)
{
  const tb_decimal *value = (const void *)(record + field->offset);
  const tb_money *money = (const void *)(record + field->money);
  tb_discount type = *(const tb_discount *)(const void *)(record + field->other);
  gint64 minor;
  if (type != TB_AMOUNT && type != TB_PRICE) {
    if (!value->known)
      return TRUE;
    if (type == TB_PERCENT && (value->nano < 0 || value->nano > 100 * TB_NANO))
      return value_refuse (writer, field, "out_of_range", "a percentage is 0 to 100");
    return value_put_number (writer, field, value->nano);
  }
  if (money_is_said (money) && (type == TB_PRICE || (field->rules & FIELD_MONEY_IS_VALUE)))
    return money_put_amount (writer, field, money);
  if (!value->known)
    return TRUE;
  if (!note_currency (writer, field, money))
    return FALSE;
  if (!minor_of (value->nano, writer->currency, &minor))
    return value_refuse (writer, field, "out_of_range", "the number is too large for an amount");
  return put_minor (writer, field, minor);
}
