/* Stopping processes: as in rpcinterface.py, stopProcess(). */
#include "api/handlers.h"
#include "base/names.h"

static bool is_running(const struct sv_process_view *view)
{
    return sv_process_state_is_running(view->state);
}

static void stop(struct sv_member *member, const struct sv_process_view *view,
                 const struct sv_argument *rest)
{
    const struct sv_api_host *host = sv_call_host(member->call);
    if (!is_running(view)) {
        sv_member_settle(member, SV_FAULT_NOT_RUNNING, member->name);
        return;
    }
    member->run = view->run;
    host->stop(host->user, member->process);
    struct sv_process_view after;
    if (host->process(host->user, member->process, &after) && after.state == SV_PROCESS_UNKNOWN) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "unknown problem killing %s (%d)", member->name, (int)after.pid);
        sv_member_settle(member, SV_FAULT_FAILED, sv_str_text(&text));
    } else if (rest[0].boolean) {
        sv_member_wait(member, SV_WAIT_STOPPED);
    } else {
        sv_member_settle(member, SV_FAULT_SUCCESS, NULL);
    }
}

static const struct sv_verb stop_verb = {is_running, stop};

void sv_method_stop_process(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_name(call, arguments[0].text, &stop_verb, &arguments[1]);
}

void sv_method_stop_process_group(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_group(call, arguments[0].text, &stop_verb, &arguments[1]);
}

void sv_method_stop_all_processes(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_all(call, &stop_verb, arguments);
}
