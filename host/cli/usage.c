#include "cli/usage.h"

#include <string.h>

#include "config/problems.h"

enum {
  USAGE_COLUMN = 26,
  USAGE_WIDTH = 100,
  USAGE_WIDTH_LEAST = 60,
  USAGE_ENTRIES_MOST = VERB_OPTIONS_MOST + 8
};

/* ---- finding the verb ---- */

static guint
words_of (const Verb *verb)
{
  return strchr (verb->name, ' ') ? 2 : 1;
}

const Verb *
usage_find (char *const *words, guint *length)
{
  const Verb *found = NULL;
  *length = 0;
  for (const Verb *verb = cli_verbs; verb->name && words[0]; verb++) {
    g_autofree char *two = words[1] ? g_strdup_printf ("%s %s", words[0], words[1]) : NULL;
    guint count = words_of (verb);
    if (count > *length && g_strcmp0 (verb->name, count == 2 ? two : words[0]) == 0) {
      found = verb;
      *length = count;
    }
  }
  return found;
}

char *
usage_nearest_verb (char *const *words)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (const Verb *verb = cli_verbs; verb->name; verb++)
    g_ptr_array_add (names, (gpointer)verb->name);
  g_ptr_array_add (names, NULL);
  const char *const *list = (const char *const *)names->pdata;
  g_autofree char *two = words[0] && words[1] ? g_strdup_printf ("%s %s", words[0], words[1]) : NULL;
  const char *nearest = two ? nearest_name (two, list) : NULL;
  if ((!nearest || !strchr (nearest, ' ')) && words[0])
    nearest = nearest_name (words[0], list);
  for (const Verb *verb = cli_verbs; !nearest && verb->name; verb++) {
    gsize length = strlen (words[0]);
    if (strncmp (verb->name, words[0], length) == 0 && verb->name[length] == ' ')
      nearest = verb->name; /* "config" alone */
  }
  return g_strdup (nearest);
}

/* ---- help ---- */

/* Lines are read best when they are not too long, however wide the terminal is. 0: there is none. */
static guint
width_for (guint columns)
{
  return columns ? CLAMP (columns, USAGE_WIDTH_LEAST, USAGE_WIDTH) : USAGE_WIDTH;
}

/* Fills the text into lines; the first goes on at the column, the others are indented up to it. */
static void
put_filled (GString *out, const char *text, guint column, guint width)
{
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  glong at = column;
  for (guint i = 0; words[i]; i++) {
    glong length = g_utf8_strlen (words[i], -1);
    if (i && at + 1 + length > width) {
      g_string_append_printf (out, "\n%*s", (int)column, "");
      at = column;
    } else if (i) {
      g_string_append_c (out, ' ');
      at++;
    }
    g_string_append (out, words[i]);
    at += length;
  }
  g_string_append_c (out, '\n');
}

static void
put_row (GString *out, const char *left, const char *right, guint width)
{
  if (strlen (left) < USAGE_COLUMN)
    g_string_append_printf (out, "  %-*s  ", USAGE_COLUMN, left);
  else
    g_string_append_printf (out, "  %s\n  %-*s  ", left, USAGE_COLUMN, "");
  put_filled (out, right, USAGE_COLUMN + 4, width);
}

char *
usage_of_option (const VerbOption *option)
{
  GString *out = g_string_new (NULL);
  if (option->letter)
    g_string_append_printf (out, "-%c, ", option->letter);
  g_string_append_printf (out, "--%s", option->name);
  if (option->type == OPTION_YES_NO)
    g_string_append_printf (out, "[=%s]", option->value);
  else if (option->value)
    g_string_append_printf (out, " %s", option->value);
  return g_string_free (out, FALSE);
}

/* "in this state: waiting, running"; what may be said is told behind a colon at the end. */
char *
usage_of_choices (const VerbOption *option)
{
  if (!option->choices || !g_str_has_suffix (option->help, ":"))
    return g_strdup (option->help);
  g_auto (GStrv) words = g_strsplit (option->choices, " ", -1);
  g_autofree char *list = g_strjoinv (", ", words);
  return g_strdup_printf ("%s %s", option->help, list);
}

static void
put_options (GString *out, const VerbOption *options, guint width)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && options[i].name; i++) {
    g_autofree char *left = usage_of_option (&options[i]);
    g_autofree char *right = usage_of_choices (&options[i]);
    put_row (out, left, right, width);
  }
}

