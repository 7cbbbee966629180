/* What a stream's pages were when they were last read: how the vendor marked them, which items stood in them,
 * and the rest of their document. A page that has not changed since needs no unpacking, splitting or reading.
 *
 * Belongs to the stream's Skip, which alone knows what the items gave: a page counts only while all its items
 * are known there. About 8 bytes an item, and 200 a page with its shell. */
#pragma once
#include <glib.h>

enum {
  PAGES_BYTES_MOST = 16 << 20,      /* of one stream; what is more is read each time */
  PAGE_SHELL_BYTES_MOST = 16 << 10, /* the document without its array */
  PAGE_HEADERS_BYTES_MOST = 4 << 10,
  PAGE_MARK_BYTES_MOST = 200 /* an ETag, a Last-Modified */
};

typedef struct Pages Pages;

typedef struct {
  char *etag, *modified; /* as the vendor wrote them; NULL: not said, or not to be relied on */
  char *headers;         /* "Name: value\n", of the answer */
  char *shell;
  gsize shell_length;
  guint64 packed_hash; /* of the body as it was sent */
  gint64 packed_bytes; /* 0: it was not packed */
  gint64 offset;       /* behind the last item, in the body */
  guint64 *items;      /* hashes, in their order */
  guint count;
  guint8 generation;
} Page;

Pages *pages_new (void);
void pages_free (Pages *pages);
/* A full pass begins; it is complete: what was not met in it is dropped. */
void pages_pass_begins (Pages *pages);
void pages_pass_is_complete (Pages *pages);
/* The page that such a request gave last, which is met in this pass then; NULL: not known. Valid until it is
 * kept or dropped. */
const Page *pages_find (Pages *pages, guint64 request);
/* Takes over what the page points to. */
void pages_keep (Pages *pages, guint64 request, const Page *page);
void pages_drop (Pages *pages, guint64 request);
void page_clear (Page *page);
gsize pages_bytes (const Pages *pages);
guint pages_count (const Pages *pages);
