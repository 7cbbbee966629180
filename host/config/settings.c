/* A connector's settings that are the plugin's own: checked against its description. */
#include "config/reading.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/timefmt.h"

typedef struct {
  DropIn *drop_in;
  Reading *reading;
  const ConfigNode *group;
  const PluginInfo *plugin;
  ConfigConnector *connector;
} Settings;

static const PluginSetting *
find (const PluginInfo *plugin, const char *key)
{
  for (guint i = 0; i < plugin->settings->len; i++) {
    const PluginSetting *setting = g_ptr_array_index (plugin->settings, i);
    if (strcmp (setting->key, key) == 0)
      return setting;
  }
  return NULL;
}

static gboolean
is_secret (const PluginSetting *setting)
{
  return setting->type == SETTING_SECRET || setting->type == SETTING_SECRET_LIST;
}

/* ---- unknown keys ---- */

/* The plugin's keys as they are written inside a group of dotted keys, and on the top also those of every
 * connector. */
static GPtrArray *
names_in (const Settings *s, const char *prefix)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  gsize length = strlen (prefix);
  for (guint i = 0; i < s->plugin->settings->len; i++) {
    const char *key = ((const PluginSetting *)g_ptr_array_index (s->plugin->settings, i))->key;
    if (length == 0 || (strncmp (key, prefix, length) == 0 && key[length] == '.'))
      g_ptr_array_add (
        names, g_strndup (key + (length ? length + 1 : 0), strcspn (key + (length ? length + 1 : 0), ".")));
  }
  g_auto (GStrv) ours = table_names (&connector_table, prefix);
  for (char **name = ours; *name; name++)
    g_ptr_array_add (names, g_strdup (*name));
  g_ptr_array_add (names, NULL);
  return names;
}

static gboolean
is_group_of_settings (const PluginInfo *plugin, const char *path)
{
  gsize length = strlen (path);
  for (guint i = 0; i < plugin->settings->len; i++) {
    const char *key = ((const PluginSetting *)g_ptr_array_index (plugin->settings, i))->key;
    if (strncmp (key, path, length) == 0 && key[length] == '.')
      return TRUE;
  }
  return FALSE;
}

static void
check_known (const Settings *s, const ConfigNode *node, const char *path)
{
  if (find (s->plugin, path))
    return;
  if (node->type == NODE_GROUP && is_group_of_settings (s->plugin, path)) {
    for (guint i = 0; i < node->children->len; i++) {
      const ConfigNode *child = g_ptr_array_index (node->children, i);
      g_autofree char *below = g_strdup_printf ("%s.%s", path, child->name);
      check_known (s, child, below);
    }
    return;
  }
  const char *dot = strrchr (path, '.');
  g_autofree char *prefix = dot ? g_strndup (path, (gsize)(dot - path)) : g_strdup ("");
  g_autoptr (GPtrArray) names = names_in (s, prefix);
  ConfigProblem *problem =
    problem_at (s->reading, node, "no setting \"%s\" in plugin %s", path, s->plugin->name);
  problem_nearest (problem, node, node->name, (const char *const *)names->pdata);
}

/* ---- `when`: "generation=v3", "generation!=v3", "auth_token" (is it said?), "!auth_token" ---- */

static char *
text_of (const Settings *s, const char *key)
{
  const ConfigNode *node = config_node_at (s->group, key);
  const PluginSetting *setting = find (s->plugin, key);
  if (node && node->type == NODE_TEXT)
    return g_strdup (node->text);
  if (node)
    return node_in_words (node);
  return g_strdup (setting ? setting->standard : NULL);
}

static gboolean
holds (const Settings *s, const char *when)
{
  gsize length = strcspn (when, "!=");
  if (*when == '!' || !when[length]) {
    g_autofree char *text = text_of (s, when + (*when == '!'));
    return (text != NULL && *text) != (*when == '!');
  }
  g_autofree char *key = g_strndup (when, length), *text = text_of (s, key);
  gboolean differs = when[length] == '!';
  return (g_strcmp0 (text, when + length + (differs ? 2 : 1)) == 0) != differs;
}

/* ---- values ---- */

