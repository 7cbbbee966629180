/* What a page says beside its records, and how it ends. */
#include "worker/emit.h"

#include <string.h>
#include "worker/services.h"

enum {
  ROWS_MOST = 100000,        /* children, or things to be fetched again, of one page */
  ROWS_BYTES_MOST = 6 << 20, /* of both: a RESULT frame holds 8 MiB */
  ROW_EXTRA_BYTES = 48,      /* of each, beside its id */
  CURSOR_MOST = 16,          /* values */
  CURSOR_TEXT_MOST = 4096
};

/* ---- what else a page says ---- */

/* What a text takes as JSON at the most, when it is valid. */
static gsize
json_bytes (const char *text)
{
  gsize bytes = 0;
  for (; *text; text++)
    bytes += (guchar)*text < ' ' ? 6 : *text == '"' || *text == '\\' ? 2 : 1;
  return bytes;
}

/* id: of a parent or record, the only text in it of any length. */
static tb_status
add_row (Call *call, json_object **list, json_object *row, const char *id)
{
  call->row_bytes += json_bytes (id) + ROW_EXTRA_BYTES;
  emit_says_more (call->emit);
  if (!*list)
    *list = json_object_new_array ();
  if (json_object_array_length (*list) >= ROWS_MOST || call->row_bytes > ROWS_BYTES_MOST) {
    json_object_put (row);
    return call_blame (call, "it says more than %d of these, or %d MiB, on one page", ROWS_MOST,
                       ROWS_BYTES_MOST >> 20);
  }
  json_object_array_add (*list, row);
  return TB_OK;
}

static json_object *
text_json (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  return json_object_new_string (valid);
}

tb_status
service_children (tb_call *shown, tb_kind bit, const char *parent_id)
{
  Call *call = call_of (shown);
  int kind;
  TB_TRY (call_enter (call));
  TB_TRY (emit_check_kind (call, bit, &kind));
  if (!parent_id || !*parent_id)
    return call_blame (call, "tb_children_complete() needs a parent's id");
  json_object *row = json_object_new_array ();
  json_object_array_add (row, json_object_new_string (model_kind_name ((guint)kind)));
  json_object_array_add (row, text_json (parent_id));
  return add_row (call, &call->children, row, parent_id);
}

tb_status
service_again (tb_call *shown, const char *stream, const char *id, long long as_of_ms)
{
  Call *call = call_of (shown);
  TB_TRY (call_enter (call));
  if (!stream || !id || !*id)
    return call_blame (call, "tb_fetch_again() needs a stream and an id");
  json_object *row = json_object_new_array ();
  json_object_array_add (row, text_json (stream));
  json_object_array_add (row, text_json (id));
  json_object_array_add (row, json_object_new_int64 (as_of_ms));
  return add_row (call, &call->again, row, id);
}

/* ---- how a page ends ---- */

tb_status
service_page (tb_call *shown, int ending, long long argument)
{
  Call *call = call_of (shown);
  if (strcmp (call->operation, "pull") != 0)
    return call_blame (call, "only pull ends pages");
  if (ending < TB_PAGE_MORE || ending > TB_PAGE_LATER || argument < 0)
    return call_blame (call, "a page cannot end like this (%d, %lld)", ending, argument);
  call->ending = ending;
  call->ending_argument = argument;
  return TB_OK;
}

const char *
service_cursor_get (const tb_pull *pull, const char *name)
{
  json_object *value = name ? json_object_object_get (call_of_pull (pull)->cursor, name) : NULL;
  return value ? json_object_get_string (value) : NULL;
}

void
service_cursor_set (tb_call *shown, const char *name, const char *text)
{
  Call *call = call_of (shown);
  if (!name || !*name) {
    call_blame (call, "a cursor's value needs a name");
    return;
  }
  if (!text) {
    json_object_object_del (call->cursor, name);
    return;
  }
  if (json_object_object_length (call->cursor) >= CURSOR_MOST || strlen (text) > CURSOR_TEXT_MOST) {
    call_blame (call, "the cursor \"%s\" is too much: %d values of %d bytes at the most", name, CURSOR_MOST,
                CURSOR_TEXT_MOST);
    return;
  }
  json_object_object_add (call->cursor, name, text_json (text));
}
