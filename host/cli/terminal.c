#include "cli/terminal.h"

#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { TERMINAL_COLUMNS = 80, TERMINAL_ROWS = 24 }; /* of one that does not say */

TerminalSize
terminal_size (FILE *out)
{
  struct winsize size;
  int fd = fileno (out);
  if (fd < 0 || !isatty (fd))
    return (TerminalSize){ 0, 0 };
  if (ioctl (fd, TIOCGWINSZ, &size) != 0)
    size = (struct winsize){ 0 };
  return (TerminalSize){ size.ws_col ? size.ws_col : TERMINAL_COLUMNS,
                         size.ws_row ? size.ws_row : TERMINAL_ROWS };
}

static guint
columns_of (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

guint
terminal_width (const char *text)
{
  guint width = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    width += columns_of (g_utf8_get_char (p));
  return width;
}

char *
terminal_cut (const char *text, guint columns)
{
  const char *p = text;
  for (guint width = 0; *p; p = g_utf8_next_char (p)) {
    width += columns_of (g_utf8_get_char (p));
    if (width > columns)
      break;
  }
  return g_strndup (text, (gsize)(p - text));
}

char *
terminal_pad (const char *text, guint columns)
{
  guint width = terminal_width (text);
  return g_strdup_printf ("%s%*s", text, width < columns ? (int)(columns - width) : 0, "");
}
