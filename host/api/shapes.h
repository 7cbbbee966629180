/* Stores, connectors and passes as JSON (SURFACES 8), and lists that are cut by name. */
#pragma once
#include "api/request.h"

json_object *store_to_json (Hub *hub, const HubStore *store);
json_object *connector_to_json (Hub *hub, const HubConnector *connector);

/* A list of things that have names and lie in memory: one page of them, by name. */
typedef struct {
  char *name;
  gconstpointer thing;
} Named;
GArray *named_new (void); /* of Named */
void named_add (GArray *list, const char *name, gconstpointer thing);
/* Ends the request; frees the list. */
void request_answer_named (Request *request, GArray *list,
                           json_object *(*to_json) (Hub *hub, gconstpointer thing));
