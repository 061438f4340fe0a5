/*
 * Starting, running and ending: the cells of process.def that lead to or from a run. The essay is
 * in process.c, the arithmetic of the pauses in restart.c.
 */
#include "core/local/process_cells.h"

#include <stdio.h>
#include <svisor/limits.h>
#include <sys/wait.h>

#include "base/names.h"

static void say(struct sv_process *process, const char *text)
{
    snprintf(process->spawnerr, process->spawnerr_bytes, "%s", text);
}

/* Starting. */

void sv_process_spawn(struct sv_process *process, struct sv_step *step)
{
    process->main = SV_MAIN_SPAWNING;
    process->run++;
    process->started_ns = step->now_ns;
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
    sv_health_reset(process);
    sv_process_enter(process, SV_PROCESS_STARTING, reason, step);
    if (process->strays == SV_STRAYS_NONE)
        sv_process_spawn(process, step);
    else
        process->main = SV_MAIN_HELD;
}

void sv_process_become_running(struct sv_process *process, enum sv_reason reason,
                               struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    if (!sv_restart_remembers(process->config))
        process->failure_count = 0;
    else if (process->failure_count > 0)
        process->deadline_ns =
            sv_time_after(step->now_ns, sv_seconds_to_ns(process->config->restart_reset_after));
    sv_process_enter(process, SV_PROCESS_RUNNING, reason, step);
    sv_health_begin_liveness(process, step);
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
    sv_process_enter(process, SV_PROCESS_FATAL, reason, step);
}

