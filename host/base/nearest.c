#include "base/nearest.h"

#include <glib.h>
#include <string.h>

enum { NAME_MOST = 64 };

/* Insertions, deletions, replacements and neighbours swapped (optimal string alignment). */
static guint
distance (const char *a, const char *b)
{
  guint rows[3][NAME_MOST + 1];
  gsize n = strlen (a), m = strlen (b);
  if (n > NAME_MOST || m > NAME_MOST)
    return G_MAXUINT;
  for (guint j = 0; j <= m; j++)
    rows[0][j] = j;
  for (guint i = 1; i <= n; i++) {
    guint *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
    row[0] = i;
    for (guint j = 1; j <= m; j++) {
      guint best = above[j - 1] + (a[i - 1] != b[j - 1]);
      best = MIN (best, MIN (above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        best = MIN (best, before[j - 2] + 1);
      row[j] = best;
    }
  }
  return rows[n % 3][m];
}

const char *
nearest_name (const char *wrong, const char *const *names)
{
  const char *nearest = NULL;
  guint least = MAX (1, (guint)strlen (wrong) / 3) + 1;
  for (; *names; names++) {
    guint one = distance (wrong, *names);
    if (one < least) {
      least = one;
      nearest = *names;
    }
  }
  return nearest;
}
