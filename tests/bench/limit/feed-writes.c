/* The limit of the feed: one write a client.
 *
 *   feed-writes BYTES
 *
 * takes connections, answers their requests with the head of a stream, and writes BYTES bytes to each of them
 * for every line that it reads; answers the line with {"cpu_s":..}, the CPU that the writes took. Prints
 * {"api":"127.0.0.1:PORT"} first, and ends with its standard input. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

enum { CLIENTS_MOST = 4096, BACKLOG = 1024 };

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n";

static double
cpu_s (void)
{
  struct timespec spent;
  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &spent);
  return (double)spent.tv_sec + (double)spent.tv_nsec / 1e9;
}

static void
write_all (const int *clients, guint count, const char *block, gsize size)
{
  double before_s = cpu_s ();
  for (guint i = 0; i < count; i++)
    g_assert (send (clients[i], block, size, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)size);
  g_print ("{\"cpu_s\":%.9f}\n", cpu_s () - before_s);
}

/* A line of data of that many bytes in all. */
static char *
make_block (gsize size)
{
  char *block = g_strnfill (size, 'x');
  memcpy (block, "data: ", MIN (size, 6));
  memcpy (block + size - 2, "\n\n", 2);
  return block;
}

static void
welcome (int epoll, int listener, int *clients, guint *count)
{
  int fd = accept4 (listener, NULL, NULL, SOCK_CLOEXEC);
  struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
  g_assert (fd >= 0 && *count < CLIENTS_MOST && epoll_ctl (epoll, EPOLL_CTL_ADD, fd, &event) == 0);
  clients[(*count)++] = fd;
}

int
main (int argc, char **words)
{
  static int clients[CLIENTS_MOST];
  static char bytes[4096];
  guint count = 0;
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  gsize block_size = argc == 2 ? (gsize)atoi (words[1]) : 0;
  if (block_size < 8) {
    g_printerr ("usage: feed-writes BYTES\n");
    return 2;
  }
  g_autofree char *block = make_block (block_size);
  int listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), epoll = epoll_create1 (EPOLL_CLOEXEC);
  struct epoll_event news = { .events = EPOLLIN, .data.fd = listener },
                     input = { .events = EPOLLIN, .data.fd = 0 };
  g_assert (bind (listener, (struct sockaddr *)&address, size) == 0 && listen (listener, BACKLOG) == 0 &&
            getsockname (listener, (struct sockaddr *)&address, &size) == 0);
  g_assert (epoll_ctl (epoll, EPOLL_CTL_ADD, listener, &news) == 0 &&
            epoll_ctl (epoll, EPOLL_CTL_ADD, 0, &input) == 0);
  setvbuf (stdout, NULL, _IOLBF, 0);
  g_print ("{\"api\":\"127.0.0.1:%u\"}\n", ntohs (address.sin_port));
  for (struct epoll_event event; epoll_wait (epoll, &event, 1, -1) >= 0;) {
    if (event.data.fd == listener) {
      welcome (epoll, listener, clients, &count);
    } else if (event.data.fd == 0) {
      if (read (0, bytes, sizeof bytes) <= 0)
        break;
      write_all (clients, count, block, block_size);
    } else if (read (event.data.fd, bytes, sizeof bytes) > 0) {
      g_assert (send (event.data.fd, head, strlen (head), MSG_NOSIGNAL) == (ssize_t)strlen (head));
    } else {
      epoll_ctl (epoll, EPOLL_CTL_DEL, event.data.fd, NULL); /* the client went; its number stays ours */
    }
  }
  return 0;
}
