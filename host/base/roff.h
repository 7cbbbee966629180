/* Text for manual pages: roff of the man macros, from text with `literal` parts. */
#pragma once
#include <glib.h>

/* A paragraph's text in lines of moderate length, escaped; what stands between backticks is bold. */
void roff_put_text (GString *out, const char *text);
/* The same on one line without its end, for a heading: upright, in bold. */
void roff_put_bold (GString *out, const char *text);
/* Lines as they are, each of its own: between .EX and .EE. */
void roff_put_lines (GString *out, const char *text);
