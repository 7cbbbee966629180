#include "worker/handles.h"

#include <string.h>

#include "model/currency.h"
#include "worker/loader.h"
#include "worker/paths.h"
#include "worker/services.h"

const tb_json *
handle_new (Call *call, JsonDocument *document, const JsonNode *node, gboolean any_case)
{
  Handle *handle = arena_alloc (call->arena, sizeof *handle);
  handle->shown.host = &host_table;
  handle->call = call;
  handle->arena = call->arena;
  handle->node = node;
  handle->any_case = any_case;
  guint held = call->documents->len;
  if (document && (held == 0 || call->documents->pdata[held - 1] != document))
    g_ptr_array_add (call->documents, document);
  return &handle->shown;
}

Handle *
handle_below (Handle *parent, const JsonNode *node, const char *path, guint index, guint left)
{
  Handle *handle = arena_alloc (parent->arena, sizeof *handle);
  handle->shown.host = &host_table;
  handle->call = parent->call;
  handle->arena = parent->arena;
  handle->node = node;
  handle->any_case = parent->any_case;
  handle->parent = parent;
  handle->path =
    plugin_is_literal (parent->call->worker->plugin, path) ? path : handle_keep (parent, path, strlen (path));
  handle->index = index;
  handle->left = left;
  return handle;
}

char *
handle_keep (Handle *handle, const char *text, gsize length)
{
  return arena_strndup (handle->arena, text, length);
}

static const JsonPath *
path_of (Handle *handle, const char *path)
{
  const JsonPath *compiled = paths_get (handle->call->worker->paths, path ? path : "", handle->any_case);
  if (!compiled)
    call_blame (handle->call,
                "\"%s\" is not a path: write a.b, items[0].x, 'a.b'.c, and | between alternatives", path);
  return compiled;
}

const JsonNode *
handle_find (Handle *handle, const char *path)
{
  const JsonPath *compiled = path_of (handle, path);
  const JsonNode *root = compiled ? handle_node (handle) : NULL;
  return root ? json_path_first (compiled, root) : NULL;
}

/* ---- notes ---- */

static void
put_place (GString *out, const Handle *handle)
{
  if (!handle->parent)
    return;
  put_place (out, handle->parent);
  if (out->len && handle->path[0])
    g_string_append_c (out, '.');
  g_string_append (out, handle->path);
  if (handle->index || handle->left)
    g_string_append_printf (out, "[%u]", handle->index);
}

static void
put_value (const JsonNode *node, char *room, gsize size)
{
  static const char *const containers[] = { [JSON_ARRAY] = "[...]", [JSON_OBJECT] = "{...}" };
  if (node->type == JSON_STRING)
    g_snprintf (room, size, "\"%.*s\"", (int)MIN (node->length, size - 8), node->text);
  else if (node->type == JSON_NUMBER)
    g_snprintf (room, size, "%.*s", (int)MIN (node->length, size - 1), node->text);
  else if (node->type == JSON_TRUE || node->type == JSON_FALSE)
    g_snprintf (room, size, "%s", node->type == JSON_TRUE ? "true" : "false");
  else
    g_snprintf (room, size, "%s", containers[node->type]);
}

/* Where there is no room, an amount takes the last place: it decides what becomes of the record. */
static void
make_note (Handle *handle, const char *path, const JsonNode *node, const char *reason, gboolean amount)
{
  Call *call = handle->call;
  if (call->note_count >= CALL_NOTES_MOST && !amount)
    return;
  call->note_count = MIN (call->note_count + 1, CALL_NOTES_MOST);
  Note *note = &call->notes[call->note_count - 1];
  g_autoptr (GString) place = g_string_new (NULL);
  put_place (place, handle);
  if (place->len && path[0])
    g_string_append_c (place, '.');
  g_string_append (place, path);
  g_strlcpy (note->path, place->str, sizeof note->path);
  note->reason = reason;
  note->amount = amount;
  put_value (node, note->value, sizeof note->value);
}

void
handle_note (Handle *handle, const char *path, const JsonNode *node, const char *reason)
{
  make_note (handle, path, node, reason, FALSE);
}

/* ---- moving ---- */

const tb_json *
service_json_at (const tb_json *json, const char *path)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = handle_find (handle, path);
  return node ? &handle_below (handle, node, path, 0, 0)->shown : NULL;
}

/* A lone value counts as an array of one. */
const tb_json *
service_json_first (const tb_json *json, const char *path)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = handle_find (handle, path);
  if (!node || (node->type == JSON_ARRAY && node->length == 0))
    return NULL;
  return node->type == JSON_ARRAY ? &handle_below (handle, node + 1, path, 0, node->length - 1)->shown
                                  : &handle_below (handle, node, path, 0, 0)->shown;
}

const tb_json *
service_json_next (const tb_json *json)
{
  Handle *handle = handle_of (json);
  if (handle->left == 0)
    return NULL;
  Handle *next = arena_alloc (handle->arena, sizeof *next);
  *next = *handle;
  next->node = json_next (handle->node);
  next->index++;
  next->left--;
  return &next->shown;
}

size_t
service_json_count (const tb_json *json, const char *path)
{
  const JsonNode *node = handle_find (handle_of (json), path);
  return !node ? 0 : node->type == JSON_ARRAY ? node->length : 1;
}

/* ---- texts ---- */

static const char *
exact_text (Handle *handle, const JsonNode *node)
{
  if (node->type == JSON_STRING)
    return node->text;
  return node->type == JSON_NUMBER ? handle_keep (handle, node->text, node->length) : NULL;
}

