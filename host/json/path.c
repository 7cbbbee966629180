/* Paths, compiled once: a.b.c  items[0].x  items[-1]  'a.b'.c and alternatives with |.
 *
 * Vendors write the members of their objects in one order, so a segment remembers where it found its key and
 * looks there first. The key is there when a string node of the right length stands there, carries the mark
 * of this object's depth (within an object's span only its own keys do) and has the right bytes. Hence a path
 * is not for two threads, and of two equal keys in one object either may be found. */
#include "json/path.h"

#include <string.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { INDEX_MOST = 1000000000, KEY_PADDING = 16 };

static gboolean
parse_index (const char **at, PathSegment *segment)
{
  const char *digit = *at + 1;
  gboolean from_end = *digit == '-';
  gint64 index = 0;
  if (from_end)
    digit++;
  if (!g_ascii_isdigit (*digit))
    return FALSE;
  for (; g_ascii_isdigit (*digit) && index < INDEX_MOST; digit++)
    index = index * 10 + (*digit - '0');
  if (*digit != ']' || (from_end && index == 0))
    return FALSE;
  *segment = (PathSegment){ .index = from_end ? -index : index };
  *at = digit + 1;
  return TRUE;
}

static void
set_key (PathSegment *segment, const char *key, gsize length)
{
  *segment = (PathSegment){ .key = g_malloc0 (length + KEY_PADDING), .length = (guint)length };
  memcpy (segment->key, key, length);
}

/* 'a.b', a quote in it written twice. */
static gboolean
parse_quoted (const char **at, PathSegment *segment)
{
  g_autoptr (GString) key = g_string_new (NULL);
  const char *c = *at + 1;
  for (; *c && (*c != '\'' || c[1] == '\''); c++) {
    g_string_append_c (key, *c);
    if (*c == '\'')
      c++;
  }
  if (*c != '\'')
    return FALSE;
  set_key (segment, key->str, key->len);
  *at = c + 1;
  return TRUE;
}

static gboolean
parse_key (const char **at, PathSegment *segment)
{
  if (**at == '\'')
    return parse_quoted (at, segment);
  gsize length = strcspn (*at, ".[]'|");
  if (length == 0)
    return FALSE;
  set_key (segment, *at, length);
  *at += length;
  return TRUE;
}

/* One alternative, up to | or the end. */
static gboolean
parse_way (const char **at, GArray *segments)
{
  gboolean first = TRUE;
  while (**at && **at != '|') {
    PathSegment segment = { 0 };
    if (**at == '[') {
      if (!parse_index (at, &segment))
        return FALSE;
    } else {
      if (!first && *(*at)++ != '.')
        return FALSE;
      if (!parse_key (at, &segment))
        return FALSE;
    }
    g_array_append_val (segments, segment);
    first = FALSE;
  }
  return TRUE;
}

/* What has been read, in one piece of memory: a product is some ninety paths, and all of them should stay in
 * the processor's first cache. */
static JsonPath *
pack (const GArray *ways, gboolean any_case)
{
  const PathWay *from = (const PathWay *)(const void *)ways->data;
  gsize size = sizeof (JsonPath) + ways->len * sizeof (PathWay);
  for (guint i = 0; i < ways->len; i++)
    for (guint j = 0; j < from[i].count; j++)
      size += sizeof (PathSegment) + (from[i].segments[j].key ? from[i].segments[j].length + KEY_PADDING : 0);
  JsonPath *packed = g_malloc0 (size);
  *packed = (JsonPath){ .ways = (PathWay *)(packed + 1), .count = ways->len, .any_case = any_case };
  PathSegment *segment = (PathSegment *)(packed->ways + packed->count);
  for (guint i = 0; i < ways->len; i++) {
    packed->ways[i] = (PathWay){ .segments = segment, .count = from[i].count };
    for (guint j = 0; j < from[i].count; j++)
      *segment++ = from[i].segments[j];
  }
  char *room = (char *)segment;
  for (PathSegment *one = packed->ways->segments; one < segment; one++)
    if (one->key) {
      one->key = memcpy (room, one->key, one->length);
      room += one->length + KEY_PADDING;
    }
  return packed;
}

static void
way_clear (gpointer data)
{
  PathWay *way = data;
  for (guint i = 0; i < way->count; i++)
    g_free (way->segments[i].key);
  g_free (way->segments);
}

