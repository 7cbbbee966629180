#include "cli/manual.h"

#include <string.h>

#include "base/roff.h"
#include "cli/usage.h"

/* "How all stores are, and why." */
static void
put_sentence (GString *out, const char *text)
{
  g_autofree char *sentence =
    g_strdup_printf ("%c%s%s", g_ascii_toupper (*text), text + 1, g_str_has_suffix (text, ".") ? "" : ".");
  roff_put_text (out, sentence);
}

/* A term in bold and what it means. */
static void
put_entry (GString *out, const char *term, const char *meaning)
{
  g_string_append (out, ".TP\n");
  roff_put_bold (out, term);
  g_string_append_c (out, '\n');
  put_sentence (out, meaning);
}

static void
put_options (GString *out, const VerbOption *options)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && options[i].name; i++) {
    g_autofree char *term = usage_of_option (&options[i]);
    g_autofree char *meaning = usage_of_choices (&options[i]);
    put_entry (out, term, meaning);
  }
}

static void
put_verb (GString *out, const Verb *verb)
{
  g_autofree char *head =
    g_strdup_printf ("%s%s%s", verb->name, *verb->arguments ? " " : "", verb->arguments);
  g_string_append_printf (out, ".SS %s\n", head);
  put_sentence (out, verb->summary);
  if (verb->text)
    roff_put_text (out, verb->text);
  put_options (out, verb->options);
  g_string_append (out, ".PP\nExamples:\n");
  for (guint i = 0; i < VERB_EXAMPLES; i++)
    put_entry (out, verb->examples[i].command, verb->examples[i].effect);
}

char *
manual_verbs (void)
{
  GString *out = g_string_new (NULL);
  for (const Verb *verb = cli_verbs; verb->name; verb++)
    put_verb (out, verb);
  return g_string_free (out, FALSE);
}

char *
manual_common_options (void)
{
  GString *out = g_string_new (NULL);
  put_options (out, cli_common_options);
  put_entry (out, "--version [--verbose]", "the version; what it is built with");
  return g_string_free (out, FALSE);
}
