/* Records found by words and by exact texts: on the SQLite store, whose index is a file of its own, and on
 * the one in memory, which looks at every record. */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem-words.h"
#include "store-bed.h"
#include "tap.h"

typedef struct {
  Bed *bed;
  StoreQuery query;
  GString *ids;
  gboolean told, more;
  guint64 next;
  guint wrong; /* records that did not have what was asked for */
  GError *error;
} Search;

static StoreVerdict
judge (const StoreFound *found, gpointer data)
{
  Search *search = data;
  g_autofree char *body = g_strndup (found->body, found->body_length);
  StoreQuery asked = search->query;
  if (asked.words && !asked.words[strspn (asked.words, " \t")])
    asked.words = NULL;
  search->wrong += !mem_words_hold (&asked, body);
  g_string_append_printf (search->ids, "%s%.*s", search->ids->len ? " " : "", (int)found->id_length,
                          found->id);
  return STORE_TAKE;
}

static void
told (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Search *search = data;
  search->told = TRUE;
  search->more = more;
  search->next = next;
  search->error = error ? g_error_copy (error) : NULL;
}

static void
search_page (Search *search)
{
  search->told = FALSE;
  store_query (search->bed->store, &search->query, told, search);
  while (!search->told)
    bed_step (search->bed);
  search->query.from = search->next;
}

/* All pages; the ids with blanks between, or "failed". Terms are "field=text", by pairs of texts. */
static char *
find_in (Bed *bed, guint32 collection, guint limit, const char *words, const StoreTerm *terms, guint count)
{
  Search search = { .bed = bed,
                    .query = { .collection = collection,
                               .limit = limit,
                               .words = words,
                               .terms = terms,
                               .term_count = count,
                               .judge = judge },
                    .ids = g_string_new (NULL),
                    .more = TRUE };
  while (search.more && !search.error)
    search_page (&search);
  if (search.error)
    g_string_assign (search.ids, "failed");
  g_clear_error (&search.error);
  CU_ASSERT_EQUAL (search.wrong, 0);
  return g_string_free (search.ids, FALSE);
}

static gboolean
finds (Bed *bed, const char *words, const char *ids)
{
  g_autofree char *found = find_in (bed, 1, 3, words, NULL, 0);
  if (strcmp (found, ids) != 0)
    g_printerr ("# \"%s\": found \"%s\", not \"%s\"\n", words, found, ids);
  return strcmp (found, ids) == 0;
}

static gboolean
finds_term (Bed *bed, const char *field, const char *text, const char *words, const char *ids)
{
  StoreTerm term = { field, text };
  g_autofree char *found = find_in (bed, 1, 3, words, &term, 1);
  return strcmp (found, ids) == 0;
}

static void
put_shelf (Bed *bed)
{
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "a",
           "{\"id\":\"a\",\"sku\":\"PG-100\",\"barcode\":\"0850\",\"name\":\"Plum Gummies \\\"100mg\\\"\","
           "\"brand\":\"Kiva\",\"category\":\"Edibles\",\"description\":\"hidden\"}");
  bed_put (batch, STORE_INSERT, 1, 1, "b",
           "{\"id\":\"b\",\"name\":\"Crème Brûlée vape\",\"brand\":\"Plumb & Co\",\"category\":\"Vapes\"}");
  bed_put (batch, STORE_INSERT, 1, 2, "c", "{\"id\":\"c\",\"name\":\"Грушевый джем\",\"brand\":\"KIVA\"}");
  bed_put (batch, STORE_INSERT, 1, 3, "d", "{\"id\":\"d\",\"name\":\"and or not near\",\"tags\":[\"plum\"]}");
  bed_put (batch, STORE_INSERT, 2, 0, "e", "{\"id\":\"e\",\"name\":\"Plum of another store\"}");
  bed_put (batch, STORE_INSERT, 3, 0, "f",
           "{\"id\":\"f\",\"first_name\":\"Ada\",\"last_name\":\"Plum\",\"email\":\"ada.p@example.com\","
           "\"phone\":\"+15550100\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
}

