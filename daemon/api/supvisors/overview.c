/*
 * svisor.getNodes and svisor.getPlacement: what Supvisors' structs have no key for, above all the
 * reasons in words. Instances are told by their nicknames here, as people call them.
 */
#include <stdlib.h>

#include "api/supvisors/cluster_call.h"
#include "config/identifiers.h"

static json_t *node_struct(const struct sv_instance_view *view, const char *master)
{
    /* What it says of itself counts only as long as it is heard. */
    bool is_heard = view->is_local || view->state == SV_INSTANCE_STATE_RUNNING ||
                    view->state == SV_INSTANCE_STATE_CHECKED;
    return json_pack("{s:o, s:o, s:o, s:i, s:i, s:s, s:s, s:b, s:b, s:i, s:o, s:o}",          //
                     "identifier", sv_text_json(view->names.identifier),                      //
                     "nick_identifier", sv_text_json(view->names.nick),                       //
                     "node_name", sv_text_json(view->host), "port", (int)view->http_port,     //
                     "statecode", (int)view->state,                                           //
                     "statename", sv_choice_name(SV_CHOICE_INSTANCE_STATE, (int)view->state), //
                     "fsm_statename",                                                         //
                     is_heard ? sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)view->modes.state)
                              : "",                                                        //
                     "is_master", strcmp(view->names.identifier, master) == 0, "is_local", //
                     (int)view->is_local, "loading", (int)view->load,                      //
                     "version", sv_text_json(view->version ? view->version : ""),          //
                     "why", sv_text_json(view->why ? view->why : ""));
}

void sv_method_get_nodes(struct sv_api_call *call, const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_instance_view local, view;
    cluster->instance(cluster->user, cluster->local(cluster->user), &local);
    const char *master = local.modes.master_identifier ? local.modes.master_identifier : "";
    json_t *list = json_array();
    for (sv_instance_place i = 0; i < cluster->instance_count(cluster->user); i++) {
        cluster->instance(cluster->user, i, &view);
        sv_cluster_append(&list, node_struct(&view, master));
    }
    sv_call_return(call, list);
}

/* --- placement --- */

static json_t *nick_list(const struct sv_api_cluster *cluster, const sv_instance_place *places,
                         size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, places[i], &view);
        sv_cluster_append(&list, sv_text_json(view.names.nick));
    }
    return list;
}

/* The instances that the names mean, in the order in which CONFIG tries them. */
static json_t *resolved_list(const struct sv_api_cluster *cluster, const struct sv_name_list *names)
{
    size_t count = cluster->instance_count(cluster->user);
    struct sv_instance_names *known = calloc(count, sizeof(*known));
    sv_instance_place *places = calloc(count, sizeof(*places));
    json_t *list = NULL;
    for (size_t i = 0; i < count && known; i++) {
        struct sv_instance_view view;
        cluster->instance(cluster->user, (sv_instance_place)i, &view);
        known[i] = view.names;
    }
    if (known && places)
        list =
            nick_list(cluster, places, sv_identifiers_find(names, known, (uint32_t)count, places));
    free(known);
    free(places);
    return list;
}

/* As they stand in the rules file: "#" or "@" before the names that they go by. */
static json_t *written_list(const struct sv_rule_places *rule, const struct sv_name_list *names)
{
    const char *sign = names == &rule->at_identifiers     ? "@"
                       : names == &rule->hash_identifiers ? "#"
                                                          : NULL;
    json_t *list = json_array();
    if (sign)
        sv_cluster_append(&list, json_string(sign));
    for (size_t i = 0; i < names->count; i++)
        sv_cluster_append(&list, sv_text_json(names->items[i]));
    return list;
}

static const struct sv_name_list *names_of(const struct sv_rule_places *rule)
{
    return rule->at_identifiers.count > 0     ? &rule->at_identifiers
           : rule->hash_identifiers.count > 0 ? &rule->hash_identifiers
                                              : &rule->identifiers;
}

/* What `@` or `#` has chosen; else those that the names mean. */
static json_t *candidates(const struct sv_api_cluster *cluster,
                          const struct sv_application_view *application,
                          const struct sv_cluster_process_view *view,
                          const struct sv_name_list *names)
{
    const struct sv_application_rules *rules = application->rules;
    if (rules->distribution == SV_DISTRIBUTION_ALL_INSTANCES)
        return view->assigned != SV_INSTANCE_NONE ? nick_list(cluster, &view->assigned, 1)
                                                  : resolved_list(cluster, names);
    if (rules->places.hash_identifiers.count == 0)
        return resolved_list(cluster, names);
    json_t *chosen = sv_cluster_application_identifiers(cluster, rules);
    const char *identifier = json_string_value(json_array_get(chosen, 0));
    const struct sv_name_list one = {&identifier, identifier != NULL};
    json_t *list = resolved_list(cluster, &one);
    json_decref(chosen);
    return list;
}

static json_t *placed_process(const struct sv_api_cluster *cluster,
                              const struct sv_application_view *application,
                              const struct sv_cluster_process_view *view)
{
    /* With another distribution the rule of the application counts for all of its processes. */
    const struct sv_rule_places *rule =
        application->rules->distribution == SV_DISTRIBUTION_ALL_INSTANCES
            ? &view->rules->places
            : &application->rules->places;
    const struct sv_name_list *names = names_of(rule);
    return json_pack("{s:o, s:s, s:o, s:o, s:o, s:i, s:o}",                                //
                     "process_name", sv_text_json(view->name),                             //
                     "statename", sv_process_state_name(view->state),                      //
                     "running_on", nick_list(cluster, view->running, view->running_count), //
                     "identifiers", written_list(rule, names),                             //
                     "may_run_on", candidates(cluster, application, view, names),          //
                     "expected_loading", (int)view->rules->expected_loading,               //
                     "why", sv_text_json(view->why ? view->why : ""));
}

void sv_method_get_placement(struct sv_api_call *call, const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    struct sv_application_view view;
    size_t place;
    if (!sv_cluster_check_distributed(call) ||
        !sv_cluster_check_application(call, arguments[0].text, &view, &place))
        return;
    json_t *processes = json_array();
    for (size_t i = 0; i < view.process_count; i++) {
        struct sv_cluster_process_view process;
        cluster->process(cluster->user, place, i, &process);
        sv_cluster_append(&processes, placed_process(cluster, &view, &process));
    }
    const struct sv_application_rules *rules = view.rules;
    sv_call_return(
        call,
        json_pack("{s:o, s:s, s:b, s:s, s:s, s:o}",                                           //
                  "application_name", sv_text_json(view.name),                                //
                  "statename", sv_choice_name(SV_CHOICE_APPLICATION_STATE, (int)view.state),  //
                  "managed", (int)rules->is_managed,                                          //
                  "starting_strategy",                                                        //
                  sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)rules->starting_strategy), //
                  "distribution", sv_choice_name(SV_CHOICE_DISTRIBUTION, (int)rules->distribution),
                  "processes", processes));
}
