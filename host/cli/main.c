/* tillbridge: the operator's command. */
#include <locale.h>
#include <signal.h>
#include <string.h>

#include "cli/cli.h"

/* Tables are measured and shown in characters: where the locale knows none but ASCII's, UTF-8 is what
 * terminals understand today. */
static void
set_locale (void)
{
  const char *locale = setlocale (LC_CTYPE, "");
  if (!locale || strcmp (locale, "C") == 0 || strcmp (locale, "POSIX") == 0)
    setlocale (LC_CTYPE, "C.UTF-8");
}

int
main (int count, char **words)
{
  g_auto (GStrv) environment = g_get_environ ();
  set_locale ();
  signal (SIGPIPE, SIG_IGN); /* a closed pipe is seen when writing, and is no failure */
  return cli_run (count, words, environment, stdout, stderr);
}