static void
each_word_begins_a_word_of_the_record (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  CU_ASSERT_TRUE (finds (bed, "PLUM gUm", "a"));
  CU_ASSERT_TRUE (finds (bed, "gummies plum", "a"));
  CU_ASSERT_TRUE (finds (bed, "lum", ""));
  CU_ASSERT_TRUE (finds (bed, "plum grape", ""));
  CU_ASSERT_TRUE (finds (bed, "pg-100", "a"));
  CU_ASSERT_TRUE (finds (bed, "085", "a"));
  CU_ASSERT_TRUE (finds (bed, "creme brulee", "b"));
  CU_ASSERT_TRUE (finds (bed, "CRÈME", "b"));
  CU_ASSERT_TRUE (finds (bed, "груш", "c"));
  CU_ASSERT_TRUE (finds (bed, "kiva", "a c"));
  CU_ASSERT_TRUE (finds (bed, "hidden", ""));
  CU_ASSERT_TRUE (finds (bed, "edibles", "")); /* a category is a text, not words */
  CU_ASSERT_TRUE (finds (bed, "100mg", "a"));
  g_autofree char *other = find_in (bed, 2, 5, "plum", NULL, 0),
                  *third = find_in (bed, 3, 5, "ad pl", NULL, 0),
                  *mail = find_in (bed, 3, 5, "ada.p@example.com +1555", NULL, 0);
  CU_ASSERT_STRING_EQUAL (other, "e");
  CU_ASSERT_STRING_EQUAL (third, "f");
  CU_ASSERT_STRING_EQUAL (mail, "f");
}

static void
a_text_is_found_as_it_is (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds_term (bed, "category", "Edibles", NULL, "a"));
  CU_ASSERT_TRUE (finds_term (bed, "category", "edibles", NULL, ""));
  CU_ASSERT_TRUE (finds_term (bed, "category", "Edible", NULL, ""));
  CU_ASSERT_TRUE (finds_term (bed, "brand", "Plumb & Co", NULL, "b"));
  CU_ASSERT_TRUE (finds_term (bed, "brand", "Edibles", NULL, ""));
  CU_ASSERT_TRUE (finds_term (bed, "sku", "PG-100", "gummies", "a"));
  CU_ASSERT_TRUE (finds_term (bed, "sku", "PG-100", "vape", ""));
  StoreTerm both[] = { { "category", "Edibles" }, { "brand", "Kiva" } },
            mixed[] = { { "category", "Edibles" }, { "brand", "KIVA" } };
  g_autofree char *one = find_in (bed, 1, 5, NULL, both, 2), *none = find_in (bed, 1, 5, NULL, mixed, 2);
  CU_ASSERT_STRING_EQUAL (one, "a");
  CU_ASSERT_STRING_EQUAL (none, "");
}

static void
what_a_user_types_is_words_and_nothing_else (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_shelf (bed);
  static const struct {
    const char *words, *ids;
  } cases[] = {
    { "", "a b c d" },
    { "  \t", "a b c d" },
    { "---", "" },
    { "\"", "" },
    { "%", "" },
    { "*", "" },
    { "plum OR vape", "" },
    { "and or not", "d" },
    { "NOT near", "d" },
    { "name:plum", "" },
    { "text:plum", "" },
    { "plum*", "a b" },
    { "^plum", "a b" },
    { "-plum", "a b" },
    { "\"plum gum\"", "a" },
    { "plum\"vape", "b" },
    { "NEAR(plum vape)", "" },
    { "plum + gummies", "a" },
    { "(plum", "a b" },
    { "1:plum", "a" },
    { "{plum}: gummies", "a" },
    { "\xEE\x80\x80", "" },
    { "\xEE\x80\x84 plum", "a b" },
    { "plum'; DROP TABLE found; --", "" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    CU_ASSERT_TRUE (finds (bed, cases[i].words, cases[i].ids));
  g_autofree char *many = g_strnfill (4000, ' ');
  for (guint i = 0; i < 1000; i++)
    memcpy (many + i * 4, "plu ", 4);
  CU_ASSERT_TRUE (finds (bed, many, "a b"));
}

static void
changes_are_found_at_once (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "{\"name\":\"Grape Gummies\"}");
  bed_put (batch, STORE_DELETE, 1, 1, "b", NULL);
  bed_put (batch, STORE_UPDATE, 1, 3, "d", "{\"name\":\"plum at last\"}");
  bed_put (batch, STORE_INSERT, 1, 4, "g", "{\"name\":\"plum and grape\"}");
  bed_put (batch, STORE_INSERT, 1, 5, "h", "{\"description\":\"found by nothing\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "d g"));
  CU_ASSERT_TRUE (finds (bed, "grape", "a g"));
  CU_ASSERT_TRUE (finds (bed, "kiva", "c"));

  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 1, "b", "{\"name\":\"plum is back\"}");
  bed_put (batch, STORE_UPDATE, 1, 4, "g", "{\"description\":\"nothing more\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "b d"));
  CU_ASSERT_TRUE (finds (bed, "grape", "a"));
}

static void
deletions_that_were_pruned_are_not_found (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_DELETE, 1, 0, "a", NULL);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (bed_prune (bed, BED_START_MS + 1, 0, 0));
  CU_ASSERT_TRUE (finds (bed, "plum", "b"));
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "new", "{\"name\":\"grape\"}"); /* in its place */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "b"));
  CU_ASSERT_TRUE (finds (bed, "grape", "new"));
}

