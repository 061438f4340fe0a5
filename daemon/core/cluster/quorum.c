/*
 * quorum: at most one majority runs the managed programs. docs/mesh.md has the protocol and why it
 * is safe; this is the short form.
 *
 * The right to run. Each heartbeat acknowledges the newest one that was heard of its receiver. When
 * a majority of supvisors_list (this instance included) has acknowledged something that we sent at
 * time s, we may run managed programs until s + quorum_stop_after. The keeper holds that deadline
 * (PROMISE), so it is kept also by a daemon that is stopped or dead. What is said by an instance
 * that follows a newer Master than we do does not count.
 *
 * Settled. Whom we have not acknowledged for quorum_stop_after and a margin has not got our voice
 * for its right any more. When every voter of a majority says that of an instance, it runs nothing
 * managed. Before the Master has something started, each instance must be settled, or must follow
 * this very Master, so that its rows tell the whole truth.
 *
 * Nobody remembers over its death whom it has acknowledged. So a daemon that begins counts
 * everybody as not settled, until it has been silent towards him for long enough.
 */
#include <stdlib.h>

#include "core/cluster/members.h"

struct sv_quorum {
    bool has_right;
    uint64_t right_ns;
    struct sv_timer expiry;
    bool is_waited_for;      /* a start was refused that may be right later */
    bool waits_for_instance; /* because of what an instance may run */
    uint64_t *rights;        /* room for one of each voter */
};

bool sv_quorum_is_settled(const struct sv_cluster *cluster, const struct sv_instance *instance)
{
    if (instance->place == cluster->local || sv_instance_is_active(instance))
        return false;
    if (cluster->times->has_quorum)
        return cluster->now_ns >= instance->settled_ns;
    return !instance->may_run && (instance->state == SV_INSTANCE_STATE_STOPPED ||
                                  instance->state == SV_INSTANCE_STATE_ISOLATED);
}

static void on_settle(struct sv_cluster *cluster, struct sv_timer *timer)
{
    struct sv_instance *instance =
        sv_instance_of_timer(timer, offsetof(struct sv_instance, settle));
    if (cluster->now_ns < instance->settled_ns)
        sv_timer_set(cluster, timer, instance->settled_ns);
    else {
        sv_sight_see(cluster, instance, sv_quorum_is_settled(cluster, instance));
        sv_machine_wake(cluster);
    }
}

static void doubt_until(struct sv_cluster *cluster, struct sv_instance *instance, uint64_t at_ns)
{
    instance->settled_ns = at_ns;
    if (!instance->settle.node.place)
        sv_timer_set(cluster, &instance->settle, at_ns);
}

void sv_quorum_add(struct sv_cluster *cluster, struct sv_instance *instance)
{
    sv_timer_init(cluster, &instance->settle, on_settle);
    if (!cluster->times->has_quorum)
        return;
    struct sv_quorum *quorum = cluster->quorum;
    if (instance->is_voter) {
        quorum->rights =
            reallocarray(quorum->rights, cluster->machine->voter_count, sizeof(*quorum->rights));
        if (!quorum->rights)
            abort();
    }
    if (cluster->machine->has_begun)
        doubt_until(cluster, instance, cluster->now_ns + cluster->times->settle_ns);
}

static uint32_t majority(const struct sv_cluster *cluster)
{
    return cluster->machine->voter_count / 2 + 1;
}

static void on_expiry(struct sv_cluster *cluster, struct sv_timer *timer)
{
    (void)timer;
    struct sv_quorum *quorum = cluster->quorum;
    if (quorum->has_right)
        sv_decide(cluster, SV_LOG_ERROR,
                  "the managed programs here are killed: no majority of supvisors_list has heard "
                  "of %s in quorum_stop_after",
                  sv_local(cluster)->nick);
    quorum->has_right = false;
    sv_cluster_actions_add(cluster->actions, SV_CLUSTER_KILL_MANAGED);
    sv_machine_wake(cluster);
}

void sv_quorum_new(struct sv_cluster *cluster)
{
    cluster->quorum = sv_allocate(1, sizeof(*cluster->quorum));
    sv_timer_init(cluster, &cluster->quorum->expiry, on_expiry);
}

void sv_quorum_free(struct sv_cluster *cluster)
{
    if (cluster->quorum)
        free(cluster->quorum->rights);
    free(cluster->quorum);
}

/* What a former daemon has started here runs by its promise; ours must come before that ends. */
void sv_quorum_begin(struct sv_cluster *cluster)
{
    if (!cluster->times->has_quorum)
        return;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (i != cluster->local)
            doubt_until(cluster, cluster->instances[i],
                        cluster->now_ns + cluster->times->settle_ns);
    sv_timer_set(cluster, &cluster->quorum->expiry, cluster->now_ns + cluster->times->right_ns);
    sv_quorum_changed(cluster);
}

void sv_quorum_acknowledge(struct sv_cluster *cluster, struct sv_instance *instance)
{
    if (cluster->times->has_quorum)
        doubt_until(cluster, instance, cluster->now_ns + cluster->times->settle_ns);
}

