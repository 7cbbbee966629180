/* Where the daemon listens: the API's sockets, made anew or taken over from a former run. */
#pragma once
#include "api/api.h"
#include "config/config.h"
#include "notify.h"

/* Listens as host says, and lets the manager keep what listens for the next run. *port: of listen.api; 0: it
 * is off. */
gboolean sockets_open (Api *api, Notify *notify, const ConfigHost *host, int *port, GError **error);
