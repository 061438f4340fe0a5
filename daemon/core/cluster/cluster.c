/*
 * The way in and the way out: an event goes to the module that it is for, then everything that
 * follows is settled before the step ends.
 *
 *     event -> module -> machine.c until it rests -> our rows are told -> answers
 *
 * Who looks for a decision finds it in: instance.c (who is there), machine.c (what state the
 * cluster is in), election.c (who is Master), quorum.c (who may run anything), and, for
 * applications, starter.c, stopper.c, failure.c, conciliation.c.
 */
#include <stdlib.h>
#include <svisor/limits.h>

#include "core/cluster/members.h"

static uint64_t nanoseconds(double seconds)
{
    return (uint64_t)(seconds * (double)SV_SECOND_NS);
}

static uint64_t with_margin(uint64_t duration_ns)
{
    return duration_ns + duration_ns / 100 * SV_CLOCK_MARGIN_PERCENT + SV_CLOCK_MARGIN_NS;
}

static struct sv_times *times_of(const struct sv_cluster_options *options)
{
    const struct sv_cluster_config *timing = options->timing;
    struct sv_times *times = sv_allocate(1, sizeof(*times));
    times->heartbeat_ns = nanoseconds(timing->heartbeat_period);
    times->suspect_ns = nanoseconds(timing->suspect_after);
    times->deaf_ns = times->suspect_ns + times->suspect_ns / 2;
    times->grace_ns = with_margin(nanoseconds(timing->daemon_grace));
    times->synchro_ns = (uint64_t)options->supvisors->synchro_timeout * SV_SECOND_NS;
    times->has_quorum = timing->quorum;
    times->right_ns = nanoseconds(timing->quorum_stop_after);
    times->settle_ns = with_margin(times->right_ns);
    return times;
}

static void describe_local(struct sv_cluster *cluster, const struct sv_mesh_network *network)
{
    const struct sv_supvisors_config *config = cluster->supvisors;
    struct sv_instance *local = sv_local(cluster);
    static const struct sv_mesh_network unknown = {.host_name = ""};
    sv_instance_learn(cluster, local,
                      &(struct sv_mesh_hello){.network = network ? *network : unknown,
                                              .machine_id = cluster->machine_id,
                                              .version = cluster->version,
                                              .stereotypes = config->stereotypes.items,
                                              .stereotype_count = config->stereotypes.count});
    local->incarnation = cluster->incarnation;
    local->is_accepted = local->is_welcome = local->has_snapshot = true;
    local->view.is_known = true;
    local->view.discovery_mode = config->multicast_address != NULL;
}

struct sv_cluster *sv_cluster_new(const struct sv_cluster_options *options)
{
    struct sv_cluster *cluster = sv_allocate(1, sizeof(*cluster));
    cluster->supvisors = options->supvisors;
    cluster->timing = options->timing;
    cluster->machine_id = options->machine_id;
    cluster->version = options->version;
    cluster->incarnation = options->incarnation;
    cluster->random = options->seed;
    cluster->local = options->local;
    cluster->views = sv_allocate(1, sizeof(*cluster->views));
    cluster->times = times_of(options);
    sv_machine_new(cluster);
    sv_sight_new(cluster);
    sv_liveness_new(cluster);
    sv_replica_new(cluster);
    sv_forced_new(cluster);
    sv_quorum_new(cluster);
    sv_commands_new(cluster);
    sv_duties_new(cluster);
    sv_confirm_new(cluster);
    for (size_t i = 0; i < options->supvisors->instance_count; i++)
        sv_instance_add(cluster, &options->supvisors->instances[i], options->supvisors->has_list);
    describe_local(cluster, options->network);
    sv_commander_new(cluster, options->rules);
    return cluster;
}

void sv_cluster_free(struct sv_cluster *cluster)
{
    if (!cluster)
        return;
    sv_commander_free(cluster);
    sv_confirm_free(cluster);
    sv_commands_free(cluster);
    sv_duties_free(cluster);
    sv_quorum_free(cluster);
    sv_forced_free(cluster);
    sv_replica_free(cluster);
    sv_liveness_free(cluster);
    sv_sight_free(cluster);
    sv_machine_free(cluster);
    sv_instances_free(cluster);
    sv_heap_done(&cluster->timers);
    sv_arena_done(&cluster->texts);
    sv_arena_done(cluster->views);
    free(cluster->views);
    free(cluster->times);
    free(cluster);
}

