/* Asking the daemon: HTTP over its Unix socket, one request at a time. */
#pragma once
#include "cli/cli.h"

#define CLIENT_ERROR (client_error_quark ())
GQuark client_error_quark (void);
typedef enum {
  CLIENT_ERROR_UNREACHABLE, /* no answer */
  CLIENT_ERROR_REFUSED,     /* a problem document; the message is what it says */
  CLIENT_ERROR_NOT_NOW,     /* 503: it begins or ends, or waits for something */
  CLIENT_ERROR_GONE,        /* 410: a place in the feed that is not kept */
  CLIENT_ERROR_UNREADABLE,  /* an answer that is none of the daemon's */
} ClientError;

Client *client_new (const char *socket);
void client_free (Client *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)

/* How long one request may take; without it an hour: a dry pass takes its time. */
void client_set_patience (Client *client, guint patience_ms);

/* Requests are given up once something can be read from fd. */
void client_set_interrupt (Client *client, int fd);
/* From now on answers that have an ETag are kept, and asked for with If-None-Match. */
void client_remember (Client *client);

/* The answer's bytes, as they came. body NULL: none is sent. */
GString *client_ask (Client *client, const char *method, const char *target, json_object *body,
                     GError **error);
/* Such bytes read: an object, or NULL with error. */
json_object *client_read (const GString *answer, const char *target, GError **error);
/* Both in one. */
json_object *client_json (Client *client, const char *method, const char *target, json_object *body,
                          GError **error);

/* A piece of an answer that goes on. FALSE: enough. */
typedef gboolean (*ClientPiece) (const char *bytes, gsize length, gpointer data);
/* Hands on the answer as it comes, until it ends, is cut, take() has enough, or nobody reads `out` any more.
 * headers: ends with NULL; type: what the answer must be, such as "text/event-stream". *begun: a good answer
 * began. FALSE: error says why it could not be asked or was refused. */
gboolean client_stream (Client *client, const char *target, const char *const *headers, const char *type,
                        FILE *out, ClientPiece take, gpointer data, gboolean *begun, GError **error);

/* One item of a list, as it came. FALSE: enough. */
typedef gboolean (*ClientTake) (const char *item, gsize length, gpointer data);
/* Goes through a list page by page until `most` items were given (0: all). *more (may be NULL): was
 * something left? */
gboolean client_list (Client *client, const char *target, guint64 most, ClientTake take, gpointer data,
                      gboolean *more, GError **error);

/* Has the reader of a pipe gone away? */
gboolean client_output_is_closed (FILE *out);

/* Targets: "/v1/stores", then segments and parameters, escaped. g_free() what target_end() gives. */
typedef GString Target;
Target *target_new (const char *path);
void target_segment (Target *target, const char *segment);
void target_parameter (Target *target, const char *name, const char *value); /* value NULL: left out */

/* A problem document in words: title, detail, and a line for each field that the detail does not tell.
 * g_free(). */
char *client_problem_to_text (json_object *problem);
