/*
 * Who is alive: heartbeats, silence, and when the programs of a lost instance have ended.
 *
 * Every heartbeat_period each instance says HEARTBEAT to all that take part, and HELLO to those
 * that do not yet. A heartbeat tells the newest one of the receiver that was seen, so that silence
 * is noticed on both ends of a link that is broken in one direction only: who does not hear us is
 * as lost as whom we do not hear. No period is waited for by anything else: rows and commands are
 * sent when they happen.
 *
 * A daemon that was stopped itself for a while finds all the others silent, with their messages
 * waiting in its queues: sv_liveness_excuse() lets it read them first.
 *
 * After a loss, `loss` waits until the programs there have ended (docs/mesh.md).
 */
#include <stdlib.h>

#include "core/cluster/members.h"

enum { SENT_COUNT = 64 };

struct sv_liveness {
    uint64_t sequence;
    uint64_t sent_ns[SENT_COUNT]; /* by the sequence */
    struct sv_timer beat;
};

uint64_t sv_liveness_sent_ns(const struct sv_cluster *cluster, uint64_t sequence)
{
    const struct sv_liveness *liveness = cluster->liveness;
    if (sequence == 0 || sequence > liveness->sequence ||
        liveness->sequence - sequence >= SENT_COUNT)
        return 0;
    return liveness->sent_ns[sequence % SENT_COUNT];
}

static void beat_to(struct sv_cluster *cluster, struct sv_instance *instance)
{
    if (!sv_instance_is_active(instance)) {
        if (instance->is_connected && instance->state != SV_INSTANCE_STATE_ISOLATED)
            sv_handshake_greet(cluster, instance);
        return;
    }
    struct sv_mesh_message *message = sv_send(cluster, instance->place, SV_MESH_HEARTBEAT);
    message->heartbeat.revision = sv_replica_revision(cluster);
    message->heartbeat.sequence = cluster->liveness->sequence;
    message->heartbeat.acknowledged = instance->remote_sequence;
    message->heartbeat.acknowledged_incarnation = instance->incarnation;
    message->heartbeat.term = sv_local(cluster)->view.term;
    message->heartbeat.now_ns = cluster->now_ns;
    message->heartbeat.now_wall_ns = cluster->wall_ns;
}

static void beat(struct sv_cluster *cluster, struct sv_timer *timer)
{
    struct sv_liveness *liveness = cluster->liveness;
    liveness->sequence++;
    liveness->sent_ns[liveness->sequence % SENT_COUNT] = cluster->now_ns;
    struct sv_instance *local = sv_local(cluster);
    local->remote_sequence = local->local_sequence = liveness->sequence;
    local->remote_ns = local->local_ns = cluster->now_ns;
    local->remote_wall_ns = local->local_wall_ns = cluster->wall_ns;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (i != cluster->local)
            beat_to(cluster, cluster->instances[i]);
    sv_quorum_changed(cluster);
    sv_timer_set(cluster, timer, cluster->now_ns + cluster->times->heartbeat_ns);
}

void sv_liveness_new(struct sv_cluster *cluster)
{
    cluster->liveness = sv_allocate(1, sizeof(*cluster->liveness));
    sv_timer_init(cluster, &cluster->liveness->beat, beat);
}

void sv_liveness_free(struct sv_cluster *cluster)
{
    free(cluster->liveness);
}

void sv_liveness_begin(struct sv_cluster *cluster)
{
    beat(cluster, &cluster->liveness->beat);
}

/* When the instance counts as silent, as things stand. */
static uint64_t silent_ns(const struct sv_cluster *cluster, const struct sv_instance *instance)
{
    const struct sv_times *times = cluster->times;
    if (instance->state == SV_INSTANCE_STATE_CHECKING)
        return instance->state_ns + times->suspect_ns;
    uint64_t heard_ns =
        instance->local_ns > instance->state_ns ? instance->local_ns : instance->state_ns;
    uint64_t answered_ns = instance->acknowledged_ns > instance->state_ns
                               ? instance->acknowledged_ns
                               : instance->state_ns;
    uint64_t silence_ns = heard_ns + times->suspect_ns;
    uint64_t deafness_ns = answered_ns + times->deaf_ns;
    return silence_ns < deafness_ns ? silence_ns : deafness_ns;
}

