/* The daemon: puts the parts together, listens, and ends them in order. */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "base/log.h"
#include "base/timefmt.h"
#include "config/problems.h"
#include "hub/process.h"
#include "notify.h"
#include "sockets.h"
#include "store/sqlite.h"
#include <tillbridge/base.h>

#define SDK_VERSION G_STRINGIFY (TB_SDK_MAJOR) "." G_STRINGIFY (TB_SDK_MINOR)

enum {
  EXIT_DONE,
  EXIT_FAILED,
  EXIT_USAGE,
  DRAIN_MS = 30000,
  READY_CHECK_MS = 20,
  LAST_ANSWERS_MS = 1000, /* for who was let in and has no answer yet, when everything else is done */
  LAST_ANSWERS_CHECK_MS = 5,
  PRUNE_FIRST_MS = 600000,
  PRUNE_EVERY_MS = 86400000,
  KEPT_FREE_BYTES = 8 << 20,
  KEPT_BLOCK_BYTES = 1 << 20,
};

typedef struct {
  char *file; /* --config; NULL: the default */
  ConfigHost *host;
  Loop *loop;
  Metrics *metrics;
  GRand *random;
  Processes *processes;
  Store *store;
  Hub *hub;
  Reloader *reloader;
  Api *api;
  Notify *notify;
  LoopTimer *tick, *ready, *prune, *watchdog, *last_answers;
  char *told;            /* the manager: what is waited for */
  gint64 answers_end_ms; /* until when the last answers are waited for */
  guint signals;         /* to end, that came */
} Daemon;

/* ---- the world of the hub ---- */

static gint64
world_wall_ms (gpointer world)
{
  return time_wall_ms ();
}

static gint64
world_mono_ms (gpointer world)
{
  return time_monotonic_ms ();
}

static guint32
world_random (gpointer world)
{
  return g_rand_int (((Daemon *)world)->random);
}

static void
world_wake (gpointer world, gint64 mono_ms)
{
  Daemon *daemon = world;
  if (mono_ms == G_MAXINT64)
    loop_timer_clear (daemon->tick);
  else
    loop_timer_set (daemon->tick, mono_ms);
}

static HubWorker *
world_start_worker (gpointer world, const char *plugin_file, const HubWorkerEvents *events, gpointer data,
                    GError **error)
{
  return process_start (((Daemon *)world)->processes, plugin_file, events, data, error);
}

static void
on_tick (gpointer data)
{
  hub_tick (((Daemon *)data)->hub);
}

/* ---- what happens by itself ---- */

static void
tell_running (Daemon *daemon, const char *before)
{
  const Config *config = hub_config (daemon->hub);
  g_autofree char *state =
    g_strdup_printf ("%sSTATUS=Running with %u %s%s.", before, config->stores->len,
                     config->stores->len == 1 ? "store" : "stores",
                     config->broken->len ? "; others have errors, see tillbridge check" : "");
  notify_send (daemon->notify, state);
}

static void
tell_starting (Daemon *daemon, const char *awaits)
{
  if (g_strcmp0 (daemon->told, awaits) == 0)
    return;
  g_free (daemon->told);
  daemon->told = g_strdup (awaits);
  g_autofree char *state = g_strdup_printf ("STATUS=Starting: %s.", awaits);
  notify_send (daemon->notify, state);
}

static void
on_ready_check (gpointer data)
{
  Daemon *daemon = data;
  g_autofree char *awaits = NULL;
  if (!hub_ready (daemon->hub, &awaits)) {
    tell_starting (daemon, awaits);
    loop_timer_set (daemon->ready, loop_now_ms (daemon->loop) + READY_CHECK_MS);
    return;
  }
  log_line (LOG_INFO, NULL, "ready");
  tell_running (daemon, "READY=1\n");
}

