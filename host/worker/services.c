/* Memory, words, time, notes, maps and settings: what a plugin asks of its call. */
#include "worker/services.h"

#include <string.h>
#include <sys/random.h>
#include "base/hash.h"
#include "worker/loader.h"

enum { SLEEP_MOST_MS = 3600000 };

void
call_check_memory (Call *call, gsize more)
{
  if (G_LIKELY (more <= WORKER_CALL_BYTES_MOST && arena_bytes (call->arena) + more <= WORKER_CALL_BYTES_MOST))
    return;
  call_blame (call,
              "the call holds more than %d MiB: read with tb_get_items() instead of tb_get(), and keep less",
              WORKER_CALL_BYTES_MOST >> 20);
  call_abandon (call);
}

/* Never NULL: a call that takes too much does not go on. */
void *
service_alloc (tb_call *shown, size_t size)
{
  Call *call = call_of (shown);
  call_check_memory (call, size);
  return arena_alloc (call->arena, size);
}

char *
service_format (tb_call *shown, const char *format, va_list args)
{
  call_check_memory (call_of (shown), 0);
  return arena_vprintf (call_of (shown)->arena, format, args);
}

char *
service_format_text (tb_call *shown, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  char *text = service_format (shown, format, args);
  va_end (args);
  return text;
}

void
service_log (tb_call *shown, tb_level level, const char *format, va_list args)
{
  enum { LINES_MOST = 1000 /* of one call */ };
  Call *call = call_of (shown);
  if (call->log_lines >= LINES_MOST)
    return;
  g_autofree char *text = g_strdup_vprintf (format, args);
  worker_log (call->worker, call, level, text);
  if (++call->log_lines == LINES_MOST)
    worker_log (call->worker, call, TB_WARNING, "the plugin logs too much: no more lines of this call");
}

tb_status
service_fail (tb_call *shown, tb_status status, tb_why why, const char *format, va_list args)
{
  return call_failv (call_of (shown), status, why, format, args);
}

/* ---- time ---- */

long long
service_now_ms (tb_call *shown)
{
  return call_of (shown)->worker->wall_ms ();
}

/* Operations that only read begin when they are tried. */
long long
service_first_try_ms (tb_call *shown)
{
  Call *call = call_of (shown);
  return call->started_ms ? call->started_ms : service_now_ms (shown);
}

tb_status
service_sleep_ms (tb_call *shown, long long ms)
{
  Call *call = call_of (shown);
  Loop *loop = call->worker->loop;
  gint64 until_ms = loop_now_ms (loop) + CLAMP (ms, 0, SLEEP_MOST_MS);
  tb_status status = call_enter (call);
  while (status == TB_OK && loop_now_ms (loop) < until_ms)
    status = call_wait (call, until_ms);
  return status;
}

/* ---- what it is about ---- */

const char *
service_about (tb_call *shown, int what)
{
  const Connector *connector = call_of (shown)->connector;
  switch (what) {
  case TB_ABOUT_STORE:
    return connector->store_id;
  case TB_ABOUT_CURRENCY:
    return connector->currency;
  case TB_ABOUT_TIMEZONE:
    return connector->timezone;
  case TB_ABOUT_CONNECTOR:
    return connector->name;
  default:
    return NULL; /* no public address is told to this worker */
  }
}

const char *
service_webhook_link (tb_call *shown, const char *name, const char *value)
{
  return NULL;
}

/* ---- notes: of operations with a queue row, none of which reach this worker yet ---- */

tb_status
service_remember (tb_call *shown, const char *name, const char *text)
{
  Call *call = call_of (shown);
  return call_fail (call, TB_UNSUPPORTED, TB_WHY_UNKNOWN,
                    "tb_remember() is for operations with a queue row, this is a %s: use the cursor",
                    call->operation);
}

const char *
service_recall (tb_call *shown, const char *name)
{
  return NULL;
}

bool
service_claimed (tb_call *shown, const char *vendor_id)
{
  return false;
}

/* ---- kept in memory for the connector ---- */

typedef struct {
  gint64 until_ms;
  char *text;
} Cached;

static void
cached_free (gpointer data)
{
  Cached *cached = data;
  g_free (cached->text);
  g_free (cached);
}

void
service_cache (tb_call *shown, const char *name, const char *text, int seconds)
{
  enum { NAMES_MOST = 1000, TEXT_MOST = 64 << 10 };
  Connector *connector = call_of (shown)->connector;
  if (!connector->cache)
    connector->cache = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, cached_free);
  if (!name || !text || seconds <= 0) {
    if (name)
      g_hash_table_remove (connector->cache, name);
    return;
  }
  if (strlen (text) > TEXT_MOST)
    return;
  if (g_hash_table_size (connector->cache) >= NAMES_MOST)
    g_hash_table_remove_all (connector->cache);
  Cached *cached = g_new (Cached, 1);
  cached->until_ms = loop_now_ms (connector->worker->loop) + 1000 * (gint64)seconds;
  cached->text = g_strdup (text);
  g_hash_table_replace (connector->cache, g_strdup (name), cached);
}

