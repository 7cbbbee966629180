/* Values of a record: checked and written behind their keys, or refused. Part of the room model/, for its own
 * files alone.
 *
 * All of these answer FALSE when they refused, having filled the reject. */
#pragma once
#include "model/put.h"
#include "model/render.h"

enum { NUMBER_ROOM = 32 };

/* Fills the reject: the field's name, the reason (a static word), and what was found. */
gboolean value_refuse (Writer *writer, const Field *field, const char *reason, const char *format, ...)
  __attribute__ ((cold, format (printf, 4, 5)));
gboolean value_refuse_missing (Writer *writer, const Field *field) __attribute__ ((cold));
/* Puts where it happened in front of the refused field: prices[0].amount. An index of -1: no list.
 * whole_element: the element itself was refused, not a member of it. */
gboolean value_refuse_inside (Writer *writer, const Field *outer, gint64 index, gboolean whole_element)
  __attribute__ ((cold));
/* What a plugin wrote, cut and made harmless for a message. */
char *value_shown (const char *text, char room[64]);

/* Not said: fine, unless the record needs it. */
static inline gboolean
value_not_said (Writer *writer, const Field *field)
{
  return G_LIKELY (!(field->rules & FIELD_NEEDED)) || value_refuse_missing (writer, field);
}

/* Writes the key, with room for `more` bytes behind it: where the value goes. Nothing counts until
 * value_end(): one step of the length a member, because each waits for the one before. */
static inline char *
value_begin (JsonBuffer *out, const Field *field, gsize more)
{
  char *at = put_reserve (out, FIELD_KEY_ROOM + more);
  memcpy (at, field->key, FIELD_KEY_ROOM);
  return at + field->key_length;
}

static inline void
value_end (JsonBuffer *out, const char *behind)
{
  out->length = (gsize)(behind - out->bytes);
}

/* The key alone. */
static inline void
value_put_key (JsonBuffer *out, const Field *field)
{
  value_end (out, value_begin (out, field, 0));
}

/* texts (said and not empty) */
gboolean value_put_text (Writer *writer, const Field *field, const char *text);
gboolean value_put_date (Writer *writer, const Field *field, const char *text);
gboolean value_put_phone (Writer *writer, const Field *field, const char *text);
gboolean value_put_url (Writer *writer, const Field *field, const char *text);
/* The text alone, with a comma or colon before it instead of a key. */
gboolean value_put_text_alone (Writer *writer, const Field *field, char before, const char *text, gsize most);

gboolean value_put_number (Writer *writer, const Field *field, gint64 nano);
gboolean value_put_flag (Writer *writer, const Field *field, const tb_flag *flag);
gboolean value_put_word (Writer *writer, const Field *field, guint value);
gboolean value_put_time (Writer *writer, const Field *field, gint64 ms);

/* ---- money (money.c) ---- */

/* An amount of 0 needs its currency to be said; any other is said by itself. */
static inline gboolean
money_is_said (const tb_money *money)
{
  return money->minor != 0 || money->currency[0] != '\0';
}

gboolean money_put_price (Writer *writer, const Field *field, const tb_money *money);
gboolean money_put_amount (Writer *writer, const Field *field, const tb_money *money);
gboolean money_put_worth (Writer *writer, const Field *field, const guint8 *record);
void money_put_currency (JsonBuffer *out, const char *letters);
