#include <string.h>
#include "json/blocks.h"
#include "json/json.h"
#include "tap.h"

enum { ITEM_MOST = 1 << 16, REST_MOST = 1 << 16 };

/* Feeds a body in pieces and writes down what comes: "item|item|" then "rest=..." or "error=...". */
static char *
split (const char *where, const char *body, gsize length, gsize piece, gsize item_most, gsize rest_most)
{
  GString *out = g_string_new (NULL);
  JsonSplitter *splitter = json_splitter_new (where, item_most, rest_most);
  JsonSplit got = JSON_SPLIT_MORE;
  for (gsize at = 0; got == JSON_SPLIT_MORE; at += piece) {
    if (at < length) {
      g_autofree char *copy =
        g_memdup2 (body + at, MIN (piece, length - at)); /* gone before the items are looked at */
      json_splitter_feed (splitter, copy, MIN (piece, length - at));
    } else
      json_splitter_finish (splitter);
    char *item;
    gsize item_length;
    while ((got = json_splitter_next (splitter, &item, &item_length)) == JSON_SPLIT_ITEM) {
      CU_ASSERT_EQUAL (memcmp (body + json_splitter_offset (splitter) - item_length, item, item_length), 0);
      g_string_append_len (out, item, (gssize)item_length);
      g_string_append_c (out, '|');
      memset (item, '"', item_length); /* an item may be written into */
    }
  }
  if (got == JSON_SPLIT_END) {
    gsize rest_length;
    char *rest = json_splitter_rest (splitter, &rest_length);
    g_string_append (out, json_splitter_found (splitter) ? "rest=" : "nothing=");
    g_string_append_len (out, rest, (gssize)rest_length);
  } else
    g_string_append_printf (out, "error=%s", json_splitter_error (splitter));
  json_splitter_free (splitter);
  return g_string_free (out, FALSE);
}

static void
check (const char *where, const char *body, const char *wanted)
{
  for (gsize piece = 1; piece <= strlen (body) + 1; piece++) {
    g_autofree char *got = split (where, body, strlen (body), piece, ITEM_MOST, REST_MOST);
    if (strcmp (got, wanted) != 0)
      g_printerr ("# pieces of %zu: %s\n# wanted %s\n", piece, got, wanted);
    CU_ASSERT_STRING_EQUAL (got, wanted);
  }
}

static void
test_items_are_cut_out_and_the_rest_is_kept (void)
{
  check ("data.list[]",
         "{\"ok\":true,\"data\":{\"n\":2,\"list\":[{\"a\":1} , {\"b\":[2]}],\"m\":3},\"z\":[4]}",
         "{\"a\":1}|{\"b\":[2]}|rest={\"ok\":true,\"data\":{\"n\":2,\"list\":[],\"m\":3},\"z\":[4]}");
  check ("list[]", "{\"list\":[]}", "rest={\"list\":[]}");
  check ("list[]", " { \"list\" : [ \n ] } ", "rest= { \"list\" : [] } ");
  check ("'a.b'.list[]", "{\"a\":{\"b\":1},\"a.b\":{\"list\":[1]}}",
         "1|rest={\"a\":{\"b\":1},\"a.b\":{\"list\":[]}}");
}

static void
test_a_bare_array_gives_values_of_every_kind (void)
{
  check ("[]", " [1, -2.5e3,\"a,]\\\"b\\\\\" ,true,null,[ [] , {\"]\":\"[\"}],{}]\n",
         "1|-2.5e3|\"a,]\\\"b\\\\\"|true|null|[ [] , {\"]\":\"[\"}]|{}|rest= []\n");
}

static void
test_brackets_in_strings_do_not_count (void)
{
  check ("[]", "[{\"a\":\"}}]]\\\"}\",\"b\\\\\":\"{\"},{\"\\\\\\\\\\\"}\":\"[[{{\"}]",
         "{\"a\":\"}}]]\\\"}\",\"b\\\\\":\"{\"}|{\"\\\\\\\\\\\"}\":\"[[{{\"}|rest=[]");
}

