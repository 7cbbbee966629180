/* Overrides beside a worker that is made up, between any two steps of the disk. */
#include <string.h>

#include "../unit/tap.h"
#include "fake-hub.h"

enum { MINUTE_MS = 60000, MEGABYTE = 1 << 20 };

#define PLUM "{\"id\":\"a\",\"name\":\"PLUM\",\"quantity\":3}"
#define PEAR "{\"id\":\"a\",\"name\":\"PEAR\",\"quantity\":3}"
#define MINE "{\"name\":\"Mine\"}"
#define MINE_OVER_PLUM "{\"id\":\"a\",\"name\":\"Mine\",\"quantity\":3,\"overridden\":{\"name\":\"PLUM\"}}"
#define MINE_OVER_PEAR "{\"id\":\"a\",\"name\":\"Mine\",\"quantity\":3,\"overridden\":{\"name\":\"PEAR\"}}"

typedef struct {
  guint times;
  gboolean found;
  int code; /* of the error; -1: none */
  gboolean full;
} Told;

static HubCollection *
products (FakeHub *fake)
{
  return hub_collection_for (fake->hub, hub_store (fake->hub, "downtown"), "pos", MODEL_PRODUCTS);
}

static void
tell (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Told *told = data;
  told->times++;
  told->found = found;
  told->code = error ? error->code : -1;
  told->full = g_error_matches (error, STORE_ERROR, STORE_ERROR_FULL);
}

static void
ask (FakeHub *fake, const char *id, const char *set, Told *told)
{
  *told = (Told){ 0 };
  hub_override (fake->hub, products (fake), id, set, NULL, tell, told);
}

/* Asked, written and told. */
static void
override (FakeHub *fake, const char *id, const char *set)
{
  Told told;
  ask (fake, id, set, &told);
  fake_run (fake, 10);
  CU_ASSERT (told.times == 1 && told.found && told.code == -1);
}

static void
give (FakeHub *fake, const char *id, const char *body)
{
  fake_records (fake, fake->call, 1, (FakeRecord[]){ { .id = id, .body = body } });
}

/* A pass of one page with this one record; NULL: with none. */
static void
pass_with (FakeHub *fake, const char *body)
{
  if (body)
    give (fake, "a", body);
  fake_result (fake, fake->call, FAKE_DONE);
  fake_run (fake, 10);
}

/* The next pass has begun. */
static void
next_pass (FakeHub *fake)
{
  guint calls = fake->calls;
  fake_run (fake, MINUTE_MS + 1000);
  CU_ASSERT_EQUAL (fake->calls, calls + 1);
}

/* The next full pass has begun; passes of changes before it find nothing. */
static void
next_full_pass (FakeHub *fake)
{
  for (guint tries = 0; tries < 20; tries++) {
    guint calls = fake->calls;
    for (guint second = 0; fake->calls == calls && second < 70; second++)
      fake_run (fake, 1000);
    CU_ASSERT_EQUAL (fake->calls, calls + 1);
    if (strcmp (fake_asked (fake, "full"), "true") == 0)
      return;
    fake_result (fake, fake->call, FAKE_DONE);
    fake_run (fake, 10);
  }
  CU_FAIL ("no full pass began");
}

typedef struct {
  char *body, *source;
  guint64 seq, hash;
} Stored;

static gboolean
look (const StoreFound *found, gpointer data)
{
  Stored *stored = data;
  if (found->id_length != 1 || *found->id != 'a')
    return TRUE;
  stored->body = g_strndup (found->body, found->body_length);
  stored->source = g_strdup (found->source);
  stored->seq = found->seq;
  stored->hash = found->hash;
  return FALSE;
}

/* Of the product "a"; the change that it is in the feed. */
static gboolean
is_stored (FakeHub *fake, const char *body, const char *source, Stored *before)
{
  Stored stored = { 0 };
  store_list (fake->store, products (fake)->number, 0, G_MAXUINT, look, &stored, NULL);
  gboolean fits = g_strcmp0 (stored.body, body) == 0 && g_strcmp0 (stored.source, source) == 0;
  if (!fits)
    printf ("# got    %s %s\n# wanted %s %s\n", stored.body ? stored.body : "nothing", stored.source, body,
            source);
  g_free (stored.body);
  g_free (stored.source);
  stored.body = stored.source = NULL;
  if (before)
    *before = stored;
  return fits;
}

static void
count_state (const char *key, const char *json, gpointer data)
{
  ++*(guint *)data;
}

static guint
sets_kept (FakeHub *fake)
{
  guint count = 0;
  store_states (fake->store, "override:", count_state, &count, NULL);
  return count;
}

