#include "tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/client.h"
#include "cli/grid.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/usage.h"
#include "cli/words.h"
#include "model/model.h"

/* What a command printed, and how it ended. No daemon listens at its socket. */
typedef struct {
  int status;
  char *out, *err;
} Ran;

static Ran
run (const char *command)
{
  Ran ran;
  size_t out_size, err_size;
  g_auto (GStrv) words = NULL;
  int count;
  char *environment[] = { (char *)"TILLBRIDGE_SOCKET=/nonexistent/api.sock", NULL };
  CU_ASSERT_FATAL (g_shell_parse_argv (command, &count, &words, NULL));
  FILE *out = open_memstream (&ran.out, &out_size), *err = open_memstream (&ran.err, &err_size);
  ran.status = cli_run (count, words, environment, out, err);
  fclose (out);
  fclose (err);
  return ran;
}

static void
ran_clear (Ran *ran)
{
  free (ran->out);
  free (ran->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Ran, ran_clear)

static void
ends (const char *command, int status, const char *said)
{
  g_auto (Ran) ran = run (command);
  if (ran.status != status || !strstr (ran.err, said))
    printf ("# %s: %d, %s", command, ran.status, ran.err);
  CU_ASSERT_EQUAL (ran.status, status);
  CU_ASSERT_PTR_NOT_NULL (strstr (ran.err, said));
  CU_ASSERT_STRING_EQUAL (ran.out, "");
}

/* ---- the table ---- */

static void
test_every_verb_is_described (void)
{
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    CU_ASSERT_TRUE (verb->summary && *verb->summary && !g_str_has_suffix (verb->summary, "."));
    CU_ASSERT_TRUE (verb->arguments != NULL && verb->run != NULL && verb->least <= verb->most);
    CU_ASSERT_EQUAL (*verb->arguments != '\0', verb->most > 0);
    for (guint i = 0; i < VERB_OPTIONS_MOST && verb->options[i].name; i++) {
      CU_ASSERT_TRUE (verb->options[i].help && *verb->options[i].help);
      CU_ASSERT_EQUAL (verb->options[i].type == OPTION_FLAG, verb->options[i].value == NULL);
    }
  }
}

static void
test_kinds_that_are_offered_are_the_models (void)
{
  guint kinds = 0;
  for (const Verb *verb = cli_verbs; verb->name; verb++)
    for (guint i = 0; i < VERB_OPTIONS_MOST && verb->options[i].name; i++) {
      const VerbOption *option = &verb->options[i];
      if (strcmp (option->name, "kinds") != 0)
        continue;
      g_auto (GStrv) words = g_strsplit (option->choices, " ", -1);
      for (guint w = 0; words[w]; w++, kinds++)
        CU_ASSERT_TRUE (model_kind_from_name (words[w]) >= 0);
    }
  CU_ASSERT_EQUAL (kinds, 4);
}

static void
test_every_verb_has_two_examples_that_it_understands (void)
{
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    guint own = 0;
    for (guint i = 0; i < VERB_EXAMPLES; i++) {
      g_auto (GStrv) words = NULL;
      g_autofree char **left = NULL;
      int count, status = -1;
      Cli cli = { .out = stdout, .err = stderr };
      CU_ASSERT_FATAL (verb->examples[i].command && verb->examples[i].effect);
      CU_ASSERT_FATAL (g_shell_parse_argv (verb->examples[i].command, &count, &words, NULL));
      CU_ASSERT_STRING_EQUAL (words[0], "tillbridge");
      CU_ASSERT_TRUE (usage_read (&cli, count, words, &status));
      own += cli.verb == verb;
      g_strfreev (cli.arguments);
      for (guint o = 0; o < VERB_OPTIONS_MOST; o++)
        g_free (cli.values[o].text);
    }
    CU_ASSERT_TRUE (own >= 1);
  }
}

/* Written by `test-cli --write`, after looking at what changed. */
static char *
all_help (void)
{
  g_autoptr (GString) all = g_string_new (NULL);
  g_autofree char *overview = usage_overview (0);
  g_string_append (all, overview);
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    g_autofree char *help = usage_of_verb (verb, 0);
    g_string_append_printf (all, "\n---- %s ----\n%s", verb->name, help);
  }
  g_string_replace (all, SYSCONFDIR, "/etc", 0);
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static char *
golden_file (void)
{
  return g_build_filename (g_getenv ("TB_SOURCE"), "tests", "unit", "cli", "help.txt", NULL);
}

static void
test_help_is_as_it_was_read_and_found_good (void)
{
  g_autofree char *path = golden_file ();
  g_autofree char *golden = NULL;
  g_autofree char *now = all_help ();
  CU_ASSERT_FATAL (g_file_get_contents (path, &golden, NULL, NULL));
  CU_ASSERT_STRING_EQUAL (now, golden);
}

