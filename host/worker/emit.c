#include "worker/emit.h"

#include <string.h>
#include "base/hash.h"
#include "worker/items.h"
#include "worker/loader.h"
#include "worker/records.h"
#include "worker/services.h"
#include "worker/skip.h"

enum {
  GO_ON_EVERY = 32,           /* records between two looks at the clock */
  ITEM_RECORDS_MOST = 64,     /* of one item, to be remembered */
  REJECTS_MOST = 1000,        /* told one by one in a call; the others are counted */
  SAME_FIRST_BYTES = 16 << 10 /* a page of 1,000 */
};

struct Emit {
  Call *call;
  GByteArray *records;           /* of the RECORDS frame that is being filled */
  GByteArray *same[MODEL_KINDS]; /* likewise */
  JsonBuffer out, ids;
  Arena *scratch; /* copies of an older plugin's records */
  Skip *skip;     /* NULL: nothing is left out or remembered */
  gint64 seen, rejected, filtered, items, skipped;
  guint since_turn, rejects_told;
  gboolean in_item, item_rejected;
  gboolean item_says_more; /* than records: it must be heard each time */
  guint64 item_hash;
  SkipRecord item[ITEM_RECORDS_MOST];
  guint item_records;
};

Emit *
emit_new (Call *call)
{
  Emit *emit = g_new0 (Emit, 1);
  emit->call = call;
  if (call->stream && call->stream->item_only && strcmp (call->operation, "pull") == 0) {
    Skip *skip = connector_skip (call->connector, call->stream);
    emit->skip = skip_begin (skip, call, call->full && call->first) ? skip : NULL;
  }
  return emit;
}

void
emit_free (Emit *emit)
{
  emit_page_ends (emit->call, FALSE);
  if (emit->records)
    g_byte_array_unref (emit->records);
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (emit->same[kind])
      g_byte_array_unref (emit->same[kind]);
  json_buffer_clear (&emit->out);
  json_buffer_clear (&emit->ids);
  arena_free (emit->scratch);
  g_free (emit);
}

void
emit_page_ends (Call *call, gboolean well)
{
  Emit *emit = call->emit;
  gboolean done = call->ending == TB_PAGE_DONE || call->ending == TB_PAGE_DONE_UNTIL;
  if (emit->skip)
    skip_end (emit->skip, call, !well, well && call->full && done);
  emit->skip = NULL;
}

gboolean
emit_gave_any (const Emit *emit)
{
  return emit->seen > 0;
}

void
emit_counts (const Emit *emit, json_object *body)
{
  json_object_object_add (body, "seen", json_object_new_int64 (emit->seen));
  json_object_object_add (body, "rejected", json_object_new_int64 (emit->rejected));
  json_object_object_add (body, "filtered", json_object_new_int64 (emit->filtered));
  json_object_object_add (body, "items", json_object_new_int64 (emit->items));
  json_object_object_add (body, "skipped", json_object_new_int64 (emit->skipped));
}

/* ---- frames ---- */

/* Waits until the hub has taken in enough of what went before. */
static tb_status
wait_for_window (Call *call, gsize size)
{
  Worker *worker = call->worker;
  tb_status status = TB_OK;
  call->wants_credit = TRUE;
  while (status == TB_OK && worker->window_used > 0 && worker->window_used + size > WIRE_WINDOW_BYTES)
    status = call_wait (call, 0);
  call->wants_credit = FALSE;
  return status;
}

static tb_status
flush_array (Call *call, WireType type, guint kind, GByteArray **array)
{
  if (!*array || (*array)->len == 0)
    return TB_OK;
  TB_TRY (wait_for_window (call, (*array)->len));
  worker_send_batch (call->worker, type, kind, call->number, g_steal_pointer (array));
  return TB_OK;
}

tb_status
emit_flush (Call *call)
{
  Emit *emit = call->emit;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    TB_TRY (flush_array (call, WIRE_SAME, kind, &emit->same[kind]));
  return flush_array (call, WIRE_RECORDS, 0, &emit->records);
}

static tb_status
go_on (Emit *emit)
{
  if (++emit->since_turn < GO_ON_EVERY)
    return TB_OK;
  emit->since_turn = 0;
  return call_go_on (emit->call);
}

static tb_status
add_record (Emit *emit, const WireRecord *head, const char *id, const char *body)
{
  if (!emit->records)
    emit->records = g_byte_array_sized_new (WIRE_BATCH_BYTES + (8 << 10));
  wire_record_append (emit->records, head, id, body);
  emit->seen++;
  if (emit->records->len >= WIRE_BATCH_BYTES)
    TB_TRY (flush_array (emit->call, WIRE_RECORDS, 0, &emit->records));
  return go_on (emit);
}

