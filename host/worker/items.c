#include "worker/items.h"

#include <string.h>
#include "base/hash.h"
#include "worker/emit.h"
#include "worker/endpoint.h"
#include "worker/handles.h"
#include "worker/known.h"
#include "worker/loader.h"
#include "worker/services.h"

enum {
  HTTP_NO_CONTENT = 204,
  FEED_BYTES = 32 << 10 /* at a time, so that the splitter's buffers stay small and near */
};

/* One item: where its bytes lie, and what was made of them. */
typedef struct {
  char *bytes;
  gsize length;
  JsonDocument document;
  Arena *arena;
  Handle root;
} Turn;

struct Items {
  tb_items shown; /* first */
  Call *call;
  Items *next;
  const char *where;
  EndpointStream *stream;
  JsonSplitter *splitter;
  Turn turns[2]; /* this one and the last */
  guint turn;
  const char *fed; /* what came and was not handed to the splitter yet */
  gsize unfed;
  gint64 seen, from_byte;
  gboolean any_case, over;
  gboolean draining; /* what comes is for nobody: tb_rest() */
  Known known;       /* the page, from last time and for next time */
  tb_status failed;
  char *rest_text;
  gsize rest_length;
  JsonDocument rest_document;
  const tb_json *rest;
  char sample[ITEM_SAMPLE_BYTES];
  gsize sample_length;
};

const char *
items_sample (const Items *items, gsize *length)
{
  *length = items->sample_length;
  return items->sample;
}

/* ---- what is over ---- */

static gboolean
in_bytes (const Turn *turn, const void *address)
{
  return turn->bytes && (const char *)address >= turn->bytes &&
         (const char *)address <= turn->bytes + turn->length;
}

gboolean
items_is_stale (const Call *call, const void *address)
{
  for (const Items *items = call->items; items; items = items->next) {
    const Turn *now = &items->turns[items->turn], *before = &items->turns[!items->turn];
    if (items->over) {
      if (in_bytes (now, address) || arena_has (now->arena, address))
        return TRUE;
    } else if (in_bytes (now, address)) /* known items between the two may have let the next one lie where the
                                           last one did */
      return FALSE;
    if (in_bytes (before, address) || arena_has (before->arena, address))
      return TRUE;
  }
  return FALSE;
}

/* ---- beginning and end of a reader ---- */

static void
items_close (Items *items)
{
  items->over = TRUE;
  if (items->stream)
    endpoint_close (g_steal_pointer (&items->stream));
}

static void
end_turn (Call *call, gboolean went_on)
{
  if (call->item_of)
    emit_item_ends (call->emit, went_on);
  call->item_of = NULL;
}

/* An item that the plugin did not go on from (it left its loop) is read again next time: what it does there
 * may be its way to leave. */
void
items_end (Call *call)
{
  end_turn (call, FALSE);
  for (Items *items = call->items; items; items = items->next) {
    items_close (items);
    known_clear (&items->known);
    json_splitter_free (items->splitter);
    json_document_clear (&items->rest_document);
    for (guint i = 0; i < G_N_ELEMENTS (items->turns); i++) {
      json_document_clear (&items->turns[i].document);
      arena_free (items->turns[i].arena);
    }
  }
  call->items = NULL;
}

/* The names in an endpoint's JSON may be in any case. */
static gboolean
is_any_case (Call *call, const tb_request *request)
{
  const tb_plugin_info *info = plugin_info (call->worker->plugin);
  for (guint i = 0; i < info->endpoints.count; i++) {
    const tb_endpoint *row = &info->endpoints.first[i];
    if ((!request->endpoint || strcmp (row->name, request->endpoint) == 0) &&
        when_holds (row->when, call->connector))
      return row->any_case;
  }
  return FALSE;
}

static gboolean
others_are_open (const Call *call)
{
  for (const Items *items = call->items; items; items = items->next)
    if (!items->over)
      return TRUE;
  return FALSE;
}

static tb_status
tell_known (Items *items)
{
  const Page *page = g_steal_pointer (&items->known.page);
  tb_status status = TB_OK;
  for (guint i = 0; page && i < page->count && status == TB_OK; i++) {
    items->seen++;
    gboolean known = items->draining || emit_known (items->call->emit, page->items[i], &status);
    g_assert (known);
  }
  return status;
}

/* Two readers at once: what is emitted belongs to no single item. What is known of a page is told before. */
static tb_status
stop_remembering (Call *call)
{
  for (Items *items = call->items; items; items = items->next)
    if (!items->over && items->known.page)
      TB_TRY (tell_known (items));
  emit_stop_remembering (call->emit);
  return TB_OK;
}

