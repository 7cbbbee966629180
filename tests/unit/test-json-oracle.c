/* json-c as oracle: random documents, and the same with bytes changed, must be taken or refused by both, and
 * must mean the same. json-c 0.16 takes more than RFC 8259 allows, even when strict; where it takes what we
 * refuse, one of these rules must hold, at the very place that our reader names:
 *
 *   control     a control character stands in a string
 *   escape      (by the check alone; the reader makes U+FFFD of it) \u0000 or half a surrogate pair
 *   word        NaN, Infinity or -Infinity
 *   zero        a number of several digits begins with 0, such as -01 or 00
 *   point       a number begins or ends with its point, such as -.5 or 1.
 *   utf-8       the text is not UTF-8 (overlong forms, surrogates and characters beyond U+10FFFF pass json-c)
 *
 * The other way round there is no rule: what we take, json-c takes. Two more are about what is read:
 *
 *   large       json-c clamps whole numbers beyond 64 bits, and makes infinity of numbers beyond double
 *   twins       of two equal keys json-c keeps the last only; such objects are not compared */
#include <json-c/json.h>
#include <math.h>
#include <string.h>
#include "json/json.h"
#include "tap.h"

enum { DOCUMENTS = 12000, MUTANTS = 3, DEPTH = 6 };

static const char *
pick (GRand *random, const char *const *from, int count)
{
  return from[g_rand_int_range (random, 0, count)];
}

static void
add_blank (GRand *random, GString *out)
{
  static const char *const blanks[] = { "", "", "", "", " ", "\n", "\t", "\r\n  " };
  g_string_append (out, pick (random, blanks, G_N_ELEMENTS (blanks)));
}

static void
add_string (GRand *random, GString *out)
{
  static const char *const parts[] = { "a",
                                       "key",
                                       "0123456789abcdef",
                                       "\\n",
                                       "\\\"",
                                       "\\\\",
                                       "\\/",
                                       "\\u00e9",
                                       "\\ud83d\\ude00",
                                       "\303\251",
                                       "\342\202\254",
                                       "\360\235\204\236",
                                       " ",
                                       "\\b\\f\\r\\t",
                                       "\\u0001",
                                       "[{,:}]",
                                       "x" };
  g_string_append_c (out, '"');
  for (int i = g_rand_int_range (random, 0, 6); i > 0; i--)
    g_string_append (out, pick (random, parts, G_N_ELEMENTS (parts)));
  g_string_append_c (out, '"');
}

static void
add_number (GRand *random, GString *out)
{
  static const char *const numbers[] = { "0",
                                         "-0",
                                         "1.5e-7",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         "-9223372036854775808",
                                         "1e400",
                                         "0.1",
                                         "1E+2",
                                         "123456789012345678901234567890",
                                         "-0.0",
                                         "2.2250738585072014e-308",
                                         "18446744073709551616" };
  if (g_rand_int_range (random, 0, 3) == 0)
    g_string_append (out, pick (random, numbers, G_N_ELEMENTS (numbers)));
  else if (g_rand_boolean (random))
    g_string_append_printf (out, "%d", g_rand_int_range (random, -1000000, 1000000));
  else
    g_string_append_printf (out, "%d.%03d", g_rand_int_range (random, -1000, 1000),
                            g_rand_int_range (random, 0, 1000));
}

static void
add_value (GRand *random, GString *out, int depth)
{
  int kind =
    g_rand_int_range (random, depth > 1 ? 0 : 5, depth == DEPTH ? 6 : 12); /* mostly a container outside */
  add_blank (random, out);
  if (kind < 5) {
    gboolean object = kind < 3;
    g_string_append_c (out, object ? '{' : '[');
    for (int i = g_rand_int_range (random, 0, 5); i > 0; i--) {
      if (object) {
        add_blank (random, out);
        add_string (random, out);
        add_blank (random, out);
        g_string_append_c (out, ':');
      }
      add_value (random, out, depth - 1);
      if (i > 1)
        g_string_append_c (out, ',');
    }
    add_blank (random, out);
    g_string_append_c (out, object ? '}' : ']');
  } else if (kind < 8)
    add_string (random, out);
  else if (kind < 11)
    add_number (random, out);
  else
    g_string_append (out, pick (random, (const char *const[]){ "true", "false", "null" }, 3));
  add_blank (random, out);
}

