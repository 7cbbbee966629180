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

/* Serves at a listening socket (api/listen.h), which belongs to the API from now on, also with an error.
 * path: the file of a Unix socket, which goes with it; NULL: none, or it stays because somebody else holds
 * the socket too. */
gboolean api_serve (Api *api, int fd, const char *path, GError **error);
/* No new connections; requests that are under way end. */
void api_stop_listening (Api *api);
/* Does a connection wait for its answer, or for its first request to arrive? */
gboolean api_is_busy (Api *api);
