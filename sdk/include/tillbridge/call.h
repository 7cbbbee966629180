/* What is asked of a call, whatever it does: memory, failing, logging, time, notes, and small helpers.
 *
 * Memory belongs to the call (for a pull: to its page) and vanishes when it ends; there is no free(). What an
 * item of tb_items holds lives for the item's turn only: tb_keep() what must live longer. */
#ifndef TILLBRIDGE_CALL_H
#define TILLBRIDGE_CALL_H

#include <tillbridge/host.h>

/* Zeroed memory until the call ends; never NULL. A call that takes too much is ended by the host. */
static inline void *
tb_alloc (tb_call *call, size_t size)
{
  return call->host->alloc (call, size);
}

/* A zeroed value of a type: `struct row *row = tb_new (call, struct row);` */
#define tb_new(call, type) ((type *)tb_alloc (call, sizeof (type)))

/* printf into the call's memory. A NULL for %s is written "(null)", as libc does: look first where a text may
 * not have been said. */
TB_FORMAT (2, 3)
static inline char *
tb_printf (tb_call *call, const char *format, ...)
{
  va_list arguments;
  char *text;
  va_start (arguments, format);
  text = call->host->format (call, format, arguments);
  va_end (arguments);
  return text;
}

/* A copy that lives until the call ends; NULL stays NULL. */
static inline const char *
tb_keep (tb_call *call, const char *text)
{
  size_t size;
  char *copy;
  if (text == NULL)
    return NULL;
  size = strlen (text) + 1;
  copy = (char *)tb_alloc (call, size);
  memcpy (copy, text, size);
  return copy;
}

static inline void *
tb_grow_ (tb_call *call, void *first, uint32_t *count, uint32_t *room, size_t size)
{
  if (*count == *room) {
    uint32_t wider = *room == 0 ? 4 : *room * 2;
    void *copy = tb_alloc (call, wider * size);
    if (*count > 0)
      memcpy (copy, first, *count * size);
    first = copy;
    *room = wider;
  }
  ++*count;
  return first;
}

/* A new zeroed element at the end of a record's list: `tb_price *price = tb_add (call, &product.prices);`.
 * The next tb_add() to the same list may move it. */
#define tb_add(call, list)                                                                                   \
  (__extension__({                                                                                           \
    __typeof__ (list) tb_list_ = (list);                                                                     \
    tb_list_->first = (__typeof__ (tb_list_->first))tb_grow_ (                                               \
      call, (void *)tb_list_->first, &tb_list_->count, &tb_list_->room, sizeof (*tb_list_->first));          \
    &tb_list_->first[tb_list_->count - 1];                                                                   \
  }))

/* NULL and "" are skipped. The text is borrowed like every other. */
static inline void
tb_add_text (tb_call *call, tb_texts *texts, const char *text)
{
  if (text != NULL && text[0] != '\0')
    *tb_add (call, texts) = text;
}

/* A value of NULL or "" is skipped. */
static inline void
tb_add_pair (tb_call *call, tb_pairs *pairs, const char *name, const char *value)
{
  if (value != NULL && value[0] != '\0') {
    tb_pair *pair = tb_add (call, pairs);
    pair->name = name;
    pair->value = value;
  }
}

/* Fails the call, in words for the operator: `return tb_fail (call, TB_BAD_RESPONSE, "no token in the
 * answer");`. The last one counts. */
TB_CHECKED TB_FORMAT (3, 4) static inline tb_status
  tb_fail (tb_call *call, tb_status status, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  status = call->host->fail (call, status, TB_WHY_UNKNOWN, format, arguments);
  va_end (arguments);
  return status;
}

TB_CHECKED TB_FORMAT (4, 5) static inline tb_status
  tb_fail_because (tb_call *call, tb_status status, tb_why why, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  status = call->host->fail (call, status, why, format, arguments);
  va_end (arguments);
  return status;
}

/* From `find`: the vendor may show it only later, ask again in so many seconds. */
TB_CHECKED
static inline tb_status
tb_not_sure (tb_call *call, int seconds)
{
  call->host->retry_in (call, seconds * 1000LL);
  return TB_NOT_SURE;
}

/* A line in the host's log, with store, connector and call added. Never log what is secret or a person's. */
TB_FORMAT (3, 4)
static inline void
tb_log (tb_call *call, tb_level level, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  call->host->log (call, level, format, arguments);
  va_end (arguments);
}

/* Lets other calls go on meanwhile. TB_CANCELLED: the call is over. */
TB_CHECKED
static inline tb_status
tb_sleep (tb_call *call, long long ms)
{
  return call->host->sleep_ms (call, ms);
}

static inline long long
tb_now (tb_call *call)
{
  return call->host->now_ms (call);
}

/* When the operation was tried for the first time; repeats after a failure or a restart keep it. */
static inline long long
tb_first_try_ms (tb_call *call)
{
  return call->host->first_try_ms (call);
}

/* RFC 3339 (https://www.rfc-editor.org/rfc/rfc3339), to the second, for tb_utc(). */
#define TB_RFC3339 "%Y-%m-%dT%H:%M:%SZ"
/* The same with the offset written out, for tb_local(): 2026-03-02T09:15:40-08:00. */
#define TB_RFC3339_LOCAL "%Y-%m-%dT%H:%M:%S%:z"

