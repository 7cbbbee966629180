#include "worker/retry.h"

#include <curl/curl.h>

void
retry_budget_init (RetryBudget *budget)
{
  budget->credit = RETRY_CREDIT_FIRST;
}

void
retry_budget_first (RetryBudget *budget)
{
  budget->credit = MIN (budget->credit + 1.0 / RETRY_EARNED_BY, RETRY_CREDIT_MOST);
}

gboolean
retry_budget_take (RetryBudget *budget)
{
  if (budget->credit < 1)
    return FALSE;
  budget->credit -= 1;
  return TRUE;
}

gint64
retry_pause_ms (guint tried, double random)
{
  g_assert (tried >= 1);
  gint64 most = (gint64)RETRY_FIRST_MS << MIN (tried - 1, 20);
  return (gint64)(random * (double)MIN (most, RETRY_PAUSE_MOST_MS));
}

gint64
retry_date_ms (const char *text)
{
  time_t seconds = curl_getdate (text, NULL);
  return seconds > 0 ? (gint64)seconds * 1000 : 0;
}
