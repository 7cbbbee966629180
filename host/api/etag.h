/* Entity tags (RFC 9110, 8.8.3): strong, of the bytes that are served. */
#pragma once
#include <glib.h>

enum { ETAG_SIZE = 19 }; /* sixteen digits, quotes, NUL */

void etag_of (const void *bytes, gsize length, char etag[ETAG_SIZE]);
/* Is it among those of an If-None-Match? Weak ones count (RFC 9110, 13.1.2), "*" is any; what cannot be read
 * is none. */
gboolean etag_is_among (const char *etag, const char *list);