static tb_status
add_same (Emit *emit, guint kind, guint64 id_hash, guint64 hash)
{
  GByteArray **array = &emit->same[kind];
  WireSame same = { .id_hash = id_hash, .hash = hash };
  if (!*array)
    *array = g_byte_array_sized_new (SAME_FIRST_BYTES);
  g_byte_array_append (*array, (const guint8 *)&same, sizeof same);
  emit->seen++;
  return (*array)->len >= WIRE_BATCH_BYTES ? flush_array (emit->call, WIRE_SAME, kind, array) : TB_OK;
}

/* ---- items ---- */

void
emit_item_begins (Emit *emit, guint64 hash)
{
  emit->in_item = TRUE;
  emit->item_rejected = emit->item_says_more = FALSE;
  emit->item_hash = hash;
  emit->item_records = 0;
  emit->items++;
  emit->call->note_count = 0;
}

void
emit_item_ends (Emit *emit, gboolean went_on)
{
  if (!emit->in_item)
    return;
  emit->in_item = FALSE;
  if (emit->item_records == 0 && !emit->item_rejected) {
    emit->filtered++;
    emit->seen++;
  }
  if (went_on && emit->skip && !emit->item_rejected && !emit->item_says_more &&
      emit->item_records <= ITEM_RECORDS_MOST)
    skip_remember (emit->skip, emit->item_hash, emit->item, emit->item_records);
}

gboolean
emit_known (Emit *emit, guint64 hash, tb_status *status)
{
  guint place, count;
  *status = TB_OK;
  if (!emit->skip || emit->call->fresh || !skip_find (emit->skip, hash, &place, &count))
    return FALSE;
  emit->items++;
  emit->skipped++;
  if (count == 0) {
    emit->filtered++;
    emit->seen++;
  }
  for (guint i = 0; i < count && *status == TB_OK; i++) {
    SkipRecord record = skip_record (emit->skip, place + i);
    *status = add_same (emit, record.kind, record.id_hash, record.hash);
  }
  if (*status == TB_OK)
    *status = go_on (emit);
  return TRUE;
}

gboolean
emit_remembers (const Emit *emit)
{
  return emit->skip != NULL;
}

static gboolean
knows_all (Emit *emit, const Page *page)
{
  guint place, count;
  for (guint i = 0; i < page->count; i++)
    if (!skip_find (emit->skip, page->items[i], &place, &count))
      return FALSE;
  return TRUE;
}

const Page *
emit_page (Emit *emit, guint64 request)
{
  if (!emit->skip || emit->call->fresh)
    return NULL;
  const Page *page = pages_find (skip_pages (emit->skip), request);
  return page && knows_all (emit, page) ? page : NULL;
}

void
emit_keep_page (Emit *emit, guint64 request, Page *page)
{
  if (emit->skip && knows_all (emit, page)) {
    pages_keep (skip_pages (emit->skip), request, page);
    return;
  }
  page_clear (page);
  if (emit->skip)
    pages_drop (skip_pages (emit->skip), request);
}

void
emit_says_more (Emit *emit)
{
  emit->item_says_more = TRUE;
}

/* Two readers at once: what is emitted belongs to no single item. */
void
emit_stop_remembering (Emit *emit)
{
  emit_page_ends (emit->call, FALSE);
}

static void
note_record (Emit *emit, guint kind, guint64 id_hash, guint64 hash)
{
  if (emit->in_item && emit->item_records < ITEM_RECORDS_MOST)
    emit->item[emit->item_records] = (SkipRecord){ .kind = (guint8)kind, .id_hash = id_hash, .hash = hash };
  emit->item_records++;
}

/* ---- rejects ---- */

static void
put_text (json_object *body, const char *name, const char *text, gssize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  json_object_object_add (body, name, json_object_new_string (valid));
}

/* The model says which field of ours is missing; a note says which value of the vendor's could not be read.
 */
static void
send_reject (Emit *emit, guint kind, const char *id, const ModelReject *reject)
{
  Call *call = emit->call;
  const Note *note = call->note_count && strcmp (reject->reason, "missing_field") == 0
                       ? &call->notes[call->note_count - 1]
                       : NULL;
  gsize length = 0;
  const char *sample = call->item_of ? items_sample (call->item_of, &length) : NULL;
  json_object *body = json_object_new_object ();
  put_text (body, "kind", model_kind_name (kind), -1);
  put_text (body, "record", id ? id : "", (gssize)(id ? strnlen (id, 200) : 0));
  put_text (body, "reason", note ? note->reason : reject->reason, -1);
  put_text (body, "path", note ? note->path : reject->field, -1);
  g_autofree char *detail = note ? g_strdup_printf ("%s: the vendor says %s%s%s", reject->field, note->value,
                                                    *reject->detail ? "; " : "", reject->detail)
                                 : g_strdup (reject->detail);
  put_text (body, "detail", detail, -1);
  put_text (body, "sample", sample ? sample : "", (gssize)length);
  worker_send (call->worker, WIRE_REJECT, call->number, body);
}

