/* The tables of the SQLite store, and how an older file becomes a newer one. */
#pragma once
#include <glib.h>
#include <sqlite3.h>

/* "TBrd": so that a file of somebody else is known as one. */
enum { SCHEMA_APPLICATION_ID = 0x54427264, SCHEMA_PAGE_BYTES = 8192 };

/* Is this ours, and not newer than we are? Reads only. *version 0: an empty file. */
gboolean schema_check (sqlite3 *db, int *version, GError **error);

/* From that version to the newest, each step in a transaction of its own. */
gboolean schema_migrate (sqlite3 *db, int version, GError **error);

/* Sets error from the last failure of db (what was being done comes first); FALSE, for return. */
gboolean schema_fail (sqlite3 *db, const char *doing, GError **error);

gboolean schema_run (sqlite3 *db, const char *sql, GError **error);

/* The first column of the first row, or `otherwise` when there is none. */
gboolean schema_number (sqlite3 *db, const char *sql, gint64 otherwise, gint64 *number, GError **error);
