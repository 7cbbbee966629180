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

static const RouteParam product_list[] = {
  RECORDS,
  { "q", PARAM_SEARCH, NULL, "words: each must begin a word of name, brand, sku or barcode", "plum gum" },
  { "category", PARAM_TEXT, NULL, "only this category, as it is written in the products" },
  { "brand", PARAM_TEXT, NULL, "only this brand, likewise" },
  { "sku", PARAM_TEXT, NULL, "only this sku" },
  { "barcode", PARAM_TEXT, NULL, "only this barcode" },
  { "visible", PARAM_BOOLEAN, NULL, "true: without those with `visible` false; false: only those" },
  { "in_stock", PARAM_BOOLEAN, NULL,
    "true: only those with `available` above 0; false: only those with none; what is unknown is neither" },
  { NULL },
};
static const RouteParam level_list[] = {
  RECORDS,
  { "product_id", PARAM_TEXT, NULL, "only levels of this product" },
  { "location_id", PARAM_TEXT, NULL, "only levels at this location" },
  { NULL },
};
static const RouteParam promotion_list[] = {
  RECORDS,
  { "product_id", PARAM_TEXT, NULL,
    "only those for this product: that name it or its category, or that its own record names" },
  { "active", PARAM_BOOLEAN, NULL,
    "only those that are, or are not, active now: as the vendor says, or by `starts_at` and `ends_at`" },
  { NULL },
};
static const RouteParam customer_list[] = {
  RECORDS,
  { "q", PARAM_SEARCH, NULL, "words: each must begin a word of first_name, last_name, email or phone",
    "reyes" },
  { "phone", PARAM_PHONE, NULL, "only those with this phone", "+15105550100" },
  { "email", PARAM_TEXT, NULL, "only those with this email" },
  { NULL },
};
static const RouteParam record_one[] = {
  { "connector", PARAM_CONNECTOR, NULL, "another connector's record than the store's own" },
  { "max_age", PARAM_DURATION, NULL,
    "the vendor is asked first when ours is older, for at most 10 s; where that does not go, ours is "
    "answered: see `as_of`",
    "30s" },
  { NULL },
};
static const RouteParam overrides_one[] = {
  { "connector", PARAM_CONNECTOR, NULL, "another connector's product than the store's own" },
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
  { "since", PARAM_SEQ, NULL, "changes after this seq; from the beginning, as events from now on" },
  { "kinds", PARAM_KINDS, NULL, "of these kinds, with commas between them" },
  { "store", PARAM_TEXT, NULL, "of this store" },
  { NULL },
};
static const RouteParam snapshot_of[] = {
  { "kinds", PARAM_KINDS, NULL, "of these kinds, with commas between them" },
  { "store", PARAM_TEXT, NULL, "of this store" },
  { NULL },
};

#define STORE "/v1/stores/{store}"
#define CONNECTOR "/v1/connectors/{store}/{name}"

const RouteTag api_tags[] = {
  { "stores", "Stores: who serves what, and how fresh it is." },
  { "records", "Products, stock, promotions and customers, as the vendors have them, one shape for all." },
  { "feed", "Everything that changes, in one order." },
  { "connectors", "Connectors: how each vendor of a store does, and asking it." },
  { "passes", "Runs through a vendor's records, and what they set aside." },
  { "plugins", "What is installed." },
  { "daemon", "The daemon itself." },
  { NULL },
};

