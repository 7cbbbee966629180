/* Does a record have the words and texts of a query? The plain way: what a search index is compared with. */
#pragma once
#include "store/store.h"

gboolean mem_words_hold (const StoreQuery *query, const char *body);
