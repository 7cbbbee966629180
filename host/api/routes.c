#include "api/routes.h"

static const char *const connector_states[] = { "ok", "late", "failing", "paused", "off", NULL };
static const char *const pass_states[] = {
  "waiting", "running", "complete", "failed", "held", "refused", NULL
};

#define PAGE                                                                                                 \
  { "limit", PARAM_LIMIT, NULL, "how many at most, 1 to 1000; 100" },                                        \
  {                                                                                                          \
    "cursor", PARAM_CURSOR, NULL, "where to go on: the `next` of the page before"                            \
  }

static const RouteParam page[] = { PAGE, { NULL } };

#define RECORDS                                                                                              \
  PAGE, { "connector", PARAM_CONNECTOR, NULL, "another connector's records than the store's own" },          \
    { "id", PARAM_WORDS, NULL, "only these, with commas between them" },                                     \
  {                                                                                                          \
    "updated_since", PARAM_TIME, NULL, "only what was updated then or later"                                 \
  }

static const RouteParam record_list[] = { RECORDS, { NULL } };
static const RouteParam level_list[] = {
  RECORDS,
  { "product_id", PARAM_TEXT, NULL, "only levels of this product" },
  { NULL },
};
static const RouteParam record_one[] = {
  { "connector", PARAM_CONNECTOR, NULL, "another connector's record than the store's own" },
  { NULL },
};
static const RouteParam connector_list[] = {
  PAGE,
  { "store", PARAM_TEXT, NULL, "of this store" },
  { "state", PARAM_CHOICE, connector_states, "in this state" },
  { "plugin", PARAM_TEXT, NULL, "of this plugin" },
  { NULL },
};
static const RouteParam dry_run[] = {
  { "dry_run", PARAM_BOOLEAN, NULL, "only say what would be" },
  { NULL },
};
static const RouteParam sync_body[] = {
  { "stream", PARAM_TEXT, NULL, "this stream; all" },
  { "full", PARAM_BOOLEAN, NULL, "everything, not only changes; false" },
  { NULL },
};
static const RouteParam pass_list[] = {
  PAGE,
  { "store", PARAM_TEXT, NULL, "of this store" },
  { "connector", PARAM_CONNECTOR, NULL, "of this connector" },
  { "stream", PARAM_TEXT, NULL, "of this stream" },
  { "state", PARAM_CHOICE, pass_states, "in this state" },
  { NULL },
};
static const RouteParam reject_list[] = {
  PAGE,
  { "store", PARAM_TEXT, NULL, "of this store" },
  { "connector", PARAM_CONNECTOR, NULL, "of this connector" },
  { "stream", PARAM_TEXT, NULL, "of this stream" },
  { "kind", PARAM_TEXT, NULL, "of this kind" },
  { "reason", PARAM_TEXT, NULL, "for this reason" },
  { "since", PARAM_TIME, NULL, "then or later" },
  { NULL },
};
static const RouteParam change_list[] = {
  PAGE,
  { "since", PARAM_SEQ, NULL, "changes after this seq; from the beginning" },
  { "kinds", PARAM_KINDS, NULL, "of these kinds, with commas between them" },
  { "store", PARAM_TEXT, NULL, "of this store" },
  { NULL },
};

#define STORE "/v1/stores/{store}"
#define CONNECTOR "/v1/connectors/{store}/{name}"

const Route api_routes[] = {
  { "GET", "/v1/stores", get_stores, SCOPE_READ, 0, page, NULL, "stores" },
  { "GET", STORE, get_store, SCOPE_READ, 0, NULL, NULL, "one store" },
  { "GET", STORE "/products", get_records, SCOPE_READ, MODEL_PRODUCTS, record_list, NULL, "the catalogue" },
  { "GET", STORE "/products/{id}", get_record, SCOPE_READ, MODEL_PRODUCTS, record_one, NULL, "one product" },
  { "GET", STORE "/inventory", get_records, SCOPE_READ, MODEL_INVENTORY, level_list, NULL, "stock" },
  { "GET", STORE "/promotions", get_records, SCOPE_READ, MODEL_PROMOTIONS, record_list, NULL, "promotions" },
  { "GET", STORE "/customers", get_records, SCOPE_READ, MODEL_CUSTOMERS, record_list, NULL, "customers" },
  { "GET", STORE "/customers/{id}", get_record, SCOPE_READ, MODEL_CUSTOMERS, record_one, NULL,
    "one customer" },
  { "GET", "/v1/connectors", get_connectors, SCOPE_READ, 0, connector_list, NULL, "connectors" },
  { "GET", CONNECTOR, get_connector, SCOPE_READ, 0, NULL, NULL, "one connector" },
  { "POST", CONNECTOR "/sync", post_sync, SCOPE_OPERATE, 0, dry_run, sync_body, "asks for passes" },
  { "POST", CONNECTOR "/check", post_check, SCOPE_OPERATE, 0, NULL, NULL, "tries the vendor" },
  { "GET", "/v1/passes", get_passes, SCOPE_READ, 0, pass_list, NULL, "passes, the newest first" },
  { "GET", "/v1/passes/{id}", get_pass, SCOPE_READ, 0, NULL, NULL, "one pass" },
  { "POST", "/v1/passes/{id}/accept", post_accept, SCOPE_OPERATE, 0, NULL, NULL,
    "a held pass: delete what is missing" },
  { "POST", "/v1/passes/{id}/refuse", post_refuse, SCOPE_OPERATE, 0, NULL, NULL,
    "a held pass: keep what is missing" },
  { "GET", "/v1/rejects", get_rejects, SCOPE_READ, 0, reject_list, NULL, "rejects, the newest first" },
  { "GET", "/v1/plugins", get_plugins, SCOPE_READ, 0, page, NULL, "plugins" },
  { "GET", "/v1/plugins/{name}", get_plugin, SCOPE_READ, 0, NULL, NULL, "one plugin" },
  { "GET", "/v1/changes", get_changes, SCOPE_READ, 0, change_list, NULL, "the feed" },
  { "POST", "/v1/reload", post_reload, SCOPE_OPERATE, 0, dry_run, NULL, "reads the configuration anew" },
  { "GET", "/healthz", get_health, SCOPE_OPEN, 0, NULL, NULL, "does it live?" },
  { "GET", "/readyz", get_ready, SCOPE_OPEN, 0, NULL, NULL, "is it ready?" },
  { "GET", "/metrics", get_metrics, SCOPE_OPEN, 0, NULL, NULL, "metrics for Prometheus" },
  { NULL },
};
