/* What a page brings: each record is new, changed, the same, older than what is held, or a duplicate within
 * the pass. */
#include <string.h>

#include "base/hash.h"
#include "base/timefmt.h"
#include "hub/sync-run.h"

void
run_start_try (SyncRun *run)
{
  memset (run->page, 0, sizeof run->page);
  run->mismatch = FALSE;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (run->collections[kind]) {
      run->mark[kind] = map_mark (run->collections[kind]->map);
      if (!run->tries && !run->fresh)
        run->page_mark[kind] = run->mark[kind];
      if (!run->pass_mark[kind])
        run->pass_mark[kind] = run->mark[kind];
    }
}

void
run_count_page (SyncRun *run)
{
  static const struct {
    const char *word;
    gboolean filtered;
    gsize sum;
  } results[SEEN_RESULTS] = {
    [SEEN_STORED] = { "stored", FALSE, G_STRUCT_OFFSET (PassSums, stored) },
    [SEEN_UNCHANGED] = { "unchanged", FALSE, G_STRUCT_OFFSET (PassSums, unchanged) },
    [SEEN_REJECTED] = { "rejected", FALSE, G_STRUCT_OFFSET (PassSums, rejected) },
    [SEEN_OLDER] = { "filtered", TRUE, G_STRUCT_OFFSET (PassSums, older) },
    [SEEN_DUPLICATE] = { "filtered", TRUE, G_STRUCT_OFFSET (PassSums, duplicate) },
    [SEEN_PLUGIN] = { "filtered", TRUE, G_STRUCT_OFFSET (PassSums, plugin) },
  };
  const char *plugin = run->stream->connector->plugin->name;
  PassSums *sums = &run->stream->pass->sums;
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    for (guint result = 0; result < SEEN_RESULTS; result++) {
      guint count = run->page[kind][result];
      if (!count)
        continue;
      sums->seen += count;
      sums->filtered += results[result].filtered ? count : 0;
      G_STRUCT_MEMBER (guint64, sums, results[result].sum) += count;
      metric_add (metrics_get (run->hub->world.metrics, "records_total", plugin, model_kind_name (kind),
                               results[result].word),
                  count);
    }
  memset (run->page, 0, sizeof run->page);
}

/* Seen in this try, or on an earlier page of this pass; what an earlier try of this page saw does not count.
 */
static gboolean
seen_already (const SyncRun *run, guint kind, const MapEntry *entry)
{
  return entry->seen == run->mark[kind] ||
         (entry->seen >= run->pass_mark[kind] && entry->seen < run->page_mark[kind]);
}

static void
note_seen (SyncRun *run, guint kind, MapEntry *entry, gint64 asked_ms)
{
  entry->seen = run->mark[kind];
  entry->asked_ms = MAX (entry->asked_ms, map_asked (asked_ms));
}

static void
count_same (SyncRun *run, guint kind, MapEntry *entry, gint64 asked_ms)
{
  run->page[kind][seen_already (run, kind, entry) ? SEEN_DUPLICATE : SEEN_UNCHANGED]++;
  note_seen (run, kind, entry, asked_ms);
}

static void
count_older (SyncRun *run, guint kind, MapEntry *entry)
{
  run->page[kind][SEEN_OLDER]++;
  entry->seen = run->mark[kind];
}

/* The same id twice in one answer, with something else each time: the first stays, unless the other says that
 * it is newer. Else each pass would store both again, and tell them. */
static gboolean
is_twin (const SyncRun *run, guint kind, const MapEntry *entry, gint64 updated_ms)
{
  return !entry->deleted && entry->seen == run->mark[kind] &&
         !(updated_ms && entry->updated_ms && updated_ms > (gint64)entry->updated_ms);
}

static void
show_record (SyncRun *run, const WireRecord *record)
{
  if (json_object_array_length (run->records) < RUN_DRY_SHOWN && record->op == WIRE_PUT)
    json_object_array_add (run->records, json_tokener_parse (wire_record_body (record)));
}

/* A dry pass counts what would become of the record, and leaves map and store as they are. */
static void
take_dry (SyncRun *run, const WireRecord *record, const MapEntry *entry, gint64 asked_ms)
{
  guint kind = record->kind;
  gboolean met =
    !g_hash_table_add (run->dry_seen[kind], g_memdup2 (&record->id_hash, sizeof record->id_hash));
  Seen seen = met                                                            ? SEEN_DUPLICATE
              : record_is_same (record, entry)                               ? SEEN_UNCHANGED
              : entry && record_is_older (run->hub, record, asked_ms, entry) ? SEEN_OLDER
                                                                             : SEEN_STORED;
  run->page[kind][seen]++;
  if (!met)
    show_record (run, record);
}

