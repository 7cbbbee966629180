#include "tap.h"
#include "worker/rules.h"

#include <string.h>

/* The row that fits, as its index; -1: none. */
static int
which (const tb_rule *rows, guint count, int http, const char *body)
{
  g_autoptr (Rules) rules = rules_new (rows, count, FALSE, NULL);
  gsize length = strlen (body);
  g_autofree char *text = g_malloc0 (length + JSON_PADDING);
  JsonDocument document = { 0 };
  memcpy (text, body, length);
  gboolean is_json = json_read (&document, text, length);
  const tb_rule *row = rules_find (rules, http, is_json ? document.nodes : NULL, body, length);
  json_document_clear (&document);
  return row ? (int)(row - rows) : -1;
}

static void
test_the_first_row_that_fits_counts (void)
{
  const tb_rule rows[] = { { 400, "error.code", "no_such_order", TB_NOT_FOUND },
                           { 400, "error.code", NULL, TB_VALIDATION_ERROR },
                           { 4, NULL, NULL, TB_CONFLICT } };
  CU_ASSERT_EQUAL (which (rows, 3, 400, "{\"error\":{\"code\":\"no_such_order\"}}"), 0);
  CU_ASSERT_EQUAL (which (rows, 3, 400, "{\"error\":{\"code\":\"other\"}}"), 1);
  CU_ASSERT_EQUAL (which (rows, 3, 400, "{\"x\":1}"), 2);
  CU_ASSERT_EQUAL (which (rows, 3, 418, "OVER LIMIT"), 2);
  CU_ASSERT_EQUAL (which (rows, 3, 500, "{\"error\":{\"code\":\"no_such_order\"}}"), -1);
}

static void
test_an_error_inside_a_200_is_seen (void)
{
  const tb_rule rows[] = { { 200, "error|errors[0]", NULL, TB_VALIDATION_ERROR } };
  CU_ASSERT_EQUAL (which (rows, 1, 200, "{\"error\":\"bad\"}"), 0);
  CU_ASSERT_EQUAL (which (rows, 1, 200, "{\"errors\":[{\"message\":\"x\"}]}"), 0);
}

static void
test_what_says_nothing_is_not_there (void)
{
  const tb_rule rows[] = { { 0, "error", NULL, TB_VALIDATION_ERROR } };
  const char *quiet[] = {
    "{}", "{\"error\":null}", "{\"error\":\"\"}", "{\"error\":[]}", "{\"error\":{}}", "{\"error\":false}",
    "[]"
  };
  for (guint i = 0; i < G_N_ELEMENTS (quiet); i++)
    CU_ASSERT_EQUAL (which (rows, 1, 200, quiet[i]), -1);
  CU_ASSERT_EQUAL (which (rows, 1, 200, "{\"error\":true}"), 0);
  CU_ASSERT_EQUAL (which (rows, 1, 200, "{\"error\":7}"), 0);
}

static void
test_a_star_is_any_member (void)
{
  const tb_rule rows[] = { { 200, "data.*.userErrors[0].code", "TAKEN", TB_CONFLICT },
                           { 200, "data.*.userErrors[0]", NULL, TB_VALIDATION_ERROR } };
  CU_ASSERT_EQUAL (
    which (rows, 2, 200,
           "{\"data\":{\"a\":{\"userErrors\":[]},\"b\":{\"userErrors\":[{\"code\":\"TAKEN\"}]}}}"),
    0);
  CU_ASSERT_EQUAL (which (rows, 2, 200, "{\"data\":{\"a\":null,\"b\":{\"userErrors\":[{\"code\":\"X\"}]}}}"),
                   1);
  CU_ASSERT_EQUAL (which (rows, 2, 200, "{\"data\":{\"a\":{\"userErrors\":[]}}}"), -1);
  CU_ASSERT_EQUAL (which (rows, 2, 200, "{\"data\":null}"), -1);
}

