/* States and event types that the daemon, its clients and its files share, by name and by number.
 */
#ifndef SVISOR_STATES_H
#define SVISOR_STATES_H

#include <stdbool.h>
#include <stdint.h>

enum sv_process_state {
#define PROCESS_STATE(name, code) SV_PROCESS_##name = (code),
#include "svisor/process_states.def"
#undef PROCESS_STATE
};

/* Supervisor 4.2.5, states.py, SupervisorStates. */
enum sv_supervisor_state {
    SV_SUPERVISOR_FATAL = 2,
    SV_SUPERVISOR_RUNNING = 1,
    SV_SUPERVISOR_RESTARTING = 0,
    SV_SUPERVISOR_SHUTDOWN = -1,
};

/* Supervisor 4.2.5, dispatchers.py, EventListenerStates. */
enum sv_listener_state {
    SV_LISTENER_ACKNOWLEDGED,
    SV_LISTENER_READY,
    SV_LISTENER_BUSY,
    SV_LISTENER_UNKNOWN,
};

enum sv_notice_type {
#define NOTICE(name, parent) SV_NOTICE_##name,
#include "svisor/notices.def"
#undef NOTICE
    SV_NOTICE_COUNT
};

/* A set of notice types, one bit each. */
typedef uint64_t sv_notice_set;
_Static_assert(SV_NOTICE_COUNT <= 64, "sv_notice_set has a bit for each type");

#endif
