/* What http.c and http_easy.c share. */
#pragma once
#include <curl/curl.h>
#include "worker/http.h"

struct Http {
  Loop *loop;
  CURLM *multi;
  LoopTimer *timer; /* libcurl's own */
  LoopTimer *soon;  /* resumes and cancels, which must not happen inside libcurl's callbacks */
  char *ca_file;
  const char *encodings;
  GPtrArray *idle;     /* CURL, ready for the next transfer */
  HttpTransfer *first; /* all that run */
  gboolean closing;
};

struct HttpTransfer {
  Http *http;
  HttpTransfer *next, *previous;
  CURL *easy;
  HttpRequest request; /* strings and body are ours */
  const char *method;  /* the request's, or what a redirect made of it */
  struct curl_slist *headers;
  char error[CURL_ERROR_SIZE];
  char *words; /* ours, better than libcurl's; NULL: none */
  gint64 started_ms, deadline_ms;
  gint64 sent_bytes, received_bytes; /* of the requests before a redirect */
  gint64 body_bytes;                 /* decoded */
  GString *head;                     /* lines of the answer that is arriving */
  int status;                        /* of that answer; 0 until its head is whole */
  guint redirects;
  gboolean left; /* a request was given to a connection */
  gboolean redirecting, wants_resume, wants_stop, too_large, stopped;
};

/* http_easy.c: an easy handle with everything that is the same for all transfers, and what is this one's. */
CURL *http_easy_new (Http *http);
void http_easy_prepare (HttpTransfer *transfer, const char *url);
void http_request_copy (HttpRequest *to, const HttpRequest *from);
void http_request_clear (HttpRequest *request);
/* Where the answer points, when it may be followed; else NULL, and transfer->words says why. */
char *http_redirect (HttpTransfer *transfer);
