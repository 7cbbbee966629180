/* What is pure in the API: routes, parameters, bodies, cursors, problems, and who may ask. */
#include "tap.h"

#include <string.h>

#include "api/cursor.h"
#include "api/routes.h"
#include "api/server.h"

static const char *
text_of (json_object *object, const char *name)
{
  json_object *member;
  return json_object_object_get_ex (object, name, &member) ? json_object_get_string (member) : NULL;
}

/* ---- routes ---- */

static const Route *
find (const char *method, const char *target, const char *vars[ROUTE_VARS_MOST], char **allow)
{
  RoutePath path;
  static char kept[ROUTE_VARS_MOST][64]; /* of this program's tests alone: the path goes before they look */
  *allow = NULL;
  if (!route_path_read (&path, target))
    return NULL;
  const Route *route = route_find (api_routes, method, &path, vars, allow);
  for (guint i = 0; route && i < ROUTE_VARS_MOST && vars[i]; i++) {
    g_strlcpy (kept[i], vars[i], sizeof kept[i]);
    vars[i] = kept[i];
  }
  route_path_clear (&path);
  return route;
}

static void
test_a_path_finds_its_route_and_what_stands_in_it (void)
{
  const char *vars[ROUTE_VARS_MOST] = { NULL };
  g_autofree char *allow = NULL;
  const Route *route = find ("GET", "/v1/stores/downtown/products/5b0c?x=1", vars, &allow);
  CU_ASSERT_PTR_NOT_NULL_FATAL (route);
  CU_ASSERT_STRING_EQUAL (route->pattern, "/v1/stores/{store}/products/{id}");
  CU_ASSERT_STRING_EQUAL (vars[0], "downtown");
  CU_ASSERT_STRING_EQUAL (vars[1], "5b0c");
}

static void
test_an_escaped_slash_belongs_to_the_id (void)
{
  const char *vars[ROUTE_VARS_MOST] = { NULL };
  g_autofree char *allow = NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL (
    find ("GET", "/v1/stores/web/products/gid%3A%2F%2Fshopify%2FProduct%2F1", vars, &allow));
  CU_ASSERT_STRING_EQUAL (vars[1], "gid://shopify/Product/1");
}

static void
test_head_is_a_get (void)
{
  const char *vars[ROUTE_VARS_MOST] = { NULL };
  g_autofree char *allow = NULL;
  CU_ASSERT_PTR_NOT_NULL (find ("HEAD", "/healthz", vars, &allow));
}

static void
test_another_method_is_told_what_the_path_takes (void)
{
  const char *vars[ROUTE_VARS_MOST] = { NULL };
  g_autofree char *allow = NULL;
  CU_ASSERT_PTR_NULL (find ("DELETE", "/v1/stores/downtown", vars, &allow));
  CU_ASSERT_STRING_EQUAL (allow, "GET, HEAD");
}

static void
test_what_is_no_path_finds_nothing (void)
{
  const char *const targets[] = { "/",
                                  "/v1",
                                  "/v1/stores/",
                                  "/v1//stores",
                                  "/v1/stores/a/b",
                                  "/v1/stores/%zz",
                                  "/v1/stores/%00",
                                  "/v1/stores/%ff",
                                  "/v1/stores/%4",
                                  "*",
                                  "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a" };
  for (gsize i = 0; i < G_N_ELEMENTS (targets); i++) {
    const char *vars[ROUTE_VARS_MOST] = { NULL };
    g_autofree char *allow = NULL;
    CU_ASSERT_PTR_NULL (find ("GET", targets[i], vars, &allow));
    CU_ASSERT_PTR_NULL (allow);
  }
}

static gboolean
is_a_tag (const char *name)
{
  for (const RouteTag *tag = api_tags; tag->name; tag++)
    if (name && strcmp (tag->name, name) == 0)
      return TRUE;
  return FALSE;
}

static void
test_no_two_routes_are_the_same_and_none_has_too_many_parameters (void)
{
  for (const Route *route = api_routes; route->method; route++) {
    guint count = 0;
    for (const RouteParam *param = route->params; param && param->name; param++)
      count++;
    for (const RouteParam *member = route->body; member && member->name; member++)
      count++;
    CU_ASSERT (count <= ROUTE_PARAMS_MOST);
    CU_ASSERT (route->help && *route->help && route->id);
    CU_ASSERT (is_a_tag (route->tag));
    CU_ASSERT (route->answers[0].status != 0);
    for (const Route *other = api_routes; other < route; other++)
      CU_ASSERT (strcmp (route->method, other->method) != 0 || strcmp (route->pattern, other->pattern) != 0);
  }
}

