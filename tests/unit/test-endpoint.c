/* A plugin, compiled in, asks a vendor, which is a server in this process; between them the worker as it is.
 */
#include "http-server.h"
#include "tap.h"
#include "wire/wire.h"
#include "worker/endpoint_private.h"
#include "worker/form.h"
#include "worker/loader.h"
#include "worker/token.h"

#include <fcntl.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- the plugin ---- */

static struct {
  tb_status (*scenario) (tb_call *call); /* what its check does */
  guint signatures;
  const char *elsewhere;
} plugin_state;

static tb_status
authorize (tb_call *call, tb_token *token)
{
  const tb_json *answer;
  tb_form *form = tb_form_new (call);
  tb_form_add (form, "key", tb_setting_secret (call, "api_key"));
  TB_TRY (tb_post_form (call, &answer, form, "/token"));
  token->access = tb_string (answer, "token");
  token->lasts_s = tb_int (answer, "expires_in", 0);
  return TB_OK;
}

static tb_status
authorize_narrow (tb_call *call, tb_token *token)
{
  const tb_json *answer;
  tb_request request = { .method = "POST", .endpoint = "narrow", .bare = true };
  TB_TRY (tb_ask (call, &answer, &request, "/token"));
  token->access = tb_string (answer, "token");
  return TB_OK;
}

static tb_status
sign (tb_call *call, tb_outgoing *request)
{
  tb_sign_header (request, "X-Signature",
                  tb_printf (call, "%s %s %zu #%u", request->method, strchr (request->url + 8, '/'),
                             request->body.size, ++plugin_state.signatures));
  return TB_OK;
}

static tb_status
classify (tb_call *call, const tb_response *response)
{
  if (tb_is (tb_text (response->json, "code"), "THROTTLED")) {
    tb_pace_report (call, &(tb_points){ .left = 10, .ceiling = 100, .per_second = 50 });
    tb_retry_in (call, 200);
    return TB_RATE_LIMIT_EXCEEDED;
  }
  if (response->verdict == TB_AUTHENTICATION_ERROR)
    return tb_fail (call, TB_AUTHENTICATION_ERROR, "mend the key of %s", tb_setting_text (call, "shop"));
  return response->verdict;
}

static tb_status
check (tb_call *call)
{
  return plugin_state.scenario (call);
}

static tb_status
pull_nothing (tb_call *call, const tb_pull *pull)
{
  return tb_done (call);
}

static const tb_setting settings[] = {
  { "url", TB_URL, TB_REQUIRED },
  { "shop", TB_TEXT, TB_REQUIRED },
  { "api_key", TB_SECRET, TB_REQUIRED },
};
static const tb_credential with_token[] = { { TB_HEADER, "Authorization", "Bearer {token}" },
                                            { TB_HEADER, "X-Shop", "{shop}" } };
static const tb_credential with_query[] = { { TB_QUERY, "key", "{api_key}" } };
static const tb_credential with_basic[] = { { TB_BASIC, "{shop}", "{api_key}" } };
static const tb_rule rules[] = {
  { 200, "error.code", "token_expired", TB_AUTHENTICATION_ERROR },
  { 400, "error.code", "no_such_order", TB_NOT_FOUND },
  { 400, "error.code", "out_of_stock", TB_VALIDATION_ERROR, TB_WHY_STOCK },
  { 200, "error", NULL, TB_VALIDATION_ERROR },
  { 0, NULL, "OVER LIMIT", TB_RATE_LIMIT_EXCEEDED },
};
static const tb_limit limits[] = { { "X-Left", TB_LEFT }, { "X-Reset", TB_RESET_S } };
static const tb_endpoint endpoints[] = {
  { "api", "{url}/v1/{shop}", .credentials = TB_LIST (with_token), .rules = TB_LIST (rules),
    .words = "error.text|message", .authorize = authorize, .timeout_s = 5 },
  { "query", "{url}/q", .credentials = TB_LIST (with_query), .rules = TB_LIST (rules),
    .limits = TB_LIST (limits), .words = "error.text", .sign = sign, .classify = classify, .timeout_s = 5 },
  { "narrow", "{url}/n", .credentials = TB_LIST (with_token), .authorize = authorize_narrow,
    .pace = { .at_once = 1 }, .timeout_s = 5 },
  { "basic", "{url}/b", .credentials = TB_LIST (with_basic), .pace = { .at_once = 1 }, .timeout_s = 5 },
};
static const tb_stream streams[] = { { "products", pull_nothing, .kinds = TB_PRODUCTS, .every_s = 60 } };

TB_PLUGIN (.name = "millrace", .version = "1.0.0", .title = "Millrace", .settings = TB_LIST (settings),
           .endpoints = TB_LIST (endpoints), .streams = TB_LIST (streams), .check = check);

/* ---- the vendor ---- */

typedef struct {
  GMutex lock;
  GString *log; /* "METHOD path|Authorization|X-Signature\n" */
  guint tokens, token_status, flaky, refuse_tokens;
  gboolean (*answer) (const HttpAsked *asked, gpointer data);
  gboolean (*token_answer) (const HttpAsked *asked, gpointer data);
} Vendor;

static char *
header_of (const HttpAsked *asked, const char *name)
{
  g_autofree char *begin = g_strdup_printf ("\r\n%s: ", name);
  const char *at = strstr (asked->head, begin);
  return at ? g_strndup (at + strlen (begin), strcspn (at + strlen (begin), "\r")) : g_strdup ("-");
}

static gboolean
vendor_answers (const HttpAsked *asked, gpointer data)
{
  Vendor *vendor = data;
  g_autofree char *authorization = header_of (asked, "Authorization"),
                  *signature = header_of (asked, "X-Signature");
  gboolean is_token = g_str_has_suffix (asked->path, "/token");
  g_mutex_lock (&vendor->lock);
  guint token = is_token ? ++vendor->tokens : vendor->tokens;
  g_string_append_printf (vendor->log, "%s %s|%s|%s\n", asked->method, asked->path, authorization, signature);
  gboolean refused =
    g_str_has_prefix (authorization, "Bearer ") && vendor->refuse_tokens >= (guint)atoi (authorization + 10);
  g_mutex_unlock (&vendor->lock);
  if (is_token && vendor->token_answer)
    return vendor->token_answer (asked, vendor);
  if (is_token) {
    g_autofree char *body = g_strdup_printf ("{\"token\":\"tok%u\",\"expires_in\":3600}", token);
    return http_server_answer (asked, vendor->token_status ? (int)vendor->token_status : 200, "",
                               vendor->token_status ? "{\"message\":\"bad key k-secret-1\"}" : body);
  }
  if (refused)
    return http_server_answer (asked, 401, "", "{\"message\":\"token expired\"}");
  return vendor->answer ? vendor->answer (asked, vendor) : http_server_answer (asked, 200, "", "{\"ok\":1}");
}

/* ---- the bed ---- */

typedef struct {
  Vendor vendor;
  HttpServer *server;
  Loop *loop;
  Plugin *plugin;
  Worker *worker;
  WireEnd *hub;
  GHashTable *results; /* call -> json_object */
  guint64 calls;
} Bed;

