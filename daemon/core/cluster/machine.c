/*
 * The states of a cluster, as one instance goes through them: Supvisors' machine without its ticks.
 *
 *     OFF -> SYNCHRONIZATION -> ELECTION -> DISTRIBUTION -> OPERATION <-> CONCILIATION
 *                                                              |
 *                             FINAL <- RESTARTING, SHUTTING_DOWN
 *
 * machine.def has the states and the arrows. Whatever could matter to an arrow wakes the machine,
 * which then is run at the end of the step until it comes to rest: nothing waits for a period.
 *
 * The Master decides and the others follow what it says of itself. A follower judges only its own
 * bond to the Master: that it declares itself, with the term that we have. The Master judges all:
 * it works while everybody who is RUNNING says the same name and term. What is to be done about
 * lost processes is kept in the model, not in a state, so no change of state can lose it.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/choice.h"
#include "core/cluster/members.h"

enum { ROUNDS_MAX = 64 }; /* arrows taken in one step; a cycle would be a mistake of ours */

enum sv_supvisors_state sv_machine_state(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.state;
}

sv_instance_place sv_machine_master(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.master;
}

bool sv_machine_is_master(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.master == cluster->local;
}

void sv_machine_wake(struct sv_cluster *cluster)
{
    cluster->machine->is_dirty = true;
}

/* --- conditions --- */

/* The Master, if it is another one that keeps its word to us: it declares itself with our term. */
static const struct sv_view *followed(const struct sv_cluster *cluster)
{
    const struct sv_view *ours = &sv_local(cluster)->view;
    if (ours->master == SV_INSTANCE_NONE || ours->master == cluster->local)
        return NULL;
    const struct sv_view *view = &cluster->instances[ours->master]->view;
    return view->master == ours->master && view->term == ours->term ? view : NULL;
}

static bool master_is_in(const struct sv_cluster *cluster, uint32_t states)
{
    const struct sv_view *master = followed(cluster);
    return master && states >> master->state & 1;
}

#define IN(name) (UINT32_C(1) << SV_SUPVISORS_STATE_##name)

static bool has_begun(const struct sv_cluster *cluster)
{
    return cluster->machine->has_begun;
}

static bool strict_is_met(const struct sv_cluster *cluster)
{
    return sv_synchro_is_met(cluster, SV_SYNCHRO_OPTION_STRICT);
}

static bool list_is_met(const struct sv_cluster *cluster)
{
    return sv_synchro_is_met(cluster, SV_SYNCHRO_OPTION_LIST);
}

static bool core_is_met(const struct sv_cluster *cluster)
{
    return sv_synchro_is_met(cluster, SV_SYNCHRO_OPTION_CORE);
}

static bool user_is_met(const struct sv_cluster *cluster)
{
    return sv_synchro_is_met(cluster, SV_SYNCHRO_OPTION_USER);
}

static bool timeout_is_met(const struct sv_cluster *cluster)
{
    return sv_synchro_is_met(cluster, SV_SYNCHRO_OPTION_TIMEOUT);
}

static bool must_resync(const struct sv_cluster *cluster)
{
    return sv_synchro_failure(cluster) == SV_SUPVISORS_FAILURE_STRATEGY_RESYNC;
}

static bool must_shut_down(const struct sv_cluster *cluster)
{
    return sv_synchro_failure(cluster) == SV_SUPVISORS_FAILURE_STRATEGY_SHUTDOWN;
}

/* Whoever arrives late would otherwise keep a cluster at work from agreeing, for synchro_timeout.
 */
static bool joins_others(const struct sv_cluster *cluster)
{
    if (!cluster->machine->naming_count || must_resync(cluster) || must_shut_down(cluster))
        return false;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_view *view = &cluster->instances[i]->view;
        if (i != cluster->local && sv_instance_is_running(cluster, i) &&
            view->master != SV_INSTANCE_NONE && sv_instance_is_running(cluster, view->master) &&
            view->state >= SV_SUPVISORS_STATE_ELECTION &&
            view->state <= SV_SUPVISORS_STATE_CONCILIATION)
            return true;
    }
    return false;
}

static bool is_asked(const struct sv_cluster *cluster, enum sv_supvisors_state state)
{
    return cluster->machine->asked == state && sv_machine_is_master(cluster);
}

static bool is_restart_asked(const struct sv_cluster *cluster)
{
    return is_asked(cluster, SV_SUPVISORS_STATE_RESTARTING);
}

static bool is_shutdown_asked(const struct sv_cluster *cluster)
{
    return is_asked(cluster, SV_SUPVISORS_STATE_SHUTTING_DOWN);
}

