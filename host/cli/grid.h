/* A table for people, cut to the terminal's width; whole where the output is no terminal. */
#pragma once
#include "cli/cli.h"

typedef struct Grid Grid;

typedef enum {
  GRID_LEFT = 0,
  GRID_RIGHT = 1,
  GRID_CUT = 2,   /* may lose its end where the terminal is narrow */
  GRID_STATE = 4, /* a state's word: tinted */
} GridFlags;

/* Pairs of heading and flags, ending with NULL. */
Grid *grid_new (Cli *cli, const char *heading, ...) G_GNUC_NULL_TERMINATED;
/* A cell for each column; NULL: empty. Copied. */
void grid_add (Grid *grid, ...);
guint grid_rows (const Grid *grid);
/* Prints it, if it has rows, and frees it. */
void grid_end (Grid *grid);

/* "\033[32m" for "ok", "" for what has no tint. */
const char *grid_tint (const char *state);
