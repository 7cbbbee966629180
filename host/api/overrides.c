/* What an operator overrides of a product: replaced wholly, or taken back. The answer is the product as it is
 * served then. */
#include <string.h>

#include "api/record.h"
#include "api/routes.h"

typedef struct {
  Pending *pending;
  char *if_match; /* NULL: whatever it is */
} Asking;

/* One of the ETags of an If-Match, or any. A weak one matches nothing. */
static gboolean
matches (const char *list, const char *etag)
{
  gsize length = strlen (etag);
  for (const char *at = list + strspn (list, " \t,"); *at; at += strspn (at, " \t,")) {
    const char *end = strchr (*at == '"' ? at + 1 : at, *at == '"' ? '"' : ',');
    gsize size = end ? (gsize)(end - at) + (*at == '"') : strlen (at);
    if (*at == '*' || (size == length && memcmp (at, etag, size) == 0))
      return TRUE;
    at += size;
  }
  return FALSE;
}

static gboolean
is_wanted (HubCollection *collection, const StoreFound *found, gpointer data)
{
  const Asking *asking = data;
  g_autoptr (Answer) answer = record_to_answer (collection->hub, collection, found, NULL);
  return answer && matches (asking->if_match, answer->etag);
}

/* A tag without its quotes, or a weak one, would be refused again and again. */
static void
refuse_match (Request *request, const char *if_match)
{
  gboolean strong = *if_match == '"';
  Problem *problem = problem_new (
    412, "if_match", "product \"%s\" is not as If-Match says: read it again, and send %s", request->vars[1],
    strong ? "what you want then" : "its ETag as it came, with the quotes and nothing before them");
  request_refuse (request, problem);
}

static void
overridden (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  g_autofree Asking *asking = data;
  Request *request = pending_take (asking->pending);
  g_autofree char *if_match = asking->if_match;
  if (!request)
    return;
  if (g_error_matches (error, HUB_ERROR, HUB_ERROR_DIFFERS))
    refuse_match (request, if_match);
  else if (error)
    request_fail (request, error);
  else
    record_answer (request, collection, found, ordinal, NULL);
}

/* set: NULL: none */
static void
override (Request *request, HubCollection *collection, const char *set)
{
  Asking *asking = g_new (Asking, 1);
  *asking = (Asking){ request_wait (request), g_strdup (request_header (request, "If-Match")) };
  hub_override (request->hub, collection, request->vars[1], set, asking->if_match ? is_wanted : NULL,
                overridden, asking);
}

/* NULL: refused. */
static HubCollection *
products_of (Request *request)
{
  HubCollection *collection = NULL;
  if (record_collection (request, &collection) && !collection)
    record_refuse_missing (request);
  return collection;
}

static void
refuse_fields (Request *request, const GArray *wrong)
{
  const ModelReject *first = &g_array_index (wrong, ModelReject, 0);
  Problem *problem =
    problem_new (400, first->reason, "%s%s%s", first->field, *first->field ? ": " : "", first->detail);
  for (guint i = 0; i < wrong->len; i++) {
    const ModelReject *one = &g_array_index (wrong, ModelReject, i);
    problem_add (problem, one->field, one->reason, "%s", one->detail);
  }
  request_refuse (request, problem);
}

void
put_overrides (Request *request)
{
  HubCollection *collection = products_of (request);
  if (!collection)
    return;
  if (!request->body || !request->body->len) {
    request_refuse (request,
                    problem_new (400, "empty", "send the whole set as a JSON object; {} for no overrides"));
    return;
  }
  ModelContext context = { .currency = hub_store (request->hub, request->vars[0])->config->currency };
  JsonBuffer set = { 0 };
  g_autoptr (GArray) wrong = g_array_new (FALSE, FALSE, sizeof (ModelReject));
  if (model_overrides_read ((const char *)request->body->data, request->body->len, &context, &set, wrong)) {
    g_autofree char *text = g_strndup (set.bytes, set.length);
    override (request, collection, text);
  } else {
    refuse_fields (request, wrong);
  }
  json_buffer_clear (&set);
}

void
delete_overrides (Request *request)
{
  HubCollection *collection = products_of (request);
  if (collection)
    override (request, collection, NULL);
}
