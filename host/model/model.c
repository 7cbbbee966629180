#include "model/model.h"

#include "model/put.h"
#include "model/render.h"

#include <string.h>

/* ---- kinds ---- */

const char *
model_kind_name (guint kind)
{
  return kind < MODEL_KINDS ? model_kinds[kind].name : NULL;
}

static int
kind_of_word (const char *word, gsize length)
{
  for (int i = 0; i < MODEL_KINDS; i++)
    if (strlen (model_kinds[i].name) == length && memcmp (model_kinds[i].name, word, length) == 0)
      return i;
  return -1;
}

int
model_kind_from_name (const char *name)
{
  return kind_of_word (name, strlen (name));
}

int
model_kind_from_bit (tb_kind bit)
{
  for (int i = 0; i < MODEL_KINDS; i++)
    if (model_kinds[i].bit == bit)
      return i;
  return -1;
}

gboolean
model_kinds_from_list (const char *list, guint *bits, char **unknown)
{
  guint found = 0;
  for (const char *at = list, *end; at; at = *end ? end + 1 : NULL) {
    end = strchrnul (at, ',');
    gsize length = (gsize)(end - at);
    int kind = kind_of_word (at, length);
    if (kind < 0) {
      if (unknown)
        *unknown = g_strndup (at, length);
      return FALSE;
    }
    found |= 1u << kind;
  }
  *bits = found;
  return TRUE;
}

/* ---- ids ---- */

static void
put_id_part (JsonBuffer *out, const char *text)
{
  static const char hex[] = "0123456789ABCDEF";
  for (; *text; text++) {
    guchar byte = (guchar)*text;
    if (g_ascii_isalnum (byte) || strchr ("-._~", byte))
      put_byte (out, (char)byte);
    else
      put_short (out, (char[]){ '%', hex[byte >> 4], hex[byte & 15] }, 3);
  }
}

void
model_inventory_id (JsonBuffer *out, const char *product, const char *location, const char *batch,
                    tb_buyer buyer)
{
  static const char *const words[] = { "", "recreational", "medical" };
  const char *parts[] = { product, location ? location : "", batch ? batch : "",
                          (guint)buyer < G_N_ELEMENTS (words) ? words[buyer] : "" };
  guint count = G_N_ELEMENTS (parts);
  while (count > 1 && !*parts[count - 1])
    count--;
  for (guint i = 0; i < count; i++) {
    if (i)
      put_byte (out, ':');
    put_id_part (out, parts[i]);
  }
}

/* ---- rendering ---- */

static const char *
text_at (const void *record, gint16 offset)
{
  const char *text =
    offset < 0 ? NULL : *(const char *const *)(const void *)((const guint8 *)record + offset);
  return text && *text ? text : NULL;
}

/* What the store keeps beside the body. FALSE: nothing names this record. */
static gboolean
name_record (guint kind, const void *record, const JsonBuffer *ids, ModelRendered *rendered)
{
  const Kind *of = &model_kinds[kind];
  if (kind == MODEL_INVENTORY) {
    rendered->id = ids->bytes;
    rendered->id_length = ids->length;
  } else {
    rendered->id = text_at (record, 0);
    if (!rendered->id)
      rendered->id = text_at (record, of->other_id);
    rendered->id_length = rendered->id ? strlen (rendered->id) : 0;
  }
  rendered->parent_id = text_at (record, of->parent);
  rendered->updated_ms =
    of->updated < 0 ? 0 : *(const long long *)(const void *)((const guint8 *)record + of->updated);
  return rendered->id != NULL;
}

gboolean
model_render (guint kind, const void *record, const ModelContext *context, JsonBuffer *out, JsonBuffer *ids,
              ModelRendered *rendered, ModelReject *reject)
{
  g_assert (kind < MODEL_KINDS);
  Writer writer = { .out = out, .ids = ids, .context = context, .reject = reject };
  gsize before = out->length;
  ids->length = 0;
  reject->reason = NULL;
  reject->field[0] = reject->detail[0] = '\0';
  gboolean good = render_record (&writer, &model_kinds[kind].table, record);
  if (good && out->length - before > MODEL_RECORD_MOST) {
    reject->reason = "too_long";
    g_snprintf (reject->detail, sizeof reject->detail,
                "the record has %" G_GSIZE_FORMAT " bytes, at most %d are taken", out->length - before,
                MODEL_RECORD_MOST);
    good = FALSE;
  }
  if (good && !name_record (kind, record, ids, rendered)) {
    reject->reason = "missing_field";
    g_strlcpy (reject->field, "vendor_id", sizeof reject->field);
    g_strlcpy (reject->detail, "neither id nor vendor_id tells which record this is", sizeof reject->detail);
    good = FALSE;
  }
  if (!good)
    out->length = before;
  return good;
}
