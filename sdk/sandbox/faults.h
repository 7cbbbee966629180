/* Rules by which an imitated vendor fails: for which requests, how often, and how.
 *
 * Rules are tried in the order in which they were made; the first that fits and whose dice fall right is
 * used. */
#pragma once
#include <glib.h>
#include <json-c/json.h>

typedef enum {
  /* the vendor is down: its port refuses; connections that are open are reset at their next request */
  FAULT_REFUSE,
  /* before the handler: nothing has happened at the vendor */
  FAULT_RESET_BEFORE,
  FAULT_STALL,
  FAULT_SLOW, /* the first byte comes late */
  FAULT_500,
  FAULT_503,
  FAULT_429,
  FAULT_429_BARE,
  FAULT_401_ONCE,
  FAULT_TOKEN_EXPIRED,
  FAULT_REDIRECT_ELSEWHERE,
  FAULT_REDIRECT_LOOP,
  FAULT_HUGE,
  FAULT_DEEP,
  FAULT_GZIP_BOMB,
  FAULT_ANSWER, /* a hand-made answer: whatever a vendor was ever seen to say */
  /* in the handler: which rows a page holds */
  FAULT_DUPLICATE_PAGE,
  FAULT_ENDLESS_PAGES,
  /* after the handler: it has happened, the answer is spoiled */
  FAULT_RESET_AFTER,
  FAULT_DRIP,
  FAULT_SLOW_BODY,
  FAULT_TRUNCATED,
  FAULT_NOT_JSON,
  FAULT_WRONG_TYPE,
  FAULT_EMPTY_LIST,
  FAULT_PARTIAL,
  FAULT_BAD_UTF8,
  FAULT_BAD_PRICE,
  FAULT_NO_ID,
  FAULT_DUPLICATE_IDS,
} Fault;

typedef struct {
  guint number;
  Fault fault;
  char *vendor, *route,
    *method;       /* NULL: any. route: a route's name, or a pattern of the path such as "*lastUpdated*" */
  double share;    /* 0 to 1 */
  gint64 count;    /* how often it still happens; below 0: without end */
  gint64 until_ms; /* monotonic; 0: without end */
  gint64 ms;       /* of stall, slow, drip, slow_body; below 0: the fault's own */
  gint64 retry_after_s; /* below 0: the fault's own */
  guint rows;           /* how many rows bad_price, no_id, wrong_type and the like spoil */
  char *field;          /* of wrong_type and the like: which member of a row */
  char *to;             /* of redirect_elsewhere: the URL */
  int status;           /* of answer, with body and type */
  char *body, *type;
  gboolean after; /* 500, 503: answered after the handler ran */
  guint64 hits;
} FaultRule;

typedef struct Faults Faults;

Faults *faults_new (guint64 seed);
void faults_free (Faults *faults);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Faults, faults_free)

/* Adds the rules of a JSON array, all or none. */
gboolean faults_add (Faults *faults, json_object *rules, gint64 monotonic_ms, GError **error);
void faults_clear (Faults *faults);

/* What a request is, for rules. Faults about tokens pass by what needs none, faults of rows what has none. */
typedef struct {
  const char *vendor, *method, *route, *path; /* route: NULL when the vendor has none for it */
  gboolean wants_token, has_rows;
} FaultPlace;

/* The rule that this request meets, or NULL. Valid until rules change. */
const FaultRule *faults_pick (Faults *faults, const FaultPlace *place, gint64 monotonic_ms);

/* Does a rule that still holds make the vendor refuse connections? */
gboolean faults_refuses (const Faults *faults, const char *vendor, gint64 monotonic_ms);

/* When the next rule that has an end ends; 0: none. */
gint64 faults_next_end (const Faults *faults, gint64 monotonic_ms);

/* The rules as a JSON array. */
GString *faults_to_json (const Faults *faults);

const char *fault_name (Fault fault);

/* Does it change the rows of a list? */
gboolean fault_needs_rows (Fault fault);

/* All names of faults, some to a line, for --help and complaints. Free with g_free(). */
char *faults_names (void);
