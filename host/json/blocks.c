#include "json/blocks.h"
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

typedef struct {
  guint64 quotes, backslashes, opens, closes;
} Masks;

/* Bits whose byte stands behind an odd run of backslashes (as in simdjson: runs are told apart by the place
 * they begin at). */
static inline guint64
find_escaped (BlockState *state, guint64 backslashes)
{
  const guint64 even = G_GUINT64_CONSTANT (0x5555555555555555);
  guint64 carried = state->escaped;
  if (G_LIKELY (backslashes == 0)) {
    state->escaped = 0;
    return carried;
  }
  backslashes &= ~carried;
  guint64 follows = backslashes << 1 | carried;
  guint64 odd_starts = backslashes & ~even & ~follows;
  guint64 on_even = odd_starts + backslashes;
  state->escaped = on_even < backslashes;
  return (even ^ (on_even << 1)) & follows;
}

/* How many bytes of the block belong to the item, or 0 when it goes on. inside: the parity of the block's
 * quotes. */
static inline guint
find_end (BlockState *state, const Masks *masks, guint64 inside)
{
  inside ^= state->in_string;
  state->in_string = (guint64)((gint64)inside >> 63);
  guint64 opens = masks->opens & ~inside, closes = masks->closes & ~inside;
  guint count = (guint)__builtin_popcountll (closes);
  if (count >= state->depth) {
    guint64 closed = 1;
    for (guint64 left = closes; left; left &= left - 1, closed++) {
      guint64 opened = (guint64)__builtin_popcountll (opens & ((left & -left) - 1));
      if (state->depth + opened == closed)
        return (guint)__builtin_ctzll (left) + 1;
    }
  }
  state->depth += (guint64)__builtin_popcountll (opens) - count;
  return 0;
}

/* Each bit becomes the parity of itself and those below. */
static inline guint64
parity (guint64 bits)
{
  for (guint shift = 1; shift < 64; shift *= 2)
    bits ^= bits << shift;
  return bits;
}

static inline Masks
masks_plain (const char *at, char open)
{
  Masks masks = { 0 };
  for (guint i = 0; i < BLOCK_SIZE; i++) {
    guint64 bit = G_GUINT64_CONSTANT (1) << i;
    char c = at[i];
    if (c == '"')
      masks.quotes |= bit;
    else if (c == '\\')
      masks.backslashes |= bit;
    else if (c == open)
      masks.opens |= bit;
    else if (c == open + 2)
      masks.closes |= bit;
  }
  return masks;
}

static gboolean
scan_plain_blocks (BlockState *state, const char **at, const char *end)
{
  for (; end - *at >= BLOCK_SIZE; *at += BLOCK_SIZE) {
    Masks masks = masks_plain (*at, state->open);
    guint behind = find_end (state, &masks, parity (masks.quotes & ~find_escaped (state, masks.backslashes)));
    if (behind) {
      *at += behind;
      return TRUE;
    }
  }
  return FALSE;
}

#ifdef __SSE2__
static inline guint64
equal_sse2 (const __m128i bytes[4], char c)
{
  const __m128i wanted = _mm_set1_epi8 (c);
  guint64 mask = 0;
  for (guint i = 0; i < 4; i++)
    mask |= (guint64)(guint)_mm_movemask_epi8 (_mm_cmpeq_epi8 (bytes[i], wanted)) << (16 * i);
  return mask;
}

static inline Masks
masks_sse2 (const char *at, char open)
{
  __m128i bytes[4];
  for (guint i = 0; i < 4; i++)
    bytes[i] = _mm_loadu_si128 ((const __m128i *)at + i);
  return (Masks){ equal_sse2 (bytes, '"'), equal_sse2 (bytes, '\\'), equal_sse2 (bytes, open),
                  equal_sse2 (bytes, (char)(open + 2)) };
}

static gboolean
scan_sse2 (BlockState *state, const char **at, const char *end)
{
  for (; end - *at >= BLOCK_SIZE; *at += BLOCK_SIZE) {
    Masks masks = masks_sse2 (*at, state->open);
    guint behind = find_end (state, &masks, parity (masks.quotes & ~find_escaped (state, masks.backslashes)));
    if (behind) {
      *at += behind;
      return TRUE;
    }
  }
  return FALSE;
}

#define WITH_AVX2 __attribute__ ((target ("avx2,pclmul,popcnt,bmi")))

WITH_AVX2 static inline guint64
equal_avx2 (__m256i low, __m256i high, char c)
{
  const __m256i wanted = _mm256_set1_epi8 (c);
  guint64 first = (guint)_mm256_movemask_epi8 (_mm256_cmpeq_epi8 (low, wanted));
  guint64 second = (guint)_mm256_movemask_epi8 (_mm256_cmpeq_epi8 (high, wanted));
  return first | second << 32;
}

WITH_AVX2 static inline Masks
masks_avx2 (const char *at, char open)
{
  __m256i low = _mm256_loadu_si256 ((const __m256i *)at), high = _mm256_loadu_si256 ((const __m256i *)at + 1);
  return (Masks){ equal_avx2 (low, high, '"'), equal_avx2 (low, high, '\\'), equal_avx2 (low, high, open),
                  equal_avx2 (low, high, (char)(open + 2)) };
}

/* A carry-less product with all ones is the parity in one instruction. */
WITH_AVX2 static inline guint64
parity_product (guint64 bits)
{
  __m128i product = _mm_clmulepi64_si128 (_mm_set_epi64x (0, (gint64)bits), _mm_set1_epi8 ((char)0xff), 0);
  return (guint64)_mm_cvtsi128_si64 (product);
}

WITH_AVX2 static gboolean
scan_avx2 (BlockState *state, const char **at, const char *end)
{
  BlockState local = *state;
  const char *block = *at;
  guint behind = 0;
  for (; end - block >= BLOCK_SIZE; block += BLOCK_SIZE) {
    Masks masks = masks_avx2 (block, local.open);
    guint64 quotes = masks.quotes & ~find_escaped (&local, masks.backslashes);
    behind = find_end (&local, &masks, parity_product (quotes));
    if (behind)
      break;
  }
  *state = local;
  *at = block + behind;
  return behind > 0;
}
#endif

void
block_scans (BlockScan scans[BLOCK_SCANS_MOST])
{
  guint count = 0;
  memset (scans, 0, sizeof (BlockScan) * BLOCK_SCANS_MOST);
#ifdef __SSE2__
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("pclmul") &&
      __builtin_cpu_supports ("popcnt") && __builtin_cpu_supports ("bmi"))
    scans[count++] = scan_avx2;
  scans[count++] = scan_sse2;
#endif
  scans[count++] = scan_plain_blocks;
}
