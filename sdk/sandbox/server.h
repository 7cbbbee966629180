/* The HTTP server of the sandbox, on base/loop. Written by hand and not with libmicrohttpd, because its point
 * is to misbehave: to reset, cut, stall and drip at an exact byte.
 *
 * It listens on one port for everything (the main port) and on one port for each vendor, so that a single
 * vendor can refuse connections as a vendor does whose host is down. */
#pragma once
#include "base/loop.h"
#include "reply.h"
#include "request.h"

typedef struct Server Server;
typedef struct Listener Listener;

/* Fills in reply. Called on the loop, once a request. */
typedef void (*ServerHandler) (const Request *request, Reply *reply, gpointer data);

Server *server_new (Loop *loop, ServerHandler handler, gpointer data);
void server_free (Server *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Server, server_free)

/* Opens a port (0: any). The listener belongs to the server. */
Listener *server_listen (Server *server, const char *host, guint16 port, GError **error);
guint16 listener_port (const Listener *listener);

/* Closed: connections are refused by the kernel until it is opened again on the same port. */
gboolean listener_set_open (Listener *listener, gboolean open, GError **error);

/* Resets all connections whose answer stalls. */
void server_release_stalled (Server *server);

/* Connections that are open now. */
guint server_connections (const Server *server);
