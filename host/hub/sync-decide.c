/* A held pass is decided by a person: what it lacked goes, or stays. */
#include <string.h>

#include "hub/overrides.h"
#include "hub/sync-run.h"

enum { CHUNK = 500 }; /* records in one batch */

typedef struct Deciding Deciding;
struct Deciding {
  Hub *hub;
  HubStream *stream; /* NULL: went meanwhile */
  json_object *body; /* of the pass, as history serves it */
  gint64 ended_ms;
  gboolean accept;
  GArray *rids;
  GPtrArray *collections; /* HubCollection whose maps are held */
  guint at;               /* of rids: decided up to here */
  guint64 deleted;
  gboolean last;          /* the batch that is written ends it */
  guint loading, changes; /* changes: bits of the kinds that lose something in the batch that is written */
  StoreDone done;
  gpointer data;
  GError *failed;
};

/* The end of it all: told, and the stream may run again. */
static void
deciding_end (Deciding *deciding, const GError *error)
{
  Hub *hub = deciding->hub;
  for (guint i = 0; i < deciding->collections->len; i++)
    ((HubCollection *)deciding->collections->pdata[i])->users--;
  if (deciding->stream) {
    deciding->stream->deciding = NULL;
    hub_stream_plan_next (deciding->stream);
  }
  deciding->done (error, deciding->data);
  g_array_unref (deciding->rids);
  g_ptr_array_unref (deciding->collections);
  json_object_put (deciding->body);
  g_clear_error (&deciding->failed);
  g_free (deciding);
  hub_check_drained (hub);
}

static const char *
word_of (const Deciding *deciding, const char *name)
{
  return json_object_get_string (json_object_object_get (deciding->body, name));
}

/* Also when a reload meanwhile made the stream anew, from what the store said before. */
static void
forget_held (Deciding *deciding)
{
  HubConnector *connector =
    hub_connector (deciding->hub, word_of (deciding, "store"), word_of (deciding, "connector"));
  HubStream *stream = connector ? hub_stream (connector, word_of (deciding, "stream")) : NULL;
  if (stream && g_strcmp0 (stream->held, word_of (deciding, "id")) == 0)
    g_clear_pointer (&stream->held, g_free);
}

static void decide_some (Deciding *deciding);

/* Between two pieces: is what they are taken from still there? */
static gboolean
may_go_on (Deciding *deciding)
{
  gboolean may = deciding->stream != NULL;
  for (guint i = 0; i < deciding->collections->len; i++)
    may &= ((HubCollection *)deciding->collections->pdata[i])->map != NULL;
  if (!may && !deciding->failed)
    g_set_error (&deciding->failed, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "what is held or configured changed meanwhile; ask again");
  return may;
}

static void
decided (const GError *error, gpointer data)
{
  Deciding *deciding = data;
  for (guint i = 0; i < deciding->collections->len; i++) {
    HubCollection *collection = deciding->collections->pdata[i];
    if (error)
      hub_collection_drop (collection);
    hub_collection_written (deciding->hub, collection, (deciding->changes & (1u << collection->kind)) != 0);
  }
  deciding->changes = 0;
  if (!error && !deciding->last) {
    if (may_go_on (deciding))
      decide_some (deciding);
    else
      deciding_end (deciding, deciding->failed);
    return;
  }
  if (!error)
    forget_held (deciding);
  deciding_end (deciding, error);
}

/* The connector goes or changes: what is not written yet is not decided. */
void
sync_decide_abort (HubStream *stream)
{
  if (stream->deciding)
    stream->deciding->stream = NULL;
  stream->deciding = NULL;
}

