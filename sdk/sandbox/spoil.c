#include "spoil.h"

#include <gio/gio.h>
#include <string.h>

enum {
  HUGE_BLOCK = 64 << 10,
  DEEP_LEVELS = 1000000,
  DEEP_BLOCK = 1000,
  BOMB_BLOCK = 1 << 20, /* blanks that one block of the bomb unfolds to */
  BOMB_BLOCKS = 1024,
  SLOW_PIECE_BYTES = 16 << 10,
  RETRY_AFTER_S = 2,
};

gboolean
spoil_is_before (const FaultRule *rule)
{
  if (rule->fault == FAULT_500 || rule->fault == FAULT_503)
    return !rule->after;
  return rule->fault < FAULT_DUPLICATE_PAGE && rule->fault != FAULT_TOKEN_EXPIRED &&
         rule->fault != FAULT_SLOW;
}

static void
server_error (Reply *reply, const FaultRule *rule, int status)
{
  reply_text (reply, status, "text/html", "<html><body><h1>%d</h1><p>Something went wrong.</p></body></html>",
              status);
  if (rule->retry_after_s >= 0)
    reply_header (reply, "Retry-After", "%" G_GINT64_FORMAT, rule->retry_after_s);
}

static void
huge (Reply *reply)
{
  GString *block = g_string_sized_new (HUGE_BLOCK);
  while (block->len < HUGE_BLOCK)
    g_string_append (block, "{\"id\":0,\"name\":\"more\"},");
  reply_json (reply, 200, "{\"data\":[");
  reply->middle = g_string_free_to_bytes (block);
  reply->times = REPLY_FOR_EVER;
}

static void
deep (Reply *reply)
{
  GString *close = g_string_sized_new (DEEP_LEVELS + 2), *open = g_string_sized_new (DEEP_BLOCK);
  for (int i = 0; i < DEEP_LEVELS; i++)
    g_string_append_c (close, ']');
  for (int i = 0; i < DEEP_BLOCK; i++)
    g_string_append_c (open, '[');
  g_string_append_c (close, '}');
  reply_json (reply, 200, "{\"data\":");
  reply->middle = g_string_free_to_bytes (open);
  reply->times = DEEP_LEVELS / DEEP_BLOCK;
  g_string_free (reply->suffix, TRUE);
  reply->suffix = close;
}

/* One block of blanks, deflated and flushed to a byte's border: from the second on, all blocks are the same
 * bytes. */
static GBytes *
deflate_blanks (GConverter *compressor)
{
  g_autofree char *blanks = g_malloc (BOMB_BLOCK), *out = g_malloc (BOMB_BLOCK);
  gsize taken = 0, done = 0;
  memset (blanks, ' ', BOMB_BLOCK);
  GByteArray *bytes = g_byte_array_new ();
  for (gsize at = 0; at < BOMB_BLOCK || done > 0; at += taken) {
    taken = done = 0;
    GConverterResult result = g_converter_convert (compressor, blanks + at, BOMB_BLOCK - at, out, BOMB_BLOCK,
                                                   G_CONVERTER_FLUSH, &taken, &done, NULL);
    if (result == G_CONVERTER_ERROR)
      break;
    g_byte_array_append (bytes, (guint8 *)out, (guint)done);
    if (result == G_CONVERTER_FLUSHED)
      break;
  }
  return g_byte_array_free_to_bytes (bytes);
}

/* A gigabyte of blanks in about a megabyte. The checksum at its end is wrong: who gets there has lost anyway.
 */
static void
gzip_bomb (Reply *reply)
{
  static const char head[10] = { 0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
  static const char tail[10] = { 3 };
  g_autoptr (GConverter) compressor = G_CONVERTER (g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_RAW, 9));
  g_autoptr (GBytes) first = deflate_blanks (compressor);
  reply_json (reply, 200, "%s", "");
  g_string_append_len (reply->prefix, head, sizeof head);
  g_string_append_len (reply->prefix, g_bytes_get_data (first, NULL), (gssize)g_bytes_get_size (first));
  reply->middle = deflate_blanks (compressor);
  reply->times = BOMB_BLOCKS;
  g_string_append_len (reply->suffix, tail, sizeof tail);
  reply_header (reply, "Content-Encoding", "gzip");
}

static void
redirect (Exchange *exchange, const char *where)
{
  const Request *request = exchange->request;
  reply_text (exchange->reply, 302, "text/plain", "moved");
  reply_header (exchange->reply, "Location", "%s%s%s", where, *request->query ? "?" : "", request->query);
}

static void
too_many (Exchange *exchange, const FaultRule *rule)
{
  exchange->vendor->too_many (exchange);
  if (rule->fault == FAULT_429)
    reply_header (exchange->reply, "Retry-After", "%" G_GINT64_FORMAT,
                  rule->retry_after_s >= 0 ? rule->retry_after_s : RETRY_AFTER_S);
}

