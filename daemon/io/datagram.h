/* A datagram socket of a local log service, to which sending never waits. See datagram.c. */
#ifndef SV_IO_DATAGRAM_H
#define SV_IO_DATAGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct sv_datagram {
    const char *path; /* kept */
    int fd;           /* -1: not connected */
    uint64_t connect_after_ns;
};

/* Connects with the first message. */
void sv_datagram_init(struct sv_datagram *datagram, const char *path);
void sv_datagram_done(struct sv_datagram *datagram);
/* One message of `count` parts. False: it was not taken, the service being slow or away. */
bool sv_datagram_send(struct sv_datagram *datagram, struct iovec *parts, size_t count);

#endif
