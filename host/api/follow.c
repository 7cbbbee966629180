#include "api/follow.h"

#include <string.h>

#include "api/events.h"
#include "api/follower.h"
#include "api/server.h"
#include "base/log.h"

enum {
  GATHER_MS = 25, /* a commit is told so much later, with those that come meanwhile */
  ALIVE_MS = 15000,
  ROUND_LOOKS = 1000,                 /* rows of one round */
  ROUND_BYTES_LEAST = 16 * 1024,      /* about so much is told to each follower in one */
  ROUND_BYTES_MOST = 128 * 1024,      /* where they are few */
  ROUND_BYTES_ALL = 32 * 1024 * 1024, /* to all of them: some 10 ms */
  ROUND_US = 4000,                    /* after so long the rest is the next one's: filters may be many */
  PAGE_LOOKS = 2000,                  /* rows of a page of one's own */
  PAGE_BYTES = 32 * 1024,             /* about so much is in it */
  READ_TURN_US = 2000,                /* readers behind get so much of one turn of the loop */
};

/* Followers of one filter. */
struct Group {
  Followers *all;
  char *key;
  guint kinds;
  char *store;
  GQueue tip;    /* Follower */
  guint members; /* in whatever state */
  JsonBuffer block;
};

struct Followers {
  Api *api;
  Store *store;
  GHashTable *groups; /* key -> Group */
  GQueue behind;      /* Follower: whose turn to read comes */
  GQueue others;      /* Follower: that begin, are full, or end */
  guint count;
  guint64 seq;     /* the tip: everything up to it was told */
  gint64 until_us; /* a round takes no more rows then */
  gint64 moved_us; /* first commit that was not told yet; 0: none */
  LoopTimer *round, *alive, *turn;
  JsonBuffer line;
  Metric *gauge, *delay;
};

/* ---- where followers are ---- */

static GQueue *
list_of (Follower *follower)
{
  switch (follower->state) {
  case FOLLOWER_TIP:
    return &follower->group->tip;
  case FOLLOWER_BEHIND:
    return &follower->all->behind;
  default:
    return &follower->all->others;
  }
}

void
follower_becomes (Follower *follower, FollowerState state)
{
  if (follower->state == FOLLOWER_TIP)
    follower->place.reached = follower->all->seq;
  g_queue_unlink (list_of (follower), &follower->link);
  follower->state = state;
  g_queue_push_tail_link (list_of (follower), &follower->link);
}

static void
soon (Followers *all, LoopTimer *timer, gint64 wait_ms)
{
  if (!loop_timer_is_set (timer))
    loop_timer_set (timer, loop_now_ms (all->api->loop) + wait_ms);
}

static void
read_on (Follower *follower)
{
  follower_becomes (follower, FOLLOWER_BEHIND);
  soon (follower->all, follower->all->turn, 0);
}

void
follower_began (Follower *follower)
{
  read_on (follower);
}

void
follower_drained (Follower *follower)
{
  if (follower->state == FOLLOWER_FULL)
    read_on (follower);
}

static void
reset (Follower *follower, GBytes *notice)
{
  follower_becomes (follower, FOLLOWER_FULL);
  follower_give (follower, notice);
  if (follower->state != FOLLOWER_ENDS)
    follower_finish (follower);
}

static GBytes *
reset_notice (void)
{
  JsonBuffer block = { 0 };
  events_put_reset (&block);
  return events_end (&block);
}

/* ---- a round: what was committed since the last one, for all at the tip ---- */

static gsize
round_bytes (const Followers *all)
{
  return CLAMP (ROUND_BYTES_ALL / all->count, ROUND_BYTES_LEAST, ROUND_BYTES_MOST);
}

static gboolean
wants_any (guint32 number, gpointer data)
{
  const Followers *all = data;
  static const FeedFilter any = { 0, NULL };
  return feed_wanted (all->api->hub, &any, number) != NULL;
}

