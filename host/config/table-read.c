/* Filling a struct from a group, key by key, as the table describes them. */
#include "config/reading.h"

#include <string.h>

#include "base/timefmt.h"

enum { TEXT_MOST = 4096 };

static gboolean
is_address (const char *text)
{
  const char *colon = strrchr (text, ':');
  char *end;
  if (!colon || colon == text || !g_ascii_isdigit (colon[1]))
    return FALSE;
  gint64 port = g_ascii_strtoll (colon + 1, &end, 10);
  return !*end && port <= 65535;
}

static gboolean
is_clock (const char *text)
{
  for (gsize i = 0; i < 5; i++)
    if (i == 2 ? text[i] != ':' : !g_ascii_isdigit (text[i]))
      return FALSE;
  return !text[5] && strncmp (text, "24", 2) < 0 && text[3] < '6';
}

typedef struct {
  const TableKey *key;
  Reading *reading;
  const ConfigNode *node; /* NULL: the standard */
  const char *folder;
  gpointer into; /* where the value goes */
  GArray *shown;
} Value;

static void
expected (const Value *value, const char *what)
{
  g_autofree char *found = node_in_words (value->node);
  problem_at (value->reading, value->node, "%s is %s, expected %s", value->key->key, found, what);
}

static void
show (const Value *value, json_object *as)
{
  show_value (value->shown, value->key->key, as, value->node);
}

#define FIELD(value, type) ((type *)(value)->into)

static char *
path_from (const char *folder, const char *path)
{
  return g_path_is_absolute (path) || !folder ? g_strdup (path) : g_build_filename (folder, path, NULL);
}

static gboolean
in_range (const Value *value, double number)
{
  const TableKey *key = value->key;
  if ((key->least == 0 && key->most == 0) || (number >= key->least && number <= key->most))
    return TRUE;
  g_autofree char *what = g_strdup_printf ("a number from %.12g to %.12g", key->least, key->most);
  expected (value, what);
  return FALSE;
}

static void
read_number (const Value *value, const char *standard)
{
  const ConfigNode *node = value->node;
  gboolean decimal = value->key->type == KEY_DECIMAL;
  if (node && node->type != NODE_INTEGER && !(decimal && node->type == NODE_DECIMAL)) {
    expected (value, decimal ? "a number" : "a whole number");
    return;
  }
  double number = node ? node->decimal : standard ? g_ascii_strtod (standard, NULL) : 0;
  if (node && !in_range (value, number))
    return;
  if (decimal)
    *FIELD (value, double) = number;
  else if (value->key->type == KEY_COUNT)
    *FIELD (value, int) = (int)number;
  else
    *FIELD (value, gint64) = node ? node->integer : (gint64)number;
  if (!node && !standard)
    return;
  show (value, decimal ? json_object_new_double (number) : json_object_new_int64 ((gint64)number));
}

static void
read_boolean (const Value *value, const char *standard)
{
  if (value->node && value->node->type != NODE_BOOLEAN) {
    expected (value, "true or false");
    return;
  }
  gboolean on = value->node ? value->node->boolean : strcmp (standard, "true") == 0;
  *FIELD (value, gboolean) = on;
  show (value, json_object_new_boolean (on));
}

/* Durations and sizes: text with a unit. */
static void
read_measure (const Value *value, const char *standard)
{
  gboolean duration = value->key->type == KEY_DURATION;
  const char *text = value->node ? (value->node->type == NODE_TEXT ? value->node->text : "") : standard;
  if (!text)
    return;
  gboolean bytes = !duration && value->node && value->node->type == NODE_INTEGER;
  gint64 amount = bytes ? value->node->integer : duration ? duration_from_text (text) : size_from_text (text);
  if (amount < 0) {
    expected (value, duration ? EXPECTED_DURATION : "a size like \"512K\", \"1M\", \"1G\"");
    return;
  }
  if (value->node && (value->key->least || value->key->most) &&
      (amount < value->key->least || amount > value->key->most)) {
    g_autofree char *least = duration ? duration_to_text ((gint64)value->key->least) : g_strdup ("1");
    g_autofree char *most = duration ? duration_to_text ((gint64)value->key->most) : g_strdup ("1024G");
    g_autofree char *what = g_strdup_printf ("from \"%s\" to \"%s\"", least, most);
    expected (value, what);
    return;
  }
  *FIELD (value, gint64) = amount;
  show (value, bytes ? json_object_new_int64 (amount) : text_to_json (text));
}

