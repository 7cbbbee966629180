/* Names for completion: from the daemon, where it answers at once; else from the files. */
#include <string.h>

#include "cli/client.h"
#include "cli/complete.h"
#include "cli/words.h"
#include "config/config.h"
#include "config/problems.h"

enum { NAMES_PATIENCE_MS = 1000, NAMES_MOST = 10000 };

/* Nothing is told when there is none to ask. */
static Client *
quiet_client (Cli *cli)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  if (!cli->socket) {
    g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
    cli->socket = g_strdup (host->socket);
  }
  if (!cli->socket)
    return NULL;
  if (!cli->client)
    cli->client = client_new (cli->socket);
  client_set_patience (cli->client, NAMES_PATIENCE_MS);
  return cli->client;
}

static gboolean
take_item (const char *item, gsize length, gpointer data)
{
  g_autofree char *text = g_strndup (item, length);
  json_object_array_add (data, json_tokener_parse (text));
  return TRUE;
}

/* NULL: the daemon does not answer. */
static json_object *
ask (Cli *cli, const char *target)
{
  g_autoptr (GError) error = NULL;
  Client *client = quiet_client (cli);
  json_object *all = json_object_new_array ();
  if (client && client_list (client, target, NAMES_MOST, take_item, all, NULL, &error))
    return all;
  json_object_put (all);
  return NULL;
}

static json_object *
text_member (json_object *object, const char *name, const char *text)
{
  json_object_object_add (object, name, json_object_new_string (text));
  return object;
}

/* The connectors as the API tells them, as far as the files say it. Stores with errors have none. */
static json_object *
connectors_of_files (Cli *cli)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  g_autofree char *worker = worker_program ();
  g_autoptr (Plugins) plugins = plugins_scan (host->plugins, worker, NULL);
  g_autoptr (Config) config = config_read (cli->config, plugins);
  json_object *all = json_object_new_array ();
  for (guint s = 0; s < config->stores->len; s++) {
    const ConfigStore *store = g_ptr_array_index (config->stores, s);
    for (guint c = 0; c < store->connectors->len; c++) {
      const ConfigConnector *connector = g_ptr_array_index (store->connectors, c);
      json_object *one = text_member (json_object_new_object (), "store", store->id);
      json_object_array_add (all, text_member (one, "name", connector->name));
    }
  }
  return all;
}

static json_object *
connectors (Cli *cli)
{
  json_object *all = ask (cli, "/v1/connectors");
  return all ? all : connectors_of_files (cli);
}

static guint
segments_of (const char *text)
{
  guint count = 1;
  for (; *text; text++)
    count += *text == '/';
  return count;
}

/* A place of that many segments: bare where it may end there, and with a slash where it must go on. */
static void
add_place (Candidates *candidates, const char *place, guint segments, guint least)
{
  g_autofree char *text = g_strconcat (place, segments < least ? "/" : "", NULL);
  candidates_add (candidates, text, NULL);
}

void
complete_places (Cli *cli, Candidates *candidates, const char *typed, guint least, guint most)
{
  json_object *all = connectors (cli);
  guint segments = segments_of (typed);
  for (gsize i = 0; segments <= most && i < json_object_array_length (all); i++) {
    json_object *one = json_object_array_get_idx (all, i), *streams = member_at (one, "streams");
    const char *store = member_text (one, "store");
    g_autofree char *connector = g_strdup_printf ("%s/%s", store, member_text (one, "name"));
    if (segments < 3)
      add_place (candidates, segments == 1 ? store : connector, segments, least);
    if (segments < 3 || !streams)
      continue;
    json_object_object_foreach (streams, name, stream)
    {
      g_autofree char *place = g_strdup_printf ("%s/%s", connector, name);
      (void)stream;
      add_place (candidates, place, 3, least);
    }
  }
  json_object_put (all);
}

void
complete_connector_names (Cli *cli, Candidates *candidates, const char *store)
{
  json_object *all = connectors (cli);
  for (gsize i = 0; i < json_object_array_length (all); i++) {
    json_object *one = json_object_array_get_idx (all, i);
    if (strcmp (member_text (one, "store"), store) == 0)
      candidates_add (candidates, member_text (one, "name"), member_text (one, "plugin"));
  }
  json_object_put (all);
}

static void
add_plugin_files (Cli *cli, Candidates *candidates)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  g_autofree char *worker = worker_program ();
  g_autoptr (Plugins) plugins = plugins_scan (host->plugins, worker, NULL);
  GPtrArray *infos = plugins_all (plugins);
  for (guint i = 0; i < infos->len; i++) {
    const PluginInfo *info = g_ptr_array_index (infos, i);
    candidates_add (candidates, info->name, info->title);
  }
}

void
complete_plugins (Cli *cli, Candidates *candidates)
{
  json_object *all = ask (cli, "/v1/plugins");
  if (!all)
    add_plugin_files (cli, candidates);
  for (gsize i = 0; all && i < json_object_array_length (all); i++)
    candidates_add (candidates, member_text (json_object_array_get_idx (all, i), "name"),
                    member_text (json_object_array_get_idx (all, i), "title"));
  json_object_put (all);
}

void
complete_held (Cli *cli, Candidates *candidates)
{
  json_object *all = ask (cli, "/v1/passes?state=held");
  for (gsize i = 0; all && i < json_object_array_length (all); i++) {
    json_object *pass = json_object_array_get_idx (all, i);
    g_autofree char *stream = g_strdup_printf ("%s/%s/%s", member_text (pass, "store"),
                                               member_text (pass, "connector"), member_text (pass, "stream"));
    candidates_add (candidates, member_text (pass, "id"), stream);
  }
  json_object_put (all);
}
