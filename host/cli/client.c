#include "cli/client-private.h"

#include <poll.h>
#include <string.h>

#include "cli/words.h"
#include "json/json.h"

enum {
  CLIENT_ANSWER_MOST = 256 << 20, /* bytes; the daemon's pages are far smaller */
  CLIENT_ITEM_MOST = 64 << 20,
  CLIENT_CONNECT_MS = 5000,
  CLIENT_REQUEST_MS = 3600000, /* a dry pass may take its time */
  CLIENT_PAGE = 1000,
  CLIENT_REMEMBERED_MOST = 2000, /* answers */
};

typedef struct {
  char *etag;
  GString *body;
} Remembered;

G_DEFINE_QUARK (tillbridge - client - error - quark, client_error)

Client *
client_new (const char *socket)
{
  Client *client = g_new0 (Client, 1);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  client->socket = g_strdup (socket);
  client->curl = curl_easy_init ();
  client->patience_ms = CLIENT_REQUEST_MS;
  client->interrupt = -1;
  g_assert (client->curl);
  return client;
}

void
client_free (Client *client)
{
  curl_easy_cleanup (client->curl);
  g_clear_pointer (&client->remembered, g_hash_table_unref);
  g_free (client->socket);
  g_free (client);
  curl_global_cleanup ();
}

void
client_set_patience (Client *client, guint patience_ms)
{
  client->patience_ms = (long)patience_ms;
}

void
client_set_interrupt (Client *client, int fd)
{
  client->interrupt = fd;
}

static void
remembered_free (gpointer data)
{
  Remembered *one = data;
  g_free (one->etag);
  g_string_free (one->body, TRUE);
  g_free (one);
}

void
client_remember (Client *client)
{
  if (!client->remembered)
    client->remembered = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, remembered_free);
}

/* ---- targets ---- */

Target *
target_new (const char *path)
{
  return g_string_new (path);
}

void
target_segment (Target *target, const char *segment)
{
  g_string_append_c (target, '/');
  g_string_append_uri_escaped (target, segment, NULL, FALSE);
}

void
target_parameter (Target *target, const char *name, const char *value)
{
  if (!value)
    return;
  g_string_append_printf (target, "%c%s=", strchr (target->str, '?') ? '&' : '?', name);
  g_string_append_uri_escaped (target, value, NULL, FALSE);
}

/* ---- one request ---- */

static size_t
take_bytes (char *bytes, size_t size, size_t count, void *data)
{
  GString *body = data;
  if (body->len + count > CLIENT_ANSWER_MOST)
    return 0;
  g_string_append_len (body, bytes, (gssize)count);
  return size * count;
}