/* ---- parameters ---- */

static const char *const colours[] = { "red", "green", NULL };
static const RouteParam params[] = { { "limit", PARAM_LIMIT },
                                     { "flag", PARAM_BOOLEAN },
                                     { "since", PARAM_SEQ },
                                     { "at", PARAM_TIME },
                                     { "id", PARAM_WORDS },
                                     { "kinds", PARAM_KINDS },
                                     { "colour", PARAM_CHOICE, colours },
                                     { "name", PARAM_TEXT },
                                     { "age", PARAM_DURATION },
                                     { "q", PARAM_SEARCH },
                                     { "phone", PARAM_PHONE },
                                     { NULL } };
static const RouteParam members[] = { { "stream", PARAM_TEXT }, { "full", PARAM_BOOLEAN }, { NULL } };
static const Route route = { "POST", "/test", .params = params, .body = members };

static void
test_parameters_are_read_by_their_types (void)
{
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  Problem *problem = route_read_query (&route,
                                       "limit=7&flag=true&since=1042&at=2026-03-02T17:15:40Z&id=a,b%2Cc,d+e"
                                       "&kinds=products,inventory&colour=green&name=caf%C3%A9",
                                       values);
  CU_ASSERT_PTR_NULL_FATAL (problem);
  CU_ASSERT_EQUAL (route_value (&route, values, "limit")->number, 7);
  CU_ASSERT_EQUAL (route_value (&route, values, "flag")->number, 1);
  CU_ASSERT_EQUAL (route_value (&route, values, "since")->number, 1042);
  CU_ASSERT_EQUAL (route_value (&route, values, "at")->number, 1772471740000);
  CU_ASSERT_EQUAL (route_value (&route, values, "kinds")->bits, 1u << MODEL_PRODUCTS | 1u << MODEL_INVENTORY);
  CU_ASSERT_STRING_EQUAL (route_value (&route, values, "name")->text, "café");
  char **ids = route_value (&route, values, "id")->words;
  CU_ASSERT_EQUAL_FATAL (g_strv_length (ids), 3);
  CU_ASSERT_STRING_EQUAL (ids[1], "b,c");
  CU_ASSERT_STRING_EQUAL (ids[2], "d e");
  route_values_clear (values);
}

static void
test_a_plus_that_was_not_escaped_belongs_to_the_phone (void)
{
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  CU_ASSERT_PTR_NULL (route_read_query (&route, "phone=+15105550100&age=30s", values));
  CU_ASSERT_STRING_EQUAL (route_value (&route, values, "phone")->text, "+15105550100");
  CU_ASSERT_EQUAL (route_value (&route, values, "age")->number, 30000);
  route_values_clear (values);
}

static void
test_an_age_is_a_time (void)
{
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  CU_ASSERT_PTR_NULL (route_read_query (&route, "at=2026-03-02T18:15:40%2B01:00", values));
  gint64 escaped = route_value (&route, values, "at")->number;
  route_values_clear (values);
  CU_ASSERT_PTR_NULL (route_read_query (&route, "at=2026-03-02T18:15:40+01:00", values));
  CU_ASSERT_EQUAL (route_value (&route, values, "at")->number, escaped);
  route_values_clear (values);
  CU_ASSERT_PTR_NULL (route_read_query (&route, "at=10m", values));
  CU_ASSERT (route_value (&route, values, "at")->age);
  CU_ASSERT_EQUAL (route_value (&route, values, "at")->number, 600000);
  route_values_clear (values);
}

