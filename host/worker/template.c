#include "worker/template.h"

#include <string.h>

#include <gio/gio.h>

static gboolean
append_value (GString *out, char *name, gboolean leads, TemplateUse use, TemplateLookup lookup, gpointer data,
              GError **error)
{
  char *otherwise = strchr (name, '|');
  if (otherwise)
    *otherwise++ = '\0';
  const char *value = lookup (name, data);
  if (!value) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "{%s}: no such setting is described", name);
    return FALSE;
  }
  if (!*value && otherwise)
    value = otherwise;
  if (use == TEMPLATE_URL && !*value) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "%s is not set, and the address needs it", name);
    return FALSE;
  }
  if (strpbrk (value, "\r\n")) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 "%s holds a line break, which no header or address can carry", name);
    return FALSE;
  }
  if (use == TEMPLATE_URL && !leads)
    g_string_append_uri_escaped (out, value, NULL, FALSE);
  else
    g_string_append (out, value);
  return TRUE;
}

char *
template_fill (const char *text, TemplateUse use, TemplateLookup lookup, gpointer data, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  for (const char *at = text; *at;) {
    const char *end = *at == '{' ? strchr (at, '}') : NULL;
    if (*at == '{' && !end) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "\"%s\": a { that does not close", text);
      return NULL;
    }
    if (!end) {
      g_string_append_c (out, *at++);
      continue;
    }
    g_autofree char *name = g_strndup (at + 1, (gsize)(end - at) - 1);
    if (!append_value (out, name, at == text, use, lookup, data, error))
      return NULL;
    at = end + 1;
    /* "https://x/" + "/v1": one slash is meant. */
    if (use == TEMPLATE_URL && *at == '/' && out->len && out->str[out->len - 1] == '/')
      at++;
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

void
template_each (const char *text, void (*func) (const char *name, gpointer data), gpointer data)
{
  for (const char *at = text ? strchr (text, '{') : NULL; at; at = strchr (at, '{')) {
    const char *end = strchr (at, '}');
    if (!end)
      return;
    g_autofree char *name = g_strndup (at + 1, MIN ((gsize)(end - at) - 1, strcspn (at + 1, "|")));
    func (name, data);
    at = end;
  }
}

typedef struct {
  const char *name;
  gboolean found;
} Search;

static void
compare_name (const char *name, gpointer data)
{
  Search *search = data;
  search->found |= g_str_equal (name, search->name);
}

gboolean
template_names (const char *text, const char *name)
{
  Search search = { name, FALSE };
  template_each (text, compare_name, &search);
  return search.found;
}

gboolean
when_text_holds (const char *when, TemplateLookup lookup, gpointer data)
{
  if (!when || !*when)
    return TRUE;
  const char *equals = strchr (when, '=');
  g_autofree char *name = equals ? g_strndup (when, (gsize)(equals - when)) : g_strdup (when);
  const char *value = lookup (name, data);
  if (equals)
    return value && g_str_equal (value, equals + 1);
  return value && *value && !g_str_equal (value, "false");
}
