/* A worker inside the test: its plugin is a few functions of the test, the hub's end of its socket is ours.
 */
#pragma once
#include "worker/loader.h"
#include "worker/worker.h"

typedef struct {
  Loop *loop;
  Plugin *plugin;
  Worker *worker;
  WireEnd *hub;
  guint64 calls;
} Bed;

/* settings: JSON of a connector's, number 1, which is in Los Angeles and counts in dollars. */
void bed_set (Bed *bed, const tb_plugin_info *info, const char *settings);
void bed_clear (Bed *bed);
/* The connector again, with other settings. */
void bed_connect (Bed *bed, const char *settings);
/* Runs check and gives its RESULT (json_object_put). */
json_object *bed_check (Bed *bed);
/* Sends a CALL of the connector: the members of its body. Gives its number. */
guint64 bed_call (Bed *bed, const char *members);
/* Turns the loop until a frame comes; RECORDS and SAME are credited. Valid until the next one. */
WireFrame bed_frame (Bed *bed);
/* The status of check; what it says in words is printed where it is not "ok". */
gboolean bed_status (Bed *bed, const char *status, const char *words);
/* A document that was read, in the call's memory. */
const tb_json *bed_read (tb_call *call, const char *text);
