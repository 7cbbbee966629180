#include "api/cursor.h"

#include <string.h>

#include "base/hash.h"

enum { CHECK_BYTES = 4, CURSOR_MOST = 1024 };

static void
to_url_alphabet (char *text)
{
  char *end = strchr (text, '=');
  if (end)
    *end = '\0';
  g_strdelimit (text, "+", '-');
  g_strdelimit (text, "/", '_');
}

static char *
seal (guint64 seed, CursorKind kind, const void *place, gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 first = (guint8)kind;
  g_byte_array_append (bytes, &first, 1);
  g_byte_array_append (bytes, place, (guint)size);
  guint64 check = hash_bytes (bytes->data, bytes->len, seed);
  g_byte_array_append (bytes, (const guint8 *)&check, CHECK_BYTES);
  char *text = g_base64_encode (bytes->data, bytes->len);
  to_url_alphabet (text);
  return text;
}

/* The place's bytes, NULL when the cursor is not one of ours. Written anew it must be the same text: base64
 * is read loosely. */
static GBytes *
unseal (guint64 seed, CursorKind kind, const char *cursor)
{
  gsize length = strlen (cursor), size = 0;
  if (length > CURSOR_MOST)
    return NULL;
  g_autofree char *text = g_strconcat (cursor, &"===="[length % 4 == 0 ? 4 : length % 4], NULL);
  g_strdelimit (text, "-", '+');
  g_strdelimit (text, "_", '/');
  g_autofree guchar *bytes = g_base64_decode (text, &size);
  if (size < 1 + CHECK_BYTES || bytes[0] != kind)
    return NULL;
  g_autofree char *again = seal (seed, kind, bytes + 1, size - 1 - CHECK_BYTES);
  return strcmp (again, cursor) == 0 ? g_bytes_new (bytes + 1, size - 1 - CHECK_BYTES) : NULL;
}

static guint64
list_of (const CursorPlace *place)
{
  return GUINT64_TO_LE ((guint64)place->filter << 32 | place->collection);
}

char *
cursor_of_place (guint64 seed, CursorKind kind, const CursorPlace *place)
{
  guint64 both[2] = { list_of (place), GUINT64_TO_LE (place->place) };
  return seal (seed, kind, both, sizeof both);
}

gboolean
cursor_to_place (guint64 seed, CursorKind kind, const char *cursor, CursorPlace *place)
{
  g_autoptr (GBytes) bytes = unseal (seed, kind, cursor);
  guint64 both[2];
  if (!bytes || g_bytes_get_size (bytes) != sizeof both)
    return FALSE;
  memcpy (both, g_bytes_get_data (bytes, NULL), sizeof both);
  if (both[0] != list_of (place))
    return FALSE;
  place->place = GUINT64_FROM_LE (both[1]);
  return TRUE;
}

char *
cursor_of_text (guint64 seed, CursorKind kind, const char *text)
{
  return seal (seed, kind, text, strlen (text));
}

char *
cursor_to_text (guint64 seed, CursorKind kind, const char *cursor)
{
  g_autoptr (GBytes) bytes = unseal (seed, kind, cursor);
  gsize size;
  const char *text = bytes ? g_bytes_get_data (bytes, &size) : NULL;
  return text ? g_strndup (text, size) : NULL;
}
