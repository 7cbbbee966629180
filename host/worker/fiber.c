#include "worker/fiber.h"

#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define UNCHECKED __attribute__ ((no_sanitize_address))
#else
#define UNCHECKED
#endif

enum {
  GUARD_BYTES = 64 << 10, /* below each stack: a frame would have to be larger than this to jump over it */
  SPARE_MOST = 64,        /* stacks kept for the next calls */
  SPARE_BYTES = 32 << 10  /* of a spare stack that stay resident */
};

/* Where a fiber is: none but its own code moves it from RUNNING to PARKED, none but the loop back. */
typedef enum { FIBER_SPARE, FIBER_READY, FIBER_RUNNING, FIBER_PARKED, FIBER_ENDED } FiberState;

struct Fiber {
  Fibers *fibers;
  Fiber *next; /* in the ready queue, or among the spare ones */
  char *stack; /* lowest byte above the guard */
  void (*func) (gpointer data);
  gpointer data;
  FiberState state;
  void *shadow; /* the address sanitizer's own */
  ucontext_t context;
};

struct Fibers {
  Loop *loop;
  gsize stack_bytes, page_bytes, deepest;
  guint most, running, spare_count;
  Fiber *current, *spare;
  Fiber *ready, **ready_end;
  gboolean deferred;
  ucontext_t loop_context;
  void *loop_shadow;
  const void *loop_stack;
  gsize loop_stack_bytes;
};

/* ---- switching ---- */

static void
leaving (void **shadow, const void *stack, gsize bytes)
{
#ifdef SANITIZED
  __sanitizer_start_switch_fiber (shadow, stack, bytes);
#endif
}

static void
arrived (void *shadow, const void **from_stack, gsize *from_bytes)
{
#ifdef SANITIZED
  __sanitizer_finish_switch_fiber (shadow, from_stack, from_bytes);
#endif
}

static void
enter (Fibers *fibers, Fiber *fiber)
{
  fiber->state = FIBER_RUNNING;
  fibers->current = fiber;
  leaving (&fibers->loop_shadow, fiber->stack, fibers->stack_bytes);
  if (swapcontext (&fibers->loop_context, &fiber->context) < 0)
    g_error ("cannot enter a fiber");
  arrived (fibers->loop_shadow, NULL, NULL);
  fibers->current = NULL;
}

static void
leave (Fibers *fibers, Fiber *fiber)
{
  gboolean ended = fiber->state == FIBER_ENDED;
  leaving (ended ? NULL : &fiber->shadow, fibers->loop_stack, fibers->loop_stack_bytes);
  if (swapcontext (&fiber->context, &fibers->loop_context) < 0)
    g_error ("cannot leave a fiber");
  arrived (fiber->shadow, &fibers->loop_stack, &fibers->loop_stack_bytes);
}

/* makecontext() passes ints: a pointer goes as two. */
static void
first_frame (unsigned int high, unsigned int low)
{
  Fiber *fiber = (Fiber *)(((guintptr)high << 16 << 16) | low);
  arrived (NULL, &fiber->fibers->loop_stack, &fiber->fibers->loop_stack_bytes);
  fiber->func (fiber->data);
  fiber_exit (fiber->fibers);
}

void
fiber_exit (Fibers *fibers)
{
  Fiber *fiber = fibers->current;
  g_assert (fiber);
  fiber->state = FIBER_ENDED;
  leave (fibers, fiber);
  g_assert_not_reached ();
}

/* ---- how deep ---- */

/* The lowest byte of the stack that is not zero. A fresh page reads as zeros, and asking the kernel which
 * ones are there keeps the others from becoming so. */
UNCHECKED static gsize
used_bytes (const Fibers *fibers, const Fiber *fiber)
{
  gsize pages = fibers->stack_bytes / fibers->page_bytes;
  unsigned char there[pages];
  if (mincore (fiber->stack, fibers->stack_bytes, there) < 0)
    return 0;
  for (gsize page = 0; page < pages; page++) {
    if (!(there[page] & 1))
      continue;
    const guint64 *word = (const guint64 *)(fiber->stack + page * fibers->page_bytes);
    for (gsize i = 0; i < fibers->page_bytes / sizeof *word; i++)
      if (word[i])
        return fibers->stack_bytes - page * fibers->page_bytes - i * sizeof *word;
  }
  return 0;
}

gsize
fiber_stack_used (const Fiber *fiber)
{
  return used_bytes (fiber->fibers, fiber);
}

/* ---- stacks ---- */

