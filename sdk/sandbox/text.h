/* JSON text written piece by piece. */
#pragma once
#include <glib.h>

/* A JSON string with its quotes; what is not UTF-8 becomes U+FFFD. */
void text_quoted (GString *out, const char *text, gssize length);

/* Thousandths as the shortest decimal: 30000 -> "30", 16033 -> "16.033". */
void text_thousandths (GString *out, gint32 thousandths);

/* A number without sign, fast. */
void text_unsigned (GString *out, guint64 number);
