/*
 * The inbox: a ROUTER that only receives. Nobody is known by its routing id, which a peer could
 * choose, but by the packet and the key of its connection.
 *
 * A packet goes through: is it short enough, can it be read, is it for us, from an instance that is
 * connected, with a key that may speak for it, newer than the last one. mesh_drop.c counts what
 * ends on the way. A packet from somebody to whom there is no way yet is held, and hurries the way.
 *
 * Two connections join two instances, ours to it and its own to the inbox, and both end when it
 * dies. libzmq reports the end of a connection after it has handed over what came by it, but knows
 * nothing of the other one. So an instance is lost when its own has ended: what it said last, as
 * that it ends the cluster, or that a program runs, comes before. Messages tell their connection's
 * descriptor (ZMQ_SRCFD: old, but libzmq has no other way), and so does the monitor.
 */
#include <stdio.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/error.h"
#include "io/mesh_internal.h"

enum { DRAIN_MESSAGES_MAX = 2000 }; /* the queues of one connection, both full */

static const char *property(zmq_msg_t *message, const char *name)
{
    const char *value = zmq_msg_gets(message, name);
    return value ? value : "";
}

static bool may_speak(struct sv_mesh *mesh, struct sv_mesh_peer *peer, zmq_msg_t *message)
{
    const char *key = property(message, "User-Id");
    if (!mesh->has_keys)
        return true;
    if (strcmp(key, peer->allowed_key) == 0)
        return true;
    if (!sv_mesh_keys_allow(&mesh->keys, key, peer->instance))
        return false;
    snprintf(peer->allowed_key, sizeof(peer->allowed_key), "%s", key);
    return true;
}

static void hold(struct sv_mesh *mesh, struct sv_mesh_peer *peer, zmq_msg_t *message)
{
    if (peer->held_count == HELD_MESSAGES_MAX) {
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_WAITING, "", "");
    } else {
        zmq_msg_t *place = &peer->held[peer->held_count++];
        zmq_msg_init(place);
        zmq_msg_move(place, message);
    }
    sv_mesh_peer_kick(peer);
}

static void take_stranger(struct sv_mesh *mesh, const struct sv_mesh_packet *packet,
                          zmq_msg_t *message)
{
    const struct sv_mesh_hello *hello = &packet->message.hello;
    if (packet->message.kind != SV_MESH_HELLO || !mesh->handlers.stranger) {
        sv_mesh_drop(mesh, NULL, SV_MESH_DROP_STRANGER, packet->from,
                     property(message, "Peer-Address"));
        return;
    }
    const struct sv_instance_config claimed = {
        .identifier = hello->identifier, .nick = hello->nick, .host = hello->host};
    if (mesh->has_keys &&
        !sv_mesh_keys_allow(&mesh->keys, property(message, "User-Id"), &claimed)) {
        sv_mesh_drop(mesh, NULL, SV_MESH_DROP_FORGED, packet->from,
                     property(message, "Peer-Address"));
        return;
    }
    mesh->handlers.stranger(mesh->handlers.user, hello);
}

static void take_packet(struct sv_mesh *mesh, struct sv_mesh_peer *peer,
                        const struct sv_mesh_packet *packet)
{
    const struct sv_mesh_message *message = &packet->message;
    if (message->incarnation == peer->incarnation && packet->number <= peer->last_number) {
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_REPLAYED, "", "");
        return;
    }
    peer->incarnation = message->incarnation;
    peer->last_number = packet->number;
    peer->counters.received++;
    mesh->counters.received++;
    mesh->handlers.message(mesh->handlers.user, peer->place, message);
}

/* To whom a packet that cannot be read is held against: what it says at its beginning. */
static struct sv_mesh_peer *suspect_of(struct sv_mesh *mesh, zmq_msg_t *message, char *from,
                                       size_t from_size)
{
    if (!sv_mesh_sender(zmq_msg_data(message), zmq_msg_size(message), from, from_size))
        snprintf(from, from_size, "%s", property(message, "Peer-Address"));
    struct sv_mesh_peer *peer = sv_map_get(&mesh->by_identifier, from);
    return peer && may_speak(mesh, peer, message) ? peer : NULL;
}

