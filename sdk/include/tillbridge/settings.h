/* Settings: what a drop-in may say for this plugin, and reading it. Described as data, so that the host
 * checks drop-ins, shows forms and keeps secrets without running plugin code. */
#ifndef TILLBRIDGE_SETTINGS_H
#define TILLBRIDGE_SETTINGS_H

#include <tillbridge/call.h>

typedef enum tb_setting_type {
  TB_TEXT,
  TB_SECRET, /* never logged or shown; may be rotated while the connector runs */
  TB_INTEGER,
  TB_DECIMAL,
  TB_BOOLEAN,
  TB_CHOICE,   /* one of `choices` */
  TB_URL,      /* http or https */
  TB_DURATION, /* "30s", "15m"; least and most in milliseconds */
  TB_TEXT_LIST,
  TB_SECRET_LIST
} tb_setting_type;

enum { TB_OPTIONAL, TB_REQUIRED };

/* { "page_size", TB_INTEGER, TB_OPTIONAL, "0", .most = 1000, .help = "rows a page; 0: the vendor's own" } */
typedef struct tb_setting {
  const char *key; /* [a-z][a-z0-9_]*, and dots: "form.name" is a group in a drop-in */
  tb_setting_type type;
  int required;          /* TB_REQUIRED or TB_OPTIONAL */
  const char *standard;  /* its default, as it stands in a drop-in, and within its range; NULL: none */
  const char *choices;   /* of TB_CHOICE: "v2|v3" */
  const char *when;      /* is of use only then: "generation=v3"; NULL: always */
  long long least, most; /* of a number, or a text's characters; both 0: any */
  const char *help;      /* one line, for people */
} tb_setting;

/* NULL: not set, and no default. Only settings that are described can be read; another key fails the call. */
static inline const char *
tb_setting_text (tb_call *call, const char *key)
{
  const char *text = call->host->setting (call, key, 0, TB_TEXT);
  return text != NULL && text[0] != '\0' ? text : NULL;
}

/* A secret, for the few places where no template reaches (a token exchange). The text is zeroed when the call
 * ends. */
static inline const char *
tb_setting_secret (tb_call *call, const char *key)
{
  const char *text = call->host->setting (call, key, 0, TB_SECRET);
  return text != NULL && text[0] != '\0' ? text : NULL;
}

static inline long long
tb_number_of_ (const char *text, const char **rest)
{
  long long value = 0;
  bool negative = text[0] == '-';
  if (negative)
    text++;
  for (; *text >= '0' && *text <= '9'; text++)
    if (value <= (LLONG_MAX - 9) / 10)
      value = value * 10 + (*text - '0');
  *rest = text;
  return negative ? -value : value;
}

/* 0: not set. */
static inline long long
tb_setting_int (tb_call *call, const char *key)
{
  const char *text = call->host->setting (call, key, 0, TB_INTEGER), *rest;
  return text == NULL ? 0 : tb_number_of_ (text, &rest);
}

static inline tb_decimal
tb_setting_number (tb_call *call, const char *key)
{
  tb_decimal none = { 0, 0 };
  const char *text = call->host->setting (call, key, 0, TB_DECIMAL), *rest;
  long long whole, nano = 0, place = TB_NANO / 10;
  if (text == NULL || text[0] == '\0')
    return none;
  whole = tb_number_of_ (text, &rest);
  if (*rest == '.')
    for (rest++; *rest >= '0' && *rest <= '9'; rest++, place /= 10)
      nano += (*rest - '0') * place;
  if (whole > INT64_MAX / TB_NANO - 1 || whole < -(INT64_MAX / TB_NANO - 1))
    return none;
  none.nano = whole * TB_NANO + (text[0] == '-' ? -nano : nano);
  none.known = 1;
  return none;
}

static inline bool
tb_setting_bool (tb_call *call, const char *key)
{
  return tb_is (call->host->setting (call, key, 0, TB_BOOLEAN), "true");
}

/* A duration in milliseconds; 0: not set. */
static inline long long
tb_setting_ms (tb_call *call, const char *key)
{
  const char *text = call->host->setting (call, key, 0, TB_DURATION), *unit;
  long long value = text == NULL ? 0 : tb_number_of_ (text, &unit);
  if (text == NULL || unit[0] == '\0' || tb_is (unit, "ms"))
    return value;
  return value * (unit[0] == 's' ? 1000 : unit[0] == 'm' ? 60000 : unit[0] == 'h' ? 3600000 : 86400000);
}

/* Is the setting this word? */
static inline bool
tb_setting_is (tb_call *call, const char *key, const char *word)
{
  return tb_is (tb_setting_text (call, key), word);
}

/* An element of a list; NULL behind its end. */
static inline const char *
tb_setting_item (tb_call *call, const char *key, size_t index)
{
  return call->host->setting (call, key, index, TB_TEXT_LIST);
}

/* Does a list hold this text? An empty list admits all. */
static inline bool
tb_setting_admits (tb_call *call, const char *list_key, const char *text)
{
  const char *item;
  for (size_t i = 0; (item = tb_setting_item (call, list_key, i)) != NULL; i++)
    if (tb_is (item, text))
      return true;
  return tb_setting_item (call, list_key, 0) == NULL;
}

#endif