static const char *
take_record (SyncRun *run, const WireRecord *record, gint64 asked_ms, gboolean *held)
{
  if (record->kind >= MODEL_KINDS || !run->collections[record->kind])
    return "gave a record of a kind that its stream does not have";
  guint kind = record->kind;
  MapEntry *entry = map_find (run->collections[kind]->map, record->id_hash);
  gboolean deletes = record->op == WIRE_DELETE;
  if (run->stream->pass->dry) {
    take_dry (run, record, entry, asked_ms);
    return NULL;
  }
  if (record_is_same (record, entry)) {
    if (entry) {
      count_same (run, kind, entry, asked_ms);
    } else {
      run->page[kind][SEEN_UNCHANGED]++; /* deletes what we never had */
    }
    return NULL;
  }
  if (entry && record_is_older (run->hub, record, asked_ms, entry)) {
    count_older (run, kind, entry);
    return NULL;
  }
  if (entry && !deletes && is_twin (run, kind, entry, record->updated_ms)) {
    run->page[kind][SEEN_DUPLICATE]++;
    return NULL;
  }
  const char *wrong = record_fault (run->hub, record);
  if (wrong)
    return wrong;
  run->page[kind][SEEN_STORED]++;
  gboolean is_new = !entry;
  if (is_new)
    entry = map_add (run->collections[kind]->map, record->id_hash);
  record_put (run_batch (run), run->collections[kind], record, entry, is_new, asked_ms);
  entry->seen = run->mark[kind];
  *held = TRUE;
  return NULL;
}

static gboolean
take_records (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong)
{
  g_autoptr (GError) error = NULL;
  const WireRecord *record = NULL;
  gboolean held = FALSE;
  while (!*wrong && wire_record_next (frame->body, frame->head.size, &record, &error))
    *wrong = take_record (run, record, call->asked_ms, &held);
  if (held) {
    if (run->generation != call->plugin->generation)
      run->batch_bytes = run->storing_bytes = 0; /* went with the worker that gave them */
    run->generation = call->plugin->generation;
    store_batch_keep (run->batch, frame->bytes);
    run->batch_bytes += frame->head.size;
  } else {
    hub_plugin_credit (call->plugin, call->plugin->generation, frame->head.size);
  }
  if (error)
    *wrong = "gave records whose lengths do not fit";
  return !*wrong;
}

static gboolean
take_same (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong)
{
  guint kind = frame->head.kind;
  if (kind >= MODEL_KINDS || !run->collections[kind] || frame->head.size % sizeof (WireSame) != 0) {
    *wrong = "gave skipped records that do not fit";
    return FALSE;
  }
  Map *map = run->collections[kind]->map;
  const WireSame *same = (const WireSame *)frame->body;
  for (gsize i = 0; i < frame->head.size / sizeof *same; i++) {
    MapEntry *entry = map_find (map, same[i].id_hash);
    if (entry && !entry->deleted && entry->hash == same[i].hash)
      count_same (run, kind, entry, call->asked_ms);
    else if (entry && is_twin (run, kind, entry, 0))
      run->page[kind][SEEN_DUPLICATE]++;
    else
      run->mismatch = TRUE;
  }
  hub_plugin_credit (call->plugin, call->plugin->generation, frame->head.size);
  return TRUE;
}

const char *
run_text (json_object *object, const char *name)
{
  json_object *member = json_object_object_get (object, name);
  return json_object_is_type (member, json_type_string) ? json_object_get_string (member) : "";
}

/* As GET /v1/rejects serves it. */
static const ShapeMember reject_members[] = {
  { "id?", "text", "Sorts by time. Absent in a dry run, which keeps nothing.",
    "rej_01M87SNVX084NKMX3V3P2GZ1NG" },
  { "store?", "text", "The store's id; absent in a dry run, like all that names the pass.", "downtown" },
  { "connector?", "text", "The connector's name within the store.", "pos" },
  { "stream?", "text", "What was read.", "products" },
  { "pass?", "text", "The pass that met it.", "pass_01M87SM5WW8F3BT72HVZHEXWS4" },
  { "at?", "time", "When." },
  { "kind?", "text", "The kind of the record.", "products" },
  { "record?", "text", "The vendor's id of the record, where it is known.", "5b0e" },
  { "reason", "text", "In one word.", "not_a_number" },
  { "path?", "text", "Where in the vendor's record or in ours.", "pricing.price_sell" },
  { "detail?", "text", "What was found.", "\"abc\" is no amount" },
  { "sample?", "text", "The beginning of what the vendor sent." },
  { NULL },
};
const Shape reject_shape = { "Reject", "A record that the vendor sent and that cannot be right.",
                             reject_members };

