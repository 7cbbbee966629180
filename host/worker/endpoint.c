/* Requests of calls: put together, tried, judged, and tried again. */
#include "worker/endpoint_private.h"

#include <string.h>

#include <curl/curl.h>
#include <gio/gio.h>

#include "worker/emit.h"
#include "worker/form.h"
#include "worker/handles.h"
#include "worker/path.h"

static const tb_request plain_get = { 0 };

char *
endpoint_path (Call *call, const char *format, va_list args)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = path_format (format, args, &error);
  if (path)
    return arena_strndup (call->arena, path, strlen (path));
  (void)!call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "%s", error->message);
  return NULL;
}

static Endpoint *
find_endpoint (const Connector *connector, const char *name)
{
  for (guint i = 0; connector->endpoints && i < connector->endpoints->len; i++) {
    Endpoint *endpoint = connector->endpoints->pdata[i];
    if (!name || g_str_equal (endpoint->row->name, name))
      return endpoint;
  }
  return NULL;
}

static char *
join (const char *base, const char *path)
{
  gsize length = strlen (base);
  gboolean slash = length && base[length - 1] == '/';
  if (*path == '/')
    return g_strdup_printf ("%.*s%s", (int)(slash ? length - 1 : length), base, path);
  return g_strconcat (base, slash || !*path || *path == '?' ? "" : "/", path, NULL);
}

/* A link as the vendor wrote it, against the endpoint's address (RFC 3986, 5.2). */
static char *
resolve (const char *base, const char *link)
{
  g_autofree char *folder = join (base, "/");
  char *whole = NULL, *url = NULL;
  CURLU *parts = curl_url ();
  if (!curl_url_set (parts, CURLUPART_URL, folder, 0) &&
      !curl_url_set (parts, CURLUPART_URL, link, CURLU_URLENCODE) &&
      !curl_url_get (parts, CURLUPART_URL, &whole, 0))
    url = g_strdup (whole);
  curl_free (whole);
  curl_url_cleanup (parts);
  return url;
}

static tb_status
find_url (Ask *ask, const char *path, gboolean is_link)
{
  Call *call = ask->call;
  const Endpoint *endpoint = ask->endpoint;
  g_autofree char *url = is_link ? resolve (endpoint->url, path) : join (endpoint->url, path);
  g_autofree char *origin = url ? http_origin (url) : NULL;
  if (!origin)
    return call_fail (call, is_link ? TB_BAD_RESPONSE : TB_INTERNAL, TB_WHY_UNKNOWN,
                      "\"%.*s\" is no address that can be followed", (int)strcspn (path, "?#"), path);
  ask->elsewhere = !g_str_equal (origin, endpoint->origin);
  if (ask->elsewhere && !is_link)
    return call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "path \"%.*s\" leaves %s", (int)strcspn (path, "?#"),
                      path, endpoint->origin);
  ask->bare = ask->request->bare || ask->elsewhere; /* credentials stay with the endpoint's host */
  ask->url = arena_strndup (call->arena, url, strlen (url));
  const char *from = strstr (url, "://") + 3;
  from += strcspn (from, "/?#"); /* of another host, its name too, but never who signs in there */
  g_autofree char *shown =
    g_strdup_printf ("%s %s%.*s", ask->method, ask->elsewhere ? origin : "", (int)strcspn (from, "?#"), from);
  ask->shown = arena_strndup (call->arena, shown, strlen (shown));
  return TB_OK;
}

static tb_status
find_body (Ask *ask)
{
  const tb_request *request = ask->request;
  ask->body = request->body.data;
  ask->body_size = request->body.size;
  ask->type = request->content_type;
  if (request->json) {
    ask->body = tb_write (request->json);
    ask->type = request->content_type ? request->content_type : "application/json";
    if (!ask->body)
      return call_fail (ask->call, TB_INTERNAL, TB_WHY_UNKNOWN, "%s: the JSON body could not be built",
                        ask->shown);
    ask->body_size = strlen (ask->body);
  } else if (request->form) {
    ask->body = form_text (request->form, &ask->body_size);
    ask->type = "application/x-www-form-urlencoded";
  }
  return TB_OK;
}

