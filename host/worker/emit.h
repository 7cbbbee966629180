/* Records on their way to the hub: checked, rendered, hashed, gathered into frames, with as much under way as
 * the hub gives credit for. */
#pragma once
#include "worker/pages.h"
#include "worker/worker.h"

Emit *emit_new (Call *call);
void emit_free (Emit *emit);
/* An item's turn begins; hash 0: it will not be remembered. */
void emit_item_begins (Emit *emit, guint64 hash);
/* It is over. went_on: the plugin asked for the next, so what it gave is all that the item gives, and may be
 * remembered. */
void emit_item_ends (Emit *emit, gboolean went_on);
/* Is the item known? Then its records are told, and the next one may come. *status: what telling came to. */
gboolean emit_known (Emit *emit, guint64 hash, tb_status *status);
/* Does this call leave known items out, or remember them? */
gboolean emit_remembers (const Emit *emit);
/* The page that such a request gave last time, when all of its items are still known; NULL: it must be read.
 */
const Page *emit_page (Emit *emit, guint64 request);
/* What such a request gave, all of it read: kept where all its items are known now. Takes over what page
 * points to. */
void emit_keep_page (Emit *emit, guint64 request, Page *page);
void emit_stop_remembering (Emit *emit);
/* The item says more than its records, which must be heard each time: it is not remembered. */
void emit_says_more (Emit *emit);
/* Is it a kind that the call's stream may emit? */
tb_status emit_check_kind (Call *call, tb_kind bit, int *kind);
/* Sends what is gathered. */
tb_status emit_flush (Call *call);
void emit_page_ends (Call *call, gboolean well);
/* Has the call given a record, be it one that was set aside? */
gboolean emit_gave_any (const Emit *emit);
/* seen, rejected, filtered, items, skipped */
void emit_counts (const Emit *emit, json_object *body);
