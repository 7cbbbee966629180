/* Webhooks: described as data, so that the hub checks, stores and answers them without plugin code; `handle`
 * sees them afterwards.
 *
 * A place: header:NAME, query:NAME, body:PATH (json.h) or form:NAME, alternatives with |. A template: text
 * with {place}, {raw} (the body's bytes), {url} (as the vendor called it), {sorted_form} (names and values in
 * the order of names), {topic}, {url_key}, and {SETTING}. */
#ifndef TILLBRIDGE_WEBHOOKS_H
#define TILLBRIDGE_WEBHOOKS_H

#include <tillbridge/streams.h>

/* How a request shows that it comes from the vendor. One row that holds is enough; comparisons take the same
 * time whatever differs. { .proof = "header:Authorization", .equals = "Bearer {webhook_token}" } { .proof =
 * "header:X-Signature", .hmac = TB_SHA256, .over = "{raw}", .secret = "webhook_secrets" } */
typedef struct tb_proof {
  const char *proof;  /* the place where it stands */
  const char *equals; /* a template that it must equal; or: */
  tb_hash hmac;       /* an HMAC (RFC 2104), in base64, or */
  bool hex;           /* in hexadecimal digits */
  bool any_port;      /* {url} is tried with and without its port */
  bool weak;          /* proves little: handle() must fetch, bodies are not believed */
  uint8_t reserved;
  const char *over;   /* the template that was signed */
  const char *secret; /* its setting; of a list each is tried */
  const char *prefix; /* before the proof: "sha256=" */
  const char *time;   /* the place of the time that was signed with it (seconds or RFC 3339) */
  const char *when;
  int tolerance_s; /* how far that may be off; 0: 300 */
  uint32_t reserved2;
} tb_proof;

typedef struct tb_topic {
  const char *name;         /* as `topic` finds it */
  const char *subscribe_as; /* what subscribing calls it; NULL: the same */
  const char *answer_type, *answer_body;
  int answer; /* the HTTP status that this one wants; 0: as all */
  uint32_t reserved;
} tb_topic;

/* One that arrived. */
typedef struct tb_event {
  const char *topic, *id;
  long long at_ms;     /* when it happened; 0: not said */
  const tb_json *body; /* a form: an object of texts; NULL: neither JSON nor a form */
  tb_bytes raw;
  const char *url;
  const tb_json *query, *headers; /* objects of texts; header names in lower case */
  bool verified;
  uint8_t reserved[7];
} tb_event;

/* What subscribing should come to: exactly these topics to this address; on "no": none. */
typedef struct tb_want {
  const char *url;
  tb_texts topics;
  tb_flag on;
  uint32_t reserved;
} tb_want;

typedef struct tb_webhook_functions {
  TB_LIST_OF (const tb_proof) proofs;
  TB_LIST_OF (const tb_topic) topics; /* empty: any */
  const char *topic;                  /* the place of the topic: "body:event_type|body:root.event_type" */
  const char *id;                     /* a template: what makes an event one */
  const char *at;                     /* the place of its time */
  const char *about;                  /* a template: its lane, handled in order */
  const char *must;                   /* a place with the value that it must have: "header:X-Shop={shop}" */
  const char *ping; /* a place: where it is there this is a test call, answered and forgotten */
  const char *answer_type, *answer_body;
  int answer; /* HTTP status; 0: 200 */
  uint32_t reserved;
  tb_status (*verify) (tb_call *, const tb_event *); /* where proofs cannot say it: runs before handle */
  tb_status (*handle) (tb_call *, const tb_event *); /* emits, or says tb_fetch_again() */
  tb_status (*subscribe) (tb_call *, const tb_want *);
} tb_webhook_functions;

#endif
