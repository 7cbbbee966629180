/* The search index, ended or failed at each of its writes: a search then finds what is there or says that it
 * failed, never anything else; the records do not suffer; and afterwards it finds everything again.
 *
 * By default at every 9th write; TB_FAULT_EVERY=1 tries all of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shim-run.h"
#include "store-bed.h"
#include "tap.h"

enum { COLLECTION = 1, RECORDS = 300, ROUNDS = 12, CHANGED = 40, DEFAULT_EVERY = 9, WRITES_LEAST = 60 };

/* What a record is called in a round: it changes with some of them. */
static gboolean
is_plum (guint32 record, guint round)
{
  guint changes = round > record % ROUNDS ? 1 : 0;
  return (record + changes) % 3 == 0;
}

static gboolean
put_round (Bed *bed, guint round)
{
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < RECORDS; i++) {
    if (round && i % ROUNDS != round - 1)
      continue;
    char *text = g_strdup_printf ("{\"name\":\"%s number %u\"}", is_plum (i, round) ? "Plum" : "Grape", i);
    g_autoptr (GBytes) body = g_bytes_new_take (text, strlen (text) + 1);
    store_batch_keep (batch, body);
    bed_put (batch, STORE_UPDATE, COLLECTION, i, "same", text);
  }
  return bed_commit (bed, batch);
}

typedef struct {
  GString *found;
  gboolean told, more, failed;
  guint64 next;
} Search;

static StoreVerdict
take (const StoreFound *found, gpointer data)
{
  g_string_append_printf (((Search *)data)->found, "%u ", found->ordinal);
  return STORE_TAKE;
}

static void
told (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Search *search = data;
  search->told = TRUE;
  search->more = more;
  search->next = next;
  search->failed = error != NULL;
}

/* "right", "failed", or what was found instead. */
static char *
search (Bed *bed, guint round)
{
  g_autoptr (GString) expected = g_string_new (NULL);
  Search search = { .found = g_string_new (NULL), .more = TRUE };
  for (guint32 i = 0; i < RECORDS; i++)
    if (is_plum (i, round))
      g_string_append_printf (expected, "%u ", i);
  while (search.more && !search.failed) {
    StoreQuery query = {
      .collection = COLLECTION, .from = search.next, .limit = 64, .words = "plum", .judge = take
    };
    search.told = FALSE;
    store_query (bed->store, &query, told, &search);
    while (!search.told)
      bed_step (bed);
  }
  g_autofree char *found = g_string_free (search.found, FALSE);
  if (search.failed)
    return g_strdup ("failed");
  return g_strdup (strcmp (found, expected->str) == 0 ? "right" : found);
}

static int
child (const char *path)
{
  Bed *bed = bed_new_at (path);
  for (guint round = 0; round < ROUNDS; round++) {
    g_autofree char *verdict = NULL;
    printf ("round %u %s\n", round, put_round (bed, round) ? "stored" : "lost");
    fflush (stdout);
    verdict = search (bed, round);
    puts (verdict);
    fflush (stdout);
  }
  bed_free (bed);
  puts ("end");
  return 0;
}

/* The last round that was stored, in what the child told. */
static guint
check_told (const char *text, gboolean *ended, gboolean *all_right)
{
  guint round = 0;
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  *ended = FALSE;
  *all_right = TRUE;
  for (char **line = lines; *line; line++) {
    if (strcmp (*line, "failed") == 0)
      *all_right = FALSE;
    else if (strcmp (*line, "end") == 0)
      *ended = TRUE;
    else if (g_str_has_prefix (*line, "round ")) {
      round = (guint)atoi (*line + strlen ("round "));
      CU_ASSERT (g_str_has_suffix (*line, " stored"));
    } else if (**line && line[1]) /* the last one may be cut off */
      CU_ASSERT_STRING_EQUAL (*line, "right");
  }
  return round;
}

static void
each_write (const char *mode, long from)
{
  const char *every = g_getenv ("TB_FAULT_EVERY");
  long step = every ? MAX (atol (every), 1) : DEFAULT_EVERY, points = 0;
  guint failures = CU_get_number_of_failures ();
  gboolean ended = FALSE, all_right = FALSE, once = g_str_has_suffix (mode, "-once");
  for (long at = from; !(ended && all_right && (!once || at > WRITES_LEAST)); at += step, points++) {
    g_autoptr (Bed) bed = bed_new (BED_SQLITE);
    bed_close (bed);
    g_autofree char *text = shim_run (bed->path, "-search.db", mode, at), *verdict = NULL;
    guint round = check_told (text, &ended, &all_right);
    bed_open (bed);
    verdict = search (bed, round);
    CU_ASSERT_STRING_EQUAL (verdict, "right");
    if (CU_get_number_of_failures () > failures) {
      printf ("# TB_SHIM_MODE=%s TB_SHIM_AT=%ld\n", mode, at);
      return;
    }
  }
  CU_ASSERT (points * step > WRITES_LEAST); /* else the shim did not count */
  printf ("# %s: %ld points\n", mode, points);
}

static void
test_an_end_at_each_write (void)
{
  each_write ("exit", 1);
}

static void
test_a_torn_write (void)
{
  each_write ("torn", 2);
}

static void
test_a_disk_that_fails_for_good (void)
{
  each_write ("eio", 3);
}

static void
test_a_disk_that_is_full (void)
{
  each_write ("enospc", 4);
}

static void
test_one_failure (void)
{
  each_write ("eio-once", 5);
}

static void
test_short_writes (void)
{
  each_write ("short-once", 6);
}

int
main (int argc, char **argv)
{
  if (argc == 3 && strcmp (argv[1], "child") == 0)
    return child (argv[2]);
  return TAP_RUN ("search-faults", { "searching survives an end at each write", test_an_end_at_each_write },
                  { "searching survives a torn write", test_a_torn_write },
                  { "searching survives a disk that fails for good", test_a_disk_that_fails_for_good },
                  { "searching survives a disk that is full", test_a_disk_that_is_full },
                  { "searching goes on after one failure", test_one_failure },
                  { "searching does not mind short writes", test_short_writes });
}
