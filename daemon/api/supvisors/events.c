/*
 * Bodies of events. They are the structs that the methods of supvisors.* answer, with one
 * exception: `event` tells what happened to a process in one instance, in the words of that
 * instance (Supvisors' listener.py and context.py).
 *
 *     came to a state     who, which process, state, pid, how it ended, its clocks
 *     was forced          the same without `disabled`: no instance has said so
 *     is disabled         get_local_process_info() of that instance
 *     is gone             three keys: {"group", "name", "state": -1}
 */
#include "api/events.h"

#include "api/supvisors/structs.h"

#define SECOND 1e9

enum { STATE_DELETED = -1 };

json_t *sv_event_supvisors(const struct sv_api_cluster *cluster)
{
    return sv_cluster_state_json(cluster);
}

json_t *sv_event_instance(const struct sv_api_cluster *cluster, sv_instance_place place)
{
    struct sv_instance_view view;
    cluster->instance(cluster->user, place, &view);
    return sv_cluster_instance_json(cluster, &view);
}

json_t *sv_event_application(const struct sv_api_cluster *cluster, const char *name)
{
    static const struct sv_application_rules no_rules;
    struct sv_application_view view = {
        .name = name, .rules = &no_rules, .state = SV_APPLICATION_STATE_DELETED};
    size_t place = cluster->application_named(cluster->user, name);
    if (place != SIZE_MAX)
        cluster->application(cluster->user, place, &view);
    return sv_cluster_application_json(cluster, &view);
}

static bool find_process(const struct sv_api_cluster *cluster, const char *application,
                         const char *name, struct sv_cluster_process_view *ret, size_t place[2])
{
    size_t found = cluster->application_named(cluster->user, application);
    size_t at = found == SIZE_MAX ? SIZE_MAX : cluster->process_named(cluster->user, found, name);
    if (at == SIZE_MAX)
        return false;
    cluster->process(cluster->user, found, at, ret);
    place[0] = found;
    place[1] = at;
    return true;
}

json_t *sv_event_process(const struct sv_api_cluster *cluster, const char *application,
                         const char *name)
{
    struct sv_cluster_process_view view;
    size_t place[2];
    if (find_process(cluster, application, name, &view, place))
        return sv_cluster_process_json(cluster, &view);
    double now = sv_cluster_seconds(cluster->now_ns(cluster->user));
    return json_pack("{s:o, s:o, s:f, s:i, s:s, s:b, s:f, s:[], s:s}", //
                     "application_name", sv_text_json(application),    //
                     "process_name", sv_text_json(name),               //
                     "now_monotonic", now, "statecode", STATE_DELETED, //
                     "statename", "DELETED", "expected_exit", 1,       //
                     "last_event_mtime", now, "identifiers", "extra_args", "");
}

/* ---- event ---- */

json_t *sv_event_of_row(const struct sv_api_cluster *cluster, sv_instance_place instance,
                        const struct sv_mesh_process *row, uint64_t received_ns)
{
    struct sv_instance_view view;
    cluster->instance(cluster->user, instance, &view);
    double age_ns = (double)view.remote_ns - (double)row->event_ns; /* of its last heartbeat */
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:f, s:f, s:i, s:b, s:o, s:o, s:b, s:f}", //
                     "identifier", sv_text_json(view.names.identifier),                   //
                     "nick_identifier", sv_text_json(view.names.nick),                    //
                     "name", sv_text_json(row->name), "group",                            //
                     sv_text_json(row->application), "state", (int)row->state,            //
                     "now", ((double)view.remote_wall_ns - age_ns) / SECOND,              //
                     "now_monotonic", sv_cluster_seconds(row->event_ns), "pid",           //
                     (int)row->pid, "expected", (int)row->is_expected,                    //
                     "spawnerr", sv_text_json(row->spawnerr ? row->spawnerr : ""),        //
                     "extra_args",                                                        //
                     sv_text_json(row->extra_arguments ? row->extra_arguments : ""),      //
                     "disabled", (int)row->is_disabled, "event_mtime",                    //
                     sv_cluster_seconds(received_ns));
}

