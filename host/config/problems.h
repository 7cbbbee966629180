/* Making problems: what was expected, what was found, where, and what to do. For this room alone. */
#pragma once
#include "base/nearest.h"
#include "config/config.h"
#include "config/scan.h"
#include "config/tree.h"

/* What one file's reading carries about. */
typedef struct {
  GPtrArray *problems; /* ConfigProblem */
  const char *store;   /* whom errors stop; NULL: the host's file */
  guint errors;        /* how many were added, warnings not counted */
} Reading;

GPtrArray *problems_new (void);

/* An error at a node's name (NULL: about the file as a whole). Text that holds values must not hold secrets.
 */
ConfigProblem *problem_at (Reading *reading, const ConfigNode *node, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
ConfigProblem *problem_in (Reading *reading, const char *file, const char *format, ...) G_GNUC_PRINTF (3, 4);
ConfigProblem *problem_at_fault (Reading *reading, const ScanFault *fault);

/* What stands behind the mark; the line itself is shown with it, its strings hidden unless they are known to
 * be harmless. */
void problem_hint (ConfigProblem *problem, const ConfigNode *node, const char *format, ...)
  G_GNUC_PRINTF (3, 4);
void problem_fix (ConfigProblem *problem, const char *format, ...) G_GNUC_PRINTF (2, 3);
void problem_to_warning (Reading *reading, ConfigProblem *problem);

/* Adds `did you mean "x"?` when a name is near enough. */
void problem_nearest (ConfigProblem *problem, const ConfigNode *node, const char *wrong,
                      const char *const *names);
