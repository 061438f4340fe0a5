/*
 * supvisors.*: the state of the cluster and of its instances, key by key as Supvisors 0.19 has them
 * (rpcinterface.py; instancestatus.py, serial(); statemodes.py, serial()).
 */
#include <stdlib.h>

#include "api/supvisors/structs.h"

/* The release of Supvisors whose behaviour this is: clients decide by it. */
static const char api_version[] = "0.19";

void sv_method_supvisors_get_api_version(struct sv_api_call *call,
                                         const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, json_string(api_version));
}

/* --- state and modes --- */

static json_t *instance_states(const struct sv_instance_view *view)
{
    json_t *states = json_object();
    for (size_t i = 0; i < view->sighting_count && states; i++) {
        const struct sv_sighting *item = &view->sightings[i];
        json_t *name = json_string(sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)item->state));
        if (json_object_set_new(states, item->identifier, name) < 0) {
            json_decref(states);
            states = NULL;
        }
    }
    return states;
}

/* `starting` and `stopping` are taken: booleans of the one instance, or lists of all that do. */
static json_t *modes_struct(const struct sv_api_cluster *cluster,
                            const struct sv_instance_view *view, json_t *starting, json_t *stopping)
{
    const struct sv_mesh_modes *modes = &view->modes;
    uint64_t now_ns = view->is_local ? cluster->now_ns(cluster->user) : view->modes_ns;
    return json_pack("{s:o, s:o, s:f, s:i, s:s, s:b, s:b, s:o, s:o, s:o, s:o}", //
                     "identifier", sv_text_json(view->names.identifier),        //
                     "nick_identifier", sv_text_json(view->names.nick),         //
                     "now_monotonic", sv_cluster_seconds(now_ns),               //
                     "fsm_statecode", (int)modes->state,                        //
                     "fsm_statename",
                     sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)modes->state), //
                     "degraded_mode", (int)modes->degraded_mode,                   //
                     "discovery_mode", (int)modes->discovery_mode,                 //
                     "master_identifier",
                     sv_text_json(modes->master_identifier ? modes->master_identifier : ""), //
                     "starting_jobs", starting, "stopping_jobs", stopping,                   //
                     "instance_states", instance_states(view));
}

static json_t *own_modes(const struct sv_api_cluster *cluster, const struct sv_instance_view *view)
{
    return modes_struct(cluster, view, json_boolean(view->modes.starting_jobs),
                        json_boolean(view->modes.stopping_jobs));
}

json_t *sv_cluster_state_json(const struct sv_api_cluster *cluster)
{
    json_t *starting = json_array(), *stopping = json_array();
    struct sv_instance_view view;
    for (sv_instance_place i = 0; i < cluster->instance_count(cluster->user); i++) {
        cluster->instance(cluster->user, i, &view);
        if (view.modes.starting_jobs)
            sv_cluster_append(&starting, sv_text_json(view.names.identifier));
        if (view.modes.stopping_jobs)
            sv_cluster_append(&stopping, sv_text_json(view.names.identifier));
    }
    cluster->instance(cluster->user, cluster->local(cluster->user), &view);
    return modes_struct(cluster, &view, starting, stopping);
}

void sv_method_supvisors_get_supvisors_state(struct sv_api_call *call,
                                             const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, sv_cluster_state_json(sv_cluster_of(call)));
}

/* --- lists of instances, in the order of their identifiers --- */

typedef json_t *instance_struct(const struct sv_api_cluster *cluster,
                                const struct sv_instance_view *view);

static int compare_identifiers(const void *a, const void *b)
{
    const struct sv_instance_view *left = a, *right = b;
    return strcmp(left->names.identifier, right->names.identifier);
}

static json_t *list_all(const struct sv_api_cluster *cluster, instance_struct *make)
{
    size_t count = cluster->instance_count(cluster->user);
    struct sv_instance_view *views = calloc(count, sizeof(*views));
    json_t *list = views ? json_array() : NULL;
    for (size_t i = 0; i < count && list; i++)
        cluster->instance(cluster->user, (sv_instance_place)i, &views[i]);
    if (list)
        qsort(views, count, sizeof(*views), compare_identifiers);
    for (size_t i = 0; i < count && list; i++)
        sv_cluster_append(&list, make(cluster, &views[i]));
    free(views);
    return list;
}

