/* Passes, the newest first: those that wait or run, then history; and rejects. Bodies of history are served
 * as they are stored. */
#include <string.h>

#include "api/cursor.h"
#include "api/routes.h"

typedef struct {
  char *id, *body;
} Row;

static void
row_clear (gpointer data)
{
  Row *row = data;
  g_free (row->id);
  g_free (row->body);
}

static GArray *
rows_new (void)
{
  GArray *rows = g_array_new (FALSE, FALSE, sizeof (Row));
  g_array_set_clear_func (rows, row_clear);
  return rows;
}

static gboolean
take_row (const StoreRow *found, gpointer data)
{
  Row row = { g_strdup (found->id), g_strdup (found->body) };
  g_array_append_val ((GArray *)data, row);
  return TRUE;
}

static void
add_pass (GArray *rows, const Pass *pass)
{
  json_object *json = pass_to_json (pass);
  Row row = { g_strdup (pass->id), g_strdup (json_object_to_json_string_ext (
                                     json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)) };
  g_array_append_val (rows, row);
  json_object_put (json);
}

static void
add_if (GArray *rows, const Pass *pass, const StoreRowFilter *filter)
{
  if (pass && !pass->dry && (!filter->id || strcmp (pass->id, filter->id) == 0) &&
      (!filter->state || strcmp (pass_state_word (pass->state), filter->state) == 0) &&
      (!filter->before || strcmp (pass->id, filter->before) < 0))
    add_pass (rows, pass);
}

/* What runs has ended only when the hub was told that its end is stored: until then neither history's row nor
 * the state that will be is shown. */
static void
add_running (GArray *rows, const Pass *pass, const StoreRowFilter *filter)
{
  if (!pass)
    return;
  Pass shown = *pass;
  shown.state = PASS_RUNNING;
  shown.ended_ms = 0;
  add_if (rows, &shown, filter);
}

/* Those that are not history yet. */
static void
add_live (Hub *hub, GArray *rows, const StoreRowFilter *filter)
{
  GPtrArray *stores = hub_stores (hub);
  for (guint s = 0; s < stores->len; s++) {
    HubStore *store = stores->pdata[s];
    for (guint c = 0; c < store->connectors->len; c++) {
      HubConnector *connector = store->connectors->pdata[c];
      if ((filter->store && strcmp (store->config->id, filter->store) != 0) ||
          (filter->connector && strcmp (connector->label, filter->connector) != 0))
        continue;
      for (guint i = 0; i < connector->streams->len; i++) {
        const HubStream *stream = connector->streams->pdata[i];
        if (filter->stream && strcmp (stream->name, filter->stream) != 0)
          continue;
        add_if (rows, stream->next, filter);
        add_running (rows, stream->pass, filter);
      }
    }
  }
}

/* Newest first; of the two forms of a pass that is just ending the living one, which was added first. */
static int
compare_rows (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Row *)b)->id, ((const Row *)a)->id);
}

static void
answer_rows (Request *request, GArray *rows)
{
  Answer *answer = answer_new (200, "application/json");
  g_autofree char *next = NULL;
  guint limit = request_limit (request), given = 0;
  const char *last = NULL;
  answer_put (answer, "{\"items\":[");
  for (guint i = 0; i < rows->len; i++) {
    const Row *row = &g_array_index (rows, Row, i);
    if (last && strcmp (row->id, last) == 0)
      continue;
    if (given == limit) {
      next = cursor_of_text (request_seed (request), CURSOR_HISTORY, last);
      break;
    }
    if (given++)
      answer_put (answer, ",");
    answer_put (answer, row->body);
    last = row->id;
  }
  request_end_list (request, answer, next, 0);
}

static void
answer_history (Request *request, StoreHistory history, StoreRowFilter *filter)
{
  const char *cursor = request_text (request, "cursor");
  g_autofree char *before = cursor ? cursor_to_text (request_seed (request), CURSOR_HISTORY, cursor) : NULL;
  g_autofree char *label = NULL;
  g_autoptr (GError) error = NULL;
  if (cursor && !before) {
    request_bad_cursor (request);
    return;
  }
  if (!request_connector_label (request, &label))
    return;
  filter->connector = label;
  filter->store = request_text (request, "store");
  filter->stream = request_text (request, "stream");
  filter->before = before;
  filter->limit = request_limit (request) + 1;
  g_autoptr (GArray) rows = rows_new ();
  if (history == STORE_PASSES)
    add_live (request->hub, rows, filter);
  if (!store_rows (hub_storage (request->hub), history, filter, take_row, rows, &error)) {
    request_fail (request, error);
    return;
  }
  g_array_sort (rows, compare_rows);
  answer_rows (request, rows);
}

void
get_passes (Request *request)
{
  StoreRowFilter filter = { .state = request_text (request, "state") };
  answer_history (request, STORE_PASSES, &filter);
}

void
get_rejects (Request *request)
{
  StoreRowFilter filter = { .kind = request_text (request, "kind"),
                            .reason = request_text (request, "reason"),
                            .since_ms = request_time (request, "since") };
  answer_history (request, STORE_REJECTS, &filter);
}

static void
refuse_unknown (Request *request)
{
  request_refuse (request, problem_new (404, "no_pass", "there is no pass %s", request->vars[0]));
}

static void
answer_pass (Request *request, const char *id)
{
  StoreRowFilter filter = { .id = id, .limit = 1 };
  g_autoptr (GArray) rows = rows_new ();
  g_autoptr (GError) error = NULL;
  add_live (request->hub, rows, &filter);
  if (!rows->len && !store_rows (hub_storage (request->hub), STORE_PASSES, &filter, take_row, rows, &error)) {
    request_fail (request, error);
    return;
  }
  if (!rows->len) {
    refuse_unknown (request);
    return;
  }
  Answer *answer = answer_new (200, "application/json");
  answer_put (answer, g_array_index (rows, Row, 0).body);
  request_answer (request, answer);
}

void
get_pass (Request *request)
{
  answer_pass (request, request->vars[0]);
}

static void
decided (const GError *error, gpointer data)
{
  Request *request = pending_take (data);
  if (!request)
    return;
  if (error)
    request_fail (request, error);
  else
    answer_pass (request, request->vars[0]);
}

static void
decide (Request *request, gboolean accept)
{
  g_autoptr (GError) error = NULL;
  Pending *pending = request_wait (request);
  if (hub_pass_decide (request->hub, request->vars[0], accept, decided, pending, &error))
    return;
  pending_take (pending);
  if (g_error_matches (error, HUB_ERROR, HUB_ERROR_NOT_FOUND))
    refuse_unknown (request);
  else
    request_fail (request, error);
}

void
post_accept (Request *request)
{
  decide (request, TRUE);
}

void
post_refuse (Request *request)
{
  decide (request, FALSE);
}
