/* What clients send to processes: bytes for the standard input of one, events for the listeners. */
#include <errno.h>

#include "api/handlers.h"
#include "api/target.h"

/* As Python's str() shows it, in the fault that refuses it. */
static void add_python_text(const json_t *value, struct sv_str *ret_text)
{
    if (json_is_boolean(value)) {
        sv_str_add(ret_text, json_is_true(value) ? "True" : "False");
    } else if (json_is_integer(value)) {
        sv_str_addf(ret_text, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        sv_str_addf(ret_text, "%.17g", json_real_value(value));
    } else {
        sv_str_add(ret_text, "chars must be a string");
    }
}

void sv_method_send_process_stdin(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    const char *name = arguments[0].text;
    const json_t *chars = arguments[1].value;
    if (!json_is_string(chars)) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        add_python_text(chars, &text);
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
        return;
    }
    struct sv_process_view view;
    if (!sv_target_process(call, name, &view))
        return;
    if (view.pid == 0 || view.state == SV_PROCESS_STOPPING) {
        sv_call_fault(call, SV_FAULT_NOT_RUNNING, name);
        return;
    }
    int r =
        host->write_stdin(host->user, view.id, json_string_value(chars), json_string_length(chars));
    if (r == -EPIPE)
        sv_call_fault(call, SV_FAULT_NO_FILE, name);
    else if (r < 0)
        sv_call_fault(call, SV_FAULT_FAILED, name);
    else
        sv_call_return(call, json_true());
}

void sv_method_send_remote_comm_event(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    host->publish_remote(host->user, arguments[0].text, arguments[1].text);
    sv_call_return(call, json_true());
}
