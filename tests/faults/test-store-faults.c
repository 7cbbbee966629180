/* The SQLite store, ended or failed at each of its writes: a child writes pages and tells what was
 * acknowledged, then the file is opened again and must hold all of that, with cursors that stand past no
 * record, and numbers that only grow.
 *
 * By default at every 29th write; TB_FAULT_EVERY=1 tries all of them. */
#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim-run.h"
#include "store-bed.h"
#include "tap.h"

enum {
  PAGES = 4,
  PAGE_ROWS = 300,
  BODY_BYTES = 300,
  TRIES = 3,
  DEFAULT_EVERY = 29,
  WRITES_ABOUT = 640, /* that the child makes; one that fails once is not seen at its end */
  PAGES_OF_COLLECTION = 1,
  DURABLE_COLLECTION = 2,
  HOLLOW_COLLECTION = 4,
  HOLLOW_ROWS = 500
};

/* ---- the child ---- */

static StoreBatch *
page_batch (Bed *bed, guint32 page)
{
  g_autofree char *cursor = g_strdup_printf ("%u", page + 1);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, PAGES_OF_COLLECTION, page * PAGE_ROWS, PAGE_ROWS, BODY_BYTES);
  if (page > 0)
    bed_put_many (batch, STORE_UPDATE, PAGES_OF_COLLECTION, (page - 1) * PAGE_ROWS, 50, BODY_BYTES);
  store_batch_state (batch, "cursor", cursor);
  return batch;
}

static StoreBatch *
durable_batch (Bed *bed, guint32 page)
{
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "webhook");
  bed_put_many (batch, STORE_INSERT, DURABLE_COLLECTION, page, 1, BODY_BYTES);
  return batch;
}

/* Most of a collection goes again: what is pruned and packed afterwards. */
static StoreBatch *
hollow_batch (Bed *bed, guint32 page)
{
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, HOLLOW_COLLECTION, 0, HOLLOW_ROWS, BODY_BYTES);
  bed_put_many (batch, STORE_DELETE, HOLLOW_COLLECTION, 0, HOLLOW_ROWS - 100, 0);
  return batch;
}

/* As the hub would: what failed is asked for again. An acknowledgement is one line. */
static gboolean
write_until_told (Bed *bed, StoreBatch *(*make) (Bed *bed, guint32 page), guint32 page, const char *ack)
{
  for (int i = 0; i < TRIES; i++)
    if (bed_commit (bed, make (bed, page))) {
      printf ("%s %u %" G_GUINT64_FORMAT "\n", ack, page, bed_latest (bed));
      fflush (stdout);
      return TRUE;
    }
  return FALSE;
}

static int
child (const char *path)
{
  Bed *bed = bed_new_at (path);
  gboolean fine = TRUE;
  for (guint32 page = 0; page < PAGES; page++) {
    fine = write_until_told (bed, page_batch, page, "page") && fine;
    fine = write_until_told (bed, durable_batch, page, "durable") && fine;
  }
  fine = write_until_told (bed, hollow_batch, 0, "hollow") && fine;
  fine = bed_prune (bed, BED_START_MS + 1, 1, 1) && fine;
  bed_free (bed);
  if (fine)
    puts ("end");
  return 0;
}

/* ---- the parent ---- */

typedef struct {
  gboolean page[PAGES], durable[PAGES], ended;
  guint64 seq;
} Told;

static void
read_told (const char *text, Told *told)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  *told = (Told){ 0 };
  for (char **line = lines; *line; line++) {
    char word[16];
    guint page;
    guint64 seq;
    if (strcmp (*line, "end") == 0)
      told->ended = TRUE;
    else if (sscanf (*line, "%15s %u %" G_GUINT64_FORMAT, word, &page, &seq) == 3 && page < PAGES) {
      told->page[page] |= strcmp (word, "page") == 0;
      told->durable[page] |= strcmp (word, "durable") == 0;
      told->seq = seq;
    }
  }
}

static void
run_child (const char *path, const char *mode, long at, Told *told)
{
  g_autofree char *out = shim_run (path, path, mode, at);
  read_told (out, told);
}

static gint64
query (const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_stmt *statement;
  gint64 value = -1;
  if (sqlite3_open (path, &db) == SQLITE_OK &&
      sqlite3_prepare_v2 (db, sql, -1, &statement, NULL) == SQLITE_OK) {
    if (sqlite3_step (statement) == SQLITE_ROW)
      value = sqlite3_column_int64 (statement, 0);
    sqlite3_finalize (statement);
  }
  sqlite3_close (db);
  return value;
}

static gint64
count_page (const char *path, guint32 page)
{
  g_autofree char *sql = g_strdup_printf (
    "SELECT count(*) FROM record WHERE rid >= (%d << 32) + %u AND rid < (%d << 32) + %u AND body IS NOT NULL",
    (int)PAGES_OF_COLLECTION, page * PAGE_ROWS, (int)PAGES_OF_COLLECTION, (page + 1) * PAGE_ROWS);
  return query (path, sql);
}

