/*
 * The life of a call.
 *
 * A call is built (its handler runs), then settled at once, or waits until it is settled later; an
 * answered call is freed just before its callback runs. Handlers change processes, a changed
 * process settles members of other calls, and callbacks may call or cancel anything. To keep that
 * from biting its own tail, a call that is settled while api is on the stack only moves to the list
 * `settled`; the list is worked off where nothing of api is on the stack any more, one call at a
 * time, from its head:
 *
 *     sv_api_call(stop web) -> host->stop(web) -> … -> sv_api_process_changed(web)
 *                                                   settles an earlier call, no callback yet
 *     … the handler has returned: deliver(): the callback of the earlier call
 *     … the answer of this call, or the pointer to it
 *
 * Invariants: a call is in at most one list; a call in a list is not being built; no loop of this
 * layer holds a pointer to a call or a member across a callback.
 */
#include "api/api.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <svisor/limits.h>

#include "api/call.h"
#include "api/params.h"

void sv_link_reset(struct sv_link *link)
{
    link->previous = link->next = link;
}

void sv_link_remove(struct sv_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    sv_link_reset(link);
}

void sv_link_append(struct sv_link *list, struct sv_link *link)
{
    link->previous = list->previous;
    link->next = list;
    list->previous->next = link;
    list->previous = link;
}

static struct sv_api_call *call_of(struct sv_link *link)
{
    return SV_CONTAINER_OF(link, struct sv_api_call, link);
}

struct sv_api *sv_api_new(const struct sv_api_host *host)
{
    struct sv_api *api = calloc(1, sizeof *api);
    if (!api)
        return NULL;
    api->host = host;
    sv_link_reset(&api->waiting);
    sv_link_reset(&api->settled);
    for (size_t i = 0; i < SV_API_BUCKET_COUNT; i++)
        sv_link_reset(&api->buckets[i]);
    const char *name;
    const struct sv_method *method;
    for (size_t i = 0; (method = sv_method_at(i, &name)); i++) {
        if (method->flags & SV_METHOD_OF_CLUSTER && !host->cluster)
            continue;
        /* The map's values are not const, but nobody writes through this one. */
        if (sv_map_put(&api->methods, name, (void *)(uintptr_t)method) < 0) {
            sv_api_free(api);
            return NULL;
        }
    }
    return api;
}

const struct sv_method *sv_api_method(const struct sv_api *api, const char *name)
{
    return sv_map_get(&api->methods, name);
}

static void call_free(struct sv_api_call *call)
{
    sv_link_remove(&call->link);
    if (call->api->reexec_call == call)
        call->api->reexec_call = NULL;
    if (call->multicall)
        sv_multicall_drop(call->multicall);
    if (call->request)
        sv_cluster_call_drop(call);
    if (call->relayed || call->inner)
        sv_relay_call_drop(call);
    sv_members_free(call);
    json_decref(call->entries);
    json_decref(call->result);
    sv_str_done(&call->fault_text);
    free(call);
}

/* Takes a waiting call out of the books, wherever it stands. */
static void call_unlist(struct sv_api_call *call)
{
    if (!call->is_settled)
        call->api->waiting_count--;
    sv_link_remove(&call->link);
}

void sv_api_call_cancel(struct sv_api_call *call)
{
    call_unlist(call);
    call_free(call);
}

void sv_api_free(struct sv_api *api)
{
    if (!api)
        return;
    assert(api->depth == 0);
    while (!sv_link_is_alone(&api->waiting))
        sv_api_call_cancel(call_of(api->waiting.next));
    assert(sv_link_is_alone(&api->settled));
    sv_map_done(&api->methods);
    sv_idmap_done(&api->requests);
    sv_idmap_done(&api->relayed);
    free(api);
}

/* The answer is in the call: nobody changes it any more. */
static void call_settled(struct sv_api_call *call)
{
    assert(!call->is_settled);
    if (!call->is_building) {
        call_unlist(call);
        sv_link_append(&call->api->settled, &call->link);
    }
    call->is_settled = true;
}

void sv_call_return(struct sv_api_call *call, json_t *result)
{
    if (!result) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return;
    }
    call->result = result;
    call_settled(call);
}

void sv_call_fault(struct sv_api_call *call, enum sv_fault fault, const char *extra)
{
    call->fault = fault;
    sv_fault_text(fault, extra, &call->fault_text);
    call_settled(call);
}

