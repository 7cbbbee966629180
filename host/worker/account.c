#include "worker/account.h"

#include <string.h>

#include "worker/retry.h"

struct Account {
  Worker *worker;
  char *key;
  guint refs;
  Pace *pace;
  Token *token;
  LoopTimer *timer;   /* when the next in line may go */
  GPtrArray *waiting; /* Turn, in line */
};

typedef struct Accounts {
  GHashTable *by_key;
} Accounts;

typedef struct {
  PaceWaiter waiter; /* first */
  Call *call;
  gboolean has_turn;
} Turn;

static void
run (gpointer data)
{
  Account *account = data;
  gint64 next_ms = pace_run (account->pace, loop_now_ms (account->worker->loop));
  if (next_ms == G_MAXINT64)
    loop_timer_clear (account->timer);
  else
    loop_timer_set (account->timer, next_ms);
}

Account *
account_get (Worker *worker, const char *key, const PaceLimits *limits)
{
  if (!worker->accounts) {
    worker->accounts = g_new0 (Accounts, 1);
    worker->accounts->by_key = g_hash_table_new (g_str_hash, g_str_equal);
  }
  gint64 now_ms = loop_now_ms (worker->loop);
  Account *account = g_hash_table_lookup (worker->accounts->by_key, key);
  if (account) {
    pace_set_limits (account->pace, limits, now_ms);
    return account_ref (account);
  }
  account = g_new0 (Account, 1);
  *account = (Account){ .worker = worker, .key = g_strdup (key), .refs = 1 };
  account->pace = pace_new (limits, now_ms);
  account->token = token_new ();
  account->waiting = g_ptr_array_new ();
  account->timer = loop_timer_new (worker->loop, run, account);
  g_hash_table_insert (worker->accounts->by_key, account->key, account);
  return account;
}

Account *
account_ref (Account *account)
{
  account->refs++;
  return account;
}

void
account_unref (Account *account)
{
  if (!account || --account->refs)
    return;
  Accounts *accounts = account->worker->accounts;
  g_hash_table_remove (accounts->by_key, account->key);
  if (g_hash_table_size (accounts->by_key) == 0) {
    g_hash_table_unref (accounts->by_key);
    g_clear_pointer (&account->worker->accounts, g_free);
  }
  pace_free (account->pace);
  token_free (account->token);
  g_ptr_array_unref (account->waiting);
  loop_timer_free (account->timer);
  g_free (account->key);
  g_free (account);
}

Pace *
account_pace (Account *account)
{
  return account->pace;
}

Token *
account_token (Account *account)
{
  return account->token;
}

static void
its_turn (PaceWaiter *waiter, gpointer data)
{
  Turn *turn = data;
  turn->has_turn = TRUE;
  fiber_wake (turn->call->fiber);
}

static PaceUrgency
urgency_of (const Call *call)
{
  const char *names[PACE_URGENCIES] = { "", "orders", "messages", "webhooks", "sync" };
  for (guint i = PACE_ORDERS; i < PACE_SYNC; i++)
    if (g_strcmp0 (call->urgency, names[i]) == 0)
      return (PaceUrgency)i;
  return PACE_SYNC;
}

/* The vendor said to wait longer than this call can or should: the hub asks again then, and nobody sits here.
 */
static gboolean
is_too_far (const Account *account, const Call *call)
{
  gint64 now_ms = loop_now_ms (account->worker->loop), until_ms = pace_waits_until (account->pace);
  return until_ms > now_ms && (until_ms - now_ms > RETRY_PAUSE_MOST_MS || until_ms >= call->deadline_ms);
}

static tb_status
say_later (const Account *account, Call *call)
{
  call->retry_ms = pace_waits_until (account->pace) - loop_now_ms (account->worker->loop);
  return call_fail (call, TB_RATE_LIMIT_EXCEEDED, TB_WHY_UNKNOWN,
                    "the vendor wants to be left alone for another %" G_GINT64_FORMAT " s",
                    (call->retry_ms + 999) / 1000);
}

tb_status
account_wait (Account *account, Call *call, double cost, gboolean nested)
{
  tb_status status = TB_OK;
  Turn turn = { .call = call };
  turn.waiter = (PaceWaiter){ .urgency = nested ? PACE_NESTED : urgency_of (call),
                              .store = call->connector->store_id,
                              .cost = cost,
                              .on_turn = its_turn,
                              .data = &turn };
  if (is_too_far (account, call))
    return say_later (account, call);
  pace_ask (account->pace, &turn.waiter);
  g_ptr_array_add (account->waiting, &turn);
  run (account);
  while (!turn.has_turn && status == TB_OK && !is_too_far (account, call))
    status = call_wait (call, call->deadline_ms);
  g_ptr_array_remove_fast (account->waiting, &turn);
  if (turn.has_turn)
    return TB_OK;
  pace_leave (account->pace, &turn.waiter);
  run (account);
  if (status == TB_OK)
    return say_later (account, call);
  return call_fail (call, status, TB_WHY_UNKNOWN,
                    "over while it waited for the pace of the account (%.3g a second)",
                    pace_per_second (account->pace, loop_now_ms (account->worker->loop)));
}

void
account_done (Account *account)
{
  pace_done (account->pace);
  run (account);
}

void
account_changed (Account *account)
{
  run (account);
  for (guint i = 0; i < account->waiting->len; i++) {
    const Turn *turn = account->waiting->pdata[i];
    if (is_too_far (account, turn->call))
      fiber_wake (turn->call->fiber);
  }
}