static gboolean
is_repeatable (const tb_request *request, const char *method)
{
  static const char *const idempotent[] = { "GET", "HEAD", "PUT", "DELETE", "OPTIONS", NULL };
  if (request->repeat != TB_REPEAT_BY_METHOD)
    return request->repeat == TB_MAY_REPEAT;
  return g_strv_contains (idempotent, method);
}

static gboolean
is_method (const char *method)
{
  for (const char *at = method; *at; at++)
    if (!g_ascii_isupper (*at))
      return FALSE;
  return *method != '\0' && strlen (method) <= 16;
}

static const char *
keep (Call *call, const char *text)
{
  return text ? arena_strndup (call->arena, text, strlen (text)) : NULL;
}

/* A streamed answer may be asked for again when the function that asked first has returned. */
static const tb_request *
keep_request (Call *call, const tb_request *theirs)
{
  tb_request *request = arena_alloc (call->arena, sizeof *request);
  tb_pair *headers = arena_alloc (call->arena, theirs->headers.count * sizeof *headers);
  *request = *theirs;
  request->method = keep (call, theirs->method);
  request->content_type = keep (call, theirs->content_type);
  if (theirs->body.size > 0)
    request->body.data = arena_strndup (call->arena, theirs->body.data, theirs->body.size);
  for (guint i = 0; i < theirs->headers.count; i++)
    headers[i] =
      (tb_pair){ keep (call, theirs->headers.first[i].name), keep (call, theirs->headers.first[i].value) };
  request->headers.first = headers;
  return request;
}

/* NULL: call_fail() was told, *status is what. */
static Ask *
prepare (Call *call, const tb_request *request, const char *path, gboolean is_link, gboolean streams,
         const EndpointMark *mark, tb_status *status)
{
  Ask *ask = arena_alloc (call->arena, sizeof *ask);
  ask->call = call;
  ask->request = !request ? &plain_get : streams ? keep_request (call, request) : request;
  ask->method = ask->request->method ? ask->request->method : "GET";
  ask->streams = streams;
  if (mark) {
    EndpointMark *kept = arena_alloc (call->arena, sizeof *kept);
    *kept = *mark;
    ask->mark = kept;
  }
  ask->endpoint = find_endpoint (call->connector, ask->request->endpoint);
  if (call->item_of) /* what the item gives is not all its own */
    emit_says_more (call->emit);
  if (call->judged)
    *status = call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "sign and classify make no requests");
  else if (!is_method (ask->method))
    *status = call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "\"%s\" is no HTTP method", ask->method);
  else if (!ask->endpoint)
    *status = call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN,
                         "the plugin describes no endpoint \"%s\" for these settings",
                         ask->request->endpoint ? ask->request->endpoint : "");
  else if ((*status = find_url (ask, path, is_link)) == TB_OK && (*status = find_body (ask)) == TB_OK) {
    ask->repeatable = is_repeatable (ask->request, ask->method);
    return ask;
  }
  return NULL;
}

/* ---- a whole answer ---- */

typedef struct {
  JsonDocument *document; /* NULL: no JSON */
  const tb_json *json;
} Answer;

/* The body as JSON in the call's memory, and as it came for tb_http_text(). Reading writes into the text, so
 * there are two. */
