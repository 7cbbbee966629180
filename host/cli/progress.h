/* A line on a terminal that is drawn over itself while something runs; nothing where err is none. */
#pragma once
#include "cli/cli.h"

typedef struct Progress Progress;

Progress *progress_new (Cli *cli);
void progress_free (Progress *progress); /* takes the line away */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Progress, progress_free)

gboolean progress_is_shown (const Progress *progress);
/* total 0: not known, then a count is shown without a bar. */
void progress_draw (Progress *progress, const char *label, gint64 done, gint64 total);
void progress_wait (Progress *progress, const char *label, const char *why);
/* Before something else is printed. */
void progress_clear (Progress *progress);

/* The line without its terminal: width columns at most. g_free(). */
char *progress_line (const char *label, gint64 done, gint64 total, guint width);
