#include "worker/account.h"

#include <string.h>

struct Account {
  Worker *worker;
  char *key;
  guint refs;
  Pace *pace;
  Token *token;
  LoopTimer *timer; /* when the next in line may go */
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

void
account_changed (Account *account)
{
  run (account);
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

tb_status
account_wait (Account *account, Call *call, double cost, gboolean nested)
{
  Turn turn = { .call = call };
  turn.waiter = (PaceWaiter){ .urgency = nested ? PACE_NESTED : urgency_of (call),
                              .store = call->connector->store_id,
                              .cost = cost,
                              .on_turn = its_turn,
                              .data = &turn };
  pace_ask (account->pace, &turn.waiter);
  run (account);
  while (!turn.has_turn) {
    tb_status status = call_wait (call, call->deadline_ms);
    if (status == TB_OK || turn.has_turn)
      continue;
    pace_leave (account->pace, &turn.waiter);
    run (account);
    return status;
  }
  return TB_OK;
}

void
account_done (Account *account)
{
  pace_done (account->pace);
  run (account);
}