void sv_liveness_watch(struct sv_cluster *cluster, struct sv_instance *instance)
{
    if (instance->place == cluster->local)
        return;
    if (instance->state == SV_INSTANCE_STATE_CHECKING || sv_instance_is_active(instance))
        sv_timer_set(cluster, &instance->silence, silent_ns(cluster, instance));
    else
        sv_timer_cancel(cluster, &instance->silence);
}

void sv_liveness_heartbeat(struct sv_cluster *cluster, struct sv_instance *instance,
                           const struct sv_mesh_message *message)
{
    if (!sv_instance_is_active(instance))
        return;
    if (message->heartbeat.sequence <= instance->remote_sequence) {
        sv_instance_complain(cluster, instance, SV_COMPLAINT_REPLAYED, "a heartbeat");
        return;
    }
    instance->remote_sequence = message->heartbeat.sequence;
    instance->local_sequence = cluster->liveness->sequence;
    instance->remote_ns = message->heartbeat.now_ns;
    instance->local_ns = cluster->now_ns;
    instance->remote_wall_ns = message->heartbeat.now_wall_ns;
    instance->local_wall_ns = cluster->wall_ns;
    instance->clock_ns = message->heartbeat.now_ns;
    instance->clock_local_ns = cluster->now_ns;
    if (message->heartbeat.acknowledged_incarnation == cluster->incarnation &&
        message->heartbeat.acknowledged > instance->acknowledged) {
        uint64_t sent_ns = sv_liveness_sent_ns(cluster, message->heartbeat.acknowledged);
        instance->acknowledged = message->heartbeat.acknowledged;
        instance->acknowledged_ns = sent_ns;
    }
    sv_quorum_acknowledge(cluster, instance);
    sv_quorum_acknowledged(cluster, instance, message->heartbeat.term, instance->acknowledged_ns);
    sv_liveness_watch(cluster, instance);
    if (message->heartbeat.revision > instance->revision) {
        sv_instance_complain(cluster, instance, SV_COMPLAINT_GAP, "its rows are newer than ours");
        sv_replica_resync(cluster, instance);
    }
}

/* Of the time that its programs may live on, what a silent one has had already. Whose connection
 * broke, or who has said good-bye, ends just now. */
static uint64_t spent_ns(const struct sv_cluster *cluster, const struct sv_instance *instance)
{
    const struct sv_times *times = cluster->times;
    if (!instance->is_connected || cluster->now_ns - instance->local_ns < times->suspect_ns)
        return 0;
    return times->suspect_ns < times->grace_ns ? times->suspect_ns : times->grace_ns;
}

void sv_liveness_doubt(struct sv_cluster *cluster, struct sv_instance *instance)
{
    bool is_lost_later = instance->state == SV_INSTANCE_STATE_FAILED || instance->may_run;
    if (!is_lost_later || instance->loss.node.place)
        return;
    uint64_t at_ns = cluster->now_ns + cluster->times->grace_ns - spent_ns(cluster, instance);
    if (cluster->times->has_quorum && instance->settled_ns > at_ns)
        at_ns = instance->settled_ns;
    sv_timer_set(cluster, &instance->loss, at_ns);
}

void sv_liveness_trust(struct sv_cluster *cluster, struct sv_instance *instance)
{
    sv_timer_cancel(cluster, &instance->loss);
}

void sv_liveness_excuse(struct sv_cluster *cluster)
{
    uint64_t again_ns = cluster->now_ns + cluster->times->suspect_ns / 2;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        struct sv_timer *silence = &cluster->instances[i]->silence;
        if (silence->node.place && silence->node.key < again_ns)
            sv_timer_set(cluster, silence, again_ns);
    }
}
