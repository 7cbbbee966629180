/* Walks over the part of a document that is not the wanted array, byte by byte, and tells where the array
 * begins.
 *
 * Only the objects on the path are told apart; anything else that is open is a number, so depth costs
 * nothing. */
#pragma once
#include "json/path.h"

typedef struct {
  const PathWay *way;
  guint64 depth; /* brackets that are open */
  guint on_path; /* how many of them, from the outermost, are the path's objects */
  gboolean in_string, escaped, want_key, matched;
  gboolean in_key;
  GString *key; /* as it was written, up to KEY_MOST */
  gboolean found;
} Finder;

void finder_init (Finder *finder, const PathWay *way);
void finder_clear (Finder *finder);

/* Goes on from at. TRUE the one time the array's opening bracket is met; *at is behind it. Then go on with
 * its closing bracket. FALSE: *at is end. */
gboolean finder_run (Finder *finder, const char **at, const char *end);

/* Is nothing open? */
gboolean finder_is_complete (const Finder *finder);
