/*
 * supvisors.*: applications and processes over all instances, key by key as Supvisors 0.19 has them
 * (rpcinterface.py; application.py, process.py, serial()).
 */
#include <stdlib.h>

#include "api/supvisors/structs.h"

enum { SECOND = 1000000000 };

static double now_of(const struct sv_api_cluster *cluster)
{
    return sv_cluster_seconds(cluster->now_ns(cluster->user));
}

/* --- applications --- */

json_t *sv_cluster_application_json(const struct sv_api_cluster *cluster,
                                    const struct sv_application_view *view)
{
    return json_pack("{s:o, s:b, s:f, s:i, s:s, s:b, s:b}",                                      //
                     "application_name", sv_text_json(view->name),                               //
                     "managed", (int)view->rules->is_managed,                                    //
                     "now_monotonic", now_of(cluster), "statecode", (int)view->state,            //
                     "statename", sv_choice_name(SV_CHOICE_APPLICATION_STATE, (int)view->state), //
                     "major_failure", (int)view->has_major_failure,                              //
                     "minor_failure", (int)view->has_minor_failure);
}

void sv_method_supvisors_get_all_applications_info(struct sv_api_call *call,
                                                   const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (!sv_cluster_check_distributed(call))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->application_count(cluster->user); i++) {
        struct sv_application_view view;
        cluster->application(cluster->user, i, &view);
        sv_cluster_append(&list, sv_cluster_application_json(cluster, &view));
    }
    sv_call_return(call, list);
}

void sv_method_supvisors_get_application_info(struct sv_api_call *call,
                                              const struct sv_argument *arguments)
{
    struct sv_application_view view;
    size_t place;
    if (sv_cluster_check_distributed(call) &&
        sv_cluster_check_application(call, arguments[0].text, &view, &place))
        sv_call_return(call, sv_cluster_application_json(sv_cluster_of(call), &view));
}

json_t *sv_cluster_application_rules_json(const struct sv_api_cluster *cluster,
                                          const struct sv_application_view *view)
{
    const struct sv_application_rules *rules = view->rules;
    if (!rules->is_managed)
        return json_pack("{s:o, s:b}", "application_name", sv_text_json(view->name), "managed", 0);
    const char *formula =
        rules->operational_status ? sv_formula_text(rules->operational_status) : "";
    return json_pack(
        "{s:o, s:b, s:s, s:o, s:i, s:i, s:s, s:s, s:s, s:o}",                             //
        "application_name", sv_text_json(view->name), "managed", 1,                       //
        "distribution", sv_choice_name(SV_CHOICE_DISTRIBUTION, (int)rules->distribution), //
        "identifiers", sv_cluster_application_identifiers(cluster, rules),                //
        "start_sequence", rules->start_sequence, "stop_sequence", rules->stop_sequence,   //
        "starting_strategy",
        sv_choice_name(SV_CHOICE_STARTING_STRATEGY, (int)rules->starting_strategy), //
        "starting_failure_strategy",
        sv_choice_name(SV_CHOICE_STARTING_FAILURE_STRATEGY,
                       (int)rules->starting_failure_strategy), //
        "running_failure_strategy",
        sv_choice_name(SV_CHOICE_RUNNING_FAILURE_STRATEGY, (int)rules->running_failure_strategy),
        "status_formula", sv_text_json(formula));
}

void sv_method_supvisors_get_application_rules(struct sv_api_call *call,
                                               const struct sv_argument *arguments)
{
    struct sv_application_view view;
    size_t place;
    if (sv_cluster_check_distributed(call) &&
        sv_cluster_check_application(call, arguments[0].text, &view, &place))
        sv_call_return(call, sv_cluster_application_rules_json(sv_cluster_of(call), &view));
}

/* --- processes --- */

typedef json_t *process_struct(const struct sv_api_cluster *cluster,
                               const struct sv_cluster_process_view *view);

