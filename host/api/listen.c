#include "api/listen.h"

#include <errno.h>
#include <gio/gio.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

static int
fail (int fd, const char *where, const char *hint, GError **error)
{
  int why = errno;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (why), "cannot listen on %s: %s%s", where,
               g_strerror (why), hint);
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Cuts "[::1]:8420" in two. */
static gboolean
split (const char *address, char **host, char **port)
{
  const char *colon = strrchr (address, ':');
  if (!colon || colon == address || !colon[1])
    return FALSE;
  gboolean bracket = *address == '[';
  if (bracket && colon[-1] != ']')
    return FALSE;
  *host = g_strndup (address + bracket, (gsize)(colon - address) - (bracket ? 2 : 0));
  *port = g_strdup (colon + 1);
  return TRUE;
}

static struct addrinfo *
resolve (const char *address, GError **error)
{
  g_autofree char *host = NULL, *port = NULL;
  struct addrinfo *found = NULL, wanted = { .ai_socktype = SOCK_STREAM,
                                            .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE };
  if (split (address, &host, &port) && getaddrinfo (host, port, &wanted, &found) == 0)
    return found;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               "cannot listen on \"%s\": write an address and a port, such as 127.0.0.1:8420 or [::1]:8420",
               address);
  return NULL;
}

static int
port_of (int fd)
{
  struct sockaddr_storage name;
  socklen_t length = sizeof name;
  if (getsockname (fd, (struct sockaddr *)&name, &length) < 0)
    return 0;
  return ntohs (name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                           : ((struct sockaddr_in *)&name)->sin_port);
}

int
listen_tcp (const char *address, int *port, GError **error)
{
  struct addrinfo *found = resolve (address, error);
  int one = 1;
  if (!found)
    return -1;
  int fd = socket (found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean fine =
    fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
    (found->ai_family != AF_INET6 || setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one) == 0) &&
    bind (fd, found->ai_addr, found->ai_addrlen) == 0 && listen (fd, BACKLOG) == 0;
  int why = errno;
  freeaddrinfo (found);
  errno = why;
  if (!fine)
    return fail (fd, address,
                 why == EADDRINUSE ? "; is another tillbridged running? Else choose another listen.api" : "",
                 error);
  *port = port_of (fd);
  return fd;
}

static gboolean
is_stale (const char *path, const struct sockaddr_un *name)
{
  struct stat about;
  if (lstat (path, &about) < 0 || !S_ISSOCK (about.st_mode))
    return FALSE;
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  gboolean refused =
    fd >= 0 && connect (fd, (const struct sockaddr *)name, sizeof *name) < 0 && errno == ECONNREFUSED;
  if (fd >= 0)
    close (fd);
  return refused;
}

int
listen_unix (const char *path, GError **error)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  if (strlen (path) >= sizeof name.sun_path) {
    errno = ENAMETOOLONG;
    return fail (-1, path, "", error);
  }
  g_strlcpy (name.sun_path, path, sizeof name.sun_path);
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return fail (fd, path, "", error);
  if (is_stale (path, &name))
    unlink (path);
  if (bind (fd, (struct sockaddr *)&name, sizeof name) < 0)
    return fail (fd, path, errno == EADDRINUSE ? "; is another tillbridged running?" : "", error);
  if (chmod (path, 0666) < 0 || listen (fd, BACKLOG) < 0)
    return fail (fd, path, "", error);
  return fd;
}

static gboolean
listens (int fd, int family)
{
  int accepts = 0, found = 0, type = 0;
  socklen_t length = sizeof accepts;
  return getsockopt (fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts &&
         getsockopt (fd, SOL_SOCKET, SO_DOMAIN, &found, &length) == 0 && found == family &&
         getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

static gboolean
is_at (int fd, const struct addrinfo *wanted)
{
  struct sockaddr_storage name = { 0 };
  socklen_t length = sizeof name;
  if (getsockname (fd, (struct sockaddr *)&name, &length) < 0)
    return FALSE;
  if (wanted->ai_family == AF_INET) {
    const struct sockaddr_in *is = (const void *)&name, *be = (const void *)wanted->ai_addr;
    return is->sin_addr.s_addr == be->sin_addr.s_addr && (!be->sin_port || is->sin_port == be->sin_port);
  }
  const struct sockaddr_in6 *is = (const void *)&name, *be = (const void *)wanted->ai_addr;
  return memcmp (&is->sin6_addr, &be->sin6_addr, sizeof is->sin6_addr) == 0 &&
         is->sin6_scope_id == be->sin6_scope_id && (!be->sin6_port || is->sin6_port == be->sin6_port);
}

gboolean
listen_is_tcp (int fd, const char *address, int *port)
{
  struct addrinfo *wanted = resolve (address, NULL);
  gboolean fits = wanted && listens (fd, wanted->ai_family) && is_at (fd, wanted);
  if (wanted)
    freeaddrinfo (wanted);
  if (fits)
    *port = port_of (fd);
  return fits;
}

/* Its file must be there still: a socket without one can be reached by nobody. */
gboolean
listen_is_unix (int fd, const char *path)
{
  struct sockaddr_un name = { 0 };
  socklen_t length = sizeof name - 1; /* a zero stays behind the path */
  struct stat about;
  return listens (fd, AF_UNIX) && getsockname (fd, (struct sockaddr *)&name, &length) == 0 &&
         strcmp (name.sun_path, path) == 0 && lstat (path, &about) == 0 && S_ISSOCK (about.st_mode);
}
