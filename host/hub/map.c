#include "hub/map.h"

#include <string.h>
#include <sys/mman.h>

enum { FIRST_ROOM = 64 };
static const guint32 EMPTY = 0xffffffff;

struct Map {
  MapEntry *entries;
  guint count, room, alive;
  guint32 *index;  /* by id_hash, linear probing; slots a power of two, at most 3/4 full */
  guint32 ordinal; /* mask: the bits of an index entry that are an ordinal; those above are of the hash */
  guint slots, indexed;
  guint32 follows; /* a guess at who is asked for next: behind the last found, since vendors keep an order */
  guint32 mark;
  GHashTable *children; /* parent_hash -> GArray of ordinals; NULL: not asked for yet */
  guint children_upto;  /* entries below this are in children */
};

Map *
map_new (void)
{
  return g_new0 (Map, 1);
}

void
map_free (Map *map)
{
  if (!map)
    return;
  g_free (map->entries);
  g_free (map->index);
  g_clear_pointer (&map->children, g_hash_table_unref);
  g_free (map);
}

static guint
first_slot (const Map *map, guint64 id_hash)
{
  return (guint)(id_hash >> 20) & (map->slots - 1);
}

/* The upper bits (of the hash, too: those in the middle chose the slot) tell most other ids apart without a
 * look at their entries, which lie far away. EMPTY is no ordinal: there are fewer than the mask. */
static guint32
index_value (const Map *map, guint64 id_hash, guint32 ordinal)
{
  return ((guint32)(id_hash >> 32) & ~map->ordinal) | ordinal;
}

static void
put_in_index (Map *map, guint32 ordinal)
{
  guint64 id_hash = map->entries[ordinal].id_hash;
  guint slot = first_slot (map, id_hash);
  while (map->index[slot] != EMPTY)
    slot = (slot + 1) & (map->slots - 1);
  map->index[slot] = index_value (map, id_hash, ordinal);
}

/* Gap entries (never loaded) are not in the index: their id_hash is 0 and they are deleted. */
static gboolean
is_gap (const MapEntry *entry)
{
  return entry->id_hash == 0 && entry->deleted;
}

/* For one more, whose ordinal will be this. */
static void
need_index (Map *map, guint32 ordinal)
{
  ordinal = MAX (ordinal, map->count);
  gboolean full = (map->indexed + 1) * 4ull > map->slots * 3ull;
  if (!full && ordinal < map->ordinal)
    return;
  if (full) {
    map->slots = MAX (FIRST_ROOM * 2, map->slots * 2);
    g_free (map->index);
    map->index = g_malloc (map->slots * sizeof *map->index);
  }
  map->ordinal = map->slots - 1;
  while (map->ordinal <= ordinal && map->ordinal != G_MAXUINT32)
    map->ordinal = map->ordinal << 1 | 1;
  memset (map->index, 0xff, map->slots * sizeof *map->index);
  for (guint32 i = 0; i < map->count; i++)
    if (!is_gap (&map->entries[i]))
      put_in_index (map, i);
}

static void
need_room (Map *map, guint count)
{
  if (count <= map->room)
    return;
  map->room = MAX (MAX (FIRST_ROOM, count), map->room + map->room / 4);
  map->entries = g_renew (MapEntry, map->entries, map->room);
}

MapEntry *
map_find (Map *map, guint64 id_hash)
{
  if (!map->slots)
    return NULL;
  if (map->follows < map->count && map->entries[map->follows].id_hash == id_hash &&
      !is_gap (&map->entries[map->follows]))
    return &map->entries[map->follows++];
  guint32 bits = index_value (map, id_hash, 0);
  for (guint slot = first_slot (map, id_hash); map->index[slot] != EMPTY;
       slot = (slot + 1) & (map->slots - 1)) {
    guint32 ordinal = map->index[slot] & map->ordinal;
    if ((map->index[slot] & ~map->ordinal) != bits || map->entries[ordinal].id_hash != id_hash)
      continue;
    map->follows = ordinal + 1;
    return &map->entries[ordinal];
  }
  return NULL;
}

guint32
map_ordinal (const Map *map, const MapEntry *entry)
{
  return (guint32)(entry - map->entries);
}

MapEntry *
map_add (Map *map, guint64 id_hash)
{
  need_index (map, map->count);
  need_room (map, map->count + 1);
  MapEntry *entry = &map->entries[map->count];
  *entry = (MapEntry){ .id_hash = id_hash };
  put_in_index (map, map->count++);
  map->indexed++;
  map->alive++;
  return entry;
}

gboolean
map_load (Map *map, guint32 ordinal, const MapEntry *entry)
{
  if (map_find (map, entry->id_hash))
    return FALSE;
  need_index (map, ordinal);
  need_room (map, ordinal + 1);
  for (; map->count <= ordinal; map->count++)
    map->entries[map->count] = (MapEntry){ .deleted = 1 };
  map->entries[ordinal] = *entry;
  put_in_index (map, ordinal);
  map->indexed++;
  map->alive += !entry->deleted;
  return TRUE;
}

guint
map_count (const Map *map)
{
  return map->count;
}

guint
map_alive (const Map *map)
{
  return map->alive;
}

MapEntry *
map_at (Map *map, guint32 ordinal)
{
  g_assert (ordinal < map->count);
  return &map->entries[ordinal];
}

void
map_set_deleted (Map *map, MapEntry *entry, gboolean deleted)
{
  if (entry->deleted == (guint)deleted)
    return;
  entry->deleted = deleted ? 1 : 0;
  map->alive += deleted ? -1 : 1;
}

guint32
map_mark (Map *map)
{
  return ++map->mark;
}

static void
add_child (Map *map, guint64 parent, guint32 ordinal)
{
  GArray *ordinals = g_hash_table_lookup (map->children, &parent);
  if (!ordinals) {
    ordinals = g_array_new (FALSE, FALSE, sizeof (guint32));
    g_hash_table_insert (map->children, g_memdup2 (&parent, sizeof parent), ordinals);
  }
  g_array_append_val (ordinals, ordinal);
}

static void
gather_children (Map *map)
{
  if (!map->children)
    map->children =
      g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_array_unref);
  for (; map->children_upto < map->count; map->children_upto++)
    if (map->entries[map->children_upto].parent_hash)
      add_child (map, map->entries[map->children_upto].parent_hash, map->children_upto);
}

/* The old parent's list keeps the ordinal; map_each_child() passes over it. */
void
map_set_parent (Map *map, MapEntry *entry, guint64 parent_hash)
{
  if (entry->parent_hash == parent_hash)
    return;
  entry->parent_hash = parent_hash;
  if (map->children && parent_hash && map_ordinal (map, entry) < map->children_upto)
    add_child (map, parent_hash, map_ordinal (map, entry));
}

void
map_each_child (Map *map, guint64 parent_hash, void (*each) (guint32 ordinal, gpointer data), gpointer data)
{
  gather_children (map);
  GArray *ordinals = g_hash_table_lookup (map->children, &parent_hash);
  for (guint i = 0; ordinals && i < ordinals->len; i++) {
    guint32 ordinal = g_array_index (ordinals, guint32, i);
    const MapEntry *entry = &map->entries[ordinal];
    if (!entry->deleted && entry->parent_hash == parent_hash)
      each (ordinal, data);
  }
}
