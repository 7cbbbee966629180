/* Listening sockets of our own. */
#pragma once
#include <glib.h>

/* "127.0.0.1:8420", "[::1]:8420". *port: the one it got. -1 with error. */
int listen_tcp (const char *address, int *port, GError **error);
/* Mode 0666. A file that nobody listens at is replaced. */
int listen_unix (const char *path, GError **error);

/* Does this descriptor, which another run left, listen there? Where port 0 was asked for, any port will do.
 */
gboolean listen_is_tcp (int fd, const char *address, int *port);
gboolean listen_is_unix (int fd, const char *path);
