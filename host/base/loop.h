/* The event loop: one epoll set and one timer heap, single-threaded. Other threads reach it through
 * loop_post().
 *
 * A GSource per descriptor or timer makes every turn O(n); here a turn costs what happened in it. */
#pragma once
#include <glib.h>
#include <sys/epoll.h>

typedef struct Loop Loop;
typedef struct LoopWatch LoopWatch;
typedef struct LoopTimer LoopTimer;
typedef void (*LoopFunc) (gpointer data);
typedef void (*LoopFdFunc) (int fd, guint32 events, gpointer data);

Loop *loop_new (void);
void loop_free (Loop *loop);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Loop, loop_free)

/* Runs until loop_quit(). */
void loop_run (Loop *loop);
void loop_quit (Loop *loop);

/* One turn: waits at most timeout_ms (-1: until something happens), runs what is due. Returns FALSE after
 * loop_quit(). */
gboolean loop_turn (Loop *loop, int timeout_ms);

/* Milliseconds of the monotonic clock, read once a turn. */
gint64 loop_now_ms (const Loop *loop);

/* Calls func when fd is ready for any of events (EPOLLIN, EPOLLOUT); EPOLLERR and EPOLLHUP are always told.
 * Does not own fd. A watch may be freed at any time, also inside its own func. */
LoopWatch *loop_watch_new (Loop *loop, int fd, guint32 events, LoopFdFunc func, gpointer data);
void loop_watch_update (LoopWatch *watch, guint32 events);
void loop_watch_free (LoopWatch *watch);

/* A timer that is not set costs nothing. Times are loop_now_ms() times. Setting it again moves it. */
LoopTimer *loop_timer_new (Loop *loop, LoopFunc func, gpointer data);
void loop_timer_set (LoopTimer *timer, gint64 at_ms);
void loop_timer_clear (LoopTimer *timer);
gboolean loop_timer_is_set (const LoopTimer *timer);
void loop_timer_free (LoopTimer *timer);

/* Runs func at the end of the turn in which it was asked, before the loop sleeps: for gathering writes. */
void loop_defer (Loop *loop, LoopFunc func, gpointer data);

/* From any thread: runs func on the loop's thread, in the order of posting. */
void loop_post (Loop *loop, LoopFunc func, gpointer data);

/* Told after each turn how long it worked (not how long it slept), in seconds. NULL: nobody. */
void loop_watch_turns (Loop *loop, void (*turned) (double seconds, gpointer data), gpointer data);

/* Calls func on the loop for each arrival of the signal (through a signalfd; the signal is blocked for the
 * process). */
void loop_signal (Loop *loop, int signal_number, LoopFdFunc func, gpointer data);
