/* tillbridge.conf: its table, and reading it. */
#include "config/reading.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define AT(field) G_STRUCT_OFFSET (ConfigHost, field)
#define SIZE_MOST (1024.0 * 1024 * 1024 * 1024)
#define TEN_YEARS (3650.0 * 86400000)
#define KEEP(key, days, field, what)                                                                         \
  {                                                                                                          \
    "keep." key, KEY_DURATION, days, NULL, NULL, 60000, TEN_YEARS, FALSE, FALSE, AT (field), what            \
  }

static const TableKey keys[] = {
  { "listen.api", KEY_ADDRESS, "127.0.0.1:8420", NULL, NULL, 0, 0, FALSE, TRUE, AT (api),
    "where the API listens; port 0: any, told in `<state>/listen.json`" },
  { "listen.webhooks", KEY_ADDRESS, "127.0.0.1:8421", NULL, NULL, 0, 0, FALSE, TRUE, AT (webhooks),
    "where vendors' webhooks arrive" },
  { "listen.socket", KEY_SOCKET, RUNSTATEDIR "/tillbridge/api.sock", "`\"/run/tillbridge/api.sock\"`", NULL,
    0, 0, FALSE, TRUE, AT (socket), "the API's Unix socket" },
  { "state", KEY_PATH, LOCALSTATEDIR "/lib/tillbridge", "`\"/var/lib/tillbridge\"`", NULL, 0, 0, FALSE, TRUE,
    AT (state), "the folder of all that is remembered" },
  { "conf_d", KEY_PATH, SYSCONFDIR "/tillbridge/conf.d", "`\"/etc/tillbridge/conf.d\"`", NULL, 0, 0, FALSE,
    FALSE, AT (conf_d), "the folder of the drop-ins: `*.conf` in name order, no subfolders" },
  { "plugins", KEY_PATHS, PLUGINSDIR, "`\"/usr/lib/<triplet>/tillbridge/plugins\"`", NULL, 0, 0, FALSE, FALSE,
    AT (plugins), "where plugins lie; the first file of a name wins" },
  { "public_url", KEY_URL, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (public_url),
    "where vendors reach the webhooks listener; without it no webhook is registered; `http://` is taken with "
    "a warning" },
  { "database", KEY_DATABASE, "sqlite", NULL, NULL, 0, 0, FALSE, TRUE, AT (database),
    "`\"sqlite\"`: `<state>/tillbridge.db`" },
  { "unjailed", KEY_BOOLEAN, "false", NULL, NULL, 0, 0, FALSE, TRUE, AT (unjailed),
    "run plugins although the kernel lacks a part of the jail (which is not built yet)" },
  { "origins", KEY_TEXTS, "", NULL, NULL, 0, 0, FALSE, FALSE, AT (origins),
    "browsers' origins that may call the API (CORS), such as `\"https://menu.example\"`" },
  { "master_key", KEY_PATH, NULL, NULL, NULL, 0, 0, FALSE, TRUE, AT (master_key),
    "a file of mode 0600; without it the systemd credential `tillbridge.master`" },
  { "log", KEY_LOG, "info", NULL, "error warning info debug", 0, 0, FALSE, FALSE, AT (log),
    "what is logged" },
  { "limits.worker_memory", KEY_SIZE, "512M", NULL, NULL, 16777216, SIZE_MOST, FALSE, FALSE,
    AT (worker_memory), "of one worker" },
  { "limits.worker_calls", KEY_COUNT, "10000", NULL, NULL, 1, 1000000, FALSE, FALSE, AT (worker_calls),
    "calls in one worker at once" },
  { "limits.body", KEY_SIZE, "1M", NULL, NULL, 1024, SIZE_MOST, FALSE, FALSE, AT (body),
    "of a request to the API" },
  { "limits.webhook_body", KEY_SIZE, "1M", NULL, NULL, 1024, SIZE_MOST, FALSE, FALSE, AT (webhook_body),
    "of a webhook" },
  { "limits.connections", KEY_COUNT, "4096", NULL, NULL, 1, 1000000, FALSE, FALSE, AT (connections),
    "to each listener" },
  { "limits.outbox_per_store", KEY_COUNT, "10000", NULL, NULL, 1, 10000000, FALSE, FALSE,
    AT (outbox_per_store), "what may wait to go out" },
  KEEP ("changes", "30d", keep_changes_ms, "deletions in the feed"),
  KEEP ("calls", "7d", keep_calls_ms, "calls that failed"),
  KEEP ("calls_ok", "1d", keep_calls_ok_ms, "the sample of calls that went well"),
  KEEP ("passes", "30d", keep_passes_ms, "passes that ended"),
  KEEP ("rejects", "30d", keep_rejects_ms, "records that were set aside"),
  KEEP ("inbox", "30d", keep_inbox_ms, "webhooks that were handled"),
  KEEP ("dead", "90d", keep_dead_ms, "dead letters"),
  KEEP ("orders", "400d", keep_orders_ms, "orders that are final"),
  KEEP ("messages", "400d", keep_messages_ms, "messages"),
  KEEP ("audit", "400d", keep_audit_ms, "the audit log"),
  { "alerts.late_after", KEY_DECIMAL, "2.0", NULL, NULL, 1, 1000, FALSE, FALSE, AT (late_after),
    "a stream is late after this many times its interval" },
  { "alerts.breaker_open", KEY_DURATION, "10m", NULL, NULL, 1000, TEN_YEARS, FALSE, FALSE,
    AT (breaker_open_ms), "a vendor that is away for this long" },
  { "alerts.dead_letters", KEY_COUNT, "1", NULL, NULL, 1, 1000000, FALSE, FALSE, AT (dead_letters),
    "this many dead letters" },
  { "alerts.rejected_percent", KEY_DECIMAL, "5", NULL, NULL, 0, 100, FALSE, FALSE, AT (rejected_percent),
    "this share of a pass was set aside" },
  { "alerts.disk_free", KEY_SIZE, "1G", NULL, NULL, 1, SIZE_MOST, FALSE, FALSE, AT (disk_free),
    "less than this is free where `state` lies" },
  { "alerts.errors", KEY_TEXTS, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (alert_errors),
    "connectors that take alerts as errors: `[\"shared/airbrake\"]`" },
  { "alerts.messages", KEY_TEXT, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (alert_messages),
    "the connector that texts alerts: `\"shared/sms\"`" },
  { "alerts.phones", KEY_TEXTS, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (alert_phones),
    "to whom: `[\"+15550100\"]`" },
  { "alerts.url", KEY_URL, NULL, NULL, NULL, 0, 0, FALSE, FALSE, AT (alert_url), "alerts are posted here" },
};