static tb_status
items_open (Call *call, tb_items **out, const char *where, const tb_request *request, const char *path,
            gboolean is_link)
{
  EndpointStream *stream;
  Known known = { 0 };
  if (others_are_open (call))
    TB_TRY (stop_remembering (call));
  JsonSplitter *splitter = json_splitter_new (where ? where : "", ITEM_BYTES_MOST, REST_BYTES_MOST);
  if (!splitter)
    return call_blame (call, "\"%s\" is no path to an array: it ends in [], as data.products[]",
                       where ? where : "(null)");
  known_ask (&known, call, where, request, path, is_link);
  tb_status status =
    endpoint_open (call, request, path, is_link, known.request ? &known.mark : NULL, &stream);
  if (status != TB_OK) {
    json_splitter_free (splitter);
    return status;
  }
  Items *items = arena_alloc (call->arena, sizeof *items);
  items->shown.host = &host_table;
  items->call = call;
  items->where = arena_strndup (call->arena, where, strlen (where));
  items->stream = stream;
  items->splitter = splitter;
  items->from_byte = request->from_byte;
  items->any_case = is_any_case (call, request);
  items->known = known;
  known_see (&items->known, call, stream);
  for (guint i = 0; i < G_N_ELEMENTS (items->turns); i++)
    items->turns[i].arena = arena_new ();
  items->next = call->items;
  call->items = items;
  *out = &items->shown;
  return TB_OK;
}

/* ---- reading ---- */

/* The reader's failure wins over whatever the plugin's function returns. */
static void
items_fail (Items *items, tb_status status)
{
  items->failed = status;
  call_spoil (items->call, status);
  items_close (items);
}

static void
items_break (Items *items, const char *what)
{
  call_fail (items->call, TB_BAD_RESPONSE, TB_WHY_UNKNOWN,
             "%s: after %" G_GINT64_FORMAT " items, byte %" G_GINT64_FORMAT ": %s", items->where, items->seen,
             items->from_byte + json_splitter_offset (items->splitter), what);
  items_fail (items, TB_BAD_RESPONSE);
}

static void
take_bytes (Items *items)
{
  if (call_go_on (items->call) != TB_OK) {
    items_fail (items, TB_CANCELLED);
    return;
  }
  if (items->unfed == 0) {
    tb_status status = endpoint_read (items->stream, &items->fed, &items->unfed);
    if (status != TB_OK) {
      items_fail (items, status);
      return;
    }
    if (items->unfed == 0)
      json_splitter_finish (items->splitter);
  }
  gsize length = MIN (items->unfed, (gsize)FEED_BYTES);
  if (length == 0)
    return;
  json_splitter_feed (items->splitter, items->fed, length);
  items->fed += length;
  items->unfed -= length;
}

/* It was an error, and nothing else; now another answer comes. */
static void
begin_again (Items *items)
{
  json_splitter_free (items->splitter);
  items->splitter = json_splitter_new (items->where, ITEM_BYTES_MOST, REST_BYTES_MOST);
  items->unfed = 0;
  items->rest = NULL;
  json_document_clear (&items->rest_document);
  known_clear (&items->known);
  known_see (&items->known, items->call, items->stream);
}

/* The document is complete: rules may still say that it was an error; and where no array was, no empty page
 * is made of it. */
static void
read_rest (Items *items)
{
  Call *call = items->call;
  items->rest_text = items->known.stands ? known_shell (&items->known, &items->rest_length)
                                         : json_splitter_rest (items->splitter, &items->rest_length);
  known_note_shell (&items->known, items->rest_text, items->rest_length);
  if (items->rest_text && items->rest_length > 0) {
    if (!json_read (&items->rest_document, items->rest_text, items->rest_length)) {
      items_break (items, items->rest_document.error);
      return;
    }
    items->rest = handle_new (call, NULL, items->rest_document.nodes, items->any_case);
  }
  EndpointStream *judged = items->stream;
  tb_status status = endpoint_judge (&items->stream, items->rest, items->seen == 0);
  if (status != TB_OK)
    items_fail (items, status);
  else if (items->stream != judged)
    begin_again (items);
  else if (!items->known.stands && !json_splitter_found (items->splitter) &&
           call->http_status != HTTP_NO_CONTENT)
    items_break (items, "the answer has no such array");
  else {
    if (!items->draining)
      known_keep (&items->known, call->emit, items->stream, service_items_offset (&items->shown));
    items_close (items);
  }
}

static const tb_json *
begin_turn (Items *items, char *bytes, gsize length, guint64 hash)
{
  Call *call = items->call;
  items->sample_length = MIN (length, ITEM_SAMPLE_BYTES);
  memcpy (items->sample, bytes, items->sample_length);
  items->turn = !items->turn;
  Turn *turn = &items->turns[items->turn];
  arena_reset (turn->arena);
  turn->bytes = bytes;
  turn->length = length;
  if (!json_read (&turn->document, bytes, length)) {
    items_break (items, turn->document.error);
    return NULL;
  }
  turn->root = (Handle){ .shown.host = &host_table,
                         .call = call,
                         .arena = turn->arena,
                         .node = turn->document.nodes,
                         .any_case = items->any_case };
  call->item_of = items;
  emit_item_begins (call->emit, hash);
  return &turn->root.shown;
}

