/*
 * Where what is started runs: all that is on its way counted, and applications of one instance or
 * one node placed as a whole (Supvisors 0.19: commander.py, ApplicationStartJobs).
 */
#include <stdlib.h>

#include "core/cluster/commander.h"

void sv_commander_drop_scene(struct sv_commander *commander)
{
    if (!commander->has_scene)
        return;
    sv_sites_done(&commander->sites);
    sv_loads_done(&commander->loads);
    commander->has_scene = false;
}

/* What is commanded, or planned for a place, and not yet seen to start. */
static void add_requests(struct sv_commander *commander, const struct sv_sequencer *starts)
{
    for (size_t j = 0; j < starts->job_count; j++) {
        const struct sv_job *job = starts->jobs[j];
        for (size_t i = 0; i < job->order_count; i++) {
            const struct sv_order *order = job->orders[i];
            if (order->target != SV_INSTANCE_NONE && sv_state_is_stopped(order->member->state))
                sv_loads_add(&commander->loads, &commander->sites, order->target,
                             order->member->rules.expected_loading);
        }
    }
}

void sv_commander_make_scene(struct sv_commander *commander)
{
    if (commander->has_scene)
        return;
    sv_sites_init(&commander->sites, commander->cluster);
    sv_loads_init(&commander->loads, commander->model, &commander->sites);
    add_requests(commander, &commander->starts);
    if (commander->run)
        add_requests(commander, &commander->cluster->commander->starts);
    commander->has_scene = true;
}

static void set_target(struct sv_commander *commander, struct sv_order *order,
                       sv_instance_place place)
{
    order->target = place;
    sv_loads_add(&commander->loads, &commander->sites, place,
                 order->member->rules.expected_loading);
}

static sv_instance_place choose(struct sv_commander *commander, const struct sv_places *places,
                                enum sv_starting_strategy strategy, uint32_t percent,
                                struct sv_str *why)
{
    const struct sv_placement placement = {strategy, places, percent};
    return sv_placement_choose(&placement, &commander->sites, &commander->loads, why);
}

sv_instance_place sv_starter_find_place(struct sv_commander *commander,
                                        const struct sv_member *member,
                                        enum sv_starting_strategy strategy, struct sv_str *ret_why)
{
    struct sv_places places;
    sv_commander_make_scene(commander);
    sv_placement_of_member(member, &commander->sites, &places, ret_why);
    sv_instance_place place =
        choose(commander, &places, strategy, member->rules.expected_loading, ret_why);
    sv_places_done(&places);
    return place;
}

/* ---- Applications of one instance or one node ---- */

static bool is_single(const struct sv_job *job)
{
    return job->application->rules.distribution != SV_DISTRIBUTION_ALL_INSTANCES;
}

/* Where the rest of it runs already, it goes on; else anywhere. */
static void keep_together(const struct sv_commander *commander, const struct sv_job *job,
                          struct sv_places *places)
{
    bool is_node = job->application->rules.distribution == SV_DISTRIBUTION_SINGLE_NODE;
    uint32_t kept = 0;
    bool runs = sv_application_has_running(job->application);
    for (uint32_t i = 0; runs && i < places->count; i++) {
        sv_instance_place place = places->items[i];
        bool is_there = false;
        for (size_t m = 0; m < job->application->member_count && !is_there; m++) {
            const struct sv_member *member = job->application->members[m];
            for (size_t r = 0; r < member->running_count && !is_there; r++)
                is_there = is_node ? commander->sites.items[member->running[r]].node ==
                                         commander->sites.items[place].node
                                   : member->running[r] == place;
        }
        if (is_there)
            places->items[kept++] = place;
    }
    if (runs)
        places->count = kept;
}

static uint32_t load_of_job(const struct sv_job *job)
{
    uint32_t percent = 0;
    for (size_t i = 0; i < job->order_count; i++)
        if (sv_state_is_stopped(job->orders[i]->member->state))
            percent += job->orders[i]->member->rules.expected_loading;
    return percent;
}

/* Of the places of the job those that can run the process. */
static sv_instance_place choose_single(struct sv_commander *commander, const struct sv_order *order,
                                       struct sv_str *why)
{
    const struct sv_job *job = order->job;
    struct sv_places places = {
        .items = sv_allocate(job->places.count, sizeof(*places.items)),
    };
    for (uint32_t i = 0; i < job->places.count; i++) {
        const struct sv_copy *copy = sv_member_copy(order->member, job->places.items[i]);
        if (copy && !copy->row.is_disabled)
            places.items[places.count++] = job->places.items[i];
    }
    sv_instance_place place =
        choose(commander, &places, job->strategy, order->member->rules.expected_loading, why);
    sv_places_done(&places);
    return place;
}

/* Keeps of the places those on the node of the chosen one, or only that. */
static void narrow(const struct sv_commander *commander, struct sv_job *job,
                   sv_instance_place chosen)
{
    bool is_node = job->application->rules.distribution == SV_DISTRIBUTION_SINGLE_NODE;
    uint32_t kept = 0;
    for (uint32_t i = 0; chosen != SV_INSTANCE_NONE && i < job->places.count; i++) {
        sv_instance_place place = job->places.items[i];
        if (is_node ? commander->sites.items[place].node == commander->sites.items[chosen].node
                    : place == chosen)
            job->places.items[kept++] = place;
    }
    job->places.count = kept;
}

void sv_starter_place_whole(struct sv_commander *commander, struct sv_job *job)
{
    if (!is_single(job))
        return;
    struct sv_str why = {0};
    bool is_node = job->application->rules.distribution == SV_DISTRIBUTION_SINGLE_NODE;
    sv_commander_make_scene(commander);
    sv_places_done(&job->places);
    (is_node ? sv_placement_of_nodes : sv_placement_of_application)(
        job->application, &commander->sites, &job->places, &why);
    keep_together(commander, job, &job->places);
    sv_instance_place chosen =
        choose(commander, &job->places, job->strategy, load_of_job(job), &why);
    narrow(commander, job, chosen);
    sv_commander_say(commander, chosen == SV_INSTANCE_NONE ? SV_LOG_WARN : SV_LOG_INFO, NULL,
                     "%s is placed as a whole: %s", job->application->name, sv_str_text(&why));
    for (size_t i = 0; i < job->order_count && job->places.count > 0; i++) {
        struct sv_order *order = job->orders[i];
        sv_instance_place place = sv_state_is_stopped(order->member->state)
                                      ? choose_single(commander, order, &why)
                                      : SV_INSTANCE_NONE;
        if (place != SV_INSTANCE_NONE)
            set_target(commander, order, place);
    }
    sv_str_done(&why);
}

bool sv_starter_place(struct sv_commander *commander, struct sv_order *order,
                      struct sv_str *ret_why)
{
    sv_commander_make_scene(commander);
    bool has_place = order->target != SV_INSTANCE_NONE &&
                     commander->sites.items[order->target].state == SV_INSTANCE_STATE_RUNNING;
    if (has_place) {
        sv_str_addf(ret_why, "placed with the whole of %s", order->job->application->name);
        return true;
    }
    order->target = SV_INSTANCE_NONE;
    sv_instance_place place =
        is_single(order->job)
            ? choose_single(commander, order, ret_why)
            : sv_starter_find_place(commander, order->member, order->strategy, ret_why);
    if (place != SV_INSTANCE_NONE)
        set_target(commander, order, place);
    return place != SV_INSTANCE_NONE;
}