/* Of one that is parting the last words are heard, but nothing of the daemon that comes after. */
static bool is_heard(struct sv_mesh_peer *peer, const struct sv_mesh_message *message)
{
    bool is_first = peer->incarnation == 0;
    if (peer->is_parting && !is_first && message->incarnation != peer->incarnation)
        sv_mesh_peer_part(peer);
    return peer->is_parting || peer->way == SV_MESH_WAY_CONNECTED;
}

static void take_or_hold(struct sv_mesh *mesh, struct sv_mesh_peer *peer,
                         const struct sv_mesh_packet *packet, zmq_msg_t *message)
{
    bool heard = is_heard(peer, &packet->message);
    peer->source = zmq_msg_get(message, ZMQ_SRCFD);
    if (heard)
        take_packet(mesh, peer, packet);
    else
        hold(mesh, peer, message);
}

void sv_mesh_receive(struct sv_mesh *mesh, zmq_msg_t *message)
{
    struct sv_arena arena SV_CLEANUP(sv_arena_done) = {0};
    struct sv_mesh_packet packet = {0};
    const char *why = "";
    char from[SV_ADDRESS_BYTES + 256];
    if (zmq_msg_size(message) > SV_MESH_MESSAGE_BYTES_MAX) {
        struct sv_mesh_peer *peer = suspect_of(mesh, message, from, sizeof(from));
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_OVERSIZED, from, "");
        return;
    }
    int r = sv_mesh_decode(zmq_msg_data(message), zmq_msg_size(message), &arena, &packet, &why);
    if (r != 0) {
        struct sv_mesh_peer *peer = suspect_of(mesh, message, from, sizeof(from));
        enum sv_mesh_drop kind = r == SV_MESH_E_KIND ? SV_MESH_DROP_KIND : SV_MESH_DROP_MALFORMED;
        sv_mesh_drop(mesh, peer, kind, from, r < 0 ? sv_errno_text(r) : why);
        return;
    }
    struct sv_mesh_peer *peer = sv_map_get(&mesh->by_identifier, packet.from);
    bool is_impostor = packet.message.kind == SV_MESH_HELLO &&
                       strcmp(packet.message.hello.identifier, packet.from) != 0;
    if (strcmp(packet.to, mesh->settings.self->identifier) != 0)
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_MISPLACED, packet.from, packet.to);
    else if (is_impostor)
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_FORGED, packet.from, packet.message.hello.identifier);
    else if (!peer)
        take_stranger(mesh, &packet, message);
    else if (!may_speak(mesh, peer, message))
        sv_mesh_drop(mesh, peer, SV_MESH_DROP_FORGED, "", property(message, "Peer-Address"));
    else
        take_or_hold(mesh, peer, &packet, message);
    sv_mesh_look_at_keys(mesh);
}

/* One message of two frames: the routing id, which says nothing, and the packet. */
bool sv_mesh_take_one(void *user)
{
    struct sv_mesh *mesh = user;
    zmq_msg_t id, message;
    zmq_msg_init(&id);
    if (zmq_msg_recv(&id, mesh->inbox, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&id);
        return false;
    }
    bool has_more = zmq_msg_more(&id);
    zmq_msg_close(&id);
    zmq_msg_init(&message);
    if (has_more && zmq_msg_recv(&message, mesh->inbox, ZMQ_DONTWAIT) >= 0) {
        has_more = zmq_msg_more(&message);
        if (has_more)
            sv_mesh_drop(mesh, NULL, SV_MESH_DROP_MALFORMED, property(&message, "Peer-Address"),
                         "it has several parts");
        else
            sv_mesh_receive(mesh, &message);
    }
    while (has_more && zmq_msg_recv(&message, mesh->inbox, ZMQ_DONTWAIT) >= 0)
        has_more = zmq_msg_more(&message);
    zmq_msg_close(&message);
    return true;
}

void sv_mesh_end_source(struct sv_mesh *mesh, int source)
{
    sv_zmq_watch_drain(mesh->inbox_watch, DRAIN_MESSAGES_MAX);
    for (uint32_t place = 0; place < mesh->peer_capacity; place++)
        if (mesh->peers[place] && mesh->peers[place]->source == source)
            sv_mesh_peer_end_source(mesh->peers[place]);
}
