/*
 * What an instance says of itself to the multicast group (include/svisor/mesh.proto, Beacon): that
 * it is there, and where. Anybody may send one, so it is a hint; who really is there decides HELLO.
 */
#ifndef SV_WIRE_BEACON_H
#define SV_WIRE_BEACON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

#define SV_BEACON_MARK 0x53564d31u /* "SVM1": others may use the group, too */

struct sv_beacon {
    const char *identifier; /* host:http_port */
    const char *nick;
    const char *host;
    uint16_t http_port;
    uint16_t event_port;
    const char *const *stereotypes;
    size_t stereotype_count;
    bool is_question; /* the sender has just come and wants to hear from all */
};

/* Appends one datagram. 0, -ENOMEM, or -EMSGSIZE: longer than SV_BEACON_BYTES_MAX. */
int sv_beacon_encode(const struct sv_beacon *beacon, struct sv_str *ret_bytes);

/* Outcomes. */
#define SV_BEACON_E_FOREIGN   1 /* not of svisor, or of another version of the protocol */
#define SV_BEACON_E_MALFORMED 2

/* What the beacon points to lives in the arena. `ret_why` is set with an outcome. Negative:
 * -ENOMEM. */
int sv_beacon_decode(const void *bytes, size_t length, struct sv_arena *arena,
                     struct sv_beacon *ret_beacon, const char **ret_why);

#endif
