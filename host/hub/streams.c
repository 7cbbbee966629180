/* Where a stream stands, and when it is due. Times of the plan are monotonic, so that a clock that jumps runs
 * nothing twice; what is kept over a restart is wall-clock time. */
#include "hub/hub-private.h"

#include <string.h>

#include "base/timefmt.h"

enum {
  JITTER_PERCENT = 5,
  BACKOFF_FIRST_MS = 500,
  BACKOFF_MOST_MS = 45000, /* an outage is over for us within a minute of its end */
  FIRST_SPREAD_MS = 50,    /* of start, a stream */
};

static const char *const state_words[] = { "idle", "running", "waiting", "held", "paused", "stopped" };

/* `when` of a plugin's row: "generation=v3", "generation!=v3", "auth_token" (is it said?), "!auth_token". */
gboolean
hub_stream_holds (const ConfigConnector *config, const PluginStream *described)
{
  const char *when = described->when;
  if (!when || !*when)
    return TRUE;
  gsize length = strcspn (when + (*when == '!'), "!=");
  g_autofree char *key = g_strndup (when + (*when == '!'), length);
  json_object *value = json_object_object_get (config->settings, key);
  const char *text = value ? json_object_get_string (value) : "", *sign = when + (*when == '!') + length;
  if (!*sign)
    return (*text != '\0') == (*when != '!');
  return (strcmp (text, sign + (*sign == '!' ? 2 : 1)) == 0) == (*sign == '=');
}

static void
take_sync (HubStream *stream, const PluginStream *described)
{
  const ConfigConnector *config = stream->connector->config;
  const ConfigSync *wanted = config->sync ? g_hash_table_lookup (config->sync, stream->name) : NULL;
  stream->off = !config->enabled || config->sync_off || (wanted && wanted->off);
  stream->every_ms = wanted && wanted->every_ms ? wanted->every_ms : described->every_ms;
  stream->full_every_ms = wanted && wanted->full_every_ms ? wanted->full_every_ms : described->full_every_ms;
  stream->least_ms = described->least_ms;
}

HubStream *
hub_stream_new (HubConnector *connector, const PluginStream *described)
{
  HubStream *stream = g_new0 (HubStream, 1);
  stream->connector = connector;
  stream->name = g_strdup (described->name);
  for (guint kind = 0; kind < MODEL_KINDS; kind++)
    if (described->kinds & (1u << kind))
      stream->kinds |= 1u << kind;
  stream->missing = g_strdup (described->missing);
  stream->changes = described->changes;
  stream->item_only = described->item_only;
  stream->fetch = described->fetch;
  stream->overlap_ms = described->overlap_ms;
  stream->deadline_ms = described->deadline_ms;
  stream->next_ms = G_MAXINT64;
  stream->created_ms = stream->since_ms = hub_wall_ms (connector->plugin->hub);
  take_sync (stream, described);
  return stream;
}

void
hub_stream_free (gpointer data)
{
  HubStream *stream = data;
  heap_remove (&stream->connector->plugin->hub->streams, &stream->due);
  g_free (stream->name);
  g_free (stream->missing);
  g_free (stream->detail);
  g_free (stream->held);
  pass_free (stream->last);
  pass_free (stream->pass);
  pass_free (stream->next);
  g_free (stream);
}

char *
hub_stream_key (const HubStream *stream)
{
  return g_strdup_printf ("stream:%s/%s", stream->connector->label, stream->name);
}

/* The numbers that are kept, each described once; those of another account than today's are forgotten. */
static const struct {
  const char *name;
  gsize offset;
  gboolean of_any_account;
} kept[] = {
  { "watermark_ms", G_STRUCT_OFFSET (HubStream, watermark_ms), FALSE },
  { "full_ms", G_STRUCT_OFFSET (HubStream, full_ms), FALSE },
  { "as_of_ms", G_STRUCT_OFFSET (HubStream, as_of_ms), FALSE },
  { "started_ms", G_STRUCT_OFFSET (HubStream, started_ms), FALSE },
  { "passes", G_STRUCT_OFFSET (HubStream, passes), TRUE },
  { "records", G_STRUCT_OFFSET (HubStream, records), TRUE },
};

char *
hub_stream_to_state (const HubStream *stream)
{
  json_object *state = json_object_new_object ();
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    json_object_object_add (state, kept[i].name,
                            json_object_new_int64 (G_STRUCT_MEMBER (gint64, stream, kept[i].offset)));
  g_autofree char *account = g_strdup_printf ("%" G_GUINT64_FORMAT, stream->connector->account);
  json_object_object_add (state, "account", json_object_new_string (account));
  if (stream->held)
    json_object_object_add (state, "held", json_object_new_string (stream->held));
  if (stream->last)
    json_object_object_add (state, "last", pass_to_saved (stream->last));
  if (stream->pass && !stream->pass->dry)
    json_object_object_add (state, "pass", pass_to_saved (stream->pass));
  char *text = g_strdup (json_object_to_json_string_ext (state, JSON_C_TO_STRING_PLAIN));
  json_object_put (state);
  return text;
}

