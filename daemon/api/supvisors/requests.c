/*
 * supvisors.*: what changes something. The checks, the choice and the waiting are core/cluster's
 * (its requests.c); here a call becomes a request, and the answer to the request that of the call.
 */
#include <stdlib.h>

#include "api/supvisors/cluster_call.h"

/* Takes the call's place in the list of those that are told by sv_api_cluster_answered(). */
static void ask(struct sv_api_call *call, struct sv_cluster_request *request)
{
    struct sv_api *api = call->api;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    request->id = ++api->last_request;
    if (sv_idmap_put(&api->requests, request->id, call) < 0) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return;
    }
    call->request = request->id;
    call->request_kind = request->kind;
    cluster->request(cluster->user, request);
}

void sv_cluster_call_drop(struct sv_api_call *call)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_idmap_remove(&call->api->requests, call->request);
    cluster->drop_request(cluster->user, call->request);
}

static json_t *prediction_struct(const struct sv_api_cluster *cluster,
                                 const struct sv_prediction *prediction)
{
    bool is_placed = prediction->instance != SV_INSTANCE_NONE;
    return json_pack("{s:o, s:o, s:s, s:o, s:o}", //
                     "application_name", sv_text_json(prediction->application), "process_name",
                     sv_text_json(prediction->name), //
                     "state", sv_process_state_name(prediction->state), "forced_reason",
                     sv_text_json(prediction->forced_reason), //
                     "running_identifiers",
                     sv_cluster_identifier_list(cluster, &prediction->instance, is_placed));
}

/* With where it is started although it does not run on, and why there or nowhere. */
static json_t *prediction_with_why(const struct sv_api_cluster *cluster,
                                   const struct sv_prediction *prediction)
{
    bool is_started = prediction->target != SV_INSTANCE_NONE;
    json_t *body = prediction_struct(cluster, prediction);
    if (!body)
        return NULL;
    json_object_set_new(body, "started_identifiers",
                        sv_cluster_identifier_list(cluster, &prediction->target, is_started));
    json_object_set_new(body, "why", sv_text_json(prediction->why));
    return body;
}

static json_t *result_of(const struct sv_api_call *call, const struct sv_cluster_answer *answer)
{
    switch (call->request_kind) {
    case SV_REQUEST_START_ANY_PROCESS:
        return sv_text_json(answer->text);
    case SV_REQUEST_TEST_START_APPLICATION:
    case SV_REQUEST_TEST_START_PROCESS:
    case SV_REQUEST_PREDICT_APPLICATION:
    case SV_REQUEST_PREDICT_PROCESS:
        break;
    case SV_REQUEST_START_APPLICATION:
    case SV_REQUEST_STOP_APPLICATION:
    case SV_REQUEST_RESTART_APPLICATION:
    case SV_REQUEST_START_PROCESS:
    case SV_REQUEST_STOP_PROCESS:
    case SV_REQUEST_RESTART_PROCESS:
    case SV_REQUEST_CONCILIATE:
    case SV_REQUEST_RESTART_SEQUENCE:
    case SV_REQUEST_RESTART:
    case SV_REQUEST_SHUTDOWN:
    case SV_REQUEST_END_SYNC:
        return json_boolean(answer->value);
    }
    bool is_test = call->request_kind == SV_REQUEST_TEST_START_APPLICATION ||
                   call->request_kind == SV_REQUEST_TEST_START_PROCESS;
    json_t *list = json_array();
    for (size_t i = 0; i < answer->prediction_count; i++)
        sv_cluster_append(&list, (is_test ? prediction_struct : prediction_with_why)(
                                     sv_cluster_of(call), &answer->predictions[i]));
    return list;
}

void sv_cluster_call_answered(struct sv_api *api, const struct sv_cluster_answer *answer)
{
    struct sv_api_call *call = sv_idmap_remove(&api->requests, answer->id);
    if (!call)
        return; /* it was dropped */
    call->request = 0;
    if (answer->fault)
        sv_call_fault(call, (enum sv_fault)answer->fault, answer->text);
    else
        sv_call_return(call, result_of(call, answer));
}

/* --- the methods --- */

/* The state counts before the strategy, as in Supvisors. */
static bool read_starting(struct sv_api_call *call, json_t *value,
                          struct sv_cluster_request *request)
{
    int number;
    if (!sv_cluster_check_operating(call) ||
        !sv_cluster_check_choice(call, SV_CHOICE_STARTING_STRATEGY, value, &number))
        return false;
    request->starting = (enum sv_starting_strategy)number;
    return true;
}

/* strategy, application, wait */
static void place_application(struct sv_api_call *call, const struct sv_argument *arguments,
                              enum sv_cluster_request_kind kind)
{
    struct sv_cluster_request request = {
        .kind = kind, .name = arguments[1].text, .does_wait = arguments[2].boolean};
    if (read_starting(call, arguments[0].value, &request))
        ask(call, &request);
}

