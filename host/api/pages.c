#include "api/pages.h"

#include <string.h>

#include "base/timefmt.h"

enum {
  PAGE_COST = 512, /* beside its bytes */
  PAGE_SHARE = 4,  /* of all bytes: what a single page may have */
  TAIL_SIZE = 64   /* ,"as_of":"..."} */
};

struct Page {
  GList link; /* first; of pages->recent */
  const Route *route;
  char *target;
  Sources sources;
  GBytes *bytes;   /* whole */
  gsize length;    /* without the tail */
  gint64 as_of_ms; /* that the tail says */
  char etag[ETAG_SIZE];
  GRefString *next; /* of Link; NULL */
};

struct Pages {
  Hub *hub;
  GHashTable *by_target; /* Page */
  GQueue recent;         /* the last used first */
  gsize bytes, bytes_most;
  Page *loose; /* not kept: for the one who asked */
};

Sources
sources_now (Hub *hub, HubCollection *collection, HubCollection *other)
{
  return (Sources){ .collection = collection,
                    .other = other,
                    .version = collection->version,
                    .other_version = other ? other->version : 0,
                    .generation = hub_generation (hub),
                    .last = G_MAXUINT32 };
}

gboolean
sources_stand (Hub *hub, Sources *sources)
{
  if (sources->generation != hub_generation (hub) ||
      !hub_collection_stands (sources->collection, sources->version, sources->first, sources->last) ||
      (sources->other && sources->other->version != sources->other_version))
    return FALSE;
  sources->version = sources->collection->version;
  return TRUE;
}

static void
page_free (Page *page)
{
  if (!page)
    return;
  g_bytes_unref (page->bytes);
  g_clear_pointer (&page->next, g_ref_string_release);
  g_free (page->target);
  g_free (page);
}

static gsize
cost_of (const Page *page)
{
  return PAGE_COST + strlen (page->target) + g_bytes_get_size (page->bytes);
}

Pages *
pages_new (Hub *hub, gsize bytes_most)
{
  Pages *pages = g_new0 (Pages, 1);
  pages->hub = hub;
  pages->by_target = g_hash_table_new (g_str_hash, g_str_equal);
  g_queue_init (&pages->recent);
  pages->bytes_most = bytes_most;
  return pages;
}

static void
drop (Pages *pages, Page *page)
{
  pages->bytes -= cost_of (page);
  g_queue_unlink (&pages->recent, &page->link);
  g_hash_table_remove (pages->by_target, page->target);
  page_free (page);
}

void
pages_free (Pages *pages)
{
  while (pages->recent.head)
    drop (pages, (Page *)pages->recent.head);
  page_free (pages->loose);
  g_hash_table_unref (pages->by_target);
  g_free (pages);
}

/* The page's own bytes, and as_of behind them. */
static void
write_tail (Page *page, gint64 as_of_ms)
{
  static const char name[] = ",\"as_of\":\"";
  char *bytes = g_malloc (page->length + TAIL_SIZE);
  gsize length = page->length;
  memcpy (bytes, g_bytes_get_data (page->bytes, NULL), length);
  if (as_of_ms) {
    memcpy (bytes + length, name, sizeof name - 1);
    length += sizeof name - 1;
    length += time_to_text (as_of_ms, bytes + length);
    bytes[length++] = '"';
  }
  bytes[length++] = '}';
  g_bytes_unref (page->bytes);
  page->bytes = g_bytes_new_take (bytes, length);
  page->as_of_ms = as_of_ms;
}

Page *
pages_find (Pages *pages, const char *target)
{
  Page *page = g_hash_table_lookup (pages->by_target, target);
  if (!page)
    return NULL;
  if (!sources_stand (pages->hub, &page->sources)) {
    drop (pages, page);
    return NULL;
  }
  if (pages->recent.head != &page->link) {
    g_queue_unlink (&pages->recent, &page->link);
    g_queue_push_head_link (&pages->recent, &page->link);
  }
  return page;
}

static void
keep (Pages *pages, Page *page)
{
  Page *before = g_hash_table_lookup (pages->by_target, page->target);
  if (before)
    drop (pages, before);
  pages->bytes += cost_of (page);
  g_queue_push_head_link (&pages->recent, &page->link);
  g_hash_table_insert (pages->by_target, page->target, page);
  while (pages->bytes > pages->bytes_most)
    drop (pages, (Page *)pages->recent.tail);
}

Page *
pages_add (Pages *pages, const Route *route, const char *target, const Sources *sources, JsonBuffer *body,
           const char *next, gboolean wanted)
{
  Page *page = g_new0 (Page, 1);
  page->link.data = page;
  page->route = route;
  page->target = g_strdup (target);
  page->sources = *sources;
  page->length = body->length;
  etag_of (body->bytes, body->length, page->etag);
  page->bytes = g_bytes_new_take (g_steal_pointer (&body->bytes), body->length);
  *body = (JsonBuffer){ 0 };
  write_tail (page, hub_collection_as_of (sources->collection));
  if (next) {
    g_autofree char *where = route_next_target (target, next);
    g_autofree char *link = g_strdup_printf ("<%s>; rel=\"next\"", where);
    page->next = g_ref_string_new (link);
  }
  g_clear_pointer (&pages->loose, page_free);
  if (wanted && cost_of (page) <= pages->bytes_most / PAGE_SHARE &&
      sources_stand (pages->hub, &page->sources))
    keep (pages, page);
  else
    pages->loose = page;
  return page;
}

Answer *
page_to_answer (Pages *pages, Page *page)
{
  gint64 as_of_ms = hub_collection_as_of (page->sources.collection);
  if (as_of_ms != page->as_of_ms) {
    gsize before = g_bytes_get_size (page->bytes);
    write_tail (page, as_of_ms);
    if (page != pages->loose)
      pages->bytes += g_bytes_get_size (page->bytes) - before;
  }
  Answer *answer = answer_shared ("application/json", page->bytes);
  memcpy (answer->etag, page->etag, sizeof page->etag);
  if (page->next)
    answer->next = g_ref_string_acquire (page->next);
  if (page->sources.collection->kind == MODEL_CUSTOMERS)
    answer->cache = CACHE_PRIVATE;
  return answer;
}

const Route *
page_route (const Page *page)
{
  return page->route;
}
