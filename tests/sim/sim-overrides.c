/* The operator: overrides products between and during passes, and what must be served then. What he sent and
 * what must be served are written here by hand, beside the code that is tested. */
#include "sim-private.h"

#include "mem-disk.h"

#include <string.h>

#include "base/timefmt.h"

/* What is overridden of one product; version 0: nothing. */
typedef struct {
  guint version;
  gboolean name, same, visible, described, hidden; /* same: the vendor's own name, perhaps */
} SimSet;

typedef struct {
  Sim *sim;
  char *id;
  SimSet set;
} SimAsking;

static SimSet
random_set (Sim *sim)
{
  SimSet set = { .version = ++sim->overrides_made };
  if (sim_happens (sim, 250))
    return (SimSet){ 0 };
  set.name = sim_happens (sim, 700);
  set.same = sim_happens (sim, 200);
  set.visible = sim_happens (sim, 500);
  set.described = sim_happens (sim, 300);
  set.hidden = !set.described && sim_happens (sim, 300);
  return set.name || set.visible || set.described || set.hidden ? set : (SimSet){ 0 };
}

static char *
name_of (const SimSet *set)
{
  return g_strdup_printf (set->same ? "version %u" : "mine %u", set->version % 7);
}

/* In the model's order; NULL: none. */
static char *
text_of (const SimSet *set)
{
  g_autofree char *name = name_of (set);
  GString *text = g_string_new ("{");
  if (set->name)
    g_string_append_printf (text, "\"name\":\"%s\",", name);
  if (set->described)
    g_string_append_printf (text, "\"description\":\"%u\",", set->version);
  if (set->hidden)
    g_string_append (text, "\"description\":null,");
  if (set->visible)
    g_string_append_printf (text, "\"visible\":%s,", set->version % 2 ? "true" : "false");
  text->str[text->len - 1] = '}';
  return g_string_free (text, set->version == 0);
}

/* What is served of a vendor's record under a set. */
static char *
body_under (const SimSet *set, const SimRecord *record)
{
  char at[TIME_TEXT_SIZE];
  g_autofree char *mine = name_of (set), *theirs = g_strdup_printf ("version %u", record->version);
  GString *body = g_string_new (NULL);
  time_to_text (record->updated_ms, at);
  g_string_append_printf (body, "{\"id\":\"%s\",\"name\":\"%s\"", record->id, set->name ? mine : theirs);
  if (set->described)
    g_string_append_printf (body, ",\"description\":\"%u\"", set->version);
  if (set->visible)
    g_string_append_printf (body, ",\"visible\":%s", set->version % 2 ? "true" : "false");
  g_string_append_printf (body, ",\"updated_at\":\"%s\",\"overridden\":{", at);
  if (set->name)
    g_string_append_printf (body, "\"name\":\"%s\"", theirs);
  g_string_append (body, "}}");
  return g_string_free (body, FALSE);
}

char *
sim_served (Sim *sim, const SimRecord *record, guint kind, char **id)
{
  const SimSet *set = kind == MODEL_PRODUCTS ? g_hash_table_lookup (sim->overrides, record->id) : NULL;
  if (!set)
    return sim_body (record, kind, id);
  *id = g_strdup (record->id);
  return body_under (set, record);
}

static void
note_set (Sim *sim, const char *id, const SimSet *set)
{
  if (set->version)
    g_hash_table_insert (sim->overrides, g_strdup (id), g_memdup2 (set, sizeof *set));
  else
    g_hash_table_remove (sim->overrides, id);
}

/* ---- what is on the disk ---- */

static void
keep_state (const char *key, const char *json, gpointer data)
{
  const char *id = strchr (key, '/');
  g_hash_table_insert (data, g_strdup (id ? id + 1 : key), g_strdup (json));
}

static GHashTable *
read_sets (Sim *sim)
{
  GHashTable *sets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  mem_disk_states (sim->disk, "override:", keep_state, sets);
  return sets;
}

typedef struct {
  Sim *sim;
  GHashTable *sets;
} Agreeing;

/* The members of the set stand in the body, and no body is marked that has none. */
static gboolean
agrees (const StoreFound *found, gpointer data)
{
  Agreeing *agreeing = data;
  g_autofree char *id = g_strndup (found->id, found->id_length),
                  *body = g_strndup (found->body, found->body_length);
  const char *set = g_hash_table_lookup (agreeing->sets, id);
  if ((set != NULL) != (strstr (body, "\"overridden\":") != NULL))
    sim_wrong (agreeing->sim, "on the disk the overrides of %s are %s and its body %s", id,
               set ? set : "none", body);
  g_autofree char *inside = set ? g_strndup (set + 1, strlen (set) - 2) : NULL;
  g_auto (GStrv) members = inside ? g_strsplit (inside, ",", -1) : NULL;
  for (guint i = 0; members && members[i]; i++)
    if (!g_str_has_suffix (members[i], ":null") && !strstr (body, members[i]))
      sim_wrong (agreeing->sim, "on the disk %s of %s is overridden and its body %s", members[i], id, body);
  return TRUE;
}

