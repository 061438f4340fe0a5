/*
 * Conflicts: a process of a managed application that runs in more than one instance (Supvisors
 * 0.19: strategy.py, conciliate_conflicts).
 *
 *     SENICIDE         the youngest lives
 *     INFANTICIDE      the oldest lives
 *     USER             nothing
 *     STOP             none lives
 *     RESTART          none lives, then one is started
 *     RUNNING_FAILURE  none lives, then what the rule says about a failure
 *
 * An age is the uptime by the clock of the instance where it runs: exact now, where Supvisors knows
 * it as of the last tick. Of two with one age the first by order of instances lives; Supvisors
 * leaves that to the order of a set.
 */
#include <stdlib.h>
#include <string.h>

#include "core/cluster/commander.h"

static sv_instance_place find_survivor(const struct sv_commander *commander,
                                       const struct sv_member *member, bool is_youngest)
{
    sv_instance_place survivor = SV_INSTANCE_NONE;
    uint64_t best_ns = 0;
    for (size_t i = 0; i < member->running_count; i++) {
        sv_instance_place place = member->running[i];
        uint64_t now_ns = sv_instance_clock_ns(commander->cluster, place);
        uint64_t uptime_ns = sv_copy_uptime_ns(sv_member_copy(member, place), now_ns);
        bool is_better = is_youngest ? uptime_ns < best_ns : uptime_ns > best_ns;
        if (survivor != SV_INSTANCE_NONE && !is_better)
            continue;
        survivor = place;
        best_ns = uptime_ns;
    }
    return survivor;
}

static void keep_one(struct sv_commander *commander, struct sv_member *member, bool is_youngest)
{
    sv_instance_place survivor = find_survivor(commander, member, is_youngest);
    sv_commander_say(commander, SV_LOG_WARN, member, "runs %zu times: the %s lives, on %s",
                     member->running_count, is_youngest ? "youngest" : "oldest",
                     sv_instance_nick(commander->cluster, survivor));
    sv_stop_process(commander, member, survivor);
}

void sv_conciliate_member(struct sv_commander *commander, struct sv_member *member,
                          enum sv_conciliation_strategy strategy)
{
    if (member->running_count < 2)
        return;
    switch (strategy) {
    case SV_CONCILIATION_STRATEGY_SENICIDE:
        keep_one(commander, member, true);
        return;
    case SV_CONCILIATION_STRATEGY_INFANTICIDE:
        keep_one(commander, member, false);
        return;
    case SV_CONCILIATION_STRATEGY_USER:
        return;
    case SV_CONCILIATION_STRATEGY_STOP:
        sv_commander_say(commander, SV_LOG_WARN, member, "runs %zu times: all are stopped",
                         member->running_count);
        sv_stop_process(commander, member, SV_INSTANCE_NONE);
        return;
    case SV_CONCILIATION_STRATEGY_RESTART:
        sv_commander_say(commander, SV_LOG_WARN, member,
                         "runs %zu times: all are stopped, and one is started",
                         member->running_count);
        sv_restart_process(commander, member, member->application->rules.starting_strategy, NULL);
        return;
    case SV_CONCILIATION_STRATEGY_RUNNING_FAILURE:
        sv_commander_say(commander, SV_LOG_WARN, member,
                         "runs %zu times: all are stopped, it counts as a running failure",
                         member->running_count);
        sv_stop_process(commander, member, SV_INSTANCE_NONE);
        sv_failure_add(commander, member);
        return;
    }
}

void sv_conciliate(struct sv_commander *commander, enum sv_conciliation_strategy strategy)
{
    const struct sv_model *model = commander->model;
    for (size_t a = 0; a < model->application_count; a++) {
        const struct sv_application *application = model->applications[a];
        for (size_t i = 0; application->rules.is_managed && i < application->member_count; i++)
            sv_conciliate_member(commander, application->members[i], strategy);
    }
}
