#include "cli/follow.h"

#include <poll.h>
#include <string.h>

#include "cli/client.h"
#include "cli/events.h"
#include "cli/terminal.h"
#include "cli/words.h"

enum { FOLLOW_WAIT_MS = 1000, FOLLOW_WAIT_LEAST_MS = 20, FOLLOW_WAIT_MOST_MS = 60000, FOLLOW_COLUMNS = 8 };

typedef struct {
  Cli *cli;
  Client *client;
  EventReader *reader;
  const char *filters, *since;
  guint64 left; /* changes that are still wanted */
  guint widths[FOLLOW_COLUMNS];
  gboolean headed;                      /* the headings stand there */
  gboolean gone, unreadable, too_large; /* why it cannot go on */
  gboolean was_there;                   /* it answered once */
  gboolean told;                        /* that it does not answer now */
} Follow;

/* ---- a change a line ---- */

/* Columns grow with what they hold; only the last may lose its end. */
static void
print_cells (Follow *follow, const char *const *cells)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; i < FOLLOW_COLUMNS; i++) {
    g_autofree char *safe = words_safe (*cells[i] ? cells[i] : "-");
    follow->widths[i] = MAX (follow->widths[i], terminal_width (safe));
    g_autofree char *cell = terminal_pad (safe, i + 1 < FOLLOW_COLUMNS ? follow->widths[i] : 0);
    g_string_append_printf (line, "%s%s", i ? "  " : "", cell);
  }
  guint columns = terminal_size (follow->cli->out).columns; /* it may have been resized */
  g_autofree char *cut = columns ? terminal_cut (line->str, columns) : g_strdup (line->str);
  fprintf (follow->cli->out, "%s\n", cut);
}

static void
print_head (Follow *follow)
{
  static const char *const heads[FOLLOW_COLUMNS] = { "SEQ",       "AT", "OP",     "KIND",
                                                     "CONNECTOR", "ID", "SOURCE", "NAME" };
  static const guint widths[FOLLOW_COLUMNS] = { 8, 19, 6, 9, 14, 36, 8, 0 };
  memcpy (follow->widths, widths, sizeof widths);
  print_cells (follow, heads);
  follow->headed = TRUE;
}

static void
print_change (Follow *follow, json_object *change)
{
  g_autofree char *seq = g_strdup_printf ("%" G_GINT64_FORMAT, member_number (change, "seq"));
  g_autofree char *at = words_time (member_time (change, "at"));
  g_autofree char *place =
    g_strdup_printf ("%s/%s", member_text (change, "store"), member_text (change, "connector"));
  const char *const cells[FOLLOW_COLUMNS] = { seq,
                                              at,
                                              member_text (change, "op"),
                                              member_text (change, "kind"),
                                              place,
                                              member_text (change, "id"),
                                              member_text (change, "source"),
                                              member_text (member_at (change, "record"), "name") };
  if (!follow->headed)
    print_head (follow);
  print_cells (follow, cells);
}

/* As it came, in one line: a line's end in JSON stands between its words alone. */
static void
print_raw (Follow *follow, const char *data)
{
  g_autofree char *line = g_strdelimit (g_strdup (data), "\r\n", ' ');
  fprintf (follow->cli->out, "%s\n", line);
}

/* ---- events ---- */

static gboolean
take_event (const char *event, const char *data, gpointer user)
{
  Follow *follow = user;
  if (strcmp (event, "reset") == 0) {
    follow->gone = TRUE;
    return FALSE;
  }
  if (strcmp (event, "change") != 0)
    return TRUE; /* what later versions say */
  json_object *change = json_tokener_parse (data);
  follow->unreadable = !json_object_is_type (change, json_type_object);
  if (!follow->unreadable && follow->cli->json)
    print_raw (follow, data);
  else if (!follow->unreadable)
    print_change (follow, change);
  json_object_put (change);
  fflush (follow->cli->out);
  return !follow->unreadable && --follow->left > 0 && !ferror (follow->cli->out);
}

