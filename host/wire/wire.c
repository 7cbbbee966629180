#include "wire/wire.h"

#include <errno.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { READ_ROOM = 256 << 10, READ_SLACK = 64, IOVECS_MOST = 64 };

static const char *const names[WIRE_TYPES] = { "none",    "HELLO",  "CONNECT", "DISCONNECT", "CALL",
                                               "CANCEL",  "CREDIT", "DRAIN",   "PING",       "PONG",
                                               "RECORDS", "SAME",   "REJECT",  "RESULT",     "LOG" };

/* The most that a body of each type may have: what a worker sends is held in memory before it is looked at.
 */
static const guint32 mosts[WIRE_TYPES] = {
  [WIRE_HELLO] = 8 << 20, [WIRE_CONNECT] = 8 << 20,  [WIRE_CALL] = 8 << 20,   [WIRE_RECORDS] = 8 << 20,
  [WIRE_SAME] = 8 << 20,  [WIRE_REJECT] = 256 << 10, [WIRE_RESULT] = 8 << 20, [WIRE_LOG] = 256 << 10,
};

/* One frame's head and body in one piece of memory, whose body is aligned: the head is 16 bytes. */
struct WireEnd {
  int fd;
  gboolean closed;
  GByteArray *in; /* small frames gather here */
  gsize taken;    /* of in: given out already */
  GBytes *given;  /* the frame that wire_end_next() gave last */
  GQueue out;     /* GByteArray, frames back to back */
  gsize out_sent; /* of the first one */
  gsize pending;
};

const char *
wire_type_name (WireType type)
{
  return type < WIRE_TYPES ? names[type] : "unknown";
}

WireEnd *
wire_end_new (int fd)
{
  WireEnd *end = g_new0 (WireEnd, 1);
  end->fd = fd;
  end->in = g_byte_array_sized_new (READ_ROOM);
  g_queue_init (&end->out);
  return end;
}

void
wire_end_free (WireEnd *end)
{
  if (!end)
    return;
  close (end->fd);
  g_byte_array_unref (end->in);
  g_clear_pointer (&end->given, g_bytes_unref);
  g_queue_clear_full (&end->out, (GDestroyNotify)g_byte_array_unref);
  g_free (end);
}

int
wire_end_fd (const WireEnd *end)
{
  return end->fd;
}

/* How many bytes would complete what is half here, at least READ_ROOM. */
static gsize
room_wanted (const WireEnd *end)
{
  WireHead head;
  gsize have = end->in->len - end->taken;
  if (have < sizeof head)
    return READ_ROOM;
  memcpy (&head, end->in->data + end->taken, sizeof head);
  gsize whole = sizeof head + head.size;
  return head.type < WIRE_TYPES && head.size <= mosts[head.type] && whole > have
           ? MAX (whole - have, READ_ROOM)
           : READ_ROOM;
}

gboolean
wire_end_read (WireEnd *end, GError **error)
{
  g_clear_pointer (&end->given, g_bytes_unref);
  if (end->taken) {
    g_byte_array_remove_range (end->in, 0, (guint)end->taken);
    end->taken = 0;
  }
  guint had = end->in->len;
  gsize room = room_wanted (end);
  g_byte_array_set_size (end->in, (guint)(had + room));
  gssize got = read (end->fd, end->in->data + had, room);
  int why = errno;
  g_byte_array_set_size (end->in, (guint)(had + (got > 0 ? got : 0)));
  if (got > 0 || (got < 0 && (why == EAGAIN || why == EINTR)))
    return TRUE;
  if (got < 0 && why != ECONNRESET)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (why), "cannot read: %s", g_strerror (why));
  return FALSE;
}

gboolean
wire_end_next (WireEnd *end, WireFrame *frame, GError **error)
{
  g_clear_pointer (&end->given, g_bytes_unref);
  gsize have = end->in->len - end->taken;
  if (have < sizeof frame->head)
    return FALSE;
  memcpy (&frame->head, end->in->data + end->taken, sizeof frame->head);
  if (frame->head.type == 0 || frame->head.type >= WIRE_TYPES || frame->head.size > mosts[frame->head.type]) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a frame of type %u and %u bytes is not legal",
                 frame->head.type, frame->head.size);
    return FALSE;
  }
  if (have - sizeof frame->head < frame->head.size)
    return FALSE;
  guint8 *body = g_malloc (frame->head.size + READ_SLACK);
  memcpy (body, end->in->data + end->taken + sizeof frame->head, frame->head.size);
  memset (body + frame->head.size, 0, READ_SLACK);
  end->taken += sizeof frame->head + frame->head.size;
  end->given = g_bytes_new_take (body, frame->head.size);
  frame->body = body;
  frame->bytes = end->given;
  return TRUE;
}

