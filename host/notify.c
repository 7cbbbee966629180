#include "notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_KEPT_FD = 3, KEPT_MOST = 1024, BARRIER_MS = 5000 };

typedef struct {
  char *name;
  int fd;
} Kept;

struct Notify {
  char *path; /* NULL: no manager */
  gint64 watchdog_ms;
  GArray *kept; /* Kept: what was handed over and not yet taken */
};

static guint64
number_in (const char *variable)
{
  const char *text = g_getenv (variable);
  guint64 number = 0;
  return text && g_ascii_string_to_unsigned (text, 10, 0, G_MAXINT64, &number, NULL) ? number : 0;
}

static gboolean
is_for_us (const char *pid_variable)
{
  return number_in (pid_variable) == (guint64)getpid ();
}

static void
clear_kept (gpointer data)
{
  Kept *kept = data;
  g_free (kept->name);
  if (kept->fd >= 0)
    close (kept->fd);
}

static void
read_kept (Notify *notify)
{
  const char *text = g_getenv ("LISTEN_FDNAMES");
  g_auto (GStrv) names = g_strsplit (text ? text : "", ":", -1);
  guint64 count = is_for_us ("LISTEN_PID") ? MIN (number_in ("LISTEN_FDS"), KEPT_MOST) : 0;
  guint named = g_strv_length (names);
  for (guint i = 0; i < count; i++) {
    Kept kept = { g_strdup (i < named ? names[i] : ""), FIRST_KEPT_FD + (int)i };
    fcntl (kept.fd, F_SETFD, FD_CLOEXEC);
    g_array_append_val (notify->kept, kept);
  }
}

Notify *
notify_new (void)
{
  static const char *const variables[] = { "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC",
                                           "LISTEN_PID",    "LISTEN_FDS",   "LISTEN_FDNAMES" };
  const char *path = g_getenv ("NOTIFY_SOCKET");
  Notify *notify = g_new0 (Notify, 1);
  notify->kept = g_array_new (FALSE, FALSE, sizeof (Kept));
  g_array_set_clear_func (notify->kept, clear_kept);
  if (path && *path && strlen (path) < sizeof ((struct sockaddr_un *)NULL)->sun_path)
    notify->path = g_strdup (path);
  if (notify->path && (is_for_us ("WATCHDOG_PID") || !g_getenv ("WATCHDOG_PID")))
    notify->watchdog_ms = (gint64)(number_in ("WATCHDOG_USEC") / 2000);
  read_kept (notify);
  for (guint i = 0; i < G_N_ELEMENTS (variables); i++)
    g_unsetenv (variables[i]);
  return notify;
}

void
notify_free (Notify *notify)
{
  if (!notify)
    return;
  g_array_unref (notify->kept);
  g_free (notify->path);
  g_free (notify);
}

gboolean
notify_is_asked (const Notify *notify)
{
  return notify->path != NULL;
}

gint64
notify_watchdog_ms (const Notify *notify)
{
  return notify->watchdog_ms;
}

/* fd: goes along; -1: none. */
static void
send_with (const Notify *notify, const char *state, int fd)
{
  struct sockaddr_un name = { .sun_family = AF_UNIX };
  union {
    struct cmsghdr head;
    char bytes[CMSG_SPACE (sizeof (int))];
  } control = { 0 };
  if (!notify->path)
    return;
  memcpy (name.sun_path, notify->path, strlen (notify->path));
  if (*notify->path == '@') /* an abstract one */
    name.sun_path[0] = '\0';
  struct iovec text = { (char *)state, strlen (state) };
  struct msghdr message = { .msg_name = &name,
                            .msg_namelen =
                              (socklen_t)(offsetof (struct sockaddr_un, sun_path) + strlen (notify->path)),
                            .msg_iov = &text,
                            .msg_iovlen = 1 };
  if (fd >= 0) {
    control.head = (struct cmsghdr){ CMSG_LEN (sizeof fd), SOL_SOCKET, SCM_RIGHTS };
    memcpy (CMSG_DATA (&control.head), &fd, sizeof fd);
    message.msg_control = &control;
    message.msg_controllen = sizeof control;
  }
  int line = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (line < 0)
    return;
  sendmsg (line, &message, MSG_NOSIGNAL);
  close (line);
}

void
notify_send (const Notify *notify, const char *state)
{
  send_with (notify, state, -1);
}

void
notify_reloading (const Notify *notify)
{
  g_autofree char *state =
    g_strdup_printf ("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
  notify_send (notify, state);
}

int
notify_take (Notify *notify, const char *name)
{
  for (guint i = 0; i < notify->kept->len; i++) {
    Kept *kept = &g_array_index (notify->kept, Kept, i);
    if (kept->fd >= 0 && strcmp (kept->name, name) == 0)
      return g_steal_fd (&kept->fd);
  }
  return -1;
}

/* Nothing is polled: a listener that looks broken to the manager is ours to judge. */
void
notify_keep (const Notify *notify, const char *name, int fd)
{
  g_autofree char *state = g_strdup_printf ("FDSTORE=1\nFDPOLL=0\nFDNAME=%s", name);
  send_with (notify, state, fd);
}

/* The manager closes its end of a pipe when it has done all that was sent before. */
static void
wait_for_manager (const Notify *notify)
{
  int ends[2];
  if (!notify->path || pipe2 (ends, O_CLOEXEC) < 0)
    return;
  send_with (notify, "BARRIER=1", ends[1]);
  close (ends[1]);
  struct pollfd closed = { ends[0], 0, 0 };
  poll (&closed, 1, BARRIER_MS);
  close (ends[0]);
}

void
notify_forget (const Notify *notify, const char *name)
{
  g_autofree char *state = g_strdup_printf ("FDSTOREREMOVE=1\nFDNAME=%s", name);
  send_with (notify, state, -1);
  wait_for_manager (notify);
}

void
notify_forget_rest (Notify *notify)
{
  for (guint i = 0; i < notify->kept->len; i++) {
    Kept *kept = &g_array_index (notify->kept, Kept, i);
    if (kept->fd < 0)
      continue;
    close (g_steal_fd (&kept->fd));
    notify_forget (notify, kept->name);
  }
}
