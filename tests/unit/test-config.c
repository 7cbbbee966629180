#include "config/config.h"
#include "tap.h"

#include <glib/gstdio.h>
#include <string.h>

#include "config-plugins.h"
#include "config/problems.h"
#include "config/table.h"

static char *
source_path (const char *name)
{
  return g_build_filename (g_getenv ("TB_SOURCE") ? g_getenv ("TB_SOURCE") : ".", "tests/unit/config", name,
                           NULL);
}

static char *
problems_in_words (const Config *config)
{
  GString *out = g_string_new (NULL);
  for (guint i = 0; i < config->problems->len; i++) {
    g_autofree char *text = config_problem_to_text (g_ptr_array_index (config->problems, i), FALSE);
    g_string_append (out, text);
  }
  return g_string_free (out, FALSE);
}

/* ---- golden cases: a folder each, with what must be said of it, byte for byte ---- */

static void
check_case (const char *name, Plugins *plugins)
{
  g_autofree char *folder = source_path (name);
  g_autofree char *file = g_build_filename (folder, "tillbridge.conf", NULL);
  g_autofree char *expected_file = g_build_filename (folder, "expected.txt", NULL);
  g_autofree char *expected = NULL;
  g_autoptr (Config) config = config_read (file, plugins);
  g_autofree char *found = problems_in_words (config);
  gboolean same = g_file_get_contents (expected_file, &expected, NULL, NULL) && strcmp (found, expected) == 0;
  CU_ASSERT (same);
  if (!same) {
    g_auto (GStrv) lines = g_strsplit (found, "\n", -1);
    g_print ("# %s differs, found:\n", name);
    for (char **line = lines; *line; line++)
      g_print ("#|%s\n", *line);
  }
}

static int
by_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *)a, *(const char *const *)b);
}

static void
check_cases (const char *prefix, guint least)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  g_autofree char *folder = source_path ("");
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  const char *name;
  while (dir && (name = g_dir_read_name (dir)))
    if (g_str_has_prefix (name, prefix))
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_text);
  CU_ASSERT (names->len >= least);
  for (guint i = 0; i < names->len; i++)
    check_case (g_ptr_array_index (names, i), plugins);
}

static void
test_the_examples_of_the_manual_are_told_as_they_are_printed (void)
{
  check_cases ("operating", 1);
}

static void
test_what_libconfig_gets_wrong_is_told_right (void)
{
  check_cases ("lc-", 13);
}

static void
test_every_mistake_of_a_file_is_told_in_one_go (void)
{
  check_cases ("case-", 10);
}

/* ---- names ---- */

static gboolean
suggests (const char *wrong, const char *const *names, const char *right)
{
  const char *nearest = nearest_name (wrong, names);
  if (g_strcmp0 (nearest, right) == 0 || g_strv_contains (names, wrong))
    return TRUE;
  g_print ("# %s suggests %s, not %s\n", wrong, nearest ? nearest : "nothing", right);
  return FALSE;
}

static void
check_misspellings (const char *const *names, const char *right)
{
  gsize length = strlen (right);
  for (gsize i = 0; i < length; i++) {
    g_autofree char *without = g_strdup_printf ("%.*s%s", (int)i, right, right + i + 1);
    g_autofree char *twice = g_strdup_printf ("%.*s%c%s", (int)i, right, right[i], right + i);
    g_autofree char *other = g_strdup (right), *swapped = g_strdup (right);
    other[i] = 'q';
    if (i + 1 < length) {
      swapped[i] = right[i + 1];
      swapped[i + 1] = right[i];
    }
    CU_ASSERT (!*without || suggests (without, names, right));
    CU_ASSERT (suggests (twice, names, right));
    CU_ASSERT (suggests (other, names, right));
    CU_ASSERT (suggests (swapped, names, right));
  }
}

static void
test_every_key_misspelled_by_a_letter_gives_its_own_name (void)
{
  static const Table *const tables[] = { &host_table, &store_table, &connector_table };
  guint checked = 0;
  for (gsize t = 0; t < G_N_ELEMENTS (tables); t++)
    for (guint i = 0; i < tables[t]->count; i++) {
      const char *key = tables[t]->keys[i].key, *dot = strrchr (key, '.');
      g_autofree char *prefix = dot ? g_strndup (key, (gsize)(dot - key)) : g_strdup ("");
      g_auto (GStrv) names = table_names (tables[t], prefix);
      check_misspellings ((const char *const *)names, dot ? dot + 1 : key);
      checked++;
    }
  CU_ASSERT (checked > 60);
}

