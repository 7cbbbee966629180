#include "data.h"

#include <gio/gio.h>
#include <string.h>

/* One rendered page. It is good while the view is the same one and none of its records was touched since. */
typedef struct {
  guint mask, start, count, variant;
  gint64 after_ms;
} PageKey;

typedef struct {
  GBytes *rows;
  guint32 *ends;      /* where each row ends in rows: what did not change is copied into the next rendering */
  guint32 made, view; /* ticks */
} Page;

typedef struct {
  GArray *indexes; /* guint32 */
  guint mask;
  gint64 after_ms;
  guint32 made; /* members tick (or tick, for a view of changes) */
} View;

enum { VIEWS = 6, ROW_BYTES = 2048, ROOM_BYTES = 16 << 10 };

struct Data {
  const DataKind *kind;
  guint64 seed;
  GArray *records;       /* DataRecord, by index */
  GArray *order;         /* guint64: key and index, sorted */
  GHashTable *overrides; /* index -> (path -> JSON text) */
  guint32 tick,
    members;         /* tick moves with every change, members when a record came, went or changed status */
  View views[VIEWS]; /* used in turns */
  guint next_view;
  GHashTable *pages; /* PageKey -> Page */
  gsize cached_bytes;
};

static guint
page_key_hash (gconstpointer data)
{
  const PageKey *key = data;
  return (guint)data_bits (key->mask ^ (guint64)key->after_ms, key->start, key->count ^ key->variant << 24);
}

static gboolean
page_key_equal (gconstpointer a, gconstpointer b)
{
  const PageKey *one = a, *two = b;
  return one->mask == two->mask && one->start == two->start && one->count == two->count &&
         one->variant == two->variant && one->after_ms == two->after_ms;
}

static void
page_free (gpointer data)
{
  Page *page = data;
  g_bytes_unref (page->rows);
  g_free (page->ends);
  g_free (page);
}

static DataRecord *
record_at (const Data *data, guint32 index)
{
  g_assert (index < data->records->len);
  return &g_array_index (data->records, DataRecord, index);
}

static guint64
sort_key (const Data *data, guint32 index)
{
  return (data->kind->key (data->seed, index) & ~(guint64)G_MAXUINT32) | index;
}

static int
compare_keys (gconstpointer a, gconstpointer b)
{
  guint64 one = *(const guint64 *)a, two = *(const guint64 *)b;
  return (one > two) - (one < two);
}

Data *
data_new (const DataKind *kind, guint64 seed, guint32 count)
{
  Data *data = g_new0 (Data, 1);
  data->kind = kind;
  data->seed = seed;
  data->tick = data->members = 1;
  data->records = g_array_sized_new (FALSE, TRUE, sizeof (DataRecord), count);
  data->order = g_array_sized_new (FALSE, FALSE, sizeof (guint64), count);
  g_array_set_size (data->records, count);
  for (guint32 i = 0; i < count; i++) {
    guint64 key = sort_key (data, i);
    kind->fill (seed, i, record_at (data, i));
    record_at (data, i)->stocked_ms = record_at (data, i)->changed_ms;
    g_array_append_val (data->order, key);
  }
  g_array_sort (data->order, compare_keys);
  data->overrides = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify)g_hash_table_unref);
  data->pages = g_hash_table_new_full (page_key_hash, page_key_equal, g_free, page_free);
  return data;
}

void
data_free (Data *data)
{
  if (!data)
    return;
  g_array_unref (data->records);
  g_array_unref (data->order);
  for (guint i = 0; i < VIEWS; i++)
    g_clear_pointer (&data->views[i].indexes, g_array_unref);
  g_hash_table_unref (data->overrides);
  g_hash_table_unref (data->pages);
  g_free (data);
}

const char *
data_kind (const Data *data)
{
  return data->kind->kind;
}

static View *
view_make (Data *data, guint mask, gint64 after_ms)
{
  View *view = &data->views[data->next_view++ % VIEWS];
  g_clear_pointer (&view->indexes, g_array_unref);
  *view = (View){ g_array_new (FALSE, FALSE, sizeof (guint32)), mask, after_ms,
                  after_ms == G_MININT64 ? data->members : data->tick };
  for (guint i = 0; i < data->order->len; i++) {
    guint32 index = (guint32)g_array_index (data->order, guint64, i);
    const DataRecord *record = record_at (data, index);
    gint64 changed_ms = mask & DATA_BY_STOCK ? record->stocked_ms : record->changed_ms;
    if (record->status & mask && changed_ms > after_ms)
      g_array_append_val (view->indexes, index);
  }
  return view;
}

static View *
view_get (Data *data, guint mask, gint64 after_ms)
{
  guint32 now = after_ms == G_MININT64 ? data->members : data->tick;
  for (guint i = 0; i < VIEWS; i++) {
    View *view = &data->views[i];
    if (view->indexes && view->mask == mask && view->after_ms == after_ms && view->made == now)
      return view;
  }
  return view_make (data, mask, after_ms);
}

