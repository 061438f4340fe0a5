/* A ZeroMQ socket that is read on the loop. See zmq_watch.c. */
#ifndef SV_IO_ZMQ_WATCH_H
#define SV_IO_ZMQ_WATCH_H

#include <stdbool.h>

#include "io/loop.h"

struct sv_zmq_watch;

/* Takes one message with ZMQ_DONTWAIT. False: there was none (EAGAIN), or the watch has been freed.
 */
typedef bool (*sv_zmq_function)(void *user);

/* The socket is borrowed, and read by `take_one` alone. */
int sv_zmq_watch_new(struct sv_loop *loop, void *socket, enum sv_priority priority,
                     sv_zmq_function take_one, void *user, struct sv_zmq_watch **ret_watch);
/* NULL is allowed. Before the socket is closed. */
void sv_zmq_watch_free(struct sv_zmq_watch *watch);
/* Reads now what is there, at most so many messages; the rest at the next turns. */
void sv_zmq_watch_drain(struct sv_zmq_watch *watch, unsigned messages_max);

#endif
