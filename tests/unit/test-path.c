#include "tap.h"
#include "worker/path.h"

#include <string.h>

static char *G_GNUC_PRINTF (1, 2) format (const char *text, ...)
{
  GError *error = NULL;
  va_list args;
  va_start (args, text);
  char *path = path_format (text, args, &error);
  va_end (args);
  if (!path) {
    path = g_strconcat ("ERROR ", error->message, NULL);
    g_error_free (error);
  }
  return path;
}

#define EXPECT(wanted, ...)                                                                                  \
  do {                                                                                                       \
    g_autofree char *path_ = format (__VA_ARGS__);                                                           \
    CU_ASSERT_STRING_EQUAL (path_, wanted);                                                                  \
  } while (0)

static const char *
nothing (void)
{
  return NULL;
}

static void
test_texts_are_encoded (void)
{
  EXPECT ("/customers/a%20b%2F%C3%A9%3F", "/customers/%s", "a b/\xc3\xa9?");
  EXPECT ("/t/~a-b_c.d", "/t/%s", "~a-b_c.d");
  EXPECT ("/x?q=a%26b%3Dc", "/x?q=%s", "a&b=c");
}

static void
test_a_plain_text_keeps_what_is_in_it (void)
{
  EXPECT ("/a/b?c=d", "/%-s", "a/b?c=d");
  EXPECT ("/a%20b%0D", "/%-s", "a b\r");
}

static void
test_numbers_stand_as_they_are (void)
{
  EXPECT ("/p/3/-5/7/4294967295/1.5/100%", "/p/%lld/%d/%ld/%u/%f/100%%", 3LL, -5, 7L, 4294967295U, 1.5);
}

static void
test_nothing_behind_the_question_mark_takes_its_parameter_away (void)
{
  EXPECT ("/p?a=1&c=3", "/p?a=%d&b=%s&c=%d", 1, nothing (), 3);
  EXPECT ("/p?b=2", "/p?a=%s&b=%d", nothing (), 2);
  EXPECT ("/p?a=1", "/p?a=%d&b=%s", 1, nothing ());
  EXPECT ("/p", "/p?a=%s&b=%s", nothing (), nothing ());
  EXPECT ("/p?c=3", "/p?a=%s&b=%s&c=%d", nothing (), nothing (), 3);
  EXPECT ("/p?z=1", "/p?q=since:%s&z=%d", nothing (), 1);
  EXPECT ("/p?a=", "/p?a=%s", "");
}

static void
test_nothing_in_the_path_is_an_error (void)
{
  const char *texts[] = { nothing (), "", ".", ".." };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autofree char *path = format ("/customers/%s", texts[i]);
    g_autofree char *plain = format ("/customers/%-s", texts[i]);
    CU_ASSERT (g_str_has_prefix (path, "ERROR an argument of the path behind \"/customers/\""));
    CU_ASSERT (g_str_has_prefix (plain, "ERROR "));
  }
}

static void
test_a_format_that_is_not_understood_is_an_error (void)
{
  const char *odd[] = { "/%n", "/%c", "/%", "/%*d", "/%.2f" };
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autofree char *path = format (odd[i], 1);
    CU_ASSERT_PTR_NOT_NULL (strstr (path, "is not understood"));
  }
}

int
main (void)
{
  return TAP_RUN (
    "path", { "texts are encoded", test_texts_are_encoded },
    { "a plain text keeps what is in it", test_a_plain_text_keeps_what_is_in_it },
    { "numbers stand as they are", test_numbers_stand_as_they_are },
    { "nothing behind the question mark takes its parameter away",
      test_nothing_behind_the_question_mark_takes_its_parameter_away },
    { "nothing in the path is an error", test_nothing_in_the_path_is_an_error },
    { "a format that is not understood is an error", test_a_format_that_is_not_understood_is_an_error });
}
