/* Which records an admin request means: one by id, some by ids, or a random share of exactly the asked size.
 */
#pragma once
#include "data.h"

enum { PICK_MOST_RECORDS = 1000000 };

/* Reads "id", "ids", "percent" or "count" of body. Returns indexes (guint32). Free with g_array_unref(). */
GArray *pick_records (Data *data, json_object *body, GRand *dice, GError **error);
