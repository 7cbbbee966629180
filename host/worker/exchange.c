/* One try of a request: a turn of the account's pace, credentials, the transfer, and its bytes as they come.
 */
#include <string.h>

#include <glib.h>

#include "worker/endpoint_private.h"

/* What `sign` is shown, and what it adds. */
typedef struct {
  tb_outgoing shown; /* first */
  GPtrArray *headers;
  gboolean broken; /* a header that cannot be sent */
} Outgoing;

static gboolean
is_header (const char *name, const char *value)
{
  if (!name || !*name || !value)
    return FALSE;
  for (const char *at = name; *at; at++)
    if (!g_ascii_isalnum (*at) && !strchr ("!#$%&'*+-.^_`|~", *at))
      return FALSE;
  for (const char *at = value; *at; at++)
    if (((guchar)*at < ' ' && *at != '\t') || *at == 0x7f)
      return FALSE;
  return TRUE;
}

static gboolean
add_header (GPtrArray *headers, const char *name, const char *value)
{
  if (!is_header (name, value) || headers->len >= ENDPOINT_HEADERS_MOST)
    return FALSE;
  g_ptr_array_add (headers, g_strdup_printf ("%s: %s", name, value));
  return TRUE;
}

void
endpoint_sign_header (tb_outgoing *request, const char *name, const char *value)
{
  Outgoing *outgoing = (Outgoing *)request;
  if (!add_header (outgoing->headers, name, value))
    outgoing->broken = TRUE;
}

/* ---- what comes ---- */

static void
wake (EndpointStream *stream)
{
  fiber_wake (stream->call->fiber);
}

static void
on_header (const char *name, const char *value, gpointer data)
{
  EndpointStream *stream = data;
  if (!stream->call)
    return;
  Arena *arena = stream->call->arena;
  EndpointHeaders *header = arena_alloc (arena, sizeof *header);
  header->name = arena_strndup (arena, name, strlen (name));
  header->value = arena_strndup (arena, value, strlen (value));
  if (stream->last_header)
    stream->last_header->next = header;
  else
    stream->headers = header;
  stream->last_header = header;
}

static void
on_head (int status, gpointer data)
{
  EndpointStream *stream = data;
  stream->head = TRUE;
  stream->status = status;
  if (!stream->call)
    return;
  stream->call->http_status = status;
  stream->call->headers = stream->headers;
  if (stream->ask->request->from_byte > 0 && status == 200)
    stream->skip_bytes =
      stream->ask->request->from_byte; /* it sends all of it, although asked for the rest */
  wake (stream);
}

static HttpVerdict
on_data (const char *bytes, gsize length, gpointer data)
{
  EndpointStream *stream = data;
  if (!stream->call)
    return HTTP_STOP;
  if (!stream->collects &&
      stream->filling->len >= (guint)(stream->holds ? ENDPOINT_HELD_BYTES : ENDPOINT_AHEAD_BYTES)) {
    stream->paused = TRUE;
    if (stream->holds)
      wake (stream);
    return HTTP_PAUSE;
  }
  if (stream->collects && stream->filling->len + length > ENDPOINT_ANSWER_MOST) {
    stream->too_large = TRUE;
    return HTTP_STOP;
  }
  gsize skip = (gsize)MIN (stream->skip_bytes, (gint64)length);
  stream->skip_bytes -= (gint64)skip;
  g_byte_array_append (stream->filling, (const guint8 *)bytes + skip, (guint)(length - skip));
  if (!stream->collects && stream->head && !stream->holds)
    wake (stream);
  return HTTP_GO_ON;
}

static void
stream_free (EndpointStream *stream)
{
  g_byte_array_unref (stream->filling);
  g_byte_array_unref (stream->reading);
  exchange_unpacking_ends (stream);
  g_free (stream->error);
  g_free (stream);
}