static json_t *forced_event(const struct sv_api_cluster *cluster,
                            const struct sv_cluster_process_view *view)
{
    struct sv_instance_view local, target = {.names = {.identifier = "", .nick = ""}};
    cluster->instance(cluster->user, cluster->local(cluster->user), &local);
    if (view->forced_target != SV_INSTANCE_NONE)
        cluster->instance(cluster->user, view->forced_target, &target);
    uint64_t now_ns = cluster->now_ns(cluster->user);
    double age_ns = (double)local.remote_ns - (double)now_ns;
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:f, s:f, s:i, s:b, s:o, s:o, s:f}",       //
                     "identifier", sv_text_json(target.names.identifier),                  //
                     "nick_identifier", sv_text_json(target.names.nick),                   //
                     "group", sv_text_json(view->application),                             //
                     "name", sv_text_json(view->name), "state", (int)view->state,          //
                     "now", ((double)local.remote_wall_ns - age_ns) / SECOND,              //
                     "now_monotonic", sv_cluster_seconds(view->forced_event_ns), "pid", 0, //
                     "expected", 0, "spawnerr", sv_text_json(view->forced_reason),         //
                     "extra_args",                                                         //
                     sv_text_json(view->extra_arguments ? view->extra_arguments : ""),     //
                     "event_mtime", sv_cluster_seconds(now_ns));
}

static json_t *event_of_copy(const struct sv_api_cluster *cluster,
                             const struct sv_event_cause *cause, const size_t place[2],
                             size_t copy_count)
{
    for (size_t i = 0; i < copy_count; i++) {
        struct sv_copy_view copy;
        cluster->copy(cluster->user, place[0], place[1], i, &copy);
        if (copy.instance != cause->instance)
            continue;
        if (cause->news == SV_PROCESS_NEWS_DISABILITY)
            return sv_cluster_copy_json(cluster, &copy);
        return sv_event_of_row(cluster, copy.instance, &copy.row, copy.received_ns);
    }
    return NULL;
}

/* Whether users hear of it at all. */
static const bool is_told[] = {
    [SV_PROCESS_NEWS_STATE] = true,    [SV_PROCESS_NEWS_FORCED] = true,
    [SV_PROCESS_NEWS_DETAILS] = false, [SV_PROCESS_NEWS_DISABILITY] = true,
    [SV_PROCESS_NEWS_ADDED] = true,    [SV_PROCESS_NEWS_LEARNT] = false,
    [SV_PROCESS_NEWS_REMOVED] = true,  [SV_PROCESS_NEWS_GONE] = true,
    [SV_PROCESS_NEWS_LOST] = false,
};

json_t *sv_event_of_process(const struct sv_api_cluster *cluster,
                            const struct sv_event_cause *cause)
{
    struct sv_cluster_process_view view;
    size_t place[2];
    if (!is_told[cause->news])
        return NULL;
    if (cause->news == SV_PROCESS_NEWS_REMOVED || cause->news == SV_PROCESS_NEWS_GONE)
        return json_pack("{s:o, s:o, s:i}", "group", sv_text_json(cause->application), //
                         "name", sv_text_json(cause->name), "state", STATE_DELETED);
    if (!find_process(cluster, cause->application, cause->name, &view, place))
        return NULL;
    if (cause->news != SV_PROCESS_NEWS_FORCED)
        return event_of_copy(cluster, cause, place, view.copy_count);
    return view.forced_reason ? forced_event(cluster, &view) : NULL;
}

/* ---- svisor's own ---- */

json_t *sv_event_own(const struct sv_api_cluster *cluster)
{
    struct sv_instance_view local;
    cluster->instance(cluster->user, cluster->local(cluster->user), &local);
    return json_pack("{s:o, s:o, s:f}", "identifier", sv_text_json(local.names.identifier), //
                     "nick_identifier", sv_text_json(local.names.nick), "now_monotonic",    //
                     sv_cluster_seconds(cluster->now_ns(cluster->user)));
}
