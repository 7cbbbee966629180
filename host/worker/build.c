#include "worker/build.h"

#include <stdio.h>
#include <string.h>
#include "json/path.h"
#include "worker/loader.h"
#include "worker/paths.h"
#include "worker/services.h"

enum { ELEMENTS_MOST = 100000 /* of an array that is built */ };

tb_json *
built_handle (Call *call, Tree *tree, Built *built)
{
  Handle *handle = arena_alloc (call->arena, sizeof *handle);
  handle->shown.host = &host_table;
  handle->call = call;
  handle->arena = call->arena;
  handle->tree = tree;
  handle->built = built ? built : arena_alloc (call->arena, sizeof *built);
  return &handle->shown;
}

/* ---- whole documents ---- */

/* A document that lives with the call, read from text. NULL: it is not JSON. */
static const JsonNode *
read_text (Call *call, const char *text, gsize length)
{
  JsonDocument *document = arena_alloc (call->arena, sizeof *document);
  char *room = arena_alloc (call->arena, length + JSON_PADDING);
  memcpy (room, text, length);
  g_ptr_array_add (call->documents, document);
  return json_read (document, room, length) ? document->nodes : NULL;
}

static char *
write_tree (Call *call, const Tree *tree, gsize *length)
{
  JsonBuffer buffer = { 0 };
  tree_write (&buffer, tree);
  char *text = arena_strndup (call->arena, buffer.bytes, buffer.length);
  *length = buffer.length;
  json_buffer_clear (&buffer);
  return text;
}

const JsonNode *
handle_built_node (Handle *handle)
{
  if (handle->node && handle->index == handle->built->changes)
    return handle->node;
  gsize length;
  char *text = write_tree (handle->call, handle->tree, &length);
  handle->node = read_text (handle->call, text, length);
  handle->index = handle->built->changes; /* of a built one: which state was read */
  return handle->node;
}

tb_json *
service_json_object (tb_call *shown)
{
  Call *call = call_of (shown);
  return built_handle (call, tree_new (call, TREE_OBJECT), NULL);
}

tb_json *
service_json_parse (tb_call *shown, const char *text)
{
  Call *call = call_of (shown);
  const JsonNode *node = read_text (call, text, strlen (text));
  return node ? built_handle (call, tree_of_node (call, node), NULL) : NULL;
}

static Tree *
tree_of_handle (Call *call, const tb_json *json)
{
  Handle *handle = handle_of (json);
  return handle->tree ? tree_copy (call, handle->tree) : tree_of_node (call, handle->node);
}

tb_json *
service_json_copy (const tb_json *json)
{
  Call *call = handle_of (json)->call;
  return built_handle (call, tree_of_handle (call, json), NULL);
}

const char *
service_json_write (const tb_json *json)
{
  Handle *handle = handle_of (json);
  gsize length;
  if (handle->built && handle->built->broken) {
    call_blame (handle->call,
                "a document could not be built: a path went through a value that is no object or array");
    return NULL;
  }
  Tree *tree = handle->tree ? handle->tree : tree_of_node (handle->call, handle->node);
  return write_tree (handle->call, tree, &length);
}

/* ---- setting ---- */

static tb_json *
broken (Handle *handle)
{
  handle->built->broken = TRUE;
  return NULL;
}

static Tree *
member_of (Tree *object, const char *key, guint length)
{
  for (Tree *child = object->first; child; child = child->next)
    if (strncmp (child->key, key, length) == 0 && child->key[length] == '\0')
      return child;
  return NULL;
}

static Tree *
element_of (Tree *array, gint64 index)
{
  if (index < 0)
    index += array->count;
  Tree *child = index >= 0 ? array->first : NULL;
  for (; child && index > 0; index--)
    child = child->next;
  return child;
}

/* null, and only that, may become a container. NULL: something else stands there. */
static Tree *
as_container (Tree *tree, TreeType type)
{
  if (tree->type == TREE_SCALAR && tree->is_null)
    tree->type = type;
  return tree->type == type ? tree : NULL;
}

static Tree *
null_tree (Call *call)
{
  return tree_scalar (call, "null", 4);
}

