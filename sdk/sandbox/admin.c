#include "admin.h"

#include <string.h>

#include "pick.h"
#include "text.h"

enum { LIST_LIMIT = 1000, LIST_LIMIT_IDS = 1000000 };

/* What an admin function works on. */
typedef struct {
  Engine *engine;
  const Request *request;
  Reply *reply;
  const char *tail; /* of the path: "faults", or "change" below a vendor */
  const Vendor *vendor;
  gpointer state;
  json_object *body; /* NULL when there was none */
  gint64 now_ms;
} Admin;

typedef struct {
  const char *method, *tail;
  void (*run) (Admin *admin);
} AdminRoute;

static void refuse (Admin *admin, int status, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
refuse (Admin *admin, int status, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *words = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  GString *text = g_string_new ("{\"error\":");
  text_quoted (text, words, -1);
  g_string_append (text, "}\n");
  reply_take (admin->reply, status, "application/json", text);
}

static void
done (Admin *admin)
{
  reply_json (admin->reply, 200, "{\"ok\":true}\n");
}

static gint64
query_number (const Admin *admin, const char *name, gint64 fallback)
{
  g_autofree char *text = request_query (admin->request, name);
  return text ? g_ascii_strtoll (text, NULL, 10) : fallback;
}

static void
get_requests (Admin *admin)
{
  g_autofree char *vendor = request_query (admin->request, "vendor");
  guint64 after = (guint64)MAX (query_number (admin, "after", 0), 0);
  reply_take (admin->reply, 200, "application/json",
              journal_to_json (engine_journal (admin->engine), vendor ? vendor : "", after));
}

static void
delete_requests (Admin *admin)
{
  journal_clear (engine_journal (admin->engine));
  done (admin);
}

static void
get_faults (Admin *admin)
{
  reply_take (admin->reply, 200, "application/json", faults_to_json (engine_faults (admin->engine)));
}

static void
rules_changed (Admin *admin)
{
  g_autoptr (GError) error = NULL;
  if (engine_apply_faults (admin->engine, &error))
    get_faults (admin);
  else
    refuse (admin, 500, "%s", error->message);
}

static void
post_faults (Admin *admin)
{
  g_autoptr (GError) error = NULL;
  if (faults_add (engine_faults (admin->engine), admin->body, engine_monotonic_ms (admin->engine), &error))
    rules_changed (admin);
  else
    refuse (admin, 400, "%s", error->message);
}

static void
delete_faults (Admin *admin)
{
  faults_clear (engine_faults (admin->engine));
  engine_release_stalled (admin->engine);
  rules_changed (admin);
}

static gboolean
body_number (const Admin *admin, const char *name, double *number)
{
  json_object *value;
  if (!json_object_object_get_ex (admin->body, name, &value) ||
      !(json_object_is_type (value, json_type_int) || json_object_is_type (value, json_type_double)))
    return FALSE;
  *number = json_object_get_double (value);
  return TRUE;
}

static void
post_clock (Admin *admin)
{
  double skew_s;
  if (!body_number (admin, "skew_s", &skew_s)) {
    refuse (admin, 400, "clock takes {\"skew_s\": seconds}");
    return;
  }
  engine_clock (admin->engine)->skew_ms = (gint64)(skew_s * 1000);
  done (admin);
}

static void
post_options (Admin *admin)
{
  gboolean fits = json_object_is_type (admin->body, json_type_object);
  if (!fits) {
    refuse (admin, 400, "options takes an object");
    return;
  }
  json_object_object_foreach (admin->body, name, value)
  {
    gboolean on = json_object_get_boolean (value);
    fits = fits && json_object_is_type (value, json_type_boolean);
    if (fits && strcmp (name, "log") == 0)
      journal_set_on (engine_journal (admin->engine), on);
    else if (fits && strcmp (name, "etags") == 0)
      pack_set_etags (engine_pack (admin->engine), on);
    else if (fits && strcmp (name, "gzip") == 0)
      pack_set_gzip (engine_pack (admin->engine), on);
    else
      fits = FALSE;
  }
  if (fits)
    done (admin);
  else
    refuse (admin, 400, "options takes \"log\", \"etags\" and \"gzip\", each true or false");
}

static void
get_status (Admin *admin)
{
  reply_json (admin->reply, 200, "{\"connections\":%u}\n", engine_connections (admin->engine));
}

static void
post_vendor_options (Admin *admin)
{
  if (!json_object_is_type (admin->body, json_type_object)) {
    refuse (admin, 400, "options takes an object");
    return;
  }
  json_object_object_foreach (admin->body, name, value)
  {
    if (!admin->vendor->option ||
        !admin->vendor->option (admin->state, name, json_object_get_double (value))) {
      refuse (admin, 400, "%s has no option \"%s\" with such a value", admin->vendor->name, name);
      return;
    }
  }
  done (admin);
}

static void
get_records (Admin *admin)
{
  Data *data = admin->vendor->data (admin->state, admin->tail);
  if (!data) {
    g_autofree char *kinds = g_strjoinv (" ", (char **)(guintptr)admin->vendor->kinds);
    refuse (admin, 404, "%s has no %s (there are: %s)", admin->vendor->name, admin->tail, kinds);
    return;
  }
  g_autofree char *only = request_query (admin->request, "ids_only"),
                  *id = request_query (admin->request, "id");
  gboolean ids_only = g_strcmp0 (only, "true") == 0;
  DataView view = data_view (data, DATA_LISTED, G_MININT64);
  guint32 one = 0;
  if (id && !data_find (data, id, &one)) {
    refuse (admin, 404, "%s has no record %s", admin->vendor->name, id);
    return;
  }
  if (id)
    view = (DataView){ &one, 1 };
  guint64 offset = (guint64)MAX (query_number (admin, "offset", 0), 0);
  guint64 limit = (guint64)MAX (query_number (admin, "limit", ids_only ? LIST_LIMIT_IDS : LIST_LIMIT), 0);
  guint64 end = MIN (offset + MIN (limit, LIST_LIMIT_IDS), view.count);
  GString *out = g_string_new ("{\"items\":[");
  for (guint64 i = offset; i < end; i++) {
    char text[DATA_ID_SIZE];
    g_string_append (out, i > offset ? ",\n" : "");
    data_id (data, view.indexes[i], text);
    if (ids_only)
      text_quoted (out, text, -1);
    else
      data_render (data, view.indexes[i], G_MAXUINT, out);
  }
  g_string_append_printf (out, "],\"total\":%u", view.count);
  if (end < view.count)
    g_string_append_printf (out, ",\"next\":%" G_GUINT64_FORMAT, end);
  g_string_append (out, "}\n");
  reply_take (admin->reply, 200, "application/json", out);
}

/* {"kind","id"|"ids"|"percent"|"count",...}: which records are meant. NULL: it has answered. */
static GArray *
meant (Admin *admin, Data **data, const char *const *members)
{
  g_autoptr (GError) error = NULL;
  json_object *kind = NULL;
  if (!json_object_is_type (admin->body, json_type_object)) {
    refuse (admin, 400, "the body must be a JSON object");
    return NULL;
  }
  json_object_object_foreach (admin->body, name, ignored)
  {
    (void)ignored;
    if (!g_strv_contains (members, name)) {
      g_autofree char *known = g_strjoinv (" ", (char **)(guintptr)members);
      refuse (admin, 400, "unknown member \"%s\" (there are: %s)", name, known);
      return NULL;
    }
  }
  json_object_object_get_ex (admin->body, "kind", &kind);
  *data = admin->vendor->data (admin->state, kind ? json_object_get_string (kind) : NULL);
  if (!*data) {
    refuse (admin, 400, "%s has no such kind: %s", admin->vendor->name, json_object_to_json_string (kind));
    return NULL;
  }
  GArray *indexes = pick_records (*data, admin->body, engine_dice (admin->engine), &error);
  if (!indexes)
    refuse (admin, 400, "%s", error->message);
  return indexes;
}

static void
answer_ids (Admin *admin, const Data *data, const GArray *indexes)
{
  GString *out = g_string_new (NULL);
  g_string_printf (out, "{\"count\":%u,\"ids\":[", indexes->len);
  for (guint i = 0; i < indexes->len; i++) {
    char id[DATA_ID_SIZE];
    data_id (data, g_array_index (indexes, guint32, i), id);
    if (i)
      g_string_append_c (out, ',');
    text_quoted (out, id, -1);
  }
  g_string_append (out, "]}\n");
  reply_take (admin->reply, 200, "application/json", out);
}

static void
post_change (Admin *admin)
{
  static const char *const members[] = { "kind", "id", "ids", "percent", "count", "field", "value", NULL };
  g_autoptr (GError) error = NULL;
  Data *data;
  json_object *field = NULL, *value = NULL;
  g_autoptr (GArray) indexes = meant (admin, &data, members);
  if (!indexes)
    return;
  if (!json_object_object_get_ex (admin->body, "field", &field) ||
      !json_object_is_type (field, json_type_string)) {
    refuse (admin, 400, "change needs \"field\": price, quantity, status, name, or the path of a member");
    return;
  }
  gboolean said = json_object_object_get_ex (admin->body, "value", &value);
  g_autofree char *text = said ? g_strdup (json_object_to_json_string (value)) : NULL;
  for (guint i = 0; i < indexes->len; i++) {
    guint32 index = g_array_index (indexes, guint32, i);
    if (!data_change (data, index, json_object_get_string (field), text, admin->now_ms, &error)) {
      refuse (admin, 400, "%s", error->message);
      return;
    }
  }
  answer_ids (admin, data, indexes);
}

static void
post_delete (Admin *admin)
{
  static const char *const members[] = { "kind", "id", "ids", "percent", "count", NULL };
  Data *data;
  g_autoptr (GArray) indexes = meant (admin, &data, members);
  if (!indexes)
    return;
  for (guint i = 0; i < indexes->len; i++)
    data_delete (data, g_array_index (indexes, guint32, i));
  answer_ids (admin, data, indexes);
}

static void
post_add (Admin *admin)
{
  double count = 1;
  json_object *kind = NULL;
  json_object_object_get_ex (admin->body, "kind", &kind);
  Data *data = admin->vendor->data (admin->state, kind ? json_object_get_string (kind) : NULL);
  body_number (admin, "count", &count);
  if (!data || count < 1 || count > PICK_MOST_RECORDS) {
    refuse (admin, 400, "add takes {\"kind\": one that %s has, \"count\": 1 to %d}", admin->vendor->name,
            PICK_MOST_RECORDS);
    return;
  }
  g_autoptr (GArray) indexes = g_array_new (FALSE, FALSE, sizeof (guint32));
  for (gint64 i = 0; i < (gint64)count; i++) {
    guint32 index = data_add (data, admin->now_ms);
    g_array_append_val (indexes, index);
  }
  answer_ids (admin, data, indexes);
}

static const AdminRoute routes[] = {
  { "GET", "requests", get_requests },   { "DELETE", "requests", delete_requests },
  { "GET", "faults", get_faults },       { "POST", "faults", post_faults },
  { "DELETE", "faults", delete_faults }, { "POST", "clock", post_clock },
  { "POST", "options", post_options },   { "GET", "status", get_status },
};

static const AdminRoute vendor_routes[] = {
  { "POST", "change", post_change },          { "POST", "add", post_add }, { "POST", "delete", post_delete },
  { "POST", "options", post_vendor_options }, { "GET", "*", get_records },
};

static void
run_route (Admin *admin, const AdminRoute *table, guint count)
{
  for (guint i = 0; i < count; i++) {
    if (strcmp (table[i].method, admin->request->method) != 0 ||
        !(strcmp (table[i].tail, admin->tail) == 0 || strcmp (table[i].tail, "*") == 0))
      continue;
    if (admin->request->body->len)
      admin->body = json_tokener_parse (admin->request->body->str);
    if (strcmp (table[i].method, "POST") == 0 && !admin->body) {
      refuse (admin, 400, "the body must be JSON");
      return;
    }
    table[i].run (admin);
    json_object_put (admin->body);
    return;
  }
  refuse (admin, 404, "no such admin route; see tillbridge-sandbox --help");
}

void
admin_answer (Engine *engine, const Request *request, Reply *reply)
{
  Admin admin = { .engine = engine, .request = request, .reply = reply };
  admin.now_ms = clock_now_ms (engine_clock (engine));
  admin.tail = request->path + strlen ("/_sandbox/");
  const char *slash = strchr (admin.tail, '/');
  if (!slash) {
    run_route (&admin, routes, G_N_ELEMENTS (routes));
    return;
  }
  g_autofree char *name = g_strndup (admin.tail, (gsize)(slash - admin.tail));
  admin.vendor = engine_vendor (engine, name, &admin.state);
  admin.tail = slash + 1;
  if (admin.vendor)
    run_route (&admin, vendor_routes, G_N_ELEMENTS (vendor_routes));
  else
    refuse (&admin, 404, "no vendor \"%s\" runs here", name);
}
