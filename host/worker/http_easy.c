/* One transfer's easy handle: its options, what its callbacks do, and where a redirect may lead. */
#include "worker/http_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "worker/address.h"

static void
say (HttpTransfer *transfer, char *words)
{
  g_free (transfer->words);
  transfer->words = words;
}

static gboolean
refused (HttpTransfer *transfer, const char *inside, const char *address)
{
  if (!inside || transfer->request.allow_private)
    return FALSE;
  say (transfer, g_strdup_printf ("the address leads inside (%s, %s), which is refused; if it is meant, set "
                                  "allow_private = true for this connector",
                                  address, inside));
  return TRUE;
}

/* Behind a proxy only the URL's own words can be judged. The host alone is told: the rest may hold a key. */
static gboolean
refused_behind_proxy (HttpTransfer *transfer, const char *url)
{
  char *host = NULL;
  gboolean is_refused = FALSE;
  CURLU *parts = curl_url ();
  if (!curl_url_set (parts, CURLUPART_URL, url, 0) && !curl_url_get (parts, CURLUPART_HOST, &host, 0))
    is_refused = refused (
      transfer, g_ascii_strcasecmp (host, "localhost") == 0 ? "loopback" : address_text_inside (host), host);
  curl_free (host);
  curl_url_cleanup (parts);
  return is_refused;
}

