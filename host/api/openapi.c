#include "api/openapi.h"

#include <string.h>

#include "api/routes.h"
#include "api/server.h"

static const char about[] =
  "A current copy of every store's catalogue, stock, promotions and customers.\n\n"
  "Absent means not said: there is no `null`. New members and new words may come with any version: pass over "
  "what "
  "you do not know. Money is a whole number of minor units with its `currency` beside it. Times are UTC with "
  "milliseconds. `HEAD` works wherever `GET` does. Ids in a path are percent-encoded.";

/* What stands in a path, by the nearest word in front of it. */
static const struct {
  const char *word, *name, *help, *example;
} path_vars[] = {
  { "stores", "store", "The store's id.", "downtown" },
  { "products", "id", "The product's id, as the vendor has it.", "5b0c" },
  { "customers", "id", "The customer's id, as the vendor has it.", "731" },
  { "connectors", "store", "The store's id.", "downtown" },
  { "connectors", "name", "The connector's name within the store.", "pos" },
  { "passes", "id", "The pass's id.", "pass_01M87SM5WW8F3BT72HVZHEXWS4" },
  { "plugins", "name", "The plugin's name.", "treez" },
};

static const guint16 refusals_of_all[] = { 400, 403, 431, 500, 503 }, refusals_of_bodies[] = { 413, 415 };

static const char components[] =
  "{\"headers\":{"
  "\"traceparent\":{\"description\":\"The request's trace (W3C): yours, or one that was made.\","
  "\"schema\":{\"type\":\"string\",\"pattern\":\"^00-[0-9a-f]{32}-[0-9a-f]{16}-01$\"}},"
  "\"ETag\":{\"description\":\"Of what is served, `as_of` not counted: for If-None-Match.\","
  "\"schema\":{\"type\":\"string\"}},"
  "\"Link\":{\"description\":\"The address of the next page, rel=\\\"next\\\", where there is one.\","
  "\"schema\":{\"type\":\"string\"}},"
  "\"Location\":{\"description\":\"Where to look at what was asked for, where it is one thing.\","
  "\"schema\":{\"type\":\"string\"}},"
  "\"Retry-After\":{\"description\":\"Ask again after so many seconds, where it is known.\","
  "\"schema\":{\"type\":\"integer\"}}},"
  "\"parameters\":{"
  "\"IfNoneMatch\":{\"name\":\"If-None-Match\",\"in\":\"header\","
  "\"description\":\"ETags that you have: 304 when one of them still "
  "stands.\",\"schema\":{\"type\":\"string\"}},"
  "\"IfMatch\":{\"name\":\"If-Match\",\"in\":\"header\","
  "\"description\":\"The ETag of what you read: 412 when it is another by now.\","
  "\"schema\":{\"type\":\"string\"}}}}";

static json_object *
reference (const char *section, const char *name)
{
  json_object *json = json_object_new_object ();
  g_autofree char *target = g_strdup_printf ("#/components/%s/%s", section, name);
  json_object_object_add (json, "$ref", json_object_new_string (target));
  return json;
}

/* ---- parameters ---- */

static json_object *
words_of (const char *const *choices)
{
  json_object *words = json_object_new_array ();
  for (guint i = 0; choices[i]; i++)
    json_object_array_add (words, json_object_new_string (choices[i]));
  return words;
}

static json_object *
schema_of (const RouteParam *param)
{
  json_object *schema;
  switch (param->type) {
  case PARAM_BOOLEAN:
    return openapi_read ("{\"type\":\"boolean\"}");
  case PARAM_LIMIT:
    schema = openapi_read ("{\"type\":\"integer\",\"minimum\":1}");
    json_object_object_add (schema, "maximum", json_object_new_int (LIST_LIMIT_MOST));
    json_object_object_add (schema, "default", json_object_new_int (LIST_LIMIT));
    return schema;
  case PARAM_SEQ:
    return openapi_read ("{\"type\":\"integer\",\"format\":\"int64\",\"minimum\":0}");
  case PARAM_WORDS:
    schema =
      openapi_read ("{\"type\":\"array\",\"minItems\":1,\"items\":{\"type\":\"string\",\"minLength\":1}}");
    json_object_object_add (schema, "maxItems", json_object_new_int (LIST_WORDS_MOST));
    return schema;
  case PARAM_KINDS:
    return openapi_schema ("[kind]");
  case PARAM_CHOICE:
    schema = openapi_read ("{\"type\":\"string\"}");
    json_object_object_add (schema, "enum", words_of (param->choices));
    return schema;
  case PARAM_PHONE:
    return openapi_read ("{\"type\":\"string\",\"pattern\":\"^\\\\+[1-9][0-9]{6,14}$\"}");
  case PARAM_TEXT:
  case PARAM_SEARCH:
  case PARAM_TIME:
  case PARAM_DURATION:
  case PARAM_CONNECTOR:
  case PARAM_CURSOR:
    return openapi_read ("{\"type\":\"string\",\"minLength\":1}");
  }
  g_assert_not_reached ();
}

