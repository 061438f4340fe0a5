/*
 * What core/cluster is told and what it wants done: the cluster's half of the words between core
 * and the rest (event.h and action.h are the node's half).
 *
 * An instance is known by its place in the order of supvisors_list, then of discovery; it keeps the
 * place for the life of the daemon (config/identifiers.h). What io knows of sockets and what the
 * local core knows of its processes comes in as events; sv_cluster_step() answers with actions.
 */
#ifndef SV_PORT_CLUSTER_H
#define SV_PORT_CLUSTER_H

#include <stdbool.h>
#include <stdint.h>
#include <svisor/reasons.h>

#include "base/str.h"
#include "config/rules.h"
#include "config/supvisors.h"
#include "port/mesh.h"

typedef uint32_t sv_instance_place;

enum sv_cluster_event_kind {
    SV_CLUSTER_TIME,         /* the deadline has come (early is harmless) */
    SV_CLUSTER_BEGIN,        /* once: the local rows are all told; the mesh is open */
    SV_CLUSTER_PROCESS,      /* process: a local process is new, has changed or is gone */
    SV_CLUSTER_CONNECTED,    /* instance: what is sent to it now has a way there */
    SV_CLUSTER_LOST,         /* instance: its connection broke (a dead daemon; at once) */
    SV_CLUSTER_MESSAGE,      /* instance, message */
    SV_CLUSTER_DISCOVERED,   /* found: multicast; a known one is ignored */
    SV_CLUSTER_REQUEST,      /* request: of a client, through the API */
    SV_CLUSTER_REQUEST_GONE, /* request.id: nobody waits for its answer any more */
    SV_CLUSTER_RULES,        /* rules: read anew; a reference is taken */
    SV_CLUSTER_LOCAL_ENDING, /* the local daemon has begun to stop; keeps_programs */
    SV_CLUSTER_EVENT_COUNT
};

/* Methods of the API that change something. Those that only look are views
 * (core/cluster/cluster.h). */
enum sv_cluster_request_kind {
    SV_REQUEST_START_APPLICATION,
    SV_REQUEST_STOP_APPLICATION,
    SV_REQUEST_RESTART_APPLICATION,
    SV_REQUEST_START_PROCESS,     /* name may be "app:*" */
    SV_REQUEST_START_ANY_PROCESS, /* name: a regular expression */
    SV_REQUEST_STOP_PROCESS,
    SV_REQUEST_RESTART_PROCESS,
    SV_REQUEST_TEST_START_APPLICATION, /* the answer has predictions */
    SV_REQUEST_TEST_START_PROCESS,
    SV_REQUEST_PREDICT_APPLICATION, /* the same after a stop of what runs */
    SV_REQUEST_PREDICT_PROCESS,
    SV_REQUEST_CONCILIATE, /* name may be "": all conflicts */
    SV_REQUEST_RESTART_SEQUENCE,
    SV_REQUEST_RESTART,
    SV_REQUEST_SHUTDOWN,
    SV_REQUEST_END_SYNC,
};

struct sv_cluster_request {
    uint64_t id; /* the caller's; comes back in ANSWER */
    enum sv_cluster_request_kind kind;
    const char
        *name; /* application, namespec, regular expression or identifier (END_SYNC: "" is any) */
    const char *extra_arguments; /* NULL: not given, the former ones stay */
    enum sv_starting_strategy starting;
    enum sv_conciliation_strategy conciliation;
    bool does_wait;
};

struct sv_cluster_event {
    enum sv_cluster_event_kind kind;
    uint64_t now_ns; /* CLOCK_MONOTONIC; never goes back */
    int64_t wall_ns; /* only kept and reported */
    sv_instance_place instance;
    union {
        struct sv_mesh_process process;
        const struct sv_mesh_message *message;
        struct {
            struct sv_instance_config config;
            const struct sv_name_list *stereotypes;
        } found;
        struct sv_cluster_request request;
        struct sv_rules *rules;
        bool keeps_programs; /* LOCAL_ENDING */
    };
};

enum sv_cluster_action_kind {
    /* instance: open the way to it, and keep trying. It stays open also when the instance is
     * isolated: a HELLO gets the answer why. */
    SV_CLUSTER_CONNECT,
    SV_CLUSTER_SEND, /* instance, message; encode it at once */
    /* application, name, extra_arguments. The PROCESS events of what the local core does at once
     * (STARTING, or FATAL) come before any other event: an ANSWER counts on it. */
    SV_CLUSTER_START,
    SV_CLUSTER_STOP,       /* application, name -> PROCESS events, likewise */
    SV_CLUSTER_END_DAEMON, /* is_restart: supervisor.restart() or shutdown() of the local daemon */
    SV_CLUSTER_PROMISE,    /* deadline_ns: renew what the keeper holds (docs/mesh.md) */
    SV_CLUSTER_KILL_MANAGED, /* without a majority for too long: end the managed programs here */
    SV_CLUSTER_NOTICE,       /* something that users hear of: log, events, waiting pages */
    SV_CLUSTER_ANSWER,       /* to a request, now or later */
    SV_CLUSTER_ACTION_COUNT
};