DataView
data_view (Data *data, guint mask, gint64 after_ms)
{
  const View *view = view_get (data, mask, after_ms);
  return (DataView){ (const guint32 *)(gpointer)view->indexes->data, view->indexes->len };
}

static gboolean
page_is_good (const Data *data, Page *page, const View *view, guint start, guint count)
{
  if (page->view != view->made)
    return FALSE;
  if (page->made == data->tick)
    return TRUE;
  for (guint i = start; i < start + count; i++)
    if (record_at (data, g_array_index (view->indexes, guint32, i))->touched > page->made)
      return FALSE;
  page->made = data->tick;
  return TRUE;
}

static Page *
page_new (const Data *data, const View *view, guint start, guint count, guint variant, const Page *old)
{
  GString *rows =
    g_string_sized_new (old ? g_bytes_get_size (old->rows) + ROOM_BYTES : count * ROW_BYTES + ROOM_BYTES);
  const char *had = old && old->view == view->made ? g_bytes_get_data (old->rows, NULL) : NULL;
  Page *page = g_new (Page, 1);
  page->ends = g_new (guint32, count);
  for (guint i = 0; i < count; i++) {
    guint32 index = g_array_index (view->indexes, guint32, start + i);
    if (i > 0)
      g_string_append_c (rows, ',');
    if (had && record_at (data, index)->touched <= old->made) {
      guint32 from = i ? old->ends[i - 1] + 1 : 0;
      g_string_append_len (rows, had + from, old->ends[i] - from);
    } else {
      data_render (data, index, variant, rows);
    }
    page->ends[i] = (guint32)rows->len;
  }
  page->rows = g_string_free_to_bytes (rows);
  page->made = data->tick;
  page->view = view->made;
  return page;
}

static void
keep_page (Data *data, const PageKey *key, Page *page)
{
  data->cached_bytes += g_bytes_get_size (page->rows);
  g_hash_table_insert (data->pages, g_memdup2 (key, sizeof *key), page);
}

GBytes *
data_rows (Data *data, guint mask, gint64 after_ms, guint start, guint count, guint variant)
{
  const View *view = view_get (data, mask, after_ms);
  start = MIN (start, view->indexes->len);
  count = MIN (count, view->indexes->len - start);
  PageKey key = { .mask = mask, .start = start, .count = count, .variant = variant, .after_ms = after_ms };
  Page *old = g_hash_table_lookup (data->pages, &key);
  if (old && page_is_good (data, old, view, start, count))
    return g_bytes_ref (old->rows);
  Page *page = page_new (data, view, start, count, variant, old);
  GBytes *rows = g_bytes_ref (page->rows);
  if (old) {
    data->cached_bytes -= g_bytes_get_size (old->rows);
    g_hash_table_remove (data->pages, &key);
  }
  /* Changes since a moment are asked for once; their pages would only fill the cache. */
  if (after_ms == G_MININT64 && data->cached_bytes + g_bytes_get_size (rows) <= DATA_CACHE_BYTES)
    keep_page (data, &key, page);
  else
    page_free (page);
  return rows;
}

/* A record with members that somebody set by path: rendered, changed as JSON, written again. */
static void
apply_overrides (const Data *data, guint32 index, GString *out, gsize start)
{
  GHashTable *paths = g_hash_table_lookup (data->overrides, GUINT_TO_POINTER (index));
  json_object *object = json_tokener_parse (out->str + start);
  g_assert (object);
  GHashTableIter iter;
  gpointer path, text;
  g_hash_table_iter_init (&iter, paths);
  while (g_hash_table_iter_next (&iter, &path, &text))
    data_set_path (object, path, json_tokener_parse (text));
  g_string_truncate (out, start);
  g_string_append (out, json_object_to_json_string_ext (object, JSON_C_TO_STRING_NOSLASHESCAPE));
  json_object_put (object);
}

void
data_render (const Data *data, guint32 index, guint variant, GString *out)
{
  const DataRecord *record = record_at (data, index);
  gsize start = out->len;
  data->kind->render (data->seed, index, record, variant, out);
  if (record->overridden)
    apply_overrides (data, index, out, start);
}

const DataRecord *
data_record (const Data *data, guint32 index)
{
  return record_at (data, index);
}

void
data_id (const Data *data, guint32 index, char id[DATA_ID_SIZE])
{
  data->kind->id (index, id);
}

