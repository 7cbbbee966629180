/* manual FILE: a manual page on stdout. FILE is its prose in roff; a line of it such as
 *
 *   .\" insert verbs
 *
 * is replaced by what the programs' own tables say, "input" by what stands on stdin from its first line
 * "Vendors" on, and @version@, @sysconfdir@ and the like by what was configured. */
#include <stdio.h>
#include <string.h>

#include "base/roff.h"
#include "cli/manual.h"
#include "config/table.h"

#define INSERT ".\\\" insert "

static char *
table_keys (const char *what)
{
  const Table *const tables[] = { &host_table, &store_table, &connector_table };
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    if (strcmp (tables[i]->what, what) == 0)
      return table_to_man (tables[i]);
  return NULL;
}

/* What a program said of itself, behind its options. */
static char *
input_lines (void)
{
  char line[4096];
  g_autoptr (GString) text = g_string_new (NULL);
  GString *out = g_string_new (".EX\n");
  gboolean begun = FALSE;
  while (fgets (line, sizeof line, stdin)) {
    begun |= g_str_has_prefix (line, "Vendors");
    if (begun)
      g_string_append (text, line);
  }
  g_strchomp (text->str);
  roff_put_lines (out, text->str);
  g_string_append (out, ".EE\n");
  return g_string_free (out, FALSE);
}

/* NULL: there is no such part. */
static char *
part_of (const char *name)
{
  if (strcmp (name, "verbs") == 0)
    return manual_verbs ();
  if (strcmp (name, "options") == 0)
    return manual_common_options ();
  if (strcmp (name, "input") == 0)
    return input_lines ();
  return g_str_has_prefix (name, "keys of ") ? table_keys (name + strlen ("keys of ")) : NULL;
}

static void
configure (GString *line)
{
  static const char *const words[][2] = { { "@version@", PACKAGE_VERSION },
                                          { "@sysconfdir@", SYSCONFDIR },
                                          { "@localstatedir@", LOCALSTATEDIR },
                                          { "@runstatedir@", RUNSTATEDIR },
                                          { "@pluginsdir@", PLUGINSDIR } };
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    g_string_replace (line, words[i][0], words[i][1], 0);
}

static gboolean
put_page (const char *prose)
{
  g_auto (GStrv) lines = g_strsplit (prose, "\n", -1);
  for (guint i = 0; lines[i]; i++) {
    g_autoptr (GString) line = g_string_new (lines[i]);
    if (g_str_has_prefix (lines[i], INSERT)) {
      g_autofree char *part = part_of (lines[i] + strlen (INSERT));
      if (!part) {
        fprintf (stderr, "manual: there is no part \"%s\"\n", lines[i] + strlen (INSERT));
        return FALSE;
      }
      fputs (part, stdout);
      continue;
    }
    configure (line);
    if (line->len || lines[i + 1])
      printf ("%s\n", line->str);
  }
  return TRUE;
}

int
main (int count, char **words)
{
  g_autofree char *prose = NULL;
  g_autoptr (GError) error = NULL;
  if (count != 2 || !g_file_get_contents (words[1], &prose, NULL, &error)) {
    fprintf (stderr, "manual: %s\n", error ? error->message : "usage: manual FILE");
    return 2;
  }
  return put_page (prose) && fflush (stdout) == 0 ? 0 : 1;
}
