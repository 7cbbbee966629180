#include "worker/paths.h"

#include <string.h>

enum {
  FIRST_ROOM = 256,
  LITERALS_MOST = 64 << 10, /* a plugin's text holds no more */
  OTHERS_MOST = 256         /* made at run time; then all of them go */
};

typedef struct {
  const char *literal;
  JsonPath *path;
  gboolean any_case;
} Slot;

struct Paths {
  const Plugin *plugin;
  Slot *slots; /* open addressing, at most half full */
  guint room, used;
  GHashTable *others[2]; /* text -> JsonPath, by any_case */
};

static void
path_free (gpointer path)
{
  if (path)
    json_path_free (path);
}

Paths *
paths_new (const Plugin *plugin)
{
  Paths *paths = g_new0 (Paths, 1);
  paths->plugin = plugin;
  paths->room = FIRST_ROOM;
  paths->slots = g_new0 (Slot, paths->room);
  for (guint i = 0; i < G_N_ELEMENTS (paths->others); i++)
    paths->others[i] = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, path_free);
  return paths;
}

void
paths_free (Paths *paths)
{
  if (!paths)
    return;
  for (guint i = 0; i < paths->room; i++)
    path_free (paths->slots[i].path);
  for (guint i = 0; i < G_N_ELEMENTS (paths->others); i++)
    g_hash_table_unref (paths->others[i]);
  g_free (paths->slots);
  g_free (paths);
}

static Slot *
slot_of (const Paths *paths, const char *literal, gboolean any_case)
{
  guint at = (guint)(((guintptr)literal * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> 40) & (paths->room - 1);
  while (paths->slots[at].literal &&
         (paths->slots[at].literal != literal || paths->slots[at].any_case != any_case))
    at = (at + 1) & (paths->room - 1);
  return &paths->slots[at];
}

static void
grow (Paths *paths)
{
  Slot *old = paths->slots;
  guint room = paths->room;
  paths->room *= 2;
  paths->slots = g_new0 (Slot, paths->room);
  for (guint i = 0; i < room; i++)
    if (old[i].literal)
      *slot_of (paths, old[i].literal, old[i].any_case) = old[i];
  g_free (old);
}

static const JsonPath *
get_other (Paths *paths, const char *path, gboolean any_case)
{
  GHashTable *others = paths->others[any_case];
  gpointer found;
  if (g_hash_table_lookup_extended (others, path, NULL, &found))
    return found;
  if (g_hash_table_size (others) >= OTHERS_MOST)
    g_hash_table_remove_all (others);
  JsonPath *made = json_path_new (path, any_case);
  g_hash_table_insert (others, g_strdup (path), made);
  return made;
}

const JsonPath *
paths_get (Paths *paths, const char *path, gboolean any_case)
{
  Slot *slot = slot_of (paths, path, any_case != FALSE);
  if (G_LIKELY (slot->literal))
    return slot->path;
  if (paths->used >= LITERALS_MOST || !plugin_is_literal (paths->plugin, path))
    return get_other (paths, path, any_case != FALSE);
  *slot = (Slot){ .literal = path, .path = json_path_new (path, any_case), .any_case = any_case != FALSE };
  JsonPath *made = slot->path;
  if (++paths->used > paths->room / 2)
    grow (paths);
  return made;
}
