/* The keys of tillbridge.conf, of a store and of every connector, each described once: from these tables come
 * reading, checking, suggestions, `config show`, what needs a restart, and docs/configuration.md. */
#pragma once
#include <json-c/json.h>
#include "config/problems.h"
#include "config/tree.h"

typedef enum {
  KEY_TEXT,
  KEY_PATH,    /* relative: from the folder of the file */
  KEY_PATHS,   /* one, or a list */
  KEY_ADDRESS, /* "127.0.0.1:8420" or "off" */
  KEY_SOCKET,  /* a path or "off" */
  KEY_URL,
  KEY_PROXY,
  KEY_DATABASE,
  KEY_CHOICE,
  KEY_LOG, /* LogLevel */
  KEY_BOOLEAN,
  KEY_COUNT,  /* int */
  KEY_AMOUNT, /* gint64 */
  KEY_DECIMAL,
  KEY_DURATION, /* gint64 milliseconds */
  KEY_SIZE,     /* gint64 bytes, K M G */
  KEY_TEXTS,
  KEY_CLOCK, /* "21:00" */
  KEY_TREE   /* a group that is read elsewhere, or kept as it is */
} KeyType;

typedef struct {
  const char *key; /* dots: groups */
  KeyType type;
  const char *standard; /* as in the file, NULL: none */
  const char *told;    /* the standard as the documentation says it, where building decides; NULL: the same */
  const char *choices; /* words with blanks between */
  double least, most;  /* both 0: no range */
  gboolean required, restart;
  gssize offset; /* in the struct that is filled; -1: checked and shown alone */
  const char *help;
} TableKey;

typedef struct {
  const char *what; /* "tillbridge.conf", "a store" */
  const TableKey *keys;
  guint count;
} Table;

extern const Table host_table, store_table, connector_table;

/* Fills `into` from the group (NULL: all defaults), and shown (ConfigShown). Keys of
 * KEY_TREE are left alone. */
void table_read (const Table *table, Reading *reading, const ConfigNode *group, const char *folder,
                 gpointer into, GArray *shown);

typedef struct {
  const ConfigNode *node;
  char *path;
} TableUnknown;

/* What stands in the group and not in the table (TableUnknown). */
GPtrArray *table_unknown (const Table *table, const ConfigNode *group);
/* Reports it, with the nearest key. */
void table_report_unknown (const Table *table, Reading *reading, const ConfigNode *group);

/* The keys as they are written inside the group named by prefix ("" the top): NULL-terminated, free with
 * g_strfreev(). */
char **table_names (const Table *table, const char *prefix);

const TableKey *table_find (const Table *table, const char *key);
/* Is this the last part of a key of any table, whose value is no secret? */
gboolean table_is_public (const char *name);

/* A reference in Markdown, for docs/configuration.md. */
char *table_to_markdown (const Table *table);
/* The same as a list for a manual page. */
char *table_to_man (const Table *table);
/* The document with its tables as they are now; g_free(). */
char *reference_renew (const char *document);

/* ---- shared with the reading of plugins' settings ---- */

/* A node's value in words: "\"15 min\"", "5", "a group". g_free(). */
char *node_in_words (const ConfigNode *node);
json_object *text_to_json (const char *text);
/* The node as JSON, as it was read. */
json_object *node_to_json (const ConfigNode *node);
/* Values as they may be shown (ConfigShown). The value is taken; node NULL: it is the default. */
GArray *shown_new (void);
void show_value (GArray *shown, const char *key, json_object *value, const ConfigNode *node);
const ConfigShown *shown_find (const GArray *shown, const char *key);

gboolean is_url (const char *text, const char *schemes);
/* Bytes of "512K", or -1. */
gint64 size_from_text (const char *text);
/* The URL with user and password hidden. g_free(). */
char *url_for_show (const char *url);
#define EXPECTED_DURATION "a duration like \"15m\", \"2h\", \"1d\""
