/* Instances find each other by multicast. See discovery.c. */
#ifndef SV_IO_DISCOVERY_H
#define SV_IO_DISCOVERY_H

#include <stdint.h>

#include "base/str.h"
#include "config/supvisors.h"
#include "io/loop.h"

struct sv_discovery;

struct sv_discovery_settings {
    const char *group; /* IPv4, borrowed for the life of the discovery, as all of them */
    uint16_t port;
    const char *interface_address; /* NULL: every interface */
    uint8_t ttl;
    const struct sv_instance_config *self;
    const struct sv_name_list *stereotypes;
};

/* Somebody says that he is there: again and again, and it may be a lie. Borrowed for the call. */
typedef void (*sv_discovered_function)(void *user, const struct sv_instance_config *instance,
                                       const struct sv_name_list *stereotypes);

/* 0, or negative errno and a sentence for people. */
int sv_discovery_open(struct sv_loop *loop, const struct sv_discovery_settings *settings,
                      sv_discovered_function function, void *user, struct sv_str *ret_problem,
                      struct sv_discovery **ret_discovery);
/* NULL is allowed. */
void sv_discovery_close(struct sv_discovery *discovery);

#endif
