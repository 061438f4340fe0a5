/*
 * What the core wants done: a list that one step fills and the driver works off, in order.
 *
 * Actions are plain data and borrow nothing from the core but `group_name`, valid until
 * sv_core_settle() says that all of them are performed. An answer to an action comes back as an
 * event.
 */
#ifndef SV_PORT_ACTION_H
#define SV_PORT_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <svisor/reasons.h>
#include <svisor/states.h>

#include "base/blob.h"
#include "port/event.h"

enum sv_action_kind {
    SV_ACTION_SPAWN,       /* process, run -> SPAWNED or SPAWN_FAILED */
    SV_ACTION_SIGNAL,      /* process, run, signal -> nothing, or SIGNAL_FAILED */
    SV_ACTION_KILL_CGROUP, /* process, run: SIGKILL everything that is left -> EMPTIED */
    SV_ACTION_PROBE_START, /* process, run, probe -> PROBE_TURN, PROBED, or nothing for ever */
    SV_ACTION_PROBE_STOP,  /* process, run: the probe under way is given up */
    SV_ACTION_NOTICE,      /* something that users hear of: log, waiting calls, listeners */
    SV_ACTION_SHORTAGE,    /* shortage: users are to hear of it */
    SV_ACTION_DELIVER,     /* write an event to the stdin of a listener */
    SV_ACTION_REMEMBER,    /* an event is buffered: write it down before anything else is done */
    SV_ACTION_FORGET,      /* no listener will get it (again): likewise */
    SV_ACTION_FORGET_POOL, /* the pool is gone, with its events: likewise */
    SV_ACTION_RELEASE,     /* process is gone for good: free what io holds for it */
    SV_ACTION_QUIT,        /* is_restart: everything has stopped */
    SV_ACTION_COUNT
};

enum sv_signal_target {
    SV_TARGET_PROCESS,       /* the main process, through its pidfd */
    SV_TARGET_PROCESS_GROUP, /* stopasgroup, killasgroup */
    SV_TARGET_CGROUP,        /* every process that is left in the cgroup */
};

struct sv_action {
    enum sv_action_kind kind;
    sv_process_id process;
    uint32_t run;
    union {
        struct {
            int number;
            enum sv_signal_target target;
            enum sv_reason reason; /* for the certificate of whom it ends */
        } signal;
        struct {
            const struct sv_probe_config *config; /* the program's; while the process exists */
            uint32_t serial;
        } probe;
        /*
         * type PROCESS_STATE_*: process, from and to say the transition.
         * PROCESS_GROUP_*: group_name. SUPERVISOR_STATE_CHANGE_*: nothing more.
         * EVENT (the abstract root) is only for the log: a fact in `reason` without a change of
         * state, such as a stop that takes long.
         */
        struct {
            enum sv_notice_type type;
            enum sv_reason reason;
            enum sv_process_state from, to;
            int32_t pid;      /* of the run that the transition is about; 0: none */
            uint32_t tries;   /* STARTING, BACKOFF */
            bool is_expected; /* EXITED */
            const char *group_name;
            uint64_t serial; /* LISTENER_OVERFLOW: of the event that was discarded */
        } notice;
        /* DELIVER, REMEMBER, FORGET (without a blob), FORGET_POOL (group_name). A REMEMBER without
         * a blob: of too much to be written down only the serials are. */
        struct {
            struct sv_blob *blob; /* one reference, the driver's to unref */
            enum sv_notice_type type;
            uint64_t serial;        /* over all events of the daemon, from 0 */
            uint64_t pool_serial;   /* over the events of this pool, from 0 */
            const char *group_name; /* the pool */
        } deliver;
        /* What has gathered about `process` and `run`, or about the group that it is in. */
        struct {
            struct sv_shortage sum;
            int64_t first_wall_ns, last_wall_ns;
        } shortage;
        bool is_restart; /* QUIT */
    };
};

struct sv_actions {
    struct sv_action *items;
    size_t count;
    size_t capacity;
};

void sv_actions_done(struct sv_actions *actions);
/* Forgets the items. Blobs of DELIVER and REMEMBER actions are unref'd. */
void sv_actions_clear(struct sv_actions *actions);
/* Never fails: without memory for a list of actions the daemon cannot keep its promises, so it
 * aborts and the next daemon takes over (crash-only). */
struct sv_action *sv_actions_add(struct sv_actions *actions, enum sv_action_kind kind);

#endif