void sv_call_answer_as(struct sv_api_call *call, const struct sv_api_answer *answer)
{
    if (answer->fault_code == 0) {
        sv_call_return(call, json_incref(answer->result));
        return;
    }
    call->fault = (enum sv_fault)answer->fault_code;
    sv_str_add(&call->fault_text, answer->fault_text);
    call_settled(call);
}

static void call_answer(struct sv_api_call *call)
{
    sv_api_answered answered = call->answered;
    void *user = call->user;
    json_t *result = sv_steal(&call->result);
    struct sv_str text SV_CLEANUP(sv_str_done) = call->fault_text;
    call->fault_text = (struct sv_str){0};
    struct sv_api_answer answer = {
        .result = result,
        .fault_code = (int)call->fault,
        .fault_text = call->fault ? sv_str_text(&text) : NULL,
    };
    call_free(call);
    answered(user, &answer);
    json_decref(result);
}

/* Answers what was settled meanwhile, unless somebody further up the stack will. */
static void deliver(struct sv_api *api)
{
    if (api->depth > 0)
        return;
    api->depth++;
    while (!sv_link_is_alone(&api->settled)) {
        struct sv_api_call *call = call_of(api->settled.next);
        sv_link_remove(&call->link);
        call_answer(call);
    }
    api->depth--;
}

static bool is_stopping(const struct sv_api *api)
{
    return api->host->state(api->host->user) < SV_SUPERVISOR_RUNNING;
}

/* The checks come in Supervisor's order: a wrong count of arguments is told even while stopping. */
static void call_run(struct sv_api_call *call, const char *name, json_t *params)
{
    const struct sv_method *method = sv_api_method(call->api, name);
    if (!method) {
        sv_call_fault(call, SV_FAULT_UNKNOWN_METHOD, NULL);
        return;
    }
    if (!sv_params_count_fits(method, params)) {
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, NULL);
        return;
    }
    if (!(method->flags & SV_METHOD_WHILE_STOPPING) && is_stopping(call->api)) {
        sv_call_fault(call, SV_FAULT_SHUTDOWN_STATE, NULL);
        return;
    }
    if (method->flags & SV_METHOD_WAITS && call->api->waiting_count >= SV_CALLS_WAITING_MAX) {
        sv_call_fault(call, SV_FAULT_FAILED, "too many calls wait already, try again later");
        return;
    }
    struct sv_argument arguments[SV_METHOD_PARAMETERS_MAX];
    struct sv_str error SV_CLEANUP(sv_str_done) = {0};
    if (!sv_params_read(method, params, arguments, &error)) {
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, sv_str_text(&error));
        return;
    }
    method->handler(call, arguments);
}

struct sv_api_call *sv_api_call(struct sv_api *api, const char *method, json_t *params,
                                sv_api_answered answered, void *user)
{
    struct sv_api_call *call = calloc(1, sizeof *call);
    if (!call) {
        answered(user, &(struct sv_api_answer){.fault_code = SV_FAULT_FAILED,
                                               .fault_text = "FAILED: out of memory"});
        return NULL;
    }
    sv_link_reset(&call->link);
    call->api = api;
    call->answered = answered;
    call->user = user;
    call->is_building = true;
    api->depth++;
    call_run(call, method, params);
    api->depth--;
    deliver(api);
    call->is_building = false;
    if (call->is_settled) {
        call_answer(call);
        return NULL;
    }
    sv_link_append(&api->waiting, &call->link);
    api->waiting_count++;
    return call;
}

void sv_api_process_changed(struct sv_api *api, sv_process_id process)
{
    api->depth++;
    sv_members_look(api, process);
    api->depth--;
    deliver(api);
}

void sv_api_reexec_tried(struct sv_api *api, const char *version, const char *problem)
{
    struct sv_api_call *call = sv_steal(&api->reexec_call);
    api->is_trying_reexec = false;
    api->depth++;
    if (call && version)
        sv_call_return(call, json_pack("{s:s,s:s}", "version", SV_VERSION, "new_version", version));
    else if (call)
        sv_call_fault(call, SV_FAULT_FAILED, problem);
    api->depth--;
    deliver(api);
}

void sv_api_relay_answered(struct sv_api *api, uint64_t id, const struct sv_api_answer *answer)
{
    struct sv_api_call *call = sv_idmap_remove(&api->relayed, id);
    if (!call)
        return;
    call->relayed = 0;
    api->depth++;
    sv_call_answer_as(call, answer);
    api->depth--;
    deliver(api);
}

void sv_api_cluster_answered(struct sv_api *api, const struct sv_cluster_answer *answer)
{
    api->depth++;
    sv_cluster_call_answered(api, answer);
    api->depth--;
    deliver(api);
}
