/* Pages of records that are judged as they are read: on the SQLite store and on the one in memory; and how
 * the SQLite store shares its reader among them. */
#include <string.h>

#include "base/hash.h"
#include "store-bed.h"
#include "tap.h"

typedef struct {
  Bed *bed;
  GString *ids;
  guint64 least_updated_ms, next;
  guint end_after, judged; /* end_after 0: never */
  gint64 pause_us;         /* that each one takes */
  gboolean more, told;
  _Atomic gboolean *gate; /* waits until it is open */
  guint *ends, place;     /* which of the ends this was */
  GError *error;
} Page;

static StoreVerdict
judge (const StoreFound *found, gpointer data)
{
  Page *page = data;
  if (page->end_after && page->judged == page->end_after)
    return STORE_END;
  page->judged++;
  while (page->gate && !*page->gate)
    g_thread_yield ();
  gint64 until = g_get_monotonic_time () + page->pause_us;
  while (g_get_monotonic_time () < until)
    ;
  if (found->updated_ms < (gint64)page->least_updated_ms)
    return STORE_SKIP;
  g_string_append_printf (page->ids, "%s%.*s", page->ids->len ? " " : "", (int)found->id_length, found->id);
  return STORE_TAKE;
}

static void
told (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Page *page = data;
  page->more = more;
  page->next = next;
  page->told = TRUE;
  page->place = page->ends ? ++*page->ends : 0;
  page->error = error ? g_error_copy (error) : NULL;
}

static void
page_begin (Bed *bed, Page *page)
{
  *page = (Page){ .bed = bed, .ids = g_string_new (NULL) };
}

static void
page_clear (Page *page)
{
  g_string_free (page->ids, TRUE);
  g_clear_error (&page->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Page, page_clear)

static void
ask (Page *page, guint32 collection, guint64 from, guint limit)
{
  StoreQuery query = { .collection = collection, .from = from, .limit = limit, .judge = judge };
  store_query (page->bed->store, &query, told, page);
}

static void
wait (Page *page)
{
  while (!page->told)
    bed_step (page->bed);
  CU_ASSERT_PTR_NULL (page->error);
}

static void
put_five (Bed *bed)
{
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put (batch, STORE_INSERT, 1, 0, "other", "1");
  bed_put (batch, STORE_INSERT, 2, 0, "a", "1");
  bed_put (batch, STORE_INSERT, 2, 1, "b", "1");
  bed_put (batch, STORE_INSERT, 2, 2, "c", "1");
  bed_put (batch, STORE_INSERT, 2, 4, "d", "1");
  bed_put (batch, STORE_INSERT, 2, 5, "e", "1");
  bed_put (batch, STORE_DELETE, 2, 2, "c", NULL);
  bed_put (batch, STORE_INSERT, 3, 0, "another", "1");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
}

static void
living_records_come_in_pages (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_five (bed);
  static const struct {
    guint64 from;
    guint limit;
    const char *ids;
    gboolean more;
    guint64 next;
  } cases[] = { { 0, 10, "a b d e", FALSE, 0 },   { 0, 2, "a b", TRUE, 4 },       { 4, 2, "d e", FALSE, 0 },
                { 4, 1, "d", TRUE, 5 },           { 6, 1, "", FALSE, 0 },         { 1, 1, "b", TRUE, 4 },
                { G_MAXUINT32, 1, "", FALSE, 0 }, { 1ull << 32, 1, "", FALSE, 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (Page) page;
    page_begin (bed, &page);
    ask (&page, 2, cases[i].from, cases[i].limit);
    CU_ASSERT_FALSE (page.told); /* never inside the call */
    wait (&page);
    CU_ASSERT_STRING_EQUAL (page.ids->str, cases[i].ids);
    CU_ASSERT_EQUAL (page.more, cases[i].more);
    if (page.more)
      CU_ASSERT_EQUAL (page.next, cases[i].next);
  }
}

static void
what_is_skipped_does_not_count_and_the_judge_may_end (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_five (bed);
  g_auto (Page) young;
  page_begin (bed, &young);
  young.least_updated_ms = 5001; /* a is older */
  ask (&young, 2, 0, 2);
  wait (&young);
  CU_ASSERT_STRING_EQUAL (young.ids->str, "b d");
  CU_ASSERT (young.more && young.next == 5);

  g_auto (Page) short_one;
  page_begin (bed, &short_one);
  short_one.end_after = 2;
  ask (&short_one, 2, 0, 10);
  wait (&short_one);
  CU_ASSERT_STRING_EQUAL (short_one.ids->str, "a b");
  CU_ASSERT (short_one.more && short_one.next == 4);
}

static void
put_thousand (Bed *bed, guint32 collection)
{
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  bed_put_many (batch, STORE_INSERT, collection, 0, 1000, 20);
  CU_ASSERT_TRUE (bed_commit (bed, batch));
}

/* All of them wait for a first one before the reader sees them. */
static void
test_a_short_query_does_not_wait_for_a_long_one (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  _Atomic gboolean gate = FALSE;
  guint ends = 0;
  put_thousand (bed, 1);
  Page pages[5];
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    page_begin (bed, &pages[i]);
    pages[i].ends = &ends;
    pages[i].pause_us = 1000;
    pages[i].least_updated_ms = G_MAXINT64;
  }
  Page *first = &pages[0], *brief = &pages[4];
  first->gate = &gate;
  brief->least_updated_ms = 0;
  for (guint i = 0; i < 4; i++)
    ask (&pages[i], 1, i == 0 ? 999 : 0, 1000);
  ask (brief, 1, 500, 3);
  gate = TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    wait (&pages[i]);
  CU_ASSERT_STRING_EQUAL (brief->ids->str, "id-500 id-501 id-502");
  CU_ASSERT (first->place == 1 && brief->place == 2);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++)
    page_clear (&pages[i]);
}