static void
test_help_fits_into_a_terminal (void)
{
  g_autofree char *help = all_help ();
  g_auto (GStrv) lines = g_strsplit (help, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    CU_ASSERT_TRUE (g_utf8_strlen (lines[i], -1) <= 100);
  for (const Verb *verb = cli_verbs; verb->name; verb++) {
    g_autofree char *narrow = usage_of_verb (verb, 80);
    g_auto (GStrv) rows = g_strsplit (narrow, "\n", -1);
    for (guint i = 0; rows[i]; i++)
      CU_ASSERT_TRUE (g_utf8_strlen (rows[i], -1) <= 80);
  }
}

static void
test_help_is_given_in_three_ways (void)
{
  g_auto (Ran) one = run ("tillbridge help passes accept");
  g_auto (Ran) two = run ("tillbridge passes accept --help");
  g_auto (Ran) three = run ("tillbridge passes -h accept ID");
  g_auto (Ran) overview = run ("tillbridge --help");
  g_auto (Ran) bare = run ("tillbridge help");
  CU_ASSERT_EQUAL (one.status, CLI_DONE);
  CU_ASSERT_TRUE (g_str_has_prefix (one.out, "Usage: tillbridge passes accept ID\n"));
  CU_ASSERT_STRING_EQUAL (one.out, two.out);
  CU_ASSERT_EQUAL (two.status, CLI_DONE);
  CU_ASSERT_EQUAL (three.status, CLI_DONE); /* of passes: its words were not whole */
  CU_ASSERT_TRUE (g_str_has_prefix (three.out, "Usage: tillbridge passes ["));
  CU_ASSERT_STRING_EQUAL (overview.out, bare.out);
  CU_ASSERT_TRUE (g_str_has_prefix (overview.out, "Usage: tillbridge VERB"));
}

/* ---- wrong usage ---- */

static void
test_a_typo_suggests_the_nearest (void)
{
  ends ("tillbridge statsu", CLI_USAGE, "there is no verb \"statsu\", did you mean \"status\"?");
  ends ("tillbridge relaod", CLI_USAGE, "did you mean \"reload\"?");
  ends ("tillbridge config", CLI_USAGE, "did you mean \"config show\"?");
  ends ("tillbridge config shwo", CLI_USAGE, "did you mean \"config show\"?");
  ends ("tillbridge plugin", CLI_USAGE, "did you mean \"plugins\"?");
  ends ("tillbridge passe accpt x", CLI_USAGE, "did you mean \"passes accept\"?");
  ends ("tillbridge help synk", CLI_USAGE, "did you mean \"sync\"?");
  ends ("tillbridge sync a/b --ful", CLI_USAGE, "there is no option --ful, did you mean --full?");
  ends ("tillbridge status --jsno", CLI_USAGE, "there is no option --jsno, did you mean --json?");
  ends ("tillbridge --jsno status", CLI_USAGE, "did you mean --json?");
  ends ("tillbridge sync a/b --dry-rum=yes", CLI_USAGE, "did you mean --dry-run?");
  ends ("tillbridge entirelyelse", CLI_USAGE, "there is no verb \"entirelyelse\"\n");
}

static void
test_wrong_usage_ends_with_2 (void)
{
  ends ("tillbridge", CLI_USAGE, "Usage: tillbridge VERB");
  ends ("tillbridge sync", CLI_USAGE, "sync needs S/C[/T]");
  ends ("tillbridge sync downtown", CLI_USAGE,
        "\"downtown\" is not understood, expected STORE/CONNECTOR to "
        "STORE/CONNECTOR/STREAM");
  ends ("tillbridge sync downtown//products", CLI_USAGE, "is not understood");
  ends ("tillbridge status a/b/c", CLI_USAGE, "expected STORE to STORE/CONNECTOR");
  ends ("tillbridge status ''", CLI_USAGE, "is not understood");
  ends ("tillbridge status a b", CLI_USAGE, "not also \"b\"");
  ends ("tillbridge stores downtown", CLI_USAGE, "stores takes no arguments");
  ends ("tillbridge passes accept", CLI_USAGE, "passes accept needs ID");
  ends ("tillbridge status --watch", CLI_USAGE, "--watch draws on a terminal");
  ends ("tillbridge products a --visible=perhaps", CLI_USAGE, "--visible is \"perhaps\", expected yes or no");
  ends ("tillbridge changes --limit 0", CLI_USAGE, "--limit is 0");
  ends ("tillbridge changes --limit -5", CLI_USAGE, "--limit is -5, expected 0 or more");
  ends ("tillbridge --socket= stores", CLI_USAGE, "--socket is empty, expected a path");
  ends ("tillbridge changes --since", CLI_USAGE, "Missing argument for --since");
  ends ("tillbridge changes --since x", CLI_USAGE, "--since");
  ends ("tillbridge stores --color=pink", CLI_USAGE, "--color is \"pink\", expected auto, always or never");
}

static void
test_no_daemon_ends_with_4 (void)
{
  ends ("tillbridge stores", CLI_UNREACHABLE, "the daemon does not answer at /nonexistent/api.sock");
  ends ("tillbridge --socket /nonexistent/other stores", CLI_UNREACHABLE, "/nonexistent/other");
  ends ("tillbridge --socket /nonexistent/one stores --socket /nonexistent/two", CLI_UNREACHABLE, "two");
  ends ("tillbridge status downtown --json", CLI_UNREACHABLE, "is tillbridged running?");
  ends ("tillbridge sync downtown/pos", CLI_UNREACHABLE, "is tillbridged running?");
  ends ("tillbridge reload", CLI_UNREACHABLE, "is tillbridged running?");
  ends ("tillbridge reload --if-running", CLI_DONE, "");
}

static void
test_the_version_tells_what_it_is_built_with (void)
{
  g_auto (Ran) version = run ("tillbridge --version");
  g_auto (Ran) verbose = run ("tillbridge --version --verbose");
  CU_ASSERT_STRING_EQUAL (version.out, "tillbridge " PACKAGE_VERSION "\n");
  CU_ASSERT_TRUE (strstr (verbose.out, "libcurl/") && strstr (verbose.out, "smartcols "));
}

/* ---- words ---- */

static void
age_is (gint64 ms, const char *expected)
{
  g_autofree char *age = words_age (ms);
  CU_ASSERT_STRING_EQUAL (age, expected);
}

static void
test_ages_are_told_in_one_unit (void)
{
  age_is (0, "0 s");
  age_is (-5, "0 s");
  age_is (60000, "1 min");
  age_is (119000, "119 s");
  age_is (120000, "2 min");
  age_is (900000, "15 min");
  age_is (3600000, "1 h");
  age_is (3660000, "61 min");
  age_is (2 * 86400000 + 5, "2 d");
  g_autofree char *now = words_until (1000, 1500);
  g_autofree char *later = words_until (301500, 1500);
  CU_ASSERT_STRING_EQUAL (now, "now");
  CU_ASSERT_STRING_EQUAL (later, "in 5 min");
}

static void
money_is (gint64 minor, const char *currency, const char *expected)
{
  g_autofree char *money = words_money (minor, currency);
  CU_ASSERT_STRING_EQUAL (money, expected);
}

static void
test_money_has_its_currencys_places (void)
{
  money_is (3000, "USD", "30.00 USD");
  money_is (5, "USD", "0.05 USD");
  money_is (-1, "EUR", "-0.01 EUR");
  money_is (3000, "JPY", "3000 JPY");
  money_is (1234, "KWD", "1.234 KWD");
  money_is (12345, "CLF", "1.2345 CLF");
  money_is (1234, "", "12.34");
  money_is (G_MININT64, "USD", "-92233720368547758.08 USD");
}

static void
test_no_text_from_outside_steers_the_terminal (void)
{
  g_autofree char *safe = words_safe ("a\033[31mb\nc\001\302\233\342\200\256d\377");
  CU_ASSERT_STRING_EQUAL (safe, "a\\x1b[31mb c\\x01\\x9b\\x202ed\357\277\275");
}

static void
test_sums_are_told_as_they_add_up (void)
{
  json_object *pass =
    json_tokener_parse ("{\"seen\":5,\"stored\":1,\"unchanged\":2,\"rejected\":1,\"filtered\":1}");
  json_object *held = json_tokener_parse ("{\"seen\":1,\"stored\":1,\"missing\":7}");
  g_autofree char *text = words_sums (pass);
  g_autofree char *other = words_sums (held);
  CU_ASSERT_STRING_EQUAL (text, "seen 5 = stored 1 + unchanged 2 + rejected 1 + filtered 1");
  CU_ASSERT_PTR_NOT_NULL (strstr (other, "; missing 7, deleted 0"));
  json_object_put (pass);
  json_object_put (held);
}

static void
test_a_problem_is_told_with_its_fields (void)
{
  json_object *problem = json_tokener_parse (
    "{\"title\":\"Refused\",\"detail\":\"no such\",\"errors\":[{\"field\":\"stream\",\"detail\":"
    "\"did you\\nmean\"}]}");
  g_autofree char *text = client_problem_to_text (problem);
  CU_ASSERT_STRING_EQUAL (text, "Refused: no such\n  stream: did you mean");
  json_object_put (problem);
  problem =
    json_tokener_parse ("{\"title\":\"Refused\",\"detail\":\"limit=x: not a number\",\"errors\":[{\"field\":"
                        "\"limit\",\"detail\":\"not a number\"}]}");
  g_autofree char *once = client_problem_to_text (problem);
  CU_ASSERT_STRING_EQUAL (once, "Refused: limit=x: not a number");
  json_object_put (problem);
}

static void
test_places_are_read (void)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  CU_ASSERT_TRUE (place_read (&place, "downtown/pos/products", 0, 3, &error));
  g_autofree char *label = place_connector_label (&place);
  CU_ASSERT_STRING_EQUAL (label, "downtown/pos");
  CU_ASSERT_STRING_EQUAL (place.stream, "products");
  CU_ASSERT_FALSE (place_read (&place, "a/b/c/d", 0, 3, &error));
  CU_ASSERT_TRUE (g_error_matches (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE));
}

