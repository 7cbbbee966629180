/* A file as libconfig read it, with the place of everything. The only file of the project that knows
 * libconfig. */
#pragma once
#include <glib.h>
#include "config/scan.h"

typedef enum { NODE_GROUP, NODE_LIST, NODE_TEXT, NODE_INTEGER, NODE_DECIMAL, NODE_BOOLEAN } NodeType;

typedef struct ConfigNode {
  NodeType type;
  char *name;       /* NULL: an element of a list */
  const char *text; /* NODE_TEXT; libconfig's */
  gint64 integer;
  double decimal;
  gboolean boolean;
  GPtrArray *children; /* of groups and lists */
  const ScanSource *source;
  int line, column, width;
} ConfigNode;

typedef struct {
  Scan *scan;
  gpointer libconfig;
  ConfigNode *root; /* NULL: it could not be read */
  ScanFault *error; /* then: why, unless scan->refused tells; owned by scan or by libconfig_error */
  ScanFault libconfig_error;
} ConfigTree;

/* Takes text. */
ConfigTree *config_tree_new (char *text, const char *shown, const char *folder);
void config_tree_free (ConfigTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (ConfigTree, config_tree_free)

/* By a path of names with dots; NULL: not there. */
const ConfigNode *config_node_at (const ConfigNode *group, const char *path);
