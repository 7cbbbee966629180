/* A plugin's description, read. */
#include "config/plugin-info.h"

#include <string.h>

static void
setting_free (gpointer data)
{
  PluginSetting *setting = data;
  g_free (setting->key);
  g_free (setting->standard);
  g_free (setting->when);
  g_free (setting->help);
  g_strfreev (setting->choices);
  g_free (setting);
}

static void
stream_free (gpointer data)
{
  PluginStream *stream = data;
  g_free (stream->name);
  g_free (stream->when);
  g_free (stream->help);
  g_free (stream->missing);
  g_free (stream);
}

void
plugin_info_free (PluginInfo *info)
{
  if (!info)
    return;
  g_free (info->name);
  g_free (info->file);
  g_free (info->identity);
  g_free (info->version);
  g_free (info->title);
  g_free (info->sdk);
  g_free (info->refused);
  g_ptr_array_unref (info->settings);
  g_ptr_array_unref (info->streams);
  g_strfreev (info->capabilities);
  json_object_put (info->description);
  g_free (info);
}

PluginInfo *
plugin_info_new (const char *name, const char *file)
{
  PluginInfo *info = g_new0 (PluginInfo, 1);
  info->name = g_strdup (name);
  info->file = g_strdup (file);
  info->settings = g_ptr_array_new_with_free_func (setting_free);
  info->streams = g_ptr_array_new_with_free_func (stream_free);
  info->capabilities = g_new0 (char *, 1);
  return info;
}

/* ---- members; absent ones are empty, false, 0 ---- */

static char *
text (json_object *object, const char *key)
{
  json_object *value = json_object_object_get (object, key);
  const char *string = json_object_is_type (value, json_type_string) ? json_object_get_string (value) : "";
  return *string ? g_strdup (string) : NULL;
}

static gint64
number (json_object *object, const char *key)
{
  return json_object_get_int64 (json_object_object_get (object, key));
}

/* In milliseconds. An int in the SDK, and never below zero: anything else was not written by our worker. */
static gint64
seconds (json_object *object, const char *key)
{
  return CLAMP (number (object, key), 0, G_MAXINT32) * 1000;
}

static gboolean
flag (json_object *object, const char *key)
{
  return json_object_get_boolean (json_object_object_get (object, key));
}

static char **
words (json_object *object, const char *key)
{
  json_object *list = json_object_object_get (object, key);
  gsize count = json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
  char **out = g_new0 (char *, count + 1);
  for (gsize i = 0; i < count; i++) {
    const char *word = json_object_get_string (json_object_array_get_idx (list, i));
    out[i] = g_strdup (word ? word : "");
  }
  return out;
}

static gboolean
each (json_object *object, const char *key, gsize i, json_object **one)
{
  json_object *list = json_object_object_get (object, key);
  if (!json_object_is_type (list, json_type_array) || i >= json_object_array_length (list))
    return FALSE;
  *one = json_object_array_get_idx (list, i);
  return json_object_is_type (*one, json_type_object);
}

static gboolean
fail (GError **error, const char *format, const char *what)
{
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_INVAL, format, what);
  return FALSE;
}

static gboolean
read_setting (PluginInfo *info, json_object *object, GError **error)
{
  static const char *const types[] = { "text",   "secret", "integer",  "decimal",   "boolean",
                                       "choice", "url",    "duration", "text_list", "secret_list" };
  g_autofree char *key = text (object, "key"), *type = text (object, "type");
  guint i = 0;
  while (i < G_N_ELEMENTS (types) && g_strcmp0 (types[i], type) != 0)
    i++;
  if (!key)
    return fail (error, "a setting has no key%s", "");
  if (i == G_N_ELEMENTS (types))
    return fail (error, "setting %s has a type that is not known", key);
  PluginSetting *setting = g_new0 (PluginSetting, 1);
  setting->key = g_steal_pointer (&key);
  setting->type = (SettingType)i;
  setting->required = flag (object, "required");
  setting->standard = text (object, "default");
  setting->when = text (object, "when");
  setting->help = text (object, "help");
  setting->choices = words (object, "choices");
  if (!*setting->choices)
    g_clear_pointer (&setting->choices, g_strfreev);
  setting->least = number (object, "least");
  setting->most = number (object, "most");
  g_ptr_array_add (info->settings, setting);
  return TRUE;
}