static curl_socket_t
open_socket (void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
  HttpTransfer *transfer = user;
  /* A proxy is the operator's own choice; what lies behind it is judged in before_request(). */
  if (!transfer->request.proxy) {
    char text[64] = "";
    const char *inside = address_inside (&address->addr, address->addrlen);
    address_to_text (&address->addr, address->addrlen, text, sizeof text);
    if (refused (transfer, inside, text))
      return CURL_SOCKET_BAD;
  }
  return socket (address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Before each request is given to a connection, new or kept: a kept one may have been made for a connector
 * that is allowed more, and a request that must be sent once is not given to a second. */
static int
before_request (void *user, char *remote, char *local, int remote_port, int local_port)
{
  HttpTransfer *transfer = user;
  if (transfer->request.proxy ? refused_behind_proxy (transfer, transfer->request.url)
                              : refused (transfer, address_text_inside (remote), remote))
    return CURL_PREREQFUNC_ABORT;
  if (transfer->left && transfer->request.once) {
    say (transfer, g_strdup ("the connection was closed before an answer came"));
    return CURL_PREREQFUNC_ABORT;
  }
  transfer->left = TRUE;
  return CURL_PREREQFUNC_OK;
}

static int
status_of (const char *line)
{
  const char *blank = strchr (line, ' ');
  return blank ? atoi (blank + 1) : 0;
}

/* Gives the head's lines to the caller; `Location` in a 3xx makes it a redirect, of which the caller sees
 * nothing. */
static void
head_is_in (HttpTransfer *transfer)
{
  g_auto (GStrv) lines = g_strsplit (transfer->head->str, "\n", -1);
  int status = status_of (transfer->head->str);
  if (status < 200)
    return; /* 100 Continue, 103 Early Hints: the answer comes after it */
  transfer->status = status;
  for (guint i = 1; lines[i] && status >= 300 && status < 400; i++)
    if (g_ascii_strncasecmp (lines[i], "location:", 9) == 0)
      transfer->redirecting = TRUE;
  if (transfer->redirecting)
    return;
  for (guint i = 1; lines[i]; i++) {
    char *colon = strchr (lines[i], ':');
    if (!colon || !transfer->request.on_header)
      continue;
    *colon = '\0';
    transfer->request.on_header (lines[i], g_strstrip (colon + 1), transfer->request.data);
  }
  /* From here on it may not creep; before, a vendor may take its time to think, up to the timeout. */
  curl_easy_setopt (transfer->easy, CURLOPT_LOW_SPEED_LIMIT, (long)HTTP_STALL_BYTES);
  if (transfer->request.on_head)
    transfer->request.on_head (status, transfer->request.data);
}

static size_t
take_header (char *bytes, size_t size, size_t count, void *user)
{
  HttpTransfer *transfer = user;
  gsize length = size * count;
  if (transfer->wants_stop)
    return 0;
  if (transfer->status)
    return length; /* trailers */
  if (length >= 5 && memcmp (bytes, "HTTP/", 5) == 0)
    g_string_truncate (transfer->head, 0);
  if (transfer->head->len + length > HTTP_HEAD_MOST) {
    transfer->too_large = TRUE;
    say (transfer, g_strdup_printf ("the answer's headers are larger than %d bytes", HTTP_HEAD_MOST));
    return 0;
  }
  g_string_append_len (transfer->head, bytes, (gssize)length);
  if (*bytes == '\r' || *bytes == '\n')
    head_is_in (transfer);
  return length;
}

static size_t
take_data (char *bytes, size_t size, size_t count, void *user)
{
  HttpTransfer *transfer = user;
  const HttpRequest *request = &transfer->request;
  gsize length = size * count;
  if (transfer->wants_stop)
    return 0;
  if (transfer->redirecting) {
    transfer->body_bytes += (gint64)length;
    return transfer->body_bytes > HTTP_REDIRECT_BODY_MOST ? 0 : length;
  }
  if (request->body_most && transfer->body_bytes + (gint64)length > request->body_most) {
    transfer->too_large = TRUE;
    say (transfer,
         g_strdup_printf ("the answer is larger than %" G_GINT64_FORMAT " bytes", request->body_most));
    return 0;
  }
  switch (request->on_data ? request->on_data (bytes, length, request->data) : HTTP_GO_ON) {
  case HTTP_GO_ON:
    transfer->body_bytes += (gint64)length;
    return length;
  case HTTP_PAUSE:
    return CURL_WRITEFUNC_PAUSE;
  case HTTP_STOP:
    transfer->stopped = TRUE;
    return 0;
  }
  g_assert_not_reached ();
}

CURL *
http_easy_new (Http *http)
{
  CURL *easy = curl_easy_init ();
  if (!easy)
    g_error ("curl_easy_init: out of memory");
  curl_easy_setopt (easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
  /* Who gives up while a name is looked up leaves the thread that does it to itself: else the whole loop
   * stands until the name server has answered. */
  curl_easy_setopt (easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  curl_easy_setopt (easy, CURLOPT_CAINFO, http->ca_file);
  curl_easy_setopt (easy, CURLOPT_CAPATH,
                    NULL); /* Debian's default switches libcurl's CA cache off: 25 ms a TLS connection */
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt (easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt (easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt (easy, CURLOPT_BUFFERSIZE, 128L * 1024);
  curl_easy_setopt (easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt (easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt (easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt (easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt (easy, CURLOPT_NOPROXY, ""); /* nothing of the environment */
  curl_easy_setopt (easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt (easy, CURLOPT_PREREQFUNCTION, before_request);
  curl_easy_setopt (easy, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt (easy, CURLOPT_WRITEFUNCTION, take_data);
  return easy;
}

static gboolean
has_header (const HttpRequest *request, const char *name)
{
  gsize length = strlen (name);
  for (guint i = 0; request->headers && request->headers[i]; i++)
    if (g_ascii_strncasecmp (request->headers[i], name, length) == 0 && request->headers[i][length] == ':')
      return TRUE;
  return FALSE;
}

/* "Name: value" as it stands; with no value libcurl wants "Name;", since "Name:" takes its own header away.
 */
static void
set_headers (HttpTransfer *transfer)
{
  const HttpRequest *request = &transfer->request;
  struct curl_slist *list = curl_slist_append (NULL, "Expect:");
  for (guint i = 0; request->headers && request->headers[i]; i++) {
    const char *header = request->headers[i], *colon = strchr (header, ':');
    g_assert (colon && !strpbrk (header, "\r\n"));
    g_autofree char *empty = NULL;
    if (colon[1 + strspn (colon + 1, " ")] == '\0')
      header = empty = g_strdup_printf ("%.*s;", (int)(colon - header), header);
    list = curl_slist_append (list, header);
  }
  if (!has_header (request, "User-Agent"))
    list = curl_slist_append (list, "User-Agent: tillbridge/" PACKAGE_VERSION);
  if (!has_header (request, "Content-Type"))
    list = curl_slist_append (list, "Content-Type:"); /* else libcurl says it is a form */
  curl_slist_free_all (transfer->headers);
  transfer->headers = list;
  curl_easy_setopt (transfer->easy, CURLOPT_HTTPHEADER, list);
}

/* All options that differ from transfer to transfer, since handles are used again without a reset. */
static void
set_method (CURL *easy, const HttpRequest *request, const char *method)
{
  gboolean plain_get = g_str_equal (method, "GET") && !request->body_size;
  gboolean head = g_str_equal (method, "HEAD");
  gboolean bodyless = !request->body_size && (plain_get || head || g_str_equal (method, "DELETE"));
  /* This one first: it says POST by itself. */
  curl_easy_setopt (easy, CURLOPT_POSTFIELDS, bodyless ? NULL : request->body_size ? request->body : "");
  curl_easy_setopt (easy, CURLOPT_POSTFIELDSIZE_LARGE,
                    bodyless ? (curl_off_t)-1 : (curl_off_t)request->body_size);
  curl_easy_setopt (easy, CURLOPT_NOBODY, 0L);
  if (head)
    curl_easy_setopt (easy, CURLOPT_NOBODY, 1L);
  else if (bodyless)
    curl_easy_setopt (easy, CURLOPT_HTTPGET, 1L);
  else
    curl_easy_setopt (easy, CURLOPT_POST, 1L);
  curl_easy_setopt (easy, CURLOPT_CUSTOMREQUEST, plain_get || head ? NULL : method);
}

void
http_easy_prepare (HttpTransfer *transfer, const char *url)
{
  const HttpRequest *request = &transfer->request;
  CURL *easy = transfer->easy;
  long left_ms = (long)MAX (transfer->deadline_ms - loop_now_ms (transfer->http->loop), 1);
  curl_easy_setopt (easy, CURLOPT_URL, url);
  curl_easy_setopt (easy, CURLOPT_ACCEPT_ENCODING, request->packed ? NULL : transfer->http->encodings);
  set_method (easy, request, transfer->method);
  set_headers (transfer);
  curl_easy_setopt (easy, CURLOPT_TIMEOUT_MS, left_ms);
  curl_easy_setopt (easy, CURLOPT_CONNECTTIMEOUT_MS, MIN (left_ms, (long)HTTP_CONNECT_MS));
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_LIMIT, 0L);
  curl_easy_setopt (easy, CURLOPT_LOW_SPEED_TIME, (long)(request->stall_s ? request->stall_s : HTTP_STALL_S));
  curl_easy_setopt (easy, CURLOPT_PROXY, request->proxy ? request->proxy : "");
  curl_easy_setopt (easy, CURLOPT_MAXAGE_CONN, (long)(request->once ? HTTP_IDLE_ONCE_S : HTTP_IDLE_S));
  curl_easy_setopt (easy, CURLOPT_ERRORBUFFER, transfer->error);
  curl_easy_setopt (easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt (easy, CURLOPT_OPENSOCKETDATA, transfer);
  curl_easy_setopt (easy, CURLOPT_PREREQDATA, transfer);
  curl_easy_setopt (easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt (easy, CURLOPT_WRITEDATA, transfer);
}

void
http_request_copy (HttpRequest *to, const HttpRequest *from)
{
  *to = *from;
  to->method = g_strdup (from->method);
  to->url = g_strdup (from->url);
  to->headers = (const char *const *)g_strdupv ((char **)from->headers);
  to->body = g_memdup2 (from->body, from->body_size);
  to->proxy = from->proxy && *from->proxy ? g_strdup (from->proxy) : NULL;
}

void
http_request_clear (HttpRequest *request)
{
  g_free ((char *)request->method);
  g_free ((char *)request->url);
  g_strfreev ((char **)request->headers);
  g_free ((void *)request->body);
  g_free ((char *)request->proxy);
}

char *
http_origin (const char *url)
{
  char *scheme = NULL, *host = NULL, *port = NULL, *origin = NULL;
  CURLU *parts = curl_url ();
  if (!curl_url_set (parts, CURLUPART_URL, url, 0) && !curl_url_get (parts, CURLUPART_SCHEME, &scheme, 0) &&
      !curl_url_get (parts, CURLUPART_HOST, &host, 0) &&
      !curl_url_get (parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) &&
      (g_str_equal (scheme, "http") || g_str_equal (scheme, "https"))) {
    g_autofree char *lower = g_ascii_strdown (host, -1);
    origin = g_strdup_printf ("%s://%s:%s", scheme, lower, port);
  }
  curl_free (scheme);
  curl_free (host);
  curl_free (port);
  curl_url_cleanup (parts);
  return origin;
}

char *
http_redirect (HttpTransfer *transfer)
{
  const char *to = NULL, *was = NULL, *method = transfer->method;
  curl_easy_getinfo (transfer->easy, CURLINFO_REDIRECT_URL, &to);
  curl_easy_getinfo (transfer->easy, CURLINFO_EFFECTIVE_URL, &was);
  g_autofree char *here = http_origin (was), *there = to ? http_origin (to) : NULL;
  gboolean reads = g_str_equal (method, "GET") || g_str_equal (method, "HEAD");
  if (!there || g_strcmp0 (here, there) != 0) {
    say (transfer, g_strdup_printf ("answered %d, pointing to %s; only the same host is followed: mend the "
                                    "connector's url",
                                    transfer->status, there ? there : "something that is no URL"));
    return NULL;
  }
  if (transfer->redirects >= HTTP_REDIRECTS_MOST) {
    say (transfer,
         g_strdup_printf ("redirected more than %d times, at last to %s", HTTP_REDIRECTS_MOST, there));
    return NULL;
  }
  if (!reads && transfer->status != 303 && transfer->status != 307 && transfer->status != 308) {
    say (transfer, g_strdup_printf ("answered %s with %d, pointing to %s; a body is not sent there by guess: "
                                    "mend the connector's url",
                                    method, transfer->status, there));
    return NULL;
  }
  if (!reads && transfer->status == 303) {
    transfer->method = "GET";
    transfer->request.body_size = 0;
  }
  return g_strdup (to);
}
