/* Streams: what can be read of a vendor, a page at a time.
 *
 * A pass runs through a stream, page by page: a full pass, or one of the changes since the last. `pull` is
 * asked for one page; it emits records and says how the page ended. The host keeps the cursor with the page's
 * records, asks for the next page while it stores this one, and resumes at the page after a crash. Records
 * missing from a complete full pass are what `missing` says. */
#ifndef TILLBRIDGE_STREAMS_H
#define TILLBRIDGE_STREAMS_H

#include <tillbridge/http.h>
#include <tillbridge/json.h>

/* What it means that a record is missing from a full pass: nothing, deleted at the vendor, none in stock. */
typedef enum tb_missing { TB_STAYS, TB_IS_DELETED, TB_IS_ZERO } tb_missing;

/* The page that is asked for. */
struct tb_pull {
  const tb_host *host;
  const char *stream;
  long long since_ms;   /* changes since then, the overlap taken off; 0 in a full pass */
  long long started_ms; /* when the pass began */
  bool full;
  uint8_t reserved[7];
};

typedef struct tb_stream {
  const char *name; /* of its main kind: "products" */
  tb_status (*pull) (tb_call *, const tb_pull *);
  tb_status (*fetch) (tb_call *, const char *id); /* emits the record of this id again; TB_NOT_FOUND: deleted.
                                                   * What it emits of the stream's kinds is kept, and TB_OK
                                                   * without a record is a mistake. NULL: cannot be asked */
  int kinds; /* TB_PRODUCTS | TB_PROMOTIONS; a kind belongs to one stream */
  tb_missing missing;
  bool changes;   /* pull can tell the changes since a time */
  bool item_only; /* what is emitted of an item depends on nothing but the item and the settings: no time, no
                   * other item, no second request, and nothing of the address it came from, such as the
                   * location of a stock call. Then the host leaves out items that it knows, and pages that
                   * have not changed (TB_EACH) */
  int every_s;    /* between passes, where the drop-in says nothing; 0: 300 */
  int least_s;    /* the shortest interval that the vendor's contract allows; 0: any */
  int full_every_s; /* between full passes; 0: each is full */
  int overlap_s;    /* how far before the last pass changes are asked for */
  int deadline_s;   /* of one page; 0: 120 */
  const char *when, *help;
} tb_stream;

/* ---- the cursor: a few named values that last from page to page, until the pass is done ---- */

/* NULL: not set, as on the first page. */
static inline const char *
tb_cursor (const tb_pull *pull, const char *name)
{
  return pull->host->cursor_get (pull, name);
}

static inline long long
tb_cursor_int (const tb_pull *pull, const char *name, long long otherwise)
{
  const char *text = tb_cursor (pull, name);
  long long value = 0;
  bool negative = text != NULL && text[0] == '-';
  if (text == NULL)
    return otherwise;
  for (text += negative; *text >= '0' && *text <= '9'; text++)
    value = value * 10 + (*text - '0');
  return negative ? -value : value;
}

/* Sets a value for the next page; NULL forgets it. */
static inline void
tb_move (tb_call *call, const char *name, const char *text)
{
  call->host->cursor_set (call, name, text);
}

static inline void
tb_move_int (tb_call *call, const char *name, long long value)
{
  call->host->cursor_set (call, name, tb_printf (call, "%lld", value));
}

/* ---- how a page ends: every successful pull returns one of these ---- */

/* There is more; the cursor must have moved. */
TB_CHECKED
static inline tb_status
tb_more (tb_call *call)
{
  return call->host->page (call, TB_PAGE_MORE, 0);
}

/* The pass is complete. */
TB_CHECKED
static inline tb_status
tb_done (tb_call *call)
{
  return call->host->page (call, TB_PAGE_DONE, 0);
}

/* Complete up to this time only: the next changes are asked for since then. */
TB_CHECKED
static inline tb_status
tb_done_until (tb_call *call, long long ms)
{
  return call->host->page (call, TB_PAGE_DONE_UNTIL, ms);
}

/* The vendor is still making it: come back in so many seconds. */
TB_CHECKED
static inline tb_status
tb_later (tb_call *call, int seconds)
{
  return call->host->page (call, TB_PAGE_LATER, seconds);
}

/* Pages by number: more moves the cursor value `name` to `next`, else the pass is done. */
TB_CHECKED
static inline tb_status
tb_pages (tb_call *call, bool more, const char *name, long long next)
{
  if (!more)
    return tb_done (call);
  tb_move_int (call, name, next);
  return tb_more (call);
}

/* ---- records ---- */

#define TB_EMITTER_(type, kind)                                                                              \
  TB_CHECKED static inline tb_status tb_emit_##type##_ (tb_call *call, const tb_##type *record)              \
  {                                                                                                          \
    return call->host->emit (call, kind, record);                                                            \
  }
TB_EMITTER_ (product, TB_PRODUCTS)
TB_EMITTER_ (inventory, TB_INVENTORY)
TB_EMITTER_ (promotion, TB_PROMOTIONS)
TB_EMITTER_ (customer, TB_CUSTOMERS)
TB_EMITTER_ (order, TB_ORDERS)
TB_EMITTER_ (message, TB_MESSAGES)
TB_EMITTER_ (insight, TB_INSIGHTS)
#undef TB_EMITTER_

/* Gives a record to the host, which checks, renders and copies it before it returns. A record that cannot
 * stand is set aside with the reason and TB_OK given; what else comes back (TB_CANCELLED) ends the call: hand
 * it on. May give way to other calls. tb_emit (call, &record) takes every kind by its type. */
#ifdef __cplusplus
#define TB_EMITTER_(type)                                                                                    \
  TB_CHECKED static inline tb_status tb_emit (tb_call *call, const tb_##type *record)                        \
  {                                                                                                          \
    return tb_emit_##type##_ (call, record);                                                                 \
  }
TB_EMITTER_ (product)
TB_EMITTER_ (inventory)
TB_EMITTER_ (promotion)
TB_EMITTER_ (customer)
TB_EMITTER_ (order)
TB_EMITTER_ (message)
TB_EMITTER_ (insight)
#undef TB_EMITTER_
#else
#define TB_EMITTER_(type) tb_##type * : tb_emit_##type##_, const tb_##type * : tb_emit_##type##_
#define tb_emit(call, record)                                                                                \
  _Generic((record), TB_EMITTER_ (product), TB_EMITTER_ (inventory), TB_EMITTER_ (promotion),                \
           TB_EMITTER_ (customer), TB_EMITTER_ (order), TB_EMITTER_ (message),                               \
           TB_EMITTER_ (insight)) (call, record)
#endif

/* The vendor says that it is gone. */
TB_CHECKED
static inline tb_status
tb_emit_deleted (tb_call *call, tb_kind kind, const char *id)
{
  return call->host->emit_deleted (call, kind, id);
}

/* All records of this kind with this parent_id were emitted on this page: what else we hold of it is gone. */
TB_CHECKED
static inline tb_status
tb_children_complete (tb_call *call, tb_kind kind, const char *parent_id)
{
  return call->host->children (call, kind, parent_id);
}

/* Something changed, fetch it: soon, by the stream's `fetch`, once however often it is said. as_of_ms: an
 * answer older than this is asked again; 0: any. */
TB_CHECKED
static inline tb_status
tb_fetch_again (tb_call *call, const char *stream, const char *id, long long as_of_ms)
{
  return call->host->again (call, stream, id, as_of_ms);
}

#endif
