#include "worker/unpack.h"

#include <gio/gio.h>
#include <zlib.h>

enum { WINDOW_BITS = 15 + 16 /* gzip and nothing else */ };

struct Unpack {
  z_stream zlib;
  char *coding; /* one that cannot be unpacked; NULL: gzip */
  gboolean whole;
};

Unpack *
unpack_new (const char *coding)
{
  Unpack *unpack = g_new0 (Unpack, 1);
  if (g_ascii_strcasecmp (coding, "gzip") != 0 && g_ascii_strcasecmp (coding, "x-gzip") != 0)
    unpack->coding = g_strndup (coding, 40);
  else if (inflateInit2 (&unpack->zlib, WINDOW_BITS) != Z_OK)
    g_error ("inflateInit2: out of memory");
  return unpack;
}

void
unpack_free (Unpack *unpack)
{
  if (!unpack)
    return;
  if (!unpack->coding)
    inflateEnd (&unpack->zlib);
  g_free (unpack->coding);
  g_free (unpack);
}

gboolean
unpack_some (Unpack *unpack, const char **bytes, gsize *length, char *room, gsize size, gsize *got,
             GError **error)
{
  z_stream *zlib = &unpack->zlib;
  *got = 0;
  if (unpack->coding) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "packed as \"%s\", where gzip was offered",
                 unpack->coding);
    return FALSE;
  }
  if (unpack->whole && *length > 0 && inflateReset (zlib) == Z_OK) /* members may follow one another */
    unpack->whole = FALSE;
  zlib->next_in = (Bytef *)(guintptr)*bytes;
  g_assert (*length <= G_MAXINT && size <= G_MAXINT);
  zlib->avail_in = (uInt)*length;
  zlib->next_out = (Bytef *)room;
  zlib->avail_out = (uInt)size;
  int code = inflate (zlib, Z_NO_FLUSH);
  gsize taken = *length - zlib->avail_in;
  *got = (gsize)((char *)zlib->next_out - room);
  *bytes += taken;
  *length -= taken;
  unpack->whole = code == Z_STREAM_END;
  if (code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "cannot be unpacked: %s",
               zlib->msg ? zlib->msg : "no gzip");
  return FALSE;
}

gboolean
unpack_is_whole (const Unpack *unpack)
{
  return unpack->whole;
}