/* Each takes a millisecond: a query cannot look at all thousand. */
static void
test_how_long_a_query_looks_is_bounded (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_thousand (bed, 1);
  g_autoptr (GString) found = g_string_new (NULL);
  guint pages = 0, seen = 0;
  gboolean more = TRUE;
  for (guint64 from = 0; more; pages++) {
    g_auto (Page) page;
    page_begin (bed, &page);
    page.pause_us = 1000;
    page.least_updated_ms = 5000 + 999;
    ask (&page, 1, from, 10);
    wait (&page);
    CU_ASSERT (page.judged <= 300 && (page.judged > 0 || !page.more));
    CU_ASSERT (!page.more || page.next == from + page.judged);
    g_string_append (found, page.ids->str);
    seen += page.judged;
    more = page.more;
    from = page.next;
  }
  CU_ASSERT_STRING_EQUAL (found->str,
                          "id-999"); /* whether its page is the last one or an empty one follows */
  CU_ASSERT_EQUAL (seen, 1000);
  CU_ASSERT (pages >= 4);
}

/* Both kinds of jobs are under way; they are told inside store_free(). */
static void
test_a_store_that_closes_ends_what_is_under_way (void)
{
  g_autoptr (Bed) bed = bed_new (BED_SQLITE);
  put_thousand (bed, 1);
  Page pages[4];
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    page_begin (bed, &pages[i]);
    pages[i].pause_us = 1000;
    pages[i].least_updated_ms = G_MAXINT64;
    ask (&pages[i], 1, 0, 1000);
  }
  bed_close (bed);
  for (guint i = 0; i < G_N_ELEMENTS (pages); i++) {
    CU_ASSERT (pages[i].told && pages[i].more && !pages[i].error);
    CU_ASSERT_EQUAL (pages[i].next, pages[i].judged);
    page_clear (&pages[i]);
  }
}

