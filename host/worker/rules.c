#include "worker/rules.h"

#include <string.h>

#include <gio/gio.h>

/* One alternative of a path, cut at its stars: "data.*.userErrors[0]" is "data" and "userErrors[0]". */
typedef struct {
  JsonPath **parts;
  guint count;
} StarPath;

typedef struct {
  const tb_rule *row;
  StarPath *paths;
  guint path_count;
} Rule;

struct Rules {
  Rule *rules;
  guint count;
};

static gboolean
star_path_init (StarPath *path, const char *text, gboolean any_case)
{
  g_autofree char *spread =
    g_strconcat (".", text, ".", NULL); /* so that a star at either end is like the others */
  g_auto (GStrv) parts = g_strsplit (spread, ".*.", -1);
  path->count = g_strv_length (parts);
  path->parts = g_new0 (JsonPath *, path->count);
  for (guint i = 0; i < path->count; i++) {
    char *part = parts[i] + (*parts[i] == '.');
    gsize length = strlen (part);
    if (length && part[length - 1] == '.')
      part[length - 1] = '\0';
    path->parts[i] = json_path_new (part, any_case);
    if (!path->parts[i])
      return FALSE;
  }
  return TRUE;
}

static gboolean
rule_init (Rule *rule, const tb_rule *row, gboolean any_case)
{
  rule->row = row;
  if (!row->path)
    return TRUE;
  g_auto (GStrv) alternatives = g_strsplit (row->path, "|", -1);
  rule->path_count = g_strv_length (alternatives);
  rule->paths = g_new0 (StarPath, rule->path_count);
  for (guint i = 0; i < rule->path_count; i++)
    if (!star_path_init (&rule->paths[i], g_strstrip (alternatives[i]), any_case))
      return FALSE;
  return TRUE;
}

Rules *
rules_new (const tb_rule *rows, guint count, gboolean any_case, GError **error)
{
  g_autoptr (Rules) rules = g_new0 (Rules, 1);
  rules->rules = g_new0 (Rule, count);
  rules->count = count;
  for (guint i = 0; i < count; i++)
    if (!rule_init (&rules->rules[i], &rows[i], any_case)) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "rule %u: \"%s\" is no path", i + 1,
                   rows[i].path);
      return NULL;
    }
  return g_steal_pointer (&rules);
}

void
rules_free (Rules *rules)
{
  if (!rules)
    return;
  for (guint i = 0; i < rules->count; i++) {
    for (guint k = 0; k < rules->rules[i].path_count; k++) {
      StarPath *path = &rules->rules[i].paths[k];
      for (guint p = 0; p < path->count; p++)
        json_path_free (path->parts[p]);
      g_free (path->parts);
    }
    g_free (rules->rules[i].paths);
  }
  g_free (rules->rules);
  g_free (rules);
}

gboolean
rules_text_fits (const char *pattern, const char *text, gsize length)
{
  const char *end = text + length, *star = NULL, *retry = NULL;
  while (text < end) {
    if (*pattern == '*') {
      star = ++pattern;
      retry = text;
    } else if (*pattern == *text && *pattern) {
      pattern++;
      text++;
    } else if (star) {
      pattern = star;
      text = ++retry;
    } else
      return FALSE;
  }
  while (*pattern == '*')
    pattern++;
  return *pattern == '\0';
}

/* A value that says something: vendors send "errors": [] and "error": null with what went well. */
static gboolean
says_something (const JsonNode *node)
{
  return node->type != JSON_NULL && node->type != JSON_FALSE &&
         (node->length || node->type == JSON_TRUE || node->type == JSON_NUMBER);
}

static gboolean
value_fits (const JsonNode *node, const char *pattern)
{
  if (!pattern)
    return says_something (node);
  switch (node->type) {
  case JSON_STRING:
  case JSON_NUMBER:
    return rules_text_fits (pattern, node->text, node->length);
  case JSON_TRUE:
    return g_str_equal (pattern, "true");
  case JSON_FALSE:
    return g_str_equal (pattern, "false");
  case JSON_NULL:
    return g_str_equal (pattern, "null");
  default:
    return FALSE;
  }
}

static gboolean
path_fits (const StarPath *path, guint part, const JsonNode *node, const char *pattern)
{
  node = json_path_at (path->parts[part], 0, node);
  if (!node)
    return FALSE;
  if (part + 1 == path->count)
    return value_fits (node, pattern);
  if (node->type != JSON_OBJECT && node->type != JSON_ARRAY)
    return FALSE;
  const JsonNode *end = node + node->skip;
  for (const JsonNode *child = node + 1; child < end; child = json_next (child)) {
    if (node->type == JSON_OBJECT)
      child = json_next (child); /* the name */
    if (path_fits (path, part + 1, child, pattern))
      return TRUE;
  }
  return FALSE;
}

static gboolean
status_fits (int wanted, int http)
{
  return wanted == 0 || wanted == http || (wanted < 10 && wanted == http / 100);
}

static gboolean
rule_fits (const Rule *rule, const JsonNode *root, const char *text, gsize length)
{
  const tb_rule *row = rule->row;
  if (!row->path)
    return !row->value || (text && rules_text_fits (row->value, text, length));
  for (guint i = 0; root && i < rule->path_count; i++)
    if (path_fits (&rule->paths[i], 0, root, row->value))
      return TRUE;
  return FALSE;
}

const tb_rule *
rules_find (const Rules *rules, int http, const JsonNode *root, const char *text, gsize length)
{
  for (guint i = 0; i < rules->count; i++)
    if (status_fits (rules->rules[i].row->http, http) && rule_fits (&rules->rules[i], root, text, length))
      return rules->rules[i].row;
  return NULL;
}

tb_status
rules_by_status (int http)
{
  switch (http) {
  case 304:
    return TB_OK;
  case 401:
    return TB_AUTHENTICATION_ERROR;
  case 402:
  case 403:
    return TB_PERMISSION_ERROR;
  case 404:
  case 410:
    return TB_NOT_FOUND;
  case 408:
    return TB_SERVICE_UNAVAILABLE;
  case 409:
  case 412:
    return TB_CONFLICT;
  case 429:
    return TB_RATE_LIMIT_EXCEEDED;
  }
  if (http >= 200 && http < 300)
    return TB_OK;
  if (http >= 400 && http < 500)
    return TB_VALIDATION_ERROR;
  return http >= 500 ? TB_SERVICE_UNAVAILABLE : TB_BAD_RESPONSE;
}
