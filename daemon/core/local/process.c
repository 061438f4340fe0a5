/*
 * The life of one process: Supervisor's states, without its once-a-second loop.
 *
 *                 +----------------------- STOPPED <---------------+
 *                 v                           ^                    |
 *     EXITED --> STARTING <--> BACKOFF -------+                 STOPPING
 *        ^        |   |           |                              ^   ^
 *        |        |   |           +--> FATAL --> STARTING        |   |
 *        |        v   +------------------------------------------+   |
 *        +---- RUNNING ----------------------------------------------+
 *
 * The table of process.def says what each state does with each event; sv_process_enter() is the
 * only writer of the state. Supervisor notices by polling that startsecs, a back-off or
 * stopwaitsecs is over; here each is a deadline, and a restart follows the exit in the same step.
 *
 * Beside the state there are two smaller things. `main` is the main process of the run:
 * Supervisor's fork is a call, our SPAWN is a question, and a stop or a signal that arrives before
 * the answer is remembered and carried out at the answer (Supervisor loses such a signal). `strays`
 * is what the main process left in the cgroup of its run. With kill_mode=control-group they get the
 * stop signal when the main process is gone, and cgroup.kill when stopwaitsecs is over. During a
 * stop the process stays STOPPING until nothing is left. After an end by itself the state changes
 * at once, and a start that comes meanwhile is STARTING but `held` until the cgroup is empty: never
 * two runs of one program side by side.
 *
 * A program with ready= is RUNNING when it is ready; until then it is STARTING, also while it is
 * ended because it was not ready in time, since only a failed start leads to BACKOFF. One with
 * liveness= or watchdog= that fails stays RUNNING while it is ended, and is then EXITED: so the
 * arrows stay Supervisor's (health.c).
 *
 * Nothing is waited for without end. What has not died SV_KILL_WAIT_SECONDS after SIGKILL sits in
 * the kernel: strays are then forgotten (the next run has a cgroup of its own), and a main process
 * stays STOPPING, as in Supervisor, but a shutdown no longer waits for it.
 *
 * UNKNOWN is entered as in Supervisor, when a signal could not be sent. Supervisor never leaves it;
 * here the end of the process leads out of it: to STOPPED if it was to stop, else as from RUNNING.
 *
 * oom_policy=stop is systemd's OOMPolicy=stop: what the OOM killer has left of a program is
 * stopped, as by a request, and then the restart policy decides as after an unexpected exit. So
 * STOPPED may have a restart before it, with the pause of a program that ends too quickly; a stop
 * by request cancels it, also while the other stop is under way.
 *
 * Kept from Supervisor because scripts see it: a stop does not forget the failed starts before it,
 * so the next start goes on counting `tries`; SIGKILL to the group is killasgroup, the first signal
 * is stopasgroup; a process that gives up is BACKOFF first and FATAL right after.
 */
#include "core/local/process_cells.h"

#include <assert.h>
#include <string.h>
#include <svisor/limits.h>

#include "base/names.h"

enum state_index {
#define PROCESS_STATE(name, code) INDEX_##name,
#include "svisor/process_states.def"
#undef PROCESS_STATE
    STATE_COUNT
};

enum {
#define PROCESS_STATE(name, code) TO_##name = 1 << INDEX_##name,
#include "svisor/process_states.def"
#undef PROCESS_STATE
};

enum { SIGNAL_MAX = 64 };

static enum state_index index_of(enum sv_process_state state)
{
    switch (state) {
#define PROCESS_STATE(name, code)                                                                  \
    case SV_PROCESS_##name:                                                                        \
        return INDEX_##name;
#include "svisor/process_states.def"
#undef PROCESS_STATE
    }
    assert(!"a state that is in no table");
    return STATE_COUNT;
}

/* Supervisor's arrows (docs/subprocess.rst). Ours: EXITED -> FATAL, see restart.c, and out of
 * UNKNOWN. */
