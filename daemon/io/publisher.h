/*
 * Publishing events: a header and a JSON text, to whoever has subscribed. See publisher.c.
 *
 * Nothing waits for a subscriber. What a slow one does not take is lost for it, and it can see that
 * (docs/events.md).
 */
#ifndef SV_IO_PUBLISHER_H
#define SV_IO_PUBLISHER_H

#include <stdbool.h>

#include "io/loop.h"
#include "wire/publication.h"

struct sv_http_exchange;
struct sv_publisher;

struct sv_publisher_settings {
    uint16_t port;           /* if one of these is true */
    bool has_zmq;            /* it is a PUB socket's */
    bool has_websocket_port; /* the port is the WebSockets' own */
    /* The body of `missed`, malloc()ed, of counts by header, and of a reason if there is one; NULL
     * without memory. */
    char *(*tell_missed)(void *user, const uint64_t counts[SV_PUBLICATION_COUNT], const char *why);
    void *user;
};

/* A port in use is no error: it is logged, and tried again. -ENOMEM and the like. */
int sv_publisher_new(struct sv_loop *loop, const struct sv_publisher_settings *settings,
                     struct sv_publisher **ret_publisher);
/* NULL is allowed. What was published still leaves, for at most that long. */
void sv_publisher_free(struct sv_publisher *publisher, uint64_t flush_ns);

/* Whether anybody would get it: otherwise there is no need to make the body. */
bool sv_publisher_wants(const struct sv_publisher *publisher, enum sv_publication header);
/* `body` is a JSON text. */
void sv_publisher_send(struct sv_publisher *publisher, enum sv_publication header, const char *body,
                       size_t length);
/* Answers a request for what the path asks for: with a WebSocket if it wants one, else with a
 * stream. */
void sv_publisher_accept(struct sv_publisher *publisher, struct sv_http_exchange *exchange,
                         const char *path);
/* How many were sent under the header. */
uint64_t sv_publisher_count(const struct sv_publisher *publisher, enum sv_publication header);

#endif