static void fail_start(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    count_failure(process);
    process->deadline_ns = SV_NEVER;
    sv_process_enter(process, SV_PROCESS_BACKOFF, reason, step);
    process->pid = 0;
    if (sv_restart_is_exhausted(process->config, process->failure_count))
        give_up_as(process, SV_REASON_TOO_MANY_RETRIES, step);
    else
        arm_restart(process,
                    sv_restart_pause_after_failed_start_ns(process->config, process->failure_count,
                                                           step->random),
                    step);
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

void sv_process_end_main(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step)
{
    sv_health_end(process, step);
    process->main = SV_MAIN_NONE;
    process->wait_status = event->number;
    process->has_wait_status = !event->is_unknown;
    process->stopped_wall_ns = step->wall_ns;
    process->pending_signals = 0;
    if (!event->has_strays || !sv_process_owns_cgroup(process))
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
    sv_process_remark(process, SV_REASON_STRAYS_LEFT, step);
    sv_process_signal(process, process->config->stopsignal, SV_TARGET_CGROUP, SV_REASON_STRAYS_LEFT,
                      step);
}

static void count_quick_end(struct sv_process *process, const struct sv_step *step)
{
    if (step->now_ns - process->started_ns >= SV_QUICK_END_SECONDS * SV_NS_PER_SECOND)
        process->quick_end_count = 0;
    else if (process->quick_end_count < UINT32_MAX)
        process->quick_end_count++;
}

static void restart_after_pause(struct sv_process *process, struct sv_step *step)
{
    uint64_t pause_ns = sv_restart_pause_after_exit_ns(process->config, process->failure_count,
                                                       process->quick_end_count, step->random);
    if (pause_ns == 0)
        begin_start(process, SV_REASON_AUTORESTART, step);
    else
        arm_restart(process, pause_ns, step);
}

static void restart_after_exit(struct sv_process *process, bool is_expected, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    bool is_wanted = config->autorestart == SV_AUTORESTART_ALWAYS ||
                     sv_health_end_reason(process) != SV_REASON_NONE ||
                     (config->autorestart == SV_AUTORESTART_UNEXPECTED && !is_expected);
    if (!is_wanted || !step->may_start)
        return;
    if (!is_expected && sv_restart_remembers(config) &&
        sv_restart_is_exhausted(config, process->failure_count)) {
        give_up_as(process, SV_REASON_TOO_MANY_RETRIES, step);
        return;
    }
    restart_after_pause(process, step);
}

static enum sv_reason describe_bad_end(struct sv_process *process,
                                       const struct sv_process_event *event)
{
    if (event->is_unknown) {
        say(process, "Exit status unknown: it ended while svisord was not running");
        return SV_REASON_EXIT_UNKNOWN;
    }
    /* Supervisor's exit status of a death by signal is -1. */
    int status = event->number;
    snprintf(process->spawnerr, process->spawnerr_bytes, "Bad exit code %d",
             WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return WIFSIGNALED(status) ? SV_REASON_EXIT_SIGNAL : SV_REASON_EXIT_UNEXPECTED;
}

void sv_process_restart_stopped(struct sv_process *process, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    if (config->autorestart == SV_AUTORESTART_NEVER || !step->may_start)
        return;
    count_quick_end(process, step);
    restart_after_pause(process, step);
}

/* By the keeper: another node has it now, so it is not started again by itself. In Supervisor's
 * table FATAL is the only rest for what has not been RUNNING. */
static void exited_for_good(struct sv_process *process, const struct sv_process_event *event,
                            struct sv_step *step)
{
    bool was_starting = process->state == SV_PROCESS_STARTING;
    process->deadline_ns = SV_NEVER;
    process->failure_count = 0;
    say(process, sv_reason_text(event->keeper_reason));
    sv_process_enter(process, was_starting ? SV_PROCESS_BACKOFF : SV_PROCESS_EXITED,
                     event->keeper_reason, step);
    sv_process_end_main(process, event, step);
    process->pid = 0;
    if (was_starting)
        give_up_as(process, event->keeper_reason, step);
}

void sv_cell_exited_running(struct sv_process *process, const struct sv_process_event *event,
                            struct sv_step *step)
{
    if (event->keeper_reason != SV_REASON_NONE) {
        exited_for_good(process, event, step);
        return;
    }
    int status = event->number;
    enum sv_reason end_reason = sv_health_end_reason(process);
    bool is_expected = end_reason == SV_REASON_NONE && !event->is_unknown &&
                       is_expected_end(process->config, status);
    if (!sv_restart_remembers(process->config) || process->deadline_ns <= step->now_ns)
        process->failure_count = 0;
    process->deadline_ns = SV_NEVER;
    count_quick_end(process, step);
    enum sv_reason reason = SV_REASON_EXIT_EXPECTED;
    if (!is_expected) {
        if (sv_restart_remembers(process->config))
            count_failure(process);
        reason = describe_bad_end(process, event);
    }
    if (end_reason != SV_REASON_NONE) {
        const char *words = process->health->words; /* none after a death of the daemon */
        snprintf(process->spawnerr, process->spawnerr_bytes, "%s%s%s",
                 end_reason == SV_REASON_WATCHDOG_EXPIRED ? "Watchdog expired"
                                                          : "Liveness check failed",
                 *words ? ": " : "", words);
        reason = end_reason;
    }
    sv_process_enter(process, SV_PROCESS_EXITED, reason, step);
    sv_process_end_main(process, event, step);
    process->pid = 0;
    restart_after_exit(process, is_expected, step);
}

/* It is over before it was ready, by itself or because its time was over. */
static void exited_unready(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    const char *words = process->health->words;
    enum sv_reason reason = sv_health_end_reason(process);
    if (reason == SV_REASON_NONE) {
        reason = SV_REASON_EXITED_BEFORE_READY;
        say(process, "Exited before it was ready (process log may have details)");
    } else {
        snprintf(process->spawnerr, process->spawnerr_bytes, "not ready within %g s%s%s",
                 process->config->health->ready_timeout, *words ? ": " : "", words);
    }
    sv_process_end_main(process, event, step);
    process->has_wait_status = false;
    fail_start(process, reason, step);
}

void sv_cell_exited_starting(struct sv_process *process, const struct sv_process_event *event,
                             struct sv_step *step)
{
    if (event->keeper_reason != SV_REASON_NONE) {
        exited_for_good(process, event, step);
        return;
    }
    if (sv_health_decides_ready(process)) {
        exited_unready(process, event, step);
        return;
    }
    if (process->deadline_ns <= step->now_ns) { /* the timer was a little late */
        sv_process_become_running(process, SV_REASON_STAYED_UP, step);
        sv_cell_exited_running(process, event, step);
        return;
    }
    say(process, "Exited too quickly (process log may have details)");
    sv_process_end_main(process, event, step);
    process->has_wait_status = false;
    fail_start(process, SV_REASON_EXITED_TOO_QUICKLY, step);
}

void sv_cell_start(struct sv_process *process, const struct sv_process_event *event,
                   struct sv_step *step)
{
    if (step->may_start)
        begin_start(process, event->reason, step);
}

void sv_cell_restart(struct sv_process *process, const struct sv_process_event *event,
                     struct sv_step *step)
{
    (void)event;
    process->next_start_wall_ns = 0;
    if (step->may_start)
        begin_start(process,
                    process->state == SV_PROCESS_BACKOFF ? SV_REASON_RETRY : SV_REASON_AUTORESTART,
                    step);
}

void sv_cell_spawned(struct sv_process *process, const struct sv_process_event *event,
                     struct sv_step *step)
{
    process->main = SV_MAIN_ALIVE;
    process->pid = event->number;
    for (int number = 1; process->pending_signals != 0; number++) {
        uint64_t bit = UINT64_C(1) << (number - 1);
        if (process->pending_signals & bit)
            sv_process_signal(process, number, SV_TARGET_PROCESS, SV_REASON_REQUEST_SIGNAL, step);
        process->pending_signals &= ~bit;
    }
    if (process->stop_reason != SV_REASON_NONE)
        sv_process_begin_stop(process, process->stop_reason, step);
    else if (sv_health_decides_ready(process))
        sv_health_begin_ready(process, step);
    else if (process->config->startsecs == 0)
        sv_process_become_running(process, SV_REASON_STARTED_AT_ONCE, step);
    else
        process->deadline_ns =
            sv_time_after(step->now_ns, process->config->startsecs * SV_NS_PER_SECOND);
}

void sv_cell_spawn_failed(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    process->main = SV_MAIN_NONE;
    process->pending_signals = 0;
    say(process, event->text ? event->text : "");
    fail_start(process, SV_REASON_SPAWN_FAILED, step);
    if (process->stop_reason != SV_REASON_NONE && process->state == SV_PROCESS_BACKOFF) {
        process->deadline_ns = SV_NEVER;
        process->next_start_wall_ns = 0;
        sv_process_enter(process, SV_PROCESS_STOPPED, process->stop_reason, step);
    }
}

void sv_cell_starting_deadline(struct sv_process *process, const struct sv_process_event *event,
                               struct sv_step *step)
{
    if (!sv_health_decides_ready(process)) {
        sv_process_become_running(process, SV_REASON_STAYED_UP, step);
    } else if (sv_health_end_reason(process) == SV_REASON_NONE) {
        sv_health_note_unready(process);
        sv_process_remark(process, SV_REASON_NOT_READY, step);
        sv_health_end_run(process, SV_REASON_NOT_READY, step);
    } else {
        sv_cell_kill(process, event, step);
    }
}

void sv_cell_running_deadline(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step)
{
    if (sv_health_end_reason(process) == SV_REASON_NONE)
        process->failure_count = 0; /* restart_reset_after has passed */
    else
        sv_cell_kill(process, event, step);
}

void sv_cell_give_up(struct sv_process *process, const struct sv_process_event *event,
                     struct sv_step *step)
{
    give_up_as(process, event->reason, step);
}
