/* The feed as pages: what was stored after a seq, in order, each record at its latest state. Whoever asks for
 * text/event-stream is told of changes as they come. */
#include <string.h>

#include "api/feed.h"
#include "api/follow.h"
#include "api/routes.h"

enum {
  LOOKS_MOST = 5000,    /* rows that one page looks at: a narrow filter gets an empty page and goes on */
  BYTES_MOST = 1 << 20, /* about so much is in a page, however many were asked for: it is read on the loop */
};

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
  const Hub *hub;
  FeedFilter filter;
  Answer *answer;
  guint items;
} Page;

static gboolean
wants (guint32 number, gpointer data)
{
  const Page *page = data;
  return feed_wanted (page->hub, &page->filter, number) != NULL;
}

static gboolean
take_change (const StoreFound *found, gpointer data)
{
  Page *page = data;
  if (page->items++)
    answer_put (page->answer, ",");
  feed_put_change (&page->answer->body, hub_collection (page->hub, found->collection), found);
  return page->answer->body.length < BYTES_MOST;
}

static void
refuse_gone (Request *request, guint64 since, guint64 latest)
{
  Problem *problem =
    problem_new (410, NULL,
                 since > latest ? "seq %" G_GUINT64_FORMAT " is not ours (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with " FEED_SNAPSHOT
                                : "what was deleted after seq %" G_GUINT64_FORMAT
                                  " is not kept any more (the newest is %" G_GUINT64_FORMAT
                                  "): begin again with " FEED_SNAPSHOT,
                 since, latest);
  put_text (problem, "snapshot", FEED_SNAPSHOT);
  request_refuse (request, problem);
}

static void
end_page (Request *request, Answer *answer, const FeedPlace *place, gboolean more)
{
  answer_put (answer, "],\"seq\":");
  json_put_int (&answer->body, (gint64)place->reached);
  if (more) {
    g_autofree char *next = feed_place_to_cursor (request, place);
    g_autofree char *target = route_next_target (request->target, next);
    g_autofree char *link = g_strdup_printf ("<%s>; rel=\"next\"", target);
    answer_header (answer, "Link", link);
    answer_put (answer, ",\"next\":");
    answer_put_text (answer, next);
  }
  answer_put (answer, "}");
  request_answer (request, answer);
}

static void
answer_page (Request *request, FeedPlace place)
{
  Store *storage = hub_storage (request->hub);
  FeedPlace reached = place;
  guint64 latest = 0;
  Page page = { request->hub, feed_filter (request), answer_new (200, "application/json"), 0 };
  g_autoptr (GError) error = NULL;
  gboolean more = FALSE;
  answer_put (page.answer, "{\"items\":[");
  gboolean fine = store_changes (storage, place.reached, request_limit (request), LOOKS_MOST, wants,
                                 take_change, &page, &reached.reached, &more, &error);
  if (fine && feed_place_known (storage, &place, &latest)) {
    end_page (request, page.answer, &reached, more);
    return;
  }
  answer_free (page.answer);
  if (fine)
    refuse_gone (request, place.reached, latest);
  else
    request_fail (request, error);
}

/* Begins with nothing: misses no deletion that is gone already. */
static FeedPlace
place_of_seq (Request *request, guint64 since)
{
  FeedPlace place = { since, since };
  if (since == 0)
    store_seq_known (hub_storage (request->hub), 0, &place.floor);
  return place;
}

/* What the browser remembers of the stream that broke. */
static gboolean
place_from_event_id (Request *request, const char *text, FeedPlace *place)
{
  gchar *end = NULL;
  guint64 seq = g_ascii_strtoull (text, &end, 10);
  if (g_ascii_isdigit (*text) && *end == '\0' && seq <= G_MAXINT64) {
    *place = place_of_seq (request, seq);
    return TRUE;
  }
  Problem *problem = problem_new (
    400, "bad_event_id", "Last-Event-ID: %s is not the id of an event of this feed, a whole number", text);
  problem_add (problem, "Last-Event-ID", "bad_event_id", "send the id of the last event, or none");
  request_refuse (request, problem);
  return FALSE;
}

static void
follow_changes (Request *request)
{
  const char *id = request_header (request, "Last-Event-ID"), *cursor = request_text (request, "cursor");
  const RouteValue *since = request_value (request, "since");
  FeedPlace place = { 0, 0 };
  if (request_value (request, "limit")->said) {
    Problem *problem = problem_new (400, "unknown_parameter",
                                    "a stream of events has no limit: leave it out, or ask for pages");
    problem_add (problem, "limit", "unknown_parameter", "of pages only");
    request_refuse (request, problem);
  } else if (id && *id) {
    if (place_from_event_id (request, id, &place))
      follow (request, &place);
  } else if (cursor) {
    if (feed_place_from_cursor (request, cursor, &place))
      follow (request, &place);
    else
      request_bad_cursor (request);
  } else if (since->said) {
    place = place_of_seq (request, (guint64)since->number);
    follow (request, &place);
  } else {
    follow (request, NULL);
  }
}

void
get_changes (Request *request)
{
  const char *accept = request_header (request, "Accept"), *cursor = request_text (request, "cursor");
  FeedPlace place;
  if (accept && strstr (accept, "text/event-stream"))
    follow_changes (request);
  else if (!cursor)
    answer_page (request, place_of_seq (request, (guint64)request_value (request, "since")->number));
  else if (feed_place_from_cursor (request, cursor, &place))
    answer_page (request, place);
  else
    request_bad_cursor (request);
}
