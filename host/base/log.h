/* The log: one line an event on stderr, or the journal when stderr is one.
 *
 *   log_line (LOG_INFO, &(LogContext){ .store = "downtown", .connector = "pos" }, "products: pass complete,
 * %d stored", n);
 *
 * Whoever has the context logs, once; a line carries the operator's next step where there is one. Never a
 * secret. */
#pragma once
#include <glib.h>

typedef enum { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG } LogLevel;

typedef struct {
  const char *store, *connector, *call, *code;
} LogContext;

/* name: what stands before each line and in SYSLOG_IDENTIFIER. Lines above the level are dropped. */
void log_init (const char *name, LogLevel level);
void log_set_level (LogLevel level);
gboolean log_enabled (LogLevel level);

/* "error" "warning" "info" "debug"; FALSE for any other word. */
gboolean log_level_from_text (const char *text, LogLevel *level);

/* Journal fields TB_STORE, TB_CONNECTOR, TB_CALL, TB_CODE. context may be NULL. */
void log_line (LogLevel level, const LogContext *context, const char *format, ...) G_GNUC_PRINTF (3, 4);