static FakeHub *
hub_with_plum (const FakeSetup *setup)
{
  FakeHub *fake = fake_hub_new (setup);
  pass_with (fake, PLUM);
  CU_ASSERT (is_stored (fake, PLUM, "pull", NULL));
  return fake;
}

/* ---- what lies over what ---- */

static void
test_the_hash_stays_the_vendors_so_that_unchanged_stays_unchanged (void)
{
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  Stored before, after;
  CU_ASSERT (is_stored (fake, PLUM, "pull", &before));
  override (fake, "a", MINE);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", &after));
  CU_ASSERT (after.hash == before.hash && after.seq > before.seq);
  next_pass (fake);
  pass_with (fake, PLUM);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", &before));
  CU_ASSERT_EQUAL (after.seq, before.seq);
  override (fake, "a", NULL);
  CU_ASSERT (is_stored (fake, PLUM, "override", NULL));
  CU_ASSERT_EQUAL (sets_kept (fake), 0);
}

static void
test_what_a_pass_has_gathered_is_written_first (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  next_pass (fake);
  fake->slow_disk = TRUE;
  give (fake, "a", PEAR);
  ask (fake, "a", MINE, &told);
  fake_run (fake, 10);
  CU_ASSERT_EQUAL (told.times, 0);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT (is_stored (fake, PEAR, "pull", NULL));
  fake->slow_disk = FALSE;
  fake_run (fake, 10);
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "override", NULL));
  fake_result (fake, fake->call, FAKE_DONE);
  fake_run (fake, 10);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
}

static void
test_what_a_pass_gathers_of_others_keeps_nobody_waiting (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  next_pass (fake);
  give (fake, "b", NULL);
  ask (fake, "a", MINE, &told);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT_EQUAL (told.times, 1);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", NULL));
}

/* The override is on its way to the disk when the vendor's next state comes: that waits for what becomes of
 * it. */
static void
come_between (FakeHub *fake, gboolean full, Told *told)
{
  next_pass (fake);
  fake->slow_disk = TRUE;
  ask (fake, "a", MINE, told);
  give (fake, "a", PEAR);
  fake_result (fake, fake->call, FAKE_DONE);
  mem_store_set_full (fake->store, full);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  mem_store_set_full (fake->store, FALSE);
  CU_ASSERT_EQUAL (told->times, 1);
  fake->slow_disk = FALSE;
  fake_run (fake, 10);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
}

static void
test_what_comes_while_an_override_is_written_lies_below_it (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  come_between (fake, FALSE, &told);
  CU_ASSERT (told.found);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "pull", NULL));
}

static void
test_an_override_that_cannot_be_written_leaves_no_trace (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  come_between (fake, TRUE, &told);
  CU_ASSERT (!told.found && told.full);
  CU_ASSERT (is_stored (fake, PEAR, "pull", NULL));
  CU_ASSERT_EQUAL (sets_kept (fake), 0);
  override (fake, "a", MINE);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "override", NULL));
}

/* Were the map believed, the vendor's state that was lost would be taken for stored. */
static void
test_what_a_pass_could_not_write_is_not_taken_for_stored (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  next_pass (fake);
  fake->slow_disk = TRUE;
  give (fake, "a", PEAR);
  fake_result (fake, fake->call, FAKE_MORE); /* is being written */
  ask (fake, "a", MINE, &told);
  mem_store_set_full (fake->store, TRUE);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  mem_store_set_full (fake->store, FALSE);
  fake->slow_disk = FALSE;
  fake_run (fake, 5000);
  CU_ASSERT (told.times == 1 && told.found);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", NULL));
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "cursor"), "{}");
  pass_with (fake, PEAR);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "pull", NULL));
}

static void
test_two_that_are_asked_for_at_once_are_written_in_their_order (void)
{
  Told first, second, third;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  fake->slow_disk = TRUE;
  ask (fake, "a", "{\"name\":\"First\"}", &first);
  ask (fake, "a", NULL, &second);
  ask (fake, "a", MINE, &third);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT (first.times == 1 && second.times == 0 && third.times == 0);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT (second.times == 1 && third.times == 0);
  CU_ASSERT (is_stored (fake, PLUM, "override", NULL));
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT_EQUAL (third.times, 1);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", NULL));
}

static gboolean
refuse (HubCollection *collection, const StoreFound *found, gpointer data)
{
  return FALSE;
}

static void
test_who_refuses_what_is_stored_by_then_changes_nothing (void)
{
  Told told = { 0 };
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  hub_override (fake->hub, products (fake), "a", MINE, refuse, tell, &told);
  fake_run (fake, 10);
  CU_ASSERT (told.times == 1 && !told.found && told.code == HUB_ERROR_DIFFERS);
  CU_ASSERT (is_stored (fake, PLUM, "pull", NULL));
}

