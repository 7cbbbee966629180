/* What the SQLite store costs: CPU microseconds of the whole process (all threads) a row, as JSON.
 *
 *   bench-store [ROWS [FOLDER]]     100,000 rows of 1.2 kB in the temporary folder */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/hash.h"
#include "base/loop.h"
#include "store/sqlite.h"

enum {
  BODY_BYTES = 1200,
  PAGE_ROWS = 1000,
  LIST_ROWS = 100,
  BATCHES_OUT = 4,
  CHANGED_EACH = 20,
  DURABLE_ROWS = 2000
};

typedef struct {
  Loop *loop;
  Store *store;
  guint out;
  char *bodies; /* PAGE_ROWS of them; each starts with its number */
  guint64 read_bytes;
} Bench;

static gint64
now_ms (void)
{
  return g_get_real_time () / 1000;
}

static double
cpu_us (void)
{
  struct rusage used;
  getrusage (RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static glong
resident_kib (const char *what)
{
  g_autofree char *text = NULL;
  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL))
    return 0;
  const char *line = strstr (text, what);
  return line ? strtol (line + strlen (what), NULL, 10) : 0;
}

static void
told (const GError *error, gpointer data)
{
  if (error)
    g_error ("%s", error->message);
  ((Bench *)data)->out--;
}

static void
wait_until_out (Bench *bench, guint most)
{
  while (bench->out > most)
    loop_turn (bench->loop, -1);
}

/* Rows first, first + step, ... below end, in batches as a page brings them. */
static void
write_rows (Bench *bench, StoreOp op, guint32 first, guint32 end, guint32 step)
{
  for (guint32 row = first; row < end;) {
    char *ids = g_malloc (PAGE_ROWS * 16);
    g_autoptr (GBytes) kept = g_bytes_new_take (ids, PAGE_ROWS * 16);
    StoreBatch *batch = store_batch_new (bench->store, FALSE, "pull");
    store_batch_keep (batch, kept);
    for (guint i = 0; i < PAGE_ROWS && row < end; i++, row += step) {
      StoreRecord record = { .op = op,
                             .collection = 1,
                             .ordinal = row,
                             .hash = row * 7919u,
                             .updated_ms = row,
                             .asked_ms = row,
                             .id = ids + i * 16,
                             .body = bench->bodies + i * BODY_BYTES,
                             .id_length = (guint32)g_snprintf (ids + i * 16, 16, "%08x", row * 2654435761u),
                             .body_length = BODY_BYTES };
      store_batch_record (batch, &record);
    }
    store_batch_state (batch, "stream/1", "{\"page\":\"3\"}");
    bench->out++;
    store_submit (bench->store, batch, told, bench);
    wait_until_out (bench, BATCHES_OUT);
  }
  wait_until_out (bench, 0);
}

static gboolean
read_one (const StoreFound *found, gpointer data)
{
  Bench *bench = data;
  bench->read_bytes += found->body_length;
  return TRUE;
}

static void
list_all (Bench *bench, guint32 rows)
{
  for (guint32 from = 0; from < rows; from += LIST_ROWS)
    store_list (bench->store, 1, from, LIST_ROWS, read_one, bench, NULL);
}

static void
follow_all (Bench *bench)
{
  guint64 reached = 0;
  for (gboolean more = TRUE; more;)
    if (!store_changes (bench->store, reached, LIST_ROWS, 10000, NULL, read_one, bench, &reached, &more,
                        NULL))
      g_error ("reading changes failed");
}

static void
map_rows (const StoreMapRow *rows, gsize count, gpointer data)
{
}

static void
load_map (Bench *bench)
{
  bench->out++;
  store_load_map (bench->store, 1, map_rows, told, bench);
  wait_until_out (bench, 0);
}

/* One durable row at a time, waited for: what a webhook pays when it is alone. */
static void
write_durable (Bench *bench)
{
  for (guint32 i = 0; i < DURABLE_ROWS; i++) {
    StoreBatch *batch = store_batch_new (bench->store, TRUE, "webhook");
    store_batch_state (batch, "stream/1", "{\"page\":\"3\"}");
    bench->out++;
    store_submit (bench->store, batch, told, bench);
    wait_until_out (bench, 0);
  }
}

static void
report (const char *name, double started_us, double count)
{
  printf ("\"%s_us\":%.2f,", name, (cpu_us () - started_us) / count);
  fflush (stdout);
}

static void
measure (Bench *bench, guint32 rows)
{
  double started = cpu_us ();
  write_rows (bench, STORE_INSERT, 0, rows, 1);
  report ("insert", started, rows);
  started = cpu_us ();
  write_rows (bench, STORE_UPDATE, 0, rows, 1);
  report ("change_all", started, rows);
  started = cpu_us ();
  write_rows (bench, STORE_UPDATE, 7, rows, CHANGED_EACH);
  report ("change_5_percent", started, rows / CHANGED_EACH);
  started = cpu_us ();
  list_all (bench, rows);
  report ("list", started, rows);
  started = cpu_us ();
  follow_all (bench);
  report ("changes", started, rows);
  started = cpu_us ();
  load_map (bench);
  report ("map", started, rows);
  started = cpu_us ();
  write_durable (bench);
  report ("durable_alone", started, DURABLE_ROWS);
}

int
main (int argc, char **argv)
{
  guint32 rows = argc > 1 ? (guint32)strtoul (argv[1], NULL, 10) : 100000;
  g_autofree char *folder =
    g_build_filename (argc > 2 ? argv[2] : g_get_tmp_dir (), "bench-store-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  if (!g_mkdtemp (folder))
    g_error ("cannot make %s", folder);
  g_autofree char *path = g_build_filename (folder, "store.db", NULL),
                  *lock = g_strconcat (path, ".lock", NULL);
  g_autofree char *bodies = g_malloc (PAGE_ROWS * BODY_BYTES);
  for (guint i = 0; i < PAGE_ROWS * BODY_BYTES; i++)
    bodies[i] = (char)('a' + i * 7 % 26);
  Bench bench = { .loop = loop_new (), .bodies = bodies };
  glong base_kib = resident_kib ("VmRSS:");
  bench.store = sqlite_store_open (path, bench.loop, now_ms, NULL, &error);
  if (!bench.store)
    g_error ("%s", error->message);
  printf ("{\"rows\":%u,\"body_bytes\":%d,", rows, (int)BODY_BYTES);
  measure (&bench, rows);
  StoreStatus status;
  store_status (bench.store, &status);
  printf ("\"resident_kib\":%ld,\"peak_kib\":%ld,\"file_bytes\":%" G_GUINT64_FORMAT
          ",\"wal_bytes\":%" G_GUINT64_FORMAT ",\"records\":%" G_GUINT64_FORMAT "}\n",
          resident_kib ("VmRSS:") - base_kib, resident_kib ("VmHWM:") - base_kib, status.file_bytes,
          status.wal_bytes, status.records);
  store_free (bench.store);
  loop_free (bench.loop);
  g_unlink (path);
  g_unlink (lock);
  g_rmdir (folder);
  return 0;
}