const Route api_routes[] = {
  { "GET", "/v1/stores", get_stores, SCOPE_READ, .id = "listStores", .etag = TRUE, .tag = "stores",
    .params = page, .help = "All stores", .answers = { { 200, "[Store]" } } },
  { "GET", STORE, get_store, SCOPE_READ, .id = "getStore", .etag = TRUE, .tag = "stores", .help = "One store",
    .answers = { { 200, "Store" } } },
  { "GET", STORE "/products", get_records, SCOPE_READ, .id = "listProducts", .etag = TRUE, .tag = "records",
    .help = "The products of a store",
    .more = "All of them: leave out those with `visible` false where a menu is shown.",
    .kind = MODEL_PRODUCTS, .params = product_list, .answers = { { 200, "[Product]" } } },
  { "GET", STORE "/products/{id}", get_record, SCOPE_READ, .id = "getProduct", .etag = TRUE, .tag = "records",
    .help = "One product", .kind = MODEL_PRODUCTS, .params = record_one, .answers = { { 200, "Product" } } },
  { "PUT", STORE "/products/{id}/overrides", put_overrides, SCOPE_OPERATE, .id = "putOverrides",
    .tag = "records", .help = "What is served instead of what the vendor says",
    .more =
      "The whole set: what was overridden and is not in it any more is the vendor's again. A member that is "
      "null is left out of the product. Overrides win over all that comes from the vendor until they are "
      "replaced; what the vendor says of the same members is in the product's `overridden`.",
    .kind = MODEL_PRODUCTS, .params = overrides_one, .takes = "Overrides", .if_match = TRUE,
    .answers = { { 200, "Product" } }, .refusals = { 422 } },
  { "DELETE", STORE "/products/{id}/overrides", delete_overrides, SCOPE_OPERATE, .id = "deleteOverrides",
    .tag = "records", .help = "A product as the vendor says it, again", .kind = MODEL_PRODUCTS,
    .params = overrides_one, .if_match = TRUE, .answers = { { 200, "Product" } } },
  { "GET", STORE "/inventory", get_records, SCOPE_READ, .id = "listInventory", .etag = TRUE, .tag = "records",
    .help = "The stock of a store", .more = "A level for each product, location, batch and kind of customer.",
    .kind = MODEL_INVENTORY, .params = level_list, .answers = { { 200, "[InventoryLevel]" } } },
  { "GET", STORE "/promotions", get_records, SCOPE_READ, .id = "listPromotions", .etag = TRUE,
    .tag = "records", .help = "The promotions of a store", .kind = MODEL_PROMOTIONS, .params = promotion_list,
    .answers = { { 200, "[Promotion]" } } },
  { "GET", STORE "/customers", get_records, SCOPE_READ, .id = "listCustomers", .etag = TRUE, .tag = "records",
    .help = "The customers of a store", .kind = MODEL_CUSTOMERS, .params = customer_list,
    .answers = { { 200, "[Customer]" } } },
  { "GET", STORE "/customers/{id}", get_record, SCOPE_READ, .id = "getCustomer", .etag = TRUE,
    .tag = "records", .help = "One customer", .kind = MODEL_CUSTOMERS, .params = record_one,
    .answers = { { 200, "Customer" } } },
  { "GET", "/v1/changes", get_changes, SCOPE_READ, .id = "listChanges", .tag = "feed",
    .help = "What changed after a place in the feed",
    .more =
      "Begin with a snapshot, and with its `seq` as `since`; go on with `next` as `cursor` while there is "
      "one, then with `seq` as `since`. A record stands in the feed once, at its latest state. With "
      "`Accept: text/event-stream` the answer does not end, and tells changes as they come: `event: change`, "
      "with the seq as `id`; `event: reset` when the place is gone.",
    .params = change_list,
    .answers = { { 200, "ChangePage" }, { 200, "Change", .type = "text/event-stream" } },
    .refusals = { 410 } },
  { "GET", "/v1/snapshot", get_snapshot, SCOPE_READ, .id = "getSnapshot", .tag = "feed",
    .help = "All records as they are now, for a follower to begin with",
    .more = "One line a record, then a last one with `end` and the `seq` from which to go on in the feed. An "
            "answer without that last line was cut: throw it away and ask again.",
    .params = snapshot_of, .answers = { { 200, "SnapshotLine", .type = "application/x-ndjson" } } },
  { "GET", "/v1/connectors", get_connectors, SCOPE_READ, .id = "listConnectors", .etag = TRUE,
    .tag = "connectors", .help = "All connectors", .params = connector_list,
    .answers = { { 200, "[Connector]" } } },
  { "GET", CONNECTOR, get_connector, SCOPE_READ, .id = "getConnector", .etag = TRUE, .tag = "connectors",
    .help = "One connector", .answers = { { 200, "Connector" } } },
  { "POST", CONNECTOR "/sync", post_sync, SCOPE_OPERATE, .id = "syncConnector", .tag = "connectors",
    .help = "Asks for passes",
    .more =
      "202 means asked for, not done: look at the pass until it has ended. A pass that waits already is "
      "shared; where one runs, the new one comes after it. With `dry_run` one stream is read and nothing "
      "stored; the answer comes when it is through.",
    .params = dry_run, .body = sync_body, .answers = { { 202, "PassesAsked" }, { 200, "DryRun" } },
    .refusals = { 409, 422, 501, 502 } },
  { "POST", CONNECTOR "/check", post_check, SCOPE_OPERATE, .id = "checkConnector", .tag = "connectors",
    .help = "Tries the vendor with the connector's credentials",
    .more = "200 whatever comes of it: look at `status`.", .answers = { { 200, "Check" } },
    .refusals = { 501 } },
  { "GET", "/v1/passes", get_passes, SCOPE_READ, .id = "listPasses", .etag = TRUE, .tag = "passes",
    .help = "Passes, the newest first", .params = pass_list, .answers = { { 200, "[Pass]" } } },
  { "GET", "/v1/passes/{id}", get_pass, SCOPE_READ, .id = "getPass", .etag = TRUE, .tag = "passes",
    .help = "One pass", .answers = { { 200, "Pass" } } },
  { "POST", "/v1/passes/{id}/accept", post_accept, SCOPE_OPERATE, .id = "acceptPass", .tag = "passes",
    .help = "A held pass: delete what is missing", .answers = { { 200, "Pass" } }, .refusals = { 409 } },
  { "POST", "/v1/passes/{id}/refuse", post_refuse, SCOPE_OPERATE, .id = "refusePass", .tag = "passes",
    .help = "A held pass: keep what is missing", .answers = { { 200, "Pass" } }, .refusals = { 409 } },
  { "GET", "/v1/rejects", get_rejects, SCOPE_READ, .id = "listRejects", .etag = TRUE, .tag = "passes",
    .help = "Records that were set aside, the newest first", .params = reject_list,
    .answers = { { 200, "[Reject]" } } },
  { "GET", "/v1/plugins", get_plugins, SCOPE_READ, .id = "listPlugins", .etag = TRUE, .tag = "plugins",
    .help = "All plugins", .params = page, .answers = { { 200, "[Plugin]" } } },
  { "GET", "/v1/plugins/{name}", get_plugin, SCOPE_READ, .id = "getPlugin", .etag = TRUE, .tag = "plugins",
    .help = "One plugin", .answers = { { 200, "Plugin" } } },
  { "POST", "/v1/reload", post_reload, SCOPE_OPERATE, .id = "reload", .tag = "daemon",
    .help = "Reads the configuration anew",
    .more = "200 also when there are mistakes: they are in `errors`, and what they concern stays as it was.",
    .params = dry_run, .answers = { { 200, "ReloadPlan" } } },
  { "GET", "/healthz", get_health, SCOPE_OPEN, .id = "getHealth", .tag = "daemon", .help = "Does it live?",
    .answers = { { 200, "Status" } } },
  { "GET", "/readyz", get_ready, SCOPE_OPEN, .id = "getReadiness", .tag = "daemon", .help = "Is it ready?",
    .more = "503 with what is awaited until the configuration is read, the store is open and the plugins in "
            "use have started.",
    .answers = { { 200, "Status" } } },
  { "GET", "/v1/openapi.json", get_openapi, SCOPE_OPEN, .id = "getOpenapi", .tag = "daemon", .etag = TRUE,
    .help = "This description", .answers = { { 200, "Openapi" } } },
  { "GET", "/metrics", get_metrics, SCOPE_OPEN, .id = "getMetrics", .tag = "daemon",
    .help = "Metrics for Prometheus",
    .answers = { { 200, NULL, "text/plain; version=0.0.4; charset=utf-8",
                   "Metrics in Prometheus' text format." } } },
  { NULL },
};
