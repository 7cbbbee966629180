/* plugins and plugin show: from the daemon, which knows how the workers do; without one, from the files. */
#include <string.h>

#include "cli/answers.h"
#include "cli/words.h"
#include "config/config.h"
#include "config/problems.h"

static Grid *
plugins_grid (Cli *cli)
{
  return grid_new (cli, "PLUGIN", GRID_LEFT, "VERSION", GRID_LEFT, "STATE", GRID_STATE, "TITLE", GRID_CUT,
                   "CAN", GRID_CUT, "FILE", GRID_CUT, "WHY", GRID_CUT, NULL);
}

static void
plugins_row (Cli *cli, Grid *grid, json_object *plugin)
{
  g_autofree char *can = words_list (member_at (plugin, "capabilities"));
  grid_add (grid, member_text (plugin, "name"), member_text (plugin, "version"),
            member_text (plugin, "state"), member_text (plugin, "title"), can, member_text (plugin, "file"),
            member_text (plugin, "text"));
}

/* What the files say of themselves, in the shape of the API, without worker: state is refused or not said. */
static json_object *
describe (const PluginInfo *info)
{
  json_object *json = json_object_new_object ();
  json_object_object_add (json, "name", json_object_new_string (info->name));
  json_object_object_add (json, "file", json_object_new_string (info->file));
  if (info->refused) {
    json_object_object_add (json, "state", json_object_new_string ("refused"));
    json_object_object_add (json, "text", json_object_new_string (info->refused));
    return json;
  }
  json_object_object_foreach (info->description, name, value)
  {
    if (!member_at (json, name))
      json_object_object_add (json, name, json_object_get (value));
  }
  return json;
}

/* All of the configured folders; an array. */
static json_object *
scan (Cli *cli)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  g_autofree char *worker = worker_program ();
  g_autoptr (Plugins) plugins = plugins_scan (host->plugins, worker, NULL);
  json_object *all = json_object_new_array ();
  GPtrArray *infos = plugins_all (plugins);
  for (guint i = 0; i < infos->len; i++)
    json_object_array_add (all, describe (g_ptr_array_index (infos, i)));
  return all;
}

/* Is no daemon there to ask? Then the files are read, which is told. */
static gboolean
is_offline (Cli *cli, Client **client, int *status)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  *client = NULL;
  if (!cli->socket && !host->socket)
    return TRUE;
  *client = cli_client (cli, status);
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) ready = *client ? client_ask (*client, "GET", "/healthz", NULL, &error) : NULL;
  if (!g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_UNREACHABLE))
    return FALSE;
  cli_note (cli, "The daemon does not answer: this is what the files say.");
  return TRUE;
}

