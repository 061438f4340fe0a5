/*
 * The sockets of the mesh: one inbox for all other instances, one way to each of them (libzmq).
 *
 * For each instance that was asked for with sv_mesh_connect() the order of events is
 *
 *     connected, message*, lost, connected, message*, lost, ...
 *
 * A message that comes before there is a way back waits (a few of them) until there is one, so that
 * HELLO can always be answered. `lost` says that the way broke: the daemon there died, or ended it,
 * or read so slowly that we did, or TCP gave up on a network that swallows everything. A silent
 * instance is not lost here: heartbeats are core's.
 *
 * Who is who: a packet names its sender; with keys, the key of its connection must be trusted for
 * that name. Whatever else arrives is counted, logged once in a while for each instance, and
 * dropped.
 */
#ifndef SV_IO_MESH_H
#define SV_IO_MESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "config/supvisors.h"
#include "io/loop.h"
#include "port/mesh.h"

struct sv_mesh;

/* Why a packet was dropped. */
enum sv_mesh_drop {
    SV_MESH_DROP_MALFORMED,
    SV_MESH_DROP_OVERSIZED,
    SV_MESH_DROP_KIND,      /* of a newer version */
    SV_MESH_DROP_REPLAYED,  /* its number, or a later one, has been here */
    SV_MESH_DROP_MISPLACED, /* meant for somebody else */
    SV_MESH_DROP_FORGED,    /* the key may not speak for that sender */
    SV_MESH_DROP_STRANGER,  /* the sender is not connected */
    SV_MESH_DROP_WAITING,   /* too many came before there was a way back */
    SV_MESH_DROP_COUNT
};

struct sv_mesh_counters {
    uint64_t sent;
    uint64_t received;
    uint64_t not_sent; /* no way there, or it was full */
    uint64_t dropped[SV_MESH_DROP_COUNT];
    uint64_t refused;           /* connections whose key is not trusted */
    uint64_t failed_handshakes; /* of others with us: another key, no key, not even ZeroMQ */
};

struct sv_mesh_settings {
    const struct sv_instance_config *self;
    uint16_t port; /* of the mesh, here and elsewhere; 0: sv_mesh_port_of() each http_port */
    /* All instances are on this machine and no key is needed: nobody else can connect. */
    bool is_local;
    bool is_plain;          /* no keys, whoever may listen */
    const char *key_file;   /* NULL with is_local or is_plain */
    const char *trust_file; /* NULL: only the own key is trusted */
    /* So long TCP tries before a network that swallows everything counts as broken. */
    uint64_t give_up_ns;
};

/* `place` is the one of sv_mesh_connect(). What is pointed to lives for the call. */
struct sv_mesh_handlers {
    void (*connected)(void *user, uint32_t place);
    void (*lost)(void *user, uint32_t place);
    void (*message)(void *user, uint32_t place, const struct sv_mesh_message *message);
    /* HELLO of somebody whom sv_mesh_connect() does not know: as good as a beacon. May be NULL. */
    void (*stranger)(void *user, const struct sv_mesh_hello *hello);
    void *user;
};

/* The port where an instance with this http_port listens, if none is configured. */
uint16_t sv_mesh_port_of(uint16_t http_port);
/* 127.0.0.0/8, ::1 or localhost: what is sent there does not leave the machine. */
bool sv_mesh_is_loopback(const char *host);

/*
 * What the configuration means for the mesh. 0; SV_MESH_E_ALONE: there is nobody to speak with, and
 * no discovery; or -EPERM: it would need a key, and `ret_problem` says how to come by one. The
 * configurations are borrowed for the life of the mesh.
 */
#define SV_MESH_E_ALONE 1
int sv_mesh_plan(const struct sv_supvisors_config *supvisors,
                 const struct sv_cluster_config *cluster, const struct sv_instance_config *self,
                 struct sv_mesh_settings *ret_settings, struct sv_str *ret_problem);

/*
 * Opens the inbox. 0, or negative errno and in `ret_problem` a sentence for people that says what
 * to do. Strings of the settings are borrowed for the life of the mesh.
 */
int sv_mesh_open(struct sv_loop *loop, const struct sv_mesh_settings *settings,
                 const struct sv_mesh_handlers *handlers, struct sv_str *ret_problem,
                 struct sv_mesh **ret_mesh);
/* Waits until what was sent has left, at most `flush_ns`; the others hear it before `lost`. NULL is
 * allowed. Not from a handler. */
void sv_mesh_close(struct sv_mesh *mesh, uint64_t flush_ns);

/* Opens a way there, and keeps trying until sv_mesh_disconnect(). The instance is borrowed. 0 also
 * when it is already so; negative errno. */
int sv_mesh_connect(struct sv_mesh *mesh, uint32_t place,
                    const struct sv_instance_config *instance);
/* Ends the way; its packets are dropped from now on. No `lost` follows. */
void sv_mesh_disconnect(struct sv_mesh *mesh, uint32_t place);

#define SV_MESH_E_AWAY 1 /* there is no way there now: nothing was sent */
/* 0, SV_MESH_E_AWAY, -EMSGSIZE or -ENOMEM. When the other side is so slow that the queue is full,
 * the way is given up: `lost` follows. */
int sv_mesh_send(struct sv_mesh *mesh, uint32_t place, const struct sv_mesh_message *message);

/* Of one instance, or of all together with SV_MESH_ALL. NULL: no such place. */
#define SV_MESH_ALL UINT32_MAX
const struct sv_mesh_counters *sv_mesh_counters(const struct sv_mesh *mesh, uint32_t place);
/* "CURVE, key Yne@..." or "plain text, on this machine only", for logs and reports. */
const char *sv_mesh_security(const struct sv_mesh *mesh);

#endif
