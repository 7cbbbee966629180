/* Numbers from their digits: exact, without a detour through double.
 *
 * A number in a string may have what people type: blanks around it, a plus, zeros in front, a point without
 * digits on one side. Nothing else: "1,200" and "$5" are no numbers here. */
#include <math.h>
#include <string.h>
#include "json/scan.h"

enum { EXPONENT_MOST = 1 << 30, DIGITS_MOST = 19 };

typedef struct {
  const char *digits; /* from the first that is not 0; a point may lie within */
  gint64 count;       /* of digits, without the point */
  gint64 exponent;    /* the value is the digits, read as a whole number, times 10^exponent */
  gboolean negative;
} Decimal;

static gboolean
read_exponent (const char **at, const char *end, gint64 *exponent)
{
  gboolean negative = FALSE;
  gint64 value = 0;
  if (++*at < end && (**at == '+' || **at == '-'))
    negative = *(*at)++ == '-';
  if (*at == end || !is_digit (**at))
    return FALSE;
  for (; *at < end && is_digit (**at); ++*at)
    value = MIN (EXPONENT_MOST, value * 10 + (**at - '0'));
  *exponent += negative ? -value : value;
  return TRUE;
}

/* The bytes that must be a number; FALSE when the node cannot hold one. */
static inline gboolean
find_number (const JsonNode *node, const char **at, const char **end)
{
  if (!node || (node->type != JSON_NUMBER && node->type != JSON_STRING))
    return FALSE;
  *at = node->text;
  *end = node->text + node->length;
  if (node->type == JSON_STRING) {
    *at = skip_blank (*at, *end);
    while (*end > *at && is_blank ((*end)[-1]))
      --*end;
  }
  return TRUE;
}

static gboolean
read_decimal (const JsonNode *node, Decimal *decimal)
{
  const char *at, *end;
  if (!find_number (node, &at, &end))
    return FALSE;
  *decimal = (Decimal){ 0 };
  if (at < end && (*at == '-' || *at == '+'))
    decimal->negative = *at++ == '-';

  gboolean any = FALSE, point = FALSE;
  for (; at < end; at++) {
    if (*at == '.' && !point) {
      point = TRUE;
      continue;
    }
    if (!is_digit (*at))
      break;
    any = TRUE;
    decimal->exponent -= point;
    if (decimal->count == 0 && *at == '0')
      continue;
    if (decimal->count++ == 0)
      decimal->digits = at;
  }
  if (!any)
    return FALSE;
  if (at < end && (*at == 'e' || *at == 'E') && !read_exponent (&at, end, &decimal->exponent))
    return FALSE;
  return at == end;
}

static inline char
next_digit (const char **at)
{
  if (**at == '.')
    ++*at;
  return *(*at)++;
}

/* Are the digits behind the first wanted ones all 0? */
static gboolean
rest_is_zero (const Decimal *decimal, const char *at, gint64 wanted)
{
  for (gint64 i = wanted; i < decimal->count; i++)
    if (next_digit (&at) != '0')
      return FALSE;
  return TRUE;
}

/* The decimal times 10^places; exact: only when that is a whole number. */
static gboolean
scale (const Decimal *decimal, int places, gboolean exact, gint64 *value)
{
  gint64 wanted = decimal->count + decimal->exponent + places; /* digits before the new point */
  guint64 whole = 0;
  const char *at = decimal->digits;
  if (decimal->count == 0) {
    *value = 0;
    return TRUE;
  }
  if (wanted > DIGITS_MOST)
    return FALSE;
  if (wanted < 0 && exact)
    return FALSE;
  for (gint64 i = 0; i < wanted; i++)
    whole = whole * 10 + (i < decimal->count ? (guint64)(next_digit (&at) - '0') : 0);
  if (exact && !rest_is_zero (decimal, at, wanted))
    return FALSE;
  if (!exact && wanted >= 0 && wanted < decimal->count)
    whole += next_digit (&at) >= '5';
  if (whole > (guint64)G_MAXINT64 + decimal->negative)
    return FALSE;
  *value = decimal->negative ? (gint64)(0 - whole) : (gint64)whole;
  return TRUE;
}

gboolean
json_to_int (const JsonNode *node, gint64 *value)
{
  Decimal decimal;
  return read_decimal (node, &decimal) && scale (&decimal, 0, TRUE, value);
}

gboolean
json_to_nano (const JsonNode *node, gint64 *nano)
{
  return json_to_scaled (node, 9, nano);
}

gboolean
json_to_scaled (const JsonNode *node, int places, gint64 *value)
{
  Decimal decimal;
  return read_decimal (node, &decimal) && scale (&decimal, places, FALSE, value);
}

gboolean
json_to_double (const JsonNode *node, double *value)
{
  Decimal decimal;
  if (!read_decimal (node, &decimal))
    return FALSE;
  if (decimal.count == 0) {
    *value = decimal.negative ? -0.0 : 0.0;
    return TRUE;
  }
  g_autofree char *text = g_strndup (node->text, node->length); /* digits are not terminated */
  double number = g_ascii_strtod (text, NULL);
  if (!isfinite (number))
    return FALSE;
  *value = number;
  return TRUE;
}
