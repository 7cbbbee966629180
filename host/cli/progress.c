#include "cli/progress.h"

#include <unistd.h>

#include "cli/terminal.h"
#include "cli/words.h"

enum { PROGRESS_BAR_MOST = 40, PROGRESS_BAR_LEAST = 8, PROGRESS_FIGURES = 32 };

struct Progress {
  Cli *cli;
  gboolean terminal, drawn;
};

Progress *
progress_new (Cli *cli)
{
  Progress *progress = g_new0 (Progress, 1);
  int fd = fileno (cli->err);
  progress->cli = cli;
  progress->terminal = fd >= 0 && isatty (fd);
  return progress;
}

void
progress_free (Progress *progress)
{
  progress_clear (progress);
  g_free (progress);
}

gboolean
progress_is_shown (const Progress *progress)
{
  return progress->terminal;
}

/* A line that wraps cannot be drawn over. */
static guint
room_of (const Progress *progress)
{
  return terminal_size (progress->cli->err).columns - 1;
}

char *
progress_line (const char *label, gint64 done, gint64 total, guint width)
{
  glong bar = MIN ((glong)width - (glong)terminal_width (label) - PROGRESS_FIGURES, PROGRESS_BAR_MOST);
  if (total <= 0 || bar < PROGRESS_BAR_LEAST) {
    g_autofree char *text = g_strdup_printf ("%s  %" G_GINT64_FORMAT " records", label, done);
    return terminal_cut (text, width);
  }
  gint64 shown = MIN (done, total);
  g_autofree char *full = g_strnfill ((gsize)(bar * shown / total), '#');
  g_autofree char *text =
    g_strdup_printf ("%s  [%-*s] %3" G_GINT64_FORMAT " %%  %" G_GINT64_FORMAT " of about %" G_GINT64_FORMAT,
                     label, (int)bar, full, shown * 100 / total, done, total);
  return terminal_cut (text, width);
}

static void
draw (Progress *progress, const char *line)
{
  fprintf (progress->cli->err, "\r%s\033[K", line);
  fflush (progress->cli->err);
  progress->drawn = TRUE;
}

void
progress_draw (Progress *progress, const char *label, gint64 done, gint64 total)
{
  if (!progress->terminal)
    return;
  g_autofree char *line = progress_line (label, done, total, room_of (progress));
  draw (progress, line);
}

void
progress_wait (Progress *progress, const char *label, const char *why)
{
  if (!progress->terminal)
    return;
  g_autofree char *safe = words_safe (why);
  g_autofree char *text = g_strdup_printf ("%s  waiting%s%s", label, *safe ? ": " : "", safe);
  g_autofree char *line = terminal_cut (text, room_of (progress));
  draw (progress, line);
}

void
progress_clear (Progress *progress)
{
  if (!progress->drawn)
    return;
  fputs ("\r\033[K", progress->cli->err);
  fflush (progress->cli->err);
  progress->drawn = FALSE;
}
