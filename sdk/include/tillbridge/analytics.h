/* Analytics and errors out: what happened in the shop, and what went wrong in its software. */
#ifndef TILLBRIDGE_ANALYTICS_H
#define TILLBRIDGE_ANALYTICS_H

#include <tillbridge/streams.h>

typedef struct tb_analytics_functions {
  tb_status (*track) (tb_call *, const tb_occurrence *occurrences, size_t count);
  int most;          /* with one call; 0: 1 */
  bool at_most_once; /* they add up at the vendor: never repeated after they may have arrived */
  uint8_t reserved[3];
} tb_analytics_functions;

typedef struct tb_error_functions {
  tb_status (*report) (tb_call *, const tb_notice *notice);
  bool at_most_once;
  uint8_t reserved[7];
} tb_error_functions;

#endif
