/* Values read from text, and nodes in words: small things that the readers of this room share. */
#include "config/table.h"

#include <math.h>
#include <string.h>

gint64
size_from_text (const char *text)
{
  static const char units[] = "KMG";
  char *end;
  if (!g_ascii_isdigit (*text) || strlen (text) > 15)
    return -1;
  gint64 size = g_ascii_strtoll (text, &end, 10);
  if (!*end)
    return size;
  const char *unit = strchr (units, *end);
  gint64 factor = unit ? (gint64)1 << (10 * (unit - units + 1)) : 0;
  return unit && !end[1] && size <= G_MAXINT64 / factor ? size * factor : -1;
}

gboolean
is_url (const char *text, const char *schemes)
{
  g_auto (GStrv) words = g_strsplit (schemes, " ", -1);
  g_autoptr (GUri) uri = g_uri_parse (text, G_URI_FLAGS_HAS_PASSWORD | G_URI_FLAGS_ENCODED, NULL);
  return uri && g_strv_contains ((const char *const *)words, g_uri_get_scheme (uri)) &&
         g_uri_get_host (uri) && *g_uri_get_host (uri);
}

char *
url_for_show (const char *url)
{
  const char *authority = strstr (url, "://");
  if (!authority)
    return g_strdup (url);
  authority += 3;
  gsize length = strcspn (authority, "/?#");
  const char *at = g_strrstr_len (authority, (gssize)length, "@");
  if (!at)
    return g_strdup (url);
  return g_strdup_printf ("%.*s(hidden)%s", (int)(authority - url), url, at);
}

char *
node_in_words (const ConfigNode *node)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  switch (node->type) {
  case NODE_TEXT: {
    g_autofree char *shown = url_for_show (node->text);
    gboolean is_long = g_utf8_validate (shown, -1, NULL) && g_utf8_strlen (shown, -1) > 60;
    g_autofree char *valid = g_utf8_make_valid (shown, -1);
    g_autofree char *cut = is_long ? g_utf8_substring (valid, 0, 57) : g_steal_pointer (&valid);
    g_autofree char *flat = g_strescape (cut, NULL);
    return is_long ? g_strdup_printf ("\"%s...\"", flat) : g_strdup_printf ("\"%s\"", cut);
  }
  case NODE_INTEGER:
    return g_strdup_printf ("%" G_GINT64_FORMAT, node->integer);
  case NODE_DECIMAL:
    return g_strdup (g_ascii_formatd (number, sizeof number, "%g", node->decimal));
  case NODE_BOOLEAN:
    return g_strdup (node->boolean ? "true" : "false");
  case NODE_GROUP:
    return g_strdup ("a group");
  case NODE_LIST:
    return g_strdup ("a list");
  }
  g_assert_not_reached ();
}

json_object *
text_to_json (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return json_object_new_string (valid);
}

json_object *
node_to_json (const ConfigNode *node)
{
  switch (node->type) {
  case NODE_TEXT:
    return text_to_json (node->text);
  case NODE_INTEGER:
    return json_object_new_int64 (node->integer);
  case NODE_DECIMAL:
    return json_object_new_double (isfinite (node->decimal) ? node->decimal : 0);
  case NODE_BOOLEAN:
    return json_object_new_boolean (node->boolean);
  case NODE_GROUP:
  case NODE_LIST:
    break;
  }
  json_object *whole = node->type == NODE_GROUP ? json_object_new_object () : json_object_new_array ();
  for (guint i = 0; i < node->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (node->children, i);
    if (node->type == NODE_GROUP)
      json_object_object_add (whole, child->name, node_to_json (child));
    else
      json_object_array_add (whole, node_to_json (child));
  }
  return whole;
}
