/* What the files of this room hand each other while a configuration is read. */
#pragma once
#include "config/config.h"
#include "config/problems.h"
#include "config/table.h"
#include "config/tree.h"

/* Reads and parses one file; its syntax errors become problems. NULL: not readable, or not right. */
ConfigTree *tree_read (Reading *reading, const char *path, const char *shown);

/* tillbridge.conf with its tree, for what can be checked only later. */
ConfigHost *host_read (const char *file, GPtrArray *problems, ConfigTree **tree, gboolean *broken);

/* One drop-in while all of them are read. */
typedef struct {
  char *shown;      /* the file, as it is shown */
  char *folder;     /* that relative paths count from */
  char *id;         /* "shared" for shared connectors; NULL: none could be read */
  gboolean exposed; /* others than its owner and group may read or write the file */
  ConfigTree *tree;
  const ConfigNode *group; /* the store, or shared */
  ConfigStore *store;      /* NULL: nothing to go on with */
  GHashTable
    *zones; /* name -> GTimeZone, those that were looked up: making one costs more than all else of a file */
  guint errors;
} DropIn;

/* Reads the store's own keys and its connectors. */
void config_store_read (DropIn *drop_in, GPtrArray *problems, const Plugins *plugins);
void config_store_free (ConfigStore *store);

/* NULL with a problem when it cannot even be named. */
ConfigConnector *connector_read (DropIn *drop_in, Reading *reading, const ConfigNode *group,
                                 const Plugins *plugins);
void connector_free (ConfigConnector *connector);

/* The plugin's own settings. */
void settings_read (DropIn *drop_in, Reading *reading, const ConfigNode *group, const PluginInfo *plugin,
                    ConfigConnector *connector);

/* A text that may be env:NAME, file:PATH or secret:NAME: what it stands for, NULL with a problem. */
char *value_resolve (Reading *reading, const ConfigNode *node, const char *key, const char *folder);
gboolean value_is_reference (const char *text);

/* Who serves, takes and holds what; shared: the store of shared connectors, may be NULL. plugins may be
 * asked. */
void roles_read (DropIn *drop_in, GPtrArray *problems, const ConfigStore *shared, const Plugins *plugins);

gboolean is_id (const char *text);