static void
test_wrong_parameters_are_refused_with_their_reason (void)
{
  const struct {
    const char *query, *reason;
  } cases[] = {
    { "limit=0", "out_of_range" },
    { "limit=1001", "out_of_range" },
    { "limit=99999999999999999999999", "out_of_range" },
    { "limit=ten", "not_a_number" },
    { "limit=-1", "not_a_number" },
    { "limit=1x", "not_a_number" },
    { "limit=", "empty" },
    { "limit", "empty" },
    { "limit=1&limit=1", "repeated_parameter" },
    { "flag=yes", "not_a_boolean" },
    { "at=yesterday", "not_a_time" },
    { "at=2026-03-02T17:15:40", "not_a_time" }, /* of which place? */
    { "id=a,,b", "empty" },
    { "id=a,%zz", "bad_escape" },
    { "id=%ff", "bad_escape" },
    { "kinds=products,prodcts", "unknown_kind" },
    { "colour=blue", "unknown_word" },
    { "name=%00", "bad_escape" },
    { "age=soon", "not_a_duration" },
    { "age=-1s", "not_a_duration" },
    { "q=%20-!", "no_words" },
    { "phone=5105550100", "not_a_phone" },
    { "phone=%2B0105550100", "not_a_phone" },
    { "phone=%2B151055", "not_a_phone" },
    { "phone=%2B1510555x100", "not_a_phone" },
    { "phone=%20", "not_a_phone" },
    { "%zz=1", "bad_escape" },
    { "lmit=1", "unknown_parameter" },
    { "=1", "unknown_parameter" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
    Problem *problem = route_read_query (&route, cases[i].query, values);
    CU_ASSERT_PTR_NOT_NULL_FATAL (problem);
    CU_ASSERT_EQUAL (problem_status (problem), 400);
    CU_ASSERT_STRING_EQUAL (text_of (problem, "reason"), cases[i].reason);
    problem_free (problem);
    route_values_clear (values);
  }
}

static void
test_too_many_words_are_refused (void)
{
  g_autoptr (GString) query = g_string_new ("id=0");
  for (int i = 1; i <= LIST_WORDS_MOST; i++)
    g_string_append_printf (query, ",%d", i);
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  Problem *problem = route_read_query (&route, query->str, values);
  CU_ASSERT_PTR_NOT_NULL_FATAL (problem);
  CU_ASSERT_STRING_EQUAL (text_of (problem, "reason"), "too_many");
  problem_free (problem);
  route_values_clear (values);
}

static void
test_an_unknown_parameter_is_told_the_nearest (void)
{
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  Problem *problem = route_read_query (&route, "lmit=1", values);
  CU_ASSERT_PTR_NOT_NULL (strstr (text_of (problem, "detail"), "did you mean \"limit\"?"));
  problem_free (problem);
}

/* ---- bodies ---- */

static void
test_a_body_is_read_by_the_table (void)
{
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  static const char body[] = " {\"stream\":\"products\",\"full\":true} \n";
  CU_ASSERT_PTR_NULL (route_read_body (&route, body, strlen (body), values));
  CU_ASSERT_STRING_EQUAL (route_value (&route, values, "stream")->text, "products");
  CU_ASSERT_EQUAL (route_value (&route, values, "full")->number, 1);
  route_values_clear (values);
}

static void
test_wrong_bodies_are_refused_with_their_reason (void)
{
  const struct {
    const char *body, *reason;
  } cases[] = {
    { "{", "not_json" },
    { "{\"full\":true}x", "not_json" },
    { "{\"full\":true}{}", "not_json" },
    { "{'full':true}", "not_json" },
    { "{\"full\":True}", "not_json" },
    { "{\"full\":NaN}", "not_json" },
    { "{\"stream\":\"\t\"}", "not_json" },
    { "{\"full\":true,}", "not_json" },
    { "{\"stream\":\"\xff\"}", "not_json" },
    { "   ", "not_json" },
    { "[]", "wrong_type" },
    { "12 ", "wrong_type" },
    { "null", "wrong_type" },
    { "{\"full\":1}", "wrong_type" },
    { "{\"stream\":null}", "wrong_type" },
    { "{\"stream\":\"\"}", "wrong_type" },
    { "{\"stream\":\"a\\u0000b\"}", "not_json" }, /* no text of ours holds a NUL */
    { "{\"strem\":\"products\"}", "unknown_member" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
    Problem *problem = route_read_body (&route, cases[i].body, strlen (cases[i].body), values);
    CU_ASSERT_PTR_NOT_NULL_FATAL (problem);
    CU_ASSERT_EQUAL (problem_status (problem), 400);
    if (strcmp (text_of (problem, "reason"), cases[i].reason) != 0)
      printf ("# %s: %s\n", cases[i].reason, text_of (problem, "detail"));
    CU_ASSERT_STRING_EQUAL (text_of (problem, "reason"), cases[i].reason);
    problem_free (problem);
    route_values_clear (values);
  }
}

static void
test_deep_bodies_are_refused (void)
{
  g_autoptr (GString) body = g_string_new ("{\"full\":");
  for (int i = 0; i < 10000; i++)
    g_string_append_c (body, '[');
  RouteValue values[ROUTE_PARAMS_MOST] = { 0 };
  Problem *problem = route_read_body (&route, body->str, body->len, values);
  CU_ASSERT_PTR_NOT_NULL_FATAL (problem);
  CU_ASSERT_STRING_EQUAL (text_of (problem, "reason"), "not_json");
  problem_free (problem);
}

/* ---- entity tags ---- */

static void
test_a_tag_is_found_among_those_that_a_client_has (void)
{
  const struct {
    const char *list;
    gboolean found;
  } cases[] = { { "\"a\"", TRUE },
                { "W/\"a\"", TRUE },
                { "*", TRUE },
                { " * ", TRUE },
                { "\"b\", W/\"c\" ,\"a\"", TRUE },
                { "\"b,\",,\"a\"", TRUE },
                { "\"b\"", FALSE },
                { "\"a", FALSE },
                { "a", FALSE },
                { "", FALSE },
                { "\"aa\"", FALSE },
                { "*, \"b\"", FALSE },
                { "w/\"a\"", FALSE },
                { "\"b, \"a\"", FALSE } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    CU_ASSERT_EQUAL (etag_is_among ("\"a\"", cases[i].list), cases[i].found);
}

static void
test_a_tag_is_of_the_bytes (void)
{
  char one[ETAG_SIZE], same[ETAG_SIZE], other[ETAG_SIZE];
  etag_of ("{}", 2, one);
  etag_of ("{}", 2, same);
  etag_of ("{ }", 3, other);
  CU_ASSERT_STRING_EQUAL (one, same);
  CU_ASSERT_STRING_NOT_EQUAL (one, other);
  CU_ASSERT (strlen (one) == ETAG_SIZE - 1 && one[0] == '"' && one[ETAG_SIZE - 2] == '"');
}

/* ---- cursors ---- */

static void
test_a_cursor_comes_back_as_the_place_it_was (void)
{
  g_autofree char *cursor = cursor_of_place (42, CURSOR_RECORDS, &(CursorPlace){ 7, 3, 123456 });
  CursorPlace place = { 7, 3, 0 };
  CU_ASSERT (cursor_to_place (42, CURSOR_RECORDS, cursor, &place));
  CU_ASSERT_EQUAL (place.place, 123456);
  CU_ASSERT_EQUAL (strspn (cursor, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
                   strlen (cursor));
}

static void
test_a_text_comes_back_out_of_its_cursor (void)
{
  g_autofree char *cursor = cursor_of_text (42, CURSOR_NAMES, "downtown/pos");
  g_autofree char *text = cursor_to_text (42, CURSOR_NAMES, cursor);
  CU_ASSERT_STRING_EQUAL (text, "downtown/pos");
}

static void
test_a_cursor_of_another_list_or_store_or_changed_is_refused (void)
{
  g_autofree char *cursor = cursor_of_place (42, CURSOR_RECORDS, &(CursorPlace){ 7, 3, 123456 });
  CursorPlace place = { 7, 3, 99 }, other_list = { 8, 3, 99 }, other_filter = { 7, 0, 99 };
  CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_CHANGES, cursor, &place));
  CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, cursor, &other_list));
  CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, cursor, &other_filter));
  CU_ASSERT_FALSE (cursor_to_place (43, CURSOR_RECORDS, cursor, &place));
  CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, "", &place));
  CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, "not a cursor", &place));
  for (gsize i = 0; cursor[i]; i++) {
    g_autofree char *changed = g_strdup (cursor);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, changed, &place));
    changed[i] = '\0';
    CU_ASSERT_FALSE (cursor_to_place (42, CURSOR_RECORDS, changed, &place));
  }
  CU_ASSERT_EQUAL (place.place, 99);
}