static const struct {
    enum sv_notice_type notice;
    uint32_t next;
} states[STATE_COUNT] = {
    [INDEX_STOPPED] = {SV_NOTICE_PROCESS_STATE_STOPPED, TO_STARTING},
    [INDEX_STARTING] = {SV_NOTICE_PROCESS_STATE_STARTING,
                        TO_RUNNING | TO_BACKOFF | TO_STOPPING | TO_UNKNOWN},
    [INDEX_RUNNING] = {SV_NOTICE_PROCESS_STATE_RUNNING, TO_STOPPING | TO_EXITED | TO_UNKNOWN},
    [INDEX_BACKOFF] = {SV_NOTICE_PROCESS_STATE_BACKOFF, TO_STARTING | TO_FATAL | TO_STOPPED},
    [INDEX_STOPPING] = {SV_NOTICE_PROCESS_STATE_STOPPING, TO_STOPPED | TO_UNKNOWN},
    [INDEX_EXITED] = {SV_NOTICE_PROCESS_STATE_EXITED, TO_STARTING | TO_FATAL},
    [INDEX_FATAL] = {SV_NOTICE_PROCESS_STATE_FATAL, TO_STARTING},
    [INDEX_UNKNOWN] = {SV_NOTICE_PROCESS_STATE_UNKNOWN, TO_STOPPED | TO_EXITED},
};

void sv_process_enter(struct sv_process *process, enum sv_process_state state,
                      enum sv_reason reason, struct sv_step *step)
{
    enum state_index index = index_of(state);
    assert(step->permitted >> index & 1);
    assert(states[index_of(process->state)].next >> index & 1);
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_NOTICE);
    action->process = process->id;
    action->run = process->run;
    action->notice.type = states[index].notice;
    action->notice.reason = reason;
    action->notice.from = process->state;
    action->notice.to = state;
    action->notice.pid = process->pid;
    action->notice.tries = process->failure_count;
    action->notice.is_expected =
        reason != SV_REASON_EXIT_UNEXPECTED && reason != SV_REASON_EXIT_SIGNAL &&
        reason != SV_REASON_EXIT_UNKNOWN && reason != SV_REASON_LIVENESS_FAILED &&
        reason != SV_REASON_WATCHDOG_EXPIRED;
    process->state = state;
    process->reason = reason;
}

/* A fact for the log, without a change of state. */
void sv_process_remark(const struct sv_process *process, enum sv_reason reason,
                       struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_NOTICE);
    action->process = process->id;
    action->run = process->run;
    action->notice.type = SV_NOTICE_EVENT;
    action->notice.reason = reason;
    action->notice.from = action->notice.to = process->state;
    action->notice.pid = process->pid;
    action->notice.is_expected = true;
}

void sv_process_signal(const struct sv_process *process, int number, enum sv_signal_target target,
                       enum sv_reason reason, struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_SIGNAL);
    action->process = process->id;
    action->run = process->run;
    action->signal.number = number;
    action->signal.target = target;
    action->signal.reason = reason;
}

enum sv_reason sv_process_reason_to_go(const struct sv_process *process)
{
    return process->state == SV_PROCESS_STOPPING ? process->stop_reason
                                                 : sv_health_end_reason(process);
}

void sv_process_kill_cgroup(const struct sv_process *process, struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_KILL_CGROUP);
    action->process = process->id;
    action->run = process->run;
}

bool sv_process_owns_cgroup(const struct sv_process *process)
{
    return process->config->kill_mode == SV_KILL_CONTROL_GROUP;
}

void sv_cell_ignore(struct sv_process *process, const struct sv_process_event *event,
                    struct sv_step *step)
{
    (void)process;
    (void)event;
    (void)step;
}

void sv_cell_impossible(struct sv_process *process, const struct sv_process_event *event,
                        struct sv_step *step)
{
    (void)process;
    (void)event;
    (void)step;
    assert(!"an event that this state can never meet");
}

