/* All routes, and the handlers behind them. */
#pragma once
#include "api/request.h"

typedef struct {
  const char *name, *help;
} RouteTag;

extern const Route api_routes[];
extern const RouteTag api_tags[]; /* of the routes, in the description's order; ends with a NULL name */

/* Of what stands in their answers, for openapi.c. */
extern const Shape store_shape, store_connector_shape, freshness_shape;
extern const Shape connector_shape, stream_shape, last_pass_shape, last_error_shape, passes_asked_shape,
  check_shape;
extern const Shape plugin_shape, worker_shape, plugin_stream_shape, plugin_setting_shape,
  plugin_endpoint_shape, pace_shape;
extern const Shape change_shape, change_page_shape, snapshot_line_shape, status_shape;

/* stores.c */
void get_stores (Request *request);
void get_store (Request *request);
/* records.c */
void get_records (Request *request);
/* record.c */
void get_record (Request *request);
/* overrides.c */
void put_overrides (Request *request);
void delete_overrides (Request *request);
/* connectors.c */
void get_connectors (Request *request);
void get_connector (Request *request);
void post_sync (Request *request);
void post_check (Request *request);
/* passes.c */
void get_passes (Request *request);
void get_pass (Request *request);
void post_accept (Request *request);
void post_refuse (Request *request);
void get_rejects (Request *request);
/* plugins.c */
void get_plugins (Request *request);
void get_plugin (Request *request);
/* changes.c */
void get_changes (Request *request);
/* snapshot.c */
void get_snapshot (Request *request);
/* system.c */
void post_reload (Request *request);
void get_health (Request *request);
void get_ready (Request *request);
void get_metrics (Request *request);
/* openapi.c */
void get_openapi (Request *request);