/* Nothing but a loop that turns sends this: one that stands is ended and started again by the manager. */
static void
on_watchdog (gpointer data)
{
  Daemon *daemon = data;
  notify_send (daemon->notify, "WATCHDOG=1");
  loop_timer_set (daemon->watchdog, loop_now_ms (daemon->loop) + notify_watchdog_ms (daemon->notify));
}

static void
pruned (const GError *error, gpointer data)
{
  if (error)
    log_line (LOG_ERROR, NULL, "what is older than keep.* could not be deleted: %s", error->message);
}

static void
on_prune (gpointer data)
{
  Daemon *daemon = data;
  const ConfigHost *keep = hub_config (daemon->hub)->host;
  gint64 now_ms = time_wall_ms ();
  StorePrune before = { .changes_ms = now_ms - keep->keep_changes_ms,
                        .passes_ms = now_ms - keep->keep_passes_ms,
                        .rejects_ms = now_ms - keep->keep_rejects_ms };
  store_prune (daemon->store, &before, pruned, NULL);
  loop_timer_set (daemon->prune, loop_now_ms (daemon->loop) + PRUNE_EVERY_MS);
}

static void
applied (gpointer data)
{
  Daemon *daemon = data;
  log_set_level (hub_config (daemon->hub)->host->log);
  if (!daemon->signals)
    tell_running (daemon, "");
}

/* ---- signals ---- */

static void
reloaded (json_object *plan, gpointer data)
{
  if (plan)
    tell_running (data, "READY=1\n");
}

static void
on_hangup (int fd, guint32 number, gpointer data)
{
  Daemon *daemon = data;
  if (!daemon->reloader || daemon->signals)
    return;
  notify_reloading (daemon->notify);
  reloader_reload (daemon->reloader, FALSE, reloaded, daemon);
}

/* Who connected before the listeners stopped was let in: hanging up on them would be refusing them. */
static void
on_last_answers (gpointer data)
{
  Daemon *daemon = data;
  gint64 now_ms = loop_now_ms (daemon->loop);
  if (api_is_busy (daemon->api) && now_ms < daemon->answers_end_ms)
    loop_timer_set (daemon->last_answers, now_ms + LAST_ANSWERS_CHECK_MS);
  else
    loop_quit (daemon->loop);
}

static void
drained (gpointer data)
{
  Daemon *daemon = data;
  daemon->answers_end_ms = loop_now_ms (daemon->loop) + LAST_ANSWERS_MS;
  on_last_answers (daemon);
}

static void
on_end (int fd, guint32 number, gpointer data)
{
  Daemon *daemon = data;
  if (daemon->signals++) {
    loop_quit (daemon->loop);
    return;
  }
  log_line (LOG_INFO, NULL, "ending: what runs gets %d s; a second signal ends at once", DRAIN_MS / 1000);
  notify_send (daemon->notify, "STOPPING=1\nSTATUS=Ending: what runs is waited for.");
  api_stop_listening (daemon->api);
  hub_drain (daemon->hub, time_monotonic_ms () + DRAIN_MS, drained, daemon);
}

/* ---- start ---- */

static gboolean
fail (const GError *error)
{
  log_line (LOG_ERROR, NULL, "cannot start: %s", error->message);
  return FALSE;
}

static gboolean
read_host (Daemon *daemon)
{
  g_autoptr (GPtrArray) problems = problems_new ();
  guint errors = 0;
  daemon->host = config_read_host (daemon->file, problems);
  for (guint i = 0; i < problems->len; i++) {
    const ConfigProblem *problem = problems->pdata[i];
    g_autofree char *text = config_problem_to_text (problem, FALSE);
    errors += !problem->warning;
    if (!problem->warning) /* warnings are told with the rest */
      log_line (LOG_ERROR, NULL, "%s", text);
  }
  if (errors) {
    log_line (LOG_ERROR, NULL, "cannot start: the configuration has errors");
    return FALSE;
  }
  log_set_level (daemon->host->log);
  return TRUE;
}

static void
note_turn (double seconds, gpointer metric)
{
  metric_observe (metric, seconds);
}

