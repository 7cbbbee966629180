/* What good web servers do to a body on its way: ETag and 304 (RFC 9110, 13.1.2), gzip. Off until asked for
 * (POST options), since many vendors do neither. */
#pragma once
#include "reply.h"
#include "request.h"

typedef struct Pack Pack;

Pack *pack_new (void);
void pack_free (Pack *pack);
void pack_set_etags (Pack *pack, gboolean on);
void pack_set_gzip (Pack *pack, gboolean on);

/* Marks and packs a whole answer of 200, or answers 304 in its place. */
void pack_reply (Pack *pack, const Request *request, Reply *reply);
