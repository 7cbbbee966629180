#include "hub/map.h"
#include "hub/pass.h"
#include "hub/reason.h"
#include "tap.h"

#include <string.h>

static guint64
mix (guint64 i)
{
  return i * 0x9e3779b97f4a7c15ull + 1;
}

static void
test_map_finds_what_was_added (void)
{
  g_autoptr (Map) map = map_new ();
  for (guint64 i = 0; i < 10000; i++) {
    CU_ASSERT_PTR_NULL_FATAL (map_find (map, mix (i)));
    CU_ASSERT_EQUAL_FATAL (map_ordinal (map, map_add (map, mix (i))), i);
  }
  for (guint64 i = 0; i < 10000; i++)
    CU_ASSERT_EQUAL_FATAL (map_ordinal (map, map_find (map, mix (i))), i);
  CU_ASSERT_PTR_NULL (map_find (map, mix (10000)));
  CU_ASSERT_EQUAL (map_alive (map), 10000);
}

static void
test_map_loads_in_any_order_and_refuses_two_of_one_hash (void)
{
  g_autoptr (Map) map = map_new ();
  for (guint i = 500; i-- > 0;)
    if (i % 3)
      CU_ASSERT (map_load (map, i, &(MapEntry){ .id_hash = mix (i), .deleted = i % 2 }));
  CU_ASSERT_FALSE (map_load (map, 600, &(MapEntry){ .id_hash = mix (1) }));
  CU_ASSERT_EQUAL (map_count (map), 500);
  for (guint i = 0; i < 500; i++) {
    MapEntry *entry = map_find (map, mix (i));
    CU_ASSERT_EQUAL (entry != NULL, i % 3 != 0);
    CU_ASSERT (!entry || map_ordinal (map, entry) == i);
  }
  MapEntry *next = map_add (map, mix (1000));
  CU_ASSERT_EQUAL (map_ordinal (map, next), 500);
}

/* An ordinal far above the count of what is in the index, and then others around it. */
static void
test_map_takes_an_ordinal_far_away (void)
{
  g_autoptr (Map) map = map_new ();
  CU_ASSERT (map_load (map, 5, &(MapEntry){ .id_hash = mix (5) }));
  CU_ASSERT (map_load (map, 3000000, &(MapEntry){ .id_hash = mix (3000000) }));
  for (guint i = 0; i < 1000; i++)
    CU_ASSERT_EQUAL (map_load (map, i, &(MapEntry){ .id_hash = mix (i) }), i != 5);
  for (guint i = 0; i < 1000; i++)
    CU_ASSERT_EQUAL_FATAL (map_ordinal (map, map_find (map, mix (i))), i);
  CU_ASSERT_EQUAL (map_ordinal (map, map_find (map, mix (3000000))), 3000000);
  CU_ASSERT_PTR_NULL (map_find (map, 0));
  CU_ASSERT_EQUAL (map_ordinal (map, map_add (map, mix (1000))), 3000001);
  CU_ASSERT_EQUAL (map_ordinal (map, map_find (map, mix (1000))), 3000001);
}

static void
test_map_counts_the_living (void)
{
  g_autoptr (Map) map = map_new ();
  MapEntry *entry = map_add (map, mix (1));
  map_set_deleted (map, entry, TRUE);
  map_set_deleted (map, entry, TRUE);
  CU_ASSERT_EQUAL (map_alive (map), 0);
  map_set_deleted (map, entry, FALSE);
  CU_ASSERT_EQUAL (map_alive (map), 1);
}

static void
count_child (guint32 ordinal, gpointer data)
{
  ++*(guint *)data;
}

static guint
children (Map *map, guint64 parent)
{
  guint count = 0;
  map_each_child (map, parent, count_child, &count);
  return count;
}

