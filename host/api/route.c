#include "api/route.h"

#include <string.h>

#include "api/param.h"

char *
route_decode (const char *text, gsize length, gboolean plus)
{
  GString *out = g_string_sized_new (length);
  for (gsize i = 0; i < length; i++) {
    if (text[i] == '%') {
      int high = i + 2 < length ? g_ascii_xdigit_value (text[i + 1]) : -1;
      int low = high >= 0 ? g_ascii_xdigit_value (text[i + 2]) : -1;
      if (low < 0 || high * 16 + low == 0) {
        g_string_free (out, TRUE);
        return NULL;
      }
      g_string_append_c (out, (char)(high * 16 + low));
      i += 2;
    } else {
      g_string_append_c (out, plus && text[i] == '+' ? ' ' : text[i]);
    }
  }
  if (!g_utf8_validate (out->str, (gssize)out->len, NULL)) {
    g_string_free (out, TRUE);
    return NULL;
  }
  return g_string_free (out, FALSE);
}

gboolean
route_path_read (RoutePath *path, const char *target)
{
  *path = (RoutePath){ .query = "" };
  gsize length = strcspn (target, "?#");
  if (target[length] == '?')
    path->query = target + length + 1;
  if (target[0] != '/')
    return FALSE;
  for (gsize at = 1; at <= length;) {
    gsize size = strcspn (target + at, "/?#");
    char *segment = path->count < ROUTE_SEGMENTS_MOST ? route_decode (target + at, size, FALSE) : NULL;
    if (!segment) {
      route_path_clear (path);
      return FALSE;
    }
    path->segments[path->count++] = segment;
    at += size + 1;
  }
  return TRUE;
}

void
route_path_clear (RoutePath *path)
{
  for (guint i = 0; i < path->count; i++)
    g_free (path->segments[i]);
  path->count = 0;
}

/* "/v1/stores/{store}" against the segments. */
static gboolean
matches (const char *pattern, const RoutePath *path, const char *vars[ROUTE_VARS_MOST])
{
  guint var = 0, segment = 0;
  for (const char *at = pattern + 1;; segment++) {
    gsize size = strcspn (at, "/");
    if (segment >= path->count)
      return FALSE;
    const char *found = path->segments[segment];
    if (*at == '{') {
      if (!*found)
        return FALSE;
      vars[var++] = found;
    } else if (strlen (found) != size || strncmp (found, at, size) != 0) {
      return FALSE;
    }
    if (!at[size])
      return segment + 1 == path->count;
    at += size + 1;
  }
}

const Route *
route_find (const Route *table, const char *method, const RoutePath *path, const char *vars[ROUTE_VARS_MOST],
            char **allow)
{
  g_autoptr (GString) methods = g_string_new (NULL);
  const char *wanted = strcmp (method, "HEAD") == 0 ? "GET" : method;
  *allow = NULL;
  for (const Route *route = table; route->method; route++) {
    if (!matches (route->pattern, path, vars))
      continue;
    if (strcmp (route->method, wanted) == 0)
      return route;
    g_string_append_printf (methods, "%s%s", methods->len ? ", " : "", route->method);
    if (strcmp (route->method, "GET") == 0)
      g_string_append (methods, ", HEAD");
  }
  if (methods->len)
    *allow = g_string_free (g_steal_pointer (&methods), FALSE);
  return NULL;
}

static guint
count_params (const RouteParam *params)
{
  guint count = 0;
  while (params && params[count].name)
    count++;
  return count;
}

const RouteValue *
route_value (const Route *route, const RouteValue *values, const char *name)
{
  guint count = count_params (route->params);
  for (guint i = 0; i < count; i++)
    if (strcmp (route->params[i].name, name) == 0)
      return &values[i];
  for (guint i = 0; i < count_params (route->body); i++)
    if (strcmp (route->body[i].name, name) == 0)
      return &values[count + i];
  g_error ("route %s has no parameter %s", route->pattern, name);
}

void
route_values_clear (RouteValue *values)
{
  for (guint i = 0; i < ROUTE_PARAMS_MOST; i++) {
    g_free (values[i].text);
    g_strfreev (values[i].words);
    values[i] = (RouteValue){ 0 };
  }
}

/* A name that nobody knows: with the nearest one. */
static Problem *
unknown_name (const RouteParam *params, const char *what, const char *reason, const char *name)
{
  guint count = count_params (params);
  g_autofree const char **names = g_new0 (const char *, count + 1);
  for (guint i = 0; i < count; i++)
    names[i] = params[i].name;
  g_autofree char *hint = did_you_mean (name, names);
  Problem *problem = problem_new (400, reason, "there is no %s \"%s\" here%s", what, name, hint);
  problem_add (problem, name, reason, "unknown%s", hint);
  return problem;
}