static gboolean
open_store (Daemon *daemon)
{
  const char *state = daemon->host->state;
  g_autoptr (GError) error = NULL;
  if (strcmp (daemon->host->database, "sqlite") != 0) {
    log_line (LOG_ERROR, NULL,
              "cannot start: database = \"%s\" is not built into this version; write \"sqlite\"",
              daemon->host->database);
    return FALSE;
  }
  if (g_mkdir_with_parents (state, 0700) < 0) {
    log_line (LOG_ERROR, NULL, "cannot start: the state folder %s cannot be made: %s", state,
              g_strerror (errno));
    return FALSE;
  }
  g_autofree char *path = g_build_filename (state, "tillbridge.db", NULL);
  loop_watch_turns (daemon->loop, note_turn, metrics_get (daemon->metrics, "loop_seconds", "hub"));
  daemon->store = sqlite_store_open (path, daemon->loop, time_wall_ms, daemon->metrics, &error);
  return daemon->store || fail (error);
}

static gboolean
make_hub (Daemon *daemon)
{
  g_autofree char *worker = worker_program ();
  g_autoptr (GError) error = NULL;
  daemon->random = g_rand_new (); /* seeded by the kernel */
  daemon->processes = processes_new (daemon->loop, worker);
  daemon->tick = loop_timer_new (daemon->loop, on_tick, daemon);
  HubWorld world = { .wall_ms = world_wall_ms,
                     .mono_ms = world_mono_ms,
                     .random = world_random,
                     .wake = world_wake,
                     .start_worker = world_start_worker,
                     .world = daemon,
                     .store = daemon->store,
                     .metrics = daemon->metrics };
  daemon->hub = hub_new (&world);
  daemon->reloader = reloader_new (daemon->loop, daemon->hub, daemon->file, worker, applied, daemon);
  return reloader_start (daemon->reloader, &error) || fail (error);
}

/* What was chosen where port 0 was asked for; written whole or not at all. */
static gboolean
write_listen_file (Daemon *daemon, int port)
{
  g_autofree char *path = g_build_filename (daemon->host->state, "listen.json", NULL);
  g_autoptr (GError) error = NULL;
  json_object *json = json_object_new_object ();
  if (port) {
    const char *colon = strrchr (daemon->host->api, ':');
    g_autofree char *api =
      g_strdup_printf ("%.*s:%d", (int)(colon - daemon->host->api), daemon->host->api, port);
    json_object_object_add (json, "api", json_object_new_string (api));
  }
  if (daemon->host->socket)
    json_object_object_add (json, "socket", json_object_new_string (daemon->host->socket));
  g_autofree char *text = g_strconcat (
    json_object_to_json_string_ext (json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE), "\n",
    NULL);
  json_object_put (json);
  return g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error) ||
         fail (error);
}

static gboolean
listen_all (Daemon *daemon)
{
  const ConfigHost *host = daemon->host;
  g_autoptr (GError) error = NULL;
  int port = 0;
  daemon->api = api_new (daemon->loop, daemon->hub, daemon->reloader);
  if (!sockets_open (daemon->api, daemon->notify, host, &port, &error))
    return fail (error);
  if (!host->socket && !host->api)
    log_line (LOG_WARNING, NULL, "listen.api and listen.socket are both off: nobody can ask anything");
  if (port)
    log_line (LOG_INFO, NULL, "the API listens on %s (port %d) and is open to whoever reaches it", host->api,
              port);
  return write_listen_file (daemon, port);
}