static json_object *
new_parameter (const char *name, const char *in, const char *help, json_object *schema)
{
  json_object *json = json_object_new_object ();
  json_object_object_add (json, "name", json_object_new_string (name));
  json_object_object_add (json, "in", json_object_new_string (in));
  json_object_object_add (json, "description", json_object_new_string (help));
  json_object_object_add (json, "schema", schema);
  return json;
}

static void
add_query (json_object *parameters, const RouteParam *param)
{
  json_object *json = new_parameter (param->name, "query", param->help, schema_of (param));
  if (param->type == PARAM_WORDS || param->type == PARAM_KINDS) { /* a,b */
    json_object_object_add (json, "style", json_object_new_string ("form"));
    json_object_object_add (json, "explode", json_object_new_boolean (FALSE));
  }
  if (param->example)
    json_object_object_add (json, "example", json_object_new_string (param->example));
  json_object_array_add (parameters, json);
}

static void
add_path_var (json_object *parameters, const char *word, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (path_vars); i++) {
    if (strcmp (path_vars[i].word, word) != 0 || strcmp (path_vars[i].name, name) != 0)
      continue;
    json_object *json =
      new_parameter (name, "path", path_vars[i].help, openapi_read ("{\"type\":\"string\",\"minLength\":1}"));
    json_object_object_add (json, "required", json_object_new_boolean (TRUE));
    json_object_object_add (json, "example", json_object_new_string (path_vars[i].example));
    json_object_array_add (parameters, json);
    return;
  }
  g_error ("openapi.c says nothing of {%s} behind %s", name, word);
}

static void
add_path_vars (json_object *parameters, const char *pattern)
{
  g_auto (GStrv) segments = g_strsplit (pattern, "/", -1);
  const char *word = "";
  for (guint i = 0; segments[i]; i++) {
    if (*segments[i] != '{') {
      word = segments[i];
      continue;
    }
    g_autofree char *name = g_strndup (segments[i] + 1, strlen (segments[i]) - 2);
    add_path_var (parameters, word, name);
  }
}

static gboolean
streams (const Route *route)
{
  for (const RouteAnswer *answer = route->answers; answer->status; answer++)
    if (g_strcmp0 (answer->type, "text/event-stream") == 0)
      return TRUE;
  return FALSE;
}

static json_object *
parameters_of (const Route *route)
{
  json_object *parameters = json_object_new_array ();
  add_path_vars (parameters, route->pattern);
  for (const RouteParam *param = route->params; param && param->name; param++)
    add_query (parameters, param);
  if (route->etag)
    json_object_array_add (parameters, reference ("parameters", "IfNoneMatch"));
  if (route->if_match)
    json_object_array_add (parameters, reference ("parameters", "IfMatch"));
  if (streams (route))
    json_object_array_add (
      parameters, new_parameter ("Last-Event-ID", "header",
                                 "Of a stream of events: the place to go on behind; it wins over `since`.",
                                 openapi_read ("{\"type\":\"string\"}")));
  return parameters;
}

/* ---- answers ---- */

/* Of what is no JSON only the lines have a shape. */
static json_object *
media_of (const RouteAnswer *answer)
{
  json_object *media = json_object_new_object (), *schema;
  if (answer->type) {
    schema = openapi_read ("{\"type\":\"string\"}");
    if (answer->shape)
      json_object_object_add (schema, "x-item-schema", openapi_schema (answer->shape));
  } else if (*answer->shape == '[') {
    g_autofree char *name = openapi_page_name (answer->shape);
    schema = openapi_schema (name);
  } else {
    schema = openapi_schema (answer->shape);
  }
  json_object_object_add (media, "schema", schema);
  return media;
}