static void
test_map_follows_children_to_another_parent (void)
{
  g_autoptr (Map) map = map_new ();
  for (guint i = 0; i < 10; i++)
    map_set_parent (map, map_add (map, mix (i)), 1 + i % 2);
  CU_ASSERT_EQUAL (children (map, 1), 5);
  map_set_parent (map, map_find (map, mix (0)), 2);
  map_set_parent (map, map_add (map, mix (10)), 2);
  map_set_deleted (map, map_find (map, mix (1)), TRUE);
  CU_ASSERT_EQUAL (children (map, 1), 4);
  CU_ASSERT_EQUAL (children (map, 2), 6);
  CU_ASSERT_EQUAL (children (map, 3), 0);
}

static void
test_a_pass_comes_back_from_what_was_saved (void)
{
  g_autoptr (Pass) pass = pass_new ("pass_01JNC3W0Q4T8Z5X7Y2B6K9M1RD", "downtown", "pos", "products", TRUE);
  pass->state = PASS_RUNNING;
  pass->started_ms = 1772471740120;
  pass->pages = 3;
  pass->sums = (PassSums){
    .seen = 10, .stored = 4, .unchanged = 2, .rejected = 1, .filtered = 3, .plugin = 1, .older = 2
  };
  pass->cursor = json_tokener_parse ("{\"page\":\"4\"}");
  json_object *saved = pass_to_saved (pass);
  g_autoptr (Pass) back = pass_from_saved (saved);
  CU_ASSERT_PTR_NOT_NULL_FATAL (back);
  CU_ASSERT_STRING_EQUAL (back->id, pass->id);
  CU_ASSERT_EQUAL (back->state, PASS_RUNNING);
  CU_ASSERT_EQUAL (back->started_ms, pass->started_ms);
  CU_ASSERT_EQUAL (memcmp (&back->sums, &pass->sums, sizeof back->sums), 0);
  CU_ASSERT (json_object_equal (back->cursor, pass->cursor));
  CU_ASSERT (pass_sums_agree (&back->sums));
  json_object_put (saved);
}

static void
test_sums_that_do_not_agree_are_seen (void)
{
  CU_ASSERT_FALSE (pass_sums_agree (&(PassSums){ .seen = 2, .stored = 1 }));
  CU_ASSERT_FALSE (pass_sums_agree (&(PassSums){ .seen = 1, .filtered = 1 }));
  CU_ASSERT (pass_sums_agree (&(PassSums){ .seen = 1, .filtered = 1, .duplicate = 1 }));
}

static void
test_a_shop_is_not_emptied (void)
{
  CU_ASSERT (pass_may_delete (100, 0));
  CU_ASSERT (pass_may_delete (100, 30));
  CU_ASSERT_FALSE (pass_may_delete (100, 31));
  CU_ASSERT_FALSE (pass_may_delete (1, 1));
  CU_ASSERT_FALSE (pass_may_delete (3, 1));
}

static void
test_every_reason_has_words_and_somebody (void)
{
  for (Reason reason = REASON_NONE; reason < REASONS; reason++) {
    CU_ASSERT_PTR_NOT_NULL_FATAL (reason_word (reason));
    CU_ASSERT (reason == REASON_NONE || (*reason_text (reason) && *reason_who (reason)));
  }
  CU_ASSERT_EQUAL (reason_of_status ("rate_limit_exceeded"), REASON_VENDOR_ASKS_TO_WAIT);
  CU_ASSERT_EQUAL (reason_of_status ("internal"), REASON_PLUGIN_FAILED);
}

int
main (void)
{
  return TAP_RUN ("hub", { "map finds what was added", test_map_finds_what_was_added },
                  { "map loads in any order, and refuses two of one hash",
                    test_map_loads_in_any_order_and_refuses_two_of_one_hash },
                  { "map takes an ordinal far away", test_map_takes_an_ordinal_far_away },
                  { "map counts the living", test_map_counts_the_living },
                  { "map follows children to another parent", test_map_follows_children_to_another_parent },
                  { "a pass comes back from what was saved", test_a_pass_comes_back_from_what_was_saved },
                  { "sums that do not agree are seen", test_sums_that_do_not_agree_are_seen },
                  { "a shop is not emptied", test_a_shop_is_not_emptied },
                  { "every reason has words, and somebody", test_every_reason_has_words_and_somebody });
}