static void return_named(struct sv_api_call *call, const char *name, instance_struct *make)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place *places;
    uint32_t count;
    if (!sv_cluster_check_instances(call, name, &places, &count))
        return;
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, places[i], &view);
        sv_cluster_append(&list, make(cluster, &view));
    }
    free(places);
    sv_call_return(call, list);
}

void sv_method_supvisors_get_all_instances_state_modes(struct sv_api_call *call,
                                                       const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, list_all(sv_cluster_of(call), own_modes));
}

void sv_method_supvisors_get_instance_state_modes(struct sv_api_call *call,
                                                  const struct sv_argument *arguments)
{
    return_named(call, arguments[0].text, own_modes);
}

json_t *sv_cluster_instance_json(const struct sv_api_cluster *cluster,
                                 const struct sv_instance_view *view)
{
    (void)cluster;
    enum { SECOND = 1000000000 };
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:s, s:i, s:b, s:I, s:I, s:f, s:I, s:I, s:f}", //
                     "identifier", sv_text_json(view->names.identifier),                       //
                     "nick_identifier", sv_text_json(view->names.nick),                        //
                     "node_name", sv_text_json(view->host), "port", (int)view->http_port,      //
                     "statecode", (int)view->state,                                            //
                     "statename", sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)view->state),  //
                     "loading", (int)view->load, "process_failure",
                     (int)view->has_process_failure,                               //
                     "remote_sequence_counter", (json_int_t)view->remote_sequence, //
                     "remote_time", (json_int_t)(view->remote_wall_ns / SECOND),   //
                     "remote_mtime", sv_cluster_seconds(view->remote_ns),          //
                     "local_sequence_counter", (json_int_t)view->local_sequence,   //
                     "local_time", (json_int_t)(view->local_wall_ns / SECOND),     //
                     "local_mtime", sv_cluster_seconds(view->local_ns));
}

void sv_method_supvisors_get_all_instances_info(struct sv_api_call *call,
                                                const struct sv_argument *arguments)
{
    (void)arguments;
    sv_call_return(call, list_all(sv_cluster_of(call), sv_cluster_instance_json));
}

void sv_method_supvisors_get_instance_info(struct sv_api_call *call,
                                           const struct sv_argument *arguments)
{
    return_named(call, arguments[0].text, sv_cluster_instance_json);
}

/* --- the Master, the options --- */

void sv_method_supvisors_get_master_identifier(struct sv_api_call *call,
                                               const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_instance_view local, view;
    cluster->instance(cluster->user, cluster->local(cluster->user), &local);
    const char *master = local.modes.master_identifier ? local.modes.master_identifier : "";
    json_t *answer = NULL;
    for (sv_instance_place i = 0; i < cluster->instance_count(cluster->user) && !answer; i++) {
        cluster->instance(cluster->user, i, &view);
        if (strcmp(view.names.identifier, master) == 0)
            answer = json_pack("{s:o, s:o}", "identifier", sv_text_json(view.names.identifier),
                               "nick_identifier", sv_text_json(view.names.nick));
    }
    sv_call_return(call, answer ? answer : json_object());
}

void sv_method_supvisors_get_strategies(struct sv_api_call *call,
                                        const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_supvisors_config *config = sv_cluster_of(call)->config;
    sv_call_return(
        call,
        json_pack(
            "{s:b, s:s, s:s, s:s}", "auto-fencing", (int)config->auto_fence, //
            "starting", sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)config->starting_strategy),
            "conciliation",
            sv_choice_name(SV_CHOICE_CONCILIATION_STRATEGY, (int)config->conciliation_strategy),
            "supvisors_failure",
            sv_choice_name(SV_CHOICE_SUPVISORS_FAILURE_STRATEGY,
                           (int)config->supvisors_failure_strategy)));
}
