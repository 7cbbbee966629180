/* A drop-in's store: its table, and reading it. */
#include "config/reading.h"

#include <string.h>

#define AT(field) G_STRUCT_OFFSET (ConfigStore, field)

static const TableKey keys[] = {
  { "id", KEY_TEXT, NULL, NULL, NULL, 0, 0, TRUE, FALSE, AT (id),
    "`[a-z][a-z0-9_-]*`, at most 63 characters; `shared` is taken" },
  { "name", KEY_TEXT, NULL, "the id", NULL, 0, 0, FALSE, FALSE, AT (name), "for people" },
  { "timezone", KEY_TEXT, NULL, NULL, NULL, 0, 0, TRUE, FALSE, AT (timezone),
    "IANA zone, such as `\"America/Los_Angeles\"`" },
  { "currency", KEY_TEXT, NULL, NULL, NULL, 0, 0, TRUE, FALSE, AT (currency), "ISO 4217, such as `\"USD\"`" },
  { "connectors", KEY_TREE, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1, "name → connector" },
  { "catalogue", KEY_TEXT, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (catalogue),
    "the connector that serves the products; needed where two can" },
  { "orders", KEY_TEXT, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (orders),
    "the connector that takes the orders; needed where two can" },
  { "customers", KEY_TEXT, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (customers),
    "the connector that holds the customers; needed where two can" },
  { "messages", KEY_TEXTS, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (messages),
    "connectors that send texts: first choice, then fallback. Without it the store's own that can, else "
    "shared ones" },
  { "analytics", KEY_TEXTS, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (analytics),
    "connectors that take events: all of them. Without it as `messages`" },
  { "errors", KEY_TEXTS, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (errors),
    "connectors that take errors: all of them. Without it as `messages`" },
  { "check_stock", KEY_BOOLEAN, "false", NULL, NULL, 0, 0, FALSE, FALSE, -1,
    "refuse an order above `available`" },
  { "templates", KEY_TREE, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1,
    "name → text, such as `order_ready = \"Hi {{first_name}}, order {{number}} is ready.\"`" },
  { "order_messages", KEY_TREE, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1, "status of an order → template" },
  { "quiet_hours.from", KEY_CLOCK, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1,
    "marketing texts are held from here, by the recipient's clock" },
  { "quiet_hours.until", KEY_CLOCK, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1, "to here" },
  { "caps.per_recipient", KEY_COUNT, NULL, NULL, NULL, 1, 1000, FALSE, FALSE, -1,
    "marketing texts a day to one phone" },
  { "caps.per_store", KEY_COUNT, NULL, NULL, NULL, 1, 10000000, FALSE, FALSE, -1,
    "marketing texts a day in all" },
};

const Table store_table = { "a store", keys, G_N_ELEMENTS (keys) };

static const TableKey shared_keys[] = {
  { "connectors", KEY_TREE, NULL, NULL, NULL, 0, 0, FALSE, FALSE, -1, "name → connector" },
};
static const Table shared_table = { "shared", shared_keys, G_N_ELEMENTS (shared_keys) };

static const char *const statuses[] = { "pending",   "confirmed", "in_preparation", "ready",
                                        "completed", "cancelled", "failed",         NULL };

void
config_store_free (ConfigStore *store)
{
  if (!store)
    return;
  g_free (store->id);
  g_free (store->name);
  g_free (store->timezone);
  g_free (store->currency);
  g_free (store->catalogue);
  g_free (store->orders);
  g_free (store->customers);
  g_strfreev (store->messages);
  g_strfreev (store->analytics);
  g_strfreev (store->errors);
  g_ptr_array_unref (store->connectors);
  json_object_put (store->other);
  g_clear_pointer (&store->shown, g_array_unref);
  g_free (store->file);
  g_free (store);
}

