/*
 * Calls between instances, for relay.c (those that are asked for here) and serve.c (those that are
 * done here).
 *
 *     here                                     there
 *     CALL (id, method, params)  ──────────>   the method is called
 *                                <──────────   RESULT waits, every second while it goes on
 *                                <──────────   RESULT, a part of the answer
 *     WANT the next one          ──────────>
 *                                <──────────   RESULT, the last part, or the fault
 *
 * A message is lost only with its connection, and then either side may be the one that does not
 * know. So a call lives as long as both sides say so: here for SV_RELAY_PATIENCE_NS after the last
 * word from there, which also is how a version that knows no CALL is found out; there until the
 * caller, told of a call that it does not know, answers that nobody wants it. What core/cluster
 * says of the other instance ends calls at once: it is lost, isolated, or has another daemon.
 *
 * One part is under way for each call, so that heartbeats pass between the parts of a long result.
 * For the same reason a turn of the loop does one thing that takes time, and only when nothing else
 * is to be done: it makes a call, or reads a whole result, which are up to 30 ms.
 *
 * Whose caller goes away is not waited for any more there either; what it has begun goes on, as for
 * a local client.
 */
#ifndef SV_DRIVER_CLUSTER_RELAY_H
#define SV_DRIVER_CLUSTER_RELAY_H

#include <svisor/limits.h>

#include "api/fault.h"
#include "driver/cluster/internal.h"

/* Whose call it is, or who is to answer it. */
struct sv_relay_party {
    sv_instance_place place;
    uint64_t incarnation; /* of its daemon */
};

struct sv_relay_asked {
    uint64_t id; /* of api */
    struct sv_relay_party party;
    char *method;
    struct sv_str result; /* the parts that have come */
    bool is_whole;        /* all of them: it waits for its turn to be read */
    uint64_t heard_ns;
};

struct sv_relay_served {
    struct sv_driver_cluster *cluster;
    uint64_t id; /* of the caller */
    struct sv_relay_party party;
    uint64_t number; /* counts the calls that came */
    char *method;    /* NULL: it has been made; otherwise it waits for its turn */
    json_t *params;
    struct sv_api_call *waiting; /* NULL: it is not made yet, or has its result */
    char *result;                /* NULL: there is none yet */
    size_t length, sent;
    uint64_t sent_ns; /* the last part */
};

struct sv_relay {
    struct sv_source *timer; /* armed while there are calls */
    struct sv_source *work;  /* enabled while one waits for its turn */
    bool makes_first;        /* of two that wait, so that neither has to for ever */
    struct sv_relay_asked *asked[SV_RELAY_CALLS_MAX];
    size_t asked_count;
    struct sv_relay_served *served[SV_RELAY_CALLS_MAX];
    size_t served_count;
    uint64_t last_number; /* of those that were to be served */
};

/* 0, or SV_MESH_E_AWAY or negative errno: it is lost. */
int sv_relay_send(struct sv_driver_cluster *cluster, sv_instance_place place,
                  struct sv_mesh_message message);
/* True: it takes part in the cluster, and its daemon is still that one. */
bool sv_relay_is_there(const struct sv_driver_cluster *cluster, const struct sv_relay_party *party);
/* "s2", as people call it. */
const char *sv_relay_nick(const struct sv_driver_cluster *cluster, sv_instance_place place);
/* The timer fires within a second, if it did not anyway. */
void sv_relay_watch(struct sv_driver_cluster *cluster);

/* serve.c */
void sv_relay_serve(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                    const struct sv_mesh_call *call);
/* Makes the call that has waited longest. False: there is none. */
bool sv_relay_make_one(struct sv_driver_cluster *cluster);
void sv_relay_wanted(struct sv_driver_cluster *cluster, const struct sv_relay_party *party,
                     uint64_t id, bool is_wanted);
/* Ends what nobody waits for any more, and tells of the rest that it goes on. */
void sv_relay_review_served(struct sv_driver_cluster *cluster);
void sv_relay_free_served(struct sv_relay *relay);

#endif
