/* What searching costs, on the SQLite store: CPU microseconds a record for making the index and for keeping
 * it, bytes of its file, and milliseconds until a page of 100 is there, as JSON.
 *
 *   bench-search [ROWS [FOLDER]]     100,000 products in the temporary folder */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "base/loop.h"
#include "store/sqlite.h"

enum { PAGE_ROWS = 1000, BODY_MOST = 1200, TRIES = 15, RARE_EACH = 10000, CHANGED_EACH = 20 };

typedef struct {
  Loop *loop;
  Store *store;
  guint rows, out, found;
  guint64 next;
  gboolean more;
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

static void
told (const GError *error, gpointer data)
{
  if (error)
    g_error ("%s", error->message);
  ((Bench *)data)->out--;
}

static void
wait (Bench *bench)
{
  while (bench->out)
    loop_turn (bench->loop, -1);
}

/* Names of one word in 16 and one in 5,000, a brand in 800, a category in 20; "item" in all of them. */
static int
put_body (char *text, guint32 row, guint price)
{
  static const char *const kinds[] = { "Gummies", "Vape",  "Cartridge", "Preroll", "Flower", "Tincture",
                                       "Edible",  "Wax",   "Chocolate", "Shatter", "Rosin",  "Resin",
                                       "Capsule", "Drink", "Balm",      "Kush" };
  guint64 random = hash_bytes (&row, sizeof row, 1);
  const char *rare = row % RARE_EACH == RARE_EACH / 2 ? " Zanzibar" : "";
  int length =
    g_snprintf (text, BODY_MOST,
                "{\"id\":\"%08x\",\"sku\":\"SKU%07u\",\"barcode\":\"%012" G_GUINT64_FORMAT
                "\",\"name\":\"Item %s s%u %umg%s\","
                "\"brand\":\"B%u Farms\",\"category\":\"Category %u\",\"price\":%u,\"description\":\"",
                row * 2654435761u, (guint)(random % 10000000), random % 1000000000000, kinds[random % 16],
                (guint)(random >> 8) % 5000, 5 * (1 + (guint)(random >> 24) % 20), rare,
                (guint)(random >> 32) % 800, (guint)(random >> 48) % 20, price);
  memset (text + length, 'x', BODY_MOST - (gsize)length);
  memcpy (text + BODY_MOST - 2, "\"}", 2);
  return BODY_MOST;
}

/* Every step-th row, in batches as a page brings them. */
static void
write_rows (Bench *bench, StoreOp op, guint32 step, guint price)
{
  for (guint32 row = 0; row < bench->rows;) {
    char *texts = g_malloc (PAGE_ROWS * (BODY_MOST + 16));
    StoreBatch *batch = store_batch_new (bench->store, FALSE, "pull");
    g_autoptr (GBytes) kept = g_bytes_new_take (texts, PAGE_ROWS * (BODY_MOST + 16));
    store_batch_keep (batch, kept);
    for (guint i = 0; i < PAGE_ROWS && row < bench->rows; i++, row += step) {
      char *body = texts + i * (BODY_MOST + 16), *id = body + BODY_MOST;
      StoreRecord record = { .op = op,
                             .collection = 1,
                             .ordinal = row,
                             .hash = row + price,
                             .body_length = (guint32)put_body (body, row, price),
                             .body = body,
                             .id = id,
                             .id_length = (guint32)g_snprintf (id, 16, "%08x", row * 2654435761u) };
      store_batch_record (batch, &record);
    }
    bench->out++;
    store_submit (bench->store, batch, told, bench);
    wait (bench);
  }
}

static StoreVerdict
take (const StoreFound *found, gpointer data)
{
  ((Bench *)data)->found++;
  return STORE_TAKE;
}

static void
page_told (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Bench *bench = data;
  bench->more = more;
  bench->next = next;
  told (error, data);
}

/* The page from there; milliseconds. */
static double
search (Bench *bench, const char *words, const StoreTerm *term, guint64 from)
{
  gint64 started = g_get_monotonic_time ();
  StoreQuery query = { .collection = 1,
                       .from = from,
                       .limit = 100,
                       .words = words,
                       .terms = term,
                       .term_count = term ? 1 : 0,
                       .judge = take };
  bench->found = 0;
  bench->out++;
  store_query (bench->store, &query, page_told, bench);
  wait (bench);
  return (double)(g_get_monotonic_time () - started) / 1000;
}

/* Until the index is there: pages that end early, empty, are asked for again. */
static void
search_first (Bench *bench)
{
  bench->next = 0;
  do
    search (bench, "nothing", NULL, bench->next);
  while (bench->more);
}

static void
report (Bench *bench, const char *name, const char *words, const StoreTerm *term)
{
  double best = G_MAXDOUBLE, middle = G_MAXDOUBLE;
  for (guint i = 0; i < TRIES; i++)
    best = MIN (best, search (bench, words, term, 0));
  guint found = bench->found;
  for (guint i = 0; i < TRIES; i++)
    middle = MIN (middle, search (bench, words, term, bench->rows / 2));
  printf ("\"%s_ms\":[%.2f,%.2f,%u],", name, best, middle, found);
  fflush (stdout);
}

static void
measure (Bench *bench)
{
  StoreTerm brand = { "brand", "B7 Farms" }, category = { "category", "Category 3" };
  write_rows (bench, STORE_INSERT, 1, 1);
  double started = cpu_us ();
  gint64 began = g_get_monotonic_time ();
  search_first (bench);
  printf ("\"make_us\":%.2f,\"make_s\":%.1f,", (cpu_us () - started) / bench->rows,
          (double)(g_get_monotonic_time () - began) / 1e6);
  report (bench, "rare", "zanzibar", NULL);
  report (bench, "of_16", "gummies", NULL);
  report (bench, "of_16_begun", "gum", NULL);
  report (bench, "one_letter", "s", NULL);
  report (bench, "in_all", "item", NULL);
  report (bench, "two", "gummies 5mg", NULL);
  report (bench, "two_in_all", "item farms", NULL);
  report (bench, "brand", NULL, &brand);
  report (bench, "category", NULL, &category);
  report (bench, "category_and_word", "gummies", &category);
  write_rows (bench, STORE_UPDATE, CHANGED_EACH, 2); /* prices, which nobody looks for */
  started = cpu_us ();
  search_first (bench);
  printf ("\"keep_us\":%.2f,", (cpu_us () - started) / (bench->rows / CHANGED_EACH));
}

int
main (int argc, char **argv)
{
  g_autofree char *folder =
    g_build_filename (argc > 2 ? argv[2] : g_get_tmp_dir (), "bench-search-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  if (!g_mkdtemp (folder))
    g_error ("cannot make %s", folder);
  g_autofree char *path = g_build_filename (folder, "store.db", NULL),
                  *index = g_build_filename (folder, "store-search.db", NULL),
                  *lock = g_strconcat (path, ".lock", NULL);
  Bench bench = { .loop = loop_new (), .rows = argc > 1 ? (guint)strtoul (argv[1], NULL, 10) : 100000 };
  bench.store = sqlite_store_open (path, bench.loop, now_ms, NULL, &error);
  if (!bench.store)
    g_error ("%s", error->message);
  printf ("{\"rows\":%u,", bench.rows);
  measure (&bench);
  store_free (bench.store);
  struct stat about;
  printf ("\"index_bytes\":%.0f}\n", stat (index, &about) == 0 ? (double)about.st_size / bench.rows : 0.0);
  loop_free (bench.loop);
  g_unlink (path);
  g_unlink (index);
  g_unlink (lock);
  g_rmdir (folder);
  return 0;
}
