#include "worker/skip.h"
#include "base/hash.h"
#include "tap.h"

#include <string.h>

enum { ITEMS = 400, ROUNDS = 60, KEEP_MS = 10 };

typedef struct {
  Loop *loop;
  Skip *skip;
} Scene;

static void
scene_set (Scene *scene)
{
  scene->loop = loop_new ();
  scene->skip = skip_new (scene->loop, KEEP_MS);
}

static void
scene_clear (Scene *scene)
{
  skip_free (scene->skip);
  loop_free (scene->loop);
}

/* What an item of this version gives: 0 to 3 records, of any kind. */
static guint
records_of (guint64 item, SkipRecord records[3])
{
  guint count = (guint)(item % 4);
  for (guint i = 0; i < count; i++)
    records[i] =
      (SkipRecord){ .kind = (guint8)((item >> 8) % 7), .id_hash = item + i, .hash = item * 31 + i };
  return count;
}

static void
check_item (Skip *skip, guint64 item)
{
  SkipRecord expected[3];
  guint place, count, wanted = records_of (item, expected);
  CU_ASSERT_TRUE_FATAL (skip_find (skip, item, &place, &count));
  CU_ASSERT_EQUAL_FATAL (count, wanted);
  for (guint i = 0; i < count; i++) {
    SkipRecord found = skip_record (skip, place + i);
    CU_ASSERT_TRUE_FATAL (found.kind == expected[i].kind && found.id_hash == expected[i].id_hash &&
                          found.hash == expected[i].hash);
  }
}

static guint64
item_hash (guint number, guint version)
{
  guint64 both = (guint64)number << 32 | version;
  return hash_bytes (&both, sizeof both, 7);
}

/* Passes over items that change, go and come back: what is found is always what a mapping of the same bytes
 * gives, and after a whole full pass nothing else is known. */
