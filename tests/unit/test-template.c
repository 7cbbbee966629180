#include "tap.h"
#include "worker/template.h"

#include <string.h>

static const char *
settings (const char *name, gpointer data)
{
  const char *known[][2] = { { "url", "https://api.example.com/" },
                             { "shop", "a b/c" },
                             { "empty", "" },
                             { "key", "k=1" },
                             { "broken", "a\r\nX: y" },
                             { "generation", "v3" },
                             { "off", "false" } };
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i][0], name))
      return known[i][1];
  return NULL;
}

static void
expect (const char *text, TemplateUse use, const char *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *filled = template_fill (text, use, settings, NULL, &error);
  CU_ASSERT_STRING_EQUAL (filled ? filled : error->message, wanted);
}

static void
test_an_address_is_encoded_but_for_the_url_that_leads (void)
{
  expect ("{url}v2/{shop}/x", TEMPLATE_URL, "https://api.example.com/v2/a%20b%2Fc/x");
  expect ("{url}/v2", TEMPLATE_URL, "https://api.example.com/v2");
  expect ("https://x/{shop}?k={key}", TEMPLATE_URL, "https://x/a%20b%2Fc?k=k%3D1");
}

static void
test_a_header_is_left_as_it_stands (void)
{
  expect ("Bearer {key}", TEMPLATE_TEXT, "Bearer k=1");
  expect ("{empty}", TEMPLATE_TEXT, "");
  expect ("plain", TEMPLATE_TEXT, "plain");
}

static void
test_what_is_not_set_may_have_another (void)
{
  expect ("{empty|https://api.example.org}/v1", TEMPLATE_URL, "https://api.example.org/v1");
  expect ("{url|https://api.example.org}v1", TEMPLATE_URL, "https://api.example.com/v1");
  expect ("{empty|}/v1", TEMPLATE_URL, "empty is not set, and the address needs it");
  expect ("{nothing|x}", TEMPLATE_TEXT, "{nothing}: no such setting is described");
  CU_ASSERT_TRUE (template_names ("{token|none}", "token"));
}

static void
test_what_cannot_be_filled_says_why (void)
{
  expect ("{nothing}", TEMPLATE_TEXT, "{nothing}: no such setting is described");
  expect ("https://x/{empty}", TEMPLATE_URL, "empty is not set, and the address needs it");
  expect ("Bearer {key", TEMPLATE_TEXT, "\"Bearer {key\": a { that does not close");
  expect ("{broken}", TEMPLATE_TEXT, "broken holds a line break, which no header or address can carry");
}

static void
test_names_are_found (void)
{
  CU_ASSERT_TRUE (template_names ("Bearer {token}", "token"));
  CU_ASSERT_FALSE (template_names ("Bearer token", "token"));
  CU_ASSERT_FALSE (template_names ("{tokens}{a", "token"));
  CU_ASSERT_FALSE (template_names (NULL, "token"));
}

static void
test_when_compares_or_asks_whether_it_is_set (void)
{
  CU_ASSERT_TRUE (when_text_holds (NULL, settings, NULL));
  CU_ASSERT_TRUE (when_text_holds ("", settings, NULL));
  CU_ASSERT_TRUE (when_text_holds ("generation=v3", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("generation=v2", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("generation=", settings, NULL));
  CU_ASSERT_TRUE (when_text_holds ("key", settings, NULL));
  CU_ASSERT_TRUE (when_text_holds ("key=k=1", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("empty", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("off", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("nothing", settings, NULL));
  CU_ASSERT_FALSE (when_text_holds ("nothing=x", settings, NULL));
}

int
main (void)
{
  return TAP_RUN (
    "template",
    { "an address is encoded but for the url that leads",
      test_an_address_is_encoded_but_for_the_url_that_leads },
    { "a header is left as it stands", test_a_header_is_left_as_it_stands },
    { "what is not set may have another", test_what_is_not_set_may_have_another },
    { "what cannot be filled says why", test_what_cannot_be_filled_says_why },
    { "names are found", test_names_are_found },
    { "when compares, or asks whether it is set", test_when_compares_or_asks_whether_it_is_set });
}
