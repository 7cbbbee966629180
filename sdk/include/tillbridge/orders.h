/* Orders: one shape for all operations, (call, what is wanted, what came of it). What is NULL is not
 * supported, which the host says before anybody relies on it. */
#ifndef TILLBRIDGE_ORDERS_H
#define TILLBRIDGE_ORDERS_H

#include <tillbridge/streams.h>

/* What can be done when an answer was lost. There is no default: a plugin that does not say is refused. */
typedef enum tb_doubt {
  TB_DOUBT_NOT_SAID,
  TB_TAKES_KEYS,   /* the vendor takes idempotency keys (tb_stable_uuid()): sent again */
  TB_CAN_BE_ASKED, /* `find` is asked first; it must be given */
  TB_NEITHER       /* a person decides */
} tb_doubt;

/* What must stay in order: operations on one order, or on all orders of one customer. */
typedef enum tb_lane { TB_LANE_ORDER, TB_LANE_CUSTOMER } tb_lane;

/* order: as it should be, never NULL. answer: empty, to be filled with what the vendor says. */
typedef tb_status (*tb_order_function) (tb_call *, const tb_order *order, tb_order *answer);

typedef struct tb_order_functions {
  tb_doubt doubt;
  tb_lane lane;
  tb_order_function submit; /* answer->vendor_id is needed */
  tb_order_function
    find; /* did it arrive? TB_OK with vendor_id and reference, TB_NOT_FOUND, or tb_not_sure() */
  tb_order_function update;  /* order->changed says what */
  tb_order_function cancel;  /* order->reason */
  tb_order_function refresh; /* its state now */
  int find_after_s;          /* wait so long after a lost answer; 0: 2 */
  int find_for_s;            /* a "not found" counts only so long after it; 0: 30 */
  int deadline_s;            /* of one operation; 0: 60 */
  bool polls;                /* the vendor does not tell of changes: open orders are refreshed */
  uint8_t reserved[3];
} tb_order_functions;

#endif
