/* One connection: reads requests one after another, asks the handler, sends the reply as badly as it says. */
#pragma once
#include "server.h"

typedef struct Connection Connection;

/* Told once, when the connection is over; must free it. */
typedef void (*ConnectionEnded) (Connection *connection, gpointer data);

/* Owns fd. */
Connection *connection_new (Loop *loop, int fd, ServerHandler handler, gpointer handler_data,
                            ConnectionEnded ended, gpointer ended_data);
void connection_free (Connection *connection);

/* Resets it when its answer stalls. */
void connection_release (Connection *connection);
