/* Why something is late, stopped or waiting: one enumeration, from which page, `status`, `why` and log take
 * the same words. */
#pragma once
#include <glib.h>

typedef enum {
  REASON_NONE,
  REASON_STARTING,       /* the worker is being started */
  REASON_TURN,           /* other passes of the plugin run first */
  REASON_LEAST_INTERVAL, /* the plugin asks for more distance between passes */
  REASON_VENDOR_UNAVAILABLE,
  REASON_VENDOR_ASKS_TO_WAIT,
  REASON_VENDOR_PREPARES, /* a report is being made */
  REASON_BAD_RESPONSE,
  REASON_CREDENTIALS_REFUSED,
  REASON_PERMISSION_REFUSED,
  REASON_REFUSED,       /* the vendor refuses what we ask */
  REASON_PLUGIN_FAILED, /* internal: the plugin broke a rule */
  REASON_PLUGIN_CRASHED,
  REASON_PLUGIN_MISSING,
  REASON_PASS_HELD, /* too much would be deleted */
  REASON_DISK_FULL,
  REASON_STORE_FAILED,
  REASON_SWITCHED_OFF,
  REASON_PAUSED,
  REASONS
} Reason;

typedef enum { WHO_NOBODY, WHO_US, WHO_VENDOR, WHO_OPERATOR } Who;

const char *reason_word (Reason reason); /* "vendor_asks_to_wait"; "" for none */
const char *reason_text (Reason reason); /* "The vendor asked us to wait." */
const char *reason_who (Reason reason);  /* "nobody" "us" "vendor" "operator" */
Reason
reason_of_status (const char *status); /* of a call: "rate_limit_exceeded" -> REASON_VENDOR_ASKS_TO_WAIT */
gboolean reason_status_known (const char *status);
