/* Arrays read while they arrive: items are cut out of the body, those whose bytes are known are told by their
 * hashes, the others are read one at a time into reused memory. */
#pragma once
#include "worker/worker.h"

enum {
  ITEM_BYTES_MOST = 8 << 20,  /* of one item */
  REST_BYTES_MOST = 16 << 20, /* of what is not the array */
  ITEM_SAMPLE_BYTES = 512     /* kept of an item for its rejects */
};

/* The plugin's function has returned: the last item's turn is over. Frees the readers. */
void items_end (Call *call);
/* Does a text lie in an item that is over? */
gboolean items_is_stale (const Call *call, const void *address);
/* How the item whose turn it is began, before it was read; NULL: none. */
const char *items_sample (const Items *items, gsize *length);
