/* Where does an object or array end? 64 bytes at a time, without looking at what is in it.
 *
 * A block becomes four masks of 64 bits: quotes, backslashes, opening and closing brackets. Escaped quotes
 * fall out, the parity of the quotes says what is inside strings, and only closing brackets outside are
 * visited; a block with fewer of them than are open is passed with two additions. Only brackets of the first
 * one's kind are counted: what is not balanced in the other kind is no JSON, which its reader will find. */
#pragma once
#include <glib.h>

enum { BLOCK_SIZE = 64 };

typedef struct {
  guint64 depth;     /* brackets that are open */
  guint64 in_string; /* all ones when the block begins inside a string */
  guint64 escaped;   /* 1 when a backslash ended the block before */
  char open;         /* the bracket that the item begins with */
} BlockState;        /* all zero but open, where that bracket stands */

/* Looks at whole blocks from *at on. TRUE: the bracket that closes the first one was met, *at is behind it.
 * FALSE: *at is the first block not looked at. */
typedef gboolean (*BlockScan) (BlockState *state, const char **at, const char *end);

/* All that this processor can run, best first, ending with NULL; they find the same. */
enum { BLOCK_SCANS_MOST = 4 };
void block_scans (BlockScan scans[BLOCK_SCANS_MOST]);