static gboolean
take_for_groups (const StoreFound *found, gpointer data)
{
  Followers *all = data;
  gsize largest = 0;
  GHashTableIter iter;
  gpointer value;
  all->line.length = 0;
  g_hash_table_iter_init (&iter, all->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Group *group = value;
    FeedFilter filter = { group->kinds, group->store };
    const HubCollection *collection =
      group->tip.length ? feed_wanted (all->api->hub, &filter, found->collection) : NULL;
    if (!collection)
      continue;
    if (!all->line.length)
      feed_put_change (&all->line, collection, found);
    events_put_change (&group->block, found->seq, all->line.bytes, all->line.length);
    largest = MAX (largest, group->block.length);
  }
  return largest < round_bytes (all) && g_get_monotonic_time () < all->until_us;
}

/* Followers are told or fall behind; either may take them off the list. */
static void
tell_group (Group *group)
{
  Followers *all = group->all;
  g_autoptr (GBytes) block = events_end (&group->block);
  for (GList *link = group->tip.head, *next; block && link; link = next) {
    Follower *follower = link->data;
    next = link->next;
    if (!follower_has_room (follower, g_bytes_get_size (block))) {
      follower_becomes (follower, FOLLOWER_FULL);
      continue;
    }
    follower_give (follower, block);
    if (all->moved_us && !follower->waiting)
      metric_observe (all->delay, (double)(g_get_monotonic_time () - all->moved_us) / G_USEC_PER_SEC);
  }
}

/* notice NULL: the place is not gone, they shall come back to it. */
static void
end_tip (Followers *all, GBytes *notice)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, all->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value)) {
    Group *group = value;
    group->block.length = 0;
    while (group->tip.head && notice)
      reset (group->tip.head->data, notice);
    while (group->tip.head)
      follower_cut (group->tip.head->data);
  }
}

static void
tell_tip (Followers *all)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, all->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tell_group (value);
}

static void
on_round (gpointer data)
{
  Followers *all = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) notice = NULL;
  FeedPlace place = { all->seq, all->seq };
  guint64 reached, before, latest;
  gboolean more;
  if (!all->count)
    return;
  all->until_us = g_get_monotonic_time () + ROUND_US;
  feed_place_known (all->store, &place, &before);
  if (!store_changes (all->store, all->seq, G_MAXUINT, ROUND_LOOKS, wants_any, take_for_groups, all, &reached,
                      &more, &error)) {
    log_line (LOG_ERROR, NULL, "the feed cannot be read, followers are cut off: %s", error->message);
    end_tip (all, NULL);
    return;
  }
  if (feed_place_known (all->store, &place, &latest))
    tell_tip (all);
  else
    end_tip (all, notice = reset_notice ());
  all->seq = more ? reached : MAX (reached, before); /* the newest of all rows may have been pruned */
  if (more)
    soon (all, all->round, 0);
  else
    all->moved_us = 0;
  if (all->behind.length)
    soon (all, all->turn, 0);
}

static void
on_moved (gint64 committed_us, gpointer data)
{
  Followers *all = data;
  hub_committed (all->api->hub);
  if (!all->count)
    return;
  if (!all->moved_us)
    all->moved_us = committed_us;
  soon (all, all->round, GATHER_MS);
}

/* ---- alive: so that a narrow filter does not stay where it was, and a dead line is noticed ---- */

static void
tell_alive (GQueue *list, guint64 seq)
{
  JsonBuffer bytes = { 0 };
  events_put_alive (&bytes, seq);
  g_autoptr (GBytes) block = events_end (&bytes);
  for (GList *link = list->head, *next; link; link = next) {
    next = link->next;
    follower_give (link->data, block);
  }
}

static void
on_alive (gpointer data)
{
  Followers *all = data;
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, all->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    tell_alive (&((Group *)value)->tip, all->seq);
  if (all->count)
    soon (all, all->alive, ALIVE_MS);
}

/* ---- reading behind ---- */

typedef struct {
  Followers *all;
  FeedFilter filter;
  JsonBuffer block;
  gboolean at_tip; /* what comes now is told to all */
} Page;

static gboolean
wants (guint32 number, gpointer data)
{
  const Page *page = data;
  return feed_wanted (page->all->api->hub, &page->filter, number) != NULL;
}

