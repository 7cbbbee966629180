/* What the limit programs of the catalogue share: asking the sandbox's Treez, and being driven by the bench.
 *
 *   catalogue-... URL DISPENSARY CLIENT_ID API_KEY FILE
 *
 * does one pass over all products into FILE (SQLite) for each line that it reads, and answers with a line of
 * JSON: the CPU that the pass took, and its numbers. Anything that goes wrong ends the program. */
#pragma once
#include <curl/curl.h>
#include <glib.h>
#include <sqlite3.h>

typedef struct Limit Limit;

/* A program's own part. */
typedef struct {
  void (*open) (Limit *limit, const char *file);
  void (*pass) (Limit *limit);
  void (*close) (Limit *limit);
} LimitProgram;

struct Limit {
  const LimitProgram *program;
  CURL *easy;
  struct curl_slist *headers;
  char *base, *client_id, *api_key;
  sqlite3 *db;
  guint64 items, written; /* of this pass */
  gpointer own;
};

enum { LIMIT_PAGE_ITEMS = 1000 };

/* Asks for a page of products and gives its bytes to take() as they arrive. */
void limit_get_page (Limit *limit, guint page, curl_write_callback take, gpointer data);

void limit_sql (Limit *limit, const char *sql);
sqlite3_stmt *limit_prepare (Limit *limit, const char *sql);
/* One step that gives no row. */
void limit_run (Limit *limit, sqlite3_stmt *statement);

int limit_main (int count, char **words, const LimitProgram *program);