const Table host_table = { "tillbridge.conf", keys, G_N_ELEMENTS (keys) };

void
config_host_free (ConfigHost *host)
{
  if (!host)
    return;
  g_free (host->file);
  g_free (host->api);
  g_free (host->webhooks);
  g_free (host->socket);
  g_free (host->state);
  g_free (host->conf_d);
  g_free (host->public_url);
  g_free (host->database);
  g_free (host->master_key);
  g_strfreev (host->plugins);
  g_strfreev (host->origins);
  g_strfreev (host->alert_errors);
  g_free (host->alert_messages);
  g_strfreev (host->alert_phones);
  g_free (host->alert_url);
  g_clear_pointer (&host->shown, g_array_unref);
  g_free (host);
}

static gboolean
is_phone (const char *text)
{
  gsize digits = *text == '+' ? strspn (text + 1, "0123456789") : 0;
  return digits >= 7 && digits <= 15 && !text[digits + 1] && text[1] != '0';
}

/* What browsers send as Origin, to the letter: otherwise it would never be met. Pages in files say "null" or
 * "file://". */
static gboolean
is_origin (const char *text)
{
  const char *host = strstr (text, "://");
  if (strcmp (text, "null") == 0 || strcmp (text, "file://") == 0)
    return TRUE;
  if (!host || host == text || !host[3] || strpbrk (text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ*?#@\\ "))
    return FALSE;
  gboolean has_default_port = (g_str_has_prefix (text, "https://") && g_str_has_suffix (text, ":443")) ||
                              (g_str_has_prefix (text, "http://") && g_str_has_suffix (text, ":80"));
  return !strchr (host + 3, '/') && !has_default_port;
}

static void
check_host (const ConfigHost *host, const ConfigNode *root, Reading *reading)
{
  if (host->public_url && g_str_has_prefix (host->public_url, "http://"))
    problem_to_warning (reading,
                        problem_at (reading, config_node_at (root, "public_url"),
                                    "public_url is http://, so anybody on the way can read the webhooks"));
  for (char **phone = host->alert_phones; phone && *phone; phone++)
    if (!is_phone (*phone))
      problem_at (reading, config_node_at (root, "alerts.phones"),
                  "alerts.phones holds \"%s\", expected numbers like \"+15550100\"", *phone);
  for (char **origin = host->origins; origin && *origin; origin++)
    if (!is_origin (*origin))
      problem_fix (problem_at (reading, config_node_at (root, "origins"),
                               "origins holds \"%s\", expected origins like \"https://menu.example\"",
                               *origin),
                   "write it as browsers send it: lower case, no path, no slash at the end, no usual port");
}

ConfigHost *
host_read (const char *file, GPtrArray *problems, ConfigTree **tree, gboolean *broken)
{
  ConfigHost *host = g_new0 (ConfigHost, 1);
  Reading reading = { problems, NULL, 0 };
  g_autofree char *path =
    g_canonicalize_filename (file ? file : SYSCONFDIR "/tillbridge/tillbridge.conf", NULL);
  g_autofree char *folder = g_path_get_dirname (path), *name = g_path_get_basename (path);
  host->shown = shown_new ();
  if (file || access (path, F_OK) == 0 || errno != ENOENT)
    *tree = tree_read (&reading, path, name);
  if (*tree)
    host->file = g_strdup (path);
  const ConfigNode *root = *tree ? (*tree)->root : NULL;
  table_read (&host_table, &reading, root, folder, host, host->shown);
  if (root) {
    table_report_unknown (&host_table, &reading, root);
    check_host (host, root, &reading);
  }
  *broken = reading.errors > 0;
  return host;
}

ConfigHost *
config_read_host (const char *file, GPtrArray *problems)
{
  g_autoptr (ConfigTree) tree = NULL;
  gboolean broken;
  return host_read (file, problems, &tree, &broken);
}
