#include "cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/timefmt.h"
#include "cli/client.h"
#include "cli/terminal.h"
#include "cli/words.h"

#define SCREEN_BEGIN "\033[?1049h\033[?25l\033[2J" /* the other screen, no cursor */
#define SCREEN_END "\033[?25h\033[?1049l"
#define WATCH_FOOT "q or Ctrl-C ends"

enum { WATCH_EVERY_MS = 1000, WATCH_PATIENCE_MS = 3000, WATCH_ROWS_LEAST = 3 };

typedef struct {
  Cli *cli;
  FILE *terminal, *err; /* the command's own out and err */
  int signals;          /* a signalfd */
  sigset_t before;
  struct termios mode;
  gboolean keys; /* stdin is a terminal that tells of each key */
  TerminalSize size;
  GPtrArray *drawn; /* rows as they stand there; NULL: nothing does */
  char *text;       /* what was drawn last of what is watched */
  gint64 taken_ms;
  char *complaint; /* why there is nothing newer; NULL: there is */
} Watch;

/* ---- rows ---- */

/* Bytes of the escape sequence that begins there; 0: none does. */
static gsize
escape_length (const char *text)
{
  if (text[0] != '\033' || text[1] != '[')
    return 0;
  gsize length = 2 + strspn (text + 2, "0123456789;?");
  return text[length] ? length + 1 : length;
}

typedef struct {
  GPtrArray *rows;
  GString *row;
  guint width, blank_width; /* of the row; of it up to behind its last blank */
  gsize blank;              /* behind that blank; 0: there is none */
} Filling;

/* The row is full: it ends at its last blank, where it has one. */
static void
break_row (Filling *filling)
{
  g_autofree char *rest = g_strdup (filling->row->str + filling->blank);
  if (filling->blank)
    g_string_truncate (filling->row, filling->blank - 1);
  g_ptr_array_add (filling->rows, g_strdup (filling->row->str));
  g_string_assign (filling->row, filling->blank ? rest : "");
  filling->width = filling->blank ? filling->width - filling->blank_width : 0;
  filling->blank = 0;
}

static void
end_row (Filling *filling)
{
  filling->blank = 0;
  break_row (filling);
}

GPtrArray *
watch_rows (const char *text, guint columns)
{
  g_autoptr (GString) row = g_string_new (NULL);
  Filling filling = { g_ptr_array_new_with_free_func (g_free), row, 0, 0, 0 };
  for (const char *p = text; *p;) {
    gsize escape = escape_length (p), length = escape ? escape : (gsize)(g_utf8_next_char (p) - p);
    g_autofree char *piece = g_strndup (p, length);
    guint room = escape || *p == '\n' ? 0 : terminal_width (piece);
    gboolean full = filling.width + room > columns, ends = *p == '\n' || (full && *p == ' ');
    p += length;
    if (ends) {
      end_row (&filling);
      continue;
    }
    if (full)
      break_row (&filling);
    g_string_append (row, piece);
    filling.width += room;
    if (*piece == ' ') {
      filling.blank = row->len;
      filling.blank_width = filling.width;
    }
  }
  if (row->len)
    end_row (&filling);
  return filling.rows;
}

/* ---- drawing ---- */

/* Our own words, whatever colour the row above ended with. */
static void
add_plain (const Watch *watch, GPtrArray *rows, char *text)
{
  g_autofree char *cut = terminal_cut (text, watch->size.columns);
  g_ptr_array_add (rows, g_strconcat ("\033[0m", cut, NULL));
  g_free (text);
}

/* What the screen shall show: at most as many rows as it has. */
static GPtrArray *
compose (const Watch *watch)
{
  g_autoptr (GString) text = g_string_new (NULL);
  if (watch->complaint) {
    g_autofree char *age = words_age (time_wall_ms () - watch->taken_ms);
    gboolean colour = watch->cli->colour;
    g_string_append_printf (text, "%sThese figures are %s old: %s%s\n\n", colour ? "\033[31m" : "", age,
                            watch->complaint, colour ? "\033[0m" : "");
  }
  g_string_append (text, watch->text);
  GPtrArray *rows = watch_rows (text->str, watch->size.columns);
  guint most = MAX (watch->size.rows, WATCH_ROWS_LEAST) - 2; /* a blank one and the foot */
  if (rows->len > most) {
    guint more = rows->len - most + 1;
    g_ptr_array_set_size (rows, (gint)most - 1);
    add_plain (watch, rows, g_strdup_printf ("... and %u more lines; a taller window shows them", more));
  }
  g_ptr_array_add (rows, g_strdup (""));
  add_plain (watch, rows, g_strdup (WATCH_FOOT));
  return rows;
}

/* Rows that changed are drawn over. */
static void
show (Watch *watch)
{
  GPtrArray *rows = compose (watch);
  guint had = watch->drawn ? watch->drawn->len : 0;
  if (!watch->drawn)
    fputs ("\033[2J", watch->terminal);
  for (guint i = 0; i < MAX (rows->len, had); i++) {
    const char *now = i < rows->len ? g_ptr_array_index (rows, i) : "";
    if (i >= had || strcmp (g_ptr_array_index (watch->drawn, i), now) != 0)
      fprintf (watch->terminal, "\033[%u;1H\033[2K%s", i + 1, now);
  }
  fflush (watch->terminal);
  g_clear_pointer (&watch->drawn, g_ptr_array_unref);
  watch->drawn = rows;
}

