#include "cli/grid.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <string.h>

enum { GRID_COLUMNS_MOST = 12 };

struct Grid {
  Cli *cli;
  struct libscols_table *table;
  GridFlags flags[GRID_COLUMNS_MOST];
  guint columns, rows;
};

/* libsmartcols fails for want of memory alone, where the rest of the program ends as well. */
static void
must (int result)
{
  if (result < 0)
    g_error ("out of memory");
}

Grid *
grid_new (Cli *cli, const char *heading, ...)
{
  va_list arguments;
  Grid *grid = g_new0 (Grid, 1);
  size_t width = cli->columns;
  grid->cli = cli;
  grid->table = scols_new_table ();
  g_assert (grid->table);
  must (scols_table_set_stream (grid->table, cli->out));
  must (scols_table_set_termforce (grid->table, width ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER));
  if (width)
    must (scols_table_set_termwidth (grid->table, width));
  must (scols_table_enable_colors (grid->table, cli->colour));
  must (scols_table_set_column_separator (grid->table, "  "));
  va_start (arguments, heading);
  for (; heading; heading = va_arg (arguments, const char *)) {
    GridFlags flags = (GridFlags)va_arg (arguments, int);
    int how = (flags & GRID_RIGHT ? SCOLS_FL_RIGHT : 0) | (flags & GRID_CUT ? SCOLS_FL_TRUNC : 0);
    g_assert (grid->columns < GRID_COLUMNS_MOST);
    grid->flags[grid->columns++] = flags;
    g_assert (scols_table_new_column (grid->table, heading, 0, how));
  }
  va_end (arguments);
  return grid;
}

const char *
grid_tint (const char *state)
{
  static const struct {
    const char *words, *tint;
  } rows[] = { { " ok complete running ", "\033[32m" },
               { " late held waiting refused ", "\033[33m" },
               { " failing failed stopped parked ", "\033[31m" },
               { " off paused ", "\033[2m" } };
  g_autofree char *word = g_strdup_printf (" %s ", state);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    if (strstr (rows[i].words, word))
      return rows[i].tint;
  return "";
}

void
grid_add (Grid *grid, ...)
{
  va_list arguments;
  struct libscols_line *line = scols_table_new_line (grid->table, NULL);
  g_assert (line);
  va_start (arguments, grid);
  for (guint i = 0; i < grid->columns; i++) {
    const char *text = va_arg (arguments, const char *);
    const char *tint = text && grid->flags[i] & GRID_STATE ? grid_tint (text) : "";
    must (scols_line_set_data (line, i, text && *text ? text : "-"));
    if (*tint)
      must (scols_cell_set_color (scols_line_get_cell (line, i), tint));
  }
  va_end (arguments);
  grid->rows++;
}

guint
grid_rows (const Grid *grid)
{
  return grid->rows;
}

void
grid_end (Grid *grid)
{
  if (grid->rows)
    scols_print_table (grid->table); /* what could not be written is seen at the end */
  scols_unref_table (grid->table);
  g_free (grid);
}
