/* Requests of calls on a vendor's endpoint: address and credentials from templates over settings, token,
 * signature, pace, repeats, and what an answer means. Straight-line code on the call's fiber. */
#pragma once
#include "worker/worker.h"

/* Makes connector->endpoints out of the plugin's rows whose `when` holds; frees them. FALSE: a template that
 * cannot be filled. */
gboolean endpoints_make (Connector *connector, GError **error);
void endpoints_free (Connector *connector);
/* "generation=v3" against the settings; "" and NULL hold; a bare name: it is set. */
gboolean when_holds (const char *when, const Connector *connector);

/* A whole answer: sent, waited for, judged. *document is read and lives in the call's arena; NULL for an
 * empty body or any_body. path: formatted already, below the endpoint's URL (or a link as the vendor wrote
 * it). On failure call_fail() was told. */
tb_status endpoint_ask (Call *call, const tb_request *request, const char *path, gboolean is_link,
                        const tb_json **answer);

/* An answer that is read while it arrives. After TB_OK the head is in and nothing was wrong with it so far.
 * mark: how the vendor marked this page when it was last read, NULL: nothing of it is known, nor to be. */
typedef struct {
  const char *etag, *modified; /* one of them is sent along: has it changed since? NULL: neither */
} EndpointMark;
typedef struct EndpointStream EndpointStream;
tb_status endpoint_open (Call *call, const tb_request *request, const char *path, gboolean is_link,
                         const EndpointMark *mark, EndpointStream **stream);
/* With a mark. Did the vendor say that nothing has changed? */
gboolean endpoint_not_modified (const EndpointStream *stream);
gboolean endpoint_is_packed (const EndpointStream *stream);
/* Waits for the whole body, where it comes packed and is not too large, and hashes it as it was sent. FALSE:
 * it must be read. */
gboolean endpoint_packed (EndpointStream *stream, guint64 *hash, gint64 *bytes);
/* The same of a body that was read to its end. FALSE: it was not packed. */
gboolean endpoint_was_packed (const EndpointStream *stream, guint64 *hash, gint64 *bytes);
/* The answer of last time stands for this one, which nobody reads: its status was 200, those
 * headers ("Name: value\n") count that a 304 does not say itself. */
void endpoint_stands (EndpointStream *stream, const char *headers);
/* Those headers of an answer. NULL: more than `most` bytes. */
char *endpoint_headers (const EndpointStream *stream, gsize most);
int endpoint_status (const EndpointStream *stream);
const char *endpoint_stream_header (const EndpointStream *stream, const char *name); /* NULL: none */
/* Waits for bytes (valid until the next read). *length 0: the body is whole. Not TB_OK: it broke, was too
 * large or too late; call_fail() was told. */
tb_status endpoint_read (EndpointStream *stream, const char **bytes, gsize *length);
/* What the rules and classify say of the rest of a document that was read to its end. unused: nobody has had
 * anything of it, so where trying again may help it is asked for again, and *stream is another one, to be
 * read from its beginning; NULL when that failed. */
tb_status endpoint_judge (EndpointStream **stream, const tb_json *rest, gboolean unused);
void endpoint_close (EndpointStream *stream); /* at any time; also done when the call ends */

/* The last answer's header of this call (any case), NULL: none. */
const char *endpoint_header (Call *call, const char *name);
/* %s of path formats: percent-encoded; an argument that is empty in the path part fails the call; NULL after
 * '?' drops its parameter. */
char *endpoint_path (Call *call, const char *format, va_list args);
/* A header that `sign` adds. */
void endpoint_sign_header (tb_outgoing *request, const char *name, const char *value);

/* For the table of host services: tb_pace_report(), and forms (in the call's arena). */
void endpoint_points (Call *call, const tb_points *points);
tb_form *endpoint_form (Call *call);
void endpoint_form_add (tb_form *form, const char *name, const char *value);

/* When a call ends, however it ends: streams, a token it was fetching. */
void endpoint_call_ends (Call *call);

/* For the description: the settings that say which connectors share an account at this endpoint (token,
 * pace): those that its URL and credentials name, and where a token is fetched or a request signed, every
 * secret and every required one. Keys are the plugin's own text. */
GPtrArray *endpoint_account (const tb_plugin_info *info, const tb_endpoint *row);
