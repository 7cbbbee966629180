/* What connectors of one vendor account share: the pace, and the token. Shared by those whose address and
 * account settings (endpoint_account()) are the same; gone with the last of them. */
#pragma once
#include "worker/pace.h"
#include "worker/token.h"
#include "worker/worker.h"

typedef struct Account Account;

/* key: what must be the same. Limits of a later one replace those before. */
Account *account_get (Worker *worker, const char *key, const PaceLimits *limits);
Account *account_ref (Account *account);
void account_unref (Account *account);

Pace *account_pace (Account *account);
Token *account_token (Account *account);

/* Parks the call's fiber until it is its turn. nested: it has a request under way already. TB_OK:
 * account_done() is owed. Else call_fail() was told: the call is over, or the vendor wants to be left alone
 * for too long (call->retry_ms). */
tb_status account_wait (Account *account, Call *call, double cost, gboolean nested);
void account_done (Account *account);
/* Something was said to the pace: others may have to be woken earlier or later. */
void account_changed (Account *account);
