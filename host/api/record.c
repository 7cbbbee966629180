/* Products and customers one by one: as they are held, or, where that is too old, asked for again first. */
#include "api/record.h"

#include <string.h>

#include "api/filter.h"
#include "api/routes.h"
#include "base/hash.h"

enum { FETCH_MS = 10000 }; /* how long somebody is kept waiting for the vendor */

static void
refuse_connector (Request *request, const HubStore *store, const char *name)
{
  g_autofree const char **names = g_new0 (const char *, store->connectors->len + 1);
  for (guint i = 0; i < store->connectors->len; i++)
    names[i] = ((HubConnector *)store->connectors->pdata[i])->name;
  g_autofree char *hint = did_you_mean (name, names);
  Problem *problem =
    problem_new (400, "unknown_connector", "store %s has no connector \"%s\" with %s%s", store->config->id,
                 name, model_kind_name ((guint)request->route->kind), hint);
  problem_add (problem, "connector", "unknown_connector", "no such connector%s", hint);
  request_refuse (request, problem);
}

gboolean
record_collection (Request *request, HubCollection **collection)
{
  HubStore *store = request_store (request);
  if (!store)
    return FALSE;
  const char *said = request_text (request, "connector"), *name = said;
  const char *slash = said ? strchr (said, '/') : NULL;
  if (slash && strncmp (said, store->config->id, (gsize)(slash - said)) == 0 &&
      strlen (store->config->id) == (gsize)(slash - said))
    name = slash + 1;
  *collection = hub_collection_for (request->hub, store, name, (guint)request->route->kind);
  if (*collection || !said)
    return TRUE;
  refuse_connector (request, store, name);
  return FALSE;
}

void
record_refuse_missing (Request *request)
{
  request_refuse (request, problem_new (404, "no_record", "store %s has no record \"%s\" among its %s",
                                        request->vars[0], request->vars[1],
                                        model_kind_name ((guint)request->route->kind)));
}

/* The tag is of what comes before as_of. */
static void
put_as_of (Answer *answer, gint64 as_of_ms)
{
  if (!as_of_ms)
    return;
  answer->body.length--; /* the closing brace */
  answer_put (answer, answer->body.length > 1 ? ",\"as_of\":" : "\"as_of\":");
  answer_put_time (answer, as_of_ms);
  answer_put (answer, "}");
}

Answer *
record_to_answer (Hub *hub, HubCollection *collection, const StoreFound *found, GError **error)
{
  HubCollection *stock = hub_collection_stock (collection);
  StoreFound with = *found;
  Store *storage = hub_storage (hub);
  if (stock &&
      !store_stock (storage, stock->number, hash_bytes (found->id, found->id_length, store_seed (storage)),
                    &with.has_stock, &with.stock, error))
    return NULL;
  Filter *filter = filter_new (collection->kind);
  Answer *answer = answer_new (200, "application/json");
  filter->stock = stock != NULL;
  filter_take (filter, &with, &answer->body);
  filter_free (filter);
  etag_of (answer->body.bytes, answer->body.length, answer->etag);
  put_as_of (answer, hub_record_as_of (collection, found->ordinal));
  if (collection->kind == MODEL_CUSTOMERS)
    answer->cache = CACHE_PRIVATE;
  return answer;
}

typedef struct {
  Hub *hub;
  HubCollection *collection;
  Answer *answer;
  GError *error;
} One;

static gboolean
take_one (const StoreFound *found, gpointer data)
{
  One *one = data;
  if (!found->deleted)
    one->answer = record_to_answer (one->hub, one->collection, found, &one->error);
  return FALSE;
}

void
record_answer (Request *request, HubCollection *collection, gboolean found, guint32 ordinal,
               const GError *error)
{
  One one = { request->hub, collection, NULL, error ? g_error_copy (error) : NULL };
  if (found && !error)
    store_get (hub_storage (request->hub), collection->number, ordinal, &found, take_one, &one, &one.error);
  if (one.error)
    request_fail (request, one.error);
  else if (one.answer)
    request_answer (request, one.answer);
  else
    record_refuse_missing (request);
  g_clear_error (&one.error);
}

static void
found_one (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Request *request = pending_take (data);
  if (request)
    record_answer (request, collection, found, ordinal, error);
}

/* ---- max_age ---- */

typedef struct {
  Pending *pending;
  HubCollection *collection;
  char *id;
} Fetching;

static void
fetched (gpointer data)
{
  Fetching *fetching = data;
  Request *request = pending_take (fetching->pending);
  if (request) /* ours, be it newer now or not: its as_of says which */
    hub_find (request->hub, fetching->collection, fetching->id, found_one, request_wait (request));
  g_free (fetching->id);
  g_free (fetching);
}

static void
found_aged (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  Request *request = pending_take (data);
  if (!request)
    return;
  gint64 as_of_ms = found ? hub_record_as_of (collection, ordinal) : hub_collection_as_of (collection);
  gint64 age_ms = hub_wall_ms (request->hub) - as_of_ms;
  if (error || (age_ms >= 0 && age_ms <= request_value (request, "max_age")->number)) {
    record_answer (request, collection, found, ordinal, error);
    return;
  }
  Fetching *fetching = g_new (Fetching, 1);
  *fetching = (Fetching){ request_wait (request), collection, g_strdup (request->vars[1]) };
  hub_fetch (request->hub, collection, fetching->id, FETCH_MS, fetched, fetching);
}

void
get_record (Request *request)
{
  HubCollection *collection;
  if (!record_collection (request, &collection))
    return;
  if (collection)
    hub_find (request->hub, collection, request->vars[1],
              request_value (request, "max_age")->said ? found_aged : found_one, request_wait (request));
  else
    record_refuse_missing (request);
}
