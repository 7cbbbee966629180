#include "sockets.h"

#include <glib/gstdio.h>
#include <unistd.h>

#include "api/listen.h"

/* The names that the manager knows them by. */
#define API_NAME "api"
#define SOCKET_NAME "socket"

/* Of no use. It goes at once: its address may be in the way of the one that is made instead. */
static void
give_up (const Notify *notify, int fd, const char *name)
{
  close (fd);
  notify_forget (notify, name);
}

static int
take_unix (Notify *notify, const char *path)
{
  for (int fd; path && (fd = notify_take (notify, SOCKET_NAME)) >= 0; give_up (notify, fd, SOCKET_NAME))
    if (listen_is_unix (fd, path))
      return fd;
  return -1;
}

static int
take_tcp (Notify *notify, const char *address, int *port)
{
  for (int fd; address && (fd = notify_take (notify, API_NAME)) >= 0; give_up (notify, fd, API_NAME))
    if (listen_is_tcp (fd, address, port))
      return fd;
  return -1;
}

static int
make_unix (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_mkdir_with_parents (folder, 0755); /* where it cannot, the socket says so */
  return listen_unix (path, error);
}

static gboolean
serve (Api *api, Notify *notify, int fd, const char *name, const char *path, GError **error)
{
  if (fd < 0)
    return FALSE;
  notify_keep (notify, name, fd);
  return api_serve (api, fd, path, error);
}

gboolean
sockets_open (Api *api, Notify *notify, const ConfigHost *host, int *port, GError **error)
{
  *port = 0;
  int socket = take_unix (notify, host->socket), tcp = take_tcp (notify, host->api, port);
  notify_forget_rest (notify);
  if (host->socket && socket < 0)
    socket = make_unix (host->socket, error);
  const char *goes = notify_is_asked (notify) ? NULL : host->socket;
  if (host->socket && !serve (api, notify, socket, SOCKET_NAME, goes, error)) {
    if (tcp >= 0)
      close (tcp);
    return FALSE;
  }
  if (host->api && tcp < 0)
    tcp = listen_tcp (host->api, port, error);
  return !host->api || serve (api, notify, tcp, API_NAME, NULL, error);
}
