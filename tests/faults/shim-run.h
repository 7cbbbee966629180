/* Runs this very program again, as a child whose writes to some files end or fail at one of them (shim.c). */
#pragma once
#include <glib.h>

/* `program child path` with the shim on files whose path has part in it; what it wrote to stdout. */
char *shim_run (const char *path, const char *part, const char *mode, long at);
