/*
 * svisor.relay: a method of another instance, called through this one. REST's /instances/ID/… is
 * the same call.
 *
 *     client -> svisor.relay("supv-02", "svisor.why", ["web"]) here -> svisor.why("web") in supv-02
 *
 * The other instance checks the arguments, as only it knows which methods it has; its answer and
 * its faults are passed on as they are. This instance's own name is as good as any: that call is
 * made here. How calls travel is driver/cluster/relay.c.
 */
#include <stdlib.h>

#include "api/supvisors/cluster_call.h"
#include "config/nearest.h"

static const char own_name[] = "svisor.relay";

bool sv_api_may_be_relayed(const char *method, const json_t *params)
{
    size_t i;
    json_t *inner;
    if (strcmp(method, own_name) == 0)
        return false;
    if (strcmp(method, "system.multicall") != 0)
        return true;
    json_array_foreach(json_array_get(params, 0), i, inner)
    {
        const char *name = json_string_value(json_object_get(inner, "methodName"));
        if (name && strcmp(name, own_name) == 0)
            return false;
    }
    return true;
}

void sv_relay_call_drop(struct sv_api_call *call)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (call->inner)
        sv_api_call_cancel(sv_steal(&call->inner));
    if (call->relayed == 0)
        return;
    sv_idmap_remove(&call->api->relayed, call->relayed);
    cluster->drop_relayed(cluster->user, call->relayed);
}

static void on_inner_answered(void *user, const struct sv_api_answer *answer)
{
    struct sv_api_call *call = user;
    call->inner = NULL;
    sv_call_answer_as(call, answer);
}

static void call_here(struct sv_api_call *call, const char *method, json_t *params)
{
    struct sv_api_call *inner = sv_api_call(call->api, method, params, on_inner_answered, call);
    /* From here on it is reached through this call alone, so that it is freed only once. */
    if (inner)
        sv_link_remove(&inner->link);
    call->inner = inner;
}

static void call_there(struct sv_api_call *call, sv_instance_place place, const char *method,
                       json_t *params)
{
    struct sv_api *api = call->api;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    uint64_t id = ++api->last_request;
    if (sv_idmap_put(&api->relayed, id, call) < 0) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
        return;
    }
    call->relayed = id;
    cluster->relay(cluster->user, id, place, method, params);
}

/* --- whom the call is for --- */

struct nearest {
    const char *name;
    size_t distance;
};

static void try_name(struct nearest *nearest, const char *wanted, const char *name)
{
    size_t distance = sv_edit_distance(wanted, name);
    if (distance < nearest->distance)
        *nearest = (struct nearest){name, distance};
}

static void refuse_unknown(struct sv_api_call *call, const char *wanted)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    struct nearest nearest = {"", SIZE_MAX};
    for (sv_instance_place i = 0; i < cluster->instance_count(cluster->user); i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, i, &view);
        try_name(&nearest, wanted, view.names.nick);
        try_name(&nearest, wanted, view.names.identifier);
    }
    sv_str_addf(&text, "there is no instance %s", wanted);
    if (sv_is_near(wanted, nearest.distance))
        sv_str_addf(&text, "; did you mean %s?", nearest.name);
    sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
}

/* One instance, by its identifier or nickname, or by a stereotype that nobody else has. */
static bool find_instance(struct sv_api_call *call, const char *name, sv_instance_place *ret_place)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place *places = calloc(cluster->instance_count(cluster->user), sizeof(*places));
    uint32_t count = places ? cluster->find(cluster->user, name, places) : 0;
    if (count == 1)
        *ret_place = places[0];
    free(places);
    if (!places) {
        sv_call_fault(call, SV_FAULT_FAILED, "out of memory");
    } else if (count > 1) {
        struct sv_str text SV_CLEANUP(sv_str_done) = {0};
        sv_str_addf(&text, "%s is %u instances; a call is relayed to one", name, count);
        sv_call_fault(call, SV_FAULT_BAD_NAME, sv_str_text(&text));
    } else if (count == 0) {
        refuse_unknown(call, name);
    }
    return count == 1;
}

void sv_method_relay(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    const char *method = arguments[1].text;
    json_t *params = arguments[2].value;
    sv_instance_place place;
    if (!sv_api_may_be_relayed(method, params))
        sv_call_fault(call, SV_FAULT_INCORRECT_PARAMETERS, "a relayed call is not relayed again");
    else if (!find_instance(call, arguments[0].text, &place))
        return;
    else if (place == cluster->local(cluster->user))
        call_here(call, method, params);
    else
        call_there(call, place, method, params);
}
