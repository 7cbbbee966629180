#include "reply.h"

#include <string.h>

void
reply_init (Reply *reply)
{
  *reply = (Reply){ .status = 200,
                    .type = "application/json",
                    .headers = g_string_new (NULL),
                    .prefix = g_string_new (NULL),
                    .suffix = g_string_new (NULL) };
}

void
reply_clear (Reply *reply)
{
  g_string_free (reply->headers, TRUE);
  g_string_free (reply->prefix, TRUE);
  g_string_free (reply->suffix, TRUE);
  g_clear_pointer (&reply->middle, g_bytes_unref);
  *reply = (Reply){ 0 };
}

static void
forget_body (Reply *reply)
{
  g_string_truncate (reply->prefix, 0);
  g_string_truncate (reply->suffix, 0);
  g_clear_pointer (&reply->middle, g_bytes_unref);
  reply->times = 0;
}

static void
text_va (Reply *reply, int status, const char *type, const char *format, va_list arguments)
{
  forget_body (reply);
  reply->status = status;
  reply->type = type;
  g_string_vprintf (reply->prefix, format, arguments);
}

void
reply_text (Reply *reply, int status, const char *type, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  text_va (reply, status, type, format, arguments);
  va_end (arguments);
}

void
reply_json (Reply *reply, int status, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  text_va (reply, status, "application/json", format, arguments);
  va_end (arguments);
}

void
reply_take (Reply *reply, int status, const char *type, GString *text)
{
  forget_body (reply);
  reply->status = status;
  reply->type = type;
  g_string_free (reply->prefix, TRUE);
  reply->prefix = text;
}

void
reply_rows (Reply *reply, GBytes *rows, const char *suffix, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  text_va (reply, 200, "application/json", format, arguments);
  va_end (arguments);
  g_string_assign (reply->suffix, suffix);
  reply->middle = g_bytes_ref (rows);
  reply->times = 1;
}

void
reply_header (Reply *reply, const char *name, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_string_append_printf (reply->headers, "%s: ", name);
  g_string_append_vprintf (reply->headers, format, arguments);
  g_string_append (reply->headers, "\r\n");
  va_end (arguments);
}

guint64
reply_length (const Reply *reply)
{
  if (reply->times == REPLY_FOR_EVER)
    return REPLY_FOR_EVER;
  guint64 middle = reply->middle ? g_bytes_get_size (reply->middle) * reply->times : 0;
  return reply->prefix->len + middle + reply->suffix->len;
}

GString *
reply_body (const Reply *reply)
{
  g_assert (reply->times != REPLY_FOR_EVER);
  GString *body = g_string_sized_new (reply_length (reply) + 1);
  g_string_append_len (body, reply->prefix->str, (gssize)reply->prefix->len);
  for (guint64 i = 0; i < reply->times; i++) {
    gsize size;
    const char *bytes = g_bytes_get_data (reply->middle, &size);
    g_string_append_len (body, bytes, (gssize)size);
  }
  g_string_append_len (body, reply->suffix->str, (gssize)reply->suffix->len);
  return body;
}
