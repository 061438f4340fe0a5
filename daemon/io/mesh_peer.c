/*
 * The way to one other instance: a DEALER with one endpoint, and a monitor that says what becomes
 * of its connection.
 *
 *     PAUSE ──> TRYING ──handshake──> CONNECTED ──broke──> TRYING or BACKOFF, by libzmq itself
 *       ^         │  ^
 *       │       refused (nobody listens): BACKOFF; libzmq tries again, a sign of life at once
 *       └── the handshake failed: another key; we try again, the next key if there is one
 *
 * Traps (libzmq 4.3.4):
 *   - a message for a DEALER that is not connected would be kept and sent to whoever comes, however
 *     late: ZMQ_IMMEDIATE refuses it instead;
 *   - zmq_send() looks at the I/O thread's commands only now and then, and may say EAGAIN although
 * the connection is there: ZMQ_EVENTS is asked before, which looks at all;
 *   - after a handshake that failed it would try again at once and for ever: the socket is closed
 * and a new one made after a pause that grows;
 *   - TCP alone notices after minutes that a network swallows everything: ZMQ_TCP_MAXRT
 *     (TCP_USER_TIMEOUT) bounds it, because core's heartbeats are always under way.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "io/mesh_internal.h"

#define PAUSE_NS_MIN UINT64_C(100000000)
#define PAUSE_NS_MAX UINT64_C(5000000000)

enum {
    QUEUE_MESSAGES_MAX = 1000, /* ten seconds of changes and heartbeats; then it is too slow */
    RECONNECT_MS = 100,
    RECONNECT_MS_MAX = 1000,
    CONNECT_MS_MAX = 2000,      /* a SYN that nobody answers; TCP alone would wait two minutes */
    FAREWELL_NS = 100000000,    /* if its own connection does not end with ours */
    HANDSHAKE_MS_MAX = 5000,    /* somebody listens but does not speak */
    REFUSED_BEFORE_ASKING = 10, /* tries, until the name is resolved again: it may have moved */
};

static void try_later(struct sv_mesh_peer *peer)
{
    peer->way = SV_MESH_WAY_PAUSE;
    if (peer->pause_ns < PAUSE_NS_MIN)
        peer->pause_ns = PAUSE_NS_MIN;
    sv_source_arm(peer->retry, sv_now_ns() + peer->pause_ns);
    peer->pause_ns = peer->pause_ns * 2 > PAUSE_NS_MAX ? PAUSE_NS_MAX : peer->pause_ns * 2;
}

/* The I/O thread says MONITOR_STOPPED when the socket is gone, and all that it had to send. */
void sv_mesh_peer_await_flush(struct sv_mesh_peer *peer, uint64_t deadline_ns)
{
    struct sv_mesh_event event = {0};
    while (peer->monitor && event.number != ZMQ_EVENT_MONITOR_STOPPED) {
        uint64_t now_ns = sv_now_ns();
        int wait_ms = now_ns < deadline_ns ? (int)((deadline_ns - now_ns) / 1000000) : 0;
        zmq_pollitem_t item = {.socket = peer->monitor, .events = ZMQ_POLLIN};
        if (zmq_poll(&item, 1, wait_ms) <= 0 || !sv_mesh_monitor_take(peer->monitor, &event))
            return;
    }
}

