/* A vendor for tests: a real HTTP server on 127.0.0.1, a thread a connection, that answers as a function
 * says, down to the byte. */
#pragma once
#include <glib.h>

typedef struct HttpServer HttpServer;

typedef struct {
  HttpServer *server;
  int fd;
  guint connection;          /* 1 for the first that was made, and so on */
  const char *method, *path; /* path: with the query */
  const char *head;          /* all of it */
  const char *body;
  gsize body_size;
} HttpAsked;

/* FALSE: the connection is closed. */
typedef gboolean (*HttpServerFunc) (const HttpAsked *asked, gpointer data);

HttpServer *http_server_new (HttpServerFunc func, gpointer data);
void http_server_free (HttpServer *server); /* breaks what is under way */
guint http_server_port (const HttpServer *server);
guint http_server_connections (HttpServer *server);
guint http_server_requests (HttpServer *server);

/* FALSE: the other side is gone. */
gboolean http_server_write (const HttpAsked *asked, const void *bytes, gsize size);
/* A whole answer with Content-Length; headers: "Name: value\r\n..." or "". */
gboolean http_server_answer (const HttpAsked *asked, int status, const char *headers, const char *body);
/* Lets the time pass; TRUE at once when the other side closes. */
gboolean http_server_gone (const HttpAsked *asked, int within_ms);
/* Closes so that the other side sees a reset. */
void http_server_reset (const HttpAsked *asked);
