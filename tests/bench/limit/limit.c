#include "limit.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static size_t
gather (char *bytes, size_t size, size_t count, void *text)
{
  g_string_append_len (text, bytes, (gssize)(size * count));
  return size * count;
}

static void
perform (Limit *limit, const char *url)
{
  long status = 0;
  curl_easy_setopt (limit->easy, CURLOPT_URL, url);
  CURLcode code = curl_easy_perform (limit->easy);
  curl_easy_getinfo (limit->easy, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK || status != 200)
    g_error ("%s: %s, status %ld", url, curl_easy_strerror (code), status);
}

static void
get_token (Limit *limit)
{
  static const char name[] = "\"access_token\":\"";
  g_autoptr (GString) answer = g_string_new (NULL);
  g_autofree char *url = g_strconcat (limit->base, "/config/api/gettokens", NULL);
  g_autofree char *form = g_strdup_printf ("client_id=%s&apikey=%s", limit->client_id, limit->api_key);
  curl_easy_setopt (limit->easy, CURLOPT_WRITEFUNCTION, gather);
  curl_easy_setopt (limit->easy, CURLOPT_WRITEDATA, answer);
  curl_easy_setopt (limit->easy, CURLOPT_POSTFIELDS, form);
  perform (limit, url);
  curl_easy_setopt (limit->easy, CURLOPT_HTTPGET, 1L);
  const char *token = strstr (answer->str, name);
  if (!token)
    g_error ("no token: %s", answer->str);
  token += sizeof name - 1;
  g_autofree char *proof = g_strdup_printf ("authorization: %.*s", (int)(strchr (token, '"') - token), token);
  g_autofree char *client = g_strconcat ("client_id: ", limit->client_id, NULL);
  limit->headers = curl_slist_append (curl_slist_append (NULL, proof), client);
  curl_easy_setopt (limit->easy, CURLOPT_HTTPHEADER, limit->headers);
}

void
limit_get_page (Limit *limit, guint page, curl_write_callback take, gpointer data)
{
  g_autofree char *url = g_strdup_printf ("%s/product/product_list?page=%u&pagesize=%d&active=ALL",
                                          limit->base, page, LIMIT_PAGE_ITEMS);
  curl_easy_setopt (limit->easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt (limit->easy, CURLOPT_WRITEDATA, data);
  perform (limit, url);
}

void
limit_sql (Limit *limit, const char *sql)
{
  if (sqlite3_exec (limit->db, sql, NULL, NULL, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (limit->db));
}

sqlite3_stmt *
limit_prepare (Limit *limit, const char *sql)
{
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v3 (limit->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) != SQLITE_OK)
    g_error ("%s: %s", sql, sqlite3_errmsg (limit->db));
  return statement;
}

void
limit_run (Limit *limit, sqlite3_stmt *statement)
{
  sqlite3_step (statement);
  if (sqlite3_reset (statement) != SQLITE_OK)
    g_error ("%s: %s", sqlite3_sql (statement), sqlite3_errmsg (limit->db));
}

static double
seconds (const struct timeval *time)
{
  return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double
cpu_s (void)
{
  struct rusage usage;
  getrusage (RUSAGE_SELF, &usage);
  return seconds (&usage.ru_utime) + seconds (&usage.ru_stime);
}

int
limit_main (int count, char **words, const LimitProgram *program)
{
  char line[16];
  if (count != 6) {
    fprintf (stderr, "usage: %s URL DISPENSARY CLIENT_ID API_KEY FILE\n", words[0]);
    return 2;
  }
  Limit limit = { .program = program, .client_id = words[3], .api_key = words[4] };
  limit.base = g_strdup_printf ("%s/v2.0/dispensary/%s", words[1], words[2]);
  curl_global_init (CURL_GLOBAL_DEFAULT);
  limit.easy = curl_easy_init ();
  curl_easy_setopt (limit.easy, CURLOPT_NOSIGNAL, 1L);
  program->open (&limit, words[5]);
  get_token (&limit);
  while (fgets (line, sizeof line, stdin)) {
    double began_s = cpu_s ();
    limit.items = limit.written = 0;
    program->pass (&limit);
    printf ("{\"cpu_s\":%.6f,\"items\":%" G_GUINT64_FORMAT ",\"written\":%" G_GUINT64_FORMAT "}\n",
            cpu_s () - began_s, limit.items, limit.written);
    fflush (stdout);
  }
  program->close (&limit);
  sqlite3_close (limit.db);
  curl_slist_free_all (limit.headers);
  curl_easy_cleanup (limit.easy);
  curl_global_cleanup ();
  g_free (limit.base);
  return 0;
}
