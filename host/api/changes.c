/* The feed as pages: what was stored after a seq, in order, each record at its latest state. */
#include <string.h>

#include "api/cursor.h"
#include "api/routes.h"

enum { LOOKS_MOST = 5000 }; /* rows that one page looks at: a narrow filter gets an empty page and goes on */

typedef struct {
  Hub *hub;
  Answer *answer;
  guint items, kinds; /* kinds: 0: all */
  const char *store;
} Feed;

/* "downtown/pos/products" */
static gboolean
is_of_store (const char *key, const char *store)
{
  gsize length = strlen (store);
  return strncmp (key, store, length) == 0 && key[length] == '/';
}

static gboolean
wants (guint32 number, gpointer data)
{
  const Feed *feed = data;
  const HubCollection *collection = hub_collection (feed->hub, number);
  return collection && (!feed->kinds || feed->kinds & (1u << collection->kind)) &&
         (!feed->store || is_of_store (collection->key, feed->store));
}

static void
put_member (Answer *answer, const char *name, const char *text, gsize length)
{
  answer_put (answer, ",\"");
  answer_put (answer, name);
  answer_put (answer, "\":");
  json_put_text (&answer->body, text, length);
}

static gboolean
take_change (const StoreFound *found, gpointer data)
{
  Feed *feed = data;
  Answer *answer = feed->answer;
  const HubCollection *collection = hub_collection (feed->hub, found->collection);
  const char *store = collection->key, *connector = strchr (store, '/') + 1, *end = strchr (connector, '/');
  answer_put (answer, feed->items++ ? ",{\"seq\":" : "{\"seq\":");
  json_put_int (&answer->body, (gint64)found->seq);
  answer_put (answer, ",\"kind\":\"");
  answer_put (answer, model_kind_name (collection->kind));
  answer_put (answer, found->deleted ? "\",\"op\":\"delete\"" : "\",\"op\":\"put\"");
  put_member (answer, "store", store, (gsize)(connector - 1 - store));
  put_member (answer, "connector", connector, (gsize)(end - connector));
  put_member (answer, "id", found->id, found->id_length);
  answer_put (answer, ",\"at\":");
  answer_put_time (answer, found->at_ms);
  put_member (answer, "source", found->source, strlen (found->source));
  if (!found->deleted) {
    answer_put (answer, ",\"record\":");
    json_put (&answer->body, found->body, found->body_length);
  }
  answer_put (answer, "}");
  return TRUE;
}

static void
refuse_gone (Request *request, guint64 since, guint64 latest)
{
  Problem *problem =
    problem_new (410, NULL,
                 since > latest ? "seq %" G_GUINT64_FORMAT " is not ours (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with the snapshot"
                                : "what came after seq %" G_GUINT64_FORMAT
                                  " is not kept any more (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with the snapshot",
                 since, latest);
  put_text (problem, "snapshot", "/v1/snapshot");
  request_refuse (request, problem);
}

static void
end_feed (Request *request, Answer *answer, guint64 reached, gboolean more)
{
  answer_put (answer, "],\"seq\":");
  json_put_int (&answer->body, (gint64)reached);
  if (more) {
    g_autofree char *next = cursor_of_place (request_seed (request), CURSOR_CHANGES, 0, reached);
    g_autofree char *target = route_next_target (request->target, next);
    g_autofree char *link = g_strdup_printf ("<%s>; rel=\"next\"", target);
    answer_header (answer, "Link", link);
    put_member (answer, "next", next, strlen (next));
  }
  answer_put (answer, "}");
  request_answer (request, answer);
}

void
get_changes (Request *request)
{
  const char *cursor = request_text (request, "cursor");
  guint64 since = (guint64)request_value (request, "since")->number, latest = 0, reached = since;
  if (cursor && !cursor_to_place (request_seed (request), CURSOR_CHANGES, cursor, 0, &since)) {
    request_bad_cursor (request);
    return;
  }
  Store *storage = hub_storage (request->hub);
  if (!store_seq_known (storage, since, &latest)) {
    refuse_gone (request, since, latest);
    return;
  }
  Feed feed = { .hub = request->hub,
                .answer = answer_new (200, "application/json"),
                .kinds = request_value (request, "kinds")->bits,
                .store = request_text (request, "store") };
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  answer_put (feed.answer, "{\"items\":[");
  if (store_changes (storage, since, request_limit (request), LOOKS_MOST, wants, take_change, &feed, &reached,
                     &more, &error)) {
    end_feed (request, feed.answer, reached, more);
    return;
  }
  answer_free (feed.answer);
  request_fail (request, error);
}