/* Changes a byte or two: put in, taken out, replaced, or the end cut off. Never NUL, which json-c takes for
 * the end. */
static void
mutate (GRand *random, GString *text)
{
  static const char *const pieces[] = { "\"",       "\\",
                                        "{",        "}",
                                        "[",        "]",
                                        ",",        ":",
                                        "0",        "1",
                                        "-",        ".",
                                        "e",        "+",
                                        "n",        "t",
                                        " ",        "\n",
                                        "\x01",     "\xff",
                                        "\xc0\x80", "\xed\xa0\x80",
                                        "\\u0000",  "\\ud800",
                                        "\\udc00",  "NaN",
                                        "Infinity", "/*",
                                        "'",        "null",
                                        "\\x",      "\f" };
  for (int i = g_rand_int_range (random, 1, 3); i > 0 && text->len > 0; i--) {
    gssize at = g_rand_int_range (random, 0, (gint32)text->len);
    int how = g_rand_int_range (random, 0, 8);
    if (how == 0)
      g_string_truncate (text, (gsize)at);
    else if (how < 3)
      g_string_erase (text, at, 1);
    else {
      if (how < 5)
        g_string_erase (text, at, 1);
      g_string_insert (text, at, pick (random, pieces, G_N_ELEMENTS (pieces)));
    }
  }
}