/* ---- taking what shall be drawn ---- */

/* The first line of what was said on err, without its mark. */
static char *
complaint_of (const char *said)
{
  const char *text = strstr (said, "error:");
  text = text ? text + strlen ("error:") : said;
  text += g_str_has_prefix (text, "\033[0m") ? strlen ("\033[0m") : 0;
  g_autofree char *line = g_strndup (text, strcspn (text, "\n"));
  return words_safe (g_strstrip (line));
}

/* What `draw` writes becomes the text; where it fails the older one stays. */
static int
take (Watch *watch, WatchDraw draw, gpointer data)
{
  char *out, *err;
  size_t out_size, err_size;
  Cli *cli = watch->cli;
  watch->size = terminal_size (watch->terminal);
  cli->columns = watch->size.columns;
  cli->now_ms = time_wall_ms ();
  cli->out = open_memstream (&out, &out_size);
  cli->err = open_memstream (&err, &err_size);
  int status = draw (cli, data);
  fclose (cli->out);
  fclose (cli->err);
  cli->out = watch->terminal;
  cli->err = watch->err;
  g_clear_pointer (&watch->complaint, g_free);
  if (status == CLI_DONE) {
    g_free (watch->text);
    watch->text = g_strdup (out);
    watch->taken_ms = cli->now_ms;
  } else if (watch->text)
    watch->complaint = complaint_of (err);
  else
    fputs (err, watch->err);
  free (out);
  free (err);
  return status;
}

/* ---- the terminal ---- */

static void
enter (Watch *watch)
{
  if (watch->keys) {
    struct termios mode = watch->mode;
    mode.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    tcsetattr (STDIN_FILENO, TCSADRAIN, &mode);
  }
  fputs (SCREEN_BEGIN, watch->terminal);
  g_clear_pointer (&watch->drawn, g_ptr_array_unref);
}

static void
leave (Watch *watch)
{
  fputs (SCREEN_END, watch->terminal);
  fflush (watch->terminal);
  if (watch->keys)
    tcsetattr (STDIN_FILENO, TCSADRAIN, &watch->mode);
}

/* Ctrl-Z: the shell gets its screen, and we draw anew when we may go on. */
static void
suspend (Watch *watch)
{
  leave (watch);
  kill (getpid (), SIGSTOP);
  enter (watch);
}

/* FALSE: it is over. *number: by that signal; 0: by a key. */
static gboolean
take_signal (Watch *watch, int *number)
{
  struct signalfd_siginfo info;
  if (read (watch->signals, &info, sizeof info) != sizeof info)
    return TRUE;
  if (info.ssi_signo == SIGWINCH)
    g_clear_pointer (&watch->drawn, g_ptr_array_unref);
  else if (info.ssi_signo == SIGTSTP)
    suspend (watch);
  else {
    *number = (int)info.ssi_signo;
    return FALSE;
  }
  return TRUE;
}

/* Until it is time to look again. FALSE: it is over. */
static gboolean
wait_for_next (Watch *watch, int *number)
{
  struct pollfd places[] = { { watch->signals, POLLIN, 0 }, { STDIN_FILENO, POLLIN, 0 } };
  if (poll (places, watch->keys ? 2 : 1, WATCH_EVERY_MS) < 0 && errno != EINTR)
    return FALSE;
  if (places[0].revents && !take_signal (watch, number))
    return FALSE;
  if (!places[1].revents)
    return TRUE;
  char key;
  return read (STDIN_FILENO, &key, 1) == 1 && key != 'q' && key != 'Q';
}

static gboolean
is_pending (const Watch *watch)
{
  struct pollfd place = { watch->signals, POLLIN, 0 };
  return poll (&place, 1, 0) > 0;
}

/* The signal does what it would have done. */
static void
end_by (Watch *watch, int number)
{
  sigprocmask (SIG_SETMASK, &watch->before, NULL);
  if (number)
    raise (number);
}

static void
begin (Watch *watch)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH };
  sigset_t set;
  sigemptyset (&set);
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    sigaddset (&set, numbers[i]);
  sigprocmask (SIG_BLOCK, &set, &watch->before);
  watch->signals = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  g_assert (watch->signals >= 0);
  watch->keys = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &watch->mode) == 0;
}

int
watch_screen (Cli *cli, WatchDraw draw, gpointer data)
{
  int status, number = 0;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  Watch watch = { .cli = cli, .terminal = cli->out, .err = cli->err };
  begin (&watch);
  client_set_patience (client, WATCH_PATIENCE_MS);
  client_set_interrupt (client, watch.signals);
  client_remember (client);
  status = take (&watch, draw, data);
  if (status == CLI_DONE) {
    enter (&watch);
    for (show (&watch); wait_for_next (&watch, &number);) {
      take (&watch, draw, data);
      if (!is_pending (&watch)) /* else it may be a signal that cut the question off */
        show (&watch);
    }
    leave (&watch);
  }
  close (watch.signals);
  g_clear_pointer (&watch.drawn, g_ptr_array_unref);
  g_free (watch.text);
  g_free (watch.complaint);
  end_by (&watch, number);
  return status;
}
