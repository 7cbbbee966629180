/* tillbridge.conf and conf.d, read, checked against the plugins' descriptions, and compared on reload.
 *
 * Every mistake is found in one go and told with file, line, column, what was expected, the nearest right
 * name and how to mend it. A store with mistakes is left out (at a reload it keeps its running
 * configuration); the others run. */
#pragma once
#include <glib.h>
#include <json-c/json.h>
#include "base/log.h"
#include "config/plugins.h"
#include "json/shape.h"

typedef struct {
  char *file;
  int line, column; /* from 1; 0: not known */
  gboolean warning;
  char *text;      /* "no setting \"api_kye\" in plugin treez" */
  char *hint;      /* "did you mean \"api_key\"?", NULL */
  char *fix;       /* "apt install tillbridge-plugin-blaze", NULL */
  char *source;    /* the line itself, NULL */
  int width, mark; /* of what is underlined; the column in `source`, where strings may be hidden */
  char *store;     /* the store it stops, NULL: the host's file */
} ConfigProblem;

/* A value as it may be shown, and where it comes from. */
typedef struct {
  const char *key; /* "sync.products"; a GRefString, as file */
  json_object *value;
  const char *file; /* NULL: it is the default */
  int line;
} ConfigShown;

typedef struct {
  char *file; /* absolute path of tillbridge.conf; NULL when none was there and defaults run */
  char *api, *webhooks, *socket; /* "127.0.0.1:8420"; NULL: off */
  char *state, *conf_d, *public_url, *database, *master_key;
  char **plugins, **origins;
  gboolean unjailed;
  LogLevel log;
  gint64 worker_memory, body, webhook_body;
  int worker_calls, connections, outbox_per_store;
  gint64 keep_changes_ms, keep_calls_ms, keep_calls_ok_ms, keep_passes_ms, keep_rejects_ms, keep_inbox_ms,
    keep_dead_ms, keep_orders_ms, keep_messages_ms, keep_audit_ms;
  double late_after, rejected_percent;
  gint64 breaker_open_ms, disk_free;
  int dead_letters;
  char **alert_errors, *alert_messages, **alert_phones,
    *alert_url;  /* "shared/airbrake", "shared/sms"; NULL: none */
  GArray *shown; /* ConfigShown, for config_show() and config_compare() */
} ConfigHost;

typedef struct {
  gboolean off;
  gint64 every_ms, full_every_ms; /* 0: the plugin's */
} ConfigSync;

typedef struct {
  char *store, *name; /* "downtown", "pos" */
  char *plugin, *url;
  gboolean enabled, allow_private, sync_off;
  GHashTable *sync;  /* stream name -> ConfigSync */
  double per_second; /* pace; 0: the plugin's */
  int burst, at_once;
  gint64 per_month;
  gint64 timeout_ms; /* 0: the plugin's */
  char *proxy, *on_doubt;
  json_object
    *settings;   /* key -> text, number, boolean or list, with defaults; env: and file: are resolved */
  GArray *shown; /* ConfigShown: the same for people, secrets masked */
  char *file;
  int line;
} ConfigConnector;

typedef struct {
  char *id, *name, *timezone, *currency; /* id "shared" for shared connectors: timezone UTC, currency "" */
  char *catalogue, *orders, *customers;  /* connector names; NULL: none can */
  char **messages, **analytics, **errors;
  GPtrArray *connectors; /* ConfigConnector, in file order */
  json_object *other;    /* check_stock, templates, order_messages, quiet_hours, caps as read */
  GArray *shown;         /* ConfigShown: the store's own keys */
  char *file;
} ConfigStore;

typedef struct {
  ConfigHost *host;
  GPtrArray *stores;    /* ConfigStore, by id; those without errors */
  GPtrArray *broken;    /* ids (or file names where no id could be read) of stores with errors: char* */
  GPtrArray *problems;  /* ConfigProblem, in file order */
  gboolean host_broken; /* tillbridge.conf itself has errors: nothing of this may be applied */
} Config;

/* Reads tillbridge.conf (file NULL: the default; a default that is missing is an empty one) and all drop-ins.
 * plugins: what is installed; owned by the caller. Never fails as a whole: see problems. */
Config *config_read (const char *file, Plugins *plugins);
/* tillbridge.conf alone: enough to find state, plugins and socket. */
ConfigHost *config_read_host (const char *file, GPtrArray *problems);
/* Drop-ins alone, for `tillbridge check FILE...`. */
Config *config_read_files (const ConfigHost *host, char **files, Plugins *plugins);
void config_free (Config *config);
void config_host_free (ConfigHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Config, config_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfigHost, config_host_free)

ConfigStore *config_find_store (const Config *config, const char *id);
ConfigConnector *config_find_connector (const Config *config, const char *store, const char *name);
gboolean config_connector_equal (const ConfigConnector *a, const ConfigConnector *b); /* settings included */

/* The problem as it is shown: "conf.d/downtown.conf:9:13: error: ..." with the line, the mark and the hint
 * below. */
char *config_problem_to_text (const ConfigProblem *problem, gboolean colour);
/* {"file","line","column","severity","text","hint","fix","store"} */
json_object *config_problem_to_json (const ConfigProblem *problem);
extern const Shape config_problem_shape, config_change_shape; /* of the two in JSON */

/* The plan of a reload, as SURFACES 6 says:
 * [{"op":"+|~|-","what":"downtown/pos","key":"sync.products","from":..,"to":..}], secrets masked. *restart:
 * tillbridge.conf changes something that needs one. */
json_object *config_compare (const Config *running, const Config *wanted, gboolean *restart);

/* The effective configuration, secrets masked; store NULL: all; all: defaults too; origin: where each value
 * came from. */
json_object *config_show (const Config *config, const char *store, gboolean all, gboolean origin);
