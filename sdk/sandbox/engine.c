#include "engine.h"

#include <gio/gio.h>
#include <string.h>
#include <time.h>

#include "admin.h"
#include "base/timefmt.h"
#include "spoil.h"

typedef struct {
  const Vendor *vendor;
  gpointer state;
  Listener *listener;
} Running;

struct Engine {
  Loop *loop;
  Server *server;
  Listener *main;
  GArray *vendors; /* Running */
  Faults *faults;
  LoopTimer *rule_ends;
  Journal *journal;
  Pack *pack;
  Clock clock;
  GRand *dice;
  char *host;
};

PageRange
exchange_page (const Exchange *exchange, guint64 page, guint size, guint total)
{
  PageRange range = { .total = total };
  Fault fault = exchange->fault ? exchange->fault->fault : FAULT_REFUSE;
  g_assert (page >= 1 && size >= 1);
  if (fault == FAULT_DUPLICATE_PAGE && page > 1)
    page--;
  if (fault == FAULT_ENDLESS_PAGES && total > 0) {
    range.total = (page + 1) * size;
    page = (page - 1) % ((total + size - 1) / size) + 1;
  }
  range.start = (guint)MIN ((page - 1) * size, total);
  range.count = MIN (size, total - range.start);
  return range;
}

/* Does the path below the vendor fit the pattern? Fills in the segments, decoded. */
static gboolean
match (const char *pattern, const char *path, char *segments[ROUTE_SEGMENTS])
{
  guint count = 0;
  while (*pattern == '/' && *path == '/') {
    const char *pattern_end = strchrnul (pattern + 1, '/'), *path_end = strchrnul (path + 1, '/');
    gsize length = (gsize)(path_end - path - 1);
    if (pattern[1] == '{') {
      g_assert (count < ROUTE_SEGMENTS);
      char *text = request_decode (path + 1, (gssize)length, FALSE);
      if (!text || !*text) {
        g_free (text);
        return FALSE;
      }
      segments[count++] = text;
    } else if ((gsize)(pattern_end - pattern - 1) != length || strncmp (pattern + 1, path + 1, length) != 0) {
      return FALSE;
    }
    pattern = pattern_end;
    path = path_end;
  }
  return !*pattern && !*path;
}

static void
clear_segments (Exchange *exchange)
{
  for (guint i = 0; i < ROUTE_SEGMENTS; i++)
    g_clear_pointer (&exchange->segments[i], g_free);
}

static const Route *
find_route (Exchange *exchange, const char *path)
{
  for (guint i = 0; i < exchange->vendor->route_count; i++) {
    const Route *route = &exchange->vendor->routes[i];
    if (strcmp (route->method, exchange->request->method) == 0 &&
        match (route->pattern, path, exchange->segments))
      return route;
    clear_segments (exchange);
  }
  return NULL;
}

static const Running *
find_vendor (Engine *engine, const char *path)
{
  const char *end = strchrnul (path + 1, '/');
  for (guint i = 0; i < engine->vendors->len; i++) {
    const Running *running = &g_array_index (engine->vendors, Running, i);
    gsize length = strlen (running->vendor->name);
    if (length == (gsize)(end - path - 1) && strncmp (running->vendor->name, path + 1, length) == 0)
      return running;
  }
  return NULL;
}

static void
run_handler (Exchange *exchange, const FaultRule *rule)
{
  if (rule && rule->fault == FAULT_TOKEN_EXPIRED)
    exchange->vendor->expire (exchange->state);
  if (rule && (rule->fault == FAULT_DUPLICATE_PAGE || rule->fault == FAULT_ENDLESS_PAGES))
    exchange->fault = rule;
  if (!exchange->route)
    reply_json (exchange->reply, 404, "{\"error\":\"the sandbox knows no such route\"}");
  else if (exchange->route->open || exchange->vendor->admit (exchange))
    exchange->route->handle (exchange);
  if (rule)
    spoil_after (exchange, rule);
}

