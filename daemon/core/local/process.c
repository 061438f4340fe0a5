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
 * The table of process.def says what each state does with each event; enter() is the only writer of
 * the state. Supervisor notices by polling that startsecs, a back-off or stopwaitsecs is over; here
 * each is a deadline, and a restart follows the exit in the same step.
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
 * Nothing is waited for without end. What has not died SV_KILL_WAIT_SECONDS after SIGKILL sits in
 * the kernel: strays are then forgotten (the next run has a cgroup of its own), and a main process
 * stays STOPPING, as in Supervisor, but a shutdown no longer waits for it.
 *
 * UNKNOWN is entered as in Supervisor, when a signal could not be sent. Supervisor never leaves it;
 * here the end of the process leads out of it: to STOPPED if it was to stop, else as from RUNNING.
 *
 * Kept from Supervisor because scripts see it: a stop does not forget the failed starts before it,
 * so the next start goes on counting `tries`; SIGKILL to the group is killasgroup, the first signal
 * is stopasgroup; a process that gives up is BACKOFF first and FATAL right after.
 */
#include "core/local/process.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <svisor/limits.h>
#include <sys/wait.h>

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

static void enter(struct sv_process *process, enum sv_process_state state, enum sv_reason reason,
                  struct sv_step *step)
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
        reason != SV_REASON_EXIT_UNEXPECTED && reason != SV_REASON_EXIT_SIGNAL;
    process->state = state;
    process->reason = reason;
}

/* A fact for the log, without a change of state. */
static void remark(const struct sv_process *process, enum sv_reason reason, struct sv_step *step)
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

static void say(struct sv_process *process, const char *text)
{
    snprintf(process->spawnerr, process->spawnerr_bytes, "%s", text);
}

static void send_signal(const struct sv_process *process, int number, enum sv_signal_target target,
                        struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_SIGNAL);
    action->process = process->id;
    action->run = process->run;
    action->signal.number = number;
    action->signal.target = target;
}

static void kill_cgroup(const struct sv_process *process, struct sv_step *step)
{
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_KILL_CGROUP);
    action->process = process->id;
    action->run = process->run;
}

static bool owns_cgroup(const struct sv_process *process)
{
    return process->config->kill_mode == SV_KILL_CONTROL_GROUP;
}

/* Starting. */

static void spawn(struct sv_process *process, struct sv_step *step)
{
    process->main = SV_MAIN_SPAWNING;
    process->run++;
    process->started_wall_ns = step->wall_ns;
    struct sv_action *action = sv_actions_add(step->actions, SV_ACTION_SPAWN);
    action->process = process->id;
    action->run = process->run;
}

static void begin_start(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    process->spawnerr[0] = '\0';
    process->has_wait_status = false;
    process->was_killed = false;
    process->is_abandoned = false;
    process->stop_reason = SV_REASON_NONE;
    process->pending_signals = 0;
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    enter(process, SV_PROCESS_STARTING, reason, step);
    if (process->strays == SV_STRAYS_NONE)
        spawn(process, step);
    else
        process->main = SV_MAIN_HELD;
}

static void become_running(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    if (!sv_restart_remembers(process->config))
        process->failure_count = 0;
    else if (process->failure_count > 0)
        process->deadline_ns =
            sv_time_after(step->now_ns, sv_seconds_to_ns(process->config->restart_reset_after));
    enter(process, SV_PROCESS_RUNNING, reason, step);
}

static void arm_restart(struct sv_process *process, uint64_t pause_ns, struct sv_step *step)
{
    if (!step->may_start)
        return;
    process->deadline_ns = sv_time_after(step->now_ns, pause_ns);
    process->next_start_wall_ns =
        step->wall_ns + (int64_t)(pause_ns < INT64_MAX / 4 ? pause_ns : INT64_MAX / 4);
}

static void count_failure(struct sv_process *process)
{
    if (process->failure_count < UINT32_MAX - 1)
        process->failure_count++;
}

