/* A page of a full pass that was read before: is it the same? Then its items count as met, as skip.h does for
 * one, and the rest of its document is the one of last time. One of these a reader (items.c). */
#pragma once
#include "worker/endpoint.h"
#include "worker/pages.h"

typedef struct {
  guint64 request;   /* 0: this page is not to be remembered */
  EndpointMark mark; /* in the call's arena */
  const Page *page;  /* of last time, its items not told yet; NULL: none */
  gboolean stands;   /* nothing has changed */
  char *shell;       /* of the page that stands, padded, in the call's arena */
  gsize shell_length;
  gint64 offset;
  Page next; /* as it is this time, gathered while it is read */
  GArray *items;
} Known;

/* Before the request. Only plain GETs of full passes, in streams that leave known items out. */
void known_ask (Known *known, Call *call, const char *where, const tb_request *request, const char *path,
                gboolean is_link);
/* The answer's head is in: 304, or a packed body that is the same as last time? */
void known_see (Known *known, Call *call, EndpointStream *stream);
/* The rest of the page that stands; it may be written into. */
char *known_shell (const Known *known, gsize *length);
/* While a page is read that does not stand. */
static inline void
known_note_item (Known *known, guint64 hash)
{
  if (known->items)
    g_array_append_val (known->items, hash);
}
void known_note_shell (Known *known, const char *text, gsize length);
/* It was read to its end, and nothing was wrong with it. */
void known_keep (Known *known, Emit *emit, EndpointStream *stream, gint64 offset);
void known_clear (Known *known);
