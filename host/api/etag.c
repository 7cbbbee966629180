#include "api/etag.h"

#include <string.h>

#include "base/hash.h"

/* Not under the store's seed: it is shown. */
void
etag_of (const void *bytes, gsize length, char etag[ETAG_SIZE])
{
  guint64 hash = hash_bytes (bytes, length, 0);
  etag[0] = etag[ETAG_SIZE - 2] = '"';
  for (int i = 0; i < 16; i++)
    etag[1 + i] = "0123456789abcdef"[hash >> (60 - 4 * i) & 15];
  etag[ETAG_SIZE - 1] = '\0';
}

gboolean
etag_is_among (const char *etag, const char *list)
{
  gsize size = strlen (etag);
  const char *at = list + strspn (list, " \t");
  if (*at == '*')
    return at[1 + strspn (at + 1, " \t")] == '\0';
  for (;;) {
    at += strspn (at, " \t,");
    if (at[0] == 'W' && at[1] == '/')
      at += 2;
    const char *end = *at == '"' ? strchr (at + 1, '"') : NULL;
    if (!end)
      return FALSE;
    if ((gsize)(end + 1 - at) == size && memcmp (at, etag, size) == 0)
      return TRUE;
    at = end + 1;
  }
}
