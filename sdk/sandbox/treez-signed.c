/* How v3 knows who calls: each request is signed by its caller's RSA key, for one URL and 30 seconds.
 *
 *   Authorization: base64url (claims) . base64 (RSA-SHA256 over the bytes of the first part)
 *
 * Two parts, no header of JOSE. What is not documented is our reading: how far ahead a caller's clock may be,
 * and that a number (jti) may come again. */
#include "treez.h"

#include <json-c/json.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#define CERTIFICATE "cert-17"
#define ORGANIZATION "0d2f6a1e-5b0c-4a10-9b00-7d101f4e0c5b"

/* A key that opens nothing but this sandbox, which tells it to everybody: a \n a line, as JSON has it. */
#define PRIVATE_KEY                                                                                          \
  "-----BEGIN PRIVATE KEY-----\\n"                                                                           \
  "MIIEvgIBADANBgkqhkiG9w0BAQEFAASCBKgwggSkAgEAAoIBAQCy2Zw8vnipchAV\\n"                                      \
  "QT1qAoThF+CQzeaiNeIgM1PgmthRziiHbE6nuG4V7Ar0CiMmRRO/pLX7XrB+FvC9\\n"                                      \
  "jQ3dGTsvIKgNVdmE/Vaz77Cpl6EpuF7kfsmX6a8s88iJyNwG0voNBnfP8P1SIWGR\\n"                                      \
  "/DH8wG6zpRF97kjs5hHlOJ+5lnufbEalHF0b4wi9gWaKbxrRqkiYqoaT/usQ6u05\\n"                                      \
  "tyMVHdojvfsJPrMXsstuDDBcgFDNv4tloxZsdXocx8F0a3pMmurMuMZZVpqogxx1\\n"                                      \
  "4KDJi6579hPN9xiUx+4IrlDshViZeFyOMAjFHLsbZS28VYMBU6eH9VTEGpru/ka4\\n"                                      \
  "/TObt263AgMBAAECggEABv/3WnVF+bPKJ1rPUYfZtYmes2wrm6uqNwJrRP4qe0Er\\n"                                      \
  "WumFRpE0Vc1QPG7tI0FO3ZBPww/YroatU23i3gVvyI9ppGP4yHi13QMDkg+qMhzS\\n"                                      \
  "MfU4ZKazwXmlHqdq3SWCveHD7LKM55sA25rYRgEuE//g6GHcHtF+X89QiQ33tqyQ\\n"                                      \
  "ONGL57FgCH8Sxg6AaNOnimh83S60yU4BRWWpFYL5+F8yttn1KWqsizpWQFFqv3t8\\n"                                      \
  "n6ujWCIgqdugZo2GjHrQNvZIMTMu7d0b1Aaq8vUUifMKl29cxuBZme4vT31QsNf1\\n"                                      \
  "nf+uA26eXU+GwnyHthr344QbeprrA72PwZDLFc2d2QKBgQD8YzazvC5W/bRrdXP/\\n"                                      \
  "Sr5kmQoVb4eUD/ng0H2YbSgmS/mLZhQf7JCE5LxHr5KOiZOAThkwohoVVmEF4R0o\\n"                                      \
  "d58lq1QmEvcZtIVJo97l97VEsxD1NB5bSSgnRsFC5Sqd/9LWNIeHLl2pXj3JKHql\\n"                                      \
  "B58cmQdBYAT32fH/KMzcVUL/QwKBgQC1aPGqcqQN4dLXo2AQUOungqr+f9SpJGSq\\n"                                      \
  "QzSz9U17nim6yR/+hXlPOq16bOMSuB9B+BLtsqf25B1AGUBvxeB0NgDOPKeM00Bs\\n"                                      \
  "m0OahS8wsXuSU8m/XhNNkPFsE94N6+u92JSkzxK56uAgApwR6RHcbPvy+6YXydZV\\n"                                      \
  "0pqrDUvZfQKBgCvr5CAhNntDCXvN49LgogOFsoCKeTCmGxkpj0HQdTU88X910zi/\\n"                                      \
  "BWNrHuzmu/18KaQhczbIbvuZnabVRyq8roBysWEy2beqd6uaDfc9RVlgRCo32LSQ\\n"                                      \
  "JaG4KXfHw8PdOka2u4Ml6XzI/r2cAsPncKQcaWvSFus/DWMXKZeKau9bAoGBAI1T\\n"                                      \
  "ZHHVPdlSxF8Z+Ay9/dhSA8Sg8ZuTrpi2IqjPwb08SmYpqbMvaIJAxEVL7tr2deN+\\n"                                      \
  "z8A+HnxI2kDFa12oWmQubhI9Top3SQlTLCeE+m6E1i/49oMPVxpmgK4iDCvsT4tm\\n"                                      \
  "3uZGK+CLCm/lmJCbcj626NEzGwINS90wZS48/YpBAoGBAMcyp75KDA5VwNmXbBMw\\n"                                      \
  "QPNX/o9s4QPXajAx7lBBSL/V1XMe9/zQj3GYrx3A6gqeuLsX1F9rsxIXYMTyy73t\\n"                                      \
  "8g0KpFGHFn1uXqyVm4/Fxb1Wem5/8sg12RJyEARg3oT1vGzAoZNPgD7/zSVODtTL\\n"                                      \
  "AD/RZa+Q52zeWNfZNEGCkj+a\\n"                                                                              \
  "-----END PRIVATE KEY-----\\n"

