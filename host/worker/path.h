/* Path formats of requests: printf's own, so that the compiler checks them.
 *
 *   "/products?page=%lld&changed_since=%s"
 *
 * %s is percent-encoded (all but RFC 3986's unreserved characters), %-s keeps what is in it, integers stand
 * as they are. Behind `?` a NULL takes its parameter away; before it NULL and "" are an error, so that
 * "/customers/%s" never lists all customers, and so are "." and "..", which would climb. */
#pragma once
#include <stdarg.h>
#include <glib.h>

char *path_format (const char *format, va_list args, GError **error);
