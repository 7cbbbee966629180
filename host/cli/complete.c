#include "cli/complete.h"

#include <string.h>

#include "cli/usage.h"
#include "cli/words.h"

struct Candidates {
  GPtrArray *texts, *helps; /* beside each other */
};

typedef enum { STYLE_BASH, STYLE_PLAIN, STYLE_DESCRIBED } Style;

/* What was typed up to the cursor. */
typedef struct {
  GPtrArray *words; /* whole ones, without quotes; the first is the command's name */
  char *current;    /* the one at the cursor, as far as it was typed */
} Typed;

/* What the whole words come to. */
typedef struct {
  const Verb *verb; /* NULL: none yet */
  GPtrArray *plain; /* words that are no options, behind the command's name */
  guint verb_words;
  const VerbOption *waits; /* whose value comes next */
  gboolean no_options;     /* "--" was there */
} Meaning;

/* A name that would steer the terminal is not offered. */
void
candidates_add (Candidates *candidates, const char *text, const char *help)
{
  g_autofree char *safe = words_safe (text);
  if (strcmp (safe, text) != 0)
    return;
  g_ptr_array_add (candidates->texts, g_steal_pointer (&safe));
  g_ptr_array_add (candidates->helps, words_safe (help ? help : ""));
}

/* ---- what was typed ---- */

/* As a shell cuts it, with quotes that may still be open. */
static void
cut_line (Typed *typed, const char *line)
{
  g_autoptr (GString) word = g_string_new (NULL);
  gboolean inside = FALSE;
  char quote = '\0';
  for (; *line; line++) {
    if (!quote && (*line == ' ' || *line == '\t')) {
      if (inside)
        g_ptr_array_add (typed->words, g_strdup (word->str));
      g_string_truncate (word, 0);
      inside = FALSE;
      continue;
    }
    inside = TRUE;
    if (*line == quote)
      quote = '\0';
    else if (!quote && (*line == '\'' || *line == '"'))
      quote = *line;
    else {
      if (*line == '\\' && quote != '\'' && line[1])
        line++;
      g_string_append_c (word, *line);
    }
  }
  typed->current = g_strdup (word->str);
}

static const VerbOption *
option_among (const VerbOption *options, const char *name, char letter)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && options[i].name; i++)
    if ((name && strcmp (options[i].name, name) == 0) || (letter && options[i].letter == letter))
      return &options[i];
  return NULL;
}

static const VerbOption *
option_of (const Verb *verb, const char *word)
{
  gboolean is_long = g_str_has_prefix (word, "--");
  g_autofree char *name = is_long ? g_strndup (word + 2, strcspn (word + 2, "=")) : NULL;
  char letter = is_long ? '\0' : word[1];
  const VerbOption *option = option_among (cli_common_options, name, letter);
  return option || !verb ? option : option_among (verb->options, name, letter);
}

static gboolean
wants_value (const VerbOption *option)
{
  return option->type == OPTION_TEXT || option->type == OPTION_COUNT;
}

/* --config and --socket hold for what we ask, too. */
static void
heed (Cli *cli, const VerbOption *option, const char *value)
{
  char **place = strcmp (option->name, "config") == 0   ? &cli->config
                 : strcmp (option->name, "socket") == 0 ? &cli->socket
                                                        : NULL;
  if (!place)
    return;
  g_free (*place);
  *place = g_strdup (value);
}

static void
take_option (Cli *cli, Meaning *meaning, const char *word)
{
  const VerbOption *option = option_of (meaning->verb, word);
  const char *value = strchr (word, '=');
  meaning->no_options = strcmp (word, "--") == 0;
  if (!option || !wants_value (option))
    return;
  if (value)
    heed (cli, option, value + 1);
  else
    meaning->waits = option;
}

