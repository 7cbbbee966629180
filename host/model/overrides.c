/* An operator's values for fields of a product: reading what the client sent, laying them over the vendor's
 * body, and taking them off again.
 *
 *   vendor's   {"id":"1","name":"PLUM 100MG","quantity":3}
 *   set        {"name":"Plum","visible":false}
 *   stored     {"id":"1","name":"Plum","visible":false,"quantity":3,"overridden":{"name":"PLUM 100MG"}}
 *
 * "overridden" is there as long as there is a set, however little the vendor said: so a body alone tells
 * whether one lies over it. Bodies are spliced as texts: what a table's order says comes first stands first,
 * and the vendor's body comes back byte for byte. */
#include "model/members.h"
#include "model/read.h"
#include "model/value.h"

#define OVERRIDDEN "overridden"

static const Table *const table = &model_kinds[MODEL_PRODUCTS].table;

enum { FIELDS_ROOM = 64, WRONG_NAMES_MOST = 32 };

/* ---- reading a set ---- */

static const char *const ours[] = { OVERRIDDEN, "available", "in_stock", "as_of" };

static gboolean
is_ours (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (ours); i++)
    if (strcmp (ours[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* A whole field: null hides it. */
static gboolean
read_one (Reader *reader, const Field *field, const JsonNode *object, const JsonNode *value)
{
  tb_product product = { 0 };
  Writer *writer = &reader->writer;
  gsize before = writer->out->length;
  if (field->rules & FIELD_VENDORS)
    return value_refuse (writer, field, "not_overridable", "it is the vendor's alone; leave it out");
  if (value->type == JSON_NULL) {
    if (field->rules & FIELD_NEEDED)
      return value_refuse (writer, field, "missing_field", "every product has it: it cannot be hidden");
    value_put_key (writer->out, field);
    put_short (writer->out, "null", 4);
    return TRUE;
  }
  if (!read_field (reader, field, object, value, &product) || !render_field (writer, field, &product))
    return FALSE;
  if (writer->out->length == before) { /* a group without its first member */
    value_refuse_missing (writer, field->table ? &field->table->fields[0] : field);
    return field->table ? value_refuse_inside (writer, field, -1, FALSE) : FALSE;
  }
  return TRUE;
}

static void
refuse_ours (ModelReject *reject, const char *name)
{
  reject->reason = "not_overridable";
  g_strlcpy (reject->field, name, sizeof reject->field);
  g_strlcpy (reject->detail, "it is made here, not by the vendor; leave it out", sizeof reject->detail);
}

/* Names that no field has, and those of members that we make. */
static void
check_names (Reader *reader, const JsonNode *object, GArray *wrong)
{
  ModelReject *reject = reader->writer.reject;
  const JsonNode *node = object + 1;
  guint64 met = 0;
  for (guint i = 0; i < object->length && wrong->len < WRONG_NAMES_MOST; i++, node = json_next (node + 1)) {
    gboolean mine = is_ours (node->text);
    if (mine)
      refuse_ours (reject, node->text);
    if (mine || !read_check_member (reader, table, node, &met))
      g_array_append_vals (wrong, reject, 1);
  }
}

static void
read_fields (Reader *reader, const JsonNode *object, GArray *wrong)
{
  JsonBuffer *out = reader->writer.out;
  gsize start = out->length;
  for (guint i = 0; i < table->count; i++) {
    const Field *field = &table->fields[i];
    guint length;
    const char *name = field_name (field, &length);
    const JsonNode *value = read_member (object, name, length);
    if (value && !read_one (reader, field, object, value))
      g_array_append_vals (wrong, reader->writer.reject, 1);
  }
  put_brackets (out, start, '{', '}');
  if (out->length - start > MODEL_OVERRIDES_MOST && !wrong->len) {
    ModelReject *reject = reader->writer.reject;
    *reject = (ModelReject){ .reason = "too_long" };
    g_snprintf (reject->detail, sizeof reject->detail, "%zu bytes of overrides, at most %d are taken",
                out->length - start, MODEL_OVERRIDES_MOST);
    g_array_append_vals (wrong, reject, 1);
  }
}

gboolean
model_overrides_read (const char *json, gsize length, const ModelContext *context, JsonBuffer *set,
                      GArray *wrong)
{
  g_autofree char *text = g_malloc0 (length + JSON_PADDING);
  memcpy (text, json, length);
  gsize start = set->length;
  JsonDocument document = { 0 };
  ModelReject reject = { 0 };
  Reader reader = { .writer = { .out = set, .context = context, .reject = &reject },
                    .kept = g_ptr_array_new_with_free_func (g_free) };
  if (!json_read (&document, text, length) || document.nodes->type != JSON_OBJECT) {
    reject.reason = "wrong_type";
    g_strlcpy (reject.detail, "the body must be a JSON object: {...}", sizeof reject.detail);
    g_array_append_vals (wrong, &reject, 1);
  } else {
    check_names (&reader, document.nodes, wrong);
    read_fields (&reader, document.nodes, wrong);
  }
  if (wrong->len)
    set->length = start;
  g_ptr_array_unref (reader.kept);
  json_document_clear (&document);
  return !wrong->len;
}

/* ---- laying a set over a body, and taking it off ---- */

/* The place of a member in the table's order; -1: no field. */
static int
place_of (const Member *member)
{
  for (guint i = 0; i < table->count; i++) {
    guint length;
    const char *name = field_name (&table->fields[i], &length);
    if (member_is (member, name, length))
      return (int)i;
  }
  return -1;
}

/* Without the blanks that JSON may have behind it. */
static gsize
trimmed (const char *text, gsize length)
{
  while (length && strchr (" \t\r\n", text[length - 1]))
    length--;
  return length;
}

static gboolean
is_object (const char *text, gsize length)
{
  return length >= 2 && text[0] == '{' && text[length - 1] == '}';
}

/* The members of an object by their places. */
static void
gather (const char *text, gsize length, Member members[FIELDS_ROOM])
{
  Member member;
  const char *at = text + 1;
  g_assert (table->count <= FIELDS_ROOM);
  memset (members, 0, FIELDS_ROOM * sizeof *members);
  while (is_object (text, length) && member_next (&at, text + length, &member)) {
    int place = place_of (&member);
    if (place >= 0)
      members[place] = member;
  }
}

static gboolean
is_null (const Member *member)
{
  return member->value_length == 4 && memcmp (member->value, "null", 4) == 0;
}

static gboolean
is_marker (const Member *member)
{
  return member_is (member, OVERRIDDEN, strlen (OVERRIDDEN));
}

static void
put_member (JsonBuffer *out, const Member *member)
{
  json_put (out, ",\"", 2);
  json_put (out, member->name, member->name_length);
  json_put (out, "\":", 2);
  json_put (out, member->value, member->value_length);
}

/* Those of the new members that come before a place and are not written yet. */
static void
put_until (JsonBuffer *out, Member fresh[FIELDS_ROOM], guint *next, guint place)
{
  for (; *next < place; ++*next)
    if (fresh[*next].value && !is_null (&fresh[*next]))
      put_member (out, &fresh[*next]);
}

/* The body with the members that `set` names taken out (into `taken`, unless it is NULL), and the fresh ones
 * in their places. The object is left open. */
static void
weave (const char *body, gsize length, const Member set[FIELDS_ROOM], Member fresh[FIELDS_ROOM],
       JsonBuffer *taken, JsonBuffer *out)
{
  Member member;
  guint next = 0;
  for (const char *at = body + 1; member_next (&at, body + length, &member);) {
    int place = place_of (&member);
    if (is_marker (&member))
      continue;
    if (place >= 0)
      put_until (out, fresh, &next, (guint)place);
    if (place < 0 || !set[place].value)
      put_member (out, &member);
    else if (taken)
      put_member (taken, &member);
  }
  put_until (out, fresh, &next, table->count);
}

void
model_overrides_merge (const char *body, gsize length, const char *set, gsize set_length, JsonBuffer *out)
{
  Member members[FIELDS_ROOM];
  JsonBuffer taken = { 0 };
  gsize start = out->length;
  length = trimmed (body, length);
  g_assert (is_object (body, length));
  gather (set, set_length, members);
  weave (body, length, members, members, &taken, out);
  static const char key[] = ",\"" OVERRIDDEN "\":";
  json_put (out, key, sizeof key - 1);
  if (!put_brackets (&taken, 0, '{', '}'))
    json_put (&taken, "{}", 2);
  json_put (out, taken.bytes, taken.length);
  put_brackets (out, start, '{', '}');
  json_buffer_clear (&taken);
}

/* The value of "overridden"; FALSE: no set lies over the body. */
static gboolean
find_marker (const char *body, gsize length, Member *marker)
{
  for (const char *at = body + 1; is_object (body, length) && member_next (&at, body + length, marker);)
    if (is_marker (marker) && is_object (marker->value, marker->value_length))
      return TRUE;
  return FALSE;
}

void
model_overrides_split (const char *body, gsize length, const char *set, gsize set_length, JsonBuffer *out)
{
  Member members[FIELDS_ROOM], theirs[FIELDS_ROOM], marker;
  gsize start = out->length;
  if (!find_marker (body, length, &marker)) {
    json_put (out, body, length);
    return;
  }
  gather (set, set_length, members);
  gather (marker.value, marker.value_length, theirs);
  weave (body, length, members, theirs, NULL, out);
  if (!put_brackets (out, start, '{', '}'))
    json_put (out, "{}", 2);
}
