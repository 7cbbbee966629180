#include "wire/wire.h"
#include "tap.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void
pair (WireEnd **a, WireEnd **b)
{
  int fds[2];
  CU_ASSERT_FATAL (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
  *a = wire_end_new (fds[0]);
  *b = wire_end_new (fds[1]);
}

static void
test_frames_of_any_size_arrive_whole_and_in_order (void)
{
  g_autoptr (WireEnd) a = NULL;
  g_autoptr (WireEnd) b = NULL;
  pair (&a, &b);
  static const gsize sizes[] = { 16, 1, 0, 15, 4095, 4096, 70000, 3000000, 7 };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    GByteArray *body = g_byte_array_new ();
    g_byte_array_set_size (body, (guint)sizes[i]);
    memset (body->data ? body->data : (guint8 *)"", (int)i, sizes[i]);
    wire_end_send_array (a, WIRE_RECORDS, 0, i, body);
  }
  gsize pending = 1, seen = 0;
  while (seen < G_N_ELEMENTS (sizes)) {
    CU_ASSERT_FATAL (wire_end_flush (a, &pending));
    g_autoptr (GError) error = NULL;
    CU_ASSERT_FATAL (wire_end_read (b, &error));
    for (WireFrame frame; wire_end_next (b, &frame, &error); seen++) {
      CU_ASSERT_EQUAL (frame.head.size, sizes[seen]);
      CU_ASSERT_EQUAL (frame.head.call, seen);
      CU_ASSERT_EQUAL ((gsize)frame.body % 8, 0);
      for (gsize i = 0; i < sizes[seen]; i++)
        if (frame.body[i] != seen)
          CU_FAIL_FATAL ("a byte differs");
    }
    CU_ASSERT_PTR_NULL_FATAL (error);
  }
  CU_ASSERT_EQUAL (pending, 0);
}

static void
test_a_closed_end_is_told_without_error (void)
{
  g_autoptr (WireEnd) a = NULL;
  WireEnd *b;
  pair (&a, &b);
  wire_end_free (b);
  g_autoptr (GError) error = NULL;
  CU_ASSERT_FALSE (wire_end_read (a, &error));
  CU_ASSERT_PTR_NULL (error);
}

static void
test_a_frame_of_an_unknown_type_is_refused (void)
{
  g_autoptr (WireEnd) a = NULL;
  g_autoptr (WireEnd) b = NULL;
  pair (&a, &b);
  WireHead head = { .size = 0xffffffff, .type = 99 };
  CU_ASSERT_FATAL (write (wire_end_fd (a), &head, sizeof head) == sizeof head);
  g_autoptr (GError) error = NULL;
  WireFrame frame;
  CU_ASSERT (wire_end_read (b, &error));
  CU_ASSERT_FALSE (wire_end_next (b, &frame, &error));
  CU_ASSERT_PTR_NOT_NULL (error);
}

/* Nothing of such a frame is waited for, nor held. */
static void
test_a_frame_that_is_too_long_for_its_type_is_refused (void)
{
  static const WireHead heads[] = {
    { .type = WIRE_HELLO, .size = 9 << 20 },    { .type = WIRE_RECORDS, .size = 9 << 20 },
    { .type = WIRE_SAME, .size = 9 << 20 },     { .type = WIRE_RESULT, .size = 9 << 20 },
    { .type = WIRE_REJECT, .size = 257 << 10 }, { .type = WIRE_LOG, .size = 257 << 10 },
    { .type = WIRE_PONG, .size = 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++) {
    g_autoptr (WireEnd) a = NULL;
    g_autoptr (WireEnd) b = NULL;
    g_autoptr (GError) error = NULL;
    WireFrame frame;
    pair (&a, &b);
    CU_ASSERT_FATAL (write (wire_end_fd (a), &heads[i], sizeof heads[i]) == sizeof heads[i]);
    CU_ASSERT (wire_end_read (b, &error));
    CU_ASSERT_FALSE (wire_end_next (b, &frame, &error));
    CU_ASSERT_PTR_NOT_NULL (error);
  }
}

static GByteArray *
two_records (void)
{
  GByteArray *batch = g_byte_array_new ();
  wire_record_append (batch, &(WireRecord){ .kind = 1, .op = WIRE_PUT, .id_length = 2, .body_length = 9 },
                      "ab", "{\"id\":12}");
  wire_record_append (batch, &(WireRecord){ .kind = 2, .op = WIRE_DELETE, .id_length = 3 }, "xyz", NULL);
  return batch;
}

static void
test_records_are_walked (void)
{
  g_autoptr (GByteArray) batch = two_records ();
  g_autoptr (GError) error = NULL;
  const WireRecord *record = NULL;
  CU_ASSERT_FATAL (wire_record_next (batch->data, batch->len, &record, &error));
  CU_ASSERT_STRING_EQUAL (wire_record_id (record), "ab");
  CU_ASSERT_STRING_EQUAL (wire_record_body (record), "{\"id\":12}");
  CU_ASSERT_FATAL (wire_record_next (batch->data, batch->len, &record, &error));
  CU_ASSERT_STRING_EQUAL (wire_record_id (record), "xyz");
  CU_ASSERT_EQUAL (record->op, WIRE_DELETE);
  CU_ASSERT_FALSE (wire_record_next (batch->data, batch->len, &record, &error));
  CU_ASSERT_PTR_NULL (error);
}

static void
test_lengths_that_lie_are_refused (void)
{
  for (gsize at = 0; at < 16; at++) {
    g_autoptr (GByteArray) batch = two_records ();
    if (at == 4)
      continue; /* the kind is for the hub to judge */
    batch->data[at] ^= 0x80;
    const WireRecord *record = NULL;
    g_autoptr (GError) error = NULL;
    while (wire_record_next (batch->data, batch->len, &record, &error))
      ;
    if (at < 12)
      CU_ASSERT_PTR_NOT_NULL (error);
  }
}

static void
test_only_a_running_call_may_give_records (void)
{
  CU_ASSERT (wire_legal (WIRE_HELLO, WIRE_CALL_UNKNOWN, FALSE));
  CU_ASSERT_FALSE (wire_legal (WIRE_HELLO, WIRE_CALL_UNKNOWN, TRUE));
  CU_ASSERT_FALSE (wire_legal (WIRE_RECORDS, WIRE_CALL_UNKNOWN, TRUE));
  CU_ASSERT (wire_legal (WIRE_RECORDS, WIRE_CALL_RUNNING, TRUE));
  CU_ASSERT (wire_legal (WIRE_RESULT, WIRE_CALL_CANCELLED, TRUE));
  CU_ASSERT_FALSE (wire_legal (WIRE_CALL, WIRE_CALL_RUNNING, TRUE));
}

int
main (void)
{
  return TAP_RUN (
    "wire",
    { "frames of any size arrive whole and in order", test_frames_of_any_size_arrive_whole_and_in_order },
    { "a closed end is told without error", test_a_closed_end_is_told_without_error },
    { "a frame of an unknown type is refused", test_a_frame_of_an_unknown_type_is_refused },
    { "a frame that is too long for its type is refused",
      test_a_frame_that_is_too_long_for_its_type_is_refused },
    { "records are walked", test_records_are_walked },
    { "lengths that lie are refused", test_lengths_that_lie_are_refused },
    { "only a running call may give records", test_only_a_running_call_may_give_records });
}