static void
test_the_next_page_keeps_what_was_asked (void)
{
  g_autofree char *first = route_next_target ("/v1/stores?limit=2", "abc");
  g_autofree char *second = route_next_target ("/v1/stores?cursor=old&limit=2", "abc");
  g_autofree char *bare = route_next_target ("/v1/stores", "abc");
  CU_ASSERT_STRING_EQUAL (first, "/v1/stores?limit=2&cursor=abc");
  CU_ASSERT_STRING_EQUAL (second, "/v1/stores?limit=2&cursor=abc");
  CU_ASSERT_STRING_EQUAL (bare, "/v1/stores?cursor=abc");
}

/* ---- problems ---- */

static void
test_a_problem_says_what_surfaces_promise (void)
{
  Problem *problem = problem_new (422, NULL, "there is no stream \"%s\"", "x");
  problem_add (problem, "stream", "unknown_stream", "no such stream");
  g_autoptr (Answer) answer = problem_to_answer (problem, "4bf92f3577b34da6a3ce929d0e0e4736");
  json_put (&answer->body, "", 1);
  CU_ASSERT_EQUAL (answer->status, 422);
  CU_ASSERT_STRING_EQUAL (answer->type, "application/problem+json");
  CU_ASSERT_STRING_EQUAL (
    answer->body.bytes,
    "{\"type\":\"urn:tillbridge:validation_error\",\"title\":\"The request was refused\","
    "\"status\":422,\"code\":\"validation_error\",\"detail\":\"there is no stream \\\"x\\\"\","
    "\"errors\":[{\"field\":\"stream\",\"reason\":\"unknown_stream\",\"detail\":\"no such "
    "stream\"}],\"reason\":\"unknown_stream\",\"trace\":\"4bf92f3577b34da6a3ce929d0e0e4736\"}");
}

