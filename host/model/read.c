#include "model/read.h"

#include <string.h>

#include "base/nearest.h"
#include "base/timefmt.h"
#include "model/currency.h"
#include "model/value.h"

enum { NAMES_MOST = 64 };

#define CURRENCY "currency"

static gboolean read_object (Reader *reader, const Table *table, const JsonNode *object, void *record);

/* ---- saying no ---- */

/* About a name that the client wrote. */
static gboolean
refuse_name (Reader *reader, const char *name, const char *reason, const char *detail)
{
  char room[64];
  ModelReject *reject = reader->writer.reject;
  reject->reason = reason;
  g_strlcpy (reject->field, value_shown (name, room), sizeof reject->field);
  g_strlcpy (reject->detail, detail, sizeof reject->detail);
  return FALSE;
}

static gboolean
refuse_type (Reader *reader, const Field *field, const JsonNode *value, const char *expected)
{
  static const char *const found[] = { "null", "false", "true", "a number", "a text", "a list", "an object" };
  return value_refuse (&reader->writer, field, "wrong_type", "expected %s, found %s", expected,
                       found[value->type]);
}

static gboolean
refuse_empty (Reader *reader, const Field *field)
{
  return value_refuse (&reader->writer, field, "empty",
                       "it is empty; leave it out, or write null for a whole field that is to be hidden");
}

/* ---- members ---- */

const JsonNode *
read_member (const JsonNode *object, const char *name, gsize length)
{
  const JsonNode *node = object + 1;
  for (guint i = 0; i < object->length; i++, node = json_next (node + 1))
    if (node->length == length && memcmp (node->text, name, length) == 0)
      return node + 1;
  return NULL;
}

/* Names of a table's members: a price brings its currency. Ends with NULL. */
static void
list_names (const Table *table, char room[NAMES_MOST][FIELD_KEY_ROOM], const char *names[NAMES_MOST + 1])
{
  guint count = 0;
  gboolean has_price = FALSE;
  g_assert (table->count < NAMES_MOST);
  for (guint i = 0; i < table->count; i++) {
    guint length;
    const char *name = field_name (&table->fields[i], &length);
    has_price |= table->fields[i].type == FIELD_PRICE;
    memcpy (room[count], name, length);
    room[count][length] = '\0';
    names[count] = room[count];
    count++;
  }
  if (has_price)
    names[count++] = CURRENCY;
  names[count] = NULL;
}

gboolean
read_check_member (Reader *reader, const Table *table, const JsonNode *member, guint64 *met)
{
  char room[NAMES_MOST][FIELD_KEY_ROOM];
  const char *names[NAMES_MOST + 1];
  guint at = 0;
  list_names (table, room, names);
  while (names[at] && strcmp (names[at], member->text) != 0)
    at++;
  if (!names[at]) {
    const char *nearest = nearest_name (member->text, names);
    g_autofree char *detail = nearest ? g_strdup_printf ("unknown, did you mean \"%s\"?", nearest)
                                      : g_strdup ("there is no such member; leave it out");
    return refuse_name (reader, member->text, "unknown_member", detail);
  }
  if (*met & G_GUINT64_CONSTANT (1) << at)
    return refuse_name (reader, member->text, "repeated_member", "it is there twice; give it once");
  *met |= G_GUINT64_CONSTANT (1) << at;
  return TRUE;
}

gboolean
read_check_members (Reader *reader, const Table *table, const JsonNode *object)
{
  guint64 met = 0;
  const JsonNode *node = object + 1;
  for (guint i = 0; i < object->length; i++, node = json_next (node + 1))
    if (!read_check_member (reader, table, node, &met))
      return FALSE;
  return TRUE;
}

/* ---- scalars ---- */

static gboolean
read_text (Reader *reader, const Field *field, const JsonNode *value, const char **text)
{
  if (value->type != JSON_STRING)
    return refuse_type (reader, field, value, "a text");
  if (!value->length)
    return refuse_empty (reader, field);
  *text = value->text;
  return TRUE;
}

static gboolean
read_number (Reader *reader, const Field *field, const JsonNode *value, tb_decimal *number)
{
  gint64 nano;
  if (value->type != JSON_NUMBER)
    return refuse_type (reader, field, value, "a number");
  if (!json_to_nano (value, &nano))
    return value_refuse (&reader->writer, field, "out_of_range", "the number is too large");
  *number = (tb_decimal){ nano, 1 };
  return TRUE;
}

static gboolean
read_flag (Reader *reader, const Field *field, const JsonNode *value, tb_flag *flag)
{
  if (value->type != JSON_TRUE && value->type != JSON_FALSE)
    return refuse_type (reader, field, value, "true or false");
  *flag = tb_flag_of (value->type == JSON_TRUE);
  return TRUE;
}