static void
on_end (const HttpResult *result, gpointer data)
{
  EndpointStream *stream = data;
  stream->transfer = NULL;
  stream->ended = TRUE;
  stream->end = stream->too_large ? HTTP_TOO_LARGE : result->end;
  stream->sent_bytes = result->sent_bytes;
  if (stream->call)
    call_count_answer (stream->call, result->status);
  stream->error = stream->too_large
                    ? g_strdup_printf ("the answer is larger than %d bytes", ENDPOINT_ANSWER_MOST)
                    : g_strdup (result->error);
  if (stream->account) {
    account_done (stream->account);
    account_unref (g_steal_pointer (&stream->account));
  }
  if (stream->call)
    wake (stream);
  else
    stream_free (stream);
}

/* ---- what goes ---- */

static gboolean
has_parameter (const char *url, const char *name)
{
  g_autofree char *first = g_strdup_printf ("?%s=", name), *later = g_strdup_printf ("&%s=", name);
  return strstr (url, first) || strstr (url, later);
}

/* Puts the credentials in: into the headers, or into the URL that is given back. NULL: one cannot be sent. */
static char *
add_credentials (const EndpointStream *stream, GPtrArray *headers)
{
  const GArray *credentials = stream->ask->endpoint->credentials;
  g_autoptr (GString) url = g_string_new (stream->ask->url);
  for (guint i = 0; i < credentials->len && !stream->ask->bare; i++) {
    const Credential *one = &g_array_index (credentials, Credential, i);
    g_autoptr (GString) value = g_string_new (one->value);
    if (one->token && !stream->token)
      continue;
    if (one->token)
      g_string_replace (value, "{token}", stream->token, 0);
    if (one->place == TB_QUERY && !has_parameter (url->str, one->name)) {
      g_string_append_printf (url, "%c%s=", strchr (url->str, '?') ? '&' : '?', one->name);
      g_string_append_uri_escaped (url, value->str, NULL, FALSE);
    } else if (one->place == TB_BASIC) {
      g_autofree char *pair = g_strdup_printf ("%s:%s", one->name, value->str);
      g_autofree char *coded = g_base64_encode ((const guchar *)pair, strlen (pair));
      g_ptr_array_add (headers, g_strdup_printf ("Authorization: Basic %s", coded));
    } else if (one->place == TB_HEADER && *value->str && !add_header (headers, one->name, value->str))
      return NULL;
  }
  return g_string_free (g_steal_pointer (&url), FALSE);
}

static gboolean
add_own_headers (const Ask *ask, GPtrArray *headers)
{
  const tb_request *request = ask->request;
  gboolean good = TRUE;
  for (guint i = 0; i < request->headers.count; i++)
    if (request->headers.first[i].value)
      good &= add_header (headers, request->headers.first[i].name, request->headers.first[i].value);
  if (ask->type)
    good &= add_header (headers, "Content-Type", ask->type);
  if (request->from_byte > 0) { /* of the file itself, not of a packed form of it */
    g_ptr_array_add (headers, g_strdup_printf ("Range: bytes=%lld-", request->from_byte));
    g_ptr_array_add (headers, g_strdup ("Accept-Encoding: identity"));
  }
  if (ask->mark)
    g_ptr_array_add (headers, g_strdup ("Accept-Encoding: gzip"));
  if (ask->mark && ask->mark->etag)
    good &= add_header (headers, "If-None-Match", ask->mark->etag);
  else if (ask->mark && ask->mark->modified)
    good &= add_header (headers, "If-Modified-Since", ask->mark->modified);
  return good;
}

/* Everything that is said with it; *url is where it goes. */
static tb_status
make_headers (EndpointStream *stream, GPtrArray *headers, char **url)
{
  const Ask *ask = stream->ask;
  Call *call = ask->call;
  const tb_endpoint *row = ask->endpoint->row;
  gboolean good = add_own_headers (ask, headers);
  *url = add_credentials (stream, headers);
  if (!good || !*url)
    return call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN,
                      "%s: a header with a line break, or with no proper name", ask->shown);
  if (row->sign && !ask->bare) {
    Outgoing outgoing = { .shown = { .host = call->shown.host,
                                     .method = ask->method,
                                     .url = *url,
                                     .body = { ask->body, ask->body_size } },
                          .headers = headers };
    call->judged = ask->endpoint;
    tb_status status = row->sign (&call->shown, &outgoing.shown);
    call->judged = NULL;
    if (status != TB_OK)
      return status;
    if (outgoing.broken)
      return call_fail (call, TB_INTERNAL, TB_WHY_UNKNOWN, "%s: sign added a header that cannot be sent",
                        ask->shown);
  }
  g_ptr_array_add (headers, NULL);
  return TB_OK;
}