/* NULL and FALSE when json-c refuses. JSON null is NULL and TRUE. */
static gboolean
read_with_json_c (const char *text, gsize length, struct json_object **object)
{
  struct json_tokener *tokener = json_tokener_new_ex (128);
  json_tokener_set_flags (tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
  *object =
    json_tokener_parse_ex (tokener, text, (int)length + 1); /* with the NUL, which ends a bare number */
  gboolean good = json_tokener_get_error (tokener) == json_tokener_success;
  json_tokener_free (tokener);
  return good;
}

static gboolean
is_utf8 (const char *text, gsize length)
{
  return g_utf8_validate_len (text, length, NULL);
}

/* Does a rule say why json-c takes what we refuse at offset? text is as it was, and ends with NUL. */
static gboolean
is_explained (const char *text, gsize offset, const char *error)
{
  const char *at = text + offset;
  if (strcmp (error, "a control character in a string") == 0)
    return (guchar)*at < 0x20;
  if (g_str_has_prefix (at, "NaN") || g_str_has_prefix (at, "Infinity") || g_str_has_prefix (at, "-Infinity"))
    return TRUE;
  if (strcmp (error, "this is no number") == 0) {
    gsize digits = strspn (at + 1, "0123456789");
    return at[1 + digits] == '.' && (digits == 0 || !g_ascii_isdigit (at[2 + digits]));
  }
  return g_ascii_isdigit (*at) && offset > 0 && at[-1] == '0';
}

/* Is there an escape of NUL, or of a surrogate? */
static gboolean
has_lost_escape (const char *text)
{
  gunichar code;
  for (const char *at = strstr (text, "\\u"); at; at = strstr (at + 1, "\\u"))
    if (sscanf (at, "\\u%4x", &code) == 1 && (code == 0 || (code >= 0xd800 && code <= 0xdfff)))
      return TRUE;
  return FALSE;
}

/* Does the node say what the object says? Counts what was compared. */
static gboolean
is_same (const JsonNode *node, struct json_object *object, int *compared)
{
  gint64 whole;
  double number;
  ++*compared;
  switch (json_object_get_type (object)) {
  case json_type_null:
    return node->type == JSON_NULL;
  case json_type_boolean:
    return node->type == (json_object_get_boolean (object) ? JSON_TRUE : JSON_FALSE);
  case json_type_string:
    return node->type == JSON_STRING && (int)node->length == json_object_get_string_len (object) &&
           memcmp (node->text, json_object_get_string (object), node->length) == 0;
  case json_type_int:
    if (!json_to_int (node, &whole)) /* large */
      return node->type == JSON_NUMBER && node->length >= 19;
    return node->type == JSON_NUMBER && whole == json_object_get_int64 (object);
  case json_type_double:
    if (!json_to_double (node, &number)) /* large */
      return node->type == JSON_NUMBER && isinf (json_object_get_double (object));
    return node->type == JSON_NUMBER && number == json_object_get_double (object);
  case json_type_array:
    if (node->type != JSON_ARRAY || node->length != json_object_array_length (object))
      return FALSE;
    node++;
    for (size_t i = 0; i < json_object_array_length (object); i++, node = json_next (node))
      if (!is_same (node, json_object_array_get_idx (object, i), compared))
        return FALSE;
    return TRUE;
  case json_type_object:
    if (node->type != JSON_OBJECT)
      return FALSE;
    if ((int)node->length != json_object_object_length (object)) /* twins */
      return (int)node->length > json_object_object_length (object);
    node++;
    json_object_object_foreach (object, key, value)
    {
      if (strcmp (node->text, key) != 0 || !is_same (node + 1, value, compared))
        return FALSE;
      node = json_next (node + 1);
    }
    return TRUE;
  }
  return FALSE;
}

typedef struct {
  int taken, refused, explained, compared;
} Tally;

/* FALSE when the two disagree and no rule says why. */
static gboolean
agree (const char *text, gsize length, Tally *tally)
{
  JsonDocument document = { 0 };
  struct json_object *object;
  g_autofree char *copy = g_malloc (length + JSON_PADDING);
  memcpy (copy, text, length);
  memset (copy + length, '1', JSON_PADDING);
  gboolean theirs = read_with_json_c (text, length, &object), good;
  gboolean ours = json_read (&document, copy, length) && is_utf8 (text, length);
  if (ours && !json_is_valid (text, length)) {
    good = theirs && has_lost_escape (text);
    tally->explained++;
  } else if (ours != json_is_valid (text, length))
    good = FALSE;
  else if (ours) {
    good = theirs && is_same (document.nodes, object, &tally->compared);
    tally->taken++;
  } else if (theirs) {
    good = document.error ? is_explained (text, document.error_offset, document.error) : TRUE; /* utf-8 */
    tally->explained++;
  } else {
    good = TRUE;
    tally->refused++;
  }
  if (!good)
    g_printerr ("# ours %d (%s at %zu), json-c %d: %s\n", ours, document.error, document.error_offset, theirs,
                text);
  json_object_put (object);
  json_document_clear (&document);
  return good;
}

static void
test_random_documents_are_the_same_to_json_c (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20260101);
  Tally tally = { 0 };
  int differ = 0;
  for (int i = 0; i < DOCUMENTS; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    add_value (random, text, DEPTH);
    differ += !agree (text->str, text->len, &tally);
  }
  CU_ASSERT_EQUAL (differ, 0);
  CU_ASSERT_EQUAL (tally.taken, DOCUMENTS);
  CU_ASSERT_TRUE (tally.compared > 5 * DOCUMENTS);
}

static void
test_changed_documents_are_taken_or_refused_alike (void)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (20260102);
  Tally tally = { 0 };
  int differ = 0;
  for (int i = 0; i < DOCUMENTS; i++) {
    g_autoptr (GString) text = g_string_new (NULL);
    add_value (random, text, DEPTH);
    for (int j = 0; j < MUTANTS; j++) {
      g_autoptr (GString) mutant = g_string_new (text->str);
      mutate (random, mutant);
      differ += !agree (mutant->str, mutant->len, &tally);
    }
  }
  CU_ASSERT_EQUAL (differ, 0);
  g_printerr ("# taken %d, refused %d, explained %d\n", tally.taken, tally.refused, tally.explained);
  CU_ASSERT_TRUE (tally.taken > 5000 && tally.refused > 15000 && tally.explained > 100);
}

int
main (void)
{
  return TAP_RUN (
    "json oracle",
    { "random documents are the same to json-c", test_random_documents_are_the_same_to_json_c },
    { "changed documents are taken or refused alike", test_changed_documents_are_taken_or_refused_alike });
}