static gboolean
start (Daemon *daemon)
{
  if (!open_store (daemon) || !make_hub (daemon) || !listen_all (daemon))
    return FALSE;
  metric_set (metrics_get (daemon->metrics, "info", PACKAGE_VERSION, SDK_VERSION), 1);
  daemon->ready = loop_timer_new (daemon->loop, on_ready_check, daemon);
  daemon->prune = loop_timer_new (daemon->loop, on_prune, daemon);
  daemon->watchdog = loop_timer_new (daemon->loop, on_watchdog, daemon);
  daemon->last_answers = loop_timer_new (daemon->loop, on_last_answers, daemon);
  loop_timer_set (daemon->ready, loop_now_ms (daemon->loop));
  if (notify_watchdog_ms (daemon->notify))
    loop_timer_set (daemon->watchdog, loop_now_ms (daemon->loop));
  loop_timer_set (daemon->prune, loop_now_ms (daemon->loop) + PRUNE_FIRST_MS);
  return TRUE;
}

/* The API first, so that nobody asks; the reader of the configuration; the store tells the hub what was still
 * on its way, then the hub goes with its workers. */
static void
end (Daemon *daemon)
{
  daemon->signals++; /* from here on they change nothing */
  api_free (daemon->api);
  if (daemon->reloader)
    reloader_free (daemon->reloader);
  if (daemon->store)
    store_free (daemon->store);
  if (daemon->hub)
    hub_free (daemon->hub);
  if (daemon->processes)
    processes_free (daemon->processes);
  loop_timer_free (daemon->tick);
  loop_timer_free (daemon->ready);
  loop_timer_free (daemon->prune);
  loop_timer_free (daemon->watchdog);
  loop_timer_free (daemon->last_answers);
  loop_turn (daemon->loop, 0); /* what was put off to the end of a turn */
  if (daemon->random)
    g_rand_free (daemon->random);
  metrics_free (daemon->metrics);
  loop_free (daemon->loop);
  config_host_free (daemon->host);
  g_free (daemon->told);
  notify_free (daemon->notify);
}

/* FALSE: *status is how to end. */
static gboolean
read_arguments (int count, char **words, Daemon *daemon, int *status)
{
  g_autoptr (GError) error = NULL;
  gboolean version = FALSE;
  const GOptionEntry entries[] = {
    { "config", 'c', 0, G_OPTION_ARG_FILENAME, &daemon->file,
      "configuration (" SYSCONFDIR "/tillbridge/tillbridge.conf)", "FILE" },
    { "version", 0, 0, G_OPTION_ARG_NONE, &version, "print the version and end", NULL },
    { NULL },
  };
  g_autoptr (GOptionContext) context = g_option_context_new ("- connects stores to the services they run on");
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &count, &words, &error) || count > 1) {
    fprintf (stderr, "tillbridged: %s\n", error ? error->message : "no arguments are taken; see --help");
    *status = EXIT_USAGE;
    return FALSE;
  }
  *status = EXIT_DONE;
  if (version)
    printf ("tillbridged %s (SDK %s)\n", PACKAGE_VERSION, SDK_VERSION);
  return !version;
}

int
main (int count, char **words)
{
  Daemon daemon = { 0 };
  int status;
  if (!read_arguments (count, words, &daemon, &status))
    return status;
  log_init ("tillbridged", LOG_INFO);
  daemon.notify = notify_new ();
  /* Frames of records come and go by the megabyte: given back each time, they would be faulted in again. */
  mallopt (M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
  mallopt (M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES);
  if (!read_host (&daemon)) {
    config_host_free (daemon.host);
    notify_free (daemon.notify);
    g_free (daemon.file);
    return EXIT_FAILED;
  }
  daemon.loop = loop_new ();
  daemon.metrics = metrics_new ();
  /* Before the first thread: each takes over which signals are blocked. */
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk */
  loop_signal (daemon.loop, SIGHUP, on_hangup, &daemon);
  loop_signal (daemon.loop, SIGTERM, on_end, &daemon);
  loop_signal (daemon.loop, SIGINT, on_end, &daemon);
  gboolean started = start (&daemon);
  if (started)
    loop_run (daemon.loop);
  end (&daemon);
  g_free (daemon.file);
  if (started)
    log_line (LOG_INFO, NULL, "ended");
  return started ? EXIT_DONE : EXIT_FAILED;
}
