/* reload: the plan of what changes, applied or only shown. */
#include <string.h>

#include "cli/client.h"
#include "cli/words.h"

static void
print_change (Cli *cli, json_object *change)
{
  const char *op = member_text (change, "op"), *key = member_text (change, "key");
  const char *tint = !cli->colour ? "" : *op == '+' ? "\033[32m" : *op == '-' ? "\033[31m" : "\033[33m";
  g_autofree char *what = words_safe (member_text (change, "what"));
  json_object *from = member_at (change, "from"), *to = member_at (change, "to");
  fprintf (cli->out, "%s%s%s %s%s%s", tint, op, cli->colour ? "\033[0m" : "", what, *key ? " " : "", key);
  if (from || to) {
    g_autofree char *old = words_value (from);
    g_autofree char *new = words_value (to);
    if (from && to && strcmp (old, new) == 0) /* a secret, or the content of the file that is named */
      fprintf (cli->out, ": %s, another value", new);
    else if (from && to)
      fprintf (cli->out, ": %s → %s", old, new);
    else
      fprintf (cli->out, ": %s%s", from ? "was " : "", from ? old : new);
  }
  fputc ('\n', cli->out);
}

static void
print_error (Cli *cli, json_object *error)
{
  g_autoptr (GString) place = g_string_new (member_text (error, "file"));
  const char *hint = member_text (error, "hint"), *fix = member_text (error, "fix");
  g_autofree char *text = words_safe (member_text (error, "text"));
  gint64 line = member_number (error, "line"), column = member_number (error, "column");
  if (line)
    g_string_append_printf (place, ":%" G_GINT64_FORMAT, line);
  if (line && column)
    g_string_append_printf (place, ":%" G_GINT64_FORMAT, column);
  cli_note (cli, "%s: %s: %s%s%s", place->str, member_text (error, "severity"), text, *hint ? " - " : "",
            hint);
  if (*fix)
    cli_note (cli, "      fix: %s", fix);
}

static gboolean
is_error (json_object *error)
{
  return strcmp (member_text (error, "severity"), "warning") != 0;
}

static gsize
length_of (json_object *list)
{
  return json_object_is_type (list, json_type_array) ? json_object_array_length (list) : 0;
}

/* The stores they stop are counted once. */
static void
print_errors (Cli *cli, json_object *errors)
{
  g_autoptr (GHashTable) stores = g_hash_table_new (g_str_hash, g_str_equal);
  for (gsize i = 0; i < length_of (errors); i++) {
    json_object *error = json_object_array_get_idx (errors, i);
    print_error (cli, error);
    if (is_error (error))
      g_hash_table_add (stores, (gpointer)member_text (error, "store"));
  }
  guint stopped = g_hash_table_size (stores);
  if (g_hash_table_contains (stores, ""))
    cli_note (cli, "tillbridge.conf has errors: nothing is applied.");
  else if (stopped)
    cli_note (cli, "%u %s.", stopped,
              words_plural (stopped, "store has errors and keeps its running configuration",
                            "stores have errors and keep their running configuration"));
}

static void
print_plan (Cli *cli, json_object *plan, gboolean dry)
{
  json_object *changes = member_at (plan, "changes"), *errors = member_at (plan, "errors");
  for (gsize i = 0; i < length_of (changes); i++)
    print_change (cli, json_object_array_get_idx (changes, i));
  if (!length_of (changes))
    fprintf (cli->out, "%s\n", dry ? "nothing would change" : "nothing changed");
  print_errors (cli, errors);
  if (member_is (plan, "restart"))
    cli_note (cli, "A part of this needs a restart: systemctl restart tillbridged");
}

static int
status_of_plan (json_object *plan, gboolean dry)
{
  json_object *errors = member_at (plan, "errors");
  for (gsize i = 0; i < length_of (errors); i++)
    if (is_error (json_object_array_get_idx (errors, i)))
      return CLI_FAILED;
  return dry && length_of (member_at (plan, "changes")) ? CLI_CHANGES : CLI_DONE;
}

int
verb_reload (Cli *cli)
{
  gboolean dry = cli_flag (cli, "dry-run");
  const char *target = dry ? "/v1/reload?dry_run=true" : "/v1/reload";
  g_autoptr (GError) error = NULL;
  int status;
  Client *client = cli_client (cli, &status);
  if (!client)
    return status;
  g_autoptr (GString) answer = client_ask (client, "POST", target, NULL, &error);
  if (!answer && cli_flag (cli, "if-running") &&
      g_error_matches (error, CLIENT_ERROR, CLIENT_ERROR_UNREACHABLE))
    return CLI_DONE;
  if (!answer)
    return cli_fail (cli, error);
  json_object *plan = client_read (answer, target, &error);
  if (!plan)
    return cli_fail (cli, error);
  if (cli->json)
    fprintf (cli->out, "%s\n", answer->str);
  else
    print_plan (cli, plan, dry);
  status = status_of_plan (plan, dry);
  json_object_put (plan);
  return status;
}
