/* Names of the states and event types of svisor/states.h. */
#ifndef SV_BASE_NAMES_H
#define SV_BASE_NAMES_H

#include <svisor/reasons.h>
#include <svisor/states.h>

/* "STOPPED" … "UNKNOWN". */
const char *sv_process_state_name(enum sv_process_state state);
/* "FATAL", "RUNNING", "RESTARTING", "SHUTDOWN". */
const char *sv_supervisor_state_name(enum sv_supervisor_state state);
/* "PROCESS_STATE_RUNNING" … */
const char *sv_notice_name(enum sv_notice_type type);
/* False when there is no type of that name. Case matters, as in Supervisor. */
bool sv_notice_parse(const char *name, enum sv_notice_type *ret_type);
/* The type and everything that is a kind of it. */
sv_notice_set sv_notice_set_of(enum sv_notice_type type);

/* "AUTOSTART" … and the words that complete "NAME is STATE: …". */
const char *sv_reason_name(enum sv_reason reason);
const char *sv_reason_text(enum sv_reason reason);

/* STOPPED, EXITED, FATAL, UNKNOWN: Supervisor 4.2.5, states.py, STOPPED_STATES. */
bool sv_process_state_is_stopped(enum sv_process_state state);
/* RUNNING, BACKOFF, STARTING: states.py, RUNNING_STATES. */
bool sv_process_state_is_running(enum sv_process_state state);

#endif
