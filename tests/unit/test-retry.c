#include "tap.h"
#include "worker/retry.h"

static void
test_pauses_double_up_to_a_ceiling (void)
{
  CU_ASSERT_EQUAL (retry_pause_ms (1, 0.999999), 249);
  CU_ASSERT_EQUAL (retry_pause_ms (2, 0.5), 250);
  CU_ASSERT_EQUAL (retry_pause_ms (3, 0.5), 500);
  CU_ASSERT_EQUAL (retry_pause_ms (3, 0), 0);
  CU_ASSERT_EQUAL (retry_pause_ms (20, 0.5), 15000);
  CU_ASSERT_EQUAL (retry_pause_ms (4000, 0.5), 15000);
}

static void
test_a_failing_vendor_is_asked_a_tenth_more_at_most (void)
{
  RetryBudget budget;
  guint repeats = 0;
  retry_budget_init (&budget);
  for (guint i = 0; i < 10000; i++) {
    retry_budget_first (&budget);
    for (guint k = 0; k < 3; k++)
      repeats += retry_budget_take (&budget);
  }
  CU_ASSERT (repeats <= 10000 / RETRY_EARNED_BY + RETRY_CREDIT_FIRST);
  CU_ASSERT (repeats >= 10000 / RETRY_EARNED_BY);
}

static void
test_a_long_good_time_saves_no_more_than_the_ceiling (void)
{
  RetryBudget budget;
  guint repeats = 0;
  retry_budget_init (&budget);
  for (guint i = 0; i < 100000; i++)
    retry_budget_first (&budget);
  while (retry_budget_take (&budget))
    repeats++;
  CU_ASSERT_EQUAL (repeats, RETRY_CREDIT_MOST);
}

static void
test_http_dates_are_read_in_all_three_spellings (void)
{
  CU_ASSERT_EQUAL (retry_date_ms ("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777000);
  CU_ASSERT_EQUAL (retry_date_ms ("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777000);
  CU_ASSERT_EQUAL (retry_date_ms ("Sun Nov  6 08:49:37 1994"), 784111777000);
  CU_ASSERT_EQUAL (retry_date_ms ("soon"), 0);
}

int
main (void)
{
  return TAP_RUN (
    "retry", { "pauses double up to a ceiling", test_pauses_double_up_to_a_ceiling },
    { "a failing vendor is asked a tenth more at most", test_a_failing_vendor_is_asked_a_tenth_more_at_most },
    { "a long good time saves no more than the ceiling",
      test_a_long_good_time_saves_no_more_than_the_ceiling },
    { "HTTP dates are read in all three spellings", test_http_dates_are_read_in_all_three_spellings });
}