static void
test_targets_are_escaped (void)
{
  g_autoptr (GString) target = target_new ("/v1/stores");
  target_segment (target, "a/b c?");
  target_parameter (target, "kinds", "products,inventory&x");
  target_parameter (target, "store", NULL);
  target_parameter (target, "limit", "5");
  CU_ASSERT_STRING_EQUAL (target->str, "/v1/stores/a%2Fb%20c%3F?kinds=products%2Cinventory%26x&limit=5");
}

static void
line_is (gint64 done, gint64 total, guint width, const char *expected)
{
  g_autofree char *line = progress_line ("a/b", done, total, width);
  CU_ASSERT_STRING_EQUAL (line, expected);
}

static void
test_the_bar_fits_its_line (void)
{
  line_is (50, 100, 55, "a/b  [##########          ]  50 %  50 of about 100");
  line_is (0, 100, 55, "a/b  [                    ]   0 %  0 of about 100");
  line_is (200, 100, 55, "a/b  [####################] 100 %  200 of about 100");
  line_is (50, 0, 80, "a/b  50 records");
  line_is (50, 100, 20, "a/b  50 records");
  line_is (50, 100, 9, "a/b  50 r");
}

/* ---- tables ---- */

static char *
print_grid (gboolean colour)
{
  char *text;
  size_t size;
  Cli cli = { .out = open_memstream (&text, &size), .colour = colour };
  Grid *grid = grid_new (&cli, "NAME", GRID_LEFT, "STATE", GRID_STATE, "N", GRID_RIGHT, NULL);
  grid_add (grid, "a", "failing", "1");
  grid_add (grid, "b\033[2J", "", NULL);
  grid_end (grid);
  fclose (cli.out);
  return text;
}