gboolean
is_id (const char *text)
{
  gsize length = strlen (text);
  return length >= 1 && length <= 63 && g_ascii_islower (*text) &&
         strspn (text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static gboolean
zone_exists (GHashTable *zones, const char *name)
{
  if (g_hash_table_contains (zones, name))
    return TRUE;
  GTimeZone *zone = g_time_zone_new_identifier (name);
  if (zone)
    g_hash_table_insert (zones, g_strdup (name), zone);
  return zone != NULL;
}

static void
check_identity (const ConfigStore *store, const ConfigNode *group, GHashTable *zones, Reading *reading)
{
  if (store->id && !is_id (store->id))
    problem_at (reading, config_node_at (group, "id"),
                "id is \"%s\", expected lower-case letters, digits, \"-\" and \"_\"", store->id);
  else if (store->id && strcmp (store->id, "shared") == 0)
    problem_at (reading, config_node_at (group, "id"), "no store may have the id \"shared\"");
  if (store->timezone) {
    if (!zone_exists (zones, store->timezone))
      problem_at (reading, config_node_at (group, "timezone"),
                  "timezone is \"%s\", expected an IANA zone like \"America/Los_Angeles\"", store->timezone);
  }
  if (store->currency &&
      (strlen (store->currency) != 3 || strspn (store->currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
    problem_at (reading, config_node_at (group, "currency"),
                "currency is \"%s\", expected three capital letters of ISO 4217 like \"USD\"",
                store->currency);
}

/* A group of texts; what it is given as is kept in `other`. */
static const ConfigNode *
read_texts (const ConfigNode *group, const char *key, Reading *reading)
{
  const ConfigNode *node = config_node_at (group, key);
  if (!node)
    return NULL;
  if (node->type != NODE_GROUP) {
    g_autofree char *found = node_in_words (node);
    problem_at (reading, node, "%s is %s, expected a group of texts", key, found);
    return NULL;
  }
  for (guint i = 0; i < node->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (node->children, i);
    if (child->type != NODE_TEXT || !*child->text || !g_utf8_validate (child->text, -1, NULL)) {
      g_autofree char *found = node_in_words (child);
      problem_at (reading, child, "%s.%s is %s, expected a text", key, child->name, found);
      return NULL;
    }
  }
  return node;
}

static void
check_order_messages (const ConfigNode *messages, const ConfigNode *templates, Reading *reading)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; templates && i < templates->children->len; i++)
    g_ptr_array_add (names, ((const ConfigNode *)g_ptr_array_index (templates->children, i))->name);
  g_ptr_array_add (names, NULL);
  for (guint i = 0; messages && i < messages->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (messages->children, i);
    if (!g_strv_contains (statuses, child->name)) {
      ConfigProblem *problem =
        problem_at (reading, child, "order_messages: \"%s\" is no status of an order", child->name);
      problem_nearest (problem, child, child->name, statuses);
    }
    if (!g_strv_contains ((const char *const *)names->pdata, child->text)) {
      ConfigProblem *problem = problem_at (
        reading, child, "order_messages.%s is \"%s\", which is no template", child->name, child->text);
      problem_nearest (problem, child, child->text, (const char *const *)names->pdata);
    }
  }
}

static void
read_other (ConfigStore *store, const ConfigNode *group, Reading *reading)
{
  static const char *const kept[] = { "check_stock", "templates", "order_messages", "quiet_hours", "caps" };
  const ConfigNode *templates = read_texts (group, "templates", reading);
  check_order_messages (read_texts (group, "order_messages", reading), templates, reading);
  const ConfigNode *quiet = config_node_at (group, "quiet_hours");
  if (quiet && quiet->type == NODE_GROUP &&
      !config_node_at (quiet, "from") != !config_node_at (quiet, "until"))
    problem_at (reading, quiet, "quiet_hours needs both from and until");
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++) {
    const ConfigNode *node = config_node_at (group, kept[i]);
    if (!node)
      continue;
    json_object_object_add (store->other, kept[i], node_to_json (node));
    if (g_str_equal (kept[i], "templates") || g_str_equal (kept[i], "order_messages"))
      show_value (store->shown, kept[i], node_to_json (node), node);
  }
}

static void
read_connectors (DropIn *drop_in, Reading *reading, const Plugins *plugins)
{
  const ConfigNode *group = config_node_at (drop_in->group, "connectors");
  if (!group)
    return;
  if (group->type != NODE_GROUP) {
    g_autofree char *found = node_in_words (group);
    problem_at (reading, group, "connectors is %s, expected a group of groups", found);
    return;
  }
  for (guint i = 0; i < group->children->len; i++) {
    ConfigConnector *connector =
      connector_read (drop_in, reading, g_ptr_array_index (group->children, i), plugins);
    if (connector)
      g_ptr_array_add (drop_in->store->connectors, connector);
  }
}

void
config_store_read (DropIn *drop_in, GPtrArray *problems, const Plugins *plugins)
{
  const ConfigNode *group = drop_in->group, *id = config_node_at (group, "id");
  gboolean shared = g_strcmp0 (group->name, "shared") == 0;
  ConfigStore *store = drop_in->store = g_new0 (ConfigStore, 1);
  drop_in->id =
    g_strdup (shared                                                                             ? "shared"
              : id && id->type == NODE_TEXT && g_utf8_validate (id->text, -1, NULL) && *id->text ? id->text
                                                                                                 : NULL);
  Reading reading = { problems, drop_in->id ? drop_in->id : drop_in->shown, 0 };
  store->connectors = g_ptr_array_new_with_free_func ((GDestroyNotify)connector_free);
  store->other = json_object_new_object ();
  store->shown = shown_new ();
  store->file = g_strdup (drop_in->shown);
  if (shared) {
    store->id = g_strdup ("shared");
    store->name = g_strdup ("shared");
    store->timezone = g_strdup ("UTC");
    store->currency = g_strdup ("");
    table_report_unknown (&shared_table, &reading, group);
  } else {
    table_read (&store_table, &reading, group, drop_in->folder, store, store->shown);
    table_report_unknown (&store_table, &reading, group);
    check_identity (store, group, drop_in->zones, &reading);
    if (!store->name && store->id) {
      store->name = g_strdup (store->id);
      show_value (store->shown, "name", json_object_new_string (store->id), NULL);
    }
    read_other (store, group, &reading);
  }
  read_connectors (drop_in, &reading, plugins);
  drop_in->errors += reading.errors;
}
