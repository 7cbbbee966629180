/* Our own ids: a prefix and a ULID (48 bits of milliseconds, 80 bits of randomness, Crockford's base 32), as
 * in ord_01JNC3W0Q4T8Z5X7Y2B6K9M1RD. They sort by time, and within one millisecond in the order of making. */
#pragma once
#include <glib.h>

enum { ID_TEXT_SIZE = 40 };

/* Randomness comes in: 10 random bytes a new millisecond. */
typedef struct {
  gint64 last_ms;
  guint8 random[10];
  void (*fill) (gpointer source, guint8 *bytes, gsize count);
  gpointer source;
} IdMaker;

/* Fills from the kernel (getrandom). */
void id_maker_init (IdMaker *maker);

/* Writes prefix and ULID ("pass_" gives "pass_01JN...") into text. */
void id_make (IdMaker *maker, const char *prefix, gint64 now_ms, char text[ID_TEXT_SIZE]);

/* Is text an id with this prefix? */
gboolean id_is (const char *text, const char *prefix);
