/* The description of the API: it is whole, and its words are those that the hub says. */
#include "tap.h"

#include <string.h>

#include "api/openapi.h"
#include "api/routes.h"

static json_object *
at (json_object *document, const char *path)
{
  json_object *found = NULL;
  return json_pointer_get (document, path, &found) == 0 ? found : NULL;
}

static void
check_references (json_object *document, json_object *part)
{
  if (json_object_is_type (part, json_type_array)) {
    for (gsize i = 0; i < json_object_array_length (part); i++)
      check_references (document, json_object_array_get_idx (part, i));
    return;
  }
  if (!json_object_is_type (part, json_type_object))
    return;
  json_object_object_foreach (part, name, value)
  {
    if (strcmp (name, "$ref") == 0)
      CU_ASSERT_PTR_NOT_NULL (at (document, json_object_get_string (value) + 1));
    check_references (document, value);
  }
}

static void
test_everything_that_is_referred_to_is_there (void)
{
  json_object *document = openapi_document ();
  CU_ASSERT_PTR_NOT_NULL (at (document, "/components/schemas/Product/properties/prices"));
  check_references (document, document);
  json_object_put (document);
}

static void
test_every_route_is_in_it_under_a_name_of_its_own (void)
{
  json_object *document = openapi_document (), *paths = json_object_object_get (document, "paths");
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  for (const Route *route = api_routes; route->method; route++) {
    g_autofree char *method = g_ascii_strdown (route->method, -1);
    json_object *operation = json_object_object_get (json_object_object_get (paths, route->pattern), method);
    CU_ASSERT_STRING_EQUAL (json_object_get_string (json_object_object_get (operation, "operationId")),
                            route->id);
    CU_ASSERT (g_hash_table_add (names, (gpointer)route->id));
  }
  json_object_put (document);
}

/* The words of a member: "a|b|c". */
static const char *
words_of (const Shape *shape, const char *name)
{
  for (const ShapeMember *member = shape->members; member->name; member++)
    if (strlen (name) == strcspn (member->name, "?") && g_str_has_prefix (member->name, name))
      return member->type;
  return "";
}

static void
check_words (const Shape *shape, const char *name, guint count, const char *(*word) (guint))
{
  g_auto (GStrv) words = g_strsplit (words_of (shape, name), "|", -1);
  CU_ASSERT_EQUAL (g_strv_length (words), count);
  for (guint i = 0; i < count; i++)
    CU_ASSERT (g_strv_contains ((const char *const *)words, word (i)));
}

static const char *
connector_word (guint state)
{
  return hub_connector_state_word ((HubConnectorState)state);
}

static const char *
stream_word (guint state)
{
  return hub_stream_state_word ((HubStreamState)state);
}

static const char *
pass_word (guint state)
{
  return pass_state_word ((PassState)state);
}

static const char *
plugin_word (guint state)
{
  return hub_plugin_state_word ((HubPluginState)state);
}

static void
test_its_words_are_those_of_the_hub (void)
{
  check_words (&store_shape, "state", CONNECTOR_OFF + 1, connector_word);
  check_words (&store_connector_shape, "state", CONNECTOR_OFF + 1, connector_word);
  check_words (&connector_shape, "state", CONNECTOR_OFF + 1, connector_word);
  check_words (&stream_shape, "state", STREAM_STOPPED + 1, stream_word);
  check_words (&pass_shape, "state", PASS_STATES, pass_word);
  check_words (&last_pass_shape, "state", PASS_STATES, pass_word);
  check_words (&plugin_shape, "state", PLUGIN_REFUSED + 1, plugin_word);
  g_auto (GStrv) who = g_strsplit (words_of (&connector_shape, "who"), "|", -1);
  for (guint reason = 1; reason < REASONS; reason++)
    CU_ASSERT (g_strv_contains ((const char *const *)who, reason_who ((Reason)reason)));
}

int
main (void)
{
  return TAP_RUN (
    "openapi", { "everything that is referred to is there", test_everything_that_is_referred_to_is_there },
    { "every route is in it, under a name of its own", test_every_route_is_in_it_under_a_name_of_its_own },
    { "its words are those of the hub", test_its_words_are_those_of_the_hub });
}
