/* The command line read by the verb table, and the help that the same table gives. */
#pragma once
#include "cli/cli.h"

/* The verb that the words begin with, and how many they are; NULL: none. */
const Verb *usage_find (char *const *words, guint *length);
/* "statsu" -> "status"; two words where the first begins verbs of two. NULL: nothing is near. Free with
 * g_free(). */
char *usage_nearest_verb (char *const *words);

/* Reads the words into cli. TRUE: run cli->verb. FALSE: *status is how to end; told where it was wrong. */
gboolean usage_read (Cli *cli, int count, char **words, int *status);

/* g_free() all of these. columns: of the terminal; 0: there is none. */
char *usage_overview (guint columns);
char *usage_of_verb (const Verb *verb, guint columns);
char *usage_of_option (const VerbOption *option);  /* "-c, --config FILE" */
char *usage_of_choices (const VerbOption *option); /* its help, and what it may be */
