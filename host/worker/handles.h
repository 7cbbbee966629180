/* What a plugin holds as tb_json: a place in a document that was read, or in one that is being built
 * (build.c). */
#pragma once
#include "worker/worker.h"

typedef struct Tree Tree; /* build.h */
typedef struct Built Built;
typedef struct Handle Handle;

struct Handle {
  tb_json shown; /* first */
  Call *call;
  Arena *arena;         /* the call's, or the item's: where its texts and further handles live */
  const JsonNode *node; /* read; NULL: built */
  Tree *tree;           /* built; its document: */
  Built *built;
  /* where it was found: for notes, and for the next element */
  const Handle *parent;
  const char *path;
  guint index, left; /* of an array's elements: which one, and how many follow */
  gboolean any_case;
};

static inline Handle *
handle_of (const tb_json *json)
{
  return (Handle *)json;
}

/* A built document is written out and read when it is asked for. */
const JsonNode *handle_built_node (Handle *handle);
/* The value of a handle as nodes. NULL: it could not be built. */
static inline const JsonNode *
handle_node (Handle *handle)
{
  return G_LIKELY (!handle->tree) ? handle->node : handle_built_node (handle);
}
/* The value at a path: the first alternative that is there and not null. NULL: none. */
const JsonNode *handle_find (Handle *handle, const char *path);
/* A handle on a node below another. */
Handle *handle_below (Handle *parent, const JsonNode *node, const char *path, guint index, guint left);
/* Notes a value that was there and could not be read. */
void handle_note (Handle *handle, const char *path, const JsonNode *node, const char *reason);
/* Digits, or a text that is not terminated, as text in the handle's arena. */
char *handle_keep (Handle *handle, const char *text, gsize length);

/* text.c: trimmed, blanks squeezed, invalid UTF-8 replaced; NULL when blank or "N/A". text itself when it is
 * that already. */
const char *text_clean (Arena *arena, const char *text, gsize length);
const char *text_lower (Arena *arena, const char *text);
