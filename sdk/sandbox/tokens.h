/* Access tokens that a vendor has given out: until when each is good, and for whom. */
#pragma once
#include <glib.h>

enum { TOKEN_SIZE = 257 };

typedef struct Tokens Tokens;

Tokens *tokens_new (guint64 seed, gint64 lasts_s);
void tokens_free (Tokens *tokens);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Tokens, tokens_free)

/* A new one, different from all before; those before stay good to their end. */
void tokens_make (Tokens *tokens, const char *owner, gint64 now_ms, char token[TOKEN_SIZE]);

/* Is it good for this owner now? */
gboolean tokens_check (const Tokens *tokens, const char *token, const char *owner, gint64 now_ms);

/* All that were given out end now. */
void tokens_expire (Tokens *tokens);

gint64 tokens_lasts_s (const Tokens *tokens);
void tokens_set_lasts_s (Tokens *tokens, gint64 lasts_s);