void sv_quorum_acknowledged(struct sv_cluster *cluster, struct sv_instance *instance, uint64_t term,
                            uint64_t sent_ns)
{
    if (!cluster->times->has_quorum || !instance->is_voter || sent_ns == 0 ||
        term > sv_local(cluster)->view.term)
        return;
    uint64_t right_ns = sent_ns + cluster->times->right_ns;
    if (right_ns <= instance->right_ns)
        return;
    instance->right_ns = right_ns;
    /* While there is a right, it is renewed with each heartbeat, not with each acknowledgement. */
    if (!cluster->quorum->has_right)
        sv_quorum_changed(cluster);
}

static int newest_first(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one;
    uint64_t b = *(const uint64_t *)other;
    return a < b ? 1 : a > b ? -1 : 0;
}

void sv_quorum_changed(struct sv_cluster *cluster)
{
    struct sv_quorum *quorum = cluster->quorum;
    if (!cluster->times->has_quorum || !cluster->machine->has_begun)
        return;
    uint32_t count = 0;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        if (instance->is_voter)
            quorum->rights[count++] = i == cluster->local
                                          ? cluster->now_ns + cluster->times->right_ns
                                          : instance->right_ns;
    }
    if (count < majority(cluster))
        return;
    qsort(quorum->rights, count, sizeof(*quorum->rights), newest_first);
    uint64_t right_ns = quorum->rights[majority(cluster) - 1];
    if (right_ns <= quorum->right_ns || right_ns <= cluster->now_ns)
        return;
    quorum->right_ns = right_ns;
    sv_timer_set(cluster, &quorum->expiry, right_ns);
    sv_cluster_actions_add(cluster->actions, SV_CLUSTER_PROMISE)->deadline_ns = right_ns;
    if (quorum->has_right)
        return;
    quorum->has_right = true;
    sv_decide(cluster, SV_LOG_INFO, "%s may run managed programs: a majority has heard of it",
              sv_local(cluster)->nick);
    sv_machine_wake(cluster);
}

bool sv_quorum_has_right(const struct sv_cluster *cluster)
{
    return !cluster->times->has_quorum ||
           (cluster->quorum->has_right && cluster->now_ns < cluster->quorum->right_ns);
}

bool sv_quorum_has_majority(const struct sv_cluster *cluster)
{
    return !cluster->times->has_quorum ||
           cluster->machine->running_voter_count >= majority(cluster);
}

/* Each voter that is RUNNING says so; with a Master that all agree on they are a majority. */
static bool is_settled_for_all(const struct sv_cluster *cluster, sv_instance_place place)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *voter = cluster->instances[i];
        if (!voter->is_voter || voter->state != SV_INSTANCE_STATE_RUNNING)
            continue;
        struct sv_seen seen;
        if (!sv_sight_of(cluster, voter, place, &seen) || !seen.is_settled)
            return false;
    }
    return true;
}

/* It obeys nobody but us, and we know what it runs; or it cannot run the process at all. */
static bool is_accounted_for(const struct sv_cluster *cluster, const struct sv_instance *instance,
                             const struct sv_member *member)
{
    const struct sv_view *view = &instance->view;
    if (!view->is_known || view->master != cluster->local ||
        view->term != sv_local(cluster)->view.term)
        return false;
    return sv_instance_is_active(instance) || !sv_member_copy(member, instance->place);
}

static const char *why_not(struct sv_cluster *cluster, const struct sv_member *member)
{
    if (!sv_machine_is_master(cluster) || !sv_election_is_agreed(cluster))
        return "with quorum only the Master has programs started";
    if (!sv_quorum_has_majority(cluster) || !sv_quorum_has_right(cluster))
        return "there is no majority of supvisors_list (quorum)";
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_instance *instance = cluster->instances[i];
        if (i != cluster->local && !is_accounted_for(cluster, instance, member) &&
            !is_settled_for_all(cluster, i))
            return sv_text(cluster, "%s may still run it (quorum)", instance->nick);
    }
    if (cluster->supvisors->multicast_address &&
        cluster->now_ns - cluster->machine->begin_ns < cluster->times->settle_ns)
        return "an instance that is not discovered yet may still run it (quorum)";
    return NULL;
}

bool sv_quorum_may_start(struct sv_cluster *cluster, const struct sv_member *member,
                         const char **ret_why)
{
    sv_instance_place pending = sv_command_pending_start(cluster, member);
    if (pending != SV_INSTANCE_NONE)
        *ret_why = sv_text(cluster, "%s was told to start it, and what came of it is not known yet",
                           cluster->instances[pending]->nick);
    const char *why = cluster->times->has_quorum ? why_not(cluster, member) : NULL;
    if (why)
        *ret_why = why;
    cluster->quorum->waits_for_instance |= why != NULL;
    cluster->quorum->is_waited_for |= why || pending != SV_INSTANCE_NONE;
    return !why && pending == SV_INSTANCE_NONE;
}

bool sv_quorum_is_waited_for(const struct sv_cluster *cluster)
{
    return cluster->quorum->waits_for_instance;
}

void sv_quorum_flush(struct sv_cluster *cluster)
{
    struct sv_quorum *quorum = cluster->quorum;
    if (!quorum->is_waited_for || !cluster->machine->is_dirty)
        return;
    quorum->is_waited_for = false;
    quorum->waits_for_instance = false;
    sv_commander_may_start(cluster);
}
