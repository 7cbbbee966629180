#include "model/put.h"
#include "model/render.h"

/* JSON Schema, draft 2020-12, from the same rows that render the records. Objects stay open: records grow. */

static void put_table (JsonBuffer *out, const Table *table);

static void
put (JsonBuffer *out, const char *text)
{
  put_short (out, text, strlen (text));
}

static void
put_most (JsonBuffer *out, const char *word, guint32 most)
{
  put (out, word);
  json_put_int (out, most);
}

static void
put_words (JsonBuffer *out, const Field *field)
{
  put (out, "{\"type\":\"string\",\"enum\":");
  gsize start = out->length;
  for (guint i = 0; i < field->word_count; i++) {
    const Word *word = &field->words[i];
    if (word->length == 0 ||
        (i > 0 && strcmp (word->text, field->words[i - 1].text) == 0)) /* two values, one word */
      continue;
    put_byte (out, ',');
    put_short (out, word->text, word->length);
  }
  put_brackets (out, start, '[', ']');
  put_byte (out, '}');
}

static void
put_array (JsonBuffer *out, const Field *field)
{
  put_most (out, "{\"type\":\"array\",\"minItems\":1,\"maxItems\":", field->most);
  put (out, ",\"items\":");
  if (field->table)
    put_table (out, field->table);
  else
    put_most (out, "{\"type\":\"string\",\"minLength\":1,\"maxLength\":", MODEL_TEXT_MOST);
  put (out, field->table ? "}" : "}}");
}

static void
put_number (JsonBuffer *out, const char *type, const Field *field)
{
  put (out, "{\"type\":\"");
  put (out, type);
  put (out, field->rules & FIELD_NOT_NEGATIVE ? "\",\"minimum\":0}" : "\"}");
}

static const char currency_schema[] = "{\"type\":\"string\",\"pattern\":\"^[A-Z]{3}$\"}";

static void
put_type (JsonBuffer *out, const Field *field)
{
  switch ((FieldType)field->type) {
  case FIELD_TEXT:
    put_most (out, "{\"type\":\"string\",\"minLength\":1,\"maxLength\":", field->most);
    return put_byte (out, '}');
  case FIELD_URL:
    put_most (
      out, "{\"type\":\"string\",\"format\":\"uri\",\"pattern\":\"^https?://\",\"maxLength\":", field->most);
    return put_byte (out, '}');
  case FIELD_LEVEL_ID:
    return put (out, "{\"type\":\"string\",\"minLength\":1}");
  case FIELD_DATE:
    return put (out, "{\"type\":\"string\",\"format\":\"date\"}");
  case FIELD_TIME:
    return put (out, "{\"type\":\"string\",\"format\":\"date-time\"}");
  case FIELD_PHONE:
    return put (out, "{\"type\":\"string\",\"pattern\":\"^\\\\+[1-9][0-9]{6,14}$\"}");
  case FIELD_NUMBER:
  case FIELD_WORTH:
    return put_number (out, "number", field);
  case FIELD_COUNT:
    return put (out, "{\"type\":\"integer\",\"minimum\":1}");
  case FIELD_PRICE:
  case FIELD_AMOUNT:
    return put_number (out, "integer", field);
  case FIELD_FLAG:
    return put (out, "{\"type\":\"boolean\"}");
  case FIELD_WORD:
    return put_words (out, field);
  case FIELD_CURRENCY:
    return put (out, currency_schema);
  case FIELD_TEXTS:
  case FIELD_LIST:
    return put_array (out, field);
  case FIELD_PAIRS:
    put_most (out, "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":", field->most);
    return put (out, ",\"additionalProperties\":{\"type\":\"string\"}}");
  case FIELD_GROUP:
  case FIELD_ANY_GROUP:
  case FIELD_RECORD:
    return put_table (out, field->table);
  }
  g_assert_not_reached ();
}

static void
put_name (JsonBuffer *out, const Field *field)
{
  guint length;
  const char *name = field_name (field, &length);
  put_byte (out, ',');
  json_put_text (out, name, length);
}

static const Table *
products (void)
{
  return &model_kinds[MODEL_PRODUCTS].table;
}

/* The fields that an operator may override, none of them needed. nulls: null hides one. */
static void
put_overridable (JsonBuffer *out, gboolean nulls)
{
  put (out, "\"type\":\"object\",\"properties\":");
  gsize start = out->length;
  for (guint i = 0; i < products ()->count; i++) {
    const Field *field = &products ()->fields[i];
    gboolean hidden = nulls && !(field->rules & FIELD_NEEDED);
    if (field->rules & FIELD_VENDORS)
      continue;
    put_name (out, field);
    put (out, hidden ? ":{\"anyOf\":[" : ":");
    put_type (out, field);
    if (hidden)
      put (out, ",{\"type\":\"null\"}]}");
  }
  put_brackets (out, start, '{', '}');
}

/* "properties":{..},"required":[..] */
static void
put_members (JsonBuffer *out, const Table *table)
{
  put (out, "\"type\":\"object\",\"properties\":");
  gsize start = out->length;
  for (guint i = 0; i < table->count; i++) {
    put_name (out, &table->fields[i]);
    put_byte (out, ':');
    put_type (out, &table->fields[i]);
    if (table->fields[i].type == FIELD_PRICE) {
      put (out, ",\"currency\":");
      put (out, currency_schema);
    }
  }
  if (table == products ()) {
    put (
      out,
      ",\"overridden\":{\"description\":\"The vendor's values of the members that are overridden here.\",");
    put_overridable (out, FALSE);
    put_byte (out, '}');
  }
  put_brackets (out, start, '{', '}');
  gsize before = out->length;
  put (out, ",\"required\":");
  start = out->length;
  for (guint i = 0; i < table->count; i++)
    if (table->fields[i].rules & FIELD_NEEDED)
      put_name (out, &table->fields[i]);
  if (!put_brackets (out, start, '[', ']'))
    out->length = before;
}

static void
put_table (JsonBuffer *out, const Table *table)
{
  put_byte (out, '{');
  put_members (out, table);
  put_byte (out, '}');
}

char *
model_schema (guint kind)
{
  g_assert (kind < MODEL_KINDS);
  JsonBuffer out = { 0 };
  put (&out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":");
  json_put_text (&out, model_kinds[kind].name, strlen (model_kinds[kind].name));
  put_byte (&out, ',');
  put_members (&out, &model_kinds[kind].table);
  put_byte (&out, '}');
  char *text = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  return text;
}

char *
model_overrides_schema (void)
{
  JsonBuffer out = { 0 };
  put (&out, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"overrides\",");
  put_overridable (&out, TRUE);
  put (&out, ",\"additionalProperties\":false}");
  char *text = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  return text;
}
