#include "base/roff.h"

#include <string.h>

enum { ROFF_LINE = 70 };

/* A hyphen stays one that can be searched for and copied. */
static void
put_escaped (GString *out, const char *text, gsize length, gboolean *bold)
{
  for (gsize i = 0; i < length; i++)
    if (text[i] == '\\')
      g_string_append (out, "\\e");
    else if (text[i] == '-')
      g_string_append (out, "\\-");
    else if (text[i] == '`' && bold) {
      *bold = !*bold;
      g_string_append (out, *bold ? "\\fB" : "\\fR");
    } else
      g_string_append_c (out, text[i]);
}

/* A dot or a quote at the beginning of a line would be a request. */
static void
guard (GString *out, char first)
{
  if (first == '.' || first == '\'')
    g_string_append (out, "\\&");
}

void
roff_put_text (GString *out, const char *text)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \n", -1);
  gboolean bold = FALSE;
  gsize line = out->len;
  for (guint i = 0; words[i]; i++) {
    g_autoptr (GString) word = g_string_new (NULL);
    put_escaped (word, words[i], strlen (words[i]), &bold);
    if (!word->len)
      continue;
    if (out->len > line && out->len - line + 1 + word->len > ROFF_LINE) {
      g_string_append_c (out, '\n');
      line = out->len;
    } else if (out->len > line)
      g_string_append_c (out, ' ');
    if (out->len == line)
      guard (out, *words[i]);
    g_string_append (out, word->str);
  }
  g_string_append (out, bold ? "\\fR\n" : "\n");
}

void
roff_put_bold (GString *out, const char *text)
{
  g_string_append (out, "\\fB");
  put_escaped (out, text, strlen (text), NULL);
  g_string_append (out, "\\fR");
}

void
roff_put_lines (GString *out, const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    guard (out, *lines[i]);
    put_escaped (out, lines[i], strlen (lines[i]), NULL);
    g_string_append_c (out, '\n');
  }
}