static void
understand (Cli *cli, Meaning *meaning, const Typed *typed)
{
  for (guint i = 1; i < typed->words->len; i++) {
    char *word = g_ptr_array_index (typed->words, i);
    if (meaning->waits) {
      heed (cli, meaning->waits, word);
      meaning->waits = NULL;
    } else if (*word == '-' && word[1] && !meaning->no_options)
      take_option (cli, meaning, word);
    else {
      char *two[3] = { NULL };
      g_ptr_array_add (meaning->plain, word);
      for (guint w = 0; w < MIN (meaning->plain->len, 2u); w++)
        two[w] = g_ptr_array_index (meaning->plain, w);
      meaning->verb = usage_find (two, &meaning->verb_words);
    }
  }
}

/* ---- what fits ---- */

/* "a,b" in a list: what is not yet in it, behind the last comma. */
static void
offer_choices (Candidates *candidates, const VerbOption *option, const char *typed)
{
  g_auto (GStrv) words = g_strsplit (option->choices, " ", -1);
  gboolean list = g_strcmp0 (option->value, "LIST") == 0;
  const char *comma = list ? strrchr (typed, ',') : NULL;
  g_autofree char *before = comma ? g_strndup (typed, (gsize)(comma + 1 - typed)) : g_strdup ("");
  g_auto (GStrv) had = g_strsplit (before, ",", -1);
  for (guint i = 0; words[i]; i++) {
    g_autofree char *text = g_strconcat (before, words[i], NULL);
    if (!g_strv_contains ((const char *const *)had, words[i]))
      candidates_add (candidates, text, NULL);
  }
}

static void
offer_verbs (Candidates *candidates, const Meaning *meaning, guint from)
{
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    g_auto (GStrv) names = g_strsplit (verb->name, " ", 2);
    guint count = g_strv_length (names), had = meaning->plain->len - from;
    gboolean fits = had < count;
    for (guint i = 0; fits && i < had; i++)
      fits = strcmp (names[i], g_ptr_array_index (meaning->plain, from + i)) == 0;
    if (fits)
      candidates_add (candidates, names[had], had + 1 == count ? verb->summary : NULL);
  }
}

static void
offer (Cli *cli, Candidates *candidates, VerbTakes takes, const Meaning *meaning, const char *typed)
{
  switch (takes) {
  case TAKES_TEXT:
  case TAKES_FILE: /* the shell itself knows better */
    break;
  case TAKES_STORE:
    complete_places (cli, candidates, typed, 1, 1);
    break;
  case TAKES_CONNECTOR:
    complete_places (cli, candidates, typed, 1, 2);
    break;
  case TAKES_STREAM:
    complete_places (cli, candidates, typed, 1, 3);
    break;
  case TAKES_STREAMS:
    complete_places (cli, candidates, typed, 2, 3);
    break;
  case TAKES_NAME:
    if (meaning->plain->len > meaning->verb_words)
      complete_connector_names (cli, candidates, g_ptr_array_index (meaning->plain, meaning->verb_words));
    break;
  case TAKES_PLUGIN:
    complete_plugins (cli, candidates);
    break;
  case TAKES_HELD:
    complete_held (cli, candidates);
    break;
  case TAKES_VERB:
    offer_verbs (candidates, meaning, meaning->verb_words);
    break;
  }
}

static void
offer_value (Cli *cli, Candidates *candidates, const VerbOption *option, const Meaning *meaning,
             const char *typed)
{
  if (option->choices)
    offer_choices (candidates, option, typed);
  else
    offer (cli, candidates, option->takes, meaning, typed);
}

static void
offer_options (Candidates *candidates, const VerbOption *options)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && options[i].name; i++) {
    g_autofree char *text = g_strconcat ("--", options[i].name, NULL);
    candidates_add (candidates, text, options[i].help);
  }
}

