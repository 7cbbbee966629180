/* What the endpoint's files share: endpoint.c (what is asked, and again), exchange.c (one try), judge.c (what
 * came of it), endpoints.c (made out of the plugin's rows). */
#pragma once
#include "worker/account.h"
#include "worker/endpoint.h"
#include "worker/http.h"
#include "worker/retry.h"
#include "worker/rules.h"
#include "worker/unpack.h"

/* The ceilings of answers. */
enum {
  ENDPOINT_ANSWER_MOST = 32 << 20,   /* a whole answer, decoded */
  ENDPOINT_AHEAD_BYTES = 128 << 10,  /* of a streamed one, read ahead of the plugin */
  ENDPOINT_HELD_BYTES = 1 << 20,     /* of a packed one, held until it is known whether it has changed */
  ENDPOINT_PIECE_BYTES = 64 << 10,   /* unpacked at a time */
  ENDPOINT_UNPACKED_FREE = 16 << 20, /* beyond that no body unpacks to more than ... */
  ENDPOINT_UNPACKED_TIMES = 100,     /* ... so many times what was sent: JSON comes to some ten */
  ENDPOINT_SAMPLE_BYTES = 200,       /* of a body that makes no sense, shown to people */
  ENDPOINT_TIMEOUT_S = 30,           /* where neither request nor endpoint nor drop-in says */
  ENDPOINT_HEADERS_MOST = 200        /* of a request */
};

typedef struct {
  tb_place place;
  char *name, *value; /* filled; {token} is left in a value that has it */
  gboolean token;
} Credential;

struct Endpoint {
  Connector *connector;
  const tb_endpoint *row;
  char *url, *origin;
  GArray *credentials; /* Credential */
  Rules *rules;
  JsonPath *words; /* NULL: none said */
  Account *account;
  RetryBudget budget;
};

typedef struct EndpointHeaders {
  const char *name, *value;
  struct EndpointHeaders *next;
} EndpointHeaders;

typedef struct {
  guint tried;
  gboolean new_token;  /* one was asked for already */
  gboolean new_signed; /* a refused signature was made anew: the last one may have been too late */
} Tries;

/* A request, as it will be tried. In the call's arena. */
typedef struct {
  Call *call;
  Endpoint *endpoint;
  const tb_request *request; /* never NULL */
  const char *method, *url;  /* url without what credentials add */
  const char *shown;         /* "GET /orders/5", for people: without the query */
  const char *body, *type;
  gsize body_size;
  gboolean bare, elsewhere; /* elsewhere: a link to another host */
  gboolean repeatable;
  gboolean streams;         /* the answer is read while it arrives */
  const EndpointMark *mark; /* NULL: none, and the answer comes unpacked */
  Tries tries;
} Ask;

/* One try of it. */
struct EndpointStream {
  Ask *ask;
  Call *call;       /* NULL: closed, and only waits for the transfer to end */
  Account *account; /* NULL: no turn is owed */
  HttpTransfer *transfer;
  GByteArray *filling, *reading;          /* what arrived; what the reader has */
  gboolean head, ended, paused, collects; /* collects: the whole body is wanted */
  gboolean too_large, begun;              /* begun: the reader has had its first bytes */
  HttpEnd end;
  int status;
  char *error;
  gint64 sent_bytes, skip_bytes, head_until_ms;
  const char *token; /* used in this try, NULL: none */
  guint64 generation;
  EndpointHeaders *headers, *last_header;
  gboolean holds;    /* the whole of a packed body is wanted before any of it is read */
  Unpack *unpack;    /* NULL: it comes as it is */
  char *piece;       /* ENDPOINT_PIECE_BYTES of what it unpacked to */
  gsize unpacked_to; /* of `reading` */
  gpointer packed;   /* HashState, of what was sent */
  gint64 packed_bytes, unpacked_bytes;
  struct EndpointStream *next; /* of the call */
};

/* What a try came to. */
typedef struct {
  tb_status status;
  tb_why why;
  gboolean never_left; /* nothing of it reached the vendor */
  gboolean hopeless;   /* the same again would end the same */
  const char *words;   /* for people */
} Verdict;

/* exchange.c */
tb_status
exchange_start (Ask *ask,
                EndpointStream **stream); /* a turn, a token, a signature, and off; call_fail() was told */
tb_status
exchange_wait_head (EndpointStream *stream); /* TB_CANCELLED: the call is over, the transfer is stopped */
tb_status exchange_wait_end (EndpointStream *stream);
/* Bytes of a byte order mark that a body begins with, which some vendors send (RFC 8259, 8.1, lets it pass).
 */
gsize exchange_mark (const char *bytes, gsize length);
/* unpacking.c: what came packed, piece by piece and as a whole */
void exchange_see_coding (EndpointStream *stream); /* once the head is in */
gboolean exchange_is_conditional (const Ask *ask);
/* Takes what has arrived into `reading`, waiting for `least` bytes of it, or the end. */
tb_status exchange_take (EndpointStream *stream, gsize least);
tb_status exchange_unpack (EndpointStream *stream, const char **bytes, gsize *length);
/* All that was collected, as far as it can be unpacked. */
void exchange_unpack_all (EndpointStream *stream);
void exchange_unpacking_ends (EndpointStream *stream);

/* judge.c. root: the body's JSON, NULL: none; json: the same for the plugin; text: the body. */
Verdict judge_lost (EndpointStream *stream);
Verdict judge_answer (EndpointStream *stream, const JsonNode *root, const tb_json *json, const char *text,
                      gsize length);
Verdict judge_bad_body (EndpointStream *stream, const char *what, const char *text, gsize length);
tb_status judge_tell (const Ask *ask, const Verdict *verdict); /* to call_fail() */