static void
test_a_name_that_is_far_from_all_suggests_nothing (void)
{
  static const char *const names[] = { "plugin", "url", "timeout", NULL };
  CU_ASSERT_PTR_NULL (nearest_name ("dispensary", names));
  CU_ASSERT_PTR_NULL (nearest_name ("", names));
  CU_ASSERT_STRING_EQUAL (nearest_name ("tiemout", names), "timeout");
}

/* ---- a configuration in a folder of its own ---- */

typedef struct {
  char *folder, *conf, *store;
} Home;

static void
write_file (const char *folder, const char *name, const char *text, int mode)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  CU_ASSERT_FATAL (g_file_set_contents (path, text, -1, NULL));
  CU_ASSERT_FATAL (g_chmod (path, mode) == 0);
}

static Home
home_new (const char *host, const char *store)
{
  Home home = { g_dir_make_tmp ("tillbridge-config-XXXXXX", NULL), NULL, NULL };
  home.conf = g_build_filename (home.folder, "tillbridge.conf", NULL);
  g_autofree char *drop_ins = g_build_filename (home.folder, "conf.d", NULL);
  CU_ASSERT_FATAL (g_mkdir (drop_ins, 0755) == 0);
  g_autofree char *text = g_strdup_printf ("conf_d = \"conf.d\";\n%s", host);
  write_file (home.folder, "tillbridge.conf", text, 0644);
  if (store)
    write_file (home.folder, "conf.d/downtown.conf", store, 0640);
  return home;
}

