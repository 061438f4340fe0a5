/* The life of one process. See process.c for the essay and process.def for the table. */
#ifndef SV_CORE_LOCAL_PROCESS_H
#define SV_CORE_LOCAL_PROCESS_H

#include <svisor/limits.h>

#include "base/heap.h"
#include "core/core.h"
#include "core/local/restart.h"

enum sv_process_event_kind {
    SV_PROCESS_EVENT_START,
    SV_PROCESS_EVENT_STOP,
    SV_PROCESS_EVENT_SIGNAL,
    SV_PROCESS_EVENT_SHUTDOWN,
    SV_PROCESS_EVENT_SPAWNED,
    SV_PROCESS_EVENT_SPAWN_FAILED,
    SV_PROCESS_EVENT_EXITED,
    SV_PROCESS_EVENT_EMPTIED,
    SV_PROCESS_EVENT_SIGNAL_FAILED,
    SV_PROCESS_EVENT_OOM_KILL,
    SV_PROCESS_EVENT_READY,
    SV_PROCESS_EVENT_ALIVE,
    SV_PROCESS_EVENT_WATCHDOG,
    SV_PROCESS_EVENT_WATCHDOG_TRIGGER,
    SV_PROCESS_EVENT_EXTEND,
    SV_PROCESS_EVENT_PROBE_TURN,
    SV_PROCESS_EVENT_PROBED,
    SV_PROCESS_EVENT_DEADLINE,
    SV_PROCESS_EVENT_STRAYS_DEADLINE,
    SV_PROCESS_EVENT_CHECK_DEADLINE,
    SV_PROCESS_EVENT_WATCHDOG_DEADLINE,
    SV_PROCESS_EVENT_COUNT
};

struct sv_process_event {
    enum sv_process_event_kind kind;
    enum sv_reason reason;        /* START, STOP, SHUTDOWN */
    int number;                   /* SIGNAL: the signal; SPAWNED: the pid; EXITED: the wait
                                     status; OOM_KILL: the policy */
    uint32_t serial;              /* PROBE_TURN, PROBED */
    enum sv_reason keeper_reason; /* EXITED: why the keeper has ended it */
    bool has_strays;              /* EXITED */
    bool is_unknown;              /* EXITED: the status is lost */
    bool is_ok;                   /* PROBED */
    bool is_waiting;              /* PROBE_TURN */
    uint64_t extend_ns;           /* EXTEND */
    const char *text;             /* SPAWN_FAILED, PROBED */
};

/* The main process of the current run. */
enum sv_main_phase {
    SV_MAIN_NONE = SV_RECORD_NONE,
    SV_MAIN_HELD = SV_RECORD_HELD,
    SV_MAIN_SPAWNING = SV_RECORD_SPAWNING,
    SV_MAIN_ALIVE = SV_RECORD_ALIVE,
};

/* What the last run left behind in its cgroup. */
enum sv_strays_phase {
    SV_STRAYS_NONE = SV_RECORD_STRAYS_NONE,
    SV_STRAYS_SIGNALLED = SV_RECORD_STRAYS_SIGNALLED,
    SV_STRAYS_KILLED = SV_RECORD_STRAYS_KILLED,
};

/* Readiness and liveness of the present run; only where the configuration asks for them. health.c
 */
struct sv_health {
    uint64_t check_ns;    /* the next probe, or the end of the patience with the present one; of the
                             forms that nobody asks: when the next word is due. SV_NEVER: none */
    uint64_t watchdog_ns; /* SV_NEVER: none */
    uint32_t serial;      /* of the last probe */
    uint32_t failure_count; /* in a row */
    bool is_probing;
    enum sv_reason end_reason; /* why the core ends this run by itself; NONE: it does not */
    char words[SV_PROBE_WORDS_BYTES_MAX]; /* of what failed last; "" if nothing */
};

struct sv_process {
    struct sv_heap_node alarm;   /* the earliest of its deadlines */
    uint64_t deadline_ns;        /* of the state; SV_NEVER: none */
    uint64_t strays_deadline_ns; /* SV_NEVER exactly when there are no strays */
    uint64_t pending_signals; /* bit n - 1: signal n was asked for while the spawn is under way */
    uint64_t started_ns;      /* of the present run, or the last one */
    int64_t started_wall_ns;
    int64_t stopped_wall_ns;
    int64_t next_start_wall_ns;
    const struct sv_program_config *config;
    struct sv_health *health; /* the group's memory; NULL: config->health is NULL */
    char *spawnerr;           /* the group's memory */
    sv_process_id id;
    uint32_t slot; /* in the pool of its group */
    uint32_t spawnerr_bytes;
    uint32_t run;
    uint32_t failure_count;   /* Supervisor calls it backoff */
    uint32_t quick_end_count; /* ends from RUNNING in a row, each within SV_QUICK_END_SECONDS of its
                                 start */
    int32_t pid;              /* kept until the state has left the run, for the notices */
    int wait_status;
    enum sv_process_state state; /* only enter() of process.c writes it */
    enum sv_reason reason;
    enum sv_reason stop_reason; /* of the stop that was asked of this run; NONE: not asked */
    uint8_t main;               /* enum sv_main_phase */
    uint8_t strays;             /* enum sv_strays_phase */
    bool has_wait_status;
    bool was_killed;   /* SIGKILL was sent to this run */
    bool is_abandoned; /* and it did not even die of that: a shutdown no longer waits */
    bool is_counted;   /* as unsettled, by its group */
    bool is_retired;   /* it goes as soon as it has stopped, and is not started either */
    bool is_disabled;  /* its program; sv_core_tell() keeps it from being started */
};

/* What one step works with. */
struct sv_step {
    uint64_t now_ns;
    int64_t wall_ns;
    struct sv_actions *actions;
    struct sv_heap *alarms;
    struct sv_random *random;
    bool may_start;     /* false once the daemon stops */
    uint32_t permitted; /* states that the present cell may enter; set by sv_process_handle() */
};

void sv_process_init(struct sv_process *process, sv_process_id id,
                     const struct sv_program_config *config);
/* How many bytes `spawnerr` needs to hold Supervisor's longest words about this program. */
size_t sv_process_spawnerr_bytes(const struct sv_program_config *config);
/* False: a stale or repeated answer, to be dropped. */
bool sv_process_awaits(const struct sv_process *process, const struct sv_process_event *event,
                       uint32_t run);
/* The first of its deadlines that is due. */
enum sv_process_event_kind sv_process_due(const struct sv_process *process, uint64_t now_ns);
void sv_process_handle(struct sv_process *process, const struct sv_process_event *event,
                       struct sv_step *step);
/* Puts the earlier one of its deadlines on the heap. */
void sv_process_arm(struct sv_process *process, struct sv_step *step);
/* Nothing of it is alive that a shutdown would have to wait for. */
bool sv_process_is_settled(const struct sv_process *process);
/* Everything but `group` and `listener_state`. */
void sv_process_show(const struct sv_process *process, struct sv_process_view *ret_view);
/* The memory of it that outlives the daemon, and back. A restored run is the current one again. */
void sv_process_record(const struct sv_process *process, struct sv_process_record *ret_record);
void sv_process_restore(struct sv_process *process, const struct sv_process_record *record,
                        struct sv_step *step);
/* Ends what is left of it, before it is removed. */
void sv_process_discard(struct sv_process *process, struct sv_step *step);

/* For the test of the table. */
enum sv_cell_kind { SV_CELL_HANDLED, SV_CELL_IGNORED, SV_CELL_IMPOSSIBLE };
enum sv_cell_kind sv_process_cell(enum sv_process_state state, enum sv_process_event_kind event);

#endif
