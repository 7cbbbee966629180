/* Which connector of a store does what: as written, or the only one that can. */
#include "config/reading.h"

#include <string.h>

typedef struct {
  DropIn *drop_in;
  Reading *reading;
  const ConfigStore *shared; /* may be NULL */
  const Plugins *plugins;
  gboolean unsure; /* a connector's plugin is not known, so neither is who can what */
} Roles;

static ConfigConnector *
find_in (const ConfigStore *store, const char *name)
{
  for (guint i = 0; store && i < store->connectors->len; i++) {
    ConfigConnector *connector = g_ptr_array_index (store->connectors, i);
    if (strcmp (connector->name, name) == 0)
      return connector;
  }
  return NULL;
}

static const PluginInfo *
plugin_of (const Roles *r, const ConfigConnector *connector)
{
  const PluginInfo *plugin = connector->plugin ? plugins_find (r->plugins, connector->plugin) : NULL;
  return plugin && !plugin->refused ? plugin : NULL;
}

/* Own connectors by their names, shared ones as shared/name. */
static char *
spelled (const ConfigConnector *connector)
{
  return strcmp (connector->store, "shared") == 0 ? g_strdup_printf ("shared/%s", connector->name)
                                                  : g_strdup (connector->name);
}

static GPtrArray *
who_can (const Roles *r, const ConfigStore *store, const char *capability)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; store && i < store->connectors->len; i++) {
    const ConfigConnector *connector = g_ptr_array_index (store->connectors, i);
    const PluginInfo *plugin = plugin_of (r, connector);
    if (plugin && connector->enabled && plugin_info_can (plugin, capability))
      g_ptr_array_add (found, spelled (connector));
  }
  return found;
}

/* A name as written to the connector's spelling; NULL with a problem. */
static char *
resolve (const Roles *r, const ConfigNode *node, const char *key, const char *name, const char *capability)
{
  const ConfigStore *store = r->drop_in->store;
  gboolean shared_alone = g_str_has_prefix (name, "shared/");
  ConfigConnector *connector = shared_alone ? NULL : find_in (store, name);
  if (!connector)
    connector = find_in (r->shared, shared_alone ? name + strlen ("shared/") : name);
  if (!connector) {
    g_autoptr (GPtrArray) names = g_ptr_array_new ();
    for (guint i = 0; !shared_alone && i < store->connectors->len; i++)
      g_ptr_array_add (names, ((ConfigConnector *)g_ptr_array_index (store->connectors, i))->name);
    for (guint i = 0; r->shared && i < r->shared->connectors->len; i++)
      g_ptr_array_add (names, ((ConfigConnector *)g_ptr_array_index (r->shared->connectors, i))->name);
    g_ptr_array_add (names, NULL);
    ConfigProblem *problem = problem_at (
      r->reading, node, "%s names \"%s\", which is no connector of the store or of shared", key, name);
    problem_nearest (problem, node, shared_alone ? name + strlen ("shared/") : name,
                     (const char *const *)names->pdata);
    return NULL;
  }
  const PluginInfo *plugin = plugin_of (r, connector);
  if (plugin && !plugin_info_can (plugin, capability)) {
    problem_at (r->reading, node, "%s names \"%s\", but plugin %s has no %s", key, name, plugin->name,
                capability);
    return NULL;
  }
  return spelled (connector);
}

static void
read_one (const Roles *r, const char *key, const char *capability, char **field)
{
  ConfigStore *store = r->drop_in->store;
  const ConfigNode *node = config_node_at (r->drop_in->group, key);
  if (node) {
    g_autofree char *name = g_steal_pointer (field);
    *field = name ? resolve (r, node, key, name, capability) : NULL;
    return;
  }
  g_autoptr (GPtrArray) own = who_can (r, store, capability);
  g_autoptr (GPtrArray) others = who_can (r, r->shared, capability);
  GPtrArray *able = own->len > 0 ? own : others;
  if (r->unsure || able->len == 0)
    return;
  if (able->len > 1) {
    g_ptr_array_add (able, NULL);
    g_autofree char *list = g_strjoinv ("\" and \"", (char **)able->pdata);
    ConfigProblem *problem = problem_at (r->reading, r->drop_in->group,
                                         "%s is missing, and more than one connector can: \"%s\"", key, list);
    problem_fix (problem, "%s = \"%s\";", key, (char *)able->pdata[0]);
    return;
  }
  *field = g_strdup (able->pdata[0]);
  show_value (store->shown, key, json_object_new_string (*field), NULL);
}

static void
read_list (const Roles *r, const char *key, const char *capability, char ***field)
{
  ConfigStore *store = r->drop_in->store;
  const ConfigNode *node = config_node_at (r->drop_in->group, key);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  if (node) {
    for (guint i = 0; *field && (*field)[i]; i++) {
      const ConfigNode *child = node->type == NODE_LIST ? g_ptr_array_index (node->children, i) : node;
      char *name = resolve (r, child, key, (*field)[i], capability);
      if (name)
        g_ptr_array_add (names, name);
    }
  } else {
    g_autoptr (GPtrArray) own = who_can (r, store, capability);
    g_autoptr (GPtrArray) others = who_can (r, r->shared, capability);
    GPtrArray *able = own->len > 0 ? own : others;
    for (guint i = 0; i < able->len; i++)
      g_ptr_array_add (names, g_strdup (g_ptr_array_index (able, i)));
    json_object *list = json_object_new_array ();
    for (guint i = 0; i < names->len; i++)
      json_object_array_add (list, json_object_new_string (g_ptr_array_index (names, i)));
    show_value (store->shown, key, list, NULL);
  }
  g_ptr_array_add (names, NULL);
  g_strfreev (*field);
  *field = (char **)g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

void
roles_read (DropIn *drop_in, GPtrArray *problems, const ConfigStore *shared, const Plugins *plugins)
{
  ConfigStore *store = drop_in->store;
  Reading reading = { problems, drop_in->id ? drop_in->id : drop_in->shown, 0 };
  Roles r = { drop_in, &reading, shared, plugins, FALSE };
  for (guint i = 0; i < store->connectors->len; i++)
    r.unsure |= plugin_of (&r, g_ptr_array_index (store->connectors, i)) == NULL;
  read_one (&r, "catalogue", "catalog", &store->catalogue);
  read_one (&r, "orders", "orders", &store->orders);
  read_one (&r, "customers", "customers", &store->customers);
  read_list (&r, "messages", "messages", &store->messages);
  read_list (&r, "analytics", "analytics", &store->analytics);
  read_list (&r, "errors", "errors", &store->errors);
  drop_in->errors += reading.errors;
}