static void
remove_all (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  while (dir && (name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (g_file_test (path, G_FILE_TEST_IS_DIR))
      remove_all (path);
    else
      g_unlink (path);
  }
  g_rmdir (folder);
}

static void
home_clear (Home *home)
{
  remove_all (home->folder);
  g_free (home->folder);
  g_free (home->conf);
}

#define STORE(connectors)                                                                                    \
  "store: { id = \"downtown\"; timezone = \"America/Los_Angeles\"; currency = \"USD\";\n"                    \
  "connectors: { " connectors " }; };\n"
#define POS(more)                                                                                            \
  STORE ("pos: { plugin = \"treez\"; dispensary = \"d\"; api_key = \"canary-3141\"; " more " };")

static void
test_an_empty_file_runs_with_all_defaults (void)
{
  Home home = home_new ("", NULL);
  g_autoptr (Plugins) plugins = described_plugins ();
  g_autoptr (Config) config = config_read (home.conf, plugins);
  CU_ASSERT_EQUAL (config->problems->len, 0);
  CU_ASSERT_STRING_EQUAL (config->host->api, "127.0.0.1:8420");
  CU_ASSERT_EQUAL (config->host->log, LOG_INFO);
  CU_ASSERT_EQUAL (config->host->worker_memory, 512 << 20);
  CU_ASSERT_EQUAL (config->host->keep_calls_ms, (gint64)7 * 86400000);
  CU_ASSERT_EQUAL (config->host->late_after, 2.0);
  CU_ASSERT_FALSE (config->host->unjailed);
  CU_ASSERT_PTR_NULL (config->host->public_url);
  home_clear (&home);
}

static void
test_a_connector_gets_its_settings_typed_and_with_defaults (void)
{
  Home home = home_new (
    "", POS ("form: { name = \"web\"; }; tax_share = 1; sync: { products = { every = \"5m\"; full_every = "
             "\"1d\"; }; customers = \"off\"; }; pace: { per_second = 2; }; timeout = \"20s\";"));
  g_autoptr (Plugins) plugins = described_plugins ();
  g_autoptr (Config) config = config_read (home.conf, plugins);
  g_autofree char *said = problems_in_words (config);
  CU_ASSERT_STRING_EQUAL (said, "");
  const ConfigConnector *pos = config_find_connector (config, "downtown", "pos");
  CU_ASSERT_PTR_NOT_NULL_FATAL (pos);
  CU_ASSERT_STRING_EQUAL (
    json_object_to_json_string_ext (pos->settings, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
    "{\"url\":\"https://"
    "api.treez.io\",\"generation\":\"v2\",\"dispensary\":\"d\",\"api_key\":\"canary-3141\",\"page_size\":100,"
    "\"tax_share\":1.0,\"medical\":false,\"form.name\":\"web\",\"form.note\":\"kiosk\",\"settle\":\"2s\"}");
  CU_ASSERT_STRING_EQUAL (pos->url, "https://api.treez.io");
  const ConfigSync *products = g_hash_table_lookup (pos->sync, "products");
  const ConfigSync *customers = g_hash_table_lookup (pos->sync, "customers");
  CU_ASSERT (products->every_ms == 300000 && products->full_every_ms == 86400000 && !products->off);
  CU_ASSERT (customers->off);
  CU_ASSERT (pos->per_second == 2.0 && pos->timeout_ms == 20000 && pos->enabled && !pos->allow_private);
  home_clear (&home);
}

static void
test_values_come_from_files_and_the_environment (void)
{
  Home home =
    home_new ("", STORE ("pos: { plugin = \"treez\"; dispensary = \"env:TB_TEST_DISPENSARY\"; api_key = "
                         "\"file:keys/treez\"; old_keys = [\"file:keys/treez\", \"plain\"]; };"));
  g_autofree char *keys = g_build_filename (home.folder, "conf.d/keys", NULL);
  g_mkdir (keys, 0755);
  write_file (home.folder, "conf.d/keys/treez", "swordfish\n", 0600);
  g_setenv ("TB_TEST_DISPENSARY", "from-the-environment", TRUE);
  g_autoptr (Plugins) plugins = described_plugins ();
  g_autoptr (Config) config = config_read (home.conf, plugins);
  g_unsetenv ("TB_TEST_DISPENSARY");
  const ConfigConnector *pos = config_find_connector (config, "downtown", "pos");
  CU_ASSERT_PTR_NOT_NULL_FATAL (pos);
  CU_ASSERT_STRING_EQUAL (json_object_get_string (json_object_object_get (pos->settings, "api_key")),
                          "swordfish");
  CU_ASSERT_STRING_EQUAL (json_object_get_string (json_object_object_get (pos->settings, "dispensary")),
                          "from-the-environment");
  CU_ASSERT_STRING_EQUAL (json_object_to_json_string_ext (json_object_object_get (pos->settings, "old_keys"),
                                                          JSON_C_TO_STRING_PLAIN),
                          "[\"swordfish\",\"plain\"]");
  home_clear (&home);
}

static void
test_a_secret_in_the_open_is_warned_of_unless_the_file_is_strict (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("", POS (""));
  Config *strict = config_read (home.conf, plugins);
  CU_ASSERT_EQUAL (strict->problems->len, 0);
  config_free (strict);
  write_file (home.folder, "conf.d/downtown.conf", POS (""), 0644);
  g_autoptr (Config) open = config_read (home.conf, plugins);
  CU_ASSERT_EQUAL_FATAL (open->problems->len, 1);
  const ConfigProblem *problem = g_ptr_array_index (open->problems, 0);
  CU_ASSERT (problem->warning);
  CU_ASSERT_STRING_EQUAL (problem->text, "api_key stands in the open in a file that others may read");
  CU_ASSERT_PTR_NOT_NULL (config_find_store (open, "downtown"));
  home_clear (&home);
}

static gboolean
leaks (json_object *object)
{
  const char *text = json_object_to_json_string (object);
  return strstr (text, "canary") != NULL || strstr (text, "31415926") != NULL;
}

static void
check_no_problem_leaks (const Config *config)
{
  g_autofree char *text = problems_in_words (config);
  CU_ASSERT_PTR_NULL (strstr (text, "canary"));
  CU_ASSERT_PTR_NULL (strstr (text, "31415926"));
  for (guint i = 0; i < config->problems->len; i++) {
    json_object *object = config_problem_to_json (g_ptr_array_index (config->problems, i));
    CU_ASSERT_FALSE (leaks (object));
    json_object_put (object);
  }
}

static void
test_a_secret_never_shows (void)
{
  static const char *const wrong[] = {
    "api_kye = \"canary-1\";",
    "api_key2 = \"canary-2\"; # canary",
    "private_key = canary;",
    "old_keys = { a = \"canary\"; };",
    "old_keys = [\"canary\", \"canary\"",
    "private_key = \"canary;\n timeout = \"5s\";",
    "timeout = \"5s\" private_key = canary-2718",
    "private_key : \"a\n canary\" \"canary\" \"b\n canary\" ]",
    "prxy = \"http://user:canary@host\";",
    "proxy = \"ftp://user:canary@host\";",
    "api_kye = \"a\\\"canary\";",
    "generation = \"v3\"; private_key = 12;",
    "apy_key= 0canary;",
    "api_kye = 31415926535897L;",
    "api_kye = 31415926535897;",
  };
  g_autoptr (Plugins) plugins = described_plugins ();
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autofree char *store = g_strdup_printf (POS ("%s"), wrong[i]);
    Home home = home_new ("", store);
    g_autoptr (Config) config = config_read (home.conf, plugins);
    CU_ASSERT (config->problems->len > 0);
    check_no_problem_leaks (config);
    json_object *shown = config_show (config, NULL, TRUE, TRUE);
    CU_ASSERT_FALSE (leaks (shown));
    json_object_put (shown);
    home_clear (&home);
  }
}

static json_object *
plan (const char *host_before, const char *before, const char *host_after, const char *after,
      gboolean *restart)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new (host_before, before);
  g_autoptr (Config) running = config_read (home.conf, plugins);
  g_autofree char *text = g_strdup_printf ("conf_d = \"conf.d\";\n%s", host_after);
  g_autofree char *drop_in = g_build_filename (home.folder, "conf.d/downtown.conf", NULL);
  write_file (home.folder, "tillbridge.conf", text, 0644);
  if (after)
    write_file (home.folder, "conf.d/downtown.conf", after, 0640);
  else
    g_unlink (drop_in);
  g_autoptr (Config) wanted = config_read (home.conf, plugins);
  json_object *changes = config_compare (running, wanted, restart);
  home_clear (&home);
  CU_ASSERT_FALSE (leaks (changes));
  return changes;
}

