#include "api/feed.h"

#include <string.h>

#include "api/cursor.h"
#include "base/timefmt.h"

FeedFilter
feed_filter (const Request *request)
{
  return (FeedFilter){ request_value (request, "kinds")->bits, request_text (request, "store") };
}

/* "downtown/pos/products" */
static gboolean
is_of_store (const char *key, const char *store)
{
  gsize length = strlen (store);
  return strncmp (key, store, length) == 0 && key[length] == '/';
}

const HubCollection *
feed_wanted (const Hub *hub, const FeedFilter *filter, guint32 number)
{
  const HubCollection *collection = hub_collection (hub, number);
  if (!collection || !collection->connector)
    return NULL;
  if (filter->kinds && !(filter->kinds & (1u << collection->kind)))
    return NULL;
  return !filter->store || is_of_store (collection->key, filter->store) ? collection : NULL;
}

/* ---- places ---- */

gboolean
feed_place_known (Store *store, const FeedPlace *place, guint64 *latest)
{
  return store_seq_known (store, MAX (place->reached, place->floor), latest);
}

char *
feed_place_to_cursor (Request *request, const FeedPlace *place)
{
  g_autofree char *text =
    g_strdup_printf ("%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x", place->reached, place->floor);
  return cursor_of_text (request_seed (request), CURSOR_CHANGES, text);
}

gboolean
feed_place_from_cursor (Request *request, const char *cursor, FeedPlace *place)
{
  g_autofree char *text = cursor_to_text (request_seed (request), CURSOR_CHANGES, cursor);
  char *dash = text ? strchr (text, '-') : NULL;
  if (!dash)
    return FALSE;
  place->reached = g_ascii_strtoull (text, NULL, 16);
  place->floor = g_ascii_strtoull (dash + 1, NULL, 16);
  return TRUE;
}

/* ---- how it looks ---- */

static void
put (JsonBuffer *out, const char *text)
{
  json_put (out, text, strlen (text));
}

static void
put_member (JsonBuffer *out, const char *name, const char *text, gsize length)
{
  put (out, name);
  json_put_text (out, text, length);
}

static void
put_names (JsonBuffer *out, const char *key, const StoreFound *found)
{
  const char *connector = strchr (key, '/') + 1, *end = strchr (connector, '/');
  put_member (out, "\",\"store\":", key, (gsize)(connector - 1 - key));
  put_member (out, ",\"connector\":", connector, (gsize)(end - connector));
  put_member (out, ",\"id\":", found->id, found->id_length);
}

/* JSON may hold line breaks between its words, and a plugin may write them; here they would end the line. */
static void
put_body (JsonBuffer *out, const StoreFound *found)
{
  gsize from = out->length;
  put (out, ",\"record\":");
  json_put (out, found->body, found->body_length);
  char *bytes = out->bytes + from, *end = out->bytes + out->length;
  for (char *at = bytes; (at = memchr (at, '\n', (gsize)(end - at)));)
    *at = ' ';
  for (char *at = bytes; (at = memchr (at, '\r', (gsize)(end - at)));)
    *at = ' ';
}

void
feed_put_change (JsonBuffer *out, const HubCollection *collection, const StoreFound *found)
{
  char at[TIME_TEXT_SIZE];
  put (out, "{\"seq\":");
  json_put_int (out, (gint64)found->seq);
  put (out, ",\"kind\":\"");
  put (out, model_kind_name (collection->kind));
  put (out, found->deleted ? "\",\"op\":\"delete" : "\",\"op\":\"put");
  put_names (out, collection->key, found);
  put_member (out, ",\"at\":", at, time_to_text (found->at_ms, at));
  put_member (out, ",\"source\":", found->source, strlen (found->source));
  if (!found->deleted)
    put_body (out, found);
  put (out, "}");
}

void
feed_put_record (JsonBuffer *out, guint kind, const char *key, const StoreFound *found)
{
  put (out, "{\"seq\":");
  json_put_int (out, (gint64)found->seq);
  put (out, ",\"kind\":\"");
  put (out, model_kind_name (kind));
  put_names (out, key, found);
  put_body (out, found);
  put (out, "}\n");
}
