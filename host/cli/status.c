/* status: one screen. A verdict first; then what there is, the worst first; then what a person must do. */
#include <string.h>

#include "cli/answers.h"
#include "cli/place.h"
#include "cli/watch.h"
#include "cli/words.h"

enum {
  STATUS_ROWS = 40, /* of connectors that are fine; more are folded into one line */
  STATUS_NAMED = 3, /* stores that the verdict names */
};

typedef struct {
  Cli *cli;
  GString *needs; /* what a person must do, a line each */
  gboolean all;
} Screen;

static gsize
length_of (json_object *list)
{
  return json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
}

/* ---- the verdict ---- */

static const char *
name_of (json_object *store)
{
  const char *name = member_text (store, "name");
  return *name ? name : member_text (store, "id");
}

static gboolean
is_fine (json_object *store)
{
  return strcmp (member_text (store, "state"), "ok") == 0;
}

static void
add_sentence (GString *out, json_object *store)
{
  g_autofree char *name = words_safe (name_of (store));
  g_autofree char *text = words_safe (member_text (store, "text"));
  g_string_append_printf (out, "%s%s: %s", out->len ? " " : "", name, text);
}

/* Something waits for a person: then not all is fine, whatever the states are. */
static guint
count_held (json_object *connectors)
{
  guint held = 0;
  for (gsize i = 0; i < length_of (connectors); i++) {
    json_object *streams = member_at (json_object_array_get_idx (connectors, i), "streams");
    if (!streams)
      continue;
    json_object_object_foreach (streams, name, stream)
    {
      (void)name;
      held += *member_text (stream, "held") != '\0';
    }
  }
  return held;
}

