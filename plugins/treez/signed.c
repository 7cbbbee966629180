/* How v3 knows who calls: each request is signed by the integrator's key, for this one URL and 30 seconds.
 *
 *   Authorization: base64url (claims) . base64 (RSA-SHA256 over the bytes of the first part)
 *
 * That is no JWT, although Treez calls it one: it has no header. */
#include "treez.h"

enum {
  LASTS_MS = 30000, /* exactly so long: anything else is refused */
  CLOCK_OFF_S = 5   /* the vendor's Date is to the second, and some time on its way */
};

/* The whole URL that is called, or (setting sign_query) the part before its query. */
static const char *
audience (tb_call *call, const char *url)
{
  size_t length = strcspn (url, tb_setting_bool (call, "sign_query") ? "" : "?");
  return tb_printf (call, "%.*s", (int)length, url);
}

tb_status
treez_sign (tb_call *call, tb_outgoing *request)
{
  tb_json *claims = tb_object (call);
  long long now_ms = tb_now (call);
  const char *said;
  tb_bytes signature;
  tb_set_text (claims, "aud", audience (call, request->url));
  tb_set_text (claims, "iss", tb_setting_text (call, "certificate_id"));
  tb_set_text (claims, "oid", tb_setting_text (call, "organization_id"));
  tb_set_int (claims, "iat", now_ms);
  tb_set_int (claims, "exp", now_ms + LASTS_MS);
  tb_set_text (claims, "jti", tb_uuid (call));
  said = tb_base64url (call, tb_bytes_of (tb_write (claims)));
  signature = tb_rsa_sign (call, TB_SHA256, "private_key", tb_bytes_of (said));
  if (signature.data == NULL)
    return TB_AUTHENTICATION_ERROR;
  tb_sign_header (request, "Authorization", tb_printf (call, "%s.%s", said, tb_base64 (call, signature)));
  if (request->body.size == 0)
    tb_sign_header (request, "Content-Type", "application/json"); /* asked for with every request */
  return TB_OK;
}

/* Treez refuses a wrong key, a wrong number and a clock that is off in the same words; its own clock tells
 * which of them it can be. */
tb_status
treez_judge_signed (tb_call *call, const tb_response *response)
{
  long long theirs_ms, off_s;
  if (response->verdict != TB_AUTHENTICATION_ERROR)
    return response->verdict;
  theirs_ms = tb_read_time (call, tb_http_header (call, "Date"));
  off_s = theirs_ms == 0 ? 0 : (tb_now (call) - theirs_ms) / 1000;
  if (off_s >= CLOCK_OFF_S || off_s <= -CLOCK_OFF_S)
    return tb_fail (
      call, TB_AUTHENTICATION_ERROR,
      "this machine's clock is %lld s %s that of Treez, where a signature is good for 30 s: set the "
      "clock, then reload",
      off_s < 0 ? -off_s : off_s, off_s < 0 ? "behind" : "ahead of");
  return tb_fail (
    call, TB_AUTHENTICATION_ERROR,
    "Treez refused the signature: check certificate_id, organization_id, that private_key is the key "
    "of that certificate, and that Treez gave the certificate this store");
}

/* The vendor's own test of a signature. What it answers beside "good" is not documented. */
tb_status
treez_check_signature (tb_call *call)
{
  const tb_request request = {
    .method = "POST", .endpoint = "service", .repeat = TB_MAY_REPEAT, .any_body = true
  };
  const tb_json *answer;
  tb_status status = tb_ask (call, &answer, &request, "/jwt-validation");
  return status == TB_NOT_FOUND ? TB_OK : status; /* it has moved: reading tells as well */
}
