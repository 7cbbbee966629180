#include "worker/path.h"

#include <string.h>

#include <gio/gio.h>

typedef struct {
  GString *out;
  va_list args;
  gboolean query;   /* behind `?` */
  gboolean dropped; /* the parameter that is being written goes away */
  gsize parameter;  /* where it begins: behind `?` or `&` */
} Writer;

typedef struct {
  char kind;      /* 's' 'd' 'u' 'f' '%' */
  gboolean plain; /* %-s */
  guint longs;
} Spec;

static gboolean
read_spec (const char **at, Spec *spec)
{
  const char *p = *at + 1;
  *spec = (Spec){ 0 };
  while (strchr ("-+ 0", *p) && *p)
    spec->plain |= *p++ == '-';
  for (; *p == 'l'; p++)
    spec->longs++;
  if (*p == 'z') {
    spec->longs = 2;
    p++;
  }
  if (!*p || !strchr ("sdiuf%", *p))
    return FALSE;
  spec->kind = *p == 'i' ? 'd' : *p;
  *at = p + 1;
  return TRUE;
}

static gboolean
write_text (Writer *writer, const Spec *spec, GError **error)
{
  const char *text = va_arg (writer->args, const char *);
  if (!text && writer->query) {
    writer->dropped = TRUE;
    return TRUE;
  }
  if (!writer->query && (!text || !*text || g_str_equal (text, ".") || g_str_equal (text, ".."))) {
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 "an argument of the path behind \"%s\" is %s", writer->out->str,
                 !text || !*text ? "empty" : "no name of anything");
    return FALSE;
  }
  if (!spec->plain)
    g_string_append_uri_escaped (writer->out, text, NULL, FALSE);
  for (; spec->plain && *text; text++)
    if ((guchar)*text <= ' ' || (guchar)*text >= 0x7f)
      g_string_append_printf (writer->out, "%%%02X", (guchar)*text);
    else
      g_string_append_c (writer->out, *text);
  return TRUE;
}

static void
write_number (Writer *writer, const Spec *spec)
{
  if (spec->kind == 'f') {
    char digits[G_ASCII_DTOSTR_BUF_SIZE];
    g_string_append (writer->out, g_ascii_dtostr (digits, sizeof digits, va_arg (writer->args, double)));
  } else if (spec->kind == 'd')
    g_string_append_printf (writer->out, "%" G_GINT64_FORMAT,
                            spec->longs == 2   ? (gint64)va_arg (writer->args, long long)
                            : spec->longs == 1 ? (gint64)va_arg (writer->args, long)
                                               : (gint64)va_arg (writer->args, int));
  else
    g_string_append_printf (writer->out, "%" G_GUINT64_FORMAT,
                            spec->longs == 2   ? (guint64)va_arg (writer->args, unsigned long long)
                            : spec->longs == 1 ? (guint64)va_arg (writer->args, unsigned long)
                                               : (guint64)va_arg (writer->args, unsigned));
}

/* A parameter is whole: away with it, and with the `&` or `?` before it, if it was dropped. */
static void
end_parameter (Writer *writer)
{
  if (writer->dropped)
    g_string_truncate (writer->out, writer->parameter);
  writer->dropped = FALSE;
}

static void
write_plain (Writer *writer, char letter)
{
  if (letter == '?' && !writer->query) {
    writer->query = TRUE;
    writer->parameter = writer->out->len;
  } else if (letter == '&' && writer->query) {
    end_parameter (writer);
    gboolean first = !memchr (writer->out->str, '?', writer->out->len);
    writer->parameter = writer->out->len;
    letter = first ? '?' : '&';
  }
  g_string_append_c (writer->out, letter);
}

char *
path_format (const char *format, va_list args, GError **error)
{
  Writer writer = { .out = g_string_new (NULL) };
  gboolean good = TRUE;
  va_copy (writer.args, args);
  for (const char *at = format; good && *at;) {
    Spec spec;
    if (*at != '%')
      write_plain (&writer, *at++);
    else if (!read_spec (&at, &spec)) {
      g_set_error (
        error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
        "path format \"%s\": \"%.6s\" is not understood (write %%s, %%-s, %%lld, %%d, %%u, %%f or %%%%)",
        format, at);
      good = FALSE;
    } else if (spec.kind == '%')
      g_string_append (writer.out, "%");
    else if (spec.kind == 's')
      good = write_text (&writer, &spec, error);
    else
      write_number (&writer, &spec);
  }
  end_parameter (&writer);
  va_end (writer.args);
  return g_string_free (writer.out, !good);
}