static char *
verdict_of (json_object *stores, guint held)
{
  g_autoptr (GString) out = g_string_new (NULL);
  gsize count = length_of (stores), fine = 0, told = 0;
  for (gsize i = 0; i < count; i++)
    fine += is_fine (json_object_array_get_idx (stores, i));
  if (!count)
    g_string_append (out, "No store is configured: put a drop-in into conf.d and run tillbridge reload.");
  else if (fine == count && count == 1) {
    g_autofree char *name = words_safe (name_of (json_object_array_get_idx (stores, 0)));
    g_string_append_printf (out, "%s is fine.", name);
  } else if (fine == count)
    g_string_append_printf (out, "All %zu stores are fine.", count);
  else if (count > 1)
    g_string_append_printf (out, "%zu of %zu %s fine.", fine, count, fine == 1 ? "stores is" : "stores are");
  for (gsize i = 0; i < count && told < STATUS_NAMED; i++)
    if (!is_fine (json_object_array_get_idx (stores, i)) && ++told)
      add_sentence (out, json_object_array_get_idx (stores, i));
  if (count - fine > told)
    g_string_append_printf (out, " And %zu more.", count - fine - told);
  if (held)
    g_string_append_printf (out, " %u %s for a person.", held,
                            words_plural (held, "pass waits", "passes wait"));
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
print_verdict (Cli *cli, const char *verdict, gboolean fine)
{
  const char *tint = cli->colour ? grid_tint (fine ? "ok" : "late") : "";
  fprintf (cli->out, "%s%s%s\n", tint, verdict, *tint ? "\033[0m" : "");
}

/* ---- streams ---- */

static json_object *
pass_of (Cli *cli, const char *id)
{
  int status;
  g_autoptr (GString) target = target_new ("/v1/passes");
  target_segment (target, id);
  return answers_one (cli, "GET", target->str, NULL, &status);
}

/* "4 min of 15 min": how old what we hold is, and how old it may become. */
static char *
age_of (json_object *stream, gint64 now_ms)
{
  gint64 as_of = member_time (stream, "as_of");
  if (!as_of)
    return g_strdup ("never read");
  g_autofree char *promise = words_age (member_number (stream, "every_s") * 1000);
  g_autofree char *age = words_age (now_ms - as_of);
  return g_strdup_printf ("%s of %s", age, promise);
}

static char *
last_pass_in_short (json_object *pass)
{
  if (!pass)
    return NULL;
  gint64 rejected = member_number (pass, "rejected");
  g_autofree char *more =
    rejected ? g_strdup_printf (", %" G_GINT64_FORMAT " rejected", rejected) : g_strdup ("");
  return g_strdup_printf ("%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " stored%s",
                          member_text (pass, "state"), member_number (pass, "stored"),
                          member_number (pass, "seen"), more);
}

static void
note_need (Screen *screen, const char *label, const char *stream, json_object *json)
{
  const char *held = member_text (json, "held");
  if (!*held)
    return;
  json_object *pass = pass_of (screen->cli, held);
  g_string_append_printf (screen->needs,
                          "%s/%s: a full pass lacks %" G_GINT64_FORMAT
                          " records, nothing was deleted. Are they gone?\n"
                          "    tillbridge passes accept %s   deletes them\n"
                          "    tillbridge passes refuse %s   keeps them\n",
                          label, stream, member_number (pass, "missing"), held, held);
  json_object_put (pass);
}

static void
add_stream (Screen *screen, Grid *grid, json_object *connector, const char *label, const char *name,
            json_object *json)
{
  const char *last_id = member_text (member_at (json, "last_pass"), "id");
  json_object *last = *last_id ? pass_of (screen->cli, last_id) : NULL;
  g_autofree char *age = age_of (json, screen->cli->now_ms);
  g_autofree char *next = words_until (member_time (json, "next_at"), screen->cli->now_ms);
  g_autofree char *sums = last_pass_in_short (last);
  const char *text = member_text (json, "text"), *detail = member_text (json, "detail");
  g_autofree char *why = g_strdup_printf ("%s%s%s", text, *text && *detail ? " " : "", detail);
  const char *state = member_text (json, "state");
  const char *now = member_is (json, "late") && strcmp (state, "idle") == 0 ? "late" : state;
  grid_add (grid, label, member_text (connector, "state"), name, now, age, next, sums, why);
  json_object_put (last);
  note_need (screen, label, name, json);
}

static char *
label_of (json_object *connector)
{
  return g_strdup_printf ("%s/%s", member_text (connector, "store"), member_text (connector, "name"));
}

static void
add_connector (Screen *screen, Grid *grid, json_object *connector)
{
  g_autofree char *label = label_of (connector);
  json_object *streams = member_at (connector, "streams");
  if (!streams || json_object_object_length (streams) == 0) {
    grid_add (grid, label, member_text (connector, "state"), NULL, NULL, NULL, NULL, NULL,
              member_text (connector, "text"));
    return;
  }
  json_object_object_foreach (streams, name, stream)
  {
    add_stream (screen, grid, connector, label, name, stream);
  }
}

static int
rank_of (json_object *connector)
{
  static const char *const states[] = { "failing", "late", "paused", "off", NULL };
  int rank = 0;
  while (states[rank] && strcmp (states[rank], member_text (connector, "state")) != 0)
    rank++;
  return rank;
}

static int
worst_first (const void *a, const void *b)
{
  json_object *left = *(json_object *const *)a, *right = *(json_object *const *)b;
  int order = rank_of (left) - rank_of (right);
  g_autofree char *left_label = label_of (left);
  g_autofree char *right_label = label_of (right);
  return order ? order : strcmp (left_label, right_label);
}

static gboolean
is_held (json_object *connector)
{
  json_object *streams = member_at (connector, "streams");
  if (!streams)
    return FALSE;
  json_object_object_foreach (streams, name, stream)
  {
    if (*member_text (stream, "held"))
      return TRUE;
    (void)name;
  }
  return FALSE;
}

static void
print_connectors (Screen *screen, json_object *connectors)
{
  Grid *grid =
    grid_new (screen->cli, "CONNECTOR", GRID_LEFT, "STATE", GRID_STATE, "STREAM", GRID_LEFT, "NOW",
              GRID_STATE, "AGE", GRID_LEFT, "NEXT", GRID_LEFT, "LAST PASS", GRID_CUT, "WHY", GRID_CUT, NULL);
  guint folded = 0;
  json_object_array_sort (connectors, worst_first);
  for (gsize i = 0; i < length_of (connectors); i++) {
    json_object *connector = json_object_array_get_idx (connectors, i);
    gboolean fine = is_fine (connector) && !is_held (connector);
    if (fine && !screen->all && grid_rows (grid) >= STATUS_ROWS)
      folded++;
    else
      add_connector (screen, grid, connector);
  }
  if (grid_rows (grid))
    fputc ('\n', screen->cli->out);
  grid_end (grid);
  if (folded)
    fprintf (screen->cli->out, "%u more %s fine; --all shows them.\n", folded,
             words_plural (folded, "connector is", "connectors are"));
}

static void
print_needs (const Screen *screen)
{
  if (screen->needs->len)
    fprintf (screen->cli->out, "\nNeeds a person:\n%s", screen->needs->str);
}

/* ---- one connector ---- */

static void
print_fact (Cli *cli, const char *name, const char *text)
{
  g_autofree char *safe = words_safe (text);
  if (*safe)
    fprintf (cli->out, "%-12s %s\n", name, safe);
}

static void
print_stream (Screen *screen, const char *label, const char *name, json_object *stream)
{
  Cli *cli = screen->cli;
  const char *last_id = member_text (member_at (stream, "last_pass"), "id");
  json_object *last = *last_id ? pass_of (cli, last_id) : NULL;
  g_autofree char *age = age_of (stream, cli->now_ms);
  g_autofree char *next = words_until (member_time (stream, "next_at"), cli->now_ms);
  const char *state = member_text (stream, "state"), *tint = cli->colour ? grid_tint (state) : "";
  fprintf (cli->out, "\n%s  %s%s%s%s\n", name, tint, state, *tint ? "\033[0m" : "",
           member_is (stream, "late") ? ", late" : "");
  g_autofree char *holds =
    g_strdup_printf ("%" G_GINT64_FORMAT " records", member_number (stream, "records"));
  print_fact (cli, "  why", member_text (stream, "text"));
  print_fact (cli, "", member_text (stream, "detail"));
  print_fact (cli, "  age", age);
  print_fact (cli, "  next", next);
  if (member_at (stream, "records"))
    print_fact (cli, "  holds", holds);
  if (last) {
    g_autofree char *ended = words_time (member_time (last, "ended_at"));
    g_autofree char *sums = words_sums (last);
    g_autofree char *what = g_strdup_printf ("%s %s, %s %s", member_text (last, "type"),
                                             member_text (last, "state"), member_text (last, "id"), ended);
    print_fact (cli, "  last pass", what);
    print_fact (cli, "", sums);
    print_fact (cli, "", member_text (last, "detail"));
  }
  json_object_put (last);
  note_need (screen, label, name, stream);
}

static void
print_last_error (Cli *cli, json_object *error)
{
  g_autofree char *at = words_time (member_time (error, "at"));
  g_autofree char *text =
    g_strdup_printf ("%s %s: %s", at, member_text (error, "code"), member_text (error, "detail"));
  print_fact (cli, "last error", text);
}

static void
print_connector (Screen *screen, json_object *connector)
{
  Cli *cli = screen->cli;
  g_autofree char *label = label_of (connector);
  const char *state = member_text (connector, "state"), *text = member_text (connector, "text");
  g_autofree char *safe = words_safe (text);
  g_autofree char *verdict = g_strdup_printf ("%s is %s%s%s", label, state, *safe ? ": " : ".", safe);
  g_autofree char *plugin =
    g_strdup_printf ("%s %s", member_text (connector, "plugin"), member_text (connector, "version"));
  g_autofree char *can = words_list (member_at (connector, "capabilities"));
  g_autofree char *since = words_time (member_time (connector, "since"));
  g_autofree char *ok = words_time (member_time (connector, "last_ok_at"));
  print_verdict (cli, verdict, strcmp (state, "ok") == 0);
  print_fact (cli, "plugin", plugin);
  print_fact (cli, "can", can);
  print_fact (cli, "since", since);
  print_fact (cli, "who must act", member_text (connector, "who"));
  print_fact (cli, "last success", ok);
  if (member_at (connector, "last_error"))
    print_last_error (cli, member_at (connector, "last_error"));
  json_object *streams = member_at (connector, "streams");
  if (!streams)
    return;
  json_object_object_foreach (streams, name, stream)
  {
    print_stream (screen, label, name, stream);
  }
}

static int
status_of_connector (Screen *screen, const Place *place)
{
  int status = CLI_DONE;
  g_autoptr (GString) target = target_new ("/v1/connectors");
  target_segment (target, place->store);
  target_segment (target, place->connector);
  json_object *connector = answers_one (screen->cli, "GET", target->str, NULL, &status);
  if (connector)
    print_connector (screen, connector);
  json_object_put (connector);
  return status;
}

/* ---- one store, or all ---- */

static json_object *
ask_stores (Cli *cli, const char *store, int *status)
{
  if (!store)
    return answers_all (cli, "/v1/stores", status);
  g_autoptr (GString) target = target_new ("/v1/stores");
  target_segment (target, store);
  json_object *one = answers_one (cli, "GET", target->str, NULL, status), *list = NULL;
  if (one) {
    list = json_object_new_array ();
    json_object_array_add (list, one);
  }
  return list;
}

static int
status_of_stores (Screen *screen, const char *store)
{
  Cli *cli = screen->cli;
  int status = CLI_DONE;
  g_autoptr (GString) target = target_new ("/v1/connectors");
  target_parameter (target, "store", store);
  json_object *stores = ask_stores (cli, store, &status);
  json_object *connectors = stores ? answers_all (cli, target->str, &status) : NULL;
  if (connectors) {
    guint held = count_held (connectors);
    gboolean fine = held == 0;
    g_autofree char *verdict = verdict_of (stores, held);
    for (gsize i = 0; i < length_of (stores); i++)
      fine = fine && is_fine (json_object_array_get_idx (stores, i));
    print_verdict (cli, verdict, fine);
    print_connectors (screen, connectors);
  }
  json_object_put (connectors);
  json_object_put (stores);
  return status;
}

static int
draw (Cli *cli, gpointer data)
{
  const Place *place = data;
  g_autoptr (GString) needs = g_string_new (NULL);
  Screen screen = { cli, needs, cli_flag (cli, "all") };
  int status =
    place->connector ? status_of_connector (&screen, place) : status_of_stores (&screen, place->store);
  print_needs (&screen);
  return status;
}

static int
print_json (Cli *cli, const Place *place)
{
  static const ListShape unused = { 0 };
  g_autoptr (GString) target = target_new (place->connector ? "/v1/connectors" : "/v1/stores");
  if (!place->store)
    return answers_list (cli, target->str, 0, &unused);
  target_segment (target, place->store);
  if (place->connector)
    target_segment (target, place->connector);
  return answers_print (cli, "GET", target->str, NULL);
}

int
verb_status (Cli *cli)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean watch = cli_flag (cli, "watch");
  if (!place_read (&place, cli_argument (cli, 0), 0, 2, &error))
    return cli_fail (cli, error);
  if (watch && (cli->json || !cli->columns || cli->dumb))
    return cli_wrong_usage (cli,
                            "--watch draws on a terminal; a program asks status --json, or reads changes "
                            "--follow");
  if (cli->json)
    return print_json (cli, &place);
  return watch ? watch_screen (cli, draw, &place) : draw (cli, &place);
}
