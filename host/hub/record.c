/* One record that a worker gave, against what is held: is it right, the same, older, and how it is stored. */
#include <string.h>

#include "base/hash.h"
#include "hub/hub-private.h"

/* A time of a record's own that lies in the future is no time to hold others against: as if it were not said.
 */
static gint64
trusted_ms (gint64 updated_ms, gint64 now_ms)
{
  return updated_ms > now_ms + RECORD_AHEAD_MOST_MS ? 0 : updated_ms;
}

/* Newer wins by the record's own time; where times are equal or not said, by the later start of our request.
 * So it is where we hold that it is gone: it may come back as it was. One of ours that lies in the future is
 * from before the clock was set back. */
gboolean
record_is_older (const Hub *hub, const WireRecord *record, gint64 asked_ms, const MapEntry *entry)
{
  gint64 now_ms = hub_wall_ms (hub);
  gint64 theirs_ms = trusted_ms (record->updated_ms, now_ms),
         ours_ms = trusted_ms (entry->updated_ms, now_ms);
  if (!entry->deleted && theirs_ms && ours_ms && theirs_ms != ours_ms)
    return theirs_ms < ours_ms;
  return asked_ms < (gint64)entry->asked_ms && (gint64)entry->asked_ms <= now_ms;
}

/* As our workers write one, without blanks around its members: where it is served more are put to them. */
static gboolean
is_object (const char *body, gsize length)
{
  return length >= 2 && body[0] == '{' && body[1] == (length == 2 ? '}' : '"') && body[length - 1] == '}' &&
         json_is_valid (body, length);
}

/* The worker runs a stranger's code: what is to be stored is looked at once more. */
const char *
record_fault (const Hub *hub, const WireRecord *record)
{
  const char *id = wire_record_id (record), *body = wire_record_body (record);
  if (record->id_length == 0 || hash_bytes (id, record->id_length, hub->seed) != record->id_hash)
    return "gave a record whose id is not what its hash says";
  if (memchr (id, '\0', record->id_length) || !json_is_utf8 (id, record->id_length))
    return "gave a record whose id is no text";
  if (record->op == WIRE_DELETE)
    return record->body_length ? "gave a deletion with a body" : NULL;
  if (record->body_length > WIRE_RECORD_MOST)
    return "gave a record of more than 1 MiB";
  if (record->body_length == 0 || hash_bytes (body, record->body_length, hub->seed) != record->hash)
    return "gave a record that is not what its hash says";
  if (!is_object (body, record->body_length))
    return "gave a record that is no JSON object";
  return NULL;
}

gboolean
record_is_same (const WireRecord *record, const MapEntry *entry)
{
  gboolean deletes = record->op == WIRE_DELETE;
  return entry ? entry->deleted == (guint)deletes && (deletes || entry->hash == record->hash) : deletes;
}

void
record_put (StoreBatch *batch, HubCollection *collection, const WireRecord *record, MapEntry *entry,
            gboolean is_new, gint64 asked_ms)
{
  gboolean deletes = record->op == WIRE_DELETE;
  entry->hash = record->hash;
  entry->updated_ms = record->updated_ms;
  entry->asked_ms = map_asked (asked_ms);
  entry->zeroed = 0;
  map_set_parent (collection->map, entry, record->parent_hash);
  map_set_deleted (collection->map, entry, deletes);
  StoreRecord row = { .op = is_new    ? STORE_INSERT
                            : deletes ? STORE_DELETE
                                      : STORE_UPDATE,
                      .collection = collection->number,
                      .ordinal = map_ordinal (collection->map, entry),
                      .hash = record->hash,
                      .parent_hash = record->parent_hash,
                      .updated_ms = record->updated_ms,
                      .asked_ms = asked_ms,
                      .id = wire_record_id (record),
                      .id_length = record->id_length,
                      .body = deletes ? NULL : wire_record_body (record),
                      .body_length = record->body_length };
  store_batch_record (batch, &row);
}