char *
client_problem_to_text (json_object *problem)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *title = words_safe (member_text (problem, "title"));
  g_autofree char *detail = words_safe (member_text (problem, "detail"));
  json_object *errors = member_at (problem, "errors");
  gsize count = json_object_is_type (errors, json_type_array) ? json_object_array_length (errors) : 0;
  g_string_append_printf (out, "%s%s%s", title, *title && *detail ? ": " : "", detail);
  for (gsize i = 0; i < count; i++) {
    json_object *one = json_object_array_get_idx (errors, i);
    g_autofree char *field = words_safe (member_text (one, "field"));
    g_autofree char *text = words_safe (member_text (one, "detail"));
    if (!strstr (detail, field) || !strstr (detail, text)) /* else it was said already */
      g_string_append_printf (out, "\n  %s: %s", field, text);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static ClientError
error_of_status (long status)
{
  return status == 503 ? CLIENT_ERROR_NOT_NOW : status == 410 ? CLIENT_ERROR_GONE : CLIENT_ERROR_REFUSED;
}

gboolean
client_set_refused (long status, const char *body, GError **error)
{
  json_object *problem = json_tokener_parse (body);
  if (*member_text (problem, "title")) {
    g_autofree char *text = client_problem_to_text (problem);
    g_set_error_literal (error, CLIENT_ERROR, error_of_status (status), text);
  } else
    g_set_error (error, CLIENT_ERROR, CLIENT_ERROR_UNREADABLE,
                 "the answer (HTTP %ld) is none of tillbridged's: does another program listen at the socket?",
                 status);
  json_object_put (problem);
  return FALSE;
}

void
client_prepare (Client *client, const char *target)
{
  g_autofree char *url = g_strconcat ("http://localhost", target, NULL);
  curl_easy_reset (client->curl);
  curl_easy_setopt (client->curl, CURLOPT_URL, url);
  curl_easy_setopt (client->curl, CURLOPT_UNIX_SOCKET_PATH, client->socket);
  curl_easy_setopt (client->curl, CURLOPT_PROXY, ""); /* whatever http_proxy says */
  curl_easy_setopt (client->curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (client->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CLIENT_CONNECT_MS);
}

gboolean
client_set_unreachable (Client *client, CURLcode code, const char *text, GError **error)
{
  long number = 0;
  curl_easy_getinfo (client->curl, CURLINFO_OS_ERRNO, &number);
  g_set_error (
    error, CLIENT_ERROR, CLIENT_ERROR_UNREACHABLE,
    "the daemon does not answer at %s (%s)\n  is tillbridged running? systemctl status tillbridged; "
    "another socket: --socket PATH or TILLBRIDGE_SOCKET",
    client->socket,
    number  ? g_strerror ((int)number)
    : *text ? text
            : curl_easy_strerror (code));
  return FALSE;
}

/* Not 0: enough. */
static int
on_progress (void *data, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
  struct pollfd place = { ((const Client *)data)->interrupt, POLLIN, 0 };
  return place.fd >= 0 && poll (&place, 1, 0) > 0;
}

static gboolean
perform (Client *client, GError **error)
{
  char text[CURL_ERROR_SIZE] = "";
  curl_easy_setopt (client->curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (client->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (client->curl, CURLOPT_XFERINFODATA, client);
  curl_easy_setopt (client->curl, CURLOPT_ERRORBUFFER, text);
  curl_easy_setopt (client->curl, CURLOPT_TIMEOUT_MS, client->patience_ms);
  CURLcode code = curl_easy_perform (client->curl);
  curl_easy_setopt (client->curl, CURLOPT_ERRORBUFFER, NULL);
  return code == CURLE_OK || client_set_unreachable (client, code, text, error);
}

/* The value of ETag, where the answer has one. */
static size_t
take_header (char *bytes, size_t size, size_t count, void *data)
{
  char **etag = data;
  if (size * count > 5 && g_ascii_strncasecmp (bytes, "ETag:", 5) == 0) {
    g_free (*etag);
    *etag = g_strstrip (g_strndup (bytes + 5, size * count - 5));
  }
  return size * count;
}

static void
remember (Client *client, const char *target, const char *etag, const GString *body)
{
  if (!etag)
    return;
  if (g_hash_table_size (client->remembered) >= CLIENT_REMEMBERED_MOST)
    g_hash_table_remove_all (client->remembered);
  Remembered *one = g_new0 (Remembered, 1);
  *one = (Remembered){ g_strdup (etag), g_string_new_len (body->str, (gssize)body->len) };
  g_hash_table_replace (client->remembered, g_strdup (target), one);
}

static struct curl_slist *
set_method (Client *client, const char *method, json_object *body, const Remembered *known)
{
  struct curl_slist *headers = curl_slist_append (NULL, "Accept: application/json");
  if (body) {
    headers = curl_slist_append (headers, "Content-Type: application/json");
    curl_easy_setopt (client->curl, CURLOPT_COPYPOSTFIELDS,
                      json_object_to_json_string_ext (body, JSON_C_TO_STRING_PLAIN));
  } else if (strcmp (method, "GET") != 0) {
    headers = curl_slist_append (headers, "Content-Type:"); /* there is nothing to have one */
    curl_easy_setopt (client->curl, CURLOPT_COPYPOSTFIELDS, "");
  }
  if (known) {
    g_autofree char *condition = g_strconcat ("If-None-Match: ", known->etag, NULL);
    headers = curl_slist_append (headers, condition);
  }
  curl_easy_setopt (client->curl, CURLOPT_CUSTOMREQUEST, method);
  curl_easy_setopt (client->curl, CURLOPT_HTTPHEADER, headers);
  return headers;
}

GString *
client_ask (Client *client, const char *method, const char *target, json_object *body, GError **error)
{
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *etag = NULL;
  gboolean keeps = client->remembered && strcmp (method, "GET") == 0;
  const Remembered *known = keeps ? g_hash_table_lookup (client->remembered, target) : NULL;
  long status = 0;
  client_prepare (client, target);
  struct curl_slist *headers = set_method (client, method, body, known);
  curl_easy_setopt (client->curl, CURLOPT_WRITEFUNCTION, take_bytes);
  curl_easy_setopt (client->curl, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt (client->curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt (client->curl, CURLOPT_HEADERDATA, &etag);
  gboolean done = perform (client, error);
  curl_slist_free_all (headers);
  if (!done)
    return NULL;
  curl_easy_getinfo (client->curl, CURLINFO_RESPONSE_CODE, &status);
  if (status == 304 && known)
    return g_string_new_len (known->body->str, (gssize)known->body->len);
  if (status < 200 || status > 299) {
    client_set_refused (status, answer->str, error);
    return NULL;
  }
  if (keeps)
    remember (client, target, etag, answer);
  return g_steal_pointer (&answer);
}

static gboolean
set_unreadable (const char *target, GError **error)
{
  g_set_error (error, CLIENT_ERROR, CLIENT_ERROR_UNREADABLE, "the answer to %s cannot be read", target);
  return FALSE;
}

json_object *
client_read (const GString *answer, const char *target, GError **error)
{
  json_object *json = json_tokener_parse (answer->str);
  if (json_object_is_type (json, json_type_object))
    return json;
  json_object_put (json);
  set_unreadable (target, error);
  return NULL;
}

json_object *
client_json (Client *client, const char *method, const char *target, json_object *body, GError **error)
{
  g_autoptr (GString) answer = client_ask (client, method, target, body, error);
  if (!answer)
    return NULL;
  return client_read (answer, target, error);
}

/* ---- lists ---- */

typedef struct {
  guint64 left; /* of what is wanted */
  ClientTake take;
  gpointer data;
  gboolean stopped, cut; /* cut: an item was there that was not wanted */
  char *next;
} Pages;

static gboolean
take_rest (Pages *pages, JsonSplitter *splitter)
{
  gsize length;
  char *rest = json_splitter_rest (splitter, &length);
  g_autofree char *text = rest ? g_strndup (rest, length) : NULL;
  json_object *page = text ? json_tokener_parse (text) : NULL;
  const char *next = member_text (page, "next");
  g_clear_pointer (&pages->next, g_free);
  pages->next = *next ? g_strdup (next) : NULL;
  json_object_put (page);
  return page && json_splitter_found (splitter);
}

/* The items' own bytes are handed on: what the daemon said is not written anew. */
static gboolean
take_page (Pages *pages, const GString *body)
{
  JsonSplitter *splitter = json_splitter_new ("items[]", CLIENT_ITEM_MOST, CLIENT_ANSWER_MOST);
  gboolean good = FALSE;
  char *item;
  gsize length;
  json_splitter_feed (splitter, body->str, body->len);
  json_splitter_finish (splitter);
  for (;;) {
    JsonSplit split = json_splitter_next (splitter, &item, &length);
    if (split == JSON_SPLIT_ITEM) {
      pages->cut |= pages->left == 0;
      if (pages->left > 0 && !pages->stopped) {
        pages->left--;
        pages->stopped = !pages->take (item, length, pages->data);
      }
      continue;
    }
    good = split == JSON_SPLIT_END && take_rest (pages, splitter);
    break;
  }
  json_splitter_free (splitter);
  return good;
}

gboolean
client_list (Client *client, const char *target, guint64 most, ClientTake take, gpointer data, gboolean *more,
             GError **error)
{
  Pages pages = { .left = most ? most : G_MAXUINT64, .take = take, .data = data };
  g_autofree char *limit = g_strdup_printf ("%d", most && most < CLIENT_PAGE ? (int)most : CLIENT_PAGE);
  gboolean good = TRUE;
  do {
    g_autoptr (GString) page = target_new (target);
    target_parameter (page, "limit", limit);
    target_parameter (page, "cursor", pages.next);
    g_autoptr (GString) body = client_ask (client, "GET", page->str, NULL, error);
    good = body && (take_page (&pages, body) || set_unreadable (target, error));
  } while (good && pages.next && pages.left > 0 && !pages.stopped);
  if (more)
    *more = good && (pages.next || pages.cut);
  g_free (pages.next);
  return good;
}
