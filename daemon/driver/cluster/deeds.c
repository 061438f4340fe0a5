/* One function for each kind of action of core/cluster. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "driver/cluster/internal.h"
#include "driver/live/live.h"
#include "driver/outlive/outlive.h"

/* The mesh borrows what is known of an instance: of a discovered one it is kept here. */
static const struct sv_instance_config *kept_instance(struct sv_driver_cluster *cluster,
                                                      sv_instance_place place)
{
    if (place < cluster->config->instance_count)
        return &cluster->config->instances[place];
    struct sv_instance_view view;
    sv_cluster_instance(cluster->core, place, &view);
    struct sv_instance_config *kept = sv_arena_new(&cluster->discovered, struct sv_instance_config);
    if (!kept)
        return NULL;
    *kept = (struct sv_instance_config){
        .identifier = sv_arena_strdup(&cluster->discovered, view.names.identifier),
        .nick = sv_arena_strdup(&cluster->discovered, view.names.nick),
        .host = sv_arena_strdup(&cluster->discovered, view.host),
        .http_port = view.http_port,
        .event_port = view.event_port,
    };
    return kept->identifier && kept->nick && kept->host ? kept : NULL;
}

static void connect_to(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    const struct sv_instance_config *instance = kept_instance(cluster, action->instance);
    int r = instance ? sv_mesh_connect(cluster->mesh, action->instance, instance) : -ENOMEM;
    if (r < 0)
        sv_log_error("no way to %s can be opened: %s; it will not be heard of",
                     instance ? instance->nick : "a discovered instance", sv_errno_text(r));
}

/* What does not go out is the mesh's to count: core/cluster sends again, or hears LOST. */
static void send_message(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    (void)sv_mesh_send(cluster->mesh, action->instance, &action->message);
}

static struct sv_unit *unit_of(struct sv_driver_cluster *cluster,
                               const struct sv_cluster_action *action)
{
    return sv_unit_named(cluster->driver, action->process.application, action->process.name);
}

static void start(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    struct sv_unit *unit = unit_of(cluster, action);
    if (!unit)
        return;
    sv_log_info("%s: started for the cluster: %s", unit->config->name, action->process.text);
    if (action->process.extra_arguments) {
        char *arguments = strdup(action->process.extra_arguments);
        if (!arguments) {
            sv_log_error("%s: out of memory to start it", unit->config->name);
            return;
        }
        free(unit->extra_arguments);
        unit->extra_arguments = arguments;
    }
    unit->is_told_by_cluster = unit->run == NULL;
    sv_driver_feed(cluster->driver, (struct sv_event){.kind = SV_EVENT_START, .process = unit->id});
}

static void stop(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    struct sv_unit *unit = unit_of(cluster, action);
    if (!unit)
        return;
    sv_log_info("%s: stopped for the cluster: %s", unit->config->name, action->process.text);
    unit->is_told_by_cluster = unit->run != NULL;
    sv_driver_feed(cluster->driver, (struct sv_event){.kind = SV_EVENT_STOP, .process = unit->id});
}

static void end_daemon(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    cluster->driver->api_host.shutdown(cluster->driver, action->is_restart);
}

static void promise(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    sv_handover_promise(cluster->driver, action->deadline_ns);
}

/*
 * Every program of a managed application, by its cgroup, as the keeper would, who does it in the
 * same moment. Not as a stop: what is stopped is nobody's loss, and would not be started again when
 * the others hear of its end before they have lost us.
 */
static void kill_managed(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    (void)action;
    sv_log_critical("without a majority for quorum_stop_after: the programs of the cluster end");
    struct sv_driver *driver = cluster->driver;
    for (size_t i = 0; i < driver->units.slot_count; i++) {
        struct sv_unit *unit = driver->units.slots[i].value;
        size_t place = unit ? sv_cluster_application_named(cluster->core, unit->group->config->name)
                            : SIZE_MAX;
        if (place == SIZE_MAX)
            continue;
        struct sv_application_view view;
        sv_cluster_application(cluster->core, place, &view);
        if (view.rules->is_managed)
            sv_unit_fence(unit);
    }
}

static void notice(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    if (action->notice.what == SV_CLUSTER_NOTICE_LOG)
        sv_log(action->notice.level, "%s", action->notice.text);
    if (action->notice.what == SV_CLUSTER_NOTICE_INSTANCE)
        sv_relay_instance_changed(cluster);
    if (cluster->publisher)
        sv_driver_cluster_publish(cluster, action);
    sv_live_cluster_notice(cluster->driver, action);
    sv_api_process_changed(cluster->driver->api, 0);
}

static void answer(struct sv_driver_cluster *cluster, const struct sv_cluster_action *action)
{
    sv_api_cluster_answered(cluster->driver->api, &action->answer);
}

typedef void (*deed_function)(struct sv_driver_cluster *cluster,
                              const struct sv_cluster_action *action);

static const deed_function deeds[SV_CLUSTER_ACTION_COUNT] = {
    [SV_CLUSTER_CONNECT] = connect_to,
    [SV_CLUSTER_SEND] = send_message,
    [SV_CLUSTER_START] = start,
    [SV_CLUSTER_STOP] = stop,
    [SV_CLUSTER_END_DAEMON] = end_daemon,
    [SV_CLUSTER_PROMISE] = promise,
    [SV_CLUSTER_KILL_MANAGED] = kill_managed,
    [SV_CLUSTER_NOTICE] = notice,
    [SV_CLUSTER_ANSWER] = answer,
};

void sv_driver_cluster_perform(struct sv_driver_cluster *cluster,
                               const struct sv_cluster_action *action)
{
    deeds[action->kind](cluster, action);
}