static void
put_result (gpointer result)
{
  json_object_put (result);
}

static void
bed_connect (Bed *bed, guint64 number, const char *store, const char *key, gboolean allow_private)
{
  g_autofree char *body = g_strdup_printf (
    "{\"connector\":\"%s/"
    "pos\",\"store\":{\"id\":\"%s\",\"timezone\":\"UTC\",\"currency\":\"USD\"},\"seed\":\"1\","
    "\"settings\":{\"url\":\"http://127.0.0.1:%u\",\"shop\":\"%s\",\"api_key\":\"%s\"},\"allow_private\":%s}",
    store, store, http_server_port (bed->server), "mill", key, allow_private ? "true" : "false");
  wire_end_send (bed->hub, WIRE_CONNECT, 0, number, body, strlen (body));
}

static void
bed_begin (Bed *bed, gboolean (*answer) (const HttpAsked *asked, gpointer data))
{
  int fds[2];
  g_autoptr (GError) error = NULL;
  *bed = (Bed){ .vendor = { .log = g_string_new (NULL), .answer = answer } };
  plugin_state.signatures = 0;
  g_mutex_init (&bed->vendor.lock);
  bed->server = http_server_new (vendor_answers, &bed->vendor);
  bed->loop = loop_new ();
  bed->plugin = plugin_adopt (&tb_plugin, NULL, &error);
  if (!bed->plugin)
    g_error ("the test's plugin: %s", error->message);
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
    g_error ("socketpair");
  bed->worker = worker_new (bed->loop, bed->plugin, fds[0], NULL);
  bed->hub = wire_end_new (fds[1]);
  bed->results = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, put_result);
  bed_connect (bed, 1, "downtown", "k-secret-1", TRUE);
}

static void
bed_end (Bed *bed)
{
  worker_free (bed->worker);
  plugin_free (bed->plugin);
  http_server_free (bed->server);
  wire_end_free (bed->hub);
  loop_free (bed->loop);
  g_hash_table_unref (bed->results);
  g_string_free (bed->vendor.log, TRUE);
  g_mutex_clear (&bed->vendor.lock);
}

static guint64
bed_call (Bed *bed, guint64 connector, gint64 deadline_ms)
{
  g_autofree char *body =
    g_strdup_printf ("{\"id\":\"call_1\",\"connector\":%" G_GUINT64_FORMAT
                     ",\"operation\":\"check\",\"deadline_ms\":%" G_GINT64_FORMAT ",\"urgency\":\"sync\"}",
                     connector, deadline_ms);
  wire_end_send (bed->hub, WIRE_CALL, 0, ++bed->calls, body, strlen (body));
  return bed->calls;
}

static void
bed_turn (Bed *bed)
{
  gsize pending;
  WireFrame frame;
  wire_end_flush (bed->hub, &pending);
  loop_turn (bed->loop, 10);
  wire_end_read (bed->hub, NULL);
  while (wire_end_next (bed->hub, &frame, NULL))
    if (frame.head.type == WIRE_RESULT)
      g_hash_table_insert (bed->results, g_memdup2 (&frame.head.call, sizeof frame.head.call),
                           json_tokener_parse ((const char *)frame.body));
}

static json_object *
bed_result (Bed *bed, guint64 call)
{
  while (!g_hash_table_contains (bed->results, &call))
    bed_turn (bed);
  return g_hash_table_lookup (bed->results, &call);
}

static json_object *
bed_run (Bed *bed, tb_status (*scenario) (tb_call *call))
{
  plugin_state.scenario = scenario;
  return bed_result (bed, bed_call (bed, 1, 20000));
}

static const char *
text_of (json_object *result, const char *name)
{
  return json_object_get_string (json_object_object_get (result, name));
}

static void
expect_status_at (json_object *result, const char *status, int line)
{
  if (!g_str_equal (text_of (result, "status"), status))
    printf ("# line %d: %s: %s\n", line, text_of (result, "status"), text_of (result, "detail"));
  CU_ASSERT_STRING_EQUAL (text_of (result, "status"), status);
}
#define EXPECT(result, status) expect_status_at (result, status, __LINE__)
#define SAYS(result, words)                                                                                  \
  do {                                                                                                       \
    if (!strstr (text_of (result, "detail"), words))                                                         \
      printf ("# line %d: %s\n", __LINE__, text_of (result, "detail"));                                      \
    CU_ASSERT_PTR_NOT_NULL (strstr (text_of (result, "detail"), words));                                     \
  } while (0)

