/* Texts of the search index, and what is asked for in it. A text is
 *
 *   0000001fPlum Gummies KIVA 5b0c <U+E000>0c1f2e.. <U+E004>77aa01..
 *
 * and the tokenizer here puts the collection in front of each word that unicode61 finds behind it. What a
 * user or a vendor writes never becomes a term, since the characters that begin one are taken out of it, and
 * never becomes FTS5's syntax, since each word is quoted. */
#include "base/hash.h"
#include "store/sqlite-store.h"

#include <string.h>

/* U+E000 and the next: \xEE \x80 \x80 and so on. */
#define TERM_LEAD "\xEE\x80"
enum { TERM_FIRST = 0x80 };
G_STATIC_ASSERT (MODEL_TERMS_MOST <= 64);

typedef struct {
  fts5_tokenizer unicode;
  Fts5Tokenizer *splitter;
} Marker;

typedef int (*EachToken) (void *data, int flags, const char *token, int length, int start, int end);

typedef struct {
  GString *token; /* with the collection in front, which stays */
  gsize front;
  EachToken each;
  void *data;
} Marking;

static int
mark_token (void *data, int flags, const char *token, int length, int start, int end)
{
  Marking *marking = data;
  int front = (int)marking->front;
  g_string_truncate (marking->token, marking->front);
  g_string_append_len (marking->token, token, length);
  return marking->each (marking->data, flags, marking->token->str, (int)marking->token->len, start + front,
                        end + front);
}

static int
tokenize (Fts5Tokenizer *tokenizer, void *data, int flags, const char *text, int length, EachToken each)
{
  Marker *marker = (Marker *)(void *)tokenizer;
  gsize front = MIN ((gsize)length, (gsize)SEARCH_COLLECTION_LENGTH);
  g_autoptr (GString) token = g_string_new_len (text, (gssize)front);
  Marking marking = { token, front, each, data };
  return marker->unicode.xTokenize (marker->splitter, &marking, flags, text + front, length - (int)front,
                                    mark_token);
}

static void delete (Fts5Tokenizer *tokenizer)
{
  Marker *marker = (Marker *)(void *)tokenizer;
  if (marker->splitter)
    marker->unicode.xDelete (marker->splitter);
  g_free (marker);
}

static int
create (void *fts, const char **arguments, int count, Fts5Tokenizer **tokenizer)
{
  static const char *options[] = { "remove_diacritics", "2" };
  fts5_api *api = fts;
  Marker *marker = g_new0 (Marker, 1);
  void *context;
  int code = api->xFindTokenizer (api, "unicode61", &context, &marker->unicode);
  if (code == SQLITE_OK)
    code = marker->unicode.xCreate (context, options, G_N_ELEMENTS (options), &marker->splitter);
  *tokenizer = (Fts5Tokenizer *)(void *)marker;
  if (code != SQLITE_OK)
    delete (g_steal_pointer (tokenizer));
  return code;
}

gboolean
search_register (Search *search)
{
  fts5_tokenizer own = { create, delete, tokenize };
  sqlite3_stmt *statement;
  search->fts = NULL;
  if (sqlite3_prepare_v2 (search->db, "SELECT fts5(?1)", -1, &statement, NULL) == SQLITE_OK) {
    sqlite3_bind_pointer (statement, 1, &search->fts, "fts5_api_ptr", NULL);
    sqlite3_step (statement);
  }
  sqlite3_finalize (statement);
  return search->fts &&
         search->fts->xCreateTokenizer (search->fts, "tillbridge", search->fts, &own, NULL) == SQLITE_OK;
}

/* ---- texts ---- */

void
search_add_collection (GString *text, guint32 collection)
{
  g_string_append_printf (text, "%0*x", (int)SEARCH_COLLECTION_LENGTH, collection);
}

void
search_add_words (GString *text, const char *words, gsize length)
{
  gsize at = text->len;
  g_string_append_len (text, words, (gssize)length);
  for (char *lead; (lead = strstr (text->str + at, TERM_LEAD)); at = (gsize)(lead - text->str))
    memset (lead, ' ', strlen (TERM_LEAD) + (lead[2] != 0));
  g_string_append_c (text, ' ');
}

void
search_add_term (GString *text, int term, const char *value, gsize length, guint64 seed)
{
  g_string_append_printf (text, TERM_LEAD "%c%016" G_GINT64_MODIFIER "x ", TERM_FIRST + term,
                          hash_bytes (value, length, seed));
}

/* ---- what is asked for ---- */

typedef struct {
  GString *expression;
  const char *text; /* with its collection in front */
  gsize front;
  guint count;
} Asking;

/* The word as it was written: FTS5 makes the same of it again. */
static int
ask_word (void *data, int flags, const char *token, int length, int start, int end)
{
  Asking *asking = data;
  if (asking->count++ == SEARCH_WORDS_MOST)
    return SQLITE_DONE;
  g_string_append (asking->expression, asking->expression->len ? " AND \"" : "\"");
  g_string_append_len (asking->expression, asking->text, (gssize)asking->front);
  for (const char *c = asking->text + start; c < asking->text + end; c++)
    if (*c != '"')
      g_string_append_c (asking->expression, *c);
  g_string_append (asking->expression, "\"*");
  return SQLITE_OK;
}

static gboolean
ask_words (Search *search, GString *expression, guint32 collection, const char *words)
{
  g_autoptr (GString) text = g_string_new (NULL);
  search_add_collection (text, collection);
  Asking asking = { .expression = expression, .front = text->len };
  search_add_words (text, words, strlen (words));
  asking.text = text->str;
  Fts5Tokenizer *tokenizer;
  if (create (search->fts, NULL, 0, &tokenizer) != SQLITE_OK)
    return FALSE;
  tokenize (tokenizer, &asking, FTS5_TOKENIZE_QUERY, text->str, (int)text->len, ask_word);
  delete (tokenizer);
  return asking.count > 0;
}

static void
ask_term (GString *expression, guint32 collection, const StoreTerm *term, guint64 seed)
{
  int number = model_served_term (term->field);
  g_assert (number >= 0);
  g_string_append (expression, expression->len ? " AND \"" : "\"");
  search_add_collection (expression, collection);
  search_add_term (expression, number, term->text, strlen (term->text), seed);
  g_string_append (expression, "\"");
}

char *
search_expression (Search *search, const StoreQuery *query, guint64 seed)
{
  g_autoptr (GString) expression = g_string_new (NULL);
  if (query->words && !ask_words (search, expression, query->collection, query->words))
    return NULL;
  for (guint i = 0; i < query->term_count; i++)
    ask_term (expression, query->collection, &query->terms[i], seed);
  return g_string_free (g_steal_pointer (&expression), FALSE);
}
