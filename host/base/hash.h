/* The hashes by which records are known and compared: XXH3, 64 bits, seeded per store so that nobody outside
 * can make two ids meet. Used by worker and hub alike; a hash is never shown. */
#pragma once
#include <glib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static inline guint64
hash_bytes (const void *bytes, gsize length, guint64 seed)
{
  return XXH3_64bits_withSeed (bytes, length, seed);
}

/* The same of bytes that come one after the other. */
typedef XXH3_state_t HashState;

static inline HashState *
hash_begin (guint64 seed)
{
  HashState *state = XXH3_createState ();
  if (!state)
    g_error ("out of memory");
  XXH3_64bits_reset_withSeed (state, seed);
  return state;
}

static inline void
hash_more (HashState *state, const void *bytes, gsize length)
{
  XXH3_64bits_update (state, bytes, length);
}

static inline guint64
hash_so_far (const HashState *state)
{
  return XXH3_64bits_digest (state);
}

static inline void
hash_free (HashState *state)
{
  XXH3_freeState (state);
}