static void
test_only_the_array_at_the_path_is_taken (void)
{
  check ("list[]", "{\"data\":{\"list\":[1]},\"x\":[{\"list\":[2]}],\"list\":[3],\"list\":[4]}",
         "3|rest={\"data\":{\"list\":[1]},\"x\":[{\"list\":[2]}],\"list\":[],\"list\":[4]}");
  check ("a.list[]",
         "{\"b\":\"list\",\"list\":[1],\"a\":[{\"list\":[2]}],\"a\":{\"list2\":[],\"lis\":[],\"list\":{"
         "\"list\":[3]}}}",
         "nothing={\"b\":\"list\",\"list\":[1],\"a\":[{\"list\":[2]}],\"a\":{\"list2\":[],\"lis\":[],"
         "\"list\":{\"list\":[3]}}}");
  check ("a.list[]", "{\"a\":1,\"x\":{\"a\":{\"list\":[1]}},\"a\":{\"list\":[5]}}",
         "5|rest={\"a\":1,\"x\":{\"a\":{\"list\":[1]}},\"a\":{\"list\":[]}}");
}

static void
test_a_key_may_be_written_with_escapes (void)
{
  check ("list[]", "{\"l\\u0069st\":[1]}", "1|rest={\"l\\u0069st\":[]}");
  check ("list[]", "{\"list\\\"\":[1],\"\\\\list\":[2]}", "nothing={\"list\\\"\":[1],\"\\\\list\":[2]}");
}

static void
test_an_absent_array_is_told_from_an_empty_one (void)
{
  check ("data.list[]", "{\"error\":\"no \\\"list\\\"\"}", "nothing={\"error\":\"no \\\"list\\\"\"}");
  check ("list[]", "{\"list\":null}", "nothing={\"list\":null}");
  check ("list[]", "[1,2]", "nothing=[1,2]");
  check ("[]", "{\"a\":[1]}", "nothing={\"a\":[1]}");
  check ("[]", "42", "nothing=42");
  check ("[]", "", "nothing="); /* such as HTTP 204 has */
  check ("a[]", " \n", "nothing= \n");
}

static void
test_a_body_cut_off_is_an_error (void)
{
  const char *body = "{\"ok\":true,\"list\":[{\"a\":\"b\"},{\"c\":[1,2]},3,\"text\"],\"end\":\"x\"}";
  for (gsize length = 1; length < strlen (body); length++)
    for (gsize piece = 1; piece <= length + 1; piece++) {
      g_autofree char *got = split ("list[]", body, length, piece, ITEM_MOST, REST_MOST);
      CU_ASSERT_PTR_NOT_NULL (strstr (got, "error=the body ends before it is closed"));
    }
}

static void
test_commas_are_checked_between_items (void)
{
  check ("[]", "[1 2]", "1|error=expected , or ] behind an item");
  check ("[]", "[{}{}]", "{}|error=expected , or ] behind an item");
  check ("[]", "[1,]", "1|error=expected an item");
  check ("[]", "[,1]", "error=expected an item");
  check ("[]", "[1,,2]", "1|error=expected an item");
  check ("[]", "[1}", "1|error=expected , or ] behind an item");
  check ("[]", "[1:2]", "1:2|rest=[]"); /* the item's reader refuses it */
}

static void
test_lines_are_items (void)
{
  check ("\n", "{\"a\":1}\n\r\n  {\"b\":2} \r\n{\"c\":3}", "{\"a\":1}|{\"b\":2}|{\"c\":3}|rest=[]");
  check ("\n", "", "rest=[]");
  check ("\n", "\n\n", "rest=[]");
}

static void
test_ceilings_hold_however_the_body_comes (void)
{
  const char *body = "{\"pad\":\"0123456789\",\"list\":[[1],{\"a\":\"0123456789\"}]}";
  for (gsize piece = 1; piece <= strlen (body); piece++) {
    g_autofree char *fits = split ("list[]", body, strlen (body), piece, 18, 30);
    g_autofree char *item = split ("list[]", body, strlen (body), piece, 17, 30);
    g_autofree char *rest = split ("list[]", body, strlen (body), piece, 18, 29);
    g_autofree char *line = split ("\n", "1\n123\n", 6, piece, 2, 0);
    g_autofree char *text = split ("[]", "[\"abc\"]", 7, piece, 4, 99);
    CU_ASSERT_PTR_NOT_NULL (strstr (fits, "|rest="));
    CU_ASSERT_STRING_EQUAL (item, "[1]|error=an item is larger than may be");
    CU_ASSERT_PTR_NOT_NULL (strstr (rest, "error=what surrounds the items is larger than may be"));
    CU_ASSERT_STRING_EQUAL (line, "1|error=an item is larger than may be");
    CU_ASSERT_STRING_EQUAL (text, "error=an item is larger than may be");
  }
}

