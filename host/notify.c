#include "notify.h"

#include <glib.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
notify_manager (const char *state)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  const char *path = g_getenv ("NOTIFY_SOCKET");
  if (!path || !*path || strlen (path) >= sizeof name.sun_path)
    return;
  memcpy (name.sun_path, path, strlen (path));
  if (*path == '@') /* an abstract one */
    name.sun_path[0] = '\0';
  int fd = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return;
  sendto (fd, state, strlen (state), MSG_NOSIGNAL, (struct sockaddr *)&name,
          (socklen_t)(offsetof (struct sockaddr_un, sun_path) + strlen (path)));
  close (fd);
}

void
notify_reloading (void)
{
  g_autofree char *state =
    g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
  notify_manager (state);
}