static bool is_elected(const struct sv_cluster *cluster)
{
    const char *why;
    return sv_machine_is_master(cluster) && sv_election_rule(cluster)->may_elect(cluster, &why) &&
           sv_election_is_agreed(cluster);
}

static bool master_works(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(DISTRIBUTION) | IN(OPERATION) | IN(CONCILIATION) |
                                     IN(RESTARTING) | IN(SHUTTING_DOWN));
}

static bool master_is_lost(const struct sv_cluster *cluster)
{
    if (sv_machine_is_master(cluster))
        return !sv_election_is_agreed(cluster) || !sv_election_rule(cluster)->holds(cluster);
    return followed(cluster) == NULL;
}

static bool master_elects(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(OFF) | IN(SYNCHRONIZATION) | IN(ELECTION));
}

static bool master_begins_again(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(OFF) | IN(SYNCHRONIZATION) | IN(ELECTION) | IN(DISTRIBUTION));
}

static bool master_restarts(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(RESTARTING));
}

static bool master_shuts_down(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(SHUTTING_DOWN));
}

static bool has_jobs(const struct sv_cluster *cluster)
{
    return sv_commander_is_starting(cluster) || sv_commander_is_stopping(cluster);
}

static bool is_distributed(const struct sv_cluster *cluster)
{
    return sv_machine_is_master(cluster) && !sv_commander_is_starting(cluster);
}

static bool master_operates(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(OPERATION) | IN(CONCILIATION));
}

static bool master_operates_only(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(OPERATION));
}

/* The others follow the Master, who has to see the one that joined as well. */
static bool somebody_joined(const struct sv_cluster *cluster)
{
    return cluster->machine->has_activated && sv_machine_is_master(cluster);
}

static bool has_conflict(const struct sv_cluster *cluster)
{
    return sv_machine_is_master(cluster) && !has_jobs(cluster) && sv_model_has_conflict(cluster);
}

static bool master_conciliates(const struct sv_cluster *cluster)
{
    return master_is_in(cluster, IN(CONCILIATION));
}

static bool is_conciliated(const struct sv_cluster *cluster)
{
    return sv_machine_is_master(cluster) && !has_jobs(cluster) && !sv_model_has_conflict(cluster);
}

static bool is_closed(const struct sv_cluster *cluster)
{
    if (sv_machine_is_master(cluster))
        return !sv_commander_is_stopping(cluster);
    return !master_is_in(cluster, UINT32_C(1) << sv_machine_state(cluster));
}

/* --- what states do --- */

static void nothing(struct sv_cluster *cluster)
{
    (void)cluster;
}

static void enter_synchronization(struct sv_cluster *cluster)
{
    sv_commander_abort(cluster);
    sv_modes_set_master(cluster, SV_INSTANCE_NONE, sv_local(cluster)->view.term);
}

static void enter_election(struct sv_cluster *cluster)
{
    sv_commander_abort(cluster);
}

static void elect(struct sv_cluster *cluster)
{
    sv_election_run(cluster);
}

/* With quorum a lost process may have to wait until it is certain to have ended. */
static void work(struct sv_cluster *cluster)
{
    if (sv_machine_is_master(cluster))
        sv_commander_handle_lost(cluster);
}

static void enter_distribution(struct sv_cluster *cluster)
{
    if (sv_machine_is_master(cluster))
        sv_commander_start_applications(cluster);
}

static void conciliate(struct sv_cluster *cluster)
{
    if (!sv_machine_is_master(cluster))
        return;
    sv_commander_handle_lost(cluster);
    if (cluster->machine->may_conciliate && !has_jobs(cluster))
        sv_commander_conciliate(cluster);
    cluster->machine->may_conciliate = false;
}

static void enter_conciliation(struct sv_cluster *cluster)
{
    cluster->machine->may_conciliate = true;
    conciliate(cluster);
}

static void enter_closing(struct sv_cluster *cluster)
{
    cluster->machine->asked = SV_SUPVISORS_STATE_OFF;
    cluster->machine->is_restart = sv_machine_state(cluster) == SV_SUPVISORS_STATE_RESTARTING;
    sv_commander_abort(cluster);
    if (sv_machine_is_master(cluster))
        sv_commander_stop_applications(cluster);
}

static void enter_final(struct sv_cluster *cluster)
{
    sv_cluster_actions_add(cluster->actions, SV_CLUSTER_END_DAEMON)->is_restart =
        cluster->machine->is_restart;
}

/* --- the machine --- */

