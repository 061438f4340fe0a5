/*
 * What this host and its processes have used lately (docs/statistics.md). Without
 * [rpcinterface:supvisors] the question itself has it measured, for as long as somebody asks on.
 */
#include "api/handlers.h"
#include "api/target.h"

/* Takes the answer of the driver. */
static void return_history(struct sv_api_call *call, double period, json_t *history)
{
    if (!json_is_null(history)) {
        sv_call_return(call, history);
        return;
    }
    const struct sv_api_host *host = sv_call_host(call);
    json_t *usage = host->usage(host->user, 0), *one;
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_str_addf(&text, "period=%g is none of the periods", period);
    size_t i;
    json_array_foreach(json_object_get(usage, "periods"), i, one)
        sv_str_addf(&text, "%s%g", i ? ", " : ": ", json_real_value(one));
    json_decref(usage);
    sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

void sv_method_get_host_statistics(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    return_history(call, arguments[0].real, host->host_statistics(host->user, arguments[0].real));
}

void sv_method_get_process_statistics(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    struct sv_process_view view;
    if (sv_target_process(call, arguments[0].text, &view))
        return_history(call, arguments[1].real,
                       host->process_statistics(host->user, view.id, arguments[1].real));
}

void sv_method_get_usage(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_host *host = sv_call_host(call);
    return_history(call, arguments[0].real, host->usage(host->user, arguments[0].real));
}
