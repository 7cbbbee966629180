#include "worker-bed.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static void
send_json (Bed *bed, WireType type, guint64 call, const char *text)
{
  gsize pending;
  wire_end_send (bed->hub, type, 0, call, text, strlen (text));
  if (!wire_end_flush (bed->hub, &pending) || pending)
    g_error ("the worker takes nothing");
}

void
bed_set (Bed *bed, const tb_plugin_info *info, const char *settings)
{
  int fds[2];
  g_autoptr (GError) error = NULL;
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
    g_error ("socketpair");
  *bed = (Bed){ .loop = loop_new (), .plugin = plugin_adopt (info, NULL, &error) };
  if (!bed->plugin)
    g_error ("%s", error->message);
  bed->hub = wire_end_new (fds[0]);
  bed->worker = worker_new (bed->loop, bed->plugin, fds[1], &error);
  if (!bed->worker)
    g_error ("%s", error->message);
  bed_connect (bed, settings);
}

void
bed_connect (Bed *bed, const char *settings)
{
  g_autofree char *text = g_strdup_printf (
    "{\"connector\":\"downtown/"
    "pos\",\"seed\":\"7\",\"allow_private\":true,\"settings\":%s,\"store\":{\"id\":\"downtown\",\"timezone\":"
    "\"America/Los_Angeles\",\"currency\":\"USD\"}}",
    settings);
  send_json (bed, WIRE_CONNECT, 1, text);
}

void
bed_clear (Bed *bed)
{
  worker_free (bed->worker);
  wire_end_free (bed->hub);
  plugin_free (bed->plugin);
  loop_free (bed->loop);
}

WireFrame
bed_frame (Bed *bed)
{
  WireFrame frame;
  gsize pending;
  g_autoptr (GError) error = NULL;
  while (!wire_end_next (bed->hub, &frame, &error)) {
    loop_turn (bed->loop, 10);
    if (error || !wire_end_read (bed->hub, &error))
      g_error ("the worker is gone");
  }
  if (frame.head.type == WIRE_RECORDS || frame.head.type == WIRE_SAME) {
    wire_end_send (bed->hub, WIRE_CREDIT, 0, frame.head.size, NULL, 0);
    if (!wire_end_flush (bed->hub, &pending))
      g_error ("the worker takes no credit");
  }
  return frame;
}

guint64
bed_call (Bed *bed, const char *members)
{
  g_autofree char *body =
    g_strdup_printf ("{\"id\":\"call_1\",\"connector\":1,\"deadline_ms\":30000,%s}", members);
  send_json (bed, WIRE_CALL, ++bed->calls, body);
  return bed->calls;
}

json_object *
bed_check (Bed *bed)
{
  guint64 call = bed_call (bed, "\"operation\":\"check\"");
  WireFrame frame;
  do
    frame = bed_frame (bed);
  while (frame.head.type != WIRE_RESULT || frame.head.call != call);
  return json_tokener_parse ((const char *)frame.body);
}

gboolean
bed_status (Bed *bed, const char *status, const char *words)
{
  json_object *result = bed_check (bed);
  const char *found = json_object_get_string (json_object_object_get (result, "status"));
  const char *detail = json_object_get_string (json_object_object_get (result, "detail"));
  gboolean good = strcmp (found, status) == 0 && strstr (detail, words) != NULL;
  if (!good)
    printf ("# %s: %s\n", found, detail);
  json_object_put (result);
  return good;
}

const tb_json *
bed_read (tb_call *shown, const char *text)
{
  Call *call = call_of (shown);
  JsonDocument *document = arena_alloc (call->arena, sizeof *document);
  char *copy = arena_alloc (call->arena, strlen (text) + 1 + JSON_PADDING);
  strcpy (copy, text);
  if (!json_read (document, copy, strlen (text)))
    g_error ("%s: %s", text, document->error);
  return handle_new (call, document, document->nodes, FALSE);
}
