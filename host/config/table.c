#include "config/table.h"

#include <string.h>

const TableKey *
table_find (const Table *table, const char *key)
{
  for (guint i = 0; i < table->count; i++)
    if (strcmp (table->keys[i].key, key) == 0)
      return &table->keys[i];
  return NULL;
}

gboolean
table_is_public (const char *name)
{
  const Table *const tables[] = { &host_table, &store_table, &connector_table };
  for (guint t = 0; t < G_N_ELEMENTS (tables); t++)
    for (guint i = 0; i < tables[t]->count; i++) {
      const char *dot = strrchr (tables[t]->keys[i].key, '.');
      if (strcmp (dot ? dot + 1 : tables[t]->keys[i].key, name) == 0)
        return TRUE;
    }
  return FALSE;
}

char **
table_names (const Table *table, const char *prefix)
{
  GPtrArray *names = g_ptr_array_new ();
  gsize length = strlen (prefix);
  for (guint i = 0; i < table->count; i++) {
    const char *key = table->keys[i].key;
    if (length > 0 && (strncmp (key, prefix, length) != 0 || key[length] != '.'))
      continue;
    key += length ? length + 1 : 0;
    g_autofree char *name = g_strndup (key, strcspn (key, "."));
    gboolean known = FALSE;
    for (guint j = 0; j < names->len && !known; j++)
      known = strcmp (g_ptr_array_index (names, j), name) == 0;
    if (!known)
      g_ptr_array_add (names, g_steal_pointer (&name));
  }
  g_ptr_array_add (names, NULL);
  return (char **)g_ptr_array_free (names, FALSE);
}

/* ---- what is not in the table ---- */

static void
unknown_free (gpointer data)
{
  TableUnknown *unknown = data;
  g_free (unknown->path);
  g_free (unknown);
}

static gboolean
is_group_of (const Table *table, const char *path)
{
  gsize length = strlen (path);
  for (guint i = 0; i < table->count; i++)
    if (strncmp (table->keys[i].key, path, length) == 0 && table->keys[i].key[length] == '.')
      return TRUE;
  return FALSE;
}

static void
collect_unknown (const Table *table, const ConfigNode *group, const char *prefix, GPtrArray *unknown)
{
  for (guint i = 0; i < group->children->len; i++) {
    const ConfigNode *child = g_ptr_array_index (group->children, i);
    g_autofree char *path = g_strdup_printf ("%s%s%s", prefix, *prefix ? "." : "", child->name);
    if (table_find (table, path))
      continue;
    if (is_group_of (table, path) && child->type == NODE_GROUP) {
      collect_unknown (table, child, path, unknown);
      continue;
    }
    TableUnknown *one = g_new0 (TableUnknown, 1);
    *one = (TableUnknown){ child, g_steal_pointer (&path) };
    g_ptr_array_add (unknown, one);
  }
}

GPtrArray *
table_unknown (const Table *table, const ConfigNode *group)
{
  GPtrArray *unknown = g_ptr_array_new_with_free_func (unknown_free);
  collect_unknown (table, group, "", unknown);
  return unknown;
}

void
table_report_unknown (const Table *table, Reading *reading, const ConfigNode *group)
{
  g_autoptr (GPtrArray) unknown = table_unknown (table, group);
  for (guint i = 0; i < unknown->len; i++) {
    const TableUnknown *one = g_ptr_array_index (unknown, i);
    if (is_group_of (table, one->path)) {
      g_autofree char *found = node_in_words (one->node);
      problem_at (reading, one->node, "%s is %s, expected a group", one->path, found);
      continue;
    }
    const char *dot = strrchr (one->path, '.');
    g_autofree char *prefix = dot ? g_strndup (one->path, (gsize)(dot - one->path)) : g_strdup ("");
    g_auto (GStrv) names = table_names (table, prefix);
    ConfigProblem *problem =
      problem_at (reading, one->node, "no setting \"%s\" in %s", one->path, table->what);
    problem_nearest (problem, one->node, one->node->name, (const char *const *)names);
  }
}