static void
test_skipping_gives_what_mapping_would_give (void)
{
  Scene scene;
  scene_set (&scene);
  guint version[ITEMS] = { 0 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (11);
  for (guint round = 0; round < ROUNDS; round++) {
    gboolean full = round % 3 == 0, fails = round % 7 == 5;
    guint met = 0;
    CU_ASSERT_TRUE (skip_begin (scene.skip, &scene, full));
    for (guint i = 0; i < ITEMS; i++) {
      if (g_rand_int_range (rand, 0, 10) == 0)
        version[i]++;
      if (g_rand_int_range (rand, 0, 4) == 0)
        continue;
      met++;
      guint64 item = item_hash (i, version[i]);
      guint place, count;
      SkipRecord records[3];
      if (skip_find (scene.skip, item, &place, &count))
        check_item (scene.skip, item);
      else
        skip_remember (scene.skip, item, records, records_of (item, records));
      check_item (scene.skip, item);
    }
    skip_end (scene.skip, &scene, fails, full);
    if (full && !fails)
      CU_ASSERT_EQUAL (skip_items (scene.skip), met);
  }
  scene_clear (&scene);
}

static void
test_what_a_failed_page_gave_is_not_remembered (void)
{
  Scene scene;
  scene_set (&scene);
  SkipRecord records[3];
  guint place, count;
  skip_begin (scene.skip, &scene, TRUE);
  skip_remember (scene.skip, 6, records, records_of (6, records));
  skip_end (scene.skip, &scene, FALSE, FALSE);
  skip_begin (scene.skip, &scene, FALSE);
  skip_remember (scene.skip, 7, records, records_of (7, records));
  skip_end (scene.skip, &scene, TRUE, FALSE);
  CU_ASSERT_FALSE (skip_find (scene.skip, 7, &place, &count));
  check_item (scene.skip, 6);
  CU_ASSERT_EQUAL (skip_items (scene.skip), 1);
  scene_clear (&scene);
}

static void
test_an_item_that_is_read_again_replaces_what_it_gave (void)
{
  Scene scene;
  scene_set (&scene);
  SkipRecord other = { .kind = 2, .id_hash = 1, .hash = 2 }, records[3];
  guint place, count;
  skip_begin (scene.skip, &scene, TRUE);
  skip_remember (scene.skip, 7, records, records_of (7, records));
  skip_remember (scene.skip, 7, &other, 1);
  CU_ASSERT_TRUE (skip_find (scene.skip, 7, &place, &count));
  CU_ASSERT_EQUAL (count, 1);
  CU_ASSERT_EQUAL (skip_record (scene.skip, place).hash, 2);
  CU_ASSERT_EQUAL (skip_items (scene.skip), 1);
  skip_end (scene.skip, &scene, FALSE, TRUE);
  CU_ASSERT_EQUAL (skip_items (scene.skip), 1);
  scene_clear (&scene);
}

/* Passes of changes alone: what was replaced does not pile up. */
static void
test_what_changes_again_and_again_takes_no_more_room (void)
{
  Scene scene;
  scene_set (&scene);
  SkipRecord records[3];
  for (guint round = 0; round < 1000; round++) {
    skip_begin (scene.skip, &scene, FALSE);
    for (guint64 item = 0; item < 50; item++)
      skip_remember (scene.skip, item, records, records_of (item, records));
    skip_end (scene.skip, &scene, FALSE, FALSE);
  }
  CU_ASSERT_EQUAL (skip_items (scene.skip), 50);
  CU_ASSERT_TRUE (skip_bytes (scene.skip) < 20000);
  check_item (scene.skip, 7);
  scene_clear (&scene);
}

static void
test_one_call_at_a_time_writes (void)
{
  Scene scene;
  scene_set (&scene);
  int other;
  CU_ASSERT_TRUE (skip_begin (scene.skip, &scene, TRUE));
  CU_ASSERT_FALSE (skip_begin (scene.skip, &other, TRUE));
  skip_end (scene.skip, &other, FALSE, TRUE);
  CU_ASSERT_FALSE (skip_begin (scene.skip, &other, TRUE));
  skip_end (scene.skip, &scene, FALSE, TRUE);
  CU_ASSERT_TRUE (skip_begin (scene.skip, &other, TRUE));
  scene_clear (&scene);
}

static void
test_a_stream_that_nobody_asks_for_is_forgotten (void)
{
  Scene scene;
  scene_set (&scene);
  SkipRecord records[3];
  loop_turn (scene.loop, 0);
  skip_begin (scene.skip, &scene, TRUE);
  skip_remember (scene.skip, 7, records, records_of (7, records));
  skip_end (scene.skip, &scene, FALSE, TRUE);
  gsize held = skip_bytes (scene.skip);
  while (skip_items (scene.skip))
    CU_ASSERT_TRUE_FATAL (loop_turn (scene.loop, -1)); /* wakes for the timer */
  CU_ASSERT_TRUE (skip_bytes (scene.skip) < held);
  scene_clear (&scene);
}

/* In the order in which they were remembered, from behind, and in leaps: with some replaced, dead entries lie
 * in between. */
static void
test_items_are_found_in_any_order (void)
{
  Scene scene;
  scene_set (&scene);
  skip_begin (scene.skip, &scene, TRUE);
  for (guint version = 0; version < 2; version++)
    for (guint i = 0; i < ITEMS; i += version ? 7 : 1) {
      SkipRecord records[3];
      guint64 item = item_hash (i, 0);
      skip_remember (scene.skip, item, records, records_of (item, records));
    }
  for (guint i = 0; i < ITEMS; i++)
    check_item (scene.skip, item_hash (i, 0));
  for (guint i = ITEMS; i-- > 0;)
    check_item (scene.skip, item_hash (i, 0));
  for (guint i = 0; i < ITEMS; i++) {
    guint place, count;
    check_item (scene.skip, item_hash (i * 37 % ITEMS, 0));
    CU_ASSERT_FALSE_FATAL (skip_find (scene.skip, item_hash (i, 1), &place, &count));
  }
  skip_end (scene.skip, &scene, FALSE, FALSE);
  scene_clear (&scene);
}

static void
test_a_million_items_take_about_34_bytes_each (void)
{
  Scene scene;
  scene_set (&scene);
  skip_begin (scene.skip, &scene, TRUE);
  for (guint i = 0; i < 1000000; i++) {
    SkipRecord record = { .id_hash = i, .hash = i };
    skip_remember (scene.skip, item_hash (i, 0), &record, 1);
  }
  skip_end (scene.skip, &scene, FALSE, TRUE);
  CU_ASSERT_EQUAL (skip_items (scene.skip), 1000000);
  double each = (double)skip_bytes (scene.skip) / 1e6;
  printf ("# %.1f bytes an item\n", each);
  CU_ASSERT_TRUE (each <= 36);
  scene_clear (&scene);
}

int
main (void)
{
  return TAP_RUN (
    "skip", { "skipping gives what mapping would give", test_skipping_gives_what_mapping_would_give },
    { "what a failed page gave is not remembered", test_what_a_failed_page_gave_is_not_remembered },
    { "an item that is read again replaces what it gave",
      test_an_item_that_is_read_again_replaces_what_it_gave },
    { "what changes again and again takes no more room",
      test_what_changes_again_and_again_takes_no_more_room },
    { "items are found in any order", test_items_are_found_in_any_order },
    { "one call at a time writes", test_one_call_at_a_time_writes },
    { "a stream that nobody asks for is forgotten", test_a_stream_that_nobody_asks_for_is_forgotten },
    { "a million items take about 34 bytes each", test_a_million_items_take_about_34_bytes_each });
}
