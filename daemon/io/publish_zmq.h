/* Events on a ZeroMQ PUB socket. For publisher.c. */
#ifndef SV_IO_PUBLISH_ZMQ_H
#define SV_IO_PUBLISH_ZMQ_H

#include "base/str.h"
#include "io/loop.h"
#include "wire/publication.h"

struct sv_publish_zmq;

/* Binds to all interfaces. Negative errno, and `ret_problem` says why. */
int sv_publish_zmq_open(struct sv_loop *loop, uint16_t port, struct sv_str *ret_problem,
                        struct sv_publish_zmq **ret_publish);
/* NULL is allowed. */
void sv_publish_zmq_close(struct sv_publish_zmq *publish, uint64_t flush_ns);
/* What somebody has subscribed to at some time. */
sv_publication_set sv_publish_zmq_wanted(const struct sv_publish_zmq *publish);
void sv_publish_zmq_send(struct sv_publish_zmq *publish, enum sv_publication header,
                         const char *body, size_t length);

#endif
