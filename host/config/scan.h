/* Where everything stands in a file that libconfig reads: libconfig itself knows lines alone, calls every
 * mistake a "syntax error", notices a missing bracket on the last line, and lets integers wrap and strings
 * end at \x00.
 *
 * This is a lexer that counts, with just enough memory to know what may come next. What it finds wrong is not
 * handed to libconfig; that it finds nothing wrong in what libconfig refuses, and the other way round, is
 * what the fuzzer looks for. */
#pragma once
#include <glib.h>

enum { SCAN_FILE_MOST = 1 << 20, SCAN_DEPTH_MOST = 32, SCAN_INCLUDE_MOST = 10 };

typedef struct {
  char *file;        /* as it is shown to people */
  char *text;        /* all of it */
  GArray *lines;     /* gsize: where each begins */
  GArray *in_string; /* gboolean: does the line begin inside a string? */
} ScanSource;

typedef struct {
  const ScanSource *source;
  int line, column, width; /* of the name; of an element: of the value */
  int value_line;
  const char *value; /* in the source's text: a number's digits are read from here */
} ScanPlace;

typedef struct {
  const ScanSource *source;
  int line, column, width;
  char *text, *hint; /* hint may be NULL */
} ScanFault;

typedef struct {
  GPtrArray *sources;     /* ScanSource: the file itself first, then what it includes */
  GHashTable *places;     /* "store.connectors.pos.url", "store.messages[0]" -> ScanPlace */
  GPtrArray *refused;     /* ScanFault, errors whatever libconfig says */
  ScanFault *first_error; /* the first thing that is out of place; NULL: none */
} Scan;

/* Takes text. folder: where @include is looked for. */
Scan *scan_text (char *text, const char *shown, const char *folder);
void scan_free (Scan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scan, scan_free)

/* The whole of a regular file, at most SCAN_FILE_MOST bytes; NULL with *why (static or g_strerror's). A NUL
 * byte ends it for libconfig, so *length tells. */
char *scan_load (const char *path, gsize *length, const char **why);

/* A line without its newline; g_free(). NULL: there is none. */
char *scan_line (const ScanSource *source, int line);
