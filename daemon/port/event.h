/*
 * What may happen to the core: one tagged record with the time at which it happened.
 *
 * Events are plain data. Pointers in them are borrowed for the step, except `blob`, of which the
 * core takes a reference of its own when it keeps it. A process is known by its id, a run of it by
 * (id, run): an event about a run that is no longer the current one is stale and ignored.
 */
#ifndef SV_PORT_EVENT_H
#define SV_PORT_EVENT_H

#include <stdbool.h>
#include <stdint.h>
#include <svisor/states.h>

#include "base/blob.h"
#include "config/config.h"
#include <svisor/record.h>
#include <svisor/resources.h>

/* Given by the core when a group is added; never given twice while a core lives. 0 is no process.
 */
typedef uint32_t sv_process_id;

enum sv_event_kind {
    SV_EVENT_TIME,         /* the deadline of sv_core_deadline_ns() has come (early is harmless) */
    SV_EVENT_BEGIN,        /* once: all groups of the start are added; autostart begins */
    SV_EVENT_GROUP_ADD,    /* group: after BEGIN its autostart programs start at once */
    SV_EVENT_GROUP_REMOVE, /* name: every process of it is in a stopped state */
    SV_EVENT_DISABLE,      /* program: nobody starts its processes, in whichever group, until it is
                              enabled again; then those in STOPPED start that are autostart */
    SV_EVENT_PROCESS_ADD, /* added: one more process of a living group; it starts if it is autostart
                           */
    SV_EVENT_RETIRE,      /* process, is_retired: it is not started any more. In STOPPED, EXITED,
                             FATAL or UNKNOWN it goes at once; later, when this is said again */
    SV_EVENT_RESTORE,     /* process, record: before BEGIN, what an earlier daemon knew of it */
    SV_EVENT_RESTORE_SERIALS, /* serials: before BEGIN, how far an earlier daemon had counted */
    SV_EVENT_RESTORE_EVENT,   /* restored: before BEGIN and after RESTORE of its listeners */
    SV_EVENT_START,           /* process: by request; ignored unless it is stopped */
    SV_EVENT_STOP,            /* process: by request; in EXITED it cancels a delayed restart */
    SV_EVENT_SIGNAL,          /* process, number: by request, no change of state */
    SV_EVENT_SPAWNED,         /* process, run, pid */
    SV_EVENT_SPAWN_FAILED,    /* process, run, text: why, Supervisor's words */
    SV_EVENT_EXITED,        /* process, run, wait_status, has_strays: its output was read before */
    SV_EVENT_EMPTIED,       /* process, run: nothing is left in the cgroup of that run */
    SV_EVENT_SIGNAL_FAILED, /* process, run, text */
    SV_EVENT_READY,         /* process, run: it said READY=1, or wrote the line of ready=log */
    SV_EVENT_ALIVE,         /* process, run: it wrote a line of liveness=log */
    SV_EVENT_WATCHDOG,      /* process, run: it said WATCHDOG=1 */
    SV_EVENT_WATCHDOG_TRIGGER, /* process, run: it said WATCHDOG=trigger: do as if it were silent */
    SV_EVENT_EXTEND,     /* process, run, extend_ns: it asks for more time to start or to stop */
    SV_EVENT_PROBE_TURN, /* process, run, turn: PROBE_START has to wait, or has waited */
    SV_EVENT_PROBED,     /* process, run, probed: the answer to PROBE_START */
    SV_EVENT_OOM_KILL,   /* process, run, oom_policy: not its main process was taken */
    SV_EVENT_SHORTAGE,   /* process, run, shortage; of a group: any process of it */
    SV_EVENT_SHUTDOWN,   /* is_restart: stop everything, group by group, then QUIT */
    SV_EVENT_PUBLISH,    /* notice, blob: an event for the listeners, payload rendered */
    SV_EVENT_LISTENER_READY,  /* process said READY; a run other than 0 must be the current one */
    SV_EVENT_LISTENER_RESULT, /* process, is_ok: it answered the event that it had */
    SV_EVENT_LISTENER_BROKEN, /* process broke the protocol */
    SV_EVENT_COUNT
};

struct sv_event {
    enum sv_event_kind kind;
    uint64_t now_ns; /* CLOCK_MONOTONIC: never goes back */
    int64_t wall_ns; /* CLOCK_REALTIME: only kept and reported, never compared */
    sv_process_id process;
    uint32_t run;
    union {
        const struct sv_group_config *group; /* GROUP_ADD: kept until GROUP_REMOVE */
        const char *name;                    /* GROUP_REMOVE */
        struct {
            const char *name; /* the x of [program:x] */
            bool is_disabled;
        } program; /* DISABLE */
        struct {
            const char *group;
            const struct sv_program_config *program; /* kept until RELEASE */
        } added;                                     /* PROCESS_ADD */
        bool is_retired;                             /* RETIRE; false: it may stay after all */
        const struct sv_process_record *record;      /* RESTORE */
        int number;                                  /* SIGNAL */
        int32_t pid;                                 /* SPAWNED */
        const char *text;                            /* SPAWN_FAILED, SIGNAL_FAILED */
        struct {
            int wait_status;              /* as wait(2) gives it */
            bool has_strays;              /* other processes are left in the cgroup of the run */
            bool is_unknown;              /* nobody knows the status any more: an unexpected end */
            enum sv_reason keeper_reason; /* why the keeper has ended it; NONE: it has not */
        } exited;
        uint64_t extend_ns; /* EXTEND: from now on */
        struct {
            uint32_t serial; /* of the probe */
            bool is_waiting; /* its time does not count until it is told again, with false */
        } turn;
        struct {
            uint32_t serial; /* of the probe */
            bool is_ok;
            const char *text; /* failed: why, in words */
        } probed;
        enum sv_oom_policy
            oom_policy; /* OOM_KILL: as it is now; it may change in a living program */
        const struct sv_shortage *shortage; /* SHORTAGE */
        bool is_restart;                    /* SHUTDOWN */
        bool is_ok;                         /* LISTENER_RESULT */
        struct {
            enum sv_notice_type type;
            struct sv_blob *blob;
        } publish;
        struct {
            const char *group;
            uint64_t next_serial, next_pool_serial;
        } serials;
        struct {
            const char *group;
            enum sv_notice_type type;
            struct sv_blob *blob;
            uint64_t serial, pool_serial;
        } restored; /* an event that an earlier daemon had buffered, or given to a listener */
    };
};

#endif
