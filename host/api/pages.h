/* Pages of records as they were sent, kept for the next who asks with the same words. A page stands as long
 * as nothing that it was made from has changed; how fresh it is, is written anew when it moves. */
#pragma once
#include "api/answer.h"
#include "api/route.h"
#include "hub/hub.h"

/* What a page is made from, noted before it is read. */
typedef struct {
  HubCollection *collection, *other; /* other: that it looks into besides; NULL: none */
  guint64 version, other_version, generation;
  guint32 first, last; /* ordinals between which it looks */
} Sources;

Sources sources_now (Hub *hub, HubCollection *collection, HubCollection *other);
/* TRUE: nothing of it has changed, and it is of now. */
gboolean sources_stand (Hub *hub, Sources *sources);

typedef struct Pages Pages;
typedef struct Page Page;

Pages *pages_new (Hub *hub, gsize bytes_most);
void pages_free (Pages *pages);

/* The page of a target, NULL: none is ready. Valid until the next call. */
Page *pages_find (Pages *pages, const char *target);
/* body: a list up to what follows `next` (taken). keep: for the next who asks; else it goes with the next
 * call. next NULL: the last page. */
Page *pages_add (Pages *pages, const Route *route, const char *target, const Sources *sources,
                 JsonBuffer *body, const char *next, gboolean keep);
Answer *page_to_answer (Pages *pages, Page *page);
const Route *page_route (const Page *page);
