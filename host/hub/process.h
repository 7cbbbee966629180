/* Workers as processes: tillbridge-worker, started with one end of a socketpair, watched by pidfd. */
#pragma once
#include "base/loop.h"
#include "hub/hub.h"

typedef struct Processes Processes;

/* program: tillbridge-worker. */
Processes *processes_new (Loop *loop, const char *program);
void processes_free (Processes *processes); /* its workers must be freed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Processes, processes_free)

/* As HubWorld.start_worker wants it, with a Processes for the world. */
HubWorker *process_start (Processes *processes, const char *plugin_file, const HubWorkerEvents *events,
                          gpointer data, GError **error);