static GByteArray *
open_array (WireEnd *end, gsize more)
{
  GByteArray *last = g_queue_peek_tail (&end->out);
  if (!last || last->len + more > WIRE_BATCH_BYTES) {
    last = g_byte_array_new ();
    g_queue_push_tail (&end->out, last);
  }
  return last;
}

static void
send_head (WireEnd *end, WireType type, guint8 kind, guint64 call, gsize size)
{
  g_assert (size <= mosts[type]);
  WireHead head = { .size = (guint32)size, .type = type, .kind = kind, .call = call };
  g_byte_array_append (open_array (end, sizeof head + size), (const guint8 *)&head, sizeof head);
  end->pending += sizeof head + size;
}

void
wire_end_send (WireEnd *end, WireType type, guint8 kind, guint64 call, const void *body, gsize size)
{
  send_head (end, type, kind, call, size);
  g_byte_array_append (g_queue_peek_tail (&end->out), body, (guint)size);
}

void
wire_end_send_array (WireEnd *end, WireType type, guint8 kind, guint64 call, GByteArray *body)
{
  if (body->len < 4096) {
    wire_end_send (end, type, kind, call, body->data, body->len);
    g_byte_array_unref (body);
    return;
  }
  send_head (end, type, kind, call, body->len);
  g_queue_push_tail (&end->out, body);
}

gboolean
wire_end_flush (WireEnd *end, gsize *pending)
{
  while (!g_queue_is_empty (&end->out)) {
    struct iovec vectors[IOVECS_MOST];
    int count = 0;
    for (GList *link = end->out.head; link && count < IOVECS_MOST; link = link->next, count++) {
      GByteArray *array = link->data;
      gsize skip = count == 0 ? end->out_sent : 0;
      vectors[count] = (struct iovec){ array->data + skip, array->len - skip };
    }
    gssize sent = writev (end->fd, vectors, count);
    if (sent < 0 && errno == EINTR)
      continue;
    if (sent < 0 && errno != EAGAIN)
      return FALSE;
    if (sent <= 0)
      break;
    end->pending -= (gsize)sent;
    end->out_sent += (gsize)sent;
    for (GByteArray *first; (first = g_queue_peek_head (&end->out)) && end->out_sent >= first->len;) {
      end->out_sent -= first->len;
      g_byte_array_unref (g_queue_pop_head (&end->out));
    }
  }
  *pending = end->pending;
  return TRUE;
}

void
wire_record_append (GByteArray *batch, const WireRecord *head, const char *id, const char *body)
{
  gsize texts = (gsize)head->id_length + 1 + (head->body_length ? head->body_length + 1 : 0);
  gsize size = (sizeof *head + texts + 7) & ~(gsize)7;
  guint at = batch->len;
  g_byte_array_set_size (batch, (guint)(at + size));
  guint8 *out = batch->data + at;
  WireRecord *record = (WireRecord *)out;
  *record = *head;
  record->size = (guint32)size;
  out += sizeof *head;
  memcpy (out, id, head->id_length);
  out[head->id_length] = '\0';
  out += head->id_length + 1;
  memcpy (out, body ? body : "", head->body_length);
  memset (out + head->body_length, 0, size - sizeof *head - head->id_length - 1 - head->body_length);
}

gboolean
wire_record_next (const guint8 *body, gsize size, const WireRecord **record, GError **error)
{
  const guint8 *at = *record ? (const guint8 *)*record + (*record)->size : body;
  gsize left = size - (gsize)(at - body);
  if (left == 0)
    return FALSE;
  const WireRecord *next = (const WireRecord *)at;
  gsize least = left < sizeof *next ? G_MAXSIZE
                                    : sizeof *next + next->id_length + 1 +
                                        (next->body_length ? (gsize)next->body_length + 1 : 0);
  if (least > left || next->size > left || next->size < least || next->size % 8 != 0 ||
      wire_record_id (next)[next->id_length] != '\0' ||
      (next->body_length && wire_record_body (next)[next->body_length] != '\0') ||
      (next->op != WIRE_PUT && next->op != WIRE_DELETE)) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA, "a record's lengths do not fit its frame");
    return FALSE;
  }
  *record = next;
  return TRUE;
}

gboolean
wire_legal (WireType type, WireCallState state, gboolean said_hello)
{
  switch (type) {
  case WIRE_HELLO:
    return !said_hello && state == WIRE_CALL_UNKNOWN;
  case WIRE_LOG:
  case WIRE_PONG:
    return TRUE;
  case WIRE_RECORDS:
  case WIRE_SAME:
  case WIRE_REJECT:
  case WIRE_RESULT:
    return said_hello && state != WIRE_CALL_UNKNOWN;
  default:
    return FALSE;
  }
}
