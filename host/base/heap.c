#include "base/heap.h"

static void
place (Heap *heap, guint i, HeapNode *node)
{
  heap->nodes[i] = node;
  node->place = i + 1;
}

static void
sift (Heap *heap, guint i)
{
  HeapNode *node = heap->nodes[i];
  while (i > 0 && heap->nodes[(i - 1) / 2]->at_ms > node->at_ms) {
    place (heap, i, heap->nodes[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  for (guint child; (child = 2 * i + 1) < heap->count; i = child) {
    if (child + 1 < heap->count && heap->nodes[child + 1]->at_ms < heap->nodes[child]->at_ms)
      child++;
    if (heap->nodes[child]->at_ms >= node->at_ms)
      break;
    place (heap, i, heap->nodes[child]);
  }
  place (heap, i, node);
}

void
heap_put (Heap *heap, HeapNode *node, gint64 at_ms)
{
  node->at_ms = at_ms;
  if (!node->place) {
    if (heap->count == heap->room) {
      heap->room = MAX (16, heap->room * 2);
      heap->nodes = g_renew (HeapNode *, heap->nodes, heap->room);
    }
    place (heap, heap->count++, node);
  }
  sift (heap, node->place - 1);
}

void
heap_remove (Heap *heap, HeapNode *node)
{
  if (!node->place)
    return;
  guint i = node->place - 1;
  HeapNode *last = heap->nodes[--heap->count];
  node->place = 0;
  if (last == node)
    return;
  place (heap, i, last);
  sift (heap, i);
}

HeapNode *
heap_first (const Heap *heap)
{
  return heap->count ? heap->nodes[0] : NULL;
}

void
heap_clear (Heap *heap)
{
  g_clear_pointer (&heap->nodes, g_free);
  heap->count = heap->room = 0;
}
