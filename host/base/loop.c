#include "base/loop.h"

#include <errno.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/timefmt.h"

enum { EVENTS_A_TURN = 64 };

typedef struct {
  LoopFunc func;
  gpointer data;
} Job;

struct LoopWatch {
  Loop *loop;
  int fd;
  gboolean dead, owns_fd; /* dead: freed while its events may still lie in this turn's list */
  LoopFdFunc func;
  gpointer data;
};

struct LoopTimer {
  HeapNode node; /* first: the heap gives it back */
  Loop *loop;
  LoopFunc func;
  gpointer data;
  guint64 ran; /* in that turn */
};

struct Loop {
  int epoll, wake;
  gboolean quit, in_turn;
  gint64 now_ms;
  guint64 turn;
  Heap timers;
  void (*turned) (double seconds, gpointer data);
  gpointer turned_data;
  GArray *deferred, *running; /* Job */
  GPtrArray *dead, *signals;  /* LoopWatch */
  GMutex lock;                /* guards posted */
  GArray *posted;             /* Job */
};

static void run_posted (int fd, guint32 events, gpointer data);

static LoopWatch *
watch_add (Loop *loop, int fd, guint32 events, LoopFdFunc func, gpointer data)
{
  LoopWatch *watch = g_new0 (LoopWatch, 1);
  *watch = (LoopWatch){ .loop = loop, .fd = fd, .func = func, .data = data };
  struct epoll_event event = { .events = events, .data.ptr = watch };
  if (epoll_ctl (loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
    g_error ("epoll_ctl: %s", g_strerror (errno));
  return watch;
}

static void
signal_watch_free (gpointer data)
{
  LoopWatch *watch = data;
  if (watch->owns_fd)
    close (watch->fd);
  g_free (watch);
}

Loop *
loop_new (void)
{
  Loop *loop = g_new0 (Loop, 1);
  loop->epoll = epoll_create1 (EPOLL_CLOEXEC);
  loop->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (loop->epoll < 0 || loop->wake < 0)
    g_error ("cannot make an event loop: %s", g_strerror (errno));
  loop->now_ms = time_monotonic_ms ();
  loop->deferred = g_array_new (FALSE, FALSE, sizeof (Job));
  loop->running = g_array_new (FALSE, FALSE, sizeof (Job));
  loop->posted = g_array_new (FALSE, FALSE, sizeof (Job));
  loop->dead = g_ptr_array_new_with_free_func (g_free);
  loop->signals = g_ptr_array_new_with_free_func (signal_watch_free);
  g_mutex_init (&loop->lock);
  g_ptr_array_add (loop->signals, watch_add (loop, loop->wake, EPOLLIN, run_posted, loop));
  return loop;
}

void
loop_free (Loop *loop)
{
  if (!loop)
    return;
  g_array_unref (loop->deferred);
  g_array_unref (loop->running);
  g_array_unref (loop->posted);
  g_ptr_array_unref (loop->dead);
  g_ptr_array_unref (loop->signals);
  heap_clear (&loop->timers);
  g_mutex_clear (&loop->lock);
  close (loop->wake);
  close (loop->epoll);
  g_free (loop);
}

void
loop_quit (Loop *loop)
{
  loop->quit = TRUE;
}

gint64
loop_now_ms (const Loop *loop)
{
  return loop->now_ms;
}

LoopWatch *
loop_watch_new (Loop *loop, int fd, guint32 events, LoopFdFunc func, gpointer data)
{
  return watch_add (loop, fd, events, func, data);
}

void
loop_watch_update (LoopWatch *watch, guint32 events)
{
  struct epoll_event event = { .events = events, .data.ptr = watch };
  if (epoll_ctl (watch->loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) < 0)
    g_error ("epoll_ctl: %s", g_strerror (errno));
}

void
loop_watch_free (LoopWatch *watch)
{
  if (!watch)
    return;
  epoll_ctl (watch->loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  if (!watch->loop->in_turn) {
    g_free (watch);
    return;
  }
  watch->dead = TRUE;
  g_ptr_array_add (watch->loop->dead, watch);
}

LoopTimer *
loop_timer_new (Loop *loop, LoopFunc func, gpointer data)
{
  LoopTimer *timer = g_new0 (LoopTimer, 1);
  *timer = (LoopTimer){ .loop = loop, .func = func, .data = data };
  return timer;
}

void
loop_timer_set (LoopTimer *timer, gint64 at_ms)
{
  heap_put (&timer->loop->timers, &timer->node, at_ms);
}

void
loop_timer_clear (LoopTimer *timer)
{
  heap_remove (&timer->loop->timers, &timer->node);
}

gboolean
loop_timer_is_set (const LoopTimer *timer)
{
  return timer->node.place != 0;
}

void
loop_timer_free (LoopTimer *timer)
{
  if (!timer)
    return;
  loop_timer_clear (timer);
  g_free (timer);
}

void
loop_defer (Loop *loop, LoopFunc func, gpointer data)
{
  Job job = { func, data };
  g_array_append_val (loop->deferred, job);
}

void
loop_post (Loop *loop, LoopFunc func, gpointer data)
{
  Job job = { func, data };
  g_mutex_lock (&loop->lock);
  gboolean first = loop->posted->len == 0;
  g_array_append_val (loop->posted, job);
  g_mutex_unlock (&loop->lock);
  guint64 one = 1;
  if (first && write (loop->wake, &one, sizeof one) < 0 && errno != EAGAIN)
    g_error ("cannot wake the loop: %s", g_strerror (errno));
}

static void
run_jobs (GArray *jobs)
{
  for (guint i = 0; i < jobs->len; i++) {
    Job job = g_array_index (jobs, Job, i);
    job.func (job.data);
  }
  g_array_set_size (jobs, 0);
}

static void
run_posted (int fd, guint32 events, gpointer data)
{
  Loop *loop = data;
  guint64 count;
  if (read (fd, &count, sizeof count) < 0 && errno != EAGAIN)
    g_error ("eventfd: %s", g_strerror (errno));
  g_mutex_lock (&loop->lock);
  GArray *jobs = g_steal_pointer (&loop->posted);
  loop->posted = g_array_new (FALSE, FALSE, sizeof (Job));
  g_mutex_unlock (&loop->lock);
  run_jobs (jobs);
  g_array_unref (jobs);
}

static void
run_signal (int fd, guint32 events, gpointer data)
{
  LoopWatch *inner = data;
  struct signalfd_siginfo info;
  while (read (fd, &info, sizeof info) == sizeof info)
    inner->func (fd, (guint32)info.ssi_signo, inner->data);
}

void
loop_signal (Loop *loop, int signal_number, LoopFdFunc func, gpointer data)
{
  sigset_t set;
  sigemptyset (&set);
  sigaddset (&set, signal_number);
  sigprocmask (SIG_BLOCK, &set, NULL);
  int fd = signalfd (-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    g_error ("signalfd: %s", g_strerror (errno));
  LoopWatch *inner = g_new0 (LoopWatch, 1);
  inner->func = func;
  inner->data = data;
  g_ptr_array_add (loop->signals, inner);
  LoopWatch *watch = watch_add (loop, fd, EPOLLIN, run_signal, inner);
  watch->owns_fd = TRUE;
  g_ptr_array_add (loop->signals, watch);
}

static int
wait_ms (const Loop *loop, int timeout_ms)
{
  HeapNode *first = heap_first (&loop->timers);
  if (loop->deferred->len)
    return 0;
  if (!first)
    return timeout_ms;
  /* Read once: CLAMP evaluates its argument again, and a millisecond that passes in between would give -1,
   * for ever. */
  gint64 now_ms = time_monotonic_ms ();
  gint64 left = CLAMP (first->at_ms - now_ms, 0, G_MAXINT);
  return timeout_ms < 0 ? (int)left : MIN (timeout_ms, (int)left);
}

/* Timers that are due now; one that sets itself again for now waits for the next turn. */
static void
run_timers (Loop *loop)
{
  gint64 until_ms = loop->now_ms;
  for (guint most = loop->timers.count; most > 0; most--) {
    HeapNode *first = heap_first (&loop->timers);
    LoopTimer *timer = (LoopTimer *)first;
    if (!first || first->at_ms > until_ms || timer->ran == loop->turn)
      return;
    heap_remove (&loop->timers, first);
    timer->ran = loop->turn;
    timer->func (timer->data);
  }
}

gboolean
loop_turn (Loop *loop, int timeout_ms)
{
  struct epoll_event events[EVENTS_A_TURN];
  int count = epoll_wait (loop->epoll, events, EVENTS_A_TURN, wait_ms (loop, timeout_ms));
  if (count < 0 && errno != EINTR)
    g_error ("epoll_wait: %s", g_strerror (errno));
  loop->now_ms = time_monotonic_ms ();
  gint64 began_us = loop->turned ? g_get_monotonic_time () : 0;
  loop->in_turn = TRUE;
  loop->turn++;
  for (int i = 0; i < count; i++) {
    LoopWatch *watch = events[i].data.ptr;
    if (!watch->dead)
      watch->func (watch->fd, events[i].events, watch->data);
  }
  run_timers (loop);
  GArray *jobs = loop->deferred;
  loop->deferred = loop->running;
  loop->running = jobs;
  run_jobs (jobs);
  loop->in_turn = FALSE;
  if (loop->turned)
    loop->turned ((double)(g_get_monotonic_time () - began_us) / 1000000, loop->turned_data);
  g_ptr_array_set_size (loop->dead, 0);
  return !loop->quit;
}

void
loop_watch_turns (Loop *loop, void (*turned) (double seconds, gpointer data), gpointer data)
{
  loop->turned = turned;
  loop->turned_data = data;
}

void
loop_run (Loop *loop)
{
  loop->quit = FALSE;
  while (loop_turn (loop, -1))
    ;
}
