#include "config/problems.h"

#include <stdarg.h>
#include <string.h>

#include "config/table.h"

static void
problem_free (gpointer data)
{
  ConfigProblem *problem = data;
  g_free (problem->file);
  g_free (problem->text);
  g_free (problem->hint);
  g_free (problem->fix);
  g_free (problem->source);
  g_free (problem->store);
  g_free (problem);
}

GPtrArray *
problems_new (void)
{
  return g_ptr_array_new_with_free_func (problem_free);
}

static ConfigProblem *
add (Reading *reading, const char *file, int line, int column, char *text)
{
  ConfigProblem *problem = g_new0 (ConfigProblem, 1);
  problem->file = g_strdup (file);
  problem->line = line;
  problem->column = column;
  problem->text = text;
  problem->store = g_strdup (reading->store);
  reading->errors++;
  g_ptr_array_add (reading->problems, problem);
  return problem;
}

ConfigProblem *
problem_at (Reading *reading, const ConfigNode *node, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  ConfigProblem *problem = add (reading, node->source->file, node->line, node->column, text);
  problem->width = node->width;
  return problem;
}

ConfigProblem *
problem_in (Reading *reading, const char *file, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  char *text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return add (reading, file, 0, 0, text);
}

/* ---- the line, as it may be shown ---- */

static gboolean
is_reference (const char *text)
{
  return g_str_has_prefix (text, "secret:") || g_str_has_prefix (text, "env:") ||
         g_str_has_prefix (text, "file:");
}

/* May the value stand in a terminal's scrollback? A reference may, and what the tables know to be no secret.
 */
static gboolean
is_harmless (const char *name, const char *value)
{
  return is_reference (value) ||
         (name && (table_is_public (name) || strcmp (name, "include") == 0) && !strstr (value, "://"));
}

enum { NUMBER_SHOWN_MOST = 6 }; /* digits; a longer number may be a key written without quotes */

/* How much of p is a bare value that could be a secret: 0 when it is none. */
static gsize
bare_value (const char *name, const char *p)
{
  gsize length = strcspn (p, " \t;,{}()[]\"#"), digits = strspn (p, "+-.0123456789");
  g_autofree char *value = g_strndup (p, length);
  gboolean number = digits > 0 && digits <= NUMBER_SHOWN_MOST && length - digits <= 2;
  if (number || is_harmless (name, value) || g_ascii_strcasecmp (value, "true") == 0 ||
      g_ascii_strcasecmp (value, "false") == 0)
    return 0;
  return length;
}

typedef struct {
  GString *out, *name;
  const char *target; /* where the mark points to in the line */
  gsize mark;         /* and in out */
} Mask;

/* Takes over count bytes of the line, or `instead` of them. */
static const char *
mask_take (Mask *mask, const char *p, gsize count, const char *instead)
{
  if (mask->target >= p && mask->target < p + count)
    mask->mark = mask->out->len + (instead ? 0 : (gsize)(mask->target - p));
  if (instead)
    g_string_append (mask->out, instead);
  else
    g_string_append_len (mask->out, p, (gssize)count);
  return p + count;
}

static const char *
mask_string (Mask *mask, const char *p)
{
  gsize length = 0;
  while (p[length] && p[length] != '"')
    length += p[length] == '\\' && p[length + 1] ? 2 : 1;
  g_autofree char *value = g_strndup (p, length);
  p = mask_take (mask, p, length, is_harmless (mask->name->str, value) ? NULL : "(hidden)");
  return *p ? mask_take (mask, p, 1, NULL) : p;
}

static const char *
mask_name (Mask *mask, const char *p)
{
  gsize length = strcspn (p, " \t=:;,{}()[]\"#");
  g_string_truncate (mask->name, 0);
  g_string_append_len (mask->name, p, (gssize)length);
  return mask_take (mask, p, length, NULL);
}

/* The line with what may be secret hidden and without its comment. *column (of characters) moves with what is
 * hidden. */
static char *
shown_line (const char *line, gboolean in_string, int *column)
{
  g_autoptr (GString) out = g_string_new (NULL);
  g_autoptr (GString) name = g_string_new (NULL);
  glong last = g_utf8_strlen (line, -1);
  Mask mask = { out, name, g_utf8_offset_to_pointer (line, MIN (*column - 1, last)), 0 };
  gboolean assigned = FALSE;
  const char *p = in_string ? mask_string (&mask, line) : line;
  while (*p && *p != '#' && !(p[0] == '/' && strchr ("/*", p[1]))) {
    gsize bare = assigned ? bare_value (name->str, p) : 0;
    if (*p == '"')
      p = mask_string (&mask, mask_take (&mask, p, 1, NULL));
    else if (bare > 0)
      p = mask_take (&mask, p, bare, "(hidden)");
    else if (g_ascii_isalpha (*p))
      p = mask_name (&mask, p);
    else {
      assigned = *p == '=' || *p == ':' || (assigned && g_ascii_isspace (*p));
      p = mask_take (&mask, p, 1, NULL);
      continue;
    }
    assigned = FALSE;
  }
  if (mask.target == p && *p) /* the comment is what is meant */
    p = mask_take (&mask, p, *p == '#' ? 1 : 2, NULL);
  else if (mask.target >= p)
    mask.mark = out->len;
  *column = (int)g_utf8_pointer_to_offset (out->str, out->str + mask.mark) + 1;
  return g_strchomp (g_strdup (out->str));
}