static void
expected (const Settings *s, const PluginSetting *setting, const ConfigNode *node, const char *what)
{
  static const char *const types[] = { "a group",        "a list",   "a text",
                                       "a whole number", "a number", "true or false" };
  g_autofree char *found = is_secret (setting) ? g_strdup (types[node->type]) : node_in_words (node);
  problem_at (s->reading, node, "%s is %s, expected %s", setting->key, found, what);
}

static gboolean
in_range (const Settings *s, const PluginSetting *setting, const ConfigNode *node, double number)
{
  if ((setting->least == 0 && setting->most == 0) ||
      (number >= (double)setting->least && number <= (double)setting->most))
    return TRUE;
  g_autofree char *least = duration_to_text (setting->least), *most = duration_to_text (setting->most);
  g_autofree char *what = setting->type == SETTING_DURATION
                            ? g_strdup_printf ("from \"%s\" to \"%s\"", least, most)
                            : g_strdup_printf ("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT,
                                               setting->least, setting->most);
  expected (s, setting, node, what);
  return FALSE;
}

static gboolean
is_choice (const Settings *s, const PluginSetting *setting, const ConfigNode *node)
{
  const char *const *choices = (const char *const *)setting->choices;
  if (!choices || g_strv_contains (choices, node->text))
    return TRUE;
  g_autofree char *found = node_in_words (node), *list = g_strjoinv ("\", \"", setting->choices);
  ConfigProblem *problem =
    problem_at (s->reading, node, "%s is %s, expected one of \"%s\"", setting->key, found, list);
  problem_nearest (problem, node, node->text, choices);
  return FALSE;
}

/* One text, resolved; NULL with a problem. */
static json_object *
read_text (const Settings *s, const PluginSetting *setting, const ConfigNode *node)
{
  if (node->type != NODE_TEXT || !g_utf8_validate (node->text, -1, NULL)) {
    expected (s, setting, node, node->type == NODE_INTEGER ? "a text: quote it" : "a text in quotes");
    return NULL;
  }
  if (!*node->text && setting->required) {
    expected (s, setting, node, "a text that is not empty");
    return NULL;
  }
  if (is_secret (setting) && s->drop_in->exposed && *node->text && !value_is_reference (node->text)) {
    ConfigProblem *problem =
      problem_at (s->reading, node, "%s stands in the open in a file that others may read", setting->key);
    problem_fix (problem, "chmod 0640 %s, or write \"file:PATH\" or \"env:NAME\"", s->drop_in->shown);
    problem_to_warning (s->reading, problem);
  }
  g_autofree char *value = value_resolve (s->reading, node, setting->key, s->drop_in->folder);
  if (!value)
    return NULL;
  if (setting->type == SETTING_URL && !is_url (value, "http https")) {
    expected (s, setting, node, "a URL like \"https://host/path\"");
    return NULL;
  }
  return json_object_new_string (value);
}

static json_object *
read_list (const Settings *s, const PluginSetting *setting, const ConfigNode *node)
{
  if (node->type != NODE_LIST && node->type != NODE_TEXT) {
    expected (s, setting, node, "a list of texts like [\"a\", \"b\"]");
    return NULL;
  }
  json_object *list = json_object_new_array ();
  for (guint i = 0; i < (node->type == NODE_LIST ? node->children->len : 1); i++) {
    const ConfigNode *child = node->type == NODE_LIST ? g_ptr_array_index (node->children, i) : node;
    json_object *one = read_text (s, setting, child);
    if (!one) {
      json_object_put (list);
      return NULL;
    }
    json_object_array_add (list, one);
  }
  return list;
}