static void
test_what_is_not_utf8_cannot_spoil_an_answer (void)
{
  Problem *problem = problem_new (404, NULL, "there is no \xff");
  CU_ASSERT (g_utf8_validate (text_of (problem, "detail"), -1, NULL));
  problem_free (problem);
}

/* ---- who may ask ---- */

static void
test_a_host_is_an_address_or_localhost (void)
{
  const char *const ours[] = { "127.0.0.1", "127.0.0.1:8420", "localhost",      "LOCALHOST:8420",
                               "[::1]",     "[::1]:8420",     "192.168.1.20:80" };
  const char *const foreign[] = { "evil.example",
                                  "127.0.0.1.evil.example",
                                  "localhost.evil.example:8420",
                                  "",
                                  "[::1",
                                  "[::1]x",
                                  "[evil]",
                                  "::1",
                                  "127.1",
                                  "0x7f.0.0.1" };
  for (gsize i = 0; i < G_N_ELEMENTS (ours); i++)
    CU_ASSERT (gate_host_is_ours (ours[i]));
  for (gsize i = 0; i < G_N_ELEMENTS (foreign); i++)
    CU_ASSERT_FALSE (gate_host_is_ours (foreign[i]));
}

static void
test_a_traceparent_is_taken_when_it_is_one (void)
{
  char trace[33];
  CU_ASSERT (gate_read_traceparent ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", trace));
  CU_ASSERT_STRING_EQUAL (trace, "4bf92f3577b34da6a3ce929d0e0e4736");
  CU_ASSERT (gate_read_traceparent ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", trace));
  const char *const wrong[] = { "",
                                "00-4bf9-00f067aa0ba902b7-01",
                                "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
                                "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more" };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    CU_ASSERT_FALSE (gate_read_traceparent (wrong[i], trace));
}

int
main (void)
{
  return TAP_RUN (
    "api",
    { "a path finds its route and what stands in it", test_a_path_finds_its_route_and_what_stands_in_it },
    { "an escaped slash belongs to the id", test_an_escaped_slash_belongs_to_the_id },
    { "HEAD is a GET", test_head_is_a_get },
    { "another method is told what the path takes", test_another_method_is_told_what_the_path_takes },
    { "what is no path finds nothing", test_what_is_no_path_finds_nothing },
    { "no two routes are the same and none has too many parameters",
      test_no_two_routes_are_the_same_and_none_has_too_many_parameters },
    { "parameters are read by their types", test_parameters_are_read_by_their_types },
    { "a plus that was not escaped belongs to the phone",
      test_a_plus_that_was_not_escaped_belongs_to_the_phone },
    { "a tag is found among those that a client has", test_a_tag_is_found_among_those_that_a_client_has },
    { "a tag is of the bytes", test_a_tag_is_of_the_bytes }, { "an age is a time", test_an_age_is_a_time },
    { "wrong parameters are refused with their reason", test_wrong_parameters_are_refused_with_their_reason },
    { "too many words are refused", test_too_many_words_are_refused },
    { "an unknown parameter is told the nearest", test_an_unknown_parameter_is_told_the_nearest },
    { "a body is read by the table", test_a_body_is_read_by_the_table },
    { "wrong bodies are refused with their reason", test_wrong_bodies_are_refused_with_their_reason },
    { "deep bodies are refused", test_deep_bodies_are_refused },
    { "a cursor comes back as the place it was", test_a_cursor_comes_back_as_the_place_it_was },
    { "a text comes back out of its cursor", test_a_text_comes_back_out_of_its_cursor },
    { "a cursor of another list or store, or changed, is refused",
      test_a_cursor_of_another_list_or_store_or_changed_is_refused },
    { "the next page keeps what was asked", test_the_next_page_keeps_what_was_asked },
    { "a problem says what SURFACES promises", test_a_problem_says_what_surfaces_promise },
    { "what is not UTF-8 cannot spoil an answer", test_what_is_not_utf8_cannot_spoil_an_answer },
    { "a host is an address or localhost", test_a_host_is_an_address_or_localhost },
    { "a traceparent is taken when it is one", test_a_traceparent_is_taken_when_it_is_one });
}
