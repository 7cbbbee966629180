/* The tables as docs/configuration.md has them, between lines "<!-- keys of WHAT -->" and "<!-- end -->". */
#include "config/table.h"

#include <string.h>

#include "base/roff.h"

static const char *
type_in_words (const TableKey *key)
{
  static const char *const words[] = { [KEY_TEXT] = "text",
                                       [KEY_PATH] = "path",
                                       [KEY_PATHS] = "path or list of paths",
                                       [KEY_ADDRESS] = "address or `\"off\"`",
                                       [KEY_SOCKET] = "path or `\"off\"`",
                                       [KEY_URL] = "URL",
                                       [KEY_PROXY] = "URL",
                                       [KEY_DATABASE] = "text",
                                       [KEY_CHOICE] = "choice",
                                       [KEY_LOG] = "choice",
                                       [KEY_BOOLEAN] = "boolean",
                                       [KEY_COUNT] = "whole number",
                                       [KEY_AMOUNT] = "whole number",
                                       [KEY_DECIMAL] = "number",
                                       [KEY_DURATION] = "duration",
                                       [KEY_SIZE] = "size",
                                       [KEY_TEXTS] = "list of texts",
                                       [KEY_CLOCK] = "time of day",
                                       [KEY_TREE] = "group" };
  return words[key->type];
}

static char *
standard_in_words (const TableKey *key)
{
  const char *standard = key->standard;
  if (key->required)
    return g_strdup ("required");
  if (!standard || key->told)
    return g_strdup (key->told ? key->told : "");
  if (key->type == KEY_TEXTS || key->type == KEY_BOOLEAN || key->type == KEY_COUNT ||
      key->type == KEY_AMOUNT || key->type == KEY_DECIMAL)
    return g_strdup_printf ("`%s`", *standard ? standard : "[]");
  return g_strdup_printf ("`\"%s\"`", standard);
}

/* What it is for, and what it may be. */
static char *
meaning_in_words (const TableKey *key)
{
  GString *out = g_string_new (key->help);
  if (key->choices) {
    g_auto (GStrv) words = g_strsplit (key->choices, " ", -1);
    g_autofree char *list = g_strjoinv ("\"` `\"", words);
    g_string_append_printf (out, ": `\"%s\"`", list);
  }
  if ((key->least != 0 || key->most != 0) && key->type != KEY_DURATION && key->type != KEY_SIZE)
    g_string_append_printf (out, " (%.12g to %.12g)", key->least, key->most);
  return g_string_free (out, FALSE);
}

char *
table_to_markdown (const Table *table)
{
  GString *out = g_string_new ("| key | type | default | |\n| --- | --- | --- | --- |\n");
  for (guint i = 0; i < table->count; i++) {
    const TableKey *key = &table->keys[i];
    g_autofree char *standard = standard_in_words (key);
    g_autofree char *meaning = meaning_in_words (key);
    g_string_append_printf (out, "| `%s` | %s | %s | %s%s |\n", key->key, type_in_words (key), standard,
                            meaning, key->restart ? ". Needs a restart" : "");
  }
  return g_string_free (out, FALSE);
}

char *
table_to_man (const Table *table)
{
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < table->count; i++) {
    const TableKey *key = &table->keys[i];
    g_autofree char *standard = standard_in_words (key);
    g_autofree char *meaning = meaning_in_words (key);
    const char *type = type_in_words (key), *mark = *standard && !key->required ? " by default" : "";
    g_autofree char *text = g_strdup_printf (
      "%c%s. %c%s%s%s%s.%s", g_ascii_toupper (*meaning), *meaning ? meaning + 1 : "", g_ascii_toupper (*type),
      type + 1, *standard ? ", " : "", standard, mark, key->restart ? " Needs a restart." : "");
    g_string_append (out, ".TP\n");
    roff_put_bold (out, key->key);
    g_string_append_c (out, '\n');
    roff_put_text (out, text);
  }
  return g_string_free (out, FALSE);
}

char *
reference_renew (const char *document)
{
  const Table *const tables[] = { &host_table, &store_table, &connector_table };
  GString *out = g_string_new (document);
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++) {
    g_autofree char *begin = g_strdup_printf ("<!-- keys of %s -->\n", tables[i]->what);
    g_autofree char *table = table_to_markdown (tables[i]);
    char *from = strstr (out->str, begin), *to = from ? strstr (from, "<!-- end -->") : NULL;
    if (!to)
      continue;
    gssize at = from + strlen (begin) - out->str;
    g_string_erase (out, at, to - out->str - at);
    g_string_insert (out, at, table);
  }
  return g_string_free (out, FALSE);
}
