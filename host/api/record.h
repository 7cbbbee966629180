/* One record as it is served. */
#pragma once
#include "api/request.h"

/* The collection that serves the route's kind in {store}, by `connector` or the store's own. NULL: the store
 * has none. FALSE: refused. */
gboolean record_collection (Request *request, HubCollection **collection);

/* found: living, and of a collection whose map is loaded. */
Answer *record_to_answer (Hub *hub, HubCollection *collection, const StoreFound *found, GError **error);
/* Ends the request; ordinal where it was found, with the map loaded. */
void record_answer (Request *request, HubCollection *collection, gboolean found, guint32 ordinal,
                    const GError *error);
/* 404 */
void record_refuse_missing (Request *request);
