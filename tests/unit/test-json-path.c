/* Paths, and the numbers found at them. */
#include <math.h>
#include <string.h>
#include "json/json.h"
#include "tap.h"

typedef struct {
  JsonDocument document;
  char *text;
} Doc;

static void
doc_read (Doc *doc, const char *text)
{
  gsize length = strlen (text);
  g_free (doc->text);
  doc->text = g_malloc0 (length + JSON_PADDING);
  memcpy (doc->text, text, length);
  CU_ASSERT_TRUE_FATAL (json_read (&doc->document, doc->text, length));
}

static void
doc_clear (Doc *doc)
{
  json_document_clear (&doc->document);
  g_free (doc->text);
}

/* What an alternative leads to, as text: a string or number as it stands, else the type's number; "-":
 * nothing. */
static char *
at_way (const JsonPath *path, guint alternative, const Doc *doc)
{
  const JsonNode *node = json_path_at (path, alternative, doc->document.nodes);
  if (!node)
    return g_strdup ("-");
  return node->text ? g_strndup (node->text, node->length) : g_strdup_printf ("type %d", node->type);
}

static void
check (const Doc *doc, const char *text, gboolean any_case, const char *wanted)
{
  JsonPath *path = json_path_new (text, any_case);
  CU_ASSERT_PTR_NOT_NULL_FATAL (path);
  for (int again = 0; again < 2; again++) { /* the second time through the hints */
    g_autofree char *got = at_way (path, 0, doc);
    CU_ASSERT_STRING_EQUAL (got, wanted);
  }
  json_path_free (path);
}

static void
test_a_path_leads_to_its_value (void)
{
  Doc doc = { 0 };
  doc_read (
    &doc,
    "{\"a\":{\"b\":{\"c\":\"deep\"}},\"items\":[{\"x\":1},{\"x\":2},[\"in\"]],\"a.b\":{\"c\":\"dotted\"},"
    "\"it's\":\"quoted\",\"n\":null,\"\":\"empty\",\"A\":\"big\",\"a b\":\"blank\"}");
  check (&doc, "a.b.c", FALSE, "deep");
  check (&doc, "'a.b'.c", FALSE, "dotted");
  check (&doc, "'a.b'.'c'", FALSE, "dotted");
  check (&doc, "'it''s'", FALSE, "quoted");
  check (&doc, "''", FALSE, "empty");
  check (&doc, "a b", FALSE, "blank");
  check (&doc, "items[0].x", FALSE, "1");
  check (&doc, "items[1].x", FALSE, "2");
  check (&doc, "items[-1][0]", FALSE, "in");
  check (&doc, "items[-3].x", FALSE, "1");
  check (&doc, "n", FALSE, "type 0");
  check (&doc, "", FALSE, "type 6");
  check (&doc, "items", FALSE, "type 5");
  check (&doc, "A", FALSE, "big");
  doc_clear (&doc);
}

static void
test_a_path_to_nothing_gives_nothing (void)
{
  static const char *const paths[] = {
    "b",    "a.x",          "a.b", "items[2]", "items[-3]",        "items.x",
    "a[0]", "items[0].x.y", "n.x", "none[0]",  "items[1000000000]"
  };
  Doc doc = { 0 };
  doc_read (&doc, "{\"a\":{},\"items\":[{\"x\":1},{\"x\":2}],\"n\":null,\"none\":[]}");
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    check (&doc, paths[i], FALSE, "-");
  doc_clear (&doc);
}

static void
test_alternatives_are_asked_one_by_one (void)
{
  Doc doc = { 0 };
  JsonPath *path = json_path_new ("x.y|'a|b'|c[0]|", FALSE);
  doc_read (&doc, "{\"a|b\":\"bar\",\"c\":[7]}");
  CU_ASSERT_EQUAL_FATAL (json_path_alternatives (path), 4);
  const char *const wanted[] = { "-", "bar", "7", "type 6" };
  for (guint i = 0; i < 4; i++) {
    g_autofree char *got = at_way (path, i, &doc);
    CU_ASSERT_STRING_EQUAL (got, wanted[i]);
  }
  json_path_free (path);
  doc_clear (&doc);
}

