/* What a fault does to an answer. */
#pragma once
#include "engine.h"

/* Does this fault answer instead of the vendor's handler? */
gboolean spoil_is_before (const FaultRule *rule);

/* Writes the answer of such a fault. main_url: "http://host:port" of the sandbox's main port, where redirects
 * go. */
void spoil_before (Exchange *exchange, const FaultRule *rule, const char *main_url);

/* Spoils the answer that the handler gave. */
void spoil_after (Exchange *exchange, const FaultRule *rule);
