/* Digests, signatures and encodings, by OpenSSL. */
#include "worker/services.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>
#include "worker/loader.h"

static const EVP_MD *
hash_of (tb_hash hash)
{
  switch (hash) {
  case TB_SHA1:
    return EVP_sha1 ();
  case TB_SHA256:
    return EVP_sha256 ();
  case TB_SHA512:
    return EVP_sha512 ();
  case TB_MD5:
    return EVP_md5 ();
  case TB_NO_HASH:
    break;
  }
  return NULL;
}

static tb_bytes
keep (Call *call, const void *bytes, gsize size)
{
  return (tb_bytes){ arena_strndup (call->arena, bytes, size), size };
}

static tb_bytes
fail (Call *call, const char *setting, const char *what)
{
  call_fail (call, TB_AUTHENTICATION_ERROR, TB_WHY_UNKNOWN, "%s: %s", setting, what);
  call_spoil (call, TB_AUTHENTICATION_ERROR);
  return (tb_bytes){ NULL, 0 };
}

tb_bytes
service_digest (tb_call *shown, tb_hash hash, tb_bytes data)
{
  Call *call = call_of (shown);
  const EVP_MD *md = hash_of (hash);
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  if (!md || EVP_Digest (data.data ? data.data : "", data.size, digest, &size, md, NULL) != 1) {
    call_blame (call, "the digest %d is not to be had", (int)hash);
    return (tb_bytes){ NULL, 0 };
  }
  return keep (call, digest, size);
}

/* The text of a secret's setting, which stays where it is. NULL: call_fail() was told. */
static const char *
key_text (Call *call, const char *setting)
{
  if (!plugin_setting (call->worker->plugin, setting)) {
    call_blame (call, "it signs with the setting \"%s\", which it does not describe",
                setting ? setting : "(null)");
    return NULL;
  }
  const char *text = connector_setting (call->connector, setting, 0);
  if (text && *text)
    return text;
  fail (call, setting, "is not set, and a request must be signed with it: set it");
  return NULL;
}

tb_bytes
service_hmac (tb_call *shown, tb_hash hash, const char *setting, tb_bytes data)
{
  Call *call = call_of (shown);
  const EVP_MD *md = hash_of (hash);
  const char *key = key_text (call, setting);
  guint8 digest[EVP_MAX_MD_SIZE];
  guint size = 0;
  if (!key)
    return (tb_bytes){ NULL, 0 };
  if (!md ||
      !HMAC (md, key, (int)strlen (key), data.data ? data.data : (const void *)"", data.size, digest, &size))
    return fail (call, setting, "cannot be used for this HMAC");
  return keep (call, digest, size);
}

/* A drop-in may write a PEM key on one line, with \n in it. */
static EVP_PKEY *
read_key (const char *text)
{
  g_auto (GStrv) parts = g_strsplit (text, "\\n", -1);
  g_autofree char *pem = g_strjoinv ("\n", parts);
  BIO *source = BIO_new_mem_buf (pem, -1);
  EVP_PKEY *key = source ? PEM_read_bio_PrivateKey (source, NULL, NULL, (void *)"") : NULL;
  BIO_free (source);
  explicit_bzero (pem, strlen (pem));
  return key;
}

tb_bytes
service_rsa_sign (tb_call *shown, tb_hash hash, const char *setting, tb_bytes data)
{
  Call *call = call_of (shown);
  const EVP_MD *md = hash_of (hash);
  const char *text = key_text (call, setting);
  if (!text)
    return (tb_bytes){ NULL, 0 };
  EVP_PKEY *key = read_key (text);
  EVP_MD_CTX *context = EVP_MD_CTX_new ();
  size_t size = 0;
  tb_bytes signature = { NULL, 0 };
  if (md && key && EVP_PKEY_is_a (key, "RSA") && EVP_DigestSignInit (context, NULL, md, NULL, key) == 1 &&
      EVP_DigestSign (context, NULL, &size, data.data, data.size) == 1) {
    guint8 *room = arena_alloc (call->arena, size);
    if (EVP_DigestSign (context, room, &size, data.data, data.size) == 1)
      signature = (tb_bytes){ room, size };
  }
  EVP_MD_CTX_free (context);
  EVP_PKEY_free (key);
  return signature.data
           ? signature
           : fail (call, setting, "is no PEM text of an RSA private key without a passphrase: mend it");
}

/* ---- encodings ---- */

static char *
to_base64 (Call *call, tb_bytes data, gboolean url)
{
  char *text = arena_alloc (call->arena, 4 * ((data.size + 2) / 3) + 1);
  EVP_EncodeBlock ((guchar *)text, data.data ? data.data : (const guchar *)"", (int)data.size);
  if (url) {
    g_strdelimit (text, "+", '-');
    g_strdelimit (text, "/", '_');
    text[strcspn (text, "=")] = '\0';
  }
  return text;
}

static char *
to_hex (Call *call, tb_bytes data)
{
  static const char digits[] = "0123456789abcdef";
  char *text = arena_alloc (call->arena, 2 * data.size + 1);
  for (gsize i = 0; i < data.size; i++) {
    text[2 * i] = digits[((const guint8 *)data.data)[i] >> 4];
    text[2 * i + 1] = digits[((const guint8 *)data.data)[i] & 15];
  }
  return text;
}

const char *
service_encode (tb_call *shown, tb_bytes data, int how)
{
  Call *call = call_of (shown);
  if (data.size > G_MAXINT / 2) {
    call_blame (call, "%zu bytes are too many to encode", data.size);
    return NULL;
  }
  return how == TB_ENCODE_HEX ? to_hex (call, data) : to_base64 (call, data, how == TB_ENCODE_BASE64URL);
}

static tb_bytes
from_hex (Call *call, const char *text)
{
  gsize length = strlen (text);
  guint8 *bytes = arena_alloc (call->arena, length / 2 + 1);
  for (gsize i = 0; i < length; i++)
    if (length % 2 || !g_ascii_isxdigit (text[i]))
      return (tb_bytes){ NULL, 0 };
  for (gsize i = 0; i < length / 2; i++)
    bytes[i] = (guint8)(g_ascii_xdigit_value (text[2 * i]) << 4 | g_ascii_xdigit_value (text[2 * i + 1]));
  return (tb_bytes){ bytes, length / 2 };
}

static int
base64_value (char c)
{
  if (g_ascii_isupper (c))
    return c - 'A';
  if (g_ascii_islower (c))
    return c - 'a' + 26;
  if (g_ascii_isdigit (c))
    return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

/* Either alphabet, padded or not, blanks and line ends between. */
static tb_bytes
from_base64 (Call *call, const char *text)
{
  gsize size = 0;
  guint32 held = 0;
  guint bits = 0;
  guint8 *bytes = arena_alloc (call->arena, strlen (text) * 3 / 4 + 1);
  for (; *text && *text != '='; text++) {
    int value = base64_value (*text);
    if (value < 0 && !g_ascii_isspace (*text))
      return (tb_bytes){ NULL, 0 };
    if (value < 0)
      continue;
    held = held << 6 | (guint32)value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[size++] = (guint8)(held >> bits);
    }
  }
  if (text[strspn (text, "= \t\r\n")] || bits == 6)
    return (tb_bytes){ NULL, 0 };
  return (tb_bytes){ bytes, size };
}

tb_bytes
service_decode (tb_call *shown, const char *text, int how)
{
  return how == TB_ENCODE_HEX ? from_hex (call_of (shown), text) : from_base64 (call_of (shown), text);
}
