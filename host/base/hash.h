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