static gboolean
take_piece (const char *bytes, gsize length, gpointer data)
{
  Follow *follow = data;
  EventsRead read = event_reader_feed (follow->reader, bytes, length);
  follow->too_large = read == EVENTS_TOO_LARGE;
  return read == EVENTS_MORE;
}

/* ---- connecting, again and again ---- */

static gboolean
connect_once (Follow *follow, GError **error)
{
  const char *id = event_reader_id (follow->reader);
  g_autofree char *last = *id ? g_strconcat ("Last-Event-ID: ", id, NULL) : NULL;
  const char *const headers[] = { "Accept: text/event-stream", last, NULL };
  g_autoptr (GString) target = target_new (follow->filters);
  gboolean begun = FALSE;
  target_parameter (target, "since", *id ? NULL : follow->since);
  gboolean good = client_stream (follow->client, target->str, headers, "text/event-stream", follow->cli->out,
                                 take_piece, follow, &begun, error);
  follow->was_there |= begun;
  if (begun)
    follow->told = FALSE;
  event_reader_cut (follow->reader);
  return good;
}

/* FALSE: the reader of our output went away meanwhile. */
static gboolean
wait_a_little (const Follow *follow)
{
  gint64 asked = event_reader_retry_ms (follow->reader);
  gint64 pause = asked < 0 ? FOLLOW_WAIT_MS : CLAMP (asked, FOLLOW_WAIT_LEAST_MS, FOLLOW_WAIT_MOST_MS);
  struct pollfd reader = { .fd = fileno (follow->cli->out) };
  poll (&reader, reader.fd >= 0, (int)pause);
  return !client_output_is_closed (follow->cli->out);
}

static void
tell_once (Follow *follow)
{
  if (!follow->told)
    cli_note (follow->cli, "The daemon does not answer. Waiting for it; then it goes on where it was.");
  follow->told = TRUE;
}

static int
tell_gone (Follow *follow)
{
  const char *id = event_reader_id (follow->reader);
  return cli_failed (follow->cli,
                     "the place in the feed%s%s is gone: what was deleted since then may be missing\n"
                     "  begin anew: read GET /v1/snapshot into an empty copy, then follow with --since and "
                     "the seq of its last line",
                     *id             ? " after seq "
                     : follow->since ? " after seq "
                                     : "",
                     *id             ? id
                     : follow->since ? follow->since
                                     : "");
}

static gboolean
is_over (const Follow *follow)
{
  return follow->gone || follow->unreadable || follow->too_large || follow->left == 0 ||
         client_output_is_closed (follow->cli->out);
}

static int
ending_of (Follow *follow)
{
  if (follow->gone)
    return tell_gone (follow);
  if (follow->unreadable)
    return cli_failed (follow->cli, "a change in the feed cannot be read");
  if (follow->too_large)
    return cli_failed (follow->cli, "the feed holds a change that is too large");
  return CLI_DONE;
}

static int
run (Follow *follow)
{
  for (;;) {
    g_autoptr (GError) error = NULL;
    gboolean good = connect_once (follow, &error);
    if (g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_GONE))
      return tell_gone (follow);
    gboolean passing = good || g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_UNREACHABLE) ||
                       g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_NOT_NOW);
    if (is_over (follow))
      return ending_of (follow);
    if (!passing || (!good && !follow->was_there))
      return cli_fail (follow->cli, error);
    if (!good)
      tell_once (follow);
    if (!wait_a_little (follow))
      return CLI_DONE;
  }
}

int
follow_changes (Cli *cli, const char *filters, const char *since, guint64 most)
{
  int status;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  Follow follow = {
    .cli = cli, .client = client, .filters = filters, .since = since, .left = most ? most : G_MAXUINT64
  };
  g_autoptr (EventReader) reader = event_reader_new (take_event, &follow);
  follow.reader = reader;
  return run (&follow);
}
