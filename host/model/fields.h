/* The tables of fields: what a record consists of, in the order in which it is written. One row is a member
 * of the JSON object; rendering, checking and the published schema all walk the same rows, so they cannot
 * tell different stories.
 *
 * Part of the room model/, for its own files alone. */
#pragma once
#include "model/model.h"

/* Every ceiling that a plugin's record meets. Bytes of a text, and elements of a list. */
enum {
  MODEL_ID_MOST = 200,
  MODEL_NAME_MOST = 500,
  MODEL_TEXT_MOST = 1000,
  MODEL_URL_MOST = 2000,
  MODEL_BODY_MOST = 4096, /* of a message */
  MODEL_DESCRIPTION_MOST = 64 << 10,
  MODEL_LIST_MOST = 1000,
  MODEL_PRODUCT_IDS_MOST = 10000, /* of a promotion */
  MODEL_ATTRIBUTES_MOST = 200,
  MODEL_RECORD_MOST = 1 << 20, /* as JSON */
};
#define MODEL_MONEY_MOST                                                                                     \
  G_GINT64_CONSTANT (9007199254740991) /* 2^53 - 1: readers with doubles read it exactly */
#define MODEL_TIME_LEAST G_GINT64_CONSTANT (-62167219200000) /* the year 0 */
#define MODEL_TIME_MOST G_GINT64_CONSTANT (253402300799999)  /* the last millisecond of the year 9999 */

typedef enum {
  FIELD_TEXT,      /* const char * */
  FIELD_DATE,      /* const char *, YYYY-MM-DD */
  FIELD_PHONE,     /* const char *, E.164 */
  FIELD_URL,       /* const char *, http or https */
  FIELD_NUMBER,    /* tb_decimal */
  FIELD_WORTH,     /* of a discount, by the type at `other`: a tb_decimal, or an amount in minor units */
  FIELD_COUNT,     /* uint32_t; 0 is not said */
  FIELD_FLAG,      /* tb_flag */
  FIELD_WORD,      /* an enumeration, as one of `words` */
  FIELD_TIME,      /* long long, milliseconds */
  FIELD_PRICE,     /* tb_money, and the member "currency" behind it */
  FIELD_AMOUNT,    /* tb_money, whose currency stands once, in a field behind: */
  FIELD_CURRENCY,  /* of the amounts in front, which must agree */
  FIELD_TEXTS,     /* tb_texts */
  FIELD_PAIRS,     /* tb_pairs, as an object */
  FIELD_LIST,      /* TB_LIST_OF (...), each element a `table` */
  FIELD_GROUP,     /* an object of members of this very struct, left out when its first one was not said */
  FIELD_ANY_GROUP, /* likewise, left out when none was said */
  FIELD_RECORD,    /* a pointer to another struct */
  FIELD_LEVEL_ID,  /* the composed id of an inventory level */
} FieldType;

/* Rules of a field. */
enum {
  FIELD_NEEDED = 1,
  FIELD_NOT_NEGATIVE = 2,
  FIELD_MONEY_IS_VALUE = 4, /* worth: the money is what comes off, not what is left to pay */
  FIELD_VENDORS = 8,        /* of a product: the vendor's alone, no operator overrides it */
};

typedef struct Table Table;

/* A word of an enumeration as it is written, with its quotes. Length 0: not said. */
typedef struct {
  char text[23];
  guint8 length;
} Word;

enum { FIELD_KEY_ROOM = 32 };

typedef struct {
  char key[FIELD_KEY_ROOM]; /* as it is written: ,"name": -- in the row, so that one copy of fixed length
                               writes it */
  guint8 key_length, type, rules, word_count;
  guint16 offset;
  guint16 other; /* worth: where the type lies */
  guint16 money; /* worth: where the same is said as money, or lends its currency */
  guint32 most;  /* of texts and lists */
  const Word *words;
  const Table *table;
} Field;

struct Table {
  const Field *fields;
  guint32 count, size; /* size: of the struct */
};

/* A kind: its table, and where in the struct lies what the store keeps beside the body; -1: nowhere. */
typedef struct {
  const char *name;
  tb_kind bit;
  Table table;
  gint16 other_id; /* the vendor's id, where the id is ours and may not be there yet */
  gint16 parent, updated;
} Kind;

extern const Kind model_kinds[MODEL_KINDS];

/* The name in a key, as text of *length bytes that are not terminated. */
static inline const char *
field_name (const Field *field, guint *length)
{
  *length = field->key_length - 4u;
  return field->key + 2;
}
