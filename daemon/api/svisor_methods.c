/* svisor.*: what Supervisor does not have. */
#include "api/handlers.h"
#include "api/target.h"

void sv_method_get_svisor_version(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, json_string(SV_VERSION));
}

void sv_method_reexec(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    struct sv_api *api = call->api;
    struct sv_str problem SV_CLEANUP(sv_str_done) = {0};
    if (api->is_trying_reexec) {
        sv_call_fault(call, SV_FAULT_FAILED, "another call has asked for it already");
    } else if (api->host->reexec(api->host->user, &problem)) {
        api->is_trying_reexec = true;
        api->reexec_call = call;
    } else {
        sv_call_fault(call, SV_FAULT_FAILED, sv_str_text(&problem));
    }
}

void sv_method_get_kernel_report(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    sv_call_return(call, host->kernel_report(host->user));
}

void sv_method_get_death_certificate(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    int64_t run = arguments[1].integer;
    struct sv_process_view view;
    if (!sv_target_process(call, arguments[0].text, &view))
        return;
    json_t *rows = host->deaths(host->user, view.id, run < 0 ? 0 : run);
    if (rows && json_array_size(rows) == 0)
        sv_call_fault(call, SV_FAULT_FAILED, "there is no death certificate of that run");
    else
        sv_call_return(call, json_incref(json_array_get(rows, 0)));
    json_decref(rows);
}

void sv_method_get_death_certificates(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_return(call, host->deaths(host->user, view.id, -1));
}

void sv_method_get_resource_events(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_return(call, host->resource_events(host->user, view.id));
}

void sv_method_get_network_counters(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_return(call, host->network(host->user, view.id));
}

void sv_method_get_timeline(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    int64_t after = arguments[0].integer, limit = arguments[1].integer;
    sv_call_return(call, host->timeline(host->user, after > 0 ? (uint64_t)after : 0,
                                        limit > 0 ? (size_t)limit : SIZE_MAX));
}

void sv_method_why(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        sv_call_return(call, host->why(host->user, view.id));
}