char *
usage_overview (guint columns)
{
  guint width = width_for (columns);
  g_autoptr (GString) out =
    g_string_new ("Usage: tillbridge VERB [ARGUMENT...]\n\nConnects stores to the services they run on: the "
                  "operator's command.\n\nVerbs (S is a store, C a connector, T a stream):\n");
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    g_autofree char *left =
      g_strdup_printf ("%s%s%s", verb->name, *verb->arguments ? " " : "", verb->arguments);
    put_row (out, left, verb->summary, width);
  }
  g_string_append (out, "\nOptions of every verb:\n");
  put_options (out, cli_common_options, width);
  put_row (out, "--version [--verbose]", "the version; what it is built with", width);
  g_string_append_c (out, '\n');
  put_filled (out,
              "Exit status: 0 done, 1 failed, 2 wrong usage, 3 changes pending (dry run), 4 daemon not "
              "reachable.",
              0, width);
  put_filled (out, "`tillbridge help VERB` tells more, with examples; `man tillbridge` tells all.", 0, width);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
usage_of_verb (const Verb *verb, guint columns)
{
  guint width = width_for (columns);
  g_autoptr (GString) out = g_string_new (NULL);
  g_string_append_printf (
    out, "Usage: tillbridge %s%s%s%s\n\n%c%s.\n", verb->name, *verb->arguments ? " " : "", verb->arguments,
    verb->options[0].name ? " [OPTION...]" : "", g_ascii_toupper (verb->summary[0]), verb->summary + 1);
  if (verb->text) {
    g_string_append_c (out, '\n');
    put_filled (out, verb->text, 0, width);
  }
  g_string_append (out, "\nOptions:\n");
  put_options (out, verb->options, width);
  put_options (out, cli_common_options, width);
  g_string_append (out, "\nExamples:\n");
  for (guint i = 0; i < VERB_EXAMPLES; i++)
    g_string_append_printf (out, "  %s\n      %s\n", verb->examples[i].command, verb->examples[i].effect);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* ---- reading ---- */

/* A row of the table as GLib takes it; its value goes to one of the three. */
static GOptionEntry
entry_of (const VerbOption *option, gboolean *flag, char **text, gint64 *number)
{
  GOptionEntry entry = { .long_name = option->name, .short_name = option->letter, .description = "" };
  switch (option->type) {
  case OPTION_FLAG:
    entry.arg = G_OPTION_ARG_NONE;
    entry.arg_data = flag;
    break;
  case OPTION_TEXT:
  case OPTION_YES_NO:
    entry.arg = option->takes == TAKES_FILE ? G_OPTION_ARG_FILENAME : G_OPTION_ARG_STRING;
    entry.arg_data = text;
    break;
  case OPTION_COUNT:
    entry.arg = G_OPTION_ARG_INT64;
    entry.arg_data = number;
    break;
  }
  return entry;
}

static guint
common_entries (Cli *cli, GOptionEntry *entries)
{
  gpointer const places[] = { &cli->json, &cli->color, &cli->config, &cli->socket, &cli->help };
  guint count = 0;
  for (; cli_common_options[count].name; count++) {
    g_assert (count < G_N_ELEMENTS (places));
    entries[count] = entry_of (&cli_common_options[count], places[count], places[count], NULL);
  }
  return count;
}

static void
verb_entries (Cli *cli, const Verb *verb, GOptionEntry *entries)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && verb->options[i].name; i++) {
    entries[i] =
      entry_of (&verb->options[i], &cli->values[i].flag, &cli->values[i].text, &cli->values[i].number);
    cli->values[i].number = G_MININT64;
  }
}

/* "--visible" alone is "--visible=yes": GLib would take the next word for its value. What is given owns the
 * words that were put in. */
static GPtrArray *
spell_out (const Verb *verb, char **words, int count)
{
  GPtrArray *spelled = g_ptr_array_new_with_free_func (g_free);
  for (int w = 1; w < count && strcmp (words[w], "--") != 0; w++)
    for (guint i = 0; i < VERB_OPTIONS_MOST && verb->options[i].name; i++) {
      const VerbOption *option = &verb->options[i];
      if (option->type != OPTION_YES_NO || strncmp (words[w], "--", 2) != 0 ||
          strcmp (words[w] + 2, option->name) != 0)
        continue;
      words[w] = g_strconcat (words[w], "=yes", NULL);
      g_ptr_array_add (spelled, words[w]);
    }
  return spelled;
}

/* What GLib says, and which option was meant. */
static int
wrong_option (Cli *cli, const GError *error, const GOptionEntry *entries)
{
  const char *names[USAGE_ENTRIES_MOST + 1] = { NULL };
  const char *wrong = strstr (error->message, "--");
  guint count = 0;
  for (; entries->long_name; entries++)
    names[count++] = entries->long_name;
  if (!g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_UNKNOWN_OPTION) || !wrong)
    return cli_wrong_usage (cli, "%s", error->message);
  g_autofree char *name = g_strndup (wrong + 2, strcspn (wrong + 2, "="));
  const char *nearest = nearest_name (name, names);
  return cli_wrong_usage (cli, "there is no option --%s%s%s%s", name, nearest ? ", did you mean --" : "",
                          nearest ? nearest : "", nearest ? "?" : "");
}