static gboolean
take_for_one (const StoreFound *found, gpointer data)
{
  Page *page = data;
  Followers *all = page->all;
  page->at_tip = found->seq > all->seq;
  if (page->at_tip)
    return FALSE;
  all->line.length = 0;
  feed_put_change (&all->line, hub_collection (all->api->hub, found->collection), found);
  events_put_change (&page->block, found->seq, all->line.bytes, all->line.length);
  return page->block.length < PAGE_BYTES;
}

/* Gives a page to one who waited for it. */
static void
hand_page (Follower *follower, GBytes *block, guint64 reached)
{
  Followers *all = follower->all;
  follower->place.reached = reached;
  follower_becomes (follower, FOLLOWER_FULL);
  if (block)
    follower_give (follower, block);
  if (follower->state == FOLLOWER_ENDS)
    return;
  if (reached == all->seq)
    follower_becomes (follower, FOLLOWER_TIP);
  else if (!follower->waiting)
    read_on (follower);
}

/* What was read for one serves all of the same filter who wait at the same place, as they do after a restart.
 */
static void
share_page (Follower *first, GBytes *block, guint64 reached)
{
  Followers *all = first->all;
  const Group *group = first->group;
  FeedPlace place = first->place;
  for (GList *link = all->behind.head, *next; link; link = next) {
    Follower *follower = link->data;
    next = link->next;
    if (follower->group == group && follower->place.reached == place.reached &&
        follower->place.floor == place.floor)
      hand_page (follower, block, reached);
  }
}

static void
read_page (Follower *follower)
{
  Followers *all = follower->all;
  Page page = { .all = all, .filter = { follower->group->kinds, follower->group->store } };
  g_autoptr (GError) error = NULL;
  guint64 reached, latest;
  gboolean more;
  gboolean fine = store_changes (all->store, follower->place.reached, G_MAXUINT, PAGE_LOOKS, wants,
                                 take_for_one, &page, &reached, &more, &error);
  gboolean known = fine && feed_place_known (all->store, &follower->place, &latest);
  g_autoptr (GBytes) block = known ? events_end (&page.block) : NULL;
  json_buffer_clear (&page.block);
  if (!fine) {
    log_line (LOG_ERROR, NULL, "the feed cannot be read, a follower is cut off: %s", error->message);
    follower_cut (follower);
  } else if (!known) {
    g_autoptr (GBytes) notice = reset_notice ();
    reset (follower, notice);
  } else {
    share_page (follower, block, page.at_tip || !more ? all->seq : MIN (reached, all->seq));
  }
}

/* Who is ahead of the tip (it was told elsewhere what the next round will tell) waits for that round. */
static void
on_turn (gpointer data)
{
  Followers *all = data;
  gint64 until_us = g_get_monotonic_time () + READ_TURN_US;
  guint ahead = 0;
  while (all->behind.length > ahead && g_get_monotonic_time () < until_us) {
    Follower *follower = all->behind.head->data;
    if (follower->place.reached == all->seq) {
      follower_becomes (follower, FOLLOWER_TIP);
    } else if (follower->place.reached > all->seq) {
      follower_becomes (follower, FOLLOWER_BEHIND); /* to the end of the line */
      soon (all, all->round, 0);
      ahead++;
    } else {
      read_page (follower);
    }
  }
  if (all->behind.length > ahead)
    soon (all, all->turn, 0);
}

/* ---- coming and going ---- */

static void
group_free (gpointer data)
{
  Group *group = data;
  json_buffer_clear (&group->block);
  g_free (group->key);
  g_free (group->store);
  g_free (group);
}

static Group *
group_of (Followers *all, const FeedFilter *filter)
{
  g_autofree char *key = g_strdup_printf ("%x/%s", filter->kinds, filter->store ? filter->store : "");
  Group *group = g_hash_table_lookup (all->groups, key);
  if (group)
    return group;
  group = g_new0 (Group, 1);
  group->all = all;
  group->key = g_steal_pointer (&key);
  group->kinds = filter->kinds;
  group->store = g_strdup (filter->store);
  g_hash_table_insert (all->groups, group->key, group);
  return group;
}

