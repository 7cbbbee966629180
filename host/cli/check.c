/* check and config show: the configuration as it stands in the files, without the daemon. */
#include <string.h>

#include "cli/cli.h"
#include "cli/words.h"
#include "config/config.h"
#include "config/problems.h"

/* ---- check ---- */

static void
print_problem (Cli *cli, const ConfigProblem *problem)
{
  if (cli->json) {
    json_object *json = config_problem_to_json (problem);
    fprintf (cli->out, "%s\n",
             json_object_to_json_string_ext (json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put (json);
    return;
  }
  g_autofree char *text = config_problem_to_text (problem, cli->colour);
  fputs (text, cli->out);
}

/* "2 stores have errors; 41 stores are fine." */
static void
print_summary (Cli *cli, const Config *config, guint errors, guint warnings)
{
  guint broken = config->broken->len, fine = 0;
  for (guint i = 0; i < config->stores->len; i++)
    fine += strcmp (((const ConfigStore *)g_ptr_array_index (config->stores, i))->id, "shared") != 0;
  if (config->host_broken)
    fprintf (cli->out, "tillbridge.conf has errors: nothing of this would be applied; ");
  if (broken)
    fprintf (cli->out, "%u %s; ", broken, words_plural (broken, "store has errors", "stores have errors"));
  else if (errors && !config->host_broken)
    fprintf (cli->out, "%u %s; ", errors, words_plural (errors, "error", "errors"));
  fprintf (cli->out, "%u %s", fine, words_plural (fine, "store is fine", "stores are fine"));
  if (warnings)
    fprintf (cli->out, "; %u %s", warnings, words_plural (warnings, "warning", "warnings"));
  fputs (".\n", cli->out);
}

static Config *
read_config (Cli *cli, char **files)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  g_autofree char *worker = worker_program ();
  /* After the configuration: it owns nothing of the plugins'. */
  g_autoptr (Plugins) plugins = plugins_scan (host->plugins, worker, NULL);
  return files && *files ? config_read_files (host, files, plugins) : config_read (cli->config, plugins);
}

int
verb_check (Cli *cli)
{
  g_autoptr (Config) config = read_config (cli, cli->arguments);
  guint errors = 0, warnings = 0;
  for (guint i = 0; i < config->problems->len; i++) {
    const ConfigProblem *problem = g_ptr_array_index (config->problems, i);
    print_problem (cli, problem);
    errors += !problem->warning;
    warnings += problem->warning;
  }
  if (!cli->json)
    print_summary (cli, config, errors, warnings);
  return errors || config->host_broken ? CLI_FAILED : CLI_DONE;
}

/* ---- config show ---- */

static void
print_settings (Cli *cli, json_object *settings, int indent, gboolean origin)
{
  json_object_object_foreach (settings, key, entry)
  {
    g_autofree char *value = words_value (origin ? member_at (entry, "value") : entry);
    g_autofree char *line = g_strdup_printf ("%*s%s = %s;", indent, "", key, value);
    if (origin)
      fprintf (cli->out, "%-56s # %s\n", line, member_text (entry, "origin"));
    else
      fprintf (cli->out, "%s\n", line);
  }
}

static void
print_store (Cli *cli, json_object *store, gboolean origin)
{
  json_object *connectors = member_at (store, "connectors");
  fprintf (cli->out, "store %s  # %s\n", member_text (store, "id"), member_text (store, "file"));
  print_settings (cli, member_at (store, "settings"), 2, origin);
  for (gsize i = 0; i < json_object_array_length (connectors); i++) {
    json_object *connector = json_object_array_get_idx (connectors, i);
    fprintf (cli->out, "  connector %s\n", member_text (connector, "name"));
    print_settings (cli, member_at (connector, "settings"), 4, origin);
  }
}

static void
print_shown (Cli *cli, json_object *shown, gboolean origin)
{
  json_object *host = member_at (shown, "host"), *stores = member_at (shown, "stores");
  if (host) {
    const char *file = member_text (host, "file");
    fprintf (cli->out, "tillbridge.conf  # %s\n", *file ? file : "there is none: all defaults");
    print_settings (cli, member_at (host, "settings"), 2, origin);
  }
  for (gsize i = 0; i < json_object_array_length (stores); i++)
    print_store (cli, json_object_array_get_idx (stores, i), origin);
}

static int
no_such_store (Cli *cli, const Config *config, const char *store)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < config->broken->len; i++)
    if (strcmp (g_ptr_array_index (config->broken, i), store) == 0)
      return cli_failed (cli, "store %s has errors; tillbridge check shows them", store);
  for (guint i = 0; i < config->stores->len; i++)
    g_ptr_array_add (names, ((ConfigStore *)g_ptr_array_index (config->stores, i))->id);
  g_ptr_array_add (names, NULL);
  const char *nearest = nearest_name (store, (const char *const *)names->pdata);
  return cli_failed (cli, "there is no store \"%s\"%s%s%s", store, nearest ? ", did you mean \"" : "",
                     nearest ? nearest : "", nearest ? "\"?" : "");
}

int
verb_config_show (Cli *cli)
{
  const char *store = cli_argument (cli, 0);
  gboolean origin = cli_flag (cli, "origin");
  g_autoptr (Config) config = read_config (cli, NULL);
  if (store && !config_find_store (config, store))
    return no_such_store (cli, config, store);
  json_object *shown = config_show (config, store, cli_flag (cli, "all"), origin);
  if (cli->json)
    fprintf (cli->out, "%s\n",
             json_object_to_json_string_ext (shown, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
  else
    print_shown (cli, shown, origin);
  json_object_put (shown);
  guint broken = config->broken->len;
  if (broken || config->host_broken)
    cli_note (cli, "What has errors is left out; tillbridge check shows them.");
  return config->host_broken ? CLI_FAILED : CLI_DONE;
}