static void
show_source (ConfigProblem *problem, const ScanSource *source)
{
  g_autofree char *line = problem->source ? NULL : scan_line (source, problem->line);
  if (!line)
    return;
  int column = MAX (problem->column, 1);
  problem->source =
    shown_line (line, g_array_index (source->in_string, gboolean, problem->line - 1), &column);
  /* The mark is drawn where the shown line has it; what is said stays the file's column. */
  problem->mark = column;
}

ConfigProblem *
problem_at_fault (Reading *reading, const ScanFault *fault)
{
  ConfigProblem *problem =
    add (reading, fault->source->file, fault->line, fault->column, g_strdup (fault->text));
  problem->width = fault->width;
  problem->hint = g_strdup (fault->hint);
  show_source (problem, fault->source);
  return problem;
}

void
problem_hint (ConfigProblem *problem, const ConfigNode *node, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_free (problem->hint);
  problem->hint = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  show_source (problem, node->source);
}

void
problem_fix (ConfigProblem *problem, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_free (problem->fix);
  problem->fix = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

void
problem_to_warning (Reading *reading, ConfigProblem *problem)
{
  problem->warning = TRUE;
  reading->errors--;
}

/* ---- the nearest name ---- */

void
problem_nearest (ConfigProblem *problem, const ConfigNode *node, const char *wrong, const char *const *names)
{
  const char *nearest = nearest_name (wrong, names);
  if (nearest)
    problem_hint (problem, node, "did you mean \"%s\"?", nearest);
}

/* ---- as it is shown ---- */

char *
config_problem_to_text (const ConfigProblem *problem, gboolean colour)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *strong = colour ? "\033[1m" : "", *off = colour ? "\033[0m" : "";
  const char *tint = !colour ? "" : problem->warning ? "\033[1;35m" : "\033[1;31m";
  g_string_append_printf (out, "%s%s", strong, problem->file);
  if (problem->line > 0)
    g_string_append_printf (out, ":%d", problem->line);
  if (problem->line > 0 && problem->column > 0)
    g_string_append_printf (out, ":%d", problem->column);
  g_string_append_printf (out, ":%s %s%s:%s %s\n", off, tint, problem->warning ? "warning" : "error", off,
                          problem->text);
  if (problem->source) {
    int column = MAX (problem->mark ? problem->mark : problem->column, 1);
    int rest = (int)g_utf8_strlen (problem->source, -1) - column + 1;
    g_string_append_printf (out, "%5d | %s\n      | ", problem->line, problem->source);
    const char *p = problem->source;
    for (int i = 1; i < column; i++) { /* tabs stay tabs, so that the mark stands below */
      g_string_append_c (out, *p == '\t' ? '\t' : ' ');
      p = *p ? g_utf8_next_char (p) : p;
    }
    g_string_append_printf (out, "%s^", tint);
    for (int i = 1; i < MIN (problem->width, rest); i++)
      g_string_append_c (out, '~');
    g_string_append_printf (out, "%s%s%s\n", off, problem->hint ? " " : "",
                            problem->hint ? problem->hint : "");
  } else if (problem->hint)
    g_string_append_printf (out, "      %s\n", problem->hint);
  if (problem->fix)
    g_string_append_printf (out, "      fix: %s\n", problem->fix);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static void
put (json_object *object, const char *key, const char *text)
{
  if (text)
    json_object_object_add (object, key, json_object_new_string (text));
}

static const ShapeMember mistake_members[] = {
  { "file?", "text", "As it was found.", "conf.d/downtown.conf" },
  { "line?", "integer", "From 1.", "7" },
  { "column?", "integer", "From 1, in characters.", "12" },
  { "severity", "error|warning", "A warning stops nothing." },
  { "text", "text", "What was expected and what was found.",
    "sync.inventory is \"1 m\", expected a duration" },
  { "hint?", "text", "What stands behind the mark." },
  { "fix?", "text", "What to do." },
  { "store?", "text", "The store that it stops.", "downtown" },
  { NULL },
};
const Shape config_problem_shape = { "Mistake", "A mistake in a configuration file.", mistake_members };

json_object *
config_problem_to_json (const ConfigProblem *problem)
{
  json_object *object = json_object_new_object ();
  put (object, "file", problem->file);
  if (problem->line > 0)
    json_object_object_add (object, "line", json_object_new_int (problem->line));
  if (problem->column > 0)
    json_object_object_add (object, "column", json_object_new_int (problem->column));
  put (object, "severity", problem->warning ? "warning" : "error");
  put (object, "text", problem->text);
  put (object, "hint", problem->hint);
  put (object, "fix", problem->fix);
  put (object, "store", problem->store);
  return object;
}
