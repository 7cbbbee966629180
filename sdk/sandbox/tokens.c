#include "tokens.h"

#include <string.h>

typedef struct {
  gint64 until_ms;
  char *owner;
} Token;

struct Tokens {
  GHashTable *given; /* text -> Token */
  GRand *dice;
  gint64 lasts_s;
};

static void
token_free (gpointer data)
{
  Token *token = data;
  g_free (token->owner);
  g_free (token);
}

Tokens *
tokens_new (guint64 seed, gint64 lasts_s)
{
  Tokens *tokens = g_new0 (Tokens, 1);
  tokens->given = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, token_free);
  tokens->dice = g_rand_new_with_seed ((guint32)seed);
  tokens->lasts_s = lasts_s;
  return tokens;
}

void
tokens_free (Tokens *tokens)
{
  if (!tokens)
    return;
  g_hash_table_unref (tokens->given);
  g_rand_free (tokens->dice);
  g_free (tokens);
}

void
tokens_make (Tokens *tokens, const char *owner, gint64 now_ms, char token[TOKEN_SIZE])
{
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (int i = 0; i < TOKEN_SIZE - 1; i++)
    token[i] = letters[g_rand_int (tokens->dice) >> 26];
  token[TOKEN_SIZE - 1] = '\0';
  Token *given = g_new (Token, 1);
  *given = (Token){ now_ms + tokens->lasts_s * 1000, g_strdup (owner) };
  g_hash_table_insert (tokens->given, g_strdup (token), given);
}

gboolean
tokens_check (const Tokens *tokens, const char *token, const char *owner, gint64 now_ms)
{
  const Token *given = g_hash_table_lookup (tokens->given, token);
  return given && now_ms < given->until_ms && strcmp (given->owner, owner) == 0;
}

void
tokens_expire (Tokens *tokens)
{
  g_hash_table_remove_all (tokens->given);
}

gint64
tokens_lasts_s (const Tokens *tokens)
{
  return tokens->lasts_s;
}

void
tokens_set_lasts_s (Tokens *tokens, gint64 lasts_s)
{
  tokens->lasts_s = lasts_s;
}