void sv_mesh_peer_flush(struct sv_mesh_peer *peer, uint64_t flush_ns)
{
    int linger_ms = (int)(flush_ns / 1000000);
    sv_zmq_watch_free(peer->watch);
    peer->watch = NULL;
    if (!peer->socket)
        return;
    zmq_setsockopt(peer->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
    zmq_close(peer->socket);
    peer->socket = NULL;
}

void sv_mesh_peer_close_way(struct sv_mesh_peer *peer)
{
    sv_zmq_watch_free(peer->watch);
    peer->watch = NULL;
    if (peer->socket) {
        zmq_socket_monitor(peer->socket, NULL, 0);
        zmq_close(peer->socket);
    }
    if (peer->monitor)
        zmq_close(peer->monitor);
    peer->socket = peer->monitor = NULL;
    peer->way = SV_MESH_WAY_PAUSE;
    peer->is_overrun = false;
}

static int set_options(struct sv_mesh_peer *peer)
{
    struct sv_mesh *mesh = peer->mesh;
    const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IMMEDIATE, 1},
        {ZMQ_SNDHWM, QUEUE_MESSAGES_MAX},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MS_MAX},
        {ZMQ_CONNECT_TIMEOUT, CONNECT_MS_MAX},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS_MAX},
        {ZMQ_TCP_MAXRT, (int)(mesh->settings.give_up_ns / 1000000)},
        {ZMQ_IPV6, 1},
    };
    int r = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(options); i++)
        sv_mesh_set(peer->socket, options[i].option, options[i].value, &r);
    if (!mesh->has_keys || r < 0)
        return r;
    const char *key = sv_mesh_keys_candidate(&mesh->keys, peer->instance, peer->candidate);
    if (!key) {
        peer->candidate = 0;
        key = sv_mesh_keys_candidate(&mesh->keys, peer->instance, 0);
    }
    const struct sv_mesh_key_pair *pair = &mesh->keys.pair;
    snprintf(peer->server_key, sizeof(peer->server_key), "%s", key);
    if (zmq_setsockopt(peer->socket, ZMQ_CURVE_SERVERKEY, key, SV_MESH_KEY_LENGTH) < 0 ||
        zmq_setsockopt(peer->socket, ZMQ_CURVE_PUBLICKEY, pair->public_key.text,
                       SV_MESH_KEY_LENGTH) < 0 ||
        zmq_setsockopt(peer->socket, ZMQ_CURVE_SECRETKEY, pair->secret_key.text,
                       SV_MESH_KEY_LENGTH) < 0)
        return -errno;
    return 0;
}

static bool on_monitor(void *user);

static int begin_way(struct sv_mesh_peer *peer)
{
    struct sv_mesh *mesh = peer->mesh;
    const int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                       ZMQ_EVENT_CONNECT_DELAYED | ZMQ_EVENT_CONNECT_RETRIED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_MONITOR_STOPPED;
    char endpoint[SV_ADDRESS_BYTES + 32];
    uint16_t port =
        mesh->settings.port ? mesh->settings.port : sv_mesh_port_of(peer->instance->http_port);
    bool is_ipv6 = strchr(peer->address, ':') != NULL;
    snprintf(endpoint, sizeof(endpoint), is_ipv6 ? "tcp://[%s]:%u" : "tcp://%s:%u", peer->address,
             port);
    peer->socket = zmq_socket(mesh->context, ZMQ_DEALER);
    if (!peer->socket)
        return -errno;
    int r = set_options(peer);
    if (r < 0)
        return r;
    peer->monitor = sv_mesh_monitor_open(mesh, peer->socket, events);
    if (!peer->monitor || zmq_connect(peer->socket, endpoint) < 0)
        return -errno;
    peer->way = SV_MESH_WAY_TRYING;
    return sv_zmq_watch_new(mesh->loop, peer->monitor, SV_PRIORITY_NORMAL, on_monitor, peer,
                            &peer->watch);
}

static int ask_for_address(struct sv_mesh_peer *peer)
{
    if (peer->is_asked)
        return 0;
    peer->refused_count = 0;
    int r = sv_resolver_ask(peer->mesh->resolver, peer->instance->host, peer->place);
    peer->is_asked = r == 0;
    return r;
}

/* Begins a way now; whatever fails is tried again later. */
static void try_now(struct sv_mesh_peer *peer)
{
    sv_mesh_peer_close_way(peer);
    sv_source_arm(peer->retry, UINT64_MAX);
    int r = peer->address[0] ? begin_way(peer) : ask_for_address(peer);
    if (r == 0)
        return;
    sv_log_error("mesh: cannot begin a connection to %s: %s; trying again", peer->instance->nick,
                 sv_errno_text(r));
    sv_mesh_peer_close_way(peer);
    try_later(peer);
}

static void on_retry(void *user)
{
    struct sv_mesh_peer *peer = user;
    if (peer->mesh->has_keys)
        sv_mesh_refresh_keys(peer->mesh);
    try_now(peer);
}

