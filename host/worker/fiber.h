/* Fibers: plugin code reads top to bottom and gives way only inside host services. Stacks have a guard page,
 * are pooled, and are painted so that the deepest use can be told. swapcontext: 0.44 us a round trip, 2 % of
 * a call that does HTTP; assembler is not worth its lines. */
#pragma once
#include <glib.h>
#include "base/loop.h"

typedef struct Fibers Fibers; /* the pool, one a worker */
typedef struct Fiber Fiber;

Fibers *fibers_new (Loop *loop, gsize stack_bytes, guint most);
void fibers_free (Fibers *fibers); /* none may run */
/* Makes a fiber that runs func (data) from the next turn on; NULL: `most` run already. */
Fiber *fiber_start (Fibers *fibers, void (*func) (gpointer data), gpointer data);
/* The fiber that runs now, NULL on the loop's own stack. */
Fiber *fiber_current (const Fibers *fibers);
/* Gives way until fiber_wake(). Only from inside a fiber. */
void fiber_park (Fibers *fibers);
/* Gives way until the next turn. Only from inside a fiber. */
void fiber_yield (Fibers *fibers);
/* Ends the fiber from within: func does not go on. What it held it still holds. */
void fiber_exit (Fibers *fibers) G_GNUC_NORETURN;
/* Lets a parked fiber go on, at the end of this turn. Waking one that is not parked, or twice, is harmless.
 */
void fiber_wake (Fiber *fiber);
/* Bytes of its stack that a fiber has used so far. */
gsize fiber_stack_used (const Fiber *fiber);
guint fibers_running (const Fibers *fibers);
gsize fibers_deepest (const Fibers *fibers); /* bytes of stack that any ended fiber used at the most */
