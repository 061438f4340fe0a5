/* The daemon itself: who it is, how it is, and its end. */
#include "api/handlers.h"
#include "api/text.h"
#include "base/names.h"

/* What clients of Supervisor check before they go on. */
#define API_VERSION        "3.0"
#define SUPERVISOR_VERSION "4.2.5"

void sv_method_get_api_version(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, json_string(API_VERSION));
}

void sv_method_get_supervisor_version(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, json_string(SUPERVISOR_VERSION));
}

void sv_method_get_identification(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    sv_call_return(call, sv_text_json(host->identifier(host->user)));
}

void sv_method_get_state(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    enum sv_supervisor_state state = host->state(host->user);
    sv_call_return(call, json_pack("{s:i,s:s}", "statecode", (int)state, "statename",
                                   sv_supervisor_state_name(state)));
}

void sv_method_get_pid(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    sv_call_return(call, json_integer(host->pid(host->user)));
}

void sv_method_shutdown(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    host->shutdown(host->user, false);
    sv_call_return(call, json_true());
}

void sv_method_restart(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_host *host = sv_call_host(call);
    host->shutdown(host->user, true);
    sv_call_return(call, json_true());
}
