/* The feed of changes: pages, deletions, numbers, and what pruning leaves; on the SQLite store and on the one
 * in memory. */
#include <string.h>

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

static gboolean
take_only_id (const StoreRow *row, gpointer data)
{
  const char **id = data;
  *id = *id ? "more than one" : g_intern_string (row->id);
  return TRUE;
}

static gboolean
even (guint32 collection, gpointer data)
{
  return collection % 2 == 0;
}

static void
changes_are_paged_with_filters (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "pull");
  bed_put (batch, STORE_INSERT, 0, 0, "a", "1");
  bed_put (batch, STORE_INSERT, 1, 0, "b", "1");
  bed_put (batch, STORE_INSERT, 0, 1, "c", "1");
  bed_put (batch, STORE_INSERT, 1, 1, "d", "1");
  bed_put (batch, STORE_UPDATE, 0, 0, "a", "2");
  CU_ASSERT_TRUE (bed_commit (bed, batch));

  guint64 reached;
  gboolean more;
  g_autofree char *all = bed_changes (bed, 0, 100, 100, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (all, "b=1 c=1 d=1 a=2"); /* a once, at its latest */
  CU_ASSERT (reached == 5 && !more);
  g_autofree char *page = bed_changes (bed, 0, 2, 100, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (page, "b=1 c=1");
  CU_ASSERT (reached == 3 && more);
  g_autofree char *rest = bed_changes (bed, reached, 2, 100, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (rest, "d=1 a=2");
  CU_ASSERT (reached == 5 && !more);
  g_autofree char *some = bed_changes (bed, 0, 100, 3, even, &reached, &more);
  CU_ASSERT_STRING_EQUAL (some, "c=1"); /* looked at three rows, one was wanted */
  CU_ASSERT (reached == 4 && more);
  g_autofree char *none = bed_changes (bed, 5, 100, 100, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (none, "");
  CU_ASSERT (reached == 5 && !more);
}

static void
a_deletion_is_a_change_of_its_own (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a", "x");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_DELETE, 1, 0, "a", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));

  guint64 reached;
  gboolean more, there;
  g_autofree char *gone = bed_changes (bed, 1, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (gone, "-a");
  StoreFound found;
  CU_ASSERT_TRUE (store_get (bed->store, 1, 0, &there, take_found, &found, NULL));
  CU_ASSERT (there && found.deleted && found.seq == 2 && !found.body);

  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "back");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autofree char *back = bed_changes (bed, 2, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (back, "a=back");
}

static void
a_number_is_never_given_again (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  guint64 highest = 0;
  for (guint32 i = 0; i < 4; i++) {
    StoreBatch *batch = store_batch_new (bed->store, i % 2, "pull");
    bed_put_many (batch, STORE_INSERT, 1, i * 10, 10, 5);
    bed_put_many (batch, STORE_DELETE, 1, i * 10 + 9, 1, 5); /* the highest is a tombstone's */
    CU_ASSERT_TRUE (bed_commit (bed, batch));
    CU_ASSERT_EQUAL (bed_latest (bed), highest + 11);
    highest += 11;
    CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 1, 0, 0));
    CU_ASSERT_EQUAL (bed_latest (bed), highest);
    bed_close (bed);
    bed_open (bed);
    CU_ASSERT_EQUAL (bed_latest (bed), highest);
  }
}

static void
places_before_what_was_pruned_are_gone (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  guint64 latest;
  bed_put_many (batch, STORE_INSERT, 1, 0, 3, 5);
  bed_put_many (batch, STORE_DELETE, 1, 0, 1, 5); /* 4 */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  bed_clock (BED_START_MS + 1000);
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_DELETE, 1, 1, 1, 5); /* 5 */
  StoreRow old = { .id = "p1", .at_ms = 1000, .body = "{}" },
           young = { .id = "p2", .at_ms = 2000, .body = "{}" };
  store_batch_row (batch, STORE_PASSES, &old);
  store_batch_row (batch, STORE_PASSES, &young);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (store_seq_known (bed->store, 0, &latest));
  CU_ASSERT_TRUE (store_seq_known (bed->store, 5, &latest));
  CU_ASSERT_FALSE (store_seq_known (bed->store, 6, &latest)); /* not ours */

  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 500, 2000, 0));
  for (int again = 0; again < 2; again++) {
    CU_ASSERT_FALSE (store_seq_known (bed->store, 0, &latest));
    CU_ASSERT_FALSE (store_seq_known (bed->store, 3, &latest));
    CU_ASSERT_TRUE (store_seq_known (bed->store, 4, &latest));
    CU_ASSERT_EQUAL (latest, 5);
    guint64 reached;
    gboolean more;
    g_autofree char *left = bed_changes (bed, 0, 10, 10, NULL, &reached, &more);
    CU_ASSERT_STRING_EQUAL (left, "id-2=xxxxx -id-1");
    StoreRowFilter any = { .limit = 10 };
    const char *id = NULL;
    CU_ASSERT_TRUE (store_rows (bed->store, STORE_PASSES, &any, take_only_id, &id, NULL));
    CU_ASSERT_STRING_EQUAL (id, "p2");
    bed_close (bed);
    bed_open (bed);
  }
}