static void
ignore_end (gpointer data)
{
}

static void
fetch (FakeHub *fake, const char *body)
{
  hub_fetch (fake->hub, products (fake), "a", MINUTE_MS, ignore_end, NULL);
  fake_run (fake, 0);
  CU_ASSERT_STRING_EQUAL (fake_asked (fake, "operation"), "\"fetch\"");
  give (fake, "a", body);
  fake_result (fake, fake->call, "{\"status\":\"ok\",\"ending\":\"none\"}");
}

static void
test_what_is_fetched_lies_below_an_override (void)
{
  Stored before, after;
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ .fetch = TRUE });
  override (fake, "a", MINE);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", &before));
  fetch (fake, PLUM);
  fake_run (fake, 10);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", &after));
  CU_ASSERT_EQUAL (after.seq, before.seq);
  fetch (fake, PEAR);
  fake_run (fake, 10);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "fetch", NULL));
  fake->slow_disk = TRUE;
  ask (fake, "a", NULL, &told);
  fetch (fake, PLUM);
  fake->slow_disk = FALSE;
  fake_run (fake, 10);
  CU_ASSERT (is_stored (fake, PLUM, "fetch", NULL));
}

/* As a version that knew no overrides leaves it. */
static void
test_the_same_set_mends_a_record_that_it_does_not_lie_over (void)
{
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  override (fake, "a", MINE);
  StoreRecord record = { .op = STORE_UPDATE,
                         .collection = products (fake)->number,
                         .hash = 1,
                         .id = "a",
                         .id_length = 1,
                         .body = PEAR,
                         .body_length = strlen (PEAR) };
  StoreBatch *batch = store_batch_new (fake->store, FALSE, "pull");
  store_batch_record (batch, &record);
  store_submit (fake->store, batch, NULL, NULL);
  fake_writes (fake);
  CU_ASSERT (is_stored (fake, PEAR, "pull", NULL));
  override (fake, "a", MINE);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "override", NULL));
}

/* ---- records that go, stock that goes to zero ---- */

static void
test_who_is_not_there_is_not_overridden (void)
{
  Told told;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  ask (fake, "nobody", MINE, &told);
  fake_run (fake, 10);
  CU_ASSERT (told.times == 1 && !told.found && told.code == -1);
  CU_ASSERT_EQUAL (sets_kept (fake), 0);
}

/* A full pass of ten others, and "a" where it is said. */
static void
full_pass_of_others (FakeHub *fake, const char *body)
{
  next_full_pass (fake);
  for (guint i = 0; i < 10; i++) {
    char id[] = { (char)('b' + i), 0 };
    give (fake, id, "{\"quantity\":1}");
  }
  pass_with (fake, body);
  CU_ASSERT_EQUAL (fake_stream (fake)->last->state, PASS_COMPLETE);
}

static void
test_stock_that_is_missing_goes_to_zero_below_an_override (void)
{
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ .zero = TRUE });
  Stored zero, later;
  full_pass_of_others (fake, PLUM);
  override (fake, "a", MINE);
  for (guint pass = 0; pass < 2; pass++) {
    full_pass_of_others (fake, NULL);
    CU_ASSERT_EQUAL (fake_stream (fake)->last->deleted, pass ? 0 : 1);
    CU_ASSERT (
      is_stored (fake, "{\"id\":\"a\",\"name\":\"Mine\",\"quantity\":0,\"overridden\":{\"name\":\"PLUM\"}}",
                 "pull", pass ? &later : &zero));
  }
  CU_ASSERT_EQUAL (later.seq, zero.seq);
  override (fake, "a", NULL);
  CU_ASSERT (is_stored (fake, "{\"id\":\"a\",\"name\":\"PLUM\",\"quantity\":0}", "override", NULL));
}

/* ---- maps, reloads, the end ---- */

static void
test_a_map_that_was_dropped_is_loaded_for_it (void)
{
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  CU_ASSERT (fake_reload (fake, &(FakeSetup){ .sync_off = TRUE }, NULL));
  fake_run (fake, 10 * MINUTE_MS);
  CU_ASSERT_PTR_NULL (products (fake)->map);
  override (fake, "a", MINE);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "override", NULL));
}

static void
test_a_reload_while_an_override_is_written_keeps_it (void)
{
  Told told;
  g_autoptr (GError) error = NULL;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  next_pass (fake);
  fake->slow_disk = TRUE;
  ask (fake, "a", MINE, &told);
  give (fake, "a", PEAR);
  fake_result (fake, fake->call, FAKE_DONE); /* waits behind it */
  CU_ASSERT (fake_reload (fake, &(FakeSetup){ .per_second = 5 }, &error));
  fake->slow_disk = FALSE;
  fake_run (fake, 10);
  CU_ASSERT (told.times == 1 && told.found);
  CU_ASSERT (is_stored (fake, MINE_OVER_PEAR, "pull", NULL));
  fake_run (fake, MINUTE_MS);
  pass_with (fake, PLUM);
  CU_ASSERT (is_stored (fake, MINE_OVER_PLUM, "pull", NULL));
}