json_t *sv_cluster_process_json(const struct sv_api_cluster *cluster,
                                const struct sv_cluster_process_view *view)
{
    return json_pack(
        "{s:o, s:o, s:f, s:i, s:s, s:b, s:f, s:o, s:o}",                                        //
        "application_name", sv_text_json(view->application),                                    //
        "process_name", sv_text_json(view->name),                                               //
        "now_monotonic", now_of(cluster), "statecode", (int)view->state,                        //
        "statename", sv_process_state_name(view->state),                                        //
        "expected_exit", (int)view->is_expected_exit,                                           //
        "last_event_mtime", sv_cluster_seconds(view->last_event_ns),                            //
        "identifiers", sv_cluster_identifier_list(cluster, view->running, view->running_count), //
        "extra_args", sv_text_json(view->extra_arguments ? view->extra_arguments : ""));
}

/* What `@` or `#` has assigned is the rule from then on. */
static json_t *process_identifiers(const struct sv_api_cluster *cluster,
                                   const struct sv_cluster_process_view *view)
{
    return view->assigned != SV_INSTANCE_NONE
               ? sv_cluster_identifier_list(cluster, &view->assigned, 1)
               : sv_cluster_name_list(&view->rules->places.identifiers);
}

json_t *sv_cluster_process_rules_json(const struct sv_api_cluster *cluster,
                                      const struct sv_cluster_process_view *view)
{
    const struct sv_process_rules *rules = view->rules;
    return json_pack(
        "{s:o, s:o, s:o, s:i, s:i, s:b, s:b, s:i, s:s, s:s}",                           //
        "application_name", sv_text_json(view->application),                            //
        "process_name", sv_text_json(view->name),                                       //
        "identifiers", process_identifiers(cluster, view),                              //
        "start_sequence", rules->start_sequence, "stop_sequence", rules->stop_sequence, //
        "required", (int)rules->required, "wait_exit", (int)rules->wait_exit,           //
        "expected_loading", (int)rules->expected_loading,                               //
        "starting_failure_strategy",
        sv_choice_name(SV_CHOICE_STARTING_FAILURE_STRATEGY, (int)rules->starting_failure_strategy),
        "running_failure_strategy",
        sv_choice_name(SV_CHOICE_RUNNING_FAILURE_STRATEGY, (int)rules->running_failure_strategy));
}

/* Those of one application; `process` SIZE_MAX: all. */
static void append_processes(const struct sv_api_cluster *cluster, size_t application,
                             size_t process, process_struct *make, json_t **list)
{
    struct sv_application_view view;
    cluster->application(cluster->user, application, &view);
    for (size_t i = 0; i < view.process_count; i++) {
        struct sv_cluster_process_view item;
        if (process != SIZE_MAX && process != i)
            continue;
        cluster->process(cluster->user, application, i, &item);
        sv_cluster_append(list, make(cluster, &item));
    }
}

static void return_processes(struct sv_api_call *call, const char *namespec, process_struct *make)
{
    size_t application, process;
    if (!sv_cluster_check_distributed(call) ||
        !sv_cluster_check_process(call, namespec, &application, &process))
        return;
    json_t *list = json_array();
    append_processes(sv_cluster_of(call), application, process, make, &list);
    sv_call_return(call, list);
}

void sv_method_supvisors_get_all_process_info(struct sv_api_call *call,
                                              const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (!sv_cluster_check_distributed(call))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->application_count(cluster->user); i++)
        append_processes(cluster, i, SIZE_MAX, sv_cluster_process_json, &list);
    sv_call_return(call, list);
}

void sv_method_supvisors_get_process_info(struct sv_api_call *call,
                                          const struct sv_argument *arguments)
{
    return_processes(call, arguments[0].text, sv_cluster_process_json);
}

void sv_method_supvisors_get_process_rules(struct sv_api_call *call,
                                           const struct sv_argument *arguments)
{
    return_processes(call, arguments[0].text, sv_cluster_process_rules_json);
}

/* Of managed applications only: the others may run what they like. */
void sv_method_supvisors_get_conflicts(struct sv_api_call *call,
                                       const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    if (!sv_cluster_check_distributed(call))
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < cluster->application_count(cluster->user); i++) {
        struct sv_application_view application;
        cluster->application(cluster->user, i, &application);
        for (size_t k = 0; application.rules->is_managed && k < application.process_count; k++) {
            struct sv_cluster_process_view process;
            cluster->process(cluster->user, i, k, &process);
            if (process.running_count > 1)
                sv_cluster_append(&list, sv_cluster_process_json(cluster, &process));
        }
    }
    sv_call_return(call, list);
}

