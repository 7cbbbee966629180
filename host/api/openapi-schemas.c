/* The schemas of the description: shapes as they are written in tables, records as the model has them. */
#include <string.h>

#include "api/openapi.h"
#include "api/routes.h"

#define SCHEMAS "#/components/schemas/"

/* What a served record has beside what is stored. */
static const ShapeMember product_members[] = {
  { "available?", "number",
    "What can be sold: the sum of its stock levels where the vendor has such, else `quantity`. Not in the feed.",
    "12" },
  { "as_of?", "time", "Everything that the vendor had then is in it. Of a single record alone; a list has it once." },
  { NULL },
}, customer_members[] = {
  { "as_of?", "time", "Everything that the vendor had then is in it. Of a single record alone; a list has it once." },
  { NULL },
}, no_members[] = { { NULL } };

/* Objects within a record that get a name of their own, for generated clients. */
typedef struct {
  const char *member, *name;
} Part;

static const struct {
  guint kind;
  const char *name, *help;
  const ShapeMember *members;
  Part parts[5];
  const char *example;
} records[] = {
  { MODEL_PRODUCTS,
    "Product",
    "What a store sells: one record for each size or variant.",
    product_members,
    { { "net_weight", "Weight" },
      { "prices", "Price" },
      { "potency", "Potency" },
      { "images", "Image" },
      { "promotions", "ProductPromotion" } },
    "{\"id\":\"5b0c\",\"sku\":\"00855001\",\"name\":\"Plum Gummies\",\"brand\":\"ORCHARD "
    "LANE\",\"category\":\"EDIBLE\","
    "\"unit\":\"each\",\"net_weight\":{\"value\":100,\"unit\":\"mg\"},\"prices\":[{\"quantity\":1,\"unit\":"
    "\"each\","
    "\"amount\":3000,\"currency\":\"USD\",\"customer_type\":\"any\"}],\"visible\":true,\"quantity\":14,"
    "\"updated_at\":\"2026-03-02T17:15:40.120Z\",\"available\":12}" },
  { MODEL_INVENTORY,
    "InventoryLevel",
    "How much there is of a product at a place, of a batch, for a kind of customer.",
    no_members,
    { { NULL } },
    "{\"id\":\"5b0c:l-1:b7:medical\",\"product_id\":\"5b0c\",\"location_id\":\"l-1\",\"batch_id\":\"b7\","
    "\"customer_type\":\"medical\",\"quantity\":4,\"unit\":\"each\"}" },
  { MODEL_PROMOTIONS,
    "Promotion",
    "What makes products cheaper.",
    no_members,
    { { NULL } },
    "{\"id\":\"d-100\",\"name\":\"Monday "
    "gummies\",\"type\":\"percent\",\"value\":20,\"categories\":[\"EDIBLE\"],"
    "\"customer_type\":\"any\",\"schedule\":\"Weekly on Monday\"}" },
  { MODEL_CUSTOMERS,
    "Customer",
    "Somebody who buys.",
    customer_members,
    { { "address", "Address" }, { "consent", "Consent" } },
    "{\"id\":\"731\",\"type\":\"recreational\",\"first_name\":\"Ada\",\"last_name\":\"Reyes\","
    "\"phone\":\"+15105550100\",\"loyalty_points\":120,\"consent\":{\"sms\":true,\"email\":false}}" },
};

static const ShapeMember openapi_members[] = {
  { "openapi", "text", "The version of OpenAPI.", "3.1.0" },
  { "info", "{any}", "What it describes, and its version." },
  { "servers?", "[any]", "Where to ask." },
  { "security?", "[any]", "What to ask with." },
  { "tags?", "[any]", "What belongs together." },
  { "paths", "{any}", "What can be asked." },
  { "components", "{any}", "What is referred to." },
  { NULL },
};
static const Shape openapi_shape = { "Openapi", "An OpenAPI document.", openapi_members };

static const Shape *const shapes[] = {
  &store_shape,         &store_connector_shape, &freshness_shape,       &connector_shape,      &stream_shape,
  &last_pass_shape,     &last_error_shape,      &passes_asked_shape,    &check_shape,          &pass_shape,
  &pass_filtered_shape, &dry_run_shape,         &reject_shape,          &plugin_shape,         &worker_shape,
  &plugin_stream_shape, &plugin_setting_shape,  &plugin_endpoint_shape, &pace_shape,           &change_shape,
  &change_page_shape,   &reload_shape,          &config_change_shape,   &config_problem_shape, &status_shape,
  &problem_shape,       &problem_error_shape,   &openapi_shape,         &snapshot_line_shape,
};