static void
test_any_case_finds_names_in_any_case (void)
{
  Doc doc = { 0 };
  doc_read (&doc, "{\"ProductId\":{\"NAME\":\"x\"}}");
  check (&doc, "productid.name", TRUE, "x");
  check (&doc, "productid.name", FALSE, "-");
  check (&doc, "productix.name", TRUE, "-");
  doc_clear (&doc);
}

static void
test_what_is_no_path_is_refused (void)
{
  static const char *const bad[] = {
    ".",     "a.", ".a",   "a..b", "a[",    "a[]",  "a[x]",           "a[1", "a[-0]", "a[-]",
    "a[1]b", "'a", "'a'b", "a'b'", "a.[0]", "a|.b", "a[99999999999]", "a]"
  };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    CU_ASSERT_PTR_NULL (json_path_new (bad[i], FALSE));
}

/* The place where a key was found last may hold, in the next document, the same name as a value, or as a key
 * deeper down. */
static void
test_a_remembered_place_is_not_mistaken (void)
{
  static const struct {
    const char *text, *wanted;
  } docs[] = {
    { "{\"p\":1,\"q\":2,\"key\":\"found\"}", "found" },
    { "{\"p\":1,\"q\":[\"key\",\"no\"],\"key\":\"after\"}", "after" },
    { "{\"p\":{\"x\":\"key\",\"key\":\"no\"},\"key\":\"last\"}", "last" },
    { "{\"p\":{\"x\":1,\"key\":\"no\"}}", "-" },
    { "{\"p\":1,\"key\":\"early\"}", "early" },
    { "{}", "-" },
    { "{\"p\":1,\"qqq\":\"key\"}", "-" },
    { "{\"p\":1,\"q\":2,\"yek\":\"no\",\"key\":\"yes\"}", "yes" },
    { "{\"p\":1}", "-" },
    { "[{\"p\":1,\"q\":2,\"key\":\"no\"}]", "-" },
  };
  JsonPath *path = json_path_new ("key", FALSE);
  Doc doc = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (docs); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (docs); j++) {
      const gsize order[] = { i, j };
      for (int k = 0; k < 2; k++) {
        doc_read (&doc, docs[order[k]].text);
        g_autofree char *got = at_way (path, 0, &doc);
        CU_ASSERT_STRING_EQUAL (got, docs[order[k]].wanted);
      }
    }
  json_path_free (path);
  doc_clear (&doc);
}

/* ---- numbers ---- */

/* The same by the definition: the digits as a whole number of 128 bits, times or divided by tens. Up to 30
 * digits, no exponent. */
static gboolean
slow_scaled (const char *text, int places, gint64 *value)
{
  gboolean negative = *text == '-', point = FALSE;
  unsigned __int128 whole = 0, ten = 1;
  int fraction = 0;
  for (const char *c = text + negative; *c; c++) {
    if (*c == '.')
      point = TRUE;
    else {
      whole = whole * 10 + (unsigned)(*c - '0');
      fraction += point;
    }
  }
  for (; fraction < places; fraction++)
    whole *= 10;
  for (; fraction > places; fraction--)
    ten *= 10;
  whole = whole / ten + (whole % ten * 2 >= ten && ten > 1);
  if (whole > (unsigned __int128)G_MAXINT64 + negative)
    return FALSE;
  *value = (gint64)(negative ? 0 - (guint64)whole : (guint64)whole);
  return TRUE;
}

static JsonNode
number_node (const char *text)
{
  return (
    JsonNode){ .type = JSON_NUMBER, .length = (guint32)strlen (text) & 0xfffffff, .skip = 1, .text = text };
}

