#include "worker/known.h"

#include <string.h>
#include "base/hash.h"
#include "worker/emit.h"
#include "worker/retry.h"

enum { MODIFIED_BEFORE_MS = 60000 /* a Last-Modified that is younger may miss what comes in its second */ };

/* ---- before ---- */

/* Of a plugin's own headers: those that make the answer a part, or ask under a condition of its own. */
static gboolean
has_own_terms (const tb_request *request)
{
  static const char *const terms[] = { "If-None-Match", "If-Modified-Since", "If-Range", "Range",
                                       "Accept-Encoding" };
  for (guint i = 0; i < request->headers.count; i++)
    for (gsize k = 0; k < G_N_ELEMENTS (terms); k++)
      if (g_ascii_strcasecmp (request->headers.first[i].name, terms[k]) == 0)
        return TRUE;
  return FALSE;
}

static gboolean
is_plain_get (const tb_request *request)
{
  return (!request->method || strcmp (request->method, "GET") == 0) && !request->json && !request->form &&
         !request->body.size && !request->from_byte && !request->most_bytes && !has_own_terms (request);
}

/* Never 0. Address, credentials and settings are the connector's, whose end is the memory's. */
static guint64
request_hash (const char *where, const tb_request *request, const char *path, gboolean is_link)
{
  g_autoptr (GString) text = g_string_new (is_link ? "link" : "path");
  g_string_append_printf (text, "\n%s\n%s\n%s", where, request->endpoint ? request->endpoint : "", path);
  for (guint i = 0; i < request->headers.count; i++)
    if (request->headers.first[i].value)
      g_string_append_printf (text, "\n%s: %s", request->headers.first[i].name,
                              request->headers.first[i].value);
  return hash_bytes (text->str, text->len, 0) | 1;
}

void
known_ask (Known *known, Call *call, const char *where, const tb_request *request, const char *path,
           gboolean is_link)
{
  if (!call->full || !emit_remembers (call->emit) || !is_plain_get (request))
    return;
  known->request = request_hash (where, request, path, is_link);
  known->page = emit_page (call->emit, known->request);
  if (!known->page)
    return;
  const Page *page = known->page;
  known->mark.etag = page->etag ? arena_strndup (call->arena, page->etag, strlen (page->etag)) : NULL;
  known->mark.modified =
    page->modified ? arena_strndup (call->arena, page->modified, strlen (page->modified)) : NULL;
}

/* ---- the answer's head ---- */

/* RFC 9110, 8.8.3: quoted, weak or not. */
static gboolean
is_etag (const char *text)
{
  gsize length = text ? strlen (text) : 0, from = text && g_str_has_prefix (text, "W/") ? 3 : 1;
  return length > from && length <= PAGE_MARK_BYTES_MOST && text[from - 1] == '"' && text[length - 1] == '"';
}

static gboolean
is_old_enough (const char *modified, const char *date)
{
  gint64 modified_ms = modified ? retry_date_ms (modified) : 0, date_ms = date ? retry_date_ms (date) : 0;
  return modified_ms && date_ms && strlen (modified) <= PAGE_MARK_BYTES_MOST &&
         modified_ms + MODIFIED_BEFORE_MS <= date_ms;
}

/* FALSE: nothing would tell next time whether it has changed. */
static gboolean
read_marks (Page *page, const EndpointStream *stream)
{
  const char *etag = endpoint_stream_header (stream, "ETag");
  const char *modified = endpoint_stream_header (stream, "Last-Modified");
  if (is_etag (etag))
    page->etag = g_strdup (etag);
  else if (is_old_enough (modified, endpoint_stream_header (stream, "Date")))
    page->modified = g_strdup (modified);
  if (page->etag || page->modified || endpoint_is_packed (stream))
    page->headers = endpoint_headers (stream, PAGE_HEADERS_BYTES_MOST);
  return page->headers != NULL;
}

static gboolean
is_the_same (const Page *page, EndpointStream *stream)
{
  guint64 hash;
  gint64 bytes;
  if (endpoint_not_modified (stream))
    return TRUE;
  return page->packed_bytes > 0 && endpoint_status (stream) == 200 &&
         endpoint_packed (stream, &hash, &bytes) && hash == page->packed_hash && bytes == page->packed_bytes;
}

void
known_see (Known *known, Call *call, EndpointStream *stream)
{
  const Page *page = known->page;
  known->stands = page && is_the_same (page, stream);
  if (known->stands) {
    endpoint_stands (stream, page->headers);
    known->shell = arena_alloc (call->arena, page->shell_length + JSON_PADDING);
    memcpy (known->shell, page->shell, page->shell_length);
    known->shell_length = page->shell_length;
    known->offset = page->offset;
    return;
  }
  known->page = NULL;
  if (known->request && endpoint_status (stream) == 200 && read_marks (&known->next, stream))
    known->items = g_array_new (FALSE, FALSE, sizeof (guint64));
}

char *
known_shell (const Known *known, gsize *length)
{
  *length = known->shell_length;
  return known->shell;
}

/* ---- for next time ---- */

void
known_note_shell (Known *known, const char *text, gsize length)
{
  if (!known->items || !text || length > PAGE_SHELL_BYTES_MOST)
    return;
  known->next.shell = g_memdup2 (text, length);
  known->next.shell_length = length;
}

void
known_keep (Known *known, Emit *emit, EndpointStream *stream, gint64 offset)
{
  Page *next = &known->next;
  if (!known->items || !next->shell)
    return;
  if (!endpoint_was_packed (stream, &next->packed_hash, &next->packed_bytes))
    next->packed_bytes = 0;
  next->offset = offset;
  next->count = known->items->len;
  next->items = (guint64 *)(gpointer)g_array_free (g_steal_pointer (&known->items), FALSE);
  emit_keep_page (emit, known->request, next);
  *next = (Page){ 0 };
}

void
known_clear (Known *known)
{
  page_clear (&known->next);
  g_clear_pointer (&known->items, g_array_unref);
}
