/* Customers: made, changed and looked for at the vendor. Reading all of them is a stream (streams.h). */
#ifndef TILLBRIDGE_CUSTOMERS_H
#define TILLBRIDGE_CUSTOMERS_H

#include <tillbridge/orders.h>

typedef tb_status (*tb_customer_function) (tb_call *, const tb_customer *customer, tb_customer *answer);

typedef struct tb_customer_functions {
  tb_customer_function create; /* answer->id is needed */
  tb_customer_function update; /* what is not said stays as it is at the vendor */
  /* Emits those that match what `like` says (id, phone, email, names); TB_NOT_FOUND: nobody. */
  tb_status (*find) (tb_call *, const tb_customer *like);
  tb_doubt doubt; /* of create; needed where create is given */
  uint32_t reserved;
} tb_customer_functions;

#endif
