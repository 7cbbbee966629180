#include "api/listing.h"

#include <string.h>

#include "api/cursor.h"
#include "api/server.h"
#include "base/hash.h"

enum {
  GETS_MOST = 250,      /* records that are read one by one for one page: some 2 ms of the loop */
  BYTES_MOST = 4 << 20, /* about so much is in a page, however many were asked for */
};

struct Listing {
  Hub *hub;
  char *target;
  GPtrArray *waiting; /* Pending */
  Asked asked;
  guint finding; /* lookups under way */
  GError *error;
  /* The reader's, while it reads. */
  JsonBuffer body;
  guint items;
  gboolean more;
  guint64 next;
};

static void
listing_free (Listing *listing)
{
  Asked *asked = &listing->asked;
  for (guint i = 0; i < asked->term_count; i++)
    g_free ((char *)asked->terms[i].text);
  g_free ((char *)asked->words);
  g_strfreev (asked->ids);
  filter_free (asked->filter);
  json_buffer_clear (&listing->body);
  g_ptr_array_unref (listing->waiting);
  g_clear_error (&listing->error);
  g_free (listing->target);
  g_free (listing);
}

/* ---- the end ---- */

static Page *
make_page (Listing *listing, const Request *request)
{
  const Asked *asked = &listing->asked;
  CursorPlace place = { asked->collection->number, asked->filter_hash, listing->next };
  g_autofree char *next =
    listing->more ? cursor_of_place (store_seed (hub_storage (listing->hub)), CURSOR_RECORDS, &place) : NULL;
  Sources sources = asked->sources;
  if (listing->more && !asked->ids)
    sources.last = (guint32)MAX (listing->next, 1) - 1;
  json_put (&listing->body, "]", 1);
  if (next) {
    json_put (&listing->body, ",\"next\":", 8);
    json_put_text (&listing->body, next, strlen (next));
  }
  return pages_add (request->api->pages, request->route, listing->target, &sources, &listing->body, next,
                    asked->keep);
}

static void
end (Listing *listing)
{
  Page *page = NULL;
  for (guint i = 0; i < listing->waiting->len; i++) {
    Request *request = pending_take (listing->waiting->pdata[i]);
    if (!request) /* the API ended */
      continue;
    Api *api = request->api;
    if (g_hash_table_lookup (api->listings, listing->target) == listing)
      g_hash_table_remove (api->listings, listing->target);
    if (!page && !listing->error)
      page = make_page (listing, request);
    if (page)
      request_answer (request, page_to_answer (api->pages, page));
    else
      request_fail (request, listing->error);
  }
  listing_free (listing);
}

/* ---- reading ---- */

static void
begin_body (Listing *listing)
{
  json_put (&listing->body, "{\"items\":[", 10);
}

static gboolean
is_full (const Listing *listing)
{
  return listing->items == listing->asked.limit || listing->body.length >= BYTES_MOST;
}

/* On the reader's thread, or, for records that are asked for by id, on the loop. */
static StoreVerdict
take (const StoreFound *found, gpointer data)
{
  Listing *listing = data;
  gsize before = listing->body.length;
  if (is_full (listing))
    return STORE_END;
  if (listing->items)
    json_put (&listing->body, ",", 1);
  if (!filter_take (listing->asked.filter, found, &listing->body)) {
    listing->body.length = before;
    return STORE_SKIP;
  }
  listing->items++;
  return STORE_TAKE;
}

static gboolean
is_worth (const StoreFound *found, gpointer data)
{
  return filter_may_take (((Listing *)data)->asked.filter, found);
}

static void
queried (gboolean more, guint64 next, const GError *error, gpointer data)
{
  Listing *listing = data;
  listing->more = more;
  listing->next = next;
  if (error)
    listing->error = g_error_copy (error);
  end (listing);
}

static void
query (Listing *listing)
{
  const Asked *asked = &listing->asked;
  StoreQuery query = { .collection = asked->collection->number,
                       .from = asked->from,
                       .limit = asked->limit,
                       .parent_hash = asked->parent_hash,
                       .words = asked->words,
                       .terms = asked->terms,
                       .term_count = asked->term_count,
                       .stock = asked->filter->stock ? asked->sources.other->number : 0,
                       .worth = is_worth,
                       .judge = take };
  begin_body (listing);
  store_query (hub_storage (listing->hub), &query, queried, listing);
}

