/* What a plugin can ask of its call, asked from inside one. */
#include "tap.h"
#include "worker-bed.h"
#include "worker/handles.h"
#include "worker/services.h"

#include <string.h>

static tb_status (*body) (tb_call *call); /* what the plugin's check does */

static tb_status
check (tb_call *call)
{
  return body (call);
}

static const tb_setting settings[] = {
  { "url", TB_URL, TB_OPTIONAL, "https://vendor.example" },
  { "token", TB_SECRET, TB_OPTIONAL },
  { "rows", TB_INTEGER, TB_OPTIONAL, "50" },
  { "places", TB_TEXT_LIST, TB_OPTIONAL, "[\"front\", \"back\"]" },
  { "names", TB_TEXT_LIST },
  { "wait", TB_DURATION, TB_OPTIONAL, "15m" },
  { "share", TB_DECIMAL },
  { "on", TB_BOOLEAN },
};
static const tb_sizes sizes = TB_SIZES;
static const tb_plugin_info info = { .magic = TB_MAGIC,
                                     .major = TB_SDK_MAJOR,
                                     .minor = TB_SDK_MINOR,
                                     .sizes = &sizes,
                                     .name = "test",
                                     .version = "1.0.0",
                                     .settings = TB_LIST (settings),
                                     .check = check };

static void
run (tb_status (*what) (tb_call *), const char *status, const char *words)
{
  Bed bed;
  body = what;
  bed_set (&bed, &info, "{\"token\":\"Jefe\",\"share\":0.25,\"on\":true,\"names\":[\"a\",\"b\"]}");
  CU_ASSERT_TRUE (bed_status (&bed, status, words));
  bed_clear (&bed);
}

#define SAME(found, expected) CU_ASSERT_TRUE (tb_is (found, expected))

static tb_status
read_texts (tb_call *call)
{
  const tb_json *p = bed_read (
    call, "{\"a\":\"  two \\u00a0 words\\n\",\"blank\":\" \",\"none\":\"N/A\",\"id\":\"007 \",\"n\":12.50,"
          "\"null\":null,\"menu\":{\"title\":\"\"},\"name\":\"Plain\",\"list\":[1,2,3],\"lone\":{\"x\":1},"
          "\"bad\":\"caf\xe9\",\"loud\":\"\xc3\x89T\xc3\x89\",\"a.b\":\"dotted\"}");
  SAME (tb_text (p, "a"), "two words");
  CU_ASSERT_PTR_NULL (tb_text (p, "blank"));
  CU_ASSERT_PTR_NULL (tb_text (p, "none"));
  CU_ASSERT_PTR_NULL (tb_text (p, "null"));
  CU_ASSERT_PTR_NULL (tb_text (p, "missing"));
  SAME (tb_string (p, "id"), "007 ");
  SAME (tb_string (p, "n"), "12.50");
  SAME (tb_text (p, "menu.title|name"), "Plain");
  SAME (tb_string (p, "null|name"), "Plain");
  SAME (tb_text (p, "bad"), "caf\xef\xbf\xbd");
  SAME (tb_lower (p, "loud"), "\xc3\xa9t\xc3\xa9");
  SAME (tb_text (p, "'a.b'"), "dotted");
  SAME (tb_string (tb_at (p, "list[-1]"), ""), "3");
  CU_ASSERT_PTR_NULL (tb_at (p, "null"));
  CU_ASSERT_EQUAL (tb_count (p, "list"), 3);
  CU_ASSERT_EQUAL (tb_count (p, "lone"), 1);
  CU_ASSERT_EQUAL (tb_count (p, "missing"), 0);
  long long sum = 0;
  TB_FOR (row, p, "list")
    sum = sum * 10 + tb_int (row, "", 0);
  TB_FOR (row, p, "lone")
    sum = sum * 10 + tb_int (row, "x", 0);
  CU_ASSERT_EQUAL (sum, 1231);
  return TB_OK;
}

static void
test_texts_are_found_by_path_and_cleaned (void)
{
  run (read_texts, "ok", "");
}

