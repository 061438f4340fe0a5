/* Names of hosts into addresses, without waiting for them. See resolve.c. */
#ifndef SV_IO_RESOLVE_H
#define SV_IO_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "io/loop.h"

enum { SV_ADDRESS_BYTES = 64 }; /* an IPv6 address with its zone, and a NUL */

struct sv_resolver;

/* `address` is numeric, or NULL: `why` says why not. Both are borrowed for the call. */
typedef void (*sv_resolved_function)(void *user, uint32_t ticket, const char *address,
                                     const char *why);

int sv_resolver_new(struct sv_loop *loop, sv_resolved_function function, void *user,
                    struct sv_resolver **ret_resolver);
/* NULL is allowed. Questions without an answer get none. */
void sv_resolver_free(struct sv_resolver *resolver);
/* The answer comes with a later turn of the loop. 0 or negative errno. */
int sv_resolver_ask(struct sv_resolver *resolver, const char *host, uint32_t ticket);
/* Is it an address already? */
bool sv_host_is_numeric(const char *host);

#endif
