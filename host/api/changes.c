/* The feed as pages: what was stored after a seq, in order, each record at its latest state. */
#include <string.h>

#include "api/cursor.h"
#include "api/routes.h"

enum { LOOKS_MOST = 5000 }; /* rows that one page looks at: a narrow filter gets an empty page and goes on */

static const ShapeMember change_members[] = {
  { "seq", "integer", "Its place in the feed: it only grows, and has gaps.", "1042" },
  { "kind", "kind", "The kind of the record.", "products" },
  { "op", "put|delete", "`put`: replace what you have; `delete`: remove it." },
  { "store", "text", "The store's id.", "downtown" },
  { "connector", "text", "The connector's name within the store.", "pos" },
  { "id", "text", "The record's id.", "5b0c" },
  { "at", "time", "When it came to us." },
  { "source", "pull|fetch|webhook|api|override|operator|host", "Who brought it." },
  { "record?", "Record", "The whole record, as the list serves it; absent of a deletion." },
  { NULL },
};
static const ShapeMember page_members[] = {
  { "items", "[Change]", "In order of `seq`." },
  { "seq", "integer", "The place behind this page: go on with it as `since` when there is no `next`.",
    "1047" },
  { "next?", "text", "There is more: go on with it as `cursor`." },
  { NULL },
};
const Shape change_shape = { "Change", "A record that was stored or deleted.", change_members },
            change_page_shape = { "ChangePage", "A page of the feed.", page_members };

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

/* Where a follower is. Whoever begins with nothing (since=0) lacks no deletion that was pruned before it
 * began: for its pages the floor is the newest seq of then, not the place that they have reached. */
typedef struct {
  guint64 reached, floor;
} Place;

static char *
place_to_cursor (Request *request, const Place *place)
{
  g_autofree char *text =
    g_strdup_printf ("%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", place->reached, place->floor);
  return cursor_of_text (request_seed (request), CURSOR_CHANGES, text);
}

static gboolean
place_from_cursor (Request *request, const char *cursor, Place *place)
{
  g_autofree char *text = cursor_to_text (request_seed (request), CURSOR_CHANGES, cursor);
  char *dash = text ? strchr (text, '-') : NULL;
  if (!dash)
    return FALSE;
  place->reached = g_ascii_strtoull (text, NULL, 16);
  place->floor = g_ascii_strtoull (dash + 1, NULL, 16);
  return TRUE;
}

static void
refuse_gone (Request *request, guint64 since, guint64 latest)
{
  Problem *problem =
    problem_new (410, NULL,
                 since > latest ? "seq %" G_GUINT64_FORMAT " is not ours (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with an empty copy and since=0"
                                : "what was deleted after seq %" G_GUINT64_FORMAT
                                  " is not kept any more (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with an empty copy and since=0",
                 since, latest);
  request_refuse (request, problem);
}

static void
end_feed (Request *request, Answer *answer, const Place *place, gboolean more)
{
  answer_put (answer, "],\"seq\":");
  json_put_int (&answer->body, (gint64)place->reached);
  if (more) {
    g_autofree char *next = place_to_cursor (request, place);
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
  guint64 since = (guint64)request_value (request, "since")->number, latest = 0;
  Place place = { since, since };
  if (cursor && !place_from_cursor (request, cursor, &place)) {
    request_bad_cursor (request);
    return;
  }
  Store *storage = hub_storage (request->hub);
  gboolean known = store_seq_known (storage, MAX (place.reached, place.floor), &latest);
  if (!cursor && since == 0) {
    place.floor = latest;
  } else if (!known) {
    refuse_gone (request, place.reached, latest);
    return;
  }
  Feed feed = { .hub = request->hub,
                .answer = answer_new (200, "application/json"),
                .kinds = request_value (request, "kinds")->bits,
                .store = request_text (request, "store") };
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  answer_put (feed.answer, "{\"items\":[");
  if (store_changes (storage, place.reached, request_limit (request), LOOKS_MOST, wants, take_change, &feed,
                     &place.reached, &more, &error)) {
    end_feed (request, feed.answer, &place, more);
    return;
  }
  answer_free (feed.answer);
  request_fail (request, error);
}