const char *
service_cached (tb_call *shown, const char *name)
{
  Call *call = call_of (shown);
  GHashTable *cache = call->connector->cache;
  const Cached *cached = cache && name ? g_hash_table_lookup (cache, name) : NULL;
  if (!cached || cached->until_ms <= loop_now_ms (call->worker->loop))
    return NULL;
  return arena_strndup (call->arena, cached->text, strlen (cached->text));
}

/* ---- UUIDs ---- */

const char *
service_uuid (tb_call *shown, const char *stable_for)
{
  Call *call = call_of (shown);
  guint8 bytes[16];
  if (stable_for) { /* the call's id is the same at each try of one operation */
    g_autofree char *both = g_strdup_printf ("%s\n%s", call->id, stable_for);
    guint64 halves[2] = { hash_bytes (both, strlen (both), call->connector->seed),
                          hash_bytes (both, strlen (both), ~call->connector->seed) };
    memcpy (bytes, halves, sizeof bytes);
  } else if (getrandom (bytes, sizeof bytes, 0) != sizeof bytes)
    g_error ("no randomness");
  bytes[6] =
    (guint8)((bytes[6] & 0x0f) | (stable_for ? 0x80 : 0x40)); /* RFC 9562: version 8 (custom), 4 (random) */
  bytes[8] = (guint8)((bytes[8] & 0x3f) | 0x80);
  return service_format_text (shown, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                              bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5], bytes[6], bytes[7],
                              bytes[8], bytes[9], bytes[10], bytes[11], bytes[12], bytes[13], bytes[14],
                              bytes[15]);
}

/* ---- maps: in the call's arena, open addressing, at most half full ---- */

typedef struct {
  const char *key;
  guint64 hash;
  void *value;
} Pocket;

typedef struct {
  tb_map shown; /* first */
  Call *call;
  Pocket **pockets; /* each lies still, so that a slot that was given stays where it is */
  guint room, used;
} Map;

tb_map *
service_map_new (tb_call *shown)
{
  enum { FIRST_ROOM = 64 };
  Map *map = service_alloc (shown, sizeof *map);
  map->shown.host = &host_table;
  map->call = call_of (shown);
  map->room = FIRST_ROOM;
  map->pockets = service_alloc (shown, map->room * sizeof *map->pockets);
  return &map->shown;
}

static Pocket **
pocket_find (const Map *map, const char *key, guint64 hash)
{
  guint at = (guint)hash & (map->room - 1);
  while (map->pockets[at] && (map->pockets[at]->hash != hash || strcmp (map->pockets[at]->key, key) != 0))
    at = (at + 1) & (map->room - 1);
  return &map->pockets[at];
}

static void
map_grow (Map *map)
{
  Pocket **old = map->pockets;
  guint room = map->room;
  map->room *= 2;
  map->pockets = service_alloc (&map->call->shown, map->room * sizeof *map->pockets);
  for (guint i = 0; i < room; i++)
    if (old[i])
      *pocket_find (map, old[i]->key, old[i]->hash) = old[i];
}

void **
service_map_slot (tb_map *shown, const char *key, bool make)
{
  Map *map = (Map *)shown;
  key = key ? key : "";
  gsize length = strlen (key);
  guint64 hash = hash_bytes (key, length, map->call->connector->seed);
  Pocket **found = pocket_find (map, key, hash);
  if (*found || !make)
    return *found ? &(*found)->value : NULL;
  Pocket *pocket = service_alloc (&map->call->shown, sizeof *pocket);
  *pocket = (Pocket){ .key = arena_strndup (map->call->arena, key, length), .hash = hash };
  *found = pocket;
  if (++map->used > map->room / 2)
    map_grow (map);
  return &pocket->value;
}

/* ---- settings ---- */

static const char *
secret_copy (Call *call, const char *text)
{
  tb_bytes secret = { arena_strndup (call->arena, text, strlen (text)), strlen (text) };
  g_array_append_val (call->secrets, secret);
  return secret.data;
}

static const char *
find_setting (Call *call, const tb_setting *setting, gsize index)
{
  const char *text = connector_setting (call->connector, setting->key, index);
  gboolean is_list = setting->type == TB_TEXT_LIST || setting->type == TB_SECRET_LIST;
  return text && (*text || is_list) ? text : NULL;
}

const char *
service_setting (tb_call *shown, const char *key, size_t index, int type)
{
  Call *call = call_of (shown);
  KnownSetting *known = &call->settings[((guintptr)key / 4 + index) % CALL_SETTINGS_KEPT];
  if (known->key && known->key == key && known->index == index)
    return known->text;
  const tb_setting *setting = plugin_setting (call->worker->plugin, key);
  if (!setting) {
    call_blame (call, "it reads the setting \"%s\", which it does not describe", key ? key : "(null)");
    return NULL;
  }
  const char *text = find_setting (call, setting, index);
  if (text && (setting->type == TB_SECRET || setting->type == TB_SECRET_LIST))
    text = secret_copy (call, text);
  if (plugin_is_literal (call->worker->plugin, key))
    *known = (KnownSetting){ .key = key, .index = index, .text = text };
  return text;
}
