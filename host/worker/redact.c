/* What people are told and may read in logs holds no secret: neither a setting's nor a token. */
#include "worker/worker.h"

#include <string.h>
#include "worker/loader.h"

enum { SECRET_LEAST = 4 }; /* bytes: what is shorter stands in any text */

/* As it is, and as it stands in a URL. */
static void
take_out (GString *text, const char *secret)
{
  if (strlen (secret) < SECRET_LEAST)
    return;
  g_autofree char *escaped = g_uri_escape_string (secret, NULL, FALSE);
  g_string_replace (text, secret, "***", 0);
  if (strcmp (escaped, secret) != 0)
    g_string_replace (text, escaped, "***", 0);
}

void
call_redact (const Call *call, GString *text)
{
  const tb_plugin_info *info = plugin_info (call->worker->plugin);
  for (guint i = 0; i < info->settings.count; i++) {
    const tb_setting *setting = &info->settings.first[i];
    if (setting->type != TB_SECRET && setting->type != TB_SECRET_LIST)
      continue;
    for (gsize k = 0; k == 0 || setting->type == TB_SECRET_LIST; k++) {
      const char *secret = connector_setting (call->connector, setting->key, k);
      if (!secret)
        break;
      take_out (text, secret);
    }
  }
  for (guint i = 0; i < call->secrets->len; i++) /* tokens among them */
    take_out (text, g_array_index (call->secrets, tb_bytes, i).data);
}
