/* Products, inventory, promotions, customers: bodies are served as they are stored. */
#include <string.h>

#include "api/cursor.h"
#include "api/routes.h"
#include "base/hash.h"

enum { LOOKS_MOST = 5000 }; /* rows that a filter may look at for one page: some 10 ms */

/* The collection that serves a kind, NULL: there is none. *refused: it was asked for another connector that
 * does not have it. */
static HubCollection *
find_collection (Request *request, HubStore *store, gboolean *refused)
{
  const char *said = request_text (request, "connector"), *name = said;
  const char *slash = said ? strchr (said, '/') : NULL;
  HubCollection *collection = NULL;
  *refused = FALSE;
  if (slash && strncmp (said, store->config->id, (gsize)(slash - said)) == 0 &&
      strlen (store->config->id) == (gsize)(slash - said))
    name = slash + 1;
  collection = hub_collection_for (request->hub, store, name, (guint)request->route->kind);
  if (collection || !said)
    return collection;
  g_autofree const char **names = g_new0 (const char *, store->connectors->len + 1);
  for (guint i = 0; i < store->connectors->len; i++)
    names[i] = ((HubConnector *)store->connectors->pdata[i])->name;
  g_autofree char *hint = did_you_mean (name, names);
  Problem *problem =
    problem_new (400, "unknown_connector", "store %s has no connector \"%s\" with %s%s", store->config->id,
                 name, model_kind_name ((guint)request->route->kind), hint);
  problem_add (problem, "connector", "unknown_connector", "no such connector%s", hint);
  request_refuse (request, problem);
  *refused = TRUE;
  return NULL;
}

typedef struct {
  Answer *answer;
  guint limit, items, looks;
  gint64 since_ms;    /* 0: all */
  JsonBuffer product; /* of inventory levels: how ids of this product's begin; empty: all */
  gboolean more;
  guint64 next; /* ordinal where the next page begins */
} Page;

static void
page_begin (Request *request, Page *page)
{
  *page = (Page){ .answer = answer_new (200, "application/json"),
                  .limit = request_limit (request),
                  .since_ms = request_time (request, "updated_since") };
  const char *product = request->route->kind == MODEL_INVENTORY ? request_text (request, "product_id") : NULL;
  if (product)
    model_inventory_id (&page->product, product, NULL, NULL, TB_ANYBODY);
  answer_put (page->answer, "{\"items\":[");
}

static gboolean
is_of_product (const Page *page, const StoreFound *found)
{
  gsize length = page->product.length;
  return !length || (found->id_length >= length && memcmp (found->id, page->product.bytes, length) == 0 &&
                     (found->id_length == length || found->id[length] == ':'));
}

static void
put_item (Page *page, const StoreFound *found)
{
  if (page->items++)
    json_put (&page->answer->body, ",", 1);
  json_put (&page->answer->body, found->body, found->body_length);
}

static gboolean
take_record (const StoreFound *found, gpointer data)
{
  Page *page = data;
  if (page->items == page->limit || page->looks == LOOKS_MOST) {
    page->more = TRUE;
    page->next = found->ordinal;
    return FALSE;
  }
  page->looks++;
  if ((found->updated_ms ? found->updated_ms : found->at_ms) >= page->since_ms && is_of_product (page, found))
    put_item (page, found);
  return TRUE;
}

static void
end_page (Request *request, HubCollection *collection, Page *page)
{
  g_autofree char *next =
    page->more ? cursor_of_place (request_seed (request), CURSOR_RECORDS, collection->number, page->next)
               : NULL;
  request_end_list (request, g_steal_pointer (&page->answer), next, hub_collection_as_of (collection));
}

static void
answer_scan (Request *request, HubCollection *collection, Page *page, guint64 from)
{
  g_autoptr (GError) error = NULL;
  guint looks = page->since_ms || page->product.length ? LOOKS_MOST : page->limit;
  if (store_list (hub_storage (request->hub), collection->number, from, looks + 1, take_record, page,
                  &error)) {
    end_page (request, collection, page);
    return;
  }
  g_clear_pointer (&page->answer, answer_free);
  request_fail (request, error);
}

/* ---- id=a,b: each is looked for in the collection's map, then they are read in the list's order ---- */

typedef struct {
  Pending *pending;
  GArray *ordinals; /* guint32 */
  guint waits;
  guint64 from;
  GError *error;
} Finding;

static int
compare_ordinals (gconstpointer a, gconstpointer b)
{
  guint32 first = *(const guint32 *)a, second = *(const guint32 *)b;
  return first < second ? -1 : first > second;
}

static gboolean
read_found (Request *request, HubCollection *collection, const Finding *finding, Page *page, GError **error)
{
  for (guint i = 0; i < finding->ordinals->len && !page->more; i++) {
    guint32 ordinal = g_array_index (finding->ordinals, guint32, i);
    gboolean found;
    if (ordinal < finding->from || (i && ordinal == g_array_index (finding->ordinals, guint32, i - 1)))
      continue;
    page->next = ordinal;
    if (!store_get (hub_storage (request->hub), collection->number, ordinal, &found, take_record, page,
                    error))
      return FALSE;
  }
  return TRUE;
}

