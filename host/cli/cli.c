#include "cli/cli.h"

#include <curl/curl.h>
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <string.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "cli/client.h"
#include "cli/complete.h"
#include "cli/terminal.h"
#include "cli/usage.h"
#include "config/config.h"
#include "config/problems.h"

/* ---- what a verb asks of us ---- */

static guint
option_index (const Cli *cli, const char *name)
{
  for (guint i = 0; i < VERB_OPTIONS_MOST && cli->verb->options[i].name; i++)
    if (strcmp (cli->verb->options[i].name, name) == 0)
      return i;
  g_error ("%s has no option %s", cli->verb->name, name);
}

gboolean
cli_flag (const Cli *cli, const char *name)
{
  return cli->values[option_index (cli, name)].flag;
}

const char *
cli_text (const Cli *cli, const char *name)
{
  return cli->values[option_index (cli, name)].text;
}

gint64
cli_number (const Cli *cli, const char *name, gint64 standard)
{
  gint64 number = cli->values[option_index (cli, name)].number;
  return number == G_MININT64 ? standard : number;
}

const char *
cli_argument (const Cli *cli, guint index)
{
  return index < cli->count ? cli->arguments[index] : NULL;
}

/* ---- what went wrong ---- */

static void
put_error (Cli *cli, const char *text)
{
  fflush (cli->out); /* so that the two stand in order on a terminal */
  fprintf (cli->err, "%serror:%s %s\n", cli->colour_err ? "\033[1;31m" : "", cli->colour_err ? "\033[0m" : "",
           text);
}

int
cli_failed (Cli *cli, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  put_error (cli, text);
  return CLI_FAILED;
}

int
cli_wrong_usage (Cli *cli, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  put_error (cli, text);
  fprintf (cli->err, "  see: tillbridge %s%s\n", cli->verb ? "help " : "--help",
           cli->verb ? cli->verb->name : "");
  return CLI_USAGE;
}

int
cli_fail (Cli *cli, const GError *error)
{
  if (error->domain == G_OPTION_ERROR)
    return cli_wrong_usage (cli, "%s", error->message);
  put_error (cli, error->message);
  return g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_UNREACHABLE) ? CLI_UNREACHABLE : CLI_FAILED;
}

void
cli_note (Cli *cli, const char *format, ...)
{
  va_list arguments;
  fflush (cli->out);
  va_start (arguments, format);
  vfprintf (cli->err, format, arguments);
  va_end (arguments);
  fputc ('\n', cli->err);
}

/* ---- the daemon ---- */

/* The host file tells where the socket is. FALSE: told, *status is how to end. */
static gboolean
find_socket (Cli *cli, int *status)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  g_autoptr (ConfigHost) host = config_read_host (cli->config, problems);
  guint errors = 0;
  for (guint i = 0; i < problems->len; i++) {
    const ConfigProblem *problem = g_ptr_array_index (problems, i);
    g_autofree char *text = config_problem_to_text (problem, cli->colour_err);
    if (!problem->warning)
      fputs (text, cli->err);
    errors += !problem->warning;
  }
  if (host->socket) {
    cli->socket = g_strdup (host->socket);
    return TRUE;
  }
  *status = errors
              ? cli_failed (cli, "tillbridge.conf does not tell where the daemon's socket is; name it: "
                                 "--socket PATH")
              : cli_failed (cli, "listen.socket is \"off\" in tillbridge.conf: this command speaks to the "
                                 "daemon over that socket");
  return FALSE;
}

Client *
cli_client (Cli *cli, int *status)
{
  if (!cli->socket && !find_socket (cli, status))
    return NULL;
  if (!cli->client)
    cli->client = client_new (cli->socket);
  return cli->client;
}

/* ---- begin and end ---- */

