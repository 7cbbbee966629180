/* Reads JSON into the SDK's structs by the tables of fields: what render.c does, the other way round. It
 * checks that values are of the type that the table names and that members are known; lengths, ranges and the
 * inside of texts are checked by rendering what was read. Part of the room model/, for its own files alone.
 */
#pragma once
#include "model/render.h"

typedef struct {
  Writer writer;   /* takes the refusals; names the currency of money that names none */
  GPtrArray *kept; /* memory of lists, g_free */
} Reader;

/* value: the member of `object` that the field is (never null). Texts stay where the document has them.
 * FALSE: refused. */
gboolean read_field (Reader *reader, const Field *field, const JsonNode *object, const JsonNode *value,
                     void *record);

/* The member is one of the table's and none of those that were met. */
gboolean read_check_member (Reader *reader, const Table *table, const JsonNode *member, guint64 *met);
/* So is each of them. */
gboolean read_check_members (Reader *reader, const Table *table, const JsonNode *object);

/* NULL: it has no such member. */
const JsonNode *read_member (const JsonNode *object, const char *name, gsize length);
