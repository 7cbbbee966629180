#include "hub/pass.h"

#include <string.h>

#include "base/timefmt.h"

enum { MISSING_PERCENT_MOST = 30 };

static const char *const words[PASS_STATES] = {
  "waiting", "running", "complete", "failed", "held", "refused"
};

Pass *
pass_new (const char *id, const char *store, const char *connector, const char *stream, gboolean full)
{
  Pass *pass = g_new0 (Pass, 1);
  g_strlcpy (pass->id, id, sizeof pass->id);
  pass->store = g_strdup (store);
  pass->connector = g_strdup (connector);
  pass->stream = g_strdup (stream);
  pass->full = full;
  return pass;
}

void
pass_free (Pass *pass)
{
  if (!pass)
    return;
  g_free (pass->store);
  g_free (pass->connector);
  g_free (pass->stream);
  g_free (pass->detail);
  json_object_put (pass->cursor);
  g_free (pass);
}

gboolean
pass_sums_agree (const PassSums *sums)
{
  return sums->seen == sums->stored + sums->unchanged + sums->rejected + sums->filtered &&
         sums->filtered == sums->plugin + sums->older + sums->duplicate;
}

const char *
pass_state_word (PassState state)
{
  return words[state];
}

/* The numbers of a pass, each described once: for writing and reading. */
static const struct {
  const char *name;
  gsize offset;
} numbers[] = {
  { "seen", G_STRUCT_OFFSET (Pass, sums.seen) },           { "stored", G_STRUCT_OFFSET (Pass, sums.stored) },
  { "unchanged", G_STRUCT_OFFSET (Pass, sums.unchanged) }, { "rejected", G_STRUCT_OFFSET (Pass, sums.rejected) },
  { "filtered", G_STRUCT_OFFSET (Pass, sums.filtered) },   { "missing", G_STRUCT_OFFSET (Pass, missing) },
  { "deleted", G_STRUCT_OFFSET (Pass, deleted) },
}, because[] = {
  { "plugin", G_STRUCT_OFFSET (Pass, sums.plugin) },
  { "older", G_STRUCT_OFFSET (Pass, sums.older) },
  { "duplicate", G_STRUCT_OFFSET (Pass, sums.duplicate) },
};

static void
add_time (json_object *object, const char *name, gint64 ms)
{
  char text[TIME_TEXT_SIZE];
  if (!ms)
    return;
  time_to_text (ms, text);
  json_object_object_add (object, name, json_object_new_string (text));
}

static const ShapeMember filtered_members[] = {
  { "plugin?", "integer", "The plugin left them out: not for sale, not for this store." },
  { "older?", "integer", "What is held is newer." },
  { "duplicate?", "integer", "The pass brought them before." },
  { NULL },
};
const Shape pass_filtered_shape = { "FilteredBecause", "Why records were left out, and how many.",
                                    filtered_members };

static const ShapeMember members[] = {
  { "id", "text", "Sorts by time.", "pass_01M87SM5WW8F3BT72HVZHEXWS4" },
  { "store", "text", "The store's id.", "downtown" },
  { "connector", "text", "The connector's name within the store.", "pos" },
  { "stream", "text", "What is read.", "products" },
  { "type", "full|changes", "Everything, or only what changed since the last pass." },
  { "state", "waiting|running|complete|failed|held|refused",
    "`held`: it lacks so much that nothing is deleted until somebody accepts or refuses." },
  { "started_at?", "time", "Absent while it waits." },
  { "ended_at?", "time", "Absent until it has ended." },
  { "pages", "integer", "Pages read from the vendor.", "3" },
  { "seen", "integer", "`stored` + `unchanged` + `rejected` + `filtered`.", "2412" },
  { "stored", "integer", "New or changed.", "12" },
  { "unchanged", "integer", "As they were.", "2398" },
  { "rejected", "integer", "Set aside: see the rejects.", "1" },
  { "filtered", "integer", "Left out, and it is fine.", "1" },
  { "missing", "integer", "Of a full pass: records that it did not see.", "2" },
  { "deleted", "integer", "Of these, what was deleted.", "2" },
  { "filtered_because?", "FilteredBecause", "Of what `filtered` is the sum." },
  { "resumed", "boolean", "It went on after the daemon's own restart; such a pass deletes nothing." },
  { "dry_run?", "boolean", "Nothing was stored." },
  { "detail?", "text", "How it failed, or what it left undone." },
  { NULL },
};
const Shape pass_shape = { "Pass", "One run through a stream of a connector.", members };