static void
test_the_end_is_told_to_those_who_wait (void)
{
  Told first, second, third;
  FakeHub *fake = hub_with_plum (&(FakeSetup){ 0 });
  next_pass (fake);
  fake->slow_disk = TRUE;
  ask (fake, "a", MINE, &first);
  ask (fake, "a", NULL, &second);
  give (fake, "a", PEAR);
  fake_result (fake, fake->call, FAKE_DONE);
  ask (fake, "b", NULL, &third);
  fake_hub_free (fake);
  CU_ASSERT (first.times == 1 && first.code == HUB_ERROR_UNAVAILABLE);
  CU_ASSERT (second.times == 1 && second.code == HUB_ERROR_UNAVAILABLE);
  CU_ASSERT_EQUAL (third.times, 1);
}

static void
note_end (gpointer data)
{
  *(gboolean *)data = TRUE;
}

static void
test_the_end_waits_for_what_is_being_written (void)
{
  Told told;
  gboolean drained = FALSE;
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  fake->slow_disk = TRUE;
  ask (fake, "a", MINE, &told);
  hub_drain (fake->hub, fake->now_ms + MINUTE_MS, note_end, &drained);
  CU_ASSERT_FALSE (drained);
  CU_ASSERT_TRUE (mem_store_step (fake->store));
  CU_ASSERT (told.times == 1 && drained);
}

static void
test_sets_have_a_ceiling_together (void)
{
  Told told = { 0 };
  g_autoptr (FakeHub) fake = hub_with_plum (&(FakeSetup){ 0 });
  g_autofree char *text = g_strnfill (MEGABYTE, 'x'), *set = g_strdup_printf ("{\"name\":\"%s\"}", text);
  next_pass (fake);
  for (guint i = 0; i < 16; i++) {
    char id[] = { (char)('b' + i), 0 };
    give (fake, id, NULL);
  }
  fake_result (fake, fake->call, FAKE_DONE);
  fake_run (fake, 10);
  for (guint i = 0; i < 15; i++) {
    char id[] = { (char)('b' + i), 0 };
    override (fake, id, set);
  }
  ask (fake, "q", set, &told);
  fake_run (fake, 10);
  CU_ASSERT (told.times == 1 && told.code == HUB_ERROR_TOO_MANY);
  override (fake, "b", NULL);
  override (fake, "q", set);
  CU_ASSERT_EQUAL (sets_kept (fake), 15);
}

int
main (void)
{
  return TAP_RUN (
    "hub-overrides",
    { "the hash stays the vendor's, so that unchanged stays unchanged",
      test_the_hash_stays_the_vendors_so_that_unchanged_stays_unchanged },
    { "what a pass has gathered is written first", test_what_a_pass_has_gathered_is_written_first },
    { "what a pass gathers of others keeps nobody waiting",
      test_what_a_pass_gathers_of_others_keeps_nobody_waiting },
    { "what comes while an override is written lies below it",
      test_what_comes_while_an_override_is_written_lies_below_it },
    { "an override that cannot be written leaves no trace",
      test_an_override_that_cannot_be_written_leaves_no_trace },
    { "what a pass could not write is not taken for stored",
      test_what_a_pass_could_not_write_is_not_taken_for_stored },
    { "two that are asked for at once are written in their order",
      test_two_that_are_asked_for_at_once_are_written_in_their_order },
    { "who refuses what is stored by then changes nothing",
      test_who_refuses_what_is_stored_by_then_changes_nothing },
    { "what is fetched lies below an override", test_what_is_fetched_lies_below_an_override },
    { "the same set mends a record that it does not lie over",
      test_the_same_set_mends_a_record_that_it_does_not_lie_over },
    { "who is not there is not overridden", test_who_is_not_there_is_not_overridden },
    { "stock that is missing goes to zero below an override",
      test_stock_that_is_missing_goes_to_zero_below_an_override },
    { "a map that was dropped is loaded for it", test_a_map_that_was_dropped_is_loaded_for_it },
    { "a reload while an override is written keeps it", test_a_reload_while_an_override_is_written_keeps_it },
    { "the end is told to those who wait", test_the_end_is_told_to_those_who_wait },
    { "the end waits for what is being written", test_the_end_waits_for_what_is_being_written },
    { "sets have a ceiling together", test_sets_have_a_ceiling_together });
}