void
spoil_before (Exchange *exchange, const FaultRule *rule, const char *main_url)
{
  Reply *reply = exchange->reply;
  g_autofree char *elsewhere = NULL;
  switch (rule->fault) {
  case FAULT_REFUSE:
  case FAULT_RESET_BEFORE:
    reply->reset = TRUE;
    return;
  case FAULT_STALL:
    reply->stall = TRUE;
    reply->delay_ms = rule->ms;
    return;
  case FAULT_500:
  case FAULT_503:
    server_error (reply, rule, rule->fault == FAULT_500 ? 500 : 503);
    return;
  case FAULT_429:
  case FAULT_429_BARE:
    too_many (exchange, rule);
    return;
  case FAULT_401_ONCE:
    exchange->vendor->refuse (exchange);
    return;
  case FAULT_REDIRECT_ELSEWHERE:
    elsewhere = g_strconcat (main_url, "/elsewhere", exchange->request->path, NULL);
    redirect (exchange, rule->to ? rule->to : elsewhere);
    return;
  case FAULT_REDIRECT_LOOP:
    redirect (exchange, exchange->request->path);
    return;
  case FAULT_HUGE:
    huge (reply);
    return;
  case FAULT_DEEP:
    deep (reply);
    return;
  case FAULT_GZIP_BOMB:
    gzip_bomb (reply);
    return;
  case FAULT_ANSWER:
    reply_text (reply, rule->status, rule->type ? g_intern_string (rule->type) : "application/json", "%s",
                rule->body ? rule->body : "");
    return;
  default:
    g_assert_not_reached ();
  }
}

static json_object *
at_path (json_object *object, const char *path)
{
  g_auto (GStrv) steps = g_strsplit (path, ".", -1);
  for (guint i = 0; steps[i] && object; i++)
    if (!json_object_object_get_ex (object, steps[i], &object))
      return NULL;
  return object;
}

/* Shortens the list, and what is said about its length: a vendor that lost its rows believes itself. */
static void
keep_rows (const Route *route, json_object *answer, json_object *rows, size_t keep)
{
  size_t had = json_object_array_length (rows);
  if (keep < had)
    json_object_array_del_idx (rows, keep, had - keep);
  if (route->count && at_path (answer, route->count))
    data_set_path (answer, route->count, json_object_new_int64 ((gint64)keep));
  json_object *total = route->total ? at_path (answer, route->total) : NULL;
  if (total && had > 0)
    data_set_path (answer, route->total,
                   json_object_new_int64 (json_object_get_int64 (total) * (gint64)keep / (gint64)had));
}

static void
spoil_row (const Route *route, const FaultRule *rule, json_object *rows, size_t i)
{
  json_object *row = json_object_array_get_idx (rows, i);
  const char *price = rule->field ? rule->field : route->price,
             *text = rule->field ? rule->field : route->text;
  switch (rule->fault) {
  case FAULT_WRONG_TYPE:
    data_set_path (row, rule->field, json_tokener_parse ("{\"unexpected\":true}"));
    return;
  case FAULT_BAD_UTF8:
    if (text)
      data_set_path (row, text, json_object_new_string ("BAD \xc3\x28 \xff\xfe TEXT"));
    return;
  case FAULT_BAD_PRICE:
    if (price)
      data_set_path (row, price, json_object_new_string ("abc"));
    return;
  case FAULT_NO_ID:
    json_object_object_del (row, route->id);
    return;
  case FAULT_DUPLICATE_IDS:
    if (i + 1 < json_object_array_length (rows))
      data_set_path (json_object_array_get_idx (rows, i + 1), route->id,
                     json_object_get (at_path (row, route->id)));
    return;
  default:
    g_assert_not_reached ();
  }
}

static void
spoil_rows (Exchange *exchange, const FaultRule *rule)
{
  const Route *route = exchange->route;
  GString *body = reply_body (exchange->reply);
  json_object *answer = json_tokener_parse (body->str);
  json_object *rows = answer ? at_path (answer, route->rows) : NULL;
  g_string_free (body, TRUE);
  if (!json_object_is_type (rows, json_type_array)) { /* an error answer: nothing to spoil */
    json_object_put (answer);
    return;
  }
  size_t count = json_object_array_length (rows);
  if (rule->fault == FAULT_EMPTY_LIST)
    keep_rows (route, answer, rows, 0);
  else if (rule->fault == FAULT_PARTIAL)
    keep_rows (route, answer, rows, (count + 9) / 10);
  else if (rule->fault == FAULT_WRONG_TYPE && !rule->field)
    data_set_path (answer, route->rows, json_object_new_string ("none"));
  else
    for (size_t i = 0; i < MIN (count, rule->rows); i++)
      spoil_row (route, rule, rows, i);
  const char *text =
    json_object_to_json_string_ext (answer, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
  reply_take (exchange->reply, exchange->reply->status, "application/json", g_string_new (text));
  json_object_put (answer);
}

void
spoil_after (Exchange *exchange, const FaultRule *rule)
{
  Reply *reply = exchange->reply;
  if (fault_needs_rows (rule->fault)) {
    spoil_rows (exchange, rule);
    return;
  }
  switch (rule->fault) {
  case FAULT_500:
  case FAULT_503:
    server_error (reply, rule, rule->fault == FAULT_500 ? 500 : 503);
    return;
  case FAULT_RESET_AFTER:
    reply->reset = TRUE;
    return;
  case FAULT_SLOW:
    reply->delay_ms = rule->ms;
    return;
  case FAULT_DRIP:
  case FAULT_SLOW_BODY:
    reply->piece_bytes = rule->fault == FAULT_DRIP ? 1 : SLOW_PIECE_BYTES;
    reply->piece_ms = (guint)rule->ms;
    return;
  case FAULT_TRUNCATED:
    reply->cut = TRUE;
    reply->cut_bytes = reply_length (reply) / 2;
    return;
  case FAULT_NOT_JSON:
    reply_text (reply, 200, "text/html", "<html><body>We will be right back.</body></html>");
    return;
  default:
    return; /* it did its work before */
  }
}
