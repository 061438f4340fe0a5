/*
 * What instances of a cluster say to each other, as plain data. wire/mesh.h has the bytes
 * (include/svisor/mesh.proto), io/mesh.h the sockets, core/cluster the meaning.
 *
 * Every instance owns its own rows (its state and modes, its processes) and is their only writer. A
 * message about rows is either a SNAPSHOT of all of them or a numbered CHANGE: revision n + 1 after
 * revision n. Who misses one asks with RESYNC.
 *
 * Strings and arrays are borrowed: in an event for the step, in an action until the next step.
 * Durations are nanoseconds; points in time are of the *sender's* clocks and are only ever compared
 * with each other.
 */
#ifndef SV_PORT_MESH_H
#define SV_PORT_MESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/choices.h>
#include <svisor/states.h>
#include <svisor/timeline.h>

#define SV_MESH_PROTOCOL 1 /* of HELLO; others are refused, with both numbers in the log */

enum sv_mesh_kind {
    SV_MESH_HELLO,     /* who I am and what I was told to do; begins every conversation */
    SV_MESH_WELCOME,   /* the answer to HELLO: what I think of you */
    SV_MESH_HEARTBEAT, /* I live, and this is the revision of my rows */
    SV_MESH_SNAPSHOT,  /* all my rows */
    SV_MESH_CHANGE,    /* some of my rows */
    SV_MESH_RESYNC,    /* send me a SNAPSHOT */
    SV_MESH_COMMAND,   /* do something; sent again until ANSWERed, done once */
    SV_MESH_ANSWER,
    SV_MESH_CONFIRM, /* have you my rows as they are? and the answer: up to this revision */
    SV_MESH_BYE,     /* I end on purpose */
    SV_MESH_CALL,    /* a client of mine calls a remote method of yours; not for core/cluster */
    SV_MESH_RESULT,  /* what came of it, in parts; or that it goes on */
    SV_MESH_WANT,    /* whether the rest of a RESULT is wanted */
    SV_MESH_NEWS,    /* what has happened here, in words; best effort, not for core/cluster */
    SV_MESH_KIND_COUNT
};

/* The options that must be the same in all instances. */
struct sv_mesh_strategies {
    bool auto_fence;
    enum sv_starting_strategy starting;
    enum sv_conciliation_strategy conciliation;
    enum sv_supvisors_failure_strategy supvisors_failure;
    bool quorum;
    uint64_t daemon_grace_ns;
    uint64_t quorum_stop_after_ns;
};

/* Of a host when its daemon began, for people. */
struct sv_mesh_network {
    const char *host_name; /* as the kernel has it */
    struct sv_mesh_address {
        const char *interface, *address, *netmask; /* IPv4, in figures */
    } const *addresses;
    size_t address_count;
};

struct sv_mesh_hello {
    uint32_t protocol;
    const char *version; /* of svisord, for people */
    const char *identifier;
    const char *nick;
    const char *machine_id; /* instances with the same one are on one node */
    const char *host;
    uint16_t http_port;
    const char *const *stereotypes;
    size_t stereotype_count;
    struct sv_mesh_network network;
    struct sv_mesh_strategies strategies;
    /* 0: unknown. The one that I know of you: who was lost and comes back sees it. */
    uint64_t known_incarnation;
};

enum sv_mesh_authorization {
    SV_MESH_AUTHORIZED,
    SV_MESH_NOT_AUTHORIZED, /* isolated here */
    SV_MESH_INCONSISTENT,   /* `text` says which option differs, and how */
    SV_MESH_UNKNOWN_HERE,   /* not in supvisors_list, and there is no discovery */
};

/*
 * How an instance sees those that it knows, itself included. Sums are of hashes of identifiers
 * (core/cluster/instance.c), and wrap: two with the same sum mean the same instances.
 */
struct sv_mesh_sight {
    uint64_t running_sum; /* of those that are seen RUNNING */
    uint32_t running_count;
    uint64_t known_sum; /* of all that are known: who knows the same ones can read the runs */
    /* All of them in the order of their identifiers (strcmp), as runs of those that are seen alike.
     * None: much is changing, what was told before holds no more, and the runs follow soon. */
    const struct sv_mesh_run {
        uint32_t count;
        enum sv_instance_state state;
        /* Nothing runs there any more that the cluster has started: nothing was acknowledged to it
         * for so long that its right to run has ended (quorum; docs/mesh.md). */
        bool is_settled;
    } * runs;
    size_t run_count;
};

/* State and modes: what an instance thinks of the cluster. */
struct sv_mesh_modes {
    enum sv_supvisors_state state;
    bool degraded_mode;
    bool discovery_mode;
    bool starting_jobs;
    bool stopping_jobs;
    const char *master_identifier; /* "": none */
    /* Counts Masters: who is newly one takes a greater term than all that it has heard of, and
     * nobody ever goes back to a smaller one (docs/mesh.md). 0: no Master was known yet. */
    uint64_t term;
    const struct sv_mesh_sight *sight; /* NULL: as it was told last. A SNAPSHOT always has it */
};

