/* What the tests of the model share: rendering one record, and the smallest product there is. */
#pragma once
#include "model/model.h"
#include "tap.h"

#include <string.h>

static const ModelContext store = { .currency = "USD" };

/* Renders and gives the body (g_free), or NULL and the reject. */
static inline char *
render (guint kind, const void *record, ModelRendered *rendered, ModelReject *reject)
{
  ModelRendered some;
  ModelReject refused;
  JsonBuffer out = { 0 }, ids = { 0 };
  char *body = NULL;
  if (model_render (kind, record, &store, &out, &ids, rendered ? rendered : &some,
                    reject ? reject : &refused))
    body = g_strndup (out.bytes, out.length);
  json_buffer_clear (&out);
  json_buffer_clear (&ids);
  return body;
}

static inline gboolean
renders_as (guint kind, const void *record, const char *wanted)
{
  ModelReject reject = { 0 };
  g_autofree char *body = render (kind, record, NULL, &reject);
  if (g_strcmp0 (body, wanted) == 0)
    return TRUE;
  g_print ("# got    %s%s %s\n# wanted %s\n", body ? body : reject.reason, reject.field, reject.detail,
           wanted);
  return FALSE;
}

static inline gboolean
refuses (guint kind, const void *record, const char *reason, const char *field)
{
  ModelReject reject = { 0 };
  g_autofree char *body = render (kind, record, NULL, &reject);
  if (!body && g_str_equal (reject.reason, reason) && g_str_equal (reject.field, field))
    return *reject.detail != '\0';
  g_print ("# got    %s %s %s\n# wanted %s %s\n", body ? body : reject.reason, reject.field, reject.detail,
           reason, field);
  return FALSE;
}

static inline tb_decimal
number (gint64 nano)
{
  return (tb_decimal){ nano, 1 };
}

static inline tb_decimal
whole (gint64 value)
{
  return number (value * TB_NANO);
}

static inline tb_product
least_product (void)
{
  return (tb_product){ .id = "1", .name = "N" };
}
