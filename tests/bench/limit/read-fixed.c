/* The limit of reading: the same HTTP library on an epoll set of its own, one thread, serving one body that
 * is made once.
 *
 *   read-fixed FILE
 *
 * answers each GET with the bytes of FILE, prints {"api":"127.0.0.1:PORT"}, and ends with its standard input.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>
#include <microhttpd.h>

enum { CONNECTION_MEMORY = 16384 };

static enum MHD_Result
answer (void *data, struct MHD_Connection *connection, const char *url, const char *method,
        const char *version, const char *upload, size_t *upload_size, void **context)
{
  static int seen;
  if (!*context) {
    *context = &seen; /* the head; the request is whole at the next call */
    return MHD_YES;
  }
  return MHD_queue_response (connection, 200, data);
}

static guint
port_of (int fd)
{
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  return getsockname (fd, (struct sockaddr *)&address, &size) == 0 ? ntohs (address.sin_port) : 0;
}

int
main (int count, char **words)
{
  g_autofree char *body = NULL;
  gsize length;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  if (count != 2 || !g_file_get_contents (words[1], &body, &length, NULL)) {
    g_printerr ("usage: read-fixed FILE\n");
    return 2;
  }
  struct MHD_Response *response = MHD_create_response_from_buffer (length, body, MHD_RESPMEM_PERSISTENT);
  MHD_add_response_header (response, "Content-Type", "application/json");
  struct MHD_Daemon *daemon = MHD_start_daemon (
    MHD_USE_EPOLL | MHD_USE_TURBO, 0, NULL, NULL, answer, response, MHD_OPTION_SOCK_ADDR, &address,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
  g_assert (daemon);
  g_print ("{\"api\":\"127.0.0.1:%u\"}\n",
           port_of (MHD_get_daemon_info (daemon, MHD_DAEMON_INFO_LISTEN_FD)->listen_fd));
  fflush (stdout);
  int epoll = epoll_create1 (EPOLL_CLOEXEC),
      fd = MHD_get_daemon_info (daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  struct epoll_event http = { .events = EPOLLIN, .data.fd = fd }, input = { .events = EPOLLIN, .data.fd = 0 };
  g_assert (epoll_ctl (epoll, EPOLL_CTL_ADD, fd, &http) == 0 &&
            epoll_ctl (epoll, EPOLL_CTL_ADD, 0, &input) == 0);
  for (struct epoll_event event; epoll_wait (epoll, &event, 1, -1) >= 0 && event.data.fd == fd;)
    MHD_run (daemon);
  MHD_stop_daemon (daemon);
  MHD_destroy_response (response);
  close (epoll);
  return 0;
}
