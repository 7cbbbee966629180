/* The table of services that the host hands to a plugin. Authors never call it: the wrappers in the other
 * headers do, which give types and take NULL. It is written down here because it is the binary interface.
 *
 * Everything that a plugin holds (a call, a value, a reader, a form) begins with a pointer to this table;
 * what the host keeps behind that is its own business. A plugin has no undefined symbol and links against
 * libc alone.
 *
 * Functions are only added at the end. A plugin newer than its host is refused when it is loaded, so a
 * function that a plugin's headers declare is always there: nobody has to look at `size`. */
#ifndef TILLBRIDGE_HOST_H
#define TILLBRIDGE_HOST_H

#include <tillbridge/records.h>

typedef struct tb_host tb_host;
typedef struct tb_call tb_call;         /* one run of one operation on one connector */
typedef struct tb_json tb_json;         /* a value of a document; const: it was read */
typedef struct tb_items tb_items;       /* an array that is read while it arrives */
typedef struct tb_form tb_form;         /* an application/x-www-form-urlencoded body */
typedef struct tb_map tb_map;           /* texts to pointers, to join two answers */
typedef struct tb_outgoing tb_outgoing; /* a request that is about to leave (http.h) */
typedef struct tb_request tb_request;   /* http.h */
typedef struct tb_points tb_points;     /* http.h */
typedef struct tb_pull tb_pull;         /* streams.h */
typedef struct tb_value tb_value;       /* below */

struct tb_call {
  const tb_host *host;
  void *reserved;
};
struct tb_json {
  const tb_host *host;
};
struct tb_items {
  const tb_host *host;
};
struct tb_form {
  const tb_host *host;
};
struct tb_map {
  const tb_host *host;
};

typedef enum tb_hash { TB_NO_HASH, TB_SHA1, TB_SHA256, TB_SHA512, TB_MD5 } tb_hash;

/* For tb_host.encode and .decode. */
enum { TB_ENCODE_BASE64, TB_ENCODE_BASE64URL, TB_ENCODE_HEX };

/* For tb_host.about. */
enum { TB_ABOUT_STORE, TB_ABOUT_CURRENCY, TB_ABOUT_TIMEZONE, TB_ABOUT_CONNECTOR, TB_ABOUT_WEBHOOK_URL };

/* For tb_host.page. */
enum { TB_PAGE_MORE = 1, TB_PAGE_DONE, TB_PAGE_DONE_UNTIL, TB_PAGE_LATER };

/* What tb_host.json_set puts into a document: the member that belongs to `type`. */
typedef enum tb_value_type {
  TB_VALUE_TEXT,      /* text; NULL: nothing is written (so for all below that are not said) */
  TB_VALUE_DIGITS,    /* text of an integer, written as a number; any other text as a text */
  TB_VALUE_INT,       /* integer */
  TB_VALUE_BOOL,      /* flag */
  TB_VALUE_NUMBER,    /* number */
  TB_VALUE_CASH,      /* money, as a number: 12.50 */
  TB_VALUE_CASH_TEXT, /* money, as a text: "12.50" */
  TB_VALUE_JSON,      /* json, copied */
  TB_VALUE_NULL,
  TB_VALUE_UNSET, /* takes the member away */
  TB_VALUE_OBJECT /* an object: the one that is there, else a new one */
} tb_value_type;

struct tb_value {
  tb_value_type type;
  tb_flag flag;
  const char *text;
  long long integer;
  tb_decimal number;
  tb_money money;
  const tb_json *json;
};

struct tb_host {
  uint32_t size, minor; /* of the host's table and SDK */

  /* call.h */
  void *(*alloc) (tb_call *, size_t size); /* zeroed, 16-byte aligned, until the call ends */
  char *(*format) (tb_call *, const char *format, va_list);
  void (*log) (tb_call *, tb_level, const char *format, va_list);
  tb_status (*fail) (tb_call *, tb_status, tb_why, const char *format, va_list); /* gives the status back */
  long long (*now_ms) (tb_call *);
  long long (*first_try_ms) (tb_call *);
  tb_status (*sleep_ms) (tb_call *, long long ms);
  const char *(*about) (tb_call *, int what); /* TB_ABOUT_...; NULL: there is none */
  const char *(*webhook_link) (tb_call *, const char *name, const char *value);
  char *(*time_text) (tb_call *, long long ms, bool local, const char *format);
  long long (*time_read) (tb_call *, const char *text, bool local);
  const char *(*phone) (tb_call *, const char *text);
  const char *(*plain) (tb_call *, const char *html);
  const char *(*shorten) (tb_call *, const char *text, size_t bytes);
  tb_status (*remember) (tb_call *, const char *name, const char *text);
  const char *(*recall) (tb_call *, const char *name);
  void (*cache) (tb_call *, const char *name, const char *text, int seconds);
  const char *(*cached) (tb_call *, const char *name);
  bool (*claimed) (tb_call *, const char *vendor_id);
  const char *(*uuid) (tb_call *, const char *stable_for); /* NULL: another one each time */
  tb_map *(*map_new) (tb_call *);
  void **(*map_slot) (tb_map *, const char *key,
                      bool make); /* the slot is zero when it is new; NULL: not there */
  tb_money (*to_money) (tb_call *, tb_decimal, const char *currency); /* NULL: the store's */
  const char *(*decimal_text) (tb_call *, tb_decimal);
  const char *(*money_text) (tb_call *, tb_money);

