/* Shared by the three files that make up a process: process.c, process_life.c, process_stop.c. */
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
                       struct sv_step *step);
void sv_process_kill_cgroup(const struct sv_process *process, struct sv_step *step);
/* kill_mode=control-group */
bool sv_process_owns_cgroup(const struct sv_process *process);
void sv_process_spawn(struct sv_process *process, struct sv_step *step);
void sv_process_begin_stop(struct sv_process *process, enum sv_reason reason, struct sv_step *step);
/* The main process is gone: keeps how, and turns to what it left behind. */
void sv_process_end_main(struct sv_process *process, const struct sv_process_event *event,
                         struct sv_step *step);

/* The handlers that process.def names. */
typedef void sv_cell_function(struct sv_process *process, const struct sv_process_event *event,
                              struct sv_step *step);
sv_cell_function sv_cell_cancel_restart;
sv_cell_function sv_cell_emptied;
sv_cell_function sv_cell_exited_running;
sv_cell_function sv_cell_exited_starting;
sv_cell_function sv_cell_exited_stopping;
sv_cell_function sv_cell_exited_unknown;
sv_cell_function sv_cell_forget_failures;
sv_cell_function sv_cell_give_up;
sv_cell_function sv_cell_handler;
sv_cell_function sv_cell_ignore;
sv_cell_function sv_cell_impossible;
sv_cell_function sv_cell_kill;
sv_cell_function sv_cell_restart;
sv_cell_function sv_cell_signal;
sv_cell_function sv_cell_signal_failed;
sv_cell_function sv_cell_spawn_failed;
sv_cell_function sv_cell_spawned;
sv_cell_function sv_cell_start;
sv_cell_function sv_cell_stayed_up;
sv_cell_function sv_cell_stop_again;
sv_cell_function sv_cell_stop_backoff;
sv_cell_function sv_cell_stop_running;
sv_cell_function sv_cell_stop_starting;
sv_cell_function sv_cell_stop_unknown;
sv_cell_function sv_cell_strays_deadline;

#endif
