/* An answer that goes on, handed on as it comes. */
#include <poll.h>

#include "cli/client-private.h"

enum {
  STREAM_LOOK_MS = 1000,
  STREAM_SILENCE_S = 60, /* the daemon says something every 15 s: then the connection is dead */
  STREAM_PROBLEM_MOST = 1 << 20,
};

typedef struct {
  Client *client;
  ClientPiece take;
  gpointer data;
  const char *type;
  GString *problem;              /* of an answer that is a refusal */
  gboolean begun, enough, other; /* other: it is of another type */
} Stream;

static size_t
take_bytes (char *bytes, size_t size, size_t count, void *data)
{
  Stream *stream = data;
  long status = 0;
  curl_easy_getinfo (stream->client->curl, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) {
    if (stream->problem->len + count > STREAM_PROBLEM_MOST)
      return 0;
    g_string_append_len (stream->problem, bytes, (gssize)count);
    return size * count;
  }
  char *type = NULL;
  curl_easy_getinfo (stream->client->curl, CURLINFO_CONTENT_TYPE, &type);
  stream->other = !type || !g_str_has_prefix (type, stream->type);
  if (stream->other)
    return 0;
  stream->begun = TRUE;
  stream->enough = !stream->take (bytes, count, stream->data);
  return stream->enough ? 0 : size * count;
}

gboolean
client_output_is_closed (FILE *out)
{
  struct pollfd place = { .fd = fileno (out) };
  return ferror (out) || (place.fd >= 0 && poll (&place, 1, 0) > 0 && place.revents & (POLLERR | POLLNVAL));
}

/* Until the transfer ends; FALSE: nobody reads `out` any more. */
static gboolean
run (CURLM *multi, FILE *out, CURLcode *code)
{
  int running = 1, left;
  struct curl_waitfd reader = { .fd = fileno (out) };
  while (curl_multi_perform (multi, &running) == CURLM_OK && running) {
    curl_multi_poll (multi, &reader, reader.fd >= 0, STREAM_LOOK_MS, NULL);
    if (client_output_is_closed (out))
      return FALSE;
  }
  for (CURLMsg *message; (message = curl_multi_info_read (multi, &left));)
    if (message->msg == CURLMSG_DONE)
      *code = message->data.result;
  return TRUE;
}

static struct curl_slist *
set_up (Stream *stream, const char *target, const char *const *headers, char *text)
{
  CURL *curl = stream->client->curl;
  struct curl_slist *list = NULL;
  for (; *headers; headers++)
    list = curl_slist_append (list, *headers);
  client_prepare (stream->client, target);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt (curl, CURLOPT_ERRORBUFFER, text);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, (long)STREAM_SILENCE_S);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, stream);
  return list;
}

/* How it ended, once nobody waits for more. */
static gboolean
judge (Stream *stream, CURLcode code, const char *text, GError **error)
{
  long status = 0;
  curl_easy_getinfo (stream->client->curl, CURLINFO_RESPONSE_CODE, &status);
  if (stream->begun)
    return TRUE; /* an end is an end, cut or not */
  if (stream->other) {
    g_set_error (error, CLIENT_ERROR, CLIENT_ERROR_UNREADABLE,
                 "the daemon's answer is no %s: it is of another version than this command", stream->type);
    return FALSE;
  }
  if (code != CURLE_OK)
    return client_set_unreachable (stream->client, code, text, error);
  return (status >= 200 && status <= 299) || client_set_refused (status, stream->problem->str, error);
}

gboolean
client_stream (Client *client, const char *target, const char *const *headers, const char *type, FILE *out,
               ClientPiece take, gpointer data, gboolean *begun, GError **error)
{
  char text[CURL_ERROR_SIZE] = "";
  g_autoptr (GString) problem = g_string_new (NULL);
  Stream stream = { .client = client, .take = take, .data = data, .type = type, .problem = problem };
  CURLcode code = CURLE_OK;
  CURLM *multi = curl_multi_init ();
  g_assert (multi);
  struct curl_slist *list = set_up (&stream, target, headers, text);
  curl_multi_add_handle (multi, client->curl);
  gboolean good = !run (multi, out, &code) || stream.enough || judge (&stream, code, text, error);
  *begun = stream.begun;
  curl_multi_remove_handle (multi, client->curl);
  curl_multi_cleanup (multi);
  curl_easy_reset (client->curl);
  curl_slist_free_all (list);
  return good;
}
