#include "tap.h"
#include "worker/address.h"

#include <netinet/in.h>
#include <sys/un.h>

static void
test_public_addresses_are_outside (void)
{
  const char *outside[] = { "8.8.8.8",           "172.15.255.255",  "172.32.0.1",       "100.63.255.255",
                            "100.128.0.1",       "223.255.255.255", "192.0.1.1",        "2606:4700::1",
                            "2a00:1450:4001::1", "::ffff:8.8.8.8",  "64:ff9b::8.8.8.8", "2002:808:808::1" };
  for (guint i = 0; i < G_N_ELEMENTS (outside); i++)
    CU_ASSERT_PTR_NULL (address_text_inside (outside[i]));
}

static void
test_addresses_inside_are_named (void)
{
  const char *inside[][2] = {
    { "127.0.0.1", "loopback" },
    { "127.255.0.9", "loopback" },
    { "0.0.0.0", "this network" },
    { "10.1.2.3", "private" },
    { "172.16.0.1", "private" },
    { "172.31.255.255", "private" },
    { "192.168.0.1", "private" },
    { "169.254.1.1", "link-local" },
    { "169.254.169.254", "cloud metadata" },
    { "100.100.100.200", "cloud metadata" },
    { "168.63.129.16", "cloud metadata" },
    { "100.64.0.1", "shared (carrier)" },
    { "224.0.0.1", "multicast" },
    { "255.255.255.255", "reserved" },
    { "198.19.0.1", "reserved" },
    { "::1", "loopback" },
    { "[::1]", "loopback" },
    { "::", "this network" },
    { "fe80::1", "link-local" },
    { "fe80::1%eth0", "link-local" },
    { "fc00::1", "private" },
    { "fd00:ec2::254", "cloud metadata" },
    { "fec0::1", "private" },
    { "ff02::1", "multicast" },
    { "::ffff:127.0.0.1", "loopback" },
    { "::127.0.0.1", "loopback" },
    { "64:ff9b::10.0.0.1", "private" },
    { "2002:7f00:1::1", "loopback" },
    { "2001::1", "reserved" },
    { "64:ff9b:1::1", "private" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (inside); i++) {
    const char *words = address_text_inside (inside[i][0]);
    CU_ASSERT_STRING_EQUAL (words ? words : "(outside)", inside[i][1]);
  }
}

static void
test_what_is_no_internet_address_is_inside (void)
{
  struct sockaddr_un local = { .sun_family = AF_UNIX };
  struct sockaddr_in cut = { .sin_family = AF_INET };
  CU_ASSERT_PTR_NOT_NULL (address_inside ((struct sockaddr *)&local, sizeof local));
  CU_ASSERT_PTR_NOT_NULL (address_inside ((struct sockaddr *)&cut, 4));
}

static void
test_a_name_is_no_address (void)
{
  CU_ASSERT_PTR_NULL (address_text_inside ("api.example.com"));
  CU_ASSERT_PTR_NULL (address_text_inside (""));
  CU_ASSERT_PTR_NULL (address_text_inside ("["));
}

int
main (void)
{
  return TAP_RUN ("address", { "public addresses are outside", test_public_addresses_are_outside },
                  { "addresses inside are named", test_addresses_inside_are_named },
                  { "what is no internet address is inside", test_what_is_no_internet_address_is_inside },
                  { "a name is no address", test_a_name_is_no_address });
}
