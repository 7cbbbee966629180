/* The functions of the table that a plugin is handed (tillbridge/host.h), by file. host.c puts them in their
 * places. */
#pragma once
#include "worker/worker.h"

extern const tb_host host_table;

/* services.c */
void *service_alloc (tb_call *call, size_t size);
char *service_format (tb_call *call, const char *format, va_list args);
char *service_format_text (tb_call *call, const char *format, ...) G_GNUC_PRINTF (2, 3);
void service_log (tb_call *call, tb_level level, const char *format, va_list args);
tb_status service_fail (tb_call *call, tb_status status, tb_why why, const char *format, va_list args);
long long service_now_ms (tb_call *call);
long long service_first_try_ms (tb_call *call);
tb_status service_sleep_ms (tb_call *call, long long ms);
const char *service_about (tb_call *call, int what);
const char *service_webhook_link (tb_call *call, const char *name, const char *value);
tb_status service_remember (tb_call *call, const char *name, const char *text);
const char *service_recall (tb_call *call, const char *name);
void service_cache (tb_call *call, const char *name, const char *text, int seconds);
const char *service_cached (tb_call *call, const char *name);
bool service_claimed (tb_call *call, const char *vendor_id);
const char *service_uuid (tb_call *call, const char *stable_for);
tb_map *service_map_new (tb_call *call);
void **service_map_slot (tb_map *map, const char *key, bool make);
const char *service_setting (tb_call *call, const char *key, size_t index, int type);

/* text.c */
const char *service_phone (tb_call *call, const char *text);
const char *service_plain (tb_call *call, const char *html);
const char *service_shorten (tb_call *call, const char *text, size_t bytes);

/* times.c */
#define TIME_NONE G_MININT64
gint64 time_of_text (Call *call, const char *text, gboolean local); /* TIME_NONE: it is no time */
char *service_time_text (tb_call *call, long long ms, bool local, const char *format);
long long service_time_read (tb_call *call, const char *text, bool local);

/* money.c */
char *money_to_text (Arena *arena, tb_money money);
tb_money service_to_money (tb_call *call, tb_decimal amount, const char *currency);
const char *service_decimal_text (tb_call *call, tb_decimal number);
const char *service_money_text (tb_call *call, tb_money money);

/* handles.c */
const tb_json *service_json_at (const tb_json *json, const char *path);
const tb_json *service_json_first (const tb_json *json, const char *path);
const tb_json *service_json_next (const tb_json *json);
size_t service_json_count (const tb_json *json, const char *path);
const char *service_json_text (const tb_json *json, const char *path, int cleaned);
long long service_json_int (const tb_json *json, const char *path, long long otherwise);
tb_decimal service_json_decimal (const tb_json *json, const char *path);
tb_money service_json_money (const tb_json *json, const char *path, const char *currency, bool minor);
tb_flag service_json_flag (const tb_json *json, const char *path);
long long service_json_time (const tb_json *json, const char *path, bool local);
const char *service_json_date (const tb_json *json, const char *path);
void service_json_unknown (const tb_json *json, const char *path, const char *word);

/* build.c */
const char *service_json_write (const tb_json *json);
tb_json *service_json_object (tb_call *call);
tb_json *service_json_parse (tb_call *call, const char *text);
tb_json *service_json_build (tb_call *call, const char *format, va_list args);
tb_json *service_json_copy (const tb_json *json);
tb_json *service_json_set (tb_json *json, const char *path, bool append, const tb_value *value);

/* items.c, and what of asking is not endpoint.c's */
tb_status service_ask (tb_call *call, const tb_json **answer, const tb_request *request, const char *format,
                       va_list args);
tb_status service_ask_items (tb_call *call, tb_items **items, const char *where, const tb_request *request,
                             const char *format, va_list args);
tb_status service_follow (tb_call *call, const tb_json **answer, const tb_request *request, const char *link);
tb_status service_follow_items (tb_call *call, tb_items **items, const char *where, const tb_request *request,
                                const char *link);
const tb_json *service_items_next (tb_items *items);
const tb_json *service_items_rest (tb_items *items);
long long service_items_seen (tb_items *items);
long long service_items_offset (tb_items *items);
int service_http_status (tb_call *call);
const char *service_http_header (tb_call *call, const char *name);
const char *service_http_text (tb_call *call);
tb_form *service_form_new (tb_call *call);
void service_retry_in (tb_call *call, long long ms);
void service_pace_report (tb_call *call, const tb_points *points);

/* emit.c */
tb_status service_emit (tb_call *call, tb_kind kind, const void *record);
tb_status service_emit_deleted (tb_call *call, tb_kind kind, const char *id);
tb_status service_children (tb_call *call, tb_kind kind, const char *parent_id);
tb_status service_again (tb_call *call, const char *stream, const char *id, long long as_of_ms);
tb_status service_page (tb_call *call, int ending, long long argument);
const char *service_cursor_get (const tb_pull *pull, const char *name);
void service_cursor_set (tb_call *call, const char *name, const char *text);

/* crypto.c */
tb_bytes service_digest (tb_call *call, tb_hash hash, tb_bytes data);
tb_bytes service_hmac (tb_call *call, tb_hash hash, const char *secret_setting, tb_bytes data);
tb_bytes service_rsa_sign (tb_call *call, tb_hash hash, const char *key_setting, tb_bytes data);
const char *service_encode (tb_call *call, tb_bytes data, int how);
tb_bytes service_decode (tb_call *call, const char *text, int how);
