/*
 * Stopping: by request, by the deadline, by the shutdown; and what to do about strays. The essay is
 * in process.c.
 */
#include "core/local/process_cells.h"

#include <assert.h>
#include <signal.h>
#include <svisor/limits.h>

/* Stopping. */

void sv_process_begin_stop(struct sv_process *process, enum sv_reason reason, struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    sv_health_end(process, step);
    sv_health_forgive(process);
    process->stop_reason = reason;
    process->deadline_ns = sv_time_after(step->now_ns, config->stopwaitsecs * SV_NS_PER_SECOND);
    sv_process_enter(process, SV_PROCESS_STOPPING, reason, step);
    sv_process_signal(process, sv_health_stop_signal(process, reason),
                      config->stopasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, reason,
                      step);
}

/* One of its processes was taken, and not the main one: that one's end speaks for itself. */
void sv_cell_oom_kill(struct sv_process *process, const struct sv_process_event *event,
                      struct sv_step *step)
{
    sv_process_remark(process, SV_REASON_OOM_KILL, step);
    bool is_stopping = process->state == SV_PROCESS_STOPPING;
    if (event->number == SV_OOM_STOP && !is_stopping)
        sv_process_begin_stop(process, SV_REASON_OOM_STOP, step);
}

static void become_stopped(struct sv_process *process, struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    process->is_abandoned = false;
    sv_process_enter(process, SV_PROCESS_STOPPED,
                     process->was_killed ? SV_REASON_STOP_TIMEOUT : process->stop_reason, step);
    process->pid = 0;
    if (process->stop_reason == SV_REASON_OOM_STOP)
        sv_process_restart_stopped(process, step);
}

void sv_cell_exited_stopping(struct sv_process *process, const struct sv_process_event *event,
                             struct sv_step *step)
{
    sv_process_end_main(process, event, step);
    process->deadline_ns = SV_NEVER;
    if (process->strays == SV_STRAYS_NONE)
        become_stopped(process, step);
}

void sv_cell_exited_unknown(struct sv_process *process, const struct sv_process_event *event,
                            struct sv_step *step)
{
    if (process->stop_reason == SV_REASON_NONE) {
        sv_cell_exited_running(process, event, step);
        return;
    }
    sv_process_end_main(process, event, step);
    become_stopped(process, step);
}

void sv_cell_stop_starting(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    switch ((enum sv_main_phase)process->main) {
    case SV_MAIN_SPAWNING:
        if (process->stop_reason == SV_REASON_NONE)
            process->stop_reason = event->reason;
        return;
    case SV_MAIN_ALIVE:
        sv_process_begin_stop(process, event->reason, step);
        return;
    case SV_MAIN_NONE:
    case SV_MAIN_HELD:
        process->main = SV_MAIN_NONE;
        process->stop_reason = event->reason;
        sv_process_enter(process, SV_PROCESS_STOPPING, event->reason, step);
        if (process->strays == SV_STRAYS_NONE)
            become_stopped(process, step);
        return;
    }
}

void sv_cell_stop_running(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    sv_process_begin_stop(process, event->reason, step);
}

/* After that stop it would be started again: by oom_policy=stop, or because the shutdown was that
 * of an earlier daemon, and cut short. */
static bool is_stop_for_now(const struct sv_process *process, const struct sv_step *step)
{
    enum sv_reason reason = process->stop_reason;
    return reason == SV_REASON_OOM_STOP ||
           (step->may_start && (reason == SV_REASON_SHUTDOWN || reason == SV_REASON_RESTART));
}

/* As Supervisor's kill() in STOPPING, except that the deadline stays: asking twice does not delay.
 */
void sv_cell_stop_again(struct sv_process *process, const struct sv_process_event *event,
                        struct sv_step *step)
{
    if (is_stop_for_now(process, step))
        process->stop_reason = event->reason; /* now it is to stay stopped */
    if (process->main == SV_MAIN_ALIVE)
        sv_process_signal(process, process->config->stopsignal,
                          process->config->killasgroup ? SV_TARGET_PROCESS_GROUP
                                                       : SV_TARGET_PROCESS,
                          process->stop_reason, step);
}

