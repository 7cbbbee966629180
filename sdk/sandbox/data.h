/* A vendor's records of one kind, made from a seed.
 *
 * A record is 40 bytes: what can change. Everything else is rendered on demand from seed and index, so a
 * million products cost 40 MB and not 1.6 GB. Rendered pages are kept (to a ceiling) until a record in them
 * changes, so that the sandbox is never what a bench measures. */
#pragma once
#include <glib.h>
#include <json-c/json.h>

enum { DATA_ID_SIZE = 48, DATA_CACHE_BYTES = 256 << 20 };

/* Whether a vendor would list it. Filters are masks of these, and of DATA_BY_STOCK: a view of changes is then
 * of those in stock, not in details. */
typedef enum { DATA_ACTIVE = 1, DATA_INACTIVE = 2, DATA_GONE = 4 } DataStatus;
#define DATA_LISTED (DATA_ACTIVE | DATA_INACTIVE)
enum { DATA_BY_STOCK = 8 };

typedef struct {
  gint64 changed_ms; /* when its details changed last */
  gint64 stocked_ms; /* when its quantity changed last */
  gint32 price;      /* thousandths */
  gint32 quantity;   /* thousandths */
  guint32 revision;  /* moves with every change; seen in the name once the name was changed */
  guint32 touched;   /* the data's tick when it changed last: for the page cache */
  guint8 status;     /* DataStatus */
  gboolean renamed : 1, overridden : 1;
} DataRecord;

typedef struct Data Data;

typedef struct {
  const char *kind;
  const char *name;                             /* path of the member that is the name */
  guint64 (*key) (guint64 seed, guint32 index); /* how the vendor sorts; high 32 bits, ties by index */
  void (*fill) (guint64 seed, guint32 index, DataRecord *record);
  void (*id) (guint32 index, char id[DATA_ID_SIZE]);
  /* variant: what the request switched (a vendor's own bits). */
  void (*render) (guint64 seed, guint32 index, const DataRecord *record, guint variant, GString *out);
} DataKind;

Data *data_new (const DataKind *kind, guint64 seed, guint32 count);
void data_free (Data *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Data, data_free)

const char *data_kind (const Data *data);

/* The indexes of records whose status is in mask and whose details (DATA_BY_STOCK: quantity) changed after
 * after_ms (G_MININT64: ever), in the vendor's order. Valid until the next change. */
typedef struct {
  const guint32 *indexes;
  guint count;
} DataView;
DataView data_view (Data *data, guint mask, gint64 after_ms);

/* The rows [start, start + count) of a view, rendered, with commas between. Free with g_bytes_unref(). */
GBytes *data_rows (Data *data, guint mask, gint64 after_ms, guint start, guint count, guint variant);

/* One record, as it is served. */
void data_render (const Data *data, guint32 index, guint variant, GString *out);
const DataRecord *data_record (const Data *data, guint32 index);
void data_id (const Data *data, guint32 index, char id[DATA_ID_SIZE]);

/* The record with this id that is not gone. */
gboolean data_find (const Data *data, const char *id, guint32 *index);

/* Changes a record at the vendor. field: "price" (units of money), "quantity", "status" ("active"
 * "inactive"), "name", or the path of any member ("pricing.price_sell"), which then is served as value says.
 * value: JSON; NULL: a new one, surely different. FALSE with an error when the value does not fit. A change
 * of quantity moves stocked_ms alone. */
gboolean data_change (Data *data, guint32 index, const char *field, const char *value, gint64 now_ms,
                      GError **error);

/* Adds a record; its index. */
guint32 data_add (Data *data, gint64 now_ms);

/* It is not served any more, as if it had never been. */
void data_delete (Data *data, guint32 index);

/* Sets the member at a dotted path of a JSON object, making objects on the way. Takes over value. FALSE when
 * there is something else than an object on the way. */
gboolean data_set_path (json_object *object, const char *path, json_object *value);

/* Splitmix64: the deterministic bits of (seed, index, salt). */
static inline guint64
data_bits (guint64 seed, guint64 index, guint64 salt)
{
  guint64 bits = seed + index * 0x9e3779b97f4a7c15u + salt * 0xd1b54a32d192ed03u;
  bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
  bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
  return bits ^ bits >> 31;
}