static void
test_scaling_agrees_with_arithmetic_of_128_bits (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (42);
  int fits = 0, differ = 0;
  for (int round = 0; round < 200000; round++) {
    g_autoptr (GString) text = g_string_new (g_rand_boolean (random) ? "-" : "");
    int whole = g_rand_int_range (random, 1, 21), fraction = g_rand_int_range (random, 0, 12);
    int places = g_rand_int_range (random, 0, 12);
    if (whole + MAX (places, fraction) > 36)
      continue;
    const char *digits = g_rand_boolean (random) ? "0123456789" : "0000599999";
    for (int i = 0; i < whole; i++)
      g_string_append_c (text, digits[g_rand_int_range (random, 0, 10)]);
    for (int i = 0; i < fraction; i++) {
      if (i == 0)
        g_string_append_c (text, '.');
      g_string_append_c (text, digits[g_rand_int_range (random, 0, 10)]);
    }
    JsonNode node = number_node (text->str);
    gint64 wanted = 0, got = 0;
    gboolean good = slow_scaled (text->str, places, &wanted);
    differ += json_to_scaled (&node, places, &got) != good || got != wanted;
    fits += good;
  }
  CU_ASSERT_EQUAL (differ, 0);
  CU_ASSERT_TRUE (fits > 100000 && fits < 195000);
}

static void
test_numbers_are_read_exactly (void)
{
  static const struct {
    const char *text;
    int places;
    gint64 value;
  } good[] = {
    { "16.035", 2, 1604 },
    { "-16.035", 2, -1604 },
    { "0.005", 2, 1 },
    { "0.00499999999999999999", 2, 0 },
    { "1e3", 0, 1000 },
    { "1.5e-1", 2, 15 },
    { "0", 9, 0 },
    { "-0", 2, 0 },
    { "0e999999999999999999999", 2, 0 },
    { "1e-99999999999999999999", 2, 0 },
    { "5e-1", 0, 1 },
    { "4.9e-1", 0, 0 },
    { "9223372036854775807", 0, G_MAXINT64 },
    { "-9223372036854775808", 0, G_MININT64 },
    { "9223372036854775806.5", 0, G_MAXINT64 },
    { "0.000000000000000000000000000001e30", 0, 1 },
    { "12345678901234567890e-10", 0, 1234567890 },
    { "1e0000000000000000000001", 0, 10 },
    { "100000000000000000000000000000000e-30", 0, 100 },
    { "999.995", 2, 100000 },
    { "25", -1, 3 },
  };
  static const struct {
    const char *text;
    int places;
  } bad[] = { { "9223372036854775808", 0 },   { "-9223372036854775809", 0 },
              { "9223372036854775807.5", 0 }, { "1e19", 0 },
              { "92233720368547758.08", 2 },  { "1e99999999999999999999", 0 } };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++) {
    JsonNode node = number_node (good[i].text);
    gint64 value = -99;
    CU_ASSERT_TRUE (json_to_scaled (&node, good[i].places, &value));
    CU_ASSERT_EQUAL (value, good[i].value);
  }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    JsonNode node = number_node (bad[i].text);
    gint64 value = -99;
    CU_ASSERT_FALSE (json_to_scaled (&node, bad[i].places, &value));
    CU_ASSERT_EQUAL (value, -99);
  }
}

