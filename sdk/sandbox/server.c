#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <gio/gio.h>

#include "connection.h"

enum { BACKLOG = 1024 };

struct Listener {
  Server *server;
  int fd;
  LoopWatch *watch; /* NULL: refuses */
  struct sockaddr_in address;
};

struct Server {
  Loop *loop;
  ServerHandler handler;
  gpointer data;
  GPtrArray *listeners;
  GHashTable *connections; /* Connection, a set */
};

static void
connection_ended (Connection *connection, gpointer data)
{
  Server *server = data;
  g_hash_table_remove (server->connections, connection);
}

static void
accept_ready (int fd, guint32 events, gpointer data)
{
  Listener *listener = data;
  Server *server = listener->server;
  for (;;) {
    int socket = accept4 (fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0)
      return; /* nobody is waiting any more, or one went away again; the loop calls when there is another */
    int on = 1;
    setsockopt (socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection *connection =
      connection_new (server->loop, socket, server->handler, server->data, connection_ended, server);
    g_hash_table_add (server->connections, connection);
  }
}

static gboolean
refuse_port (Listener *listener, const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "cannot %s port %u: %s", what,
               listener_port (listener), g_strerror (errno));
  return FALSE;
}

/* Takes the port without listening: whoever connects is refused, and nobody else gets the port meanwhile. */
static gboolean
take_port (Listener *listener, GError **error)
{
  int on = 1;
  socklen_t length = sizeof listener->address;
  listener->fd = socket (AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener->fd < 0 || setsockopt (listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
      bind (listener->fd, (struct sockaddr *)&listener->address, length) < 0 ||
      getsockname (listener->fd, (struct sockaddr *)&listener->address, &length) < 0)
    return refuse_port (listener, "take", error);
  return TRUE;
}

static gboolean
start_listening (Listener *listener, GError **error)
{
  if (listen (listener->fd, BACKLOG) < 0)
    return refuse_port (listener, "listen on", error);
  listener->watch = loop_watch_new (listener->server->loop, listener->fd, EPOLLIN, accept_ready, listener);
  return TRUE;
}

static void
listener_close (Listener *listener)
{
  g_clear_pointer (&listener->watch, loop_watch_free);
  if (listener->fd >= 0)
    close (listener->fd);
  listener->fd = -1;
}

static void
listener_free (gpointer data)
{
  listener_close (data);
  g_free (data);
}

Server *
server_new (Loop *loop, ServerHandler handler, gpointer data)
{
  Server *server = g_new0 (Server, 1);
  server->loop = loop;
  server->handler = handler;
  server->data = data;
  server->listeners = g_ptr_array_new_with_free_func (listener_free);
  server->connections =
    g_hash_table_new_full (NULL, NULL, (GDestroyNotify)(void (*) (void))connection_free, NULL);
  return server;
}

void
server_free (Server *server)
{
  if (!server)
    return;
  g_ptr_array_unref (server->listeners);
  g_hash_table_unref (server->connections);
  g_free (server);
}

Listener *
server_listen (Server *server, const char *host, guint16 port, GError **error)
{
  Listener *listener = g_new0 (Listener, 1);
  listener->server = server;
  listener->fd = -1;
  listener->address = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons (port) };
  if (inet_pton (AF_INET, host, &listener->address.sin_addr) != 1) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "\"%s\" is not an IPv4 address (write 127.0.0.1:0)", host);
    g_free (listener);
    return NULL;
  }
  if (!take_port (listener, error) || !start_listening (listener, error)) {
    listener_free (listener);
    return NULL;
  }
  g_ptr_array_add (server->listeners, listener);
  return listener;
}

guint16
listener_port (const Listener *listener)
{
  return ntohs (listener->address.sin_port);
}

gboolean
listener_set_open (Listener *listener, gboolean open, GError **error)
{
  if (open == (listener->watch != NULL))
    return TRUE;
  if (open)
    return start_listening (listener, error);
  listener_close (listener);
  return take_port (listener, error);
}

void
server_release_stalled (Server *server)
{
  g_autoptr (GList) all = g_hash_table_get_keys (server->connections);
  for (GList *item = all; item; item = item->next)
    connection_release (item->data);
}

guint
server_connections (const Server *server)
{
  return g_hash_table_size (server->connections);
}
