/* Which network addresses lie inside: a vendor's URL, redirect or DNS answer must not lead a plugin to the
 * machine itself, its neighbours or a cloud's metadata service. The list follows the IANA special-purpose
 * registries (RFC 6890). */
#pragma once
#include <glib.h>
#include <sys/socket.h>

/* NULL: a public address. Else what it is, in words: "loopback", "private", "link-local", "cloud metadata"
 * ... */
const char *address_inside (const struct sockaddr *address, socklen_t length);
/* The same of an address in text; what is no address counts as outside. */
const char *address_text_inside (const char *text);
/* "192.0.2.1", "2001:db8::1" */
void address_to_text (const struct sockaddr *address, socklen_t length, char *text, gsize room);
