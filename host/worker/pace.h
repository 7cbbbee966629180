/* How often a vendor's account is asked: a token bucket, a limit on how many are under way, and what the
 * vendor says itself.
 *
 *   waits: those inside a request of their own, then orders > messages > webhooks > sync; inside each the
 * stores in turn, inside a store first come, first served 429:   nothing for as long as told (else a second);
 * then a little below what the vendor took lately, for a while (longer each time that this was too much),
 * then slowly up again to what is set start: one request, no burst: a restart must not add one
 *
 * Pure: time is handed in, and who runs it asks pace_run() when it says. */
#pragma once
#include <glib.h>

typedef struct Pace Pace;
typedef struct PaceWaiter PaceWaiter;

typedef enum {
  PACE_NESTED,
  PACE_ORDERS,
  PACE_MESSAGES,
  PACE_WEBHOOKS,
  PACE_SYNC,
  PACE_URGENCIES
} PaceUrgency;

enum {
  PACE_WINDOW_S = 10,          /* what the vendor took "lately" */
  PACE_REFUSED_WAIT_MS = 1000, /* a refusal that does not say how long */
  PACE_GUESS_PER_SECOND = 5,   /* where none is set and hardly anything was asked before the refusal */
  PACE_GROW_MS = 120 * 1000,   /* from nothing to what is set */
  PACE_HOLD_FIRST_MS = 30 * 1000,
  PACE_HOLD_MOST_MS = 10 * 60 * 1000,
  PACE_TOLD_MOST_MS = 60 * 60 * 1000 /* a vendor that says longer is asked again after an hour */
};

typedef struct {
  double per_second; /* 0: as often as one likes */
  int burst;         /* 0: 1 */
  int at_once;       /* 0: any number */
} PaceLimits;

struct PaceWaiter {
  PaceUrgency urgency; /* PACE_NESTED: its call has a request under way already, or asks for the token that
                          others wait for, so it waits for the rate alone */
  const char *store;
  double cost;
  void (*on_turn) (PaceWaiter *waiter,
                   gpointer data); /* its turn: from inside pace_run(); it is in no line any more */
  gpointer data;
  struct PaceLine *line; /* pace.c */
};

Pace *pace_new (const PaceLimits *limits, gint64 now_ms);
void pace_free (Pace *pace); /* nobody may wait */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pace, pace_free)
void pace_set_limits (Pace *pace, const PaceLimits *limits, gint64 now_ms);

void pace_ask (Pace *pace, PaceWaiter *waiter);   /* stands in line; then pace_run() */
void pace_leave (Pace *pace, PaceWaiter *waiter); /* out of the line again */
void pace_done (Pace *pace);                      /* one that had its turn is over; then pace_run() */
/* Gives turns to all that may go. When to come again: a time, or G_MAXINT64 when only pace_ask() or
 * pace_done() can change something. */
gint64 pace_run (Pace *pace, gint64 now_ms);

void pace_accepted (Pace *pace, gint64 now_ms);                /* an answer that was no refusal */
void pace_refused (Pace *pace, gint64 wait_ms, gint64 now_ms); /* 429; wait_ms 0: it did not say how long */
void pace_wait (Pace *pace, gint64 wait_ms, gint64 now_ms);    /* nothing for so long */
/* So many requests are left for so long (reset_ms 0: not said). */
void pace_left (Pace *pace, double left, gint64 reset_ms, gint64 now_ms);
/* The vendor counts in points. */
void pace_points (Pace *pace, double left, double ceiling, double per_second, gint64 now_ms);

double pace_per_second (const Pace *pace, gint64 now_ms); /* as things stand; 0: any */
gint64 pace_waits_until (const Pace *pace);               /* what pace_wait() and refusals said; 0: nothing */