/* The place of one segment below tree, made (as null) where there is none and `make`. *broken: something
 * stands in the way. */
static Tree *
step (Call *call, Tree *tree, const PathSegment *segment, gboolean make, gboolean *in_the_way)
{
  Tree *container = as_container (tree, segment->key ? TREE_OBJECT : TREE_ARRAY);
  *in_the_way = !container;
  if (!container)
    return NULL;
  Tree *found = segment->key ? member_of (container, segment->key, segment->length)
                             : element_of (container, segment->index);
  if (found || !make)
    return found;
  if (!segment->key && (segment->index != container->count || container->count >= ELEMENTS_MOST)) {
    *in_the_way = TRUE;
    return NULL;
  }
  found = null_tree (call);
  tree_add (container, found,
            segment->key ? arena_strndup (call->arena, segment->key, segment->length) : NULL);
  return found;
}

static Tree *
cash_tree (Call *call, tb_money money, gboolean as_text)
{
  money.currency[sizeof money.currency - 1] = '\0';
  const char *text = money_to_text (call->arena, money);
  return as_text ? tree_text (call, text) : tree_scalar (call, text, strlen (text));
}

/* An integer as JSON writes it: "007" and "+1" are texts. */
static gboolean
is_integer (const char *text)
{
  const char *at = text + (*text == '-');
  gsize digits = strspn (at, "0123456789");
  return digits > 0 && digits < 19 && at[digits] == '\0' && (*at != '0' || digits == 1);
}

static Tree *format_tree (Call *call, const char *format, ...) G_GNUC_PRINTF (2, 3);

static Tree *
format_tree (Call *call, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  char *text = arena_vprintf (call->arena, format, args);
  va_end (args);
  return tree_scalar (call, text, strlen (text));
}

/* NULL: not said. */
static Tree *
tree_of_value (Call *call, const tb_value *value)
{
  switch (value->type) {
  case TB_VALUE_TEXT:
    return value->text ? tree_text (call, value->text) : NULL;
  case TB_VALUE_DIGITS:
    if (!value->text)
      return NULL;
    return is_integer (value->text) ? tree_scalar (call, value->text, strlen (value->text))
                                    : tree_text (call, value->text);
  case TB_VALUE_INT:
    return format_tree (call, "%lld", value->integer);
  case TB_VALUE_BOOL:
    return value->flag.state ? format_tree (call, "%s", tb_yes (value->flag) ? "true" : "false") : NULL;
  case TB_VALUE_NUMBER:
    return value->number.known ? format_tree (call, "%s", service_decimal_text (&call->shown, value->number))
                               : NULL;
  case TB_VALUE_CASH:
  case TB_VALUE_CASH_TEXT:
    return tb_known (value->money) ? cash_tree (call, value->money, value->type == TB_VALUE_CASH_TEXT) : NULL;
  case TB_VALUE_JSON:
    return value->json ? tree_of_handle (call, value->json) : NULL;
  case TB_VALUE_NULL:
    return null_tree (call);
  case TB_VALUE_OBJECT:
    return tree_new (call, TREE_OBJECT);
  case TB_VALUE_UNSET:
    break;
  }
  return NULL;
}

static tb_json *
append (Handle *handle, Tree *place, Tree *tree)
{
  Tree *array = as_container (place, TREE_ARRAY);
  if (!array || array->count >= ELEMENTS_MOST)
    return broken (handle);
  tree_add (array, tree, NULL);
  return tree->type == TREE_OBJECT ? built_handle (handle->call, tree, handle->built) : NULL;
}

static tb_json *
put (Handle *handle, Tree *place, const tb_value *value, Tree *tree)
{
  if (value->type != TB_VALUE_OBJECT) {
    tree_become (place, tree);
    return NULL;
  }
  Tree *object = as_container (place, TREE_OBJECT);
  return object ? built_handle (handle->call, object, handle->built) : broken (handle);
}

