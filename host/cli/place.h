/* "downtown", "downtown/pos", "downtown/pos/products" as operators write them. */
#pragma once
#include "cli/cli.h"

typedef struct {
  char *store, *connector, *stream; /* NULL: not said */
} Place;

/* text NULL: nothing is said. FALSE with error: not a place of least to most parts. */
gboolean place_read (Place *place, const char *text, guint least, guint most, GError **error);
void place_clear (Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Place, place_clear)
char *place_connector_label (const Place *place); /* "downtown/pos"; NULL: no connector was said */