static void
keep_reject (SyncRun *run, json_object *reject)
{
  const Pass *pass = run->stream->pass;
  char id[ID_TEXT_SIZE], at[TIME_TEXT_SIZE];
  gint64 now_ms = hub_wall_ms (run->hub);
  hub_make_id (run->hub, "rej_", id);
  time_to_text (now_ms, at);
  json_object *row = json_object_new_object ();
  const struct {
    const char *name, *value;
  } head[] = { { "id", id },
               { "store", pass->store },
               { "connector", pass->connector },
               { "stream", pass->stream } },
    tail[] = { { "pass", pass->id }, { "at", at } };
  static const char *const said[] = { "kind", "record", "reason", "path", "detail", "sample" };
  for (gsize i = 0; i < G_N_ELEMENTS (head); i++)
    json_object_object_add (row, head[i].name, json_object_new_string (head[i].value));
  for (gsize i = 0; i < G_N_ELEMENTS (tail); i++)
    json_object_object_add (row, tail[i].name, json_object_new_string (tail[i].value));
  for (gsize i = 0; i < G_N_ELEMENTS (said); i++)
    if (*run_text (reject, said[i]))
      json_object_object_add (row, said[i], json_object_new_string (run_text (reject, said[i])));
  StoreRow history = { .id = id,
                       .connector = run->stream->connector->label,
                       .stream = pass->stream,
                       .kind = run_text (reject, "kind"),
                       .state = "",
                       .reason = run_text (reject, "reason"),
                       .at_ms = now_ms,
                       .body = json_object_to_json_string_ext (row, JSON_C_TO_STRING_PLAIN) };
  store_batch_row (run_batch (run), STORE_REJECTS, &history);
  run->batch_rejects++;
  json_object_put (row);
}

typedef struct {
  Map *map;
  guint32 mark;
} Marking;

static void
mark_one (guint32 ordinal, gpointer data)
{
  const Marking *marking = data;
  map_at (marking->map, ordinal)->seen = marking->mark;
}

/* A record that was rejected is there at the vendor: it is not missing. A level of stock is told by its
 * product's id; one that is told by none may be any. */
static void
mark_rejected (SyncRun *run, json_object *reject)
{
  int kind = model_kind_from_name (run_text (reject, "kind"));
  const char *id = run_text (reject, "record");
  if (kind < 0 || !run->collections[kind] || !*id) {
    run->nameless++;
    return;
  }
  Map *map = run->collections[kind]->map;
  Marking marking = { map, run->mark[kind] };
  guint64 hash = hash_bytes (id, strlen (id), run->hub->seed);
  MapEntry *entry = map_find (map, hash);
  if (entry)
    entry->seen = run->mark[kind];
  if (kind == MODEL_INVENTORY)
    map_each_child (map, hash, mark_one, &marking);
}

static gboolean
take_reject (SyncRun *run, const WireFrame *frame, const char **wrong)
{
  json_object *reject = json_tokener_parse ((const char *)frame->body);
  if (!json_object_is_type (reject, json_type_object)) {
    json_object_put (reject);
    *wrong = "gave a reject that cannot be read";
    return FALSE;
  }
  int kind = model_kind_from_name (run_text (reject, "kind"));
  if (kind < 0 || !run->collections[kind]) {
    json_object_put (reject);
    *wrong = "gave a reject of a kind that its stream does not have";
    return FALSE;
  }
  run->page[kind][SEEN_REJECTED]++;
  if (run->stream->pass->dry) {
    if (json_object_array_length (run->rejects) < RUN_DRY_SHOWN)
      json_object_array_add (run->rejects, json_object_get (reject));
  } else {
    mark_rejected (run, reject);
    if (run->reject_rows++ < RUN_REJECT_ROWS_MOST)
      keep_reject (run, reject);
  }
  json_object_put (reject);
  return TRUE;
}

gboolean
run_frame (SyncRun *run, HubCall *call, const WireFrame *frame, const char **wrong)
{
  switch ((WireType)frame->head.type) {
  case WIRE_RECORDS:
    return take_records (run, call, frame, wrong);
  case WIRE_SAME:
    return take_same (run, call, frame, wrong);
  default:
    return take_reject (run, frame, wrong);
  }
}

typedef struct {
  SyncRun *run;
  guint kind;
  gint64 asked_ms;
} Orphans;

static void
delete_unseen (guint32 ordinal, gpointer data)
{
  Orphans *orphans = data;
  SyncRun *run = orphans->run;
  HubCollection *collection = run->collections[orphans->kind];
  MapEntry *entry = map_at (collection->map, ordinal);
  if (entry->seen >= run->pass_mark[orphans->kind] || (gint64)entry->asked_ms > orphans->asked_ms)
    return;
  run->stream->pass->deleted +=
    run_put_deletion (run_batch (run), run->hub, collection, ordinal, orphans->asked_ms);
}

/* "These are all the children of P": those of them that this pass did not see are gone. */
void
run_children (SyncRun *run, json_object *pairs, gint64 asked_ms)
{
  gsize count = json_object_is_type (pairs, json_type_array) ? json_object_array_length (pairs) : 0;
  for (gsize i = 0; i < count && !run->stream->pass->dry; i++) {
    json_object *pair = json_object_array_get_idx (pairs, i);
    if (!json_object_is_type (pair, json_type_array) || json_object_array_length (pair) < 2)
      continue;
    json_object *name = json_object_array_get_idx (pair, 0), *parent = json_object_array_get_idx (pair, 1);
    int kind = name ? model_kind_from_name (json_object_get_string (name)) : -1;
    if (kind < 0 || !run->collections[kind] || !parent)
      continue;
    Orphans orphans = { run, (guint)kind, asked_ms };
    const char *id = json_object_get_string (parent);
    map_each_child (run->collections[kind]->map, hash_bytes (id, strlen (id), run->hub->seed), delete_unseen,
                    &orphans);
  }
}
