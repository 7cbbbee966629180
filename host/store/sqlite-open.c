/* Opening and closing the SQLite store: the lock, settings, layout, and with which number the feed goes on.
 *
 * After a clean end, or a kill on the same boot, every committed change is there: the feed goes on above the
 * highest. After a power cut catalogue changes that followers were told may be gone: it goes on above all
 * that was reserved, and places in between are remembered as lost. */
#include "store/schema.h"
#include "store/sqlite-store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

/* Writer: room for what a slice of updates touches (a leaf and two places of the index on seq a row). 32 and
 * 64 MiB were measured no faster, with 100,000 rows and with a million. Readers go through the kernel's
 * cache. */
static const char writer_settings[] =
  "PRAGMA cache_size=-16384; PRAGMA cache_spill=OFF; PRAGMA temp_store=MEMORY;"
  "PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=NORMAL";
static const char reader_settings[] =
  "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY; PRAGMA query_only=ON;"
  "PRAGMA wal_autocheckpoint=0";
static const char checkpointer_settings[] =
  "PRAGMA cache_size=-64; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=NORMAL";

gboolean
sqlite_prepare (sqlite3 *db, const char *const *sql, sqlite3_stmt **statements, guint count, GError **error)
{
  for (guint i = 0; i < count; i++)
    if (sqlite3_prepare_v3 (db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &statements[i], NULL) != SQLITE_OK)
      return schema_fail (db, sql[i], error);
  return TRUE;
}

static gboolean
fail_errno (const char *path, const char *doing, GError **error)
{
  int why = errno;
  g_set_error (error, STORE_ERROR, why == ENOSPC || why == EDQUOT ? STORE_ERROR_FULL : STORE_ERROR_FAILED,
               "%s: cannot %s: %s", path, doing, g_strerror (why));
  return FALSE;
}

/* A file of its own beside the data: closing any descriptor of the data itself would drop SQLite's locks on
 * it. */
static gboolean
take_lock (SqliteStore *store, GError **error)
{
  g_autofree char *path = g_strconcat (store->path, ".lock", NULL);
  store->lock = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (store->lock < 0)
    return fail_errno (path, "open", error);
  if (flock (store->lock, LOCK_EX | LOCK_NB) == 0)
    return TRUE;
  if (errno != EWOULDBLOCK)
    return fail_errno (path, "lock", error);
  g_set_error (error, STORE_ERROR, STORE_ERROR_LOCKED,
               "%s is in use by another tillbridged; stop that one, or set `state` to another folder",
               store->path);
  return FALSE;
}

/* SQLite makes its other files with the mode of this one. */
gboolean
sqlite_make_private (const char *path, GError **error)
{
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0)
    return fail_errno (path, "open", error);
  close (fd);
  return TRUE;
}