/* "--state=he": the candidates with the option in front. */
static void
offer_assigned (Cli *cli, Candidates *candidates, const Meaning *meaning, const char *typed)
{
  const VerbOption *option = option_of (meaning->verb, typed);
  const char *value = strchr (typed, '=') + 1;
  guint had = candidates->texts->len;
  if (!option || option->type == OPTION_FLAG)
    return;
  offer_value (cli, candidates, option, meaning, value);
  for (guint i = had; i < candidates->texts->len; i++) {
    char **text = (char **)&g_ptr_array_index (candidates->texts, i);
    char *whole = g_strdup_printf ("%.*s%s", (int)(value - typed), typed, *text);
    g_free (*text);
    *text = whole;
  }
}

static void
offer_all (Cli *cli, Candidates *candidates, const Meaning *meaning, const char *typed)
{
  const Verb *verb = meaning->verb;
  if (meaning->waits)
    offer_value (cli, candidates, meaning->waits, meaning, typed);
  else if (*typed == '-' && !meaning->no_options && strchr (typed, '='))
    offer_assigned (cli, candidates, meaning, typed);
  else if (*typed == '-' && !meaning->no_options) {
    if (verb)
      offer_options (candidates, verb->options);
    offer_options (candidates, cli_common_options);
    if (!meaning->plain->len)
      candidates_add (candidates, "--version", "the version");
  } else {
    guint argument = meaning->plain->len - meaning->verb_words;
    if (!verb || meaning->plain->len == meaning->verb_words)
      offer_verbs (candidates, meaning, 0);
    if (verb && argument < verb->most)
      offer (cli, candidates, verb->takes[MIN (argument, VERB_ARGUMENTS_MOST - 1u)], meaning, typed);
  }
}

/* ---- telling it ---- */

static gboolean
goes_on (const char *text)
{
  return g_str_has_suffix (text, "/") || g_str_has_suffix (text, "=");
}

/* bash has the word begin behind its last "=" or ":", and puts no blank behind what it completes. */
static void
print_candidate (Cli *cli, const char *text, const char *help, Style style, gsize skip)
{
  if (style == STYLE_DESCRIBED && *help)
    fprintf (cli->out, "%s\t%s\n", text, help);
  else
    fprintf (cli->out, "%s%s\n", text + skip, style == STYLE_BASH && !goes_on (text) ? " " : "");
}

static void
print_fitting (Cli *cli, const Candidates *candidates, const char *typed, Style style, const char *seen)
{
  g_autoptr (GHashTable) told = g_hash_table_new (g_str_hash, g_str_equal);
  gsize skip = seen && g_str_has_suffix (typed, seen) ? strlen (typed) - strlen (seen) : 0;
  for (guint i = 0; i < candidates->texts->len; i++) {
    char *text = g_ptr_array_index (candidates->texts, i);
    if (g_str_has_prefix (text, typed) && g_hash_table_add (told, text))
      print_candidate (cli, text, g_ptr_array_index (candidates->helps, i), style, skip);
  }
}

int
complete_run (Cli *cli, char **environment, int count, char **words)
{
  const char *line = g_environ_getenv (environment, "COMP_LINE"),
             *point = g_environ_getenv (environment, "COMP_POINT"), *style = count > 2 ? words[2] : "";
  gsize length = line ? strlen (line) : 0;
  g_autofree char *before =
    g_strndup (line, point ? MIN (length, (gsize)g_ascii_strtoull (point, NULL, 10)) : length);
  g_autoptr (GPtrArray) typed_words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) helps = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) plain = g_ptr_array_new ();
  Typed typed = { typed_words, NULL };
  Meaning meaning = { .plain = plain };
  Candidates candidates = { texts, helps };
  Style how = strcmp (style, "--plain") == 0       ? STYLE_PLAIN
              : strcmp (style, "--described") == 0 ? STYLE_DESCRIBED
                                                   : STYLE_BASH;
  cut_line (&typed, before ? before : "");
  understand (cli, &meaning, &typed);
  if (typed_words->len) /* else it is the command's own name */
    offer_all (cli, &candidates, &meaning, typed.current);
  print_fitting (cli, &candidates, typed.current, how, how == STYLE_BASH && count > 3 ? words[3] : NULL);
  g_free (typed.current);
  return CLI_DONE;
}
