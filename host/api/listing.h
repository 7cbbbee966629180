/* A page of records on its way: what has to be known first is looked up, then the store's reader goes through
 * the records. Requests with the same words wait for the same page, unless something changed in between. */
#pragma once
#include "api/filter.h"
#include "api/pages.h"
#include "api/request.h"

typedef struct Listing Listing;

typedef struct {
  HubCollection *collection;
  Sources sources;
  Filter *filter;
  guint32 filter_hash; /* for cursors: of all that narrows the list */
  guint64 from;
  guint limit;
  gboolean keep;           /* another who asks later may have the page */
  char **ids;              /* only these; NULL: any */
  HubCollection *products; /* where filter->product is looked for; NULL: nowhere */
  guint64 parent_hash;     /* only children of it; 0: any */
  const char *words;       /* of the request */
  StoreTerm terms[4];      /* likewise */
  guint term_count;
} Asked;

/* Waits for the same page as another; FALSE: nobody asks for it now. */
gboolean listing_join (Request *request, const Sources *sources);
/* Ends the request later; takes the filter. */
void listing_begin (Request *request, const Asked *asked);
