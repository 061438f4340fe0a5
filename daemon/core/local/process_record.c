/*
 * The memory of a process that outlives the daemon.
 *
 * A record is taken after each step that changed something, so it is a state between two events,
 * and restoring it is all that it takes to go on: the deadlines are points of a clock that went on,
 * a spawn that was asked for is answered by the next daemon when it has looked who lives in the
 * cgroup of the run, and an end that happened meanwhile is an EXITED like any other. This is the
 * one place beside sv_process_enter() that writes a state: nothing happens here that anybody should
 * be told.
 */
#include <signal.h>
#include <stdio.h>
#include <svisor/limits.h>

#include "core/local/process_cells.h"

void sv_process_record(const struct sv_process *process, struct sv_process_record *ret_record)
{
    *ret_record = (struct sv_process_record){
        .state = process->state,
        .reason = process->reason,
        .stop_reason = process->stop_reason,
        .end_reason = sv_health_end_reason(process),
        .main = (enum sv_record_main)process->main,
        .strays = (enum sv_record_strays)process->strays,
        .has_wait_status = process->has_wait_status,
        .was_killed = process->was_killed,
        .run = process->run,
        .failure_count = process->failure_count,
        .quick_end_count = process->quick_end_count,
        .pid = process->pid,
        .wait_status = process->wait_status,
        .pending_signals = process->pending_signals,
        .deadline_ns = process->deadline_ns,
        .strays_deadline_ns = process->strays_deadline_ns,
        .started_ns = process->started_ns,
        .started_wall_ns = process->started_wall_ns,
        .stopped_wall_ns = process->stopped_wall_ns,
        .next_start_wall_ns = process->next_start_wall_ns,
        .spawnerr = process->spawnerr,
    };
}

/*
 * What was decided, written down, and perhaps not done before the daemon died. A second SIGKILL
 * does no harm. A second stop signal may: it is sent only if the first one was not, and then the
 * program has all of its stopwaitsecs.
 */
static void do_what_is_owed(struct sv_process *process, const struct sv_process_record *record,
                            struct sv_step *step)
{
    const struct sv_program_config *config = process->config;
    enum sv_reason reason = sv_process_reason_to_go(process);
    enum sv_reason kill_reason = reason != SV_REASON_NONE ? reason : SV_REASON_STOP_TIMEOUT;
    bool has_to_go = process->main == SV_MAIN_ALIVE &&
                     (process->state == SV_PROCESS_STOPPING || reason != SV_REASON_NONE);
    if (process->main == SV_MAIN_ALIVE && process->was_killed) {
        sv_process_signal(process, SIGKILL,
                          config->killasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS,
                          kill_reason, step);
        if (sv_process_owns_cgroup(process))
            sv_process_kill_cgroup(process, step);
    } else if (has_to_go && !record->is_stop_sent) {
        process->deadline_ns = sv_time_after(step->now_ns, config->stopwaitsecs * SV_NS_PER_SECOND);
        sv_process_signal(process, sv_health_stop_signal(process, reason),
                          config->stopasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, reason,
                          step);
    }
    if (process->strays == SV_STRAYS_KILLED) {
        /* Nobody is given up before he was killed, and that may be only now. */
        process->strays_deadline_ns =
            sv_time_after(step->now_ns, SV_KILL_WAIT_SECONDS * SV_NS_PER_SECOND);
        sv_process_kill_cgroup(process, step);
    } else if (process->strays == SV_STRAYS_SIGNALLED && !record->are_strays_signalled)
        sv_process_signal(process, config->stopsignal, SV_TARGET_CGROUP, SV_REASON_STRAYS_LEFT,
                          step);
}

/*
 * Probes begin anew: a daemon that sleeps hears no answer and no word. A run that has to go, goes
 * on doing so. The files may have changed meanwhile: what is no longer asked of it ends nobody, and
 * without ready= there must be an end of STARTING that the former one had no need of.
 */
static void restore_main(struct sv_process *process, const struct sv_process_record *record,
                         struct sv_step *step)
{
    bool is_starting = process->state == SV_PROCESS_STARTING;
    bool can_end = is_starting ? sv_health_decides_ready(process) : process->health != NULL;
    sv_health_reset(process);
    if (can_end && record->end_reason != SV_REASON_NONE)
        process->health->end_reason = record->end_reason;
    else if (process->state == SV_PROCESS_RUNNING)
        sv_health_begin_liveness(process, step);
    else if (is_starting && sv_health_decides_ready(process))
        sv_health_begin_ready(process, step);
    else if (is_starting && process->deadline_ns == SV_NEVER)
        process->deadline_ns =
            sv_time_after(step->now_ns, process->config->startsecs * SV_NS_PER_SECOND);
}

void sv_process_restore(struct sv_process *process, const struct sv_process_record *record,
                        struct sv_step *step)
{
    process->state = record->state;
    process->reason = record->reason;
    process->stop_reason = record->stop_reason;
    process->main = (uint8_t)record->main;
    process->strays = (uint8_t)record->strays;
    process->has_wait_status = record->has_wait_status;
    process->was_killed = record->was_killed;
    process->run = record->run;
    process->failure_count = record->failure_count;
    process->quick_end_count = record->quick_end_count;
    process->pid = record->pid;
    process->wait_status = record->wait_status;
    process->pending_signals = record->pending_signals;
    process->deadline_ns = record->deadline_ns;
    process->strays_deadline_ns = record->strays_deadline_ns;
    process->started_ns = record->started_ns;
    process->started_wall_ns = record->started_wall_ns;
    process->stopped_wall_ns = record->stopped_wall_ns;
    process->next_start_wall_ns = record->next_start_wall_ns;
    snprintf(process->spawnerr, process->spawnerr_bytes, "%s", record->spawnerr);
    if (process->main == SV_MAIN_ALIVE)
        restore_main(process, record, step);
    if (process->state == SV_PROCESS_BACKOFF && process->deadline_ns == SV_NEVER)
        process->deadline_ns = step->now_ns; /* a shutdown was under way that nobody ends now */
    do_what_is_owed(process, record, step);
    sv_process_arm(process, step);
}
