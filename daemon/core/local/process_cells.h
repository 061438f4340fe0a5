/* Shared by the files that make up a process: process.c, process_life.c, process_stop.c, health.c.
 */
#ifndef SV_CORE_LOCAL_PROCESS_CELLS_H
#define SV_CORE_LOCAL_PROCESS_CELLS_H

#include "core/local/process.h"

/* The only writer of the state: checks the arrow and the cell, keeps the reason, says it. */
void sv_process_enter(struct sv_process *process, enum sv_process_state state,
                      enum sv_reason reason, struct sv_step *step);
/* A fact for the log, without a change of state. */
void sv_process_remark(const struct sv_process *process, enum sv_reason reason,
                       struct sv_step *step);
void sv_process_signal(const struct sv_process *process, int number, enum sv_signal_target target,
                       enum sv_reason reason, struct sv_step *step);
/* Why its main process has been told to end; NONE: it has not. */
enum sv_reason sv_process_reason_to_go(const struct sv_process *process);
void sv_process_kill_cgroup(const struct sv_process *process, struct sv_step *step);
/* kill_mode=control-group */
bool sv_process_owns_cgroup(const struct sv_process *process);
void sv_process_spawn(struct sv_process *process, struct sv_step *step);
/* Once STOPPED by oom_policy=stop: starts it again as after an unexpected exit. */
void sv_process_restart_stopped(struct sv_process *process, struct sv_step *step);
void sv_process_begin_stop(struct sv_process *process, enum sv_reason reason, struct sv_step *step);
/* The main process is gone: keeps how, and turns to what it left behind. */
void sv_process_end_main(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step);

void sv_process_become_running(struct sv_process *process, enum sv_reason reason,
                               struct sv_step *step);

/* health.c */
/* RUNNING is to mean ready. */
bool sv_health_decides_ready(const struct sv_process *process);
void sv_health_reset(struct sv_process *process);
void sv_health_begin_ready(struct sv_process *process, struct sv_step *step);
/* Its time is over: what was missing. */
void sv_health_note_unready(struct sv_process *process);
void sv_health_begin_liveness(struct sv_process *process, struct sv_step *step);
/* No probe and no deadline of health is left. */
void sv_health_end(struct sv_process *process, struct sv_step *step);
/* Why the core ends the present run by itself; NONE: it does not. */
enum sv_reason sv_health_end_reason(const struct sv_process *process);
/* A stop, or a state out of which only the end leads, overrules that. */
void sv_health_forgive(struct sv_process *process);
/* What a stop for that reason begins with. */
int sv_health_stop_signal(const struct sv_process *process, enum sv_reason reason);
/* Ends the run without a change of state: the end itself will be the change. */
void sv_health_end_run(struct sv_process *process, enum sv_reason reason, struct sv_step *step);

/* The handlers that process.def names. */
typedef void sv_cell_function(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step);
sv_cell_function sv_cell_alive;
sv_cell_function sv_cell_cancel_restart;
sv_cell_function sv_cell_check_alive;
sv_cell_function sv_cell_check_ready;
sv_cell_function sv_cell_emptied;
sv_cell_function sv_cell_exited_running;
sv_cell_function sv_cell_exited_starting;
sv_cell_function sv_cell_exited_stopping;
sv_cell_function sv_cell_exited_unknown;
sv_cell_function sv_cell_extend;
sv_cell_function sv_cell_give_up;
sv_cell_function sv_cell_handler;
sv_cell_function sv_cell_ignore;
sv_cell_function sv_cell_impossible;
sv_cell_function sv_cell_kill;
sv_cell_function sv_cell_probe_turn;
sv_cell_function sv_cell_probed_alive;
sv_cell_function sv_cell_probed_ready;
sv_cell_function sv_cell_ready;
sv_cell_function sv_cell_oom_kill;
sv_cell_function sv_cell_restart;
sv_cell_function sv_cell_running_deadline;
sv_cell_function sv_cell_signal;
sv_cell_function sv_cell_signal_failed;
sv_cell_function sv_cell_spawn_failed;
sv_cell_function sv_cell_spawned;
sv_cell_function sv_cell_start;
sv_cell_function sv_cell_starting_deadline;
sv_cell_function sv_cell_stop_again;
sv_cell_function sv_cell_stop_backoff;
sv_cell_function sv_cell_stop_running;
sv_cell_function sv_cell_stop_starting;
sv_cell_function sv_cell_stop_unknown;
sv_cell_function sv_cell_strays_deadline;
sv_cell_function sv_cell_watchdog;
sv_cell_function sv_cell_watchdog_expired;

#endif