static tb_json *
set_at (Handle *handle, const PathWay *way, gboolean appends, const tb_value *value)
{
  Call *call = handle->call;
  gboolean unset = value->type == TB_VALUE_UNSET, in_the_way = FALSE;
  Tree *tree = unset ? NULL : tree_of_value (call, value), *place = handle->tree, *parent = NULL;
  if (!tree && !unset)
    return NULL;
  for (guint i = 0; place && i < way->count; i++) {
    parent = place;
    place = step (call, place, &way->segments[i], !unset, &in_the_way);
  }
  handle->built->changes++;
  if (unset) {
    if (place && parent)
      tree_remove (parent, place);
    return NULL;
  }
  if (!place)
    return broken (handle);
  return appends ? append (handle, place, tree) : put (handle, place, value, tree);
}

tb_json *
service_json_set (tb_json *json, const char *path, bool appends, const tb_value *theirs)
{
  Handle *handle = handle_of (json);
  Call *call = handle->call;
  if (!handle->tree) {
    call_blame (call, "\"%s\" was set in a document that was read: tb_copy() it first", path);
    return NULL;
  }
  const JsonPath *compiled = paths_get (call->worker->paths, path ? path : "", FALSE);
  if (!compiled || compiled->count != 1) {
    call_blame (call, "\"%s\" is no path to set: write a.b or items[0].x, without |", path);
    return NULL;
  }
  tb_value value;
  take (&value, sizeof value, theirs, plugin_sizes (call->worker->plugin)->value);
  return set_at (handle, &compiled->ways[0], appends, &value);
}

/* ---- tb_build ---- */

/* The text up to the closing quote, with its JSON quotes. NULL: there is none, or a conversion stands in it.
 */
static const char *
put_quoted (JsonBuffer *out, const char *at)
{
  const char *end = strchr (at, '\'');
  if (!end || memchr (at, '%', (gsize)(end - at)))
    return NULL;
  json_put_text (out, at, (gsize)(end - at));
  return end + 1;
}

static void
put_text (Call *call, JsonBuffer *out, const char *text)
{
  const char *json = text ? tree_text (call, text)->json : "null";
  json_put (out, json, strlen (json));
}

/* Behind the %. NULL: a conversion that is not taken here. */
static const char *
put_conversion (Call *call, JsonBuffer *out, const char *at, va_list *args)
{
  if (*at == 's') {
    put_text (call, out, va_arg (*args, const char *));
    return at + 1;
  }
  if (*at == 'd' || *at == 'i') {
    json_put_int (out, va_arg (*args, int));
    return at + 1;
  }
  if (*at == 'u') {
    json_put_int (out, va_arg (*args, unsigned int));
    return at + 1;
  }
  if (strncmp (at, "lld", 3) == 0) {
    json_put_int (out, va_arg (*args, long long));
    return at + 3;
  }
  if (strncmp (at, "ld", 2) == 0) {
    json_put_int (out, va_arg (*args, long));
    return at + 2;
  }
  return NULL;
}

static gboolean
put_shape (Call *call, JsonBuffer *out, const char *format, va_list *args)
{
  for (const char *at = format; at && *at;) {
    if (*at == '\'')
      at = put_quoted (out, at + 1);
    else if (*at == '%')
      at = put_conversion (call, out, at + 1, args);
    else
      json_put (out, at++, 1);
    if (!at)
      return FALSE;
  }
  return TRUE;
}

tb_json *
service_json_build (tb_call *shown, const char *format, va_list args)
{
  Call *call = call_of (shown);
  JsonBuffer buffer = { 0 };
  va_list mine;
  va_copy (mine, args);
  gboolean written = put_shape (call, &buffer, format, &mine);
  va_end (mine);
  const JsonNode *node = written && buffer.length ? read_text (call, buffer.bytes, buffer.length) : NULL;
  json_buffer_clear (&buffer);
  if (node)
    return built_handle (call, tree_of_node (call, node), NULL);
  call_blame (call,
              "tb_build (\"%s\") is not JSON: single quotes stand for double ones, %%s brings its own, and "
              "%%d %%lld are "
              "what else is taken",
              format);
  tb_json *nothing = service_json_object (shown);
  handle_of (nothing)->built->broken = TRUE;
  return nothing;
}