static void
read_body (EndpointStream *stream, Answer *answer, Verdict *verdict)
{
  Call *call = stream->call;
  const Ask *ask = stream->ask;
  if (stream->unpack)
    exchange_unpack_all (stream);
  const char *body = (const char *)stream->filling->data;
  gsize length = stream->filling->len, mark = exchange_mark (body, length);
  gboolean good = stream->status >= 200 && stream->status < 300;
  call->http_text = length ? arena_strndup (call->arena, body, length) : NULL;
  if (!length || (ask->request->any_body && good)) {
    *verdict = judge_answer (stream, NULL, NULL, call->http_text, length);
    return;
  }
  char *text = arena_alloc (call->arena, length + JSON_PADDING);
  memcpy (text, body + mark, length - mark);
  answer->document = arena_alloc (call->arena, sizeof *answer->document);
  gboolean is_json = json_read (answer->document, text, length - mark);
  const JsonNode *root = is_json ? answer->document->nodes : NULL;
  const char *wrong = answer->document->error;
  if (is_json)
    answer->json = handle_new (call, answer->document, root, ask->endpoint->row->any_case);
  else
    json_document_clear (answer->document);
  *verdict = judge_answer (stream, root, answer->json, call->http_text, length);
  if (!is_json && verdict->status == TB_OK)
    *verdict = judge_bad_body (stream, wrong ? wrong : "?", call->http_text, length);
}

/* ---- again ---- */

static gboolean
may_go_again (const Ask *ask, const Verdict *verdict)
{
  if (verdict->hopeless || ask->tries.tried >= RETRY_TRIES_MOST)
    return FALSE;
  switch (verdict->status) {
  case TB_RATE_LIMIT_EXCEEDED: /* it was not done */
    return TRUE;
  case TB_SERVICE_UNAVAILABLE:
    return ask->repeatable || verdict->never_left;
  case TB_BAD_RESPONSE:
    return ask->repeatable && ask->tries.tried < RETRY_BAD_TRIES_MOST;
  default:
    return FALSE;
  }
}

static tb_status
pause_until (Call *call, gint64 at_ms)
{
  tb_status status = TB_OK;
  while (status == TB_OK && loop_now_ms (call->worker->loop) < at_ms)
    status = call_wait (call, at_ms);
  return status;
}

/* TRUE: another token is worth a try. */
static gboolean
tell_token (const EndpointStream *stream, const Verdict *verdict)
{
  if (!stream->token)
    return FALSE;
  Token *token = account_token (stream->ask->endpoint->account);
  if (verdict->status == TB_AUTHENTICATION_ERROR)
    return token_refused (token, stream->generation, loop_now_ms (stream->call->worker->loop));
  if (verdict->status == TB_OK)
    token_worked (token, stream->generation);
  return FALSE;
}

/* TRUE: try again; the pause is over. FALSE: it stands as it is, or *status says that the call is over. */
static gboolean
goes_again (const EndpointStream *stream, const Verdict *verdict, tb_status *status)
{
  Ask *ask = stream->ask;
  Call *call = ask->call;
  Endpoint *endpoint = ask->endpoint;
  gint64 now_ms = loop_now_ms (call->worker->loop);
  *status = TB_OK;
  if (tell_token (stream, verdict)) {
    gboolean again = !ask->tries.new_token;
    ask->tries.new_token = TRUE;
    return again;
  }
  if (verdict->status == TB_AUTHENTICATION_ERROR && endpoint->row->sign && !ask->bare &&
      !ask->tries.new_signed)
    return ask->tries.new_signed = TRUE;
  if (!may_go_again (ask, verdict))
    return FALSE;
  /* A refused one waits in the account's line; the others wait here. */
  gboolean refused = verdict->status == TB_RATE_LIMIT_EXCEEDED;
  gint64 dice_ms = retry_pause_ms (ask->tries.tried, g_random_double ());
  gint64 pause_ms = refused ? 0 : MAX (dice_ms, call->retry_ms);
  if (MAX (pause_ms, call->retry_ms) > RETRY_PAUSE_MOST_MS ||
      now_ms + MAX (pause_ms, call->retry_ms) >= call->deadline_ms)
    return FALSE;
  if (!refused && !retry_budget_take (&endpoint->budget))
    return FALSE;
  *status = pause_until (call, now_ms + pause_ms);
  return *status == TB_OK;
}

/* status: what waiting for another try came to. */
static tb_status
tell_failure (const Ask *ask, const Verdict *verdict, tb_status status)
{
  return status == TB_OK || verdict->status == TB_IN_DOUBT
           ? judge_tell (ask, verdict)
           : call_fail (ask->call, status, TB_WHY_UNKNOWN, "%s: the call is over", ask->shown);
}