/* Of one try; of a streamed answer: until its head is in, since then the reader sets the pace. */
static gint64
timeout_ms (const Ask *ask)
{
  const Connector *connector = ask->call->connector;
  gint64 wanted_ms = ask->request->timeout_s ? ask->request->timeout_s * G_GINT64_CONSTANT (1000)
                     : connector->timeout_ms ? connector->timeout_ms
                     : ask->endpoint->row->timeout_s
                       ? ask->endpoint->row->timeout_s * G_GINT64_CONSTANT (1000)
                       : ENDPOINT_TIMEOUT_S * G_GINT64_CONSTANT (1000);
  return CLAMP (ask->call->deadline_ms - loop_now_ms (ask->call->worker->loop), 1, wanted_ms);
}

static gboolean
holds_a_turn (const Call *call, const Account *account)
{
  for (const EndpointStream *other = call->streams; other; other = other->next)
    if (other->account == account)
      return TRUE;
  return FALSE;
}

static void
off (EndpointStream *stream, const char *url, const GPtrArray *headers)
{
  const Ask *ask = stream->ask;
  Call *call = ask->call;
  gint64 most = ask->request->most_bytes > 0 ? ask->request->most_bytes
                : ask->streams               ? 0
                                             : ENDPOINT_ANSWER_MOST;
  gint64 now_ms = loop_now_ms (call->worker->loop), wait_ms = timeout_ms (ask);
  stream->head_until_ms = now_ms + wait_ms;
  HttpRequest request = { .method = ask->method,
                          .url = url,
                          .headers = (const char *const *)headers->pdata,
                          .body = ask->body,
                          .body_size = ask->body_size,
                          .timeout_ms = ask->streams ? MAX (call->deadline_ms - now_ms, 1) : wait_ms,
                          .body_most = most,
                          .packed = ask->mark != NULL,
                          .once = !ask->repeatable,
                          .proxy = call->connector->proxy,
                          .allow_private = call->connector->allow_private,
                          .on_header = on_header,
                          .on_head = on_head,
                          .on_data = on_data,
                          .on_end = on_end,
                          .data = stream };
  call->http_status = 0;
  call->headers = NULL;
  call->http_text = NULL;
  call->requests++;
  stream->transfer = http_start (call->worker->http, &request);
}

tb_status
exchange_start (Ask *ask, EndpointStream **made)
{
  Call *call = ask->call;
  Endpoint *endpoint = ask->endpoint;
  const char *token = NULL;
  guint64 generation = 0;
  tb_status status = TB_OK;
  if (endpoint->row->authorize && !ask->bare && !call->authorizing)
    status = token_get (account_token (endpoint->account), call, endpoint->row, &token, &generation);
  /* Those that have a turn may wait for the token that is asked for here. */
  gboolean nested = call->authorizing || holds_a_turn (call, endpoint->account);
  if (status == TB_OK && !ask->elsewhere)
    status = account_wait (endpoint->account, call, ask->request->cost, nested);
  if (status != TB_OK)
    return status;
  EndpointStream *stream = g_new0 (EndpointStream, 1);
  *stream = (EndpointStream){ .ask = ask,
                              .call = call,
                              .collects = !ask->streams,
                              .token = token,
                              .generation = generation,
                              .filling = g_byte_array_new (),
                              .reading = g_byte_array_new (),
                              .next = call->streams };
  call->streams = stream;
  stream->account = ask->elsewhere ? NULL : account_ref (endpoint->account);
  g_autoptr (GPtrArray) headers = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *url = NULL;
  status = make_headers (stream, headers, &url);
  if (status != TB_OK) {
    endpoint_close (stream);
    return status;
  }
  off (stream, url, headers);
  *made = stream;
  return TB_OK;
}

