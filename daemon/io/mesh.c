/*
 * Opening and closing the mesh, and sending.
 *
 * Every instance has one inbox (ROUTER, mesh_inbox.c) that others connect to, and sends over ways
 * of its own (DEALER, mesh_peer.c): so each direction is one connection, FIFO, begun by who sends.
 * mesh_gate.c decides who may connect.
 *
 * libzmq has threads of its own, which move bytes and never call us. They are born with all signals
 * blocked. A fork without exec must not touch the sockets; svisord always executes.
 */
#include "io/mesh.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "base/log.h"
#include "io/mesh_internal.h"

#define KEYS_PAUSE_NS UINT64_C(1000000000) /* between two looks at the trusted keys */

enum {
    PORT_FIRST = 1024, /* below, only root may listen */
    PORT_COUNT = 65536 - PORT_FIRST,
    PORT_STEP = 20000,
    HANDSHAKE_MS_MAX = 5000, /* who has connected and does not speak */
    KEEPALIVE_IDLE_SECONDS = 10,
    KEEPALIVE_SECONDS = 5,
    KEEPALIVE_COUNT = 3,
    BACKLOG = 512,
    SOCKETS_PER_INSTANCE = 3, /* DEALER, both ends of its monitor */
    SOCKETS_OTHER = 16,
};

/*
 * Neighbours would collide: people number the HTTP ports of the instances of one machine one by
 * one, and Supvisors takes the port after it for events. 20,000 away, and round at the end, each
 * port has one of its own. The usual ones (80, 8080, 9001, 60000) land below 32768, where the
 * kernel begins to take ports for outgoing connections.
 */
uint16_t sv_mesh_port_of(uint16_t http_port)
{
    if (http_port < PORT_FIRST)
        return (uint16_t)(http_port + PORT_STEP);
    return (uint16_t)(PORT_FIRST + (http_port - PORT_FIRST + PORT_STEP) % PORT_COUNT);
}

bool sv_mesh_is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 ||
           strcasecmp(host, "localhost") == 0;
}

void sv_mesh_set(void *socket, int option, int value, int *result)
{
    if (*result == 0 && zmq_setsockopt(socket, option, &value, sizeof(value)) < 0)
        *result = -errno;
}

void *sv_mesh_monitor_open(struct sv_mesh *mesh, void *socket, int events)
{
    char endpoint[64];
    snprintf(endpoint, sizeof(endpoint), "inproc://monitor-%llu",
             (unsigned long long)++mesh->monitor_count);
    if (zmq_socket_monitor(socket, endpoint, events) < 0)
        return NULL;
    void *monitor = zmq_socket(mesh->context, ZMQ_PAIR);
    int r = monitor ? 0 : -errno;
    if (r == 0)
        sv_mesh_set(monitor, ZMQ_LINGER, 0, &r);
    if (r == 0 && zmq_connect(monitor, endpoint) < 0)
        r = -errno;
    if (r == 0)
        return monitor;
    zmq_socket_monitor(socket, NULL, 0);
    if (monitor)
        zmq_close(monitor);
    errno = -r;
    return NULL;
}

/* Two frames: number and value, 16 and 32 bits of the machine; the endpoint. */
bool sv_mesh_monitor_take(void *monitor, struct sv_mesh_event *ret_event)
{
    unsigned char bytes[6];
    char endpoint[8];
    uint16_t number;
    if (zmq_recv(monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) != sizeof(bytes))
        return false;
    zmq_recv(monitor, endpoint, sizeof(endpoint), ZMQ_DONTWAIT);
    memcpy(&number, bytes, sizeof(number));
    memcpy(&ret_event->value, bytes + sizeof(number), sizeof(ret_event->value));
    ret_event->number = number;
    return true;
}

/* Of the connections of others with the inbox. Who failed libzmq does not say. */
static bool on_monitor(void *user)
{
    struct sv_mesh *mesh = user;
    struct sv_mesh_event event;
    char more[64];
    if (!sv_mesh_monitor_take(mesh->monitor, &event))
        return false;
    if (event.number == ZMQ_EVENT_DISCONNECTED) {
        sv_mesh_end_source(mesh, (int)event.value);
        return true;
    }
    mesh->counters.failed_handshakes++;
    if (event.number != ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && /* the gate has said it */
        sv_mesh_may_complain(&mesh->failed_handshake, &more))
        sv_log_warn("mesh: somebody connected and did not speak as an instance with %s does%s",
                    mesh->has_keys ? "the right key" : "plain text", more);
    return true;
}

