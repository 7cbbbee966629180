/* What every store must do: the same tests on the SQLite store and on the one in memory. */
#include <string.h>

#include "base/hash.h"
#include "store-bed.h"
#include "tap.h"

static gboolean
take_found (const StoreFound *found, gpointer data)
{
  *(StoreFound *)data = *found;
  ((StoreFound *)data)->id = g_intern_string (found->id);
  ((StoreFound *)data)->body = g_intern_string (found->body);
  return TRUE;
}

static void
a_batch_is_there_when_it_is_told (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "webhook");
  bed_put (batch, STORE_INSERT, 3, 9, "5b0c", "{\"name\":\"Plum\"}");
  store_batch_state (batch, "stream/downtown/pos", "{\"page\":2}");
  CU_ASSERT_EQUAL (store_batch_size (batch), 1);
  CU_ASSERT_TRUE (bed_commit (bed, batch));

  StoreFound found;
  gboolean there = FALSE;
  CU_ASSERT_TRUE (store_get (bed->store, 3, 9, &there, take_found, &found, NULL));
  CU_ASSERT_TRUE_FATAL (there);
  CU_ASSERT (found.collection == 3 && found.ordinal == 9 && found.seq == 1 && !found.deleted);
  CU_ASSERT (found.updated_ms == 5009 && found.asked_ms == 6000 && found.at_ms == BED_START_MS);
  CU_ASSERT (found.parent_hash == 7 && found.hash == hash_bytes ("{\"name\":\"Plum\"}", 15, 0));
  CU_ASSERT_STRING_EQUAL (found.source, "webhook");
  CU_ASSERT_STRING_EQUAL (found.id, "5b0c");
  CU_ASSERT_STRING_EQUAL (found.body, "{\"name\":\"Plum\"}");
  g_autofree char *state = bed_state (bed, "stream/downtown/pos");
  CU_ASSERT_STRING_EQUAL (state, "{\"page\":2}");
  CU_ASSERT_TRUE (store_get (bed->store, 3, 10, &there, take_found, &found, NULL));
  CU_ASSERT_FALSE (there);
}

typedef struct {
  GString *order;
  Bed *bed;
  char name;
} Named;

static void
note_end (const GError *error, gpointer data)
{
  Named *named = data;
  g_string_append_c (named->order, named->name);
  named->bed->pending--;
}

static void
submit_named (Named *named, gboolean durable, guint32 collection, guint32 count)
{
  StoreBatch *batch = store_batch_new (named->bed->store, durable, "pull");
  bed_put_many (batch, STORE_INSERT, collection, 0, count, 20);
  named->bed->pending++;
  store_submit (named->bed->store, batch, note_end, named);
}

static void
ends_come_in_order_and_durable_ones_overtake (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  g_autoptr (GString) order = g_string_new (NULL);
  static const char names[] = "abcABC";
  static const guint32 sizes[] = { 3000, 1, 600, 2, 300, 1 };
  Named named[6];
  for (guint i = 0; i < 6; i++) {
    named[i] = (Named){ order, bed, names[i] };
    submit_named (&named[i], i >= 3, i, sizes[i]);
  }
  CU_ASSERT_STRING_EQUAL (order->str, ""); /* never inside the call */
  bed_settle (bed);
  CU_ASSERT_STRING_EQUAL (order->str, "ABCabc");
}

static void
lists_run_by_ordinal_and_leave_out_the_deleted (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 5; i-- > 0;)
    bed_put (batch, STORE_INSERT, 1, i, (const char *[]){ "a", "b", "c", "d", "e" }[i], "x");
  bed_put (batch, STORE_INSERT, 0, 9, "before", "x");
  bed_put (batch, STORE_INSERT, 2, 0, "behind", "x");
  bed_put (batch, STORE_DELETE, 1, 2, "c", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autofree char *all = bed_list (bed, 1, 0, 100);
  CU_ASSERT_STRING_EQUAL (all, "a=x b=x d=x e=x");
  g_autofree char *page = bed_list (bed, 1, 1, 2);
  CU_ASSERT_STRING_EQUAL (page, "b=x d=x");
  g_autofree char *end = bed_list (bed, 1, G_MAXUINT64, 2);
  CU_ASSERT_STRING_EQUAL (end, "");

  StoreStatus status;
  store_status (bed->store, &status);
  CU_ASSERT_EQUAL (status.records, 6);
  CU_ASSERT_EQUAL (status.seq, 8);
}

