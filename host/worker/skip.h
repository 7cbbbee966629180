/* Skip-unchanged: what one stream's items gave when they were last read. An item whose bytes are known needs
 * neither reading nor plugin code: its records are told to the hub by their hashes.
 *
 * Only for streams marked item_only. About 33 bytes an item of one record: an entry a record, back to back
 * for one item, and an index of places. Forgotten when the settings change, and when nobody asked for a
 * while.
 *
 * Who reads a page is its writer, from skip_begin() to skip_end(); another call meanwhile neither skips nor
 * remembers. */
#pragma once
#include <glib.h>
#include "base/loop.h"
#include "worker/pages.h"

typedef struct Skip Skip;

typedef struct {
  guint8 kind; /* of the model */
  guint64 id_hash, hash;
} SkipRecord;

/* keep_ms: after its last page everything is forgotten. */
Skip *skip_new (Loop *loop, gint64 keep_ms);
void skip_free (Skip *skip);

/* FALSE: another call is the writer. first_of_full: a full pass begins with this page. */
gboolean skip_begin (Skip *skip, gconstpointer writer, gboolean first_of_full);
/* The page is over. failed: what was remembered since skip_begin() is not to be trusted. last_of_full: the
 * full pass is complete, what was not met in it is dropped. */
void skip_end (Skip *skip, gconstpointer writer, gboolean failed, gboolean last_of_full);

/* Is an item known? Its records one after the other with skip_record() from *place on, *count of them. It is
 * met in this pass then. */
gboolean skip_find (Skip *skip, guint64 item, guint *place, guint *count);
SkipRecord skip_record (const Skip *skip, guint place);
/* What an item gave (none: nothing). Replaces what was known. */
void skip_remember (Skip *skip, guint64 item, const SkipRecord *records, guint count);

/* The stream's pages, with the same life as what is known of its items. */
Pages *skip_pages (Skip *skip);

guint skip_items (const Skip *skip);
gsize skip_bytes (const Skip *skip);