static gboolean
take_got (const StoreFound *found, gpointer data)
{
  Listing *listing = data;
  const Asked *asked = &listing->asked;
  StoreFound with = *found;
  if (found->deleted)
    return FALSE;
  if (asked->filter->stock)
    store_stock (hub_storage (listing->hub), asked->sources.other->number,
                 hash_bytes (found->id, found->id_length, store_seed (hub_storage (listing->hub))),
                 &with.has_stock, &with.stock, &listing->error);
  take (&with, listing);
  return FALSE;
}

/* In the list's order. */
static void
get_each (Listing *listing)
{
  const Asked *asked = &listing->asked;
  const GArray *ordinals = asked->filter->ordinals;
  guint gets = 0;
  begin_body (listing);
  for (guint i = 0; i < ordinals->len && !listing->error; i++) {
    guint32 ordinal = g_array_index (ordinals, guint32, i);
    gboolean found;
    if (ordinal < asked->from || (i && ordinal == g_array_index (ordinals, guint32, i - 1)))
      continue;
    if (is_full (listing) || gets++ == GETS_MOST) {
      listing->more = TRUE;
      listing->next = ordinal;
      break;
    }
    store_get (hub_storage (listing->hub), asked->collection->number, ordinal, &found, take_got, listing,
               &listing->error);
  }
  end (listing);
}

/* ---- what has to be known first ---- */

/* The store that is ending is asked nothing more. */
static gboolean
is_awaited (const Listing *listing)
{
  return pending_waits (listing->waiting->pdata[0]);
}

static int
compare_ordinals (gconstpointer a, gconstpointer b)
{
  guint32 first = *(const guint32 *)a, second = *(const guint32 *)b;
  return first < second ? -1 : first > second;
}

static void
one_is_known (Listing *listing, const GError *error)
{
  GArray *ordinals = listing->asked.filter->ordinals;
  if (error && !listing->error)
    listing->error = g_error_copy (error);
  if (--listing->finding > 0)
    return;
  if (ordinals)
    g_array_sort (ordinals, compare_ordinals);
  if (listing->error || !is_awaited (listing))
    end (listing);
  else if (ordinals && !listing->asked.words && !listing->asked.term_count)
    get_each (listing);
  else
    query (listing);
}

static void
found_id (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Listing *listing = data;
  if (found)
    g_array_append_val (listing->asked.filter->ordinals, ordinal);
  one_is_known (listing, error);
}

static gboolean
take_product (const StoreFound *found, gpointer data)
{
  if (!found->deleted)
    filter_take_product (data, found);
  return FALSE;
}

static void
found_product (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Listing *listing = data;
  g_autoptr (GError) failed = error ? g_error_copy (error) : NULL;
  if (found && is_awaited (listing))
    store_get (hub_storage (listing->hub), collection->number, ordinal, &found, take_product,
               listing->asked.filter, &failed);
  one_is_known (listing, failed);
}

static void
look_up (Listing *listing)
{
  Asked *asked = &listing->asked;
  Hub *hub = listing->hub;
  guint ids = asked->ids ? g_strv_length (asked->ids) : 0;
  g_auto (GStrv) words = g_strdupv (asked->ids); /* the listing may end with the last of them */
  listing->finding = 1 + ids + (asked->products != NULL);
  if (ids)
    asked->filter->ordinals = g_array_new (FALSE, FALSE, sizeof (guint32));
  if (asked->products)
    hub_find (hub, asked->products, asked->filter->product, found_product, listing);
  for (guint i = 0; i < ids; i++)
    hub_find (hub, asked->collection, words[i], found_id, listing);
  one_is_known (listing, NULL);
}

/* ---- the beginning ---- */

gboolean
listing_join (Request *request, const Sources *sources)
{
  Listing *listing = g_hash_table_lookup (request->api->listings, request->target);
  if (!listing || memcmp (&listing->asked.sources, sources, sizeof *sources) != 0)
    return FALSE;
  g_ptr_array_add (listing->waiting, request_wait (request));
  return TRUE;
}

void
listing_begin (Request *request, const Asked *asked)
{
  Listing *listing = g_new0 (Listing, 1);
  listing->hub = request->hub;
  listing->target = g_strdup (request->target);
  listing->waiting = g_ptr_array_new ();
  listing->asked = *asked;
  listing->asked.ids = g_strdupv (asked->ids);
  listing->asked.words = g_strdup (asked->words);
  for (guint i = 0; i < asked->term_count; i++)
    listing->asked.terms[i].text = g_strdup (asked->terms[i].text);
  g_hash_table_replace (request->api->listings, listing->target, listing);
  g_ptr_array_add (listing->waiting, request_wait (request));
  look_up (listing);
}
