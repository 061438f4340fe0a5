#include "base/names.h"

#include <string.h>

const char *sv_process_state_name(enum sv_process_state state)
{
    switch (state) {
#define PROCESS_STATE(name, code)                                                                  \
    case SV_PROCESS_##name:                                                                        \
        return #name;
#include "svisor/process_states.def"
#undef PROCESS_STATE
    }
    return "?";
}

const char *sv_supervisor_state_name(enum sv_supervisor_state state)
{
    switch (state) {
    case SV_SUPERVISOR_FATAL:
        return "FATAL";
    case SV_SUPERVISOR_RUNNING:
        return "RUNNING";
    case SV_SUPERVISOR_RESTARTING:
        return "RESTARTING";
    case SV_SUPERVISOR_SHUTDOWN:
        return "SHUTDOWN";
    }
    return "?";
}

static const struct {
    const char *name;
    enum sv_notice_type parent;
} notices[SV_NOTICE_COUNT] = {
#define NOTICE(name, parent) [SV_NOTICE_##name] = {#name, SV_NOTICE_##parent},
#include "svisor/notices.def"
#undef NOTICE
};

const char *sv_notice_name(enum sv_notice_type type)
{
    return (unsigned)type < SV_NOTICE_COUNT ? notices[type].name : "?";
}

bool sv_notice_parse(const char *name, enum sv_notice_type *ret_type)
{
    for (unsigned i = 0; i < SV_NOTICE_COUNT; i++) {
        if (strcmp(notices[i].name, name) == 0) {
            *ret_type = (enum sv_notice_type)i;
            return true;
        }
    }
    return false;
}

sv_notice_set sv_notice_set_of(enum sv_notice_type type)
{
    sv_notice_set set = (sv_notice_set)1 << type;
    for (unsigned i = (unsigned)type + 1; i < SV_NOTICE_COUNT; i++)
        if (set >> notices[i].parent & 1)
            set |= (sv_notice_set)1 << i;
    return set;
}

static const struct {
    const char *name;
    const char *text;
} reasons[SV_REASON_COUNT] = {
#define REASON(name, text) [SV_REASON_##name] = {#name, text},
#include "svisor/reasons.def"
#undef REASON
};

const char *sv_reason_name(enum sv_reason reason)
{
    return (unsigned)reason < SV_REASON_COUNT ? reasons[reason].name : "?";
}

const char *sv_reason_text(enum sv_reason reason)
{
    return (unsigned)reason < SV_REASON_COUNT ? reasons[reason].text : "?";
}

bool sv_process_state_is_stopped(enum sv_process_state state)
{
    return state == SV_PROCESS_STOPPED || state == SV_PROCESS_EXITED || state == SV_PROCESS_FATAL ||
           state == SV_PROCESS_UNKNOWN;
}

bool sv_process_state_is_running(enum sv_process_state state)
{
    return state == SV_PROCESS_RUNNING || state == SV_PROCESS_BACKOFF ||
           state == SV_PROCESS_STARTING;
}
