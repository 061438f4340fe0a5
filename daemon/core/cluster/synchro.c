/*
 * synchro_options: who must be there before the cluster begins to work, and what is done when one
 * of them is missing later (supvisors_failure_strategy). One row for each option.
 */
#include <stdlib.h>

#include "core/cluster/members.h"

static bool is_running(const struct sv_cluster *cluster, sv_instance_place place)
{
    return cluster->instances[place]->state == SV_INSTANCE_STATE_RUNNING;
}

bool sv_synchro_is_core_stereotype(const struct sv_cluster *cluster,
                                   const struct sv_instance *instance)
{
    for (size_t i = 0; i < instance->stereotypes.count; i++)
        if (sv_names_has(&cluster->supvisors->core_identifiers, instance->stereotypes.items[i]))
            return true;
    return false;
}

static bool all_listed(const struct sv_cluster *cluster)
{
    return cluster->machine->running_voter_count == cluster->machine->voter_count;
}

static bool all_known(const struct sv_cluster *cluster)
{
    return sv_local(cluster)->view.running_count == cluster->instance_count;
}

static bool all_core(const struct sv_cluster *cluster)
{
    const struct sv_name_list *core = &cluster->supvisors->core_identifiers;
    uint32_t *places = sv_allocate(cluster->instance_count, sizeof(*places));
    uint32_t count = sv_identifiers_find(core, cluster->names, cluster->instance_count, places);
    bool is_met = count > 0;
    for (uint32_t i = 0; i < count && is_met; i++)
        is_met = is_running(cluster, places[i]);
    free(places);
    return is_met;
}

static bool has_passed(const struct sv_cluster *cluster, uint64_t duration_ns)
{
    return cluster->now_ns - cluster->machine->begin_ns >= duration_ns;
}

static bool strict_is_met(const struct sv_cluster *cluster)
{
    return all_listed(cluster) && sv_modes_is_stable(cluster);
}

static bool list_is_met(const struct sv_cluster *cluster)
{
    return all_known(cluster) && sv_modes_is_stable(cluster);
}

static bool timeout_is_met(const struct sv_cluster *cluster)
{
    return has_passed(cluster, cluster->times->synchro_ns);
}

static bool core_is_met(const struct sv_cluster *cluster)
{
    return all_core(cluster) && has_passed(cluster, SV_SYNCHRO_CORE_SECONDS * SV_SECOND_NS) &&
           sv_modes_is_stable(cluster);
}

static bool user_is_met(const struct sv_cluster *cluster)
{
    for (sv_instance_place i = 0; i < cluster->instance_count; i++) {
        sv_instance_place master = cluster->instances[i]->view.master;
        if (is_running(cluster, i) && master != SV_INSTANCE_NONE && is_running(cluster, master))
            return true;
    }
    return false;
}

static const struct {
    bool (*is_met)(const struct sv_cluster *cluster);  /* it ends SYNCHRONIZATION */
    bool (*is_kept)(const struct sv_cluster *cluster); /* later; NULL: it cannot fail */
} conditions[] = {
    [SV_SYNCHRO_OPTION_STRICT] = {strict_is_met, all_listed},
    [SV_SYNCHRO_OPTION_LIST] = {list_is_met, all_known},
    [SV_SYNCHRO_OPTION_TIMEOUT] = {timeout_is_met, NULL},
    [SV_SYNCHRO_OPTION_CORE] = {core_is_met, all_core},
    [SV_SYNCHRO_OPTION_USER] = {user_is_met, NULL},
};
_Static_assert(sizeof(conditions) / sizeof(*conditions) == SV_SYNCHRO_OPTION_USER + 1,
               "every option of synchro_options has a row");

bool sv_synchro_has(const struct sv_cluster *cluster, enum sv_synchro_option option)
{
    return cluster->supvisors->synchro_options >> option & 1;
}

bool sv_synchro_is_met(const struct sv_cluster *cluster, enum sv_synchro_option option)
{
    return sv_synchro_has(cluster, option) && conditions[option].is_met(cluster);
}

static bool has_failed(const struct sv_cluster *cluster, enum sv_synchro_option option)
{
    return sv_synchro_has(cluster, option) && conditions[option].is_kept &&
           !conditions[option].is_kept(cluster);
}

bool sv_synchro_is_degraded(const struct sv_cluster *cluster)
{
    return has_failed(cluster, SV_SYNCHRO_OPTION_STRICT) ||
           has_failed(cluster, SV_SYNCHRO_OPTION_LIST) ||
           has_failed(cluster, SV_SYNCHRO_OPTION_CORE);
}

enum sv_supvisors_failure_strategy sv_synchro_failure(const struct sv_cluster *cluster)
{
    /* The first that is set decides alone; of USER every loss is a failure. */
    static const enum sv_synchro_option order[] = {SV_SYNCHRO_OPTION_CORE, SV_SYNCHRO_OPTION_STRICT,
                                                   SV_SYNCHRO_OPTION_LIST};
    bool is_failure = false;
    if (sv_synchro_has(cluster, SV_SYNCHRO_OPTION_USER))
        is_failure = cluster->machine->has_lost;
    else
        for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
            if (sv_synchro_has(cluster, order[i])) {
                is_failure = has_failed(cluster, order[i]);
                break;
            }
    return is_failure ? cluster->supvisors->supvisors_failure_strategy
                      : SV_SUPVISORS_FAILURE_STRATEGY_CONTINUE;
}