/* What the vendor's clock says (RFC 9110, 5.6.7), so that whose own is off can be told. */
static void
put_date (Reply *reply, gint64 now_ms)
{
  char text[40];
  time_t seconds = (time_t)(now_ms / 1000);
  struct tm parts;
  gmtime_r (&seconds, &parts);
  strftime (text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  reply_header (reply, "Date", "%s", text);
}

/* Of the body; a body without end counts as nothing. */
static guint64
sent_bytes (const Reply *reply)
{
  guint64 length = reply->reset || reply->stall ? 0 : reply_length (reply);
  return length == REPLY_FOR_EVER ? 0 : reply->cut ? MIN (reply->cut_bytes, length) : length;
}

static void
answer_vendor (Engine *engine, const Running *running, const Request *request, Reply *reply)
{
  const char *path = request->path + 1 + strlen (running->vendor->name);
  Exchange exchange = { .engine = engine,
                        .vendor = running->vendor,
                        .state = running->state,
                        .request = request,
                        .reply = reply,
                        .now_ms = clock_now_ms (&engine->clock) };
  exchange.route = find_route (&exchange, path);
  FaultPlace place = { .vendor = running->vendor->name,
                       .method = request->method,
                       .route = exchange.route ? exchange.route->name : NULL,
                       .path = path,
                       .wants_token = exchange.route && !exchange.route->open,
                       .has_rows = exchange.route && exchange.route->rows };
  const FaultRule *rule = faults_pick (engine->faults, &place, loop_now_ms (engine->loop));
  g_autofree char *main_url = g_strdup_printf ("http://%s:%u", engine->host, listener_port (engine->main));
  if (rule && spoil_is_before (rule))
    spoil_before (&exchange, rule, main_url);
  else
    run_handler (&exchange, rule);
  clear_segments (&exchange);
  put_date (reply, exchange.now_ms);
  pack_reply (engine->pack, request, reply);
  journal_add (engine->journal, exchange.now_ms, running->vendor->name, request,
               reply->reset || reply->stall ? 0 : reply->status, sent_bytes (reply),
               rule ? fault_name (rule->fault) : NULL);
}

static void
answer (const Request *request, Reply *reply, gpointer data)
{
  Engine *engine = data;
  if (g_str_has_prefix (request->path, "/_sandbox/")) {
    admin_answer (engine, request, reply);
    return;
  }
  const Running *running = find_vendor (engine, request->path);
  if (running) {
    answer_vendor (engine, running, request, reply);
    return;
  }
  reply_json (reply, 404, "{\"error\":\"no vendor of the sandbox lives here\"}");
  journal_add (engine->journal, clock_now_ms (&engine->clock), "", request, reply->status, sent_bytes (reply),
               NULL);
}

static void
rule_ended (gpointer data)
{
  g_autoptr (GError) error = NULL;
  if (!engine_apply_faults (data, &error))
    g_warning ("%s", error->message);
}

gboolean
engine_apply_faults (Engine *engine, GError **error)
{
  gint64 now_ms = loop_now_ms (engine->loop);
  for (guint i = 0; i < engine->vendors->len; i++) {
    const Running *running = &g_array_index (engine->vendors, Running, i);
    if (!listener_set_open (running->listener,
                            !faults_refuses (engine->faults, running->vendor->name, now_ms), error))
      return FALSE;
  }
  gint64 next = faults_next_end (engine->faults, now_ms);
  if (next)
    loop_timer_set (engine->rule_ends, next);
  else
    loop_timer_clear (engine->rule_ends);
  return TRUE;
}

void
engine_release_stalled (Engine *engine)
{
  server_release_stalled (engine->server);
}

Engine *
engine_new (Loop *loop, const EngineSetup *setup, GError **error)
{
  g_autoptr (Engine) engine = g_new0 (Engine, 1);
  engine->loop = loop;
  engine->host = g_strdup (setup->host);
  engine->vendors = g_array_new (FALSE, TRUE, sizeof (Running));
  engine->faults = faults_new (setup->seed);
  engine->journal = journal_new ();
  engine->pack = pack_new ();
  engine->dice = g_rand_new_with_seed ((guint32)setup->seed);
  engine->rule_ends = loop_timer_new (loop, rule_ended, engine);
  engine->server = server_new (loop, answer, engine);
  engine->main = server_listen (engine->server, setup->host, setup->port, error);
  if (!engine->main)
    return NULL;
  VendorSetup vendor_setup = { setup->seed, setup->size, setup->rate, clock_now_ms (&engine->clock) };
  for (guint i = 0; setup->vendors[i]; i++) {
    Listener *listener = server_listen (engine->server, setup->host, 0, error);
    if (!listener)
      return NULL;
    Running running = { setup->vendors[i], setup->vendors[i]->open (&vendor_setup), listener };
    g_array_append_val (engine->vendors, running);
  }
  return g_steal_pointer (&engine);
}

void
engine_free (Engine *engine)
{
  if (!engine)
    return;
  server_free (engine->server);
  for (guint i = 0; i < engine->vendors->len; i++) {
    const Running *running = &g_array_index (engine->vendors, Running, i);
    running->vendor->close (running->state);
  }
  g_array_unref (engine->vendors);
  loop_timer_free (engine->rule_ends);
  faults_free (engine->faults);
  journal_free (engine->journal);
  pack_free (engine->pack);
  g_rand_free (engine->dice);
  g_free (engine->host);
  g_free (engine);
}

char *
engine_ready_line (const Engine *engine)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_string_printf (line, "{\"admin\":\"http://%s:%u/_sandbox\",\"vendors\":{", engine->host,
                   listener_port (engine->main));
  for (guint i = 0; i < engine->vendors->len; i++) {
    const Running *running = &g_array_index (engine->vendors, Running, i);
    g_string_append_printf (line, "%s\"%s\":{\"url\":\"http://%s:%u/%s\",\"settings\":{%s}", i ? "," : "",
                            running->vendor->name, engine->host, listener_port (running->listener),
                            running->vendor->name, running->vendor->settings);
    if (running->vendor->settings_v3)
      g_string_append_printf (line, ",\"settings_v3\":{%s}", running->vendor->settings_v3);
    g_string_append_c (line, '}');
  }
  g_string_append (line, "}}");
  return g_string_free (g_steal_pointer (&line), FALSE);
}

Faults *
engine_faults (Engine *engine)
{
  return engine->faults;
}

Journal *
engine_journal (Engine *engine)
{
  return engine->journal;
}

Pack *
engine_pack (Engine *engine)
{
  return engine->pack;
}

Clock *
engine_clock (Engine *engine)
{
  return &engine->clock;
}

gint64
engine_monotonic_ms (const Engine *engine)
{
  return loop_now_ms (engine->loop);
}

GRand *
engine_dice (Engine *engine)
{
  return engine->dice;
}

guint
engine_connections (const Engine *engine)
{
  return server_connections (engine->server);
}

const Vendor *
engine_vendor (const Engine *engine, const char *name, gpointer *state)
{
  for (guint i = 0; i < engine->vendors->len; i++) {
    const Running *running = &g_array_index (engine->vendors, Running, i);
    if (strcmp (running->vendor->name, name) == 0) {
      *state = running->state;
      return running->vendor;
    }
  }
  return NULL;
}