static void on_sweep(void *user)
{
    struct sv_mesh *mesh = user;
    for (struct sv_mesh_peer *peer; (peer = mesh->closed);) {
        mesh->closed = peer->next_closed;
        sv_mesh_peer_free(peer);
    }
    for (uint32_t place = 0; place < mesh->peer_capacity; place++)
        if (mesh->peers[place] && mesh->peers[place]->is_overrun)
            sv_mesh_peer_give_up(mesh->peers[place]);
    if (mesh->has_keys)
        sv_mesh_refresh_keys(mesh);
    bool has_new_keys = mesh->has_new_keys;
    mesh->has_new_keys = false;
    for (uint32_t place = 0; has_new_keys && place < mesh->peer_capacity; place++)
        if (mesh->peers[place])
            sv_mesh_peer_check_keys(mesh->peers[place]);
}

void sv_mesh_refresh_keys(struct sv_mesh *mesh)
{
    mesh->keys_looked_ns = sv_now_ns();
    if (!sv_mesh_keys_refresh(&mesh->keys))
        return;
    mesh->has_new_keys = true;
    sv_source_enable(mesh->sweep, true);
}

void sv_mesh_look_at_keys(struct sv_mesh *mesh)
{
    if (mesh->has_keys && sv_now_ns() - mesh->keys_looked_ns >= KEYS_PAUSE_NS)
        sv_source_enable(mesh->sweep, true);
}

static int set_inbox_options(struct sv_mesh *mesh)
{
    const struct {
        int option;
        int value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_IPV6, 1},
        {ZMQ_BACKLOG, BACKLOG},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS_MAX},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_SECONDS},
        {ZMQ_TCP_KEEPALIVE_INTVL, KEEPALIVE_SECONDS},
        {ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT},
    };
    /* Twice the bound: what is a little too long can still be counted, more ends the connection. */
    int64_t bytes_max = 2 * (int64_t)SV_MESH_MESSAGE_BYTES_MAX;
    int r = 0;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(options); i++)
        sv_mesh_set(mesh->inbox, options[i].option, options[i].value, &r);
    if (r == 0 && zmq_setsockopt(mesh->inbox, ZMQ_MAXMSGSIZE, &bytes_max, sizeof(bytes_max)) < 0)
        r = -errno;
    if (!mesh->has_keys || r < 0)
        return r;
    sv_mesh_set(mesh->inbox, ZMQ_CURVE_SERVER, 1, &r);
    if (r == 0 && (zmq_setsockopt(mesh->inbox, ZMQ_CURVE_SECRETKEY, mesh->keys.pair.secret_key.text,
                                  SV_MESH_KEY_LENGTH) < 0 ||
                   zmq_setsockopt(mesh->inbox, ZMQ_ZAP_DOMAIN, "svisor", 6) < 0))
        r = -errno;
    return r;
}

static int bind_inbox(struct sv_mesh *mesh, struct sv_str *ret_problem)
{
    char endpoint[SV_ADDRESS_BYTES + 32];
    const struct sv_instance_config *self = mesh->settings.self;
    uint16_t port = mesh->settings.port ? mesh->settings.port : sv_mesh_port_of(self->http_port);
    const char *host = !mesh->settings.is_local         ? "*"
                       : sv_host_is_numeric(self->host) ? self->host
                                                        : "127.0.0.1";
    snprintf(endpoint, sizeof(endpoint), strchr(host, ':') ? "tcp://[%s]:%u" : "tcp://%s:%u", host,
             port);
    if (zmq_bind(mesh->inbox, endpoint) == 0)
        return 0;
    int r = -errno;
    sv_str_addf(ret_problem, "cannot listen on %s: %s", endpoint, zmq_strerror(-r));
    if (r == -EADDRINUSE)
        sv_str_addf(ret_problem, "; write another mesh_port into [svisor] of all instances");
    return r;
}

static int open_inbox(struct sv_mesh *mesh, struct sv_str *ret_problem)
{
    const int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                       ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    mesh->inbox = zmq_socket(mesh->context, ZMQ_ROUTER);
    int r = mesh->inbox ? set_inbox_options(mesh) : -errno;
    if (r == 0 && !(mesh->monitor = sv_mesh_monitor_open(mesh, mesh->inbox, events)))
        r = -errno;
    if (r == 0)
        r = sv_zmq_watch_new(mesh->loop, mesh->monitor, SV_PRIORITY_NORMAL, on_monitor, mesh,
                             &mesh->monitor_watch);
    if (r == 0)
        r = bind_inbox(mesh, ret_problem);
    if (r == 0)
        r = sv_zmq_watch_new(mesh->loop, mesh->inbox, SV_PRIORITY_NORMAL, sv_mesh_take_one, mesh,
                             &mesh->inbox_watch);
    return r;
}

