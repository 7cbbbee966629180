#include "worker/skip.h"

#include <string.h>

/* The entry of an item's first record, then those of its others. tags beside the entries: kind, generation,
 * and whether another record of the item follows. */
typedef struct {
  guint64 item, id_hash, hash;
} Entry;

enum {
  TAG_KIND = 0x0f,
  TAG_NONE = 0x0f, /* as kind: the item gave no record */
  TAG_DEAD = 0x0e, /* as kind: not to be found any more */
  TAG_GENERATION = 0x30,
  GENERATION_STEP = 0x10,
  TAG_MORE = 0x40,
  TAG_FIRST = 0x80,
  ENTRIES_MOST = 4 << 20, /* 100 MB; what is more is mapped each time */
  NO_PLACE = 0,           /* in the index: free; else place + 1, and above it some bits of the hash */
  PLACE_BITS = 23,
  PLACE_MASK = (1 << PLACE_BITS) - 1
};

G_STATIC_ASSERT (ENTRIES_MOST < PLACE_MASK);

struct Skip {
  Loop *loop;
  LoopTimer *timer;
  gint64 keep_ms;
  Entry *entries;
  guint8 *tags;
  guint count, room, items, dead;
  guint32 *index;
  guint index_room, index_used;
  guint follows[2]; /* guesses at the next item's entry: behind the last found, and where that one left off */
  guint8 generation;
  Pages *pages; /* NULL: none yet */
  gconstpointer writer;
  guint began_at; /* entries from here on are of the writer's page */
};

/* ---- the index: open addressing, at most four fifths full; its size is no power of two so that it grows by
 * half ---- */

static guint
slot_of (const Skip *skip, guint64 item)
{
  return (guint)(((item >> 32) * skip->index_room) >> 32);
}

/* What the index holds for an item: most others are told apart without a look at their entries. */
static guint32
slot_value (guint64 item, guint place)
{
  return (guint32)item << PLACE_BITS | (place + 1);
}

static guint
slot_place (guint32 slot)
{
  return (slot & PLACE_MASK) - 1;
}

static guint32 *
slot_find (const Skip *skip, guint64 item)
{
  guint slot = slot_of (skip, item);
  guint32 bits = slot_value (item, 0) & ~(guint32)PLACE_MASK;
  while (skip->index[slot] != NO_PLACE && ((skip->index[slot] & ~(guint32)PLACE_MASK) != bits ||
                                           skip->entries[slot_place (skip->index[slot])].item != item))
    slot = slot + 1 == skip->index_room ? 0 : slot + 1;
  return &skip->index[slot];
}

static gboolean
is_first (const Skip *skip, guint place)
{
  return (skip->tags[place] & TAG_FIRST) && (skip->tags[place] & TAG_KIND) != TAG_DEAD;
}

static void
index_rebuild (Skip *skip, guint room)
{
  g_free (skip->index);
  skip->index = g_new0 (guint32, room);
  skip->index_room = room;
  skip->index_used = 0;
  for (guint place = 0; place < skip->count; place++) {
    if (!is_first (skip, place))
      continue;
    *slot_find (skip, skip->entries[place].item) = slot_value (skip->entries[place].item, place);
    skip->index_used++;
  }
}

/* ---- entries ---- */

static void
forget_all (Skip *skip)
{
  g_clear_pointer (&skip->entries, g_free);
  g_clear_pointer (&skip->tags, g_free);
  g_clear_pointer (&skip->index, g_free);
  g_clear_pointer (&skip->pages, pages_free);
  skip->count = skip->room = skip->items = skip->dead = skip->index_room = skip->index_used = skip->began_at =
    0;
}

static void
forget_idle (gpointer data)
{
  Skip *skip = data;
  if (!skip->writer)
    forget_all (skip);
}

Skip *
skip_new (Loop *loop, gint64 keep_ms)
{
  Skip *skip = g_new0 (Skip, 1);
  skip->loop = loop;
  skip->keep_ms = keep_ms;
  skip->timer = loop_timer_new (loop, forget_idle, skip);
  return skip;
}

void
skip_free (Skip *skip)
{
  if (!skip)
    return;
  forget_all (skip);
  loop_timer_free (skip->timer);
  g_free (skip);
}

static void
kill_item (Skip *skip, guint place)
{
  gboolean more = TRUE;
  skip->items--;
  for (guint i = place; more; i++) {
    more = (skip->tags[i] & TAG_MORE) != 0;
    skip->dead++;
    skip->tags[i] |= TAG_DEAD;
    skip->tags[i] &= (guint8)~1u; /* TAG_NONE and TAG_DEAD differ in this bit */
  }
}

static void
entry_add (Skip *skip, guint64 item, const SkipRecord *record, guint8 tag)
{
  if (skip->count == skip->room) {
    skip->room += MAX (64, skip->room / 8); /* large blocks grow in place (mremap): no need to double */
    skip->entries = g_renew (Entry, skip->entries, skip->room);
    skip->tags = g_renew (guint8, skip->tags, skip->room);
  }
  skip->entries[skip->count] = (Entry){ .item = item, .id_hash = record->id_hash, .hash = record->hash };
  skip->tags[skip->count] = (guint8)(tag | record->kind | skip->generation);
  skip->count++;
}

