/* Everything the imitated vendors received, newest kept: the vendor's own view, for tests that ask what
 * arrived. */
#pragma once
#include "request.h"

enum { JOURNAL_ENTRIES = 100000, JOURNAL_BYTES = 128 << 20, JOURNAL_BODY_BYTES = 64 << 10 };

typedef struct Journal Journal;

Journal *journal_new (void);
void journal_free (Journal *journal);

/* Off: requests are counted, and nothing else (benches). */
void journal_set_on (Journal *journal, gboolean on);

/* status 0: no answer was given (reset, stall). sent: bytes of the answer's body. vendor "": none. fault:
 * what was done to it, or NULL. */
void journal_add (Journal *journal, gint64 at_ms, const char *vendor, const Request *request, int status,
                  guint64 sent, const char *fault);

/* {"requests":[...],"last":N}: entries with a number above after, of one vendor ("": all). */
GString *journal_to_json (const Journal *journal, const char *vendor, guint64 after);

void journal_clear (Journal *journal);
