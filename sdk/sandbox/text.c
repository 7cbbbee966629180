#include "text.h"

#include <string.h>

void
text_quoted (GString *out, const char *text, gssize length)
{
  g_autofree char *valid = g_utf8_make_valid (text, length);
  g_string_append_c (out, '"');
  for (const char *c = valid; *c; c++) {
    if (*c == '"' || *c == '\\')
      g_string_append_c (out, '\\');
    if ((guchar)*c < 0x20)
      g_string_append_printf (out, "\\u%04x", (guint)*c);
    else
      g_string_append_c (out, *c);
  }
  g_string_append_c (out, '"');
}

void
pen_unsigned (Pen *pen, guint64 number)
{
  char digits[20];
  int at = sizeof digits;
  do
    digits[--at] = (char)('0' + number % 10);
  while (number /= 10);
  pen_bytes (pen, digits + at, sizeof digits - (gsize)at);
}

void
pen_thousandths (Pen *pen, gint32 thousandths)
{
  guint32 whole = thousandths < 0 ? (guint32) - (gint64)thousandths : (guint32)thousandths;
  guint32 rest = whole % 1000;
  if (thousandths < 0)
    pen_char (pen, '-');
  pen_unsigned (pen, whole / 1000);
  if (rest == 0)
    return;
  char digits[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };
  gsize length = 4;
  while (digits[length - 1] == '0')
    length--;
  pen_bytes (pen, digits, length);
}