enum { LASTS_MS = 30000, AHEAD_MS = 5000, SIGNATURE_BYTES = 1024 };

const char treez_signed_settings[] =
  "\"generation\":\"v3\",\"dispensary\":\"downtown\",\"certificate_id\":\"" CERTIFICATE
  "\",\"organization_id\":\"" ORGANIZATION "\",\"private_key\":\"" PRIVATE_KEY "\"";

struct TreezSigned {
  EVP_PKEY *key;
};

TreezSigned *
treez_signed_new (void)
{
  TreezSigned *client = g_new0 (TreezSigned, 1);
  g_auto (GStrv) lines = g_strsplit (PRIVATE_KEY, "\\n", -1);
  g_autofree char *pem = g_strjoinv ("\n", lines);
  BIO *source = BIO_new_mem_buf (pem, -1);
  client->key = PEM_read_bio_PrivateKey (source, NULL, NULL, NULL);
  BIO_free (source);
  g_assert (client->key);
  return client;
}

void
treez_signed_free (TreezSigned *client)
{
  EVP_PKEY_free (client->key);
  g_free (client);
}

static gboolean
is_signed (const TreezSigned *client, const char *text, gsize length, const char *signature)
{
  guchar bytes[SIGNATURE_BYTES];
  gsize size = strlen (signature);
  if (size == 0 || size % 4 || size / 4 * 3 > sizeof bytes)
    return FALSE;
  int decoded = EVP_DecodeBlock (bytes, (const guchar *)signature, (int)size);
  decoded -= g_str_has_suffix (signature, "==") ? 2 : g_str_has_suffix (signature, "=") ? 1 : 0;
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  gboolean fits = decoded > 0 &&
                  EVP_DigestVerifyInit (context, NULL, EVP_sha256 (), NULL, client->key) == 1 &&
                  EVP_DigestVerify (context, bytes, (size_t)decoded, (const guchar *)text, length) == 1;
  EVP_MD_CTX_free (context);
  return fits;
}

/* NULL: it is not base64url of a JSON object. */
static json_object *
read_claims (const char *text, gsize length)
{
  if (memchr (text, '+', length) || memchr (text, '/', length) || memchr (text, '=', length))
    return NULL;
  g_autoptr (GString) plain = g_string_new_len (text, (gssize)length);
  g_strdelimit (plain->str, "-", '+');
  g_strdelimit (plain->str, "_", '/');
  while (plain->len % 4)
    g_string_append_c (plain, '=');
  gsize size;
  g_autofree guchar *bytes = g_base64_decode (plain->str, &size);
  g_autofree char *json = g_strndup ((const char *)bytes, size);
  json_object *claims = json_tokener_parse (json);
  if (json_object_is_type (claims, json_type_object))
    return claims;
  json_object_put (claims);
  return NULL;
}

static gboolean
says (json_object *claims, const char *name, const char *text)
{
  json_object *value = json_object_object_get (claims, name);
  return json_object_is_type (value, json_type_string) && strcmp (json_object_get_string (value), text) == 0;
}

/* Character for character the URL that was called. */
static char *
called_url (const Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const Request *request = exchange->request;
  const char *host = request_header (request, "host");
  gboolean query = treez->signs_query && *request->query;
  return g_strconcat ("http://", host ? host : "", request->path, query ? "?" : "",
                      query ? request->query : "", NULL);
}

static gboolean
claims_hold (Exchange *exchange, json_object *claims)
{
  g_autofree char *url = called_url (exchange);
  gint64 from_ms = json_object_get_int64 (json_object_object_get (claims, "iat"));
  gint64 until_ms = json_object_get_int64 (json_object_object_get (claims, "exp"));
  gboolean good =
    says (claims, "iss", CERTIFICATE) && says (claims, "oid", ORGANIZATION) && says (claims, "aud", url);
  if (good && until_ms != from_ms + LASTS_MS) {
    treez_fail (exchange, 400, "INVALID_REQUEST", "the token must end 30000 ms after it was issued");
    return FALSE;
  }
  good = good && exchange->now_ms >= from_ms - AHEAD_MS && exchange->now_ms < until_ms;
  if (!good)
    treez_refuse (exchange);
  return good;
}

gboolean
treez_signed_admit (Exchange *exchange)
{
  const Treez *treez = exchange->state;
  const char *proof = request_header (exchange->request, "authorization");
  const char *dot = proof ? strchr (proof, '.') : NULL;
  json_object *claims = dot && is_signed (treez->client, proof, (gsize)(dot - proof), dot + 1)
                          ? read_claims (proof, (gsize)(dot - proof))
                          : NULL;
  if (!claims) {
    treez_refuse (exchange);
    return FALSE;
  }
  gboolean good = claims_hold (exchange, claims);
  json_object_put (claims);
  return good;
}
