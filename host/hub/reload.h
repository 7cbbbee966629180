/* Reading the configuration anew while the hub runs: plugins are described and files read on a thread, then
 * what differs is applied. */
#pragma once
#include "base/loop.h"
#include "hub/hub.h"

typedef struct Reloader Reloader;

/* file: --config, NULL: the default. worker: tillbridge-worker. applied (may be NULL) comes after each reload
 * that changed something. */
Reloader *reloader_new (Loop *loop, Hub *hub, const char *file, const char *worker,
                        void (*applied) (gpointer data), gpointer data);
/* Waits for a thread that reads; who waits for a reload is told with NULL. What the thread posted goes with
 * the loop's next turn. */
void reloader_free (Reloader *reloader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Reloader, reloader_free)

/* At start: at once, on this thread. FALSE with error: tillbridge.conf has errors, or the store cannot be
 * read. Problems are logged. */
gboolean reloader_start (Reloader *reloader, GError **error);

/* plan: as SURFACES 6 has it for /v1/reload: {"changes":[..],"errors":[..],"restart":false,"applied":true}.
 * One reload runs at a time; those asked meanwhile wait for it and get one of their own. dry: nothing is
 * applied. plan is NULL when the reloader was freed meanwhile. */
typedef void (*ReloadDone) (json_object *plan, gpointer data);
extern const Shape reload_shape;
void reloader_reload (Reloader *reloader, gboolean dry, ReloadDone done, gpointer data);
