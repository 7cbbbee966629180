/* What is particular to the SQLite store: its file, its numbers over ends of every sort, its log, a full
 * disk. */
#include <errno.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-bed.h"
#include "store/sqlite.h"
#include "tap.h"

enum { SEQ_BLOCK = 1 << 20, MIB = 1024 * 1024 };

static gint64
some_time (void)
{
  return 1;
}

static gboolean
opens_with (Bed *bed, StoreError code)
{
  g_autoptr (GError) error = NULL;
  Store *store = sqlite_store_open (bed->path, bed->loop, some_time, NULL, &error);
  CU_ASSERT_PTR_NULL (store);
  store_free (store);
  gboolean right = g_error_matches (error, STORE_ERROR, (int)code);
  if (!right)
    g_test_message ("%s", error ? error->message : "no error");
  return right;
}

static void
run_sql (const char *path, const char *sql)
{
  sqlite3 *db;
  CU_ASSERT_EQUAL_FATAL (sqlite3_open (path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL (sqlite3_exec (db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (db);
}

static void
test_the_file_is_private (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  g_autofree char *log = g_strconcat (bed->path, "-wal", NULL);
  struct stat about;
  CU_ASSERT (stat (bed->path, &about) == 0 && (about.st_mode & 0777) == 0600);
  CU_ASSERT (stat (log, &about) == 0 && (about.st_mode & 0777) == 0600);
}

static void
test_a_second_hub_is_refused (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  CU_ASSERT_TRUE (opens_with (bed, STORE_ERROR_LOCKED));
  bed_close (bed);
  bed_open (bed);
}

static void
test_a_newer_layout_is_refused_and_not_touched (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  bed_close (bed);
  run_sql (bed->path, "PRAGMA user_version=99");
  g_autofree char *before = NULL, *after = NULL;
  gsize before_size, after_size;
  CU_ASSERT_TRUE (g_file_get_contents (bed->path, &before, &before_size, NULL));
  CU_ASSERT_TRUE (opens_with (bed, STORE_ERROR_NEWER));
  CU_ASSERT_TRUE (g_file_get_contents (bed->path, &after, &after_size, NULL));
  CU_ASSERT (before_size == after_size && memcmp (before, after, before_size) == 0);
}

static gint64
sql_number (const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  CU_ASSERT_EQUAL_FATAL (sqlite3_open (path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL_FATAL (sqlite3_prepare_v2 (db, sql, -1, &statement, NULL), SQLITE_OK);
  gint64 number = sqlite3_step (statement) == SQLITE_ROW ? sqlite3_column_int64 (statement, 0) : -1;
  sqlite3_finalize (statement);
  sqlite3_close (db);
  return number;
}

static void
test_an_older_layout_becomes_the_newest_and_keeps_its_data (void)
{
  static const char tables[] = "SELECT count(*) FROM sqlite_master";
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 500, 50);
  bed_put_many (batch, STORE_DELETE, 1, 3, 2, 0);
  store_batch_state (batch, "stream/1", "{}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autofree char *before = bed_list (bed, 1, 0, 1000);
  guint64 latest = bed_latest (bed), seed = store_seed (bed->store);
  bed_close (bed);
  gint64 newest = sql_number (bed->path, "PRAGMA user_version"), objects = sql_number (bed->path, tables);
  run_sql (bed->path, "DROP INDEX record_parent; PRAGMA user_version = 1"); /* as version 1 left it */

  bed_open (bed);
  g_autofree char *after = bed_list (bed, 1, 0, 1000), *state = bed_state (bed, "stream/1");
  CU_ASSERT_STRING_EQUAL (after, before);
  CU_ASSERT_STRING_EQUAL (state, "{}");
  CU_ASSERT (bed_latest (bed) == latest && store_seed (bed->store) == seed);
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_UPDATE, 1, 0, 500, 60);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  bed_close (bed);
  CU_ASSERT_EQUAL (sql_number (bed->path, "PRAGMA user_version"), newest);
  CU_ASSERT_EQUAL (sql_number (bed->path, tables), objects);
  CU_ASSERT_EQUAL (sql_number (bed->path, "SELECT count(*) FROM pragma_integrity_check WHERE"
                                          " integrity_check <> 'ok'"),
                   0);
}

static void
test_somebody_elses_file_is_refused (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  bed_close (bed);
  g_unlink (bed->path);
  run_sql (bed->path, "CREATE TABLE theirs (x)");
  CU_ASSERT_TRUE (opens_with (bed, STORE_ERROR_CORRUPT));
  g_file_set_contents (bed->path, "this is no database, and long enough to be looked at as one ........", -1,
                       NULL);
  CU_ASSERT_TRUE (opens_with (bed, STORE_ERROR_CORRUPT));
}

static void
test_the_seed_is_kept (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  guint64 seed = store_seed (bed->store);
  CU_ASSERT_NOT_EQUAL (seed, 0);
  bed_close (bed);
  bed_open (bed);
  CU_ASSERT_EQUAL (store_seed (bed->store), seed);
}

/* In a process of its own, which then ends without closing: its writes are the kernel's, as after kill -9. */
static void
write_and_be_killed (Bed *bed, guint32 first, guint32 count)
{
  bed_close (bed);
  pid_t child = fork ();
  if (child == 0) {
    bed->loop = loop_new ();
    bed_open (bed);
    StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
    bed_put_many (batch, STORE_INSERT, 1, first, count, 5);
    bed_commit (bed, batch);
    kill (getpid (), SIGKILL);
  }
  int status;
  CU_ASSERT (waitpid (child, &status, 0) == child && WIFSIGNALED (status));
}

static void
test_a_kill_on_the_same_boot_loses_no_number (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  write_and_be_killed (bed, 0, 300);
  bed_open (bed);
  guint64 latest;
  CU_ASSERT_TRUE (store_seq_known (bed->store, 300, &latest));
  CU_ASSERT_EQUAL (latest, 300);
}

static void
test_after_a_power_cut_the_feed_goes_on_above_the_reserve (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  write_and_be_killed (bed, 0, 300);
  bed->boot = "boot-2";
  for (int again = 0; again < 2; again++) {
    bed_open (bed);
    guint64 latest;
    CU_ASSERT_TRUE (store_seq_known (bed->store, 0, &latest));
    CU_ASSERT (latest > SEQ_BLOCK);
    CU_ASSERT_TRUE (store_seq_known (bed->store, latest, &latest));
    CU_ASSERT_TRUE (store_seq_known (bed->store, 300, &latest));
    CU_ASSERT_FALSE (store_seq_known (bed->store, 301, &latest)); /* was told, perhaps, and is gone */
    CU_ASSERT_FALSE (store_seq_known (bed->store, latest - 1, &latest));
    bed_close (bed); /* a clean end changes nothing of it */
  }
  bed->boot = "boot-3";
  bed_open (bed);
  guint64 before = bed_latest (bed), reached;
  gboolean more;
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 2, 0, "next", "x");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (bed_latest (bed), before + 1);
  g_autofree char *next = bed_changes (bed, 300, 10, 10, NULL, &reached, &more);
  CU_ASSERT_STRING_EQUAL (next, "next=x");
}

static void
test_an_unknown_boot_counts_as_another (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  bed->boot = "";
  write_and_be_killed (bed, 0, 10);
  bed_open (bed);
  CU_ASSERT (bed_latest (bed) > SEQ_BLOCK);
}

static void
test_the_log_stays_short_under_load (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 20000, 1200);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint64 most = 0;
  for (guint round = 0; round < 6; round++) {
    batch = store_batch_new (bed->store, FALSE, "pull");
    for (guint32 i = 0; i < 20000; i += 4) /* each on a page of its own */
      bed_put_many (batch, STORE_UPDATE, 1, (i * 7919u) % 20000, 1, 1100 + round);
    bed_submit (bed, batch);
    while (bed->pending) {
      StoreStatus status;
      bed_step (bed);
      store_status (bed->store, &status);
      most = MAX (most, status.wal_bytes);
    }
  }
  CU_ASSERT (most > 8 * MIB); /* else this shows nothing */
  CU_ASSERT (most < 64ull * MIB);
}

static void
test_a_prune_gives_space_back (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 20000, 1200);
  StoreRow row = { .id = "r", .at_ms = 5, .body = "{}" };
  g_autofree char *sample = g_strnfill (2000, 's');
  for (guint i = 0; i < 5000; i++) {
    char id[16];
    g_snprintf (id, sizeof id, "rej_%06u", i);
    row.id = id;
    row.body = sample;
    store_batch_row (batch, STORE_REJECTS, &row);
  }
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_DELETE, 1, 5000, 15000, 0); /* a collection that went away, mostly */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 1, 0, 100));
  StoreStatus status;
  store_status (bed->store, &status);
  CU_ASSERT_EQUAL (status.records, 5000);
  CU_ASSERT_EQUAL (status.wal_bytes, 0);
  CU_ASSERT (status.file_bytes < 5000 * 1270 * 13ull / 10);
}

