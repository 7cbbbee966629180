/* Endpoints of a connector, made out of the plugin's rows and the connector's settings. */
#include <string.h>

#include <gio/gio.h>

#include "worker/endpoint_private.h"
#include "worker/loader.h"
#include "worker/template.h"

static const char *
setting_text (const char *name, gpointer data)
{
  const Connector *connector = data;
  if (!plugin_setting (connector->worker->plugin, name) &&
      !json_object_object_get_ex (connector->settings, name, NULL))
    return NULL;
  const char *text = connector_setting (connector, name, 0);
  return text ? text : "";
}

/* The same, with {token} left as it stands: it is put in at each try. */
static const char *
setting_or_token (const char *name, gpointer data)
{
  return g_str_equal (name, "token") ? "{token}" : setting_text (name, data);
}

gboolean
when_holds (const char *when, const Connector *connector)
{
  return when_text_holds (when, setting_text, (gpointer)connector);
}

static void
credential_clear (gpointer data)
{
  Credential *credential = data;
  if (credential->value)
    explicit_bzero (credential->value, strlen (credential->value));
  g_free (credential->name);
  g_free (credential->value);
}

static void
endpoint_free (Endpoint *endpoint)
{
  g_free (endpoint->url);
  g_free (endpoint->origin);
  g_array_unref (endpoint->credentials);
  rules_free (endpoint->rules);
  json_path_free (endpoint->words);
  account_unref (endpoint->account);
  g_free (endpoint);
}

static gboolean
fill_url (Endpoint *endpoint, GError **error)
{
  endpoint->url = template_fill (endpoint->row->url, TEMPLATE_URL, setting_text, endpoint->connector, error);
  if (!endpoint->url)
    return FALSE;
  endpoint->origin = http_origin (endpoint->url);
  if (!endpoint->origin)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "\"%s\" is no http or https address: mend url",
                 endpoint->url);
  return endpoint->origin != NULL;
}

static gboolean
fill_credentials (Endpoint *endpoint, GError **error)
{
  const tb_endpoint *row = endpoint->row;
  for (guint i = 0; i < row->credentials.count; i++) {
    const tb_credential *from = &row->credentials.first[i];
    if (!when_holds (from->when, endpoint->connector))
      continue;
    Credential to = { .place = from->place, .token = template_names (from->value, "token") };
    to.name = template_fill (from->name, TEMPLATE_TEXT, setting_text, endpoint->connector, error);
    to.value = to.name
                 ? template_fill (from->value, TEMPLATE_TEXT, setting_or_token, endpoint->connector, error)
                 : NULL;
    g_array_append_val (endpoint->credentials, to);
    if (!to.value)
      return FALSE;
    if (to.token && !row->authorize) {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   "{token} in credential %s, and no authorize to get one", to.name);
      return FALSE;
    }
  }
  return TRUE;
}

static void
add_name (const char *name, gpointer data)
{
  if (!g_str_equal (name, "token"))
    g_ptr_array_add (data, g_strdup (name));
}

GPtrArray *
endpoint_account (const tb_plugin_info *info, const tb_endpoint *row)
{
  g_autoptr (GPtrArray) named = g_ptr_array_new_with_free_func (g_free);
  GPtrArray *keys = g_ptr_array_new ();
  template_each (row->url, add_name, named);
  for (guint i = 0; i < row->credentials.count; i++) {
    template_each (row->credentials.first[i].name, add_name, named);
    template_each (row->credentials.first[i].value, add_name, named);
  }
  for (guint i = 0; i < info->settings.count; i++) {
    const tb_setting *setting = &info->settings.first[i];
    gboolean read_by_code =
      (row->authorize || row->sign) &&
      (setting->required == TB_REQUIRED || setting->type == TB_SECRET || setting->type == TB_SECRET_LIST);
    if (read_by_code || g_ptr_array_find_with_equal_func (named, setting->key, g_str_equal, NULL))
      g_ptr_array_add (keys, (gpointer)setting->key);
  }
  return keys;
}

/* Which row, its address, and the values of its account settings: hashed, so that no secret lies about as a
 * key. */
static char *
account_key (const Endpoint *endpoint)
{
  const Connector *connector = endpoint->connector;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (GPtrArray) keys = endpoint_account (plugin_info (connector->worker->plugin), endpoint->row);
  g_checksum_update (sum, (const guchar *)endpoint->url, (gssize)strlen (endpoint->url) + 1);
  g_checksum_update (sum, (const guchar *)endpoint->row->name, (gssize)strlen (endpoint->row->name) + 1);
  for (guint i = 0; i < keys->len; i++) {
    json_object *value = json_object_object_get (connector->settings, keys->pdata[i]);
    const char *text = value ? json_object_to_json_string (value) : "";
    g_checksum_update (sum, keys->pdata[i], (gssize)strlen (keys->pdata[i]) + 1);
    g_checksum_update (sum, (const guchar *)text, (gssize)strlen (text) + 1);
  }
  return g_strdup (g_checksum_get_string (sum));
}

static PaceLimits
limits_of (const Endpoint *endpoint)
{
  const Connector *connector = endpoint->connector;
  const tb_pace *pace = &endpoint->row->pace;
  gboolean ours = connector->per_second > 0;
  return (PaceLimits){ .per_second = ours ? connector->per_second : pace->per_second,
                       .burst = connector->burst       ? connector->burst
                                : ours && !pace->burst ? 1
                                                       : pace->burst,
                       .at_once = connector->at_once ? connector->at_once : pace->at_once };
}

static Endpoint *
endpoint_make (Connector *connector, const tb_endpoint *row, GError **error)
{
  Endpoint *endpoint = g_new0 (Endpoint, 1);
  endpoint->connector = connector;
  endpoint->row = row;
  endpoint->credentials = g_array_new (FALSE, TRUE, sizeof (Credential));
  g_array_set_clear_func (endpoint->credentials, credential_clear);
  retry_budget_init (&endpoint->budget);
  endpoint->words = row->words ? json_path_new (row->words, row->any_case) : NULL;
  endpoint->rules = rules_new (row->rules.first, row->rules.count, row->any_case, error);
  if (row->words && !endpoint->words)
    g_clear_pointer (&endpoint->rules, rules_free);
  if (row->words && !endpoint->words && error && !*error)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "words: \"%s\" is no path", row->words);
  if (!endpoint->rules || !fill_url (endpoint, error) || !fill_credentials (endpoint, error)) {
    g_prefix_error (error, "endpoint %s: ", row->name);
    endpoint_free (endpoint);
    return NULL;
  }
  PaceLimits limits = limits_of (endpoint);
  g_autofree char *key = account_key (endpoint);
  endpoint->account = account_get (connector->worker, key, &limits);
  return endpoint;
}

gboolean
endpoints_make (Connector *connector, GError **error)
{
  const tb_plugin_info *info = plugin_info (connector->worker->plugin);
  g_autoptr (GPtrArray) made = g_ptr_array_new_with_free_func ((GDestroyNotify)endpoint_free);
  for (guint i = 0; i < info->endpoints.count; i++) {
    const tb_endpoint *row = &info->endpoints.first[i];
    if (!when_holds (row->when, connector))
      continue;
    Endpoint *endpoint = endpoint_make (connector, row, error);
    if (!endpoint)
      return FALSE;
    g_ptr_array_add (made, endpoint);
  }
  endpoints_free (connector);
  connector->endpoints = g_steal_pointer (&made);
  return TRUE;
}

void
endpoints_free (Connector *connector)
{
  g_clear_pointer (&connector->endpoints, g_ptr_array_unref);
}
