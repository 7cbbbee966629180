#include <math.h>
#include <string.h>
#include "json/json.h"
#include "tap.h"
#include "json/cases.h"

/* A text on the heap with nothing but padding behind it, so that the sanitizer sees a step too far. The
 * padding would go on where the text ends too early. */
static char *
padded (const char *text, gsize length, char padding)
{
  char *copy = g_malloc (length + JSON_PADDING);
  if (length)
    memcpy (copy, text, length);
  memset (copy + length, padding, JSON_PADDING);
  return copy;
}

/* Reads a C string into a document; the caller frees both. */
static gboolean
read_text (JsonDocument *document, char **copy, const char *text)
{
  *copy = padded (text, strlen (text), ' ');
  return json_read (document, *copy, strlen (text));
}

static void
test_takes_and_refuses_what_the_rfc_says (void)
{
  JsonDocument document = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (const char *padding = " ]}\"1"; *padding; padding++) {
      const Case *c = &cases[i];
      g_autofree char *copy = padded (c->text, c->length, *padding);
      gboolean taken = json_read (&document, copy, c->length);
      if (taken != (c->verdict != REFUSED))
        g_printerr ("# %s with padding '%c': %s\n", c->name, *padding, taken ? "taken" : document.error);
      CU_ASSERT_EQUAL (taken, c->verdict != REFUSED);
      CU_ASSERT_EQUAL (document.error == NULL, taken);
      CU_ASSERT_TRUE (document.error_offset <= c->length);
    }
  json_document_clear (&document);
}

static void
test_the_check_agrees_with_the_reader (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const Case *c = &cases[i];
    g_autofree char *exact =
      g_memdup2 (c->length ? c->text : " ", MAX (c->length, 1)); /* no padding at all */
    CU_ASSERT_EQUAL (json_is_valid (exact, c->length), c->verdict == TAKEN);
  }
}

static void
test_an_error_says_what_and_where (void)
{
  static const struct {
    const char *text, *error;
    gsize offset;
  } errors[] = {
    { "", "the text is empty", 0 },
    { "{\"a\":1,}", "expected a key in quotes", 7 },
    { "[1,]", "expected a value", 3 },
    { "[1 2]", "expected , or ]", 3 },
    { "{\"a\" 1}", "expected a colon", 5 },
    { "  [\"\\x\"]", "this is no escape that a text can hold", 4 },
    { "[\"a\nb\"]", "a control character in a string", 3 },
    { "[1] x", "something follows the value", 4 },
    { "[1,{\"a\":[2", "the text ends before it is closed", 10 },
    { "[[1]", "the text ends before it is closed", 4 },
    { "[-a]", "this is no number", 1 },
  };
  JsonDocument document = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (errors); i++) {
    g_autofree char *copy = NULL;
    CU_ASSERT_FALSE (read_text (&document, &copy, errors[i].text));
    CU_ASSERT_STRING_EQUAL (document.error, errors[i].error);
    CU_ASSERT_EQUAL (document.error_offset, errors[i].offset);
  }
  json_document_clear (&document);
}

static void
test_nodes_lie_flat_and_know_their_ends (void)
{
  JsonDocument document = { 0 };
  g_autofree char *copy = NULL;
  CU_ASSERT_TRUE (read_text (&document, &copy, "{\"a\":[1,{\"b\":null},\"x\\ty\"],\"c\":true}"));
  const JsonNode *n = document.nodes;
  CU_ASSERT_EQUAL (document.count, 10);
  CU_ASSERT_TRUE (n[0].type == JSON_OBJECT && n[0].length == 2 && n[0].skip == 10 && !n[0].text);
  CU_ASSERT_TRUE (n[1].type == JSON_STRING && n[1].skip == 1);
  CU_ASSERT_STRING_EQUAL (n[1].text, "a");
  CU_ASSERT_TRUE (n[2].type == JSON_ARRAY && n[2].length == 3 && json_next (&n[2]) == &n[8]);
  CU_ASSERT_TRUE (n[3].type == JSON_NUMBER && n[3].length == 1 && n[3].text[0] == '1');
  CU_ASSERT_TRUE (n[4].type == JSON_OBJECT && n[4].length == 1 && json_next (&n[4]) == &n[7]);
  CU_ASSERT_TRUE (n[6].type == JSON_NULL && n[6].skip == 1);
  CU_ASSERT_TRUE (n[7].length == 3);
  CU_ASSERT_STRING_EQUAL (n[7].text, "x\ty");
  CU_ASSERT_TRUE (n[9].type == JSON_TRUE);
  json_document_clear (&document);
}