static void give_up_as(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    process->failure_count = 0;
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    enter(process, SV_PROCESS_FATAL, reason, step);
}

static void fail_start(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    count_failure(process);
    process->deadline_ns = SV_NEVER;
    enter(process, SV_PROCESS_BACKOFF, reason, step);
    process->pid = 0;
    if (sv_restart_is_exhausted(process->config, process->failure_count))
        give_up_as(process, SV_REASON_TOO_MANY_RETRIES, step);
    else
        arm_restart(process,
                    sv_restart_pause_after_failed_start_ns(process->config, process->failure_count,
                                                           step->random),
                    step);
}

/* Stopping. */

static void begin_stop(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    process->stop_reason = reason;
    process->deadline_ns = sv_time_after(step->now_ns, config->stopwaitsecs * SV_NS_PER_SECOND);
    enter(process, SV_PROCESS_STOPPING, reason, step);
    send_signal(process, config->stopsignal,
                config->stopasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, step);
}

static void become_stopped(struct sv_process *process, struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    process->is_abandoned = false;
    enter(process, SV_PROCESS_STOPPED,
          process->was_killed ? SV_REASON_STOP_TIMEOUT : process->stop_reason, step);
    process->pid = 0;
}

/* The end of a run. */

static bool is_expected_end(const struct sv_program_config *config, int wait_status)
{
    if (!WIFEXITED(wait_status))
        return false;
    for (size_t i = 0; i < config->exitcode_count; i++)
        if (config->exitcodes[i] == WEXITSTATUS(wait_status))
            return true;
    return false;
}

static void end_main(struct sv_process *process, const struct sv_process_event *event,
                     struct sv_step *step)
{
    process->main = SV_MAIN_NONE;
    process->wait_status = event->number;
    process->has_wait_status = true;
    process->stopped_wall_ns = step->wall_ns;
    process->pending_signals = 0;
    if (!event->has_strays || !owns_cgroup(process))
        return;
    if (process->was_killed) {
        process->strays = SV_STRAYS_KILLED;
        process->strays_deadline_ns =
            sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
        return;
    }
    process->strays = SV_STRAYS_SIGNALLED;
    process->strays_deadline_ns =
        process->state == SV_PROCESS_STOPPING
            ? process->deadline_ns
            : sv_time_after(step->now_ns, process->config->stopwaitsecs * SV_NS_PER_SECOND);
    remark(process, SV_REASON_STRAYS_LEFT, step);
    send_signal(process, process->config->stopsignal, SV_TARGET_CGROUP, step);
}

static void restart_after_exit(struct sv_process *process, bool is_expected, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    bool is_wanted = config->autorestart == SV_AUTORESTART_ALWAYS ||
                     (config->autorestart == SV_AUTORESTART_UNEXPECTED && !is_expected);
    if (!is_wanted || !step->may_start)
        return;
    if (!is_expected && sv_restart_remembers(config) &&
        sv_restart_is_exhausted(config, process->failure_count)) {
        give_up_as(process, SV_REASON_TOO_MANY_RETRIES, step);
        return;
    }
    uint64_t pause_ns =
        sv_restart_pause_after_exit_ns(config, process->failure_count, step->random);
    if (pause_ns == 0)
        begin_start(process, SV_REASON_AUTORESTART, step);
    else
        arm_restart(process, pause_ns, step);
}

static void handle_exited_running(struct sv_process *process, const struct sv_process_event *event,
                                  struct sv_step *step)
{
    int status = event->number;
    bool is_expected = is_expected_end(process->config, status);
    if (!sv_restart_remembers(process->config) || process->deadline_ns <= step->now_ns)
        process->failure_count = 0;
    process->deadline_ns = SV_NEVER;
    enum sv_reason reason = SV_REASON_EXIT_EXPECTED;
    if (!is_expected) {
        if (sv_restart_remembers(process->config))
            count_failure(process);
        /* Supervisor's exit status of a death by signal is -1. */
        snprintf(process->spawnerr, process->spawnerr_bytes, "Bad exit code %d",
                 WIFEXITED(status) ? WEXITSTATUS(status) : -1);
        reason = WIFSIGNALED(status) ? SV_REASON_EXIT_SIGNAL : SV_REASON_EXIT_UNEXPECTED;
    }
    enter(process, SV_PROCESS_EXITED, reason, step);
    end_main(process, event, step);
    process->pid = 0;
    restart_after_exit(process, is_expected, step);
}

