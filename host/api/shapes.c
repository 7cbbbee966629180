#include "api/shapes.h"

#include <string.h>

#include "api/cursor.h"

static void
named_clear (gpointer data)
{
  g_free (((Named *)data)->name);
}

GArray *
named_new (void)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (Named));
  g_array_set_clear_func (list, named_clear);
  return list;
}

void
named_add (GArray *list, const char *name, gconstpointer thing)
{
  Named named = { g_strdup (name), thing };
  g_array_append_val (list, named);
}

static int
compare_named (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Named *)a)->name, ((const Named *)b)->name);
}

static void
put_named (Request *request, GArray *list, const char *after, json_object *(*to_json) (Hub *, gconstpointer))
{
  Answer *answer = answer_new (200, "application/json");
  g_autofree char *next = NULL;
  guint limit = request_limit (request), given = 0;
  const char *last = NULL;
  answer_put (answer, "{\"items\":[");
  for (guint i = 0; i < list->len; i++) {
    const Named *named = &g_array_index (list, Named, i);
    if (after && strcmp (named->name, after) <= 0)
      continue;
    if (given == limit) {
      next = cursor_of_text (request_seed (request), CURSOR_NAMES, last);
      break;
    }
    if (given++)
      answer_put (answer, ",");
    json_object *json = to_json (request->hub, named->thing);
    answer_put (
      answer, json_object_to_json_string_ext (json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put (json);
    last = named->name;
  }
  request_end_list (request, answer, next, 0);
}

void
request_answer_named (Request *request, GArray *list, json_object *(*to_json) (Hub *, gconstpointer))
{
  const char *cursor = request_text (request, "cursor");
  g_autofree char *after = cursor ? cursor_to_text (request_seed (request), CURSOR_NAMES, cursor) : NULL;
  g_array_sort (list, compare_named);
  if (cursor && !after)
    request_bad_cursor (request);
  else
    put_named (request, list, after, to_json);
  g_array_unref (list);
}
