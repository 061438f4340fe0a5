/* What the daemon and its keeper say to each other. The essay is in keeper.c. */
#ifndef SV_IO_KEEPER_MESSAGE_H
#define SV_IO_KEEPER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum {
    SV_KEEPER_FDS = 4,
    SV_PARCELS_MAX = 2, /* one that waited, and the one that it waited for */
    /* 1: it holds descriptors. 2: it keeps promises. */
    SV_KEEPER_VERSION = 2,
};

/* One GET of this key is answered with the version in place of the key. The first keepers do not
 * know it, and answer as for any key that they do not know: with the key. */
#define SV_KEEPER_VERSION_KEY ((UINT64_C(1) << 63) + 1)

/* The keeper may be older or younger than the daemon: an operation keeps its number, and one that
 * the keeper does not know is ignored. */
enum sv_keeper_operation {
    SV_KEEPER_PUT,
    SV_KEEPER_GET,
    SV_KEEPER_DROP,
    SV_KEEPER_CLAIMED,
    SV_KEEPER_END,
    SV_KEEPER_MOVE,
    /* Since version 2. */
    SV_KEEPER_MANAGE,
    SV_KEEPER_RELEASE,
    SV_KEEPER_GRACE,
    SV_KEEPER_DEADLINE,
    SV_KEEPER_ASK,
};

struct sv_keeper_message {
    uint64_t key;       /* GRACE: nanoseconds; DEADLINE, answer to ASK: of CLOCK_MONOTONIC */
    uint32_t operation; /* answer to ASK: enum sv_keeper_cause */
    uint32_t mask;      /* bit n: descriptor n is attached */
};

struct sv_parcel {
    struct sv_keeper_message message;
    int fds[SV_KEEPER_FDS]; /* those that the mask names */
};

void sv_parcel_put(struct sv_parcel *parcel, int place, int fd);
/* Up to SV_PARCELS_MAX of them, in order. How many were sent; negative errno: none. `flags` are
 * those of send(). */
int sv_parcels_send(int socket, struct sv_parcel *parcels, size_t count, int flags);
/* 1: a message; 0: the other side is gone; negative errno. Places that the mask does not name are
 * -1; a descriptor that it does not name is closed. */
int sv_parcel_receive(int socket, struct sv_parcel *ret_parcel);

#define SV_KEEPER_NAME "svisor-keeper" /* as ps shows it */

/* The whole life of the keeper, in a process that was made for it. `listener` is the socket that
 * is bound to `path`. */
__attribute__((noreturn)) void sv_keeper_live(int listener, const char *path);

#endif
