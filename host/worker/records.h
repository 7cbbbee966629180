/* The shapes of the SDK's records, for what concerns all of them: laying out an older plugin's in our sizes,
 * and visiting every text. */
#pragma once
#include "worker/loader.h"
#include "worker/worker.h"

/* A record in our sizes: itself, or a copy in the arena. */
const void *record_take (const Plugin *plugin, guint kind, const void *record, Arena *arena);
/* The name of the first member whose text is stale, NULL: none. */
const char *record_find_text (guint kind, const void *record,
                              gboolean (*is_it) (const Call *call, const void *address), const Call *call);
