#include "base/ids.h"

#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
enum { ULID_LENGTH = 26 };

static void
fill_from_kernel (gpointer source, guint8 *bytes, gsize count)
{
  if (getrandom (bytes, count, 0) != (gssize)count)
    g_error ("getrandom failed");
}

void
id_maker_init (IdMaker *maker)
{
  *maker = (IdMaker){ .last_ms = -1, .fill = fill_from_kernel };
}

void
id_make (IdMaker *maker, const char *prefix, gint64 now_ms, char text[ID_TEXT_SIZE])
{
  if (now_ms > maker->last_ms) {
    maker->last_ms = now_ms;
    maker->fill (maker->source, maker->random, sizeof maker->random);
    maker->random[0] &= 0x7f; /* room to count up within the millisecond */
  } else {
    for (int i = sizeof maker->random - 1; i >= 0 && ++maker->random[i] == 0; i--)
      ;
  }
  gsize length = strlen (prefix);
  g_assert (length + ULID_LENGTH < ID_TEXT_SIZE);
  memcpy (text, prefix, length);
  char *out = text + length;
  guint64 ms = (guint64)maker->last_ms;
  for (int i = 9; i >= 0; i--, ms >>= 5)
    out[i] = alphabet[ms & 31];
  guint bits = 0, value = 0, at = 10;
  for (gsize i = 0; i < sizeof maker->random; i++) {
    value = value << 8 | maker->random[i];
    for (bits += 8; bits >= 5; bits -= 5)
      out[at++] = alphabet[value >> (bits - 5) & 31];
  }
  out[ULID_LENGTH] = '\0';
}

gboolean
id_is (const char *text, const char *prefix)
{
  gsize length = strlen (prefix);
  if (strncmp (text, prefix, length) != 0 || strlen (text) != length + ULID_LENGTH)
    return FALSE;
  return strspn (text + length, alphabet) == ULID_LENGTH;
}