/* strategy, namespec or regular expression, extra_args, wait */
static void place_process(struct sv_api_call *call, const struct sv_argument *arguments,
                          enum sv_cluster_request_kind kind)
{
    struct sv_cluster_request request = {.kind = kind,
                                         .name = arguments[1].text,
                                         .extra_arguments = arguments[2].text,
                                         .does_wait = arguments[3].boolean};
    if (read_starting(call, arguments[0].value, &request))
        ask(call, &request);
}

void sv_method_supvisors_start_application(struct sv_api_call *call,
                                           const struct sv_argument *arguments)
{
    place_application(call, arguments, SV_REQUEST_START_APPLICATION);
}

void sv_method_supvisors_restart_application(struct sv_api_call *call,
                                             const struct sv_argument *arguments)
{
    place_application(call, arguments, SV_REQUEST_RESTART_APPLICATION);
}

void sv_method_supvisors_start_process(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    place_process(call, arguments, SV_REQUEST_START_PROCESS);
}

void sv_method_supvisors_start_any_process(struct sv_api_call *call,
                                           const struct sv_argument *arguments)
{
    place_process(call, arguments, SV_REQUEST_START_ANY_PROCESS);
}

void sv_method_supvisors_restart_process(struct sv_api_call *call,
                                         const struct sv_argument *arguments)
{
    place_process(call, arguments, SV_REQUEST_RESTART_PROCESS);
}

/* strategy, name */
static void predict(struct sv_api_call *call, const struct sv_argument *arguments,
                    enum sv_cluster_request_kind kind)
{
    struct sv_cluster_request request = {.kind = kind, .name = arguments[1].text};
    if (read_starting(call, arguments[0].value, &request))
        ask(call, &request);
}

/* The same, also while there are conflicts. */
static void predict_restart(struct sv_api_call *call, const struct sv_argument *arguments,
                            enum sv_cluster_request_kind kind)
{
    int number;
    if (sv_cluster_check_choice(call, SV_CHOICE_STARTING_STRATEGY, arguments[0].value, &number))
        ask(call, &(struct sv_cluster_request){.kind = kind,
                                               .name = arguments[1].text,
                                               .starting = (enum sv_starting_strategy)number});
}

void sv_method_supvisors_test_start_application(struct sv_api_call *call,
                                                const struct sv_argument *arguments)
{
    predict(call, arguments, SV_REQUEST_TEST_START_APPLICATION);
}

void sv_method_supvisors_test_start_process(struct sv_api_call *call,
                                            const struct sv_argument *arguments)
{
    predict(call, arguments, SV_REQUEST_TEST_START_PROCESS);
}

void sv_method_predict_application(struct sv_api_call *call, const struct sv_argument *arguments)
{
    predict_restart(call, arguments, SV_REQUEST_PREDICT_APPLICATION);
}

void sv_method_predict_process(struct sv_api_call *call, const struct sv_argument *arguments)
{
    predict_restart(call, arguments, SV_REQUEST_PREDICT_PROCESS);
}

void sv_method_supvisors_stop_application(struct sv_api_call *call,
                                          const struct sv_argument *arguments)
{
    ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_STOP_APPLICATION,
                                           .name = arguments[0].text,
                                           .does_wait = arguments[1].boolean});
}

void sv_method_supvisors_stop_process(struct sv_api_call *call, const struct sv_argument *arguments)
{
    ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_STOP_PROCESS,
                                           .name = arguments[0].text,
                                           .does_wait = arguments[1].boolean});
}

/* `namespec` is "" for all conflicts. */
static void conciliate(struct sv_api_call *call, json_t *strategy, const char *namespec)
{
    int number;
    if (sv_cluster_check_conciliating(call) &&
        sv_cluster_check_choice(call, SV_CHOICE_CONCILIATION_STRATEGY, strategy, &number))
        ask(call,
            &(struct sv_cluster_request){.kind = SV_REQUEST_CONCILIATE,
                                         .name = namespec,
                                         .conciliation = (enum sv_conciliation_strategy)number});
}

void sv_method_supvisors_conciliate(struct sv_api_call *call, const struct sv_argument *arguments)
{
    conciliate(call, arguments[0].value, "");
}

void sv_method_conciliate(struct sv_api_call *call, const struct sv_argument *arguments)
{
    if (*arguments[1].text)
        conciliate(call, arguments[0].value, arguments[1].text);
    else
        sv_call_fault(call, SV_FAULT_BAD_NAME, "");
}

void sv_method_supvisors_restart_sequence(struct sv_api_call *call,
                                          const struct sv_argument *arguments)
{
    ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_RESTART_SEQUENCE,
                                           .does_wait = arguments[0].boolean});
}

void sv_method_supvisors_restart(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    if (sv_cluster_check_closable(call))
        ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_RESTART});
}

void sv_method_supvisors_shutdown(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    if (sv_cluster_check_closable(call))
        ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_SHUTDOWN});
}

void sv_method_supvisors_end_sync(struct sv_api_call *call, const struct sv_argument *arguments)
{
    ask(call, &(struct sv_cluster_request){.kind = SV_REQUEST_END_SYNC, .name = arguments[0].text});
}
