/*
 * Who is Master.
 *
 * Supvisors' rule: of the Masters that are declared, or else of all that are RUNNING, the
 * core_identifiers come first, then the smallest nickname. It is applied when all views agree on
 * who is RUNNING.
 *
 * Declaring is left to the one whom the rule selects: it takes a term greater than all that it has
 * heard of, and the others follow. So "who is Master" is one statement with a number, not one
 * opinion from each instance, and old statements are known by their smaller number. An instance
 * that arrives where a Master is at work follows at once; where two are at work (a network that
 * broke and healed), the rule picks one, whose new term makes the other step down.
 *
 * What makes a Master stands behind struct sv_master_rule: `views` is the above, `quorum` also
 * wants a majority of supvisors_list (quorum.c, docs/mesh.md).
 */
#include <string.h>

#include "core/cluster/members.h"

enum { TERM_TAG_BITS = 24 };

static bool is_running(const struct sv_cluster *cluster, sv_instance_place place)
{
    return place != SV_INSTANCE_NONE &&
           cluster->instances[place]->state == SV_INSTANCE_STATE_RUNNING;
}

/* Says of itself that it is Master. */
static bool is_declared(const struct sv_cluster *cluster, sv_instance_place place)
{
    return is_running(cluster, place) && cluster->instances[place]->view.master == place;
}

static bool views_may_elect(const struct sv_cluster *cluster, const char **ret_why)
{
    if (sv_modes_is_stable(cluster))
        return true;
    *ret_why = "not all instances see the same ones RUNNING";
    return false;
}

static bool is_core(const struct sv_cluster *cluster, sv_instance_place place)
{
    const struct sv_name_list *core = &cluster->supvisors->core_identifiers;
    const struct sv_instance *instance = cluster->instances[place];
    return sv_names_has(core, instance->identifier) || sv_names_has(core, instance->nick) ||
           sv_synchro_is_core_stereotype(cluster, instance);
}

static bool is_better(const struct sv_cluster *cluster, sv_instance_place one,
                      sv_instance_place other)
{
    if (other == SV_INSTANCE_NONE || one == other)
        return other == SV_INSTANCE_NONE;
    if (is_core(cluster, one) != is_core(cluster, other))
        return is_core(cluster, one);
    return strcmp(cluster->instances[one]->nick, cluster->instances[other]->nick) < 0;
}

/* Whom the others call Master goes before all whom nobody does. */
static sv_instance_place views_select(const struct sv_cluster *cluster)
{
    sv_instance_place named = SV_INSTANCE_NONE, any = SV_INSTANCE_NONE;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        if (!is_running(cluster, i))
            continue;
        sv_instance_place master = cluster->instances[i]->view.master;
        if (is_running(cluster, master) && is_better(cluster, master, named))
            named = master;
        if (is_better(cluster, i, any))
            any = i;
    }
    return named != SV_INSTANCE_NONE ? named : any;
}

static bool views_hold(const struct sv_cluster *cluster)
{
    (void)cluster;
    return true;
}

static bool quorum_may_elect(const struct sv_cluster *cluster, const char **ret_why)
{
    if (sv_quorum_has_majority(cluster))
        return views_may_elect(cluster, ret_why);
    *ret_why = "there is no majority of supvisors_list (quorum)";
    return false;
}

static const struct sv_master_rule views_rule = {"views", views_may_elect, views_select,
                                                 views_hold};
static const struct sv_master_rule quorum_rule = {"quorum", quorum_may_elect, views_select,
                                                  sv_quorum_has_majority};

const struct sv_master_rule *sv_election_rule(const struct sv_cluster *cluster)
{
    return cluster->times->has_quorum ? &quorum_rule : &views_rule;
}

bool sv_election_is_agreed(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.master != SV_INSTANCE_NONE && sv_modes_have_one_master(cluster);
}

static void declare(struct sv_cluster *cluster)
{
    const struct sv_view *ours = &sv_local(cluster)->view;
    uint64_t greatest = cluster->machine->term_max;
    if (ours->master == cluster->local && ours->term >= greatest)
        return;
    if (greatest < cluster->incarnation)
        greatest = cluster->incarnation;
    /* Its low bits are ours, so that two who declare themselves apart differ. */
    uint64_t term = ((greatest >> TERM_TAG_BITS) + 1) << TERM_TAG_BITS |
                    (sv_local(cluster)->hash & ((UINT64_C(1) << TERM_TAG_BITS) - 1));
    cluster->machine->term_max = term;
    sv_modes_set_master(cluster, cluster->local, term);
    sv_decide(cluster, SV_LOG_INFO, "%s is the Master: elected by the rule of the %s",
              sv_local(cluster)->nick, sv_election_rule(cluster)->name);
}

static void follow(struct sv_cluster *cluster, sv_instance_place master)
{
    const struct sv_view *ours = &sv_local(cluster)->view;
    const struct sv_instance *instance = cluster->instances[master];
    if (instance->view.term < ours->term ||
        (ours->master == master && ours->term == instance->view.term))
        return; /* it will declare itself anew when it has heard of our term */
    sv_modes_set_master(cluster, master, instance->view.term);
    sv_decide(cluster, SV_LOG_INFO, "%s is the Master: it says so, and all may follow",
              instance->nick);
}

/* The one Master that is declared anywhere; SV_INSTANCE_NONE: there is none, or several. */
static sv_instance_place only_master(const struct sv_cluster *cluster)
{
    sv_instance_place only = SV_INSTANCE_NONE;
    if (!cluster->machine->naming_count)
        return SV_INSTANCE_NONE;
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        const struct sv_view *view = &cluster->instances[i]->view;
        if (!is_running(cluster, i) || !view->master_identifier)
            continue;
        if (view->master == SV_INSTANCE_NONE || (only != SV_INSTANCE_NONE && view->master != only))
            return SV_INSTANCE_NONE;
        only = view->master;
    }
    return only != SV_INSTANCE_NONE && is_declared(cluster, only) ? only : SV_INSTANCE_NONE;
}

static void note_waiting(struct sv_cluster *cluster, const char *why)
{
    if (cluster->machine->waits_for == why)
        return;
    cluster->machine->waits_for = why;
    if (why)
        sv_decide(cluster, SV_LOG_INFO, "no Master is elected yet: %s", why);
}

void sv_election_run(struct sv_cluster *cluster)
{
    const struct sv_master_rule *rule = sv_election_rule(cluster);
    sv_instance_place only = only_master(cluster);
    if (only != SV_INSTANCE_NONE && only != cluster->local) {
        follow(cluster, only);
        return;
    }
    const char *why = NULL;
    if (!rule->may_elect(cluster, &why)) {
        note_waiting(cluster, why);
        return;
    }
    note_waiting(cluster, NULL);
    sv_instance_place selected = rule->select(cluster);
    if (selected == cluster->local)
        declare(cluster);
    else if (selected != SV_INSTANCE_NONE && is_declared(cluster, selected))
        follow(cluster, selected);
}
