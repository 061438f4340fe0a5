/*
 * What must be remembered of one process so that the next daemon can go on where this one ended.
 *
 * Plain data: the core fills it (sv_core_record()), the driver writes it to the journal, and the
 * next daemon gives it back as SV_EVENT_RESTORE. Points in time are of CLOCK_MONOTONIC, which
 * counts on over the death of a daemon, but not over a boot.
 */
#ifndef SVISOR_RECORD_H
#define SVISOR_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <svisor/reasons.h>
#include <svisor/states.h>

/* The main process of the current run, as far as the core knows. */
enum sv_record_main {
    SV_RECORD_NONE,
    SV_RECORD_HELD,     /* to be spawned when the former run has left nothing behind */
    SV_RECORD_SPAWNING, /* asked for, not answered */
    SV_RECORD_ALIVE,
};

/* What the last run left behind in its cgroup. */
enum sv_record_strays {
    SV_RECORD_STRAYS_NONE,
    SV_RECORD_STRAYS_SIGNALLED,
    SV_RECORD_STRAYS_KILLED
};

/* What svisord has done to one run: for its certificate, and so that the next daemon does not do it
 * again. Kept by the driver, who does it. */
struct sv_deeds {
    int stop_signal;       /* the last one that was sent to the main process; 0: none */
    enum sv_reason reason; /* why */
    uint64_t time_ns;      /* when */
    bool is_escalated;     /* it had not ended within stopwaitsecs */
    bool are_strays_signalled;
    bool are_strays_killed;
};

struct sv_process_record {
    enum sv_process_state state;
    enum sv_reason reason;
    enum sv_reason stop_reason;
    enum sv_reason end_reason; /* why the core ends this run by itself; NONE: it does not */
    enum sv_record_main main;
    enum sv_record_strays strays;
    enum sv_listener_state listener_state;
    uint64_t held; /* BUSY: the pool's serial of the event that it works on, and 1; 0: none */
    bool has_wait_status;
    bool was_killed;
    uint32_t run;
    uint32_t failure_count;
    uint32_t quick_end_count;
    int32_t pid;
    int32_t wait_status;
    uint64_t pending_signals;
    uint64_t deadline_ns;
    uint64_t strays_deadline_ns;
    uint64_t started_ns;
    int64_t started_wall_ns;
    int64_t stopped_wall_ns;
    int64_t next_start_wall_ns;
    const char *spawnerr; /* borrowed until the next step; "" if none */
    /* RESTORE only, from the deeds: what is not done yet is done then. */
    bool is_stop_sent;
    bool are_strays_signalled;
};

#endif
