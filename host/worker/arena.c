/* Memory of a call, or of one item of a page: taken piece by piece, given back as a whole. */
#include "worker/worker.h"

#include <stdio.h>
#include <string.h>

#ifdef SANITIZED
#include <sanitizer/asan_interface.h>
#define HIDE(from, bytes) ASAN_POISON_MEMORY_REGION (from, bytes)
#define SHOW(from, bytes) ASAN_UNPOISON_MEMORY_REGION (from, bytes)
#else
#define HIDE(from, bytes)
#define SHOW(from, bytes)
#endif

enum {
  FIRST_BLOCK = 8 << 10,
  LARGEST_BLOCK = 256 << 10, /* blocks double up to here; what is larger gets a block of its own */
  ALIGNMENT = 16
};

typedef struct Block Block;
struct Block {
  Block *older;
  gsize room;
};

struct Arena {
  Block *newest, *first; /* a chain from the newest to the first, which is kept */
  char *at, *end;        /* what is left of the newest */
  gsize bytes;           /* of all blocks */
};

static char *
block_start (Block *block)
{
  return (char *)block + ALIGNMENT;
}

static void
block_add (Arena *arena, gsize room)
{
  Block *block = g_malloc (ALIGNMENT + room);
  *block = (Block){ .older = arena->newest, .room = room };
  arena->newest = block;
  arena->at = block_start (block);
  arena->end = arena->at + room;
  arena->bytes += room;
  HIDE (arena->at, room);
}

Arena *
arena_new (void)
{
  Arena *arena = g_new0 (Arena, 1);
  block_add (arena, FIRST_BLOCK);
  arena->first = arena->newest;
  return arena;
}

static void
drop_blocks (Arena *arena, Block *until)
{
  while (arena->newest != until) {
    Block *block = arena->newest;
    arena->newest = block->older;
    arena->bytes -= block->room;
    SHOW (block_start (block), block->room);
    g_free (block);
  }
}

void
arena_free (Arena *arena)
{
  if (!arena)
    return;
  drop_blocks (arena, NULL);
  g_free (arena);
}

void
arena_reset (Arena *arena)
{
  drop_blocks (arena, arena->first);
  arena->at = block_start (arena->first);
  arena->end = arena->at + arena->first->room;
  HIDE (arena->at, arena->first->room);
}

gsize
arena_bytes (const Arena *arena)
{
  return arena->bytes;
}

gboolean
arena_has (const Arena *arena, const void *address)
{
  for (Block *block = arena->newest; block; block = block->older)
    if ((const char *)address >= block_start (block) &&
        (const char *)address < block_start (block) + block->room)
      return TRUE;
  return FALSE;
}

void *
arena_alloc (Arena *arena, gsize size)
{
  size = (size + ALIGNMENT - 1) & ~(gsize)(ALIGNMENT - 1);
  if (size > (gsize)(arena->end - arena->at))
    block_add (arena, MAX (size, MIN (2 * arena->newest->room, (gsize)LARGEST_BLOCK)));
  void *memory = arena->at;
  arena->at += size;
  SHOW (memory, size);
  return memset (memory, 0, size);
}

char *
arena_strndup (Arena *arena, const char *text, gsize length)
{
  char *copy = arena_alloc (arena, length + 1);
  memcpy (copy, text, length);
  return copy;
}

/* Written straight into what is left of the block, and once more only where that was too little. */
char *
arena_vprintf (Arena *arena, const char *format, va_list args)
{
  va_list again;
  va_copy (again, args);
  gsize room = (gsize)(arena->end - arena->at);
  SHOW (arena->at, room);
  int length = vsnprintf (arena->at, room, format, again);
  va_end (again);
  HIDE (arena->at, room);
  if (length < 0)
    return arena_strndup (arena, "", 0);
  char *text = arena->at;
  if ((gsize)length + ALIGNMENT <= room) {
    SHOW (text, (gsize)length + 1);
    arena->at += ((gsize)length + ALIGNMENT) & ~(gsize)(ALIGNMENT - 1);
    return text;
  }
  text = arena_alloc (arena, (gsize)length + 1);
  vsnprintf (text, (gsize)length + 1, format, args);
  return text;
}