static void
check (Bed *bed, const Told *told)
{
  bed_open (bed);
  g_autofree char *cursor = bed_state (bed, "cursor");
  guint32 pages = cursor ? (guint32)atoi (cursor) : 0;
  CU_ASSERT_EQUAL (
    query (bed->path, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
  for (guint32 page = 0; page < PAGES; page++) {
    g_autofree char *durable = bed_list (bed, DURABLE_COLLECTION, page, 1),
                    *id = g_strdup_printf ("id-%u=", page);
    CU_ASSERT (!told->page[page] || pages > page);
    CU_ASSERT (page >= pages || count_page (bed->path, page) == PAGE_ROWS);
    CU_ASSERT (!told->durable[page] || g_str_has_prefix (durable, id));
  }
  guint64 latest = bed_latest (bed), known;
  CU_ASSERT (latest >= told->seq);
  CU_ASSERT (!told->seq || store_seq_known (bed->store, told->seq, &known));
  StoreBatch *batch = store_batch_new (bed->store, TRUE, "api");
  bed_put (batch, STORE_INSERT, 3, 0, "next", "{}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (bed_latest (bed), latest + 1);
}

/* Until a child gets to its end with nothing in its way. */
static void
each_write (const char *mode, long from)
{
  const char *every = g_getenv ("TB_FAULT_EVERY");
  long step = every ? MAX (atol (every), 1) : DEFAULT_EVERY, points = 0;
  guint failures = CU_get_number_of_failures ();
  for (long at = from;; at += step, points++) {
    g_autoptr (Bed) bed = bed_new (BED_SQLITE);
    Told told;
    bed_close (bed);
    run_child (bed->path, mode, at, &told);
    check (bed, &told);
    if (CU_get_number_of_failures () > failures) {
      printf ("# TB_SHIM_MODE=%s TB_SHIM_AT=%ld\n", mode, at);
      return;
    }
    if (told.ended && (!g_str_has_suffix (mode, "-once") || at > WRITES_ABOUT))
      break;
  }
  CU_ASSERT (points * step > 100); /* else the shim did not count */
  printf ("# %s: %ld points\n", mode, points);
}

static void
test_the_store_survives_an_end_at_each_write (void)
{
  each_write ("exit", 1);
}

static void
test_the_store_survives_a_torn_write (void)
{
  each_write ("torn", 2);
}

static void
test_the_store_survives_a_disk_that_fails_for_good (void)
{
  each_write ("eio", 3);
}

static void
test_the_store_survives_a_disk_that_is_full (void)
{
  each_write ("enospc", 4);
}

static void
test_the_store_goes_on_after_one_failure (void)
{
  each_write ("eio-once", 5);
}

static void
test_the_store_does_not_mind_short_writes (void)
{
  each_write ("short-once", 6);
}

static void
test_the_store_survives_kill_9_at_random_moments (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (7);
  g_autofree char *self = g_file_read_link ("/proc/self/exe", NULL);
  for (int i = 0; i < 15; i++) {
    g_autoptr (Bed) bed = bed_new (BED_SQLITE);
    const char *arguments[] = { self, "child", bed->path, NULL };
    bed_close (bed);
    GPid pid;
    int out, status;
    CU_ASSERT_TRUE_FATAL (g_spawn_async_with_pipes (NULL, (char **)arguments, NULL,
                                                    G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL,
                                                    NULL, NULL, &pid, NULL, &out, NULL, NULL));
    char text[1024];
    gsize length = 0;
    guint wanted = (guint)g_rand_int_range (random, 1, 200); /* bytes of what it tells */
    for (ssize_t got; length < wanted && (got = read (out, text + length, sizeof text - 1 - length)) > 0;)
      length += (gsize)got;
    usleep ((guint)g_rand_int_range (random, 0, 3000)); /* somewhere inside what comes next */
    kill (pid, SIGKILL);
    for (ssize_t got; (got = read (out, text + length, sizeof text - 1 - length)) > 0;)
      length += (gsize)got;
    text[length] = 0;
    waitpid (pid, &status, 0);
    close (out);
    Told told;
    read_told (text, &told);
    check (bed, &told);
  }
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "child") == 0)
    return child (argv[2]);
  return TAP_RUN (
    "store-faults",
    { "the store survives an end at each write", test_the_store_survives_an_end_at_each_write },
    { "the store survives a torn write", test_the_store_survives_a_torn_write },
    { "the store survives a disk that fails for good", test_the_store_survives_a_disk_that_fails_for_good },
    { "the store survives a disk that is full", test_the_store_survives_a_disk_that_is_full },
    { "the store goes on after one failure", test_the_store_goes_on_after_one_failure },
    { "the store does not mind short writes", test_the_store_does_not_mind_short_writes },
    { "the store survives kill -9 at random moments", test_the_store_survives_kill_9_at_random_moments });
}
