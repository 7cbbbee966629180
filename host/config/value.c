/* Texts that stand for something else: env:NAME, file:PATH, secret:NAME. */
#include "config/reading.h"

#include <string.h>

enum { VALUE_FILE_MOST = 64 << 10 };

gboolean
value_is_reference (const char *text)
{
  return g_str_has_prefix (text, "env:") || g_str_has_prefix (text, "file:") ||
         g_str_has_prefix (text, "secret:");
}

static char *
from_file (Reading *reading, const ConfigNode *node, const char *key, const char *name, const char *folder)
{
  g_autofree char *path = g_path_is_absolute (name) ? g_strdup (name) : g_build_filename (folder, name, NULL);
  const char *why = NULL;
  gsize length = 0;
  g_autofree char *text = scan_load (path, &length, &why);
  if (!text) {
    problem_at (reading, node, "%s: file \"%s\" cannot be read: %s", key, name, why);
    return NULL;
  }
  if (length > VALUE_FILE_MOST)
    why = "it is larger than 64 KiB";
  else if (!g_utf8_validate_len (text, length, NULL))
    why = "it is not UTF-8, or holds a NUL byte";
  while (length > 0 && strchr ("\r\n", text[length - 1]))
    text[--length] = '\0';
  if (!why && length == 0)
    why = "it is empty";
  if (why) {
    problem_at (reading, node, "%s: file \"%s\" cannot be used: %s", key, name, why);
    return NULL;
  }
  return g_steal_pointer (&text);
}

char *
value_resolve (Reading *reading, const ConfigNode *node, const char *key, const char *folder)
{
  const char *text = node->text;
  if (g_str_has_prefix (text, "secret:")) {
    ConfigProblem *problem =
      problem_at (reading, node, "%s is \"%s\", but there is no vault of secrets yet", key, text);
    problem_fix (problem, "write \"file:PATH\" or \"env:NAME\"");
    return NULL;
  }
  if (g_str_has_prefix (text, "file:"))
    return from_file (reading, node, key, text + 5, folder);
  if (g_str_has_prefix (text, "env:")) {
    const char *value = g_getenv (text + 4);
    if (!value || !*value || !g_utf8_validate (value, -1, NULL)) {
      problem_at (reading, node, "%s: the environment has no %s", key, text + 4);
      return NULL;
    }
    return g_strdup (value);
  }
  return g_strdup (text);
}
