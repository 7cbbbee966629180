/* Places in lists, given to clients as opaque text: base64url of what kind of place it is, the place, and a
 * check that only this store's seed can make. They outlive restarts; a made-up one is refused. */
#pragma once
#include <glib.h>

typedef enum { CURSOR_RECORDS = 1, CURSOR_CHANGES, CURSOR_NAMES, CURSOR_HISTORY } CursorKind;

/* A number or two; free with g_free(). */
char *cursor_of_place (guint64 seed, CursorKind kind, guint32 collection, guint64 place);
/* FALSE: not one of ours, of another kind or of another collection. */
gboolean cursor_to_place (guint64 seed, CursorKind kind, const char *cursor, guint32 collection,
                          guint64 *place);

/* A text: the last id or name of the page before. */
char *cursor_of_text (guint64 seed, CursorKind kind, const char *text);
char *cursor_to_text (guint64 seed, CursorKind kind,
                      const char *cursor); /* NULL: not one of ours; g_free() */
