/*
 * A world for core/cluster to live in: nodes with clocks of their own, a network that delays,
 * loses, repeats, reorders and breaks, daemons that crash and are stopped, keepers that keep their
 * promise, and programs that die at the worst moment. See cluster_world.c; cluster_judge.c says
 * what must hold.
 */
#ifndef SV_TESTS_SIM_CLUSTER_WORLD_H
#define SV_TESTS_SIM_CLUSTER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/cluster/cluster.h"
#include "core/core.h"

enum { PROGRAMS = 7, REQUESTS_MAX = 64, NODES_USUAL_MAX = 9 };

#define SECOND_NS UINT64_C(1000000000)
#define MS_NS     UINT64_C(1000000)

struct program {
    const char *application;
    const char *name;
    bool is_managed;
    bool is_automatic; /* its application and itself have a start_sequence */
    int application_sequence, sequence;
    uint32_t startsecs;
};

/* The harness does wrong on purpose, to see that the judge sees it. */
enum world_lie {
    LIE_NONE,
    LIE_KEEPER, /* keepers do not kill when the right to run has ended */
    LIE_TURN,   /* a daemon starts a2 with a1 */
    LIE_TERM,   /* all Masters seem to have one term */
};

struct turn { /* what has happened to a program in this life: cluster_turns.c */
    bool is_wanted, was_ever_wanted; /* its start was commanded, since a command stopped it last */
    bool is_begun, was_ever_begun;   /* and carried out */
    bool is_asked;                   /* by name: it has no turn any more */
    bool is_group_asked;             /* its application, likewise */
    uint64_t starting_ns;            /* when its last run began */
};

struct actor { /* a process of a node: what really is */
    bool is_configured;
    bool is_alive;
    uint32_t run;                /* counts its lives */
    enum sv_process_state state; /* as the daemon of the node knows it */
    bool is_expected;
    bool is_fenced;                       /* it was killed because nobody may run it */
    uint64_t start_ns, stop_ns, event_ns; /* of the node's clock */
};

struct node {
    struct sv_cluster *cluster; /* NULL: no daemon */
    struct sv_supvisors_config config;
    uint64_t incarnation;
    uint64_t clock_base_ns;
    uint64_t clock_permille; /* of the world's: 900 to 1100 */
    uint64_t paused_until_ns;
    uint64_t timer_version;
    uint64_t armed_ns; /* the timer of that version, by the world's clock; 0: none */
    uint64_t keeper_version;
    uint64_t promise_ns; /* of the node's clock; 0: none */
    struct actor actors[PROGRAMS];
    uint64_t working_since_ns; /* as a Master */
    struct weighed {           /* how long its rows were on the wire: a CHANGE, a SNAPSHOT */
        uint64_t revision;
        size_t run_count;
        size_t bytes;
    } weighed[2];
    bool is_ending; /* its daemon stops what runs, and goes */
};

struct packet { /* a message under way, perhaps several times */
    unsigned reference_count;
    struct sv_arena arena;
    struct sv_mesh_message message;
};

enum item_kind {
    ITEM_PACKET,
    ITEM_TIMER,   /* of a daemon */
    ITEM_ACTOR,   /* a process comes to its next state by itself */
    ITEM_TOLD,    /* the daemon hears of the end of a process */
    ITEM_CONNECT, /* it tries to connect */
    ITEM_LOST,    /* its connection broke */
    ITEM_KEEPER,
    ITEM_BIRTH, /* a daemon is started */
    ITEM_BEACON,
    ITEM_FAULT, /* whoever makes trouble has a turn */
};

struct item {
    uint64_t due_ns;
    uint64_t order;
    enum item_kind kind;
    uint32_t node, other;
    uint64_t version; /* of what it belongs to: another one by now means that it is void */
    uint32_t program;
    struct packet *packet;
};

struct asked {
    bool is_open;
    uint64_t id;
    uint32_t node;
    uint64_t incarnation;
    uint64_t since_ns;
    enum sv_cluster_request_kind kind;
};

struct world_options {
    uint64_t seed;
    uint64_t duration_ns; /* with faults; then it is healed */
    uint32_t node_count;  /* 0: by the seed */
    bool is_traced;
    bool is_calm; /* no faults at all: for figures */
    enum world_lie lie;
};

struct world {
    struct world_options options;
    uint64_t random;
    uint64_t now_ns;
    uint64_t step_count;
    bool is_healed;
    /* What this seed is about. */
    bool has_quorum;
    bool is_rough;       /* messages are lost, repeated and reordered */
    bool has_partitions; /* links are cut, daemons are paused */
    bool has_requests;
    bool has_failures;   /* programs crash, or cannot be started */
    bool is_varied;      /* other options than the usual, daemons that leave: cluster_variety.c */
    bool is_discovering; /* cluster_discovery.c */
    uint64_t variety; /* a random state of its own: the lives of other seeds stay what they were */

    uint32_t node_count;
    struct node *nodes;
    struct program programs[PROGRAMS];
    struct turn turns[PROGRAMS];
    bool *is_cut;       /* [from * node_count + to] */
    bool *is_connected; /* likewise */
    uint64_t *last_due_ns;
    uint64_t latency_ns;

    struct item *items; /* a heap */
    size_t item_count, item_capacity;
    uint64_t order;
    struct sv_cluster_actions actions;

    struct sv_supvisors_config config;
    struct sv_cluster_config timing;
    struct sv_instance_config *instances;
    struct sv_arena arena;
    struct sv_rules *rules;

    struct asked asked[REQUESTS_MAX];
    uint64_t last_request;
    uint64_t message_count, byte_count, digest;
    struct sv_str bytes; /* of the message that is weighed */
    uint64_t heal_ns;
    uint64_t looked_ns; /* whether all has settled, last */
};

struct world_figures {
    uint64_t digest, step_count, message_count;
    struct traffic { /* what all nodes have sent */
        uint64_t messages, bytes;
    } bring_up,            /* until then */
        idle,              /* in a second without events */
        change;            /* for a process that is stopped and started again */
    uint64_t operation_ns; /* from the start of the last daemon to OPERATION everywhere */
    uint32_t node_count;
};

struct world_figures cluster_world_run(const struct world_options *options);
/* No faults: what the mesh costs. */
struct world_figures cluster_world_cost(uint64_t seed, uint32_t node_count);

#endif
