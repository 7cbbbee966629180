/* The frames between hub and worker: a fixed head, then a body, over one SOCK_STREAM socketpair. Bodies are
 * JSON, but for record batches, whose bytes are what will be stored and served.
 *
 *   hub -> worker                                   worker -> hub
 *   CONNECT   settings of one connector             HELLO    the plugin's description (first frame)
 *   DISCONNECT                                      RECORDS  new records, rendered (WireRecord, back to back)
 *   CALL      one operation on one connector        SAME     records as in the last pass (WireSame, one kind
 * a frame) CANCEL    end that call soon                    REJECT   one record set aside, with the reason
 *   CREDIT    bytes of RECORDS and SAME taken in    RESULT   the end of a call
 *   DRAIN     finish what runs, then leave          LOG      a line of the plugin's or worker's
 *   PING                                            PONG
 *
 * Both ends are the same build, on one machine: integers are in the machine's own order. The hub does not
 * trust the worker, which runs a stranger's code: wire_next() and wire_record_next() check every length, and
 * wire_legal() which frames a call may get in its state. */
#pragma once
#include <glib.h>

enum {
  WIRE_VERSION = 1,
  WIRE_RECORD_MOST = 1 << 20,   /* of one record's body */
  WIRE_BATCH_BYTES = 128 << 10, /* the worker sends a batch when it holds this much */
  WIRE_WINDOW_BYTES = 4 << 20,  /* RECORDS and SAME bytes that may be under way before CREDIT comes back */
};

typedef enum {
  WIRE_HELLO = 1,
  WIRE_CONNECT,
  WIRE_DISCONNECT,
  WIRE_CALL,
  WIRE_CANCEL,
  WIRE_CREDIT,
  WIRE_DRAIN,
  WIRE_PING,
  WIRE_PONG,
  WIRE_RECORDS,
  WIRE_SAME,
  WIRE_REJECT,
  WIRE_RESULT,
  WIRE_LOG,
  WIRE_TYPES
} WireType;

typedef struct {
  guint32 size; /* of the body */
  guint8 type;
  guint8 kind; /* of SAME: index of the kind in the model, else 0 */
  guint16 reserved;
  guint64 call; /* the call it belongs to, 0: none. CREDIT: the number of bytes. (DIS)CONNECT: the connector's
                   number */
} WireHead;

typedef enum { WIRE_PUT = 1, WIRE_DELETE = 2 } WireOp;

/* One record of a RECORDS frame; id and body (each followed by a NUL) stand behind it, then zeros up to a
 * multiple of 8. */
typedef struct {
  guint32 size; /* of the whole entry */
  guint8 kind;  /* index of the kind in the model */
  guint8 op;
  guint16 id_length;
  guint32 body_length; /* 0 for a deletion */
  guint32 reserved;
  guint64 id_hash, hash; /* hash_bytes() of id and body under the store's seed */
  guint64 parent_hash;   /* of parent_id, 0: none */
  gint64 updated_ms;     /* the record's own updated_at, 0: not said */
} WireRecord;

typedef struct {
  guint64 id_hash, hash;
} WireSame;

static inline const char *
wire_record_id (const WireRecord *record)
{
  return (const char *)(record + 1);
}
static inline const char *
wire_record_body (const WireRecord *record)
{
  return (const char *)(record + 1) + record->id_length + 1;
}

/* ---- one end of the socket ---- */

typedef struct WireEnd WireEnd;

/* A frame that came in. bytes holds it; take a reference to keep record bytes beyond the callback. */
typedef struct {
  WireHead head;
  const guint8 *body; /* 8-byte aligned; one NUL byte stands behind it, 64 readable bytes follow it */
  GBytes *bytes;
} WireFrame;

/* fd: non-blocking, owned from now on. */
WireEnd *wire_end_new (int fd);
void wire_end_free (WireEnd *end);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WireEnd, wire_end_free)
int wire_end_fd (const WireEnd *end);

/* Reads what is there. TRUE: ask wire_end_next() until it gives FALSE. FALSE with error: broken or against
 * the rules; FALSE without error: the other end is closed. */
gboolean wire_end_read (WireEnd *end, GError **error);
/* The next whole frame; valid until the next call of wire_end_next() or wire_end_read(). */
gboolean wire_end_next (WireEnd *end, WireFrame *frame, GError **error);

/* Queues a frame; wire_end_flush() writes all that is queued with one writev(). */
void wire_end_send (WireEnd *end, WireType type, guint8 kind, guint64 call, const void *body, gsize size);
/* The same for a body that the end may keep and free (takes the GByteArray). */
void wire_end_send_array (WireEnd *end, WireType type, guint8 kind, guint64 call, GByteArray *body);
/* FALSE: broken. *pending: bytes that wait for EPOLLOUT. */
gboolean wire_end_flush (WireEnd *end, gsize *pending);

/* ---- record batches ---- */

/* Appends one record to a batch. */
void wire_record_append (GByteArray *batch, const WireRecord *head, const char *id, const char *body);
/* Walks a RECORDS body: *record is NULL to begin with; FALSE at the end, or with error when lengths do not
 * fit. */
gboolean wire_record_next (const guint8 *body, gsize size, const WireRecord **record, GError **error);

/* ---- what is legal ---- */

typedef enum { WIRE_CALL_UNKNOWN, WIRE_CALL_RUNNING, WIRE_CALL_CANCELLED } WireCallState;

/* May a worker send this frame, for a call in this state? (After a CANCEL, records still under way are legal,
 * and ignored.) */
gboolean wire_legal (WireType type, WireCallState state, gboolean said_hello);
const char *wire_type_name (WireType type);