/* Against the plain rule, for every place and byte. */
static tb_status
clean_texts (tb_call *call)
{
  for (int place = 0; place < 20; place++)
    for (int byte = 1; byte < 256; byte++) {
      char text[] = "abcdefghi klmnopqrst";
      text[place] = (char)byte;
      gboolean squeezed = byte == ' ' && (place == 0 || place == 8 || place == 10 || place == 19);
      gboolean mended = (byte < ' ' || byte >= 0x7f || squeezed);
      const char *cleaned = text_clean (call_of (call)->arena, text, 20);
      if ((cleaned != text) != mended)
        CU_FAIL ("a byte is mended that is well, or the other way round");
    }
  return TB_OK;
}

static void
test_what_is_clean_is_left_as_it_is (void)
{
  run (clean_texts, "ok", "");
}

static tb_status
read_numbers (tb_call *call)
{
  const tb_json *p = bed_read (
    call, "{\"i\":\"7200\",\"f\":7200.0,\"half\":16.035,\"text\":\"12.5\",\"neg\":-1.005,\"big\":1e30,"
          "\"cents\":1603,\"yes\":\"Yes\",\"one\":1,\"no\":false,\"word\":\"maybe\",\"empty\":\"\"}");
  CU_ASSERT_EQUAL (tb_int (p, "i", 0), 7200);
  CU_ASSERT_EQUAL (tb_int (p, "f", 0), 7200);
  CU_ASSERT_EQUAL (tb_int (p, "half", -1), -1);
  CU_ASSERT_EQUAL (tb_int (p, "empty", 5), 5);
  CU_ASSERT_EQUAL (tb_number (p, "text").nano, 12500000000);
  CU_ASSERT_FALSE (tb_number (p, "big").known);
  CU_ASSERT_FALSE (tb_number (p, "word").known);
  CU_ASSERT_EQUAL (tb_cash (p, "half").minor, 1604);
  CU_ASSERT_EQUAL (tb_cash (p, "neg").minor, -101);
  SAME (tb_cash (p, "half").currency, "USD");
  CU_ASSERT_EQUAL (tb_cash_in (p, "half", "JPY").minor, 16);
  CU_ASSERT_EQUAL (tb_cash_in (p, "half", "KWD").minor, 16035);
  CU_ASSERT_EQUAL (tb_cash_minor (p, "cents").minor, 1603);
  CU_ASSERT_FALSE (tb_known (tb_cash (p, "missing")));
  CU_ASSERT_TRUE (tb_yes (tb_bool (p, "yes")) && tb_yes (tb_bool (p, "one")) && tb_no (tb_bool (p, "no")));
  CU_ASSERT_EQUAL (tb_bool (p, "word").state, 0);
  CU_ASSERT_EQUAL (call_of (call)->note_count, 4);
  SAME (call_of (call)->notes[0].path, "half");
  SAME (call_of (call)->notes[2].reason, "not_a_number");
  SAME (call_of (call)->notes[2].value, "\"maybe\"");
  CU_ASSERT_EQUAL (tb_money_of (call, tb_decimal_of (16.035)).minor, 1604);
  SAME (tb_money_text (call, tb_money_of (call, tb_decimal_of (-0.05))), "-0.05");
  SAME (tb_money_text (call, tb_money_in (call, tb_decimal_of (12), "JPY")), "12");
  SAME (tb_decimal_text (call, tb_decimal_of (3.50)), "3.5");
  return TB_OK;
}

static void
test_numbers_amounts_and_flags_are_read_from_what_is_written (void)
{
  run (read_numbers, "ok", "");
}

static tb_status
note_places (tb_call *call)
{
  const tb_json *p = bed_read (call, "{\"prices\":[{\"dollars\":1},{\"dollars\":{\"x\":1}}]}");
  TB_FOR (row, p, "prices")
    tb_cash (row, "dollars");
  SAME (call_of (call)->notes[0].path, "prices[1].dollars");
  SAME (call_of (call)->notes[0].value, "{...}");
  return TB_OK;
}

static void
test_a_note_says_the_whole_path (void)
{
  run (note_places, "ok", "");
}