static void
an_operation_that_guessed_wrong_still_ends_right (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "x"); /* its tombstone was pruned */
  bed_put (batch, STORE_INSERT, 1, 1, "b", "x"); /* came in an earlier slice */
  bed_put (batch, STORE_INSERT, 1, 1, "b", "y");
  bed_put (batch, STORE_DELETE, 1, 2, "c", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint64 reached;
  gboolean more;
  g_autofree char *all = bed_changes (bed, 0, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (all, "a=x b=y -c");
}

static void
a_collision_fails_its_batch_alone (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *first = store_batch_new (bed->store, FALSE, "pull"),
             *bad = store_batch_new (bed->store, FALSE, "pull"),
             *last = store_batch_new (bed->store, FALSE, "pull");
  bed_put (first, STORE_INSERT, 1, 0, "a", "x");
  bed_put (bad, STORE_INSERT, 1, 1, "b", "x");
  bed_put (bad, STORE_UPDATE, 1, 0, "other", "y");
  store_batch_state (bad, "bad", "{}");
  bed_put (last, STORE_INSERT, 1, 2, "c", "x");
  bed_submit (bed, first);
  bed_submit (bed, bad);
  bed_submit (bed, last);
  bed_settle (bed);
  CU_ASSERT (g_error_matches (bed->error, STORE_ERROR, STORE_ERROR_COLLISION));
  g_autofree char *all = bed_list (bed, 1, 0, 10), *state = bed_state (bed, "bad");
  CU_ASSERT_STRING_EQUAL (all, "a=x c=x");
  CU_ASSERT_PTR_NULL (state);

  StoreBatch *insert = store_batch_new (bed->store, FALSE, "pull");
  bed_put (insert, STORE_INSERT, 1, 0, "another", "y");
  CU_ASSERT_FALSE (bed_commit (bed, insert));
  CU_ASSERT (g_error_matches (bed->error, STORE_ERROR, STORE_ERROR_COLLISION));
}

static void
append_state (const char *key, const char *json, gpointer data)
{
  g_string_append_printf (data, "%s=%s ", key, json);
}

static void
states_are_found_by_prefix (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "host");
  store_batch_state (batch, "stream/b", "1");
  store_batch_state (batch, "stream/a", "2");
  store_batch_state (batch, "streams", "3");
  store_batch_state (batch, "collection/1", "4");
  store_batch_state (batch, "stream/b", "5");
  store_batch_state (batch, "stream/c", "6");
  store_batch_state (batch, "stream/c", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autoptr (GString) some = g_string_new (NULL), all = g_string_new (NULL);
  CU_ASSERT_TRUE (store_states (bed->store, "stream/", append_state, some, NULL));
  CU_ASSERT_STRING_EQUAL (some->str, "stream/a=2 stream/b=5 ");
  CU_ASSERT_TRUE (store_states (bed->store, "", append_state, all, NULL));
  CU_ASSERT_STRING_EQUAL (all->str, "collection/1=4 stream/a=2 stream/b=5 streams=3 ");
}

static gboolean
append_row (const StoreRow *row, gpointer data)
{
  g_string_append_printf (data, "%s ", row->id);
  return TRUE;
}

static void
put_row (StoreBatch *batch, const char *id, const char *connector, const char *state, gint64 at_ms)
{
  StoreRow row = { .id = id,
                   .connector = connector,
                   .stream = "products",
                   .kind = "products",
                   .state = state,
                   .at_ms = at_ms,
                   .body = "{}",
                   .extra = "x\0y",
                   .extra_size = 3 };
  store_batch_row (batch, STORE_PASSES, &row);
}

#define ROWS(expected, ...)                                                                                  \
  do {                                                                                                       \
    StoreRowFilter filter = { __VA_ARGS__ };                                                                 \
    g_autoptr (GString) ids = g_string_new (NULL);                                                           \
    CU_ASSERT_TRUE (store_rows (bed->store, STORE_PASSES, &filter, append_row, ids, NULL));                  \
    CU_ASSERT_STRING_EQUAL (ids->str, expected);                                                             \
  } while (0)

static gboolean
check_row (const StoreRow *row, gpointer data)
{
  CU_ASSERT_STRING_EQUAL (row->id, "p3");
  CU_ASSERT_STRING_EQUAL (row->state, "held");
  CU_ASSERT_PTR_NULL (row->reason);
  CU_ASSERT_STRING_EQUAL (row->body, "{}");
  CU_ASSERT (row->extra_size == 3 && memcmp (row->extra, "x\0y", 3) == 0);
  CU_ASSERT_EQUAL (row->at_ms, 3000);
  ++*(guint *)data;
  return TRUE;
}

static void
rows_of_history_are_filtered_and_paged (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "host");
  put_row (batch, "p1", "downtown/pos", "done", 1000);
  put_row (batch, "p2", "downtown/sms", "done", 2000);
  put_row (batch, "p3", "downtown/pos", "running", 3000);
  put_row (batch, "p4", "downtown2/pos", "done", 4000);
  put_row (batch, "p3", "downtown/pos", "held", 3000); /* replaces */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  ROWS ("p4 p3 p2 p1 ", .limit = 10);
  ROWS ("p4 p3 ", .limit = 2);
  ROWS ("p2 p1 ", .limit = 2, .before = "p3");
  ROWS ("p3 p1 ", .limit = 10, .connector = "downtown/pos");
  ROWS ("p3 p2 p1 ", .limit = 10, .store = "downtown");
  ROWS ("p3 ", .limit = 10, .state = "held", .store = "downtown");
  ROWS ("p4 p3 ", .limit = 10, .since_ms = 3000);
  ROWS ("p2 ", .limit = 10, .id = "p2");
  ROWS ("", .limit = 10, .id = "p2", .kind = "customers");
  ROWS ("", .limit = 10, .reason = "x");
  ROWS ("p4 ", .limit = 1, .stream = "products");
  guint count = 0;
  StoreRowFilter one = { .id = "p3", .limit = 1 };
  CU_ASSERT_TRUE (store_rows (bed->store, STORE_PASSES, &one, check_row, &count, NULL));
  CU_ASSERT_EQUAL (count, 1);
  CU_ASSERT_TRUE (store_rows (bed->store, STORE_REJECTS, &one, check_row, &count, NULL));
  CU_ASSERT_EQUAL (count, 1);
}