void sv_mesh_peer_kick(struct sv_mesh_peer *peer)
{
    if (peer->way == SV_MESH_WAY_BACKOFF)
        try_now(peer);
}

void sv_mesh_peer_check_keys(struct sv_mesh_peer *peer)
{
    peer->allowed_key[0] = '\0';
    if (peer->way == SV_MESH_WAY_PAUSE && !peer->is_asked)
        sv_source_arm(peer->retry, sv_now_ns());
    if (!peer->socket || sv_mesh_keys_allow(&peer->mesh->keys, peer->server_key, peer->instance))
        return;
    sv_log_warn("mesh: the key of %s is not trusted any more", peer->instance->nick);
    sv_mesh_peer_lose(peer);
    sv_mesh_peer_part(peer);
    sv_mesh_peer_close_way(peer);
    peer->candidate = 0;
    try_later(peer);
}

void sv_mesh_peer_on_resolved(void *user, uint32_t place, const char *address, const char *why)
{
    struct sv_mesh *mesh = user;
    struct sv_mesh_peer *peer = place < mesh->peer_capacity ? mesh->peers[place] : NULL;
    char more[64];
    if (!peer)
        return;
    peer->is_asked = false;
    if (!address) {
        if (sv_mesh_may_complain(&peer->failed_handshake, &more))
            sv_log_warn("mesh: cannot find the address of %s (%s): %s; trying again%s",
                        peer->instance->nick, peer->instance->host, why, more);
        if (peer->way == SV_MESH_WAY_PAUSE)
            try_later(peer);
        return;
    }
    bool is_same = strcmp(peer->address, address) == 0;
    snprintf(peer->address, sizeof(peer->address), "%s", address);
    if (peer->way != SV_MESH_WAY_CONNECTED && (!is_same || peer->way == SV_MESH_WAY_PAUSE))
        try_now(peer);
}

static void on_connected(struct sv_mesh_peer *peer)
{
    struct sv_mesh *mesh = peer->mesh;
    sv_mesh_peer_part(peer);
    peer->way = SV_MESH_WAY_CONNECTED;
    if (peer->source == SV_MESH_SOURCE_ENDED)
        peer->source = SV_MESH_SOURCE_UNKNOWN;
    peer->pause_ns = 0;
    peer->refused_count = 0;
    mesh->handlers.connected(mesh->handlers.user, peer->place);
    size_t count = peer->held_count;
    zmq_msg_t held[HELD_MESSAGES_MAX];
    memcpy(held, peer->held, count * sizeof(*held));
    peer->held_count = 0;
    for (size_t i = 0; i < count; i++) {
        sv_mesh_receive(mesh, &held[i]);
        zmq_msg_close(&held[i]);
    }
}

void sv_mesh_peer_lose(struct sv_mesh_peer *peer)
{
    if (peer->way != SV_MESH_WAY_CONNECTED)
        return;
    peer->way = SV_MESH_WAY_TRYING;
    peer->is_overrun = false;
    peer->is_parting = true;
    if (peer->source == SV_MESH_SOURCE_ENDED)
        sv_mesh_peer_part(peer);
    else
        sv_source_arm(peer->farewell, sv_now_ns() + FAREWELL_NS);
}

void sv_mesh_peer_end_source(struct sv_mesh_peer *peer)
{
    peer->source = SV_MESH_SOURCE_ENDED;
    sv_mesh_peer_part(peer);
}

void sv_mesh_peer_part(struct sv_mesh_peer *peer)
{
    struct sv_mesh *mesh = peer->mesh;
    if (!peer->is_parting)
        return;
    peer->is_parting = false;
    sv_source_arm(peer->farewell, UINT64_MAX);
    if (!peer->is_closed)
        mesh->handlers.lost(mesh->handlers.user, peer->place);
}

static void on_farewell(void *user)
{
    sv_mesh_peer_part(user);
}

void sv_mesh_peer_give_up(struct sv_mesh_peer *peer)
{
    sv_log_warn("mesh: %s does not read what it is sent; the connection begins anew",
                peer->instance->nick);
    sv_mesh_peer_lose(peer);
    sv_mesh_peer_part(peer);
    if (!peer->is_closed)
        try_now(peer);
}

