/*
 * Events on a ZeroMQ socket, in two parts: header and body.
 *
 * For subscribers it is a PUB socket; here it is an XPUB one, which hands their subscriptions over,
 * for two reasons: nothing is rendered for nobody; and ZMQ_XPUB_MANUAL lets us say what a
 * subscription means. That to everything ("") means Supvisors' seven headers: clients written for
 * Supvisors take any other for an error, and say so each time.
 *
 * A subscriber that does not read costs SV_EVENTS_WAITING_MAX messages, which it shares with all
 * others, and what the kernel buffers for its connection; then libzmq drops for it alone, whole
 * messages, and does not say so. That is why `published` is sent: a count for each header, in the
 * same queue.
 *
 * The context is our own, not the mesh's: its thread may be busy with many subscribers while
 * heartbeats are due.
 *
 * Traps (libzmq 4.3.4): ZMQ_SUBSCRIBE on a manual XPUB is about the connection of the message that
 * was received last. That somebody takes a subscription back can be said by anybody, also twice;
 * so `wanted` only grows.
 */
#include "io/publish_zmq.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>
#include <zmq.h>

#include "base/attr.h"
#include "base/error.h"
#include "io/zmq_watch.h"

enum { NS_PER_MS = 1000000 };

struct sv_publish_zmq {
    void *context;
    void *socket;
    struct sv_zmq_watch *watch;
    sv_publication_set wanted;
};

static void subscribe(struct sv_publish_zmq *publish, const void *bytes, size_t length)
{
    struct sv_subscription asked = sv_publication_of_message(bytes, length);
    int option = asked.kind == SV_SUBSCRIPTION_BEGIN ? ZMQ_SUBSCRIBE : ZMQ_UNSUBSCRIBE;
    if (asked.kind == SV_SUBSCRIPTION_NONE)
        return;
    for (unsigned i = 0; i < SV_PUBLICATION_COUNT; i++) {
        const char *name = sv_publication_name((enum sv_publication)i);
        if (asked.headers >> i & 1)
            zmq_setsockopt(publish->socket, option, name, strlen(name));
    }
    if (asked.kind == SV_SUBSCRIPTION_BEGIN)
        publish->wanted |= asked.headers;
}

static bool take_one(void *user)
{
    struct sv_publish_zmq *publish = user;
    zmq_msg_t message;
    zmq_msg_init(&message);
    bool is_there = zmq_msg_recv(&message, publish->socket, ZMQ_DONTWAIT) >= 0;
    if (is_there)
        subscribe(publish, zmq_msg_data(&message), zmq_msg_size(&message));
    zmq_msg_close(&message);
    return is_there;
}

/* The threads of the context are born with its first socket, and shall get no signal. */
static int open_socket(struct sv_publish_zmq *publish)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    publish->context = zmq_ctx_new();
    publish->socket = publish->context ? zmq_socket(publish->context, ZMQ_XPUB) : NULL;
    int r = publish->socket ? 0 : -errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    const struct {
        int option, value;
    } options[] = {
        {ZMQ_XPUB_MANUAL, 1},
        {ZMQ_SNDHWM, SV_EVENTS_WAITING_MAX},
        {ZMQ_LINGER, 0},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, SV_EVENTS_KEEPALIVE_SECONDS},
        {ZMQ_TCP_KEEPALIVE_INTVL, SV_EVENTS_KEEPALIVE_SECONDS},
        {ZMQ_TCP_KEEPALIVE_CNT, 3},
    };
    for (size_t i = 0; i < SV_ARRAY_LENGTH(options) && r == 0; i++)
        if (zmq_setsockopt(publish->socket, options[i].option, &options[i].value,
                           sizeof(options[i].value)) < 0)
            r = -errno;
    int64_t message_bytes_max = SV_EVENTS_SUBSCRIPTION_BYTES_MAX;
    if (r == 0 && zmq_setsockopt(publish->socket, ZMQ_MAXMSGSIZE, &message_bytes_max,
                                 sizeof(message_bytes_max)) < 0)
        r = -errno;
    return r;
}

int sv_publish_zmq_open(struct sv_loop *loop, uint16_t port, struct sv_str *ret_problem,
                        struct sv_publish_zmq **ret_publish)
{
    struct sv_publish_zmq *publish = calloc(1, sizeof(*publish));
    if (!publish)
        return -ENOMEM;
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "tcp://0.0.0.0:%u", port);
    int r = open_socket(publish);
    if (r == 0 && zmq_bind(publish->socket, endpoint) < 0)
        r = -errno;
    if (r == 0)
        r = sv_zmq_watch_new(loop, publish->socket, SV_PRIORITY_NORMAL, take_one, publish,
                             &publish->watch);
    if (r < 0) {
        sv_str_addf(ret_problem, "%s: %s", endpoint, zmq_strerror(-r));
        sv_publish_zmq_close(publish, 0);
        return r;
    }
    *ret_publish = publish;
    return 0;
}

void sv_publish_zmq_close(struct sv_publish_zmq *publish, uint64_t flush_ns)
{
    if (!publish)
        return;
    int linger_ms = (int)(flush_ns / NS_PER_MS);
    sv_zmq_watch_free(publish->watch);
    if (publish->socket) {
        zmq_setsockopt(publish->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
        zmq_close(publish->socket);
    }
    if (publish->context)
        zmq_ctx_term(publish->context);
    free(publish);
}

sv_publication_set sv_publish_zmq_wanted(const struct sv_publish_zmq *publish)
{
    return publish->wanted;
}

/* Neither part waits: who has no room does not get it. */
void sv_publish_zmq_send(struct sv_publish_zmq *publish, enum sv_publication header,
                         const char *body, size_t length)
{
    const char *name = sv_publication_name(header);
    if (zmq_send(publish->socket, name, strlen(name), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
        return;
    zmq_send(publish->socket, body, length, ZMQ_DONTWAIT);
    int events = 0;
    size_t size = sizeof(events);
    if (zmq_getsockopt(publish->socket, ZMQ_EVENTS, &events, &size) == 0 && events & ZMQ_POLLIN)
        sv_zmq_watch_drain(publish->watch, 0); /* sending has looked at what is to be read */
}
