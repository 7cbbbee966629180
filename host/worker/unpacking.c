/* Answers whose page may be known from last time: they come as they were packed, so that a page that has not
 * changed is seen as such before it is unpacked, or (304) before it is sent at all. */
#include <string.h>

#include <glib.h>

#include "base/hash.h"
#include "worker/endpoint_private.h"

void
exchange_see_coding (EndpointStream *stream)
{
  const char *coding = stream->ask->mark ? endpoint_header (stream->call, "Content-Encoding") : NULL;
  if (!coding || !*coding || g_ascii_strcasecmp (coding, "identity") == 0 || stream->unpack)
    return;
  stream->unpack = unpack_new (coding);
  stream->piece = g_malloc (ENDPOINT_PIECE_BYTES);
  stream->packed = hash_begin (0);
}

void
exchange_unpacking_ends (EndpointStream *stream)
{
  unpack_free (stream->unpack);
  g_free (stream->piece);
  if (stream->packed)
    hash_free (stream->packed);
}

/* ---- unpacking ---- */

static tb_status
fail (EndpointStream *stream, const char *what)
{
  return call_fail (stream->call, TB_BAD_RESPONSE, TB_WHY_UNKNOWN, "%s: the packed body %s",
                    stream->ask->shown, what);
}

/* Fills the piece from `reading`, as far as that goes. */
static gboolean
unpack_more (EndpointStream *stream, gsize *filled, GError **error)
{
  const char *at = (const char *)stream->reading->data + stream->unpacked_to;
  gsize left = stream->reading->len - stream->unpacked_to, got;
  if (!unpack_some (stream->unpack, &at, &left, stream->piece + *filled, ENDPOINT_PIECE_BYTES - *filled, &got,
                    error))
    return FALSE;
  stream->unpacked_to = stream->reading->len - left;
  *filled += got;
  return TRUE;
}

tb_status
exchange_unpack (EndpointStream *stream, const char **bytes, gsize *length)
{
  g_autoptr (GError) error = NULL;
  gsize filled = 0, least = stream->begun ? 1 : 4; /* so much tells whether there is a byte order mark */
  while (filled < least) {
    if (stream->unpacked_to == stream->reading->len) {
      TB_TRY (exchange_take (stream, 1));
      stream->unpacked_to = 0;
      if (stream->reading->len == 0)
        break;
      hash_more (stream->packed, stream->reading->data, stream->reading->len);
      stream->packed_bytes += stream->reading->len;
    }
    if (!unpack_more (stream, &filled, &error))
      return fail (stream, error->message);
  }
  if (filled == 0 && stream->packed_bytes > 0 && !unpack_is_whole (stream->unpack))
    return fail (stream, "is cut off");
  stream->unpacked_bytes += (gint64)filled;
  if (stream->unpacked_bytes > ENDPOINT_UNPACKED_FREE &&
      stream->unpacked_bytes > ENDPOINT_UNPACKED_TIMES * stream->packed_bytes)
    return fail (stream, "unpacks to far too much");
  *bytes = stream->piece;
  *length = filled;
  return TB_OK;
}

void
exchange_unpack_all (EndpointStream *stream)
{
  g_autoptr (GByteArray) packed = g_steal_pointer (&stream->filling);
  const char *at = (const char *)packed->data;
  gsize left = packed->len, got = 1;
  stream->filling = g_byte_array_new ();
  while ((left > 0 || got > 0) && stream->filling->len < ENDPOINT_ANSWER_MOST &&
         unpack_some (stream->unpack, &at, &left, stream->piece, ENDPOINT_PIECE_BYTES, &got, NULL))
    g_byte_array_append (stream->filling, (const guint8 *)stream->piece, (guint)got);
}

/* ---- has it changed? ---- */

gboolean
exchange_is_conditional (const Ask *ask)
{
  const tb_request *request = ask->request;
  for (guint i = 0; i < request->headers.count; i++)
    if (request->headers.first[i].value &&
        (g_ascii_strcasecmp (request->headers.first[i].name, "If-None-Match") == 0 ||
         g_ascii_strcasecmp (request->headers.first[i].name, "If-Modified-Since") == 0))
      return TRUE;
  return ask->mark && (ask->mark->etag || ask->mark->modified);
}