static void
answer_found (HubCollection *collection, Finding *finding)
{
  Request *request = pending_take (finding->pending);
  g_array_sort (finding->ordinals, compare_ordinals);
  if (request && !finding->error) {
    Page page;
    page_begin (request, &page);
    if (read_found (request, collection, finding, &page, &finding->error))
      end_page (request, collection, &page);
    else
      answer_free (page.answer);
    json_buffer_clear (&page.product);
  }
  if (request && finding->error)
    request_fail (request, finding->error);
  g_clear_error (&finding->error);
  g_array_unref (finding->ordinals);
  g_free (finding);
}

static void
found_one (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Finding *finding = data;
  if (error && !finding->error)
    finding->error = g_error_copy (error);
  if (found)
    g_array_append_val (finding->ordinals, ordinal);
  if (--finding->waits == 0)
    answer_found (collection, finding);
}

static void
find_words (Request *request, HubCollection *collection, char **words, guint64 from)
{
  Finding *finding = g_new0 (Finding, 1);
  Hub *hub = request->hub;
  g_auto (GStrv) ids = g_strdupv (words); /* the request may end with the last of them */
  finding->pending = request_wait (request);
  finding->ordinals = g_array_new (FALSE, FALSE, sizeof (guint32));
  finding->waits = g_strv_length (ids);
  finding->from = from;
  for (guint i = 0; ids[i]; i++)
    hub_find (hub, collection, ids[i], found_one, finding);
}

void
get_records (Request *request)
{
  HubStore *store = request_store (request);
  gboolean refused = FALSE;
  HubCollection *collection = store ? find_collection (request, store, &refused) : NULL;
  if (!store || refused)
    return;
  const char *cursor = request_text (request, "cursor");
  guint64 from = 0;
  if (cursor && (!collection || !cursor_to_place (request_seed (request), CURSOR_RECORDS, cursor,
                                                  collection->number, &from))) {
    request_bad_cursor (request);
    return;
  }
  const RouteValue *ids = request_value (request, "id");
  if (collection && ids->said) {
    find_words (request, collection, ids->words, from);
    return;
  }
  Page page;
  page_begin (request, &page);
  if (collection)
    answer_scan (request, collection, &page, from);
  else
    request_end_list (request, page.answer, NULL, 0);
  json_buffer_clear (&page.product);
}

/* ---- one ---- */

typedef struct {
  Answer *answer;
  gint64 as_of_ms;
} One;

static gboolean
take_one (const StoreFound *found, gpointer data)
{
  One *one = data;
  if (found->deleted)
    return FALSE;
  one->answer = answer_new (200, "application/json");
  json_put (&one->answer->body, found->body, found->body_length);
  if (one->as_of_ms) {
    one->answer->body.length--; /* the closing brace */
    answer_put (one->answer, found->body_length > 2 ? ",\"as_of\":" : "\"as_of\":");
    answer_put_time (one->answer, one->as_of_ms);
    answer_put (one->answer, "}");
  }
  return FALSE;
}

static void
refuse_missing (Request *request)
{
  request_refuse (request, problem_new (404, "no_record", "store %s has no record \"%s\" among its %s",
                                        request->vars[0], request->vars[1],
                                        model_kind_name ((guint)request->route->kind)));
}

static void
answer_one (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Request *request = pending_take (data);
  g_autoptr (GError) failed = error ? g_error_copy (error) : NULL;
  One one = { .as_of_ms = hub_collection_as_of (collection) };
  if (!request)
    return;
  if (found)
    store_get (hub_storage (request->hub), collection->number, ordinal, &found, take_one, &one, &failed);
  if (failed)
    request_fail (request, failed);
  else if (one.answer)
    request_answer (request, one.answer);
  else
    refuse_missing (request);
}

void
get_record (Request *request)
{
  HubStore *store = request_store (request);
  gboolean refused = FALSE;
  HubCollection *collection = store ? find_collection (request, store, &refused) : NULL;
  if (!store || refused)
    return;
  if (collection)
    hub_find (request->hub, collection, request->vars[1], answer_one, request_wait (request));
  else
    refuse_missing (request);
}

/* ---- for overrides.c ---- */

HubCollection *
records_collection (Request *request, HubStore *store, gboolean *refused)
{
  return find_collection (request, store, refused);
}

void
records_answer_one (Request *request, HubCollection *collection, gboolean found, guint32 ordinal)
{
  if (collection)
    answer_one (collection, found, ordinal, NULL, request_wait (request));
  else
    refuse_missing (request);
}

char *
records_etag (HubCollection *collection, const StoreFound *found)
{
  return g_strdup_printf ("\"%016" G_GINT64_MODIFIER "x\"",
                          hash_bytes (found->body, found->body_length, (guint64)found->ordinal));
}