static void
test_escapes_are_resolved_where_they_stand (void)
{
  JsonDocument document = { 0 };
  g_autofree char *copy = NULL;
  CU_ASSERT_TRUE (read_text (
    &document, &copy,
    "[\"\\u00e9\\ud83d\\ude00 \\\"quoted\\\" long enough for two steps \\/ \\b\\f\\n\\r\\t\\\\ end\",1]"));
  CU_ASSERT_STRING_EQUAL (document.nodes[1].text,
                          "\303\251\360\237\230\200 \"quoted\" long enough for two steps / \b\f\n\r\t\\ end");
  CU_ASSERT_EQUAL (document.nodes[1].length, strlen (document.nodes[1].text));
  json_document_clear (&document);
}

static void
test_a_document_is_used_again_and_grows (void)
{
  JsonDocument document = { 0 };
  GString *big = g_string_new ("[");
  for (int i = 0; i < 100000; i++)
    g_string_append (big, "1,");
  g_string_append (big, "2]");
  g_autofree char *copy = NULL, *small = NULL;
  CU_ASSERT_TRUE (read_text (&document, &copy, big->str));
  CU_ASSERT_EQUAL (document.nodes[0].length, 100001);
  CU_ASSERT_EQUAL (document.count, 100002);
  CU_ASSERT_TRUE (read_text (&document, &small, "[1]"));
  CU_ASSERT_EQUAL (document.count, 2);
  g_string_free (big, TRUE);
  json_document_clear (&document);
}

static void
test_more_nodes_than_may_be_are_refused (void)
{
  JsonDocument document = { 0 };
  gsize length = 2 * (gsize)JSON_NODES_MOST + 1;
  char *text = g_malloc (length + JSON_PADDING);
  for (gsize i = 0; i < length; i++)
    text[i] = i % 2 ? '1' : ',';
  text[0] = '[';
  text[length - 1] = ']';
  CU_ASSERT_FALSE (json_read (&document, text, length));
  CU_ASSERT_STRING_EQUAL (document.error, "more values than can be held");
  g_free (text);
  json_document_clear (&document);
}

static void
test_utf8_is_checked_at_every_place (void)
{
  static const char *const bad[] = { "\x80",
                                     "\xc1\xbf",
                                     "\xe0\x9f\xbf",
                                     "\xed\xa0\x80",
                                     "\xf0\x8f\xbf\xbf",
                                     "\xf4\x90\x80\x80",
                                     "\xf5\x80\x80\x80",
                                     "\xe2\x82" };
  static const char *const good[] = { "\xc2\x80",     "\xdf\xbf",         "\xe0\xa0\x80",    "\xed\x9f\xbf",
                                      "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf" };
  for (gsize before = 0; before < 140; before++) {
    g_autofree char *ascii = g_strnfill (before, 'a');
    for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
      g_autofree char *text = g_strconcat (ascii, bad[i], NULL);
      CU_ASSERT_FALSE (json_is_utf8 (text, strlen (text)));
    }
    for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
      g_autofree char *text = g_strconcat (ascii, good[i], ascii, NULL);
      CU_ASSERT_TRUE (json_is_utf8 (text, strlen (text)));
      CU_ASSERT_FALSE (json_is_utf8 (text, before + strlen (good[i]) - 1));
    }
  }
}

