/* What the hub knows of one collection without asking the store: for each id its place, the hash of what is
 * stored, and when it was last seen. Decides in some 50 ns whether a record is new, changed, the same, or
 * missing from a pass.
 *
 * Entries lie in the order of their ordinals; an index of 4-byte ordinals finds them by the hash of the id.
 * 48 + some 6 bytes a record. */
#pragma once
#include <glib.h>

typedef struct {
  guint64 id_hash, hash, parent_hash;
  gint64 updated_ms;     /* the record's own, 0: not said */
  guint64 asked_ms : 48; /* when the request began that brought it */
  guint64 deleted : 1;
  guint64 zeroed : 1; /* known to have been set to zero when it went missing; not kept */
  guint64 reserved : 14;
  guint32 seen; /* the mark of the run that saw it last; 0: none since the map was loaded */
} MapEntry;

/* A moment as asked_ms keeps it. */
static inline guint64
map_asked (gint64 ms)
{
  return (guint64)ms & ((G_GUINT64_CONSTANT (1) << 48) - 1);
}

typedef struct Map Map;

Map *map_new (void);
void map_free (Map *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Map, map_free)

/* NULL: unknown. Valid until the next map_add(). */
MapEntry *map_find (Map *map, guint64 id_hash);
guint32 map_ordinal (const Map *map, const MapEntry *entry);
/* The next ordinal's entry; id_hash must not be in yet. */
MapEntry *map_add (Map *map, guint64 id_hash);
/* An entry at the ordinal it has in the store, in any order; gaps are deleted entries that no id finds.
 * FALSE: the id is in already. */
gboolean map_load (Map *map, guint32 ordinal, const MapEntry *entry);

guint map_count (const Map *map); /* ordinals given, deleted ones too */
guint map_alive (const Map *map);
MapEntry *map_at (Map *map, guint32 ordinal);
/* Deletes or revives; keeps map_alive() right. */
void map_set_deleted (Map *map, MapEntry *entry, gboolean deleted);

/* A new mark, higher than any before. */
guint32 map_mark (Map *map);

/* Living entries of a parent: calls each(ordinal). Built at first use, kept up to date. */
void map_each_child (Map *map, guint64 parent_hash, void (*each) (guint32 ordinal, gpointer data),
                     gpointer data);

/* Another parent for a record that is there. */
void map_set_parent (Map *map, MapEntry *entry, guint64 parent_hash);
