/* What this host is called, among the instances of a cluster. */
#ifndef SV_IO_HOST_IDENTITY_H
#define SV_IO_HOST_IDENTITY_H

#include <stdbool.h>

#include "base/str.h"

/* True when the name or address means an interface of this host. All of 127.0.0.0/8 does. Asks the
 * resolver, so not from the loop. */
bool sv_host_is_local(const char *host);

/* True when `host`, a name or an address, means `address`, a numeric one. Asks the resolver, too.
 */
bool sv_host_has_address(const char *host, const char *address);

/* What instances on the same node have in common: the hardware address of the first interface as
 * Supvisors writes it ("02:00:00:00:00:01"), else /etc/machine-id, else the name of the host. */
void sv_host_machine_id(struct sv_str *ret_text);

/* The first IPv4 address of an interface, in figures. Borrowed for the call. */
struct sv_host_address {
    const char *interface;
    const char *address;
    const char *netmask;
};

/* Calls the function with each interface that has one, but for the loopback. */
void sv_host_addresses(void (*function)(void *user, const struct sv_host_address *address),
                       void *user);

#endif