/* Tries until it stands. TB_OK: *stream is open and good (streams: so far), else it is closed. */
static tb_status
carry_out (Ask *ask, EndpointStream **kept, Answer *answer)
{
  for (;;) {
    EndpointStream *stream = NULL;
    Verdict verdict = { 0 };
    *answer = (Answer){ 0 };
    tb_status status = exchange_start (ask, &stream);
    if (status != TB_OK)
      return status;
    if (ask->tries.tried++ == 0)
      retry_budget_first (&ask->endpoint->budget);
    else
      ask->call->retries++;
    status = exchange_wait_head (stream);
    if (status == TB_OK && stream->head)
      exchange_see_coding (stream);
    gboolean good = stream->head && stream->status >= 200 && stream->status < 300;
    gboolean stands = stream->head && stream->status == 304 && ask->mark && exchange_is_conditional (ask);
    if (status == TB_OK && !(ask->streams && good))
      status = exchange_wait_end (stream);
    if (status == TB_OK && ((ask->streams && good) || (stands && stream->end == HTTP_DONE))) {
      *kept = stream;
      return TB_OK;
    }
    if (stream->end != HTTP_DONE)
      verdict = judge_lost (stream);
    else
      read_body (stream, answer, &verdict);
    gboolean again = status == TB_OK && goes_again (stream, &verdict, &status);
    endpoint_close (stream);
    if (again)
      continue;
    if (verdict.status == TB_OK)
      return TB_OK;
    return tell_failure (ask, &verdict, status);
  }
}

tb_status
endpoint_ask (Call *call, const tb_request *request, const char *path, gboolean is_link, const tb_json **json)
{
  tb_status status;
  Answer answer = { 0 };
  Ask *ask = prepare (call, request, path, is_link, FALSE, NULL, &status);
  if (json)
    *json = NULL;
  if (!ask)
    return status;
  status = carry_out (ask, NULL, &answer);
  if (status == TB_OK && json)
    *json = answer.json;
  return status;
}

static tb_status
open_stream (Ask *ask, EndpointStream **stream)
{
  Answer answer = { 0 };
  EndpointStream *opened = NULL;
  TB_TRY (carry_out (ask, &opened, &answer));
  if (!opened) /* a row made something good of a status that is not */
    return call_fail (ask->call, TB_BAD_RESPONSE, TB_WHY_UNKNOWN,
                      "%s: answered %d where items were asked for", ask->shown, ask->call->http_status);
  *stream = opened;
  return TB_OK;
}

tb_status
endpoint_open (Call *call, const tb_request *request, const char *path, gboolean is_link,
               const EndpointMark *mark, EndpointStream **stream)
{
  tb_status status;
  Ask *ask = prepare (call, request, path, is_link, TRUE, mark, &status);
  return ask ? open_stream (ask, stream) : status;
}

tb_status
endpoint_judge (EndpointStream **kept, const tb_json *rest, gboolean unused)
{
  static const EndpointMark none = { NULL, NULL };
  EndpointStream *stream = *kept;
  Ask *ask = stream->ask;
  const JsonNode *root = rest ? handle_node (handle_of (rest)) : NULL;
  Verdict verdict = judge_answer (stream, root, rest, NULL, 0);
  tb_status status = TB_OK;
  if (verdict.status == TB_OK || !unused) {
    tell_token (stream, &verdict); /* an answer of 200 may say at its end that the token is none */
    return verdict.status == TB_OK ? TB_OK : judge_tell (ask, &verdict);
  }
  if (!goes_again (stream, &verdict, &status))
    return tell_failure (ask, &verdict, status);
  endpoint_close (stream);
  *kept = NULL;
  if (ask->mark) /* what was asked under a condition has answered it */
    ask->mark = &none;
  return open_stream (ask, kept);
}

tb_form *
endpoint_form (Call *call)
{
  return form_new (call);
}

void
endpoint_form_add (tb_form *form, const char *name, const char *value)
{
  form_add (form, name, value);
}
