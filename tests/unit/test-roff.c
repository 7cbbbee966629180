#include "tap.h"

#include "base/roff.h"

static void
text_is (const char *text, const char *expected)
{
  g_autoptr (GString) out = g_string_new (NULL);
  roff_put_text (out, text);
  CU_ASSERT_STRING_EQUAL (out->str, expected);
}

static void
test_text_is_escaped (void)
{
  text_is ("plain", "plain\n");
  text_is ("--json a\\b", "\\-\\-json a\\eb\n");
  text_is ("say `name = 1;` here", "say \\fBname = 1;\\fR here\n");
  text_is ("`open", "\\fBopen\\fR\n");
  text_is ("  many\n\nblanks  ", "many blanks\n");
}

static void
test_no_line_begins_like_a_request (void)
{
  text_is (".conf is a suffix", "\\&.conf is a suffix\n");
  text_is ("'quoted'", "\\&'quoted'\n");
  text_is ("a line that is just so long that it is broken right before this word: .conf",
           "a line that is just so long that it is broken right before this word:\n\\&.conf\n");
}

static void
test_lines_stay_as_they_are (void)
{
  g_autoptr (GString) out = g_string_new (NULL);
  roff_put_lines (out, "a  -b\n.c\n`d`");
  CU_ASSERT_STRING_EQUAL (out->str, "a  \\-b\n\\&.c\n`d`\n");
}

int
main (void)
{
  return TAP_RUN ("roff", { "text is escaped", test_text_is_escaped },
                  { "no line begins like a request", test_no_line_begins_like_a_request },
                  { "lines stay as they are", test_lines_stay_as_they_are });
}