/* Ids end in the index plus one, in decimal or hex digits as the kind writes them; both are tried. */
gboolean
data_find (const Data *data, const char *id, guint32 *index)
{
  static const int bases[] = { 10, 16 };
  const char *digits = strrchr (id, '-');
  digits = digits ? digits + 1 : id;
  for (guint i = 0; i < G_N_ELEMENTS (bases); i++) {
    guint64 number = g_ascii_strtoull (digits, NULL, bases[i]);
    char made[DATA_ID_SIZE];
    if (number == 0 || number > data->records->len)
      continue;
    data->kind->id ((guint32)number - 1, made);
    if (strcmp (made, id) == 0 && record_at (data, (guint32)number - 1)->status != DATA_GONE) {
      *index = (guint32)number - 1;
      return TRUE;
    }
  }
  return FALSE;
}

gboolean
data_set_path (json_object *object, const char *path, json_object *value)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);
  for (guint i = 0; steps[i]; i++) {
    json_object *next = NULL;
    if (!json_object_is_type (object, json_type_object)) {
      json_object_put (value);
      return FALSE;
    }
    if (!steps[i + 1]) {
      json_object_object_add (object, steps[i], value);
      return TRUE;
    }
    if (!json_object_object_get_ex (object, steps[i], &next) || !next) {
      next = json_object_new_object ();
      json_object_object_add (object, steps[i], next);
    }
    object = next;
  }
  json_object_put (value);
  return FALSE;
}

static gboolean
refuse_value (GError **error, const char *field, const char *value, const char *expected)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "%s: %s is not %s", field, value, expected);
  return FALSE;
}

static gboolean
change_number (gint32 *number, gint32 step, const char *field, const char *value, GError **error)
{
  if (!value) {
    *number += step;
    return TRUE;
  }
  char *end;
  double wanted = g_ascii_strtod (value, &end);
  if (end == value || *end || !(wanted >= -2e6 && wanted <= 2e6))
    return refuse_value (error, field, value,
                         "a number of at most 2,000,000 (to serve something odd, change its path)");
  *number = (gint32)(wanted * 1000 + (wanted < 0 ? -0.5 : 0.5));
  return TRUE;
}

static gboolean
change_status (Data *data, DataRecord *record, const char *value, GError **error)
{
  if (value && strcmp (value, "\"active\"") != 0 && strcmp (value, "\"inactive\"") != 0)
    return refuse_value (error, "status", value, "\"active\" or \"inactive\"");
  gboolean active = value ? strcmp (value, "\"active\"") == 0 : record->status != DATA_ACTIVE;
  record->status = active ? DATA_ACTIVE : DATA_INACTIVE;
  data->members = data->tick;
  return TRUE;
}

static void
override (Data *data, guint32 index, const char *path, const char *value)
{
  GHashTable *paths = g_hash_table_lookup (data->overrides, GUINT_TO_POINTER (index));
  if (!paths) {
    paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert (data->overrides, GUINT_TO_POINTER (index), paths);
  }
  DataRecord *record = record_at (data, index);
  record->overridden = TRUE;
  g_hash_table_insert (paths, g_strdup (path),
                       value ? g_strdup (value) : g_strdup_printf ("\"changed %u\"", record->revision));
}

gboolean
data_change (Data *data, guint32 index, const char *field, const char *value, gint64 now_ms, GError **error)
{
  DataRecord *record = record_at (data, index);
  gboolean fits = TRUE;
  data->tick++;
  record->revision++;
  if (strcmp (field, "price") == 0)
    fits = change_number (&record->price, 250, field, value, error);
  else if (strcmp (field, "quantity") == 0)
    fits = change_number (&record->quantity, 1000, field, value, error);
  else if (strcmp (field, "status") == 0)
    fits = change_status (data, record, value, error);
  else if (strcmp (field, "name") == 0 && !value)
    record->renamed = TRUE;
  else
    override (data, index, strcmp (field, "name") == 0 ? data->kind->name : field, value);
  if (!fits)
    return FALSE;
  record->touched = data->tick;
  gint64 *at_ms = strcmp (field, "quantity") == 0 ? &record->stocked_ms : &record->changed_ms;
  *at_ms = MAX (now_ms, *at_ms + 1);
  return TRUE;
}

guint32
data_add (Data *data, gint64 now_ms)
{
  guint32 index = data->records->len;
  guint64 key = sort_key (data, index);
  guint low = 0, high = data->order->len;
  g_array_set_size (data->records, index + 1);
  data->kind->fill (data->seed, index, record_at (data, index));
  record_at (data, index)->status = DATA_ACTIVE;
  record_at (data, index)->changed_ms = record_at (data, index)->stocked_ms = now_ms;
  record_at (data, index)->touched = data->members = ++data->tick;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    if (g_array_index (data->order, guint64, middle) < key)
      low = middle + 1;
    else
      high = middle;
  }
  g_array_insert_val (data->order, low, key);
  return index;
}

void
data_delete (Data *data, guint32 index)
{
  record_at (data, index)->status = DATA_GONE;
  record_at (data, index)->touched = data->members = ++data->tick;
}
