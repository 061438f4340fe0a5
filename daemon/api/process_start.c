/*
 * Starting processes.
 *
 * As in rpcinterface.py, startProcess(): first the command is looked at, because a missing file is
 * a better answer than a failed spawn; then the state; then the start. Where Supervisor forks
 * inside the call and knows at once if that failed, the spawn of svisord may still be under way
 * when host->start() returns (the view says is_spawning). So a start without wait waits, too, but
 * only for the spawn.
 */
#include "api/handlers.h"
#include "base/names.h"

static bool is_not_running(const struct sv_process_view *view)
{
    return !sv_process_state_is_running(view->state);
}

static const enum sv_fault command_faults[] = {
    [SV_CHECK_OK] = SV_FAULT_NONE,
    [SV_CHECK_NO_FILE] = SV_FAULT_NO_FILE,
    [SV_CHECK_NOT_EXECUTABLE] = SV_FAULT_NOT_EXECUTABLE,
};

static enum sv_fault check_command(const struct sv_member *member,
                                   const struct sv_program_config *config, struct sv_str *ret_text)
{
    if (!config->argv) { /* open quotes, or nothing at all */
        sv_str_add(ret_text, config->argv_error ? config->argv_error : "command is empty");
        return SV_FAULT_NOT_EXECUTABLE;
    }
    const struct sv_api_host *host = sv_call_host(member->call);
    return command_faults[host->check_command(host->user, member->process, ret_text)];
}

static void start(struct sv_member *member, const struct sv_process_view *view,
                  const struct sv_argument *rest)
{
    const struct sv_api_host *host = sv_call_host(member->call);
    enum sv_process_state state = view->state;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    if (view->is_disabled) { /* as Supvisors has it: before anything else is looked at */
        sv_member_settle(member, SV_FAULT_DISABLED, member->name);
        return;
    }
    enum sv_fault fault = check_command(member, view->config, &text);
    if (fault) {
        sv_member_settle(member, fault, sv_str_text(&text));
    } else if (sv_process_state_is_running(state)) {
        sv_member_settle(member, SV_FAULT_ALREADY_STARTED, member->name);
    } else if (state == SV_PROCESS_UNKNOWN) {
        sv_str_addf(&text, "%s is in an unknown process state", member->name);
        sv_member_settle(member, SV_FAULT_FAILED, sv_str_text(&text));
    } else {
        host->start(host->user, member->process);
        sv_member_wait(member, rest[0].boolean ? SV_WAIT_RUNNING : SV_WAIT_SPAWNED);
    }
}

static const struct sv_verb start_verb = {is_not_running, start};

void sv_method_start_process(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_name(call, arguments[0].text, &start_verb, &arguments[1]);
}

void sv_method_start_process_group(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_group(call, arguments[0].text, &start_verb, &arguments[1]);
}

void sv_method_start_all_processes(struct sv_api_call *call, const struct sv_argument *arguments)
{
    sv_call_on_all(call, &start_verb, arguments);
}
