/* What core/cluster shows of itself: look-ups and copies, no decisions. */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/members.h"

enum sv_instance_state sv_instance_state(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->instances[place]->state;
}

bool sv_instance_is_running(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->instances[place]->state == SV_INSTANCE_STATE_RUNNING;
}

const char *sv_instance_identifier(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->instances[place]->identifier;
}

const char *sv_instance_nick(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->instances[place]->nick;
}

sv_instance_place sv_instance_node(const struct sv_cluster *cluster, sv_instance_place place)
{
    const char *machine_id = cluster->instances[place]->machine_id;
    if (!*machine_id)
        return place;
    for (sv_instance_place i = 0; i < place; i++)
        if (strcmp(cluster->instances[i]->machine_id, machine_id) == 0)
            return i;
    return place;
}

sv_instance_place sv_instance_find(const struct sv_cluster *cluster, const char *identifier)
{
    const struct sv_instance *instance = sv_map_get(&cluster->by_identifier, identifier);
    return instance ? instance->place : SV_INSTANCE_NONE;
}

uint64_t sv_instance_clock_ns(const struct sv_cluster *cluster, sv_instance_place place)
{
    const struct sv_instance *instance = cluster->instances[place];
    if (place == cluster->local)
        return cluster->now_ns;
    return instance->clock_ns ? instance->clock_ns + (cluster->now_ns - instance->clock_local_ns)
                              : 0;
}

sv_instance_place sv_cluster_local(const struct sv_cluster *cluster)
{
    return cluster->local;
}

size_t sv_cluster_instance_count(const struct sv_cluster *cluster)
{
    return cluster->instance_count;
}

static const struct sv_sighting *sightings_of(const struct sv_cluster *cluster,
                                              const struct sv_instance *from, size_t *ret_count)
{
    struct sv_sighting *sightings =
        sv_arena_array(cluster->views, struct sv_sighting, cluster->instance_count);
    if (!sightings)
        abort();
    size_t count = 0;
    struct sv_seen seen;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (sv_sight_of(cluster, from, i, &seen))
            sightings[count++] =
                (struct sv_sighting){cluster->instances[i]->identifier, seen.state};
    *ret_count = count;
    return sightings;
}

void sv_cluster_instance(const struct sv_cluster *cluster, sv_instance_place place,
                         struct sv_instance_view *ret)
{
    const struct sv_instance *instance = cluster->instances[place];
    *ret = (struct sv_instance_view){
        .names = cluster->names[place],
        .host = instance->host,
        .http_port = instance->http_port,
        .event_port = instance->event_port,
        .machine_id = instance->machine_id,
        .network = &instance->network,
        .state = instance->state,
        .modes_ns = place == cluster->local ? cluster->now_ns : instance->view.told_ns,
        .is_local = place == cluster->local,
        .has_process_failure = sv_model_has_failure(cluster, place),
        .load = sv_model_load(cluster, place),
        .remote_sequence = instance->remote_sequence,
        .local_sequence = instance->local_sequence,
        .remote_ns = instance->remote_ns,
        .local_ns = instance->local_ns,
        .remote_wall_ns = instance->remote_wall_ns,
        .local_wall_ns = instance->local_wall_ns,
        .version = instance->version,
        .why = instance->why ? instance->why : "",
    };
    sv_modes_export(cluster, &instance->view, &ret->modes);
    ret->sightings = sightings_of(cluster, instance, &ret->sighting_count);
}

uint64_t sv_cluster_partner(const struct sv_cluster *cluster, sv_instance_place place)
{
    const struct sv_instance *instance = cluster->instances[place];
    bool is_partner = place != cluster->local && sv_instance_is_active(instance);
    return is_partner ? instance->incarnation : 0;
}

uint32_t sv_cluster_find(const struct sv_cluster *cluster, const char *name,
                         sv_instance_place *ret_places)
{
    const char *const names[] = {name};
    struct sv_name_list list = {.items = names, .count = 1};
    return sv_identifiers_find(&list, cluster->names, cluster->instance_count, ret_places);
}

size_t sv_cluster_application_count(const struct sv_cluster *cluster)
{
    return cluster->model.application_count;
}

void sv_cluster_application(const struct sv_cluster *cluster, size_t place,
                            struct sv_application_view *ret)
{
    const struct sv_application *application = cluster->model.applications[place];
    *ret = (struct sv_application_view){
        .name = application->name,
        .rules = &application->rules,
        .state = application->state,
        .has_major_failure = application->has_major_failure,
        .has_minor_failure = application->has_minor_failure,
        .process_count = application->member_count,
    };
}

size_t sv_cluster_application_named(const struct sv_cluster *cluster, const char *name)
{
    const struct sv_application *application = sv_model_application(&cluster->model, name);
    return application ? application->place : SIZE_MAX;
}

void sv_cluster_process(const struct sv_cluster *cluster, size_t application, size_t place,
                        struct sv_cluster_process_view *ret)
{
    const struct sv_application *owner = cluster->model.applications[application];
    const struct sv_member *member = owner->members[place];
    *ret = (struct sv_cluster_process_view){
        .application = owner->name,
        .name = member->name,
        .rules = &member->rules,
        .state = sv_member_shown_state(member),
        .is_expected_exit = member->is_expected_exit,
        .last_event_ns = member->last_event_ns,
        .extra_arguments = member->extra_arguments,
        .forced_reason = !member->is_forced      ? NULL
                         : member->forced_reason ? member->forced_reason
                                                 : "",
        .forced_target = member->forced_target,
        .forced_event_ns = member->forced_event_ns,
        .running = member->running,
        .running_count = member->running_count,
        .assigned = member->assigned,
        .copy_count = member->copy_count,
        .why = member->why ? member->why : "",
    };
}

size_t sv_cluster_process_named(const struct sv_cluster *cluster, size_t application,
                                const char *name)
{
    const struct sv_member *member =
        sv_application_member(cluster->model.applications[application], name);
    return member ? member->place : SIZE_MAX;
}

void sv_cluster_copy(const struct sv_cluster *cluster, size_t application, size_t process,
                     size_t place, struct sv_copy_view *ret)
{
    const struct sv_copy *copy =
        &cluster->model.applications[application]->members[process]->copies[place];
    *ret = (struct sv_copy_view){
        .instance = copy->instance,
        .row = copy->row,
        .received_ns = copy->received_ns,
        .uptime_ns = sv_copy_uptime_ns(copy, sv_instance_clock_ns(cluster, copy->instance)),
        .has_crashed = copy->has_crashed,
    };
}
