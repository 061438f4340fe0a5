/*
 * system.multicall: several calls in one, in order.
 *
 * A call that waits holds up those after it, as in Supervisor: "stop a, then start a" has to work.
 * Each call inside is an ordinary call whose answer comes back here. run() goes on with the next
 * one in a loop, not by recursion, whether the answer came at once or later.
 */
#include <stdlib.h>
#include <svisor/limits.h>

#include "api/handlers.h"
#include "api/text.h"

struct sv_multicall {
    struct sv_api_call *call; /* NULL: dropped while running, frees itself */
    struct sv_api *api;
    json_t *requests;
    json_t *results;
    size_t next;
    struct sv_api_call *inner; /* the one that waits now; NULL: none */
    bool is_running;
    bool has_failed; /* memory was short */
};

static void multicall_free(struct sv_multicall *multicall)
{
    json_decref(multicall->requests);
    json_decref(multicall->results);
    free(multicall);
}

void sv_multicall_drop(struct sv_multicall *multicall)
{
    if (multicall->inner)
        sv_api_call_cancel(sv_steal(&multicall->inner));
    if (multicall->is_running)
        multicall->call = NULL;
    else
        multicall_free(multicall);
}

static void add_result(struct sv_multicall *multicall, json_t *result)
{
    if (json_array_append_new(multicall->results, result) < 0)
        multicall->has_failed = true;
}

static void add_fault(struct sv_multicall *multicall, int code, const char *text)
{
    json_t *fault = json_object();
    if (json_object_set_new(fault, "faultCode", json_integer(code)) < 0 ||
        json_object_set_new(fault, "faultString", sv_text_json(text)) < 0) {
        json_decref(fault);
        fault = NULL;
    }
    add_result(multicall, fault);
}

static void refuse(struct sv_multicall *multicall, const char *why)
{
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_fault_text(SV_FAULT_INCORRECT_PARAMETERS, why, &text);
    add_fault(multicall, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&text));
}

static void run(struct sv_multicall *multicall);

static void inner_answered(void *user, const struct sv_api_answer *answer)
{
    struct sv_multicall *multicall = user;
    multicall->inner = NULL;
    if (answer->fault_code)
        add_fault(multicall, answer->fault_code, answer->fault_text);
    else
        add_result(multicall, json_incref(answer->result));
    if (!multicall->is_running)
        run(multicall);
}

static void call_next(struct sv_multicall *multicall)
{
    json_t *request = json_array_get(multicall->requests, multicall->next++);
    if (!json_is_object(request)) {
        refuse(multicall, "a call must be a struct");
        return;
    }
    json_t *name = json_object_get(request, "methodName");
    if (!name || json_is_null(name)) {
        refuse(multicall, "No methodName");
        return;
    }
    if (!json_is_string(name)) {
        refuse(multicall, "methodName must be a string");
        return;
    }
    if (strcmp(json_string_value(name), "system.multicall") == 0) {
        refuse(multicall, "Recursive system.multicall forbidden");
        return;
    }
    json_t *params = json_object_get(request, "params");
    json_t *nothing = params ? NULL : json_array();
    multicall->inner = sv_api_call(multicall->api, json_string_value(name),
                                   params ? params : nothing, inner_answered, multicall);
    json_decref(nothing);
    /* From here on it is reached through its multicall alone, so that it is freed only once. */
    if (multicall->inner)
        sv_link_remove(&multicall->inner->link);
}

static void run(struct sv_multicall *multicall)
{
    multicall->is_running = true;
    while (multicall->call && !multicall->inner &&
           multicall->next < json_array_size(multicall->requests))
        call_next(multicall);
    multicall->is_running = false;
    if (!multicall->call)
        sv_multicall_drop(multicall);
    else if (!multicall->inner)
        sv_call_return(multicall->call,
                       multicall->has_failed ? NULL : sv_steal(&multicall->results));
}

void sv_method_multicall(struct sv_api_call *call, const struct sv_argument *arguments)
{
    json_t *requests = arguments[0].value;
    if (json_array_size(requests) > SV_MULTICALL_MAX) {
        struct sv_str why SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&why, "%zu calls are more than the %d that are allowed at once",
                    json_array_size(requests), SV_MULTICALL_MAX);
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&why));
        return;
    }
    struct sv_multicall *multicall = calloc(1, sizeof *multicall);
    json_t *results = json_array();
    if (!multicall || !results) {
        free(multicall);
        json_decref(results);
        sv_call_return(call, NULL);
        return;
    }
    multicall->call = call;
    multicall->api = call->api;
    multicall->requests = json_incref(requests);
    multicall->results = results;
    call->multicall = multicall;
    run(multicall);
}
