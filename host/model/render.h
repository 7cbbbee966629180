/* Checks and writes one record by its table. Part of the room model/, for its own files alone. */
#pragma once
#include "model/fields.h"

typedef struct {
  JsonBuffer *out;
  JsonBuffer *ids; /* takes the composed id of an inventory level */
  const ModelContext *context;
  ModelReject *reject;
  const char *currency; /* of the amounts since the last FIELD_CURRENCY, three letters; NULL: none was said */
} Writer;

typedef struct {
  const guint8 *first;
  guint32 count, room;
} AnyList; /* what TB_LIST_OF (...) is, whatever it holds */

G_STATIC_ASSERT (sizeof (AnyList) == sizeof (tb_texts));

/* Appends the record as a JSON object. FALSE: reject is filled, and out holds what was written until then. */
gboolean render_record (Writer *writer, const Table *table, const void *record);
/* One member alone, with the comma before it; nothing when it was not said. */
gboolean render_field (Writer *writer, const Field *field, const void *record);
