/* The life of a call: a CALL frame, a fiber in the plugin's function, a RESULT frame. */
#include "worker/worker.h"

#include <string.h>
#include "base/timefmt.h"
#include "worker/emit.h"
#include "worker/endpoint.h"
#include "worker/items.h"
#include "worker/loader.h"
#include "worker/services.h"
#include "worker/skip.h"

enum {
  TURN_MS = 10,         /* a call that ran so long lets the others go on */
  DEAF_MOST = 1000,     /* services asked after TB_CANCELLED */
  DEADLINE_MS = 120000, /* where a CALL names none */
  DETAIL_MOST = 2000
};

static const char *const status_names[] = { "ok",
                                            "service_unavailable",
                                            "rate_limit_exceeded",
                                            "authentication_error",
                                            "permission_error",
                                            "validation_error",
                                            "not_found",
                                            "conflict",
                                            "in_doubt",
                                            "not_sure",
                                            "bad_response",
                                            "cancelled",
                                            "unsupported",
                                            "internal" };
static const char *const why_names[] = {
  "", "opted_out", "recipient", "sender", "content", "route", "stock"
};
static const char *const ending_names[] = { "none", "more", "done", "done", "later" };

const char *
status_name (tb_status status)
{
  return (guint)status < G_N_ELEMENTS (status_names) ? status_names[status] : "internal";
}

/* ---- failing ---- */

tb_status
call_failv (Call *call, tb_status status, tb_why why, const char *format, va_list args)
{
  call->noted = status;
  call->why = (guint)why < G_N_ELEMENTS (why_names) ? why : TB_WHY_UNKNOWN;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_vprintf (text, format, args);
  call_redact (call, text); /* vendors like to repeat a key that they refuse */
  call->detail = arena_strndup (call->arena, text->str, MIN (text->len, DETAIL_MOST));
  return status;
}

tb_status
call_fail (Call *call, tb_status status, tb_why why, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  call_failv (call, status, why, format, args);
  va_end (args);
  return status;
}

void
call_spoil (Call *call, tb_status status)
{
  if (call->spoilt != TB_OK)
    return;
  call->spoilt = status;
  call->spoilt_why = call->why;
  call->spoilt_detail = call->noted == status ? call->detail : NULL;
}

tb_status
call_blame (Call *call, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *words = g_strdup_vprintf (format, args);
  va_end (args);
  const tb_plugin_info *info = plugin_info (call->worker->plugin);
  call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "plugin %s %s: %s%s%s", info->name, info->version,
             call->stream ? call->stream->name : call->operation, ": ", words);
  call_spoil (call, TB_INTERNAL);
  return TB_INTERNAL;
}

/* ---- giving way ---- */

static gboolean
is_over (Call *call)
{
  if (!call->late && loop_now_ms (call->worker->loop) >= call->deadline_ms)
    call->late = TRUE;
  return call->cancelled || call->late;
}

static void
wake_call (gpointer data)
{
  fiber_wake (((Call *)data)->fiber);
}

tb_status
call_wait (Call *call, gint64 at_ms)
{
  if (is_over (call))
    return TB_CANCELLED;
  loop_timer_set (call->timer, at_ms > 0 ? MIN (at_ms, call->deadline_ms) : call->deadline_ms);
  fiber_park (call->worker->fibers);
  loop_timer_clear (call->timer);
  return is_over (call) ? TB_CANCELLED : TB_OK;
}

tb_status
call_go_on (Call *call)
{
  if (time_monotonic_ms () - loop_now_ms (call->worker->loop) >= TURN_MS)
    fiber_yield (call->worker->fibers);
  return is_over (call) ? TB_CANCELLED : TB_OK;
}

tb_status
call_enter (Call *call)
{
  call_check_memory (call, 0); /* answers count too */
  if (!is_over (call))
    return TB_OK;
  if (call->told_cancelled++ < DEAF_MOST)
    return TB_CANCELLED;
  call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "went on after TB_CANCELLED: hand it on with TB_TRY()");
  call_abandon (call);
}

void
call_cancel (Call *call)
{
  call->cancelled = TRUE;
  fiber_wake (call->fiber);
}

/* ---- the end ---- */