typedef struct {
  Bed *bed;
  guint64 seed;
  guint count, living;
  gboolean right;
} Map;

static void
check_rows (const StoreMapRow *rows, gsize count, gpointer data)
{
  Map *map = data;
  for (gsize i = 0; i < count; i++, map->count++) {
    char id[16];
    gsize length = (gsize)g_snprintf (id, sizeof id, "id-%u", rows[i].ordinal);
    map->living += rows[i].deleted ? 0 : 1;
    map->right = map->right && rows[i].ordinal == map->count &&
                 rows[i].id_hash == hash_bytes (id, length, map->seed) &&
                 rows[i].updated_ms == 5000 + (gint64)map->count && rows[i].parent_hash == 7;
  }
}

static void
check_end (const GError *error, gpointer data)
{
  Map *map = data;
  map->bed->pending--;
  map->right = map->right && !error;
}

static void
a_map_shows_all_that_was_submitted_before (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull"),
             *other = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 5, 0, 12000, 30); /* more than one read of the reader */
  bed_put_many (batch, STORE_DELETE, 5, 100, 50, 0);
  bed_put_many (other, STORE_INSERT, 6, 0, 10, 30);
  bed_submit (bed, batch);
  bed_submit (bed, other);
  Map map = { .bed = bed, .seed = store_seed (bed->store), .right = TRUE },
      empty = { .bed = bed, .right = TRUE };
  bed->pending += 2;
  store_load_map (bed->store, 5, check_rows, check_end, &map);
  store_load_map (bed->store, 7, check_rows, check_end, &empty);
  bed_settle (bed);
  CU_ASSERT (map.right && map.count == 12000 && map.living == 11950);
  CU_ASSERT (empty.right && empty.count == 0);
}