static void begin(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    (void)event;
    if (cluster->machine->has_begun)
        return;
    sv_machine_begin(cluster);
    sv_instance_feed(cluster, sv_local(cluster), SV_INSTANCE_HEARD, "it is this one");
    sv_quorum_begin(cluster);
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        sv_sight_see(cluster, cluster->instances[i],
                     sv_quorum_is_settled(cluster, cluster->instances[i]));
        if (i != cluster->local)
            sv_cluster_actions_add(cluster->actions, SV_CLUSTER_CONNECT)->instance = i;
    }
    sv_liveness_begin(cluster);
}

static void connected(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_handshake_connected(cluster, cluster->instances[event->instance]);
}

static void lost(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    struct sv_instance *instance = cluster->instances[event->instance];
    instance->is_connected = false;
    sv_instance_feed(cluster, instance, SV_INSTANCE_BROKEN, "its connection broke");
}

static void (*const receivers[])(struct sv_cluster *cluster, struct sv_instance *from,
                                 const struct sv_mesh_message *message) = {
    [SV_MESH_HELLO] = sv_handshake_hello,        [SV_MESH_WELCOME] = sv_handshake_welcome,
    [SV_MESH_HEARTBEAT] = sv_liveness_heartbeat, [SV_MESH_SNAPSHOT] = sv_replica_receive,
    [SV_MESH_CHANGE] = sv_replica_receive,       [SV_MESH_RESYNC] = sv_replica_asked,
    [SV_MESH_COMMAND] = sv_duties_receive,       [SV_MESH_ANSWER] = sv_command_answer,
    [SV_MESH_CONFIRM] = sv_confirm_receive,      [SV_MESH_BYE] = sv_handshake_bye,
};
_Static_assert(sizeof(receivers) / sizeof(*receivers) == SV_MESH_CALL,
               "every message has a receiver; calls and what follows are relayed by the driver");

static void message(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    struct sv_instance *from = cluster->instances[event->instance];
    if (!cluster->machine->has_begun || cluster->machine->has_left)
        return;
    if (event->message->kind >= SV_MESH_CALL || event->message->incarnation == 0) {
        sv_instance_complain(cluster, from, SV_COMPLAINT_MALFORMED, "its kind or incarnation");
        return;
    }
    if (sv_handshake_admit(cluster, from, event->message))
        receivers[event->message->kind](cluster, from, event->message);
}

static void process(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_replica_local(cluster, &event->process);
    sv_duties_row(cluster, &event->process);
    sv_machine_wake(cluster);
}

static void discovered(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_instance_discovered(cluster, &event->found.config, event->found.stereotypes);
}

/* With quorum one instance must know of every start; nobody but the Master does. */
static bool needs_master(const struct sv_cluster *cluster, enum sv_cluster_request_kind kind)
{
    static const bool starts[] = {
        [SV_REQUEST_START_APPLICATION] = true, [SV_REQUEST_RESTART_APPLICATION] = true,
        [SV_REQUEST_START_PROCESS] = true,     [SV_REQUEST_START_ANY_PROCESS] = true,
        [SV_REQUEST_RESTART_PROCESS] = true,   [SV_REQUEST_CONCILIATE] = true,
        [SV_REQUEST_RESTART_SEQUENCE] = true,  [SV_REQUEST_END_SYNC] = false,
    };
    return cluster->times->has_quorum && starts[kind] && !sv_machine_is_master(cluster);
}

static void refer_to_master(struct sv_cluster *cluster, uint64_t request)
{
    sv_instance_place master = sv_machine_master(cluster);
    sv_answer(cluster, request, SV_CLUSTER_FAULT_BAD_SUPVISORS_STATE,
              master == SV_INSTANCE_NONE
                  ? "with quorum only the Master starts programs, and there is none at present"
                  : sv_text(cluster, "with quorum only the Master starts programs; ask %s",
                            cluster->instances[master]->nick),
              false);
}