static const struct {
    void (*enter)(struct sv_cluster *cluster);
    void (*stay)(struct sv_cluster *cluster);
} states[] = {
#define STATE(name, enter, stay) [SV_SUPVISORS_STATE_##name] = {enter, stay},
#include "core/cluster/machine.def"
};
_Static_assert(sizeof(states) / sizeof(*states) == SV_SUPVISORS_STATE_FINAL + 1,
               "every state has a row");

static const struct arrow {
    enum sv_supvisors_state from, to;
    bool (*condition)(const struct sv_cluster *cluster);
    const char *reason;
} arrows[] = {
#define ARROW(from, to, condition, reason)                                                         \
    {SV_SUPVISORS_STATE_##from, SV_SUPVISORS_STATE_##to, condition, reason},
#include "core/cluster/machine.def"
};

static const struct arrow *find_arrow(const struct sv_cluster *cluster)
{
    enum sv_supvisors_state state = sv_machine_state(cluster);
    for (size_t i = 0; i < sizeof(arrows) / sizeof(*arrows); i++)
        if (arrows[i].from == state && arrows[i].condition(cluster))
            return &arrows[i];
    return NULL;
}

static void take(struct sv_cluster *cluster, const struct arrow *arrow)
{
    if (arrow->to == SV_SUPVISORS_STATE_ELECTION)
        cluster->machine->has_activated = false;
    if (arrow->to == SV_SUPVISORS_STATE_SYNCHRONIZATION)
        cluster->machine->has_lost = false;
    enum sv_supvisors_state before = arrow->from;
    sv_modes_set_state(cluster, arrow->to);
    sv_decide(cluster, SV_LOG_INFO, "%s: %s",
              sv_choice_name(SV_CHOICE_SUPVISORS_STATE, (int)arrow->to), arrow->reason);
    states[arrow->to].enter(cluster);
    sv_commander_state_changed(cluster, before);
}

/* Those that have been checked take part from now on; while applications are being distributed,
 * here or by the Master, they wait. Unless a start waits for them (quorum). */
static void activate_checked(struct sv_cluster *cluster)
{
    enum sv_supvisors_state state = sv_machine_state(cluster);
    bool is_distributing =
        (state == SV_SUPVISORS_STATE_DISTRIBUTION && !sv_quorum_is_waited_for(cluster)) ||
        master_is_in(cluster, IN(DISTRIBUTION));
    if (!cluster->machine->checked_count || is_distributing ||
        state >= SV_SUPVISORS_STATE_RESTARTING)
        return;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++)
        if (cluster->instances[i]->state == SV_INSTANCE_STATE_CHECKED)
            sv_instance_feed(cluster, cluster->instances[i], SV_INSTANCE_ACTIVATE, "it takes part");
}

void sv_machine_run(struct sv_cluster *cluster)
{
    struct sv_machine *machine = cluster->machine;
    machine->may_conciliate = true;
    for (unsigned round = 0; machine->is_dirty && round < ROUNDS_MAX; round++) {
        assert(round < ROUNDS_MAX - 1);
        machine->is_dirty = false;
        activate_checked(cluster);
        sv_modes_set_degraded(cluster, sv_machine_state(cluster) != SV_SUPVISORS_STATE_OFF &&
                                           sv_synchro_is_degraded(cluster));
        const struct arrow *arrow = find_arrow(cluster);
        if (arrow) {
            take(cluster, arrow);
            machine->is_dirty = true;
        } else
            states[sv_machine_state(cluster)].stay(cluster);
    }
    machine->has_lost = false;
    if (machine->is_ending && !machine->has_left && sv_replica_runs_nothing(cluster))
        sv_machine_leave(cluster, false);
}

static void on_timer(struct sv_cluster *cluster, struct sv_timer *timer)
{
    (void)timer;
    sv_machine_wake(cluster);
}

void sv_machine_new(struct sv_cluster *cluster)
{
    cluster->machine = sv_allocate(1, sizeof(*cluster->machine));
    sv_timer_init(cluster, &cluster->machine->timer, on_timer);
    sv_timer_init(cluster, &cluster->machine->core_timer, on_timer);
}

void sv_machine_free(struct sv_cluster *cluster)
{
    free(cluster->machine);
}

void sv_machine_begin(struct sv_cluster *cluster)
{
    struct sv_machine *machine = cluster->machine;
    machine->has_begun = true;
    machine->begin_ns = cluster->now_ns;
    sv_timer_set(cluster, &machine->timer, cluster->now_ns + cluster->times->synchro_ns);
    sv_timer_set(cluster, &machine->core_timer,
                 cluster->now_ns + SV_SYNCHRO_CORE_SECONDS * SV_SECOND_NS);
    sv_machine_wake(cluster);
}
