/* A binary heap of pointers by time, for timers. Each element knows its place, so that it can be moved or
 * taken out in O(log n). */
#pragma once
#include <glib.h>

typedef struct {
  gint64 at_ms;
  guint place; /* index + 1; 0: not in the heap */
} HeapNode;

typedef struct {
  HeapNode **nodes;
  guint count, room;
} Heap;

void heap_clear (Heap *heap);
void heap_put (Heap *heap, HeapNode *node, gint64 at_ms); /* adds, or moves */
void heap_remove (Heap *heap, HeapNode *node);            /* nothing when it is not in */
HeapNode *heap_first (const Heap *heap);                  /* NULL when empty */
static inline gboolean
heap_holds (const HeapNode *node)
{
  return node->place != 0;
}