/* The threads of the context are born here, and shall get no signal. */
static int open_context(struct sv_mesh *mesh)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    mesh->context = zmq_ctx_new();
    int r = mesh->context ? 0 : -errno;
    int sockets_max = SV_INSTANCES_MAX * SOCKETS_PER_INSTANCE + SOCKETS_OTHER;
    if (r == 0 && zmq_ctx_set(mesh->context, ZMQ_MAX_SOCKETS, sockets_max) < 0)
        r = -errno;
    void *first = r == 0 ? zmq_socket(mesh->context, ZMQ_PAIR) : NULL;
    if (r == 0 && !first)
        r = -errno;
    if (first)
        zmq_close(first);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static int open_all(struct sv_mesh *mesh, struct sv_str *ret_problem)
{
    const struct sv_mesh_settings *settings = &mesh->settings;
    int r = 0;
    if (settings->key_file && !settings->is_plain) {
        r = sv_mesh_keys_open(settings->key_file, settings->trust_file, ret_problem, &mesh->keys);
        mesh->has_keys = r == 0;
    }
    if (r == 0)
        r = open_context(mesh);
    if (r == 0)
        r = sv_resolver_new(mesh->loop, sv_mesh_peer_on_resolved, mesh, &mesh->resolver);
    if (r == 0)
        r = sv_loop_add_defer(mesh->loop, SV_PRIORITY_NORMAL, on_sweep, mesh, &mesh->sweep);
    if (r == 0 && mesh->has_keys)
        r = sv_mesh_gate_open(mesh);
    if (r == 0)
        r = open_inbox(mesh, ret_problem);
    if (r < 0 && ret_problem->length == 0)
        sv_str_addf(ret_problem, "cannot open the mesh: %s", zmq_strerror(-r));
    return r;
}

int sv_mesh_open(struct sv_loop *loop, const struct sv_mesh_settings *settings,
                 const struct sv_mesh_handlers *handlers, struct sv_str *ret_problem,
                 struct sv_mesh **ret_mesh)
{
    assert(settings->key_file || settings->is_local || settings->is_plain);
    struct sv_mesh *mesh = calloc(1, sizeof(*mesh));
    if (!mesh)
        return -ENOMEM;
    mesh->loop = loop;
    mesh->settings = *settings;
    mesh->handlers = *handlers;
    int r = open_all(mesh, ret_problem);
    if (r < 0) {
        sv_mesh_close(mesh, 0);
        return error_trace(r);
    }
    if (mesh->has_keys)
        sv_str_addf(&mesh->security, "CURVE, public key %s", mesh->keys.pair.public_key.text);
    else
        sv_str_addf(&mesh->security, "plain text%s",
                    settings->is_local ? ", on this machine only" : "");
    *ret_mesh = mesh;
    return 0;
}

/* First all that was sent leaves, then the inbox is closed, whose end tells the others that we are
 * gone: so the last words come before it. */
static void close_ways(struct sv_mesh *mesh, uint64_t flush_ns)
{
    uint64_t deadline_ns = sv_now_ns() + flush_ns;
    for (uint32_t place = 0; flush_ns > 0 && place < mesh->peer_capacity; place++)
        if (mesh->peers[place])
            sv_mesh_peer_flush(mesh->peers[place], flush_ns);
    for (uint32_t place = 0; place < mesh->peer_capacity; place++) {
        if (mesh->peers[place] && flush_ns > 0)
            sv_mesh_peer_await_flush(mesh->peers[place], deadline_ns);
        sv_mesh_peer_free(mesh->peers[place]);
    }
}

void sv_mesh_close(struct sv_mesh *mesh, uint64_t flush_ns)
{
    if (!mesh)
        return;
    sv_resolver_free(mesh->resolver);
    close_ways(mesh, flush_ns);
    for (struct sv_mesh_peer *peer; (peer = mesh->closed);) {
        mesh->closed = peer->next_closed;
        sv_mesh_peer_free(peer);
    }
    sv_zmq_watch_free(mesh->inbox_watch);
    sv_zmq_watch_free(mesh->gate_watch);
    sv_zmq_watch_free(mesh->monitor_watch);
    sv_source_free(mesh->sweep);
    if (mesh->inbox)
        zmq_socket_monitor(mesh->inbox, NULL, 0);
    void *const sockets[] = {mesh->monitor, mesh->inbox, mesh->gate};
    for (size_t i = 0; i < SV_ARRAY_LENGTH(sockets); i++)
        if (sockets[i])
            zmq_close(sockets[i]);
    if (mesh->context)
        zmq_ctx_term(mesh->context);
    sv_mesh_keys_close(&mesh->keys);
    sv_map_done(&mesh->by_identifier);
    sv_str_done(&mesh->bytes);
    sv_str_done(&mesh->security);
    free(mesh->peers);
    free(mesh);
}

