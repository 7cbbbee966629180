/* Places in lists, given to clients as opaque text: base64url of what kind of place it is, the place, and a
 * check that only this store's seed can make. They outlive restarts; a made-up one is refused. */
#pragma once
#include <glib.h>

typedef enum { CURSOR_RECORDS = 1, CURSOR_CHANGES, CURSOR_NAMES, CURSOR_HISTORY } CursorKind;

typedef struct {
  guint32 collection, filter; /* filter: a hash of what narrows the list: another list, another cursor */
  guint64 place;
} CursorPlace;

/* Free with g_free(). */
char *cursor_of_place (guint64 seed, CursorKind kind, const CursorPlace *place);
/* place: collection and filter as they are expected. FALSE: not one of ours, or of something else. */
gboolean cursor_to_place (guint64 seed, CursorKind kind, const char *cursor, CursorPlace *place);

/* A text: the last id or name of the page before. */
char *cursor_of_text (guint64 seed, CursorKind kind, const char *text);
char *cursor_to_text (guint64 seed, CursorKind kind,
                      const char *cursor); /* NULL: not one of ours; g_free() */
