/* tillbridge-worker: one plugin, in a process of its own.
 *
 *   tillbridge-worker --describe FILE.so       what the plugin says of itself, as JSON
 *   tillbridge-worker --plugin FILE.so --fd N  serves the hub over a socket; started by the hub alone */
#include <getopt.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <signal.h>
#include "base/log.h"
#include "worker/describe.h"
#include "worker/loader.h"
#include "worker/worker.h"

enum { EXIT_USAGE = 2, KEPT_FREE_BYTES = 4 << 20, KEPT_BLOCK_BYTES = 1 << 20 };

static int
usage (void)
{
  fputs ("usage: tillbridge-worker --describe FILE.so\n"
         "       tillbridge-worker --plugin FILE.so --fd N   (started by tillbridged)\n",
         stderr);
  return EXIT_USAGE;
}

static Plugin *
load (const char *file)
{
  g_autoptr (GError) error = NULL;
  Plugin *plugin = plugin_load (file, &error);
  if (!plugin)
    fprintf (stderr, "%s: %s\n", file, error->message);
  return plugin;
}

static int
describe_file (const char *file)
{
  g_autoptr (Plugin) plugin = load (file);
  if (!plugin)
    return EXIT_FAILURE;
  json_object *description = describe (plugin);
  gboolean told = puts (json_object_to_json_string_ext (
                    description, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)) >= 0 &&
                  fflush (stdout) == 0;
  json_object_put (description);
  return told ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Sockets and files come from the hub with their flags; ours must not wait, and no child may have it. */
static gboolean
take_fd (int fd)
{
  int flags = fcntl (fd, F_GETFL);
  return flags >= 0 && fcntl (fd, F_SETFL, flags | O_NONBLOCK) == 0 && fcntl (fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Runs until the hub closes the socket or lets us leave. The hub alone takes signals from people: on Ctrl-C
 * it drains us. */
static int
serve (const char *file, int fd)
{
  g_autoptr (Plugin) plugin = load (file);
  if (!plugin)
    return EXIT_FAILURE;
  if (!take_fd (fd)) {
    perror ("tillbridge-worker: --fd");
    return EXIT_USAGE;
  }
  signal (SIGPIPE, SIG_IGN);
  signal (SIGINT, SIG_IGN);
  /* Bodies and frames come and go by the megabyte: given back each time, they would be faulted in again. */
  mallopt (M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
  mallopt (M_MMAP_THRESHOLD, KEPT_BLOCK_BYTES);
  g_autoptr (GError) error = NULL;
  g_autoptr (Loop) loop = loop_new ();
  Worker *worker = worker_new (loop, plugin, fd, &error);
  if (!worker) {
    fprintf (stderr, "tillbridge-worker: %s\n", error->message);
    return EXIT_FAILURE;
  }
  loop_run (loop);
  gboolean failed;
  worker_ended (worker, &failed);
  if (!worker_free (worker))
    _exit (failed ? EXIT_FAILURE
                  : EXIT_SUCCESS); /* a plugin does not come back: nothing can be taken apart */
  return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main (int argc, char **argv)
{
  static const struct option options[] = { { "describe", required_argument, NULL, 'd' },
                                           { "plugin", required_argument, NULL, 'p' },
                                           { "fd", required_argument, NULL, 'f' },
                                           { "version", no_argument, NULL, 'v' },
                                           { NULL, 0, NULL, 0 } };
  const char *described = NULL, *served = NULL;
  int fd = -1;
  for (int option; (option = getopt_long (argc, argv, "", options, NULL)) != -1;)
    switch (option) {
    case 'd':
      described = optarg;
      break;
    case 'p':
      served = optarg;
      break;
    case 'f':
      fd = g_ascii_isdigit (*optarg) ? atoi (optarg) : -1;
      break;
    case 'v':
      puts ("tillbridge-worker " PACKAGE_VERSION);
      return EXIT_SUCCESS;
    default:
      return usage ();
    }
  if (optind != argc || !described == !served || (served && fd < 0))
    return usage ();
  log_init ("tillbridge-worker", LOG_INFO);
  return described ? describe_file (described) : serve (served, fd);
}
