/* Products, inventory, promotions, customers as lists: which parameters they take is the route's, what they
 * mean is here. */
#include <string.h>

#include "api/cursor.h"
#include "api/listing.h"
#include "api/record.h"
#include "api/routes.h"
#include "api/server.h"
#include "base/hash.h"

/* Of a parameter that the route may have; NULL: not said. */
static const RouteValue *
said (const Request *request, const char *name)
{
  const RouteParam *params = request->route->params;
  for (guint i = 0; params[i].name; i++)
    if (strcmp (params[i].name, name) == 0)
      return request->values[i].said ? &request->values[i] : NULL;
  return NULL;
}

static const char *
said_text (const Request *request, const char *name)
{
  const RouteValue *value = said (request, name);
  return value ? value->text : NULL;
}

static Wish
said_wish (const Request *request, const char *name)
{
  const RouteValue *value = said (request, name);
  return !value ? WISH_ANY : value->number ? WISH_YES : WISH_NO;
}

/* Of all that narrows the list: how much of it is asked for, and where from, does not. */
static guint32
hash_filter (const Request *request)
{
  static const char *const others[] = { "limit", "cursor", "connector", NULL };
  const RouteParam *params = request->route->params;
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; params[i].name; i++)
    if (request->values[i].said && !g_strv_contains (others, params[i].name))
      g_string_append_printf (text, "%s=%s\n", params[i].name, request->values[i].text);
  return text->len ? (guint32)hash_bytes (text->str, text->len, request_seed (request)) : 0;
}

/* Parameters that are answered from the search index. */
static void
take_terms (Request *request, Asked *asked)
{
  static const char *const fields[] = { "category", "brand", "sku", "barcode", "phone", "email" };
  asked->words = said_text (request, "q");
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++) {
    const char *text = said_text (request, fields[i]);
    if (text)
      asked->terms[asked->term_count++] = (StoreTerm){ fields[i], text };
  }
}

static Filter *
make_filter (Request *request, gboolean stock)
{
  Filter *filter = filter_new ((guint)request->route->kind);
  const char *product = said_text (request, "product_id");
  filter->since_ms = said (request, "updated_since") ? request_time (request, "updated_since") : 0;
  filter->now_ms = hub_wall_ms (request->hub);
  filter->visible = said_wish (request, "visible");
  filter->in_stock = said_wish (request, "in_stock");
  filter->active = said_wish (request, "active");
  filter->stock = stock;
  filter->location = g_strdup (said_text (request, "location_id"));
  if (product && filter->kind == MODEL_INVENTORY)
    model_inventory_id (&filter->levels_of, product, NULL, NULL, TB_ANYBODY);
  else
    filter->product = g_strdup (product);
  return filter;
}

/* Where the product of a promotion is found: beside it. */
static HubCollection *
products_beside (const Request *request, const HubCollection *promotions)
{
  const HubConnector *connector = promotions->connector;
  return connector ? hub_collection_for (request->hub, connector->store, connector->name, MODEL_PRODUCTS)
                   : NULL;
}

/* What an age or the present moment narrows is another list a moment later. */
static gboolean
stands_for_a_while (const Request *request)
{
  const RouteValue *since = said (request, "updated_since");
  return !(since && since->age) && !said (request, "active");
}

static void
answer_nothing (Request *request)
{
  Answer *answer = answer_new (200, "application/json");
  answer_put (answer, "{\"items\":[]}");
  request_answer (request, answer);
}

void
get_records (Request *request)
{
  HubCollection *collection, *other = NULL, *products = NULL;
  if (!record_collection (request, &collection))
    return;
  const char *cursor = request_text (request, "cursor");
  CursorPlace place = { .filter = hash_filter (request), .collection = collection ? collection->number : 0 };
  if (cursor && (!collection || !cursor_to_place (request_seed (request), CURSOR_RECORDS, cursor, &place))) {
    request_bad_cursor (request);
    return;
  }
  if (!collection) {
    answer_nothing (request);
    return;
  }
  if (collection->kind == MODEL_PRODUCTS)
    other = hub_collection_stock (collection);
  else if (collection->kind == MODEL_PROMOTIONS && said (request, "product_id"))
    other = products = products_beside (request, collection);
  const RouteValue *ids = said (request, "id");
  Sources sources = sources_now (request->hub, collection, other);
  sources.first = ids ? 0 : (guint32)place.place;
  if (listing_join (request, &sources))
    return;
  Asked asked = { .collection = collection,
                  .sources = sources,
                  .filter = make_filter (request, other && collection->kind == MODEL_PRODUCTS),
                  .filter_hash = place.filter,
                  .from = place.place,
                  .limit = request_limit (request),
                  .keep = stands_for_a_while (request),
                  .ids = ids ? ids->words : NULL,
                  .products = products };
  take_terms (request, &asked);
  const char *parent = collection->kind == MODEL_INVENTORY ? said_text (request, "product_id") : NULL;
  if (parent)
    asked.parent_hash = hash_bytes (parent, strlen (parent), request_seed (request));
  listing_begin (request, &asked);
}