static const char *
ending_fault (Call *call)
{
  if (call->ending == 0)
    return "pull gave TB_OK without saying how the page ends: return tb_more(), tb_done(), tb_done_until(), "
           "tb_later() or tb_pages()";
  if (call->ending == TB_PAGE_MORE && json_object_equal (call->cursor, call->cursor_before))
    return "tb_more() with a cursor that stands still: move it with tb_move() or tb_pages()";
  return NULL;
}

/* The status that counts, and its words in call->why and call->detail. */
static tb_status
settle (Call *call, tb_status status)
{
  if ((guint)status > TB_INTERNAL)
    status = call_blame (call, "it returned %d, which is no tb_status", (int)status);
  gboolean pulls = strcmp (call->operation, "pull") == 0, fetches = strcmp (call->operation, "fetch") == 0;
  const char *fault = status != TB_OK ? NULL
                      : pulls         ? ending_fault (call)
                      : fetches && !emit_gave_any (call->emit)
                        ? "fetch gave TB_OK and no record: emit it, or return TB_NOT_FOUND"
                        : NULL;
  if (fault && call->spoilt == TB_OK && !is_over (call))
    status = call_blame (call, "%s", fault);
  if (call->spoilt != TB_OK) {
    call->why = call->spoilt_why;
    call->detail = (char *)call->spoilt_detail;
    call->noted = call->spoilt;
    status = call->spoilt;
  }
  if (status == TB_CANCELLED && call->late && !call->cancelled && call->told_to_wait)
    return call_fail (call, TB_RATE_LIMIT_EXCEEDED, TB_WHY_UNKNOWN,
                      "the vendor wanted us to wait until the deadline of %" G_GINT64_FORMAT " s",
                      (call->deadline_ms - call->began_ms) / 1000);
  if (status == TB_CANCELLED && call->late && !call->cancelled)
    return call_fail (call, TB_SERVICE_UNAVAILABLE, TB_WHY_UNKNOWN,
                      "not done within its deadline of %" G_GINT64_FORMAT " s",
                      (call->deadline_ms - call->began_ms) / 1000);
  if (status == TB_IN_DOUBT && call->reading)
    status = call->noted = TB_SERVICE_UNAVAILABLE;
  if (status != TB_OK && (call->noted != status || !call->detail))
    call_fail (call, status, TB_WHY_UNKNOWN, "the plugin gave %s without saying why", status_name (status));
  return status;
}

static void
put_ending (Call *call, json_object *body)
{
  json_object_object_add (body, "ending", json_object_new_string (ending_names[call->ending]));
  if (call->ending == TB_PAGE_LATER)
    json_object_object_add (body, "later_s", json_object_new_int64 (call->ending_argument));
  if (call->ending == TB_PAGE_DONE_UNTIL)
    json_object_object_add (body, "until_ms", json_object_new_int64 (call->ending_argument));
  if (call->ending == TB_PAGE_MORE || call->ending == TB_PAGE_LATER)
    json_object_object_add (body, "cursor", json_object_get (call->cursor));
}

static json_object *
result_new (tb_status status, tb_why why, const char *detail)
{
  json_object *body = json_object_new_object ();
  g_autofree char *valid = g_utf8_make_valid (detail ? detail : "", -1);
  json_object_object_add (body, "status", json_object_new_string (status_name (status)));
  json_object_object_add (body, "why", json_object_new_string (why_names[why]));
  json_object_object_add (body, "detail", json_object_new_string (valid));
  return body;
}

void
call_count_answer (Call *call, int status)
{
  char code[16];
  g_snprintf (code, sizeof code, "%d", status);
  if (!call->codes)
    call->codes = json_object_new_object ();
  gint64 before = json_object_get_int64 (json_object_object_get (call->codes, code));
  json_object_object_add (call->codes, code, json_object_new_int64 (before + 1));
}