static Fiber *
fiber_new (Fibers *fibers)
{
  gsize bytes = GUARD_BYTES + fibers->stack_bytes;
  char *memory = mmap (NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return NULL;
  if (mprotect (memory, GUARD_BYTES, PROT_NONE) < 0) {
    munmap (memory, bytes);
    return NULL;
  }
  Fiber *fiber = g_new0 (Fiber, 1);
  fiber->fibers = fibers;
  fiber->stack = memory + GUARD_BYTES;
  return fiber;
}

static void
fiber_free (Fiber *fiber)
{
#ifdef SANITIZED
  ASAN_UNPOISON_MEMORY_REGION (fiber->stack, fiber->fibers->stack_bytes);
#endif
  munmap (fiber->stack - GUARD_BYTES, GUARD_BYTES + fiber->fibers->stack_bytes);
  g_free (fiber);
}

/* A call leaves nothing for the next one to find: what it used is zero again, and most of it given back. */
static void
stack_wipe (Fibers *fibers, Fiber *fiber, gsize used)
{
  gsize keep = MIN (used, SPARE_BYTES);
  char *end = fiber->stack + fibers->stack_bytes;
#ifdef SANITIZED
  ASAN_UNPOISON_MEMORY_REGION (fiber->stack, fibers->stack_bytes);
#endif
  memset (end - keep, 0, keep);
  if (used > SPARE_BYTES && madvise (fiber->stack, fibers->stack_bytes - SPARE_BYTES, MADV_DONTNEED) < 0)
    memset (end - used, 0, used);
}

static void
fiber_retire (Fibers *fibers, Fiber *fiber)
{
  gsize used = used_bytes (fibers, fiber);
  fibers->deepest = MAX (fibers->deepest, used);
  fibers->running--;
  if (fibers->spare_count >= SPARE_MOST) {
    fiber_free (fiber);
    return;
  }
  stack_wipe (fibers, fiber, used);
  fiber->state = FIBER_SPARE;
  fiber->next = fibers->spare;
  fibers->spare = fiber;
  fibers->spare_count++;
}

/* ---- the queue ---- */

static void
run_ready (gpointer data)
{
  Fibers *fibers = data;
  Fiber *fiber = fibers->ready;
  fibers->ready = NULL;
  fibers->ready_end = &fibers->ready;
  fibers->deferred = FALSE;
  while (fiber) {
    Fiber *next = fiber->next;
    enter (fibers, fiber);
    if (fiber->state == FIBER_ENDED)
      fiber_retire (fibers, fiber);
    fiber = next;
  }
}

static void
make_ready (Fibers *fibers, Fiber *fiber)
{
  fiber->state = FIBER_READY;
  fiber->next = NULL;
  *fibers->ready_end = fiber;
  fibers->ready_end = &fiber->next;
  if (!fibers->deferred)
    loop_defer (fibers->loop, run_ready, fibers);
  fibers->deferred = TRUE;
}

Fibers *
fibers_new (Loop *loop, gsize stack_bytes, guint most)
{
  Fibers *fibers = g_new0 (Fibers, 1);
  fibers->loop = loop;
  fibers->page_bytes = (gsize)sysconf (_SC_PAGESIZE);
  fibers->stack_bytes = (stack_bytes + fibers->page_bytes - 1) / fibers->page_bytes * fibers->page_bytes;
  fibers->most = most;
  fibers->ready_end = &fibers->ready;
  return fibers;
}

void
fibers_free (Fibers *fibers)
{
  if (!fibers)
    return;
  g_assert (fibers->running == 0);
  for (Fiber *fiber = fibers->spare, *next; fiber; fiber = next) {
    next = fiber->next;
    fiber_free (fiber);
  }
  g_free (fibers);
}

static void
fiber_prepare (Fiber *fiber)
{
  if (getcontext (&fiber->context) < 0)
    g_error ("getcontext failed");
  fiber->context.uc_stack.ss_sp = fiber->stack;
  fiber->context.uc_stack.ss_size = fiber->fibers->stack_bytes;
  fiber->context.uc_link = NULL;
  makecontext (&fiber->context, (void (*) (void)) (gpointer)first_frame, 2,
               (unsigned int)((guintptr)fiber >> 16 >> 16), (unsigned int)(guintptr)fiber);
}

Fiber *
fiber_start (Fibers *fibers, void (*func) (gpointer data), gpointer data)
{
  if (fibers->running >= fibers->most)
    return NULL;
  Fiber *fiber = fibers->spare;
  if (fiber) {
    fibers->spare = fiber->next;
    fibers->spare_count--;
  } else {
    fiber = fiber_new (fibers);
  }
  if (!fiber)
    return NULL;
  fiber->func = func;
  fiber->data = data;
  fiber->shadow = NULL;
  fiber_prepare (fiber);
  fibers->running++;
  make_ready (fibers, fiber);
  return fiber;
}

Fiber *
fiber_current (const Fibers *fibers)
{
  return fibers->current;
}

void
fiber_park (Fibers *fibers)
{
  Fiber *fiber = fibers->current;
  g_assert (fiber);
  fiber->state = FIBER_PARKED;
  leave (fibers, fiber);
}

void
fiber_yield (Fibers *fibers)
{
  Fiber *fiber = fibers->current;
  g_assert (fiber);
  make_ready (fibers, fiber);
  leave (fibers, fiber);
}

void
fiber_wake (Fiber *fiber)
{
  if (fiber->state == FIBER_PARKED)
    make_ready (fiber->fibers, fiber);
}

guint
fibers_running (const Fibers *fibers)
{
  return fibers->running;
}

gsize
fibers_deepest (const Fibers *fibers)
{
  return fibers->deepest;
}
