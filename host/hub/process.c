#include "hub/process.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKER_FD = 3 };

extern char **environ;

struct Processes {
  Loop *loop;
  char *program;
};

typedef struct {
  HubWorker shown; /* first */
  Loop *loop;
  WireEnd *end;
  LoopWatch *socket, *exit;
  int pidfd;
  gboolean flushing, freed, writes;
  const HubWorkerEvents *events;
  gpointer data;
} Process;

Processes *
processes_new (Loop *loop, const char *program)
{
  Processes *processes = g_new0 (Processes, 1);
  processes->loop = loop;
  processes->program = g_strdup (program);
  return processes;
}

void
processes_free (Processes *processes)
{
  g_free (processes->program);
  g_free (processes);
}

static void
kill_now (Process *process)
{
  syscall (SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
}

static void
close_socket (Process *process)
{
  g_clear_pointer (&process->socket, loop_watch_free);
  g_clear_pointer (&process->end, wire_end_free);
}

/* A worker whose socket is closed or broken is of no use, whatever it still does. */
static void
lose_socket (Process *process)
{
  close_socket (process);
  kill_now (process);
}

static void
flush (gpointer data)
{
  Process *process = data;
  gsize pending = 0;
  process->flushing = FALSE;
  if (process->freed) {
    g_free (process);
    return;
  }
  if (!process->end)
    return;
  if (!wire_end_flush (process->end, &pending)) {
    lose_socket (process);
    return;
  }
  if (process->writes != (pending > 0)) {
    process->writes = pending > 0;
    loop_watch_update (process->socket, process->writes ? EPOLLIN | EPOLLOUT : EPOLLIN);
  }
}

static void
flush_soon (Process *process)
{
  if (process->flushing)
    return;
  process->flushing = TRUE;
  loop_defer (process->loop, flush, process);
}

static void
on_socket (int fd, guint32 ready, gpointer data)
{
  Process *process = data;
  g_autoptr (GError) error = NULL;
  WireFrame frame;
  if (ready & EPOLLOUT)
    flush_soon (process);
  if (!(ready & (EPOLLIN | EPOLLHUP | EPOLLERR)))
    return;
  if (!wire_end_read (process->end, &error)) {
    lose_socket (process);
    return;
  }
  while (process->end && wire_end_next (process->end, &frame, &error))
    process->events->frame (&frame, process->data);
  if (error) {
    log_line (LOG_ERROR, NULL, "worker %d: %s", process->shown.pid, error->message);
    lose_socket (process);
  }
}

/* What the worker sent before it went is read first: a page that was finished counts. */
static void
read_what_is_left (Process *process)
{
  g_autoptr (GError) error = NULL;
  WireFrame frame;
  for (gsize had = 1; had && process->end && wire_end_read (process->end, &error);)
    for (had = 0; process->end && wire_end_next (process->end, &frame, &error); had = 1)
      process->events->frame (&frame, process->data);
}

static char *
exit_in_words (int pid)
{
  int status = 0;
  if (waitpid (pid, &status, 0) != pid)
    return g_strdup ("it is gone");
  if (WIFSIGNALED (status))
    return g_strdup_printf ("signal %d, %s", WTERMSIG (status), strsignal (WTERMSIG (status)));
  return g_strdup_printf ("exit status %d", WEXITSTATUS (status));
}

static void
on_exit_of (int fd, guint32 ready, gpointer data)
{
  Process *process = data;
  read_what_is_left (process);
  g_clear_pointer (&process->exit, loop_watch_free);
  g_autofree char *why = exit_in_words (process->shown.pid);
  process->shown.pid = 0;
  process->events->gone (why, process->data);
}

static void
process_send (HubWorker *worker, WireType type, guint64 call, const char *body, gsize size)
{
  Process *process = (Process *)worker;
  if (!process->end)
    return;
  wire_end_send (process->end, type, 0, call, body, size);
  flush_soon (process);
}

static void
process_end (HubWorker *worker, gboolean at_once)
{
  Process *process = (Process *)worker;
  if (at_once)
    kill_now (process);
  else
    process_send (worker, WIRE_DRAIN, 0, "", 0);
}

static void
process_free (HubWorker *worker)
{
  Process *process = (Process *)worker;
  close_socket (process);
  g_clear_pointer (&process->exit, loop_watch_free);
  if (process->shown.pid) {
    kill_now (process);
    waitpid (process->shown.pid, NULL, 0);
  }
  close (process->pidfd);
  process->freed = TRUE;
  if (!process->flushing)
    g_free (process);
}

static gint64
process_resident_bytes (HubWorker *worker)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/statm", worker->pid), *text = NULL;
  long long size = 0, resident = 0;
  if (!worker->pid || !g_file_get_contents (path, &text, NULL, NULL) ||
      sscanf (text, "%lld %lld", &size, &resident) != 2)
    return 0;
  return resident * sysconf (_SC_PAGESIZE);
}

static int
spawn (const char *program, const char *plugin_file, int fd, pid_t *pid)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  char number[16];
  g_snprintf (number, sizeof number, "%d", WORKER_FD);
  const char *argv[] = { program, "--plugin", plugin_file, "--fd", number, NULL };
  sigemptyset (&none);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2 (&actions, fd, WORKER_FD);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setsigmask (&attributes, &none); /* the loop blocks the signals that it reads */
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK);
  int failed = posix_spawn (pid, program, &actions, &attributes, (char *const *)argv, environ);
  posix_spawn_file_actions_destroy (&actions);
  posix_spawnattr_destroy (&attributes);
  return failed;
}

HubWorker *
process_start (Processes *processes, const char *plugin_file, const HubWorkerEvents *events, gpointer data,
               GError **error)
{
  int fds[2];
  pid_t pid = 0;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "socketpair: %s", g_strerror (errno));
    return NULL;
  }
  /* dup2() of a descriptor onto itself would keep close-on-exec. */
  int theirs = fds[1] == WORKER_FD ? fcntl (fds[1], F_DUPFD_CLOEXEC, WORKER_FD + 1) : fds[1];
  int failed = spawn (processes->program, plugin_file, theirs, &pid);
  if (theirs != fds[1])
    close (theirs);
  close (fds[1]);
  if (failed) {
    close (fds[0]);
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (failed), "cannot start %s: %s", processes->program,
                 g_strerror (failed));
    return NULL;
  }
  Process *process = g_new0 (Process, 1);
  process->shown = (HubWorker){ process_send, process_end, process_free, pid, process_resident_bytes };
  process->loop = processes->loop;
  process->end = wire_end_new (fds[0]);
  process->events = events;
  process->data = data;
  process->pidfd = (int)syscall (SYS_pidfd_open, pid, 0);
  process->socket = loop_watch_new (processes->loop, fds[0], EPOLLIN, on_socket, process);
  process->exit = loop_watch_new (processes->loop, process->pidfd, EPOLLIN, on_exit_of, process);
  return &process->shown;
}
