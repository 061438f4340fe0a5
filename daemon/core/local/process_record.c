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
    sv_process_arm(process, step);
}
