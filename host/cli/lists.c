/* The verbs that show one list: stores, connectors, changes, rejects, passes. */
#include <string.h>

#include "cli/answers.h"
#include "cli/follow.h"
#include "cli/place.h"
#include "cli/words.h"

enum { LISTS_HISTORY = 50 }; /* rows of passes, rejects and changes, unless more are asked for */

static char *
place_of (json_object *item)
{
  const char *stream = member_text (item, "stream");
  return g_strdup_printf ("%s/%s%s%s", member_text (item, "store"), member_text (item, "connector"),
                          *stream ? "/" : "", stream);
}

static char *
time_at (json_object *item, const char *name)
{
  return words_time (member_time (item, name));
}

/* Of "store" or "store/connector"; store NULL: NULL. g_free(). */
static char *
owner_of (const char *store, const char *connector)
{
  if (!store)
    return NULL;
  GString *target = target_new (connector ? "/v1/connectors" : "/v1/stores");
  target_segment (target, store);
  if (connector)
    target_segment (target, connector);
  return g_string_free (target, FALSE);
}

/* ---- stores, connectors ---- */

static Grid *
stores_grid (Cli *cli)
{
  return grid_new (cli, "STORE", GRID_LEFT, "NAME", GRID_CUT, "STATE", GRID_STATE, "CONNECTORS", GRID_CUT,
                   "IN WORDS", GRID_CUT, NULL);
}

static void
stores_row (Cli *cli, Grid *grid, json_object *store)
{
  json_object *connectors = member_at (store, "connectors");
  g_autoptr (GString) names = g_string_new (NULL);
  for (gsize i = 0; connectors && i < json_object_array_length (connectors); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "",
                            member_text (json_object_array_get_idx (connectors, i), "name"));
  grid_add (grid, member_text (store, "id"), member_text (store, "name"), member_text (store, "state"),
            names->str, member_text (store, "text"));
}

int
verb_stores (Cli *cli)
{
  static const ListShape shape = {
    stores_grid, stores_row, "No store is configured: put a drop-in into conf.d and run tillbridge reload."
  };
  return answers_list (cli, "/v1/stores", 0, &shape);
}

static Grid *
connectors_grid (Cli *cli)
{
  return grid_new (cli, "CONNECTOR", GRID_LEFT, "PLUGIN", GRID_LEFT, "VERSION", GRID_LEFT, "STATE",
                   GRID_STATE, "CAN", GRID_CUT, "WHY", GRID_CUT, NULL);
}

static void
connectors_row (Cli *cli, Grid *grid, json_object *connector)
{
  g_autofree char *label =
    g_strdup_printf ("%s/%s", member_text (connector, "store"), member_text (connector, "name"));
  g_autofree char *can = words_list (member_at (connector, "capabilities"));
  grid_add (grid, label, member_text (connector, "plugin"), member_text (connector, "version"),
            member_text (connector, "state"), can, member_text (connector, "text"));
}

int
verb_connectors (Cli *cli)
{
  static const ListShape shape = { connectors_grid, connectors_row, "There are no connectors." };
  g_autoptr (GString) target = target_new ("/v1/connectors");
  g_autofree char *owner = owner_of (cli_argument (cli, 0), NULL);
  target_parameter (target, "store", cli_argument (cli, 0));
  return answers_list_of (cli, owner, target->str, 0, &shape);
}

/* ---- changes ---- */

static Grid *
changes_grid (Cli *cli)
{
  return grid_new (cli, "SEQ", GRID_RIGHT, "AT", GRID_LEFT, "OP", GRID_LEFT, "KIND", GRID_LEFT, "CONNECTOR",
                   GRID_LEFT, "ID", GRID_LEFT, "SOURCE", GRID_LEFT, "NAME", GRID_CUT, NULL);
}

static void
changes_row (Cli *cli, Grid *grid, json_object *change)
{
  g_autofree char *seq = g_strdup_printf ("%" G_GINT64_FORMAT, member_number (change, "seq"));
  g_autofree char *at = time_at (change, "at");
  g_autofree char *place = place_of (change);
  grid_add (grid, seq, at, member_text (change, "op"), member_text (change, "kind"), place,
            member_text (change, "id"), member_text (change, "source"),
            member_text (member_at (change, "record"), "name"));
}