/* Single records go all over a collection: their pages are half empty then. */
static void
test_a_prune_fills_half_empty_pages (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, 10000, 1200);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < 10000; i++)
    if (g_rand_boolean (random))
      bed_put_many (batch, STORE_DELETE, 1, i, 1, 0);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_autofree char *before = bed_list (bed, 1, 0, 10000), *copy = g_strconcat (bed->path, ".copy", NULL);
  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 1, 0, 0));

  g_autofree char *after = bed_list (bed, 1, 0, 10000), *sql = g_strdup_printf ("VACUUM INTO '%s'", copy);
  CU_ASSERT_STRING_EQUAL (before, after);
  StoreStatus status;
  store_status (bed->store, &status);
  run_sql (bed->path, sql);
  struct stat fresh;
  CU_ASSERT_EQUAL_FATAL (stat (copy, &fresh), 0);
  CU_ASSERT (status.file_bytes < (guint64)fresh.st_size * 13 / 10);
}

/* RLIMIT_FSIZE stands for the disk: the kernel refuses each write behind it. */
static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  setrlimit (RLIMIT_FSIZE, &limit);
}

static void
test_a_full_disk_fails_writes_and_mends_itself (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  signal (SIGXFSZ, SIG_IGN);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a", "x");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  limit_files (2 * MIB);
  for (int again = 0; again < 3; again++) {
    batch = store_batch_new (bed->store, again == 1, "pull");
    bed_put (batch, STORE_UPDATE, 1, 0, "a", "y");
    bed_put_many (batch, STORE_INSERT, 2, 0, 240, 20000);
    store_batch_state (batch, "cursor", "1");
    CU_ASSERT_FALSE (bed_commit (bed, batch));
    CU_ASSERT (g_error_matches (bed->error, STORE_ERROR, STORE_ERROR_FULL));
  }
  StoreStatus status;
  store_status (bed->store, &status);
  CU_ASSERT_TRUE (status.full);
  g_autofree char *before = bed_list (bed, 1, 0, 10), *none = bed_state (bed, "cursor");
  CU_ASSERT_STRING_EQUAL (before, "a=x");
  CU_ASSERT_PTR_NULL (none);

  limit_files (RLIM_INFINITY);
  batch = store_batch_new (bed->store, TRUE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "y");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  store_status (bed->store, &status);
  CU_ASSERT_FALSE (status.full);
  CU_ASSERT_EQUAL (status.seq, 2);
}

