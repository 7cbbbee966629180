/* Text messages out, and what became of them. Inbound ones and status callbacks arrive as webhooks and are
 * emitted. */
#ifndef TILLBRIDGE_MESSAGES_H
#define TILLBRIDGE_MESSAGES_H

#include <tillbridge/orders.h>

typedef tb_status (*tb_message_function) (tb_call *, const tb_message *message, tb_message *answer);

typedef struct tb_message_functions {
  tb_doubt doubt;
  uint32_t reserved;
  tb_message_function send;   /* answer->vendor_id is needed; a refusal says its tb_why */
  tb_message_function find;   /* as in orders.h */
  tb_message_function status; /* what became of message->vendor_id */
  tb_message_function cancel; /* not sent yet (send_at_ms) */
  /* Up to `most` with one request; answers has as many elements, each with its own status, and why where it
   * failed. */
  tb_status (*send_many) (tb_call *, const tb_message *messages, tb_message *answers, size_t count);
  int most;         /* of send_many */
  int find_after_s; /* as in orders.h */
  int find_for_s;
  bool polls; /* the vendor does not tell of changes: status is asked */
  uint8_t reserved2[3];
} tb_message_functions;

#endif
