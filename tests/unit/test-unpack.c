/* Packed bodies, unpacked in pieces of any size; and what is remembered of pages. */
#include "tap.h"
#include "worker/pages.h"
#include "worker/unpack.h"

#include <string.h>
#include <zlib.h>

enum { BODY_BYTES = 300000 };

static GByteArray *
pack (const char *text, gsize length)
{
  z_stream zlib = { 0 };
  GByteArray *out = g_byte_array_new ();
  deflateInit2 (&zlib, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  g_byte_array_set_size (out, (guint)deflateBound (&zlib, length));
  zlib.next_in = (Bytef *)(guintptr)text;
  zlib.avail_in = (uInt)length;
  zlib.next_out = out->data;
  zlib.avail_out = out->len;
  deflate (&zlib, Z_FINISH);
  g_byte_array_set_size (out, (guint)zlib.total_out);
  deflateEnd (&zlib);
  return out;
}

static char *
random_body (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  char *body = g_malloc (BODY_BYTES + 1);
  for (guint i = 0; i < BODY_BYTES; i++)
    body[i] = (char)('a' + g_rand_int_range (rand, 0, i / 1000 % 20 + 1));
  body[BODY_BYTES] = '\0';
  return body;
}

/* All of the bytes, given by so many at a time. NULL: what is wrong stands in *error. */
static GString *
unpack_all (Unpack *unpack, const char *bytes, gsize length, gsize by, gsize room_size, GError **error)
{
  GString *out = g_string_new (NULL);
  g_autofree char *room = g_malloc (room_size);
  while (length > 0) {
    const char *at = bytes;
    gsize left = MIN (by, length), given = left, got = 1;
    while (left > 0 || got > 0) {
      if (!unpack_some (unpack, &at, &left, room, room_size, &got, error)) {
        g_string_free (out, TRUE);
        return NULL;
      }
      g_string_append_len (out, room, (gssize)got);
    }
    bytes += given;
    length -= given;
  }
  return out;
}

static void
test_pieces_of_any_size_give_the_body (void)
{
  static const gsize sizes[][2] = { { 1, 7 }, { 13, 64 << 10 }, { 4096, 1000 }, { G_MAXINT, 64 << 10 } };
  g_autofree char *body = random_body ();
  g_autoptr (GByteArray) packed = pack (body, BODY_BYTES);
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    Unpack *unpack = unpack_new (i % 2 ? "gzip" : "X-GZIP");
    g_autoptr (GError) error = NULL;
    GString *out =
      unpack_all (unpack, (const char *)packed->data, packed->len, sizes[i][0], sizes[i][1], &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL (out);
    CU_ASSERT_STRING_EQUAL (out->str, body);
    CU_ASSERT_TRUE (unpack_is_whole (unpack));
    g_string_free (out, TRUE);
    unpack_free (unpack);
  }
}

static void
test_members_may_follow_one_another (void)
{
  g_autoptr (GByteArray) packed = pack ("one ", 4), second = pack ("two", 3);
  g_byte_array_append (packed, second->data, second->len);
  Unpack *unpack = unpack_new ("gzip");
  GString *out = unpack_all (unpack, (const char *)packed->data, packed->len, 5, 100, NULL);
  CU_ASSERT_PTR_NOT_NULL_FATAL (out);
  CU_ASSERT_STRING_EQUAL (out->str, "one two");
  CU_ASSERT_TRUE (unpack_is_whole (unpack));
  g_string_free (out, TRUE);
  unpack_free (unpack);
}

static void
test_what_is_cut_is_not_whole (void)
{
  g_autoptr (GByteArray) packed = pack ("a body of some words", 20);
  for (guint length = 1; length < packed->len; length++) {
    Unpack *unpack = unpack_new ("gzip");
    GString *out = unpack_all (unpack, (const char *)packed->data, length, 3, 100, NULL);
    CU_ASSERT_PTR_NOT_NULL (out);
    CU_ASSERT_FALSE (unpack_is_whole (unpack));
    g_string_free (out, TRUE);
    unpack_free (unpack);
  }
}

static void
expect_wrong (const char *coding, const char *bytes, gsize length, const char *words)
{
  g_autoptr (GError) error = NULL;
  Unpack *unpack = unpack_new (coding);
  CU_ASSERT_PTR_NULL (unpack_all (unpack, bytes, length, length, 100, &error));
  CU_ASSERT_PTR_NOT_NULL_FATAL (error);
  CU_ASSERT_PTR_NOT_NULL (strstr (error->message, words));
  unpack_free (unpack);
}

static void
test_what_makes_no_sense_says_why (void)
{
  g_autoptr (GByteArray) packed = pack ("a body of some words", 20), trailed = pack ("x", 1);
  expect_wrong ("gzip", "{\"plain\":1}", 11, "cannot be unpacked");
  expect_wrong ("br", "x", 1, "packed as \"br\"");
  packed->data[packed->len - 5] ^= 1; /* of the check sum */
  expect_wrong ("gzip", (const char *)packed->data, packed->len, "incorrect data check");
  g_byte_array_append (trailed, (const guint8 *)"rubbish", 7);
  expect_wrong ("gzip", (const char *)trailed->data, trailed->len, "cannot be unpacked");
}

/* ---- pages ---- */

static Page
page_of (guint items)
{
  return (Page){ .etag = g_strdup ("\"1\""),
                 .headers = g_strdup (""),
                 .shell = g_strdup ("{}"),
                 .shell_length = 2,
                 .items = g_new0 (guint64, items),
                 .count = items };
}

static void
keep (Pages *pages, guint64 request, guint items)
{
  Page page = page_of (items);
  pages_keep (pages, request, &page);
}

static void
test_what_a_whole_pass_did_not_meet_is_dropped (void)
{
  Pages *pages = pages_new ();
  keep (pages, 1, 10);
  keep (pages, 2, 10);
  pages_pass_begins (pages);
  CU_ASSERT_PTR_NOT_NULL (pages_find (pages, 1));
  keep (pages, 3, 10);
  pages_pass_is_complete (pages);
  CU_ASSERT_EQUAL (pages_count (pages), 2);
  CU_ASSERT_PTR_NULL (pages_find (pages, 2));
  pages_drop (pages, 1);
  pages_drop (pages, 3);
  CU_ASSERT_EQUAL (pages_bytes (pages), 0);
  pages_free (pages);
}

static void
test_pages_have_a_ceiling (void)
{
  Pages *pages = pages_new ();
  for (guint i = 1; i <= 40; i++)
    keep (pages, i, PAGES_BYTES_MOST / 8 / 20);
  CU_ASSERT_TRUE (pages_bytes (pages) <= PAGES_BYTES_MOST);
  CU_ASSERT_EQUAL (pages_count (pages), 19);
  keep (pages, 1, 10); /* in the place of a large one */
  CU_ASSERT_EQUAL (pages_count (pages), 19);
  keep (pages, 40, PAGES_BYTES_MOST / 8 / 20);
  CU_ASSERT_EQUAL (pages_count (pages), 20);
  pages_free (pages);
}

int
main (void)
{
  return TAP_RUN (
    "unpack", { "pieces of any size give the body", test_pieces_of_any_size_give_the_body },
    { "members may follow one another", test_members_may_follow_one_another },
    { "what is cut is not whole", test_what_is_cut_is_not_whole },
    { "what makes no sense says why", test_what_makes_no_sense_says_why },
    { "what a whole pass did not meet is dropped", test_what_a_whole_pass_did_not_meet_is_dropped },
    { "pages have a ceiling", test_pages_have_a_ceiling });
}
