/* The inside of paths, for path.c and for the splitter, which follows one while the text arrives. */
#pragma once
#include "json/json.h"

/* What the reader leaves where a key's opening quote was: how deep its object is (1 to JSON_DEPTH_MOST),
 * never a quote. */
#define KEY_MARK(depth) ((char)(0x80 | (depth)))

typedef struct {
  char *key; /* NULL: an index */
  guint length;
  gint64 index;
  guint hint,
    hint_before; /* nodes from the object to the key, where it was found last and before that; 0: nowhere */
} PathSegment;

typedef struct {
  PathSegment *segments;
  guint count;
} PathWay; /* one alternative */

struct JsonPath {
  PathWay *ways;
  guint count;
  gboolean any_case;
};
