#include "store-bed.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/hash.h"
#include "store/sqlite.h"

static _Atomic gint64 clock_ms; /* the SQLite store's clock takes no argument */

static gint64
now_ms (void)
{
  return clock_ms;
}

static gint64
mem_now_ms (gpointer clock)
{
  return clock_ms;
}

void
bed_clock (gint64 ms)
{
  clock_ms = ms;
}

void
bed_open (Bed *bed)
{
  g_autoptr (GError) error = NULL;
  if (bed->kind == BED_SQLITE)
    bed->store = sqlite_store_open_on_boot (bed->path, bed->boot, bed->loop, now_ms, NULL, &error);
  else
    bed->store = mem_store_open (bed->disk, mem_now_ms, NULL);
  if (!bed->store)
    g_error ("the store does not open: %s", error->message);
}

void
bed_close (Bed *bed)
{
  g_clear_pointer (&bed->store, store_free);
}

static Bed *
make (BedKind kind, char *folder, char *path)
{
  Bed *bed = g_new0 (Bed, 1);
  *bed = (Bed){ .kind = kind, .folder = folder, .path = path, .boot = "boot-1" };
  bed->loop = loop_new ();
  bed->disk = mem_disk_new (42);
  bed_clock (BED_START_MS);
  bed_open (bed);
  return bed;
}

Bed *
bed_new (BedKind kind)
{
  char *folder = g_dir_make_tmp ("tillbridge-store-XXXXXX", NULL);
  return make (kind, folder, g_build_filename (folder, "tillbridge.db", NULL));
}

Bed *
bed_new_at (const char *path)
{
  return make (BED_SQLITE, NULL, g_strdup (path));
}

static void
remove_files (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name (dir));) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_rmdir (folder);
}

void
bed_free (Bed *bed)
{
  bed_close (bed);
  loop_free (bed->loop);
  mem_disk_free (bed->disk);
  if (bed->folder)
    remove_files (bed->folder);
  g_clear_error (&bed->error);
  g_free (bed->folder);
  g_free (bed->path);
  g_free (bed);
}

void
bed_put (StoreBatch *batch, StoreOp op, guint32 collection, guint32 ordinal, const char *id, const char *body)
{
  StoreRecord record = { .op = op,
                         .collection = collection,
                         .ordinal = ordinal,
                         .hash = hash_bytes (body ? body : "", body ? strlen (body) : 0, 0),
                         .parent_hash = 7,
                         .updated_ms = 5000 + ordinal,
                         .asked_ms = 6000,
                         .id = id,
                         .body = body,
                         .id_length = (guint32)strlen (id),
                         .body_length = body ? (guint32)strlen (body) : 0 };
  store_batch_record (batch, &record);
}

void
bed_put_many (StoreBatch *batch, StoreOp op, guint32 collection, guint32 first, guint32 count,
              gsize body_bytes)
{
  for (guint32 i = first; i < first + count; i++) {
    char *text = g_malloc (body_bytes + 32);
    int id_end = g_snprintf (text, 16, "id-%u", i) + 1;
    memset (text + id_end, 'x', body_bytes);
    text[(gsize)id_end + body_bytes] = 0;
    g_autoptr (GBytes) bytes = g_bytes_new_take (text, (gsize)id_end + body_bytes + 1);
    store_batch_keep (batch, bytes);
    bed_put (batch, op, collection, i, text, op == STORE_DELETE ? NULL : text + id_end);
  }
}

static void
told (const GError *error, gpointer data)
{
  Bed *bed = data;
  bed->pending--;
  if (error) {
    g_clear_error (&bed->error);
    bed->error = g_error_copy (error);
  }
}

void
bed_submit (Bed *bed, StoreBatch *batch)
{
  bed->pending++;
  store_submit (bed->store, batch, told, bed);
}

void
bed_step (Bed *bed)
{
  if (bed->kind == BED_SQLITE)
    loop_turn (bed->loop, -1);
  else if (!mem_store_step (bed->store))
    g_error ("the store has nothing to do, but %u ends are waited for", bed->pending);
}

void
bed_settle (Bed *bed)
{
  while (bed->pending)
    bed_step (bed);
}

gboolean
bed_commit (Bed *bed, StoreBatch *batch)
{
  g_clear_error (&bed->error);
  bed_submit (bed, batch);
  bed_settle (bed);
  return !bed->error;
}

gboolean
bed_prune (Bed *bed, gint64 changes_ms, gint64 passes_ms, gint64 rejects_ms)
{
  StorePrune before = { changes_ms, passes_ms, rejects_ms };
  g_clear_error (&bed->error);
  bed->pending++;
  store_prune (bed->store, &before, told, bed);
  bed_settle (bed);
  return !bed->error;
}

typedef struct {
  StoreWant want;
  GString *text;
} Listing;

static gboolean
append (const StoreFound *found, gpointer data)
{
  GString *text = ((Listing *)data)->text;
  g_string_append_printf (text, "%s%s%.*s", text->len ? " " : "", found->deleted ? "-" : "",
                          (int)found->id_length, found->id);
  if (!found->deleted)
    g_string_append_printf (text, "=%.*s", (int)found->body_length, found->body);
  return TRUE;
}

static gboolean
wanted (guint32 collection, gpointer data)
{
  const Listing *listing = data;
  return !listing->want || listing->want (collection, NULL);
}

char *
bed_list (Bed *bed, guint32 collection, guint64 from, guint limit)
{
  Listing listing = { NULL, g_string_new (NULL) };
  if (!store_list (bed->store, collection, from, limit, append, &listing, NULL))
    g_string_assign (listing.text, "failed");
  return g_string_free (listing.text, FALSE);
}

char *
bed_changes (Bed *bed, guint64 since, guint limit, guint looks, StoreWant want, guint64 *reached,
             gboolean *more)
{
  Listing listing = { want, g_string_new (NULL) };
  if (!store_changes (bed->store, since, limit, looks, wanted, append, &listing, reached, more, NULL))
    g_string_assign (listing.text, "failed");
  return g_string_free (listing.text, FALSE);
}

static void
take_state (const char *key, const char *json, gpointer data)
{
  gpointer *both = data;
  if (strcmp (key, both[0]) == 0)
    both[1] = g_strdup (json);
}

char *
bed_state (Bed *bed, const char *key)
{
  gpointer both[] = { (gpointer)key, NULL };
  store_states (bed->store, key, take_state, both, NULL);
  return both[1];
}

guint64
bed_latest (Bed *bed)
{
  guint64 latest;
  store_seq_known (bed->store, 0, &latest);
  return latest;
}
