/* Digests, signatures and encodings. Keys are named by their setting, so that a plugin never holds them. What
 * is given lives until the call ends; where a key is not set or cannot be used the call ends with
 * TB_AUTHENTICATION_ERROR, whatever the plugin makes of it, and { NULL, 0 } is given. */
#ifndef TILLBRIDGE_CRYPTO_H
#define TILLBRIDGE_CRYPTO_H

#include <tillbridge/call.h>

/* The bytes of a text, without its zero. */
static inline tb_bytes
tb_bytes_of (const char *text)
{
  tb_bytes bytes = { text, text == NULL ? 0 : strlen (text) };
  return bytes;
}

/* FIPS 180-4, RFC 1321 */
static inline tb_bytes
tb_digest (tb_call *call, tb_hash hash, tb_bytes data)
{
  return call->host->digest (call, hash, data);
}

/* RFC 2104 with the secret of a setting. */
static inline tb_bytes
tb_hmac (tb_call *call, tb_hash hash, const char *secret_setting, tb_bytes data)
{
  return call->host->hmac (call, hash, secret_setting, data);
}

/* RSASSA-PKCS1-v1_5 (RFC 8017, 8.2) with the PEM key of a setting. */
static inline tb_bytes
tb_rsa_sign (tb_call *call, tb_hash hash, const char *key_setting, tb_bytes data)
{
  return call->host->rsa_sign (call, hash, key_setting, data);
}

/* RFC 4648, section 4, with padding. */
static inline const char *
tb_base64 (tb_call *call, tb_bytes data)
{
  return call->host->encode (call, data, TB_ENCODE_BASE64);
}

/* RFC 4648, section 5, without padding. */
static inline const char *
tb_base64url (tb_call *call, tb_bytes data)
{
  return call->host->encode (call, data, TB_ENCODE_BASE64URL);
}

/* Lower case. */
static inline const char *
tb_hex (tb_call *call, tb_bytes data)
{
  return call->host->encode (call, data, TB_ENCODE_HEX);
}

/* { NULL, 0 }: it is not that. Padding and either alphabet are taken. */
static inline tb_bytes
tb_from_base64 (tb_call *call, const char *text)
{
  tb_bytes none = { NULL, 0 };
  return text == NULL ? none : call->host->decode (call, text, TB_ENCODE_BASE64);
}

#endif