gboolean
endpoint_not_modified (const EndpointStream *stream)
{
  return stream->status == 304;
}

const char *
endpoint_stream_header (const EndpointStream *stream, const char *name)
{
  for (const EndpointHeaders *header = stream->headers; header; header = header->next)
    if (g_ascii_strcasecmp (header->name, name) == 0)
      return header->value;
  return NULL;
}

int
endpoint_status (const EndpointStream *stream)
{
  return stream->status;
}

gboolean
endpoint_is_packed (const EndpointStream *stream)
{
  return stream->unpack != NULL;
}

gboolean
endpoint_packed (EndpointStream *stream, guint64 *hash, gint64 *bytes)
{
  if (!stream->unpack)
    return FALSE;
  stream->holds = TRUE;
  if (stream->paused && stream->transfer)
    http_resume (stream->transfer);
  stream->paused = FALSE;
  while (!stream->ended && stream->filling->len < ENDPOINT_HELD_BYTES &&
         call_wait (stream->call, stream->call->deadline_ms) == TB_OK)
    ;
  stream->holds = FALSE;
  if (!stream->ended || stream->end != HTTP_DONE)
    return FALSE;
  *hash = hash_bytes (stream->filling->data, stream->filling->len, 0);
  *bytes = stream->filling->len;
  return TRUE;
}

gboolean
endpoint_was_packed (const EndpointStream *stream, guint64 *hash, gint64 *bytes)
{
  if (!stream->packed || !stream->ended || stream->end != HTTP_DONE || !unpack_is_whole (stream->unpack))
    return FALSE;
  *hash = hash_so_far (stream->packed);
  *bytes = stream->packed_bytes;
  return TRUE;
}

/* ---- headers of last time ---- */

/* Of the way, of the body as it was packed, or of that moment. */
static gboolean
is_passing (const char *name)
{
  static const char *const passing[] = { "connection",        "keep-alive",  "transfer-encoding",
                                         "content-length",    "date",        "content-encoding",
                                         "set-cookie",        "retry-after", "age",
                                         "proxy-authenticate" };
  for (gsize i = 0; i < G_N_ELEMENTS (passing); i++)
    if (g_ascii_strcasecmp (name, passing[i]) == 0)
      return TRUE;
  return FALSE;
}

char *
endpoint_headers (const EndpointStream *stream, gsize most)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (const EndpointHeaders *header = stream->headers; header; header = header->next)
    if (!is_passing (header->name))
      g_string_append_printf (text, "%s: %s\n", header->name, header->value);
  return text->len <= most ? g_string_free (g_steal_pointer (&text), FALSE) : NULL;
}

static gboolean
says (const EndpointStream *stream, const char *name, gsize length)
{
  for (const EndpointHeaders *header = stream->headers; header; header = header->next)
    if (strlen (header->name) == length && g_ascii_strncasecmp (header->name, name, length) == 0)
      return TRUE;
  return FALSE;
}

static void
add_header (EndpointStream *stream, const char *name, gsize name_length, const char *value, gsize length)
{
  Arena *arena = stream->call->arena;
  EndpointHeaders *header = arena_alloc (arena, sizeof *header);
  header->name = arena_strndup (arena, name, name_length);
  header->value = arena_strndup (arena, value, length);
  if (stream->last_header)
    stream->last_header->next = header;
  else
    stream->headers = header;
  stream->last_header = header;
}

/* A 304 says anew what may have changed of them (RFC 9111, 3.2); the same body again says all of its own. */
void
endpoint_stands (EndpointStream *stream, const char *headers)
{
  Call *call = stream->call;
  for (const char *line = headers; *line && stream->status == 304;) {
    const char *end = strchr (line, '\n'), *colon = strchr (line, ':');
    if (!says (stream, line, (gsize)(colon - line)))
      add_header (stream, line, (gsize)(colon - line), colon + 2, (gsize)(end - colon) - 2);
    line = end + 1;
  }
  stream->status = 200;
  call->http_status = 200;
  call->headers = stream->headers;
}