static void
check_plan (const char *before, const char *after, const char *expected)
{
  gboolean restart;
  json_object *changes = plan ("", before, "", after, &restart);
  CU_ASSERT_STRING_EQUAL (
    json_object_to_json_string_ext (changes, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
    expected);
  CU_ASSERT_FALSE (restart);
  json_object_put (changes);
}

#define CHANGE(op, what) "{\"op\":\"" op "\",\"what\":\"" what "\"}"

static void
test_a_reload_is_planned_setting_by_setting (void)
{
  check_plan (POS (""), POS (""), "[]");
  check_plan (NULL, POS (""), "[" CHANGE ("+", "downtown") "," CHANGE ("+", "downtown/pos") "]");
  check_plan (POS (""), NULL, "[" CHANGE ("-", "downtown") "," CHANGE ("-", "downtown/pos") "]");
  check_plan (
    POS ("sync: { products = \"15m\"; };"), POS ("sync: { products = \"5m\"; };"),
    "[{\"op\":\"~\",\"what\":\"downtown/pos\",\"key\":\"sync.products\",\"from\":\"15m\",\"to\":\"5m\"}]");
  check_plan (POS (""), POS ("enabled = false;"), /* it can then serve no catalogue either */
              "[{\"op\":\"~\",\"what\":\"downtown\",\"key\":\"catalogue\",\"from\":\"pos\"},"
              "{\"op\":\"~\",\"what\":\"downtown\",\"key\":\"orders\",\"from\":\"pos\"},"
              "{\"op\":\"~\",\"what\":\"downtown\",\"key\":\"customers\",\"from\":\"pos\"},"
              "{\"op\":\"~\",\"what\":\"downtown/pos\",\"key\":\"enabled\",\"from\":true,\"to\":false}]");
}

static void
test_a_changed_secret_is_in_the_plan_and_stays_hidden (void)
{
  check_plan (POS (""),
              STORE ("pos: { plugin = \"treez\"; dispensary = \"d\"; api_key = \"canary-2718\"; };"),
              "[{\"op\":\"~\",\"what\":\"downtown/"
              "pos\",\"key\":\"api_key\",\"from\":\"(hidden)\",\"to\":\"(hidden)\"}]");
}

static void
test_a_store_with_errors_keeps_what_runs (void)
{
  check_plan (POS (""), POS ("api_kye = \"x\";"), "[]");
  check_plan (POS (""), "store: {", "[]");
}

static void
test_a_plan_tells_what_needs_a_restart (void)
{
  gboolean restart;
  json_object_put (plan ("log = \"info\";", POS (""), "log = \"debug\";", POS (""), &restart));
  CU_ASSERT_FALSE (restart);
  json_object_put (plan ("unjailed = false;", POS (""), "unjailed = true;", POS (""), &restart));
  CU_ASSERT_TRUE (restart);
}

static void
test_a_broken_host_file_changes_nothing (void)
{
  gboolean restart;
  json_object *changes = plan ("", POS (""), "lgo = \"debug\";", NULL, &restart);
  CU_ASSERT_EQUAL (json_object_array_length (changes), 0);
  json_object_put (changes);
}

static void
test_a_folder_that_cannot_be_read_takes_no_store_away (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("", NULL);
  write_file (home.folder, "tillbridge.conf", "conf_d = \"nowhere\";\n", 0644);
  g_autoptr (Config) config = config_read (home.conf, plugins);
  CU_ASSERT_EQUAL (config->problems->len, 1);
  CU_ASSERT (config->host_broken);
  home_clear (&home);
}

static void
test_what_is_shown_says_where_it_comes_from (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("log = \"debug\";\n", POS ("client_id = \"c\";"));
  g_autoptr (Config) config = config_read (home.conf, plugins);
  json_object *brief = config_show (config, "downtown", FALSE, FALSE),
              *whole = config_show (config, NULL, TRUE, TRUE);
  CU_ASSERT_STRING_EQUAL (
    json_object_to_json_string_ext (brief, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
    "{\"stores\":[{\"id\":\"downtown\",\"file\":\"conf.d/"
    "downtown.conf\",\"settings\":{\"id\":\"downtown\",\"timezone\":\"America/Los_Angeles\","
    "\"currency\":\"USD\"},\"connectors\":[{\"name\":\"pos\",\"settings\":{\"plugin\":\"treez\","
    "\"dispensary\":\"d\",\"client_id\":\"c\","
    "\"api_key\":\"(hidden)\"}}]}]}");
  const char *text =
    json_object_to_json_string_ext (whole, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "\"log\":{\"value\":\"debug\",\"origin\":\"tillbridge.conf:2\"}"));
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "\"page_size\":{\"value\":100,\"origin\":\"default\"}"));
  json_object_put (brief);
  json_object_put (whole);
  home_clear (&home);
}

