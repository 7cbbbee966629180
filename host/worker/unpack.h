/* A body as it was packed for the way (Content-Encoding: gzip, RFC 1952), unpacked piece by piece: what is
 * held at a time is what the caller gives room for, however much the body unpacks to. */
#pragma once
#include <glib.h>

typedef struct Unpack Unpack;

/* coding: what the answer says. One that is not gzip fails at the first byte, in words. */
Unpack *unpack_new (const char *coding);
void unpack_free (Unpack *unpack);
/* Takes some of the bytes, which move on, and fills room with what comes of them: *got bytes, 0 when more are
 * needed. FALSE: they make no sense. */
gboolean unpack_some (Unpack *unpack, const char **bytes, gsize *length, char *room, gsize size, gsize *got,
                      GError **error);
/* Is what was given so far whole? */
gboolean unpack_is_whole (const Unpack *unpack);