static void
test_commits_are_counted (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  g_autoptr (Metrics) metrics = metrics_new ();
  bed_close (bed);
  bed->store = sqlite_store_open (bed->path, bed->loop, some_time, metrics, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (bed->store);
  for (int i = 0; i < 10; i++) { /* in one turn: one commit */
    StoreBatch *batch = store_batch_new (bed->store, TRUE, "api");
    store_batch_state (batch, "x", "1");
    bed_submit (bed, batch);
  }
  bed_settle (bed);
  CU_ASSERT_EQUAL (metric_value (metrics_get (metrics, "commit_seconds", "yes")), 1);
  CU_ASSERT_EQUAL (metric_value (metrics_get (metrics, "commit_seconds", "no")), 0);
  bed_close (bed);
}

typedef struct {
  gsize rows;
  gboolean failed;
} Loading;

static void
count_rows (const StoreMapRow *rows, gsize count, gpointer data)
{
  ((Loading *)data)->rows += count;
}

static void
note_loaded (const GError *error, gpointer data)
{
  ((Loading *)data)->failed = error != NULL;
}

/* Who believed half of a map would delete, or store again, what is in the other half. */
static void
test_a_map_is_loaded_whole_or_not_at_all (void)
{
  enum { ROWS = 50000 };
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  Loading loading = { 0 };
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 1, 0, ROWS, 5);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  store_load_map (bed->store, 1, count_rows, note_loaded, &loading);
  bed_close (bed);
  CU_ASSERT_EQUAL (loading.failed, loading.rows < ROWS);
}

int
main (void)
{
  return TAP_RUN (
    "store-sqlite", { "the file is private", test_the_file_is_private },
    { "a second hub is refused", test_a_second_hub_is_refused },
    { "a newer layout is refused and not touched", test_a_newer_layout_is_refused_and_not_touched },
    { "an older layout becomes the newest and keeps its data",
      test_an_older_layout_becomes_the_newest_and_keeps_its_data },
    { "somebody else's file is refused", test_somebody_elses_file_is_refused },
    { "the seed is kept", test_the_seed_is_kept },
    { "a kill on the same boot loses no number", test_a_kill_on_the_same_boot_loses_no_number },
    { "after a power cut the feed goes on above the reserve",
      test_after_a_power_cut_the_feed_goes_on_above_the_reserve },
    { "an unknown boot counts as another", test_an_unknown_boot_counts_as_another },
    { "the log stays short under load", test_the_log_stays_short_under_load },
    { "a prune gives space back", test_a_prune_gives_space_back },
    { "a prune fills half-empty pages", test_a_prune_fills_half_empty_pages },
    { "a full disk fails writes and mends itself", test_a_full_disk_fails_writes_and_mends_itself },
    { "a map is loaded whole or not at all", test_a_map_is_loaded_whole_or_not_at_all },
    { "commits are counted, one for all that is durable in a turn", test_commits_are_counted });
}