/* Whatever moment the hub died at, each record stands with the set that lies over it. */
static void
check_disk (Sim *sim, GHashTable *sets)
{
  Agreeing agreeing = { sim, sets };
  HubCollection *collection =
    hub_collection_for (sim->hub, hub_store (sim->hub, "downtown"), "pos", MODEL_PRODUCTS);
  store_list (sim->store, collection->number, 0, G_MAXUINT, agrees, &agreeing, NULL);
}

/* Those who asked when the hub died do not know what became of it: as it was, or as one of them wanted. */
void
sim_overrides_settle (Sim *sim)
{
  g_autoptr (GHashTable) sets = read_sets (sim);
  check_disk (sim, sets);
  for (guint i = 0; i < sim->asking->len; i++) {
    SimAsking *asking = sim->asking->pdata[i];
    g_autofree char *wanted = text_of (&asking->set);
    if (g_strcmp0 (g_hash_table_lookup (sets, asking->id), wanted) == 0)
      note_set (sim, asking->id, &asking->set);
  }
  g_ptr_array_set_size (sim->asking, 0);
  GHashTableIter iter;
  gpointer id, set;
  g_hash_table_iter_init (&iter, sim->overrides);
  while (g_hash_table_iter_next (&iter, &id, &set)) {
    g_autofree char *wanted = text_of (set);
    const char *found = g_hash_table_lookup (sets, id);
    if (g_strcmp0 (found, wanted) != 0)
      sim_wrong (sim, "%s: the overrides are %s, on the disk they are %s", (char *)id, wanted,
                 found ? found : "none");
  }
  if (g_hash_table_size (sets) != g_hash_table_size (sim->overrides))
    sim_wrong (sim, "%u products are overridden, on the disk %u", g_hash_table_size (sim->overrides),
               g_hash_table_size (sets));
}

/* ---- asking ---- */

static void
asking_free (gpointer data)
{
  g_free (((SimAsking *)data)->id);
  g_free (data);
}

static gboolean
sees_set (const StoreFound *found, gpointer data)
{
  SimAsking *asking = data;
  g_autofree char *body = found->body ? g_strndup (found->body, found->body_length) : g_strdup ("");
  g_autofree char *mine = name_of (&asking->set), *member = g_strdup_printf ("\"name\":\"%s\"", mine);
  if (!asking->set.version == !!strstr (body, "\"overridden\":") ||
      (asking->set.name && !strstr (body, member)))
    sim_wrong (asking->sim, "the overrides of %s were stored, and the body is %s", asking->id, body);
  return FALSE;
}

static void
answered (HubCollection *collection, gboolean found, guint32 ordinal, const GError *error, gpointer data)
{
  SimAsking *asking = data;
  Sim *sim = asking->sim;
  gboolean there;
  if (g_error_matches (error, HUB_ERROR, HUB_ERROR_UNAVAILABLE))
    return; /* the hub dies */
  if (found)
    store_get (sim->store, collection->number, ordinal, &there, sees_set, asking, NULL);
  if (!error && (found || !asking->set.version))
    note_set (sim, asking->id, &asking->set);
  sim->overridden += found;
  g_ptr_array_remove (sim->asking, asking);
}

void
sim_override (Sim *sim)
{
  SimAsking *asking = g_new (SimAsking, 1);
  HubCollection *collection =
    hub_collection_for (sim->hub, hub_store (sim->hub, "downtown"), "pos", MODEL_PRODUCTS);
  /* now and then one that is not there */
  *asking =
    (SimAsking){ sim, g_strdup_printf ("p%05u", sim_random (sim) % (sim->made + 1)), random_set (sim) };
  g_autofree char *id = g_strdup (asking->id), *text = text_of (&asking->set);
  g_ptr_array_add (sim->asking, asking);
  hub_override (sim->hub, collection, id, text, NULL, answered, asking);
}

void
sim_overrides_new (Sim *sim)
{
  sim->overrides = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  sim->asking = g_ptr_array_new_with_free_func (asking_free);
}

void
sim_overrides_free (Sim *sim)
{
  g_hash_table_unref (sim->overrides);
  g_ptr_array_unref (sim->asking);
}