static void
what_is_touched_is_told_again_as_it_is (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a", "1");
  bed_put (batch, STORE_INSERT, 1, 1, "b", "2");
  bed_put (batch, STORE_INSERT, 1, 2, "c", "3");
  bed_put (batch, STORE_DELETE, 1, 1, "b", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint64 before = bed_latest (bed), reached;
  gboolean more;
  batch = store_batch_new (bed->store, TRUE, "host");
  for (guint32 ordinal = 0; ordinal < 4; ordinal++) { /* there is no fourth */
    StoreRecord record = { .op = STORE_TOUCH, .collection = 1, .ordinal = ordinal };
    store_batch_record (batch, &record);
  }
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autofree char *told = bed_changes (bed, before, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (told, "a=1 -b c=3");
  g_autofree char *all = bed_changes (bed, 0, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (all, "a=1 -b c=3");
  g_autofree char *list = bed_list (bed, 1, 0, 10);
  CU_ASSERT_STRING_EQUAL (list, "a=1 c=3");
}

/* A follower that was away for less than deletions are kept is not sent to the snapshot, however long ago the
 * record went. */
static void
a_tombstone_that_is_touched_is_kept_as_long_as_a_new_one (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreRecord again = { .op = STORE_TOUCH, .collection = 1, .ordinal = 0 };
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a", "1");
  bed_put (batch, STORE_DELETE, 1, 0, "a", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint64 before = bed_latest (bed), reached, latest;
  gboolean more;
  bed_clock (BED_START_MS + 1000);
  batch = store_batch_new (bed->store, TRUE, "host");
  store_batch_record (batch, &again);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 500, 0, 0));
  CU_ASSERT_TRUE (store_seq_known (bed->store, before, &latest));
  g_autofree char *told = bed_changes (bed, before, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (told, "-a");
  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 1500, 0, 0));
  CU_ASSERT_FALSE (store_seq_known (bed->store, before, &latest));
}

typedef struct {
  Bed *bed;
  guint told;
  guint64 seq;
  gint64 committed_us;
} Watcher;

static void
note_moved (gint64 committed_us, gpointer data)
{
  Watcher *watcher = data;
  watcher->told++;
  watcher->seq = bed_latest (watcher->bed);
  CU_ASSERT (committed_us >= watcher->committed_us && committed_us <= g_get_monotonic_time ());
  watcher->committed_us = committed_us;
}

static void
each_commit_of_records_is_told (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  Watcher watcher = { .bed = bed };
  store_watch (bed->store, note_moved, &watcher);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 3000, 5);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT (watcher.told >= 3 && watcher.seq == 3000); /* slice by slice */

  guint told = watcher.told;
  batch = store_batch_new (bed->store, TRUE, "host");
  store_batch_state (batch, "key", "1");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (watcher.told, told); /* no record moved */

  store_watch (bed->store, NULL, NULL);
  batch = store_batch_new (bed->store, TRUE, "pull");
  bed_put_many (batch, STORE_DELETE, 1, 0, 1, 5);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (watcher.told, told);
}

ON_BOTH (changes_are_paged_with_filters)
ON_BOTH (a_deletion_is_a_change_of_its_own)
ON_BOTH (a_number_is_never_given_again)
ON_BOTH (places_before_what_was_pruned_are_gone)
ON_BOTH (each_commit_of_records_is_told)
ON_BOTH (what_is_touched_is_told_again_as_it_is)
ON_BOTH (a_tombstone_that_is_touched_is_kept_as_long_as_a_new_one)

int
main (void)
{
  return TAP_RUN ("store-feed", BOTH ("changes are paged with filters", changes_are_paged_with_filters),
                  BOTH ("a deletion is a change of its own", a_deletion_is_a_change_of_its_own),
                  BOTH ("a number is never given again", a_number_is_never_given_again),
                  BOTH ("places before what was pruned are gone", places_before_what_was_pruned_are_gone),
                  BOTH ("each commit of records is told", each_commit_of_records_is_told),
                  BOTH ("what is touched is told again as it is", what_is_touched_is_told_again_as_it_is),
                  BOTH ("a tombstone that is touched is kept as long as a new one",
                        a_tombstone_that_is_touched_is_kept_as_long_as_a_new_one));
}
