/* Reading and clearing the logs of processes and of the daemon: as in rpcinterface.py. */
#include <errno.h>

#include "api/handlers.h"
#include "api/target.h"
#include "wire/xmlrpc.h"

static void read_log(struct sv_api_call *call, const char *path, const struct sv_argument *range)
{
    const struct sv_api_host *host = sv_call_host(call);
    if (!path) {
        sv_call_fault(call, SV_FAULT_NO_FILE, NULL);
        return;
    }
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int r = host->read_log(host->user, path, range[0].integer, range[1].integer, &text);
    if (r == SV_LOG_NO_FILE)
        sv_call_fault(call, SV_FAULT_NO_FILE, path);
    else if (r == SV_LOG_BAD_ARGUMENTS)
        sv_call_fault(call, SV_FAULT_BAD_ARGUMENTS, NULL);
    else if (r != SV_LOG_OK || !sv_str_ok(&text))
        sv_call_fault(call, SV_FAULT_FAILED, NULL);
    else
        sv_call_return(call, sv_wire_string(sv_str_text(&text), text.length));
}

void sv_method_read_log(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    read_log(call, host->main_log_path(host->user), arguments);
}

void sv_method_clear_log(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    int r = host->main_log_path(host->user) ? host->clear_main_log(host->user) : SV_LOG_NO_FILE;
    if (r == SV_LOG_OK)
        sv_call_return(call, json_true());
    else
        sv_call_fault(
            call, r == SV_LOG_NO_FILE || r == -ENOENT ? SV_FAULT_NO_FILE : SV_FAULT_FAILED, NULL);
}

static void read_process_log(struct sv_api_call *call, const struct sv_argument *arguments,
                             enum sv_channel channel)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        read_log(call, host->log_path(host->user, view.id, channel), &arguments[1]);
}

void sv_method_read_process_stdout_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    read_process_log(call, arguments, SV_STDOUT);
}

void sv_method_read_process_stderr_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    read_process_log(call, arguments, SV_STDERR);
}

/* Without a file there is nothing to read, from offset 0; a file that cannot be read keeps the
 * offset. */
static void tail_process_log(struct sv_api_call *call, const struct sv_argument *arguments,
                             enum sv_channel channel)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (!sv_target_process(call, arguments[0].text, &view))
        return;
    const char *path = host->log_path(host->user, view.id, channel);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    int64_t offset = arguments[1].integer;
    int has_overflow = 0;
    int r = path ? host->tail_log(host->user, path, arguments[1].integer, arguments[2].integer,
                                  &text, &offset, &has_overflow)
                 : SV_LOG_NO_FILE;
    if (r != SV_LOG_OK || !sv_str_ok(&text)) {
        sv_str_clear(&text);
        offset = r == SV_LOG_NO_FILE ? 0 : arguments[1].integer;
        has_overflow = 0;
    }
    sv_call_return(call, json_pack("[o,I,b]", sv_wire_string(sv_str_text(&text), text.length),
                                   (json_int_t)offset, has_overflow));
}

void sv_method_tail_process_stdout_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    tail_process_log(call, arguments, SV_STDOUT);
}

void sv_method_tail_process_stderr_log(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    tail_process_log(call, arguments, SV_STDERR);
}

static bool is_any(const struct sv_process_view *view)
{
    (void)view;
    return true;
}

static void clear(struct sv_member *member, const struct sv_process_view *view,
                  const struct sv_argument *rest)
{
    (void)rest;
    const struct sv_api_host *host = sv_call_host(member->call);
    int r = host->clear_process_log(host->user, view->id);
    sv_member_settle(member, r == 0 ? SV_FAULT_SUCCESS : SV_FAULT_FAILED, member->name);
}

static const struct sv_verb clear_verb = {is_any, clear};

void sv_method_clear_process_logs(struct sv_api_call *call, const struct sv_argument *arguments)
{
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_on_name(call, arguments[0].text, &clear_verb, NULL);
}

void sv_method_clear_all_process_logs(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_on_all(call, &clear_verb, NULL);
}