static void
send_result (Call *call, tb_status status)
{
  gboolean ok = status == TB_OK;
  json_object *body = result_new (status, ok ? TB_WHY_UNKNOWN : call->why, ok ? NULL : call->detail);
  if (!ok)
    call->ending = 0;
  put_ending (call, body);
  emit_counts (call->emit, body);
  json_object_object_add (body, "requests", json_object_new_int64 (call->requests));
  json_object_object_add (body, "retries", json_object_new_int64 (call->retries));
  if (call->codes)
    json_object_object_add (body, "codes", json_object_get (call->codes));
  json_object_object_add (body, "ms", json_object_new_int64 (time_monotonic_ms () - call->began_ms));
  if (call->retry_ms)
    json_object_object_add (body, "retry_ms", json_object_new_int64 (call->retry_ms));
  if (ok && call->children)
    json_object_object_add (body, "children", json_object_get (call->children));
  if (ok && call->again)
    json_object_object_add (body, "again", json_object_get (call->again));
  json_object_object_add (body, "stack_bytes",
                          json_object_new_int64 ((gint64)fiber_stack_used (call->fiber)));
  worker_send (call->worker, WIRE_RESULT, call->number, body);
}

static void
wipe_secrets (Call *call)
{
  for (guint i = 0; i < call->secrets->len; i++) {
    tb_bytes secret = g_array_index (call->secrets, tb_bytes, i);
    explicit_bzero ((void *)secret.data, secret.size);
  }
  g_array_unref (call->secrets);
}

static void
clear_document (gpointer document)
{
  json_document_clear (document);
}

static void
call_free (Call *call)
{
  g_hash_table_remove (call->worker->calls, &call->number);
  worker_call_ended (call->worker);
  endpoint_call_ends (call);
  emit_free (call->emit);
  loop_timer_free (call->timer);
  g_ptr_array_unref (call->documents);
  wipe_secrets (call);
  json_object_put (call->codes);
  json_object_put (call->cursor);
  json_object_put (call->cursor_before);
  json_object_put (call->children);
  json_object_put (call->again);
  connector_unref (call->connector);
  arena_free (call->arena);
  g_free (call->id);
  g_free (call);
}

/* On the call's fiber, whose last act this is. */
static void
call_finish (Call *call, tb_status status)
{
  Worker *worker = call->worker;
  items_end (call);
  status = settle (call, status);
  if (status == TB_OK && emit_flush (call) != TB_OK)
    status = settle (call, TB_CANCELLED);
  emit_page_ends (call, status == TB_OK);
  send_result (call, status);
  call_free (call);
  if (worker->draining)
    worker_flush_soon (worker);
}

void
call_abandon (Call *call)
{
  Fibers *fibers = call->worker->fibers;
  call_spoil (call, call->noted);
  call_finish (call, call->noted);
  fiber_exit (fibers);
}

/* ---- the beginning ---- */

typedef struct {
  tb_pull shown; /* first */
  Call *call;
} Pull;

Call *
call_of_pull (const tb_pull *pull)
{
  return ((const Pull *)pull)->call;
}

static tb_status
run (Call *call)
{
  const tb_plugin_info *info = plugin_info (call->worker->plugin);
  if (strcmp (call->operation, "check") == 0)
    return info->check ? info->check (&call->shown)
                       : call_fail (call, TB_UNSUPPORTED, TB_WHY_UNKNOWN, "the plugin has no check");
  if (strcmp (call->operation, "fetch") == 0)
    return call->stream->fetch ? call->stream->fetch (&call->shown, call->record)
                               : call_fail (call, TB_UNSUPPORTED, TB_WHY_UNKNOWN,
                                            "the stream %s has no fetch", call->stream->name);
  Pull pull = { .shown = { .host = &host_table,
                           .stream = call->stream->name,
                           .since_ms = call->full ? 0 : call->since_ms,
                           .started_ms = call->started_ms,
                           .full = call->full },
                .call = call };
  return call->stream->pull (&call->shown, &pull.shown);
}

static void
call_main (gpointer data)
{
  Call *call = data;
  tb_status status = call->connector->broken
                       ? call_fail (call, TB_VALIDATION_ERROR, TB_WHY_UNKNOWN, "%s", call->connector->broken)
                       : call_enter (call);
  call_finish (call, status == TB_OK ? run (call) : status);
}