JsonPath *
json_path_new (const char *path, gboolean any_case)
{
  g_autoptr (GArray) ways = g_array_new (FALSE, FALSE, sizeof (PathWay));
  gboolean good = TRUE, more = TRUE;
  g_array_set_clear_func (ways, way_clear);
  while (good && more) {
    GArray *segments = g_array_new (FALSE, FALSE, sizeof (PathSegment));
    good = parse_way (&path, segments);
    PathWay way = { .count = segments->len };
    way.segments = (PathSegment *)(void *)g_array_free (segments, FALSE);
    g_array_append_val (ways, way);
    more = *path == '|';
    path += more;
  }
  return good ? pack (ways, any_case) : NULL;
}

void
json_path_free (JsonPath *path)
{
  g_free (path);
}

guint
json_path_alternatives (const JsonPath *path)
{
  return path->count;
}

/* Both texts have at least 16 readable bytes: what was read is padded, and so is the path's key. */
static inline gboolean
same_bytes (const char *text, const PathSegment *segment)
{
#ifdef __SSE2__
  if (G_LIKELY (segment->length <= KEY_PADDING)) {
    __m128i a = _mm_loadu_si128 ((const __m128i *)text), b = _mm_loadu_si128 ((const __m128i *)segment->key);
    guint wanted = (1u << segment->length) - 1;
    return ((guint)_mm_movemask_epi8 (_mm_cmpeq_epi8 (a, b)) & wanted) == wanted;
  }
#endif
  return memcmp (text, segment->key, segment->length) == 0;
}

static inline gboolean
is_key (const PathSegment *segment, const JsonNode *node, gboolean any_case)
{
  if (node->length != segment->length)
    return FALSE;
  if (any_case)
    return g_ascii_strncasecmp (node->text, segment->key, segment->length) == 0;
  return same_bytes (node->text, segment);
}

/* Is a key of this object, and the right one, where a hint says? */
static inline gboolean
is_hinted (const PathSegment *segment, const JsonNode *object, guint hint, gboolean any_case)
{
  const JsonNode *key = object + hint, *first = object + 1;
  return hint > 0 && hint < object->skip && key->type == JSON_STRING && key->length == segment->length &&
         key->text[-1] == first->text[-1] && is_key (segment, key, any_case);
}

static inline const JsonNode *__attribute__ ((always_inline))
find_member (PathSegment *segment, const JsonNode *object, gboolean any_case)
{
  if (object->length == 0)
    return NULL;
  guint hint = segment->hint;
  if (is_hinted (segment, object, hint, any_case))
    return object + hint + 1;
  segment->hint = segment->hint_before;
  segment->hint_before = hint;
  if (is_hinted (segment, object, segment->hint, any_case))
    return object + segment->hint + 1;
  const JsonNode *end = object + object->skip;
  for (const JsonNode *key = object + 1; key < end; key = json_next (key + 1))
    if (is_key (segment, key, any_case)) {
      segment->hint = (guint)(key - object);
      return key + 1;
    }
  return NULL;
}

static const JsonNode *
find_element (gint64 index, const JsonNode *array)
{
  if (index < 0)
    index += array->length;
  if (index < 0 || index >= array->length)
    return NULL;
  const JsonNode *node = array + 1;
  while (index-- > 0)
    node = json_next (node);
  return node;
}

static const JsonNode *
follow (const PathWay *way, gboolean any_case, const JsonNode *root)
{
  PathSegment *end = way->segments + way->count;
  for (PathSegment *segment = way->segments; root && segment < end; segment++)
    if (G_LIKELY (segment->key))
      root = root->type == JSON_OBJECT ? find_member (segment, root, any_case) : NULL;
    else
      root = root->type == JSON_ARRAY ? find_element (segment->index, root) : NULL;
  return root;
}

const JsonNode *
json_path_at (const JsonPath *path, guint alternative, const JsonNode *root)
{
  g_assert (alternative < path->count);
  return follow (&path->ways[alternative], path->any_case, root);
}

const JsonNode *
json_path_first (const JsonPath *path, const JsonNode *root)
{
  const PathWay *end = path->ways + path->count;
  for (const PathWay *way = path->ways; way < end; way++) {
    const JsonNode *node = follow (way, path->any_case, root);
    if (node && node->type != JSON_NULL)
      return node;
  }
  return NULL;
}