static void
test_a_million_brackets_are_no_trouble (void)
{
  g_autofree char *open = g_strnfill (1000000, '[');
  g_autofree char *got = split ("[]", open, 1000000, 4096, ITEM_MOST, REST_MOST);
  CU_ASSERT_STRING_EQUAL (got, "error=an item is larger than may be");
  g_autofree char *outside = split ("a[]", open, 1000000, 4096, ITEM_MOST, REST_MOST);
  CU_ASSERT_STRING_EQUAL (outside, "error=what surrounds the items is larger than may be");
  memset (open, '{', 1000000);
  g_autofree char *cut = split ("[]", open, 1000000, 100, 2000000, 2000000);
  CU_ASSERT_PTR_NOT_NULL (strstr (cut, "cut off"));
}

/* The number in the last three digits of "[0...0123]", whose end is given. */
static int
number_before (const char *end)
{
  return (end[-4] - '0') * 100 + (end[-3] - '0') * 10 + (end[-2] - '0');
}

static void
test_the_last_two_items_lie_still (void)
{
  JsonSplitter *splitter = json_splitter_new ("[]", ITEM_MOST, REST_MOST);
  char *item, *last[2] = { NULL };
  gsize length, lengths[2] = { 0 };
  int count = 0;
  JsonSplit got = JSON_SPLIT_MORE;
  json_splitter_feed (splitter, "[", 1);
  for (int i = 0; i < 400; i++) {
    g_autofree char *body = g_strdup_printf ("[%0*d],", 300 + i * 31 % 2000, i);
    for (gsize at = 0; at < strlen (body); at += 700)
      json_splitter_feed (splitter, body + at, MIN (700, strlen (body) - at));
    while ((got = json_splitter_next (splitter, &item, &length)) == JSON_SPLIT_ITEM) {
      for (int k = 0; k < 2 && last[k]; k++)
        CU_ASSERT_EQUAL (number_before (last[k] + lengths[k]), count - 1 - k);
      last[1] = last[0], lengths[1] = lengths[0];
      last[0] = item, lengths[0] = length;
      count++;
    }
    CU_ASSERT_EQUAL (got, JSON_SPLIT_MORE);
  }
  CU_ASSERT_TRUE (count > 390);
  json_splitter_free (splitter);
}

static void
test_large_bodies_come_out_the_same_in_pieces_of_any_size (void)
{
  static const gsize pieces[] = { 1, 63, 64, 65, 1000, 4096, 16384, 100000, 4000000 };
  g_autoptr (GRand) random = g_rand_new_with_seed (99);
  g_autoptr (GString) body = g_string_new ("{\"n\":0,\"list\":["), wanted = g_string_new (NULL);
  for (int i = 0; i < 300; i++) {
    gsize begin = body->len + (i > 0);
    g_string_append_printf (body, "%s{\"id\":%d,\"t\":[\"", i ? "," : "", i);
    for (int j = g_rand_int_range (random, 0, i % 50 ? 300 : 5000); j > 0; j--)
      g_string_append (body, j % 7 ? "plain" : "\\\"}]{[\\\\");
    g_string_append (body, "\",{}]}");
    g_string_append_len (wanted, body->str + begin, (gssize)(body->len - begin));
    g_string_append_c (wanted, '|');
  }
  g_string_append (body, "]}");
  g_string_append (wanted, "rest={\"n\":0,\"list\":[]}");
  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++) {
    g_autofree char *got = split ("list[]", body->str, body->len, pieces[i], ITEM_MOST, REST_MOST);
    CU_ASSERT_STRING_EQUAL (got, wanted->str);
  }
}

