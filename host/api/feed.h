/* What pages, followers and the snapshot share: which changes are wanted, where a reader is, and how a change
 * looks.
 *
 * The feed tells what the lists serve: collections of connectors that are configured. */
#pragma once
#include "api/request.h"

#define FEED_SNAPSHOT "/v1/snapshot"

typedef struct {
  guint kinds;       /* bits 1 << model kind; 0: all */
  const char *store; /* NULL: all */
} FeedFilter;

FeedFilter feed_filter (const Request *request);
/* The collection of that number, NULL when its changes are not wanted. */
const HubCollection *feed_wanted (const Hub *hub, const FeedFilter *filter, guint32 number);

/* Where a reader is. Whoever begins with nothing (since=0) lacks no deletion that was pruned before it began:
 * its floor is the newest seq of then, not the place that it has reached. */
typedef struct {
  guint64 reached, floor;
} FeedPlace;

/* Ask after reading: what is pruned is told before it goes, so nothing was missed by what was read before. */
gboolean feed_place_known (Store *store, const FeedPlace *place, guint64 *latest);
char *feed_place_to_cursor (Request *request, const FeedPlace *place);
gboolean feed_place_from_cursor (Request *request, const char *cursor, FeedPlace *place);

/* A change as one line of JSON. */
void feed_put_change (JsonBuffer *out, const HubCollection *collection, const StoreFound *found);
/* A record of the snapshot, as one line. key: the collection's; no hub is touched. */
void feed_put_record (JsonBuffer *out, guint kind, const char *key, const StoreFound *found);