char *
route_next_target (const char *target, const char *cursor)
{
  gsize length = strcspn (target, "?#");
  GString *next = g_string_new_len (target, (gssize)length);
  g_string_append_c (next, '?');
  if (target[length] == '?') {
    g_auto (GStrv) pairs = g_strsplit (target + length + 1, "&", -1);
    for (guint i = 0; pairs[i]; i++)
      if (*pairs[i] && !g_str_has_prefix (pairs[i], "cursor="))
        g_string_append_printf (next, "%s&", pairs[i]);
  }
  g_string_append_printf (next, "cursor=%s", cursor);
  return g_string_free (next, FALSE);
}

Problem *
route_read_query (const Route *route, const char *query, RouteValue *values)
{
  g_auto (GStrv) pairs = g_strsplit (query, "&", -1);
  for (guint p = 0; pairs[p]; p++) {
    if (!*pairs[p])
      continue;
    gsize length = strcspn (pairs[p], "=");
    const char *raw = pairs[p] + length + (pairs[p][length] == '=');
    g_autofree char *name = route_decode (pairs[p], length, TRUE);
    if (!name)
      return problem_new (400, "bad_escape", "the query holds a bad escape: write %%XX of UTF-8");
    guint i = 0, count = count_params (route->params);
    while (i < count && strcmp (route->params[i].name, name) != 0)
      i++;
    if (i == count)
      return unknown_name (route->params, "parameter", "unknown_parameter", name);
    if (values[i].said) {
      Problem *problem = problem_new (400, "repeated_parameter", "%s is given twice", name);
      problem_add (problem, name, "repeated_parameter", "give it once; lists have commas");
      return problem;
    }
    Problem *problem = param_read (&route->params[i], raw, &values[i]);
    if (problem)
      return problem;
  }
  return NULL;
}

static Problem *
wrong_member (const char *name, const char *expected)
{
  Problem *problem = problem_new (400, "wrong_type", "%s: expected %s", name, expected);
  problem_add (problem, name, "wrong_type", "expected %s", expected);
  return problem;
}

static Problem *
read_member (const RouteParam *member, json_object *said, RouteValue *value)
{
  switch (member->type) {
  case PARAM_BOOLEAN:
    if (!json_object_is_type (said, json_type_boolean))
      return wrong_member (member->name, "true or false");
    value->number = json_object_get_boolean (said);
    break;
  case PARAM_TEXT: {
    const char *text = json_object_is_type (said, json_type_string) ? json_object_get_string (said) : NULL;
    if (!text || !*text)
      return wrong_member (member->name, "a text");
    value->text = g_strdup (text);
    break;
  }
  default:
    g_error ("member %s is of a type that no body has", member->name);
  }
  value->said = TRUE;
  return NULL;
}

static Problem *
read_members (const Route *route, json_object *body, RouteValue *values)
{
  guint first = count_params (route->params), count = count_params (route->body);
  json_object_object_foreach (body, name, said)
  {
    guint i = 0;
    while (i < count && strcmp (route->body[i].name, name) != 0)
      i++;
    Problem *problem = i < count ? read_member (&route->body[i], said, &values[first + i])
                                 : unknown_name (route->body, "member", "unknown_member", name);
    if (problem)
      return problem;
  }
  return NULL;
}

static Problem *
not_json (enum json_tokener_error error, gsize end)
{
  const char *why = error == json_tokener_success || error == json_tokener_continue
                      ? "unexpected end, or something that JSON does not have"
                      : json_tokener_error_desc (error);
  return problem_new (400, "not_json", "the body is not JSON: %s near byte %zu", why, end);
}

/* json-c takes single quotes and NaN even when it is strict: our own reader decides. */
Problem *
route_read_body (const Route *route, const char *bytes, gsize length, RouteValue *values)
{
  if (length == 0)
    return NULL;
  g_autofree char *text = g_malloc0 (length + JSON_PADDING);
  memcpy (text, bytes, length);
  json_tokener *tokener = json_tokener_new ();
  json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  json_object *body = json_tokener_parse_ex (tokener, text, (int)length + 1);
  enum json_tokener_error error = json_tokener_get_error (tokener);
  gsize end = json_tokener_get_parse_end (tokener);
  json_tokener_free (tokener);
  Problem *problem;
  if (error != json_tokener_success || !json_is_valid (text, length))
    problem = not_json (error, end);
  else if (!json_object_is_type (body, json_type_object))
    problem = problem_new (400, "wrong_type", "the body must be a JSON object: {...}");
  else
    problem = route->takes ? NULL : read_members (route, body, values);
  json_object_put (body);
  return problem;
}
