/* What the hub's other files need of overrides: see overrides.c. */
#pragma once
#include "hub/hub-private.h"

enum {
  OVERRIDES_SETS_MOST = 10000,    /* products of one connector that have some */
  OVERRIDES_BYTES_MOST = 16 << 20 /* of all their sets */
};

typedef struct Overrides Overrides;

/* All sets, at the start; collections are known. */
gboolean overrides_read (Hub *hub, GError **error);
void overrides_free (HubCollection *collection);

/* Hands a batch to the store, with the sets laid over its records; when sets of the collection are just being
 * replaced, as soon as that is stored. Takes the batch. collection: the one of products, NULL: the batch has
 * none of them. */
void overrides_submit (Hub *hub, HubCollection *collection, StoreBatch *batch, StoreDone done, gpointer data);

/* Appends the vendor's body of what is stored. */
void overrides_vendor_body (const HubCollection *collection, const StoreFound *found, JsonBuffer *out);

/* Nothing of the collection is under way any more, perhaps: those who wait may go on. */
void overrides_go_on (HubCollection *collection);
void overrides_tick (Hub *hub);