/* --- what one instance says of its processes --- */

/* A row is told when its process changes; the uptime in Supervisor's text goes on meanwhile. */
static json_t *description_of(const struct sv_mesh_process *row, int64_t now_wall_ns)
{
    if (row->state != SV_PROCESS_RUNNING)
        return sv_text_json(row->description);
    struct sv_str text SV_CLEANUP(sv_str_done) = {0};
    sv_api_describe_running(row->pid, row->start_wall_ns / SECOND, now_wall_ns / SECOND, &text);
    return sv_text_json(sv_str_text(&text));
}

json_t *sv_cluster_row_json(const struct sv_mesh_process *row, uint64_t now_ns, int64_t now_wall_ns)
{
    return json_pack("{s:o, s:o, s:i, s:s, s:I, s:I, s:I, s:i, s:o, s:o, s:b, s:f, s:f, s:f,"
                     " s:o, s:i, s:i, s:i, s:o, s:b, s:b, s:b}",
                     "group", sv_text_json(row->application), "name", sv_text_json(row->name), //
                     "state", (int)row->state, "statename", sv_process_state_name(row->state), //
                     "start", (json_int_t)(row->start_wall_ns / SECOND),                       //
                     "stop", (json_int_t)(row->stop_wall_ns / SECOND),                         //
                     "now", (json_int_t)(now_wall_ns / SECOND), "pid", (int)row->pid,          //
                     "description", description_of(row, now_wall_ns),                          //
                     "spawnerr", sv_text_json(row->spawnerr),                                  //
                     "expected", (int)row->is_expected,                                        //
                     "start_monotonic", sv_cluster_seconds(row->start_ns),                     //
                     "stop_monotonic", sv_cluster_seconds(row->stop_ns),                       //
                     "now_monotonic", sv_cluster_seconds(now_ns),                              //
                     "extra_args", sv_text_json(row->extra_arguments),                         //
                     "startsecs", (int)row->startsecs, "stopwaitsecs", (int)row->stopwaitsecs, //
                     "process_index", (int)row->process_index,                                 //
                     "program_name", sv_text_json(row->program_name),                          //
                     "disabled", (int)row->is_disabled, "has_stdout", (int)row->has_stdout,    //
                     "has_stderr", (int)row->has_stderr);
}

/* The clocks of the instance are those of its last heartbeat, or of the event, if that is newer. */
json_t *sv_cluster_copy_json(const struct sv_api_cluster *cluster, const struct sv_copy_view *copy)
{
    const struct sv_mesh_process *row = &copy->row;
    struct sv_instance_view instance;
    cluster->instance(cluster->user, copy->instance, &instance);
    uint64_t since_ns = row->event_ns > instance.remote_ns ? row->event_ns - instance.remote_ns : 0;
    return sv_cluster_row_json(row, instance.remote_ns + since_ns,
                               instance.remote_wall_ns + (int64_t)since_ns);
}

static json_t *inner_info(const struct sv_api_cluster *cluster, const struct sv_copy_view *copy)
{
    json_t *info = sv_cluster_copy_json(cluster, copy);
    json_t *more = json_pack("{s:f, s:f, s:f, s:b}", "local_mtime",
                             sv_cluster_seconds(copy->received_ns), //
                             "event_time", sv_cluster_seconds(copy->row.event_ns), "uptime",
                             sv_cluster_seconds(copy->uptime_ns), //
                             "has_crashed", (int)copy->has_crashed);
    if (!info || json_object_update(info, more) < 0) {
        json_decref(info);
        info = NULL;
    }
    json_decref(more);
    return info;
}

typedef json_t *copy_struct(const struct sv_api_cluster *cluster, const struct sv_copy_view *copy);