static void
test_writing_escapes_and_checks (void)
{
  JsonBuffer buffer = { 0 };
  json_put_text (&buffer, "a\"\\\b\f\n\r\t\x01\x1f\x7f/\303\251", 14);
  CU_ASSERT_EQUAL (buffer.length, strlen ("\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\303\251\""));
  CU_ASSERT_EQUAL (
    memcmp (buffer.bytes, "\"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f/\303\251\"", buffer.length), 0);
  CU_ASSERT_TRUE (json_is_valid (buffer.bytes, buffer.length));
  gsize before = buffer.length;
  CU_ASSERT_FALSE (json_put_checked (&buffer, "bad \xff", 5));
  CU_ASSERT_EQUAL (buffer.length, before);
  CU_ASSERT_TRUE (json_put_checked (&buffer, "good", 4));
  json_put (&buffer, "", 1);
  CU_ASSERT_STRING_EQUAL (buffer.bytes + before, "\"good\"");
  json_buffer_clear (&buffer);
}

/* The writer copies in steps of 16, 8 and 4 bytes: what must be escaped is found at every place of every
 * length. */
static void
test_writing_escapes_at_every_place (void)
{
  static const char special[] = "\"\\\n\x1f\x01 \x7f\x80";
  JsonBuffer buffer = { 0 };
  JsonDocument document = { 0 };
  for (gsize length = 1; length <= 70; length++)
    for (gsize place = 0; place < length; place++)
      for (gsize i = 0; special[i]; i++) {
        g_autofree char *text = g_malloc (length); /* nothing behind it */
        memset (text, 'x', length);
        text[place] = special[i];
        buffer.length = 0;
        gboolean ascii = (guchar)special[i] < 0x80;
        CU_ASSERT_EQUAL (json_put_checked (&buffer, text, length), ascii);
        CU_ASSERT_EQUAL (buffer.length > 0, ascii);
        buffer.length = 0;
        json_put_text (&buffer, text, length);
        json_buffer_need (&buffer, JSON_PADDING);
        memset (buffer.bytes + buffer.length, 0, JSON_PADDING);
        CU_ASSERT_TRUE_FATAL (json_read (&document, buffer.bytes, buffer.length));
        CU_ASSERT_TRUE (document.nodes[0].length == length &&
                        memcmp (document.nodes[0].text, text, length) == 0);
      }
  json_document_clear (&document);
  json_buffer_clear (&buffer);
}

static void
test_writing_numbers_shortest (void)
{
  static const struct {
    gint64 nano;
    const char *text;
  } numbers[] = { { 0, "0" },
                  { 2500000000, "2.5" },
                  { -1, "-0.000000001" },
                  { 1000000000, "1" },
                  { 30000000000, "30" },
                  { G_MAXINT64, "9223372036.854775807" },
                  { G_MININT64, "-9223372036.854775808" },
                  { 100, "0.0000001" } };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    JsonBuffer buffer = { 0 };
    json_put_nano (&buffer, numbers[i].nano);
    json_put (&buffer, "", 1);
    CU_ASSERT_STRING_EQUAL (buffer.bytes, numbers[i].text);
    buffer.length = 0;
    json_put_int (&buffer, numbers[i].nano);
    json_put (&buffer, "", 1);
    g_autofree char *whole = g_strdup_printf ("%" G_GINT64_FORMAT, numbers[i].nano);
    CU_ASSERT_STRING_EQUAL (buffer.bytes, whole);
    json_buffer_clear (&buffer);
  }
}

int
main (void)
{
  return TAP_RUN ("json", { "takes and refuses what the RFC says", test_takes_and_refuses_what_the_rfc_says },
                  { "the check agrees with the reader", test_the_check_agrees_with_the_reader },
                  { "an error says what and where", test_an_error_says_what_and_where },
                  { "nodes lie flat and know their ends", test_nodes_lie_flat_and_know_their_ends },
                  { "escapes are resolved where they stand", test_escapes_are_resolved_where_they_stand },
                  { "a document is used again and grows", test_a_document_is_used_again_and_grows },
                  { "more nodes than may be are refused", test_more_nodes_than_may_be_are_refused },
                  { "UTF-8 is checked at every place", test_utf8_is_checked_at_every_place },
                  { "writing escapes and checks", test_writing_escapes_and_checks },
                  { "writing escapes at every place", test_writing_escapes_at_every_place },
                  { "writing numbers is shortest", test_writing_numbers_shortest });
}
