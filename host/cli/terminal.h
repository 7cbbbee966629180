/* How large a terminal is, and how much room a text takes on it: Chinese takes two columns a character, an
 * accent none. */
#pragma once
#include <glib.h>
#include <stdio.h>

typedef struct {
  guint columns, rows; /* 0: it is no terminal */
} TerminalSize;

TerminalSize terminal_size (FILE *out);

guint terminal_width (const char *text);
/* What fits into `columns`; g_free(). */
char *terminal_cut (const char *text, guint columns);
/* With blanks behind it up to `columns`; longer ones stay whole; g_free(). */
char *terminal_pad (const char *text, guint columns);
