/* sync: asks for passes and waits for them; passes accept and refuse: settles one that is held. */
#include <string.h>

#include "cli/answers.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "cli/words.h"

enum {
  SYNC_POLL_FIRST_MS = 20,
  SYNC_POLL_MS = 250,
  SYNC_STOPPED_LOOKS = 8, /* a stream that is still stopped then does not begin by itself */
};

static gsize
length_of (json_object *list)
{
  return json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
}

static char *
label_of (json_object *pass)
{
  return g_strdup_printf ("%s/%s/%s", member_text (pass, "store"), member_text (pass, "connector"),
                          member_text (pass, "stream"));
}

static gboolean
is_state (json_object *pass, const char *state)
{
  return strcmp (member_text (pass, "state"), state) == 0;
}

/* ---- how a pass ended ---- */

static void
print_end (Cli *cli, json_object *pass)
{
  const char *state = member_text (pass, "state"), *tint = cli->colour ? grid_tint (state) : "";
  gint64 began = member_time (pass, "started_at"), ended = member_time (pass, "ended_at");
  g_autofree char *label = label_of (pass);
  g_autofree char *sums = words_sums (pass);
  g_autofree char *detail = words_safe (member_text (pass, "detail"));
  g_autofree char *took =
    began && ended ? g_strdup_printf (" in %.1f s", (double)(ended - began) / 1000) : g_strdup ("");
  gint64 pages = member_number (pass, "pages");
  fprintf (cli->out, "%s: %s pass %s%s%s%s, %" G_GINT64_FORMAT " %s\n  %s\n", label,
           member_text (pass, "type"), tint, state, *tint ? "\033[0m" : "", took, pages,
           words_plural (pages, "page", "pages"), sums);
  if (*detail)
    fprintf (cli->out, "  %s\n", detail);
  if (is_state (pass, "held"))
    fprintf (cli->out,
             "  Nothing was deleted. Are the missing records gone?\n"
             "    tillbridge passes accept %s   deletes them\n"
             "    tillbridge passes refuse %s   keeps them\n",
             member_text (pass, "id"), member_text (pass, "id"));
}

/* ---- waiting ---- */

typedef struct {
  Cli *cli;
  Client *client;
  Progress *progress;
  const Place *place;
  GPtrArray *waiting; /* ids */
  char *said;         /* the line told last where there is no terminal */
  guint stopped;      /* looks in a row that found the stream stopped */
  gboolean bad;       /* one failed, is held, or cannot begin */
} Wait;

static char *
pass_target (const char *id, const char *verb)
{
  g_autoptr (GString) target = target_new ("/v1/passes");
  target_segment (target, id);
  if (verb)
    target_segment (target, verb);
  return g_string_free (g_steal_pointer (&target), FALSE);
}

static json_object *
ask_connector (Cli *cli, const Place *place, int *status)
{
  g_autoptr (GString) target = target_new ("/v1/connectors");
  target_segment (target, place->store);
  target_segment (target, place->connector);
  return answers_one (cli, "GET", target->str, NULL, status);
}

static void
say_once (Wait *wait, char *line)
{
  if (g_strcmp0 (wait->said, line) != 0)
    cli_note (wait->cli, "%s", line);
  g_free (wait->said);
  wait->said = line;
}

static void
show (Wait *wait, json_object *pass, json_object *stream)
{
  g_autofree char *label = label_of (pass);
  g_autofree char *why = words_safe (member_text (stream, "text"));
  gboolean waits = is_state (pass, "waiting") || is_state (stream, "waiting");
  gint64 total = strcmp (member_text (pass, "type"), "full") == 0 ? member_number (stream, "records") : 0;
  if (waits)
    progress_wait (wait->progress, label, why);
  else
    progress_draw (wait->progress, label, member_number (pass, "seen"), total);
  if (!progress_is_shown (wait->progress))
    say_once (wait, waits ? g_strdup_printf ("%s: waiting%s%s", label, *why ? ": " : "", why)
                          : g_strdup_printf ("%s: running", label));
}

/* What the pass is at; where it waits the connector tells why. FALSE: it waits for a person, which is told.
 */