static json_object *
headers_of (const Route *route, const RouteAnswer *answer)
{
  json_object *headers = json_object_new_object ();
  json_object_object_add (headers, "traceparent", reference ("headers", "traceparent"));
  if (route->etag)
    json_object_object_add (headers, "ETag", reference ("headers", "ETag"));
  if (answer->status == 200 && answer->shape &&
      (*answer->shape == '[' || g_str_has_suffix (answer->shape, "Page")))
    json_object_object_add (headers, "Link", reference ("headers", "Link"));
  if (answer->status == 201 || answer->status == 202)
    json_object_object_add (headers, "Location", reference ("headers", "Location"));
  return headers;
}

static void
add_answer (json_object *responses, const Route *route, const RouteAnswer *answer)
{
  char status[8];
  g_snprintf (status, sizeof status, "%u", answer->status);
  json_object *response = json_object_object_get (responses, status);
  if (!response) {
    response = json_object_new_object ();
    json_object_object_add (response, "description",
                            json_object_new_string (answer->help ? answer->help : route->help));
    json_object_object_add (response, "headers", headers_of (route, answer));
    json_object_object_add (responses, status, response);
  }
  if (!answer->shape && !answer->type)
    return;
  json_object *content = json_object_object_get (response, "content");
  if (!content) {
    content = json_object_new_object ();
    json_object_object_add (response, "content", content);
  }
  g_autofree char *type = answer->type ? g_strndup (answer->type, strcspn (answer->type, ";")) : NULL;
  json_object_object_add (content, type ? type : "application/json", media_of (answer));
}

static void
add_refusal (json_object *responses, guint status)
{
  char text[8], name[16];
  g_snprintf (text, sizeof text, "%u", status);
  g_snprintf (name, sizeof name, "Refused%u", status);
  if (!json_object_object_get_ex (responses, text, NULL))
    json_object_object_add (responses, text, reference ("responses", name));
}

static gboolean
takes_a_body (const Route *route)
{
  return strcmp (route->method, "GET") != 0 && strcmp (route->method, "DELETE") != 0;
}

static json_object *
responses_of (const Route *route)
{
  json_object *responses = json_object_new_object ();
  for (const RouteAnswer *answer = route->answers; answer->status; answer++)
    add_answer (responses, route, answer);
  if (route->etag)
    json_object_object_add (responses, "304", reference ("responses", "NotModified"));
  for (gsize i = 0; i < G_N_ELEMENTS (refusals_of_all); i++)
    add_refusal (responses, refusals_of_all[i]);
  for (gsize i = 0; i < G_N_ELEMENTS (refusals_of_bodies) && takes_a_body (route); i++)
    add_refusal (responses, refusals_of_bodies[i]);
  if (strchr (route->pattern, '{'))
    add_refusal (responses, 404);
  if (route->if_match)
    add_refusal (responses, 412);
  for (const guint16 *status = route->refusals; *status; status++)
    add_refusal (responses, *status);
  return responses;
}

static json_object *
refusal (guint status)
{
  json_object *response = openapi_read (
    "{\"content\":{\"application/problem+json\":{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}},"
    "\"headers\":{\"traceparent\":{\"$ref\":\"#/components/headers/traceparent\"}}}");
  json_object_object_add (response, "description", json_object_new_string (problem_title (status)));
  if (status == 503 || status == 429)
    json_object_object_add (json_object_object_get (response, "headers"), "Retry-After",
                            reference ("headers", "Retry-After"));
  return response;
}

