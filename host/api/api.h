/* The HTTP face of the hub: one local API on TCP and on a Unix socket. SURFACES 5 to 8 say what it answers.
 *
 * libmicrohttpd on its own epoll descriptor, watched by our loop. Handlers never wait: an answer that takes
 * longer suspends its connection and is given later. */
#pragma once
#include "base/loop.h"
#include "hub/hub.h"
#include "hub/reload.h"

typedef struct Api Api;

Api *api_new (Loop *loop, Hub *hub, Reloader *reloader);
void api_free (Api *api); /* closes everything */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Api, api_free)

/* "127.0.0.1:8420", "[::1]:8420"; port 0: any. *port is the one it got. */
gboolean api_listen_tcp (Api *api, const char *address, int *port, GError **error);
/* A Unix socket of mode 0666, judged by peer credentials; a stale file is replaced. */
gboolean api_listen_unix (Api *api, const char *path, GError **error);
/* No new connections; requests that are under way end. */
void api_stop_listening (Api *api);
