#include "worker/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>

typedef struct {
  guint32 net;
  guint bits;
  const char *words;
} Range4;

/* The first that fits names it. */
static const Range4 ranges4[] = {
  { 0xa9fea9fe, 32, "cloud metadata" }, /* 169.254.169.254 */
  { 0xa83f8110, 32, "cloud metadata" }, /* 168.63.129.16, Azure */
  { 0x646464c8, 32, "cloud metadata" }, /* 100.100.100.200, Alibaba */
  { 0x00000000, 8, "this network" },    /* 0.0.0.0/8: reaches loopback on Linux */
  { 0x7f000000, 8, "loopback" },        { 0x0a000000, 8, "private" },
  { 0xac100000, 12, "private" },        { 0xc0a80000, 16, "private" },
  { 0xa9fe0000, 16, "link-local" },     { 0x64400000, 10, "shared (carrier)" }, /* 100.64.0.0/10 */
  { 0xc0000000, 24, "reserved" },                                               /* 192.0.0.0/24 */
  { 0xc6120000, 15, "reserved" },                                      /* 198.18.0.0/15, benchmarking */
  { 0xe0000000, 4, "multicast" },       { 0xf0000000, 4, "reserved" }, /* with 255.255.255.255 */
};

static const char *
inside4 (guint32 address)
{
  for (guint i = 0; i < G_N_ELEMENTS (ranges4); i++)
    if (((address ^ ranges4[i].net) >> (32 - ranges4[i].bits)) == 0)
      return ranges4[i].words;
  return NULL;
}

static guint32
four_at (const guint8 *bytes)
{
  return (guint32)bytes[0] << 24 | (guint32)bytes[1] << 16 | (guint32)bytes[2] << 8 | bytes[3];
}

static const char *
inside6 (const guint8 a[16])
{
  static const guint8 zeros[16];
  static const guint8 metadata[16] = { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 };
  static const guint8 nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
  if (memcmp (a, zeros, 15) == 0)
    return a[15] == 1 ? "loopback" : "this network";
  if (memcmp (a, metadata, 16) == 0)
    return "cloud metadata";
  if (memcmp (a, zeros, 10) == 0 && a[10] == 0xff && a[11] == 0xff)
    return inside4 (four_at (a + 12)); /* ::ffff:a.b.c.d */
  if (memcmp (a, zeros, 12) == 0 || memcmp (a, nat64, 12) == 0)
    return inside4 (four_at (a + 12)); /* ::a.b.c.d, 64:ff9b::a.b.c.d */
  if (a[0] == 0x20 && a[1] == 0x02)
    return inside4 (four_at (a + 2)); /* 6to4 */
  if (memcmp (a, (const guint8[4]){ 0x20, 0x01 }, 4) == 0)
    return "reserved"; /* Teredo */
  if (memcmp (a, nat64, 4) == 0)
    return "private"; /* 64:ff9b:1::/48 and what lies beside it */
  if ((a[0] & 0xfe) == 0xfc)
    return "private";
  if (a[0] == 0xfe && (a[1] & 0x80) != 0)
    return (a[1] & 0xc0) == 0x80 ? "link-local" : "private";
  return a[0] == 0xff ? "multicast" : NULL;
}

const char *
address_inside (const struct sockaddr *address, socklen_t length)
{
  if (address->sa_family == AF_INET && length >= sizeof (struct sockaddr_in)) {
    struct sockaddr_in in;
    memcpy (&in, address, sizeof in);
    return inside4 (ntohl (in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6 && length >= sizeof (struct sockaddr_in6)) {
    struct sockaddr_in6 in6;
    memcpy (&in6, address, sizeof in6);
    return inside6 (in6.sin6_addr.s6_addr);
  }
  return "not an internet address";
}

const char *
address_text_inside (const char *text)
{
  struct in_addr four;
  guint8 six[16];
  char bare[INET6_ADDRSTRLEN + 1];
  gsize length = strcspn (text, "]%"); /* [::1], fe80::1%eth0 */
  gsize skip = *text == '[';
  if (length <= skip || length - skip >= sizeof bare)
    return NULL;
  memcpy (bare, text + skip, length - skip);
  bare[length - skip] = '\0';
  if (inet_pton (AF_INET, bare, &four) == 1)
    return inside4 (ntohl (four.s_addr));
  return inet_pton (AF_INET6, bare, six) == 1 ? inside6 (six) : NULL;
}

void
address_to_text (const struct sockaddr *address, socklen_t length, char *text, gsize room)
{
  if (getnameinfo (address, length, text, (socklen_t)room, NULL, 0, NI_NUMERICHOST) != 0)
    g_strlcpy (text, "?", room);
}
