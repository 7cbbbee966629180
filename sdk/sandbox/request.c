#include "request.h"

#include <string.h>

static void
header_clear (gpointer data)
{
  RequestHeader *header = data;
  g_free (header->name);
  g_free (header->value);
}

void
request_clear (Request *request)
{
  g_free (request->method);
  g_free (request->path);
  g_free (request->query);
  if (request->headers)
    g_array_unref (request->headers);
  if (request->body)
    g_string_free (request->body, TRUE);
  *request = (Request){ 0 };
}

const char *
request_header (const Request *request, const char *name)
{
  for (guint i = 0; i < request->headers->len; i++) {
    const RequestHeader *header = &g_array_index (request->headers, RequestHeader, i);
    if (g_ascii_strcasecmp (header->name, name) == 0)
      return header->value;
  }
  return NULL;
}

char *
request_decode (const char *text, gssize length, gboolean plus_is_blank)
{
  gsize count = length < 0 ? strlen (text) : (gsize)length;
  g_autoptr (GString) out = g_string_sized_new (count);
  for (gsize i = 0; i < count; i++) {
    if (text[i] == '%') {
      int high = i + 2 < count ? g_ascii_xdigit_value (text[i + 1]) : -1;
      int low = high >= 0 ? g_ascii_xdigit_value (text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return NULL;
      g_string_append_c (out, (char)(high << 4 | low));
      i += 2;
    } else {
      g_string_append_c (out, plus_is_blank && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* The value of name among "a=1&b=2". */
static char *
parameter (const char *text, const char *name)
{
  while (text && *text) {
    const char *end = strchrnul (text, '&');
    const char *equals = memchr (text, '=', (gsize)(end - text));
    g_autofree char *key = request_decode (text, (equals ? equals : end) - text, TRUE);
    if (key && strcmp (key, name) == 0)
      return equals ? request_decode (equals + 1, end - equals - 1, TRUE) : g_strdup ("");
    text = *end ? end + 1 : end;
  }
  return NULL;
}

char *
request_query (const Request *request, const char *name)
{
  return parameter (request->query, name);
}

char *
request_form (const Request *request, const char *name)
{
  return parameter (request->body->str, name);
}

/* "GET /path?query HTTP/1.1" */
static gboolean
read_first_line (const char *line, Request *request)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  if (g_strv_length (words) != 3 || words[1][0] != '/' || !g_str_has_prefix (words[2], "HTTP/1."))
    return FALSE;
  char *mark = strchr (words[1], '?');
  request->method = g_strdup (words[0]);
  request->path = mark ? g_strndup (words[1], (gsize)(mark - words[1])) : g_strdup (words[1]);
  request->query = g_strdup (mark ? mark + 1 : "");
  request->keep_alive = strcmp (words[2], "HTTP/1.0") != 0;
  return TRUE;
}

static gboolean
read_head (const char *text, gsize length, Request *request)
{
  g_autofree char *head = g_strndup (text, length);
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  request->headers = g_array_new (FALSE, FALSE, sizeof (RequestHeader));
  g_array_set_clear_func (request->headers, header_clear);
  request->body = g_string_new (NULL);
  if (!lines[0] || !read_first_line (lines[0], request))
    return FALSE;
  for (char **line = lines + 1; *line; line++) {
    char *colon = strchr (*line, ':');
    if (!colon)
      return FALSE;
    RequestHeader header = { g_strndup (*line, (gsize)(colon - *line)), g_strstrip (g_strdup (colon + 1)) };
    g_array_append_val (request->headers, header);
  }
  const char *connection = request_header (request, "connection");
  if (connection && g_ascii_strcasecmp (connection, "close") == 0)
    request->keep_alive = FALSE;
  return TRUE;
}

static RequestParse
read_chunks (const char *text, gsize length, GString *body, gsize *used)
{
  gsize at = 0;
  for (;;) {
    const char *end = memmem (text + at, length - at, "\r\n", 2);
    if (!end)
      return REQUEST_MORE;
    guint64 size = g_ascii_strtoull (text + at, NULL, 16);
    at = (gsize)(end - text) + 2;
    if (size > REQUEST_BODY_BYTES || body->len + size > REQUEST_BODY_BYTES)
      return REQUEST_BAD;
    if (length - at < size + 2)
      return REQUEST_MORE;
    g_string_append_len (body, text + at, (gssize)size);
    at += size + 2;
    if (size == 0) { /* clients of ours send no trailers */
      *used = at;
      return REQUEST_DONE;
    }
  }
}

static RequestParse
read_body (const GString *in, gsize head, Request *request, gsize *used)
{
  const char *coding = request_header (request, "transfer-encoding");
  if (coding && g_ascii_strcasecmp (coding, "chunked") == 0) {
    gsize taken = 0;
    RequestParse parse = read_chunks (in->str + head, in->len - head, request->body, &taken);
    *used = head + taken;
    return parse;
  }
  const char *said = request_header (request, "content-length");
  guint64 length = said ? g_ascii_strtoull (said, NULL, 10) : 0;
  if (length > REQUEST_BODY_BYTES)
    return REQUEST_BAD;
  if (in->len - head < length)
    return REQUEST_MORE;
  g_string_append_len (request->body, in->str + head, (gssize)length);
  *used = head + length;
  return REQUEST_DONE;
}

RequestParse
request_parse (const GString *in, Request *request, gsize *used, gboolean *expects)
{
  *expects = FALSE;
  const char *end = memmem (in->str, in->len, "\r\n\r\n", 4);
  if (!end)
    return in->len > REQUEST_HEAD_BYTES ? REQUEST_BAD : REQUEST_MORE;
  RequestParse parse = REQUEST_BAD;
  if (read_head (in->str, (gsize)(end - in->str), request))
    parse = read_body (in, (gsize)(end - in->str) + 4, request, used);
  if (parse == REQUEST_MORE) {
    const char *expect = request_header (request, "expect");
    *expects = expect && g_ascii_strcasecmp (expect, "100-continue") == 0;
  }
  if (parse != REQUEST_DONE)
    request_clear (request);
  return parse;
}