void sv_cell_stop_backoff(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    sv_process_enter(process, SV_PROCESS_STOPPED, event->reason, step);
}

void sv_cell_cancel_restart(struct sv_process *process, const struct sv_process_event *event,
                            struct sv_step *step)
{
    (void)event;
    if (process->deadline_ns == SV_NEVER)
        return;
    process->deadline_ns = SV_NEVER;
    process->next_start_wall_ns = 0;
    sv_process_remark(process, SV_REASON_RESTART_CANCELLED, step);
}

/* Its stop signal could not be sent once; cgroup.kill asks for no right over the process itself. */
void sv_cell_stop_unknown(struct sv_process *process, const struct sv_process_event *event,
                          struct sv_step *step)
{
    process->stop_reason = event->reason;
    if (sv_process_owns_cgroup(process))
        sv_process_kill_cgroup(process, step);
}

void sv_cell_signal(struct sv_process *process, const struct sv_process_event *event,
                    struct sv_step *step)
{
    enum sv_reason reason = sv_process_reason_to_go(process);
    if (reason == SV_REASON_NONE)
        reason = SV_REASON_REQUEST_SIGNAL;
    if (process->main == SV_MAIN_ALIVE)
        sv_process_signal(process, event->number, SV_TARGET_PROCESS, reason, step);
    else if (process->main != SV_MAIN_NONE && event->number > 0)
        process->pending_signals |= UINT64_C(1) << (event->number - 1);
}

void sv_cell_kill(struct sv_process *process, const struct sv_process_event *event,
                  struct sv_step *step)
{
    (void)event;
    if (process->was_killed && !process->is_abandoned) {
        process->is_abandoned = true;
        sv_process_remark(process, SV_REASON_UNKILLABLE, step);
    } else if (!process->was_killed) {
        sv_process_remark(process, SV_REASON_STOP_TIMEOUT, step);
    }
    process->was_killed = true;
    process->deadline_ns = sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
    sv_process_signal(process, SIGKILL,
                      process->config->killasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS,
                      sv_process_reason_to_go(process), step);
    if (sv_process_owns_cgroup(process))
        sv_process_kill_cgroup(process, step);
}

/* Late failures, and those about strays, change nothing: cgroup.kill follows anyway. */
void sv_cell_signal_failed(struct sv_process *process, const struct sv_process_event *event,
                           struct sv_step *step)
{
    (void)event;
    if (process->main != SV_MAIN_ALIVE)
        return;
    sv_health_end(process, step);
    sv_health_forgive(process);
    process->deadline_ns = SV_NEVER;
    sv_process_enter(process, SV_PROCESS_UNKNOWN, SV_REASON_SIGNAL_FAILED, step);
}

/* Nothing is left of the last run: go on with what waited for that. */
static void forget_strays(struct sv_process *process, struct sv_step *step)
{
    process->strays = SV_STRAYS_NONE;
    process->strays_deadline_ns = SV_NEVER;
    if (process->state == SV_PROCESS_STOPPING)
        become_stopped(process, step);
    else if (process->main == SV_MAIN_HELD && step->may_start)
        sv_process_spawn(process, step);
}

void sv_cell_emptied(struct sv_process *process, const struct sv_process_event *event,
                     struct sv_step *step)
{
    (void)event;
    forget_strays(process, step);
}

void sv_cell_strays_deadline(struct sv_process *process, const struct sv_process_event *event,
                             struct sv_step *step)
{
    (void)event;
    if (process->strays == SV_STRAYS_KILLED) {
        sv_process_remark(process, SV_REASON_UNKILLABLE, step);
        forget_strays(process, step);
        return;
    }
    process->strays = SV_STRAYS_KILLED;
    process->strays_deadline_ns =
        sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
    sv_process_remark(process, SV_REASON_STRAYS_KILLED, step);
    sv_process_kill_cgroup(process, step);
}
