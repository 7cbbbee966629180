#include "pack.h"

#include <string.h>
#include <zlib.h>

#include "base/hash.h"

enum { KEPT_BYTES = 128 << 20, LEVEL = 6 };

struct Pack {
  gboolean etags, gzip;
  GHashTable *packed; /* hash of a body -> GBytes, so that packing is never what a bench measures */
  gsize kept_bytes;
};

Pack *
pack_new (void)
{
  Pack *pack = g_new0 (Pack, 1);
  pack->packed = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_bytes_unref);
  return pack;
}

void
pack_free (Pack *pack)
{
  if (!pack)
    return;
  g_hash_table_unref (pack->packed);
  g_free (pack);
}

void
pack_set_etags (Pack *pack, gboolean on)
{
  pack->etags = on;
}

void
pack_set_gzip (Pack *pack, gboolean on)
{
  pack->gzip = on;
}

static guint64
body_hash (const Reply *reply)
{
  gsize size = 0;
  const void *middle = reply->middle ? g_bytes_get_data (reply->middle, &size) : "";
  guint64 hash = hash_bytes (reply->prefix->str, reply->prefix->len, 0);
  for (guint64 i = 0; i < reply->times; i++)
    hash = hash_bytes (middle, size, hash);
  return hash_bytes (reply->suffix->str, reply->suffix->len, hash);
}

static GBytes *
gzip_of (const Reply *reply)
{
  z_stream zlib = { 0 };
  GString *body = reply_body (reply);
  if (deflateInit2 (&zlib, LEVEL, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    g_error ("deflateInit2: out of memory");
  gsize room = deflateBound (&zlib, body->len);
  guchar *bytes = g_malloc (room);
  zlib.next_in = (Bytef *)body->str;
  zlib.avail_in = (uInt)body->len;
  zlib.next_out = bytes;
  zlib.avail_out = (uInt)room;
  deflate (&zlib, Z_FINISH);
  gsize length = zlib.total_out;
  deflateEnd (&zlib);
  g_string_free (body, TRUE);
  return g_bytes_new_take (bytes, length);
}

static GBytes *
packed_of (Pack *pack, const Reply *reply, guint64 hash)
{
  GBytes *packed = g_hash_table_lookup (pack->packed, &hash);
  if (packed)
    return g_bytes_ref (packed);
  packed = gzip_of (reply);
  if (pack->kept_bytes + g_bytes_get_size (packed) <= KEPT_BYTES) {
    pack->kept_bytes += g_bytes_get_size (packed);
    g_hash_table_insert (pack->packed, g_memdup2 (&hash, sizeof hash), g_bytes_ref (packed));
  }
  return packed;
}

/* A fault that cuts the body cuts the packed one at the same share. */
static void
take_packed (Reply *reply, GBytes *packed)
{
  guint64 before = reply_length (reply), now = g_bytes_get_size (packed);
  g_string_truncate (reply->prefix, 0);
  g_string_truncate (reply->suffix, 0);
  g_clear_pointer (&reply->middle, g_bytes_unref);
  reply->middle = g_bytes_ref (packed);
  reply->times = 1;
  if (reply->cut && before > 0)
    reply->cut_bytes = (guint64)((double)reply->cut_bytes / (double)before * (double)now);
  reply_header (reply, "Content-Encoding", "gzip");
  reply_header (reply, "Vary", "Accept-Encoding");
}

void
pack_reply (Pack *pack, const Request *request, Reply *reply)
{
  const char *accepts = request_header (request, "accept-encoding");
  const char *match = request_header (request, "if-none-match");
  if ((!pack->etags && !pack->gzip) || reply->status != 200 || reply->times == REPLY_FOR_EVER ||
      reply->reset || reply->stall || strstr (reply->headers->str, "Content-Encoding:"))
    return;
  guint64 hash = body_hash (reply);
  g_autofree char *etag = g_strdup_printf ("\"%016" G_GINT64_MODIFIER "x\"", hash);
  if (pack->etags)
    reply_header (reply, "ETag", "%s", etag);
  if (pack->etags && match && strcmp (match, etag) == 0) {
    reply_text (reply, 304, NULL, "%s", "");
    return;
  }
  if (!pack->gzip || !accepts || !strstr (accepts, "gzip") || reply_length (reply) == 0)
    return;
  g_autoptr (GBytes) packed = packed_of (pack, reply, hash);
  take_packed (reply, packed);
}
