#include "http-server.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct HttpServer {
  int fd;
  guint port;
  HttpServerFunc func;
  gpointer data;
  GThread *thread;
  GMutex lock;
  GPtrArray *threads; /* GThread */
  GArray *fds;        /* int, of open connections */
  guint connections, requests;
  gboolean ending;
};

typedef struct {
  HttpServer *server;
  int fd;
  guint number;
} Connection;

/* Reads until the head is whole, then the body; FALSE at the end of the connection. */
static gboolean
read_request (int fd, GString *text, gsize *head_size, gsize *body_size)
{
  char bytes[16384];
  *head_size = 0;
  for (;;) {
    const char *end = strstr (text->str, "\r\n\r\n");
    if (end) {
      const char *length = strcasestr (text->str, "\r\nContent-Length:");
      *head_size = (gsize)(end - text->str) + 4;
      *body_size = length && length < end ? strtoul (length + 17, NULL, 10) : 0;
      if (text->len >= *head_size + *body_size)
        return TRUE;
    }
    ssize_t got = recv (fd, bytes, sizeof bytes, 0);
    if (got <= 0)
      return FALSE;
    g_string_append_len (text, bytes, got);
  }
}

static gboolean
serve_one (Connection *connection, GString *text)
{
  gsize head_size, body_size;
  if (!read_request (connection->fd, text, &head_size, &body_size))
    return FALSE;
  g_autofree char *head = g_strndup (text->str, head_size);
  g_autofree char *body = g_strndup (text->str + head_size, body_size);
  g_string_erase (text, 0, (gssize)(head_size + body_size));
  g_auto (GStrv) words = g_strsplit (head, " ", 3);
  HttpAsked asked = { .server = connection->server,
                      .fd = connection->fd,
                      .connection = connection->number,
                      .method = words[0],
                      .path = words[1],
                      .head = head,
                      .body = body,
                      .body_size = body_size };
  g_mutex_lock (&connection->server->lock);
  connection->server->requests++;
  g_mutex_unlock (&connection->server->lock);
  return connection->server->func (&asked, connection->server->data);
}

static gpointer
serve (gpointer data)
{
  Connection *connection = data;
  HttpServer *server = connection->server;
  g_autoptr (GString) text = g_string_new (NULL);
  while (serve_one (connection, text))
    ;
  g_mutex_lock (&server->lock);
  for (guint i = 0; i < server->fds->len; i++)
    if (g_array_index (server->fds, int, i) == connection->fd)
      g_array_remove_index_fast (server->fds, i--);
  close (connection->fd);
  g_mutex_unlock (&server->lock);
  g_free (connection);
  return NULL;
}

static gpointer
accept_all (gpointer data)
{
  HttpServer *server = data;
  for (;;) {
    int fd = accept4 (server->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
      return NULL;
    Connection *connection = g_new0 (Connection, 1);
    g_mutex_lock (&server->lock);
    *connection = (Connection){ server, fd, ++server->connections };
    g_array_append_val (server->fds, fd);
    g_ptr_array_add (server->threads, g_thread_new ("connection", serve, connection));
    g_mutex_unlock (&server->lock);
  }
}

HttpServer *
http_server_new (HttpServerFunc func, gpointer data)
{
  HttpServer *server = g_new0 (HttpServer, 1);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;
  server->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind (server->fd, (struct sockaddr *)&address, length) < 0 || listen (server->fd, 64) < 0 ||
      getsockname (server->fd, (struct sockaddr *)&address, &length) < 0)
    g_error ("the test's server cannot listen");
  server->port = ntohs (address.sin_port);
  server->func = func;
  server->data = data;
  server->threads = g_ptr_array_new ();
  server->fds = g_array_new (FALSE, FALSE, sizeof (int));
  g_mutex_init (&server->lock);
  server->thread = g_thread_new ("accept", accept_all, server);
  return server;
}

void
http_server_free (HttpServer *server)
{
  shutdown (server->fd, SHUT_RDWR);
  g_thread_join (server->thread);
  close (server->fd);
  g_mutex_lock (&server->lock);
  server->ending = TRUE;
  for (guint i = 0; i < server->fds->len; i++)
    shutdown (g_array_index (server->fds, int, i), SHUT_RDWR);
  g_mutex_unlock (&server->lock);
  for (guint i = 0; i < server->threads->len; i++)
    g_thread_join (server->threads->pdata[i]);
  g_ptr_array_unref (server->threads);
  g_array_unref (server->fds);
  g_mutex_clear (&server->lock);
  g_free (server);
}

guint
http_server_port (const HttpServer *server)
{
  return server->port;
}

static guint
read_count (HttpServer *server, const guint *count)
{
  g_mutex_lock (&server->lock);
  guint value = *count;
  g_mutex_unlock (&server->lock);
  return value;
}

guint
http_server_connections (HttpServer *server)
{
  return read_count (server, &server->connections);
}

guint
http_server_requests (HttpServer *server)
{
  return read_count (server, &server->requests);
}

gboolean
http_server_write (const HttpAsked *asked, const void *bytes, gsize size)
{
  for (gsize done = 0; done < size;) {
    ssize_t wrote = send (asked->fd, (const char *)bytes + done, size - done, MSG_NOSIGNAL);
    if (wrote <= 0)
      return FALSE;
    done += (gsize)wrote;
  }
  return TRUE;
}

gboolean
http_server_answer (const HttpAsked *asked, int status, const char *headers, const char *body)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 %d Word\r\n%sContent-Length: %zu\r\n\r\n%s", status,
                                           headers, strlen (body), body);
  return http_server_write (asked, text, strlen (text));
}

gboolean
http_server_gone (const HttpAsked *asked, int within_ms)
{
  struct pollfd fd = { .fd = asked->fd, .events = POLLIN | POLLRDHUP };
  return poll (&fd, 1, within_ms) != 0;
}

void
http_server_reset (const HttpAsked *asked)
{
  struct linger now = { .l_onoff = 1, .l_linger = 0 };
  setsockopt (asked->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}