static void handle_exited_starting(struct sv_process *process, const struct sv_process_event *event,
                                   struct sv_step *step)
{
    if (process->deadline_ns <= step->now_ns) { /* the timer was a little late */
        become_running(process, SV_REASON_STAYED_UP, step);
        handle_exited_running(process, event, step);
        return;
    }
    say(process, "Exited too quickly (process log may have details)");
    end_main(process, event, step);
    process->has_wait_status = false;
    fail_start(process, SV_REASON_EXITED_TOO_QUICKLY, step);
}

static void handle_exited_stopping(struct sv_process *process, const struct sv_process_event *event,
                                   struct sv_step *step)
{
    end_main(process, event, step);
    process->deadline_ns = SV_NEVER;
    if (process->strays == SV_STRAYS_NONE)
        become_stopped(process, step);
}

static void handle_exited_unknown(struct sv_process *process, const struct sv_process_event *event,
                                  struct sv_step *step)
{
    if (process->stop_reason == SV_REASON_NONE) {
        handle_exited_running(process, event, step);
        return;
    }
    end_main(process, event, step);
    become_stopped(process, step);
}

/* The other cells. */

static void handle_ignore(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    (void)process;
    (void)event;
    (void)step;
}

static void handle_impossible(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step)
{
    (void)process;
    (void)event;
    (void)step;
    assert(!"an event that this state can never meet");
}

static void handle_start(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step)
{
    if (step->may_start)
        begin_start(process, event->reason, step);
}

static void handle_restart(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    (void)event;
    process->next_start_wall_ns = 0;
    if (step->may_start)
        begin_start(process,
                    process->state == SV_PROCESS_BACKOFF ? SV_REASON_RETRY : SV_REASON_AUTORESTART,
                    step);
}

static void handle_stop_starting(struct sv_process *process, const struct sv_process_event *event,
                                 struct sv_step *step)
{
    switch ((enum sv_main_phase)process->main) {
    case SV_MAIN_SPAWNING:
        if (process->stop_reason == SV_REASON_NONE)
            process->stop_reason = event->reason;
        return;
    case SV_MAIN_ALIVE:
        begin_stop(process, event->reason, step);
        return;
    case SV_MAIN_NONE:
    case SV_MAIN_HELD:
        process->main = SV_MAIN_NONE;
        process->stop_reason = event->reason;
        enter(process, SV_PROCESS_STOPPING, event->reason, step);
        if (process->strays == SV_STRAYS_NONE)
            become_stopped(process, step);
        return;
    }
}

static void handle_stop_running(struct sv_process *process, const struct sv_process_event *event,
                                struct sv_step *step)
{
    begin_stop(process, event->reason, step);
}

/* As Supervisor's kill() in STOPPING, except that the deadline stays: asking twice does not delay.
 */
static void handle_stop_again(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step)
{
    (void)event;
    if (process->main == SV_MAIN_ALIVE)
        send_signal(process, process->config->stopsignal,
                    process->config->killasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS,
                    step);
}

static void handle_stop_backoff(struct sv_process *process, const struct sv_process_event *event,
                                struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    enter(process, SV_PROCESS_STOPPED, event->reason, step);
}

static void handle_give_up(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    give_up_as(process, event->reason, step);
}

static void handle_cancel_restart(struct sv_process *process, const struct sv_process_event *event,
                                  struct sv_step *step)
{
    (void)event;
    if (process->deadline_ns == SV_NEVER)
        return;
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    remark(process, SV_REASON_RESTART_CANCELLED, step);
}