json_object *
pass_to_json (const Pass *pass)
{
  json_object *object = json_object_new_object ();
  json_object_object_add (object, "id", json_object_new_string (pass->id));
  json_object_object_add (object, "store", json_object_new_string (pass->store));
  json_object_object_add (object, "connector", json_object_new_string (pass->connector));
  json_object_object_add (object, "stream", json_object_new_string (pass->stream));
  json_object_object_add (object, "type", json_object_new_string (pass->full ? "full" : "changes"));
  json_object_object_add (object, "state", json_object_new_string (words[pass->state]));
  add_time (object, "started_at", pass->started_ms);
  add_time (object, "ended_at", pass->ended_ms);
  json_object_object_add (object, "pages", json_object_new_int64 (pass->pages));
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    json_object_object_add (object, numbers[i].name,
                            json_object_new_uint64 (G_STRUCT_MEMBER (guint64, pass, numbers[i].offset)));
  if (pass->sums.filtered) {
    json_object *reasons = json_object_new_object ();
    for (gsize i = 0; i < G_N_ELEMENTS (because); i++)
      if (G_STRUCT_MEMBER (guint64, pass, because[i].offset))
        json_object_object_add (reasons, because[i].name,
                                json_object_new_uint64 (G_STRUCT_MEMBER (guint64, pass, because[i].offset)));
    json_object_object_add (object, "filtered_because", reasons);
  }
  json_object_object_add (object, "resumed", json_object_new_boolean (pass->resumed));
  if (pass->dry)
    json_object_object_add (object, "dry_run", json_object_new_boolean (TRUE));
  if (pass->detail)
    json_object_object_add (object, "detail", json_object_new_string (pass->detail));
  return object;
}

json_object *
pass_to_saved (const Pass *pass)
{
  json_object *saved = pass_to_json (pass);
  json_object_object_add (saved, "started_ms", json_object_new_int64 (pass->started_ms));
  json_object_object_add (saved, "since_ms", json_object_new_int64 (pass->since_ms));
  if (pass->cursor)
    json_object_object_add (saved, "cursor", json_object_get (pass->cursor));
  return saved;
}

static const char *
text_of (json_object *saved, const char *name)
{
  json_object *member;
  return json_object_object_get_ex (saved, name, &member) ? json_object_get_string (member) : NULL;
}

static gint64
number_of (json_object *saved, const char *name)
{
  json_object *member;
  return json_object_object_get_ex (saved, name, &member) ? json_object_get_int64 (member) : 0;
}

Pass *
pass_from_saved (json_object *saved)
{
  const char *id = text_of (saved, "id"), *store = text_of (saved, "store"),
             *connector = text_of (saved, "connector"), *stream = text_of (saved, "stream"),
             *type = text_of (saved, "type"), *state = text_of (saved, "state");
  if (!id || !store || !connector || !stream || !type || !state)
    return NULL;
  Pass *pass = pass_new (id, store, connector, stream, strcmp (type, "full") == 0);
  for (int i = 0; i < PASS_STATES; i++)
    if (strcmp (words[i], state) == 0)
      pass->state = (PassState)i;
  json_object *reasons = NULL, *cursor;
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    G_STRUCT_MEMBER (guint64, pass, numbers[i].offset) = (guint64)number_of (saved, numbers[i].name);
  if (json_object_object_get_ex (saved, "filtered_because", &reasons))
    for (gsize i = 0; i < G_N_ELEMENTS (because); i++)
      G_STRUCT_MEMBER (guint64, pass, because[i].offset) = (guint64)number_of (reasons, because[i].name);
  pass->pages = (guint)number_of (saved, "pages");
  pass->started_ms = number_of (saved, "started_ms");
  pass->since_ms = number_of (saved, "since_ms");
  pass->resumed = number_of (saved, "resumed") != 0;
  if (json_object_object_get_ex (saved, "cursor", &cursor))
    pass->cursor = json_object_get (cursor);
  return pass;
}

gboolean
pass_may_delete (guint64 alive, guint64 missing)
{
  return missing < alive && missing * 100 <= alive * MISSING_PERCENT_MOST;
}
