/* What a try came to: the plugin's rows, then the HTTP status, then `classify`; what that says to the
 * account's pace; and how it is told to people. */
#include <stdlib.h>
#include <string.h>

#include "base/timefmt.h"
#include "worker/endpoint_private.h"
#include "worker/loader.h"

/* Sent, and what became of it is not known. A read, or what may be repeated, is only unavailable. */
static tb_status
lost (const Ask *ask, tb_status otherwise)
{
  return ask->repeatable || ask->call->reading || ask->call->authorizing ? otherwise : TB_IN_DOUBT;
}

Verdict
judge_lost (EndpointStream *stream)
{
  const Ask *ask = stream->ask;
  Verdict verdict = { .words = arena_strndup (ask->call->arena, stream->error, strlen (stream->error)) };
  gboolean unsent = stream->sent_bytes == 0 && stream->status == 0;
  ask->call->told_to_wait = FALSE;
  switch (stream->end) {
  case HTTP_NEVER_LEFT:
    verdict.never_left = TRUE;
    verdict.status = TB_SERVICE_UNAVAILABLE;
    verdict.hopeless = strstr (verdict.words, "allow_private") != NULL;
    break;
  case HTTP_LATE:
  case HTTP_SENT:
    verdict.never_left = unsent;
    verdict.status = unsent ? TB_SERVICE_UNAVAILABLE : lost (ask, TB_SERVICE_UNAVAILABLE);
    break;
  case HTTP_STOPPED:
    verdict.never_left = unsent;
    verdict.status = unsent ? TB_CANCELLED : lost (ask, TB_CANCELLED);
    break;
  case HTTP_TOO_LARGE:
    verdict.hopeless = TRUE;
    verdict.status = lost (ask, TB_BAD_RESPONSE);
    break;
  case HTTP_ELSEWHERE:
    verdict.hopeless = TRUE;
    verdict.status = TB_BAD_RESPONSE;
    break;
  case HTTP_CUT:
  case HTTP_DONE:
    verdict.status = stream->status >= 400 && stream->status < 500 ? rules_by_status (stream->status)
                                                                   : lost (ask, TB_BAD_RESPONSE);
    break;
  }
  return verdict;
}

/* The beginning of a body, on one line. Secrets go before it is cut, so that no half of one stays. */
static const char *
sample (Call *call, const char *text, gsize length)
{
  enum { LOOKED_AT = 20 * ENDPOINT_SAMPLE_BYTES };
  g_autofree char *valid = g_utf8_make_valid (text, (gssize)MIN (length, LOOKED_AT));
  g_autoptr (GString) clean = g_string_new (valid), shown = g_string_new (NULL);
  const char *at;
  call_redact (call, clean);
  for (at = clean->str; *at && shown->len < ENDPOINT_SAMPLE_BYTES; at = g_utf8_next_char (at)) {
    gunichar letter = g_utf8_get_char (at);
    if (g_unichar_isprint (letter))
      g_string_append_unichar (shown, letter);
    else if (shown->len && shown->str[shown->len - 1] != ' ')
      g_string_append_c (shown, ' ');
  }
  if (*at)
    g_string_append (shown, "...");
  return arena_strndup (call->arena, shown->str, shown->len);
}

/* What came well inside authorize holds a token, which nobody knows yet to be one. */
static gboolean
may_be_shown (const EndpointStream *stream)
{
  return !stream->ask->call->authorizing || stream->status < 200 || stream->status >= 300;
}

static const char *
vendors_words (const EndpointStream *stream, const JsonNode *root, const char *text, gsize length)
{
  Call *call = stream->ask->call;
  const JsonPath *words = stream->ask->endpoint->words;
  for (guint i = 0; root && words && i < json_path_alternatives (words); i++) {
    const JsonNode *node = json_path_at (words, i, root);
    if (node && (node->type == JSON_STRING || node->type == JSON_NUMBER) && node->length)
      return sample (call, node->text, node->length);
  }
  return text && length && may_be_shown (stream) ? sample (call, text, length) : "";
}

/* ---- pace ---- */

/* Retry-After: seconds, a decimal some write, or a date (RFC 9110, 10.2.3). */
static gint64
retry_after_ms (Call *call)
{
  const char *text = endpoint_header (call, "Retry-After");
  if (!text)
    return 0;
  char *end;
  double seconds = g_ascii_strtod (text, &end);
  if (end != text && *end == '\0')
    return seconds > 0 ? (gint64)(MIN (seconds, 1e6) * 1000) : 0; /* "nan" is read, too */
  gint64 at_ms = retry_date_ms (text);
  return at_ms ? MAX (at_ms - call->worker->wall_ms (), 0) : 0;
}

typedef struct {
  gint64 wait_ms, reset_ms;
  double left;
  gboolean knows_left;
} Told;

static Told
read_limits (const EndpointStream *stream)
{
  Call *call = stream->ask->call;
  const tb_endpoint *row = stream->ask->endpoint->row;
  Told told = { .wait_ms = retry_after_ms (call) };
  for (guint i = 0; i < row->limits.count; i++) {
    const char *text = endpoint_header (call, row->limits.first[i].header);
    char *end = NULL;
    double value = text ? g_ascii_strtod (text, &end) : 0;
    if (!text || end == text || !(value >= 0) || value > 1e13)
      continue;
    switch (row->limits.first[i].type) {
    case TB_WAIT_S:
      told.wait_ms = MAX (told.wait_ms, (gint64)(value * 1000));
      break;
    case TB_WAIT_MS:
      told.wait_ms = MAX (told.wait_ms, (gint64)value);
      break;
    case TB_LEFT:
      told.left = value;
      told.knows_left = TRUE;
      break;
    case TB_RESET_S: /* from now, or since 1970 */
      told.reset_ms = (gint64)(value * 1000) - (value > 1e9 ? call->worker->wall_ms () : 0);
      break;
    case TB_CEILING:
      break;
    }
  }
  return told;
}

