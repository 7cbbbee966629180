/* The normalised records: one table of fields a kind. From it come checking, rendering as JSON (as it is
 * stored and served), and what is published of the shapes. Bodies are rendered straight from the SDK's
 * structs, members in the table's order, what was not said left out. */
#pragma once
#include <glib.h>
#include "json/json.h"
#include <tillbridge/records.h>

enum {
  MODEL_PRODUCTS,
  MODEL_INVENTORY,
  MODEL_PROMOTIONS,
  MODEL_CUSTOMERS,
  MODEL_ORDERS,
  MODEL_MESSAGES,
  MODEL_INSIGHTS,
  MODEL_KINDS
};

/* "products" ...; NULL above MODEL_KINDS. */
const char *model_kind_name (guint kind);
/* -1: no such kind. */
int model_kind_from_name (const char *name);
int model_kind_from_bit (tb_kind bit);
/* "products,promotions" to bits of (1 << kind); FALSE at an unknown word (an empty one, too), which *unknown
 * names (g_free; may be NULL). */
gboolean model_kinds_from_list (const char *list, guint *bits, char **unknown);

typedef struct {
  const char *currency; /* of the store: for money that names none */
} ModelContext;

/* Why a record cannot stand. Texts lie in the reject. Reasons:
 *   missing_field      needed, and not said
 *   not_utf8           a text that is not valid UTF-8
 *   control_character  a text with controls other than newline, carriage return and tab
 *   too_long           a text, a list or a whole record above its ceiling (fields.h)
 *   out_of_range       a number, a time, or a value that the SDK's enumeration does not have
 *   bad_currency       not three upper-case letters, or two of them where one record has one
 *   bad_url bad_date bad_phone */
typedef struct {
  const char *reason; /* static */
  char field[96];     /* ours: "prices[0].amount"; "" when it is about the whole record */
  char detail[200];
} ModelReject;

typedef struct {
  const char *id; /* in the buffer `ids` below for inventory, else the record's own */
  gsize id_length;
  const char *parent_id; /* NULL: none */
  gint64 updated_ms;
} ModelRendered;

/* Checks and renders one record (a full-size host struct such as tb_product) into out (appended). ids:
 * scratch for composed ids. FALSE: reject says why, and out is as before. */
gboolean model_render (guint kind, const void *record, const ModelContext *context, JsonBuffer *out,
                       JsonBuffer *ids, ModelRendered *rendered, ModelReject *reject);

/* The same body with its quantity set to 0 (inventory, products): for what is missing from a full pass and
 * means "none left". Free with g_free(). */
char *model_zero_quantity (const char *body, gsize length, gsize *new_length);

/* "product:location:batch:customer_type", each part percent-encoded, trailing empty parts left out. */
void model_inventory_id (JsonBuffer *out, const char *product, const char *location, const char *batch,
                         tb_buyer buyer);

/* ---- overrides: an operator's values for fields of a product ---- */

enum { MODEL_OVERRIDES_MOST = 128 << 10 }; /* bytes of one product's set */

/* Reads what a client sent, {"name":"Plum","strain":null}, and appends the set as it is kept: checked by the
 * rules of records, members in the table's order, null where the field is to be hidden, "{}" never: nothing
 * when it is empty. FALSE: set is as before, and wrong (of ModelReject) says why, a field each; reasons
 * beyond a record's: not_overridable unknown_member repeated_member wrong_type empty unknown_word not_a_time.
 */
gboolean model_overrides_read (const char *json, gsize length, const ModelContext *context, JsonBuffer *set,
                               GArray *wrong);
/* Appends the body that is stored and served: the vendor's with the set over it, and what the vendor said of
 * those fields in its member "overridden". body: a JSON object. */
void model_overrides_merge (const char *body, gsize length, const char *set, gsize set_length,
                            JsonBuffer *out);
/* Appends the vendor's body again. A body that no set lies over is the vendor's already. */
void model_overrides_split (const char *body, gsize length, const char *set, gsize set_length,
                            JsonBuffer *out);
/* JSON Schema of a set as a client sends it; json text, g_free(). */
char *model_overrides_schema (void);

/* JSON Schema (draft 2020-12) of a kind's records; json text, g_free(). */
char *model_schema (guint kind);