/* One step: an item for the plugin, or NULL (a known one, more bytes, the end). */
static const tb_json *
advance (Items *items)
{
  Call *call = items->call;
  char *bytes;
  gsize length;
  tb_status status;
  if (items->known.stands) {
    if ((status = tell_known (items)) != TB_OK)
      items_fail (items, status);
    else
      read_rest (items);
    return NULL;
  }
  switch (json_splitter_next (items->splitter, &bytes, &length)) {
  case JSON_SPLIT_MORE:
    take_bytes (items);
    return NULL;
  case JSON_SPLIT_END:
    read_rest (items);
    return NULL;
  case JSON_SPLIT_ERROR:
    items_break (items, json_splitter_error (items->splitter));
    return NULL;
  case JSON_SPLIT_ITEM:
    break;
  }
  items->seen++;
  if (items->draining)
    return NULL;
  guint64 hash = emit_remembers (call->emit) ? hash_bytes (bytes, length, call->connector->seed) : 0;
  known_note_item (&items->known, hash);
  if (!emit_known (call->emit, hash, &status))
    return begin_turn (items, bytes, length, hash);
  if (status != TB_OK)
    items_fail (items, status);
  return NULL;
}

const tb_json *
service_items_next (tb_items *shown)
{
  Items *items = (Items *)shown;
  const tb_json *item = NULL;
  end_turn (items->call, !items->draining);
  if (!items->over && call_enter (items->call) != TB_OK)
    items_fail (items, TB_CANCELLED);
  while (!items->over && !item && (!items->draining || call_go_on (items->call) == TB_OK))
    item = advance (items);
  return item;
}

const tb_json *
service_items_rest (tb_items *shown)
{
  Items *items = (Items *)shown;
  items->draining = TRUE;
  while (!items->over)
    service_items_next (shown);
  return items->failed == TB_OK ? items->rest : NULL;
}

long long
service_items_seen (tb_items *shown)
{
  return ((Items *)shown)->seen;
}

long long
service_items_offset (tb_items *shown)
{
  Items *items = (Items *)shown;
  return items->known.stands ? items->known.offset
                             : items->from_byte + json_splitter_offset (items->splitter);
}

/* ---- asking ---- */

static tb_request
request_take (Call *call, const tb_request *theirs)
{
  tb_request request = { 0 };
  if (theirs)
    take (&request, sizeof request, theirs, plugin_sizes (call->worker->plugin)->request);
  return request;
}

/* A path could not be made: endpoint_path() has said why. */
static tb_status
no_path (Call *call)
{
  tb_status status = call->noted != TB_OK ? call->noted : TB_INTERNAL;
  call_spoil (call, status);
  return status;
}

tb_status
service_ask (tb_call *shown, const tb_json **answer, const tb_request *theirs, const char *format,
             va_list args)
{
  Call *call = call_of (shown);
  *answer = NULL;
  TB_TRY (call_enter (call));
  tb_request request = request_take (call, theirs);
  char *path = endpoint_path (call, format, args);
  return path ? endpoint_ask (call, &request, path, FALSE, answer) : no_path (call);
}

tb_status
service_ask_items (tb_call *shown, tb_items **items, const char *where, const tb_request *theirs,
                   const char *format, va_list args)
{
  Call *call = call_of (shown);
  *items = NULL;
  TB_TRY (call_enter (call));
  tb_request request = request_take (call, theirs);
  char *path = endpoint_path (call, format, args);
  return path ? items_open (call, items, where, &request, path, FALSE) : no_path (call);
}

static tb_status
no_link (Call *call)
{
  return call_fail (call, TB_BAD_RESPONSE, TB_WHY_UNKNOWN, "the vendor gave no link to follow");
}

tb_status
service_follow (tb_call *shown, const tb_json **answer, const tb_request *theirs, const char *link)
{
  Call *call = call_of (shown);
  *answer = NULL;
  TB_TRY (call_enter (call));
  tb_request request = request_take (call, theirs);
  return link && *link ? endpoint_ask (call, &request, link, TRUE, answer) : no_link (call);
}

tb_status
service_follow_items (tb_call *shown, tb_items **items, const char *where, const tb_request *theirs,
                      const char *link)
{
  Call *call = call_of (shown);
  *items = NULL;
  TB_TRY (call_enter (call));
  tb_request request = request_take (call, theirs);
  return link && *link ? items_open (call, items, where, &request, link, TRUE) : no_link (call);
}

int
service_http_status (tb_call *shown)
{
  return call_of (shown)->http_status;
}

const char *
service_http_header (tb_call *shown, const char *name)
{
  return name ? endpoint_header (call_of (shown), name) : NULL;
}

const char *
service_http_text (tb_call *shown)
{
  return call_of (shown)->http_text;
}

tb_form *
service_form_new (tb_call *shown)
{
  return endpoint_form (call_of (shown));
}

void
service_retry_in (tb_call *shown, long long ms)
{
  call_of (shown)->retry_ms = MAX (ms, 0);
}

void
service_pace_report (tb_call *shown, const tb_points *theirs)
{
  Call *call = call_of (shown);
  tb_points points;
  take (&points, sizeof points, theirs, plugin_sizes (call->worker->plugin)->points);
  endpoint_points (call, &points);
}
