#include "cli/answers.h"

#include <string.h>

json_object *
answers_one (Cli *cli, const char *method, const char *target, json_object *body, int *status)
{
  g_autoptr (GError) error = NULL;
  Client *client = cli_client (cli, status);
  json_object *answer = client ? client_json (client, method, target, body, &error) : NULL;
  if (error)
    *status = cli_fail (cli, error);
  return answer;
}

int
answers_print (Cli *cli, const char *method, const char *target, json_object *body)
{
  int status;
  g_autoptr (GError) error = NULL;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  g_autoptr (GString) answer = client_ask (client, method, target, body, &error);
  if (!answer)
    return cli_fail (cli, error);
  fprintf (cli->out, "%s\n", answer->str);
  return CLI_DONE;
}

/* ---- lists ---- */

typedef struct {
  Cli *cli;
  const ListShape *shape;
  Grid *grid;
  json_object *all;
} Listing;

static json_object *
read_item (const char *item, gsize length)
{
  g_autofree char *text = g_strndup (item, length);
  return json_tokener_parse (text);
}

static gboolean
print_item (const char *item, gsize length, gpointer data)
{
  FILE *out = ((Listing *)data)->cli->out;
  fwrite (item, 1, length, out);
  fputc ('\n', out);
  return !ferror (out);
}

static gboolean
add_row (const char *item, gsize length, gpointer data)
{
  Listing *listing = data;
  json_object *json = read_item (item, length);
  listing->shape->row (listing->cli, listing->grid, json);
  json_object_put (json);
  return TRUE;
}

static gboolean
add_item (const char *item, gsize length, gpointer data)
{
  json_object_array_add (((Listing *)data)->all, read_item (item, length));
  return TRUE;
}

int
answers_list (Cli *cli, const char *target, guint64 most, const ListShape *shape)
{
  return answers_list_of (cli, NULL, target, most, shape);
}

int
answers_list_of (Cli *cli, const char *owner, const char *target, guint64 most, const ListShape *shape)
{
  int status = CLI_DONE;
  gboolean more = FALSE;
  g_autoptr (GError) error = NULL;
  Listing listing = { .cli = cli, .shape = shape, .grid = cli->json ? NULL : shape->grid (cli) };
  Client *client = cli_client (cli, &status);
  gboolean good =
    client && client_list (client, target, most, cli->json ? print_item : add_row, &listing, &more, &error);
  guint rows = listing.grid ? grid_rows (listing.grid) : 0;
  if (listing.grid)
    grid_end (listing.grid);
  if (!good)
    return client ? cli_fail (cli, error) : status;
  if (cli->json)
    return CLI_DONE;
  if (!rows && owner && !answers_owner (cli, owner, &status))
    return status;
  if (!rows)
    fprintf (cli->out, "%s\n", shape->empty);
  if (more && cli_number (cli, "limit", 0) == 0)
    cli_note (cli, "There are more; --limit N shows N of them, --json all.");
  return CLI_DONE;
}

gboolean
answers_owner (Cli *cli, const char *owner, int *status)
{
  json_object *answer = answers_one (cli, "GET", owner, NULL, status);
  gboolean there = answer != NULL;
  json_object_put (answer);
  return there;
}

json_object *
answers_all (Cli *cli, const char *target, int *status)
{
  g_autoptr (GError) error = NULL;
  Listing listing = { .cli = cli, .all = json_object_new_array () };
  Client *client = cli_client (cli, status);
  if (client && client_list (client, target, 0, add_item, &listing, NULL, &error))
    return listing.all;
  if (error)
    *status = cli_fail (cli, error);
  json_object_put (listing.all);
  return NULL;
}

gboolean
answers_limit (Cli *cli, guint64 standard, guint64 *most, int *status)
{
  gint64 limit = cli_number (cli, "limit", -1);
  if (limit == 0) {
    *status = cli_wrong_usage (cli, "--limit is 0, expected at least 1");
    return FALSE;
  }
  *most = limit > 0 ? (guint64)limit : cli->json ? 0 : standard;
  return TRUE;
}