static gboolean
show_running (Wait *wait, json_object *pass)
{
  int status;
  json_object *connector = ask_connector (wait->cli, wait->place, &status);
  json_object *stream = member_at (member_at (connector, "streams"), member_text (pass, "stream"));
  gboolean stopped = is_state (stream, "stopped") || is_state (stream, "paused");
  wait->stopped = stopped && is_state (pass, "waiting") ? wait->stopped + 1 : 0;
  gboolean goes_on = wait->stopped < SYNC_STOPPED_LOOKS;
  if (goes_on)
    show (wait, pass, stream);
  else {
    g_autofree char *label = label_of (pass);
    g_autofree char *detail = words_safe (member_text (stream, "detail"));
    progress_clear (wait->progress);
    cli_failed (wait->cli, "%s is %s: %s%s%s", label, member_text (stream, "state"),
                member_text (stream, "text"), *detail ? " " : "", detail);
    wait->bad = TRUE;
    wait->stopped = 0;
  }
  json_object_put (connector);
  return goes_on;
}

static void
take_end (Wait *wait, json_object *pass, const char *raw)
{
  progress_clear (wait->progress);
  if (wait->cli->json)
    fprintf (wait->cli->out, "%s\n", raw);
  else
    print_end (wait->cli, pass);
  fflush (wait->cli->out);
  wait->bad |= is_state (pass, "failed") || is_state (pass, "held");
}

/* One look at all that run. FALSE with error: nothing more can be known. */
static gboolean
look (Wait *wait, GError **error)
{
  gboolean shown = FALSE;
  for (guint i = 0; i < wait->waiting->len;) {
    g_autofree char *target = pass_target (g_ptr_array_index (wait->waiting, i), NULL);
    g_autoptr (GString) raw = client_ask (wait->client, "GET", target, NULL, error);
    if (!raw)
      return FALSE;
    json_object *pass = client_read (raw, target, error);
    if (!pass)
      return FALSE;
    gboolean runs = is_state (pass, "waiting") || is_state (pass, "running");
    if (!runs)
      take_end (wait, pass, raw->str);
    else if (!shown) {
      shown = TRUE;
      runs = show_running (wait, pass);
    }
    if (runs)
      i++;
    else
      g_ptr_array_remove_index (wait->waiting, i);
    json_object_put (pass);
  }
  return TRUE;
}

static int
wait_for (Cli *cli, Client *client, const Place *place, json_object *passes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Progress) progress = progress_new (cli);
  g_autoptr (GPtrArray) waiting = g_ptr_array_new_with_free_func (g_free);
  Wait wait = { .cli = cli, .client = client, .progress = progress, .place = place, .waiting = waiting };
  for (gsize i = 0; i < length_of (passes); i++)
    g_ptr_array_add (waiting, g_strdup (member_text (json_object_array_get_idx (passes, i), "id")));
  gboolean good = look (&wait, &error);
  for (gulong pause_ms = SYNC_POLL_FIRST_MS; good && waiting->len; good = look (&wait, &error)) {
    g_usleep (pause_ms * 1000);
    pause_ms = MIN (pause_ms * 2, SYNC_POLL_MS);
  }
  g_free (wait.said);
  if (good)
    return wait.bad ? CLI_FAILED : CLI_DONE;
  progress_clear (progress);
  return cli_fail (cli, error);
}

/* ---- asking ---- */

static char *
sync_target (const Place *place, gboolean dry)
{
  g_autoptr (GString) target = target_new ("/v1/connectors");
  target_segment (target, place->store);
  target_segment (target, place->connector);
  target_segment (target, "sync");
  target_parameter (target, "dry_run", dry ? "true" : NULL);
  return g_string_free (g_steal_pointer (&target), FALSE);
}

static json_object *
sync_body (const char *stream, gboolean full)
{
  json_object *body = json_object_new_object ();
  if (stream)
    json_object_object_add (body, "stream", json_object_new_string (stream));
  if (full)
    json_object_object_add (body, "full", json_object_new_boolean (TRUE));
  return body;
}

static int
sync_really (Cli *cli, const Place *place)
{
  int status;
  g_autoptr (GError) error = NULL;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  g_autofree char *target = sync_target (place, FALSE);
  json_object *body = sync_body (place->stream, cli_flag (cli, "full"));
  g_autoptr (GString) raw = client_ask (client, "POST", target, body, &error);
  json_object_put (body);
  if (!raw)
    return cli_fail (cli, error);
  json_object *answer = client_read (raw, target, &error), *passes = member_at (answer, "passes");
  if (!answer)
    return cli_fail (cli, error);
  status = CLI_DONE;
  if (!cli_flag (cli, "no-wait"))
    status = wait_for (cli, client, place, passes);
  else if (cli->json)
    fprintf (cli->out, "%s\n", raw->str);
  else
    for (gsize i = 0; i < length_of (passes); i++) {
      json_object *pass = json_object_array_get_idx (passes, i);
      g_autofree char *label = label_of (pass);
      fprintf (cli->out, "%s: %s %s\n", label, member_text (pass, "state"), member_text (pass, "id"));
    }
  json_object_put (answer);
  return status;
}