static void
test_a_table_is_plain_without_colour (void)
{
  char *plain = print_grid (FALSE), *tinted = print_grid (TRUE);
  CU_ASSERT_TRUE (g_str_has_prefix (plain, "NAME"));
  CU_ASSERT_PTR_NULL (strchr (plain, '\033'));
  CU_ASSERT_PTR_NOT_NULL (strstr (plain, "failing  1"));
  CU_ASSERT_PTR_NOT_NULL (strstr (tinted, "\033[31mfailing"));
  CU_ASSERT_PTR_NULL (strstr (tinted, "\033[2J"));
  free (plain);
  free (tinted);
}

int
main (int count, char **words)
{
  if (count == 2 && strcmp (words[1], "--write") == 0) {
    g_autofree char *path = golden_file ();
    g_autofree char *help = all_help ();
    return g_file_set_contents (path, help, -1, NULL) ? 0 : 1;
  }
  return TAP_RUN (
    "cli", { "every verb is described", test_every_verb_is_described },
    { "kinds that are offered are the model's", test_kinds_that_are_offered_are_the_models },
    { "every verb has two examples that it understands",
      test_every_verb_has_two_examples_that_it_understands },
    { "help is as it was read and found good", test_help_is_as_it_was_read_and_found_good },
    { "help fits into a terminal", test_help_fits_into_a_terminal },
    { "help is given in three ways", test_help_is_given_in_three_ways },
    { "a typo suggests the nearest", test_a_typo_suggests_the_nearest },
    { "wrong usage ends with 2", test_wrong_usage_ends_with_2 },
    { "no daemon ends with 4", test_no_daemon_ends_with_4 },
    { "the version tells what it is built with", test_the_version_tells_what_it_is_built_with },
    { "ages are told in one unit", test_ages_are_told_in_one_unit },
    { "money has its currency's places", test_money_has_its_currencys_places },
    { "no text from outside steers the terminal", test_no_text_from_outside_steers_the_terminal },
    { "sums are told as they add up", test_sums_are_told_as_they_add_up },
    { "a problem is told with its fields", test_a_problem_is_told_with_its_fields },
    { "places are read", test_places_are_read }, { "targets are escaped", test_targets_are_escaped },
    { "the bar fits its line", test_the_bar_fits_its_line },
    { "a table is plain without colour", test_a_table_is_plain_without_colour });
}