/* The copies of one process in one instance: one, or none. */
static void append_copy(const struct sv_api_cluster *cluster, size_t application, size_t process,
                        sv_instance_place instance, copy_struct *make, json_t **list)
{
    struct sv_cluster_process_view view;
    cluster->process(cluster->user, application, process, &view);
    for (size_t i = 0; i < view.copy_count; i++) {
        struct sv_copy_view copy;
        cluster->copy(cluster->user, application, process, i, &copy);
        if (copy.instance == instance)
            sv_cluster_append(list, make(cluster, &copy));
    }
}

static json_t *all_copies(const struct sv_api_cluster *cluster, const sv_instance_place *instances,
                          uint32_t count, copy_struct *make)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++)
        for (size_t a = 0; a < cluster->application_count(cluster->user); a++) {
            struct sv_application_view view;
            cluster->application(cluster->user, a, &view);
            for (size_t p = 0; p < view.process_count; p++)
                append_copy(cluster, a, p, instances[i], make, &list);
        }
    return list;
}

void sv_method_supvisors_get_all_local_process_info(struct sv_api_call *call,
                                                    const struct sv_argument *arguments)
{
    (void)arguments;
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place local = cluster->local(cluster->user);
    sv_call_return(call, all_copies(cluster, &local, 1, sv_cluster_copy_json));
}

/* Supervisor's own words when the name is unknown: it is the local daemon that is asked. */
void sv_method_supvisors_get_local_process_info(struct sv_api_call *call,
                                                const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    const char *namespec = arguments[0].text, *colon = strchr(namespec, ':');
    struct sv_str name SV_CLEANUP(sv_str_done) = {0};
    sv_str_append(&name, namespec, colon ? (size_t)(colon - namespec) : strlen(namespec));
    size_t application = cluster->application_named(cluster->user, sv_str_text(&name));
    json_t *list = json_array();
    struct sv_application_view view = {0};
    if (application != SIZE_MAX)
        cluster->application(cluster->user, application, &view);
    for (size_t i = 0; i < view.process_count; i++) {
        struct sv_cluster_process_view process;
        cluster->process(cluster->user, application, i, &process);
        if (strcmp(process.name, colon ? colon + 1 : namespec) == 0)
            append_copy(cluster, application, i, cluster->local(cluster->user),
                        sv_cluster_copy_json, &list);
    }
    if (list && json_array_size(list) == 0)
        sv_call_fault(call, SV_FAULT_BAD_NAME, namespec);
    else
        sv_call_return(call, list ? json_incref(json_array_get(list, 0)) : NULL);
    json_decref(list);
}

void sv_method_supvisors_get_all_inner_process_info(struct sv_api_call *call,
                                                    const struct sv_argument *arguments)
{
    sv_instance_place *places;
    uint32_t count;
    if (!sv_cluster_check_instances(call, arguments[0].text, &places, &count))
        return;
    sv_call_return(call, all_copies(sv_cluster_of(call), places, count, inner_info));
    free(places);
}

void sv_method_supvisors_get_inner_process_info(struct sv_api_call *call,
                                                const struct sv_argument *arguments)
{
    const struct sv_api_cluster *cluster = sv_cluster_of(call);
    sv_instance_place *places;
    uint32_t count;
    size_t application, process;
    if (!sv_cluster_check_instances(call, arguments[0].text, &places, &count))
        return;
    if (sv_cluster_check_process(call, arguments[1].text, &application, &process)) {
        json_t *list = json_array();
        struct sv_application_view view;
        cluster->application(cluster->user, application, &view);
        for (uint32_t i = 0; i < count; i++)
            for (size_t p = 0; p < view.process_count; p++)
                if (process == SIZE_MAX || process == p)
                    append_copy(cluster, application, p, places[i], inner_info, &list);
        if (list && json_array_size(list) == 0) {
            struct sv_str text SV_CLEANUP(sv_str_done) = {0};
            sv_str_addf(&text, "%s unknown on %s", arguments[1].text, arguments[0].text);
            sv_call_fault(call, SV_FAULT_FAILED, sv_str_text(&text));
            json_decref(list);
        } else {
            sv_call_return(call, list);
        }
    }
    free(places);
}