static void
print_line (Cli *cli, json_object *item)
{
  fprintf (cli->out, "%s\n",
           json_object_to_json_string_ext (item, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

static const ListShape plugins_shape = { plugins_grid, plugins_row, "No plugin is installed." };

static int
list_files (Cli *cli)
{
  json_object *all = scan (cli);
  gsize count = json_object_array_length (all);
  Grid *grid = plugins_grid (cli);
  for (gsize i = 0; i < count; i++) {
    json_object *plugin = json_object_array_get_idx (all, i);
    if (cli->json)
      print_line (cli, plugin);
    else
      plugins_row (cli, grid, plugin);
  }
  grid_end (grid);
  if (!count && !cli->json)
    fprintf (cli->out, "%s\n", plugins_shape.empty);
  json_object_put (all);
  return CLI_DONE;
}

int
verb_plugins (Cli *cli)
{
  Client *client;
  int status;
  if (is_offline (cli, &client, &status))
    return list_files (cli);
  return client ? answers_list (cli, "/v1/plugins", 0, &plugins_shape) : status;
}

/* ---- one ---- */

static void
show_worker (Cli *cli, json_object *worker)
{
  g_autofree char *since = words_age (cli->now_ms - member_time (worker, "since"));
  fprintf (cli->out, "worker        pid %" G_GINT64_FORMAT ", since %s, %" G_GINT64_FORMAT " %s, %.1f MB\n",
           member_number (worker, "pid"), since, member_number (worker, "restarts"),
           words_plural (member_number (worker, "restarts"), "restart", "restarts"),
           (double)member_number (worker, "resident_bytes") / 1e6);
}

static void
show_streams (Cli *cli, json_object *streams)
{
  Grid *grid = grid_new (cli, "STREAM", GRID_LEFT, "KINDS", GRID_CUT, "EVERY", GRID_RIGHT, "LEAST",
                         GRID_RIGHT, "FULL EVERY", GRID_RIGHT, "WHAT A FULL PASS LACKS", GRID_CUT, NULL);
  for (gsize i = 0; streams && i < json_object_array_length (streams); i++) {
    json_object *stream = json_object_array_get_idx (streams, i);
    g_autofree char *kinds = words_list (member_at (stream, "kinds"));
    g_autofree char *every = words_age (member_number (stream, "every_s") * 1000);
    g_autofree char *least = words_age (member_number (stream, "least_s") * 1000);
    gint64 full_s = member_number (stream, "full_every_s");
    g_autofree char *full = full_s ? words_age (full_s * 1000) : NULL;
    grid_add (grid, member_text (stream, "name"), kinds, every, least, full, member_text (stream, "missing"));
  }
  if (grid_rows (grid))
    fputc ('\n', cli->out);
  grid_end (grid);
}

static void
show_settings (Cli *cli, json_object *settings)
{
  Grid *grid = grid_new (cli, "SETTING", GRID_LEFT, "TYPE", GRID_LEFT, "REQUIRED", GRID_LEFT, "DEFAULT",
                         GRID_CUT, "MEANING", GRID_CUT, NULL);
  for (gsize i = 0; settings && i < json_object_array_length (settings); i++) {
    json_object *setting = json_object_array_get_idx (settings, i);
    grid_add (grid, member_text (setting, "key"), member_text (setting, "type"),
              member_is (setting, "required") ? "yes" : "no", member_text (setting, "default"),
              member_text (setting, "help"));
  }
  if (grid_rows (grid))
    fputc ('\n', cli->out);
  grid_end (grid);
}

static void
show_plugin (Cli *cli, json_object *plugin)
{
  static const char *const names[] = { "name", "title", "version", "sdk", "state",
                                       "text", "file",  "help",    "docs" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *text = words_safe (member_text (plugin, names[i]));
    if (*text)
      fprintf (cli->out, "%-13s %s\n", names[i], text);
  }
  g_autofree char *can = words_list (member_at (plugin, "capabilities"));
  if (*can)
    fprintf (cli->out, "%-13s %s\n", "can", can);
  if (member_at (plugin, "worker"))
    show_worker (cli, member_at (plugin, "worker"));
  show_streams (cli, member_at (plugin, "streams"));
  show_settings (cli, member_at (plugin, "settings"));
}

static int
show_file (Cli *cli, const char *name)
{
  json_object *all = scan (cli), *found = NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (gsize i = 0; i < json_object_array_length (all); i++) {
    json_object *plugin = json_object_array_get_idx (all, i);
    g_ptr_array_add (names, (gpointer)member_text (plugin, "name"));
    if (strcmp (member_text (plugin, "name"), name) == 0)
      found = plugin;
  }
  g_ptr_array_add (names, NULL);
  const char *nearest = found ? NULL : nearest_name (name, (const char *const *)names->pdata);
  int status = CLI_DONE;
  if (!found)
    status = cli_failed (cli, "no plugin \"%s\" is installed%s%s%s", name, nearest ? ", did you mean \"" : "",
                         nearest ? nearest : "", nearest ? "\"?" : "");
  else if (cli->json)
    print_line (cli, found);
  else
    show_plugin (cli, found);
  json_object_put (all);
  return status;
}

int
verb_plugin_show (Cli *cli)
{
  const char *name = cli_argument (cli, 0);
  Client *client;
  int status = CLI_DONE;
  g_autoptr (GString) target = target_new ("/v1/plugins");
  target_segment (target, name);
  if (is_offline (cli, &client, &status))
    return show_file (cli, name);
  if (!client)
    return status;
  if (cli->json)
    return answers_print (cli, "GET", target->str, NULL);
  json_object *plugin = answers_one (cli, "GET", target->str, NULL, &status);
  if (plugin)
    show_plugin (cli, plugin);
  json_object_put (plugin);
  return status;
}