static gboolean
connect (SqliteStore *store, sqlite3 **db, GError **error)
{
  sqlite3_config (SQLITE_CONFIG_MEMSTATUS,
                  0); /* counts each allocation under a lock; has no say once SQLite runs */
  if (sqlite3_open_v2 (store->path, db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
    return schema_fail (*db, "opening", error);
  sqlite3_extended_result_codes (*db, 1);
  sqlite3_busy_timeout (*db, BUSY_WAIT_MS);
  return TRUE;
}

/* Only what must come before the first table, and only there. */
static gboolean
set_layout (sqlite3 *db, GError **error)
{
  g_autofree char *sql = g_strdup_printf (
    "PRAGMA page_size=%d; PRAGMA auto_vacuum=INCREMENTAL; PRAGMA journal_mode=WAL", SCHEMA_PAGE_BYTES);
  return schema_run (db, sql, error);
}

/* Until it is known that the file is ours, nothing in it is touched: not even its log on closing. */
static gboolean
open_writer (SqliteStore *store, GError **error)
{
  Writer *writer = &store->writer;
  int version;
  if (!connect (store, &writer->db, error))
    return FALSE;
  sqlite3_db_config (writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (!schema_check (writer->db, &version, error))
    return FALSE;
  sqlite3_db_config (writer->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
  if ((version == 0 && !set_layout (writer->db, error)) || !schema_run (writer->db, writer_settings, error) ||
      !schema_migrate (writer->db, version, error))
    return FALSE;
  sqlite3_wal_hook (writer->db, checkpoint_note, store);
  return writer_prepare (store, error);
}

static gboolean
meta_number (SqliteStore *store, const char *name, gint64 otherwise, gint64 *number, GError **error)
{
  g_autofree char *sql = g_strdup_printf ("SELECT value FROM meta WHERE name = '%s'", name);
  return schema_number (store->writer.db, sql, otherwise, number, error);
}

static gboolean
is_last_boot (SqliteStore *store, const char *boot, gboolean *same, GError **error)
{
  gint64 equal;
  char *text = sqlite3_mprintf ("SELECT value = %Q FROM meta WHERE name = 'boot'", boot);
  gboolean fine = schema_number (store->writer.db, text, 0, &equal, error);
  sqlite3_free (text);
  *same = fine && equal && *boot;
  return fine;
}

static gboolean
load_lost (SqliteStore *store, GError **error)
{
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2 (store->writer.db, "SELECT first, last FROM lost", -1, &statement, NULL) !=
      SQLITE_OK)
    return schema_fail (store->writer.db, "reading lost numbers", error);
  while (sqlite3_step (statement) == SQLITE_ROW) {
    LostRange range = { (guint64)sqlite3_column_int64 (statement, 0),
                        (guint64)sqlite3_column_int64 (statement, 1) };
    g_array_append_val (store->lost, range);
  }
  return sqlite3_finalize (statement) == SQLITE_OK ||
         schema_fail (store->writer.db, "reading lost numbers", error);
}

static gboolean
remember_lost (SqliteStore *store, const LostRange *range, GError **error)
{
  g_autofree char *sql = g_strdup_printf (
    "INSERT INTO lost VALUES (%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ")", range->first, range->last);
  return schema_run (store->writer.db, sql, error);
}

/* Finds the highest number and what an unclean end on another boot took; marks that we run. In one durable
 * transaction. */
static gboolean
begin_numbers (SqliteStore *store, const char *boot, GError **error)
{
  Writer *writer = &store->writer;
  gint64 highest, reserved, pruned, lost, clean, seed, rows;
  gboolean same;
  if (!schema_number (writer->db, "SELECT max(seq) FROM record", 0, &highest, error) ||
      !schema_number (writer->db, "SELECT max(last) + 1 FROM lost", 0, &lost, error) ||
      !schema_number (writer->db, "SELECT count(*) FROM record", 0, &rows, error) ||
      !meta_number (store, "reserved", 0, &reserved, error) ||
      !meta_number (store, "pruned", 0, &pruned, error) || !meta_number (store, "clean", 1, &clean, error) ||
      !meta_number (store, "seed", 0, &seed, error) || !is_last_boot (store, boot, &same, error))
    return FALSE;
  writer->seq = (guint64)MAX (highest, MAX (lost, pruned));
  writer->reserved = (guint64)reserved;
  store->base.seed = (guint64)seed;
  store->known = writer->seq;
  store->pruned = (guint64)pruned;
  store->rows = (guint64)rows;
  LostRange range = { writer->seq + 1, writer->reserved };
  gboolean cut = !clean && !same && range.first <= range.last;
  if (cut)
    writer->seq = range.last + 1;
  store->floor = writer->seq;
  gboolean fresh = seed == 0;
  if (fresh && getrandom (&store->base.seed, sizeof store->base.seed, 0) != sizeof store->base.seed)
    return fail_errno (store->path, "get random bytes", error);
  return schema_run (writer->db, "PRAGMA synchronous=FULL; BEGIN IMMEDIATE", error) &&
         (!cut || remember_lost (store, &range, error)) &&
         (!fresh || writer_meta (store, "seed", (gint64)store->base.seed, error)) &&
         writer_meta_text (store, "boot", boot, error) && writer_meta (store, "clean", 0, error) &&
         schema_run (writer->db, "COMMIT; PRAGMA synchronous=NORMAL", error) && load_lost (store, error);
}

static gboolean
open_readers (SqliteStore *store, GError **error)
{
  return connect (store, &store->reads, error) && schema_run (store->reads, reader_settings, error) &&
         read_prepare (store, error) && connect (store, &store->reader.db, error) &&
         schema_run (store->reader.db, reader_settings, error) && reader_prepare (store, error) &&
         connect (store, &store->checkpoints, error) &&
         schema_run (store->checkpoints, checkpointer_settings, error);
}

/* The writer's last: the others let go of the log before it is written into the file. */
static void
disconnect (SqliteStore *store)
{
  for (guint i = 0; i < READ_STATEMENTS; i++)
    sqlite3_finalize (store->read_statements[i]);
  for (guint i = 0; i < LONG_STATEMENTS; i++)
    sqlite3_finalize (store->reader.statements[i]);
  for (guint i = 0; i < WRITE_STATEMENTS; i++)
    sqlite3_finalize (store->writer.statements[i]);
  sqlite3_close (store->reads);
  sqlite3_close (store->reader.db);
  sqlite3_close (store->checkpoints);
  sqlite3_close (store->writer.db);
  if (store->lock >= 0)
    close (store->lock);
}

void
sqlite_release (SqliteStore *store)
{
  disconnect (store);
  search_clear (&store->search);
  model_served_clear (&store->served);
  model_served_clear (&store->reader.served);
  loop_watch_free (store->ends_watch);
  loop_timer_free (store->turn_timer);
  close (store->wake);
  g_clear_pointer (&store->to_writer, g_async_queue_unref);
  g_clear_pointer (&store->to_reader, g_async_queue_unref);
  g_clear_pointer (&store->to_checkpointer, g_async_queue_unref);
  g_clear_pointer (&store->checkpointed, g_async_queue_unref);
  g_clear_pointer (&store->ends, g_async_queue_unref);
  g_array_unref (store->lost);
  g_ptr_array_unref (store->turn);
  g_free (store->path);
  g_free (store->wal_path);
  g_free (store);
}

/* A full disk may forbid the mark; then the next start takes the end for unclean, which costs nothing on the
 * same boot. */
void
sqlite_mark_clean (SqliteStore *store)
{
  g_autoptr (GError) error = NULL;
  if (!writer_begin (store, TRUE, 0, &error) || !writer_meta (store, "clean", 1, &error) ||
      !writer_commit (store, TRUE, &error)) {
    writer_rollback (store);
    g_warning ("the store could not be marked as closed: %s", error->message);
  }
}

static SqliteStore *
new_store (const char *path, Loop *loop, gint64 (*now_ms) (void), Metrics *metrics)
{
  SqliteStore *store = g_new0 (SqliteStore, 1);
  store->base.class = &sqlite_class;
  store->path = g_strdup (path);
  store->wal_path = g_strconcat (path, "-wal", NULL);
  store->lock = -1;
  store->loop = loop;
  store->now_ms = now_ms;
  store->wake = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (store->wake < 0)
    g_error ("eventfd: %s", g_strerror (errno));
  store->ends_watch = loop_watch_new (loop, store->wake, EPOLLIN, sqlite_tell_ends, store);
  store->turn_timer = loop_timer_new (loop, sqlite_end_of_turn, store);
  store->lost = g_array_new (FALSE, FALSE, sizeof (LostRange));
  store->turn = g_ptr_array_new ();
  store->to_writer = g_async_queue_new ();
  store->to_reader = g_async_queue_new ();
  store->to_checkpointer = g_async_queue_new_full (g_free); /* a wake-up may be left over */
  store->checkpointed = g_async_queue_new ();
  store->ends = g_async_queue_new ();
  if (metrics) {
    store->commit_seconds[FALSE] = metrics_get (metrics, "commit_seconds", "no");
    store->commit_seconds[TRUE] = metrics_get (metrics, "commit_seconds", "yes");
  }
  return store;
}

Store *
sqlite_store_open_on_boot (const char *path, const char *boot, Loop *loop, gint64 (*now_ms) (void),
                           Metrics *metrics, GError **error)
{
  SqliteStore *store = new_store (path, loop, now_ms, metrics);
  search_init (&store->search, path, boot);
  if (!take_lock (store, error) || !sqlite_make_private (path, error) || !open_writer (store, error) ||
      !begin_numbers (store, boot, error) || !open_readers (store, error)) {
    sqlite_release (store);
    return NULL;
  }
  store->writer_thread = g_thread_new ("store-writer", writer_run, store);
  store->reader_thread = g_thread_new ("store-reader", reader_run, store);
  store->checkpointer_thread = g_thread_new ("store-log", checkpointer_run, store);
  return &store->base;
}

Store *
sqlite_store_open (const char *path, Loop *loop, gint64 (*now_ms) (void), Metrics *metrics, GError **error)
{
  g_autofree char *boot = NULL;
  if (g_file_get_contents ("/proc/sys/kernel/random/boot_id", &boot, NULL, NULL))
    g_strchomp (boot);
  return sqlite_store_open_on_boot (path, boot ? boot : "", loop, now_ms, metrics, error);
}
