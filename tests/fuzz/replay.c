/* A fuzz target without a fuzzer: runs it over the files of tests/fuzz/corpus/CORPUS, which are seeds and
 * what was found. */
#include <glib.h>
#include <stdio.h>
#include "fuzz/fuzz.h"

int
main (void)
{
  const char *source = g_getenv ("TB_SOURCE");
  g_autofree char *folder = g_build_filename (source ? source : ".", "tests", "fuzz", "corpus", CORPUS, NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, &error);
  int count = 0;
  if (!dir) {
    printf ("Bail out! %s (set TB_SOURCE to the source folder)\n", error->message);
    return 1;
  }
  for (const char *name; (name = g_dir_read_name (dir));) {
    g_autofree char *file = g_build_filename (folder, name, NULL), *bytes = NULL;
    gsize length;
    if (!g_file_get_contents (file, &bytes, &length, &error)) {
      printf ("Bail out! %s\n", error->message);
      return 1;
    }
    fprintf (stderr, "# %s\n", name); /* whatever it aborts at is named last */
    LLVMFuzzerTestOneInput ((const uint8_t *)bytes, length);
    count++;
  }
  printf ("%s 1 - fuzz " CORPUS ": %d inputs replayed\n1..1\n", count > 0 ? "ok" : "not ok", count);
  return count == 0;
}