static tb_status
set_aside (Emit *emit, guint kind, const char *id, const ModelReject *reject)
{
  emit->seen++;
  emit->rejected++;
  emit->item_rejected = TRUE;
  if (emit->rejects_told++ < REJECTS_MOST)
    send_reject (emit, kind, id, reject);
  emit->call->note_count = 0;
  return go_on (emit);
}

/* ---- emitting ---- */

tb_status
emit_check_kind (Call *call, tb_kind bit, int *kind)
{
  *kind = model_kind_from_bit (bit);
  if (*kind < 0)
    return call_blame (call, "it emits a kind of records that is not known (0x%x)", (guint)bit);
  if (!call->stream)
    return call_blame (call, "check emits nothing");
  if (!(call->stream->kinds & (int)bit))
    return call_blame (call, "it emits %s, which the stream does not announce: add them to its .kinds",
                       model_kind_name ((guint)*kind));
  return TB_OK;
}

static tb_status
emit_rendered (Emit *emit, guint kind, const ModelRendered *rendered)
{
  guint64 seed = emit->call->connector->seed;
  WireRecord head = { .kind = (guint8)kind,
                      .op = WIRE_PUT,
                      .id_length = (guint16)rendered->id_length,
                      .body_length = (guint32)emit->out.length,
                      .id_hash = hash_bytes (rendered->id, rendered->id_length, seed),
                      .hash = hash_bytes (emit->out.bytes, emit->out.length, seed),
                      .updated_ms = rendered->updated_ms };
  if (rendered->parent_id)
    head.parent_hash = hash_bytes (rendered->parent_id, strlen (rendered->parent_id), seed);
  note_record (emit, kind, head.id_hash, head.hash);
  emit->call->note_count = 0;
  return add_record (emit, &head, rendered->id, emit->out.bytes);
}

/* An amount that the vendor says and nobody can read: why the record cannot stand. */
static gboolean
has_bad_amount (const Call *call, ModelReject *reject)
{
  for (guint i = 0; i < call->note_count; i++) {
    const Note *note = &call->notes[i];
    if (!note->amount)
      continue;
    reject->reason = note->reason;
    g_strlcpy (reject->field, note->path, sizeof reject->field);
    g_snprintf (reject->detail, sizeof reject->detail, "%s is no amount", note->value);
    return TRUE;
  }
  return FALSE;
}

/* The record's id where its kind has one at its beginning: for rejects. */
static const char *
id_of (guint kind, const void *record)
{
  return *(const char *const *)record;
}

tb_status
service_emit (tb_call *shown, tb_kind bit, const void *record)
{
  Call *call = call_of (shown);
  Emit *emit = call->emit;
  ModelReject reject;
  ModelRendered rendered;
  int kind;
  TB_TRY (call_enter (call));
  TB_TRY (emit_check_kind (call, bit, &kind));
  if (!plugin_same_layout (call->worker->plugin)) {
    if (!emit->scratch)
      emit->scratch = arena_new ();
    arena_reset (emit->scratch);
    record = record_take (call->worker->plugin, (guint)kind, record, emit->scratch);
  }
  const char *stale = call->items ? record_find_text ((guint)kind, record, items_is_stale, call) : NULL;
  if (stale)
    return call_blame (call, "the %s of a record lies in an item that is over: tb_keep() it", stale);
  emit->out.length = emit->ids.length = 0;
  ModelContext context = { .currency = call->connector->currency };
  if (has_bad_amount (call, &reject) ||
      !model_render ((guint)kind, record, &context, &emit->out, &emit->ids, &rendered, &reject))
    return set_aside (emit, (guint)kind, id_of ((guint)kind, record), &reject);
  return emit_rendered (emit, (guint)kind, &rendered);
}

tb_status
service_emit_deleted (tb_call *shown, tb_kind bit, const char *id)
{
  Call *call = call_of (shown);
  int kind;
  TB_TRY (call_enter (call));
  TB_TRY (emit_check_kind (call, bit, &kind));
  gsize length = id ? strlen (id) : 0;
  if (length == 0 || length > G_MAXUINT16 || !json_is_utf8 (id, length))
    return call_blame (call, "tb_emit_deleted() needs an id");
  WireRecord head = { .kind = (guint8)kind,
                      .op = WIRE_DELETE,
                      .id_length = (guint16)length,
                      .id_hash = hash_bytes (id, length, call->connector->seed) };
  call->emit->item_rejected = TRUE; /* a deletion is not to be told again from memory */
  return add_record (call->emit, &head, id, "");
}
