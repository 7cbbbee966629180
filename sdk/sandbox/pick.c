#include "pick.h"

#include <gio/gio.h>

static gboolean
add_by_id (Data *data, json_object *id, GArray *indexes, GError **error)
{
  guint32 index;
  if (!json_object_is_type (id, json_type_string) || !data_find (data, json_object_get_string (id), &index)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "no record has the id %s",
                 json_object_to_json_string (id));
    return FALSE;
  }
  g_array_append_val (indexes, index);
  return TRUE;
}

static gboolean
add_by_ids (Data *data, json_object *ids, GArray *indexes, GError **error)
{
  if (!json_object_is_type (ids, json_type_array)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "ids: not an array of texts");
    return FALSE;
  }
  for (size_t i = 0; i < json_object_array_length (ids); i++)
    if (!add_by_id (data, json_object_array_get_idx (ids, i), indexes, error))
      return FALSE;
  return TRUE;
}

/* Selection sampling (Knuth, volume 2, algorithm S): exactly wanted of all, each set as likely as any other.
 */
static void
add_by_chance (Data *data, guint wanted, GRand *dice, GArray *indexes)
{
  DataView view = data_view (data, DATA_LISTED, G_MININT64);
  wanted = MIN (wanted, view.count);
  for (guint i = 0; i < view.count && wanted > 0; i++) {
    if (g_rand_double (dice) * (view.count - i) >= wanted)
      continue;
    g_array_append_val (indexes, view.indexes[i]);
    wanted--;
  }
}

GArray *
pick_records (Data *data, json_object *body, GRand *dice, GError **error)
{
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint32));
  json_object *id, *ids, *percent, *count;
  gboolean fits = TRUE;
  if (json_object_object_get_ex (body, "id", &id)) {
    fits = add_by_id (data, id, indexes, error);
  } else if (json_object_object_get_ex (body, "ids", &ids)) {
    fits = add_by_ids (data, ids, indexes, error);
  } else if (json_object_object_get_ex (body, "percent", &percent)) {
    double share = CLAMP (json_object_get_double (percent), 0, 100) / 100;
    add_by_chance (data, (guint)(data_view (data, DATA_LISTED, G_MININT64).count * share + 0.5), dice,
                   indexes);
  } else if (json_object_object_get_ex (body, "count", &count)) {
    add_by_chance (data, (guint)CLAMP (json_object_get_int64 (count), 0, PICK_MOST_RECORDS), dice, indexes);
  } else {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "say which: \"id\", \"ids\", \"percent\" or \"count\"");
    fits = FALSE;
  }
  return fits ? g_steal_pointer (&indexes) : NULL;
}