static void
test_a_problem_is_json_too_and_coloured_on_a_terminal (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("", POS ("api_kye = \"env:X\";"));
  g_autoptr (Config) config = config_read (home.conf, plugins);
  CU_ASSERT_EQUAL_FATAL (config->problems->len, 1);
  json_object *object = config_problem_to_json (g_ptr_array_index (config->problems, 0));
  CU_ASSERT_STRING_EQUAL (
    json_object_to_json_string_ext (object, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
    "{\"file\":\"conf.d/downtown.conf\",\"line\":2,\"column\":83,\"severity\":\"error\",\"text\":\"no "
    "setting \\\"api_kye\\\" in plugin treez\","
    "\"hint\":\"did you mean \\\"api_key\\\"?\",\"store\":\"downtown\"}");
  json_object_put (object);
  g_autofree char *text = config_problem_to_text (g_ptr_array_index (config->problems, 0), TRUE);
  CU_ASSERT_PTR_NOT_NULL (strstr (text, "\033[1;31merror:\033[0m"));
  home_clear (&home);
}

static void
test_drop_ins_alone_can_be_checked (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("", POS ("tiemout = \"5s\";"));
  g_autofree char *path = g_build_filename (home.folder, "conf.d/downtown.conf", NULL);
  char *files[] = { path, NULL };
  g_autoptr (Config) config = config_read_files (NULL, files, plugins);
  CU_ASSERT_EQUAL_FATAL (config->problems->len, 1);
  const ConfigProblem *problem = g_ptr_array_index (config->problems, 0);
  CU_ASSERT_STRING_EQUAL (problem->file, path);
  CU_ASSERT_STRING_EQUAL (problem->hint, "did you mean \"timeout\"?");
  home_clear (&home);
}

static void
test_equal_connectors_are_equal_down_to_their_settings (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  Home home = home_new ("", POS (""));
  g_autoptr (Config) one = config_read (home.conf, plugins);
  g_autoptr (Config) same = config_read (home.conf, plugins);
  write_file (home.folder, "conf.d/downtown.conf", POS ("client_id = \"c\";"), 0640);
  g_autoptr (Config) other = config_read (home.conf, plugins);
  CU_ASSERT (config_connector_equal (config_find_connector (one, "downtown", "pos"),
                                     config_find_connector (same, "downtown", "pos")));
  CU_ASSERT_FALSE (config_connector_equal (config_find_connector (one, "downtown", "pos"),
                                           config_find_connector (other, "downtown", "pos")));
  home_clear (&home);
}

static void
test_the_manual_lists_the_keys_as_they_are (void)
{
  g_autofree char *path = source_path ("../../../docs/configuration.md"), *document = NULL;
  CU_ASSERT_FATAL (g_file_get_contents (path, &document, NULL, NULL));
  g_autofree char *renewed = reference_renew (document);
  CU_ASSERT (strcmp (document, renewed) == 0); /* make docs */
  CU_ASSERT_PTR_NOT_NULL (strstr (document, "| `limits.worker_memory` |"));
  CU_ASSERT_PTR_NOT_NULL (strstr (document, "| `quiet_hours.from` |"));
  CU_ASSERT_PTR_NOT_NULL (strstr (document, "| `pace.per_second` |"));
}

static void
test_the_example_is_right (void)
{
  g_autoptr (Plugins) plugins = described_plugins ();
  g_autofree char *path = source_path ("../../../conf.d/downtown.conf.example"), *text = NULL;
  CU_ASSERT_FATAL (g_file_get_contents (path, &text, NULL, NULL));
  g_autofree char *key = g_strdup_printf ("file:%s", path);
  g_auto (GStrv) parts = g_strsplit (text, "file:/etc/tillbridge/keys/downtown-treez", -1);
  g_autofree char *store = g_strjoinv (key, parts);
  Home home = home_new ("", store);
  g_autoptr (Config) config = config_read (home.conf, plugins);
  g_autofree char *said = problems_in_words (config);
  CU_ASSERT_STRING_EQUAL (said, "");
  CU_ASSERT_PTR_NOT_NULL (config_find_connector (config, "downtown", "pos"));
  home_clear (&home);
}

int
main (void)
{
  return TAP_RUN (
    "config",
    { "the examples of the manual are told as they are printed",
      test_the_examples_of_the_manual_are_told_as_they_are_printed },
    { "what libconfig gets wrong is told right", test_what_libconfig_gets_wrong_is_told_right },
    { "every mistake of a file is told in one go", test_every_mistake_of_a_file_is_told_in_one_go },
    { "every key misspelled by a letter gives its own name",
      test_every_key_misspelled_by_a_letter_gives_its_own_name },
    { "a name that is far from all suggests nothing", test_a_name_that_is_far_from_all_suggests_nothing },
    { "an empty file runs with all defaults", test_an_empty_file_runs_with_all_defaults },
    { "a connector gets its settings typed and with defaults",
      test_a_connector_gets_its_settings_typed_and_with_defaults },
    { "values come from files and the environment", test_values_come_from_files_and_the_environment },
    { "a secret in the open is warned of unless the file is strict",
      test_a_secret_in_the_open_is_warned_of_unless_the_file_is_strict },
    { "a secret never shows", test_a_secret_never_shows },
    { "a reload is planned setting by setting", test_a_reload_is_planned_setting_by_setting },
    { "a changed secret is in the plan and stays hidden",
      test_a_changed_secret_is_in_the_plan_and_stays_hidden },
    { "a store with errors keeps what runs", test_a_store_with_errors_keeps_what_runs },
    { "a plan tells what needs a restart", test_a_plan_tells_what_needs_a_restart },
    { "a broken host file changes nothing", test_a_broken_host_file_changes_nothing },
    { "a folder that cannot be read takes no store away",
      test_a_folder_that_cannot_be_read_takes_no_store_away },
    { "what is shown says where it comes from", test_what_is_shown_says_where_it_comes_from },
    { "a problem is JSON too and coloured on a terminal",
      test_a_problem_is_json_too_and_coloured_on_a_terminal },
    { "drop-ins alone can be checked", test_drop_ins_alone_can_be_checked },
    { "equal connectors are equal down to their settings",
      test_equal_connectors_are_equal_down_to_their_settings },
    { "the manual lists the keys as they are", test_the_manual_lists_the_keys_as_they_are },
    { "the example is right", test_the_example_is_right });
}