enum sv_cluster_notice {
    SV_CLUSTER_NOTICE_MODES,       /* the local state or modes changed (event "supvisors") */
    SV_CLUSTER_NOTICE_INSTANCE,    /* instance: its state changed */
    SV_CLUSTER_NOTICE_APPLICATION, /* application: state or failures changed */
    SV_CLUSTER_NOTICE_PROCESS,     /* application, name: a row of it changed (instance), or it was
                                      forced (instance SV_INSTANCE_NONE) */
    /* A decision, or why not: `text` says it, `level` how loud; `instance`: about its state;
     * application and name, "" where there is none: about programs. */
    SV_CLUSTER_NOTICE_LOG,
};

/* What has happened to a process in one instance. */
enum sv_process_news {
    SV_PROCESS_NEWS_STATE,      /* it came to a state */
    SV_PROCESS_NEWS_FORCED,     /* somebody thinks otherwise of its state, or does so no more */
    SV_PROCESS_NEWS_DETAILS,    /* something else of its row */
    SV_PROCESS_NEWS_DISABILITY, /* it is disabled now, or is not any more */
    SV_PROCESS_NEWS_ADDED,      /* the instance has it now */
    SV_PROCESS_NEWS_LEARNT,     /* the same, but it had it before: all of its rows have come */
    SV_PROCESS_NEWS_REMOVED,    /* the instance has it no more */
    SV_PROCESS_NEWS_GONE,       /* likewise, and it was the last: no view shows it any more */
    SV_PROCESS_NEWS_LOST,       /* its instance was lost with it */
};

/* What SV_REQUEST_TEST_* and SV_REQUEST_PREDICT_* answer, for each process in the order of their
 * names. */
struct sv_prediction {
    const char *application;
    const char *name;
    enum sv_process_state state;
    const char *forced_reason;  /* "": none */
    sv_instance_place instance; /* where it runs then; SV_INSTANCE_NONE: nowhere */
    sv_instance_place target;   /* where it is started, also if it has ended then */
    const char *why;            /* it is started there, or nowhere, in words; "": not started */
};

/* Supervisor's and Supvisors' numbers; api/faults.def has their names. */
enum sv_cluster_fault {
    SV_CLUSTER_FAULT_INCORRECT_PARAMETERS = 2,
    SV_CLUSTER_FAULT_SHUTDOWN_STATE = 6,
    SV_CLUSTER_FAULT_BAD_NAME = 10,
    SV_CLUSTER_FAULT_FAILED = 30,
    SV_CLUSTER_FAULT_ABNORMAL_TERMINATION = 40,
    SV_CLUSTER_FAULT_ALREADY_STARTED = 60,
    SV_CLUSTER_FAULT_NOT_RUNNING = 70,
    SV_CLUSTER_FAULT_STILL_RUNNING = 91,
    SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE = 101,
    SV_CLUSTER_FAULT_NOT_MANAGED = 102,
    SV_CLUSTER_FAULT_DISABLED = 103,
    SV_CLUSTER_FAULT_NOT_APPLICABLE = 104,
};

struct sv_cluster_answer {
    uint64_t id;      /* of the request */
    int fault;        /* 0: none */
    const char *text; /* of the fault, without its name; or the result of START_ANY_PROCESS */
    bool value;
    const struct sv_prediction *predictions;
    size_t prediction_count;
};

struct sv_cluster_action {
    enum sv_cluster_action_kind kind;
    sv_instance_place instance;
    union {
        struct sv_mesh_message message;
        struct {
            const char *application;
            const char *name;
            const char *extra_arguments; /* NULL: the former ones */
            enum sv_reason reason;
            const char *text; /* the decision in words: "its node supv-02 was lost" */
        } process;            /* START, STOP */
        bool is_restart;
        uint64_t deadline_ns; /* PROMISE: CLOCK_MONOTONIC; SV_NEVER withdraws it */
        struct {
            enum sv_cluster_notice what;
            const char *application;
            const char *name;
            enum sv_process_news news; /* PROCESS */
            enum sv_log_level level;
            const char *text;
        } notice;
        struct sv_cluster_answer answer;
    };
};

/* What actions point to lives until the next step. */
struct sv_cluster_actions {
    struct sv_cluster_action *items;
    size_t count;
    size_t capacity;
};

/* Appends one of that kind, otherwise zero. Borrowed until the next call. */
struct sv_cluster_action *sv_cluster_actions_add(struct sv_cluster_actions *actions,
                                                 enum sv_cluster_action_kind kind);
/* Empties the list and keeps its memory. */
void sv_cluster_actions_clear(struct sv_cluster_actions *actions);
void sv_cluster_actions_done(struct sv_cluster_actions *actions);

#endif