static tb_status
read_times (tb_call *call)
{
  const tb_json *p = bed_read (
    call,
    "{\"utc\":\"2026-03-02T17:15:40Z\",\"bare\":\"2026-03-02 09:15:40\",\"summer\":\"2026-07-02T09:15\","
    "\"date\":\"1989-03-07\",\"long\":\"1989-03-07T08:00:00.000Z\",\"us\":\"03/07/1989\",\"n\":5}");
  CU_ASSERT_EQUAL (tb_time (p, "utc"), 1772471740000);
  CU_ASSERT_EQUAL (tb_time_local (p, "utc"), 1772471740000);
  CU_ASSERT_EQUAL (tb_time (p, "bare"), 1772442940000);
  CU_ASSERT_EQUAL (tb_time_local (p, "bare"), 1772471740000);
  CU_ASSERT_EQUAL (tb_time_local (p, "summer") - tb_time (p, "summer"), 7 * 3600000);
  CU_ASSERT_EQUAL (tb_time (p, "us"), 0);
  CU_ASSERT_EQUAL (tb_time (p, "n"), 0);
  SAME (tb_date (p, "date"), "1989-03-07");
  SAME (tb_date (p, "long"), "1989-03-07");
  CU_ASSERT_PTR_NULL (tb_date (p, "us"));
  SAME (tb_utc (call, 1772471740120, TB_RFC3339), "2026-03-02T17:15:40Z");
  SAME (tb_local (call, 1772471740120, TB_RFC3339_LOCAL), "2026-03-02T09:15:40-08:00");
  SAME (tb_local (call, 1783000000000, "%a %d %b %Z %z"), "Thu 02 Jul PDT -0700");
  CU_ASSERT_PTR_NULL (tb_utc (call, 0, TB_RFC3339));
  CU_ASSERT_EQUAL (tb_read_time_local (call, " 2026-03-02 09:15 "), 1772471700000);
  CU_ASSERT_EQUAL (tb_read_time (call, "soon"), 0);
  CU_ASSERT_EQUAL (tb_read_time (call, "Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  CU_ASSERT_EQUAL (tb_read_time_local (call, "Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  CU_ASSERT_TRUE (tb_now (call) > 1700000000000);
  return TB_OK;
}

static void
test_times_are_read_and_written_on_both_clocks (void)
{
  run (read_times, "ok", "");
}

static tb_status
build (tb_call *call)
{
  const char *nothing = tb_text (bed_read (call, "{}"), "missing");
  tb_json *b = tb_build (call, "{ 'id': %s, 'none': %s, 'first': %d, 'total': %lld, 'list': [1, 'two'] }",
                         "a\"b", nothing, 50, 1LL << 40);
  SAME (tb_write (b),
        "{\"id\":\"a\\\"b\",\"none\":null,\"first\":50,\"total\":1099511627776,\"list\":[1,\"two\"]}");
  SAME (tb_string (b, "id"), "a\"b");
  tb_json *o = tb_object (call);
  tb_set_text (o, "a.b", "x");
  tb_set_text (o, "a.skipped", NULL);
  tb_set_digits (o, "n", "731");
  tb_set_digits (o, "s", "0731");
  tb_set_bool (o, "yes", tb_flag_of (true));
  tb_set_bool (o, "unsaid", (tb_flag){ 0 });
  tb_set_cash (o, "c", tb_money_of (call, tb_decimal_of (12.5)));
  tb_set_cash_text (o, "t", tb_money_of (call, tb_decimal_of (12.5)));
  tb_set_number (o, "d", tb_decimal_of (0.25));
  for (int i = 0; i < 2; i++)
    tb_set_int (tb_append (o, "lines"), "i", i);
  tb_set_int (o, "lines[1].j", 5);
  tb_append_text (o, "tags", "x");
  SAME (tb_write (o),
        "{\"a\":{\"b\":\"x\"},\"n\":731,\"s\":\"0731\",\"yes\":true,\"c\":12.50,\"t\":\"12.50\",\"d\":0.25,"
        "\"lines\":[{\"i\":0},{\"i\":1,\"j\":5}],\"tags\":[\"x\"]}");
  CU_ASSERT_EQUAL (tb_int (o, "lines[1].j", 0), 5);
  tb_set_int (o, "lines[1].j", 6);
  CU_ASSERT_EQUAL (tb_int (o, "lines[1].j", 0), 6);
  tb_unset (o, "a.b");
  tb_unset (o, "lines[0]");
  tb_set_null (o, "c");
  tb_json *copy = tb_copy (tb_at (o, "lines"));
  SAME (tb_write (copy), "[{\"i\":1,\"j\":6}]");
  tb_set_json (o, "inside", copy);
  tb_set_json (tb_object_at (o, "inside2"), "x", bed_read (call, "{\"deep\":[true,null,1.50]}"));
  SAME (tb_write (tb_at (o, "inside2")), "{\"x\":{\"deep\":[true,null,1.50]}}");
  SAME (tb_write (tb_at (o, "inside[0]")), "{\"i\":1,\"j\":6}");
  CU_ASSERT_PTR_NULL (tb_parse (call, "{\"a\":}"));
  SAME (tb_write (tb_parse (call, " [1, {\"a\" : 2}] ")), "[1,{\"a\":2}]");
  return TB_OK;
}

static void
test_documents_are_built_by_path (void)
{
  run (build, "ok", "");
}

static tb_status
build_through_a_text (tb_call *call)
{
  tb_json *o = tb_object (call);
  tb_set_text (o, "a", "text");
  tb_set_text (o, "a.b", "x");
  return tb_write (o) ? TB_OK : TB_OK;
}

static tb_status
set_what_was_read (tb_call *call)
{
  tb_set_text ((tb_json *)bed_read (call, "{}"), "a", "x");
  return TB_OK;
}

static tb_status
build_quoted (tb_call *call)
{
  return tb_write (tb_build (call, "{ 'id': '%s' }", "x")) ? TB_OK : TB_OK;
}

static tb_status
follow_no_path (tb_call *call)
{
  return tb_text (bed_read (call, "{}"), "a..b") ? TB_OK : TB_OK;
}

static tb_status
read_another_setting (tb_call *call)
{
  return tb_setting_text (call, "tokn") ? TB_OK : TB_OK;
}

static void
test_mistakes_fail_the_call_whatever_it_returns (void)
{
  run (build_through_a_text, "internal", "a document could not be built");
  run (set_what_was_read, "internal", "tb_copy() it first");
  run (build_quoted, "internal", "is not JSON");
  run (follow_no_path, "internal", "\"a..b\" is not a path");
  run (read_another_setting, "internal", "\"tokn\", which it does not describe");
}

static tb_status
read_settings (tb_call *call)
{
  SAME (tb_setting_text (call, "url"), "https://vendor.example");
  SAME (tb_setting_secret (call, "token"), "Jefe");
  CU_ASSERT_EQUAL (tb_setting_int (call, "rows"), 50);
  CU_ASSERT_EQUAL (tb_setting_ms (call, "wait"), 900000);
  CU_ASSERT_EQUAL (tb_setting_number (call, "share").nano, 250000000);
  CU_ASSERT_TRUE (tb_setting_bool (call, "on"));
  SAME (tb_setting_item (call, "places", 1), "back");
  CU_ASSERT_PTR_NULL (tb_setting_item (call, "places", 2));
  CU_ASSERT_TRUE (tb_setting_admits (call, "names", "b"));
  CU_ASSERT_FALSE (tb_setting_admits (call, "names", "c"));
  SAME (tb_store_id (call), "downtown");
  SAME (tb_currency (call), "USD");
  SAME (tb_timezone (call), "America/Los_Angeles");
  return TB_OK;
}

static void
test_settings_have_their_standards (void)
{
  run (read_settings, "ok", "");
}

static tb_status
help_with_texts (tb_call *call)
{
  SAME (tb_phone (call, "(555) 234-0100"), "+15552340100");
  SAME (tb_phone (call, "1-555-234-0100"), "+15552340100");
  SAME (tb_phone (call, "+44 20 7946 0958"), "+442079460958");
  CU_ASSERT_PTR_NULL (tb_phone (call, "555-0100"));
  CU_ASSERT_PTR_NULL (tb_phone (call, "call me"));
  SAME (
    tb_plain (
      call,
      "<p>Fresh &amp; <b>bright</b></p><ul><li>one</li><li>two&nbsp;&#8217;</li></ul><script>x()</script>"),
    "Fresh & bright\none\ntwo \xe2\x80\x99");
  SAME (tb_plain (call, "1 < 2 & 3"), "1 < 2 & 3");
  SAME (tb_shorten (call, "caf\xc3\xa9s", 4), "caf");
  SAME (tb_shorten (call, "caf\xc3\xa9s", 5), "caf\xc3\xa9");
  const char *uuid = tb_uuid (call);
  CU_ASSERT_TRUE (strlen (uuid) == 36 && uuid[14] == '4' && !tb_is (uuid, tb_uuid (call)));
  SAME (tb_stable_uuid (call, "order"), tb_stable_uuid (call, "order"));
  CU_ASSERT_FALSE (tb_is (tb_stable_uuid (call, "order"), tb_stable_uuid (call, "refund")));
  return TB_OK;
}

static void
test_helpers_for_texts (void)
{
  run (help_with_texts, "ok", "");
}

static tb_status
join (tb_call *call)
{
  tb_map *map = tb_map_new (call);
  void **first = tb_map_slot (map, "0");
  for (long long i = 0; i < 10000; i++)
    *tb_map_slot (map, tb_printf (call, "%lld", i)) = (void *)(intptr_t)(i + 1);
  CU_ASSERT_EQUAL ((intptr_t)*first, 1);
  CU_ASSERT_EQUAL ((intptr_t)tb_map_get (map, "9999"), 10000);
  CU_ASSERT_PTR_NULL (tb_map_get (map, "10000"));
  tb_cache (call, "name", "value", 60);
  SAME (tb_cached (call, "name"), "value");
  CU_ASSERT_PTR_NULL (tb_cached (call, "other"));
  return TB_OK;
}

static void
test_maps_join_and_caches_keep (void)
{
  run (join, "ok", "");
}

static tb_status
sign (tb_call *call)
{
  SAME (tb_hex (call, tb_digest (call, TB_SHA256, tb_bytes_of ("abc"))),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"); /* FIPS 180-4 */
  SAME (tb_hex (call, tb_hmac (call, TB_SHA256, "token", tb_bytes_of ("what do ya want for nothing?"))),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"); /* RFC 4231, 4.3 */
  SAME (tb_base64 (call, tb_bytes_of ("any carnal pleas?>")), "YW55IGNhcm5hbCBwbGVhcz8+");
  SAME (tb_base64url (call, tb_bytes_of ("any carnal pleas?>x")), "YW55IGNhcm5hbCBwbGVhcz8-eA");
  tb_bytes back = tb_from_base64 (call, "YW55IGNhcm5hbCBwbGVhcz8-eA==");
  CU_ASSERT_TRUE (back.size == 19 && memcmp (back.data, "any carnal pleas?>x", 19) == 0);
  CU_ASSERT_PTR_NULL (tb_from_base64 (call, "not*base64").data);
  return TB_OK;
}

static tb_status
sign_without_key (tb_call *call)
{
  return tb_rsa_sign (call, TB_SHA256, "token", tb_bytes_of ("x")).data ? TB_OK : TB_OK;
}

static void
test_digests_and_signatures (void)
{
  run (sign, "ok", "");
  run (sign_without_key, "authentication_error", "token: is no PEM text of an RSA private key");
}

static tb_status
ask_for_what_comes_later (tb_call *call)
{
  CU_ASSERT_PTR_NULL (tb_webhook_url (call));
  CU_ASSERT_PTR_NULL (tb_webhook_link (call, "m", "1"));
  CU_ASSERT_PTR_NULL (tb_recall (call, "step"));
  CU_ASSERT_FALSE (tb_claimed (call, "T-1"));
  return tb_remember (call, "step", "1");
}

static void
test_what_is_not_for_reading_is_unsupported (void)
{
  run (ask_for_what_comes_later, "unsupported", "tb_remember()");
}

int
main (void)
{
  return TAP_RUN (
    "services", { "texts are found by path and cleaned", test_texts_are_found_by_path_and_cleaned },
    { "what is clean is left as it is", test_what_is_clean_is_left_as_it_is },
    { "numbers amounts and flags are read from what is written",
      test_numbers_amounts_and_flags_are_read_from_what_is_written },
    { "a note says the whole path", test_a_note_says_the_whole_path },
    { "times are read and written on both clocks", test_times_are_read_and_written_on_both_clocks },
    { "documents are built by path", test_documents_are_built_by_path },
    { "mistakes fail the call whatever it returns", test_mistakes_fail_the_call_whatever_it_returns },
    { "settings have their standards", test_settings_have_their_standards },
    { "helpers for texts", test_helpers_for_texts },
    { "maps join and caches keep", test_maps_join_and_caches_keep },
    { "digests and signatures", test_digests_and_signatures },
    { "what is not for reading is unsupported", test_what_is_not_for_reading_is_unsupported });
}