/* A time as text, as strftime(3) writes it, and "%:z" for an offset with a colon. Time 0 is NULL, so that
 * "?since=%s" of a full pass takes its parameter away. */
static inline char *
tb_utc (tb_call *call, long long ms, const char *format)
{
  return ms == 0 ? NULL : call->host->time_text (call, ms, false, format);
}

/* The same on the store's clock. */
static inline char *
tb_local (tb_call *call, long long ms, const char *format)
{
  return ms == 0 ? NULL : call->host->time_text (call, ms, true, format);
}

/* A time out of a text, as tb_time() reads it; 0: it is none. No offset in it: UTC. */
static inline long long
tb_read_time (tb_call *call, const char *text)
{
  return text == NULL ? 0 : call->host->time_read (call, text, false);
}

/* No offset in it: the store's clock. */
static inline long long
tb_read_time_local (tb_call *call, const char *text)
{
  return text == NULL ? 0 : call->host->time_read (call, text, true);
}

/* "downtown" */
static inline const char *
tb_store_id (tb_call *call)
{
  return call->host->about (call, TB_ABOUT_STORE);
}

/* ISO 4217: "USD" */
static inline const char *
tb_currency (tb_call *call)
{
  return call->host->about (call, TB_ABOUT_CURRENCY);
}

/* IANA name: "America/Los_Angeles" */
static inline const char *
tb_timezone (tb_call *call)
{
  return call->host->about (call, TB_ABOUT_TIMEZONE);
}

/* Where this connector's webhooks arrive; NULL: the host has no public address. */
static inline const char *
tb_webhook_url (tb_call *call)
{
  return call->host->about (call, TB_ABOUT_WEBHOOK_URL);
}

/* The same with ?name=value, for vendors that send back nothing of ours but the address. */
static inline const char *
tb_webhook_link (tb_call *call, const char *name, const char *value)
{
  return call->host->webhook_link (call, name, value);
}

/* A note on the operation that outlives a crash and a restart, durable when it returns TB_OK: a submit of
 * several steps goes on where it stopped. Operations with a queue row only (orders, customers, messages,
 * events). */
TB_CHECKED
static inline tb_status
tb_remember (tb_call *call, const char *name, const char *text)
{
  return call->host->remember (call, name, text);
}

static inline const char *
tb_recall (tb_call *call, const char *name)
{
  return call->host->recall (call, name);
}

/* Kept in memory for the connector, at most so long; gone with a restart or when its settings change. */
static inline void
tb_cache (tb_call *call, const char *name, const char *text, int seconds)
{
  call->host->cache (call, name, text, seconds);
}

static inline const char *
tb_cached (tb_call *call, const char *name)
{
  return call->host->cached (call, name);
}

/* Does another order or message of ours hold this id of the vendor's already? Then `find` has not found this
 * one. */
static inline bool
tb_claimed (tb_call *call, const char *vendor_id)
{
  return vendor_id != NULL && call->host->claimed (call, vendor_id);
}

/* A random UUID (RFC 9562, version 4). */
static inline const char *
tb_uuid (tb_call *call)
{
  return call->host->uuid (call, NULL);
}

/* The same at each try of this operation: for vendors' idempotency keys. `what` tells several keys of one
 * operation apart. */
static inline const char *
tb_stable_uuid (tb_call *call, const char *what)
{
  return call->host->uuid (call, what != NULL ? what : "");
}

/* A telephone number as E.164 ("+15105550100"); ten digits without a country are taken as North American.
 * NULL: it is none. */
static inline const char *
tb_phone (tb_call *call, const char *text)
{
  return text == NULL ? NULL : call->host->phone (call, text);
}

/* HTML as plain text: tags gone, entities resolved, blocks on lines of their own. */
static inline const char *
tb_plain (tb_call *call, const char *html)
{
  return html == NULL ? NULL : call->host->plain (call, html);
}

/* At most so many bytes, cut between characters. */
static inline const char *
tb_shorten (tb_call *call, const char *text, size_t bytes)
{
  return text == NULL ? NULL : call->host->shorten (call, text, bytes);
}

/* An amount of the store's currency, rounded half up to minor units; not said stays not said. */
static inline tb_money
tb_money_of (tb_call *call, tb_decimal amount)
{
  return call->host->to_money (call, amount, NULL);
}

static inline tb_money
tb_money_in (tb_call *call, tb_decimal amount, const char *currency)
{
  return call->host->to_money (call, amount, currency);
}

/* "3.5": no more places than are needed; NULL when not said. */
static inline const char *
tb_decimal_text (tb_call *call, tb_decimal number)
{
  return number.known ? call->host->decimal_text (call, number) : NULL;
}

/* "12.50": the currency's places; NULL when not said. */
static inline const char *
tb_money_text (tb_call *call, tb_money money)
{
  return tb_known (money) ? call->host->money_text (call, money) : NULL;
}

/* Texts to pointers, to join two answers. Keys are copied, values are the caller's. */
static inline tb_map *
tb_map_new (tb_call *call)
{
  return call->host->map_new (call);
}

/* The slot of a key, made (holding NULL) where there is none. */
static inline void **
tb_map_slot (tb_map *map, const char *key)
{
  return map->host->map_slot (map, key, true);
}

/* NULL: none. */
static inline void *
tb_map_get (tb_map *map, const char *key)
{
  void **slot = key == NULL ? NULL : map->host->map_slot (map, key, false);
  return slot == NULL ? NULL : *slot;
}

#endif
