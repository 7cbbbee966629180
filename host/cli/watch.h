/* A screen that is drawn over itself while something changes. */
#pragma once
#include "cli/cli.h"

/* Writes it on cli->out; answers with a status. */
typedef int (*WatchDraw) (Cli *cli, gpointer data);

/* Until the person ends it. When the daemon stops answering, what was drawn last stays, with its age. */
int watch_screen (Cli *cli, WatchDraw draw, gpointer data);

/* The text cut into rows of at most that many columns; escape sequences take no room. Free with
 * g_ptr_array_unref(). */
GPtrArray *watch_rows (const char *text, guint columns);
