/* tillbridge-worker: one plugin, in a process of its own.
 *
 *   tillbridge-worker --describe FILE.so       what the plugin says of itself, as JSON
 *   tillbridge-worker --plugin FILE.so --fd N  serves the hub over a socket; started by the hub alone */
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "worker/describe.h"
#include "worker/loader.h"

enum { EXIT_USAGE = 2 };

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

int
main (int argc, char **argv)
{
  static const struct option options[] = { { "describe", required_argument, NULL, 'd' },
                                           { "plugin", required_argument, NULL, 'p' },
                                           { "fd", required_argument, NULL, 'f' },
                                           { "version", no_argument, NULL, 'v' },
                                           { NULL, 0, NULL, 0 } };
  const char *described = NULL;
  for (int option; (option = getopt_long (argc, argv, "", options, NULL)) != -1;)
    switch (option) {
    case 'd':
      described = optarg;
      break;
    case 'v':
      puts ("tillbridge-worker " PACKAGE_VERSION);
      return EXIT_SUCCESS;
    default:
      return usage ();
    }
  return described && optind == argc ? describe_file (described) : usage ();
}