static void
put_decision (Deciding *deciding, StoreBatch *batch, guint64 deleted)
{
  HubStream *stream = deciding->stream;
  const char *state = pass_state_word (deciding->accept ? PASS_COMPLETE : PASS_REFUSED);
  json_object_object_add (deciding->body, "state", json_object_new_string (state));
  json_object_object_add (deciding->body, "deleted", json_object_new_uint64 (deleted));
  StoreRow row = { .id = stream->held,
                   .connector = stream->connector->label,
                   .stream = stream->name,
                   .kind = "",
                   .state = state,
                   .reason = "",
                   .at_ms = deciding->ended_ms,
                   .body = json_object_to_json_string_ext (deciding->body, JSON_C_TO_STRING_PLAIN) };
  store_batch_row (batch, STORE_PASSES, &row);
  HubStream after = *stream;
  after.held = NULL;
  g_autofree char *key = hub_stream_key (stream);
  g_autofree char *json = hub_stream_to_state (&after);
  store_batch_state (batch, key, json);
}

static HubCollection *
products_of (const Deciding *deciding)
{
  for (guint i = 0; i < deciding->collections->len; i++) {
    HubCollection *collection = deciding->collections->pdata[i];
    if (collection->kind == MODEL_PRODUCTS)
      return collection;
  }
  return NULL;
}

/* What was seen again since the pass ended stays. In pieces, since each record is read; the pass itself goes
 * with the last one, so that after a crash it is still held, and what is left of it can be decided again. */
static void
decide_some (Deciding *deciding)
{
  Hub *hub = deciding->hub;
  StoreBatch *batch = store_batch_new (hub->world.store, TRUE, "operator");
  guint end = deciding->accept ? MIN (deciding->at + CHUNK, deciding->rids->len) : deciding->rids->len;
  for (; deciding->at < end && deciding->accept; deciding->at++) {
    guint64 rid = g_array_index (deciding->rids, guint64, deciding->at);
    HubCollection *collection = hub_collection (hub, (guint32)(rid >> 32));
    MapEntry *entry = collection && collection->map && (guint32)rid < map_count (collection->map)
                        ? map_at (collection->map, (guint32)rid)
                        : NULL;
    if (entry && !entry->deleted && (gint64)entry->asked_ms <= deciding->ended_ms)
      deciding->deleted += run_put_missing (batch, hub, collection, (guint32)rid,
                                            run_is_zero (deciding->stream), hub_wall_ms (hub));
  }
  deciding->last = end == deciding->rids->len;
  if (deciding->last)
    put_decision (deciding, batch, deciding->deleted);
  for (guint i = 0; i < deciding->collections->len; i++)
    deciding->changes |= (guint)hub_collection_writing (deciding->collections->pdata[i], batch)
                         << ((HubCollection *)deciding->collections->pdata[i])->kind;
  overrides_submit (hub, products_of (deciding), batch, decided, deciding);
}

static void
map_for_deciding (HubCollection *collection, const GError *error, gpointer data)
{
  Deciding *deciding = data;
  if (error && !deciding->failed)
    deciding->failed = g_error_copy (error);
  if (--deciding->loading > 0)
    return;
  if (!deciding->failed && !deciding->stream)
    g_set_error (&deciding->failed, HUB_ERROR, HUB_ERROR_CONFLICT,
                 "the configuration of the connector changed meanwhile");
  if (deciding->failed)
    deciding_end (deciding, deciding->failed);
  else
    decide_some (deciding);
}

void
sync_decide (Hub *hub, HubStream *stream, gboolean accept, const StoreRow *row, StoreDone done, gpointer data)
{
  Deciding *deciding = g_new0 (Deciding, 1);
  *deciding = (Deciding){ .hub = hub, .stream = stream, .accept = accept, .done = done, .data = data };
  deciding->body = json_tokener_parse (row->body);
  deciding->ended_ms = row->at_ms;
  deciding->rids = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_array_append_vals (deciding->rids, row->extra, (guint)(row->extra_size / sizeof (guint64)));
  deciding->collections = g_ptr_array_new ();
  stream->deciding = deciding;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (stream->kinds & (1u << kind))
      g_ptr_array_add (deciding->collections, hub_collection_get (hub, stream->connector, kind));
  deciding->loading = deciding->collections->len;
  for (guint i = 0; i < deciding->collections->len; i++)
    ((HubCollection *)deciding->collections->pdata[i])->users++;
  for (guint i = deciding->collections->len; i-- > 0;)
    hub_collection_load (hub, deciding->collections->pdata[i], map_for_deciding, deciding);
}
