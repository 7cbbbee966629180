/* JSON by path, read and written.
 *
 * A path: `a.b.c`, `items[0].x`, `items[-1]` (the last), `'a.b'.c` for a name with a dot; `|` parts
 * alternatives, the first that is there counts (for texts: that is there and not blank); `""`, or an empty
 * alternative, is the value itself, so `"sku|"` is the member sku, else a bare text.
 *
 * A missing or mistyped value is "not said" (NULL, or a small struct that says so); the host notes its path,
 * and where the record cannot stand without it the reject names the path. Numbers in texts are numbers.
 * Handles may be NULL throughout: nothing is there then. Texts live as long as the document: until the call
 * ends, or for the turn of an item. */
#ifndef TILLBRIDGE_JSON_H
#define TILLBRIDGE_JSON_H

#include <tillbridge/call.h>

/* ---- reading ---- */

/* The value at a path; NULL: none, or null. */
static inline const tb_json *
tb_at (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_at (json, path);
}

/* Elements of the array at a path; 1 for a lone value, 0 for nothing and null. */
static inline size_t
tb_count (const tb_json *json, const char *path)
{
  return json == NULL ? 0 : json->host->json_count (json, path);
}

static inline const tb_json *
tb_first_ (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_first (json, path);
}

static inline const tb_json *
tb_next_ (const tb_json *element)
{
  return element->host->json_next (element);
}

/* Each element of an array: `TB_FOR (row, product, "prices") { ... }`. A lone value counts as an array of
 * one. */
#define TB_FOR(element, json, path)                                                                          \
  for (const tb_json *element = tb_first_ (json, path); element != NULL; element = tb_next_ (element))

/* A text exactly as it is; a number as it is written. For ids. */
static inline const char *
tb_string (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_text (json, path, 0);
}

/* A text for people: trimmed, runs of blanks squeezed, invalid UTF-8 replaced; NULL when blank or "N/A". */
static inline const char *
tb_text (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_text (json, path, 1);
}

/* The same in lower case (Unicode). */
static inline const char *
tb_lower (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_text (json, path, 2);
}

/* A whole number ("7200" and 7200.0 are); anything else: otherwise. */
static inline long long
tb_int (const tb_json *json, const char *path, long long otherwise)
{
  return json == NULL ? otherwise : json->host->json_int (json, path, otherwise);
}

/* true, false, and texts and numbers that mean them: "true" "false" "yes" "no" (any case) 1 0. */
static inline tb_flag
tb_bool (const tb_json *json, const char *path)
{
  tb_flag none = { 0 };
  return json == NULL ? none : json->host->json_flag (json, path);
}

/* A number from its digits; rounded half away from zero at the ninth place. */
static inline tb_decimal
tb_number (const tb_json *json, const char *path)
{
  tb_decimal none = { 0, 0 };
  return json == NULL ? none : json->host->json_decimal (json, path);
}

/* An amount of the store's currency, written in whole units: 16.033 is 1603 cents. One that is there and is
 * no number sets the record aside that is emitted next: nothing is served without its price. */
static inline tb_money
tb_cash (const tb_json *json, const char *path)
{
  tb_money none = { 0, "" };
  return json == NULL ? none : json->host->json_money (json, path, NULL, false);
}

static inline tb_money
tb_cash_in (const tb_json *json, const char *path, const char *currency)
{
  tb_money none = { 0, "" };
  return json == NULL ? none : json->host->json_money (json, path, currency, false);
}

/* The same, written in minor units: 1603. */
static inline tb_money
tb_cash_minor (const tb_json *json, const char *path)
{
  tb_money none = { 0, "" };
  return json == NULL ? none : json->host->json_money (json, path, NULL, true);
}

/* A time in any common spelling: RFC 3339, a blank for the T, no seconds, fractions, an offset without colon,
 * a bare date, a date of HTTP (RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"). Without an offset: UTC. 0:
 * none. */
static inline long long
tb_time (const tb_json *json, const char *path)
{
  return json == NULL ? 0 : json->host->json_time (json, path, false);
}

/* Without an offset: the store's clock. */
static inline long long
tb_time_local (const tb_json *json, const char *path)
{
  return json == NULL ? 0 : json->host->json_time (json, path, true);
}

/* The date of a time or date, "1989-03-07", as it is written there: no zone is applied. */
static inline const char *
tb_date (const tb_json *json, const char *path)
{
  return json == NULL ? NULL : json->host->json_date (json, path);
}

/* A vendor's word and what it means: `static const tb_word states[] = { { "new", TB_ORDER_CONFIRMED } };` */
typedef struct tb_word {
  const char *word;
  int value;
  uint32_t reserved;
} tb_word;

static inline int
tb_word_of_ (const tb_json *json, const char *path, const tb_word *words, size_t count)
{
  const char *word = tb_text (json, path);
  if (word == NULL)
    return 0;
  for (size_t i = 0; i < count; i++)
    if (strcmp (words[i].word, word) == 0)
      return words[i].value;
  json->host->json_unknown (json, path, word);
  return 0;
}

static inline const char *
tb_word_for_ (const tb_word *words, size_t count, int value)
{
  for (size_t i = 0; i < count; i++)
    if (words[i].value == value)
      return words[i].word;
  return NULL;
}

/* What the word at a path means; 0 when there is none, or when no row has it, which the host counts. */
#define tb_word_of(json, path, words) tb_word_of_ (json, path, words, TB_COUNT (words))
/* The first word that means this; NULL: none. */
#define tb_word_for(words, value) tb_word_for_ (words, TB_COUNT (words), value)

