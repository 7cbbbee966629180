#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/timefmt.h"

/* The one piece of state that is the process's own: where its log goes. Set by main, before there are other
 * threads; the level also later. */
static struct {
  const char *name;
  _Atomic LogLevel level;
  gboolean journal;
} sink = { "tillbridge", LOG_INFO, FALSE };

static const char *const words[] = { "error", "warning", "info", "debug" };
static const char *const priorities[] = { "3", "4", "6", "7" };

void
log_init (const char *name, LogLevel level)
{
  sink.name = name;
  sink.level = level;
  sink.journal = g_log_writer_is_journald (fileno (stderr));
}

void
log_set_level (LogLevel level)
{
  sink.level = level;
}

gboolean
log_enabled (LogLevel level)
{
  return level <= sink.level;
}

gboolean
log_level_from_text (const char *text, LogLevel *level)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (text, words[i]) == 0) {
      *level = (LogLevel)i;
      return TRUE;
    }
  return FALSE;
}

static void
write_journal (LogLevel level, const LogContext *context, const char *text)
{
  GLogField fields[7] = { { "MESSAGE", text, -1 },
                          { "PRIORITY", priorities[level], -1 },
                          { "SYSLOG_IDENTIFIER", sink.name, -1 } };
  gsize count = 3;
  const struct {
    const char *name, *value;
  } extra[] = { { "TB_STORE", context ? context->store : NULL },
                { "TB_CONNECTOR", context ? context->connector : NULL },
                { "TB_CALL", context ? context->call : NULL },
                { "TB_CODE", context ? context->code : NULL } };
  for (gsize i = 0; i < G_N_ELEMENTS (extra); i++)
    if (extra[i].value)
      fields[count++] = (GLogField){ extra[i].name, extra[i].value, -1 };
  g_log_writer_journald (G_LOG_LEVEL_MESSAGE, fields, count, NULL);
}

void
log_line (LogLevel level, const LogContext *context, const char *format, ...)
{
  if (!log_enabled (level))
    return;
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autoptr (GString) line = g_string_new (NULL);
  if (context && context->store)
    g_string_append_printf (line, "%s%s%s: ", context->store, context->connector ? "/" : "",
                            context->connector ? context->connector : "");
  g_string_append (line, text);
  g_strdelimit (line->str, "\n\r", ' ');
  if (sink.journal) {
    write_journal (level, context, line->str);
    return;
  }
  char at[TIME_TEXT_SIZE];
  time_to_text (time_wall_ms (), at);
  if (context && context->call)
    g_string_append_printf (line, " (%s)", context->call);
  fprintf (stderr, "%s %s %s: %s\n", at, sink.name, words[level], line->str);
}
