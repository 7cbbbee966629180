/* What the hub's other files need of overrides: see overrides.c. */
#pragma once
#include "hub/hub-private.h"

enum {
  OVERRIDES_SETS_MOST = 10000,    /* products of one connector that have some */
  OVERRIDES_BYTES_MOST = 16 << 20 /* of all their sets */
};

#define OVERRIDES_KEY_PREFIX "override:"

typedef struct Overrides Overrides;
typedef struct Override Override;

/* What is overridden in one collection. */
struct Overrides {
  GHashTable *sets;  /* id -> Set, which owns it */
  gsize bytes;       /* of all texts */
  GQueue waiting;    /* Override, in the order of asking */
  GPtrArray *flying; /* Override: submitted */
  GQueue gated;      /* Gated: batches that wait for those */
  gboolean loading;  /* the map, for those who wait */
  gboolean turning;  /* take_turns() is at work */
};

/* One change that is asked for. */
struct Override {
  HubCollection *collection;
  char *id, *set; /* set NULL: none any more */
  guint64 id_hash;
  HubMayOverride may;
  HubFound done;
  gpointer data;
  gboolean found, refused, lies; /* refused: by may(); lies: the stored body is as it is to be already */
  guint32 ordinal;
  JsonBuffer vendor, body; /* the vendor's, and with the set laid over it, while it is written */
};

/* All sets, at the start; collections are known. */
gboolean overrides_read (Hub *hub, GError **error);
void overrides_free (HubCollection *collection);

/* Hands a batch to the store, with the sets laid over its records; when sets of the collection are just being
 * replaced, as soon as that is stored. Takes the batch. collection: the one of products, NULL: the batch has
 * none of them. */
void overrides_submit (Hub *hub, HubCollection *collection, StoreBatch *batch, StoreDone done, gpointer data);

/* Appends the vendor's body of what is stored. */
void overrides_vendor_body (const HubCollection *collection, const StoreFound *found, JsonBuffer *out);

/* Nothing of the collection is under way any more, perhaps: those who wait may go on. */
void overrides_go_on (HubCollection *collection);
void overrides_tick (Hub *hub);

/* ---- between overrides.c and override.c ---- */
Overrides *overrides_need (HubCollection *collection);
const char *overrides_text (const HubCollection *collection, const char *id); /* the set; NULL: none */
void overrides_put (HubCollection *collection, const char *id, const char *text);
const Override *overrides_find_flying (const HubCollection *collection, const char *id);
void overrides_open_gate (HubCollection *collection);
void override_end (Override *override, const GError *error); /* tells whoever asked, and frees */