static gboolean
choice (const Value *value, const char *text)
{
  g_auto (GStrv) words = g_strsplit (value->key->choices, " ", -1);
  if (g_strv_contains ((const char *const *)words, text))
    return TRUE;
  g_autofree char *found = node_in_words (value->node), *list = g_strjoinv ("\", \"", words);
  ConfigProblem *problem = problem_at (value->reading, value->node, "%s is %s, expected one of \"%s\"",
                                       value->key->key, found, list);
  problem_nearest (problem, value->node, text, (const char *const *)words);
  return FALSE;
}

static gboolean
text_is_right (const Value *value, const char *text)
{
  switch (value->key->type) {
  case KEY_ADDRESS:
    if (is_address (text))
      return TRUE;
    expected (value, "an address like \"127.0.0.1:8420\", or \"off\"");
    return FALSE;
  case KEY_URL:
    if (is_url (text, "http https"))
      return TRUE;
    expected (value, "a URL like \"https://host/path\"");
    return FALSE;
  case KEY_PROXY:
    if (is_url (text, "http https socks5h"))
      return TRUE;
    expected (value, "a URL like \"http://host:3128\", \"https://\" or \"socks5h://\"");
    return FALSE;
  case KEY_DATABASE:
    if (strcmp (text, "sqlite") == 0)
      return TRUE;
    if (is_url (text, "postgresql"))
      problem_at (value->reading, value->node, "database: PostgreSQL is not there yet, expected \"sqlite\"");
    else
      expected (value, "\"sqlite\"");
    return FALSE;
  case KEY_CHOICE:
    return choice (value, text);
  case KEY_CLOCK:
    if (is_clock (text))
      return TRUE;
    expected (value, "a time of day like \"21:00\"");
    return FALSE;
  default:
    return TRUE;
  }
}

/* Is it a text that can stand at all? */
static gboolean
is_text (const Value *value)
{
  const ConfigNode *node = value->node;
  if (node->type != NODE_TEXT)
    expected (value, "a text in quotes");
  else if (strlen (node->text) > TEXT_MOST || !g_utf8_validate (node->text, -1, NULL))
    expected (value, "at most 4096 bytes of UTF-8");
  else
    return TRUE;
  return FALSE;
}

static void
keep_text (const Value *value, const char *text, const char *seen)
{
  KeyType type = value->key->type;
  gboolean off = (type == KEY_ADDRESS || type == KEY_SOCKET) && strcmp (text, "off") == 0;
  gboolean path = type == KEY_PATH || (type == KEY_SOCKET && !off);
  if (value->node && !off && !text_is_right (value, text))
    return;
  g_autofree char *whole = path ? path_from (value->folder, text) : g_strdup (text);
  g_autofree char *shown = url_for_show (seen ? seen : whole);
  show (value, text_to_json (shown));
  if (value->key->offset >= 0)
    *FIELD (value, char *) = off ? NULL : g_steal_pointer (&whole);
}

static void
read_text (const Value *value, const char *standard)
{
  const ConfigNode *node = value->node;
  if (node && !is_text (value))
    return;
  if (node && value->key->type == KEY_URL && value_is_reference (node->text)) {
    g_autofree char *resolved = value_resolve (value->reading, node, value->key->key, value->folder);
    if (resolved)
      keep_text (value, resolved, node->text);
    return;
  }
  const char *text = node ? node->text : standard;
  if (text && *text)
    keep_text (value, text, NULL);
  else if (node && value->key->required) /* elsewhere "" is "not said" */
    expected (value, "a text that is not empty");
}

