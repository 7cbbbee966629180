#include "model/render.h"

#include "model/value.h"

/* What stays empty is taken back, key and all. */

static gboolean render_object (Writer *writer, const Table *table, const guint8 *record, gboolean by_first);

/* ---- what holds more than one value ---- */

/* May this list be walked? */
static gboolean
check_list (Writer *writer, const Field *field, const AnyList *list)
{
  if (G_UNLIKELY (list->count > field->most))
    return value_refuse (writer, field, "too_long", "%u elements, at most %u are taken", list->count,
                         field->most);
  if (G_UNLIKELY (!list->first))
    return value_refuse (writer, field, "out_of_range", "a list of %u elements that points nowhere",
                         list->count);
  return TRUE;
}

static gboolean
put_list (Writer *writer, const Field *field, const AnyList *list)
{
  JsonBuffer *out = writer->out;
  gsize before = out->length;
  value_put_key (out, field);
  gsize start = out->length;
  for (guint32 i = 0; i < list->count; i++) {
    gsize element = out->length;
    put_byte (out, ',');
    if (!render_object (writer, field->table, list->first + (gsize)i * field->table->size, FALSE))
      return value_refuse_inside (writer, field, i, FALSE);
    if (out->length == element + 1)
      out->length = element;
  }
  if (!put_brackets (out, start, '[', ']'))
    out->length = before;
  return TRUE;
}

static gboolean
put_texts (Writer *writer, const Field *field, const AnyList *list)
{
  JsonBuffer *out = writer->out;
  gsize before = out->length;
  value_put_key (out, field);
  gsize start = out->length;
  for (guint32 i = 0; i < list->count; i++) {
    const char *text = ((const char *const *)(const void *)list->first)[i];
    if (!text || !*text)
      continue;
    if (!value_put_text_alone (writer, field, ',', text, MODEL_TEXT_MOST))
      return value_refuse_inside (writer, field, i, TRUE);
  }
  if (!put_brackets (out, start, '[', ']'))
    out->length = before;
  return TRUE;
}

static inline gboolean
pair_is_said (const tb_pair *pair)
{
  return pair->name && *pair->name && pair->value && *pair->value;
}