/* Rows of one name exclude each other by `when`. */
static const tb_stream *
find_stream (const Connector *connector, const char *name)
{
  const tb_plugin_info *info = plugin_info (connector->worker->plugin);
  for (guint i = 0; name && i < info->streams.count; i++)
    if (strcmp (info->streams.first[i].name, name) == 0 &&
        when_holds (info->streams.first[i].when, connector))
      return &info->streams.first[i];
  return NULL;
}

static const char *
text_of (json_object *body, const char *name)
{
  json_object *value = json_object_object_get (body, name);
  return json_object_is_type (value, json_type_string) ? json_object_get_string (value) : "";
}

static gint64
int_of (json_object *body, const char *name)
{
  return json_object_get_int64 (json_object_object_get (body, name));
}

static gboolean
flag_of (json_object *body, const char *name)
{
  return json_object_get_boolean (json_object_object_get (body, name));
}

static void
read_cursor (Call *call, json_object *body)
{
  json_object *cursor = json_object_object_get (body, "cursor");
  if (json_object_is_type (cursor, json_type_object)) {
    call->cursor_before = json_object_get (cursor);
    json_object_deep_copy (cursor, &call->cursor, NULL);
  } else {
    call->cursor_before = json_object_new_object ();
    call->cursor = json_object_new_object ();
  }
}

static Call *
call_new (Connector *connector, guint64 number, json_object *body, const char *operation)
{
  Worker *worker = connector->worker;
  Call *call = g_new0 (Call, 1);
  call->shown.host = &host_table;
  call->worker = worker;
  call->connector = connector_ref (connector);
  call->arena = arena_new ();
  call->number = number;
  call->id = g_strdup (text_of (body, "id"));
  call->operation = operation;
  call->urgency = arena_strndup (call->arena, text_of (body, "urgency"), strlen (text_of (body, "urgency")));
  call->record = arena_strndup (call->arena, text_of (body, "record"), strlen (text_of (body, "record")));
  call->reading = TRUE;
  call->began_ms = loop_now_ms (worker->loop);
  gint64 deadline_ms = int_of (body, "deadline_ms");
  call->deadline_ms = call->began_ms + (deadline_ms > 0 ? deadline_ms : DEADLINE_MS);
  call->full = flag_of (body, "full");
  call->fresh = flag_of (body, "fresh");
  call->first = flag_of (body, "first");
  call->since_ms = int_of (body, "since_ms");
  call->started_ms = int_of (body, "started_ms");
  call->timer = loop_timer_new (worker->loop, wake_call, call);
  call->documents = g_ptr_array_new_with_free_func (clear_document);
  call->secrets = g_array_new (FALSE, FALSE, sizeof (tb_bytes));
  read_cursor (call, body);
  return call;
}

static void
send_refusal (Worker *worker, guint64 number, tb_status status, const char *detail)
{
  json_object *body = result_new (status, TB_WHY_UNKNOWN, detail);
  json_object_object_add (body, "ending", json_object_new_string ("none"));
  worker_send (worker, WIRE_RESULT, number, body);
}

void
call_start (Worker *worker, guint64 number, json_object *body)
{
  static const char *const operations[] = { "pull", "fetch", "check" };
  guint64 connector_number = (guint64)int_of (body, "connector");
  Connector *connector = g_hash_table_lookup (worker->connectors, &connector_number);
  const char *operation = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (operations); i++)
    if (strcmp (text_of (body, "operation"), operations[i]) == 0)
      operation = operations[i];
  if (worker->draining || !connector) {
    send_refusal (worker, number, TB_SERVICE_UNAVAILABLE,
                  connector ? "the worker is about to end" : "the worker does not know this connector");
    return;
  }
  const tb_stream *stream = find_stream (connector, text_of (body, "stream"));
  if (!operation || (!stream && strcmp (operation, "check") != 0)) {
    send_refusal (worker, number, TB_UNSUPPORTED,
                  "the plugin has no such operation or stream with these settings");
    return;
  }
  Call *call = call_new (connector, number, body, operation);
  call->stream = stream;
  call->emit = emit_new (call);
  g_hash_table_replace (worker->calls, &call->number, call);
  call->fiber = fiber_start (worker->fibers, call_main, call);
  if (!call->fiber) {
    send_refusal (worker, number, TB_SERVICE_UNAVAILABLE, "the worker runs as many calls as it may");
    call_free (call);
  }
}