static void
tell_pace (EndpointStream *stream, const Verdict *verdict)
{
  const Ask *ask = stream->ask;
  Call *call = ask->call;
  Pace *pace = account_pace (ask->endpoint->account);
  gint64 now_ms = loop_now_ms (call->worker->loop);
  Told told = read_limits (stream);
  gint64 wait_ms = MAX (told.wait_ms, call->retry_ms);
  if (ask->elsewhere)
    return;
  call->told_to_wait = verdict->status == TB_RATE_LIMIT_EXCEEDED;
  if (verdict->status == TB_RATE_LIMIT_EXCEEDED)
    pace_refused (pace, wait_ms, now_ms);
  else {
    pace_accepted (pace, now_ms);
    if (wait_ms > 0)
      pace_wait (pace, wait_ms, now_ms);
  }
  if (told.knows_left)
    pace_left (pace, told.left, MAX (told.reset_ms, 0), now_ms);
  if (verdict->status == TB_RATE_LIMIT_EXCEEDED || (wait_ms > 0 && verdict->status != TB_OK))
    call->retry_ms = MAX (wait_ms, pace_waits_until (pace) - now_ms);
  account_changed (ask->endpoint->account);
}

void
endpoint_points (Call *call, const tb_points *points)
{
  if (!call->judged)
    return;
  pace_points (account_pace (call->judged->account), points->left, points->ceiling, points->per_second,
               loop_now_ms (call->worker->loop));
}

/* ---- the verdict ---- */

static tb_status
mended (const Ask *ask, tb_status status)
{
  if (status == TB_IN_DOUBT)
    return lost (ask, TB_SERVICE_UNAVAILABLE);
  if (!ask->call->authorizing)
    return status;
  gboolean refused = status == TB_VALIDATION_ERROR || status == TB_PERMISSION_ERROR ||
                     status == TB_NOT_FOUND || status == TB_CONFLICT;
  return refused ? TB_AUTHENTICATION_ERROR : status;
}

static Verdict
by_rows (const EndpointStream *stream, const JsonNode *root, const char *text, gsize length)
{
  const Ask *ask = stream->ask;
  const tb_rule *row = rules_find (ask->endpoint->rules, stream->status, root, text, length);
  if (row)
    return (Verdict){ .status = row->status, .why = row->why };
  tb_status status = rules_by_status (stream->status);
  if (stream->status == 304 && !exchange_is_conditional (ask))
    return (Verdict){ .status = TB_BAD_RESPONSE,
                      .words = "\"not modified\", where nothing of that was asked" };
  return (Verdict){ .status = status == TB_SERVICE_UNAVAILABLE ? lost (ask, status) : status };
}

/* What the plugin made of it, then what the vendor said. */
static const char *
both_words (Call *call, const char *plugins, const char *vendors)
{
  if (!plugins)
    return vendors;
  if (!*vendors)
    return plugins;
  g_autofree char *words = g_strdup_printf ("%s (the vendor says: %s)", plugins, vendors);
  return arena_strndup (call->arena, words, strlen (words));
}

Verdict
judge_answer (EndpointStream *stream, const JsonNode *root, const tb_json *json, const char *text,
              gsize length)
{
  const Ask *ask = stream->ask;
  Call *call = ask->call;
  Verdict verdict = by_rows (stream, root, text, length);
  const char *plugins = verdict.words;
  call->retry_ms = 0;
  if (ask->endpoint->row->classify) {
    tb_response response = { .verdict = verdict.status,
                             .status = stream->status,
                             .json = json,
                             .method = ask->method,
                             .url = ask->url };
    tb_status noted = call->noted;
    call->judged = ask->endpoint;
    call->noted = TB_OK;
    verdict.status = ask->endpoint->row->classify (&call->shown, &response);
    call->judged = NULL;
    if (call->noted != TB_OK && call->noted == verdict.status)
      plugins = call->detail;
    call->noted = call->noted == TB_OK ? noted : call->noted;
  }
  verdict.status = mended (ask, verdict.status);
  if (verdict.status != TB_OK)
    verdict.words = both_words (call, plugins, vendors_words (stream, root, text, length));
  tell_pace (stream, &verdict);
  return verdict;
}

Verdict
judge_bad_body (EndpointStream *stream, const char *what, const char *text, gsize length)
{
  const Ask *ask = stream->ask;
  const char *shown =
    may_be_shown (stream) ? sample (ask->call, text, length) : "not shown: it may hold a token";
  g_autofree char *words =
    g_strdup_printf ("answered %d with a body that is no JSON (%s): \"%s\"", stream->status, what, shown);
  return (Verdict){ .status = lost (ask, TB_BAD_RESPONSE),
                    .words = arena_strndup (ask->call->arena, words, strlen (words)) };
}

/* ---- telling ---- */

tb_status
judge_tell (const Ask *ask, const Verdict *verdict)
{
  Call *call = ask->call;
  g_autoptr (GString) text = g_string_new (ask->shown);
  if (call->http_status)
    g_string_append_printf (text, " (%d)", call->http_status);
  if (verdict->words && *verdict->words)
    g_string_append_printf (text, ": %s", verdict->words);
  return call_fail (call, verdict->status, verdict->why, "%s", text->str);
}