/* Names stand once in an object: what is said later wins. */
static gboolean
is_said_again (const tb_pair *pairs, guint32 count, guint32 at)
{
  for (guint32 i = at + 1; i < count; i++)
    if (pair_is_said (&pairs[i]) && *pairs[i].name == *pairs[at].name &&
        strcmp (pairs[i].name, pairs[at].name) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
put_pairs (Writer *writer, const Field *field, const AnyList *list)
{
  JsonBuffer *out = writer->out;
  gsize before = out->length;
  value_put_key (out, field);
  gsize start = out->length;
  const tb_pair *pairs = (const void *)list->first;
  for (guint32 i = 0; i < list->count; i++) {
    if (!pair_is_said (&pairs[i]) || is_said_again (pairs, list->count, i))
      continue;
    if (!value_put_text_alone (writer, field, ',', pairs[i].name, MODEL_ID_MOST))
      return value_refuse_inside (writer, field, i, TRUE);
    if (!value_put_text_alone (writer, field, ':', pairs[i].value, MODEL_TEXT_MOST))
      return value_refuse_inside (writer, field, i, TRUE);
  }
  if (!put_brackets (out, start, '{', '}'))
    out->length = before;
  return TRUE;
}

/* An object of fields that lie in `record`: this very struct (a group) or another one. */
static gboolean
put_object (Writer *writer, const Field *field, const guint8 *record)
{
  JsonBuffer *out = writer->out;
  gsize before = out->length;
  value_put_key (out, field);
  gsize start = out->length;
  if (!render_object (writer, field->table, record, field->type == FIELD_GROUP))
    return value_refuse_inside (writer, field, -1, FALSE);
  if (out->length == start)
    out->length = before;
  return TRUE;
}

/* ---- an inventory level's id ---- */

/* Refuses what would make an id of any length before it is composed. */
static gboolean
put_level_id (Writer *writer, const Field *field, const tb_inventory *level)
{
  const char *parts[] = { level->product_id, level->location_id, level->batch_id };
  JsonBuffer *ids = writer->ids;
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
    if (parts[i] && strlen (parts[i]) > MODEL_ID_MOST)
      return value_refuse (writer, field + 1 + i, "too_long", "an id has at most %d bytes", MODEL_ID_MOST);
  if (!level->product_id || !*level->product_id)
    return value_refuse_missing (writer, field + 1);
  gsize start = ids->length;
  model_inventory_id (ids, level->product_id, level->location_id, level->batch_id, level->buyer);
  value_put_key (writer->out, field);
  put_byte (writer->out, '"');
  put_short (writer->out, ids->bytes + start, ids->length - start);
  put_byte (writer->out, '"');
  return TRUE;
}

/* ---- a record ---- */

static inline gboolean
put_plain_text (Writer *writer, const Field *field, const char *text)
{
  return text && *text ? value_put_text (writer, field, text) : value_not_said (writer, field);
}

static gboolean
put_checked_text (Writer *writer, const Field *field, const char *text)
{
  if (!text || !*text)
    return value_not_said (writer, field);
  switch (field->type) {
  case FIELD_DATE:
    return value_put_date (writer, field, text);
  case FIELD_PHONE:
    return value_put_phone (writer, field, text);
  default:
    return value_put_url (writer, field, text);
  }
}

static gboolean
put_money_field (Writer *writer, const Field *field, const tb_money *money)
{
  if (!money_is_said (money))
    return value_not_said (writer, field);
  return field->type == FIELD_PRICE ? money_put_price (writer, field, money)
                                    : money_put_amount (writer, field, money);
}

static gboolean
put_list_field (Writer *writer, const Field *field, const AnyList *list)
{
  if (list->count == 0)
    return value_not_said (writer, field);
  if (!check_list (writer, field, list))
    return FALSE;
  switch (field->type) {
  case FIELD_TEXTS:
    return put_texts (writer, field, list);
  case FIELD_PAIRS:
    return put_pairs (writer, field, list);
  default:
    return put_list (writer, field, list);
  }
}

static gboolean
put_field (Writer *writer, const Field *field, const guint8 *record)
{
  const void *at = record + field->offset;
  switch ((FieldType)field->type) {
  case FIELD_TEXT:
    return put_plain_text (writer, field, *(const char *const *)at);
  case FIELD_DATE:
  case FIELD_PHONE:
  case FIELD_URL:
    return put_checked_text (writer, field, *(const char *const *)at);
  case FIELD_NUMBER:
    return ((const tb_decimal *)at)->known ? value_put_number (writer, field, ((const tb_decimal *)at)->nano)
                                           : value_not_said (writer, field);
  case FIELD_WORTH:
    return money_put_worth (writer, field, record);
  case FIELD_COUNT:
    if (*(const guint32 *)at) {
      value_put_key (writer->out, field);
      json_put_int (writer->out, *(const guint32 *)at);
    }
    return TRUE;
  case FIELD_FLAG:
    return ((const tb_flag *)at)->state ? value_put_flag (writer, field, at) : value_not_said (writer, field);
  case FIELD_WORD:
    return value_put_word (writer, field, *(const guint *)at);
  case FIELD_TIME:
    return *(const long long *)at ? value_put_time (writer, field, *(const long long *)at)
                                  : value_not_said (writer, field);
  case FIELD_PRICE:
  case FIELD_AMOUNT:
    return put_money_field (writer, field, at);
  case FIELD_CURRENCY:
    if (writer->currency)
      money_put_currency (writer->out, writer->currency);
    writer->currency = NULL;
    return TRUE;
  case FIELD_TEXTS:
  case FIELD_PAIRS:
  case FIELD_LIST:
    return put_list_field (writer, field, at);
  case FIELD_GROUP:
  case FIELD_ANY_GROUP:
    return put_object (writer, field, record);
  case FIELD_RECORD:
    return *(const guint8 *const *)at ? put_object (writer, field, *(const guint8 *const *)at)
                                      : value_not_said (writer, field);
  case FIELD_LEVEL_ID:
    return put_level_id (writer, field, at);
  }
  g_assert_not_reached ();
}

/* by_first: nothing is written when the first field was not said. */
static gboolean
render_object (Writer *writer, const Table *table, const guint8 *record, gboolean by_first)
{
  gsize start = writer->out->length;
  for (guint i = 0; i < table->count; i++) {
    const Field *field = &table->fields[i];
    /* Texts are half of all fields: they get by without the jump through a table. */
    gboolean good =
      field->type == FIELD_TEXT
        ? put_plain_text (writer, field, *(const char *const *)(const void *)(record + field->offset))
        : put_field (writer, field, record);
    if (!good)
      return FALSE;
    if (by_first && writer->out->length == start)
      return TRUE;
  }
  put_brackets (writer->out, start, '{', '}');
  return TRUE;
}

gboolean
render_record (Writer *writer, const Table *table, const void *record)
{
  return render_object (writer, table, record, FALSE);
}

gboolean
render_field (Writer *writer, const Field *field, const void *record)
{
  return put_field (writer, field, record);
}