static void
closing_writes_and_tells_what_was_submitted (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  for (guint32 i = 0; i < 20; i++) {
    StoreBatch *batch = store_batch_new (bed->store, i % 3 == 0, "pull");
    bed_put_many (batch, STORE_INSERT, i, 0, 400, 5);
    bed_submit (bed, batch);
  }
  bed_close (bed);
  CU_ASSERT_EQUAL (bed->pending, 0);
  bed_open (bed);
  CU_ASSERT_EQUAL (bed_latest (bed), 8000);
}

ON_BOTH (a_batch_is_there_when_it_is_told)
ON_BOTH (ends_come_in_order_and_durable_ones_overtake)
ON_BOTH (lists_run_by_ordinal_and_leave_out_the_deleted)
ON_BOTH (an_operation_that_guessed_wrong_still_ends_right)
ON_BOTH (a_collision_fails_its_batch_alone)
ON_BOTH (states_are_found_by_prefix)
ON_BOTH (rows_of_history_are_filtered_and_paged)
ON_BOTH (a_map_shows_all_that_was_submitted_before)
ON_BOTH (closing_writes_and_tells_what_was_submitted)

static void
test_in_memory_a_crash_keeps_slices_and_their_state_agrees (void)
{
  g_autoptr (Bed) bed = bed_new (BED_MEMORY);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 600, 5);
  store_batch_state (batch, "cursor", "600");
  bed_submit (bed, batch);
  bed_step (bed);
  bed_step (bed);
  mem_store_crash (bed->store);
  CU_ASSERT_EQUAL (bed->pending, 1); /* never told */
  bed_open (bed);
  g_autofree char *state = bed_state (bed, "cursor");
  CU_ASSERT_PTR_NULL (state);
  CU_ASSERT_EQUAL (bed_latest (bed), 500);
}

static void
test_in_memory_a_full_disk_fails_writes_and_not_reads (void)
{
  g_autoptr (Bed) bed = bed_new (BED_MEMORY);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a", "x");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  mem_store_set_full (bed->store, TRUE);
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "y");
  CU_ASSERT_FALSE (bed_commit (bed, batch));
  CU_ASSERT (g_error_matches (bed->error, STORE_ERROR, STORE_ERROR_FULL));
  g_autofree char *before = bed_list (bed, 1, 0, 10);
  CU_ASSERT_STRING_EQUAL (before, "a=x");
  mem_store_set_full (bed->store, FALSE);
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "y");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
}

int
main (void)
{
  return TAP_RUN (
    "store", BOTH ("a batch is there when it is told", a_batch_is_there_when_it_is_told),
    BOTH ("ends come in order, and durable ones overtake", ends_come_in_order_and_durable_ones_overtake),
    BOTH ("lists run by ordinal and leave out the deleted", lists_run_by_ordinal_and_leave_out_the_deleted),
    BOTH ("an operation that guessed wrong still ends right",
          an_operation_that_guessed_wrong_still_ends_right),
    BOTH ("a collision fails its batch alone", a_collision_fails_its_batch_alone),
    BOTH ("states are found by prefix", states_are_found_by_prefix),
    BOTH ("rows of history are filtered and paged", rows_of_history_are_filtered_and_paged),
    BOTH ("a map shows all that was submitted before", a_map_shows_all_that_was_submitted_before),
    BOTH ("closing writes and tells what was submitted", closing_writes_and_tells_what_was_submitted),
    { "memory: a crash keeps slices, and their state agrees",
      test_in_memory_a_crash_keeps_slices_and_their_state_agrees },
    { "memory: a full disk fails writes and not reads",
      test_in_memory_a_full_disk_fails_writes_and_not_reads });
}
