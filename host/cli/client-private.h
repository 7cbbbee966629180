/* What client.c and client-stream.c share. */
#pragma once
#include <curl/curl.h>

#include "cli/client.h"

struct Client {
  char *socket;
  CURL *curl;
  long patience_ms;       /* of one request */
  int interrupt;          /* something to read there: requests are given up; -1: none */
  GHashTable *remembered; /* target -> Remembered; NULL: nothing is */
};

/* A request to that target, without method, headers and what takes the answer. */
void client_prepare (Client *client, const char *target);
/* Both set the error and are FALSE. */
gboolean client_set_unreachable (Client *client, CURLcode code, const char *text, GError **error);
gboolean client_set_refused (long status, const char *body, GError **error);
