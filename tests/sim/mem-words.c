#include "mem-words.h"

#include <string.h>

#include "model/served.h"

typedef struct {
  const StoreQuery *query;
  GString *words; /* " plum gummies" */
  guint terms;    /* that hold */
} Looking;

/* Letters and digits without case and accents, a blank before each word. */
static void
fold (GString *out, const char *text)
{
  g_autofree char *parts = g_utf8_normalize (text, -1, G_NORMALIZE_NFD);
  gboolean inside = FALSE;
  for (const char *c = parts; c && *c; c = g_utf8_next_char (c)) {
    gunichar letter = g_utf8_get_char (c);
    if (g_unichar_ismark (letter))
      continue;
    gboolean counts = g_unichar_isalnum (letter);
    if (counts && !inside)
      g_string_append_c (out, ' ');
    if (counts)
      g_string_append_unichar (out, g_unichar_tolower (letter));
    inside = counts;
  }
}

static void
look (const char *text, gsize length, gboolean words, int term, gpointer data)
{
  Looking *looking = data;
  if (words)
    fold (looking->words, text);
  for (guint i = 0; i < looking->query->term_count; i++) {
    const StoreTerm *wanted = &looking->query->terms[i];
    looking->terms +=
      term >= 0 && model_served_term (wanted->field) == term && strcmp (wanted->text, text) == 0;
  }
}

static gboolean
has_words (const char *words, const char *asked)
{
  g_autoptr (GString) folded = g_string_new (NULL);
  fold (folded, asked);
  g_auto (GStrv) each = g_strsplit (folded->str, " ", -1);
  if (!folded->len)
    return FALSE;
  for (char **word = each + 1; *word; word++) {
    g_autofree char *start = g_strconcat (" ", *word, NULL);
    if (!strstr (words, start))
      return FALSE;
  }
  return TRUE;
}

gboolean
mem_words_hold (const StoreQuery *query, const char *body)
{
  if (!query->words && !query->term_count)
    return TRUE;
  ModelServed served = { 0 };
  g_autoptr (GString) words = g_string_new (NULL);
  Looking looking = { query, words, 0 };
  model_served_found_by (&served, body, strlen (body), look, &looking);
  model_served_clear (&served);
  return looking.terms == query->term_count && (!query->words || has_words (words->str, query->words));
}