  /* settings.h. type: a tb_setting_type, as the wrapper reads it. NULL: not set, or behind a list's end */
  const char *(*setting) (tb_call *, const char *key, size_t index, int type);

  /* json.h; paths as described there. Nothing here is handed a NULL handle */
  const tb_json *(*json_at) (const tb_json *, const char *path);
  const tb_json *(*json_first) (const tb_json *, const char *path);
  const tb_json *(*json_next) (const tb_json *);
  size_t (*json_count) (const tb_json *, const char *path);
  const char *(*json_text) (const tb_json *, const char *path,
                            int cleaned); /* 0 exactly, 1 cleaned, 2 and lower case */
  long long (*json_int) (const tb_json *, const char *path, long long otherwise);
  tb_decimal (*json_decimal) (const tb_json *, const char *path);
  tb_money (*json_money) (const tb_json *, const char *path, const char *currency,
                          bool minor); /* NULL: the store's */
  tb_flag (*json_flag) (const tb_json *, const char *path);
  long long (*json_time) (const tb_json *, const char *path, bool local);
  const char *(*json_date) (const tb_json *, const char *path);
  void (*json_unknown) (const tb_json *, const char *path, const char *word);
  const char *(*json_write) (const tb_json *);
  tb_json *(*json_object) (tb_call *);
  tb_json *(*json_parse) (tb_call *, const char *text);
  tb_json *(*json_build) (tb_call *, const char *format, va_list);
  tb_json *(*json_copy) (const tb_json *);
  tb_json *(*json_set) (tb_json *, const char *path, bool append,
                        const tb_value *); /* the object, for TB_VALUE_OBJECT */

  /* http.h. request NULL: GET on the first endpoint. *answer and *items are NULL on failure */
  tb_status (*ask) (tb_call *, const tb_json **answer, const tb_request *, const char *format, va_list);
  tb_status (*ask_items) (tb_call *, tb_items **, const char *where, const tb_request *, const char *format,
                          va_list);
  tb_status (*follow) (tb_call *, const tb_json **answer, const tb_request *, const char *link);
  tb_status (*follow_items) (tb_call *, tb_items **, const char *where, const tb_request *, const char *link);
  const tb_json *(*items_next) (tb_items *);
  const tb_json *(*items_rest) (tb_items *);
  long long (*items_seen) (tb_items *);
  long long (*items_offset) (tb_items *);
  int (*http_status) (tb_call *);
  const char *(*http_header) (tb_call *, const char *name);
  const char *(*http_text) (tb_call *);
  tb_form *(*form_new) (tb_call *);
  void (*form_add) (tb_form *, const char *name, const char *value);
  void (*retry_in) (tb_call *, long long ms);
  void (*pace_report) (tb_call *, const tb_points *);
  void (*sign_header) (tb_outgoing *, const char *name, const char *value);

  /* streams.h */
  tb_status (*emit) (tb_call *, tb_kind, const void *record);
  tb_status (*emit_deleted) (tb_call *, tb_kind, const char *id);
  tb_status (*children) (tb_call *, tb_kind, const char *parent_id);
  tb_status (*again) (tb_call *, const char *stream, const char *id, long long as_of_ms);
  tb_status (*page) (tb_call *, int ending,
                     long long argument); /* TB_PAGE_...; argument: ms of DONE_UNTIL, s of LATER */
  const char *(*cursor_get) (const tb_pull *, const char *name);
  void (*cursor_set) (tb_call *, const char *name, const char *text); /* NULL: forgotten */

  /* crypto.h; keys by their setting's name */
  tb_bytes (*digest) (tb_call *, tb_hash, tb_bytes);
  tb_bytes (*hmac) (tb_call *, tb_hash, const char *secret_setting, tb_bytes);
  tb_bytes (*rsa_sign) (tb_call *, tb_hash, const char *key_setting, tb_bytes);
  const char *(*encode) (tb_call *, tb_bytes, int how);
  tb_bytes (*decode) (tb_call *, const char *text, int how);
};

#endif