/* One process of the sender. */
struct sv_mesh_process {
    const char *application; /* Supervisor's group */
    const char *name;
    bool is_removed; /* CHANGE: it is configured no more; nothing else is meaningful */
    enum sv_process_state state;
    int32_t pid;
    bool is_expected;
    /* It ended because nobody here may run it: there was no daemon for daemon_grace, or no majority
     * (quorum). The cluster looks after it as if it had been lost with its instance. */
    bool is_fenced;
    bool is_disabled;
    bool has_stdout, has_stderr;
    const char *spawnerr;
    const char *description; /* Supervisor's text */
    const char *extra_arguments;
    const char *program_name;
    uint32_t process_index;
    uint32_t startsecs, stopwaitsecs;
    int64_t start_wall_ns, stop_wall_ns; /* 0: never */
    uint64_t start_ns, stop_ns;          /* CLOCK_MONOTONIC of the sender; 0: never */
    uint64_t event_ns;                   /* when this became so; CLOCK_MONOTONIC of the sender */
};

/* What somebody who asked for a start or a stop and did not get it thinks of a process. It holds
 * until the process says something newer itself: a row like the others, in each SNAPSHOT while it
 * holds, and its end is told. */
struct sv_mesh_forced {
    const char *application;
    const char *name;
    const char *identifier; /* where it was asked for; "": nowhere */
    enum sv_process_state state;
    bool is_lifted; /* it holds no more; only the two names and the serial are meaningful */
    /* Greater than of all that the sender had heard of, with low bits of its own: of two about one
     * process the greater one holds, whoever hears them in which order. */
    uint64_t serial;
    const char *reason;
    uint64_t event_ns; /* the newest event of `identifier` that the sender had seen */
};

struct sv_mesh_rows { /* SNAPSHOT, CHANGE */
    uint64_t revision;
    const struct sv_mesh_modes *modes; /* NULL: not changed */
    const struct sv_mesh_process *processes;
    size_t process_count;
    const struct sv_mesh_forced *forced;
    size_t forced_count;
    uint64_t now_ns; /* CLOCK_MONOTONIC of the sender */
    int64_t now_wall_ns;
};

enum sv_mesh_command_kind {
    SV_MESH_COMMAND_START,    /* application, name, extra_arguments */
    SV_MESH_COMMAND_STOP,     /* application, name */
    SV_MESH_COMMAND_RESTART,  /* the whole cluster; to the Master */
    SV_MESH_COMMAND_SHUTDOWN, /* likewise */
};

struct sv_mesh_command {
    uint64_t id; /* unique within an incarnation of the sender */
    enum sv_mesh_command_kind kind;
    const char *application;
    const char *name;
    const char *extra_arguments;
    uint64_t term; /* of the sender; with quorum, a START of another term is refused */
    /* CLOCK_MONOTONIC of the receiver, as the sender last heard it: how old this can be. */
    uint64_t heard_ns;
};

struct sv_mesh_answer {
    uint64_t id;
    uint64_t revision; /* the sender's rows of this revision tell what came of it */
    int fault;         /* Supervisor's and Supvisors' codes; 0: accepted */
    const char *text;  /* of the fault, without its name */
};

/* A value in JSON, which the mesh only carries. */
struct sv_mesh_json {
    const char *bytes; /* without a NUL behind them */
    size_t length;
};

struct sv_mesh_call {
    uint64_t id; /* of the caller; of no two calls of any two of its daemons */
    const char *method;
    struct sv_mesh_json params; /* an array */
};

enum sv_mesh_progress {
    SV_MESH_RESULT_WAITS, /* nothing yet: said again every second while it goes on */
    SV_MESH_RESULT_PART,  /* more follows, once the caller has said WANT */
    SV_MESH_RESULT_ENDS,  /* the last part, or a fault */
};

struct sv_mesh_result {
    uint64_t id;
    enum sv_mesh_progress progress;
    int fault;                /* as the method gave it; 0: none */
    const char *text;         /* of the fault, with its name */
    struct sv_mesh_json part; /* of the result */
};

struct sv_mesh_news {
    const struct sv_mesh_news_item {
        enum sv_timeline_kind kind;
        enum sv_timeline_level level;
        const char *application; /* "": it is about none; likewise the process */
        const char *process;
        const char *text;
    } * items;
    size_t count;
};

struct sv_mesh_message {
    enum sv_mesh_kind kind;
    uint64_t
        incarnation; /* of the sending daemon: greater after each start of it, also over boots */
    union {
        struct sv_mesh_hello hello;
        struct {
            enum sv_mesh_authorization authorization;
            uint64_t greeted_incarnation; /* of the HELLO that this answers */
            const char *text;             /* why not, for people */
        } welcome;
        struct {
            uint64_t revision;
            uint64_t sequence; /* counts heartbeats */
            /* The newest heartbeat of the receiver that the sender has seen, of the incarnation
             * below; 0: none. Who hears somebody that does not hear him knows it by this. */
            uint64_t acknowledged;
            uint64_t acknowledged_incarnation;
            uint64_t term; /* of the sender; see sv_mesh_modes */
            uint64_t now_ns;
            int64_t now_wall_ns;
        } heartbeat;
        struct sv_mesh_rows rows;
        struct sv_mesh_command command;
        struct sv_mesh_answer answer;
        struct {
            bool is_question;
            uint64_t revision; /* of the rows of who asks */
        } confirm;
        struct {
            bool keeps_programs; /* on_stop=keep: they live on, a daemon will come back */
        } bye;
        struct sv_mesh_call call;
        struct sv_mesh_result result;
        struct {
            uint64_t id;    /* of a CALL */
            bool is_wanted; /* the next part, please. False: nobody waits for it any more */
        } want;
        struct sv_mesh_news news;
    };
};

#endif