static void
read_log (const Value *value, const char *standard)
{
  const ConfigNode *node = value->node;
  const char *text = node ? (node->type == NODE_TEXT ? node->text : "") : standard;
  if (node && !choice (value, text))
    return;
  gboolean known = log_level_from_text (text, FIELD (value, LogLevel));
  g_assert (known);
  show (value, text_to_json (text));
}

static void
read_texts (const Value *value, const char *standard)
{
  const ConfigNode *node = value->node;
  gboolean paths = value->key->type == KEY_PATHS;
  g_autoptr (GPtrArray) texts = g_ptr_array_new_with_free_func (g_free);
  json_object *list;
  if (node && node->type == NODE_LIST) {
    for (guint i = 0; i < node->children->len; i++) {
      const ConfigNode *child = g_ptr_array_index (node->children, i);
      if (child->type != NODE_TEXT || !*child->text || !g_utf8_validate (child->text, -1, NULL)) {
        g_autofree char *found = node_in_words (child);
        problem_at (value->reading, child, "%s holds %s, expected texts alone", value->key->key, found);
        return;
      }
      g_ptr_array_add (texts, paths ? path_from (value->folder, child->text) : g_strdup (child->text));
    }
  } else if (node && paths && node->type == NODE_TEXT && *node->text) {
    g_ptr_array_add (texts, path_from (value->folder, node->text));
  } else if (node) {
    expected (value, paths ? "a path or a list of paths" : "a list of texts like [\"a\", \"b\"]");
    return;
  } else if (standard && *standard)
    g_ptr_array_add (texts, g_strdup (standard));
  else if (!standard)
    return;
  list = json_object_new_array ();
  for (guint i = 0; i < texts->len; i++)
    json_object_array_add (list, text_to_json (g_ptr_array_index (texts, i)));
  show (value, list);
  g_ptr_array_add (texts, NULL);
  *FIELD (value, char **) = (char **)g_ptr_array_free (g_steal_pointer (&texts), FALSE);
}

static void
read_value (const Value *value)
{
  const TableKey *key = value->key;
  if (!value->node && key->required) {
    return; /* reported by table_read, which knows the group */
  }
  switch (key->type) {
  case KEY_BOOLEAN:
    read_boolean (value, key->standard);
    break;
  case KEY_COUNT:
  case KEY_AMOUNT:
  case KEY_DECIMAL:
    read_number (value, key->standard);
    break;
  case KEY_DURATION:
  case KEY_SIZE:
    read_measure (value, key->standard);
    break;
  case KEY_TEXTS:
  case KEY_PATHS:
    read_texts (value, key->standard);
    break;
  case KEY_LOG:
    read_log (value, key->standard);
    break;
  case KEY_TREE:
    break;
  default:
    read_text (value, key->standard);
  }
}

void
table_read (const Table *table, Reading *reading, const ConfigNode *group, const char *folder, gpointer into,
            GArray *shown)
{
  for (guint i = 0; i < table->count; i++) {
    const TableKey *key = &table->keys[i];
    gint64 nowhere = 0;
    gpointer field = key->offset >= 0 ? (char *)into + key->offset : (gpointer)&nowhere;
    Value value = { key, reading, group ? config_node_at (group, key->key) : NULL, folder, field, shown };
    if (key->required && !value.node && group) {
      ConfigProblem *problem = problem_at (reading, group, "%s is missing in %s", key->key, table->what);
      g_auto (GStrv) plain = g_strsplit (key->help, "`", -1);
      g_autofree char *help = g_strjoinv ("", plain);
      problem_fix (problem, "add %s: %s", key->key, help);
    }
    read_value (&value);
  }
}