/* Those that are referred to. */
static json_object *
shared_responses (json_object *paths)
{
  json_object *responses = openapi_read ("{\"NotModified\":{\"description\":\"What you have still stands.\","
                                         "\"headers\":{\"ETag\":{\"$ref\":\"#/components/headers/ETag\"}}}}");
  json_object_object_foreach (paths, pattern, item)
  {
    json_object_object_foreach (item, method, operation)
    {
      json_object_object_foreach (json_object_object_get (operation, "responses"), status, response)
      {
        char name[16];
        g_snprintf (name, sizeof name, "Refused%s", status);
        if (*status >= '4' && !json_object_object_get_ex (responses, name, NULL))
          json_object_object_add (responses, name, refusal ((guint)g_ascii_strtoull (status, NULL, 10)));
        (void)response;
      }
      (void)method;
    }
    (void)pattern;
  }
  return responses;
}

/* ---- operations ---- */

static json_object *
body_of (const Route *route)
{
  json_object *body = json_object_new_object (), *content = json_object_new_object (),
              *media = json_object_new_object ();
  g_autofree char *name = route->takes ? g_strdup (route->takes) : openapi_body_name (route->id);
  json_object_object_add (media, "schema", openapi_schema (name));
  json_object_object_add (content, "application/json", media);
  json_object_object_add (body, "required", json_object_new_boolean (route->takes != NULL));
  json_object_object_add (body, "content", content);
  return body;
}

static json_object *
operation_of (const Route *route)
{
  json_object *operation = json_object_new_object (), *tags = json_object_new_array ();
  json_object_array_add (tags, json_object_new_string (route->tag));
  json_object_object_add (operation, "operationId", json_object_new_string (route->id));
  json_object_object_add (operation, "tags", tags);
  json_object_object_add (operation, "summary", json_object_new_string (route->help));
  json_object_object_add (operation, "description",
                          json_object_new_string (route->more ? route->more : route->help));
  json_object *parameters = parameters_of (route);
  if (json_object_array_length (parameters))
    json_object_object_add (operation, "parameters", parameters);
  else
    json_object_put (parameters);
  if (route->body || route->takes)
    json_object_object_add (operation, "requestBody", body_of (route));
  json_object_object_add (operation, "responses", responses_of (route));
  return operation;
}

static json_object *
paths (void)
{
  json_object *all = json_object_new_object ();
  for (const Route *route = api_routes; route->method; route++) {
    json_object *item = json_object_object_get (all, route->pattern);
    g_autofree char *method = g_ascii_strdown (route->method, -1);
    if (!item) {
      item = json_object_new_object ();
      json_object_object_add (all, route->pattern, item);
    }
    json_object_object_add (item, method, operation_of (route));
  }
  return all;
}

static json_object *
info (void)
{
  json_object *json =
    openapi_read ("{\"title\":\"Tillbridge\",\"contact\":{\"name\":\"Whoever runs this Tillbridge\"}}");
  json_object_object_add (json, "version", json_object_new_string (PACKAGE_VERSION));
  json_object_object_add (json, "description", json_object_new_string (about));
  return json;
}

static json_object *
tags (void)
{
  json_object *list = json_object_new_array ();
  for (const RouteTag *tag = api_tags; tag->name; tag++) {
    json_object *json = json_object_new_object ();
    json_object_object_add (json, "name", json_object_new_string (tag->name));
    json_object_object_add (json, "description", json_object_new_string (tag->help));
    json_object_array_add (list, json);
  }
  return list;
}

json_object *
openapi_document (void)
{
  json_object *document = json_object_new_object (), *parts = openapi_read (components),
              *operations = paths ();
  json_object_object_add (document, "openapi", json_object_new_string ("3.1.0"));
  json_object_object_add (document, "info", info ());
  json_object_object_add (
    document, "servers",
    openapi_read ("[{\"url\":\"/\",\"description\":\"Where this document came from\"}]"));
  json_object_object_add (document, "security", json_object_new_array ());
  json_object_object_add (document, "tags", tags ());
  json_object_object_add (document, "paths", operations);
  json_object_object_add (parts, "schemas", openapi_schemas ());
  json_object_object_add (parts, "responses", shared_responses (operations));
  json_object_object_add (document, "components", parts);
  return document;
}

void
get_openapi (Request *request)
{
  Api *api = request->api;
  if (!api->openapi) {
    json_object *document = openapi_document ();
    gsize length;
    const char *text = json_object_to_json_string_length (
      document, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);
    api->openapi = g_bytes_new (text, length);
    json_object_put (document);
  }
  request_answer (request, answer_shared ("application/json", api->openapi));
}