static void
test_the_offset_is_behind_the_item_given_last (void)
{
  const char *body = "{\"a\":[{\"b\":1}, 22 ,\"c\"]}";
  JsonSplitter *splitter = json_splitter_new ("a[]", ITEM_MOST, REST_MOST);
  char *item;
  gsize length;
  const int behind[] = { 13, 17, 22 };
  json_splitter_feed (splitter, body, strlen (body));
  json_splitter_finish (splitter);
  for (int i = 0; i < 3; i++) {
    CU_ASSERT_EQUAL (json_splitter_next (splitter, &item, &length), JSON_SPLIT_ITEM);
    CU_ASSERT_EQUAL (json_splitter_offset (splitter), behind[i]);
  }
  CU_ASSERT_EQUAL (json_splitter_next (splitter, &item, &length), JSON_SPLIT_END);
  json_splitter_free (splitter);
}

static void
test_places_that_are_no_array_are_refused (void)
{
  static const char *const bad[] = { "",     "a",    "a[0]",  "a[0].b[]", "a.[]",
                                     ".a[]", "a[]b", "a[][]", "a|b[]",    "'a[]" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    CU_ASSERT_PTR_NULL (json_splitter_new (bad[i], 1, 1));
}

/* Random soup of what matters to the block scanners: all must find the same ends. */
static void
test_every_block_scanner_finds_the_same (void)
{
  static const char soup[] = "\"\"\"\\\\{}{}[]a:,";
  g_autoptr (GRand) random = g_rand_new_with_seed (20260302);
  BlockScan scans[BLOCK_SCANS_MOST];
  int ends = 0;
  block_scans (scans);
  CU_ASSERT_PTR_NOT_NULL (scans[0]);
  for (int round = 0; round < 20000; round++) {
    char text[4 * BLOCK_SIZE];
    int rare = g_rand_int_range (random, 1, 20);
    for (gsize i = 0; i < sizeof text; i++)
      text[i] =
        g_rand_int_range (random, 0, rare) ? 'x' : soup[g_rand_int_range (random, 0, sizeof soup - 1)];
    text[0] = round % 2 ? '{' : '[';
    BlockState first = { .open = text[0] };
    const char *first_at = text;
    gboolean found = scans[0](&first, &first_at, text + sizeof text);
    ends += found;
    for (int i = 1; i < BLOCK_SCANS_MOST && scans[i]; i++) {
      BlockState state = { .open = text[0] };
      const char *at = text;
      CU_ASSERT_EQUAL (scans[i](&state, &at, text + sizeof text), found);
      CU_ASSERT_PTR_EQUAL (at, first_at);
      if (!found)
        CU_ASSERT_TRUE (state.depth == first.depth && state.in_string == first.in_string &&
                        state.escaped == first.escaped);
    }
  }
  CU_ASSERT_TRUE (ends > 1000 && ends < 19000);
}

int
main (void)
{
  return TAP_RUN (
    "json splitter",
    { "items are cut out and the rest is kept", test_items_are_cut_out_and_the_rest_is_kept },
    { "a bare array gives values of every kind", test_a_bare_array_gives_values_of_every_kind },
    { "brackets in strings do not count", test_brackets_in_strings_do_not_count },
    { "only the array at the path is taken", test_only_the_array_at_the_path_is_taken },
    { "a key may be written with escapes", test_a_key_may_be_written_with_escapes },
    { "an absent array is told from an empty one", test_an_absent_array_is_told_from_an_empty_one },
    { "a body cut off is an error", test_a_body_cut_off_is_an_error },
    { "commas are checked between items", test_commas_are_checked_between_items },
    { "lines are items", test_lines_are_items },
    { "ceilings hold however the body comes", test_ceilings_hold_however_the_body_comes },
    { "a million brackets are no trouble", test_a_million_brackets_are_no_trouble },
    { "the last two items lie still", test_the_last_two_items_lie_still },
    { "large bodies come out the same in pieces of any size",
      test_large_bodies_come_out_the_same_in_pieces_of_any_size },
    { "the offset is behind the item given last", test_the_offset_is_behind_the_item_given_last },
    { "places that are no array are refused", test_places_that_are_no_array_are_refused },
    { "every block scanner finds the same", test_every_block_scanner_finds_the_same });
}