json_object *
openapi_read (const char *text)
{
  json_object *json = json_tokener_parse (text);
  g_assert (json);
  return json;
}

static json_object *
kinds (void)
{
  json_object *schema = openapi_read ("{\"type\":\"string\"}"), *words = json_object_new_array ();
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    json_object_array_add (words, json_object_new_string (model_kind_name (kind)));
  json_object_object_add (schema, "enum", words);
  return schema;
}

static json_object *
words_of (const char *type)
{
  json_object *schema = openapi_read ("{\"type\":\"string\"}"), *words = json_object_new_array ();
  g_auto (GStrv) list = g_strsplit (type, "|", -1);
  for (guint i = 0; list[i]; i++)
    json_object_array_add (words, json_object_new_string (list[i]));
  json_object_object_add (schema, "enum", words);
  return schema;
}

static json_object *
reference (const char *name)
{
  json_object *schema = json_object_new_object ();
  g_autofree char *target = g_strconcat (SCHEMAS, name, NULL);
  json_object_object_add (schema, "$ref", json_object_new_string (target));
  return schema;
}

static json_object *
scalar (const char *type)
{
  static const struct {
    const char *type, *schema;
  } rows[] = {
    { "text", "{\"type\":\"string\",\"minLength\":1}" },
    { "time", "{\"type\":\"string\",\"format\":\"date-time\"}" },
    { "integer", "{\"type\":\"integer\",\"format\":\"int64\"}" },
    { "number", "{\"type\":\"number\"}" },
    { "boolean", "{\"type\":\"boolean\"}" },
    { "any", "{}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strcmp (rows[i].type, type) == 0)
      return openapi_read (rows[i].schema);
  g_error ("a shape has a member of type %s", type);
}

json_object *
openapi_schema (const char *type)
{
  if (*type != '[' && *type != '{')
    return strchr (type, '|')           ? words_of (type)
           : g_ascii_isupper (*type)    ? reference (type)
           : strcmp (type, "kind") == 0 ? kinds ()
                                        : scalar (type);
  g_autofree char *inner = g_strndup (type + 1, strlen (type) - 2);
  json_object *schema = openapi_read (*type == '[' ? "{\"type\":\"array\"}" : "{\"type\":\"object\"}");
  json_object_object_add (schema, *type == '[' ? "items" : "additionalProperties", openapi_schema (inner));
  return schema;
}

static gboolean
is_text (const char *type)
{
  static const char *const texts[] = { "text", "time", "kind", NULL };
  return strchr (type, '|') || g_strv_contains (texts, type);
}

static void
add_member (json_object *properties, json_object *required, const ShapeMember *member)
{
  gsize length = strcspn (member->name, "?");
  g_autofree char *name = g_strndup (member->name, length);
  json_object *schema = openapi_schema (member->type);
  json_object_object_add (schema, "description", json_object_new_string (member->help));
  if (member->example) {
    json_object *examples = json_object_new_array ();
    json_object_array_add (examples, is_text (member->type) ? json_object_new_string (member->example)
                                                            : openapi_read (member->example));
    json_object_object_add (schema, "examples", examples);
  }
  json_object_object_add (properties, name, schema);
  if (!member->name[length])
    json_object_array_add (required, json_object_new_string (name));
}

static void
add_members (json_object *schema, const ShapeMember *members)
{
  json_object *properties = json_object_object_get (schema, "properties"),
              *required = json_object_object_get (schema, "required");
  for (const ShapeMember *member = members; member->name; member++)
    add_member (properties, required, member);
}

static json_object *
schema_of_members (const char *help, const ShapeMember *members)
{
  json_object *schema = openapi_read ("{\"type\":\"object\",\"properties\":{},\"required\":[]}");
  json_object_object_add (schema, "description", json_object_new_string (help));
  add_members (schema, members);
  if (json_object_array_length (json_object_object_get (schema, "required")) == 0)
    json_object_object_del (schema, "required");
  return schema;
}

/* The schema of a member, or of what its list holds, moves out and leaves a reference. */
static void
take_out (json_object *schemas, json_object *schema, const Part *part)
{
  json_object *properties = json_object_object_get (schema, "properties"),
              *whole = json_object_object_get (properties, part->member),
              *items = json_object_object_get (whole, "items");
  g_assert (whole);
  json_object_object_add (schemas, part->name, json_object_get (items ? items : whole));
  if (items)
    json_object_object_add (whole, "items", reference (part->name));
  else
    json_object_object_add (properties, part->member, reference (part->name));
}

/* As the model has it; the members that are added when it is served are added here. */
static void
add_record (json_object *schemas, gsize row)
{
  g_autofree char *text = model_schema (records[row].kind);
  json_object *schema = openapi_read (text), *examples = json_object_new_array ();
  json_object_object_del (schema, "$schema");
  json_object_object_del (schema, "title");
  json_object_object_add (schema, "description", json_object_new_string (records[row].help));
  json_object_array_add (examples, openapi_read (records[row].example));
  json_object_object_add (schema, "examples", examples);
  add_members (schema, records[row].members);
  for (gsize i = 0; i < G_N_ELEMENTS (records[row].parts) && records[row].parts[i].member; i++)
    take_out (schemas, schema, &records[row].parts[i]);
  json_object_object_add (schemas, records[row].name, schema);
}

static void
add_records (json_object *schemas)
{
  json_object *any = openapi_read ("{\"description\":\"A record, of the kind that stands beside it.\"}"),
              *list = json_object_new_array ();
  for (gsize i = 0; i < G_N_ELEMENTS (records); i++) {
    add_record (schemas, i);
    json_object_array_add (list, reference (records[i].name));
  }
  json_object_object_add (any, "anyOf", list);
  json_object_object_add (schemas, "Record", any);
}

/* What a PUT takes, as the model has it. */
static void
add_overrides (json_object *schemas)
{
  g_autofree char *text = model_overrides_schema ();
  json_object *schema = openapi_read (text), *examples = json_object_new_array ();
  json_object_object_del (schema, "$schema");
  json_object_object_del (schema, "title");
  json_object_object_add (
    schema, "description",
    json_object_new_string ("What is served of a product instead of what the vendor says."));
  json_object_array_add (examples, openapi_read ("{\"name\":\"Plum\",\"visible\":false}"));
  json_object_object_add (schema, "examples", examples);
  json_object_object_add (schemas, "Overrides", schema);
}

char *
openapi_page_name (const char *shape)
{
  return g_strdup_printf ("%.*sPage", (int)strlen (shape) - 2, shape + 1);
}

static void
add_page (json_object *schemas, const char *shape)
{
  const ShapeMember members[] = {
    { "items", shape, "Fewer than `limit` do not mean the end: go by `next`." },
    { "next?", "text", "There is more: ask again with it as `cursor`.", "AQEAAAAAAAAAAQAAAAAAAADa3NmF" },
    { "as_of?", "time", "Everything that the vendor had then is in it." },
    { NULL },
  };
  g_autofree char *name = openapi_page_name (shape);
  if (!json_object_object_get_ex (schemas, name, NULL))
    json_object_object_add (schemas, name, schema_of_members ("A page of a list.", members));
}

char *
openapi_body_name (const char *id)
{
  return g_strdup_printf ("%c%sBody", g_ascii_toupper (*id), id + 1);
}

static void
add_body (json_object *schemas, const Route *route)
{
  ShapeMember members[ROUTE_PARAMS_MOST + 1] = { { NULL } };
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; route->body[i].name; i++) {
    const RouteParam *member = &route->body[i];
    char *name = g_strconcat (member->name, "?", NULL);
    g_ptr_array_add (names, name);
    members[i] = (ShapeMember){ name, member->type == PARAM_BOOLEAN ? "boolean" : "text", member->help,
                                member->example };
  }
  g_autofree char *name = openapi_body_name (route->id);
  json_object *schema = schema_of_members (route->help, members);
  json_object_object_add (schema, "additionalProperties", json_object_new_boolean (FALSE));
  json_object_object_add (schemas, name, schema);
}

json_object *
openapi_schemas (void)
{
  json_object *schemas = json_object_new_object ();
  add_records (schemas);
  add_overrides (schemas);
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
    json_object_object_add (schemas, shapes[i]->name,
                            schema_of_members (shapes[i]->help, shapes[i]->members));
  for (const Route *route = api_routes; route->method; route++) {
    for (const RouteAnswer *answer = route->answers; answer->status; answer++)
      if (answer->shape && *answer->shape == '[')
        add_page (schemas, answer->shape);
    if (route->body)
      add_body (schemas, route);
  }
  return schemas;
}