/* Squeezes out entries that are dead, or of another generation (of_others). */
static void
compact (Skip *skip, gboolean of_others)
{
  guint kept = 0, items = 0;
  for (guint place = 0; place < skip->count; place++) {
    guint8 tag = skip->tags[place];
    if ((tag & TAG_KIND) == TAG_DEAD || (of_others && (tag & TAG_GENERATION) != skip->generation))
      continue;
    skip->entries[kept] = skip->entries[place];
    skip->tags[kept++] = tag;
    items += (tag & TAG_FIRST) != 0;
  }
  skip->dead = 0;
  if (kept == skip->count)
    return;
  skip->count = kept;
  skip->items = items;
  skip->began_at = MIN (skip->began_at, kept);
  skip->room = MAX (kept, 1);
  skip->entries = g_renew (Entry, skip->entries, skip->room);
  skip->tags = g_renew (guint8, skip->tags, skip->room);
  index_rebuild (skip, MAX (64, items + items / 2));
}

gboolean
skip_begin (Skip *skip, gconstpointer writer, gboolean first_of_full)
{
  if (skip->writer)
    return FALSE;
  loop_timer_clear (skip->timer);
  skip->writer = writer;
  skip->began_at = skip->count;
  if (first_of_full)
    skip->generation = (skip->generation + GENERATION_STEP) & TAG_GENERATION;
  if (first_of_full && skip->pages)
    pages_pass_begins (skip->pages);
  return TRUE;
}

void
skip_end (Skip *skip, gconstpointer writer, gboolean failed, gboolean last_of_full)
{
  if (skip->writer != writer)
    return;
  skip->writer = NULL;
  for (guint place = skip->began_at; failed && place < skip->count; place++)
    if (is_first (skip, place))
      kill_item (skip, place);
  if (failed || last_of_full || skip->dead > skip->count / 2)
    compact (skip, last_of_full && !failed);
  if (last_of_full && !failed && skip->pages)
    pages_pass_is_complete (skip->pages);
  loop_timer_set (skip->timer, loop_now_ms (skip->loop) + skip->keep_ms);
}

static gboolean
is_item (const Skip *skip, guint place, guint64 item)
{
  return place < skip->count && skip->entries[place].item == item && is_first (skip, place);
}

/* Vendors list in the same order each time: mostly the item lies behind the one that was found last, or
 * behind the one that was found before the list left the order. */
static gboolean
find_place (Skip *skip, guint64 item, guint *place)
{
  guint32 slot;
  for (guint i = 0; i < G_N_ELEMENTS (skip->follows); i++)
    if (is_item (skip, skip->follows[i], item)) {
      *place = skip->follows[i];
      skip->follows[i] = skip->follows[0];
      return TRUE;
    }
  slot = skip->index_room ? *slot_find (skip, item) : NO_PLACE;
  if (slot == NO_PLACE || !is_first (skip, slot_place (slot)))
    return FALSE;
  *place = slot_place (slot);
  skip->follows[1] = skip->follows[0];
  return TRUE;
}

gboolean
skip_find (Skip *skip, guint64 item, guint *place, guint *count)
{
  if (!find_place (skip, item, place))
    return FALSE;
  *count = (skip->tags[*place] & TAG_KIND) != TAG_NONE;
  gboolean more = TRUE;
  guint at = *place;
  for (; more; at++) {
    more = (skip->tags[at] & TAG_MORE) != 0;
    *count += more;
    skip->tags[at] = (guint8)((skip->tags[at] & ~TAG_GENERATION) | skip->generation);
  }
  skip->follows[0] = at;
  return TRUE;
}

SkipRecord
skip_record (const Skip *skip, guint place)
{
  const Entry *entry = &skip->entries[place];
  return (SkipRecord){ .kind = skip->tags[place] & TAG_KIND, .id_hash = entry->id_hash, .hash = entry->hash };
}

void
skip_remember (Skip *skip, guint64 item, const SkipRecord *records, guint count)
{
  static const SkipRecord none = { .kind = TAG_NONE };
  if (skip->count + count + 1 >= ENTRIES_MOST)
    return;
  if ((guint64)skip->index_used + 1 > (guint64)skip->index_room * 4 / 5)
    index_rebuild (skip, MAX (64, skip->items + skip->items / 2));
  guint32 *slot = slot_find (skip, item);
  if (*slot == NO_PLACE)
    skip->index_used++;
  else if (is_first (skip, slot_place (*slot)))
    kill_item (skip, slot_place (*slot));
  *slot = slot_value (item, skip->count);
  skip->items++;
  if (count == 0)
    entry_add (skip, item, &none, TAG_FIRST);
  for (guint i = 0; i < count; i++)
    entry_add (skip, item, &records[i], (guint8)((i == 0 ? TAG_FIRST : 0) | (i + 1 < count ? TAG_MORE : 0)));
}

Pages *
skip_pages (Skip *skip)
{
  if (!skip->pages)
    skip->pages = pages_new ();
  return skip->pages;
}

guint
skip_items (const Skip *skip)
{
  return skip->items;
}

gsize
skip_bytes (const Skip *skip)
{
  return sizeof *skip + skip->room * (sizeof (Entry) + 1) + skip->index_room * sizeof (guint32) +
         (skip->pages ? pages_bytes (skip->pages) : 0);
}