/* Its stop signal could not be sent once; cgroup.kill asks for no right over the process itself. */
static void handle_stop_unknown(struct sv_process *process, const struct sv_process_event *event,
                                struct sv_step *step)
{
    process->stop_reason = event->reason;
    if (owns_cgroup(process))
        kill_cgroup(process, step);
}

static void handle_signal(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    if (process->main == SV_MAIN_ALIVE)
        send_signal(process, event->number, SV_TARGET_PROCESS, step);
    else if (process->main != SV_MAIN_NONE && event->number > 0)
        process->pending_signals |= UINT64_C(1) << (event->number - 1);
}

static void handle_spawned(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    process->main = SV_MAIN_ALIVE;
    process->pid = event->number;
    for (int number = 1; process->pending_signals != 0; number++) {
        uint64_t bit = UINT64_C(1) << (number - 1);
        if (process->pending_signals & bit)
            send_signal(process, number, SV_TARGET_PROCESS, step);
        process->pending_signals &= ~bit;
    }
    if (process->stop_reason != SV_REASON_NONE)
        begin_stop(process, process->stop_reason, step);
    else if (process->config->startsecs == 0)
        become_running(process, SV_REASON_STARTED_AT_ONCE, step);
    else
        process->deadline_ns =
            sv_time_after(step->now_ns, process->config->startsecs * SV_NS_PER_SECOND);
}

static void handle_spawn_failed(struct sv_process *process, const struct sv_process_event *event,
                                struct sv_step *step)
{
    process->main = SV_MAIN_NONE;
    process->pending_signals = 0;
    say(process, event->text ? event->text : "");
    fail_start(process, SV_REASON_SPAWN_FAILED, step);
    if (process->stop_reason != SV_REASON_NONE && process->state == SV_PROCESS_BACKOFF) {
        process->deadline_ns = SV_NEVER;
        process->next_start_wall_ns = 0;
        enter(process, SV_PROCESS_STOPPED, process->stop_reason, step);
    }
}

static void handle_stayed_up(struct sv_process *process, const struct sv_process_event *event,
                             struct sv_step *step)
{
    (void)event;
    become_running(process, SV_REASON_STAYED_UP, step);
}

static void handle_forget_failures(struct sv_process *process, const struct sv_process_event *event,
                                   struct sv_step *step)
{
    (void)event;
    (void)step;
    process->failure_count = 0;
}

static void handle_kill(struct sv_process *process, const struct sv_process_event *event,
                        struct sv_step *step)
{
    (void)event;
    if (process->was_killed && !process->is_abandoned) {
        process->is_abandoned = true;
        remark(process, SV_REASON_UNKILLABLE, step);
    } else if (!process->was_killed) {
        remark(process, SV_REASON_STOP_TIMEOUT, step);
    }
    process->was_killed = true;
    process->deadline_ns = sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
    send_signal(process, SIGKILL,
                process->config->killasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, step);
    if (owns_cgroup(process))
        kill_cgroup(process, step);
}

/* Late failures, and those about strays, change nothing: cgroup.kill follows anyway. */
static void handle_signal_failed(struct sv_process *process, const struct sv_process_event *event,
                                 struct sv_step *step)
{
    (void)event;
    if (process->main != SV_MAIN_ALIVE)
        return;
    process->deadline_ns = SV_NEVER;
    enter(process, SV_PROCESS_UNKNOWN, SV_REASON_SIGNAL_FAILED, step);
}

/* Nothing is left of the last run: go on with what waited for that. */
static void forget_strays(struct sv_process *process, struct sv_step *step)
{
    process->strays = SV_STRAYS_NONE;
    process->strays_deadline_ns = SV_NEVER;
    if (process->state == SV_PROCESS_STOPPING)
        become_stopped(process, step);
    else if (process->main == SV_MAIN_HELD && step->may_start)
        spawn(process, step);
}

static void handle_emptied(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    (void)event;
    forget_strays(process, step);
}

