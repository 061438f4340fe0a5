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

#include "core/local/process_cells.h"

void sv_process_record(const struct sv_process *process, struct sv_process_record *ret_record)
{
    *ret_record = (struct sv_process_record){
        .state = process->state,
        .reason = process->reason,
        .stop_reason = process->stop_reason,
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
    bool is_stopping = process->state == SV_PROCESS_STOPPING && process->main == SV_MAIN_ALIVE;
    if (is_stopping && process->was_killed) {
        sv_process_signal(process, SIGKILL,
                          config->killasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, step);
        if (sv_process_owns_cgroup(process))
            sv_process_kill_cgroup(process, step);
    } else if (is_stopping && !record->is_stop_sent) {
        process->deadline_ns = sv_time_after(step->now_ns, config->stopwaitsecs * SV_NS_PER_SECOND);
        sv_process_signal(process, sv_health_stop_signal(process, process->stop_reason),
                          config->stopasgroup ? SV_TARGET_PROCESS_GROUP : SV_TARGET_PROCESS, step);
    }
    if (process->strays == SV_STRAYS_KILLED)
        sv_process_kill_cgroup(process, step);
    else if (process->strays == SV_STRAYS_SIGNALLED && !record->are_strays_signalled)
        sv_process_signal(process, config->stopsignal, SV_TARGET_CGROUP, step);
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
    if (process->main == SV_MAIN_ALIVE && process->config->health) {
        sv_health_reset(process);
        if (process->state == SV_PROCESS_STARTING && sv_health_decides_ready(process))
            sv_health_begin_ready(process, step);
        else if (process->state == SV_PROCESS_RUNNING)
            sv_health_begin_liveness(process, step);
    }
    do_what_is_owed(process, record, step);
    sv_process_arm(process, step);
}