void
hub_stream_read (HubStream *stream, GHashTable *states)
{
  g_autofree char *key = hub_stream_key (stream);
  const char *json = g_hash_table_lookup (states, key);
  json_object *state = json ? json_tokener_parse (json) : NULL, *member;
  gboolean same = json_object_object_get_ex (state, "account", &member) &&
                  g_ascii_strtoull (json_object_get_string (member), NULL, 10) == stream->connector->account;
  for (gsize i = 0; i < G_N_ELEMENTS (kept); i++)
    if ((same || kept[i].of_any_account) && json_object_object_get_ex (state, kept[i].name, &member))
      G_STRUCT_MEMBER (gint64, stream, kept[i].offset) = json_object_get_int64 (member);
  if (json_object_object_get_ex (state, "last", &member))
    stream->last = pass_from_saved (member);
  if (same && json_object_object_get_ex (state, "held", &member))
    stream->held = g_strdup (json_object_get_string (member));
  if (same && json_object_object_get_ex (state, "pass", &member) && (stream->next = pass_from_saved (member)))
    stream->next->resumed = TRUE;
  json_object_put (state);
}

void
hub_stream_set (HubStream *stream, HubStreamState state, Reason reason, const char *detail)
{
  if (stream->state != state || stream->reason != reason)
    stream->since_ms = hub_wall_ms (stream->connector->plugin->hub);
  stream->state = state;
  stream->reason = reason;
  g_free (stream->detail);
  stream->detail = detail && *detail ? g_strdup (detail) : NULL;
}

void
hub_stream_plan (HubStream *stream, gint64 mono_ms)
{
  Hub *hub = stream->connector->plugin->hub;
  stream->next_ms = mono_ms;
  if (mono_ms == G_MAXINT64)
    heap_remove (&hub->streams, &stream->due);
  else
    heap_put (&hub->streams, &stream->due, mono_ms);
}

/* How long until at_ms (wall), never longer than an interval: a clock that was set back must not stop the
 * stream. */
static gint64
wait_from_wall (const HubStream *stream, gint64 at_ms)
{
  gint64 wait_ms = at_ms - hub_wall_ms (stream->connector->plugin->hub);
  return CLAMP (wait_ms, 0, stream->every_ms);
}

static gint64
interval_ms (HubStream *stream)
{
  Hub *hub = stream->connector->plugin->hub;
  gint64 jitter_ms = hub_random_ms (hub, stream->every_ms * JITTER_PERCENT / 100);
  return MAX (stream->every_ms - jitter_ms, stream->least_ms);
}

void
hub_stream_plan_first (HubStream *stream, guint neighbours)
{
  Hub *hub = stream->connector->plugin->hub;
  if (stream->off) {
    hub_stream_plan (stream, stream->next ? hub_mono_ms (hub) : G_MAXINT64);
    return;
  }
  gint64 spread_ms = MIN (stream->every_ms / 10, (gint64)neighbours * FIRST_SPREAD_MS);
  gint64 wait_ms = stream->started_ms && !stream->next
                     ? wait_from_wall (stream, stream->started_ms + interval_ms (stream))
                     : 0;
  if (wait_ms == 0)
    wait_ms = hub_random_ms (hub, spread_ms);
  hub_stream_plan (stream, hub_mono_ms (hub) + wait_ms);
}

void
hub_stream_plan_next (HubStream *stream)
{
  gint64 wait_ms = stream->next  ? wait_from_wall (stream, stream->started_ms + stream->least_ms)
                   : stream->off ? G_MAXINT64
                                 : wait_from_wall (stream, stream->started_ms + interval_ms (stream));
  hub_stream_plan (stream, wait_ms == G_MAXINT64 ? G_MAXINT64
                                                 : hub_mono_ms (stream->connector->plugin->hub) + wait_ms);
}

gint64
hub_backoff_ms (Hub *hub, guint tries)
{
  gint64 ceiling_ms = MIN ((gint64)BACKOFF_FIRST_MS << MIN (tries, 10), BACKOFF_MOST_MS);
  return ceiling_ms / 2 + hub_random_ms (hub, ceiling_ms / 2);
}

void
hub_stream_plan_again (HubStream *stream)
{
  Hub *hub = stream->connector->plugin->hub;
  if (stream->off && !stream->next) {
    hub_stream_plan (stream, G_MAXINT64);
    return;
  }
  gint64 wait_ms = hub_backoff_ms (hub, stream->failures);
  hub_stream_plan (stream, hub_mono_ms (hub) +
                             MAX (wait_ms, stream->next ? 0 : MIN (stream->least_ms, stream->every_ms)));
}

gboolean
hub_stream_wants_full (const HubStream *stream)
{
  if (!stream->changes || !stream->watermark_ms)
    return TRUE;
  gint64 age_ms = hub_wall_ms (stream->connector->plugin->hub) - stream->full_ms;
  return stream->full_every_ms > 0 && (age_ms >= stream->full_every_ms || age_ms < 0);
}

void
hub_stream_due (HubStream *stream)
{
  hub_stream_plan (stream, G_MAXINT64);
  if (stream->pass)
    sync_tick (stream);
  else
    sync_begin (stream);
}

gboolean
hub_stream_late (const HubStream *stream)
{
  Hub *hub = stream->connector->plugin->hub;
  if (stream->off)
    return FALSE;
  gint64 from_ms = stream->as_of_ms ? stream->as_of_ms : stream->created_ms;
  return hub_wall_ms (hub) - from_ms > (gint64)((double)stream->every_ms * hub->config->host->late_after);
}

HubStreamState
hub_stream_state (const HubStream *stream, Reason *reason)
{
  *reason = stream->reason;
  if (stream->state == STREAM_IDLE && stream->held) {
    *reason = REASON_PASS_HELD;
    return STREAM_HELD;
  }
  return stream->state;
}

const char *
hub_stream_state_word (HubStreamState state)
{
  return state_words[state];
}