static void handle_strays_deadline(struct sv_process *process, const struct sv_process_event *event,
                                   struct sv_step *step)
{
    (void)event;
    if (process->strays == SV_STRAYS_KILLED) {
        remark(process, SV_REASON_UNKILLABLE, step);
        forget_strays(process, step);
        return;
    }
    process->strays = SV_STRAYS_KILLED;
    process->strays_deadline_ns =
        sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
    remark(process, SV_REASON_STRAYS_KILLED, step);
    kill_cgroup(process, step);
}

typedef void handler_function(struct sv_process *, const struct sv_process_event *,
                              struct sv_step *);

static const struct {
    handler_function *handle;
    uint32_t permitted;
} cells[STATE_COUNT][SV_PROCESS_EVENT_COUNT] = {
#define CELL(state, event, handler, states)                                                        \
    [INDEX_##state][SV_PROCESS_EVENT_##event] = {handle_##handler, (states)},
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
}

size_t sv_process_spawnerr_bytes(const struct sv_program_config *config)
{
    /* "can't find command '/usr/bin/x'", "unknown error making dispatchers for 'x': EMFILE" … */
    size_t bytes = 96 + strlen(config->name);
    if (config->argv_error)
        bytes += strlen(config->argv_error);
    else if (config->argv && config->argv[0])
        bytes += strlen(config->argv[0]);
    return bytes < SV_SPAWNERR_BYTES_MAX ? bytes : SV_SPAWNERR_BYTES_MAX;
}

bool sv_process_awaits(const struct sv_process *process, enum sv_process_event_kind kind,
                       uint32_t run)
{
    if (run != process->run)
        return false;
    switch (kind) {
    case SV_PROCESS_EVENT_SPAWNED:
    case SV_PROCESS_EVENT_SPAWN_FAILED:
        return process->main == SV_MAIN_SPAWNING;
    case SV_PROCESS_EVENT_EXITED:
        assert(process->main != SV_MAIN_SPAWNING); /* SPAWNED comes first */
        return process->main == SV_MAIN_ALIVE;
    case SV_PROCESS_EVENT_EMPTIED:
        return process->strays != SV_STRAYS_NONE;
    case SV_PROCESS_EVENT_SIGNAL_FAILED:
    case SV_PROCESS_EVENT_START:
    case SV_PROCESS_EVENT_STOP:
    case SV_PROCESS_EVENT_SIGNAL:
    case SV_PROCESS_EVENT_SHUTDOWN:
    case SV_PROCESS_EVENT_DEADLINE:
    case SV_PROCESS_EVENT_STRAYS_DEADLINE:
    case SV_PROCESS_EVENT_COUNT:
        break;
    }
    return true;
}

void sv_process_handle(struct sv_process *process, const struct sv_process_event *event,
                       struct sv_step *step)
{
    if (event->kind == SV_PROCESS_EVENT_SIGNAL && (event->number < 0 || event->number > SIGNAL_MAX))
        return;
    if (event->kind == SV_PROCESS_EVENT_DEADLINE)
        process->deadline_ns = SV_NEVER;
    enum state_index index = index_of(process->state);
    step->permitted = cells[index][event->kind].permitted;
    cells[index][event->kind].handle(process, event, step);
    uint64_t due_ns = process->deadline_ns < process->strays_deadline_ns
                          ? process->deadline_ns
                          : process->strays_deadline_ns;
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
        .is_spawning = process->state == SV_PROCESS_STARTING && !is_alive,
    };
}

void sv_process_discard(struct sv_process *process, struct sv_step *step)
{
    if (owns_cgroup(process) &&
        (process->main == SV_MAIN_ALIVE || process->strays != SV_STRAYS_NONE))
        kill_cgroup(process, step);
    sv_heap_remove(step->alarms, &process->alarm);
}

enum sv_cell_kind sv_process_cell(enum sv_process_state state, enum sv_process_event_kind event)
{
    handler_function *handle = cells[index_of(state)][event].handle;
    if (handle == handle_ignore)
        return SV_CELL_IGNORED;
    return handle == handle_impossible ? SV_CELL_IMPOSSIBLE : SV_CELL_HANDLED;
}
