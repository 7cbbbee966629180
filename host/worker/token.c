#include "worker/token.h"

#include <string.h>

struct Token {
  char *access, *refresh;
  guint64 generation;
  gboolean worked; /* the vendor took this one */
  guint barren;    /* tokens in a row that were refused and had never worked */
  gint64 renew_ms, ends_ms;
  Call *fetching;
  GPtrArray *waiting; /* Call */
  /* how the last fetch failed, for those that waited for it, and for a while when it was refused */
  guint fetches;
  tb_status failed;
  char *why;
  gint64 held_until_ms;
};

static void
forget (char **secret)
{
  if (*secret)
    explicit_bzero (*secret, strlen (*secret));
  g_clear_pointer (secret, g_free);
}

Token *
token_new (void)
{
  Token *token = g_new0 (Token, 1);
  token->waiting = g_ptr_array_new ();
  return token;
}

void
token_free (Token *token)
{
  if (!token)
    return;
  forget (&token->access);
  forget (&token->refresh);
  g_ptr_array_unref (token->waiting);
  g_free (token->why);
  g_free (token);
}

gint64
token_renew_ms (gint64 now_ms, gint64 lasts_ms)
{
  return now_ms + lasts_ms - MIN (lasts_ms * TOKEN_EARLY_PERCENT / 100, TOKEN_EARLY_MOST_MS);
}

static void
end_fetch (Token *token)
{
  token->fetching = NULL;
  token->fetches++;
  for (guint i = 0; i < token->waiting->len; i++)
    fiber_wake (((Call *)token->waiting->pdata[i])->fiber);
}

static tb_status
keep (Token *token, Call *call, const tb_token *fresh)
{
  gint64 now_ms = loop_now_ms (call->worker->loop);
  if (!fresh->access || !*fresh->access || strpbrk (fresh->access, "\r\n"))
    return call_fail (
      call, TB_AUTHENTICATION_ERROR, TB_WHY_UNKNOWN,
      "authorize ended well and gave no token: mend the plugin, or look what the vendor answered");
  forget (&token->access);
  token->access = g_strdup (fresh->access);
  if (fresh->refresh && g_strcmp0 (fresh->refresh, token->refresh) != 0) {
    char *refresh = g_strdup (fresh->refresh); /* it may be the old one's text that is given back */
    forget (&token->refresh);
    token->refresh = refresh;
  }
  token->generation++;
  token->worked = FALSE;
  token->renew_ms = token->ends_ms = G_MAXINT64;
  if (fresh->lasts_s > 0) {
    gint64 lasts_ms = MIN (fresh->lasts_s, G_MAXINT32) * 1000;
    token->renew_ms = token_renew_ms (now_ms, lasts_ms);
    token->ends_ms = now_ms + lasts_ms;
  }
  return TB_OK;
}

static tb_status
fetch (Token *token, Call *call, const tb_endpoint *row)
{
  tb_token fresh = { .refresh = token->refresh
                                  ? arena_strndup (call->arena, token->refresh, strlen (token->refresh))
                                  : NULL };
  token->fetching = call;
  call->authorizing = TRUE;
  tb_status status = row->authorize (&call->shown, &fresh);
  call->authorizing = FALSE;
  if (status == TB_OK)
    status = keep (token, call, &fresh);
  token->failed = status;
  g_free (token->why);
  token->why = g_strdup (call->detail);
  gint64 now_ms = loop_now_ms (call->worker->loop);
  if (status == TB_OK)
    token->held_until_ms = 0; /* what was refused meanwhile was the one before */
  else if (status == TB_AUTHENTICATION_ERROR)
    token->held_until_ms = now_ms + TOKEN_REFUSED_HOLD_MS;
  end_fetch (token);
  return status;
}

static tb_status
give (Token *token, Call *call, const char **text, guint64 *generation)
{
  gsize length = strlen (token->access);
  tb_bytes secret = { arena_strndup (call->arena, token->access, length), length };
  g_array_append_val (call->secrets, secret); /* wiped with the call */
  *text = secret.data;
  *generation = token->generation;
  return TB_OK;
}

/* It may have been refused or come to its end while another one was asked for. */
static gboolean
is_good (const Token *token, const Call *call)
{
  return token->access && loop_now_ms (call->worker->loop) < token->ends_ms;
}

static tb_status
same_failure (Token *token, Call *call)
{
  return call_fail (call, token->failed, TB_WHY_UNKNOWN, "%s",
                    token->why ? token->why : "no token was given");
}

tb_status
token_get (Token *token, Call *call, const tb_endpoint *row, const char **text, guint64 *generation)
{
  for (;;) {
    gint64 now_ms = loop_now_ms (call->worker->loop);
    if (is_good (token, call) &&
        (now_ms < token->renew_ms || token->fetching || now_ms < token->held_until_ms))
      return give (token, call, text, generation);
    if (!token->fetching) {
      if (now_ms < token->held_until_ms)
        return same_failure (token, call);
      tb_status status = fetch (token, call, row);
      if (status == TB_OK)
        return give (token, call, text, generation);
      if (status == TB_CANCELLED || !is_good (token, call))
        return status;
      /* The old one is still good for a while, and not each call shall wait for another in vain. */
      token->renew_ms = loop_now_ms (call->worker->loop) + TOKEN_AGAIN_MS;
      return give (token, call, text, generation);
    }
    guint before = token->fetches;
    g_ptr_array_add (token->waiting, call);
    tb_status status = TB_OK;
    while (status == TB_OK && token->fetches == before)
      status = call_wait (call, call->deadline_ms);
    g_ptr_array_remove_fast (token->waiting, call);
    if (status != TB_OK)
      return status;
    if (token->failed != TB_OK && token->failed != TB_CANCELLED)
      return same_failure (token, call);
  }
}

gboolean
token_refused (Token *token, guint64 generation, gint64 now_ms)
{
  if (generation != token->generation || !token->access)
    return token->barren < TOKEN_BARREN_MOST; /* another call has seen to it */
  token->barren = token->worked ? 0 : token->barren + 1;
  forget (&token->access);
  if (token->barren < TOKEN_BARREN_MOST)
    return TRUE;
  token->failed = TB_AUTHENTICATION_ERROR;
  token->held_until_ms = now_ms + TOKEN_REFUSED_HOLD_MS;
  token->barren = 0;
  g_free (token->why);
  token->why = g_strdup ("the vendor gives tokens and refuses them: look at the account's rights there");
  return FALSE;
}

void
token_worked (Token *token, guint64 generation)
{
  if (generation != token->generation)
    return;
  token->worked = TRUE;
  token->barren = 0;
}

void
token_leave (Token *token, const Call *call)
{
  g_ptr_array_remove_fast (token->waiting, (gpointer)call);
  if (token->fetching != call)
    return;
  token->failed = TB_CANCELLED;
  end_fetch (token);
}