static const struct {
    sv_cell_function *handle;
    uint32_t permitted;
} cells[STATE_COUNT][SV_PROCESS_EVENT_COUNT] = {
#define CELL(state, event, handler, states)                                                        \
    [INDEX_##state][SV_PROCESS_EVENT_##event] = {sv_cell_##handler, (states)},
#include "core/local/process.def"
#undef CELL
};

#define CELL(state, event, handler, states) +1
_Static_assert((0
#include "core/local/process.def"
                ) == STATE_COUNT * SV_PROCESS_EVENT_COUNT,
               "every state has one cell for every event");
#undef CELL

void sv_process_init(struct sv_process *process, sv_process_id id,
                     const struct sv_program_config *config)
{
    process->id = id;
    process->config = config;
    process->alarm.tie = id;
    process->deadline_ns = SV_NEVER;
    process->strays_deadline_ns = SV_NEVER;
    process->state = SV_PROCESS_STOPPED;
    sv_health_reset(process);
}

size_t sv_process_spawnerr_bytes(const struct sv_program_config *config)
{
    /* "can't find command '/usr/bin/x'", "unknown error making dispatchers for 'x': EMFILE" … */
    size_t bytes = 96 + strlen(config->name) + (config->health ? SV_PROBE_WORDS_BYTES_MAX : 0);
    if (config->argv_error)
        bytes += strlen(config->argv_error);
    else if (config->argv && config->argv[0])
        bytes += strlen(config->argv[0]);
    return bytes < SV_SPAWNERR_BYTES_MAX ? bytes : SV_SPAWNERR_BYTES_MAX;
}

bool sv_process_awaits(const struct sv_process *process, const struct sv_process_event *event,
                       uint32_t run)
{
    if (run != process->run)
        return false;
    switch (event->kind) {
    case SV_PROCESS_EVENT_SPAWNED:
    case SV_PROCESS_EVENT_SPAWN_FAILED:
        return process->main == SV_MAIN_SPAWNING;
    case SV_PROCESS_EVENT_OOM_KILL:
        return process->main == SV_MAIN_ALIVE;
    case SV_PROCESS_EVENT_EXITED:
        assert(process->main != SV_MAIN_SPAWNING); /* SPAWNED comes first */
        return process->main == SV_MAIN_ALIVE;
    case SV_PROCESS_EVENT_EMPTIED:
        return process->strays != SV_STRAYS_NONE;
    case SV_PROCESS_EVENT_READY:
    case SV_PROCESS_EVENT_ALIVE:
    case SV_PROCESS_EVENT_WATCHDOG:
    case SV_PROCESS_EVENT_WATCHDOG_TRIGGER:
    case SV_PROCESS_EVENT_EXTEND:
        return process->health && process->main == SV_MAIN_ALIVE;
    case SV_PROCESS_EVENT_PROBE_TURN:
    case SV_PROCESS_EVENT_PROBED:
        return process->health && process->health->is_probing &&
               process->health->serial == event->serial;
    case SV_PROCESS_EVENT_SIGNAL_FAILED:
    case SV_PROCESS_EVENT_START:
    case SV_PROCESS_EVENT_STOP:
    case SV_PROCESS_EVENT_SIGNAL:
    case SV_PROCESS_EVENT_SHUTDOWN:
    case SV_PROCESS_EVENT_DEADLINE:
    case SV_PROCESS_EVENT_STRAYS_DEADLINE:
    case SV_PROCESS_EVENT_CHECK_DEADLINE:
    case SV_PROCESS_EVENT_WATCHDOG_DEADLINE:
    case SV_PROCESS_EVENT_COUNT:
        break;
    }
    return true;
}

static uint64_t earliest(const struct sv_process *process)
{
    const struct sv_health *health = process->health;
    const uint64_t deadlines_ns[] = {process->deadline_ns, process->strays_deadline_ns,
                                     health ? health->check_ns : SV_NEVER,
                                     health ? health->watchdog_ns : SV_NEVER};
    uint64_t first_ns = SV_NEVER;
    for (size_t i = 0; i < SV_ARRAY_LENGTH(deadlines_ns); i++)
        if (deadlines_ns[i] < first_ns)
            first_ns = deadlines_ns[i];
    return first_ns;
}

/* Of two that are due together the state's comes first: what its end leaves behind needs no check.
 */
enum sv_process_event_kind sv_process_due(const struct sv_process *process, uint64_t now_ns)
{
    if (process->strays_deadline_ns <= now_ns)
        return SV_PROCESS_EVENT_STRAYS_DEADLINE;
    if (process->deadline_ns <= now_ns)
        return SV_PROCESS_EVENT_DEADLINE;
    assert(process->health);
    return process->health->watchdog_ns <= now_ns ? SV_PROCESS_EVENT_WATCHDOG_DEADLINE
                                                  : SV_PROCESS_EVENT_CHECK_DEADLINE;
}

void sv_process_handle(struct sv_process *process, const struct sv_process_event *event,
                       struct sv_step *step)
{
    if (event->kind == SV_PROCESS_EVENT_SIGNAL && (event->number < 0 || event->number > SIGNAL_MAX))
        return;
    if (event->kind == SV_PROCESS_EVENT_DEADLINE)
        process->deadline_ns = SV_NEVER;
    if (event->kind == SV_PROCESS_EVENT_CHECK_DEADLINE)
        process->health->check_ns = SV_NEVER;
    if (event->kind == SV_PROCESS_EVENT_WATCHDOG_DEADLINE)
        process->health->watchdog_ns = SV_NEVER;
    enum state_index index = index_of(process->state);
    step->permitted = cells[index][event->kind].permitted;
    cells[index][event->kind].handle(process, event, step);
    sv_process_arm(process, step);
}

void sv_process_arm(struct sv_process *process, struct sv_step *step)
{
    uint64_t due_ns = earliest(process);
    if (due_ns == SV_NEVER)
        sv_heap_remove(step->alarms, &process->alarm);
    else
        sv_heap_set(step->alarms, &process->alarm, due_ns);
}

bool sv_process_is_settled(const struct sv_process *process)
{
    if (process->strays != SV_STRAYS_NONE)
        return false;
    return sv_process_state_is_stopped(process->state) || process->is_abandoned;
}

void sv_process_show(const struct sv_process *process, struct sv_process_view *ret_view)
{
    bool is_alive = process->main == SV_MAIN_ALIVE;
    *ret_view = (struct sv_process_view){
        .id = process->id,
        .config = process->config,
        .state = process->state,
        .reason = process->reason,
        .run = process->run,
        .pid = is_alive ? process->pid : 0,
        .backoff = process->failure_count,
        .started_wall_ns = process->started_wall_ns,
        .stopped_wall_ns = process->stopped_wall_ns,
        .next_start_wall_ns = process->next_start_wall_ns,
        .has_wait_status = process->has_wait_status,
        .wait_status = process->wait_status,
        .spawnerr = process->spawnerr,
        .probe_text = process->health ? process->health->words : "",
        .end_reason = sv_health_end_reason(process),
        .probe_failure_count = process->health ? process->health->failure_count : 0,
        .is_retired = process->is_retired,
        .is_disabled = process->is_disabled,
        .is_spawning = process->state == SV_PROCESS_STARTING && !is_alive,
    };
}

void sv_process_discard(struct sv_process *process, struct sv_step *step)
{
    if (sv_process_owns_cgroup(process) &&
        (process->main == SV_MAIN_ALIVE || process->strays != SV_STRAYS_NONE))
        sv_process_kill_cgroup(process, step);
    sv_heap_remove(step->alarms, &process->alarm);
}

enum sv_cell_kind sv_process_cell(enum sv_process_state state, enum sv_process_event_kind event)
{
    sv_cell_function *handle = cells[index_of(state)][event].handle;
    if (handle == sv_cell_ignore)
        return SV_CELL_IGNORED;
    return handle == sv_cell_impossible ? SV_CELL_IMPOSSIBLE : SV_CELL_HANDLED;
}