static void
test_whole_numbers_and_numbers_in_strings (void)
{
  static const struct {
    const char *text;
    gboolean whole, number;
    gint64 value, nano;
  } values[] = {
    { "14.0", TRUE, TRUE, 14, 14000000000 },
    { "14.5", FALSE, TRUE, 0, 14500000000 },
    { "1.5e1", TRUE, TRUE, 15, 15000000000 },
    { "\"98.5\"", FALSE, TRUE, 0, 98500000000 },
    { "\" +7 \"", TRUE, TRUE, 7, 7000000000 },
    { "\"007\"", TRUE, TRUE, 7, 7000000000 },
    { "\".5\"", FALSE, TRUE, 0, 500000000 },
    { "\"5.\"", TRUE, TRUE, 5, 5000000000 },
    { "\"1,200\"", FALSE, FALSE, 0, 0 },
    { "\"\"", FALSE, FALSE, 0, 0 },
    { "\".\"", FALSE, FALSE, 0, 0 },
    { "\"1 2\"", FALSE, FALSE, 0, 0 },
    { "\"abc\"", FALSE, FALSE, 0, 0 },
    { "\"1e\"", FALSE, FALSE, 0, 0 },
    { "\"--1\"", FALSE, FALSE, 0, 0 },
    { "\"1.2.3\"", FALSE, FALSE, 0, 0 },
    { "\"0x10\"", FALSE, FALSE, 0, 0 },
    { "null", FALSE, FALSE, 0, 0 },
    { "true", FALSE, FALSE, 0, 0 },
    { "[1]", FALSE, FALSE, 0, 0 },
    { "0.1", FALSE, TRUE, 0, 100000000 },
    { "1e-30", FALSE, TRUE, 0, 0 },
  };
  Doc doc = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    gint64 value = 0, nano = 0;
    doc_read (&doc, values[i].text);
    CU_ASSERT_EQUAL (json_to_int (doc.document.nodes, &value), values[i].whole);
    CU_ASSERT_EQUAL (value, values[i].value);
    CU_ASSERT_EQUAL (json_to_nano (doc.document.nodes, &nano), values[i].number);
    CU_ASSERT_EQUAL (nano, values[i].nano);
  }
  gint64 value;
  CU_ASSERT_FALSE (json_to_int (NULL, &value));
  doc_clear (&doc);
}

static void
test_doubles_are_the_nearest_ones (void)
{
  static const struct {
    const char *text;
    double value;
  } values[] = { { "0.1", 0.1 },
                 { "-2.5e3", -2500 },
                 { "1e308", 1e308 },
                 { "1e-400", 0 },
                 { "123456789012345678901234567890", 123456789012345678901234567890.0 },
                 { "9007199254740993", 9007199254740993.0 },
                 { "\"12.5\"", 12.5 },
                 { "\" .5 \"", 0.5 } };
  Doc doc = { 0 };
  double value;
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    doc_read (&doc, values[i].text);
    CU_ASSERT_TRUE (json_to_double (doc.document.nodes, &value));
    CU_ASSERT_EQUAL (value, values[i].value);
  }
  doc_read (&doc, "-0.0");
  CU_ASSERT_TRUE (json_to_double (doc.document.nodes, &value) && value == 0 && signbit (value));
  doc_read (&doc, "1e999");
  CU_ASSERT_FALSE (json_to_double (doc.document.nodes, &value));
  doc_read (&doc, "\"inf\"");
  CU_ASSERT_FALSE (json_to_double (doc.document.nodes, &value));
  doc_clear (&doc);
}

int
main (void)
{
  return TAP_RUN (
    "json path", { "a path leads to its value", test_a_path_leads_to_its_value },
    { "a path to nothing gives nothing", test_a_path_to_nothing_gives_nothing },
    { "alternatives are asked one by one", test_alternatives_are_asked_one_by_one },
    { "any case finds names in any case", test_any_case_finds_names_in_any_case },
    { "what is no path is refused", test_what_is_no_path_is_refused },
    { "a remembered place is not mistaken", test_a_remembered_place_is_not_mistaken },
    { "scaling agrees with arithmetic of 128 bits", test_scaling_agrees_with_arithmetic_of_128_bits },
    { "numbers are read exactly", test_numbers_are_read_exactly },
    { "whole numbers and numbers in strings", test_whole_numbers_and_numbers_in_strings },
    { "doubles are the nearest ones", test_doubles_are_the_nearest_ones });
}
