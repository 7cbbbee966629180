/* How changes look: as a line, and as blocks of events. */
#include "tap.h"

#include <string.h>

#include "api/events.h"
#include "api/feed.h"

static StoreFound
found (const char *id, const char *body)
{
  return (StoreFound){ .seq = 1042,
                       .at_ms = 1772471760004,
                       .source = "pull",
                       .id = id,
                       .id_length = strlen (id),
                       .deleted = !body,
                       .body = body,
                       .body_length = body ? strlen (body) : 0 };
}

static char *
change_line (const StoreFound *record)
{
  HubCollection collection = { .kind = MODEL_PRODUCTS, .key = (char *)"downtown/pos/products" };
  JsonBuffer out = { 0 };
  feed_put_change (&out, &collection, record);
  char *text = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  return text;
}

static void
test_a_change_is_a_line (void)
{
  StoreFound put = found ("5b0c", "{\"id\":\"5b0c\",\"name\":\"Plum\"}"), gone = found ("5\"b/d", NULL);
  g_autofree char *first = change_line (&put), *second = change_line (&gone);
  CU_ASSERT_STRING_EQUAL (
    first, "{\"seq\":1042,\"kind\":\"products\",\"op\":\"put\",\"store\":\"downtown\",\"connector\":\"pos\","
           "\"id\":\"5b0c\",\"at\":\"2026-03-02T17:16:00.004Z\",\"source\":\"pull\","
           "\"record\":{\"id\":\"5b0c\",\"name\":\"Plum\"}}");
  CU_ASSERT_STRING_EQUAL (
    second,
    "{\"seq\":1042,\"kind\":\"products\",\"op\":\"delete\",\"store\":\"downtown\",\"connector\":\"pos\","
    "\"id\":\"5\\\"b/d\",\"at\":\"2026-03-02T17:16:00.004Z\",\"source\":\"pull\"}");
}

static void
test_no_plugin_can_end_a_line (void)
{
  StoreFound put = found ("a", "{\"id\":\"a\",\n\r\n\"name\":\"A\"\r}\n");
  g_autofree char *line = change_line (&put);
  CU_ASSERT_PTR_NULL (strpbrk (line, "\r\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (line, "\"record\":{\"id\":\"a\",   \"name\":\"A\" } }"));
}

static void
test_a_record_of_the_snapshot_is_a_line (void)
{
  StoreFound put = found ("5b0c", "{\"id\":\"5b0c\"}");
  JsonBuffer out = { 0 };
  feed_put_record (&out, MODEL_INVENTORY, "uptown/stock/inventory", &put);
  g_autofree char *line = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  CU_ASSERT_STRING_EQUAL (line,
                          "{\"seq\":1042,\"kind\":\"inventory\",\"store\":\"uptown\",\"connector\":\"stock\","
                          "\"id\":\"5b0c\",\"record\":{\"id\":\"5b0c\"}}\n");
}

/* What a client reads out of a block that is one chunk; g_free(). */
static char *
read_chunk (GBytes *block)
{
  gsize size;
  const char *bytes = g_bytes_get_data (block, &size);
  char *end;
  guint64 length = g_ascii_strtoull (bytes, &end, 16);
  CU_ASSERT (end == bytes + EVENTS_HEAD - 2 && memcmp (end, "\r\n", 2) == 0);
  CU_ASSERT_EQUAL (length, size - EVENTS_HEAD - EVENTS_TAIL);
  CU_ASSERT (memcmp (bytes + size - EVENTS_TAIL, "\r\n", EVENTS_TAIL) == 0);
  return g_strndup (bytes + EVENTS_HEAD, length);
}

static void
test_a_block_of_events_is_one_chunk (void)
{
  JsonBuffer block = { 0 };
  events_put_change (&block, 7, "{\"a\":1}", 7);
  events_put_change (&block, 9, "{}", 2);
  events_put_alive (&block, 12);
  g_autoptr (GBytes) bytes = events_end (&block);
  g_autofree char *text = read_chunk (bytes);
  CU_ASSERT_STRING_EQUAL (text, "id: 7\nevent: change\ndata: {\"a\":1}\n\nid: 9\nevent: change\ndata: {}\n\n"
                                ": alive\nid: 12\n\n");
}

static void
test_a_block_begins_anew_when_it_was_ended (void)
{
  JsonBuffer block = { 0 };
  CU_ASSERT_PTR_NULL (events_end (&block));
  events_put_alive (&block, 1);
  g_autoptr (GBytes) first = events_end (&block);
  CU_ASSERT_PTR_NULL (events_end (&block));
  events_put_reset (&block);
  g_autoptr (GBytes) second = events_end (&block);
  g_autofree char *text = read_chunk (second);
  CU_ASSERT_STRING_EQUAL (text, "event: reset\ndata: {\"snapshot\":\"/v1/snapshot\"}\n\n");
}

int
main (void)
{
  return TAP_RUN ("feed", { "a change is a line", test_a_change_is_a_line },
                  { "no plugin can end a line", test_no_plugin_can_end_a_line },
                  { "a record of the snapshot is a line", test_a_record_of_the_snapshot_is_a_line },
                  { "a block of events is one chunk", test_a_block_of_events_is_one_chunk },
                  { "a block begins anew when it was ended", test_a_block_begins_anew_when_it_was_ended });
}
