/* The token of an account: fetched by the plugin's `authorize`, by one call however many wait; renewed early;
 * never written anywhere. Lives in the worker's memory and dies with it. */
#pragma once
#include "worker/worker.h"

typedef struct Token Token;

enum {
  TOKEN_EARLY_PERCENT = 10, /* of its lifetime it is renewed before its end */
  TOKEN_EARLY_MOST_MS = 5 * 60 * 1000,
  TOKEN_REFUSED_HOLD_MS = 10 * 1000, /* after a refusal nobody asks again so soon */
  TOKEN_AGAIN_MS = 10 * 1000,        /* after a renewal that failed while the old one is still good */
  TOKEN_BARREN_MOST = 2              /* so many tokens that never worked are as good as a refusal */
};

Token *token_new (void);
void token_free (Token *token);

/* The token's text (in the call's arena) and which one it is; fetches it when there is none, waits while
 * another call does. */
tb_status token_get (Token *token, Call *call, const tb_endpoint *row, const char **text,
                     guint64 *generation);
/* The vendor refused this one: the next token_get() brings another. FALSE: another is of no use, the
 * last ones were refused like this one before they ever worked. */
gboolean token_refused (Token *token, guint64 generation, gint64 now_ms);
/* The vendor took it. */
void token_worked (Token *token, guint64 generation);
/* The call that may be fetching it has ended. */
void token_leave (Token *token, const Call *call);
/* When one that lasts so long is renewed. */
gint64 token_renew_ms (gint64 now_ms, gint64 lasts_ms);