static void request(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    if (needs_master(cluster, event->request.kind)) {
        refer_to_master(cluster, event->request.id);
        return;
    }
    switch (event->request.kind) {
    case SV_REQUEST_RESTART:
    case SV_REQUEST_SHUTDOWN:
    case SV_REQUEST_END_SYNC:
        sv_machine_request(cluster, &event->request);
        return;
    case SV_REQUEST_START_APPLICATION:
    case SV_REQUEST_STOP_APPLICATION:
    case SV_REQUEST_RESTART_APPLICATION:
    case SV_REQUEST_START_PROCESS:
    case SV_REQUEST_START_ANY_PROCESS:
    case SV_REQUEST_STOP_PROCESS:
    case SV_REQUEST_RESTART_PROCESS:
    case SV_REQUEST_TEST_START_APPLICATION:
    case SV_REQUEST_TEST_START_PROCESS:
    case SV_REQUEST_PREDICT_APPLICATION:
    case SV_REQUEST_PREDICT_PROCESS:
    case SV_REQUEST_CONCILIATE:
    case SV_REQUEST_RESTART_SEQUENCE:
        sv_commander_request(cluster, &event->request);
        sv_machine_wake(cluster);
        return;
    }
}

static void request_gone(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_commander_request_gone(cluster, event->request.id);
    sv_confirm_forget(cluster, event->request.id);
}

static void rules(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_model_rules(cluster, event->rules);
    sv_machine_wake(cluster);
}

static void local_ending(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    sv_machine_ending(cluster, event->keeps_programs);
}

/* Nobody was told of a deadline in time: it was the local daemon that slept. */
static void time_passed(struct sv_cluster *cluster, const struct sv_cluster_event *event)
{
    (void)event;
    const struct sv_heap_node *first = sv_heap_first(&cluster->timers);
    if (first && cluster->now_ns > first->key &&
        cluster->now_ns - first->key > cluster->times->suspect_ns / 2)
        sv_liveness_excuse(cluster);
}

static void (*const handlers[])(struct sv_cluster *cluster,
                                const struct sv_cluster_event *event) = {
    [SV_CLUSTER_TIME] = time_passed,
    [SV_CLUSTER_BEGIN] = begin,
    [SV_CLUSTER_PROCESS] = process,
    [SV_CLUSTER_CONNECTED] = connected,
    [SV_CLUSTER_LOST] = lost,
    [SV_CLUSTER_MESSAGE] = message,
    [SV_CLUSTER_DISCOVERED] = discovered,
    [SV_CLUSTER_REQUEST] = request,
    [SV_CLUSTER_REQUEST_GONE] = request_gone,
    [SV_CLUSTER_RULES] = rules,
    [SV_CLUSTER_LOCAL_ENDING] = local_ending,
};
_Static_assert(sizeof(handlers) / sizeof(*handlers) == SV_CLUSTER_EVENT_COUNT,
               "every event has a handler");

static void fire_timers(struct sv_cluster *cluster)
{
    struct sv_heap_node *first;
    while ((first = sv_heap_first(&cluster->timers)) && first->key <= cluster->now_ns) {
        struct sv_timer *timer =
            (struct sv_timer *)(void *)((char *)first - offsetof(struct sv_timer, node));
        sv_heap_remove(&cluster->timers, first);
        timer->fire(cluster, timer);
    }
}

void sv_cluster_step(struct sv_cluster *cluster, const struct sv_cluster_event *event,
                     struct sv_cluster_actions *actions)
{
    sv_arena_done(&cluster->texts);
    sv_arena_done(cluster->views);
    cluster->step++;
    if (event->now_ns > cluster->now_ns)
        cluster->now_ns = event->now_ns;
    cluster->wall_ns = event->wall_ns;
    cluster->actions = actions;
    handlers[event->kind](cluster, event);
    if (cluster->machine->has_begun) {
        fire_timers(cluster);
        sv_quorum_flush(cluster);
        sv_machine_run(cluster);
        sv_modes_set_jobs(cluster);
        sv_replica_flush(cluster);
        sv_duties_flush(cluster);
        sv_replica_flush(cluster);
        sv_confirm_flush(cluster);
    }
    cluster->actions = NULL;
}

uint64_t sv_cluster_deadline_ns(const struct sv_cluster *cluster)
{
    if (sv_duties_want_step(cluster) || cluster->machine->is_dirty)
        return cluster->machine->has_begun ? cluster->now_ns : SV_NEVER;
    const struct sv_heap_node *first = sv_heap_first(&cluster->timers);
    return first ? first->key : SV_NEVER;
}
