#include "worker/pages.h"

#include <string.h>

struct Pages {
  GHashTable *table; /* request (guint64 *) -> Page */
  gsize bytes;
  guint8 generation;
};

void
page_clear (Page *page)
{
  g_free (page->etag);
  g_free (page->modified);
  g_free (page->headers);
  g_free (page->shell);
  g_free (page->items);
  *page = (Page){ 0 };
}

static gsize
text_bytes (const char *text)
{
  return text ? strlen (text) + 1 : 0;
}

static gsize
bytes_of (const Page *page)
{
  return sizeof *page + text_bytes (page->etag) + text_bytes (page->modified) + text_bytes (page->headers) +
         page->shell_length + page->count * sizeof *page->items;
}

static void
page_free (gpointer data)
{
  page_clear (data);
  g_free (data);
}

Pages *
pages_new (void)
{
  Pages *pages = g_new0 (Pages, 1);
  pages->table = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, page_free);
  return pages;
}

void
pages_free (Pages *pages)
{
  if (!pages)
    return;
  g_hash_table_unref (pages->table);
  g_free (pages);
}

void
pages_pass_begins (Pages *pages)
{
  pages->generation++;
}

static gboolean
is_of_others (gpointer key, gpointer value, gpointer data)
{
  Pages *pages = data;
  const Page *page = value;
  if (page->generation == pages->generation)
    return FALSE;
  pages->bytes -= bytes_of (page);
  return TRUE;
}

void
pages_pass_is_complete (Pages *pages)
{
  g_hash_table_foreach_remove (pages->table, is_of_others, pages);
}

const Page *
pages_find (Pages *pages, guint64 request)
{
  Page *page = g_hash_table_lookup (pages->table, &request);
  if (page)
    page->generation = pages->generation;
  return page;
}

void
pages_drop (Pages *pages, guint64 request)
{
  const Page *page = g_hash_table_lookup (pages->table, &request);
  if (!page)
    return;
  pages->bytes -= bytes_of (page);
  g_hash_table_remove (pages->table, &request);
}

void
pages_keep (Pages *pages, guint64 request, const Page *page)
{
  Page *kept = g_memdup2 (page, sizeof *page);
  pages_drop (pages, request);
  if (pages->bytes + bytes_of (kept) > PAGES_BYTES_MOST) {
    page_free (kept);
    return;
  }
  kept->generation = pages->generation;
  pages->bytes += bytes_of (kept);
  g_hash_table_insert (pages->table, g_memdup2 (&request, sizeof request), kept);
}

gsize
pages_bytes (const Pages *pages)
{
  return pages->bytes;
}

guint
pages_count (const Pages *pages)
{
  return g_hash_table_size (pages->table);
}