static gboolean
read_word (Reader *reader, const Field *field, const JsonNode *value, guint *word)
{
  const char *text = NULL;
  if (!read_text (reader, field, value, &text))
    return FALSE;
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < field->word_count; i++) {
    const Word *one = &field->words[i];
    gsize length = one->length ? one->length - 2u : 0;
    if (length && length == value->length && memcmp (one->text + 1, text, length) == 0) {
      *word = i;
      return TRUE;
    }
    if (length)
      g_string_append_printf (list, "%s%.*s", list->len ? ", " : "", (int)length, one->text + 1);
  }
  return value_refuse (&reader->writer, field, "unknown_word", "expected one of %s", list->str);
}

static gboolean
read_time (Reader *reader, const Field *field, const JsonNode *value, long long *ms)
{
  const char *text = NULL;
  gint64 found;
  gboolean has_offset = FALSE;
  if (!read_text (reader, field, value, &text))
    return FALSE;
  if (!time_from_text (text, &found, &has_offset) || !has_offset || found == 0)
    return value_refuse (&reader->writer, field, "not_a_time",
                         "expected a time such as 2026-03-02T17:15:40Z");
  *ms = found;
  return TRUE;
}

/* ---- money ---- */

static gboolean
is_currency (const JsonNode *node)
{
  return node->type == JSON_STRING && node->length == 3 && g_ascii_isupper (node->text[0]) &&
         g_ascii_isupper (node->text[1]) && g_ascii_isupper (node->text[2]);
}

/* What stands beside an amount, else the store's. */
static gboolean
read_currency (Reader *reader, const JsonNode *object, const char **letters)
{
  const JsonNode *node = read_member (object, CURRENCY, strlen (CURRENCY));
  if (node && !is_currency (node))
    return refuse_name (reader, CURRENCY, "bad_currency", "expected three upper-case letters, such as USD");
  *letters = node ? node->text : reader->writer.context->currency;
  return TRUE;
}

static gboolean
read_minor (Reader *reader, const Field *field, const JsonNode *value, gint64 *minor)
{
  if (value->type != JSON_NUMBER || !json_to_int (value, minor))
    return refuse_type (reader, field, value, "a whole number of minor units (1903 is $19.03)");
  return TRUE;
}

static gboolean
read_money (Reader *reader, const Field *field, const JsonNode *object, const JsonNode *value,
            tb_money *money)
{
  gint64 minor;
  const char *letters;
  if (!read_minor (reader, field, value, &minor) || !read_currency (reader, object, &letters))
    return FALSE;
  money->minor = minor;
  g_strlcpy (money->currency, letters ? letters : "", sizeof money->currency);
  return TRUE;
}

/* The value of a discount: percent as it is; money in minor units, which the struct has in units. */
static gboolean
read_worth (Reader *reader, const Field *field, const JsonNode *object, const JsonNode *value, guint8 *record)
{
  tb_decimal *number = (void *)(record + field->offset);
  tb_discount type = *(const tb_discount *)(const void *)(record + field->other);
  const JsonNode *price = read_member (object, "price", strlen ("price"));
  const char *letters;
  gint64 minor, agreed, unit = TB_NANO;
  if (type != TB_AMOUNT && type != TB_PRICE)
    return read_number (reader, field, value, number);
  if (!read_minor (reader, field, value, &minor) || !read_currency (reader, object, &letters))
    return FALSE;
  if (type == TB_PRICE && price && (!json_to_int (price, &agreed) || agreed != minor))
    return value_refuse (&reader->writer, field, "out_of_range",
                         "of the type price, value and price are the same");
  if (!price && g_strcmp0 (letters, reader->writer.context->currency) != 0)
    return value_refuse (&reader->writer, field, "bad_currency",
                         "without a price beside it the value is in the store's currency");
  for (int places = currency_places (letters ? letters : "USD"); places > 0; places--)
    unit /= 10;
  if (__builtin_mul_overflow (minor, unit, &minor))
    return value_refuse (&reader->writer, field, "out_of_range", "the amount is too large");
  *number = (tb_decimal){ minor, 1 };
  return TRUE;
}

/* ---- what holds more than one value ---- */

/* Room for the elements; NULL: refused. */
static void *
new_list (Reader *reader, const Field *field, const JsonNode *value, JsonType type, gsize size, void *at)
{
  AnyList *list = at;
  if (value->type != type) {
    refuse_type (reader, field, value, type == JSON_ARRAY ? "a list: [...]" : "an object: {...}");
    return NULL;
  }
  if (!value->length) {
    refuse_empty (reader, field);
    return NULL;
  }
  if (value->length > field->most) {
    value_refuse (&reader->writer, field, "too_long", "%u elements, at most %u are taken", value->length,
                  field->most);
    return NULL;
  }
  void *first = g_malloc0_n (value->length, size);
  g_ptr_array_add (reader->kept, first);
  *list = (AnyList){ first, value->length, 0 };
  return first;
}