/* ---- the dry run ---- */

static void
print_dry (Cli *cli, json_object *answer)
{
  json_object *pass = member_at (answer, "pass"), *records = member_at (answer, "records"),
              *rejects = member_at (answer, "rejects");
  g_autofree char *label = label_of (pass);
  g_autofree char *sums = words_sums (pass);
  gint64 stored = member_number (pass, "stored");
  fprintf (cli->out, "%s: a pass would store %" G_GINT64_FORMAT " %s\n  %s\n", label, stored,
           words_plural (stored, "record", "records"), sums);
  if (length_of (records))
    fprintf (cli->out, "  the first %zu as they would be served:\n", length_of (records));
  for (gsize i = 0; i < length_of (records); i++) {
    json_object *record = json_object_array_get_idx (records, i);
    g_autofree char *id = words_safe (member_text (record, "id"));
    g_autofree char *name = words_safe (member_text (record, "name"));
    fprintf (cli->out, "    %s%s%s\n", id, *name ? "  " : "", name);
  }
  for (gsize i = 0; i < length_of (rejects); i++) {
    json_object *reject = json_object_array_get_idx (rejects, i);
    g_autofree char *record = words_safe (member_text (reject, "record"));
    g_autofree char *detail = words_safe (member_text (reject, "detail"));
    fprintf (cli->out, "  rejected %s: %s %s %s\n", record, member_text (reject, "reason"),
             member_text (reject, "path"), detail);
  }
}

/* One stream after the other: a dry run is of one. */
static int
dry_stream (Cli *cli, Client *client, const Place *place, const char *stream)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *target = sync_target (place, TRUE);
  json_object *body = sync_body (stream, cli_flag (cli, "full"));
  g_autoptr (GString) raw = client_ask (client, "POST", target, body, &error);
  json_object_put (body);
  if (!raw)
    return cli_fail (cli, error);
  json_object *answer = client_read (raw, target, &error);
  if (!answer)
    return cli_fail (cli, error);
  if (cli->json)
    fprintf (cli->out, "%s\n", raw->str);
  else
    print_dry (cli, answer);
  int status = member_number (member_at (answer, "pass"), "stored") > 0 ? CLI_CHANGES : CLI_DONE;
  json_object_put (answer);
  return status;
}

static int
sync_dry (Cli *cli, const Place *place)
{
  int status = CLI_DONE;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  if (place->stream)
    return dry_stream (cli, client, place, place->stream);
  json_object *connector = ask_connector (cli, place, &status), *streams = member_at (connector, "streams");
  if (!streams)
    return status;
  json_object_object_foreach (streams, name, stream)
  {
    (void)stream;
    int one = dry_stream (cli, client, place, name);
    if (one != CLI_DONE && status != CLI_FAILED)
      status = one;
    if (one == CLI_UNREACHABLE)
      break;
  }
  json_object_put (connector);
  return status;
}

int
verb_sync (Cli *cli)
{
  g_auto (Place) place = { 0 };
  g_autoptr (GError) error = NULL;
  if (!place_read (&place, cli_argument (cli, 0), 2, 3, &error))
    return cli_fail (cli, error);
  return cli_flag (cli, "dry-run") ? sync_dry (cli, &place) : sync_really (cli, &place);
}

/* ---- held passes ---- */

static int
decide (Cli *cli, const char *verb)
{
  int status = CLI_DONE;
  g_autofree char *target = pass_target (cli_argument (cli, 0), verb);
  if (cli->json)
    return answers_print (cli, "POST", target, NULL);
  json_object *pass = answers_one (cli, "POST", target, NULL, &status);
  if (pass)
    print_end (cli, pass);
  json_object_put (pass);
  return status;
}

int
verb_passes_accept (Cli *cli)
{
  return decide (cli, "accept");
}

int
verb_passes_refuse (Cli *cli)
{
  return decide (cli, "refuse");
}
