#include "shim-run.h"

static char *
shim_path (void)
{
  const char *build = g_getenv ("TB_BUILD");
  g_autofree char *here = build ? g_strdup (build) : g_get_current_dir ();
  return g_build_filename (here, "tests", "faults", ".libs", "libshim.so", NULL);
}

char *
shim_run (const char *path, const char *part, const char *mode, long at)
{
  g_autofree char *shim = shim_path (), *self = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *number = g_strdup_printf ("%ld", at);
  char *out = NULL;
  g_auto (GStrv) environment = g_get_environ ();
  environment = g_environ_setenv (environment, "LD_PRELOAD", shim, TRUE);
  environment =
    g_environ_setenv (environment, "ASAN_OPTIONS", "verify_asan_link_order=0:detect_leaks=0", TRUE);
  environment = g_environ_setenv (environment, "TB_SHIM_PATH", part, TRUE);
  environment = g_environ_setenv (environment, "TB_SHIM_MODE", mode, TRUE);
  environment = g_environ_setenv (environment, "TB_SHIM_AT", number, TRUE);
  const char *arguments[] = { self, "child", path, NULL };
  g_autoptr (GError) error = NULL;
  if (!g_spawn_sync (NULL, (char **)arguments, environment, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
                     NULL, NULL, &error))
    g_error ("%s", error->message);
  return out;
}
