/* What a shell offers when a word is completed: `tillbridge complete`, which no help shows.
 *
 * bash calls it by `complete -C` with COMP_LINE and COMP_POINT in the environment and, as arguments, the
 * command, the word as bash sees it (which begins behind a "=" or ":"), and the word before. zsh and fish
 * call it with --plain or --described. Nothing is ever said on stderr, and nothing is waited for longer than
 * a second. */
#pragma once
#include "cli/cli.h"

/* count, words: as the program was called, "tillbridge complete ...". */
int complete_run (Cli *cli, char **environment, int count, char **words);

/* ---- shared with complete-names.c ---- */

/* Adds a candidate: help may be NULL. Both are copied. */
typedef struct Candidates Candidates;
void candidates_add (Candidates *candidates, const char *text, const char *help);

/* Places that begin with what was typed, down to `most` segments; fewer than `least` segments are offered
 * with a slash behind them. */
void complete_places (Cli *cli, Candidates *candidates, const char *typed, guint least, guint most);
void complete_connector_names (Cli *cli, Candidates *candidates, const char *store);
void complete_plugins (Cli *cli, Candidates *candidates);
void complete_held (Cli *cli, Candidates *candidates);