static void
test_numbers_and_truths_compare_as_they_are_written (void)
{
  const tb_rule rows[] = { { 0, "code", "21610", TB_VALIDATION_ERROR, TB_WHY_OPTED_OUT },
                           { 0, "ok", "false", TB_CONFLICT } };
  CU_ASSERT_EQUAL (which (rows, 2, 400, "{\"code\":21610}"), 0);
  CU_ASSERT_EQUAL (which (rows, 2, 400, "{\"code\":\"21610\"}"), 0);
  CU_ASSERT_EQUAL (which (rows, 2, 200, "{\"ok\":false}"), 1);
  CU_ASSERT_EQUAL (which (rows, 2, 200, "{\"ok\":true}"), -1);
}

static void
test_text_is_matched_with_stars (void)
{
  const tb_rule rows[] = { { 0, NULL, "*OVER LIMIT*", TB_RATE_LIMIT_EXCEEDED } };
  CU_ASSERT_EQUAL (which (rows, 1, 400, "OVER LIMIT"), 0);
  CU_ASSERT_EQUAL (which (rows, 1, 400, "<html>OVER LIMIT</html>"), 0);
  CU_ASSERT_EQUAL (which (rows, 1, 400, "over limit"), -1);
  CU_ASSERT_TRUE (rules_text_fits ("a*b*c", "axxbyyc", 7));
  CU_ASSERT_TRUE (rules_text_fits ("*", "", 0));
  CU_ASSERT_TRUE (rules_text_fits ("a*a", "aba", 3));
  CU_ASSERT_FALSE (rules_text_fits ("a*a", "a", 1));
  CU_ASSERT_FALSE (rules_text_fits ("abc", "abcd", 4));
  CU_ASSERT_FALSE (rules_text_fits ("abcd", "abc", 3));
}

static void
test_a_row_with_a_broken_path_is_refused (void)
{
  const tb_rule rows[] = { { 0, "a[", NULL, TB_CONFLICT } };
  g_autoptr (GError) error = NULL;
  CU_ASSERT_PTR_NULL (rules_new (rows, 1, FALSE, &error));
  CU_ASSERT_PTR_NOT_NULL (strstr (error->message, "rule 1: \"a[\""));
}

static void
test_statuses_mean_what_the_table_says (void)
{
  const struct {
    int http;
    tb_status status;
  } table[] = { { 200, TB_OK },
                { 204, TB_OK },
                { 206, TB_OK },
                { 304, TB_OK },
                { 302, TB_BAD_RESPONSE },
                { 400, TB_VALIDATION_ERROR },
                { 401, TB_AUTHENTICATION_ERROR },
                { 403, TB_PERMISSION_ERROR },
                { 404, TB_NOT_FOUND },
                { 408, TB_SERVICE_UNAVAILABLE },
                { 409, TB_CONFLICT },
                { 410, TB_NOT_FOUND },
                { 418, TB_VALIDATION_ERROR },
                { 422, TB_VALIDATION_ERROR },
                { 429, TB_RATE_LIMIT_EXCEEDED },
                { 500, TB_SERVICE_UNAVAILABLE },
                { 503, TB_SERVICE_UNAVAILABLE },
                { 599, TB_SERVICE_UNAVAILABLE } };
  for (guint i = 0; i < G_N_ELEMENTS (table); i++)
    CU_ASSERT_EQUAL (rules_by_status (table[i].http), table[i].status);
}

int
main (void)
{
  return TAP_RUN (
    "rules", { "the first row that fits counts", test_the_first_row_that_fits_counts },
    { "an error inside a 200 is seen", test_an_error_inside_a_200_is_seen },
    { "what says nothing is not there", test_what_says_nothing_is_not_there },
    { "a star is any member", test_a_star_is_any_member },
    { "numbers and truths compare as they are written", test_numbers_and_truths_compare_as_they_are_written },
    { "text is matched with stars", test_text_is_matched_with_stars },
    { "a row with a broken path is refused", test_a_row_with_a_broken_path_is_refused },
    { "statuses mean what the table says", test_statuses_mean_what_the_table_says });
}
