/* config-reference FILE: the document with its tables as they are now, on stdout. `make docs` runs it. */
#include "config/table.h"

#include <stdio.h>

int
main (int argc, char **argv)
{
  g_autofree char *document = NULL;
  g_autoptr (GError) error = NULL;
  if (argc != 2 || !g_file_get_contents (argv[1], &document, NULL, &error)) {
    fprintf (stderr, "%s\n", error ? error->message : "usage: config-reference FILE");
    return 2;
  }
  g_autofree char *renewed = reference_renew (document);
  return fputs (renewed, stdout) < 0;
}