static json_object *
read_value (const Settings *s, const PluginSetting *setting, const ConfigNode *node)
{
  switch (setting->type) {
  case SETTING_TEXT:
  case SETTING_SECRET:
  case SETTING_URL:
    return read_text (s, setting, node);
  case SETTING_TEXT_LIST:
  case SETTING_SECRET_LIST:
    return read_list (s, setting, node);
  case SETTING_CHOICE:
    if (node->type != NODE_TEXT)
      return read_text (s, setting, node);
    return is_choice (s, setting, node) ? json_object_new_string (node->text) : NULL;
  case SETTING_INTEGER:
    if (node->type != NODE_INTEGER)
      expected (s, setting, node, "a whole number");
    else if (in_range (s, setting, node, node->decimal))
      return json_object_new_int64 (node->integer);
    return NULL;
  case SETTING_DECIMAL:
    if (node->type != NODE_INTEGER && (node->type != NODE_DECIMAL || !isfinite (node->decimal)))
      expected (s, setting, node, "a number");
    else if (in_range (s, setting, node, node->decimal))
      return json_object_new_double (node->decimal);
    return NULL;
  case SETTING_BOOLEAN:
    if (node->type != NODE_BOOLEAN)
      expected (s, setting, node, "true or false");
    return node->type == NODE_BOOLEAN ? json_object_new_boolean (node->boolean) : NULL;
  case SETTING_DURATION: {
    gint64 ms = node->type == NODE_TEXT ? duration_from_text (node->text) : -1;
    if (ms < 0)
      expected (s, setting, node, EXPECTED_DURATION);
    return ms >= 0 && in_range (s, setting, node, (double)ms) ? json_object_new_string (node->text) : NULL;
  }
  }
  g_assert_not_reached ();
}

/* ---- showing ---- */

static json_object *
shown_text (const PluginSetting *setting, const ConfigNode *node)
{
  if (node->type != NODE_TEXT)
    return node_to_json (node);
  if (is_secret (setting) && !value_is_reference (node->text))
    return json_object_new_string ("(hidden)");
  g_autofree char *seen = url_for_show (node->text);
  return json_object_new_string (seen);
}

static json_object *
shown_value (const PluginSetting *setting, const ConfigNode *node)
{
  if (node->type != NODE_LIST)
    return shown_text (setting, node);
  json_object *list = json_object_new_array ();
  for (guint i = 0; i < node->children->len; i++)
    json_object_array_add (list, shown_text (setting, g_ptr_array_index (node->children, i)));
  return list;
}

/* ---- all of them ---- */

static void
read_setting (const Settings *s, const PluginSetting *setting)
{
  const ConfigNode *node = config_node_at (s->group, setting->key);
  if (node && table_find (&connector_table, setting->key))
    return; /* read with what every connector takes */
  if (setting->when && !holds (s, setting->when)) {
    if (node)
      problem_to_warning (s->reading,
                          problem_at (s->reading, node, "%s counts for nothing here: only when %s",
                                      setting->key, setting->when));
    return;
  }
  if (node) {
    json_object *value = read_value (s, setting, node);
    if (value) {
      json_object_object_add (s->connector->settings, setting->key, value);
      show_value (s->connector->shown, setting->key, shown_value (setting, node), node);
    }
    return;
  }
  json_object *standard = setting->standard ? plugin_setting_standard (setting) : NULL;
  if (standard) {
    json_object_object_add (s->connector->settings, setting->key, standard);
    show_value (s->connector->shown, setting->key,
                is_secret (setting) ? json_object_new_string ("(hidden)") : json_object_get (standard), NULL);
  } else if (setting->required) {
    ConfigProblem *problem = problem_at (s->reading, s->group, "%s is missing, which plugin %s needs",
                                         setting->key, s->plugin->name);
    if (setting->help)
      problem_fix (problem, "set %s: %s", setting->key, setting->help);
  }
}

void
settings_read (DropIn *drop_in, Reading *reading, const ConfigNode *group, const PluginInfo *plugin,
               ConfigConnector *connector)
{
  Settings s = { drop_in, reading, group, plugin, connector };
  g_autoptr (GPtrArray) unknown = table_unknown (&connector_table, group);
  for (guint i = 0; i < unknown->len; i++) {
    const TableUnknown *one = g_ptr_array_index (unknown, i);
    check_known (&s, one->node, one->path);
  }
  for (guint i = 0; i < plugin->settings->len; i++)
    read_setting (&s, g_ptr_array_index (plugin->settings, i));
  /* `url` is the connector's; a plugin that describes it gives it a default, and both see the same. */
  json_object *url = json_object_object_get (connector->settings, "url");
  if (url && !connector->url)
    connector->url = g_strdup (json_object_get_string (url));
  else if (!url && connector->url)
    json_object_object_add (connector->settings, "url", json_object_new_string (connector->url));
}