/* The call is over: what was sent of it must be known before it is judged, and that is a turn of the loop
 * away. */
static tb_status
stop (EndpointStream *stream)
{
  if (stream->transfer)
    http_cancel (stream->transfer);
  while (!stream->ended)
    fiber_park (stream->call->worker->fibers);
  return TB_CANCELLED;
}

tb_status
exchange_wait_head (EndpointStream *stream)
{
  while (!stream->head && !stream->ended) {
    tb_status status = call_wait (stream->call, stream->head_until_ms);
    if (stream->head || stream->ended)
      break;
    if (status != TB_OK)
      return stop (stream);
    if (loop_now_ms (stream->call->worker->loop) >= stream->head_until_ms) {
      (void)!stop (stream);
      stream->end = HTTP_LATE;
      g_free (stream->error);
      stream->error = g_strdup ("no answer in time");
    }
  }
  return TB_OK;
}

tb_status
exchange_wait_end (EndpointStream *stream)
{
  stream->collects = TRUE;
  if (stream->paused && stream->transfer)
    http_resume (stream->transfer);
  stream->paused = FALSE;
  while (!stream->ended)
    if (call_wait (stream->call, stream->call->deadline_ms) != TB_OK && !stream->ended)
      return stop (stream);
  return TB_OK;
}

gsize
exchange_mark (const char *bytes, gsize length)
{
  return length >= 3 && memcmp (bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

tb_status
exchange_take (EndpointStream *stream, gsize least)
{
  g_byte_array_set_size (stream->reading, 0);
  while (stream->filling->len < least && !stream->ended)
    if (call_wait (stream->call, stream->call->deadline_ms) != TB_OK) {
      stop (stream);
      return TB_CANCELLED;
    }
  GByteArray *filled = stream->filling;
  stream->filling = stream->reading;
  stream->reading = filled;
  if (stream->paused && stream->transfer)
    http_resume (stream->transfer);
  stream->paused = FALSE;
  if (!filled->len && stream->end != HTTP_DONE) {
    Verdict verdict = judge_lost (stream);
    return judge_tell (stream->ask, &verdict);
  }
  return TB_OK;
}

tb_status
endpoint_read (EndpointStream *stream, const char **bytes, gsize *length)
{
  if (stream->unpack) {
    TB_TRY (exchange_unpack (stream, bytes, length));
  } else { /* the first time, as much as tells whether there is a byte order mark */
    TB_TRY (exchange_take (stream, stream->begun ? 1 : 4));
    *bytes = (const char *)stream->reading->data;
    *length = stream->reading->len;
  }
  gsize mark = stream->begun ? 0 : exchange_mark (*bytes, *length);
  stream->begun = TRUE;
  *bytes += mark;
  *length -= mark;
  return TB_OK;
}

void
endpoint_close (EndpointStream *stream)
{
  EndpointStream **link = &stream->call->streams;
  while (*link != stream)
    link = &(*link)->next;
  *link = stream->next;
  stream->call = NULL;
  stream->ask = NULL;
  if (stream->transfer) {
    http_cancel (stream->transfer);
    return;
  }
  if (stream->account) {
    account_done (stream->account);
    account_unref (stream->account);
  }
  stream_free (stream);
}

void
endpoint_call_ends (Call *call)
{
  while (call->streams)
    endpoint_close (call->streams);
  for (guint i = 0; call->connector->endpoints && i < call->connector->endpoints->len; i++) {
    Endpoint *endpoint = call->connector->endpoints->pdata[i];
    token_leave (account_token (endpoint->account), call);
  }
}

const char *
endpoint_header (Call *call, const char *name)
{
  for (const EndpointHeaders *header = call->headers; header; header = header->next)
    if (g_ascii_strcasecmp (header->name, name) == 0)
      return header->value;
  return NULL;
}
