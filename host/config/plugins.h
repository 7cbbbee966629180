/* What is installed: the plugin files of the configured folders, and what each says of itself. Nothing is
 * loaded here: `tillbridge-worker --describe FILE` is asked, several at a time, and its answer is read. */
#pragma once
#include <glib.h>
#include <json-c/json.h>

typedef enum {
  SETTING_TEXT,
  SETTING_SECRET,
  SETTING_INTEGER,
  SETTING_DECIMAL,
  SETTING_BOOLEAN,
  SETTING_CHOICE,
  SETTING_URL,
  SETTING_DURATION,
  SETTING_TEXT_LIST,
  SETTING_SECRET_LIST
} SettingType;

typedef struct {
  char *key, *standard, *when, *help;
  char **choices;
  SettingType type;
  gboolean required;
  gint64 least, most; /* both 0: no range; of a duration in milliseconds */
} PluginSetting;

typedef struct {
  char *name, *when, *help;
  guint kinds;   /* bits of tb_kind */
  char *missing; /* "stays" "deleted" "zero" */
  gboolean changes, item_only, fetch;
  gint64 every_ms, least_ms, full_every_ms, overlap_ms, deadline_ms;
} PluginStream;

typedef struct {
  char *name; /* of the file, without .so: what drop-ins write */
  char *file;
  char *identity; /* device, inode, size and mtime of the file: another file, another identity */
  char *version, *title, *sdk;
  char *refused;                 /* why it cannot be used; then nothing below is filled */
  GPtrArray *settings, *streams; /* PluginSetting, PluginStream */
  char **capabilities;
  json_object *description; /* as the worker gave it */
} PluginInfo;

typedef struct Plugins Plugins;

/* Looks through the folders, asks the worker about every .so (a file whose identity is in `known` is not
 * asked again; may be NULL). worker: path of tillbridge-worker. */
Plugins *plugins_scan (char **folders, const char *worker, Plugins *known);
/* What was saved, to be handed to plugins_scan() as `known`; empty when there is nothing of use. */
Plugins *plugins_load (const char *path, const char *worker);
void plugins_save (const Plugins *plugins, const char *path, const char *worker);
void plugins_free (Plugins *plugins);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plugins, plugins_free)
const PluginInfo *plugins_find (const Plugins *plugins, const char *name); /* NULL: not installed */
GPtrArray *plugins_all (const Plugins *plugins); /* PluginInfo by name; owned by plugins */
const PluginStream *plugin_info_stream (const PluginInfo *info, const char *name);
gboolean plugin_info_can (const PluginInfo *info, const char *capability);

/* A setting's default, typed as a connector's settings are. The setting must have one. */
json_object *plugin_setting_standard (const PluginSetting *setting);

/* What is installed, told instead of looked for: takes the array of PluginInfo (for tests). */
Plugins *plugins_new (GPtrArray *infos);

/* Reads a description; NULL with error when it is not one. Also for tests. */
PluginInfo *plugin_info_from_json (const char *name, const char *file, json_object *description,
                                   GError **error);

/* Beside our own program, then in libexecdir. Free with g_free(). */
char *worker_program (void);
