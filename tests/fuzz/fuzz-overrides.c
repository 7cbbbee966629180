/* Overrides that anybody sent, a line, and a product's body that a worker sent behind it: what is taken is
 * kept in a form that reads the same again, lies over any body as JSON, and gives the vendor's body back. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "model/model.h"

static const char vendors[] =
  "{\"id\":\"1\",\"sku\":\"s\",\"name\":\"N\",\"brand\":\"B\",\"unit\":\"each\",\"net_weight\":{\"value\":1,"
  "\"unit\":\"g\"},\"prices\":[{\"amount\":1,\"currency\":\"USD\",\"customer_type\":\"any\"}],\"tags\":["
  "\"a\","
  "\"\\\"\\\\,}\"],\"visible\":true,\"quantity\":3,\"attributes\":{\"overridden\":\"x\"},"
  "\"updated_at\":\"2026-03-02T17:15:40.120Z\"}";

static gboolean
read_set (const char *text, gsize length, JsonBuffer *set)
{
  static const ModelContext context = { .currency = "USD" };
  g_autoptr (GArray) wrong = g_array_new (FALSE, FALSE, sizeof (ModelReject));
  gboolean good = model_overrides_read (text, length, &context, set, wrong);
  g_assert (good == (wrong->len == 0));
  for (guint i = 0; i < wrong->len; i++) {
    const ModelReject *reject = &g_array_index (wrong, ModelReject, i);
    g_assert (reject->reason && *reject->detail);
    g_assert (g_utf8_validate (reject->field, -1, NULL) && g_utf8_validate (reject->detail, -1, NULL));
  }
  return good;
}

static void
check_again (const JsonBuffer *set)
{
  JsonBuffer again = { 0 };
  g_assert (json_is_valid (set->bytes, set->length) && set->length <= MODEL_OVERRIDES_MOST);
  g_assert (read_set (set->bytes, set->length, &again));
  g_assert (again.length == set->length && memcmp (again.bytes, set->bytes, set->length) == 0);
  json_buffer_clear (&again);
}

/* exact: the body is as the model renders it. */
static void
lay_over (const char *body, gsize length, const JsonBuffer *set, gboolean exact)
{
  JsonBuffer merged = { 0 }, back = { 0 };
  model_overrides_merge (body, length, set->bytes, set->length, &merged);
  g_assert (json_is_valid (merged.bytes, merged.length));
  model_overrides_split (merged.bytes, merged.length, set->bytes, set->length, &back);
  g_assert (json_is_valid (back.bytes, back.length));
  g_assert (!exact || (back.length == length && memcmp (back.bytes, body, length) == 0));
  json_buffer_clear (&merged);
  json_buffer_clear (&back);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const char *text = (const char *)data, *line = size ? memchr (text, '\n', size) : NULL;
  gsize length = line ? (gsize)(line - text) : size;
  JsonBuffer set = { 0 };
  if (length && read_set (text, length, &set) && set.length) {
    check_again (&set);
    lay_over (vendors, strlen (vendors), &set, TRUE);
    if (length + 1 < size && line[1] == '{' && json_is_valid (line + 1, size - length - 1))
      lay_over (line + 1, size - length - 1, &set, FALSE);
  }
  json_buffer_clear (&set);
  return 0;
}
