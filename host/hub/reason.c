#include "hub/reason.h"

#include <string.h>

static const struct {
  const char *word, *text, *who;
} rows[REASONS] = {
  [REASON_NONE] = { "", "", "nobody" },
  [REASON_STARTING] = { "starting", "The plugin's worker is being started.", "nobody" },
  [REASON_TURN] = { "turn", "Other passes of this plugin run first.", "nobody" },
  [REASON_LEAST_INTERVAL] = { "least_interval", "The plugin asks for more time between passes.", "nobody" },
  [REASON_VENDOR_UNAVAILABLE] = { "vendor_unavailable", "The vendor does not answer; it is asked again.",
                                  "vendor" },
  [REASON_VENDOR_ASKS_TO_WAIT] = { "vendor_asks_to_wait", "The vendor asked us to wait.", "nobody" },
  [REASON_VENDOR_PREPARES] = { "vendor_prepares", "The vendor is still preparing what was asked for.",
                               "nobody" },
  [REASON_BAD_RESPONSE] = { "bad_response", "The vendor's answers cannot be read.", "vendor" },
  [REASON_CREDENTIALS_REFUSED] = { "credentials_refused",
                                   "The vendor refused our credentials; correct them, then reload.",
                                   "operator" },
  [REASON_PERMISSION_REFUSED] = { "permission_refused",
                                  "Our credentials lack a permission for this; have the vendor grant it, "
                                  "then sync.",
                                  "operator" },
  [REASON_REFUSED] = { "refused", "The vendor refused the request.", "operator" },
  [REASON_PLUGIN_FAILED] = { "plugin_failed", "The plugin broke a rule of the SDK.", "operator" },
  [REASON_PLUGIN_CRASHED] = { "plugin_crashed", "The plugin's worker ended; it is started again.", "us" },
  [REASON_PLUGIN_MISSING] = { "plugin_missing", "The plugin is not installed or was refused.", "operator" },
  [REASON_PASS_HELD] = { "pass_held", "A full pass lacks too many records; accept or refuse it.",
                         "operator" },
  [REASON_DISK_FULL] = { "disk_full", "There is no space to store anything; free some.", "operator" },
  [REASON_STORE_FAILED] = { "store_failed", "The store cannot be written; see the log.", "operator" },
  [REASON_SWITCHED_OFF] = { "switched_off", "Switched off in the configuration.", "nobody" },
  [REASON_PAUSED] = { "paused", "Paused by an operator.", "operator" },
};

static const struct {
  const char *status;
  Reason reason;
} statuses[] = {
  { "ok", REASON_NONE },
  { "service_unavailable", REASON_VENDOR_UNAVAILABLE },
  { "rate_limit_exceeded", REASON_VENDOR_ASKS_TO_WAIT },
  { "authentication_error", REASON_CREDENTIALS_REFUSED },
  { "permission_error", REASON_PERMISSION_REFUSED },
  { "validation_error", REASON_REFUSED },
  { "not_found", REASON_REFUSED },
  { "conflict", REASON_REFUSED },
  { "unsupported", REASON_REFUSED },
  { "bad_response", REASON_BAD_RESPONSE },
  { "cancelled", REASON_VENDOR_UNAVAILABLE },
  { "in_doubt", REASON_VENDOR_UNAVAILABLE },
  { "not_sure", REASON_VENDOR_UNAVAILABLE },
};

const char *
reason_word (Reason reason)
{
  return rows[reason].word;
}

const char *
reason_text (Reason reason)
{
  return rows[reason].text;
}

const char *
reason_who (Reason reason)
{
  return rows[reason].who;
}

Reason
reason_of_status (const char *status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (strcmp (statuses[i].status, status) == 0)
      return statuses[i].reason;
  return REASON_PLUGIN_FAILED;
}

gboolean
reason_status_known (const char *status)
{
  for (gsize i = 0; i < G_N_ELEMENTS (statuses); i++)
    if (strcmp (statuses[i].status, status) == 0)
      return TRUE;
  return strcmp (status, "internal") == 0;
}
