#include "worker/http_private.h"

#include <string.h>

static void transfer_end (HttpTransfer *transfer, CURLcode code);

/* What libcurl says is done, after each time it was given the word. */
static void
collect (Http *http)
{
  int left;
  CURLMsg *message;
  while ((message = curl_multi_info_read (http->multi, &left))) {
    HttpTransfer *transfer = NULL;
    if (message->msg != CURLMSG_DONE)
      continue;
    CURLcode code = message->data.result;
    curl_easy_getinfo (message->easy_handle, CURLINFO_PRIVATE, &transfer);
    transfer_end (transfer, code);
  }
}

static void
socket_ready (int fd, guint32 events, gpointer data)
{
  Http *http = data;
  int running, what = 0;
  if (events & EPOLLIN)
    what |= CURL_CSELECT_IN;
  if (events & EPOLLOUT)
    what |= CURL_CSELECT_OUT;
  if (events & (EPOLLERR | EPOLLHUP))
    what |= CURL_CSELECT_ERR;
  curl_multi_socket_action (http->multi, fd, what, &running);
  collect (http);
}

static void
time_is_up (gpointer data)
{
  Http *http = data;
  int running;
  curl_multi_socket_action (http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  collect (http);
}

static int
socket_changed (CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
  Http *http = user;
  LoopWatch *watch = known;
  guint32 events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
  if (what == CURL_POLL_REMOVE) {
    loop_watch_free (watch);
    curl_multi_assign (http->multi, fd, NULL);
  } else if (watch)
    loop_watch_update (watch, events);
  else
    curl_multi_assign (http->multi, fd, loop_watch_new (http->loop, fd, events, socket_ready, http));
  return 0;
}

static int
timer_changed (CURLM *multi, long timeout_ms, void *user)
{
  Http *http = user;
  if (timeout_ms < 0)
    loop_timer_clear (http->timer);
  else
    loop_timer_set (http->timer, loop_now_ms (http->loop) + timeout_ms);
  return 0;
}

/* Resumes and cancels that were asked for since. */
static void
do_soon (gpointer data)
{
  Http *http = data;
  for (HttpTransfer *transfer = http->first, *next; transfer; transfer = next) {
    next = transfer->next;
    gboolean resume = transfer->wants_resume;
    transfer->wants_resume = FALSE;
    if (transfer->wants_stop) {
      transfer_end (transfer, CURLE_ABORTED_BY_CALLBACK);
      next = http->first; /* on_end may have started or cancelled others */
    } else if (resume)
      curl_easy_pause (transfer->easy, CURLPAUSE_CONT);
  }
  collect (http);
}

Http *
http_new (Loop *loop, GError **error)
{
  const curl_version_info_data *version = curl_version_info (CURLVERSION_NOW);
  if (curl_global_init (CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "libcurl cannot be initialised");
    return NULL;
  }
  Http *http = g_new0 (Http, 1);
  *http = (Http){ .loop = loop, .multi = curl_multi_init (), .idle = g_ptr_array_new () };
  http->ca_file = g_strdup (version->cainfo ? version->cainfo : "/etc/ssl/certs/ca-certificates.crt");
  http->encodings = version->features & CURL_VERSION_BROTLI ? "gzip, br" : "gzip";
  http->timer = loop_timer_new (loop, time_is_up, http);
  http->soon = loop_timer_new (loop, do_soon, http);
  curl_multi_setopt (http->multi, CURLMOPT_SOCKETFUNCTION, socket_changed);
  curl_multi_setopt (http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt (http->multi, CURLMOPT_TIMERFUNCTION, timer_changed);
  curl_multi_setopt (http->multi, CURLMOPT_TIMERDATA, http);
  curl_multi_setopt (http->multi, CURLMOPT_MAXCONNECTS, (long)HTTP_CONNECTIONS_KEPT);
  return http;
}

void
http_rest (Http *http)
{
  for (guint i = 0; i < http->idle->len; i++)
    curl_easy_cleanup (http->idle->pdata[i]);
  g_ptr_array_set_size (http->idle, 0);
}

void
http_free (Http *http)
{
  if (!http)
    return;
  http->closing = TRUE;
  while (http->first) {
    http->first->wants_stop = TRUE;
    transfer_end (http->first, CURLE_ABORTED_BY_CALLBACK);
  }
  http_rest (http);
  g_ptr_array_unref (http->idle);
  curl_multi_cleanup (http->multi);
  loop_timer_free (http->timer);
  loop_timer_free (http->soon);
  g_free (http->ca_file);
  g_free (http);
  curl_global_cleanup ();
}

HttpTransfer *
http_start (Http *http, const HttpRequest *request)
{
  g_assert (!http->closing);
  HttpTransfer *transfer = g_new0 (HttpTransfer, 1);
  transfer->http = http;
  transfer->head = g_string_new (NULL);
  transfer->started_ms = loop_now_ms (http->loop);
  transfer->deadline_ms = transfer->started_ms + MAX (request->timeout_ms, 1);
  transfer->next = http->first;
  if (http->first)
    http->first->previous = transfer;
  http->first = transfer;
  http_request_copy (&transfer->request, request);
  transfer->method = transfer->request.method;
  transfer->easy =
    http->idle->len ? g_ptr_array_steal_index_fast (http->idle, http->idle->len - 1) : http_easy_new (http);
  http_easy_prepare (transfer, transfer->request.url);
  curl_multi_add_handle (http->multi, transfer->easy);
  return transfer;
}

void
http_resume (HttpTransfer *transfer)
{
  transfer->wants_resume = TRUE;
  loop_timer_set (transfer->http->soon, loop_now_ms (transfer->http->loop));
}

void
http_cancel (HttpTransfer *transfer)
{
  transfer->wants_stop = TRUE;
  loop_timer_set (transfer->http->soon, loop_now_ms (transfer->http->loop));
}

static HttpEnd
end_of (const HttpTransfer *transfer, CURLcode code, gint64 sent_bytes)
{
  if (transfer->wants_stop || transfer->stopped)
    return HTTP_STOPPED;
  if (transfer->too_large || (code == CURLE_OUT_OF_MEMORY && transfer->status))
    return HTTP_TOO_LARGE;
  if (transfer->redirecting)
    return HTTP_ELSEWHERE;
  if (code == CURLE_OK && transfer->status)
    return HTTP_DONE;
  if (code == CURLE_OPERATION_TIMEDOUT)
    return HTTP_LATE;
  if (transfer->status)
    return HTTP_CUT;
  /* What was redirected was sent, whatever became of the request it led to. */
  return (transfer->left || transfer->redirects) && sent_bytes ? HTTP_SENT : HTTP_NEVER_LEFT;
}

static const char *
words_of (const HttpTransfer *transfer, HttpEnd end, CURLcode code)
{
  if (end == HTTP_DONE)
    return "";
  if (transfer->words)
    return transfer->words;
  if (end == HTTP_STOPPED)
    return "stopped";
  if (end == HTTP_TOO_LARGE) /* libcurl's own ceiling on what unpacks while the reader pauses: 64 MiB */
    return "the answer's body unpacks to far too much at a time";
  if (code == CURLE_OK)
    return "the answer's head was cut off"; /* which libcurl lets pass */
  return *transfer->error ? transfer->error : curl_easy_strerror (code);
}

static void
count_bytes (HttpTransfer *transfer)
{
  long request_bytes = 0;
  curl_off_t up = 0, down = 0;
  if (!transfer->left)
    return; /* what libcurl holds is another transfer's */
  curl_easy_getinfo (transfer->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  curl_easy_getinfo (transfer->easy, CURLINFO_SIZE_UPLOAD_T, &up);
  curl_easy_getinfo (transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &down);
  transfer->sent_bytes += MAX (request_bytes, up); /* a small body is in both */
  transfer->received_bytes += down;
}

static void
transfer_free (HttpTransfer *transfer)
{
  Http *http = transfer->http;
  if (transfer->next)
    transfer->next->previous = transfer->previous;
  if (transfer->previous)
    transfer->previous->next = transfer->next;
  else
    http->first = transfer->next;
  if (http->idle->len < HTTP_HANDLES_KEPT && !http->closing)
    g_ptr_array_add (http->idle, transfer->easy);
  else
    curl_easy_cleanup (transfer->easy);
  curl_slist_free_all (transfer->headers);
  g_string_free (transfer->head, TRUE);
  http_request_clear (&transfer->request);
  g_free (transfer->words);
  g_free (transfer);
}

/* TRUE: the answer pointed somewhere, and the transfer goes on there. */
static gboolean
went_on (HttpTransfer *transfer)
{
  g_autofree char *url = http_redirect (transfer);
  if (!url)
    return FALSE;
  transfer->redirects++;
  transfer->redirecting = FALSE;
  transfer->status = 0;
  transfer->body_bytes = 0;
  transfer->left = FALSE;
  http_easy_prepare (transfer, url);
  curl_multi_add_handle (transfer->http->multi, transfer->easy);
  return TRUE;
}

static void
transfer_end (HttpTransfer *transfer, CURLcode code)
{
  Http *http = transfer->http;
  curl_multi_remove_handle (http->multi, transfer->easy);
  count_bytes (transfer);
  if (transfer->redirecting && !transfer->wants_stop && went_on (transfer))
    return;
  HttpResult result = { .status = transfer->status,
                        .sent_bytes = transfer->sent_bytes,
                        .received_bytes = transfer->received_bytes,
                        .ms = loop_now_ms (http->loop) - transfer->started_ms };
  result.end = end_of (transfer, code, result.sent_bytes);
  result.error = words_of (transfer, result.end, code);
  transfer->request.on_end (&result, transfer->request.data);
  transfer_free (transfer);
}