/* ---- writing ----
 * Setters make the objects on their path. What is not said (NULL, a flag, decimal or amount of zero) writes
 * nothing. A document that cannot be built (a path through a text, too deep) fails the request that it is
 * given to, so setters need no check. What was read is const and cannot be set: tb_copy() first. */

/* An empty object. */
static inline tb_json *
tb_object (tb_call *call)
{
  return call->host->json_object (call);
}

/* A small known shape: tb_build (call, "{ 'id': %s, 'first': %d, 'total': %lld }", id, 50, total). Single
 * quotes stand for double ones; %s is a text (NULL: null) with its quotes, %d %lld numbers. Not '%s': the
 * quotes are added. */
TB_FORMAT (2, 3)
static inline tb_json *
tb_build (tb_call *call, const char *format, ...)
{
  va_list arguments;
  tb_json *json;
  va_start (arguments, format);
  json = call->host->json_build (call, format, arguments);
  va_end (arguments);
  return json;
}

/* NULL: it is not JSON. */
static inline tb_json *
tb_parse (tb_call *call, const char *text)
{
  return text == NULL ? NULL : call->host->json_parse (call, text);
}

/* A copy that may be set; NULL stays NULL. */
static inline tb_json *
tb_copy (const tb_json *json)
{
  return json == NULL ? NULL : json->host->json_copy (json);
}

/* As text, without blanks. */
static inline const char *
tb_write (const tb_json *json)
{
  return json == NULL ? NULL : json->host->json_write (json);
}

static inline tb_json *
tb_set_ (tb_json *json, const char *path, bool append, const tb_value *value)
{
  return json == NULL ? NULL : json->host->json_set (json, path, append, value);
}

static inline tb_value
tb_value_ (tb_value_type type)
{
  tb_value value;
  memset (&value, 0, sizeof value);
  value.type = type;
  return value;
}

static inline void
tb_set_text (tb_json *json, const char *path, const char *text)
{
  tb_value value = tb_value_ (TB_VALUE_TEXT);
  value.text = text;
  if (text != NULL)
    tb_set_ (json, path, false, &value);
}

/* Our ids are texts; some vendors want numbers: "731" is written 731. */
static inline void
tb_set_digits (tb_json *json, const char *path, const char *text)
{
  tb_value value = tb_value_ (TB_VALUE_DIGITS);
  value.text = text;
  if (text != NULL)
    tb_set_ (json, path, false, &value);
}

static inline void
tb_set_int (tb_json *json, const char *path, long long integer)
{
  tb_value value = tb_value_ (TB_VALUE_INT);
  value.integer = integer;
  tb_set_ (json, path, false, &value);
}

static inline void
tb_set_bool (tb_json *json, const char *path, tb_flag flag)
{
  tb_value value = tb_value_ (TB_VALUE_BOOL);
  value.flag = flag;
  if (flag.state != 0)
    tb_set_ (json, path, false, &value);
}

static inline void
tb_set_number (tb_json *json, const char *path, tb_decimal number)
{
  tb_value value = tb_value_ (TB_VALUE_NUMBER);
  value.number = number;
  if (number.known)
    tb_set_ (json, path, false, &value);
}

/* 12.50 */
static inline void
tb_set_cash (tb_json *json, const char *path, tb_money money)
{
  tb_value value = tb_value_ (TB_VALUE_CASH);
  value.money = money;
  if (tb_known (money))
    tb_set_ (json, path, false, &value);
}

/* "12.50" */
static inline void
tb_set_cash_text (tb_json *json, const char *path, tb_money money)
{
  tb_value value = tb_value_ (TB_VALUE_CASH_TEXT);
  value.money = money;
  if (tb_known (money))
    tb_set_ (json, path, false, &value);
}

/* A copy of it. */
static inline void
tb_set_json (tb_json *json, const char *path, const tb_json *what)
{
  tb_value value = tb_value_ (TB_VALUE_JSON);
  value.json = what;
  if (what != NULL)
    tb_set_ (json, path, false, &value);
}

static inline void
tb_set_null (tb_json *json, const char *path)
{
  tb_value value = tb_value_ (TB_VALUE_NULL);
  tb_set_ (json, path, false, &value);
}

static inline void
tb_unset (tb_json *json, const char *path)
{
  tb_value value = tb_value_ (TB_VALUE_UNSET);
  tb_set_ (json, path, false, &value);
}

/* The object at a path, made where there is none. */
static inline tb_json *
tb_object_at (tb_json *json, const char *path)
{
  tb_value value = tb_value_ (TB_VALUE_OBJECT);
  return tb_set_ (json, path, false, &value);
}

/* A new object at the end of the array at a path, which is made where there is none. */
static inline tb_json *
tb_append (tb_json *json, const char *path)
{
  tb_value value = tb_value_ (TB_VALUE_OBJECT);
  return tb_set_ (json, path, true, &value);
}

static inline void
tb_append_text (tb_json *json, const char *path, const char *text)
{
  tb_value value = tb_value_ (TB_VALUE_TEXT);
  value.text = text;
  if (text != NULL)
    tb_set_ (json, path, true, &value);
}

static inline void
tb_append_json (tb_json *json, const char *path, const tb_json *what)
{
  tb_value value = tb_value_ (TB_VALUE_JSON);
  value.json = what;
  if (what != NULL)
    tb_set_ (json, path, true, &value);
}

#endif