/* Rows change while they are paged through: each that was there all the time is shown, once. */
static void
paging_goes_on_while_records_change (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_thousand (bed, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gboolean more = TRUE;
  for (guint64 from = 0; more;) {
    g_auto (Page) page;
    page_begin (bed, &page);
    ask (&page, 1, from, 37);
    StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
    bed_put_many (batch, STORE_UPDATE, 1, (guint32)from, (guint32)MIN (60, 1000 - from), 30);
    bed_submit (bed, batch);
    wait (&page);
    bed_settle (bed);
    g_auto (GStrv) ids = g_strsplit (page.ids->str, " ", -1);
    for (char **id = ids; *id; id++)
      CU_ASSERT_TRUE (g_hash_table_add (seen, g_strdup (*id)));
    more = page.more;
    from = page.next;
  }
  CU_ASSERT_EQUAL (g_hash_table_size (seen), 1000);
}

/* ---- stock ---- */

static void
put_level (StoreBatch *batch, StoreOp op, guint32 collection, guint32 ordinal, guint64 parent_hash,
           const char *body)
{
  const char *id = "level";
  StoreRecord record = { .op = op,
                         .collection = collection,
                         .ordinal = ordinal,
                         .parent_hash = parent_hash,
                         .id = id,
                         .body = body,
                         .id_length = (guint32)strlen (id),
                         .body_length = body ? (guint32)strlen (body) : 0 };
  store_batch_record (batch, &record);
}

static double
stock_of (Bed *bed, guint64 parent_hash, gboolean *any)
{
  double sum = -1;
  CU_ASSERT_TRUE (store_stock (bed->store, 9, parent_hash, any, &sum, NULL));
  return sum;
}

static void
stock_is_the_exact_sum_of_the_levels (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  gboolean any;
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  put_level (batch, STORE_INSERT, 9, 0, 5, "{\"id\":\"a\",\"quantity\":0.1}");
  put_level (batch, STORE_INSERT, 9, 1, 5, "{\"quantity\":0.2,\"unit\":\"g\"}");
  put_level (batch, STORE_INSERT, 9, 2, 5, "{\"attributes\":{\"quantity\":7}}");
  put_level (batch, STORE_INSERT, 9, 3, 6, "{\"quantity\":1000}");
  put_level (batch, STORE_INSERT, 8, 0, 5, "{\"quantity\":1000}"); /* of another collection */
  put_level (batch, STORE_INSERT, 9, 4, 0, "{\"quantity\":1000}"); /* of nobody */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (stock_of (bed, 5, &any), 0.3); /* and not 0.30000000000000004 */
  CU_ASSERT_TRUE (any);
  CU_ASSERT_EQUAL (stock_of (bed, 7, &any), 0);
  CU_ASSERT_FALSE (any);
  CU_ASSERT_EQUAL (stock_of (bed, 0, &any), 0);
  CU_ASSERT_FALSE (any);

  batch = store_batch_new (bed->store, FALSE, "pull");
  put_level (batch, STORE_UPDATE, 9, 0, 5, "{\"quantity\":-2.5}");
  put_level (batch, STORE_DELETE, 9, 1, 5, NULL);
  put_level (batch, STORE_UPDATE, 9, 3, 5, "{\"quantity\":12}"); /* comes over from another one */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  CU_ASSERT_EQUAL (stock_of (bed, 5, &any), 9.5);
  CU_ASSERT_TRUE (any);
  stock_of (bed, 6, &any);
  CU_ASSERT_FALSE (any);
}

static StoreVerdict
note_stock (const StoreFound *found, gpointer data)
{
  GString *text = ((Page *)data)->ids;
  g_string_append_printf (text, "%.*s", (int)found->id_length, found->id);
  if (found->has_stock)
    g_string_append_printf (text, "=%.10g", found->stock);
  g_string_append_c (text, ' ');
  return STORE_TAKE;
}

static void
a_query_tells_the_stock_of_each_record (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  put_five (bed);
  guint64 seed = store_seed (bed->store);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  put_level (batch, STORE_INSERT, 9, 0, hash_bytes ("a", 1, seed), "{\"quantity\":3}");
  put_level (batch, STORE_INSERT, 9, 1, hash_bytes ("d", 1, seed), "{\"quantity\":1.25}");
  put_level (batch, STORE_INSERT, 9, 2, hash_bytes ("d", 1, seed), "{\"quantity\":1.25}");
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  g_auto (Page) page;
  page_begin (bed, &page);
  StoreQuery query = { .collection = 2, .limit = 10, .stock = 9, .judge = note_stock };
  store_query (bed->store, &query, told, &page);
  wait (&page);
  CU_ASSERT_STRING_EQUAL (page.ids->str, "a=3 b d=2.5 e ");
}

static void
a_query_can_be_for_the_children_of_one_parent (BedKind kind)
{
  g_autoptr (Bed) bed = bed_new (kind);
  StoreBatch *batch = store_batch_new (bed->store, FALSE, "pull");
  for (guint32 i = 0; i < 6; i++)
    put_level (batch, STORE_INSERT, 9, i, 5 + i % 2, "{\"quantity\":1}");
  put_level (batch, STORE_INSERT, 8, 0, 5, "{\"quantity\":1}"); /* of another collection */
  CU_ASSERT_TRUE (bed_commit (bed, batch));
  guint64 from = 0;
  for (guint i = 0; i < 2; i++) {
    g_auto (Page) page;
    page_begin (bed, &page);
    StoreQuery query = { .collection = 9, .from = from, .limit = 2, .parent_hash = 5, .judge = judge };
    store_query (bed->store, &query, told, &page);
    wait (&page);
    CU_ASSERT_STRING_EQUAL (page.ids->str, i ? "level" : "level level");
    CU_ASSERT_EQUAL (page.more, i == 0);
    from = page.next;
  }
}

ON_BOTH (stock_is_the_exact_sum_of_the_levels)
ON_BOTH (a_query_can_be_for_the_children_of_one_parent)
ON_BOTH (a_query_tells_the_stock_of_each_record)
ON_BOTH (living_records_come_in_pages)
ON_BOTH (what_is_skipped_does_not_count_and_the_judge_may_end)
ON_BOTH (paging_goes_on_while_records_change)

int
main (void)
{
  return TAP_RUN (
    "store-query", BOTH ("living records come in pages", living_records_come_in_pages),
    BOTH ("what is skipped does not count, and the judge may end a page",
          what_is_skipped_does_not_count_and_the_judge_may_end),
    BOTH ("paging goes on while records change", paging_goes_on_while_records_change),
    BOTH ("stock is the exact sum of the levels", stock_is_the_exact_sum_of_the_levels),
    BOTH ("a query tells the stock of each record", a_query_tells_the_stock_of_each_record),
    BOTH ("a query can be for the children of one parent", a_query_can_be_for_the_children_of_one_parent),
    { "a short query does not wait for a long one", test_a_short_query_does_not_wait_for_a_long_one },
    { "how long a query looks is bounded", test_how_long_a_query_looks_is_bounded },
    { "a store that closes ends what is under way", test_a_store_that_closes_ends_what_is_under_way });
}