int
verb_changes (Cli *cli)
{
  static const ListShape shape = { changes_grid, changes_row, "Nothing has changed since." };
  gint64 since = cli_number (cli, "since", -1);
  g_autofree char *seq = since >= 0 ? g_strdup_printf ("%" G_GINT64_FORMAT, since) : NULL;
  g_autoptr (GString) target = target_new ("/v1/changes");
  guint64 most;
  int status;
  gboolean follow = cli_flag (cli, "follow");
  g_autofree char *owner = owner_of (cli_text (cli, "store"), NULL);
  target_parameter (target, "store", cli_text (cli, "store"));
  target_parameter (target, "kinds", cli_text (cli, "kinds"));
  if (!answers_limit (cli, follow ? 0 : LISTS_HISTORY, &most, &status))
    return status;
  if (follow && owner && !answers_owner (cli, owner, &status))
    return status;
  if (follow)
    return follow_changes (cli, target->str, seq, most);
  target_parameter (target, "since", seq);
  return answers_list_of (cli, owner, target->str, most, &shape);
}

/* ---- rejects, passes ---- */

static int
list_history (Cli *cli, const char *path, const char *state, const ListShape *shape)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) target = target_new (path);
  guint64 most;
  int status;
  if (!place_read (&place, cli_argument (cli, 0), 0, 3, &error))
    return cli_fail (cli, error);
  g_autofree char *label = place_connector_label (&place);
  g_autofree char *owner = owner_of (place.store, place.connector);
  target_parameter (target, label ? "connector" : "store", label ? label : place.store);
  target_parameter (target, "stream", place.stream);
  target_parameter (target, "state", state);
  return answers_limit (cli, LISTS_HISTORY, &most, &status)
           ? answers_list_of (cli, owner, target->str, most, shape)
           : status;
}

static Grid *
rejects_grid (Cli *cli)
{
  return grid_new (cli, "AT", GRID_LEFT, "STREAM", GRID_LEFT, "RECORD", GRID_CUT, "REASON", GRID_LEFT, "PATH",
                   GRID_CUT, "DETAIL", GRID_CUT, NULL);
}

static void
rejects_row (Cli *cli, Grid *grid, json_object *reject)
{
  g_autofree char *at = time_at (reject, "at");
  g_autofree char *place = place_of (reject);
  grid_add (grid, at, place, member_text (reject, "record"), member_text (reject, "reason"),
            member_text (reject, "path"), member_text (reject, "detail"));
}

int
verb_rejects (Cli *cli)
{
  static const ListShape shape = { rejects_grid, rejects_row, "Nothing was rejected." };
  return list_history (cli, "/v1/rejects", NULL, &shape);
}

static Grid *
passes_grid (Cli *cli)
{
  return grid_new (cli, "PASS", GRID_LEFT, "STREAM", GRID_LEFT, "TYPE", GRID_LEFT, "STATE", GRID_STATE,
                   "STARTED", GRID_LEFT, "TOOK", GRID_RIGHT, "SUMS", GRID_CUT, "DETAIL", GRID_CUT, NULL);
}

static void
passes_row (Cli *cli, Grid *grid, json_object *pass)
{
  gint64 began = member_time (pass, "started_at"), ended = member_time (pass, "ended_at");
  g_autofree char *place = place_of (pass);
  g_autofree char *started = words_time (began);
  g_autofree char *took = ended && began ? g_strdup_printf ("%.1f s", (double)(ended - began) / 1000) : NULL;
  g_autofree char *sums = words_sums (pass);
  grid_add (grid, member_text (pass, "id"), place, member_text (pass, "type"), member_text (pass, "state"),
            started, took, sums, member_text (pass, "detail"));
}

int
verb_passes (Cli *cli)
{
  static const ListShape shape = { passes_grid, passes_row, "There are no passes." };
  return list_history (cli, "/v1/passes", cli_text (cli, "state"), &shape);
}