/* What the vendor saw, token requests left out. */
static char *
seen (Bed *bed)
{
  g_auto (GStrv) lines = g_strsplit (bed->vendor.log->str, "\n", -1);
  g_autoptr (GString) out = g_string_new (NULL);
  for (guint i = 0; lines[i]; i++)
    if (*lines[i] && !strstr (lines[i], "/token|"))
      g_string_append_printf (out, "%s\n", lines[i]);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* ---- scenarios ---- */

static tb_status
get_thing (tb_call *call)
{
  const tb_json *answer;
  TB_TRY (tb_get (call, &answer, "/thing?q=%s", "a b"));
  return tb_int (answer, "ok", 0) == 1 ? TB_OK : tb_fail (call, TB_BAD_RESPONSE, "not ok");
}

static tb_status
post_order (tb_call *call)
{
  const tb_json *answer;
  call_of (call)->reading = FALSE; /* as in submit */
  return tb_post (call, &answer, tb_build (call, "{ 'a': %d }", 1), "/orders");
}

static tb_status
get_by_query (tb_call *call)
{
  const tb_json *answer;
  return tb_ask (call, &answer, &(tb_request){ .endpoint = "query" }, "/x?a=1");
}

static void
test_credentials_and_token_go_along (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  EXPECT (bed_run (&bed, get_thing), "ok");
  g_autofree char *log = seen (&bed);
  CU_ASSERT_STRING_EQUAL (log, "GET /v1/mill/thing?q=a%20b|Bearer tok1|-\n");
  bed_end (&bed);
}

static tb_status
get_by_basic (tb_call *call)
{
  const tb_json *answer;
  TB_TRY (get_by_query (call));
  TB_TRY (tb_ask (call, &answer, &(tb_request){ .endpoint = "basic" }, "/x"));
  return tb_ask (call, &answer, &(tb_request){ .endpoint = "basic", .bare = true }, "/bare");
}

static void
test_keys_stand_in_the_query_or_as_basic (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  EXPECT (bed_run (&bed, get_by_basic), "ok");
  g_autofree char *log = seen (&bed);
  CU_ASSERT_STRING_EQUAL (log, "GET /q/x?a=1&key=k-secret-1|-|GET /q/x?a=1&key=k-secret-1 0 #1\n"
                               "GET /b/x|Basic bWlsbDprLXNlY3JldC0x|-\n"
                               "GET /b/bare|-|-\n");
  bed_end (&bed);
}

static void
test_a_thousand_calls_fetch_one_token (void)
{
  enum { CALLS = 1000 };
  Bed bed;
  bed_begin (&bed, NULL);
  plugin_state.scenario = get_thing;
  for (guint i = 0; i < CALLS; i++)
    bed_call (&bed, 1, 60000);
  for (guint64 i = 1; i <= CALLS; i++)
    EXPECT (bed_result (&bed, i), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 1);
  bed_end (&bed);
}

static void
test_connectors_of_one_account_share_its_token (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  plugin_state.scenario = get_thing;
  bed_connect (&bed, 2, "uptown", "k-secret-1", TRUE);
  bed_connect (&bed, 3, "other", "k-secret-3", TRUE);
  guint64 first = bed_call (&bed, 1, 20000), second = bed_call (&bed, 2, 20000);
  EXPECT (bed_result (&bed, first), "ok");
  EXPECT (bed_result (&bed, second), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 1);
  EXPECT (bed_result (&bed, bed_call (&bed, 3, 20000)), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

static void
test_a_refused_token_is_replaced_once (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  EXPECT (bed_run (&bed, get_thing), "ok");
  bed.vendor.refuse_tokens = 1;
  EXPECT (bed_run (&bed, get_thing), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

static void
test_an_account_that_is_refused_is_not_asked_for_ever (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  bed.vendor.refuse_tokens = 1000;
  for (guint i = 0; i < 20; i++)
    EXPECT (bed_run (&bed, get_thing), "authentication_error");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

static void
test_a_refusal_inside_authorize_is_one_of_the_account (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  bed.vendor.token_status = 400;
  plugin_state.scenario = get_thing;
  for (guint i = 0; i < 50; i++)
    bed_call (&bed, 1, 20000);
  for (guint64 i = 1; i <= 50; i++)
    EXPECT (bed_result (&bed, i), "authentication_error");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 1);
  SAYS (bed_result (&bed, 7), "POST /v1/mill/token (400): bad key ***");
  bed_end (&bed);
}

/* ---- a token while another is asked for ---- */

static struct {
  Token *token;
  guint asked;
  gboolean refused; /* by the vendor, while the next one is asked for */
} renewal;

static tb_status
give_words (tb_call *call, tb_token *token)
{
  static const char *const words[] = { "one", "two", "three", "four" };
  token->access = words[renewal.asked];
  token->lasts_s = ++renewal.asked == 2 ? 1 : 0;
  if (renewal.asked == 3 && renewal.refused)
    token_refused (renewal.token, 2, loop_now_ms (call_of (call)->worker->loop));
  return TB_OK;
}

static tb_status
give_one (tb_call *call, tb_token *token)
{
  token->access = "one";
  token->lasts_s = 1;
  if (++renewal.asked == 1)
    return TB_OK;
  token_refused (renewal.token, 1, loop_now_ms (call_of (call)->worker->loop));
  return tb_fail (call, TB_SERVICE_UNAVAILABLE, "no tokens today");
}

static tb_status
sleep_until_renewal (tb_call *call)
{
  return tb_sleep (call, 920);
}

/* The old one is refused by the vendor while a new one cannot be had: none is left to go on with. */
static tb_status
lose_the_old_token (tb_call *call)
{
  tb_endpoint row = { .authorize = give_one };
  const char *text = NULL;
  guint64 generation;
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  TB_TRY (sleep_until_renewal (call));
  return token_get (renewal.token, call_of (call), &row, &text, &generation);
}

static tb_status
give_once (tb_call *call, tb_token *token)
{
  token->access = "one";
  token->lasts_s = 1;
  return ++renewal.asked == 1 ? TB_OK : tb_fail (call, TB_SERVICE_UNAVAILABLE, "no tokens today");
}

/* While it is still good, a renewal that failed is not tried again by each call. */
static tb_status
keep_the_old_token (tb_call *call)
{
  tb_endpoint row = { .authorize = give_once };
  const char *text = NULL;
  guint64 generation;
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  TB_TRY (sleep_until_renewal (call));
  for (guint i = 0; i < 3; i++) {
    tb_status status = token_get (renewal.token, call_of (call), &row, &text, &generation);
    if (status != TB_OK && loop_now_ms (call_of (call)->worker->loop) - call_of (call)->began_ms >= 1000)
      return TB_OK; /* too slow a machine to tell */
    TB_TRY (status);
  }
  return renewal.asked == 2 ? TB_OK : tb_fail (call, TB_INTERNAL, "asked %u times", renewal.asked);
}

/* What was refused while the next one was asked for says nothing about that one. */
static tb_status
refuse_the_old_token (tb_call *call)
{
  tb_endpoint row = { .authorize = give_words };
  const char *text = NULL;
  guint64 generation;
  Loop *loop = call_of (call)->worker->loop;
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  token_refused (renewal.token, 1, loop_now_ms (loop));
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  TB_TRY (sleep_until_renewal (call));
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  token_refused (renewal.token, 3, loop_now_ms (loop));
  text = NULL;
  TB_TRY (token_get (renewal.token, call_of (call), &row, &text, &generation));
  return tb_is (text, "four") ? TB_OK : tb_fail (call, TB_INTERNAL, "%s", text ? text : "no token");
}

static void
test_a_token_refused_while_it_is_renewed_is_not_given (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  renewal.token = token_new ();
  renewal.asked = 0;
  json_object *result = bed_run (&bed, lose_the_old_token);
  EXPECT (result, "service_unavailable");
  SAYS (result, "no tokens today");
  token_free (renewal.token);
  bed_end (&bed);
}

static void
test_a_renewal_that_failed_is_not_tried_by_each_call (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  renewal.token = token_new ();
  renewal.asked = 0;
  EXPECT (bed_run (&bed, keep_the_old_token), "ok");
  token_free (renewal.token);
  bed_end (&bed);
}

static void
test_a_refusal_of_the_old_token_does_not_hold_the_new_one (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  renewal.token = token_new ();
  renewal.asked = 0;
  renewal.refused = TRUE;
  EXPECT (bed_run (&bed, refuse_the_old_token), "ok");
  token_free (renewal.token);
  bed_end (&bed);
}

static gboolean
expire_the_first (const HttpAsked *asked, gpointer data)
{
  g_autofree char *authorization = header_of (asked, "Authorization");
  return http_server_answer (asked, 200, "",
                             g_str_equal (authorization, "Bearer tok1")
                               ? "{\"list\":[],\"error\":{\"code\":\"token_expired\",\"text\":\"expired\"}}"
                               : "{\"list\":[1]}");
}

static tb_status read_list (tb_call *call);

static void
test_a_token_refused_with_200_behind_items_is_replaced (void)
{
  Bed bed;
  bed_begin (&bed, expire_the_first);
  EXPECT (bed_run (&bed, read_list), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  g_autofree char *log = seen (&bed);
  CU_ASSERT_PTR_NOT_NULL (strstr (log, "|Bearer tok1|"));
  CU_ASSERT_PTR_NOT_NULL (strstr (log, "|Bearer tok2|"));
  bed_end (&bed);
}

static gboolean
refuse_behind_an_item (const HttpAsked *asked, gpointer data)
{
  g_autofree char *authorization = header_of (asked, "Authorization");
  return http_server_answer (asked, 200, "",
                             g_str_equal (authorization, "Bearer tok1")
                               ? "{\"list\":[1],\"error\":{\"code\":\"token_expired\",\"text\":\"expired\"}}"
                               : "{\"list\":[1]}");
}

static gboolean
want_the_flag (const HttpAsked *asked, gpointer data)
{
  g_autofree char *flag = header_of (asked, "X-Flag");
  return g_str_equal (flag, "up") ? expire_the_first (asked, data)
                                  : http_server_answer (asked, 400, "", "{}");
}

/* Its headers are over when the answer is read. */
static tb_status
open_with_flag (tb_call *call, tb_items **items)
{
  char name[] = "X-Flag", value[] = "up";
  tb_pair headers[] = { { name, value } };
  tb_request request = { .headers = { headers, 1, 0 } };
  tb_status status = tb_ask_items (call, items, "list[]", &request, "/list");
  memset (name, 0, sizeof name);
  memset (value, 0, sizeof value);
  return status;
}

static tb_status
read_with_flag (tb_call *call)
{
  tb_items *items;
  TB_TRY (open_with_flag (call, &items));
  TB_EACH (item, items)
    CU_ASSERT_EQUAL (tb_int (item, "", 0), 1);
  return tb_seen (items) == 1 ? TB_OK : TB_BAD_RESPONSE;
}

static void
test_a_page_is_asked_for_as_it_was_the_first_time (void)
{
  Bed bed;
  bed_begin (&bed, want_the_flag);
  EXPECT (bed_run (&bed, read_with_flag), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

static void
test_what_items_were_read_of_is_not_asked_for_again (void)
{
  Bed bed;
  bed_begin (&bed, refuse_behind_an_item);
  EXPECT (bed_run (&bed, read_list), "authentication_error");
  EXPECT (bed_run (&bed, read_list), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

/* ---- what people are told ---- */

static gboolean
repeat_the_token (const HttpAsked *asked, gpointer data)
{
  g_autofree char *authorization = header_of (asked, "Authorization");
  g_autofree char *blanks = g_strnfill (170, '-'); /* so that the sample is cut inside the token */
  g_autofree char *body = g_strdup_printf ("%s \"%s\" and k-secret-1", blanks, authorization);
  return http_server_answer (asked, 403, "", body);
}

static gboolean
hand_out_half_a_token (const HttpAsked *asked, gpointer data)
{
  return http_server_answer (asked, 200, "", "{\"token\":\"half-of-a-token");
}

static tb_status
tell_a_secret (tb_call *call)
{
  return tb_fail (call, TB_VALIDATION_ERROR, "the key %s is wrong", tb_setting_secret (call, "api_key"));
}

#define HIDES(result, words) CU_ASSERT_PTR_NULL (strstr (text_of (result, "detail"), words))

static void
test_no_secret_is_told_to_people (void)
{
  Bed bed;
  bed_begin (&bed, repeat_the_token);
  json_object *result = bed_run (&bed, get_thing);
  EXPECT (result, "permission_error");
  SAYS (result, "\"Bearer ***\"");
  HIDES (result, "tok1");
  HIDES (result, "k-sec");
  result = bed_run (&bed, tell_a_secret);
  SAYS (result, "the key *** is wrong");
  bed_end (&bed);
}

static tb_status
follow_to_a_stranger (tb_call *call)
{
  const tb_json *answer;
  return tb_follow (call, &answer, NULL, "http://me:pass-word@127.0.0.1:1/file?signed=yes");
}

static void
test_a_link_is_told_without_what_signs_it (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  plugin_state.scenario = follow_to_a_stranger;
  json_object *result = bed_result (&bed, bed_call (&bed, 1, 1000));
  EXPECT (result, "service_unavailable");
  SAYS (result, "GET http://127.0.0.1:1/file: ");
  HIDES (result, "pass-word");
  HIDES (result, "signed");
  bed_end (&bed);
}

static void
test_an_answer_with_half_a_token_is_not_shown (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  bed.vendor.token_answer = hand_out_half_a_token;
  json_object *result = bed_run (&bed, get_thing);
  EXPECT (result, "bad_response");
  SAYS (result, "a body that is no JSON");
  HIDES (result, "half-of-a-token");
  bed_end (&bed);
}

static gboolean
fail_twice (const HttpAsked *asked, gpointer data)
{
  Vendor *vendor = data;
  return ++vendor->flaky <= 2 ? http_server_answer (asked, 503, "", "<html>busy</html>")
                              : http_server_answer (asked, 200, "", "{\"ok\":1}");
}

static void
test_a_read_is_repeated (void)
{
  Bed bed;
  bed_begin (&bed, fail_twice);
  EXPECT (bed_run (&bed, get_thing), "ok");
  CU_ASSERT_EQUAL (bed.vendor.flaky, 3);
  bed_end (&bed);
}

static gboolean
answer_503 (const HttpAsked *asked, gpointer data)
{
  ((Vendor *)data)->flaky++;
  return http_server_answer (asked, 503, "", "{\"message\":\"down\"}");
}

static void
test_an_order_is_sent_once_and_then_in_doubt (void)
{
  Bed bed;
  bed_begin (&bed, answer_503);
  json_object *result = bed_run (&bed, post_order);
  EXPECT (result, "in_doubt");
  SAYS (result, "POST /v1/mill/orders (503): down");
  CU_ASSERT_EQUAL (bed.vendor.flaky, 1);
  bed_end (&bed);
}

static tb_status
search_by_post (tb_call *call)
{
  const tb_json *answer;
  return tb_post (call, &answer, tb_build (call, "{ 'a': %d }", 1), "/search");
}

static void
test_nothing_is_in_doubt_about_a_read (void)
{
  Bed bed;
  bed_begin (&bed, answer_503);
  EXPECT (bed_run (&bed, search_by_post), "service_unavailable");
  CU_ASSERT_EQUAL (bed.vendor.flaky, 1); /* by its method it may not be repeated all the same */
  bed_end (&bed);
}

static gboolean
hang_up (const HttpAsked *asked, gpointer data)
{
  ((Vendor *)data)->flaky++;
  return FALSE;
}

static void
test_a_lost_answer_is_in_doubt (void)
{
  Bed bed;
  bed_begin (&bed, hang_up);
  EXPECT (bed_run (&bed, post_order), "in_doubt");
  CU_ASSERT_EQUAL (bed.vendor.flaky, 1);
  bed_end (&bed);
}

static gboolean
say_nothing (const HttpAsked *asked, gpointer data)
{
  return !http_server_gone (asked, 30000);
}

static void
test_a_call_that_is_over_knows_whether_something_left (void)
{
  Bed bed;
  bed_begin (&bed, say_nothing);
  plugin_state.scenario = post_order;
  EXPECT (bed_result (&bed, bed_call (&bed, 1, 400)), "in_doubt");
  plugin_state.scenario = get_thing;
  json_object *result = bed_result (&bed, bed_call (&bed, 1, 400));
  CU_ASSERT_STRING_NOT_EQUAL (text_of (result, "status"), "in_doubt");
  CU_ASSERT_STRING_NOT_EQUAL (text_of (result, "status"), "ok");
  bed_end (&bed);
}

static gboolean
throttle_once (const HttpAsked *asked, gpointer data)
{
  Vendor *vendor = data;
  return ++vendor->flaky == 1 ? http_server_answer (asked, 429, "Retry-After: 0.3\r\n", "OVER LIMIT")
                              : http_server_answer (asked, 200, "", "{\"ok\":1}");
}

static void
test_a_refusal_for_pace_waits_as_told (void)
{
  Bed bed;
  bed_begin (&bed, throttle_once);
  json_object *result = bed_run (&bed, post_order); /* nothing was done, so an order may go again */
  EXPECT (result, "ok");
  CU_ASSERT (json_object_get_int (json_object_object_get (result, "ms")) >= 295);
  CU_ASSERT_EQUAL (bed.vendor.flaky, 2);
  bed_end (&bed);
}

static gboolean
throttle_for_an_hour (const HttpAsked *asked, gpointer data)
{
  ((Vendor *)data)->flaky++;
  return http_server_answer (asked, 429, "retry-after: 3600\r\n", "slow down");
}

static void
test_a_long_wait_is_the_hubs (void)
{
  Bed bed;
  bed_begin (&bed, throttle_for_an_hour);
  json_object *result = bed_run (&bed, get_thing);
  EXPECT (result, "rate_limit_exceeded");
  gint64 retry_ms = json_object_get_int64 (json_object_object_get (result, "retry_ms"));
  CU_ASSERT (retry_ms > 3590000 && retry_ms <= 3600000);
  CU_ASSERT_EQUAL (bed.vendor.flaky, 1);
  bed_end (&bed);
}

static void
test_who_comes_while_the_vendor_wants_quiet_is_told_at_once (void)
{
  Bed bed;
  bed_begin (&bed, throttle_for_an_hour);
  plugin_state.scenario = get_thing;
  for (guint i = 0; i < 20; i++)
    bed_call (&bed, 1, 20000);
  for (guint64 i = 1; i <= 20; i++) {
    json_object *result = bed_result (&bed, i);
    EXPECT (result, "rate_limit_exceeded");
    CU_ASSERT (json_object_get_int64 (json_object_object_get (result, "retry_ms")) > 3590000);
  }
  guint asked = bed.vendor.flaky;
  json_object *late = bed_run (&bed, get_thing);
  EXPECT (late, "rate_limit_exceeded");
  SAYS (late, "wants to be left alone");
  CU_ASSERT_EQUAL (bed.vendor.flaky, asked);
  bed_end (&bed);
}

static tb_status
read_list (tb_call *call)
{
  tb_items *items;
  long long sum = 0;
  TB_TRY (tb_get_items (call, &items, "list[]", "/list"));
  TB_EACH (item, items)
    sum += tb_int (item, "", 0);
  return sum > 0 ? TB_OK : tb_fail (call, TB_BAD_RESPONSE, "nothing came");
}

static tb_status
read_list_soon (tb_call *call)
{
  tb_items *items;
  return tb_ask_items (call, &items, "list[]", &(tb_request){ .timeout_s = 1, .method = "POST" }, "/list");
}

static void
test_a_stream_whose_head_does_not_come_is_late (void)
{
  Bed bed;
  bed_begin (&bed, say_nothing);
  json_object *result = bed_run (&bed, read_list_soon);
  EXPECT (result, "service_unavailable");
  SAYS (result, "no answer in time");
  bed_end (&bed);
}

/* { "list": [1, and 128 MiB of blanks, packed */
static GBytes *
make_bomb (void)
{
  g_autoptr (GZlibCompressor) packer = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, 9);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, G_CONVERTER (packer));
  g_autofree char *blanks = g_strnfill (1 << 20, ' ');
  g_output_stream_write_all (stream, "{\"list\":[1", 10, NULL, NULL, NULL);
  for (guint i = 0; i < 128; i++)
    g_output_stream_write_all (stream, blanks, 1 << 20, NULL, NULL, NULL);
  g_output_stream_close (stream, NULL, NULL);
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static gboolean
answer_with_a_bomb (const HttpAsked *asked, gpointer data)
{
  g_autoptr (GBytes) bomb = make_bomb ();
  g_autofree char *head = g_strdup_printf (
    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", g_bytes_get_size (bomb));
  return http_server_write (asked, head, strlen (head)) &&
         http_server_write (asked, g_bytes_get_data (bomb, NULL), g_bytes_get_size (bomb));
}

static void
test_a_bomb_harms_its_own_call_alone (void)
{
  Bed bed;
  bed_begin (&bed, answer_with_a_bomb);
  EXPECT (bed_run (&bed, read_list), "bad_response");
  json_object *result = bed_run (&bed, get_thing);
  EXPECT (result, "bad_response");
  SAYS (result, "larger than 33554432 bytes");
  bed.vendor.answer = NULL;
  EXPECT (bed_run (&bed, get_thing), "ok");
  bed_end (&bed);
}

static gboolean
answer_with_much (const HttpAsked *asked, gpointer data)
{
  g_autofree char *much = g_strnfill (16 << 20, 'x');
  g_autofree char *body = g_strdup_printf ("{\"ok\":1,\"much\":\"%s\"}", much);
  return http_server_answer (asked, 200, "", body);
}

static tb_status
get_for_ever (tb_call *call)
{
  for (guint i = 0; i < 50; i++)
    TB_TRY (get_thing (call));
  return TB_OK;
}

static tb_status
print_for_ever (tb_call *call)
{
  char *much = tb_printf (call, "%01048576d", 0);
  for (guint i = 0; i < 1000; i++)
    if (!tb_printf (call, "%s", much))
      return TB_OK;
  return TB_OK;
}

static void
test_answers_and_texts_count_as_what_a_call_holds (void)
{
  Bed bed;
  bed_begin (&bed, answer_with_much);
  json_object *result = bed_run (&bed, get_for_ever);
  EXPECT (result, "internal");
  SAYS (result, "the call holds more than 256 MiB");
  result = bed_run (&bed, print_for_ever);
  EXPECT (result, "internal");
  SAYS (result, "the call holds more than 256 MiB");
  bed_end (&bed);
}

static void
test_tokens_are_renewed_before_they_end (void)
{
  CU_ASSERT_EQUAL (token_renew_ms (1000, 600000), 1000 + 540000);   /* a tenth */
  CU_ASSERT_EQUAL (token_renew_ms (1000, 7200000), 1000 + 6900000); /* 5 minutes */
}

static void
test_forms_are_encoded (void)
{
  Call call = { .arena = arena_new () };
  gsize length;
  tb_form *form = endpoint_form (&call);
  CU_ASSERT_STRING_EQUAL (form_text (form, &length), "");
  endpoint_form_add (form, "To", "+15550100");
  endpoint_form_add (form, "Body", "a b&c=\xc3\xa9~*");
  endpoint_form_add (form, "none", NULL);
  endpoint_form_add (form, "To", "");
  CU_ASSERT_STRING_EQUAL (form_text (form, &length), "To=%2B15550100&Body=a+b%26c%3D%C3%A9%7E*&To=");
  CU_ASSERT_EQUAL (length, strlen (form_text (form, &length)));
  arena_free (call.arena);
}

static gboolean
answer_with_a_mark (const HttpAsked *asked, gpointer data)
{
  return http_server_answer (asked, 200, "", "\xef\xbb\xbf{\"ok\":1,\"list\":[1,2]}");
}

static void
test_a_byte_order_mark_is_passed_over (void)
{
  Bed bed;
  bed_begin (&bed, answer_with_a_mark);
  EXPECT (bed_run (&bed, get_thing), "ok");
  EXPECT (bed_run (&bed, read_list), "ok");
  bed_end (&bed);
}

static gboolean
answer_rules (const HttpAsked *asked, gpointer data)
{
  if (strstr (asked->path, "/missing"))
    return http_server_answer (asked, 400, "",
                               "{\"error\":{\"code\":\"no_such_order\",\"text\":\"none such\"}}");
  if (strstr (asked->path, "/stock"))
    return http_server_answer (asked, 400, "",
                               "{\"error\":{\"code\":\"out_of_stock\",\"text\":\"gone, k-secret-1\"}}");
  if (strstr (asked->path, "/hidden"))
    return http_server_answer (asked, 200, "", "{\"error\":{\"text\":\"hidden in a 200\"}}");
  if (strstr (asked->path, "/html"))
    return http_server_answer (asked, 200, "", "<html>\r\n<body>Maintenance \x01\xff</body>");
  if (strstr (asked->path, "/deep")) {
    g_autofree char *deep = g_strnfill (1000000, '[');
    return http_server_answer (asked, 200, "", deep);
  }
  if (strstr (asked->path, "/empty"))
    return http_server_answer (asked, 204, "", "");
  if (strstr (asked->path, "/moved"))
    return http_server_answer (asked, 302, "Location: https://other.example/login\r\n", "");
  return http_server_answer (asked, 200, "", "{\"list\":[1,2,3],\"error\":{\"text\":\"at the end\"}}");
}

static tb_status
ask_path (tb_call *call)
{
  const tb_json *answer;
  return tb_get (call, &answer, "/%-s", plugin_state.elsewhere);
}

static void
test_rows_say_what_an_answer_means (void)
{
  const char *cases[][3] = { { "missing", "not_found", "GET /v1/mill/missing (400): none such" },
                             { "stock", "validation_error", "gone, ***" },
                             { "hidden", "validation_error", "hidden in a 200" },
                             { "html", "bad_response", "\"<html> <body>Maintenance \xef\xbf\xbd</body>\"" },
                             { "deep", "bad_response", "no JSON" },
                             { "empty", "ok", "" },
                             { "moved", "bad_response", "https://other.example:443" } };
  Bed bed;
  bed_begin (&bed, answer_rules);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    plugin_state.elsewhere = cases[i][0];
    json_object *result = bed_run (&bed, ask_path);
    EXPECT (result, cases[i][1]);
    SAYS (result, cases[i][2]);
    if (i == 1)
      CU_ASSERT_STRING_EQUAL (text_of (result, "why"), "stock");
  }
  bed_end (&bed);
}

static tb_status
post_and_get_html (tb_call *call)
{
  const tb_json *answer;
  call_of (call)->reading = FALSE;
  return tb_post (call, &answer, tb_object (call), "/html");
}

static void
test_an_order_whose_answer_makes_no_sense_is_in_doubt (void)
{
  Bed bed;
  bed_begin (&bed, answer_rules);
  EXPECT (bed_run (&bed, post_and_get_html), "in_doubt");
  bed_end (&bed);
}

static void
test_an_error_behind_the_items_fails_the_call (void)
{
  Bed bed;
  bed_begin (&bed, answer_rules);
  json_object *result = bed_run (&bed, read_list);
  EXPECT (result, "validation_error");
  SAYS (result, "at the end");
  bed_end (&bed);
}

static gboolean
answer_big (const HttpAsked *asked, gpointer data)
{
  gboolean cut = strstr (asked->path, "/cut") != NULL;
  g_autoptr (GString) body = g_string_new ("{\"list\":[");
  for (guint i = 0; i < 300000; i++)
    g_string_append_printf (body, "%s%u", i ? "," : "", i % 10);
  g_string_append (body, "]}");
  g_autofree char *head =
    g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body->len + (cut ? 1 : 0));
  http_server_write (asked, head, strlen (head));
  return http_server_write (asked, body->str, body->len) && !cut;
}

static tb_status
read_big (tb_call *call)
{
  tb_items *items;
  TB_TRY (tb_get_items (call, &items, "list[]", "/%-s", plugin_state.elsewhere));
  TB_EACH (item, items) {
    const tb_json *other;
    if (tb_seen (items) == 100)
      TB_TRY (tb_ask (call, &other, &(tb_request){ .endpoint = "basic", .any_body = true }, "/other"));
  }
  return tb_seen (items) == 300000 ? TB_OK : tb_fail (call, TB_INTERNAL, "%lld", tb_seen (items));
}

static void
test_a_long_body_is_read_while_it_arrives (void)
{
  Bed bed;
  bed_begin (&bed, answer_big);
  plugin_state.elsewhere = "big";
  EXPECT (bed_run (&bed, read_big), "ok");
  plugin_state.elsewhere = "cut";
  EXPECT (bed_run (&bed, read_big), "bad_response");
  bed_end (&bed);
}

static tb_status
ask_inside_a_stream (tb_call *call)
{
  tb_items *items;
  const tb_json *other;
  TB_TRY (tb_ask_items (call, &items, "list[]", &(tb_request){ .endpoint = "basic" }, "/big"));
  TB_EACH (item, items) {
    if (tb_seen (items) == 1)
      TB_TRY (tb_ask (call, &other, &(tb_request){ .endpoint = "basic", .any_body = true }, "/other"));
  }
  return TB_OK;
}

/* Two calls on an account of one turn: the first has it and needs a new token, which the second is about to
 * ask for. */
static struct {
  gboolean first, lost;
} narrow;

/* The list ends once a second token was asked for. */
static gboolean
answer_when_asked_for_a_token (const HttpAsked *asked, gpointer data)
{
  static const char begin[] = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{\"list\":[1,2";
  Vendor *vendor = data;
  guint tokens = 0;
  if (!strstr (asked->path, "/list"))
    return http_server_answer (asked, 200, "", "{\"ok\":1}");
  http_server_write (asked, begin, sizeof begin - 1);
  while (tokens < 2 && !http_server_gone (asked, 5)) {
    g_mutex_lock (&vendor->lock);
    tokens = vendor->tokens;
    g_mutex_unlock (&vendor->lock);
  }
  return http_server_write (asked, "]}", 2);
}

static void
lose_token (Call *call)
{
  for (guint i = 0; i < call->connector->endpoints->len; i++) {
    const Endpoint *endpoint = call->connector->endpoints->pdata[i];
    if (tb_is (endpoint->row->name, "narrow"))
      token_refused (account_token (endpoint->account), 1, loop_now_ms (call->worker->loop));
  }
}

static tb_status
hold_the_turn (tb_call *call)
{
  tb_items *items;
  const tb_json *answer;
  tb_request request = { .endpoint = "narrow", .any_body = true };
  TB_TRY (tb_ask_items (call, &items, "list[]", &(tb_request){ .endpoint = "narrow" }, "/list"));
  TB_EACH (item, items) {
    if (tb_seen (items) != 1)
      continue;
    lose_token (call_of (call));
    narrow.lost = TRUE;
    TB_TRY (tb_sleep (call, 100)); /* the other one begins to ask for it */
    TB_TRY (tb_ask (call, &answer, &request, "/other"));
  }
  return TB_OK;
}

static tb_status
narrow_calls (tb_call *call)
{
  const tb_json *answer;
  tb_request request = { .endpoint = "narrow", .any_body = true };
  gboolean is_first = !narrow.first;
  narrow.first = TRUE;
  if (is_first)
    return hold_the_turn (call);
  while (!narrow.lost)
    TB_TRY (tb_sleep (call, 5));
  return tb_ask (call, &answer, &request, "/other");
}

static void
test_who_asks_for_a_token_waits_for_no_turn (void)
{
  Bed bed;
  bed_begin (&bed, answer_when_asked_for_a_token);
  plugin_state.scenario = narrow_calls;
  guint64 first = bed_call (&bed, 1, 5000), second = bed_call (&bed, 1, 5000);
  EXPECT (bed_result (&bed, first), "ok");
  EXPECT (bed_result (&bed, second), "ok");
  CU_ASSERT_EQUAL (bed.vendor.tokens, 2);
  bed_end (&bed);
}

static void
test_a_call_never_waits_for_its_own_turn (void)
{
  Bed bed;
  bed_begin (&bed, answer_big); /* the endpoint allows one request at a time */
  EXPECT (bed_run (&bed, ask_inside_a_stream), "ok");
  bed_end (&bed);
}

static tb_status
stop_in_the_middle (tb_call *call)
{
  tb_items *items;
  TB_TRY (tb_ask_items (call, &items, "list[]", &(tb_request){ .endpoint = "basic" }, "/big"));
  TB_EACH (item, items)
    break;
  return TB_OK;
}

static void
test_a_stream_left_open_gives_its_turn_back (void)
{
  Bed bed;
  bed_begin (&bed, answer_big);
  bed_run (&bed, stop_in_the_middle);
  EXPECT (bed_run (&bed, ask_inside_a_stream), "ok");
  bed_end (&bed);
}

static tb_status
follow_links (tb_call *call)
{
  const tb_json *answer;
  TB_TRY (tb_follow (call, &answer, NULL, plugin_state.elsewhere));
  TB_TRY (tb_follow (call, &answer, NULL, "/v1/mill/next?page=2"));
  return tb_follow (call, &answer, NULL, "page3");
}

static void
test_a_link_to_another_host_goes_bare (void)
{
  Bed bed, other;
  bed_begin (&bed, NULL);
  bed_begin (&other, NULL);
  g_autofree char *link =
    g_strdup_printf ("http://127.0.0.1:%u/file?signed=1", http_server_port (other.server));
  plugin_state.elsewhere = link;
  EXPECT (bed_run (&bed, follow_links), "ok");
  g_autofree char *here = seen (&bed), *there = seen (&other);
  CU_ASSERT_STRING_EQUAL (there, "GET /file?signed=1|-|-\n");
  CU_ASSERT_STRING_EQUAL (here, "GET /v1/mill/next?page=2|Bearer tok1|-\nGET /v1/mill/page3|Bearer tok1|-\n");
  bed_end (&other);
  bed_end (&bed);
}

static tb_status
leave_the_host (tb_call *call)
{
  const tb_json *answer;
  tb_status status = tb_follow (call, &answer, NULL, "file:///etc/passwd");
  return status == TB_BAD_RESPONSE ? TB_OK : tb_fail (call, TB_INTERNAL, "it went there");
}

static void
test_a_link_that_is_no_http_is_refused (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  EXPECT (bed_run (&bed, leave_the_host), "ok");
  bed_end (&bed);
}

static void
test_each_try_is_signed_anew (void)
{
  Bed bed;
  bed_begin (&bed, fail_twice);
  EXPECT (bed_run (&bed, get_by_query), "ok");
  g_autofree char *log = seen (&bed);
  CU_ASSERT_PTR_NOT_NULL (strstr (log, "#1\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (log, "#2\n"));
  CU_ASSERT_PTR_NOT_NULL (strstr (log, "#3\n"));
  bed_end (&bed);
}

static gboolean
refuse_once (const HttpAsked *asked, gpointer data)
{
  Vendor *vendor = data;
  return http_server_answer (asked, ++vendor->flaky == 1 ? 401 : 200, "", "{\"ok\":1}");
}

static void
test_a_refused_signature_is_made_anew_once (void)
{
  Bed bed;
  bed_begin (&bed, refuse_once);
  EXPECT (bed_run (&bed, get_by_query), "ok");
  CU_ASSERT_EQUAL (plugin_state.signatures, 2);
  bed_end (&bed);
}

static gboolean
refuse_all (const HttpAsked *asked, gpointer data)
{
  return http_server_answer (asked, 401, "", "{\"error\":{\"text\":\"who are you?\"}}");
}

static void
test_classify_adds_words_to_the_vendors (void)
{
  Bed bed;
  bed_begin (&bed, refuse_all);
  json_object *result = bed_run (&bed, get_by_query);
  EXPECT (result, "authentication_error");
  CU_ASSERT_PTR_NOT_NULL (
    strstr (text_of (result, "detail"), "mend the key of mill (the vendor says: who are you?)"));
  CU_ASSERT_EQUAL (plugin_state.signatures, 2);
  bed_end (&bed);
}

static gboolean
throttle_in_a_200 (const HttpAsked *asked, gpointer data)
{
  Vendor *vendor = data;
  return http_server_answer (asked, 200, "",
                             ++vendor->flaky == 1 ? "{\"code\":\"THROTTLED\"}" : "{\"ok\":1}");
}

static void
test_classify_has_the_last_word (void)
{
  Bed bed;
  bed_begin (&bed, throttle_in_a_200);
  json_object *result = bed_run (&bed, get_by_query);
  EXPECT (result, "ok");
  CU_ASSERT (json_object_get_int (json_object_object_get (result, "ms")) >= 195);
  CU_ASSERT_EQUAL (bed.vendor.flaky, 2);
  bed_end (&bed);
}

static tb_status
read_a_tail (tb_call *call)
{
  const tb_json *answer;
  TB_TRY (tb_ask (call, &answer, &(tb_request){ .from_byte = 7, .any_body = true }, "/file"));
  TB_TRY (tb_is (tb_http_text (call), "tail") ? TB_OK
                                              : tb_fail (call, TB_INTERNAL, "\"%s\"", tb_http_text (call)));
  TB_TRY (tb_is (tb_http_header (call, "x-KIND"), "file") ? TB_OK : tb_fail (call, TB_INTERNAL, "no header"));
  return tb_http_status (call) == 200 ? TB_OK : tb_fail (call, TB_INTERNAL, "%d", tb_http_status (call));
}

static gboolean
answer_whole_file (const HttpAsked *asked, gpointer data)
{
  return http_server_answer (asked, 200, "X-Kind: file\r\n", "header tail");
}

static void
test_a_range_that_is_not_understood_is_cut_here (void)
{
  Bed bed;
  bed_begin (&bed, answer_whole_file);
  EXPECT (bed_run (&bed, read_a_tail), "ok");
  bed_end (&bed);
}

static tb_status
take_little (tb_call *call)
{
  const tb_json *answer;
  return tb_ask (call, &answer, &(tb_request){ .most_bytes = 1000 }, "/big");
}

static void
test_an_answer_above_its_ceiling_fails_alone_and_says_so (void)
{
  Bed bed;
  bed_begin (&bed, answer_big);
  json_object *result = bed_run (&bed, take_little);
  EXPECT (result, "bad_response");
  SAYS (result, "larger than 1000 bytes");
  bed_end (&bed);
}

static void
test_an_address_inside_is_refused_in_words (void)
{
  Bed bed;
  bed_begin (&bed, NULL);
  bed_connect (&bed, 4, "inside", "k", FALSE);
  plugin_state.scenario = get_by_query;
  json_object *result = bed_result (&bed, bed_call (&bed, 4, 20000));
  EXPECT (result, "service_unavailable");
  SAYS (result, "allow_private");
  CU_ASSERT_EQUAL (http_server_connections (bed.server), 0);
  bed_end (&bed);
}

static gboolean
answer_with_limits (const HttpAsked *asked, gpointer data)
{
  ((Vendor *)data)->flaky++;
  return http_server_answer (asked, 200, "X-Left: 0\r\nX-Reset: 0.3\r\n", "{\"ok\":1}");
}

static void
test_the_vendors_own_count_is_heeded (void)
{
  Bed bed;
  bed_begin (&bed, answer_with_limits);
  EXPECT (bed_run (&bed, get_by_query), "ok");
  json_object *result = bed_run (&bed, get_by_query);
  EXPECT (result, "ok");
  CU_ASSERT (json_object_get_int (json_object_object_get (result, "ms")) >= 250);
  bed_end (&bed);
}

int
main (void)
{
  return TAP_RUN (
    "endpoint", { "credentials and token go along", test_credentials_and_token_go_along },
    { "keys stand in the query, or as Basic", test_keys_stand_in_the_query_or_as_basic },
    { "a thousand calls fetch one token", test_a_thousand_calls_fetch_one_token },
    { "connectors of one account share its token", test_connectors_of_one_account_share_its_token },
    { "a refused token is replaced once", test_a_refused_token_is_replaced_once },
    { "an account that is refused is not asked for ever",
      test_an_account_that_is_refused_is_not_asked_for_ever },
    { "a token refused while it is renewed is not given",
      test_a_token_refused_while_it_is_renewed_is_not_given },
    { "a renewal that failed is not tried by each call",
      test_a_renewal_that_failed_is_not_tried_by_each_call },
    { "a refusal of the old token does not hold the new one",
      test_a_refusal_of_the_old_token_does_not_hold_the_new_one },
    { "a token refused with 200 behind items is replaced",
      test_a_token_refused_with_200_behind_items_is_replaced },
    { "what items were read of is not asked for again", test_what_items_were_read_of_is_not_asked_for_again },
    { "a page is asked for as it was the first time", test_a_page_is_asked_for_as_it_was_the_first_time },
    { "no secret is told to people", test_no_secret_is_told_to_people },
    { "a link is told without what signs it", test_a_link_is_told_without_what_signs_it },
    { "an answer with half a token is not shown", test_an_answer_with_half_a_token_is_not_shown },
    { "a refusal inside authorize is one of the account",
      test_a_refusal_inside_authorize_is_one_of_the_account },
    { "a read is repeated", test_a_read_is_repeated },
    { "an order is sent once and then in doubt", test_an_order_is_sent_once_and_then_in_doubt },
    { "nothing is in doubt about a read", test_nothing_is_in_doubt_about_a_read },
    { "a lost answer is in doubt", test_a_lost_answer_is_in_doubt },
    { "a call that is over knows whether something left",
      test_a_call_that_is_over_knows_whether_something_left },
    { "a refusal for pace waits as told", test_a_refusal_for_pace_waits_as_told },
    { "a long wait is the hub's", test_a_long_wait_is_the_hubs },
    { "who comes while the vendor wants quiet is told at once",
      test_who_comes_while_the_vendor_wants_quiet_is_told_at_once },
    { "a stream whose head does not come is late", test_a_stream_whose_head_does_not_come_is_late },
    { "a bomb harms its own call alone", test_a_bomb_harms_its_own_call_alone },
    { "answers and texts count as what a call holds", test_answers_and_texts_count_as_what_a_call_holds },
    { "tokens are renewed before they end", test_tokens_are_renewed_before_they_end },
    { "forms are encoded", test_forms_are_encoded },
    { "a byte order mark is passed over", test_a_byte_order_mark_is_passed_over },
    { "rows say what an answer means", test_rows_say_what_an_answer_means },
    { "an order whose answer makes no sense is in doubt",
      test_an_order_whose_answer_makes_no_sense_is_in_doubt },
    { "an error behind the items fails the call", test_an_error_behind_the_items_fails_the_call },
    { "a long body is read while it arrives", test_a_long_body_is_read_while_it_arrives },
    { "who asks for a token waits for no turn", test_who_asks_for_a_token_waits_for_no_turn },
    { "a call never waits for its own turn", test_a_call_never_waits_for_its_own_turn },
    { "a stream left open gives its turn back", test_a_stream_left_open_gives_its_turn_back },
    { "a link to another host goes bare", test_a_link_to_another_host_goes_bare },
    { "a link that is no http is refused", test_a_link_that_is_no_http_is_refused },
    { "each try is signed anew", test_each_try_is_signed_anew },
    { "a refused signature is made anew once", test_a_refused_signature_is_made_anew_once },
    { "classify adds words to the vendor's", test_classify_adds_words_to_the_vendors },
    { "classify has the last word", test_classify_has_the_last_word },
    { "a range that is not understood is cut here", test_a_range_that_is_not_understood_is_cut_here },
    { "an answer above its ceiling fails alone and says so",
      test_an_answer_above_its_ceiling_fails_alone_and_says_so },
    { "an address inside is refused in words", test_an_address_inside_is_refused_in_words },
    { "the vendor's own count is heeded", test_the_vendors_own_count_is_heeded });
}