static void on_failed_handshake(struct sv_mesh_peer *peer, const struct sv_mesh_event *event)
{
    struct sv_mesh *mesh = peer->mesh;
    const char *nick = peer->instance->nick;
    char more[64];
    if (mesh->has_keys)
        peer->candidate++;
    sv_mesh_peer_close_way(peer);
    try_later(peer);
    if (!sv_mesh_may_complain(&peer->failed_handshake, &more))
        return;
    bool is_plain = !mesh->has_keys;
    /* He who has keys may have left for want of one, or the network has broken it off. */
    if (is_plain && event->number == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL)
        sv_log_warn("mesh: a connection to %s ended before anything was said: the network is "
                    "broken, or it has a key (mesh_key), this instance has none; trying again%s",
                    nick, more);
    else if (is_plain)
        sv_log_warn("mesh: %s does not speak plain text: it has a key (mesh_key), this instance "
                    "has none; trying again%s",
                    nick, more);
    else if (event->number == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
        sv_log_warn("mesh: %s refuses the key of this instance; there, say `svctl mesh trust '%s' "
                    "%s`; trying again%s",
                    nick, mesh->keys.pair.public_key.text, mesh->settings.self->nick, more);
    else
        sv_log_warn("mesh: the handshake with %s failed: it has no key (mesh_key), or not the one "
                    "that is trusted here for it (`svctl mesh list`); trying again%s",
                    nick, more);
}

/* Nobody listens there. A name may have moved to another address meanwhile. */
static void on_refused(struct sv_mesh_peer *peer)
{
    peer->way = SV_MESH_WAY_BACKOFF;
    peer->refused_count++;
    if (peer->refused_count >= REFUSED_BEFORE_ASKING && !sv_host_is_numeric(peer->instance->host))
        ask_for_address(peer);
}

static bool on_monitor(void *user)
{
    struct sv_mesh_peer *peer = user;
    struct sv_mesh_event event;
    if (peer->is_closed || !sv_mesh_monitor_take(peer->monitor, &event))
        return false;
    switch (event.number) {
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        on_connected(peer);
        return true;
    case ZMQ_EVENT_DISCONNECTED:
        sv_mesh_peer_lose(peer);
        return true;
    case ZMQ_EVENT_CONNECT_DELAYED:
        peer->way = SV_MESH_WAY_TRYING;
        return true;
    case ZMQ_EVENT_CONNECT_RETRIED:
        on_refused(peer);
        return true;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        on_failed_handshake(peer, &event);
        return false; /* the watch is gone */
    default:
        return true;
    }
}

int sv_mesh_peer_new(struct sv_mesh *mesh, uint32_t place,
                     const struct sv_instance_config *instance, struct sv_mesh_peer **ret_peer)
{
    struct sv_mesh_peer *peer = calloc(1, sizeof(*peer));
    if (!peer)
        return -ENOMEM;
    peer->mesh = mesh;
    peer->place = place;
    peer->instance = instance;
    peer->source = SV_MESH_SOURCE_UNKNOWN;
    if (sv_host_is_numeric(instance->host))
        snprintf(peer->address, sizeof(peer->address), "%s", instance->host);
    int r = sv_loop_add_timer(mesh->loop, PAUSE_NS_MIN / 10, on_retry, peer, &peer->retry);
    if (r == 0)
        r = sv_loop_add_timer(mesh->loop, FAREWELL_NS / 10, on_farewell, peer, &peer->farewell);
    if (r < 0) {
        sv_mesh_peer_free(peer);
        return error_trace(r);
    }
    *ret_peer = peer;
    sv_source_arm(peer->retry, sv_now_ns());
    return 0;
}

void sv_mesh_peer_free(struct sv_mesh_peer *peer)
{
    if (!peer)
        return;
    sv_mesh_peer_close_way(peer);
    for (size_t i = 0; i < peer->held_count; i++)
        zmq_msg_close(&peer->held[i]);
    sv_source_free(peer->retry);
    sv_source_free(peer->farewell);
    free(peer);
}
