/* Followers: the feed as server-sent events.
 *
 *   commit --25 ms--> one round for all: changes are read once, and each filter's events put together once
 *                       |
 *   at the tip <--------+    was given everything that was told: gets each round's block as it is
 *     | does not keep up ^
 *     v                  | has caught up
 *   behind --------------+   reads pages of its own, in turns of a few milliseconds, as fast as it takes them
 *
 * What a follower holds is bounded; who takes nothing for STREAM_STALL_MS is cut off, and comes back with
 * Last-Event-ID. A place that is gone is told as `event: reset`, and ends the stream. */
#pragma once
#include "api/feed.h"

typedef struct Followers Followers;

Followers *followers_new (Api *api);
void followers_free (Followers *all); /* all streams are gone */
/* No new ones; those that are there get a clean end. */
void followers_end (Followers *all);

/* Ends the request with a stream of events after that place; NULL: from now on. */
void follow (Request *request, const FeedPlace *place);
