/* Documents that a plugin builds: a small tree in the call's arena. */
#pragma once
#include "worker/handles.h"

typedef enum { TREE_SCALAR, TREE_OBJECT, TREE_ARRAY } TreeType;

struct Tree {
  TreeType type;
  gboolean is_null;
  const char *key;  /* as a member of an object */
  const char *json; /* of a scalar, as it is written */
  Tree *first, *last, *next;
  guint count;
};

struct Built { /* what all handles on one document share */
  gboolean broken;
  guint changes;
};

/* build.c */
tb_json *built_handle (Call *call, Tree *tree, Built *built);
/* tree.c */
Tree *tree_new (Call *call, TreeType type);
Tree *tree_of_node (Call *call, const JsonNode *node);
Tree *tree_copy (Call *call, const Tree *tree);
Tree *tree_scalar (Call *call, const char *json, gsize length);
Tree *tree_text (Call *call, const char *text);
void tree_write (JsonBuffer *out, const Tree *tree);
void tree_add (Tree *parent, Tree *child, const char *key);
void tree_remove (Tree *parent, const Tree *child);
/* Puts what another tree is in this one's place. */
void tree_become (Tree *tree, const Tree *other);
