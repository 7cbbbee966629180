/* What was changed lately, for readers who keep what they made: where in the collection, and at which
 * version.
 *
 * A batch is seen in part as soon as one of its slices is committed, so each commit moves the version of all
 * collections that have a batch under way, and says that all that these batches touch may have changed. */
#include "hub/hub-private.h"

enum { SPANS_KEPT = 8 };

typedef struct {
  guint64 version; /* that it led to */
  guint32 first, last;
} Span;

struct Changes {
  Span flying; /* around all that is under way */
  Span recent[SPANS_KEPT];
};

static void
move (HubCollection *collection, guint32 first, guint32 last)
{
  struct Changes *changes = collection->changes;
  collection->version++;
  if (changes)
    changes->recent[collection->version % SPANS_KEPT] = (Span){ collection->version, first, last };
}

gboolean
hub_collection_stands (const HubCollection *collection, guint64 version, guint32 first, guint32 last)
{
  if (version == collection->version)
    return TRUE;
  if (!collection->changes || collection->version - version > SPANS_KEPT)
    return FALSE;
  for (guint64 v = version + 1; v <= collection->version; v++) {
    const Span *span = &collection->changes->recent[v % SPANS_KEPT];
    if (span->version != v || (span->first <= last && first <= span->last))
      return FALSE;
  }
  return TRUE;
}

gboolean
hub_collection_writing (HubCollection *collection, const StoreBatch *batch)
{
  guint32 first, last;
  collection->writing++;
  if (!store_batch_span (batch, collection->number, &first, &last))
    return FALSE;
  if (!collection->changes)
    collection->changes = g_new0 (struct Changes, 1);
  Span *flying = &collection->changes->flying;
  if (collection->changing++ == 0) {
    *flying = (Span){ .first = first, .last = last };
    g_ptr_array_add (collection->hub->changing, collection);
  } else {
    flying->first = MIN (flying->first, first);
    flying->last = MAX (flying->last, last);
  }
  return TRUE;
}

static void
move_flying (HubCollection *collection)
{
  move (collection, collection->changes->flying.first, collection->changes->flying.last);
}

void
hub_committed (Hub *hub)
{
  for (guint i = 0; i < hub->changing->len; i++)
    move_flying (hub->changing->pdata[i]);
}

void
hub_collection_changed (HubCollection *collection)
{
  move_flying (collection);
  if (--collection->changing == 0)
    g_ptr_array_remove_fast (collection->hub->changing, collection);
}

void
hub_collections_touch (const HubConnector *connector)
{
  Hub *hub = connector->plugin->hub;
  for (guint i = 1; i < hub->collections->len; i++) {
    HubCollection *collection = hub->collections->pdata[i];
    if (collection && collection->connector == connector)
      move (collection, 0, G_MAXUINT32);
  }
}