static gboolean
read_texts (Reader *reader, const Field *field, const JsonNode *value, void *at)
{
  const char **texts = new_list (reader, field, value, JSON_ARRAY, sizeof *texts, at);
  const JsonNode *node = value + 1;
  for (guint i = 0; texts && i < value->length; i++, node = json_next (node))
    if (!read_text (reader, field, node, &texts[i]))
      return value_refuse_inside (&reader->writer, field, i, TRUE);
  return texts != NULL;
}

static gboolean
read_pairs (Reader *reader, const Field *field, const JsonNode *value, void *at)
{
  tb_pair *pairs = new_list (reader, field, value, JSON_OBJECT, sizeof *pairs, at);
  const JsonNode *node = value + 1;
  for (guint i = 0; pairs && i < value->length; i++, node = json_next (node + 1))
    if (!read_text (reader, field, node, &pairs[i].name) ||
        !read_text (reader, field, node + 1, &pairs[i].value))
      return value_refuse_inside (&reader->writer, field, i, TRUE);
  return pairs != NULL;
}

static gboolean
read_list (Reader *reader, const Field *field, const JsonNode *value, void *at)
{
  guint8 *elements = new_list (reader, field, value, JSON_ARRAY, field->table->size, at);
  const JsonNode *node = value + 1;
  for (guint i = 0; elements && i < value->length; i++, node = json_next (node)) {
    if (node->type != JSON_OBJECT) {
      refuse_type (reader, field, node, "an object: {...}");
      return value_refuse_inside (&reader->writer, field, i, TRUE);
    }
    if (!read_object (reader, field->table, node, elements + (gsize)i * field->table->size))
      return value_refuse_inside (&reader->writer, field, i, FALSE);
  }
  return elements != NULL;
}

static gboolean
read_group (Reader *reader, const Field *field, const JsonNode *value, void *record)
{
  if (value->type != JSON_OBJECT)
    return refuse_type (reader, field, value, "an object: {...}");
  if (!value->length)
    return refuse_empty (reader, field);
  return read_object (reader, field->table, value, record) ||
         value_refuse_inside (&reader->writer, field, -1, FALSE);
}

gboolean
read_field (Reader *reader, const Field *field, const JsonNode *object, const JsonNode *value, void *record)
{
  void *at = (guint8 *)record + field->offset;
  switch ((FieldType)field->type) {
  case FIELD_TEXT:
  case FIELD_DATE:
  case FIELD_PHONE:
  case FIELD_URL:
    return read_text (reader, field, value, at);
  case FIELD_NUMBER:
    return read_number (reader, field, value, at);
  case FIELD_WORTH:
    return read_worth (reader, field, object, value, record);
  case FIELD_FLAG:
    return read_flag (reader, field, value, at);
  case FIELD_WORD:
    return read_word (reader, field, value, at);
  case FIELD_TIME:
    return read_time (reader, field, value, at);
  case FIELD_PRICE:
  case FIELD_AMOUNT:
    return read_money (reader, field, object, value, at);
  case FIELD_CURRENCY:
    return TRUE; /* read with the amounts beside it */
  case FIELD_TEXTS:
    return read_texts (reader, field, value, at);
  case FIELD_PAIRS:
    return read_pairs (reader, field, value, at);
  case FIELD_LIST:
    return read_list (reader, field, value, at);
  case FIELD_GROUP:
  case FIELD_ANY_GROUP:
    return read_group (reader, field, value, record);
  case FIELD_COUNT:
  case FIELD_RECORD:
  case FIELD_LEVEL_ID:
    break; /* no product has them */
  }
  g_assert_not_reached ();
}

/* In the table's order, since some values are read by what stands before them. */
static gboolean
read_object (Reader *reader, const Table *table, const JsonNode *object, void *record)
{
  if (!read_check_members (reader, table, object))
    return FALSE;
  for (guint i = 0; i < table->count; i++) {
    const Field *field = &table->fields[i];
    guint length;
    const char *name = field_name (field, &length);
    const JsonNode *value = read_member (object, name, length);
    if (value && value->type == JSON_NULL)
      return value_refuse (&reader->writer, field, "wrong_type", "only a whole field is null; leave it out");
    if (value && !read_field (reader, field, object, value, record))
      return FALSE;
  }
  return TRUE;
}