/* ---- the file ---- */

static char *
index_path (const Bed *bed)
{
  return g_build_filename (bed->folder, "tillbridge-search.db", NULL);
}

static gboolean
index_is_there (const Bed *bed)
{
  g_autofree char *path = index_path (bed);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* A table of ours in it shows whether it is still the same file. The store must be closed. */
static void
mark_index (const Bed *bed)
{
  g_autofree char *path = index_path (bed);
  sqlite3 *db;
  CU_ASSERT_EQUAL_FATAL (sqlite3_open (path, &db), SQLITE_OK);
  CU_ASSERT_EQUAL (sqlite3_exec (db, "CREATE TABLE IF NOT EXISTS mark (x)", NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close (db);
}

static gboolean
index_is_marked (const Bed *bed)
{
  g_autofree char *path = index_path (bed);
  sqlite3 *db;
  CU_ASSERT_EQUAL_FATAL (sqlite3_open (path, &db), SQLITE_OK);
  gboolean marked = sqlite3_exec (db, "SELECT * FROM mark", NULL, NULL, NULL) == SQLITE_OK;
  sqlite3_close (db);
  return marked;
}

static void
test_who_does_not_search_has_no_index (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, NULL, "a b c d"));
  CU_ASSERT_FALSE (index_is_there (bed));
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  CU_ASSERT_TRUE (index_is_there (bed));
  g_autofree char *path = index_path (bed);
  struct stat about;
  CU_ASSERT (stat (path, &about) == 0 && (about.st_mode & 0777) == 0600);
}

static void
test_the_index_is_kept_over_a_restart_and_another_boot (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  bed_close (bed);
  mark_index (bed);
  bed->boot = "boot-2";
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 2, "c", "{\"name\":\"plum too\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "a b c"));
  bed_close (bed);
  CU_ASSERT_TRUE (index_is_marked (bed));
  bed_open (bed);
}

/* In a process of its own, which is killed with the index open. */
static void
search_and_be_killed (Bed *bed, const char *id)
{
  bed_close (bed);
  pid_t child = fork ();
  if (child == 0) {
    bed->loop = loop_new ();
    bed_open (bed);
    StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
    bed_put (batch, STORE_UPDATE, 1, 2, id, "{\"name\":\"plum too\"}");
    bed_commit (bed, batch);
    g_free (find_in (bed, 1, 100, "plum", NULL, 0));
    kill (getpid (), SIGKILL);
  }
  int status;
  CU_ASSERT (waitpid (child, &status, 0) == child && WIFSIGNALED (status));
}

static void
test_after_a_kill_the_index_is_kept_unless_the_machine_stopped (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  bed_close (bed);
  mark_index (bed);
  search_and_be_killed (bed, "c");
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b c"));
  bed_close (bed);
  CU_ASSERT_TRUE (index_is_marked (bed));

  search_and_be_killed (bed, "c");
  bed->boot = "boot-2";
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b c"));
  bed_close (bed);
  CU_ASSERT_FALSE (index_is_marked (bed));
  bed_open (bed);
}

static void
test_an_index_ahead_of_a_restored_backup_is_made_anew (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  bed_close (bed);
  g_autofree char *backup = NULL;
  gsize size;
  CU_ASSERT_TRUE_FATAL (g_file_get_contents (bed->path, &backup, &size, NULL));
  bed_open (bed);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_UPDATE, 1, 0, "a", "{\"name\":\"grape\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "b"));
  bed_close (bed);
  mark_index (bed);
  CU_ASSERT_TRUE (g_file_set_contents (bed->path, backup, (gssize)size, NULL));

  bed_open (bed); /* goes past what the index knows before anybody searches */
  batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 6, "z", "{\"name\":\"zucchini\"}");
  bed_put (batch, STORE_INSERT, 1, 7, "y", "{\"name\":\"yam\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  bed_close (bed);
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  CU_ASSERT_TRUE (finds (bed, "grape", ""));
  CU_ASSERT_TRUE (finds (bed, "yam", "y"));
  bed_close (bed);
  CU_ASSERT_FALSE (index_is_marked (bed));
  bed_open (bed);
}

static void
test_an_index_of_other_data_is_made_anew (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  bed_close (bed);
  mark_index (bed);
  g_unlink (bed->path);
  bed_open (bed);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, 9, 0, 100, 5); /* as many changes and more */
  bed_put (batch, STORE_INSERT, 1, 0, "x", "{\"name\":\"plum alone\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "x"));
  bed_close (bed);
  CU_ASSERT_FALSE (index_is_marked (bed));
  bed_open (bed);
}

/* Writes into the file from there on. */
static void
spoil (const Bed *bed, gsize from, gsize length)
{
  g_autofree char *path = index_path (bed), *bytes = g_strnfill (length, '\xff');
  int fd = g_open (path, O_WRONLY | O_CLOEXEC, 0);
  CU_ASSERT (fd >= 0 && pwrite (fd, bytes, length, (off_t)from) == (gssize)length);
  close (fd);
}

static void
test_a_broken_index_is_made_anew (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < 400; i++)
    bed_put (batch, STORE_INSERT, 1, 10 + i, "filler", "{\"name\":\"mango of which there are many\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  bed_close (bed);
  g_autofree char *path = index_path (bed);
  struct stat about;
  CU_ASSERT_EQUAL_FATAL (stat (path, &about), 0);
  gsize size = (gsize)about.st_size;
  for (gsize page = 0; page < size; page += 4096) {
    bed_close (bed);
    spoil (bed, page + (page ? 0 : 16), 2000); /* each page in its turn */
    bed_open (bed);
    CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
    CU_ASSERT_TRUE (finds (bed, "груш", "c"));
  }
  bed_close (bed);
  spoil (bed, 0, size);
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
  bed_close (bed);
  CU_ASSERT_EQUAL (truncate (path, 5000), 0);
  bed_open (bed);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
}

static void
limit_files (rlim_t bytes)
{
  struct rlimit limit;
  getrlimit (RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  setrlimit (RLIMIT_FSIZE, &limit);
}

static void
test_a_full_disk_fails_the_search_and_nothing_else (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  signal (SIGXFSZ, SIG_IGN);
  put_shelf (bed);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < 3000; i++)
    bed_put (batch, STORE_INSERT, 1, 10 + i, "filler", "{\"name\":\"mango of which there are many\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  limit_files (64 * 1024);
  for (int again = 0; again < 2; again++) {
    Search search = { .bed = bed,
                      .query = { .collection = 1, .limit = 5, .words = "plum", .judge = judge },
                      .ids = g_string_new (NULL) };
    search_page (&search);
    CU_ASSERT (g_error_matches (search.error, STORE_ERROR, STORE_ERROR_FULL));
    g_clear_error (&search.error);
    g_string_free (search.ids, TRUE);
    g_autofree char *list = bed_list (bed, 1, 0, 1);
    CU_ASSERT_TRUE (g_str_has_prefix (list, "a="));
  }
  limit_files (RLIM_INFINITY);
  CU_ASSERT_TRUE (finds (bed, "plum", "a b"));
}

/* ---- against the plain way ---- */

enum { ROUNDS = 150, COLLECTIONS = 3, PLACES = 60 };

static const char *const vocabulary[] = { "plum", "Plumb", "grape", "Größe", "gro", "mango", "man",
                                          "go",   "100mg", "1",     "Crème", "cre", "a",     "x-y" };

static const char *
some_word (GRand *random)
{
  return vocabulary[g_rand_int_range (random, 0, G_N_ELEMENTS (vocabulary))];
}

static char *
some_body (GRand *random)
{
  return g_strdup_printf ("{\"name\":\"%s %s\",\"brand\":\"%s\",\"category\":\"%s\",\"quantity\":%d}",
                          some_word (random), some_word (random), some_word (random), some_word (random),
                          g_rand_int_range (random, 0, 3));
}

/* The same on both. */
static void
change_some (Bed **beds, GRand *random, guint count)
{
  StoreBatch *batches[] = { store_batch_new (beds[0]->store, FALSE, "pull"),
                            store_batch_new (beds[1]->store, FALSE, "pull") };
  for (guint i = 0; i < count; i++) {
    guint32 collection = (guint32)g_rand_int_range (random, 1, 1 + COLLECTIONS),
            ordinal = (guint32)g_rand_int_range (random, 0, PLACES);
    gboolean gone = g_rand_int_range (random, 0, 5) == 0;
    char *name = g_strdup_printf ("%u", ordinal), *text = some_body (random);
    g_autoptr (GBytes) id = g_bytes_new_take (name, strlen (name) + 1);
    g_autoptr (GBytes) body = g_bytes_new_take (text, strlen (text) + 1);
    for (guint b = 0; b < 2; b++) {
      store_batch_keep (batches[b], id);
      store_batch_keep (batches[b], body);
      bed_put (batches[b], gone ? STORE_DELETE : STORE_UPDATE, collection, ordinal, name, gone ? NULL : text);
    }
  }
  CU_ASSERT_TRUE (bed_commit (beds[0], batches[0]));
  CU_ASSERT_TRUE (bed_commit (beds[1], batches[1]));
}

static void
compare_search (Bed **beds, GRand *random)
{
  StoreTerm terms[2];
  guint count = (guint)g_rand_int_range (random, 0, 3), limit = (guint)g_rand_int_range (random, 1, 30);
  guint32 collection = (guint32)g_rand_int_range (random, 1, 1 + COLLECTIONS);
  for (guint i = 0; i < count; i++)
    terms[i] = (StoreTerm){ g_rand_boolean (random) ? "brand" : "category", some_word (random) };
  g_autofree char *words = g_strdup_printf ("%s %s", some_word (random), some_word (random));
  if (g_rand_boolean (random))
    words[g_rand_int_range (random, 1, 4)] = 0;
  gboolean cut = !g_utf8_validate (words, -1, NULL), none = count && g_rand_boolean (random);
  const char *asked = none ? NULL : cut ? "pl" : words;
  g_autofree char *one = find_in (beds[0], collection, limit, asked, terms, count),
                  *two = find_in (beds[1], collection, limit, asked, terms, count);
  CU_ASSERT_STRING_EQUAL (one, two);
}

static void
disturb (Bed *bed, GRand *random)
{
  g_autofree char *path = index_path (bed);
  guint what = (guint)g_rand_int_range (random, 0, 20);
  if (what > 3)
    return;
  if (what == 3) {
    search_and_be_killed (bed, "2");
    bed->boot = g_rand_boolean (random) ? "boot-1" : "boot-2";
  }
  bed_close (bed);
  if (what == 0)
    g_unlink (path);
  else if (what == 1 && index_is_there (bed))
    CU_ASSERT_EQUAL (truncate (path, g_rand_int_range (random, 0, 20000)), 0);
  bed_open (bed);
}

static void
test_both_stores_find_the_same (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (11);
  Bed *beds[] = { bed_new (BED_SQLITE), bed_new (BED_MEMORY) };
  for (guint round = 0; round < ROUNDS; round++) {
    change_some (beds, random, (guint)g_rand_int_range (random, 0, 40));
    for (guint i = 0; i < 4; i++)
      compare_search (beds, random);
    StoreBatch *batches[] = { store_batch_new (beds[0]->store, FALSE, "pull"),
                              store_batch_new (beds[1]->store, FALSE, "pull") };
    for (guint b = 0; b < 2; b++) { /* as the process that is killed may leave it */
      bed_put (batches[b], STORE_UPDATE, 1, 2, "2", "{\"name\":\"plum too\"}");
      CU_ASSERT_TRUE (bed_commit (beds[b], batches[b]));
    }
    disturb (beds[0], random);
    if (round % 40 == 39)
      for (guint b = 0; b < 2; b++)
        CU_ASSERT_TRUE (bed_prune (beds[b], BED_START_MS + 1, 0, 0));
  }
  bed_free (beds[0]);
  bed_free (beds[1]);
}

/* Names go to and fro while pages are read: what is shown has what was asked for (the judge looks). */
static void
test_what_changes_meanwhile_is_shown_as_it_is (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  static const char *const bodies[] = { "{\"name\":\"plum\"}", "{\"name\":\"grape\"}" };
  for (guint round = 0; round < 60; round++) {
    StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
    for (guint32 i = 0; i < 300; i++)
      bed_put (batch, STORE_UPDATE, 1, i, "same", bodies[(i + round) % 2]);
    bed_submit (bed, batch);
    g_autofree char *found = find_in (bed, 1, 100, "plum", NULL, 0);
  }
  bed_settle (bed);
  CU_ASSERT_PTR_NULL (bed->error);
}

typedef struct {
  guint *ends, place;
} Ending;

static StoreVerdict
take (const StoreFound *found, gpointer data)
{
  return STORE_TAKE;
}

static void
note_end (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Ending *ending = data;
  CU_ASSERT_PTR_NULL (error);
  ending->place = ++*ending->ends;
}

static void
test_making_the_index_holds_nobody_up (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_shelf (bed);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < 30000; i++)
    bed_put (batch, STORE_INSERT, 1, 10 + i, "filler", "{\"name\":\"mango of which there are many\"}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint ends = 0;
  Ending first = { &ends, 0 }, second = { &ends, 0 };
  StoreQuery searching = { .collection = 1, .limit = 5, .words = "plum", .judge = take },
             brief = { .collection = 2, .limit = 1, .judge = take };
  store_query (bed->store, &searching, note_end, &first);
  store_query (bed->store, &brief, note_end, &second);
  while (ends < 2)
    bed_step (bed);
  CU_ASSERT_EQUAL (second.place, 1);
  store_query (bed->store, &searching, note_end, &first);
  bed_close (bed); /* told inside */
  CU_ASSERT_EQUAL (first.place, 3);
}

ON_BOTH (each_word_begins_a_word_of_the_record)
ON_BOTH (a_text_is_found_as_it_is)
ON_BOTH (what_a_user_types_is_words_and_nothing_else)
ON_BOTH (changes_are_found_at_once)
ON_BOTH (deletions_that_were_pruned_are_not_found)

int
main (void)
{
  return TAP_RUN (
    "store-search", BOTH ("each word begins a word of the record", each_word_begins_a_word_of_the_record),
    BOTH ("a text is found as it is", a_text_is_found_as_it_is),
    BOTH ("what a user types is words and nothing else", what_a_user_types_is_words_and_nothing_else),
    BOTH ("changes are found at once", changes_are_found_at_once),
    BOTH ("deletions that were pruned are not found", deletions_that_were_pruned_are_not_found),
    { "who does not search has no index", test_who_does_not_search_has_no_index },
    { "the index is kept over a restart and another boot",
      test_the_index_is_kept_over_a_restart_and_another_boot },
    { "after a kill the index is kept, unless the machine stopped",
      test_after_a_kill_the_index_is_kept_unless_the_machine_stopped },
    { "an index ahead of a restored backup is made anew",
      test_an_index_ahead_of_a_restored_backup_is_made_anew },
    { "an index of other data is made anew", test_an_index_of_other_data_is_made_anew },
    { "a broken index is made anew", test_a_broken_index_is_made_anew },
    { "a full disk fails the search and nothing else", test_a_full_disk_fails_the_search_and_nothing_else },
    { "both stores find the same", test_both_stores_find_the_same },
    { "what changes meanwhile is shown as it is", test_what_changes_meanwhile_is_shown_as_it_is },
    { "making the index holds nobody up", test_making_the_index_holds_nobody_up });
}