static gboolean
read_stream (PluginInfo *info, json_object *object, GError **error)
{
  /* The SDK's bits, in the order of enum tb_kind. */
  static const char *const kinds[] = { "products", "inventory", "promotions", "customers",
                                       "orders",   "messages",  "insights" };
  g_autofree char *name = text (object, "name");
  if (!name)
    return fail (error, "a stream has no name%s", "");
  PluginStream *stream = g_new0 (PluginStream, 1);
  g_auto (GStrv) list = words (object, "kinds");
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (g_strv_contains ((const char *const *)list, kinds[i]))
      stream->kinds |= 1u << i;
  stream->name = g_steal_pointer (&name);
  stream->when = text (object, "when");
  stream->help = text (object, "help");
  stream->missing = text (object, "missing");
  if (!stream->missing)
    stream->missing = g_strdup ("stays");
  stream->changes = flag (object, "changes");
  stream->item_only = flag (object, "item_only");
  stream->fetch = flag (object, "fetch");
  stream->every_ms = seconds (object, "every_s");
  stream->least_ms = seconds (object, "least_s");
  stream->full_every_ms = seconds (object, "full_every_s");
  stream->overlap_ms = seconds (object, "overlap_s");
  stream->deadline_ms = seconds (object, "deadline_s");
  g_ptr_array_add (info->streams, stream);
  return TRUE;
}

PluginInfo *
plugin_info_from_json (const char *name, const char *file, json_object *description, GError **error)
{
  PluginInfo *info = plugin_info_new (name, file);
  json_object *one;
  gboolean good =
    json_object_is_type (description, json_type_object) || fail (error, "it is no description%s", "");
  for (gsize i = 0; good && each (description, "settings", i, &one); i++)
    good = read_setting (info, one, error);
  for (gsize i = 0; good && each (description, "streams", i, &one); i++)
    good = read_stream (info, one, error);
  if (!good) {
    plugin_info_free (info);
    return NULL;
  }
  info->version = text (description, "version");
  info->title = text (description, "title");
  info->sdk = text (description, "sdk");
  if (!info->title)
    info->title = g_strdup (name);
  g_strfreev (info->capabilities);
  info->capabilities = words (description, "capabilities");
  info->description = json_object_get (description);
  return info;
}

const PluginStream *
plugin_info_stream (const PluginInfo *info, const char *name)
{
  for (guint i = 0; i < info->streams->len; i++) {
    const PluginStream *stream = g_ptr_array_index (info->streams, i);
    if (strcmp (stream->name, name) == 0)
      return stream;
  }
  return NULL;
}

gboolean
plugin_info_can (const PluginInfo *info, const char *capability)
{
  return g_strv_contains ((const char *const *)info->capabilities, capability);
}

json_object *
plugin_setting_standard (const PluginSetting *setting)
{
  const char *standard = setting->standard;
  switch (setting->type) {
  case SETTING_INTEGER:
    return json_object_new_int64 (g_ascii_strtoll (standard, NULL, 10));
  case SETTING_DECIMAL:
    return json_object_new_double (g_ascii_strtod (standard, NULL));
  case SETTING_BOOLEAN:
    return json_object_new_boolean (g_ascii_strcasecmp (standard, "true") == 0);
  case SETTING_TEXT_LIST:
  case SETTING_SECRET_LIST: {
    json_object *list = json_tokener_parse (standard);
    if (json_object_is_type (list, json_type_array))
      return list;
    json_object_put (list);
    list = json_object_new_array ();
    json_object_array_add (list, json_object_new_string (standard));
    return list;
  }
  default: { /* a text, which may stand in its quotes */
    gsize length = strlen (standard);
    gboolean quoted = length >= 2 && standard[0] == '"' && standard[length - 1] == '"';
    return quoted ? json_object_new_string_len (standard + 1, (int)length - 2)
                  : json_object_new_string (standard);
  }
  }
}