static gboolean
wants_colour (const Cli *cli, char **environment, FILE *out)
{
  const char *no_color = g_environ_getenv (environment, "NO_COLOR");
  if (cli->color && strcmp (cli->color, "auto") != 0)
    return strcmp (cli->color, "always") == 0;
  return fileno (out) >= 0 && isatty (fileno (out)) && !(no_color && *no_color) && !cli->dumb;
}

static int
print_version (Cli *cli)
{
  const char *smartcols = NULL;
  fprintf (cli->out, "tillbridge %s\n", PACKAGE_VERSION);
  if (cli->verbose) {
    scols_get_library_version (&smartcols);
    fprintf (cli->out, "GLib %u.%u.%u\n%s\njson-c %s\nsmartcols %s\nplugins %s\nconfiguration %s\n",
             glib_major_version, glib_minor_version, glib_micro_version, curl_version (), json_c_version (),
             smartcols, PLUGINSDIR, SYSCONFDIR "/tillbridge/tillbridge.conf");
  }
  return CLI_DONE;
}

static int
print_help (Cli *cli)
{
  g_autofree char *text = cli->verb ? usage_of_verb (cli->verb, cli->columns) : usage_overview (cli->columns);
  fputs (text, cli->out);
  return CLI_DONE;
}

int
verb_help (Cli *cli)
{
  guint length;
  if (!cli->count) {
    cli->verb = NULL;
    return print_help (cli);
  }
  const Verb *verb = usage_find (cli->arguments, &length);
  if (verb && length == cli->count) {
    cli->verb = verb;
    return print_help (cli);
  }
  g_autofree char *nearest = usage_nearest_verb (cli->arguments);
  cli->verb = NULL;
  return cli_wrong_usage (cli, "there is no verb \"%s\"%s%s%s", cli->arguments[0],
                          nearest ? ", did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
}

static int
run (Cli *cli, int count, char **words, char **environment)
{
  int status;
  gboolean completes = count > 1 && strcmp (words[1], "complete") == 0;
  gboolean ready = !completes && usage_read (cli, count, words, &status);
  const char *socket = g_environ_getenv (environment, "TILLBRIDGE_SOCKET");
  if (!cli->socket && socket && *socket)
    cli->socket = g_strdup (socket);
  if (completes)
    return complete_run (cli, environment, count, words);
  if (!ready)
    return status;
  if (cli->color && !g_strv_contains ((const char *const[]){ "auto", "always", "never", NULL }, cli->color))
    return cli_wrong_usage (cli, "--color is \"%s\", expected auto, always or never", cli->color);
  if (cli->socket && !*cli->socket)
    return cli_wrong_usage (cli, "--socket is empty, expected a path");
  const char *term = g_environ_getenv (environment, "TERM");
  cli->dumb = !term || strcmp (term, "dumb") == 0;
  cli->colour = wants_colour (cli, environment, cli->out);
  cli->colour_err = wants_colour (cli, environment, cli->err);
  if (cli->version)
    return print_version (cli);
  return cli->help ? print_help (cli) : cli->verb->run (cli);
}

/* A reader that has seen enough (| head) is no failure; a full disk is. */
static int
finish_output (Cli *cli, int status)
{
  errno = 0;
  gboolean failed = fflush (cli->out) != 0 || ferror (cli->out);
  if (!failed || errno == EPIPE || errno == 0)
    return status;
  return cli_failed (cli, "the output cannot be written: %s", g_strerror (errno));
}

int
cli_run (int count, char **words, char **environment, FILE *out, FILE *err)
{
  Cli cli = { .out = out, .err = err, .now_ms = time_wall_ms (), .columns = terminal_size (out).columns };
  int status = finish_output (&cli, run (&cli, count, words, environment));
  g_clear_pointer (&cli.client, client_free);
  g_strfreev (cli.arguments);
  for (guint i = 0; i < VERB_OPTIONS_MOST; i++)
    g_free (cli.values[i].text);
  g_free (cli.config);
  g_free (cli.socket);
  g_free (cli.color);
  return status;
}