/* Takes the options out of words. strict: those before the first word that is none. */
static gboolean
parse (Cli *cli, const GOptionEntry *entries, gboolean strict, int *count, char ***words, int *status)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_strict_posix (context, strict);
  g_option_context_add_main_entries (context, entries, NULL);
  if (g_option_context_parse (context, count, words, &error))
    return TRUE;
  *status = wrong_option (cli, error, entries);
  return FALSE;
}

static int
unknown_verb (Cli *cli, char *const *words)
{
  g_autofree char *nearest = usage_nearest_verb (words);
  return cli_wrong_usage (cli, "there is no verb \"%s\"%s%s%s", words[0], nearest ? ", did you mean \"" : "",
                          nearest ? nearest : "", nearest ? "\"?" : "");
}

static gboolean
check_values (Cli *cli, int *status)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && cli->verb->options[i].name; i++) {
    gint64 number = cli->values[i].number;
    const char *text = cli->values[i].text;
    if (cli->verb->options[i].type == OPTION_YES_NO && text && strcmp (text, "yes") != 0 &&
        strcmp (text, "no") != 0) {
      *status = cli_wrong_usage (cli, "--%s is \"%s\", expected yes or no", cli->verb->options[i].name, text);
      return FALSE;
    }
    if (number == G_MININT64 || number >= 0)
      continue;
    *status = cli_wrong_usage (cli, "--%s is %" G_GINT64_FORMAT ", expected 0 or more",
                               cli->verb->options[i].name, number);
    return FALSE;
  }
  return TRUE;
}

static gboolean
check_arguments (Cli *cli, char **words, int *status)
{
  const Verb *verb = cli->verb;
  guint count = g_strv_length (words);
  if (count > 0 && strcmp (words[0], "--") == 0) {
    words++;
    count--;
  }
  cli->arguments = g_strdupv (words);
  cli->count = count;
  if (cli->help || (count >= verb->least && count <= verb->most))
    return TRUE;
  if (count < verb->least)
    *status = cli_wrong_usage (cli, "%s needs %s", verb->name, verb->arguments);
  else if (*verb->arguments)
    *status =
      cli_wrong_usage (cli, "%s takes %s, not also \"%s\"", verb->name, verb->arguments, words[verb->most]);
  else
    *status = cli_wrong_usage (cli, "%s takes no arguments, not \"%s\"", verb->name, words[0]);
  return FALSE;
}

/* What was said before the verb holds, unless it is said again behind it. */
static void
keep (char **now, char *before)
{
  if (*now)
    g_free (before);
  else
    *now = before;
}

/* Options behind the verb are its own or common. */
static gboolean
read_verb (Cli *cli, int count, char **words, int *status)
{
  guint length;
  GOptionEntry entries[USAGE_ENTRIES_MOST + 1] = { 0 };
  const Verb *verb = usage_find (words + 1, &length);
  if (!verb) {
    *status = unknown_verb (cli, words + 1);
    return FALSE;
  }
  cli->verb = verb;
  verb_entries (cli, verb, entries + common_entries (cli, entries));
  count -= (int)length;
  for (int i = 1; i <= count; i++)
    words[i] = words[i + (int)length];
  g_autoptr (GPtrArray) spelled = spell_out (verb, words, count);
  char *config = g_steal_pointer (&cli->config), *socket = g_steal_pointer (&cli->socket),
       *color = g_steal_pointer (&cli->color);
  gboolean good = parse (cli, entries, FALSE, &count, &words, status);
  keep (&cli->config, config);
  keep (&cli->socket, socket);
  keep (&cli->color, color);
  return good && check_values (cli, status) && check_arguments (cli, words + 1, status);
}

gboolean
usage_read (Cli *cli, int count, char **words, int *status)
{
  g_autofree char **left = g_new0 (char *, (gsize)count + 1); /* GOption moves them about */
  GOptionEntry entries[USAGE_ENTRIES_MOST + 1] = { 0 };
  guint used = common_entries (cli, entries);
  entries[used++] = (GOptionEntry){ "version", 0, 0, G_OPTION_ARG_NONE, &cli->version, "", NULL };
  entries[used] = (GOptionEntry){ "verbose", 0, 0, G_OPTION_ARG_NONE, &cli->verbose, "", NULL };
  memcpy (left, words, (gsize)count * sizeof *words);
  char **rest = left;
  if (!parse (cli, entries, TRUE, &count, &rest, status))
    return FALSE;
  if (cli->version || (cli->help && count < 2))
    return TRUE;
  if (count < 2) {
    g_autofree char *overview = usage_overview (cli->columns);
    fputs (overview, cli->err);
    *status = CLI_USAGE;
    return FALSE;
  }
  return read_verb (cli, count, rest, status);
}
