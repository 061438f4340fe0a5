/*
 * libzmq 4.3.4 on sd-event.
 *
 * ZMQ_FD is not a socket: it becomes readable when the I/O thread has left a command, and stays so
 * until somebody has looked at the commands, which every call on the socket may do by the way. So
 * it says "look", never "there is a message", and when a call has looked already, it says nothing.
 * zmq_msg_recv(ZMQ_DONTWAIT) that ends in EAGAIN has looked at all commands; whoever reads until
 * then misses nothing. A turn that ends before that has to come back by itself.
 */
#include "io/zmq_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <zmq.h>

#include "base/error.h"

enum { TURN_MESSAGES_MAX = 64 }; /* then the loop looks at its other sources */

struct sv_zmq_watch {
    struct sv_source *io;
    struct sv_source *again;
    sv_zmq_function take_one;
    void *user;
};

void sv_zmq_watch_drain(struct sv_zmq_watch *watch, unsigned messages_max)
{
    for (unsigned i = 0; i < messages_max; i++)
        if (!watch->take_one(watch->user))
            return;
    sv_source_enable(watch->again, true);
}

static void on_io(void *user, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    sv_zmq_watch_drain(user, TURN_MESSAGES_MAX);
}

static void on_again(void *user)
{
    sv_zmq_watch_drain(user, TURN_MESSAGES_MAX);
}

int sv_zmq_watch_new(struct sv_loop *loop, void *socket, enum sv_priority priority,
                     sv_zmq_function take_one, void *user, struct sv_zmq_watch **ret_watch)
{
    struct sv_zmq_watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return -ENOMEM;
    watch->take_one = take_one;
    watch->user = user;
    int fd = -1;
    size_t size = sizeof(fd);
    int r = zmq_getsockopt(socket, ZMQ_FD, &fd, &size) < 0 ? -errno : 0;
    if (r == 0)
        r = sv_loop_add_defer(loop, priority, on_again, watch, &watch->again);
    if (r == 0)
        r = sv_loop_add_io(loop, fd, EPOLLIN, priority, on_io, watch, &watch->io);
    /* What has come before anybody watched. */
    if (r == 0)
        r = sv_source_enable(watch->again, true);
    if (r < 0) {
        sv_zmq_watch_free(watch);
        return error_trace(r);
    }
    *ret_watch = watch;
    return 0;
}

void sv_zmq_watch_free(struct sv_zmq_watch *watch)
{
    if (!watch)
        return;
    sv_source_free(watch->io);
    sv_source_free(watch->again);
    free(watch);
}
