/* What the core shows of itself: copies of plain data for API, log and driver. */
#ifndef SV_PORT_VIEW_H
#define SV_PORT_VIEW_H

#include <svisor/reasons.h>
#include <svisor/states.h>

#include "port/event.h"

struct sv_process_view {
    sv_process_id id;
    const struct sv_program_config *config; /* until the group is removed */
    const struct sv_group_config *group;
    enum sv_process_state state;
    enum sv_reason reason;
    uint32_t run;               /* counts every spawn from 1; 0: never started */
    int32_t pid;                /* 0: none */
    uint32_t backoff;           /* failed starts in a row */
    int64_t started_wall_ns;    /* of the last start; 0: never */
    int64_t stopped_wall_ns;    /* of the last end; 0: never */
    int64_t next_start_wall_ns; /* BACKOFF, or a delayed restart: when it is due; 0: none */
    /* Supervisor's exitstatus is set: not since a start, nor after an end that came too quickly. */
    bool has_wait_status;
    int wait_status; /* of the last end, as wait(2) gives it; meaningful once stopped_wall_ns is set
                      */
    const char *spawnerr; /* Supervisor's words; "" if none. Until the next step */
    /* The last probe, or watchdog, of this run that failed, in words; "" if none. Until the next
     * step. */
    const char *probe_text;
    enum sv_reason end_reason;    /* why the core ends this run without a stop; NONE: it does not */
    uint32_t probe_failure_count; /* of liveness, in a row */
    bool is_retired;              /* it goes when it has stopped */
    bool is_disabled;             /* its program: it is not started */
    bool is_spawning;             /* STARTING, and the answer to SPAWN has not come yet */
    enum sv_listener_state listener_state;
};

/* An event that a pool has not settled yet. */
struct sv_event_view {
    enum sv_notice_type type;
    const struct sv_blob *blob; /* until the next step */
    uint64_t serial;
    uint64_t pool_serial;
};

struct sv_group_view {
    const struct sv_group_config *config;
    /* Those that there are now, by priority, then by name: config->programs, and what was added or
     * removed since. */
    const sv_process_id *processes;
    const struct sv_program_config *const *programs;
    size_t process_count;
};

#endif
