#include "worker/build.h"

#include <string.h>

Tree *
tree_new (Call *call, TreeType type)
{
  Tree *tree = arena_alloc (call->arena, sizeof *tree);
  tree->type = type;
  return tree;
}

Tree *
tree_scalar (Call *call, const char *json, gsize length)
{
  Tree *tree = tree_new (call, TREE_SCALAR);
  tree->json = arena_strndup (call->arena, json, length);
  tree->is_null = strcmp (tree->json, "null") == 0;
  return tree;
}

Tree *
tree_text (Call *call, const char *text)
{
  JsonBuffer buffer = { 0 };
  if (!json_put_checked (&buffer, text, strlen (text))) {
    g_autofree char *valid = g_utf8_make_valid (text, -1);
    json_put_text (&buffer, valid, strlen (valid));
  }
  Tree *tree = tree_scalar (call, buffer.bytes, buffer.length);
  json_buffer_clear (&buffer);
  return tree;
}

void
tree_add (Tree *parent, Tree *child, const char *key)
{
  child->key = key;
  child->next = NULL;
  if (parent->last)
    parent->last->next = child;
  else
    parent->first = child;
  parent->last = child;
  parent->count++;
}

void
tree_remove (Tree *parent, const Tree *child)
{
  Tree *before = NULL;
  for (Tree *at = parent->first; at && at != child; at = at->next)
    before = at;
  if (before)
    before->next = child->next;
  else
    parent->first = child->next;
  if (parent->last == child)
    parent->last = before;
  parent->count--;
}

void
tree_become (Tree *tree, const Tree *other)
{
  const char *key = tree->key;
  Tree *next = tree->next;
  *tree = *other;
  tree->key = key;
  tree->next = next;
}

static Tree *
scalar_of_node (Call *call, const JsonNode *node)
{
  static const char *const words[] = { [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true" };
  if (node->type == JSON_STRING)
    return tree_text (call, node->text);
  if (node->type == JSON_NUMBER)
    return tree_scalar (call, node->text, node->length);
  return tree_scalar (call, words[node->type], strlen (words[node->type]));
}

/* As deep as the reader goes, which is JSON_DEPTH_MOST. */
Tree *
tree_of_node (Call *call, const JsonNode *node)
{
  if (node->type != JSON_ARRAY && node->type != JSON_OBJECT)
    return scalar_of_node (call, node);
  Tree *tree = tree_new (call, node->type == JSON_ARRAY ? TREE_ARRAY : TREE_OBJECT);
  const JsonNode *child = node + 1;
  for (guint i = 0; i < node->length; i++) {
    const char *key = NULL;
    if (node->type == JSON_OBJECT) {
      key = arena_strndup (call->arena, child->text, child->length);
      child = json_next (child);
    }
    tree_add (tree, tree_of_node (call, child), key);
    child = json_next (child);
  }
  return tree;
}

Tree *
tree_copy (Call *call, const Tree *tree)
{
  Tree *copy = tree_new (call, tree->type);
  copy->json = tree->json;
  copy->is_null = tree->is_null;
  for (const Tree *child = tree->first; child; child = child->next)
    tree_add (copy, tree_copy (call, child), child->key);
  return copy;
}

void
tree_write (JsonBuffer *out, const Tree *tree)
{
  if (tree->type == TREE_SCALAR) {
    json_put (out, tree->json, strlen (tree->json));
    return;
  }
  json_put (out, tree->type == TREE_ARRAY ? "[" : "{", 1);
  for (const Tree *child = tree->first; child; child = child->next) {
    if (child != tree->first)
      json_put (out, ",", 1);
    if (child->key) {
      json_put_text (out, child->key, strlen (child->key));
      json_put (out, ":", 1);
    }
    tree_write (out, child);
  }
  json_put (out, tree->type == TREE_ARRAY ? "]" : "}", 1);
}