static struct sv_mesh_peer *peer_of(const struct sv_mesh *mesh, uint32_t place)
{
    return place < mesh->peer_capacity ? mesh->peers[place] : NULL;
}

static int make_room(struct sv_mesh *mesh, uint32_t place)
{
    if (place < mesh->peer_capacity)
        return 0;
    if (place >= SV_INSTANCES_MAX)
        return -ENOSPC;
    uint32_t capacity = place + 16;
    struct sv_mesh_peer **peers = reallocarray(mesh->peers, capacity, sizeof(*peers));
    if (!peers)
        return -ENOMEM;
    memset(peers + mesh->peer_capacity, 0, (capacity - mesh->peer_capacity) * sizeof(*peers));
    mesh->peers = peers;
    mesh->peer_capacity = capacity;
    return 0;
}

int sv_mesh_connect(struct sv_mesh *mesh, uint32_t place, const struct sv_instance_config *instance)
{
    struct sv_mesh_peer *peer = NULL;
    if (peer_of(mesh, place))
        return 0;
    int r = make_room(mesh, place);
    if (r == 0)
        r = sv_mesh_peer_new(mesh, place, instance, &peer);
    if (r == 0)
        r = sv_map_put(&mesh->by_identifier, instance->identifier, peer);
    if (r < 0) {
        sv_mesh_peer_free(peer);
        return error_trace(r);
    }
    mesh->peers[place] = peer;
    return 0;
}

void sv_mesh_disconnect(struct sv_mesh *mesh, uint32_t place)
{
    struct sv_mesh_peer *peer = peer_of(mesh, place);
    if (!peer)
        return;
    mesh->peers[place] = NULL;
    sv_map_remove(&mesh->by_identifier, peer->instance->identifier);
    peer->is_closed = true;
    peer->next_closed = mesh->closed;
    mesh->closed = peer;
    sv_source_enable(mesh->sweep, true);
}

static int encode(struct sv_mesh *mesh, const struct sv_mesh_peer *peer,
                  const struct sv_mesh_message *message)
{
    const struct sv_mesh_packet packet = {
        .from = mesh->settings.self->identifier,
        .to = peer->instance->identifier,
        .number = peer->sent_number + 1,
        .message = *message,
    };
    sv_str_clear(&mesh->bytes);
    return sv_mesh_encode(&packet, &mesh->bytes);
}

int sv_mesh_send(struct sv_mesh *mesh, uint32_t place, const struct sv_mesh_message *message)
{
    struct sv_mesh_peer *peer = peer_of(mesh, place);
    if (!peer || peer->way != SV_MESH_WAY_CONNECTED || peer->is_overrun) {
        mesh->counters.not_sent++;
        if (peer)
            peer->counters.not_sent++;
        return SV_MESH_E_AWAY;
    }
    int r = encode(mesh, peer, message);
    if (r < 0)
        return error_trace(r);
    int events;
    size_t size = sizeof(events);
    zmq_getsockopt(peer->socket, ZMQ_EVENTS, &events, &size); /* see mesh_peer.c, traps */
    if (zmq_send(peer->socket, mesh->bytes.data, mesh->bytes.length, ZMQ_DONTWAIT) < 0) {
        mesh->counters.not_sent++;
        peer->counters.not_sent++;
        peer->is_overrun = true;
        sv_source_enable(mesh->sweep, true);
        return SV_MESH_E_AWAY;
    }
    peer->sent_number++;
    peer->counters.sent++;
    mesh->counters.sent++;
    return 0;
}

const struct sv_mesh_counters *sv_mesh_counters(const struct sv_mesh *mesh, uint32_t place)
{
    if (place == SV_MESH_ALL)
        return &mesh->counters;
    struct sv_mesh_peer *peer = peer_of(mesh, place);
    return peer ? &peer->counters : NULL;
}

const char *sv_mesh_security(const struct sv_mesh *mesh)
{
    return sv_str_text(&mesh->security);
}