static void
count (Followers *all, int by)
{
  all->count += (guint)by;
  metric_set (all->gauge, all->count);
}

void
follower_left (Follower *follower)
{
  Followers *all = follower->all;
  g_queue_unlink (list_of (follower), &follower->link);
  if (--follower->group->members == 0)
    g_hash_table_remove (all->groups, follower->group->key);
  count (all, -1);
  g_free (follower->begins);
  g_free (follower);
}

/* Who begins now is told where that is: cut off before the first change, it would not know where to go on. */
static const char *
head_of_beginner (Follower *follower)
{
  follower->begins = g_strdup_printf (EVENTS_RETRY "id: %" G_GUINT64_FORMAT "\n\n", follower->place.reached);
  return follower->begins;
}

/* A place that nobody can go on from is told within the stream: a browser shows its page no status. */
static const char *
head_for (Followers *all, const FeedPlace *place, gboolean *gone)
{
  guint64 latest;
  *gone = !feed_place_known (all->store, place, &latest);
  return *gone ? EVENTS_FIRST EVENTS_RESET : EVENTS_FIRST;
}

static Answer *
new_answer (void)
{
  Answer *answer = answer_new (200, "text/event-stream");
  answer_header (answer, "Cache-Control", "no-store");
  answer_header (answer, "X-Accel-Buffering", "no"); /* a proxy shall pass each event on */
  return answer;
}

void
follow (Request *request, const FeedPlace *place)
{
  Followers *all = request->api->followers;
  FeedFilter filter = feed_filter (request);
  gboolean gone = FALSE;
  if (request->api->stopping) {
    request_refuse (request, problem_ending ());
    return;
  }
  if (!stream_room (request))
    return;
  if (!all->count) { /* nobody was told anything: the tip is where the feed is */
    store_seq_known (all->store, 0, &all->seq);
    all->moved_us = 0;
  }
  Follower *follower = g_new0 (Follower, 1);
  follower->link.data = follower;
  follower->all = all;
  follower->group = group_of (all, &filter);
  follower->group->members++;
  follower->place = place ? *place : (FeedPlace){ all->seq, all->seq };
  follower->head = place ? head_for (all, &follower->place, &gone) : head_of_beginner (follower);
  follower->state = gone ? FOLLOWER_ENDS : FOLLOWER_BEGINS;
  g_queue_push_tail_link (&all->others, &follower->link);
  count (all, 1);
  soon (all, all->alive, ALIVE_MS);
  follower->stream = stream_answer (request, new_answer (), &follower_source, follower);
}

void
followers_end (Followers *all)
{
  GHashTableIter iter;
  gpointer value;
  g_hash_table_iter_init (&iter, all->groups);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    while (((Group *)value)->tip.head)
      follower_finish (((Group *)value)->tip.head->data);
  while (all->behind.head)
    follower_finish (all->behind.head->data);
  for (guint left = all->others.length; left; left--)
    follower_finish (all->others.head->data); /* goes to the end of the list */
}

Followers *
followers_new (Api *api)
{
  Followers *all = g_new0 (Followers, 1);
  all->api = api;
  all->store = hub_storage (api->hub);
  all->groups = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, group_free);
  all->round = loop_timer_new (api->loop, on_round, all);
  all->alive = loop_timer_new (api->loop, on_alive, all);
  all->turn = loop_timer_new (api->loop, on_turn, all);
  all->gauge = metrics_get (api->metrics, "feed_followers");
  all->delay = metrics_get (api->metrics, "feed_delay_seconds");
  metric_set (all->gauge, 0);
  store_watch (all->store, on_moved, all);
  return all;
}

void
followers_free (Followers *all)
{
  g_assert (all->count == 0);
  store_watch (all->store, NULL, NULL);
  loop_timer_free (all->round);
  loop_timer_free (all->alive);
  loop_timer_free (all->turn);
  g_hash_table_unref (all->groups);
  json_buffer_clear (&all->line);
  g_free (all);
}
