/* What a reload would change. It is read off what `config show` shows, so that a secret can never stand in a
 * plan; that a hidden value changed is seen by comparing what is used. */
#include <string.h>

#include "config/reading.h"

static const ShapeMember change_members[] = {
  { "op", "+|-|~", "It comes, it goes, it changes." },
  { "what", "text", "A connector, a store, a plugin, or `tillbridge.conf`.", "downtown/pos" },
  { "key?", "text", "The key that changes.", "sync.products" },
  { "from?", "any", "What it was; secrets are not shown." },
  { "to?", "any", "What it will be." },
  { NULL },
};
const Shape config_change_shape = { "ConfigurationChange", "What a reload changes.", change_members };

typedef struct {
  json_object *changes;
  const char *what;
} Plan;

static json_object *
add (const Plan *plan, const char *op, const char *key)
{
  json_object *change = json_object_new_object ();
  json_object_object_add (change, "op", json_object_new_string (op));
  json_object_object_add (change, "what", json_object_new_string (plan->what));
  if (key)
    json_object_object_add (change, "key", json_object_new_string (key));
  json_object_array_add (plan->changes, change);
  return change;
}

static void
changed (const Plan *plan, const char *key, json_object *from, json_object *to)
{
  json_object *change = add (plan, "~", key);
  if (from)
    json_object_object_add (change, "from", json_object_get (from));
  if (to)
    json_object_object_add (change, "to", json_object_get (to));
}

static void
compare_key (const Plan *plan, const char *key, const ConfigShown *old, const ConfigShown *new,
             gboolean same_behind)
{
  json_object *from = old ? old->value : NULL, *to = new ? new->value : NULL;
  if (!same_behind || !json_object_equal (from, to))
    changed (plan, key, from, to);
}

/* What is shown of the two; settings (may be NULL) are the values behind it. */
static void
compare_shown (const Plan *plan, const GArray *old, const GArray *new, json_object *old_settings,
               json_object *new_settings)
{
  for (guint i = 0; i < old->len; i++) {
    const ConfigShown *was = &g_array_index (old, ConfigShown, i);
    compare_key (plan, was->key, was, shown_find (new, was->key),
                 json_object_equal (json_object_object_get (old_settings, was->key),
                                    json_object_object_get (new_settings, was->key)));
  }
  for (guint i = 0; i < new->len; i++) {
    const ConfigShown *is = &g_array_index (new, ConfigShown, i);
    if (!shown_find (old, is->key))
      compare_key (plan, is->key, NULL, is, TRUE);
  }
}

static gboolean
needs_restart (json_object *changes)
{
  for (gsize i = 0; i < json_object_array_length (changes); i++) {
    json_object *change = json_object_array_get_idx (changes, i);
    const TableKey *key =
      table_find (&host_table, json_object_get_string (json_object_object_get (change, "key")));
    if (key && key->restart)
      return TRUE;
  }
  return FALSE;
}

static const ConfigConnector *
find (const ConfigStore *store, const char *name)
{
  for (guint i = 0; store && i < store->connectors->len; i++) {
    const ConfigConnector *connector = g_ptr_array_index (store->connectors, i);
    if (strcmp (connector->name, name) == 0)
      return connector;
  }
  return NULL;
}

static void
compare_connectors (json_object *changes, const ConfigStore *old, const ConfigStore *new)
{
  for (guint i = 0; old && i < old->connectors->len; i++) {
    const ConfigConnector *was = g_ptr_array_index (old->connectors, i), *is = find (new, was->name);
    g_autofree char *what = g_strdup_printf ("%s/%s", was->store, was->name);
    Plan plan = { changes, what };
    if (!is)
      add (&plan, "-", NULL);
    else
      compare_shown (&plan, was->shown, is->shown, was->settings, is->settings);
  }
  for (guint i = 0; new &&i < new->connectors->len; i++) {
    const ConfigConnector *is = g_ptr_array_index (new->connectors, i);
    g_autofree char *what = g_strdup_printf ("%s/%s", is->store, is->name);
    Plan plan = { changes, what };
    if (!find (old, is->name))
      add (&plan, "+", NULL);
  }
}

json_object *
config_compare (const Config *running, const Config *wanted, gboolean *restart)
{
  json_object *changes = json_object_new_array ();
  Plan host = { changes, "tillbridge.conf" };
  *restart = FALSE;
  if (wanted->host_broken)
    return changes;
  compare_shown (&host, running->host->shown, wanted->host->shown, NULL, NULL);
  *restart = needs_restart (changes);
  for (guint i = 0; i < running->stores->len; i++) {
    const ConfigStore *old = g_ptr_array_index (running->stores, i),
                      *new = config_find_store (wanted, old->id);
    Plan plan = { changes, old->id };
    if (!new && (g_ptr_array_find_with_equal_func (wanted->broken, old->id, g_str_equal, NULL) ||
                 g_ptr_array_find_with_equal_func (wanted->broken, old->file, g_str_equal, NULL)))
      continue; /* it keeps what runs */
    if (new)
      compare_shown (&plan, old->shown, new->shown, NULL, NULL);
    else
      add (&plan, "-", NULL);
    compare_connectors (changes, old, new);
  }
  for (guint i = 0; i < wanted->stores->len; i++) {
    const ConfigStore *new = g_ptr_array_index (wanted->stores, i);
    Plan plan = { changes, new->id };
    if (config_find_store (running, new->id))
      continue;
    add (&plan, "+", NULL);
    compare_connectors (changes, NULL, new);
  }
  return changes;
}
