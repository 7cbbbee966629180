/* The ways in which most verbs ask and print: one answer, or a list as a table or as one object a line. */
#pragma once
#include "cli/client.h"
#include "cli/grid.h"

/* One answer, read. NULL: told, *status is how to end. body is not taken. */
json_object *answers_one (Cli *cli, const char *method, const char *target, json_object *body, int *status);
/* Prints one answer as it came. */
int answers_print (Cli *cli, const char *method, const char *target, json_object *body);

typedef struct {
  Grid *(*grid) (Cli *cli);
  void (*row) (Cli *cli, Grid *grid, json_object *item);
  const char *empty; /* the sentence when there is nothing */
} ListShape;

/* most 0: all. */
int answers_list (Cli *cli, const char *target, guint64 most, const ListShape *shape);
/* A list of what `owner` has, the path of a store or connector (NULL: of everything). The API takes both as
 * filters, and one that is misspelt has nothing: so where a table stays empty, it is asked whether there is
 * such a one. */
int answers_list_of (Cli *cli, const char *owner, const char *target, guint64 most, const ListShape *shape);
/* Is there such a one? FALSE: told. */
gboolean answers_owner (Cli *cli, const char *owner, int *status);
/* All items, read: an array. NULL: told. */
json_object *answers_all (Cli *cli, const char *target, int *status);
/* Asked for by --limit; with --json everything, else `standard`. FALSE: told that it is no number. */
gboolean answers_limit (Cli *cli, guint64 standard, guint64 *most, int *status);
