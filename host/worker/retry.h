/* When a request is sent again: pauses with full jitter, and a budget, so that a vendor that fails is not
 * asked much more than one that does not (at most a tenth more, beside a small credit). Pure: randomness is
 * handed in. */
#pragma once
#include <glib.h>

enum {
  RETRY_TRIES_MOST = 4,
  RETRY_BAD_TRIES_MOST = 2, /* of an answer that made no sense */
  RETRY_FIRST_MS = 250,
  RETRY_PAUSE_MOST_MS = 30 * 1000,
  RETRY_CREDIT_FIRST = 3,
  RETRY_CREDIT_MOST = 10,
  RETRY_EARNED_BY = 10 /* first tries for one repeat */
};

typedef struct {
  double credit; /* repeats that may be made now */
} RetryBudget;

void retry_budget_init (RetryBudget *budget);
void retry_budget_first (RetryBudget *budget);    /* a first try was made */
gboolean retry_budget_take (RetryBudget *budget); /* may one be repeated? */

/* Before try number `tried` + 1 (tried >= 1): from 0 to 250 ms doubled each time, at most 30 s. random: [0,
 * 1). */
gint64 retry_pause_ms (guint tried, double random);

/* An HTTP date, "Sun, 06 Nov 1994 08:49:37 GMT" and its two older spellings (RFC 9110, 5.6.7), in
 * milliseconds since 1970; 0: none. */
gint64 retry_date_ms (const char *text);