static gboolean
is_blank (const JsonNode *node)
{
  for (guint i = 0; i < node->length; i++)
    if ((guchar)node->text[i] > ' ')
      return FALSE;
  return TRUE;
}

/* The first alternative that is there and not blank; exactly: a blank one when there is no other. */
const char *
service_json_text (const tb_json *json, const char *path, int cleaned)
{
  Handle *handle = handle_of (json);
  const JsonPath *compiled = path_of (handle, path);
  const JsonNode *root = compiled ? handle_node (handle) : NULL;
  const char *blank = NULL;
  for (guint i = 0; root && i < json_path_alternatives (compiled); i++) {
    const JsonNode *node = json_path_at (compiled, i, root);
    if (!node || node->type == JSON_NULL)
      continue;
    if (node->type != JSON_STRING && node->type != JSON_NUMBER) {
      handle_note (handle, path, node, "not_a_text");
      continue;
    }
    const char *text = exact_text (handle, node);
    if (cleaned)
      text = text_clean (handle->arena, text, node->length);
    else if (node->type == JSON_STRING && is_blank (node)) {
      blank = text;
      continue;
    }
    if (text)
      return cleaned == 2 ? text_lower (handle->arena, text) : text;
  }
  return blank;
}

/* ---- numbers ---- */

/* A value of numbers and the like: NULL where it is not there, or an empty text. */
static const JsonNode *
find_value (Handle *handle, const char *path)
{
  const JsonNode *node = handle_find (handle, path);
  return node && node->type == JSON_STRING && is_blank (node) ? NULL : node;
}

long long
service_json_int (const tb_json *json, const char *path, long long otherwise)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  gint64 value;
  if (!node)
    return otherwise;
  if (json_to_int (node, &value))
    return value;
  handle_note (handle, path, node, "not_a_whole_number");
  return otherwise;
}

tb_decimal
service_json_decimal (const tb_json *json, const char *path)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  tb_decimal value = { 0, 0 };
  if (!node)
    return value;
  if (json_to_nano (node, &value.nano))
    value.known = 1;
  else
    handle_note (handle, path, node, "not_a_number");
  return value;
}

tb_money
service_json_money (const tb_json *json, const char *path, const char *currency, bool minor)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  tb_money money = { 0, "" };
  if (!currency || !*currency)
    currency = handle->call->connector->currency;
  if (!node)
    return money;
  if (minor ? json_to_int (node, &money.minor)
            : json_to_scaled (node, currency_places (currency), &money.minor))
    g_strlcpy (money.currency, currency, sizeof money.currency);
  else
    make_note (handle, path, node, "not_a_number", TRUE);
  return money;
}

tb_flag
service_json_flag (const tb_json *json, const char *path)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  if (!node)
    return (tb_flag){ 0 };
  if (node->type == JSON_TRUE || node->type == JSON_FALSE)
    return tb_flag_of (node->type == JSON_TRUE);
  gint64 number;
  if (json_to_int (node, &number) && (number == 0 || number == 1))
    return tb_flag_of (number == 1);
  const char *word = node->type == JSON_STRING ? text_clean (handle->arena, node->text, node->length) : NULL;
  if (word && (g_ascii_strcasecmp (word, "true") == 0 || g_ascii_strcasecmp (word, "yes") == 0))
    return tb_flag_of (true);
  if (word && (g_ascii_strcasecmp (word, "false") == 0 || g_ascii_strcasecmp (word, "no") == 0))
    return tb_flag_of (false);
  handle_note (handle, path, node, "not_a_flag");
  return (tb_flag){ 0 };
}

/* ---- times ---- */

long long
service_json_time (const tb_json *json, const char *path, bool local)
{
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  if (!node)
    return 0;
  gint64 ms = node->type == JSON_STRING ? time_of_text (handle->call, node->text, local) : TIME_NONE;
  if (ms != TIME_NONE)
    return ms;
  handle_note (handle, path, node, "not_a_time");
  return 0;
}

const char *
service_json_date (const tb_json *json, const char *path)
{
  enum { DATE_LENGTH = 10 };
  Handle *handle = handle_of (json);
  const JsonNode *node = find_value (handle, path);
  if (!node)
    return NULL;
  const char *text = node->type == JSON_STRING ? text_clean (handle->arena, node->text, node->length) : NULL;
  if (text && strlen (text) >= DATE_LENGTH && time_of_text (handle->call, text, false) != TIME_NONE)
    return handle_keep (handle, text, DATE_LENGTH);
  if (text)
    handle_note (handle, path, node, "not_a_date");
  return NULL;
}

/* A word that no table of the plugin's has: told once for each connector, and not for ever. */
void
service_json_unknown (const tb_json *json, const char *path, const char *word)
{
  enum { WORDS_MOST = 200 };
  Call *call = handle_of (json)->call;
  if (!call->connector->words)
    call->connector->words = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTable *words = call->connector->words;
  if (g_hash_table_size (words) >= WORDS_MOST)
    return;
  char *line = g_strdup_printf ("%s: %s: the vendor says \"%.100s\", which the plugin does not know",
                                call->stream ? call->stream->name : call->operation, path, word);
  if (g_hash_table_contains (words, line)) {
    g_free (line);
    return;
  }
  worker_log (call->worker, call, TB_INFO, line);
  g_hash_table_add (words, line);
}
